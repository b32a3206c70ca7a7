//! How flows talk to the objects: one JSON message, one JSON answer.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::Account;
use crate::connect::outcome::Failure as ConnectFailure;
use crate::error::{Code, Failure};
use crate::flows::records::{
    AccountEntry, EnvironmentRecord, InstallRecord, LinkRecord, LinkUse, Page, TokenRecord,
};
use crate::ids::{AccountId, ApiTokenId, EnvironmentId, InstallId, IntegrationId, LinkTokenId};
use crate::ports::{ObjectFault, ObjectName, Outside, Sees};
use crate::time::Timestamp;

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
pub enum RootAsk {
    /// → [`EnvironmentRecord`]
    CreateEnvironment(EnvironmentRecord),
    /// → `Listed<EnvironmentRecord>`
    ListEnvironments(Page),
    /// → `Option<EnvironmentRecord>`
    FindEnvironment(EnvironmentId),
    /// → [`EnvironmentRecord`]
    ChangeEnvironment(EnvironmentChange),
    /// → null
    DeleteEnvironment(EnvironmentId),
    /// → `Written<IntegrationRecord>`
    SaveIntegration(Saving, IntegrationFile),
    /// Merges a patch into the whole file, secrets included, if the version is this → `Written<IntegrationRecord>`
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
    /// → `Listed<IntegrationRecord>`
    ListIntegrations(Page),
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
}

/// What the `Directory` of an environment is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvironmentAsk {
    /// → `Written<TokenRecord>`
    CreateToken(TokenRecord),
    /// → `Listed<TokenRecord>`
    ListTokens(Page),
    /// By hash → `Option<TokenRecord>`
    FindToken(String),
    /// → `Written<TokenRecord>`: the one that is gone
    DeleteToken(ApiTokenId),
    /// → `Written<InstallRecord>` of the new install, or of the one already there
    CreateInstall(InstallRecord, Value),
    /// → `Written<InstallRecord>`
    ChangeInstall(InstallId, InstallChange),
    /// Refused while accounts are connected through it → `IntegrationId`
    DeleteInstall(InstallId),
    /// → bool
    HasInstallOf(IntegrationId),
    /// → `Option<InstallRecord>`
    FindInstall(InstallId),
    /// → `Listed<InstallRecord>`
    ListInstalls(Page),
    /// → [`LinkRecord`], with the context it brings sealed
    CreateLink(LinkRecord, Value),
    /// → `Listed<LinkRecord>`
    ListLinks(Page),
    /// → [`LinkTokenId`]
    DeleteLink(LinkTokenId),
    /// By hash, for the browser with this secret's hash → [`Link`]
    OpenLink(String, Option<String>),
    /// Binds it to a browser and an account, unless another is → [`Link`]
    BindLink(String, LinkUse),
    /// Adds or changes an account's entry in the index; the link token of this hash is spent by it → null
    IndexAccount(AccountEntry, Option<String>),
    /// Takes an account out of the index → null
    ForgetAccount(AccountId),
    /// → `Listed<AccountEntry>`
    ListAccounts(Page),
    /// Seals its installs, and the accounts after this one, under the first key → [`Resealed`]
    Reseal(Option<String>),
    /// → `BTreeMap<String, u64>`: sealed values per key id
    CountSealed,
    /// Erases the environment's directory if nothing is in it → null
    Close,
}

/// What became of looking a link token up.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// It may be used by this browser; with the context it brings.
    Open(Box<LinkRecord>, Value),
    /// There is none, or it was revoked, is over, or is spent.
    Unknown,
    /// It is spent, and the time to try again is over or another browser's.
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
    /// The integration's config, to check the outcome against.
    pub config: Value,
    /// What the outcome may do with stored secrets.
    pub aim: Aim,
}

/// Whether an override may lead stored secrets of the integration to another host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aim {
    /// The operator may, and so may anybody when there are none.
    Free,
    /// They belong to the operator: who changes where they go brings their own.
    Guarded,
}

/// What an account's object is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountAsk {
    /// Stores a new account with its whole context → [`AccountView`]
    Import(Box<Account>),
    /// → [`AccountView`]
    Get(Sees),
    /// The names of what it keeps secret, the OAuth token apart → `Vec<String>`
    SecretNames(Sees),
    /// → [`AccountView`]
    Change(Sees, AccountChange),
    /// New credentials: merged into the context; where a host changes, no stored secret stays → [`AccountView`]
    Credentials(Sees, Value),
    /// Refreshes its tokens now → null
    Refresh(Sees),
    /// A customer's form → [`Connected`]
    Connect(Box<Connecting>),
    /// A customer comes back from the provider → `Option<Ended>`; nothing where no such login waits
    Callback(Box<CameBack>),
    /// A token of its own, known by its hash until then → null
    IssueToken(Sees, String, Timestamp),
    /// Seals its secrets under the first key → `Option<String>`: the id of the key they rest under
    Reseal,
    /// Erases it → null
    Delete(Sees),
}

/// A customer's form, checked: what to connect, and who waits for the outcome.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Connecting {
    /// The account as a new one would be; of one that is there only the credential's format counts.
    pub account: Account,
    /// Whether it must be there already.
    pub is_again: bool,
    /// The integration's slug.
    pub integration: String,
    /// What the link token and the form bring, secrets included.
    pub context: Value,
    /// Whether what an account had in its context stays.
    pub keeps_context: bool,
    /// Scopes to ask for, instead of the integration's.
    pub scopes: Option<Vec<String>>,
    /// The hash of the link token.
    pub link: String,
    /// Where the provider sends the customer back to.
    pub callback: String,
    /// `state` of the authorization request.
    pub state: String,
    /// SHA-256 of the browser's secret, hex.
    pub browser: String,
    /// Where the outcome is told.
    pub return_to: ReturnTo,
}

/// Where the outcome of connecting is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnTo {
    /// The application's address; nothing: a page of ours.
    pub redirect_uri: Option<String>,
    /// Whether our page is a window that the application has opened.
    pub is_popup: bool,
}

/// How far a customer's form led.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Connected {
    /// To the provider, at this address.
    Redirect(String),
    /// To the end.
    Ended(Ended),
}

/// A customer who comes back from the provider.
#[derive(Debug, Serialize, Deserialize)]
pub struct CameBack {
    /// `state` as it came.
    pub state: String,
    /// SHA-256 of the browser's secret, hex; of nothing where the browser has none.
    pub browser: String,
    /// The integration of the address.
    pub integration: String,
    /// The parameters as they came.
    pub parameters: Vec<(String, String)>,
}

/// How connecting ended.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ended {
    /// The integration's slug.
    pub integration: String,
    /// What it is called.
    pub label: Option<String>,
    /// Its picture.
    pub logo: Option<String>,
    /// The account.
    pub account: AccountId,
    /// Whether it was there before.
    pub is_again: bool,
    /// Where that is told.
    pub return_to: ReturnTo,
    /// What went wrong; nothing: the account is active.
    pub failed: Option<Failed>,
}

/// Why connecting failed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Failed {
    /// Which of the error types.
    pub why: ConnectFailure,
    /// In words, for the developer.
    pub error: String,
    /// The provider's own words, for the customer.
    pub provider: Option<String>,
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
    pub integration_override: Option<Override>,
}

/// A change of the account's own override. A struct, so that a null in it is not nothing.
#[derive(Debug, Serialize, Deserialize)]
pub struct Override {
    /// Merged by the one rule; null takes the override away.
    pub patch: Value,
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

/// A checked write: the record as it now is, for the answer and for the cache of the isolate that asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Written<T> {
    /// The record.
    pub record: T,
    /// Whether it was made by this write.
    pub is_new: bool,
}

/// Asks the root `Directory`.
pub async fn ask_root<T: DeserializeOwned>(
    outside: &impl Outside,
    ask: &RootAsk,
) -> Result<T, Failure> {
    send(outside, ObjectName::Root, ask).await
}

/// Asks the `Directory` of an environment.
pub async fn ask_environment<T: DeserializeOwned>(
    outside: &impl Outside,
    id: EnvironmentId,
    ask: &EnvironmentAsk,
) -> Result<T, Failure> {
    send(outside, ObjectName::Environment(id), ask).await
}

/// Asks an account's object.
pub async fn ask_account<T: DeserializeOwned>(
    outside: &impl Outside,
    id: AccountId,
    ask: &AccountAsk,
) -> Result<T, Failure> {
    send(outside, ObjectName::Account(id), ask).await
}

/// A message to an object.
trait Ask: Serialize {
    /// How long its answer may take.
    fn patience(&self) -> Duration {
        PATIENCE
    }
}

impl Ask for RootAsk {}
impl Ask for EnvironmentAsk {}
impl Ask for AccountAsk {
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
    ask: &impl Ask,
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
