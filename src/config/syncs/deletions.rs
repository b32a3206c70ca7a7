//! What a record that is gone is known by, and how many may go at once.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use crate::config::Entries;
use crate::expression::{Expression, TemplateTree};
use crate::json::Path;

use super::{ListRequest, RecordId, list};

/// What a record that is gone is known by.
#[derive(Debug, Clone)]
pub enum Deletions {
    /// A complete run over everything did not find it: `full`.
    Full,
    /// Nothing: `none`.
    Nothing,
    /// There is something other than null, false, 0 and an empty text at this path of it.
    Path(Path),
    /// JSONata over the record is true.
    Expression(Box<Expression>),
    /// A list has its id.
    List(Box<DeletedList>),
}

/// A list of records that are gone.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeletedList {
    /// The resource whose list has the ids.
    pub resource: String,
    /// The method that lists it.
    #[serde(default = "list")]
    pub method: String,
    /// The query of the call, as of the sync.
    #[serde(default)]
    pub query: Entries,
    /// The body of the call, as of the sync.
    #[serde(default)]
    pub body: Option<TemplateTree>,
    /// Where an entry of the list has the id.
    pub record_id: RecordId,
}

/// The other objects that `deletions` may be.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Marked {
    /// Where a record says that it is gone.
    #[serde(default)]
    path: Option<Path>,
    /// JSONata over a record: true where it is gone.
    #[serde(default)]
    expression: Option<Expression>,
    #[serde(default)]
    resource: Option<String>,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    query: Entries,
    #[serde(default)]
    body: Option<TemplateTree>,
    #[serde(default)]
    record_id: Option<RecordId>,
}

impl DeletedList {
    /// The call.
    pub fn request(&self) -> ListRequest<'_> {
        ListRequest {
            resource: &self.resource,
            method: &self.method,
            query: &self.query,
            body: self.body.as_ref(),
        }
    }
}

impl<'de> Deserialize<'de> for Deletions {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(DeletionsVisitor)
    }
}

const FORMS: &str = "`full`, `none`, `{path}`, `{expression}` or `{resource, method, record_id}`";

struct DeletionsVisitor;

impl<'de> Visitor<'de> for DeletionsVisitor {
    type Value = Deletions;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str(FORMS)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Deletions, E> {
        match text {
            "full" => Ok(Deletions::Full),
            "none" => Ok(Deletions::Nothing),
            _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Deletions, A::Error> {
        let own = Marked::deserialize(MapAccessDeserializer::new(map))?;
        let is_list = own.method.is_some()
            || own.record_id.is_some()
            || own.body.is_some()
            || !own.query.is_empty();
        match (own.path, own.expression, own.resource) {
            (Some(path), None, None) if !is_list && !path.is_root() => Ok(Deletions::Path(path)),
            (None, Some(expression), None) if !is_list => {
                Ok(Deletions::Expression(Box::new(expression)))
            }
            (None, None, Some(resource)) => Ok(Deletions::List(Box::new(DeletedList {
                resource,
                method: own.method.unwrap_or_else(list),
                query: own.query,
                body: own.body,
                record_id: own
                    .record_id
                    .ok_or_else(|| A::Error::missing_field("record_id"))?,
            }))),
            _ => Err(A::Error::custom(format!("this is none of {FORMS}"))),
        }
    }
}

impl JsonSchema for Deletions {
    fn schema_name() -> Cow<'static, str> {
        "Deletions".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (path, expression) = (
            generator.subschema_for::<Path>(),
            generator.subschema_for::<Expression>(),
        );
        let list = generator.subschema_for::<DeletedList>();
        json_schema!({"anyOf": [
            {"enum": ["full", "none"]},
            {"type": "object", "properties": {"path": path}, "required": ["path"], "additionalProperties": false},
            {"type": "object", "properties": {"expression": expression}, "required": ["expression"], "additionalProperties": false},
            list
        ]})
    }
}

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
    use super::{Deletions, MaxDeletions};
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

    #[test]
    fn deletions_have_one_form() {
        for value in [
            json!("full"),
            json!("none"),
            json!({"path": "archived"}),
            json!({"expression": "status = \"gone\""}),
            json!({"resource": "gone", "record_id": "id"}),
            json!({"resource": "gone", "method": "deleted", "record_id": ["a", "b"], "query": {"since": "{{sync.since}}"}}),
        ] {
            assert!(
                serde_json::from_value::<Deletions>(value.clone()).is_ok(),
                "{value}"
            );
        }
        for value in [
            json!("some"),
            json!({}),
            json!({"path": ""}),
            json!({"path": "a", "expression": "b"}),
            json!({"path": "a", "record_id": "id"}),
            json!({"expression": "a", "query": {"b": "c"}}),
            json!({"resource": "gone"}),
            json!({"resource": "gone", "record_id": "id", "path": "a"}),
            json!({"resource": "gone", "record_id": "id", "other": 1}),
            json!(true),
        ] {
            assert!(
                serde_json::from_value::<Deletions>(value.clone()).is_err(),
                "{value}"
            );
        }
    }
}
