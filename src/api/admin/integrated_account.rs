//! `/integrated-account`: connected accounts. Each answers from its own object, in its region.

use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::{Answer, created, deleted, ok, pick};
use crate::api::Desk;
use crate::api::caller::Caller;
use crate::api::query::{Query, cursor};
use crate::api::shape;
use crate::error::Failure;
use crate::flows::ask::{AccountAsk, AccountFilter, AccountView, ask_account};
use crate::flows::import_account::{NewAccount, import_account};
use crate::flows::list_accounts::list_accounts;
use crate::ids::{AccountId, EnvironmentId, Region};
use crate::ports::{Incoming, Outside};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
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

pub(super) async fn list<O: Outside>(desk: &Desk<'_, O>, caller: &Caller, url: &Url) -> Answer<O> {
    let query = Query::read(
        url,
        &["limit", "next_cursor", "environment_id", "tenant_id"],
    )?;
    let environment = caller.environment(query.get("environment_id"))?;
    let page = query.page()?;
    let filter = AccountFilter {
        tenant_id: query.get("tenant_id").map(str::to_owned),
    };
    let found = list_accounts(desk.outside, environment, filter, page.clone()).await?;
    let result: Vec<_> = found.result.iter().map(shown).collect();
    Ok(ok(
        &json!({ "result": result, "next_cursor": found.next_cursor.as_deref().map(cursor), "limit": page.limit }),
    ))
}

pub(super) async fn import<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    request: Incoming<O::Stream>,
) -> Answer<O> {
    let query = Query::read(&request.url, &["environment_id"])?;
    let new: New = shape::read(request.body).await?;
    let environment = caller.environment(
        new.environment_id
            .as_deref()
            .or(query.get("environment_id")),
    )?;
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
    Ok(created(&shown(&view)))
}

pub(super) async fn get<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    id: &str,
    url: &Url,
) -> Answer<O> {
    let environment_id = may_see(caller, url)?;
    let view: AccountView = ask_account(
        desk.outside,
        parse(id)?,
        &AccountAsk::Get { environment_id },
    )
    .await?;
    Ok(ok(&shown(&view)))
}

pub(super) async fn delete<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    id: &str,
    url: &Url,
) -> Answer<O> {
    let environment_id = may_see(caller, url)?;
    let id = parse(id)?;
    ask_account::<()>(desk.outside, id, &AccountAsk::Delete { environment_id }).await?;
    Ok(deleted(&id))
}

/// The environment an account must be of; the admin token may leave it open, for the id says enough.
fn may_see(caller: &Caller, url: &Url) -> Result<Option<EnvironmentId>, Failure> {
    let query = Query::read(url, &["environment_id"])?;
    match query.get("environment_id") {
        None => Ok(caller.sees()),
        Some(named) => caller.environment(Some(named)).map(Some),
    }
}

fn parse(id: &str) -> Result<AccountId, Failure> {
    id.parse()
        .map_err(|_| Failure::not_found("integrated account"))
}

/// The account as every answer shows it; the object has taken the secrets out.
fn shown(view: &AccountView) -> Value {
    let keys = [
        "id",
        "tenant_id",
        "environment_id",
        "environment_integration_id",
        "context",
        "status",
        "authentication_method",
        "region",
        "is_sandbox",
        "last_error",
        "last_action_run_result",
        "last_forbidden_error",
        "integration_override",
        "created_at",
        "updated_at",
    ];
    let mut shown = pick(&view.account, &keys);
    if let Value::Object(fields) = &mut shown {
        fields.insert(
            "integration".to_owned(),
            pick(&view.integration, &["id", "name", "category", "is_beta"]),
        );
    }
    shown
}
