//! Actions: sequences of steps that run in an account. Running them is
//! the work of `flows::actions`; `step` reads one step.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use crate::expression::UrlTemplate;

use super::Field;

mod config;
mod may_fail;
mod provenance;
mod step;
pub use config::{ContextChange, FormFields};
pub use provenance::{ContextWrite, Previous, Provenance};
pub use step::{GetContext, MethodCall, OnFailure, StepConfig, StepKind};

/// Names that mean something of their own.
pub const RESERVED: &[&str] = &[
    "post_install",
    "validation",
    "post_connect_user_form",
    REFRESH,
    EXCHANGE,
    PRE_DELETE,
];

/// The action that runs before an account is deleted.
pub const PRE_DELETE: &str = "pre_delete";

/// The action that gets a token for the code of a callback.
pub const EXCHANGE: &str = "exchange_code";

/// The action that gets an account its tokens.
pub const REFRESH: &str = "refresh_token";

/// A sequence of steps; each sees the result of the one before.
#[derive(Debug, Clone)]
pub struct Action {
    /// The steps, in order.
    pub steps: Vec<StepConfig>,
    /// The key of its list; `None` when the file writes one bare step.
    list: Option<&'static str>,
}

/// An action where the file has it.
#[derive(Debug, Clone, Copy)]
pub struct PlacedAction<'c> {
    /// Its name. The steps of a credential count as `refresh_token`, as what they get is the account's token.
    pub name: &'c str,
    /// Its steps.
    pub action: &'c Action,
    place: ActionPlace<'c>,
}

/// The place of an action in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionPlace<'c> {
    /// In `actions`, under this name.
    Actions(&'c str),
    /// In the credential of this format.
    Credential(&'c str),
}

impl fmt::Display for ActionPlace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Actions(name) => write!(f, "config.actions.{name}"),
            Self::Credential(format) => write!(f, "config.credentials.{format}.config"),
        }
    }
}

impl<'c> PlacedAction<'c> {
    /// An action of the file.
    pub fn of_file(name: &'c str, action: &'c Action) -> Self {
        let place = ActionPlace::Actions(name);
        Self {
            name,
            action,
            place,
        }
    }

    /// Steps of a credential.
    pub fn of_credential(format: &'c str, action: &'c Action) -> Self {
        let place = ActionPlace::Credential(format);
        Self {
            name: REFRESH,
            action,
            place,
        }
    }

    /// Where it is.
    pub fn place(&self) -> ActionPlace<'c> {
        self.place
    }
}

impl Action {
    /// The steps under this key.
    pub(super) fn listed(key: &'static str, steps: Vec<StepConfig>) -> Self {
        let list = Some(key);
        Self { steps, list }
    }

    /// The inputs of its forms.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.steps.iter().flat_map(|step| match &step.kind {
            StepKind::Form(form) => form.fields.as_slice(),
            _ => &[],
        })
    }

    /// Its steps, each with its place below the action: `.steps[0]`, or
    /// nothing when the action is one bare step.
    pub fn in_order(&self) -> impl Iterator<Item = (String, &StepConfig)> {
        let place = |index: usize| match self.list {
            None => String::new(),
            Some(key) => format!(".{key}[{index}]"),
        };
        self.steps
            .iter()
            .enumerate()
            .map(move |(index, step)| (place(index), step))
    }

    /// The same, each followed by its alternatives: `.steps[0].any_of[0]`.
    pub fn placed(&self) -> impl Iterator<Item = (String, &StepConfig)> {
        self.in_order().flat_map(|(place, step)| {
            let alternatives = step.alternatives().iter().enumerate();
            let alternatives: Vec<_> = alternatives
                .map(|(index, step)| (format!("{place}.any_of[{index}]"), step))
                .collect();
            std::iter::once((place, step)).chain(alternatives)
        })
    }

    /// Whether a step of it, or one of its alternatives, sends a request.
    pub fn sends_request(&self) -> bool {
        self.placed().any(|(_, step)| step.is_request())
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
                        &[
                            "steps", "type", "config", "run_if", "ok_when", "optional", "any_of",
                        ],
                    ));
                }
            }
        }
        match (steps, bare) {
            (Some(steps), None) => Ok(Action {
                steps,
                list: Some("steps"),
            }),
            (None, Some(parts)) => Ok(Action {
                steps: vec![parts.finish()?],
                list: None,
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
