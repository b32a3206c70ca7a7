//! The form a customer connects by, and its button.

use maud::{Markup, html};
use serde_json::Value;

use crate::config::Credential;
use crate::config::field::FieldKind;
use crate::connect::form::{Problems, is_hidden, label};

use super::application::banner;
use super::document::{Document, document};
use super::inputs::{FormInput, id, input, visibility};
use super::logo::logo;
use super::result::quoted;
use super::{Application, Brand, Nonce};

/// Whether an account is made or authorised again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectPurpose {
    /// A new account.
    Connect,
    /// One that was connected before.
    Reconnect,
}

/// One of several credentials to choose from.
#[derive(Debug, Clone)]
pub struct CredentialLink {
    /// What it is called, see [`way_label`].
    pub label: String,
    /// The address of the form with this credential.
    pub href: String,
    /// Whether it is the one shown.
    pub is_current: bool,
}

/// The form.
#[derive(Debug, Clone)]
pub struct ConnectForm<'a> {
    /// The integration.
    pub brand: Brand<'a>,
    /// Who will use the account.
    pub application: Application<'a>,
    /// Whether an account is made or authorised again.
    pub purpose: ConnectPurpose,
    /// The credential that is shown.
    pub credential: &'a Credential,
    /// All credentials; shown when there are several.
    pub ways: Vec<CredentialLink>,
    /// Where the form is posted.
    pub action: &'a str,
    /// `link_token`, `credential`, `display`: they come before the fields,
    /// so the first posted value of a name is theirs.
    pub hidden: Vec<(&'a str, &'a str)>,
    /// What was posted, when the form is shown again.
    pub posted: Option<&'a [(String, String)]>,
    /// The context of the account, when it is kept.
    pub kept: Option<&'a Value>,
    /// What is wrong with what was posted.
    pub problems: &'a Problems,
    /// The provider did not accept what was posted: its text, or empty.
    pub refusal: Option<&'a str>,
}

/// What to call a credential among several.
pub fn way_label(credential: &Credential) -> String {
    match credential {
        credential if credential.redirects() => "Sign in".to_owned(),
        Credential::Oauth2ClientCredentials(_) => "Client credentials".to_owned(),
        _ => {
            let mut fields = credential.fields().iter();
            let key = fields.find(|field| field.kind == FieldKind::Password);
            key.map_or("Account details", label).to_owned()
        }
    }
}

/// The page with the form.
pub fn form(page: &ConnectForm, nonce: &Nonce) -> String {
    let action = match page.purpose {
        ConnectPurpose::Connect => "Connect",
        ConnectPurpose::Reconnect => "Reconnect",
    };
    let heading = format!("{action} {}", page.brand.label);
    let has_error = !page.problems.is_empty() || page.refusal.is_some();
    let title = if has_error {
        format!("Error: {heading}")
    } else {
        heading.clone()
    };
    let content = html! {
        header.head {
            (logo(page.brand))
            h1 dir="auto" { (heading) }
        }
        p.lead dir="auto" { (lead(page)) }
        (banner(&page.application, &format!("your {} account", page.brand.label)))
        @if has_error { (summary(page)) }
        @if page.ways.len() > 1 { (ways(&page.ways)) }
        (fields(page, action))
    };
    let page = Document {
        title: &title,
        sheet: "narrow",
        style: visibility(page.credential.fields()),
        content,
        script: None,
    };
    document(&page, nonce)
}

/// What happens next.
fn lead(page: &ConnectForm) -> String {
    let label = page.brand.label;
    let has_fields = !page.credential.fields().is_empty();
    match (page.credential.redirects(), page.purpose) {
        (true, ConnectPurpose::Connect) if has_fields => {
            format!("Fill in the details below. You will then sign in at {label} and allow access.")
        }
        (true, ConnectPurpose::Connect) => {
            format!("You will sign in at {label} and allow access, and then come back here.")
        }
        (true, ConnectPurpose::Reconnect) => {
            format!(
                "Access to your {label} account has to be renewed: sign in at {label} again and allow access."
            )
        }
        (false, ConnectPurpose::Connect) if has_fields => {
            format!("Fill in the details of your {label} account.")
        }
        (false, ConnectPurpose::Connect) => {
            format!("Nothing has to be filled in to connect {label}.")
        }
        (false, ConnectPurpose::Reconnect) => {
            format!("Access to your {label} account has to be renewed. Check the details below.")
        }
    }
}

fn summary(page: &ConnectForm) -> Markup {
    let fields = page.credential.fields().iter().enumerate();
    let problems = fields.filter_map(|(at, field)| Some((at, page.problems.of(&field.name)?)));
    html! {
        div.summary role="alert" tabindex="-1" autofocus {
            @if let Some(words) = page.refusal {
                h2 dir="auto" { (page.brand.label) " did not accept this" }
                p { "Check what you filled in, and try again." }
                (quoted(page.brand.label, words))
            } @else {
                h2 { "Something has to be corrected" }
            }
            ul {
                @for (at, words) in problems {
                    li { a href={ "#" (id(at)) } dir="auto" { (words) } }
                }
            }
        }
    }
}

/// Links, so that another credential's fields come without JavaScript.
fn ways(ways: &[CredentialLink]) -> Markup {
    html! {
        nav.ways aria-label="Ways to connect" {
            ul {
                @for way in ways {
                    li {
                        a href=(way.href) aria-current=[way.is_current.then_some("true")] dir="auto" { (way.label) }
                    }
                }
            }
        }
    }
}

fn fields(page: &ConnectForm, action: &str) -> Markup {
    let fields = page.credential.fields();
    let button = if page.credential.redirects() {
        format!("Continue to {}", page.brand.label)
    } else {
        action.to_owned()
    };
    html! {
        // The problems come from us, all at once and in place, rather than one by one from the browser.
        form method="post" action=(page.action) accept-charset="utf-8" novalidate {
            @for (name, value) in &page.hidden { input type="hidden" name=(name) value=(value); }
            @for (at, field) in fields.iter().enumerate() {
                (input(&FormInput { at, field, posted: page.posted, kept: page.kept, problem: page.problems.of(&field.name) }))
            }
            button type="submit" dir="auto" { (button) }
        }
        @if fields.iter().any(is_hidden) {
            p.small { "Passwords and keys are stored encrypted and are never shown again." }
        }
    }
}
