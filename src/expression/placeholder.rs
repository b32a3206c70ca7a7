//! One `{{…}}` token, parsed: its alternatives, casts and default.
//!
//! The grammar is docs/integration-file.md "Placeholders copy", which follows the published
//! `@truto/replace-placeholders`: `{{a.b:int|c?:text:cast}}`.

use crate::json::{Path, PathError};

use super::cast::Cast;

/// Why a `{{…}}` token is not a placeholder we can fill.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceholderError {
    /// `{{a:uint}}`
    #[error(
        "`{0}` is not a cast; there are str, int, num, bool, json, any, null, undefined and ignore-empty-str"
    )]
    UnknownCast(String),
    /// `{{ }}`, `{{a|}}`
    #[error("a placeholder needs a path on each side of `|`")]
    NoPath,
    /// `{{a..b}}`
    #[error(transparent)]
    Path(#[from] PathError),
}

/// A parsed `{{…}}` token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholder {
    alternatives: Vec<(Path, Cast)>,
    default: Option<(String, Cast)>,
    when_missing: WhenMissing,
    skips_empty: bool,
}

/// What happens when no alternative is defined and there is no default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WhenMissing {
    Refuse,
    Null,
    Drop,
}

impl Placeholder {
    /// Parses what is between `{{` and `}}`.
    pub(super) fn parse(inner: &str) -> Result<Self, PlaceholderError> {
        let (paths, default) = match inner.split_once("?:") {
            Some((paths, text)) => (paths, Some(parse_default(text))),
            None => (inner, None),
        };
        let mut placeholder = Self {
            alternatives: Vec::new(),
            default,
            when_missing: WhenMissing::Refuse,
            skips_empty: false,
        };
        for alternative in paths.split('|') {
            placeholder.add(alternative)?;
        }
        Ok(placeholder)
    }

    fn add(&mut self, alternative: &str) -> Result<(), PlaceholderError> {
        let mut words = alternative.split(':');
        let path: Path = words.next().unwrap_or_default().parse()?;
        if path.is_root() {
            return Err(PlaceholderError::NoPath);
        }
        let mut cast = None;
        for word in words.map(str::trim) {
            match word {
                "undefined" => self.when_missing = WhenMissing::Drop,
                "ignore-empty-str" => self.skips_empty = true,
                "null" if self.when_missing == WhenMissing::Refuse => {
                    self.when_missing = WhenMissing::Null;
                }
                _ => {}
            }
            let named =
                Cast::named(word).ok_or_else(|| PlaceholderError::UnknownCast(word.to_owned()))?;
            cast = cast.or(Some(named));
        }
        self.alternatives.push((path, cast.unwrap_or(Cast::Str)));
        Ok(())
    }

    /// The paths it tries, in order.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.alternatives.iter().map(|(path, _)| path)
    }

    /// Whether it renders without an error when every path is missing.
    pub fn has_fallback(&self) -> bool {
        self.default.is_some() || self.when_missing != WhenMissing::Refuse
    }

    /// The text after `?:`.
    pub fn default_text(&self) -> Option<&str> {
        self.default.as_ref().map(|(text, _)| text.as_str())
    }

    /// Its path, when there is just one and no default.
    pub(super) fn only_path(&self) -> Option<&Path> {
        match self.alternatives.as_slice() {
            [(path, _)] if self.default.is_none() => Some(path),
            _ => None,
        }
    }

    pub(super) fn alternatives(&self) -> &[(Path, Cast)] {
        &self.alternatives
    }

    pub(super) fn default(&self) -> Option<(&str, Cast)> {
        self.default
            .as_ref()
            .map(|(text, cast)| (text.as_str(), *cast))
    }

    pub(super) fn when_missing(&self) -> WhenMissing {
        self.when_missing
    }

    pub(super) fn skips_empty(&self) -> bool {
        self.skips_empty
    }

    /// The paths as they would be written, for messages.
    pub(super) fn named(&self) -> String {
        let paths: Vec<String> = self.paths().map(ToString::to_string).collect();
        paths.join("|")
    }
}

/// `text` or `text:cast`. A colon that no cast follows belongs to the text, so
/// that `?:https://x` is a default too.
fn parse_default(text: &str) -> (String, Cast) {
    if let Some((before, word)) = text.rsplit_once(':')
        && let Some(cast) = Cast::named(word.trim())
    {
        return (before.to_owned(), cast);
    }
    (text.to_owned(), Cast::Str)
}

#[cfg(test)]
mod tests {
    use super::{Placeholder, PlaceholderError};

    #[test]
    fn an_unknown_cast_is_an_error_and_names_itself() {
        assert_eq!(
            Placeholder::parse("a:uint"),
            Err(PlaceholderError::UnknownCast("uint".to_owned()))
        );
    }

    #[test]
    fn each_alternative_needs_a_path() {
        for text in ["", " ", "a|", "|a", ":int", "a..b", "?:x"] {
            assert!(Placeholder::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_paths_are_listed_in_order() {
        let placeholder = Placeholder::parse("a.b:int | c-d/e ?:x").unwrap();
        let paths: Vec<String> = placeholder.paths().map(ToString::to_string).collect();
        assert_eq!(paths, ["a.b", "c-d/e"]);
        assert!(placeholder.has_fallback());
    }
}
