//! What all pages have around them.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::Nonce;

/// One style for all pages; it is in the page, so that nothing is loaded.
const STYLE: &str = include_str!("page.css");

/// What goes into a document.
pub(super) struct Document<'a> {
    /// The window's title.
    pub title: &'a str,
    /// A class of the page's sheet: how wide it is.
    pub sheet: &'static str,
    /// What is on the sheet.
    pub content: Markup,
    /// Style of this page alone.
    pub style: String,
    /// JavaScript without anything that ends a script element.
    pub script: Option<String>,
}

pub(super) fn document(document: &Document, nonce: &Nonce) -> String {
    let nonce = nonce.as_str();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { (document.title) }
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                meta name="color-scheme" content="light dark";
                // Else browsers ask for /favicon.ico.
                link rel="icon" href="data:,";
                style nonce=(nonce) { (PreEscaped(STYLE)) (PreEscaped(&document.style)) }
            }
            body {
                main class={ "sheet " (document.sheet) } { (document.content) }
                @if let Some(script) = &document.script { script nonce=(nonce) { (PreEscaped(script)) } }
            }
        }
    };
    page.into_string()
}
