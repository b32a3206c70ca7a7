//! The records of the directories. They are the source of record; KV holds published copies of some of them. The doc
//! comments of fields are the descriptions in `/openapi.json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::reserved::Trusted;
use crate::ids::{
    AccountId, ApiTokenId, EnvironmentId, EventId, InstallId, IntegrationId, LinkTokenId, Region,
    WebhookId,
};
use crate::time::Timestamp;

/// An environment. Its tokens see nothing of other environments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnvironmentRecord {
    /// Its id, which is also the name of its `Directory` object.
    pub id: EnvironmentId,
    /// Unique among the environments.
    pub name: String,
    /// The region of its data.
    pub region: Region,
    /// Origins to which a connect result may be sent. Empty: any https origin.
    pub allowed_redirect_origins: Vec<String>,
    /// What connect pages show of the application.
    #[serde(flatten)]
    pub application: ApplicationNames,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// How connect pages name the application.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApplicationNames {
    /// The name of the application.
    #[serde(default)]
    pub display_name: Option<String>,
    /// The https URL of its logo.
    #[serde(default)]
    pub logo_url: Option<String>,
}

/// What an API token may do.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, PartialOrd, Ord, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum TokenScope {
    /// Reads by the admin API.
    Read,
    /// Calls to providers.
    Proxy,
    /// Link tokens and imports of accounts.
    Connect,
    /// Everything in the environment.
    Admin,
}

impl TokenScope {
    /// Every scope: the default of a new token.
    pub const ALL: [Self; 4] = [Self::Read, Self::Proxy, Self::Connect, Self::Admin];
}

/// The metadata of an API token. Only the hash of the token is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TokenRecord {
    pub id: ApiTokenId,
    pub environment_id: EnvironmentId,
    /// The name that its owner gave it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<TokenScope>,
    /// When it expires.
    pub expires_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// The SHA-256 of the token, in hex.
    pub hash: String,
}

/// An integration: the public half of its file, and its sealed write-only secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntegrationRecord {
    pub id: IntegrationId,
    /// The unique slug that URLs use.
    pub name: String,
    /// A category to group integrations by.
    pub category: Option<String>,
    /// Whether the integration is still in development.
    pub is_beta: bool,
    /// The version: 1, plus 1 with each change.
    pub version: u64,
    /// The `config` of its file, without write-only secrets.
    pub config: Value,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The sealed write-only secrets of its file.
    pub sealed: Option<String>,
}

/// An integration that is installed in an environment, with the changes to its config.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstallRecord {
    pub id: InstallId,
    pub environment_id: EnvironmentId,
    /// The installed integration.
    pub integration_id: IntegrationId,
    /// The slug of the integration.
    pub integration_name: String,
    /// A disabled install refuses calls.
    pub is_enabled: bool,
    /// Whether the connect page offers it.
    pub show_in_catalog: bool,
    /// Whether front Workers may send the calls of its accounts themselves, with a lease of the account's credential.
    #[serde(default)]
    pub edge_calls: bool,
    /// The version: 1, plus 1 with each change.
    pub version: u64,
    /// Changes to the config, and `environment_variables`, without secrets.
    #[serde(rename = "override")]
    pub overrides: Value,
    /// Which entries of the override the admin token wrote: digests of values, by place.
    #[serde(default)]
    pub by_admin_token: Trusted,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The sealed secrets of the override.
    pub sealed: Option<String>,
}

/// The metadata of a link token: what its bearer may connect. Its context is sealed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinkRecord {
    pub id: LinkTokenId,
    pub environment_id: EnvironmentId,
    /// The tenant of the account that it connects.
    pub tenant_id: String,
    /// The account that it reconnects.
    pub integrated_account_id: Option<AccountId>,
    /// The one integration that it offers. Null: the customer chooses.
    pub integration: Option<String>,
    /// Scopes to request instead of the integration's.
    pub scopes: Option<Vec<String>>,
    /// Where the connect result is sent.
    pub redirect_uri: Option<String>,
    /// How the application was named when the link was created.
    #[serde(default)]
    pub application: Option<ApplicationNames>,
    /// The region of a new account.
    pub region: Region,
    /// Whether an account that is reconnected keeps the other values of its context.
    pub persist_previous_context: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
    /// The SHA-256 of the token, in hex.
    pub hash: String,
    /// The sealed context that the account gets.
    pub sealed: Option<String>,
    /// The browser that uses it, once a form was sent.
    #[serde(rename = "use")]
    pub used: Option<LinkUse>,
}

/// The use of a link token by a browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkUse {
    /// The SHA-256 of the browser's secret, in hex.
    pub browser: String,
    pub account: AccountId,
    /// The slug of its integration.
    pub integration: String,
    /// When the form was last sent.
    pub since: Timestamp,
    /// When the account was stored, which spends the link token.
    pub spent_at: Option<Timestamp>,
}

/// What the index of an environment stores of an account: the fields that lists filter by. The rest is in the account's
/// object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountEntry {
    pub id: AccountId,
    /// The tenant of the account.
    pub tenant_id: String,
    /// The install that it was connected through.
    pub environment_integration_id: InstallId,
    /// The slug of its integration.
    pub integration_name: String,
    /// The status of the account.
    pub status: crate::account::status::Status,
    /// A sandbox account refuses writes.
    pub is_sandbox: bool,
    /// The region of its data.
    pub region: Region,
    /// When it was created.
    pub created_at: Timestamp,
    /// The id of the key that its secrets are encrypted with. Absent when it has none.
    #[serde(default)]
    pub sealing_key: Option<String>,
}

/// A subscription to the events of an environment (`/webhook`). Its sealed secrets are `{secret, previous_secret?}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WebhookRecord {
    pub id: WebhookId,
    pub environment_id: EnvironmentId,
    /// The URL that events are delivered to.
    pub target_url: String,
    /// Names of events, exact or with a trailing `*`. Null: all events.
    pub event_types: Option<Vec<String>>,
    /// Since when deliveries are paused. Null: they are sent.
    pub paused_at: Option<Timestamp>,
    /// Since when every delivery has failed.
    pub failing_since: Option<Timestamp>,
    /// Until when deliveries are also signed with the previous secret.
    pub previous_secret_expires_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Its sealed secrets.
    pub sealed: Option<String>,
}

/// An event with a delivery that failed for good, or an event that could not be transformed, as the index of an
/// environment stores it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FailedEvent {
    pub id: EventId,
    /// The name of the event.
    pub event: String,
    /// The subscriptions that did not receive it.
    pub webhook_ids: Vec<WebhookId>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListPage<T> {
    pub result: Vec<T>,
    /// The cursor of the next page. Absent on the last page.
    pub next_cursor: Option<String>,
}

/// The request for one page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageRequest {
    /// The largest number of records.
    pub limit: usize,
    /// The cursor: the page begins after it.
    pub after: Option<String>,
    /// Conditions that all records of the page meet.
    pub filters: Vec<Filter>,
}

/// A condition on one field of a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Filter {
    pub field: String,
    pub comparison: Comparison,
    pub value: FilterValue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// `=`
    Is,
    /// `[gt]`
    Above,
    /// `[gte]`
    From,
    /// `[lt]`
    Below,
    /// `[lte]`
    To,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FilterValue {
    Flag(bool),
    /// Any text. Times have the form in which they are stored.
    Text(String),
}
