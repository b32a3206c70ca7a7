//! One step of an action: what it does is said by `type`, with what by
//! `config`. Read key by key, so that an error keeps its path.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::{Value, json};

use crate::config::{Entries, Field, Method};
use crate::expression::{Expression, Template, TemplateTree};
use crate::json::Path;

use super::config::{Computed, ContextChange, FormFields};

/// One step.
#[derive(Debug, Clone)]
pub struct StepConfig {
    /// What the step does.
    pub kind: StepKind,
    /// The step runs only when this is true.
    pub run_if: Option<Expression>,
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum StepKind {
    /// Sends a request that is defined here.
    Request(Box<Method>),
    /// Calls a method of a resource.
    Call(Box<MethodCall>),
    /// Computes the next value.
    Transform(Expression),
    /// Gives the account's context.
    GetContext(GetContext),
    /// Replaces what is named in the account's context.
    SetContext(ContextChange),
    /// Merges into the account's context.
    UpdateContext(ContextChange),
    /// Asks the customer.
    Form(FormFields),
}

/// A call of a resource's method.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MethodCall {
    /// The resource.
    pub resource: String,
    /// The name of its method.
    pub method: String,
    /// The `id` of the call.
    #[serde(default)]
    pub id: Option<Template>,
    /// The caller's query of the call.
    #[serde(default)]
    pub query: Entries,
    /// The caller's body of the call.
    #[serde(default)]
    pub body: Option<TemplateTree>,
}

/// What is taken from the context; all of it when `path` is absent.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GetContext {
    /// Where in the context.
    pub path: Option<Path>,
}

/// The keys of a step.
pub(super) const KEYS: &[&str] = &["type", "config", "run_if"];

/// The values of `type`. `request_method` is what the file's normaliser makes
/// of a `request` that names a resource; a file does not need to write it.
const TYPES: &[&str] = &[
    "request",
    "transform",
    "get_context",
    "set_context",
    "update_context",
    "form",
];

/// A known value of `type`.
struct TypeName(String);

impl<'de> Deserialize<'de> for TypeName {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let name = String::deserialize(input)?;
        if name == "request_method" || TYPES.contains(&name.as_str()) {
            return Ok(Self(name));
        }
        Err(D::Error::unknown_variant(&name, TYPES))
    }
}

/// A step while its keys are read.
#[derive(Default)]
pub(super) struct Parts {
    name: Option<String>,
    kind: Option<StepKind>,
    run_if: Option<Expression>,
}

impl Parts {
    /// Reads the value of one key. `type` comes before `config`.
    pub(super) fn read<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        match (key, &self.name) {
            ("type", _) => {
                self.name = Some(map.next_value::<TypeName>()?.0);
            }
            ("config", Some(name)) => self.kind = Some(kind_from_map(name, map)?),
            ("run_if", _) => self.run_if = map.next_value()?,
            ("config", None) => return Err(A::Error::missing_field("type")),
            _ => return Err(A::Error::unknown_field(key, KEYS)),
        }
        Ok(())
    }

    pub(super) fn finish<E: Error>(self) -> Result<StepConfig, E> {
        let kind = match (self.kind, self.name.as_deref()) {
            (Some(kind), _) => kind,
            (None, Some("get_context")) => StepKind::GetContext(GetContext::default()),
            (None, Some(_)) => return Err(E::missing_field("config")),
            (None, None) => return Err(E::missing_field("type")),
        };
        Ok(StepConfig {
            kind,
            run_if: self.run_if,
        })
    }
}

fn kind_from_map<'de, A: MapAccess<'de>>(name: &str, map: &mut A) -> Result<StepKind, A::Error> {
    Ok(match name {
        "request" => StepKind::Request(map.next_value()?),
        "request_method" => StepKind::Call(map.next_value()?),
        "transform" => StepKind::Transform(map.next_value::<Computed>()?.0),
        "get_context" => {
            StepKind::GetContext(map.next_value::<Option<GetContext>>()?.unwrap_or_default())
        }
        "set_context" => StepKind::SetContext(map.next_value()?),
        "update_context" => StepKind::UpdateContext(map.next_value()?),
        _ => StepKind::Form(map.next_value()?),
    })
}

impl<'de> Deserialize<'de> for StepConfig {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_map(StepVisitor)
    }
}

struct StepVisitor;

impl<'de> Visitor<'de> for StepVisitor {
    type Value = StepConfig;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("a step with `type` and `config`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<StepConfig, A::Error> {
        let mut parts = Parts::default();
        while let Some(key) = map.next_key::<String>()? {
            parts.read(&key, &mut map)?;
        }
        parts.finish()
    }
}

impl JsonSchema for StepConfig {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Step".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let expression = generator.subschema_for::<Expression>();
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
        let configs = [
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
        ];
        let kinds: Vec<Value> = configs
            .into_iter()
            .map(|(name, config, description)| {
                let required = if name == "get_context" {
                    json!(["type"])
                } else {
                    json!(["type", "config"])
                };
                json!({
                    "type": "object",
                    "description": description,
                    "properties": {"type": {"const": name}, "config": config, "run_if": expression},
                    "required": required,
                    "additionalProperties": false
                })
            })
            .collect();
        json_schema!({"oneOf": kinds})
    }
}
