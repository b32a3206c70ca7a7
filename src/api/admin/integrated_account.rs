//! `/integrated-account`: connected accounts. Each answers from its own object, in its region.

use futures_util::stream::{self, StreamExt};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::{Deleted, List, PartialError};
use super::call::{AdminCall, JsonBody};
use super::webhook_url;
use crate::account::Status;
use crate::api::path_id::{self, PathId};
use crate::api::query::{Filtered, QueryParameters};
use crate::error::Failure;
use crate::flows::base::records::TokenScope;
use crate::flows::directory::list_accounts::list_accounts;
use crate::flows::lifecycle::import_account::{NewAccount, import_account};
use crate::flows::lifecycle::sftp_login::PresentedHostKey;
use crate::flows::messages::account::{
    AccountChange, AccountMessage, AccountView, LifecycleActions, OverrideChange, PublicAccount,
};
use crate::flows::messages::send_to_account;
use crate::ids::{AccountId, Region};
use crate::ports::{Outside, Visibility};
use crate::settings::CONTEXT_BYTES;

pub(in crate::api) use super::listed_account::ListedAccount;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct NewIntegratedAccount {
    environment_id: Option<String>,
    tenant_id: String,
    environment_integration_id: String,
    context: Value,
    authentication_method: String,
    #[serde(default)]
    region: Region,
    #[serde(default)]
    is_sandbox: bool,
    /// Whether `post_install` and `validation` run. `false`: the account is active at once.
    #[serde(default)]
    #[schemars(with = "bool")]
    run_actions: LifecycleActions,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "IntegratedAccountChange")]
pub(in crate::api) struct AccountPatch {
    tenant_id: Option<String>,
    context: Option<Value>,
    is_sandbox: Option<bool>,
    /// Null removes it.
    #[serde(default, deserialize_with = "present")]
    integration_override: Option<Value>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Credentials")]
pub(in crate::api) struct NewCredentials {
    context: Value,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct NamedAccount {
    id: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct NamedAccounts {
    ids: Vec<String>,
}

/// The account.
#[derive(Serialize, JsonSchema)]
pub(in crate::api) struct IntegratedAccount {
    #[serde(flatten)]
    account: PublicAccount,
    /// The URL for webhooks of its provider; null while no key can sign it.
    webhook_url: Option<String>,
}

/// The account; of it only `id` and `status` for a token without the scope `read`.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub(in crate::api) enum ChangedAccount {
    Readable(Box<IntegratedAccount>),
    Unreadable(AccountState),
}

/// What a token without the scope `read` sees of an account.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ChangedIntegratedAccount")]
pub(in crate::api) struct AccountState {
    id: AccountId,
    status: Status,
}

/// The token is fresh.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub(in crate::api) struct Refreshed {
    #[schemars(extend("const" = true))]
    success: bool,
}

/// The outcome of each account.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub(in crate::api) struct RemovedAccounts {
    result: Vec<RemovedAccount>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct RemovedAccount {
    id: String,
    /// Why it is not deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "PartialError")]
    error: Option<PartialError>,
}

/// A null in the body is kept apart from an absent key.
fn present<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(input).map(Some)
}

/// Accounts that one call may delete.
const MAX_BULK: usize = 1_000;
/// Objects asked at a time.
const AT_ONCE: usize = 24;

pub(in crate::api) async fn list<O: Outside>(
    call: &AdminCall<'_, O>,
) -> Result<List<ListedAccount>, Failure> {
    let others = ["environment_id"];
    let (query, page) = QueryParameters::of_list(&call.url, &others, ListedAccount::FILTERS)?;
    let environment = call.caller.environment(query.get("environment_id"))?;
    let room = &call.context.room;
    let found = list_accounts(call.outside(), environment, page.clone(), room).await?;
    Ok(List::of(found, &page, |account| {
        ListedAccount::show(call, account)
    }))
}

pub(in crate::api) async fn import<O: Outside>(
    call: &AdminCall<'_, O>,
    body: JsonBody<O, NewIntegratedAccount>,
) -> Result<IntegratedAccount, Failure> {
    let new = body.read_with_context(call, CONTEXT_BYTES).await?;
    let environment = call.environment(new.environment_id.as_deref())?;
    let new = NewAccount {
        tenant_id: new.tenant_id,
        install: path_id::parse(&new.environment_integration_id)?,
        context: new.context,
        authentication_method: new.authentication_method,
        region: new.region,
        is_sandbox: new.is_sandbox,
        actions: new.run_actions,
    };
    let view = import_account(call.outside(), environment, new).await?;
    Ok(IntegratedAccount::show(call, view))
}

pub(in crate::api) async fn get<O: Outside>(
    call: &AdminCall<'_, O>,
    id: &PathId<AccountId>,
) -> Result<IntegratedAccount, Failure> {
    let ask = AccountMessage::Get(call.visibility()?);
    let view: AccountView = send_to_account(call.outside(), id.parse()?, &ask).await?;
    Ok(IntegratedAccount::show(call, view))
}

pub(in crate::api) async fn delete<O: Outside>(
    call: &AdminCall<'_, O>,
    id: &PathId<AccountId>,
) -> Result<Deleted<AccountId>, Failure> {
    let ask = AccountMessage::Delete(call.visibility()?);
    let id = id.parse()?;
    change_account::<()>(call, id, &ask).await?;
    Ok(Deleted { id })
}

pub(in crate::api) async fn change<O: Outside>(
    call: &AdminCall<'_, O>,
    id: &PathId<AccountId>,
    body: JsonBody<O, AccountPatch>,
) -> Result<ChangedAccount, Failure> {
    let visibility = call.visibility()?;
    let patch = body.read_with_context(call, CONTEXT_BYTES).await?;
    if patch.integration_override.is_some() || patch.is_sandbox == Some(false) {
        call.caller.must_have(TokenScope::Admin)?;
    }
    let change = AccountChange {
        tenant_id: patch.tenant_id,
        context: patch.context,
        is_sandbox: patch.is_sandbox,
        integration_override: patch.integration_override.map(|patch| OverrideChange {
            patch,
            writer: call.caller.writer(),
        }),
    };
    let ask = AccountMessage::Change(visibility, change);
    let view = change_account(call, id.parse()?, &ask).await?;
    Ok(changed(call, view))
}

pub(in crate::api) async fn replace_credentials<O: Outside>(
    call: &AdminCall<'_, O>,
    id: &PathId<AccountId>,
    body: JsonBody<O, NewCredentials>,
) -> Result<ChangedAccount, Failure> {
    let visibility = call.visibility()?;
    let new = body.read_with_context(call, CONTEXT_BYTES).await?;
    let ask = AccountMessage::Credentials(visibility, new.context);
    let view = change_account(call, id.parse()?, &ask).await?;
    Ok(changed(call, view))
}

pub(in crate::api) async fn host_key<O: Outside>(
    call: &AdminCall<'_, O>,
    id: &PathId<AccountId>,
) -> Result<PresentedHostKey, Failure> {
    let ask = AccountMessage::HostKey(call.visibility()?);
    send_to_account(call.outside(), id.parse()?, &ask).await
}

pub(in crate::api) async fn refresh_credentials<O: Outside>(
    call: &AdminCall<'_, O>,
    body: JsonBody<O, NamedAccount>,
) -> Result<Refreshed, Failure> {
    let ask = AccountMessage::Refresh(call.visibility()?);
    let named = body.read(call).await?;
    change_account::<()>(call, path_id::parse(&named.id)?, &ask).await?;
    Ok(Refreshed { success: true })
}

/// An id that is not found does not keep the others.
pub(in crate::api) async fn delete_all<O: Outside>(
    call: &AdminCall<'_, O>,
    body: JsonBody<O, NamedAccounts>,
) -> Result<RemovedAccounts, Failure> {
    let visibility = call.visibility()?;
    let named = body.read(call).await?;
    if named.ids.len() > MAX_BULK {
        return Err(Failure::invalid(
            "ids",
            format!("names more than {MAX_BULK} accounts"),
        ));
    }
    let deletions = stream::iter(named.ids).map(|id| delete_one(call, visibility.clone(), id));
    let result = deletions.buffered(AT_ONCE).collect().await;
    Ok(RemovedAccounts { result })
}

async fn delete_one<O: Outside>(
    call: &AdminCall<'_, O>,
    visibility: Visibility,
    id: String,
) -> RemovedAccount {
    let ask = AccountMessage::Delete(visibility);
    let deleted = match path_id::parse(&id) {
        Ok(account) => change_account::<()>(call, account, &ask).await,
        Err(failure) => Err(failure),
    };
    let error = deleted.err().as_ref().map(PartialError::from);
    RemovedAccount { id, error }
}

/// Sends a change to the account's object. This isolate's leases of the account end, also if the outcome is unknown.
async fn change_account<T: DeserializeOwned>(
    call: &AdminCall<'_, impl Outside>,
    id: AccountId,
    message: &AccountMessage,
) -> Result<T, Failure> {
    let outcome = send_to_account(call.outside(), id, message).await;
    call.context.leases.end(id);
    outcome
}

/// The account after a change: a token that may not read it learns no more by changing it.
fn changed<O: Outside>(call: &AdminCall<'_, O>, view: AccountView) -> ChangedAccount {
    if call.caller.has(TokenScope::Read) {
        let account = IntegratedAccount::show(call, view);
        return ChangedAccount::Readable(Box::new(account));
    }
    ChangedAccount::Unreadable(AccountState {
        id: view.account.id,
        status: view.account.status,
    })
}

impl IntegratedAccount {
    /// The account as every answer to a backend shows it; the object has removed the secrets.
    pub(super) fn show<O: Outside>(call: &AdminCall<'_, O>, view: AccountView) -> Self {
        Self {
            webhook_url: webhook_url::of_account(call, view.account.id),
            account: view.public(),
        }
    }
}
