//! What the `Directory` of an environment is asked.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::binding::Bound;
use crate::flows::base::records::{
    AccountEntry, FailedEvent, InstallRecord, IntegrationRecord, LinkRecord, LinkUse, PageRequest,
    TokenRecord, WebhookRecord,
};
use crate::flows::messages::event::{ReplayRange, WebhookChange};
use crate::ids::{
    AccountId, ApiTokenId, EventId, InstallId, IntegrationId, LinkTokenId, WebhookId,
};
use crate::time::Timestamp;

/// What the `Directory` of an environment is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvironmentMessage {
    /// → `WriteResult<TokenRecord>`
    CreateToken(TokenRecord),
    /// → `ListPage<TokenRecord>`
    ListTokens(PageRequest),
    /// By hash → `Option<TokenRecord>`
    FindToken(String),
    /// → `WriteResult<TokenRecord>`: the one that is gone
    DeleteToken(ApiTokenId),
    /// → `WriteResult<InstallRecord>` of the new install, or of the one already there
    CreateInstall(InstallRecord, Bound),
    /// → `WriteResult<InstallRecord>`
    ChangeInstall(InstallId, InstallChange),
    /// Refused while accounts are connected through it → `IntegrationId`
    DeleteInstall(InstallId),
    /// → bool
    HasInstallOf(IntegrationId),
    /// → `Option<InstallRecord>`
    FindInstall(InstallId),
    /// → `ListPage<InstallRecord>`
    ListInstalls(PageRequest),
    /// → [`LinkRecord`], with the context it brings sealed
    CreateLink(LinkRecord, Value),
    /// → `ListPage<LinkRecord>`
    ListLinks(PageRequest),
    /// → [`LinkTokenId`]
    DeleteLink(LinkTokenId),
    /// By hash, for the browser with this secret's hash → [`LinkState`]
    OpenLink(String, Option<String>),
    /// Binds it to a browser and an account, unless another is → [`LinkState`]
    BindLink(String, LinkUse),
    /// Adds or changes an account's entry in the index; the link token of this hash is spent by it → null
    IndexAccount(AccountEntry, Option<String>, Lookup),
    /// The accounts of an install that have one of these values under a key of their context →
    /// `Option<BTreeMap<String, Vec<AccountId>>>`; nothing: the index is not current
    FindAccounts(InstallId, String, Vec<String>),
    /// Takes an account out of the index → null
    ForgetAccount(AccountId),
    /// → `ListPage<AccountEntry>`
    ListAccounts(PageRequest),
    /// → [`WebhookRecord`], with its secrets sealed
    CreateWebhook(WebhookRecord, Value),
    /// → `ListPage<WebhookRecord>`
    ListWebhooks(PageRequest),
    /// → `Option<WebhookRecord>`
    FindWebhook(WebhookId),
    /// → [`WebhookRecord`]
    ChangeWebhook(WebhookId, WebhookChange),
    /// A new secret; the old one signs, too, for a day → [`WebhookRecord`]
    RotateWebhookSecret(WebhookId, String),
    /// → [`WebhookId`]
    DeleteWebhook(WebhookId),
    /// All of them, paused ones too → `Vec<WebhookRecord>`
    Webhooks,
    /// A delivery failed once more, long after its first try; pauses it after five days without any that did not → null
    NoteFailing(WebhookId, Timestamp),
    /// A receiver wants no more events (410): the subscription is paused → null
    NoteGone(WebhookId, Timestamp),
    /// A delivery arrived → null
    NoteWorking(WebhookId),
    /// An account's events wait for a paused subscription; it is woken when they may go → bool: whether it is paused
    NoteWaiting(WebhookId, AccountId),
    /// Events are `failed` now → null
    NoteFailed(Vec<FailedEvent>),
    /// Events no longer are → null
    ForgetFailed(Vec<EventId>),
    /// → `ListPage<FailedEvent>`, newest first
    ListFailed(PageRequest),
    /// The accounts with failed events of a range → `Vec<AccountId>`
    FailedAccounts(ReplayRange),
    /// Seals its installs, and the accounts after this one, under the first key → [`Resealed`](super::Resealed)
    Reseal(Option<String>),
    /// → `BTreeMap<String, u64>`: sealed values per key id
    CountSealed,
    /// Erases the environment's directory if nothing is in it → null
    Close,
}

/// By what an install's webhooks find an account. Only a keyed hash of the value is stored.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookup {
    /// The key of its context.
    pub field: Option<String>,
    /// What it has there.
    pub value: Option<String>,
}

/// By what an account was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookupMatch {
    /// The key of its context.
    pub field: String,
    /// What it had there.
    pub value: String,
}

/// What became of looking a link token up.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// It may be used by this browser; with the context it brings.
    Open(Box<LinkRecord>, Value),
    /// There is none, or it was revoked, has expired, or is spent.
    Unknown,
    /// It is spent, and the time to try again has ended or is another browser's.
    Spent,
    /// It is in use in another browser.
    OtherBrowser,
}

/// A change of an install; what is absent stays.
#[derive(Debug, Serialize, Deserialize)]
pub struct InstallChange {
    /// Whether it takes calls.
    pub is_enabled: Option<bool>,
    /// Whether the connect page offers it.
    pub show_in_catalog: Option<bool>,
    /// Merged into its override by the one rule.
    pub overrides: Option<Value>,
    /// The integration, to check the outcome against.
    pub integration: IntegrationRecord,
    /// Who writes it.
    pub writer: Writer,
}

/// Who writes an override.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Writer {
    /// The operator, by the admin token.
    AdminToken,
    /// An environment, by an API token.
    ApiToken,
}
