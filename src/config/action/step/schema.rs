//! The JSON Schema of a step.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::{GetContext, MethodCall, StepConfig};
use crate::config::{Field, Method};
use crate::expression::Expression;

impl JsonSchema for StepConfig {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Step".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let expression = generator.subschema_for::<Expression>();
        let optional = json!({"type": "boolean", "description": "Where the provider fails, the step gives null, and the action goes on."});
        let ok_when =
            "The answer counts only when this is true of its result; otherwise the step fails.";
        let may_fail = json!({"ok_when": described(&expression, ok_when), "optional": optional});
        let mut kinds: Vec<Value> = configs(generator, &expression)
            .into_iter()
            .map(|(name, config, description)| {
                let required = if name == "get_context" {
                    json!(["type"])
                } else {
                    json!(["type", "config"])
                };
                let mut properties =
                    json!({"type": {"const": name}, "config": config, "run_if": expression});
                if name == "request" {
                    crate::json::merge(&mut properties, &may_fail);
                }
                json!({
                    "type": "object",
                    "description": description,
                    "properties": properties,
                    "required": required,
                    "additionalProperties": false
                })
            })
            .collect();
        kinds.push(json!({
            "type": "object",
            "description": "Sends these requests in order until the provider answers one.",
            "properties": {
                "any_of": {"type": "array", "items": {"$ref": "#/$defs/Step"}, "minItems": 1},
                "run_if": expression,
                "optional": optional
            },
            "required": ["any_of"],
            "additionalProperties": false
        }));
        json_schema!({"oneOf": kinds})
    }
}

/// The values of `type`, each with its `config` and with what the step does.
fn configs(
    generator: &mut SchemaGenerator,
    expression: &Schema,
) -> [(&'static str, Value, &'static str); 6] {
    let computed = json!({"anyOf": [expression, {
        "type": "object", "properties": {"expression": expression}, "required": ["expression"], "additionalProperties": false
    }]});
    let fields = generator.subschema_for::<Vec<Field>>();
    let form = json!({"anyOf": [fields, {
        "type": "object", "properties": {"fields": fields}, "required": ["fields"], "additionalProperties": false
    }]});
    let change = json!({"type": ["string", "object"], "description": "JSONata that gives an object, or an object with placeholders."});
    let get = generator.subschema_for::<GetContext>();
    let request = json!({"anyOf": [generator.subschema_for::<Method>(), generator.subschema_for::<MethodCall>()]});
    [
        (
            "request",
            request,
            "Sends a request: a method defined here, or `{resource, method}`.",
        ),
        (
            "transform",
            computed,
            "JSONata that computes the next value.",
        ),
        (
            "get_context",
            json!({"anyOf": [get, {"type": "null"}]}),
            "Gives the account's context.",
        ),
        (
            "set_context",
            change.clone(),
            "Replaces what it names in the account's context.",
        ),
        (
            "update_context",
            change,
            "Merges into the account's context.",
        ),
        ("form", form, "Asks the customer."),
    ]
}

fn described(schema: &Schema, description: &str) -> Value {
    let mut schema = schema.clone();
    schema.insert("description".to_owned(), json!(description));
    schema.to_value()
}
