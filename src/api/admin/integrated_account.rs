//! `/integrated-account`: connected accounts. Each answers from its own object, in its region.

use futures_util::stream::{self, StreamExt};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::account_in_list::in_list;
use super::webhook_url::WebhookUrls;
use super::{Answer, created, deleted, environment, ok};
use crate::api::Desk;
use crate::api::caller::Caller;
use crate::api::query::{Field, Query, cursor};
use crate::api::shape;
use crate::error::Failure;
use crate::flows::base::records::TokenScope;
use crate::flows::directory::list_accounts::list_accounts;
use crate::flows::lifecycle::import_account::{NewAccount, import_account};
use crate::flows::messages::account::{AccountChange, AccountMessage, AccountView, OverrideChange};
use crate::flows::messages::send_to_account;
use crate::ids::{AccountId, Region};
use crate::ports::{Incoming, Outside, Sees};
use crate::settings::CONTEXT_BYTES;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewIntegratedAccount")]
pub(in crate::api) struct New {
    environment_id: Option<String>,
    tenant_id: String,
    environment_integration_id: String,
    context: Value,
    authentication_method: String,
    #[serde(default)]
    region: Region,
    #[serde(default)]
    is_sandbox: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "IntegratedAccountChange")]
pub(in crate::api) struct Change {
    tenant_id: Option<String>,
    context: Option<Value>,
    is_sandbox: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    integration_override: Option<Value>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Credentials")]
pub(in crate::api) struct Credentials {
    context: Value,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NamedAccount")]
pub(in crate::api) struct Named {
    id: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NamedAccounts")]
pub(in crate::api) struct ManyNamed {
    ids: Vec<String>,
}

/// A null that is there is something else than nothing.
fn present<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(input).map(Some)
}

/// Accounts one call may delete.
const MAX_BULK: usize = 1_000;
/// Objects asked at a time.
const AT_ONCE: usize = 24;

/// What a list is narrowed by.
pub(in crate::api) const FIELDS: [Field; 7] = [
    Field::text("tenant_id"),
    Field::text("status"),
    Field::flag("is_sandbox"),
    Field::text("integration.name").stored_as("integration_name"),
    Field::text("environment_integration_id"),
    Field::text("region"),
    Field::time("created_at"),
];

pub(super) async fn list<O: Outside>(desk: &Desk<'_, O>, caller: &Caller, url: &Url) -> Answer<O> {
    let (query, page) = Query::of_list(url, &["environment_id"], &FIELDS)?;
    let environment = caller.environment(query.get("environment_id"))?;
    let found = list_accounts(desk.outside, environment, page.clone(), &desk.room).await?;
    let urls = WebhookUrls::at(desk, url);
    let result: Vec<_> = found
        .result
        .iter()
        .map(|account| in_list(&urls, account))
        .collect();
    Ok(ok(
        &json!({ "result": result, "next_cursor": found.next_cursor.as_deref().map(cursor), "limit": page.limit }),
    ))
}

pub(super) async fn import<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    request: Incoming<O::Stream>,
) -> Answer<O> {
    let new: New = shape::read_with_context(desk, request.body, CONTEXT_BYTES).await?;
    let environment = environment(caller, &request.url, new.environment_id.as_deref())?;
    let install = new
        .environment_integration_id
        .parse()
        .map_err(|_| Failure::not_found("environment integration"))?;
    let new = NewAccount {
        tenant_id: new.tenant_id,
        install,
        context: new.context,
        authentication_method: new.authentication_method,
        region: new.region,
        is_sandbox: new.is_sandbox,
    };
    let view = import_account(desk.outside, environment, new).await?;
    let urls = WebhookUrls::at(desk, &request.url);
    Ok(created(&shown(&urls, &view)))
}

pub(super) async fn get<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    id: &str,
    url: &Url,
) -> Answer<O> {
    let sees = sees(caller, url)?;
    let view: AccountView =
        send_to_account(desk.outside, parse(id)?, &AccountMessage::Get(sees)).await?;
    Ok(ok(&shown(&WebhookUrls::at(desk, url), &view)))
}

pub(super) async fn delete<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    id: &str,
    url: &Url,
) -> Answer<O> {
    let sees = sees(caller, url)?;
    let id = parse(id)?;
    send_to_account::<()>(desk.outside, id, &AccountMessage::Delete(sees)).await?;
    Ok(deleted(&id))
}

pub(super) async fn change<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    id: &str,
    request: Incoming<O::Stream>,
) -> Answer<O> {
    let sees = sees(caller, &request.url)?;
    let change: Change = shape::read_with_context(desk, request.body, CONTEXT_BYTES).await?;
    if change.integration_override.is_some() {
        caller.must_have(TokenScope::Admin)?;
    }
    if change.is_sandbox == Some(false) {
        caller.must_have(TokenScope::Admin)?;
    }
    let change = AccountChange {
        tenant_id: change.tenant_id,
        context: change.context,
        is_sandbox: change.is_sandbox,
        integration_override: change.integration_override.map(|patch| OverrideChange {
            patch,
            writer: caller.writer(),
        }),
    };
    let view: AccountView = send_to_account(
        desk.outside,
        parse(id)?,
        &AccountMessage::Change(sees, change),
    )
    .await?;
    let urls = WebhookUrls::at(desk, &request.url);
    Ok(ok(&changed(caller, &urls, &view)))
}

pub(super) async fn replace_credentials<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    id: &str,
    request: Incoming<O::Stream>,
) -> Answer<O> {
    let sees = sees(caller, &request.url)?;
    let new: Credentials = shape::read_with_context(desk, request.body, CONTEXT_BYTES).await?;
    let view: AccountView = send_to_account(
        desk.outside,
        parse(id)?,
        &AccountMessage::Credentials(sees, new.context),
    )
    .await?;
    let urls = WebhookUrls::at(desk, &request.url);
    Ok(ok(&changed(caller, &urls, &view)))
}

pub(super) async fn refresh_credentials<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    request: Incoming<O::Stream>,
) -> Answer<O> {
    let sees = sees(caller, &request.url)?;
    let named: Named = shape::read(desk, request.body).await?;
    send_to_account::<()>(
        desk.outside,
        parse(&named.id)?,
        &AccountMessage::Refresh(sees),
    )
    .await?;
    Ok(ok(&json!({ "success": true })))
}

/// Each id for itself: one that is not there does not keep the others.
pub(super) async fn delete_all<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    request: Incoming<O::Stream>,
) -> Answer<O> {
    let sees = sees(caller, &request.url)?;
    let named: ManyNamed = shape::read(desk, request.body).await?;
    if named.ids.len() > MAX_BULK {
        return Err(Failure::invalid(
            "ids",
            format!("names more than {MAX_BULK} accounts"),
        ));
    }
    let deletions = stream::iter(named.ids).map(|id| delete_one(desk, sees.clone(), id));
    let result: Vec<Value> = deletions.buffered(AT_ONCE).collect().await;
    Ok(ok(&json!({ "result": result })))
}

async fn delete_one<O: Outside>(desk: &Desk<'_, O>, sees: Sees, id: String) -> Value {
    let deleted = match parse(&id) {
        Ok(account) => {
            send_to_account::<()>(desk.outside, account, &AccountMessage::Delete(sees)).await
        }
        Err(failure) => Err(failure),
    };
    match deleted {
        Ok(()) => json!({ "id": id }),
        Err(failure) => {
            json!({ "id": id, "error": { "code": failure.code, "message": failure.message } })
        }
    }
}

/// What of the accounts a caller may see; the admin token may name an environment, or leave it open, for
/// an id says enough.
pub(super) fn sees(caller: &Caller, url: &Url) -> Result<Sees, Failure> {
    let query = Query::read(url, &["environment_id"])?;
    match query.get("environment_id") {
        None => Ok(caller.sees()),
        Some(named) => caller.environment(Some(named)).map(Sees::Environment),
    }
}

pub(super) fn parse(id: &str) -> Result<AccountId, Failure> {
    id.parse()
        .map_err(|_| Failure::not_found("integrated account"))
}

/// The account after a change: who may not read it learns no more by changing it.
fn changed(caller: &Caller, urls: &WebhookUrls<'_, impl Outside>, view: &AccountView) -> Value {
    if caller.has(TokenScope::Read) {
        shown(urls, view)
    } else {
        view.shown_in_short()
    }
}

/// The account as every answer to a backend shows it; the object has taken the secrets out.
pub(super) fn shown(urls: &WebhookUrls<'_, impl Outside>, view: &AccountView) -> Value {
    urls.of_account(view.account.id, view.shown())
}
