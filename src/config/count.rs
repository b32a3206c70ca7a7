//! A whole number that files also write as text: `3600` or `"3600"`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

/// A number of at least 0. Its unit is that of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(pub u64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(CountVisitor)
    }
}

struct CountVisitor;

impl Visitor<'_> for CountVisitor {
    type Value = Count;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("a whole number, or one written as text")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Count, E> {
        Ok(Count(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Count, E> {
        let number = text.trim().parse();
        number
            .map(Count)
            .map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }
}

impl JsonSchema for Count {
    fn schema_name() -> Cow<'static, str> {
        "Count".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [
            {"type": "integer", "minimum": 0},
            {"type": "string", "pattern": r"^\s*[0-9]+\s*$"}
        ]})
    }
}

#[cfg(test)]
mod tests {
    use super::Count;

    #[test]
    fn a_count_is_a_number_or_its_text() {
        for text in ["3600", "\"3600\"", "\" 3600 \""] {
            assert_eq!(
                serde_json::from_str::<Count>(text).unwrap(),
                Count(3600),
                "{text}"
            );
        }
        for text in ["-1", "1.5", "\"1h\"", "\"\"", "null", "true"] {
            assert!(serde_json::from_str::<Count>(text).is_err(), "{text}");
        }
    }
}
