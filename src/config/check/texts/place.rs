//! What a text may be where it is.
use crate::config::check::aim::Host;
use crate::config::check::literal::{
    Name, is_key, looks_like_key, path_looks_like_key, source_looks_like_key,
};
use crate::config::source::Sources;
use crate::expression::{Placeholder, Template};

/// What is known of a place.
#[derive(Clone, Copy)]
pub(super) struct TextPlace<'k> {
    pub(super) key: &'k str,
    /// Which host its literal text can reach.
    pub(super) host: Host,
    /// Whether words are samples.
    pub(super) is_sample: bool,
    /// Whether any literal is a credential, unless it is plainly none.
    pub(super) is_credential: bool,
    /// What its texts are.
    pub(super) form: TextKind,
}

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextKind {
    /// A text, maybe with placeholders.
    Text,
    /// A path into a value.
    Path,
    /// JSONata.
    Source,
}

impl TextKind {
    /// What is under this key, where it says so.
    pub(super) fn of(key: &str) -> Self {
        match key {
            "event_id"
            | "handle_verification"
            | "is_rate_limited"
            | "retry_on"
            | "payload_transform"
            | "ok_when"
            | "run_if"
            | "context_lookup_field_value" => Self::Source,
            key if key.ends_with("expression") => Self::Source,
            "path" | "contextFromToken" | "context_from_token" | "contextFromClaims"
            | "tokenNames" => Self::Path,
            key if key.ends_with("_path") => Self::Path,
            _ => Self::Text,
        }
    }

    /// What is below a key in a place of this form.
    pub(super) fn below(self, key: &str) -> Self {
        match self {
            Self::Text => Self::of(key),
            form => form,
        }
    }

    fn looks_like_key(self, text: &str) -> bool {
        match self {
            Self::Path => path_looks_like_key(text),
            Self::Source => source_looks_like_key(text),
            Self::Text => match Template::parse(text).ok().filter(|_| text.contains("{{")) {
                Some(template) => template_looks_like_key(&template),
                None => looks_like_key(text),
            },
        }
    }
}

fn template_looks_like_key(template: &Template) -> bool {
    let placeholders = || template.placeholders();
    let mut paths = placeholders().flat_map(Placeholder::paths);
    let mut defaults = placeholders().filter_map(Placeholder::default_text);
    template.literals().any(looks_like_key)
        || defaults.any(looks_like_key)
        || paths.any(|path| path.parts().iter().any(|part| looks_like_key(part)))
}

impl<'k> TextPlace<'k> {
    /// A place from which nothing is sent.
    pub(super) fn at(key: &'k str) -> Self {
        Self {
            key,
            host: Host::Fixed,
            is_sample: false,
            is_credential: false,
            form: TextKind::of(key),
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
        return spot.form.looks_like_key(text);
    }
    let template = Template::parse(text).ok().filter(|_| spot.is_credential);
    let sources = template.as_ref().map(Sources::of);
    let literals = sources.map(|sources| sources.literals).unwrap_or_default();
    literals
        .into_iter()
        .any(|text| is_key(Name::Credential, text))
}
