//! How it ended, as a page.

use maud::{Markup, PreEscaped, html};

use crate::connect::outcome::ConnectFailure;

use super::document::{Document, document};
use super::logo::logo;
use super::texts::texts;
use super::{Application, Brand, ConnectPurpose, Nonce};

/// Characters of the provider's text that are shown.
const QUOTED_CHARACTERS: usize = 600;

const TICK: PreEscaped<&str> = PreEscaped(
    r#"<svg class="sign right" viewBox="0 0 48 48" aria-hidden="true"><circle cx="24" cy="24" r="24"/><path d="M14 25l7 7 13-15"/></svg>"#,
);
const CROSS: PreEscaped<&str> = PreEscaped(
    r#"<svg class="sign wrong" viewBox="0 0 48 48" aria-hidden="true"><circle cx="24" cy="24" r="24"/><path d="M24 13v14M24 34v.5"/></svg>"#,
);

/// The account is there.
#[derive(Debug, Clone, Copy)]
pub struct ConnectedPage<'a> {
    /// The integration.
    pub brand: Brand<'a>,
    /// Who can use the account now.
    pub application: Application<'a>,
    /// Whether an account was made or authorised again.
    pub purpose: ConnectPurpose,
}

/// Nothing was connected, or it is not ready.
#[derive(Debug, Clone, Copy)]
pub struct FailedPage<'a> {
    /// The integration, where one was chosen.
    pub brand: Option<Brand<'a>>,
    /// Who would use the account, where that is known.
    pub application: Option<Application<'a>>,
    /// Why.
    pub failure: ConnectFailure,
    /// The provider's text, where it gave one.
    pub provider_words: Option<&'a str>,
    /// Where to try again; for [`ConnectFailure::InvalidIntegration`], where to
    /// choose. Not shown where the same link cannot help.
    pub again: Option<&'a str>,
    /// What support finds the failure by: the request's id.
    pub reference: &'a str,
}

/// The page that says so.
pub fn connected(page: &ConnectedPage, nonce: &Nonce) -> String {
    let content = html! {
        (connected_content(page))
        p { "You can close this window." }
    };
    show(&connected_heading(page), content, nonce)
}

/// The page that says so, and what to do.
pub fn failed(page: &FailedPage, nonce: &Nonce) -> String {
    let heading = texts(page.failure, page.brand.map(|brand| brand.label)).heading;
    show(&heading, failed_content(page), nonce)
}

fn show(title: &str, content: Markup, nonce: &Nonce) -> String {
    let page = Document {
        title,
        sheet: "narrow",
        style: String::new(),
        content,
        script: None,
    };
    document(&page, nonce)
}

pub(super) fn connected_heading(page: &ConnectedPage) -> String {
    match page.purpose {
        ConnectPurpose::Connect => format!("{} is connected", page.brand.label),
        ConnectPurpose::Reconnect => format!("{} is connected again", page.brand.label),
    }
}

pub(super) fn connected_content(page: &ConnectedPage) -> Markup {
    html! {
        (TICK)
        h1 dir="auto" { (connected_heading(page)) }
        p.lead dir="auto" { "All done: " (page.application.called()) " can now use the account." }
        (named(&page.application))
    }
}

pub(super) fn failed_content(page: &FailedPage) -> Markup {
    let label = page.brand.map(|brand| brand.label);
    let words = texts(page.failure, label);
    let again = words.again.zip(page.again);
    html! {
        (CROSS)
        h1 dir="auto" { (words.heading) }
        p.lead dir="auto" { (words.happened) }
        @if let Some(provider) = page.provider_words { (quoted(label.unwrap_or("The provider"), provider)) }
        p { (words.now) }
        @if let Some((words, href)) = again { p { a.button href=(href) { (words) } } }
        @if let Some(application) = &page.application { (named(application)) }
        p.small { "Reference for support: " span.reference { (page.reference) } }
    }
}

/// For whom this was, where it has a name.
fn named(application: &Application) -> Markup {
    html! {
        @if let Some(label) = application.name {
            div.application { (logo(Brand { label, logo: application.logo })) p dir="auto" { strong { (label) } } }
        }
    }
}

/// Text of somebody else: plain, cut to a length, and set apart from ours.
pub(super) fn quoted(who: &str, words: &str) -> Markup {
    let words = words.trim();
    let shown: String = words.chars().take(QUOTED_CHARACTERS).collect();
    let is_cut = shown.len() < words.len();
    html! {
        @if !words.is_empty() {
            figure.quoted {
                figcaption dir="auto" { (who) " says:" }
                blockquote dir="auto" { (shown) @if is_cut { "…" } }
            }
        }
    }
}
