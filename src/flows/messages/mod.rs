//! How flows talk to the objects: one JSON message, one JSON answer.

pub mod account;
pub mod connecting;
pub mod dead_letter;
pub mod environment;
pub mod event;
pub mod webhook;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::{Code, Failure};
use crate::flows::base::memory::built::built_bytes;
use crate::flows::base::records::{EnvironmentRecord, PageRequest};
use crate::ids::{AccountId, EnvironmentId, IntegrationId};
use crate::ports::{ObjectFault, ObjectName, Outside};

use crate::flows::messages::account::AccountMessage;
use crate::flows::messages::environment::EnvironmentMessage;

/// What the answer of an object may take, unless it asks a provider in between.
const PATIENCE: Duration = Duration::from_secs(20);

/// What it may take when a provider is asked in between, also for lifecycle actions.
const WITH_PROVIDER: Duration = Duration::from_secs(150);

/// How an integration is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Saving {
    /// The name must be free.
    Create,
    /// Makes it, or replaces the whole file; write-only secrets that are absent stay.
    Replace,
}

/// An integration file that was read without errors, its secrets apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntegrationFile {
    /// The slug.
    pub name: String,
    /// A word to sort it by.
    pub category: Option<String>,
    /// Not finished yet.
    pub is_beta: bool,
    /// Its config without secrets.
    pub config: Value,
    /// The secrets, where they stood.
    pub secrets: Value,
}

/// What the `Directory` of the environments and integrations is asked.
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
    /// Merges a patch into the whole file, secrets included, if the version is this → `WriteResult<IntegrationRecord>`
    ChangeIntegration(String, u64, Value),
    /// By id or name; refused while it is installed anywhere → `IntegrationId`
    DeleteIntegration(String),
    /// An environment is about to install it → null, or not found
    UseIntegration(IntegrationId, EnvironmentId),
    /// An environment no longer installs it → null
    DropIntegration(IntegrationId, EnvironmentId),
    /// Begins to seal everything under the first key → null
    Rotate,
    /// → [`Sealing`]
    CountSealed,
    /// By id or name → `Option<IntegrationRecord>`
    FindIntegration(String),
    /// → `ListPage<IntegrationRecord>`
    ListIntegrations(PageRequest),
}

/// A change of an environment; what is absent stays.
#[derive(Debug, Serialize, Deserialize)]
pub struct EnvironmentChange {
    /// Which one.
    pub id: EnvironmentId,
    /// Its new name.
    pub name: Option<String>,
    /// Its new list.
    pub allowed_redirect_origins: Option<Vec<String>>,
    /// How its application shows itself; a null in it takes a value away.
    pub application: Value,
}

/// How many sealed values rest under which key.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Sealing {
    /// Key id → values.
    pub counts: BTreeMap<String, u64>,
    /// Whether a rotation is under way.
    pub is_rotating: bool,
}

/// How far an environment's re-sealing came.
#[derive(Debug, Serialize, Deserialize)]
pub struct Resealed {
    /// The account to go on after; nothing at the end.
    pub next: Option<String>,
    /// Accounts that could not be re-sealed this time.
    pub failed: u64,
}

/// A checked write: the record as it now is, for the answer and for the cache of the isolate that asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WriteResult<T> {
    /// The record.
    pub record: T,
    /// Whether it was made by this write.
    pub is_new: bool,
}

/// Asks the root `Directory`.
pub async fn send_to_root<T: DeserializeOwned>(
    outside: &impl Outside,
    ask: &RootMessage,
) -> Result<T, Failure> {
    send(outside, ObjectName::Root, ask).await
}

/// Asks the `Directory` of an environment.
pub async fn send_to_environment<T: DeserializeOwned>(
    outside: &impl Outside,
    id: EnvironmentId,
    ask: &EnvironmentMessage,
) -> Result<T, Failure> {
    send(outside, ObjectName::Environment(id), ask).await
}

/// Asks an account's object.
pub async fn send_to_account<T: DeserializeOwned>(
    outside: &impl Outside,
    id: AccountId,
    ask: &AccountMessage,
) -> Result<T, Failure> {
    send(outside, ObjectName::Account(id), ask).await
}

/// A message to an object.
trait ObjectMessage: Serialize {
    /// How long its answer may take.
    fn patience(&self) -> Duration {
        PATIENCE
    }
}

impl ObjectMessage for RootMessage {}
impl ObjectMessage for EnvironmentMessage {}
impl ObjectMessage for AccountMessage {
    fn patience(&self) -> Duration {
        match self {
            Self::Connect(_) | Self::Callback(_) | Self::Refresh(_) => WITH_PROVIDER,
            _ => PATIENCE,
        }
    }
}

async fn send<T: DeserializeOwned>(
    outside: &impl Outside,
    object: ObjectName,
    ask: &impl ObjectMessage,
) -> Result<T, Failure> {
    let message = serde_json::to_string(ask).map_err(|error| unreadable(outside, &error))?;
    let answer = outside
        .ask(object, message, ask.patience())
        .await
        .map_err(|fault| not_answered(outside, object, fault))?;
    let answer: Result<Value, Failure> =
        serde_json::from_str(&answer).map_err(|error| unreadable(outside, &error))?;
    serde_json::from_value(answer?).map_err(|error| unreadable(outside, &error))
}

/// What a message takes in memory, and what is built of it.
pub fn message_bytes(message: &str) -> usize {
    let values = crate::json::count_values(message.as_bytes()).unwrap_or_default();
    built_bytes(values, message.len())
}

/// The answer of an object, as text.
pub fn answer_text(answer: &Result<Value, Failure>) -> String {
    serde_json::to_string(answer).unwrap_or_default()
}

/// Turns what a step of an object gives into its answer.
pub fn answered<T: Serialize>(result: T) -> Result<Value, Failure> {
    serde_json::to_value(result)
        .map_err(|_| Failure::new(Code::Internal, "An answer could not be written."))
}

fn not_answered(outside: &impl Outside, object: ObjectName, fault: ObjectFault) -> Failure {
    outside.log(&json!({ "level": "error", "event": "object_silent", "object": format!("{object:?}"), "reason": fault.to_string() }));
    Failure::storage()
}

fn unreadable(outside: &impl Outside, error: &serde_json::Error) -> Failure {
    outside.log(&json!({ "level": "error", "event": "object_unreadable", "line": error.line(), "column": error.column() }));
    Failure::new(
        Code::Internal,
        "The service could not read its own message. The log has the reason.",
    )
}
