//! Messages to the objects: one JSON message, one JSON answer. Each message type names the answer of each variant
//! (`→`). It uses `base`.

pub mod account;
pub mod category;
pub mod connecting;
pub mod dead_letter;
pub mod environment;
pub mod event;
pub mod lease;
pub mod log_line;
pub mod mcp;
pub mod sync;
pub mod webhook;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::{Code, Failure};
use crate::flows::base::memory::values::bytes_of_values;
use crate::flows::base::records::{EnvironmentRecord, PageRequest};
use crate::ids::{AccountId, EnvironmentId, IntegrationId};
use crate::json::typed;
use crate::ports::{ObjectFault, ObjectName, Outside};

use crate::flows::messages::account::AccountMessage;
use crate::flows::messages::environment::EnvironmentMessage;
use crate::flows::messages::lease::LeaseMessage;

/// How long an object may take for a message without a request to a provider.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long it may take with requests to a provider, lifecycle actions included.
const WITH_PROVIDER: Duration = Duration::from_secs(150);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Saving {
    /// Creates it; the name must be free.
    Create,
    /// Creates it or replaces the whole file. Write-only secrets that are absent stay.
    Replace,
}

/// An integration file without errors, its secrets apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntegrationFile {
    pub name: String,
    pub category: Option<String>,
    pub is_beta: bool,
    /// The config without secrets.
    pub config: Value,
    /// The secrets, at their places in the config.
    pub secrets: Value,
}

/// The messages to the root `Directory`: environments and integrations.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RootMessage {
    /// → [`EnvironmentRecord`]
    CreateEnvironment(EnvironmentRecord),
    /// → `ListPage<EnvironmentRecord>`
    ListEnvironments(PageRequest),
    /// → `Option<EnvironmentRecord>`
    FindEnvironment(EnvironmentId),
    /// → [`EnvironmentRecord`]
    ChangeEnvironment(EnvironmentChange),
    /// → null
    DeleteEnvironment(EnvironmentId),
    /// → `WriteResult<IntegrationRecord>`
    SaveIntegration(Saving, IntegrationFile),
    /// Merges a patch into the whole file, secrets included, if it has this version → `WriteResult<IntegrationRecord>`
    ChangeIntegration(String, u64, Value),
    /// By id or name; refused while an environment installs it → `IntegrationId`
    DeleteIntegration(String),
    /// Notes an environment that is about to install it → null, or not found
    UseIntegration(IntegrationId, EnvironmentId),
    /// Removes the note of an environment that no longer installs it → null
    DropIntegration(IntegrationId, EnvironmentId),
    /// Starts a key rotation: everything is sealed with the first key → null
    Rotate,
    /// → [`Sealing`]
    CountSealed,
    /// By id or name → `Option<IntegrationRecord>`
    FindIntegration(String),
    /// → `ListPage<IntegrationRecord>`
    ListIntegrations(PageRequest),
    /// → `ListPage<Category>`
    ListCategories(PageRequest),
}

/// A change of an environment. What is absent stays.
#[derive(Debug, Serialize, Deserialize)]
pub struct EnvironmentChange {
    pub id: EnvironmentId,
    pub name: Option<String>,
    pub allowed_redirect_origins: Option<Vec<String>>,
    /// Changes of the application's name and logo. Null removes a value.
    pub application: Value,
}

/// How many values each key has sealed.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Sealing {
    /// Key id → number of values.
    pub counts: BTreeMap<String, u64>,
    /// Whether a rotation is running.
    pub is_rotating: bool,
}

/// The progress of a rotation in an environment.
#[derive(Debug, Serialize, Deserialize)]
pub struct Resealed {
    /// The account to continue after. `None` at the end.
    pub next: Option<String>,
    /// Accounts that could not be re-sealed.
    pub failed: u64,
}

/// The result of a write: the stored record, for the answer and for the cache of the calling isolate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WriteResult<T> {
    pub record: T,
    /// Whether this write created it.
    pub is_new: bool,
}

pub async fn send_to_root<T: DeserializeOwned>(
    outside: &impl Outside,
    message: &RootMessage,
) -> Result<T, Failure> {
    send(outside, ObjectName::Root, message).await
}

pub async fn send_to_environment<T: DeserializeOwned>(
    outside: &impl Outside,
    id: EnvironmentId,
    message: &EnvironmentMessage,
) -> Result<T, Failure> {
    send(outside, ObjectName::Environment(id), message).await
}

pub async fn send_to_account<T: DeserializeOwned>(
    outside: &impl Outside,
    id: AccountId,
    message: &AccountMessage,
) -> Result<T, Failure> {
    send(outside, ObjectName::Account(id), message).await
}

trait ObjectMessage: Serialize {
    fn patience(&self) -> Duration {
        PATIENCE
    }
}

impl ObjectMessage for RootMessage {}
impl ObjectMessage for EnvironmentMessage {}
impl ObjectMessage for AccountMessage {
    fn patience(&self) -> Duration {
        match self {
            Self::Import(..)
            | Self::Connect(_)
            | Self::Callback(_)
            | Self::Refresh(_)
            | Self::LeasedCalls(
                LeaseMessage::Lease(..)
                | LeaseMessage::RenewLease(..)
                | LeaseMessage::ConfirmRefusal(..),
            ) => WITH_PROVIDER,
            _ => PATIENCE,
        }
    }
}

async fn send<T: DeserializeOwned>(
    outside: &impl Outside,
    object: ObjectName,
    message: &impl ObjectMessage,
) -> Result<T, Failure> {
    let text = serde_json::to_string(message).map_err(|error| unreadable(outside, &error))?;
    let answer = outside
        .send_message(object, text, message.patience())
        .await
        .map_err(|fault| not_answered(outside, object, fault))?;
    let answer: Result<Value, Failure> =
        serde_json::from_str(&answer).map_err(|error| unreadable(outside, &error))?;
    typed::read(&answer?).map_err(|mistake| unreadable(outside, &mistake.error))
}

/// The memory of a message and of the values built from it.
pub fn message_bytes(message: &str) -> usize {
    let values = crate::json::count_values(message.as_bytes()).unwrap_or_default();
    bytes_of_values(values, message.len())
}

pub fn answer_text(answer: &Result<Value, Failure>) -> String {
    serde_json::to_string(answer).unwrap_or_default()
}

/// Turns the result of a handler into the answer of the object.
pub fn answered<T: Serialize>(result: T) -> Result<Value, Failure> {
    serde_json::to_value(result).map_err(|_| {
        Failure::new(
            Code::Internal,
            "The answer of an object could not be serialised.",
        )
    })
}

fn not_answered(outside: &impl Outside, object: ObjectName, fault: ObjectFault) -> Failure {
    outside.log(&json!({ "level": "error", "event": "object_silent", "object": format!("{object:?}"), "reason": fault.to_string() }));
    Failure::storage()
}

fn unreadable(outside: &impl Outside, error: &serde_json::Error) -> Failure {
    outside.log(&json!({ "level": "error", "event": "object_unreadable", "line": error.line(), "column": error.column() }));
    Failure::new(
        Code::Internal,
        "A message between the gateway's objects could not be read. The log has the reason.",
    )
}
