//! JSON whose numbers are as they were written, for what is copied: `serde_json` holds 64 bits or a double, and its
//! own feature for more (`arbitrary_precision`) changes how every type is read.
//!
//! Inside it is a [`Value`] in which a number that would be written otherwise is a string after a mark, and a text
//! that begins with the mark has one more of it. So no text is taken for a number.

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Number, Value};

use super::literals::{Token, is_number, keeps_value, large_text, number_text, quoted, replaced};

/// A noncharacter: for use inside a program only (Unicode, section 23.7).
const MARK: &str = "\u{fdd0}";

/// A JSON value whose numbers are as they were written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Exact(Value);

impl Exact {
    /// Builds a text that was prepared by [`marked`], and counted.
    pub fn of_marked(text: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(text).map(Self)
    }

    /// What is inside, for [`literal`], [`text`] and looking up.
    pub fn inside(&self) -> &Value {
        &self.0
    }

    /// The same, to be changed by who leaves strings and numbers what they are.
    pub fn inside_mut(&mut self) -> &mut Value {
        &mut self.0
    }

    /// What an earlier [`Exact::inside`] gave, or was made of its parts.
    pub fn of_inside(inside: Value) -> Self {
        Self(inside)
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        self.0.is_null()
    }

    /// Whether it is a text.
    pub fn is_text(&self) -> bool {
        as_text(&self.0).is_some()
    }

    /// For what computes: a whole number that would lose digits is a text of them, any other what a double is of it.
    pub fn plain(&self) -> Cow<'_, Value> {
        if has_marks(&self.0) {
            Cow::Owned(unmarked(&self.0, &computable))
        } else {
            Cow::Borrowed(&self.0)
        }
    }

    /// For storage: a number that would lose a digit becomes a text.
    pub fn into_kept(self) -> Value {
        if has_marks(&self.0) {
            unmarked(&self.0, &keepable)
        } else {
            self.0
        }
    }
}

impl From<Value> for Exact {
    fn from(value: Value) -> Self {
        if has_marks(&value) {
            Self(escaped_in(&value))
        } else {
            Self(value)
        }
    }
}

/// As JSON, each number as it was written.
impl fmt::Display for Exact {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str(&json_text(&self.0))
    }
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        AsWritten(&self.0).serialize(output)
    }
}

/// The text with marks, from which an [`Exact`] is built.
pub fn marked(text: &[u8]) -> Cow<'_, [u8]> {
    replaced(text, |token| match token {
        Token::Number(literal) => (!is_as_written(literal)).then(|| quoted(MARK, literal)),
        Token::Text(text) => with_one_more(text),
    })
}

/// A value as part of an [`Exact`].
pub fn inside_of(value: &Value) -> Cow<'_, Value> {
    if has_marks(value) {
        Cow::Owned(escaped_in(value))
    } else {
        Cow::Borrowed(value)
    }
}

/// A text as part of an [`Exact`].
pub fn inside_of_text(text: String) -> Value {
    if text.starts_with(MARK) {
        return Value::String(format!("{MARK}{text}"));
    }
    Value::String(text)
}

/// A number as part of an [`Exact`]; `None` where the text is none (RFC 8259, section 6).
pub fn inside_of_number(text: &str) -> Option<Value> {
    if !is_number(text) {
        return None;
    }
    let built = built(text).filter(|_| is_as_written(text));
    let marked = || Value::String(format!("{MARK}{text}"));
    Some(built.map_or_else(marked, Value::Number))
}

/// The number that a part of an [`Exact`] is, where it is marked.
pub fn literal(inside: &Value) -> Option<&str> {
    let literal = inside.as_str()?.strip_prefix(MARK)?;
    is_number(literal).then_some(literal)
}

/// The text that a part of an [`Exact`] is; `None` where it is none.
pub fn as_text(inside: &Value) -> Option<&str> {
    let text = inside.as_str().filter(|_| literal(inside).is_none())?;
    Some(text.strip_prefix(MARK).unwrap_or(text))
}

/// A part of an [`Exact`] as text: strings and numbers bare, everything else as JSON.
pub fn text(inside: &Value) -> Cow<'_, str> {
    match inside {
        Value::String(text) => Cow::Borrowed(text.strip_prefix(MARK).unwrap_or(text)),
        Value::Number(number) => Cow::Owned(bare(number)),
        other => Cow::Owned(json_text(other)),
    }
}

/// A number in a text has no exponent: where one was written, the number is marked.
fn bare(number: &Number) -> String {
    let text = number.to_string();
    if text.contains('e') {
        return number_text(number);
    }
    text
}

/// Whether a number is written as it was; a fast yes for the commonest.
fn is_as_written(literal: &str) -> bool {
    const SURELY: usize = 15;
    let is_short = literal.len() <= SURELY && literal.bytes().all(|byte| byte.is_ascii_digit());
    is_short || built(literal).is_some_and(|built| built.to_string() == literal)
}

fn built(literal: &str) -> Option<Number> {
    serde_json::from_str::<Number>(literal).ok()
}

/// A string of a JSON text that begins with the mark, with one more; as it is written there, or escaped.
fn with_one_more(string: &[u8]) -> Option<String> {
    let inner = string.strip_prefix(b"\"")?;
    let escape = inner.get(..MARK_ESCAPED.len()).unwrap_or_default();
    let begins = inner.starts_with(MARK.as_bytes()) || escape.eq_ignore_ascii_case(MARK_ESCAPED);
    let inner = str::from_utf8(inner).ok().filter(|_| begins)?;
    Some(format!("\"{MARK}{inner}"))
}

const MARK_ESCAPED: &[u8] = br"\ufdd0";

/// Whether a string in it begins with the mark.
fn has_marks(value: &Value) -> bool {
    match value {
        Value::String(text) => text.starts_with(MARK),
        Value::Array(items) => items.iter().any(has_marks),
        Value::Object(entries) => entries.values().any(has_marks),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn escaped_in(value: &Value) -> Value {
    map_strings(value, &|text| inside_of_text(text.to_owned()))
}

fn unmarked(inside: &Value, number: &dyn Fn(&str) -> Value) -> Value {
    map_strings(inside, &|text| match text.strip_prefix(MARK) {
        Some(literal) if is_number(literal) => number(literal),
        Some(text) => Value::from(text),
        None => Value::from(text),
    })
}

fn computable(literal: &str) -> Value {
    if let Some(text) = large_text(literal) {
        return Value::from(text);
    }
    built(literal).map_or_else(|| Value::from(literal), Value::Number)
}

fn keepable(literal: &str) -> Value {
    let number = built(literal).filter(|_| keeps_value(literal));
    number.map_or_else(|| Value::from(literal), Value::Number)
}

fn map_strings(value: &Value, map: &dyn Fn(&str) -> Value) -> Value {
    match value {
        Value::String(text) => map(text),
        Value::Array(items) => items.iter().map(|item| map_strings(item, map)).collect(),
        Value::Object(entries) => {
            let entries = entries.iter();
            let entries = entries.map(|(key, item)| (key.clone(), map_strings(item, map)));
            Value::Object(entries.collect())
        }
        other => other.clone(),
    }
}

fn json_text(inside: &Value) -> String {
    // What is in memory can be written.
    serde_json::to_string(&AsWritten(inside)).unwrap_or_default()
}

/// A part of an [`Exact`] as JSON.
struct AsWritten<'v>(&'v Value);

impl Serialize for AsWritten<'_> {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::String(_) => match literal(self.0) {
                Some(literal) => RawValue::from_string(literal.to_owned())
                    .map_err(serde::ser::Error::custom)?
                    .serialize(output),
                None => output.serialize_str(&text(self.0)),
            },
            Value::Array(items) => output.collect_seq(items.iter().map(AsWritten)),
            Value::Object(entries) => {
                output.collect_map(entries.iter().map(|(key, item)| (key, AsWritten(item))))
            }
            plain => plain.serialize(output),
        }
    }
}

#[cfg(test)]
mod tests;
