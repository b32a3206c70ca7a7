//! The messages to an account's object, and the views of an account.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::Account;
use crate::flows::base::records::PageRequest;
use crate::flows::messages::connecting::{CallbackRequest, Connecting};
use crate::flows::messages::environment::Writer;
use crate::flows::messages::event::ReplayRange;
use crate::flows::messages::webhook::VerifiedWebhook;
use crate::ids::{EventId, InstallId, IntegrationId};
use crate::ports::Sees;
use crate::time::Timestamp;

/// The messages to an account's object. The `Sees` of a message says which accounts its sender can see.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountMessage {
    /// Stores a new account with its whole context → [`AccountView`]
    Import(Box<Account>),
    /// → [`AccountView`]
    Get(Sees),
    /// The names of the secret keys of its context, except the OAuth token → `Vec<String>`
    SecretNames(Sees),
    /// → [`AccountView`]
    Change(Sees, AccountChange),
    /// A change of the context by an account token → [`AccountView`]
    ChangeMe(Sees, Value),
    /// New credentials, merged into the context. Where a host changes, no stored secret stays → [`AccountView`]
    Credentials(Sees, Value),
    /// Refreshes its tokens now → null
    Refresh(Sees),
    /// A customer's form → [`super::connecting::ConnectStep`]
    Connect(Box<Connecting>),
    /// A customer comes back from the provider → `Option<ConnectResult>`; `None` where no such login is pending
    Callback(Box<CallbackRequest>),
    /// Issues an account token, by its hash and its expiry → null
    IssueToken(Sees, String, Timestamp),
    /// Stores a verified webhook of this install → `Vec<EventId>`. Not found where the account is of another install,
    /// is not active, or no longer has the lookup value
    Receive(InstallId, Box<VerifiedWebhook>),
    /// The lookup value under this key of its context → `Option<String>`
    LookupValue(String),
    /// Its events, newest first → `ListPage<EventView>`
    ListEvents(Sees, PageRequest),
    /// → [`super::event::EventDetail`]
    GetEvent(Sees, EventId),
    /// Its calls, newest first → `ListPage<LogLine>`
    ListLog(Sees, PageRequest),
    /// Its capabilities → JSON
    Capabilities(Sees),
    /// Delivers one event again → null
    Replay(Sees, EventId),
    /// Delivers all events of a range again → u64: how many
    ReplayAll(Sees, ReplayRange),
    /// Resumes deliveries that waited for a paused subscription → null
    Deliver,
    /// Seals its secrets with the first key → `Option<String>`: the id of that key
    Reseal,
    /// Deletes the account → null
    Delete(Sees),
}

/// A change of an account. What is absent stays.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct AccountChange {
    /// The caller's id of the customer.
    pub tenant_id: Option<String>,
    /// Merged into its context (RFC 7396). It may not change a value that decides the host.
    pub context: Option<Value>,
    pub is_sandbox: Option<bool>,
    /// Merged into the account's override; `Null` removes the override.
    pub integration_override: Option<OverrideChange>,
}

/// A change of the account's override. It is a struct, so that a null patch differs from an absent one.
#[derive(Debug, Serialize, Deserialize)]
pub struct OverrideChange {
    /// Merged into the override (RFC 7396). Null removes the override.
    pub patch: Value,
    pub writer: Writer,
}

/// An account as the API shows it: without secrets, with its integration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountView {
    /// The account; its context has no secrets.
    pub account: Account,
    pub integration: IntegrationView,
}

impl AccountView {
    /// What an account token may see.
    pub fn shown_to_customer(&self) -> Value {
        let account = &self.account;
        json!({
            "id": account.id,
            "status": account.status,
            "authentication_method": account.authentication_method,
            "integration": self.integration,
            "context": account.context,
            "created_at": account.created_at,
            "updated_at": account.updated_at,
        })
    }

    /// What a token without the right to read accounts may see.
    pub fn shown_in_short(&self) -> Value {
        json!({ "id": self.account.id, "status": self.account.status })
    }

    /// What every other answer, and every event, shows.
    pub fn shown(&self) -> Value {
        let Account {
            id,
            tenant_id,
            environment_id,
            environment_integration_id,
            integration_id: _,
            context,
            status,
            authentication_method,
            region,
            is_sandbox,
            last_error,
            last_action_run_result,
            last_forbidden_error,
            integration_override,
            override_by_admin_token: _,
            created_at,
            updated_at,
        } = &self.account;
        json!({
            "id": id,
            "tenant_id": tenant_id,
            "environment_id": environment_id,
            "environment_integration_id": environment_integration_id,
            "integration": self.integration,
            "context": context,
            "status": status,
            "authentication_method": authentication_method,
            "region": region,
            "is_sandbox": is_sandbox,
            "last_error": last_error,
            "last_action_run_result": last_action_run_result,
            "last_forbidden_error": last_forbidden_error,
            "integration_override": integration_override,
            "created_at": created_at,
            "updated_at": updated_at,
        })
    }
}

/// The integration of an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IntegrationView {
    pub id: IntegrationId,
    /// The slug of the integration.
    pub name: String,
    /// A category to group integrations by.
    pub category: Option<String>,
    /// Whether the integration is still in development.
    pub is_beta: bool,
}
