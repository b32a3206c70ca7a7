//! The small language of signatures: what is signed (`parts`), and where the
//! signature stands (`compare_with`).

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::expression::{PlaceholderError, Template};

/// One piece of what is signed.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Text as it stands, with placeholders.
    Literal(Template),
    /// The raw body.
    Body,
    /// A header, lower-case.
    Header(String),
    /// A query parameter.
    Query(String),
    /// `PUBLIC_URL` with the raw path and query.
    Url,
    /// The verb.
    Method,
    /// The raw path.
    Path,
    /// The form's fields sorted by name, names and values in a row.
    FormSorted,
    /// What `timestamp.from` names.
    Timestamp,
    /// The event's id, as in `webhook-id`.
    Id,
    /// The bare word `header`, which names no header.
    BareHeader,
}

impl Part {
    fn parse(text: &str) -> Result<Self, PlaceholderError> {
        Ok(match text {
            "$body" | "body" => Self::Body,
            "$timestamp" | "timestamp" => Self::Timestamp,
            "header" | "$header" => Self::BareHeader,
            "$url" => Self::Url,
            "$method" => Self::Method,
            "$path" => Self::Path,
            "$form_sorted" => Self::FormSorted,
            "$id" => Self::Id,
            other => match (
                other.strip_prefix("$header."),
                other.strip_prefix("$query."),
            ) {
                (Some(name), _) => Self::Header(name.to_ascii_lowercase()),
                (_, Some(name)) => Self::Query(name.to_owned()),
                _ => Self::Literal(Template::parse(other)?),
            },
        })
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(input)?).map_err(Error::custom)
    }
}

impl JsonSchema for Part {
    fn schema_name() -> Cow<'static, str> {
        "Part".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "examples": ["$body", "$header.x-timestamp", "$timestamp", ":"]})
    }
}

/// Where a signature stands: an optional literal prefix, then `$header.x` or
/// `$query.x`.
#[derive(Debug, Clone, PartialEq)]
pub struct CompareWith {
    /// What stands in front of the digest.
    pub prefix: String,
    /// A header or a query parameter.
    pub place: Part,
}

impl<'de> Deserialize<'de> for CompareWith {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        let (prefix, place) = text.split_at(text.find('$').unwrap_or(0));
        match Part::parse(place) {
            Ok(place @ (Part::Header(_) | Part::Query(_))) => Ok(Self {
                prefix: prefix.to_owned(),
                place,
            }),
            _ => Err(D::Error::custom(format!(
                "`{text}` names no place; write `$header.x-signature`, with a literal prefix if there is one"
            ))),
        }
    }
}

impl JsonSchema for CompareWith {
    fn schema_name() -> Cow<'static, str> {
        "CompareWith".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": r"\$(header|query)\.", "examples": ["$header.x-signature", "v0=$header.x-signature"]})
    }
}

#[cfg(test)]
mod tests {
    use super::{CompareWith, Part};

    #[test]
    fn a_part_is_a_place_or_a_literal() {
        let parts: Vec<Part> =
            serde_json::from_str(r#"["$body","body","$header.X-Time","$query.q","header","v0:","$form_sorted","timestamp"]"#).unwrap();
        assert_eq!(parts[0], parts[1]);
        assert_eq!(parts[2], Part::Header("x-time".to_owned()));
        assert_eq!(parts[3], Part::Query("q".to_owned()));
        assert_eq!(parts[4], Part::BareHeader);
        assert!(matches!(&parts[5], Part::Literal(text) if text.source() == "v0:"));
        assert_eq!(parts[6], Part::FormSorted);
        assert_eq!(parts[7], Part::Timestamp);
    }

    #[test]
    fn a_signature_stands_in_a_header_or_a_query() {
        let read: CompareWith = serde_json::from_str("\"v0=$header.X-Sig\"").unwrap();
        assert_eq!(
            read,
            CompareWith {
                prefix: "v0=".to_owned(),
                place: Part::Header("x-sig".to_owned())
            }
        );
        for text in ["\"x-sig\"", "\"$body\"", "\"\"", "\"v0=$\""] {
            assert!(serde_json::from_str::<CompareWith>(text).is_err(), "{text}");
        }
    }
}
