//! What a record that is gone is known by.

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
pub struct Deletions {
    /// Whether it is gone where a complete run over everything did not find it.
    pub full: bool,
    /// What else says so.
    pub mark: Option<DeletionMark>,
}

/// What says of a record that it is gone.
#[derive(Debug, Clone)]
pub enum DeletionMark {
    /// There is something other than null, false, 0 and an empty text at this path of it.
    Path(Path),
    /// JSONata over the record is true.
    Expression(Box<Expression>),
    /// A list has its id.
    List(Box<DeletedList>),
}

/// A list of records that are gone.
#[derive(Debug, Clone)]
pub struct DeletedList {
    /// The resource whose list has the ids.
    pub resource: String,
    /// The method that lists it.
    pub method: String,
    /// The query of the call, as of the sync.
    pub query: Entries,
    /// The body of the call, as of the sync.
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
    /// Whether a record that a complete run over everything did not find is gone, too.
    #[serde(default)]
    full: bool,
}

impl Deletions {
    /// `full`: what a complete run over everything did not find.
    pub const FULL: Self = Self {
        full: true,
        mark: None,
    };
    /// `none`: nothing is ever gone.
    pub const NOTHING: Self = Self {
        full: false,
        mark: None,
    };

    /// The list of what is gone.
    pub fn list(&self) -> Option<&DeletedList> {
        match &self.mark {
            Some(DeletionMark::List(list)) => Some(list),
            _ => None,
        }
    }
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
            "full" => Ok(Deletions::FULL),
            "none" => Ok(Deletions::NOTHING),
            _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Deletions, A::Error> {
        let own = Marked::deserialize(MapAccessDeserializer::new(map))?;
        let is_list = own.method.is_some()
            || own.record_id.is_some()
            || own.body.is_some()
            || !own.query.is_empty();
        let mark = match (own.path, own.expression, own.resource) {
            (Some(path), None, None) if !is_list && !path.is_root() => DeletionMark::Path(path),
            (None, Some(expression), None) if !is_list => {
                DeletionMark::Expression(Box::new(expression))
            }
            (None, None, Some(resource)) => DeletionMark::List(Box::new(DeletedList {
                resource,
                method: own.method.unwrap_or_else(list),
                query: own.query,
                body: own.body,
                record_id: own
                    .record_id
                    .ok_or_else(|| A::Error::missing_field("record_id"))?,
            })),
            _ => return Err(A::Error::custom(format!("this is none of {FORMS}"))),
        };
        Ok(Deletions {
            full: own.full,
            mark: Some(mark),
        })
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
        // `full` is read here, and not by the type of the list.
        let (id, query, body) = (
            generator.subschema_for::<RecordId>(),
            generator.subschema_for::<Entries>(),
            generator.subschema_for::<Option<TemplateTree>>(),
        );
        let (text, full) = (
            json_schema!({"type": "string"}),
            json_schema!({"type": "boolean", "description": "Whether a record that a complete run over everything did not find is gone, too."}),
        );
        json_schema!({"anyOf": [
            {"enum": ["full", "none"]},
            {"type": "object", "properties": {"path": path, "full": full}, "required": ["path"], "additionalProperties": false},
            {"type": "object", "properties": {"expression": expression, "full": full}, "required": ["expression"], "additionalProperties": false},
            {"type": "object", "properties": {"resource": text, "method": text, "query": query, "body": body, "record_id": id, "full": full},
             "required": ["resource", "record_id"], "additionalProperties": false}
        ]})
    }
}

#[cfg(test)]
mod tests {
    use super::Deletions;
    use serde_json::json;

    #[test]
    fn deletions_have_one_form() {
        for value in [
            json!("full"),
            json!("none"),
            json!({"path": "archived"}),
            json!({"expression": "status = \"gone\""}),
            json!({"resource": "gone", "record_id": "id"}),
            json!({"resource": "gone", "record_id": "id", "full": true}),
            json!({"path": "archived", "full": true}),
            json!({"expression": "status = \"gone\"", "full": true}),
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
            json!({"full": true}),
            json!({"path": "archived", "full": "yes"}),
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
