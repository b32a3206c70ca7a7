//! Actions: sequences of steps that run in an account. Running them is
//! the work of `flows::actions`; `step` reads one step.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use crate::expression::UrlTemplate;

use super::Field;

mod config;
mod provenance;
mod step;
pub use config::{ContextChange, FormFields};
pub use provenance::{ContextWrite, Previous, Provenance};
pub use step::{GetContext, MethodCall, StepConfig, StepKind};

/// Names that mean something of their own.
pub const RESERVED: &[&str] = &[
    "post_install",
    "validation",
    "post_connect_user_form",
    "refresh_token",
];

/// A sequence of steps; each sees the result of the one before.
#[derive(Debug, Clone)]
pub struct Action {
    /// The steps, in order.
    pub steps: Vec<StepConfig>,
    /// Whether the file writes one bare step instead of `steps`.
    is_bare: bool,
}

impl Action {
    /// The inputs of its forms.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.steps.iter().flat_map(|step| match &step.kind {
            StepKind::Form(form) => form.fields.as_slice(),
            _ => &[],
        })
    }

    /// Its steps, each with its place below the action: `.steps[0]`, or
    /// nothing when the action is one bare step.
    pub fn placed(&self) -> impl Iterator<Item = (String, &StepConfig)> {
        let place = |index: usize| {
            if self.is_bare {
                String::new()
            } else {
                format!(".steps[{index}]")
            }
        };
        self.steps
            .iter()
            .enumerate()
            .map(move |(index, step)| (place(index), step))
    }

    /// The URLs of its requests, each with its place below the action.
    pub fn urls(&self) -> impl Iterator<Item = (String, &UrlTemplate)> {
        self.placed().filter_map(|(at, step)| match &step.kind {
            StepKind::Request(method) => {
                Some((format!("{at}.config.base_url"), method.base_url.as_ref()?))
            }
            _ => None,
        })
    }
}

/// Reads `{steps: […]}` or one bare step. The first key tells which: the
/// file has been normalised, so `type` comes first.
impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_map(ActionVisitor)
    }
}

struct ActionVisitor;

impl<'de> Visitor<'de> for ActionVisitor {
    type Value = Action;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("`steps`, or one step with `type` and `config`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Action, A::Error> {
        let (mut steps, mut bare) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            match (key.as_str(), &bare) {
                ("steps", None) => steps = Some(map.next_value::<Vec<StepConfig>>()?),
                (_, None) if steps.is_none() && step::KEYS.contains(&key.as_str()) => {
                    bare = Some(step::Parts::default());
                    if let Some(parts) = &mut bare {
                        parts.read(&key, &mut map)?;
                    }
                }
                (_, Some(_)) => {
                    if let Some(parts) = &mut bare {
                        parts.read(&key, &mut map)?;
                    }
                }
                _ => {
                    return Err(A::Error::unknown_field(
                        &key,
                        &["steps", "type", "config", "run_if"],
                    ));
                }
            }
        }
        match (steps, bare) {
            (Some(steps), None) => Ok(Action {
                steps,
                is_bare: false,
            }),
            (None, Some(parts)) => Ok(Action {
                steps: vec![parts.finish()?],
                is_bare: true,
            }),
            _ => Err(A::Error::missing_field("steps")),
        }
    }
}

impl JsonSchema for Action {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Action".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let step = generator.subschema_for::<StepConfig>();
        schemars::json_schema!({
            "description": "A sequence of steps, or one bare step.",
            "anyOf": [
                {
                    "type": "object",
                    "properties": {"steps": {"type": "array", "items": step.clone()}},
                    "required": ["steps"],
                    "additionalProperties": false
                },
                step
            ]
        })
    }
}
