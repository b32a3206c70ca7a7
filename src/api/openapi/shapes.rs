//! The schemas of bodies and answers: derived from the types by `schemars`.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::generators::for_generators;

/// Where the document keeps them.
const PLACE: &str = "/components/schemas";

/// The schemas of the document.
pub(in crate::api) struct Shapes {
    /// As they are read: what has a default may be absent.
    asked: SchemaGenerator,
    /// As they are written: null where a value is absent.
    answered: SchemaGenerator,
    named: Map<String, Value>,
}

impl Shapes {
    pub(super) fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = PLACE.into();
            settings.meta_schema = None;
        });
        Self {
            asked: settings.clone().for_deserialize().into_generator(),
            answered: settings.for_serialize().into_generator(),
            named: Map::new(),
        }
    }

    /// A body that is read as this type.
    pub(in crate::api) fn asked<T: JsonSchema>(&mut self) -> Value {
        as_object(self.asked.subschema_for::<T>().to_value())
    }

    /// What is written of this type.
    pub(in crate::api) fn answered<T: JsonSchema>(&mut self) -> Value {
        as_object(self.answered.subschema_for::<T>().to_value())
    }

    /// The description of an answer: that of its type.
    pub(super) fn about(&self, schema: &Value) -> String {
        let name = schema.get("$ref").and_then(Value::as_str);
        let name = name.and_then(|place| place.rsplit('/').next());
        let definition = name.and_then(|name| self.answered.definitions().get(name));
        let about = definition.unwrap_or(schema).get("description");
        about.and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// Keeps a schema under a name; the reference to it.
    pub(super) fn name(&mut self, name: &str, schema: Value) -> Value {
        self.named.insert(name.to_owned(), schema);
        json!({ "$ref": format!("#{PLACE}/{name}") })
    }

    /// All that was named, in the order of the names.
    pub(super) fn into_named(mut self) -> Map<String, Value> {
        let mut named = self.named;
        named.extend(self.asked.take_definitions(true));
        named.extend(self.answered.take_definitions(true));
        named.values_mut().for_each(for_generators);
        named.sort_keys();
        named
    }
}

/// An object with these properties, all of them required.
pub(super) fn object(properties: &Value) -> Value {
    let required: Vec<&String> = properties
        .as_object()
        .map(|map| map.keys().collect())
        .unwrap_or_default();
    json!({ "type": "object", "properties": properties, "required": required })
}

/// A schema that takes everything, as tools for `OpenAPI` know it.
pub(super) fn as_object(schema: Value) -> Value {
    match schema {
        Value::Bool(true) => json!({}),
        other => other,
    }
}

/// The names in the braces of a path.
pub(super) fn parameters_of(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

pub(super) fn text() -> Value {
    json!({ "type": "string" })
}

/// What is not JSON.
pub(super) fn bytes() -> Value {
    json!({ "type": "string", "format": "binary" })
}

pub(super) fn uuid() -> Value {
    json!({ "type": "string", "format": "uuid" })
}

pub(super) fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}
