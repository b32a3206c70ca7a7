//! The messages to an account's object, and the views of an account.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::{Account, Status};
use crate::flows::base::records::PageRequest;
use crate::flows::base::view::view;
use crate::flows::messages::connecting::{CallbackRequest, Connecting};
use crate::flows::messages::environment::Writer;
use crate::flows::messages::event::ReplayRange;
use crate::flows::messages::lease::LeaseMessage;
use crate::flows::messages::mcp::McpMessage;
use crate::flows::messages::sync::SyncMessage;
use crate::flows::messages::webhook::VerifiedWebhook;
use crate::ids::{AccountId, EnvironmentId, EventId, InstallId, IntegrationId, Region};
use crate::ports::Visibility;
use crate::time::Timestamp;
use crate::tools::ToolFilter;

/// The messages to an account's object. The `Visibility` of a message says which accounts its sender can see.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountMessage {
    /// Connects a new account with its whole context → [`AccountView`]
    Import(Box<Account>, LifecycleActions),
    /// → [`AccountView`]
    Get(Visibility),
    /// The names of the secret keys of its context, except the OAuth token → `Vec<String>`
    SecretNames(Visibility),
    /// → [`AccountView`]
    Change(Visibility, AccountChange),
    /// A change of the context by an account token → [`AccountView`]
    ChangeMe(Visibility, Value),
    /// New credentials, merged into the context. Where a host changes, no stored secret stays → [`AccountView`]
    Credentials(Visibility, Value),
    /// Refreshes its tokens now → null
    Refresh(Visibility),
    /// The key that its server of files presents → `PresentedHostKey`
    HostKey(Visibility),
    /// A customer's form → [`super::connecting::ConnectStep`]
    Connect(Box<Connecting>),
    /// A customer comes back from the provider → `Option<ConnectResult>`; `None` where no such login is pending
    Callback(Box<CallbackRequest>),
    /// Issues an account token, by its hash and its expiry → null
    IssueToken(Visibility, String, Timestamp),
    /// Stores a verified webhook of this install → `Vec<EventId>`. Not found where the account is of another install,
    /// is not active, or no longer has the lookup value
    Receive(InstallId, Box<VerifiedWebhook>),
    /// The lookup value under this key of its context → `Option<String>`
    LookupValue(String),
    /// Its events, newest first → `ListPage<EventView>`
    ListEvents(Visibility, PageRequest),
    /// → [`super::event::EventDetail`]
    GetEvent(Visibility, EventId),
    /// Its calls, newest first → `ListPage<LogLine>`
    ListLog(Visibility, PageRequest),
    /// Its capabilities → JSON
    Capabilities(Visibility),
    /// Its tools → JSON
    Tools(Visibility, ToolFilter),
    /// Delivers one event again → null
    Replay(Visibility, EventId),
    /// Delivers all events of a range again → u64: how many
    ReplayAll(Visibility, ReplayRange),
    /// Resumes deliveries that waited for a paused subscription → null
    Deliver,
    /// Seals its secrets with the first key → `Option<String>`: the id of that key
    Reseal,
    /// Deletes the account → null
    Delete(Visibility),
    /// About its syncs → see [`SyncMessage`]
    Sync(Visibility, SyncMessage),
    #[serde(untagged)]
    McpTokens(McpMessage),
    #[serde(untagged)]
    LeasedCalls(LeaseMessage),
}

/// Whether an import runs the file's `post_install` and `validation`: in JSON `run_actions`, a boolean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "bool", into = "bool")]
pub enum LifecycleActions {
    #[default]
    Run,
    Skip,
}

impl From<bool> for LifecycleActions {
    fn from(run_actions: bool) -> Self {
        if run_actions { Self::Run } else { Self::Skip }
    }
}

impl From<LifecycleActions> for bool {
    fn from(actions: LifecycleActions) -> Self {
        actions == LifecycleActions::Run
    }
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
    /// What a backend can see.
    pub fn public(self) -> PublicAccount {
        PublicAccount {
            account: AccountFields::from(self.account),
            integration: self.integration,
        }
    }

    /// The same as JSON, for the payload of an event.
    pub fn shown(self) -> Value {
        json!(self.public())
    }

    /// What an account token can see.
    pub fn own(self) -> OwnAccount {
        let account = self.account;
        OwnAccount {
            id: account.id,
            status: account.status,
            authentication_method: account.authentication_method,
            integration: self.integration,
            context: account.context,
            created_at: account.created_at,
            updated_at: account.updated_at,
        }
    }
}

view! {
    /// The public fields of an account.
    AccountFields of Account {
        /// The id, which names the region of the account.
        id: AccountId,
        /// The caller's id of the customer.
        tenant_id: String,
        /// The environment of the account.
        environment_id: EnvironmentId,
        /// The install of the account.
        environment_integration_id: InstallId,
        /// The public half of its context: an object.
        context: Value,
        /// The lifecycle status.
        status: Status,
        /// The `format` of the credential it was connected with.
        authentication_method: String,
        /// The region that was requested.
        region: Region,
        /// A sandbox account refuses writes.
        is_sandbox: bool,
        /// The last error, as text.
        last_error: Option<String>,
        /// The outcome of the last lifecycle action.
        last_action_run_result: Option<Value>,
        /// The last refusal by the provider (403).
        last_forbidden_error: Option<Value>,
        /// The override of this account.
        integration_override: Option<Value>,
        /// The time of its creation.
        created_at: Timestamp,
        /// The time of its last change.
        updated_at: Timestamp,
    } hides { integration_id: _, override_by_admin_token: _ }
}

/// An account in responses and events.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PublicAccount {
    /// Its public fields.
    #[serde(flatten)]
    pub account: AccountFields,
    /// Its integration.
    pub integration: IntegrationView,
}

/// An account, as its account token sees it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "OwnIntegratedAccount")]
pub struct OwnAccount {
    /// The id, which names the region of the account.
    pub id: AccountId,
    /// The lifecycle status.
    pub status: Status,
    /// The `format` of the credential it was connected with.
    pub authentication_method: String,
    /// Its integration.
    pub integration: IntegrationView,
    /// The public half of its context: an object.
    pub context: Value,
    /// The time of its creation.
    pub created_at: Timestamp,
    /// The time of its last change.
    pub updated_at: Timestamp,
}

/// The integration of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IntegrationView {
    pub id: IntegrationId,
    /// The slug of the integration.
    pub name: String,
    /// A category to group integrations by.
    pub category: Option<String>,
    /// Whether the integration is still in development.
    pub is_beta: bool,
}
