//! The page of a popup: it tells the window that opened it how it ended, and
//! closes.

use maud::html;
use serde_json::{Map, Value};
use url::Url;

use crate::connect::outcome::ConnectOutcome;

use super::document::{Document, document};
use super::result::{connected_content, connected_heading, failed_content};
use super::texts::texts;
use super::{ConnectedPage, FailedPage, Nonce};

/// What is in the popup until it closes, or if it cannot.
#[derive(Debug, Clone, Copy)]
pub enum Popup<'a> {
    /// The account is there.
    Connected(ConnectedPage<'a>),
    /// Nothing was connected, or it is not ready.
    Failed(FailedPage<'a>),
}

/// The page that posts `outcome` to the origin of `redirect_uri`, and to no
/// other. A URL without an origin (`app:`) receives nothing: its
/// origin reads `null`, which no message can be sent to.
pub fn popup(page: &Popup, outcome: &ConnectOutcome, redirect_uri: &Url, nonce: &Nonce) -> String {
    let (title, content) = match page {
        Popup::Connected(page) => (connected_heading(page), connected_content(page)),
        Popup::Failed(page) => (
            texts(page.failure, page.brand.map(|brand| brand.label)).heading,
            failed_content(page),
        ),
    };
    let content = html! {
        (content)
        p { "This window closes by itself. If it stays open, you can close it." }
    };
    let page = Document {
        title: &title,
        sheet: "narrow",
        style: String::new(),
        content,
        script: Some(script(outcome, redirect_uri)),
    };
    document(&page, nonce)
}

/// Closes only after a message was sent: a page that was not opened by
/// another page has no opener, so its text is all there is.
fn script(outcome: &ConnectOutcome, redirect_uri: &Url) -> String {
    let pairs = outcome.parameters().into_iter();
    let message: Map<String, Value> = pairs
        .map(|(key, value)| (key.to_owned(), value.into()))
        .collect();
    let message = literal(&Value::Object(message));
    let origin = literal(&redirect_uri.origin().ascii_serialization().into());
    format!("if(window.opener){{window.opener.postMessage({message},{origin});window.close()}}")
}

/// JSON that is also safe JavaScript inside a script element: nothing in it
/// can end the element, open a comment or end a line.
fn literal(value: &Value) -> String {
    let mut out = String::new();
    for c in value.to_string().chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
    out
}
