//! Choosing what to connect.

use maud::html;

use super::application::banner;
use super::document::{Document, document};
use super::logo::logo;
use super::{Application, Brand, Nonce};

/// One integration to choose.
#[derive(Debug, Clone)]
pub struct Card<'a> {
    /// The integration.
    pub brand: Brand<'a>,
    /// The address of its form, with the link token.
    pub href: String,
}

/// The integrations a customer may choose from.
#[derive(Debug, Clone)]
pub struct Choose<'a> {
    /// In the order they are shown; may be empty.
    pub cards: Vec<Card<'a>>,
    /// Who will use what is connected.
    pub application: Application<'a>,
}

/// The page to choose on.
pub fn choose(page: &Choose, nonce: &Nonce) -> String {
    let content = if page.cards.is_empty() {
        html! {
            h1 { "Nothing to connect yet" }
            p.lead { "There is nothing on offer here at the moment." }
            p { "Go back to the application you came from, or ask its support which accounts you can connect." }
        }
    } else {
        html! {
            h1 { "What would you like to connect?" }
            p.lead { "Choose the product your account is with." }
            (banner(&page.application, "your account"))
            ul.cards {
                @for card in &page.cards {
                    li {
                        a.card href=(card.href) {
                            (logo(card.brand))
                            span.label dir="auto" { (card.brand.label) }
                        }
                    }
                }
            }
        }
    };
    let page = Document {
        title: "Choose what to connect",
        sheet: if page.cards.is_empty() {
            "narrow"
        } else {
            "wide"
        },
        style: String::new(),
        content,
        script: None,
    };
    document(&page, nonce)
}
