//! The records the truth is kept in, and which KV holds copies of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::reserved::Trusted;
use crate::ids::{
    AccountId, ApiTokenId, EnvironmentId, EventId, InstallId, IntegrationId, LinkTokenId, Region,
    WebhookId,
};
use crate::time::Timestamp;

/// An environment: what its tokens see is separate from all others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnvironmentRecord {
    /// Its id, which names its `Directory`.
    pub id: EnvironmentId,
    /// Unique.
    pub name: String,
    /// Where it lives.
    pub region: Region,
    /// Where a connect result may be sent; empty: any https origin.
    pub allowed_redirect_origins: Vec<String>,
    /// What customers are shown of the application on connect pages.
    #[serde(flatten)]
    pub application: ApplicationNames,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// How an application shows itself to its customers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApplicationNames {
    /// What it is called.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Its logo, an https URL.
    #[serde(default)]
    pub logo_url: Option<String>,
}

/// What an API token may do.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, PartialOrd, Ord, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum TokenScope {
    /// Admin reads.
    Read,
    /// The data plane.
    Proxy,
    /// Link tokens and imports.
    Connect,
    /// The whole environment.
    Admin,
}

impl TokenScope {
    /// All of them: the default of a new token.
    pub const ALL: [Self; 4] = [Self::Read, Self::Proxy, Self::Connect, Self::Admin];
}

/// An API token without the token: only its hash is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// Its id.
    pub id: ApiTokenId,
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<TokenScope>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// SHA-256 of the token, hex.
    pub hash: String,
}

/// An integration: the public half of its file, its write-only secrets sealed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntegrationRecord {
    /// Its id.
    pub id: IntegrationId,
    /// The slug used in URLs; unique.
    pub name: String,
    /// A word to sort it by.
    pub category: Option<String>,
    /// Not finished yet.
    pub is_beta: bool,
    /// 1, then one more with each change.
    pub version: u64,
    /// The `config` of its file, without write-only secrets.
    pub config: Value,
    /// When it was stored first.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// The write-only secrets of its file, sealed.
    pub sealed: Option<String>,
}

/// An integration installed in an environment, with its changes to the config.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstallRecord {
    /// Its id.
    pub id: InstallId,
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// What is installed.
    pub integration_id: IntegrationId,
    /// Its slug.
    pub integration_name: String,
    /// A disabled install refuses calls.
    pub is_enabled: bool,
    /// Whether the connect page offers it.
    pub show_in_catalog: bool,
    /// 1, then one more with each change.
    pub version: u64,
    /// Changes to the config, and `environment_variables`; without secrets.
    #[serde(rename = "override")]
    pub overrides: Value,
    /// What the admin token wrote of the override: digests of values, by place.
    #[serde(default)]
    pub by_admin_token: Trusted,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// The secrets of the override, sealed.
    pub sealed: Option<String>,
}

/// A link token without the token: what its bearer may connect. The context it brings is sealed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinkRecord {
    /// Its id.
    pub id: LinkTokenId,
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// Whose account it connects: a new one's.
    pub tenant_id: String,
    /// The account it connects again.
    pub integrated_account_id: Option<AccountId>,
    /// The one integration it is for; nothing: the customer chooses.
    pub integration: Option<String>,
    /// Scopes to ask for, instead of the integration's.
    pub scopes: Option<Vec<String>>,
    /// Where the result is sent.
    pub redirect_uri: Option<String>,
    /// How the environment's application showed itself when the link was made.
    #[serde(default)]
    pub application: Option<ApplicationNames>,
    /// Where a new account shall live.
    pub region: Region,
    /// Whether what an account had in its context stays when it is connected again.
    pub persist_previous_context: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// SHA-256 of the token, hex.
    pub hash: String,
    /// The context it brings, sealed.
    pub sealed: Option<String>,
    /// Who uses it, once a form was sent.
    #[serde(rename = "use")]
    pub used: Option<LinkUse>,
}

/// A link token in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkUse {
    /// SHA-256 of the browser's secret, hex.
    pub browser: String,
    /// The account that is being connected.
    pub account: AccountId,
    /// Its integration's slug.
    pub integration: String,
    /// When the form was sent last.
    pub since: Timestamp,
    /// When the account was stored.
    pub spent_at: Option<Timestamp>,
}

/// What the index of an environment knows of an account: what lists filter by. The rest is in its object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountEntry {
    /// The account.
    pub id: AccountId,
    /// Whose it is.
    pub tenant_id: String,
    /// The install it was connected through.
    pub environment_integration_id: InstallId,
    /// Its integration's slug.
    pub integration_name: String,
    /// Where it stands.
    pub status: crate::account::status::Status,
    /// A sandbox account refuses writes.
    pub is_sandbox: bool,
    /// Where it lives.
    pub region: Region,
    /// When it was stored.
    pub created_at: Timestamp,
    /// The id of the key its secrets rest under; nothing when it has none.
    #[serde(default)]
    pub sealing_key: Option<String>,
}

/// A subscription to the events of an environment (`/webhook`). Its secrets are sealed: `{secret, previous_secret?}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WebhookRecord {
    /// Its id.
    pub id: WebhookId,
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// Where events are delivered.
    pub target_url: String,
    /// Names of events, exact or with a trailing `*`; nothing: all.
    pub event_types: Option<Vec<String>>,
    /// Since when its events wait; nothing: they go out.
    pub paused_at: Option<Timestamp>,
    /// Since when every delivery fails.
    pub failing_since: Option<Timestamp>,
    /// Until when the secret before the present one signs, too.
    pub previous_secret_expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// Its secrets, sealed.
    pub sealed: Option<String>,
}

/// A delivery that failed for good, or an event that could not be transformed, as the index of an environment knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FailedEvent {
    /// The event.
    pub id: EventId,
    /// What happened.
    pub event: String,
    /// The subscriptions it did not reach.
    pub webhook_ids: Vec<WebhookId>,
    /// When it was stored.
    pub created_at: Timestamp,
}

/// A piece of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListPage<T> {
    /// The records, oldest first.
    pub result: Vec<T>,
    /// Where to go on; absent at the end.
    pub next_cursor: Option<String>,
}

/// Which piece of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageRequest {
    /// At most so many.
    pub limit: usize,
    /// After this id.
    pub after: Option<String>,
    /// Only records that fit all of these.
    pub filters: Vec<Filter>,
}

/// A condition on one field of a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Filter {
    /// The field's key in the record.
    pub field: String,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what.
    pub value: FilterValue,
}

/// How a field is compared.
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

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FilterValue {
    /// True or false.
    Flag(bool),
    /// Any text; times in the one form they are stored in.
    Text(String),
}
