//! What an account's object is asked, and what it shows of the account.

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

/// What an account's object is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountMessage {
    /// Stores a new account with its whole context → [`AccountView`]
    Import(Box<Account>),
    /// → [`AccountView`]
    Get(Sees),
    /// The names of what it keeps secret, the OAuth token apart → `Vec<String>`
    SecretNames(Sees),
    /// → [`AccountView`]
    Change(Sees, AccountChange),
    /// A change of the context by an account token → [`AccountView`]
    ChangeMe(Sees, Value),
    /// New credentials: merged into the context; where a host changes, no stored secret stays → [`AccountView`]
    Credentials(Sees, Value),
    /// Refreshes its tokens now → null
    Refresh(Sees),
    /// A customer's form → [`super::connecting::ConnectStep`]
    Connect(Box<Connecting>),
    /// A customer comes back from the provider → `Option<ConnectResult>`; nothing where no such login waits
    Callback(Box<CallbackRequest>),
    /// A token of its own, known by its hash until then → null
    IssueToken(Sees, String, Timestamp),
    /// A webhook of this install, already verified → `Vec<EventId>`; not found where the account is another install's, is
    /// not active, or has another value by now
    Receive(InstallId, Box<VerifiedWebhook>),
    /// By what an install's webhooks find it under a key of its context → `Option<String>`
    LookupValue(String),
    /// Its events, newest first → `ListPage<EventView>`
    ListEvents(Sees, PageRequest),
    /// → [`super::event::EventDetail`]
    GetEvent(Sees, EventId),
    /// Its calls, newest first → `ListPage<LogLine>`
    ListLog(Sees, PageRequest),
    /// What it can be asked → JSON
    Capabilities(Sees),
    /// Delivers one event again → null
    Replay(Sees, EventId),
    /// Delivers all of a range again → u64: how many
    ReplayAll(Sees, ReplayRange),
    /// Events that wait for a subscription may go → null
    Deliver,
    /// Seals its secrets under the first key → `Option<String>`: the id of the key they rest under
    Reseal,
    /// Erases it → null
    Delete(Sees),
}

/// A change of an account; what is absent stays.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct AccountChange {
    /// The caller's own name for the customer.
    pub tenant_id: Option<String>,
    /// Merged into its context by the one rule; no value that decides the host.
    pub context: Option<Value>,
    /// Whether it refuses writes.
    pub is_sandbox: Option<bool>,
    /// Merged into its own changes to the config; `Null` takes them away.
    pub integration_override: Option<OverrideChange>,
}

/// A change of the account's own override. A struct, so that a null in it is not nothing.
#[derive(Debug, Serialize, Deserialize)]
pub struct OverrideChange {
    /// Merged by the one rule; null takes the override away.
    pub patch: Value,
    /// Who writes it.
    pub writer: Writer,
}

/// An account as it is shown: no secrets, its integration named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountView {
    /// The account, its context without secrets.
    pub account: Account,
    /// The integration it belongs to.
    pub integration: IntegrationView,
}

impl AccountView {
    /// As an account token sees it: what is the customer's to know.
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

    /// As a token sees it that may not read accounts.
    pub fn shown_in_short(&self) -> Value {
        json!({ "id": self.account.id, "status": self.account.status })
    }

    /// As every answer and event shows it.
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

/// The integration of an account, in few words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IntegrationView {
    /// Its id.
    pub id: IntegrationId,
    /// Its slug.
    pub name: String,
    /// A word to sort it by.
    pub category: Option<String>,
    /// Not finished yet.
    pub is_beta: bool,
}
