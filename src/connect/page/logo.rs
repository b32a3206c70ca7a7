//! The integration as it shows itself: label and logo.

use maud::{Markup, html};
use url::Url;

use crate::config::Config;

/// How many tints the style has for a logo's place.
const TINTS: u32 = 6;

/// What an integration is called, and its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brand<'a> {
    /// The display name.
    pub label: &'a str,
    /// URL of the logo; shown only if it is https.
    pub logo: Option<&'a str>,
}

impl<'a> Brand<'a> {
    /// The brand of an integration: its label or else its name, its logo or
    /// else its icon.
    pub fn of(name: &'a str, config: &'a Config) -> Self {
        let label = config.label.as_deref().map(str::trim);
        Self {
            label: label.filter(|label| !label.is_empty()).unwrap_or(name),
            logo: config.logo.as_deref().or(config.icon.as_deref()),
        }
    }
}

/// The logo on its tile. It is decoration: the label is next to it. Where
/// there is no picture, or it does not load, the tile shows the initial.
pub(super) fn logo(brand: Brand) -> Markup {
    html! {
        span class={ "logo tint-" (tint(brand.label)) } aria-hidden="true" {
            @match brand.logo.and_then(https) {
                Some(source) => img src=(source) alt="" data-initial=(initial(brand.label)) referrerpolicy="no-referrer";,
                None => (initial(brand.label)),
            }
        }
    }
}

/// As the parser reads it, so that nothing depends on how a browser would.
pub(super) fn https(logo: &str) -> Option<String> {
    let url = Url::parse(logo).ok()?;
    (url.scheme() == "https").then(|| url.into())
}

fn initial(label: &str) -> String {
    let letter = label.chars().find(|c| c.is_alphanumeric());
    letter.map_or_else(
        || "•".to_owned(),
        |letter| letter.to_uppercase().to_string(),
    )
}

/// The same for the same label.
fn tint(label: &str) -> u32 {
    let mix = |sum: u32, c: char| sum.wrapping_mul(31).wrapping_add(u32::from(c));
    label.chars().fold(0, mix) % TINTS
}
