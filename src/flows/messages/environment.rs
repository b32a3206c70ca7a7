//! The messages to the `Directory` of an environment.

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
use crate::oauth::RegisteredClient;
use crate::time::Timestamp;

/// The messages to the `Directory` of an environment.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvironmentMessage {
    /// → `WriteResult<TokenRecord>`
    CreateToken(TokenRecord),
    /// → `ListPage<TokenRecord>`
    ListTokens(PageRequest),
    /// By hash → `Option<TokenRecord>`
    FindToken(String),
    /// → `WriteResult<TokenRecord>`: the deleted token
    DeleteToken(ApiTokenId),
    /// → `WriteResult<InstallRecord>` of the new install, or of the existing one
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
    /// → [`LinkRecord`], its context sealed
    CreateLink(LinkRecord, Value),
    /// → `ListPage<LinkRecord>`
    ListLinks(PageRequest),
    /// → [`LinkTokenId`]
    DeleteLink(LinkTokenId),
    /// By hash, for the browser with this hash of its secret → [`LinkState`]
    OpenLink(String, Option<String>),
    /// Binds it to a browser and an account, unless it is bound to another → [`LinkState`]
    BindLink(String, LinkUse),
    /// Adds or changes an account's entry in the index, and spends the link token of this hash → null
    IndexAccount(AccountEntry, Option<String>, Lookup),
    /// The accounts of an install that have one of these values under a key of their context → `Option<BTreeMap<String,
    /// Vec<AccountId>>>`; `None` while the index is being rebuilt
    FindAccounts(InstallId, String, Vec<String>),
    /// Removes an account from the index → null
    ForgetAccount(AccountId),
    /// → `ListPage<AccountEntry>`
    ListAccounts(PageRequest),
    /// → [`WebhookRecord`], its secrets sealed
    CreateWebhook(WebhookRecord, Value),
    /// → `ListPage<WebhookRecord>`
    ListWebhooks(PageRequest),
    /// → `Option<WebhookRecord>`
    FindWebhook(WebhookId),
    /// → [`WebhookRecord`]
    ChangeWebhook(WebhookId, WebhookChange),
    /// A new secret. The old one also signs for a day → [`WebhookRecord`]
    RotateWebhookSecret(WebhookId, String),
    /// → [`WebhookId`]
    DeleteWebhook(WebhookId),
    /// All subscriptions, also paused ones → `Vec<WebhookRecord>`
    Webhooks,
    /// A retry failed. After five days without a successful delivery the subscription is paused → null
    NoteFailing(WebhookId, Timestamp),
    /// A receiver unsubscribed (410): the subscription is paused → null
    NoteGone(WebhookId, Timestamp),
    /// A delivery succeeded → null
    NoteWorking(WebhookId),
    /// Notes an account whose deliveries wait for a paused subscription, to wake it later → bool: whether it is paused
    NoteWaiting(WebhookId, AccountId),
    /// Notes events that are `failed` → null
    NoteFailed(Vec<FailedEvent>),
    /// Removes events that are no longer failed → null
    ForgetFailed(Vec<EventId>),
    /// → `ListPage<FailedEvent>`, newest first
    ListFailed(PageRequest),
    /// The accounts with failed events of a range → `Vec<AccountId>`
    FailedAccounts(ReplayRange),
    /// Seals its records, and the accounts after this one, with the first key → [`Resealed`](super::Resealed)
    Reseal(Option<String>),
    /// → `BTreeMap<String, u64>`: sealed values per key id
    CountSealed,
    /// Erases the directory of the environment if it is empty → null
    Close,
    #[serde(untagged)]
    Clients(ClientMessage),
}

/// The messages about clients that are registered at servers (RFC 7591).
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientMessage {
    /// Asks for the registered client of this key, or for the right to register it → [`ClientClaim`]
    ClaimClient(String),
    /// Stores a client that was registered under this claim, for an install → null
    StoreClient(InstallId, ClientKey, Box<RegisteredClient>),
    /// Gives a claim up → null
    ReleaseClient(ClientKey),
    /// Forgets a client that its server no longer knows → null
    ForgetClient(String, String),
}

/// The registration of a client, and who registers it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClientKey {
    /// A digest of the install, the server and the client's metadata.
    pub key: String,
    /// The claim that [`ClientClaim::Claimed`] gave.
    pub claim: String,
}

/// What is there of a client.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientClaim {
    /// It is registered.
    Registered(Box<RegisteredClient>),
    /// The sender registers it, under this claim.
    Claimed(String),
    /// Another login registers it now.
    Busy,
}

/// The lookup key and value of an account, by which an install's webhooks find it. Only a keyed hash of the value is
/// stored.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookup {
    pub field: Option<String>,
    /// The value under that key.
    pub value: Option<String>,
}

/// The key and value by which a webhook was matched to an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookupMatch {
    pub field: String,
    /// The value under that key.
    pub value: String,
}

/// The state of a link token for a browser.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// This browser may use it; with the context that the account gets.
    Open(Box<LinkRecord>, Value),
    /// It does not exist, was revoked, or has expired.
    Unknown,
    /// It is spent, and this browser may not try again, or no longer.
    Spent,
    /// Another browser uses it.
    OtherBrowser,
}

/// A change of an install. What is absent stays.
#[derive(Debug, Serialize, Deserialize)]
pub struct InstallChange {
    pub is_enabled: Option<bool>,
    pub show_in_catalog: Option<bool>,
    pub edge_calls: Option<bool>,
    /// Merged into its override (RFC 7396).
    pub overrides: Option<Value>,
    /// The integration, to check the result against.
    pub integration: IntegrationRecord,
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
