//! What a text may be where it is.
use crate::config::check::aim::Host;
use crate::config::check::literal::{Name, is_key, looks_like_key};
use crate::config::source::Sources;
use crate::expression::Template;

/// What is known of a place.
#[derive(Clone, Copy)]
pub(super) struct TextPlace<'k> {
    pub(super) key: &'k str,
    /// Where its words can come to.
    pub(super) host: Host,
    /// Whether words are samples.
    pub(super) is_sample: bool,
    /// Whether any literal is a credential, unless it is plainly none.
    pub(super) is_credential: bool,
}

impl<'k> TextPlace<'k> {
    /// A place from which nothing is sent.
    pub(super) fn at(key: &'k str) -> Self {
        Self {
            key,
            host: Host::Fixed,
            is_sample: false,
            is_credential: false,
        }
    }
}

pub(super) fn holds_placeholder(text: &str) -> bool {
    Template::parse(text).is_ok_and(|template| template.literal().is_none())
}

pub(super) fn variable(text: &str) -> Option<String> {
    if !text.contains("_variables") {
        return None;
    }
    Sources::of(&Template::parse(text).ok()?).variable
}

pub(super) fn stands_in_clear(text: &str, spot: &TextPlace) -> bool {
    if spot.is_credential == spot.is_sample {
        return looks_like_key(text);
    }
    let template = Template::parse(text).ok().filter(|_| spot.is_credential);
    let sources = template.as_ref().map(Sources::of);
    let literals = sources.map(|sources| sources.literals).unwrap_or_default();
    literals
        .into_iter()
        .any(|text| is_key(Name::Credential, text))
}
