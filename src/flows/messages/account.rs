//! What an account's object is asked, and what it shows of the account.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::{Account, Status};
use crate::flows::base::records::PageRequest;
use crate::flows::base::view::view;
use crate::flows::messages::connecting::{CallbackRequest, Connecting};
use crate::flows::messages::environment::Writer;
use crate::flows::messages::event::ReplayRange;
use crate::flows::messages::webhook::VerifiedWebhook;
use crate::ids::{AccountId, EnvironmentId, EventId, InstallId, IntegrationId, Region};
use crate::ports::Visibility;
use crate::time::Timestamp;

/// What an account's object is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountMessage {
    /// Stores a new account with its whole context → [`AccountView`]
    Import(Box<Account>),
    /// → [`AccountView`]
    Get(Visibility),
    /// The names of what it keeps secret, the OAuth token apart → `Vec<String>`
    SecretNames(Visibility),
    /// → [`AccountView`]
    Change(Visibility, AccountChange),
    /// A change of the context by an account token → [`AccountView`]
    ChangeMe(Visibility, Value),
    /// New credentials: merged into the context; where a host changes, no stored secret stays → [`AccountView`]
    Credentials(Visibility, Value),
    /// Refreshes its tokens now → null
    Refresh(Visibility),
    /// A customer's form → `ConnectStep`
    Connect(Box<Connecting>),
    /// A customer comes back from the provider → `Option<ConnectResult>`; nothing where no such login waits
    Callback(Box<CallbackRequest>),
    /// A token of its own, known by its hash until then → null
    IssueToken(Visibility, String, Timestamp),
    /// A webhook of this install, already verified → `Vec<EventId>`; not found where the account is another install's, is
    /// not active, or has another value by now
    Receive(InstallId, Box<VerifiedWebhook>),
    /// By what an install's webhooks find it under a key of its context → `Option<String>`
    LookupValue(String),
    /// Its events, newest first → `ListPage<EventView>`
    ListEvents(Visibility, PageRequest),
    /// → `EventDetail`
    GetEvent(Visibility, EventId),
    /// Its calls, newest first → `ListPage<LogLine>`
    ListLog(Visibility, PageRequest),
    /// What it can be asked → JSON
    Capabilities(Visibility),
    /// Delivers one event again → null
    Replay(Visibility, EventId),
    /// Delivers all of a range again → u64: how many
    ReplayAll(Visibility, ReplayRange),
    /// Events that wait for a subscription may go → null
    Deliver,
    /// Seals its secrets under the first key → `Option<String>`: the id of the key they rest under
    Reseal,
    /// Erases it → null
    Delete(Visibility),
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
    /// As every answer to a backend shows it.
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

    /// What its customer may know of it.
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
        /// The id, which says where the account lives.
        id: AccountId,
        /// The caller's own name for the customer.
        tenant_id: String,
        /// The environment of the account.
        environment_id: EnvironmentId,
        /// The install it was connected through.
        environment_integration_id: InstallId,
        /// The public half of its context: an object.
        context: Value,
        /// The state of its life.
        status: Status,
        /// The `format` of the credential it was connected with.
        authentication_method: String,
        /// The region that was asked for.
        region: Region,
        /// A sandbox account refuses writes.
        is_sandbox: bool,
        /// The last error, in words.
        last_error: Option<String>,
        /// The outcome of the last lifecycle action.
        last_action_run_result: Option<Value>,
        /// The last refusal by the provider (403).
        last_forbidden_error: Option<Value>,
        /// This account's own changes to the integration's config.
        integration_override: Option<Value>,
        /// When it was stored first.
        created_at: Timestamp,
        /// When it was changed last.
        updated_at: Timestamp,
    } hides { integration_id: _, override_by_admin_token: _ }
}

/// An account as answers and events show it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PublicAccount {
    /// Its public fields.
    #[serde(flatten)]
    pub account: AccountFields,
    /// Its integration.
    pub integration: IntegrationView,
}

/// The account of an account token.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "OwnIntegratedAccount")]
pub struct OwnAccount {
    /// The id, which says where the account lives.
    pub id: AccountId,
    /// The state of its life.
    pub status: Status,
    /// The `format` of the credential it was connected with.
    pub authentication_method: String,
    /// Its integration.
    pub integration: IntegrationView,
    /// The public half of its context: an object.
    pub context: Value,
    /// When it was stored first.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// The integration of an account, in few words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
