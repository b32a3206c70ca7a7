//! One step of an action: what it does is said by `type`, with what by
//! `config`. Read key by key, so that an error keeps its path.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use crate::config::{Entries, Method};
use crate::expression::{Expression, Template, TemplateTree};
use crate::json::Path;

use super::config::{Computed, ContextChange, FormFields};

mod schema;

/// One step.
#[derive(Debug, Clone)]
pub struct StepConfig {
    /// What the step does.
    pub kind: StepKind,
    /// The step runs only when this is true.
    pub run_if: Option<Expression>,
    /// The answer to the request counts only when this is true.
    pub ok_when: Option<Expression>,
    /// What a failure of the provider leads to.
    pub on_failure: OnFailure,
}

/// What a failure of the provider leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnFailure {
    /// The action fails.
    #[default]
    Fail,
    /// The step gives null: `optional` is true.
    Null,
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
    /// Sends requests until the provider answers one.
    AnyOf(Vec<StepConfig>),
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
pub(super) const KEYS: &[&str] = &["type", "config", "run_if", "ok_when", "optional", "any_of"];

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
    ok_when: Option<Expression>,
    on_failure: OnFailure,
    any_of: Option<Vec<StepConfig>>,
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
            ("ok_when", _) => self.ok_when = map.next_value()?,
            ("optional", _) => {
                self.on_failure = if map.next_value()? {
                    OnFailure::Null
                } else {
                    OnFailure::Fail
                };
            }
            ("any_of", _) => self.any_of = Some(map.next_value()?),
            ("config", None) => return Err(A::Error::missing_field("type")),
            _ => return Err(A::Error::unknown_field(key, KEYS)),
        }
        Ok(())
    }

    pub(super) fn finish<E: Error>(self) -> Result<StepConfig, E> {
        let kind = match (self.kind, self.name.as_deref(), self.any_of) {
            (None, None, Some(steps)) => StepKind::AnyOf(steps),
            (_, Some(_), Some(_)) => return Err(E::custom("`any_of` takes the place of `type`")),
            (Some(kind), ..) => kind,
            (None, Some("get_context"), _) => StepKind::GetContext(GetContext::default()),
            (None, Some(_), _) => return Err(E::missing_field("config")),
            (None, None, _) => return Err(E::missing_field("type")),
        };
        Ok(StepConfig {
            kind,
            run_if: self.run_if,
            ok_when: self.ok_when,
            on_failure: self.on_failure,
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
        out.write_str("a step with `type` and `config`, or with `any_of`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<StepConfig, A::Error> {
        let mut parts = Parts::default();
        while let Some(key) = map.next_key::<String>()? {
            parts.read(&key, &mut map)?;
        }
        parts.finish()
    }
}
