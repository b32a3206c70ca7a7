//! `/api-token`: the token is shown once, only its hash is kept.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::{Answer, created, deleted, environment, listed, pick};
use crate::account::token::{self, Kind};
use crate::api::Desk;
use crate::api::caller::Caller;
use crate::api::query::{Field, Query};
use crate::api::shape;
use crate::crypto;
use crate::error::{Code, Failure};
use crate::flows::base::records::{ListPage, TokenRecord, TokenScope};
use crate::flows::config::config_cache;
use crate::flows::messages::environment::EnvironmentMessage;
use crate::flows::messages::{WriteResult, send_to_environment};
use crate::ids::ApiTokenId;
use crate::json;
use crate::ports::{Incoming, Outside};
use crate::time::Timestamp;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewApiToken")]
pub(in crate::api) struct New {
    environment_id: Option<String>,
    name: String,
    scopes: Option<Vec<TokenScope>>,
    expires_at: Option<Timestamp>,
}

/// What a list is narrowed by.
pub(in crate::api) const FIELDS: [Field; 2] = [Field::text("name"), Field::time("created_at")];

/// Without its hash; `token` stands only in the answer that made it.
pub(in crate::api) const SHOWN: [&str; 6] = [
    "id",
    "environment_id",
    "name",
    "scopes",
    "expires_at",
    "created_at",
];

pub(super) async fn list<O: Outside>(desk: &Desk<'_, O>, caller: &Caller, url: &Url) -> Answer<O> {
    let (query, page) = Query::of_list(url, &["environment_id"], &FIELDS)?;
    let environment = caller.environment(query.get("environment_id"))?;
    let found: ListPage<TokenRecord> = send_to_environment(
        desk.outside,
        environment,
        &EnvironmentMessage::ListTokens(page.clone()),
    )
    .await?;
    Ok(listed(&found, &page, shown))
}

pub(super) async fn create<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    request: Incoming<O::Stream>,
) -> Answer<O> {
    let new: New = shape::read(desk, request.body).await?;
    let environment = environment(caller, &request.url, new.environment_id.as_deref())?;
    let scopes = new.scopes.unwrap_or_else(|| TokenScope::ALL.to_vec());
    check(desk, caller, &new.name, &scopes, new.expires_at)?;
    let ring = desk.outside.settings().keyring()?;
    let token = token::token(ring, Kind::Api, environment, desk.outside.random())?;
    let now = desk.outside.now();
    let record = TokenRecord {
        id: ApiTokenId::new(now, desk.outside.random()),
        environment_id: environment,
        name: new.name,
        scopes,
        expires_at: new.expires_at,
        created_at: now,
        hash: crypto::sha256_hex(token.as_bytes()),
    };
    let written: WriteResult<TokenRecord> = send_to_environment(
        desk.outside,
        environment,
        &EnvironmentMessage::CreateToken(record),
    )
    .await?;
    let mut shown = shown(&written.record);
    json::merge(&mut shown, &json!({ "token": token }));
    let answer = created(&shown);
    config_cache::replace(
        desk.outside,
        desk.isolate,
        &written.record.hash.clone(),
        written.record,
    );
    Ok(answer)
}

pub(super) async fn delete<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    id: &str,
    url: &Url,
) -> Answer<O> {
    let environment = environment(caller, url, None)?;
    let id: ApiTokenId = id.parse().map_err(|_| Failure::not_found("API token"))?;
    let gone: WriteResult<TokenRecord> = send_to_environment(
        desk.outside,
        environment,
        &EnvironmentMessage::DeleteToken(id),
    )
    .await?;
    config_cache::forget::<TokenRecord>(desk.outside, desk.isolate, &gone.record.hash);
    Ok(deleted(&id))
}

/// A token may not mint a wider one.
fn check<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    name: &str,
    scopes: &[TokenScope],
    expires_at: Option<Timestamp>,
) -> Result<(), Failure> {
    if name.trim().is_empty() || name.chars().count() > 100 {
        return Err(Failure::invalid("name", "needs 1 to 100 characters"));
    }
    if scopes.is_empty() {
        return Err(Failure::invalid(
            "scopes",
            "names no scope; leave it out for all of them",
        ));
    }
    if expires_at.is_some_and(|end| end <= desk.outside.now()) {
        return Err(Failure::invalid("expires_at", "is in the past"));
    }
    if scopes.iter().all(|scope| caller.has(*scope)) {
        return Ok(());
    }
    Err(Failure::new(
        Code::Forbidden,
        "A token cannot make one that may do more than itself.",
    ))
}

fn shown(record: &TokenRecord) -> Value {
    pick(record, &SHOWN)
}
