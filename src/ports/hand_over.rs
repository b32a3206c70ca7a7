//! What the front Worker tells an account's object beside the request itself.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::EnvironmentId;
use crate::proxy::Target;

/// Who calls and what for, as the front Worker has found out; the object trusts it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOver {
    /// What the request asks for.
    pub route: ObjectRoute,
    /// The id of the request, in every answer and log line.
    pub request_id: String,
    /// What the caller may see.
    pub sees: Visibility,
    /// The caller in the log: the id of its token, or the kind.
    pub caller: String,
    /// The hash of an API token, to look at it again on a long way.
    #[serde(default)]
    pub token: Option<String>,
    /// [`super::Incoming::asked`], which a request of ours cannot carry.
    #[serde(default)]
    pub asked: Option<String>,
}

/// What a request that is handed over asks of an account's object. The front Worker reads it, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectRoute {
    /// A call of the provider.
    Call(Target, Budget, Pages),
    /// The action of this name.
    Action(String, Budget),
    /// A provider's webhook.
    Webhook,
}

/// What a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Everything together: waits, retries, the answer. Of all pages of a list each has it for itself.
    pub timeout: Duration,
    /// How often a request may be sent again; `None` where the caller does not say.
    pub max_retries: Option<u32>,
}

/// How much of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pages {
    /// A page, in an envelope that leads on.
    One,
    /// All there are, as lines.
    All,
}

/// What a caller may see of the accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// All of them: the admin token.
    All,
    /// Those of one environment: an API token.
    Environment(EnvironmentId),
    /// The one account whose object knows this hash of an account token.
    AccountToken(String),
}
