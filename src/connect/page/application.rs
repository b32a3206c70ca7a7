//! The application that a link connects for: who will use the account, and where the result goes. A link can be passed
//! on, so the page says both.

use maud::{Markup, html};

use super::Brand;
use super::logo::logo;

/// The application, as its environment names it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Application<'a> {
    /// What it is called.
    pub name: Option<&'a str>,
    /// URL of its logo; shown only if it is https.
    pub logo: Option<&'a str>,
    /// The host that the result goes to.
    pub goes_to: Option<&'a str>,
}

impl<'a> Application<'a> {
    /// What a sentence calls it.
    pub(super) fn called(&self) -> &'a str {
        self.name
            .or(self.goes_to)
            .unwrap_or("the application you came from")
    }
}

/// A line on top of a page: what is connected to what, and where the result goes.
pub(super) fn banner(application: &Application, connects: &str) -> Markup {
    let brand = application.name.map(|label| Brand {
        label,
        logo: application.logo,
    });
    html! {
        div.application {
            @if let Some(brand) = brand { (logo(brand)) }
            p dir="auto" {
                "Connects " (connects) " to " strong { (application.called()) } ". "
                @match application.goes_to {
                    Some(host) => { "The result goes to " span.host { (host) } "." },
                    None => "The result is shown on this page.",
                }
            }
        }
    }
}
