//! Counting what is in a JSON text, without building it.

use std::fmt;
use std::io::{self, Write};

use serde::Serialize;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::Value;

use super::large_as_texts;

/// Builds a text that was counted. A whole number that would lose digits becomes a text of them; a number beyond a
/// double becomes one, too.
pub fn read(text: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice(&large_as_texts(text))
}

/// Builds a text of at most `most` values as [`read`] does; nothing where it has more, or is no JSON.
pub fn read_at_most(text: &[u8], most: usize) -> Option<Value> {
    let values = count_values(text).ok()?;
    (values <= most).then(|| read(text).ok())?
}

/// Whether a value holds more than so many values, at any depth, itself counted.
pub fn is_more(value: &Value, most: usize) -> bool {
    fn left(value: &Value, most: usize) -> Option<usize> {
        let most = most.checked_sub(1)?;
        match value {
            Value::Array(items) => items.iter().try_fold(most, |most, item| left(item, most)),
            Value::Object(fields) => fields
                .values()
                .try_fold(most, |most, item| left(item, most)),
            _ => Some(most),
        }
    }
    left(value, most).is_none()
}

/// How many fields a form has (`application/x-www-form-urlencoded`).
pub fn count_fields(form: &[u8]) -> usize {
    let fields = form.split(|byte| *byte == b'&');
    fields.filter(|field| !field.is_empty()).count()
}

/// How long a value is as JSON.
pub fn length(value: &impl Serialize) -> usize {
    let mut counted = Length(0);
    // What is only counted cannot fail to be written; what cannot be written has no length.
    let _ = serde_json::to_writer(&mut counted, value);
    counted.0
}

struct Length(usize);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How many elements an array has; `None` when the text is no array.
pub fn count_elements(text: &str) -> Result<Option<usize>, serde_json::Error> {
    if !text.trim_start().starts_with('[') {
        IgnoredAny::deserialize(&mut serde_json::Deserializer::from_str(text))?;
        return Ok(None);
    }
    let mut input = serde_json::Deserializer::from_str(text);
    let count = input.deserialize_seq(ElementCounter)?;
    input.end()?;
    Ok(Some(count))
}

/// How many values there are in a text, at any depth: what it would cost to build it.
pub fn count_values(text: &[u8]) -> Result<usize, serde_json::Error> {
    let (mut count, text) = (0, large_as_texts(text));
    let mut input = serde_json::Deserializer::from_slice(&text);
    ValueCounter(&mut count).deserialize(&mut input)?;
    input.end()?;
    Ok(count)
}

struct ElementCounter;

impl<'de> Visitor<'de> for ElementCounter {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<usize, A::Error> {
        let mut count = 0;
        while items.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(count)
    }
}

struct ValueCounter<'a>(&'a mut usize);

impl<'de> DeserializeSeed<'de> for ValueCounter<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        *self.0 += 1;
        input.deserialize_any(self)
    }
}

macro_rules! scalar {
    ($($visit:ident: $kind:ty),*) => {
        $(fn $visit<E>(self, _: $kind) -> Result<(), E> {
            Ok(())
        })*
    };
}

impl<'de> Visitor<'de> for ValueCounter<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    scalar!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(ValueCounter(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while entries.next_key::<IgnoredAny>()?.is_some() {
            entries.next_value_seed(ValueCounter(self.0))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
