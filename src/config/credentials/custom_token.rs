//! `custom_token`: a token that steps get, such as a session of a login endpoint.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Jwt;
use crate::config::action::{Action, StepConfig};
use crate::config::{Count, Field};
use crate::expression::Expression;
use crate::json::Path;

/// What the customer types in, and the steps that get a token for it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomToken {
    /// The inputs of the connect form.
    #[serde(default)]
    pub fields: Vec<Field>,
    /// The steps that get the token: when an account is connected, when it is imported without a token, before its
    /// token expires, and after a 401.
    #[serde(deserialize_with = "steps")]
    #[schemars(with = "Vec<StepConfig>")]
    pub steps: Action,
    /// A token that the gateway signs for the steps: `{{jwt}}`.
    #[serde(default)]
    pub jwt: Option<Jwt>,
    /// Where the token is in the result of the last step.
    #[serde(default)]
    pub token: TokenExpressions,
    /// The steps that get the next token; `steps` when absent.
    #[serde(default, deserialize_with = "refresh_steps")]
    #[schemars(with = "Option<Vec<StepConfig>>")]
    pub refresh_steps: Option<Action>,
    /// Seconds a token lives when the provider does not say.
    #[serde(default, rename = "tokenExpiryDuration")]
    pub token_expiry_duration: Option<Count>,
    /// Context keys filled from the result of the last step.
    #[serde(default, rename = "contextFromToken")]
    pub context_from_token: BTreeMap<String, Path>,
}

/// JSONata over the result of the last step; `$headers` are the headers of the last answer. An absent one is the value
/// of that name in the result (RFC 6749, section 5.1).
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TokenExpressions {
    /// The token.
    pub access_token: Option<Expression>,
    /// What `refresh_steps` get the next one with.
    pub refresh_token: Option<Expression>,
    /// Seconds that it lives.
    pub expires_in: Option<Expression>,
    /// When it expires: ISO 8601, or seconds or milliseconds since 1970.
    pub expires_at: Option<Expression>,
    /// What it is good for.
    pub scope: Option<Expression>,
}

impl TokenExpressions {
    /// Each with its name in a token answer.
    pub fn named(&self) -> [(&'static str, Option<&Expression>); 5] {
        [
            ("access_token", self.access_token.as_ref()),
            ("refresh_token", self.refresh_token.as_ref()),
            ("expires_in", self.expires_in.as_ref()),
            ("expires_at", self.expires_at.as_ref()),
            ("scope", self.scope.as_ref()),
        ]
    }
}

impl CustomToken {
    /// The steps that get the next token.
    pub fn refresh(&self) -> &Action {
        self.refresh_steps.as_ref().unwrap_or(&self.steps)
    }

    /// Its lists of steps.
    pub fn actions(&self) -> impl Iterator<Item = &Action> {
        std::iter::once(&self.steps).chain(&self.refresh_steps)
    }

    /// The same, to be changed.
    pub(super) fn actions_mut(&mut self) -> impl Iterator<Item = &mut Action> {
        std::iter::once(&mut self.steps).chain(&mut self.refresh_steps)
    }
}

fn steps<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Action, D::Error> {
    Vec::deserialize(input).map(|steps| Action::listed("steps", steps))
}

fn refresh_steps<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Option<Action>, D::Error> {
    let steps = Option::<Vec<StepConfig>>::deserialize(input)?;
    Ok(steps.map(|steps| Action::listed("refresh_steps", steps)))
}
