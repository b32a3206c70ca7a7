//! The schemes of `signature_verification`: one, or a closed list of which one has to fit.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{RequestPart, SignatureFormat, SignatureVerification};
use crate::expression::Template;

/// More than any provider has; a request may cost the work of each.
pub const MOST_SCHEMES: usize = 8;

/// At least one scheme. Of several, none is `none`: what proves nothing would let everything in.
#[derive(Debug, Clone)]
pub struct Schemes {
    all: Vec<SignatureVerification>,
    is_list: bool,
}

impl Schemes {
    /// All of them, in the order of the file.
    pub fn all(&self) -> &[SignatureVerification] {
        &self.all
    }

    /// All schemes, each with its path below `at`.
    pub fn placed(&self, at: &str) -> impl Iterator<Item = (String, &SignatureVerification)> {
        self.all.iter().enumerate().map(move |(index, scheme)| {
            let place = if self.is_list {
                format!("{at}[{index}]")
            } else {
                at.to_owned()
            };
            (place, scheme)
        })
    }

    /// Whether what they accept is proved.
    pub fn prove_sender(&self) -> bool {
        let mut all = self.all.iter();
        all.all(|scheme| scheme.format != SignatureFormat::None)
    }

    /// The one that says how an install's webhook finds its accounts; several say the same.
    pub fn with_lookup(&self) -> Option<&SignatureVerification> {
        let mut all = self.all.iter();
        all.find(|scheme| scheme.config.context_lookup_field_name.is_some())
    }
}

/// A scheme of a list.
struct ListedScheme(SignatureVerification);

impl<'de> Deserialize<'de> for ListedScheme {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let scheme = SignatureVerification::deserialize(input)?;
        if scheme.format == SignatureFormat::None {
            let text = "`none` proves nothing: it cannot be one scheme of a list";
            return Err(D::Error::custom(text));
        }
        let config = &scheme.config;
        for (key, template) in [
            ("secret", &config.secret),
            ("previous_secret", &config.previous_secret),
            ("token", &config.token),
            ("password", &config.password),
        ] {
            if template.as_ref().is_some_and(holds_literal) {
                // Secrets are stored apart from the file, by key; the entries of a list have no key.
                return Err(D::Error::custom(format!(
                    "a scheme of a list takes its `{key}` by a placeholder, such as {{{{environment_variables.{key}}}}}"
                )));
            }
        }
        Ok(Self(scheme))
    }
}

/// Whether the template has literal text of the file: as a whole, next to a placeholder, or as a placeholder's default.
fn holds_literal(template: &Template) -> bool {
    let mut placeholders = template.placeholders();
    template.literal().is_some()
        || template.literals().any(|text| !text.trim().is_empty())
        || placeholders.any(|one| one.default_text().is_some_and(|text| !text.is_empty()))
}

struct OneOrList;

impl<'de> Visitor<'de> for OneOrList {
    type Value = Schemes;

    fn expecting(&self, words: &mut fmt::Formatter) -> fmt::Result {
        words.write_str("a scheme, or a list of schemes")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Schemes, A::Error> {
        let only = SignatureVerification::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Schemes {
            all: vec![only],
            is_list: false,
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Schemes, A::Error> {
        let mut all = Vec::new();
        while let Some(ListedScheme(scheme)) = list.next_element()? {
            if all.len() == MOST_SCHEMES {
                let text = format!("the list has more than {MOST_SCHEMES} schemes");
                return Err(A::Error::custom(text));
            }
            all.push(scheme);
        }
        if all.is_empty() {
            return Err(A::Error::custom("the list has no scheme"));
        }
        Ok(Schemes { all, is_list: true })
    }
}

impl<'de> Deserialize<'de> for Schemes {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(OneOrList)
    }
}

impl JsonSchema for Schemes {
    fn schema_name() -> Cow<'static, str> {
        "Schemes".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<SignatureVerification>();
        json_schema!({
            "description": "One scheme, or a list of which one has to fit.",
            "anyOf": [one, {"type": "array", "items": one, "minItems": 1, "maxItems": MOST_SCHEMES}]
        })
    }
}

/// What a request must say for a scheme to be tried: texts by place. It narrows what is taken, and chooses nothing
/// that the file does not list.
#[derive(Debug, Clone, Default)]
pub struct When(pub Vec<(RequestPart, String)>);

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let entries = std::collections::BTreeMap::<String, String>::deserialize(input)?;
        let read = |(place, text): (String, String)| match RequestPart::parse(&place) {
            Ok(
                part @ (RequestPart::Header(_) | RequestPart::Query(_) | RequestPart::BodyField(_)),
            ) => Ok((part, text)),
            _ => Err(D::Error::custom(format!(
                "`{place}` names no place; write `$header.<name>`, `$query.<name>` or `$body.<path>`"
            ))),
        };
        entries
            .into_iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl JsonSchema for When {
    fn schema_name() -> Cow<'static, str> {
        "When".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "propertyNames": {"pattern": r"^\$(header|query|body)\."},
            "additionalProperties": {"type": "string"},
            "examples": [{"$header.x-signature-version": "v1"}]
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{MOST_SCHEMES, Schemes};

    fn read(value: Value) -> Result<Schemes, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_list_is_of_proofs_and_has_an_end() {
        let one = json!({"format": "hmac", "config": {"secret": "{{a}}"}});
        assert_eq!(read(one.clone()).unwrap().all().len(), 1);
        let list = |count| Value::Array(vec![one.clone(); count]);
        assert_eq!(read(list(MOST_SCHEMES)).unwrap().all().len(), MOST_SCHEMES);
        assert!(
            read(list(MOST_SCHEMES + 1))
                .unwrap_err()
                .contains("more than 8")
        );
        assert!(read(json!([])).unwrap_err().contains("no scheme"));
        assert!(
            read(json!([one, {"format": "none"}]))
                .unwrap_err()
                .contains("`none`")
        );
        assert!(!read(json!({"format": "none"})).unwrap().prove_sender());
        assert!(read(list(2)).unwrap().prove_sender());
        for key in ["secret", "previous_secret", "token", "password"] {
            for text in [
                "literal",
                "{{a?:literal}}",
                "literal{{a}}",
                "{{a}}literal",
                "{{a}}-{{b}}",
            ] {
                let literal = json!([{"format": "hmac", "config": {key: text}}]);
                assert!(read(literal).unwrap_err().contains(key), "{text}");
            }
            for text in [
                "{{a}}",
                " {{a}} ",
                "{{a|environment_variables.b}}",
                "{{a}}{{b}}",
                "{{a?:}}",
            ] {
                let list = json!([{"format": "hmac", "config": {key: text}}]);
                assert!(read(list).is_ok(), "{text}");
            }
        }
        for wrong in [
            json!("hmac"),
            json!(null),
            json!([null]),
            json!([[one]]),
            json!(1),
        ] {
            assert!(read(wrong).is_err());
        }
    }

    #[test]
    fn when_names_places_of_the_request() {
        let with = |when: Value| read(json!({"format": "hmac", "when": when}));
        assert!(with(json!({"$header.x": "v1", "$body.a.b": "2", "$query.q": ""})).is_ok());
        for wrong in [
            json!({"x": "1"}),
            json!({"$body": "1"}),
            json!({"$signature.t": "1"}),
            json!({"$header.x": 1}),
        ] {
            assert!(with(wrong).is_err());
        }
    }
}
