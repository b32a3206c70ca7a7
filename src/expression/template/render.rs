//! Filling a template in.

use serde_json::Value;

use crate::expression::cast::text;
use crate::expression::placeholder::{Placeholder, WhenMissing};
use crate::expression::room::RenderRoom;
use crate::expression::scope::TemplateScope;
use crate::json::exact::{self, Exact};

use super::{RenderError, Rendered, Template, TemplatePiece};

impl Template {
    /// The value for a place that takes any JSON: a placeholder that is the
    /// whole string keeps the type its cast gives.
    pub fn render(&self, scope: &TemplateScope) -> Result<Rendered, RenderError> {
        Ok(match self.render_in(&RenderRoom::body(), scope)? {
            Rendered::Value(value) => Rendered::Value(Exact::of_inside(value).plain().into_owned()),
            Rendered::Dropped => Rendered::Dropped,
        })
    }

    /// The same as a part of an [`Exact`] that may be so large.
    pub(in crate::expression) fn render_in(
        &self,
        room: &RenderRoom,
        scope: &TemplateScope,
    ) -> Result<Rendered, RenderError> {
        if let [TemplatePiece::Placeholder(whole)] = self.pieces.as_slice() {
            let rendered = self.fill(whole, scope, room)?;
            if let Rendered::Value(value) = &rendered {
                room.take_value(value, &self.source)?;
            }
            return Ok(rendered);
        }
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                TemplatePiece::Literal(literal) => {
                    room.take_text(literal, &self.source)?;
                    out.push_str(literal);
                }
                TemplatePiece::Placeholder(placeholder) => {
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
        Ok(match self.render_in(&RenderRoom::text(), scope)? {
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
    pub fn query(
        &self,
        scope: &TemplateScope,
        room: &RenderRoom,
    ) -> Result<Option<Value>, RenderError> {
        Ok(match self.render_in(room, scope)? {
            Rendered::Dropped | Rendered::Value(Value::Null) => None,
            Rendered::Value(Value::Array(items)) => Some(items.iter().map(item_text).collect()),
            Rendered::Value(value) => Some(Value::String(text(&value))),
        })
    }

    /// What each placeholder gives within the text, in order; an empty text where it is left out.
    pub fn placeholder_texts(&self, scope: &TemplateScope) -> Result<Vec<String>, RenderError> {
        let room = RenderRoom::text();
        let texts = self.placeholders().map(|one| self.embed(one, scope, &room));
        texts.collect()
    }

    /// One placeholder within a longer text. A `null` counts as missing here,
    /// unless the placeholder asks for it with `:null`.
    fn embed(
        &self,
        placeholder: &Placeholder,
        scope: &TemplateScope,
        room: &RenderRoom,
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

    pub(in crate::expression) fn fill(
        &self,
        placeholder: &Placeholder,
        scope: &TemplateScope,
        room: &RenderRoom,
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
            room.admit(value, *cast, &self.source)?;
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

    pub(in crate::expression) fn missing(&self, placeholder: &Placeholder) -> RenderError {
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
