//! How many records may go at once.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

/// How many records a full run may delete without a confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxDeletions {
    /// So many.
    Count(u64),
    /// So many of a hundred, and always 100.
    Percent(u64),
}

/// What a percentage allows at least.
const AT_LEAST: u64 = 100;

impl Default for MaxDeletions {
    fn default() -> Self {
        Self::Percent(50)
    }
}

impl MaxDeletions {
    /// How many of so many records.
    pub fn of(self, records: u64) -> u64 {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => (records.saturating_mul(percent) / 100).max(AT_LEAST),
        }
    }
}

impl<'de> Deserialize<'de> for MaxDeletions {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(MaxDeletionsVisitor)
    }
}

struct MaxDeletionsVisitor;

impl Visitor<'_> for MaxDeletionsVisitor {
    type Value = MaxDeletions;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("a number of records, or a percentage such as `50%`")
    }

    fn visit_u64<E: Error>(self, count: u64) -> Result<MaxDeletions, E> {
        Ok(MaxDeletions::Count(count))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<MaxDeletions, E> {
        let wrong = || E::invalid_value(serde::de::Unexpected::Str(text), &self);
        let number = text.strip_suffix('%').ok_or_else(wrong)?;
        let number = number.parse::<u8>().ok().filter(|number| *number <= 100);
        number
            .map(|number| MaxDeletions::Percent(number.into()))
            .ok_or_else(wrong)
    }
}

impl JsonSchema for MaxDeletions {
    fn schema_name() -> Cow<'static, str> {
        "MaxDeletions".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^(100|[1-9]?[0-9])%$"}]})
    }
}

#[cfg(test)]
mod tests {
    use super::MaxDeletions;
    use serde_json::json;

    #[test]
    fn a_percentage_allows_at_least_a_hundred() {
        for (value, records, most) in [
            (json!(7), 1_000, 7),
            (json!("50%"), 1_000, 500),
            (json!("50%"), 10, 100),
            (json!("0%"), 1_000_000, 100),
            (json!("100%"), 1_000, 1_000),
        ] {
            let read: MaxDeletions = serde_json::from_value(value.clone()).unwrap();
            assert_eq!(read.of(records), most, "{value}");
        }
        for value in [
            json!("50"),
            json!("101%"),
            json!("-1%"),
            json!(-1),
            json!(null),
        ] {
            assert!(
                serde_json::from_value::<MaxDeletions>(value.clone()).is_err(),
                "{value}"
            );
        }
    }
}
