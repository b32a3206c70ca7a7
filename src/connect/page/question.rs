//! "Is this you?": asked where a link was not opened from the application it is for. Somebody may have sent it on, to get
//! another person's account connected to their own.

use maud::html;

use super::application::banner;
use super::document::{Document, document};
use super::logo::logo;
use super::{Application, Brand, Nonce};

/// The question.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The integration, where the link is for one.
    pub brand: Option<Brand<'a>>,
    /// Who will use the account.
    pub application: Application<'a>,
    /// Where the answer "yes" leads.
    pub href: &'a str,
}

/// The page that asks it.
pub fn question(page: &Question, nonce: &Nonce) -> String {
    let who = page.application.called();
    let account = page.brand.map_or_else(
        || "an account".to_owned(),
        |brand| format!("your {} account", brand.label),
    );
    let content = html! {
        header.head {
            @if let Some(brand) = page.brand { (logo(brand)) }
            h1 { "Is this you?" }
        }
        p.lead dir="auto" { "Did you start this yourself, in " strong { (who) } "?" }
        (banner(&page.application, &account))
        p dir="auto" {
            "If you go on, " (who) " can use what you connect here, in the name of the person who made this link. "
            "If somebody sent you the link and you do not know why, close this page: nothing has happened yet."
        }
        p { a.button href=(page.href) { "Yes, continue" } }
    };
    let page = Document {
        title: "Is this you?",
        sheet: "narrow",
        style: String::new(),
        content,
        script: None,
    };
    document(&page, nonce)
}
