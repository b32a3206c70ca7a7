//! The JSON Schema of the integration file, made from the types for editors.
//! It is stored as `integration.schema.json`; a test compares the two.

use schemars::Schema;
use serde_json::{Map, Value, json};

use super::Integration;
use super::credentials::LATER_FORMATS;

/// The schema of a whole file (JSON Schema 2020-12).
pub fn integration_schema() -> Value {
    let mut schema = schemars::schema_for!(Integration).to_value();
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("$schema".to_owned(), json!({"type": "string"}));
    }
    allow_x_keys(&mut schema);
    schema
}

/// Keys starting `x-` are ignored wherever keys are checked.
fn allow_x_keys(schema: &mut Value) {
    match schema {
        Value::Object(keys) => {
            if keys.get("additionalProperties") == Some(&json!(false)) {
                keys.insert("patternProperties".to_owned(), json!({"^x-": true}));
            }
            keys.values_mut().for_each(allow_x_keys);
        }
        Value::Array(items) => items.iter_mut().for_each(allow_x_keys),
        _ => {}
    }
}

/// Keys with their second spellings.
pub(super) type Aliases = &'static [(&'static str, &'static [&'static str])];

/// Second spellings of keys, which serde reads by `alias` and schemars does
/// not see.
pub(super) fn aliases(
    pairs: &'static [(&'static str, &'static [&'static str])],
) -> impl FnMut(&mut Schema) {
    move |schema| {
        for (name, others) in pairs {
            add_aliases(schema, name, others);
        }
    }
}

fn add_aliases(schema: &mut Schema, name: &str, others: &[&str]) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    let Some(property) = properties.get(name).cloned() else {
        return;
    };
    for other in others {
        properties.insert((*other).to_owned(), property.clone());
    }
    let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) else {
        return;
    };
    let before = required.len();
    required.retain(|key| key != name);
    if required.len() < before {
        let either: Vec<Value> = std::iter::once(&name)
            .chain(others)
            .map(|key| json!({"required": [key]}))
            .collect();
        schema.insert("anyOf".to_owned(), Value::Array(either));
    }
}

/// A format's `config` may be left out.
pub(super) fn optional_config(schema: &mut Schema) {
    let formats = schema.get_mut("oneOf").and_then(Value::as_array_mut);
    for format in formats
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        if let Some(required) = format.get_mut("required").and_then(Value::as_array_mut) {
            required.retain(|key| key != "config");
        }
    }
}

/// `credentials` is one credential or a map; later formats load too.
pub(super) fn config(schema: &mut Schema) {
    let Some(credentials) = schema
        .get_mut("properties")
        .and_then(|all| all.get_mut("credentials"))
    else {
        return;
    };
    let Some(keys) = credentials.as_object_mut() else {
        return;
    };
    let Some(credential) = keys.shift_remove("additionalProperties") else {
        return;
    };
    keys.shift_remove("type");
    let later = json!({"type": "object", "properties": {"format": {"enum": LATER_FORMATS}}, "required": ["format"]});
    let by_key = json!({"type": "object", "not": {"required": ["format"]}});
    let either = json!({"anyOf": [credential, later]});
    let of_map = json!({"anyOf": [credential, later, by_key]});
    let map = Map::from_iter([
        ("type".to_owned(), json!("object")),
        ("additionalProperties".to_owned(), of_map),
    ]);
    let is_map = json!({"not": {"required": ["format"]}});
    keys.insert(
        "anyOf".to_owned(),
        json!([either, {"allOf": [is_map, map]}]),
    );
}

/// Further values of an enum of texts.
pub(super) fn also(values: &'static [&'static str]) -> impl FnMut(&mut Schema) {
    move |schema| also_value(schema, json!({"enum": values}))
}

fn also_value(schema: &mut Schema, value: Value) {
    if let Some(values) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
        values.push(value);
    }
}

/// The names of signature formats in other spellings.
pub(super) fn signature_format(schema: &mut Schema) {
    also_value(
        schema,
        json!({"enum": ["svix", "clerk", "standard-webhooks", "HMAC", "RSA", "ECDSA", "Ed25519", "JWT", "Basic", "Bearer"]}),
    );
    also_value(
        schema,
        json!({"type": "string", "pattern": "^[Hh][Mm][Aa][Cc][-_][Ss][Hh][Aa][-_]?(1|256|384|512)$"}),
    );
}
