//! A string with placeholders, compiled while it is read. Rendering copies
//! values in; it never computes, and it never sends a placeholder unfilled.
//!
//! Where the rendered value lands decides what it may be: [`Template::header`],
//! [`Template::query`], [`Template::text`]. URLs have their own module.

use serde_json::Value;

use crate::json::Path;
use crate::json::exact::{self, Exact};

use super::cast::text;
use super::placeholder::{Placeholder, PlaceholderError, WhenMissing};
use super::room::Room;
use super::scope::TemplateScope;

mod public;
mod read;
mod tokens;

pub use tokens::has_stray_braces;

/// A compiled template. Equal when their sources are.
#[derive(Debug, Clone)]
pub struct Template {
    source: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone)]
pub(super) enum Piece {
    Literal(String),
    Placeholder(Placeholder),
}

/// What a template becomes.
#[derive(Debug, Clone, PartialEq)]
pub enum Rendered {
    /// The value to put in.
    Value(Value),
    /// `:undefined` applied: leave the key out.
    Dropped,
}

/// Why a template has no value. Names paths, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// No alternative is defined and there is no fallback.
    #[error("`{path}` has no value (in `{source_text}`)")]
    Missing {
        /// The path or paths that were tried.
        path: String,
        /// The template it stood in.
        source_text: String,
    },
    /// A secret that was given for something else.
    #[error("`{secret}` was given for another use")]
    Withheld {
        /// The secret, as it is called where it is written.
        secret: String,
    },
    /// The value is not of the kind its cast names.
    #[error("`{path}` cannot be read as `{cast}`")]
    Cast {
        /// The path whose value it is.
        path: String,
        /// The cast that failed.
        cast: &'static str,
    },
    /// A header value with a line break, another control character, or one
    /// that has no width.
    #[error(
        "`{source_text}` has a character in its value that a header cannot carry: a control character, or one that has no width"
    )]
    NotAHeaderValue {
        /// The template it stood in.
        source_text: String,
    },
    /// The place is full.
    #[error("`{source_text}` makes the {place} larger than {bytes} bytes")]
    TooLarge {
        /// The template that was being filled, or its beginning.
        source_text: String,
        /// What it is a part of.
        place: &'static str,
        /// What that may have in all.
        bytes: usize,
    },
    /// An error inside a [`super::TemplateTree`], with its place.
    #[error("at {at}: {cause}")]
    Within {
        /// The JSON path inside the tree.
        at: String,
        /// What is wrong there.
        cause: Box<RenderError>,
    },
}

impl RenderError {
    /// The secret that was given for something else, when that is the reason.
    pub fn withheld(&self) -> Option<&str> {
        match self {
            Self::Withheld { secret } => Some(secret),
            Self::Within { cause, .. } => cause.withheld(),
            _ => None,
        }
    }

    /// Whether a value was missing, as opposed to unusable.
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Missing { .. } => true,
            Self::Within { cause, .. } => cause.is_missing(),
            Self::Withheld { .. }
            | Self::Cast { .. }
            | Self::NotAHeaderValue { .. }
            | Self::TooLarge { .. } => false,
        }
    }
}

impl Template {
    /// Compiles `source`. Text between braces that does not fit the grammar
    /// is literal; a token that fits it but cannot be filled is an error.
    pub fn parse(source: &str) -> Result<Self, PlaceholderError> {
        Ok(Self {
            pieces: tokens::pieces(source)?,
            source: source.to_owned(),
        })
    }

    /// The text with its placeholders reading the public half of the context and the variables that are not secret.
    /// What is no template stays as it is.
    pub fn of_public(source: &str) -> String {
        public::of(source).unwrap_or_else(|_| source.to_owned())
    }

    /// The template of no text at all.
    pub(super) fn empty() -> Self {
        Self {
            source: String::new(),
            pieces: Vec::new(),
        }
    }

    /// The text as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The whole text, when there is no placeholder in it.
    pub fn literal(&self) -> Option<&str> {
        let has_none = self.placeholders().next().is_none();
        has_none.then_some(self.source.as_str())
    }

    /// The path, when the whole text is one placeholder without alternatives
    /// and default.
    pub(super) fn whole_path(&self) -> Option<&Path> {
        self.whole().and_then(Placeholder::only_path)
    }

    /// The placeholder that is the whole text.
    pub fn whole(&self) -> Option<&Placeholder> {
        match self.pieces.as_slice() {
            [Piece::Placeholder(whole)] => Some(whole),
            _ => None,
        }
    }

    /// Its placeholders, in order.
    pub fn placeholders(&self) -> impl Iterator<Item = &Placeholder> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Placeholder(placeholder) => Some(placeholder),
            Piece::Literal(_) => None,
        })
    }

    /// Its literal texts, in order: what stands around the placeholders.
    pub fn literals(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Literal(text) => Some(text.as_str()),
            Piece::Placeholder(_) => None,
        })
    }

    /// The text with `mark` in the place of each placeholder.
    pub fn marked(&self, mark: &str) -> String {
        let pieces = self.pieces.iter().map(|piece| match piece {
            Piece::Literal(text) => text.as_str(),
            Piece::Placeholder(_) => mark,
        });
        pieces.collect()
    }

    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The value for a place that takes any JSON: a placeholder that is the
    /// whole string keeps the type its cast gives.
    pub fn render(&self, scope: &TemplateScope) -> Result<Rendered, RenderError> {
        Ok(match self.render_in(&Room::body(), scope)? {
            Rendered::Value(value) => Rendered::Value(Exact::of_inside(value).plain().into_owned()),
            Rendered::Dropped => Rendered::Dropped,
        })
    }

    /// The same as a part of an [`Exact`] that may be so large.
    pub(super) fn render_in(
        &self,
        room: &Room,
        scope: &TemplateScope,
    ) -> Result<Rendered, RenderError> {
        if let [Piece::Placeholder(whole)] = self.pieces.as_slice() {
            let rendered = self.fill(whole, scope, room)?;
            if let Rendered::Value(value) = &rendered {
                room.take_value(value, &self.source)?;
            }
            return Ok(rendered);
        }
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => {
                    room.take_text(literal, &self.source)?;
                    out.push_str(literal);
                }
                Piece::Placeholder(placeholder) => {
                    let text = self.embed(placeholder, scope, room)?;
                    room.take_text(&text, &self.source)?;
                    out.push_str(&text);
                }
            }
        }
        Ok(Rendered::Value(exact::inside_of_text(out)))
    }

    /// The value as text. `None` when it was dropped or is null.
    pub fn text(&self, scope: &TemplateScope) -> Result<Option<String>, RenderError> {
        Ok(match self.render_in(&Room::text(), scope)? {
            Rendered::Dropped | Rendered::Value(Value::Null) => None,
            Rendered::Value(value) => Some(text(&value)),
        })
    }

    /// The value of a header: text without control characters (RFC 9110,
    /// section 5.5), sent as UTF-8. `None` leaves the header out.
    pub fn header(&self, scope: &TemplateScope) -> Result<Option<String>, RenderError> {
        let value = self.text(scope)?;
        if value
            .as_deref()
            .is_some_and(|value| value.chars().any(cannot_be_sent))
        {
            return Err(RenderError::NotAHeaderValue {
                source_text: self.source.clone(),
            });
        }
        Ok(value)
    }

    /// The value of a query parameter, **not yet encoded**: a string, or an
    /// array that the caller writes by its `query_array_format`. `None`
    /// leaves the parameter out. Its value is taken from the room of the URL.
    pub fn query(&self, scope: &TemplateScope, room: &Room) -> Result<Option<Value>, RenderError> {
        Ok(match self.render_in(room, scope)? {
            Rendered::Dropped | Rendered::Value(Value::Null) => None,
            Rendered::Value(Value::Array(items)) => Some(items.iter().map(item_text).collect()),
            Rendered::Value(value) => Some(Value::String(text(&value))),
        })
    }

    /// One placeholder within a longer text. A `null` counts as missing here,
    /// unless the placeholder asks for it with `:null`.
    fn embed(
        &self,
        placeholder: &Placeholder,
        scope: &TemplateScope,
        room: &Room,
    ) -> Result<String, RenderError> {
        match self.fill(placeholder, scope, room)? {
            Rendered::Dropped => Ok(String::new()),
            Rendered::Value(Value::Null) => match placeholder.when_missing() {
                WhenMissing::Null => Ok("null".to_owned()),
                WhenMissing::Drop => Ok(String::new()),
                WhenMissing::Refuse => Err(self.missing(placeholder)),
            },
            Rendered::Value(value) => Ok(text(&value)),
        }
    }

    pub(super) fn fill(
        &self,
        placeholder: &Placeholder,
        scope: &TemplateScope,
        room: &Room,
    ) -> Result<Rendered, RenderError> {
        for (path, cast) in placeholder.alternatives() {
            if let Some(secret) = scope.withheld(path) {
                let secret = secret.to_owned();
                return Err(RenderError::Withheld { secret });
            }
            let Some(value) = scope.lookup(path) else {
                continue;
            };
            if placeholder.skips_empty() && value.as_str() == Some("") {
                continue;
            }
            room.admit(value, &self.source)?;
            let value = cast.apply(&scope.inside(path, value));
            return value.map(Rendered::Value).ok_or_else(|| RenderError::Cast {
                path: path.to_string(),
                cast: cast.word(),
            });
        }
        self.fall_back(placeholder)
    }

    fn fall_back(&self, placeholder: &Placeholder) -> Result<Rendered, RenderError> {
        if let Some((text, cast)) = placeholder.default() {
            let value = cast.apply(&exact::inside_of_text(text.to_owned()));
            return value.map(Rendered::Value).ok_or_else(|| RenderError::Cast {
                path: format!("?:{text}"),
                cast: cast.word(),
            });
        }
        match placeholder.when_missing() {
            WhenMissing::Drop => Ok(Rendered::Dropped),
            WhenMissing::Null => Ok(Rendered::Value(Value::Null)),
            WhenMissing::Refuse => Err(self.missing(placeholder)),
        }
    }

    pub(super) fn missing(&self, placeholder: &Placeholder) -> RenderError {
        RenderError::Missing {
            path: placeholder.named(),
            source_text: self.source.clone(),
        }
    }
}

/// An item of a query's array as it is written there; null is none.
fn item_text(item: &Value) -> Value {
    if item.is_null() {
        return Value::Null;
    }
    Value::String(text(item))
}

/// Line ends, other controls, and what comes along unseen when a value is pasted.
fn cannot_be_sent(c: char) -> bool {
    let has_no_width = matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}');
    (c.is_control() && c != '\t') || has_no_width || matches!(c, '\u{2028}' | '\u{2029}')
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

#[cfg(test)]
mod tests;
