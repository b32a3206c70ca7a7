//! The page at `/`: what this is, and where to go on.

use maud::html;

use super::Nonce;
use super::document::{Document, document};

/// What the gateway is.
#[derive(Debug, Clone, Copy)]
pub struct Home<'a> {
    pub version: &'a str,
    /// The name it is reached by.
    pub host: &'a str,
    /// What it serves to everybody: address, name, what it is for.
    pub links: &'a [(&'a str, &'a str, &'a str)],
    /// Where its documents are, if they are anywhere.
    pub documents: Option<&'a str>,
}

/// The page.
pub fn home(page: &Home, nonce: &Nonce) -> String {
    let content = html! {
        h1 { "Causeway" }
        p.lead { "An integration gateway: one HTTP API for every third-party API." }
        ul.places {
            @for (address, name, about) in page.links {
                li {
                    a href=(address) { (name) }
                    p.help { (about) }
                }
            }
            li {
                @if let Some(address) = page.documents {
                    a href=(address) { "Documents" }
                } @else {
                    b { "Documents" }
                }
                p.help { "The README, and the guides in docs/ of the source: calls, integration files, connecting, webhooks, operating." }
            }
        }
        p.small { "Version " (page.version) " on " (page.host) ". Calls need a token; these pages do not." }
    };
    let page = Document {
        title: "Causeway",
        sheet: "narrow",
        style: String::new(),
        content,
        script: None,
    };
    document(&page, nonce)
}
