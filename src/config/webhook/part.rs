//! The small language of signatures: what is signed (`parts`), and where the
//! signature is (`compare_with`).

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::expression::{PlaceholderError, Template};

/// One piece of what is signed.
#[derive(Debug, Clone, PartialEq)]
pub enum RequestPart {
    /// Literal text, with placeholders.
    Literal(Template),
    /// The raw body.
    Body,
    /// A field of the parsed body, by its path; `*` is each element of an array.
    BodyField(Vec<String>),
    /// A header, lower-case.
    Header(String),
    /// The raw query, without its `?`.
    RawQuery,
    /// A query parameter.
    Query(String),
    /// An entry of the signature's list.
    Entry(String),
    /// `PUBLIC_URL` with the raw path and query.
    Url,
    /// The same with the escapes of the delimiters `: / ? @ ! $ ' ( ) * , ;` decoded, once.
    UrlDecoded,
    /// The HTTP method.
    Method,
    /// The raw path.
    Path,
    /// The form's fields sorted by name, names and values in a row.
    FormSorted,
    /// HTTP method, path and sorted query, as `qsh` of some tokens hashes them.
    CanonicalRequest,
    /// What `timestamp.from` names.
    Timestamp,
    /// The event's id, as in `webhook-id`.
    Id,
    /// The shared secret; only of use for `hash`.
    Secret,
    /// The bare word `header`, which names no header.
    BareHeader,
    /// A list: left out as a whole when a place in it is missing.
    Optional(Vec<RequestPart>),
}

impl RequestPart {
    pub(super) fn parse(text: &str) -> Result<Self, PlaceholderError> {
        Ok(match text {
            "$body" | "body" => Self::Body,
            "$timestamp" | "timestamp" => Self::Timestamp,
            "header" | "$header" => Self::BareHeader,
            "$url" => Self::Url,
            "$url_decoded" => Self::UrlDecoded,
            "$method" => Self::Method,
            "$path" => Self::Path,
            "$query" => Self::RawQuery,
            "$form_sorted" => Self::FormSorted,
            "$canonical_request" => Self::CanonicalRequest,
            "$id" => Self::Id,
            "$secret" => Self::Secret,
            other => match Self::named(other) {
                Some(place) => place,
                None => Self::Literal(Template::parse(other)?),
            },
        })
    }

    fn named(text: &str) -> Option<Self> {
        let (root, name) = text.strip_prefix('$')?.split_once('.')?;
        Some(match root {
            "header" => Self::Header(name.to_ascii_lowercase()),
            "query" => Self::Query(name.to_owned()),
            "signature" => Self::Entry(name.to_owned()),
            "body" => Self::BodyField(name.split('.').map(str::to_owned).collect()),
            _ => return None,
        })
    }

    /// Whether the part is one text that the sender chose.
    pub fn is_place(&self) -> bool {
        matches!(
            self,
            Self::Header(_) | Self::Query(_) | Self::BodyField(_) | Self::Entry(_)
        )
    }

    /// Whether this or a part inside is `wanted`.
    pub fn holds(&self, wanted: &Self) -> bool {
        match self {
            Self::Optional(parts) => parts.iter().any(|part| part.holds(wanted)),
            part => part == wanted,
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<M> {
    One(String),
    Many(Vec<M>),
}

impl<'de> Deserialize<'de> for RequestPart {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        match OneOrMany::deserialize(input)? {
            OneOrMany::One(text) => Self::parse(&text).map_err(Error::custom),
            OneOrMany::Many(parts) => Ok(Self::Optional(parts)),
        }
    }
}

impl JsonSchema for RequestPart {
    fn schema_name() -> Cow<'static, str> {
        "Part".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let inside = generator.subschema_for::<Self>();
        json_schema!({
            "anyOf": [{"type": "string"}, {"type": "array", "items": inside}],
            "examples": ["$body", "$header.x-timestamp", "$timestamp", ":"]
        })
    }
}

/// Where a signature is.
#[derive(Debug, Clone, PartialEq)]
pub struct CompareWith(pub Vec<SignaturePlace>);

/// An optional literal prefix, then `$header.x`, `$query.x`, `$body.x`, or `$body` for a token that is the body.
#[derive(Debug, Clone, PartialEq)]
pub struct SignaturePlace {
    /// The text before the digest.
    pub prefix: String,
    /// A header, a query parameter, a field of the body, or the body.
    pub part: RequestPart,
}

impl SignaturePlace {
    fn parse(text: &str) -> Result<Self, String> {
        let (prefix, place) = text.split_at(text.find('$').unwrap_or(0));
        match RequestPart::parse(place) {
            Ok(
                part @ (RequestPart::Header(_)
                | RequestPart::Query(_)
                | RequestPart::BodyField(_)
                | RequestPart::Body),
            ) if place.starts_with('$') => {
                let prefix = prefix.to_owned();
                Ok(Self { prefix, part })
            }
            _ => Err(format!(
                "`{text}` names no place; write `$header.x-signature`, with a literal prefix if there is one"
            )),
        }
    }
}

impl<'de> Deserialize<'de> for CompareWith {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let texts = match OneOrMany::deserialize(input)? {
            OneOrMany::One(text) => vec![text],
            OneOrMany::Many(texts) => texts,
        };
        if texts.is_empty() {
            return Err(D::Error::custom("the list names no place"));
        }
        let places = texts
            .iter()
            .map(|text: &String| SignaturePlace::parse(text));
        let places = places.collect::<Result<_, _>>();
        places.map(Self).map_err(D::Error::custom)
    }
}

impl JsonSchema for CompareWith {
    fn schema_name() -> Cow<'static, str> {
        "CompareWith".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let one = json_schema!({"type": "string", "pattern": r"\$(header\.|query\.|body)"});
        json_schema!({
            "anyOf": [one, {"type": "array", "items": one, "minItems": 1}],
            "examples": ["$header.x-signature", "v0=$header.x-signature"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{CompareWith, RequestPart, SignaturePlace};

    #[test]
    fn a_part_is_a_place_or_a_literal() {
        let parts: Vec<RequestPart> =
            serde_json::from_str(r#"["$body","body","$header.X-Time","$query.q","header","v0:","$form_sorted","timestamp",["Subject\n","$body.a.*.b"],"$signature.t","$price.x"]"#).unwrap();
        assert_eq!(parts[0], parts[1]);
        assert_eq!(parts[2], RequestPart::Header("x-time".to_owned()));
        assert_eq!(parts[3], RequestPart::Query("q".to_owned()));
        assert_eq!(parts[4], RequestPart::BareHeader);
        assert!(matches!(&parts[5], RequestPart::Literal(text) if text.source() == "v0:"));
        assert_eq!(parts[6], RequestPart::FormSorted);
        assert_eq!(parts[7], RequestPart::Timestamp);
        let field = RequestPart::BodyField(["a", "*", "b"].map(str::to_owned).into());
        assert!(parts[8].holds(&field) && !parts[8].holds(&RequestPart::Body));
        assert_eq!(parts[9], RequestPart::Entry("t".to_owned()));
        assert!(matches!(&parts[10], RequestPart::Literal(_)));
    }

    #[test]
    fn a_signature_stands_in_one_of_the_places() {
        let read: CompareWith =
            serde_json::from_str(r#"["v0=$header.X-Sig","$query.sig","$body"]"#).unwrap();
        let first = SignaturePlace {
            prefix: "v0=".to_owned(),
            part: RequestPart::Header("x-sig".to_owned()),
        };
        assert_eq!(read.0[0], first);
        assert_eq!(read.0[1].part, RequestPart::Query("sig".to_owned()));
        assert_eq!(read.0[2].part, RequestPart::Body);
        for text in [
            "\"x-sig\"",
            "\"body\"",
            "\"\"",
            "\"v0=$\"",
            "[]",
            "[\"x\"]",
            "1",
        ] {
            assert!(serde_json::from_str::<CompareWith>(text).is_err(), "{text}");
        }
    }
}
