//! How much placeholders may render in one place, counted while it is built:
//! a template that names a large value a hundred times would else fill the
//! isolate's memory, or block it while the URL is parsed.

use std::cell::Cell;

use serde_json::Value;

use super::cast::{Cast, text};
use super::effort;
use super::template::RenderError;
use super::url_value;

/// Bytes of a body, as JSON or as a form.
pub const BODY_BYTES: usize = 8 * 1024 * 1024;
/// Bytes of a URL after its host, percent-encoded: path and query together.
pub const URL_BYTES: usize = 16 * 1024;
/// Bytes of one header value, or of another text.
pub const TEXT_BYTES: usize = 16 * 1024;
/// What each value of a body counts in addition to its text: what it takes in memory.
pub const VALUE_BYTES: usize = 32;

/// Characters of a template that an error quotes.
const QUOTED: usize = 80;

/// What is left of one of the bounds above.
#[derive(Debug)]
pub struct RenderRoom {
    place: RoomUse,
    left: Cell<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RoomUse {
    Body,
    Url,
    Text,
}

impl RoomUse {
    fn bytes(self) -> usize {
        match self {
            Self::Body => BODY_BYTES,
            Self::Url => URL_BYTES,
            Self::Text => TEXT_BYTES,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Url => "path and query",
            Self::Text => "header or text",
        }
    }
}

impl RenderRoom {
    /// For a body.
    pub fn body() -> Self {
        Self::of(RoomUse::Body)
    }

    /// For a path and query.
    pub fn url() -> Self {
        Self::of(RoomUse::Url)
    }

    /// For a header value or another text.
    pub fn text() -> Self {
        Self::of(RoomUse::Text)
    }

    fn of(place: RoomUse) -> Self {
        Self {
            place,
            left: Cell::new(place.bytes()),
        }
    }

    /// Takes so many bytes for what `source` renders, and as many steps where they are counted ([`effort`]). A refusal
    /// takes all that is left.
    pub fn take(&self, bytes: usize, source: &str) -> Result<(), RenderError> {
        let left = self.left.take();
        let is_counted = effort::take(bytes.min(left) as u64).is_ok();
        let remaining = left.checked_sub(bytes).filter(|_| is_counted);
        self.left
            .set(remaining.ok_or_else(|| self.too_small(source))?);
        Ok(())
    }

    /// Takes what a parameter's name and the signs around it need, once for each item.
    pub fn take_name(&self, name: &str, value: &Value) -> Result<(), RenderError> {
        let (items, signs) = match value {
            Value::Array(items) => (items.len(), "[00000]=&".len()),
            _ => (1, "=&".len()),
        };
        let each = url_value::encoded_length(name) + signs;
        self.take(items.saturating_mul(each), name)
    }

    /// Takes a text as it will be written here.
    pub fn take_text(&self, text: &str, source: &str) -> Result<(), RenderError> {
        // No text is written shorter than it is: one that cannot fit is not read.
        let fits = text.len() <= self.left.get();
        let bytes = if fits { self.written(text) } else { text.len() };
        self.take(bytes, source)
    }

    /// Takes a whole value as it will be written here.
    pub(super) fn take_value(&self, value: &Value, source: &str) -> Result<(), RenderError> {
        if self.place != RoomUse::Body {
            return self.take_text(&text(value), source);
        }
        self.take(VALUE_BYTES, source)?;
        match value {
            Value::String(text) => self.take_text(text, source),
            Value::Array(items) => items
                .iter()
                .try_for_each(|item| self.take_value(item, source)),
            Value::Object(entries) => entries.iter().try_for_each(|(key, item)| {
                self.take_text(key, source)?;
                self.take_value(item, source)
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        }
    }

    /// Refuses a value that cannot fit, before it is copied. What its cast reads is counted in steps where the cast can
    /// give less.
    pub(super) fn admit(&self, value: &Value, cast: Cast, source: &str) -> Result<(), RenderError> {
        let left = self.left.get();
        let Some(remaining) = at_least(value, left) else {
            return self.take(usize::MAX, source);
        };
        let is_whole = cast.keeps_length() && !value.is_array() && !value.is_object();
        if is_whole || effort::take((left - remaining) as u64).is_ok() {
            return Ok(());
        }
        Err(self.too_small(source))
    }

    fn written(&self, text: &str) -> usize {
        match self.place {
            RoomUse::Body => text.bytes().map(in_json).sum(),
            RoomUse::Url => url_value::encoded_length(text),
            RoomUse::Text => text.len(),
        }
    }

    fn too_small(&self, source: &str) -> RenderError {
        let mut quoted: String = source.chars().take(QUOTED).collect();
        if quoted.len() < source.len() {
            quoted.push('…');
        }
        RenderError::TooLarge {
            source_text: quoted,
            place: self.place.word(),
            bytes: self.place.bytes(),
        }
    }
}

/// Bytes that a byte of a JSON string becomes (RFC 8259, section 7).
fn in_json(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    }
}

/// What is left of `left` bytes after a value's text, however it is written.
fn at_least(value: &Value, left: usize) -> Option<usize> {
    match value {
        Value::String(text) => left.checked_sub(text.len()),
        Value::Array(items) => items
            .iter()
            .try_fold(left.checked_sub(1)?, |left, item| at_least(item, left)),
        Value::Object(entries) => entries
            .iter()
            .try_fold(left.checked_sub(1)?, |left, (key, item)| {
                at_least(item, left.checked_sub(key.len())?)
            }),
        Value::Null | Value::Bool(_) | Value::Number(_) => left.checked_sub(1),
    }
}

#[cfg(test)]
mod tests;
