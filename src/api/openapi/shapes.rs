//! The schemas of bodies and answers: made from the types by `schemars`, or small ones by hand.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// Where the document keeps them.
const PLACE: &str = "/components/schemas";

/// The schemas of the document.
pub(super) struct Shapes {
    /// As they are read: what has a default may be absent.
    asked: SchemaGenerator,
    /// As they are written: null stands for what is absent.
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
    pub(super) fn asked<T: JsonSchema>(&mut self) -> Value {
        self.asked.subschema_for::<T>().to_value()
    }

    /// What is written of this type.
    pub(super) fn answered<T: JsonSchema>(&mut self) -> Value {
        self.answered.subschema_for::<T>().to_value()
    }

    /// An answer that shows these keys of a type.
    pub(super) fn picked<T: JsonSchema>(&mut self, keys: &[&str]) -> Value {
        let whole = T::json_schema(&mut self.answered).to_value();
        let property = |key: &&str| {
            let property = whole.get("properties")?.get(*key)?;
            Some(((*key).to_owned(), property.clone()))
        };
        let properties: Map<String, Value> = keys.iter().filter_map(property).collect();
        object(&Value::Object(properties))
    }

    /// All that is written of a type, to go on from.
    pub(super) fn whole<T: JsonSchema>(&mut self) -> Value {
        T::json_schema(&mut self.answered).to_value()
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
        named.sort_keys();
        named
    }
}

/// An object with these properties and no need of others.
pub(super) fn object(properties: &Value) -> Value {
    let required: Vec<&String> = properties
        .as_object()
        .map(|map| map.keys().collect())
        .unwrap_or_default();
    json!({ "type": "object", "properties": properties, "required": required })
}

/// An object's schema with these properties, too.
pub(super) fn with(schema: &Value, more: &Value) -> Value {
    let mut properties = schema.get("properties").cloned().unwrap_or_default();
    crate::json::merge(&mut properties, more);
    object(&properties)
}

/// The names in the braces of a path.
pub(super) fn words_of(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

pub(super) fn text() -> Value {
    json!({ "type": "string" })
}

pub(super) fn uuid() -> Value {
    json!({ "type": "string", "format": "uuid" })
}

pub(super) fn webhook_url() -> Value {
    json!({ "type": ["string", "null"], "description": "Where its provider sends webhooks to; null while no key can sign it." })
}

pub(super) fn time() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

pub(super) fn time_or_null() -> Value {
    json!({ "type": ["string", "null"], "format": "date-time" })
}

pub(super) fn flag() -> Value {
    json!({ "type": "boolean" })
}

pub(super) fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

pub(super) fn list_of(items: &Value) -> Value {
    json!({ "type": "array", "items": items })
}
