//! `/link-token`: what a customer's browser may connect; the token is shown once, only its hash is kept.

use std::time::Duration;

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
use crate::flows::base::records::{LinkRecord, ListPage};
use crate::flows::lifecycle::create_link::{LinkTarget, NewLink, create_link};
use crate::flows::messages::environment::EnvironmentMessage;
use crate::flows::messages::send_to_environment;
use crate::ids::{LinkTokenId, Region};
use crate::json as words;
use crate::ports::{Incoming, Outside};
use crate::settings::{LINK_CONTEXT_BYTES, LINK_LIFE, LINK_LIFE_MAX, LINK_LIFE_MIN};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewLinkToken")]
pub(in crate::api) struct New {
    environment_id: Option<String>,
    tenant_id: Option<String>,
    integrated_account_id: Option<String>,
    integration: Option<String>,
    scopes: Option<Vec<String>>,
    context: Option<Value>,
    redirect_uri: Option<String>,
    region: Option<Region>,
    persist_previous_context: Option<bool>,
    /// Seconds.
    #[schemars(range(min = 60, max = 604_800))]
    expires_in: Option<u64>,
}

/// What a list is narrowed by.
pub(in crate::api) const FIELDS: [Field; 4] = [
    Field::text("tenant_id"),
    Field::text("integrated_account_id"),
    Field::text("integration"),
    Field::time("created_at"),
];

/// Without hash and secrets; `link_token` stands only in the answer that made it.
pub(in crate::api) const SHOWN: [&str; 11] = [
    "id",
    "environment_id",
    "tenant_id",
    "integrated_account_id",
    "integration",
    "scopes",
    "redirect_uri",
    "region",
    "persist_previous_context",
    "expires_at",
    "created_at",
];

pub(super) async fn create<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    request: Incoming<O::Stream>,
) -> Answer<O> {
    let new: New = shape::read_with_context(desk, request.body, LINK_CONTEXT_BYTES).await?;
    let environment = environment(caller, &request.url, new.environment_id.as_deref())?;
    let aim = aim(new.tenant_id, new.integrated_account_id, new.region)?;
    let life = life(new.expires_in)?;
    let ring = desk.outside.settings().keyring()?;
    let token = token::token(ring, Kind::Link, environment, desk.outside.random())?;
    let new = NewLink {
        aim,
        integration: new.integration,
        scopes: new.scopes,
        context: new.context.unwrap_or_else(|| json!({})),
        redirect_uri: new.redirect_uri,
        persist_previous_context: new.persist_previous_context.unwrap_or(true),
        life,
        hash: crypto::sha256_hex(token.as_bytes()),
    };
    let record = create_link(desk.outside, environment, &caller.sees(), new).await?;
    let url = address(&desk.public_url(&request.url), &record, &token);
    let mut shown = shown(&record);
    words::merge(&mut shown, &json!({ "link_token": token, "url": url }));
    Ok(created(&shown))
}

pub(super) async fn list<O: Outside>(desk: &Desk<'_, O>, caller: &Caller, url: &Url) -> Answer<O> {
    let (query, page) = Query::of_list(url, &["environment_id"], &FIELDS)?;
    let environment = caller.environment(query.get("environment_id"))?;
    let ask = EnvironmentMessage::ListLinks(page.clone());
    let found: ListPage<LinkRecord> = send_to_environment(desk.outside, environment, &ask).await?;
    Ok(listed(&found, &page, shown))
}

pub(super) async fn delete<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    id: &str,
    url: &Url,
) -> Answer<O> {
    let environment = environment(caller, url, None)?;
    let id: LinkTokenId = id.parse().map_err(|_| Failure::not_found("link token"))?;
    let ask = EnvironmentMessage::DeleteLink(id);
    let id: LinkTokenId = send_to_environment(desk.outside, environment, &ask).await?;
    Ok(deleted(&id))
}

/// How long a link token may be used.
fn life(seconds: Option<u64>) -> Result<Duration, Failure> {
    let life = seconds.map_or(LINK_LIFE, Duration::from_secs);
    if (LINK_LIFE_MIN..=LINK_LIFE_MAX).contains(&life) {
        return Ok(life);
    }
    let (least, most) = (LINK_LIFE_MIN.as_secs(), LINK_LIFE_MAX.as_secs());
    let words = format!("needs {least} to {most} seconds; leave it out for a day");
    Err(Failure::invalid("expires_in", words))
}

/// A new account of a tenant, or an account that is there; never both.
fn aim(
    tenant_id: Option<String>,
    account: Option<String>,
    region: Option<Region>,
) -> Result<LinkTarget, Failure> {
    match (tenant_id, account) {
        (Some(_), Some(_)) => Err(Failure::new(
            Code::Malformed,
            "Send tenant_id for a new account or integrated_account_id to connect one again, not both.",
        )),
        (None, None) => Err(Failure::invalid(
            "tenant_id",
            "is required, or integrated_account_id to connect an account again",
        )),
        (Some(tenant_id), None) => Ok(LinkTarget::NewAccount(
            tenant_id,
            region.unwrap_or_default(),
        )),
        (None, Some(_)) if region.is_some() => Err(Failure::invalid(
            "region",
            "cannot be given with integrated_account_id: an account stays where it is",
        )),
        (None, Some(id)) => {
            let hidden = |_| Failure::not_found("integrated account");
            Ok(LinkTarget::Reconnect(id.parse().map_err(hidden)?))
        }
    }
}

/// The page's address at `base`, for this token.
fn address(base: &Url, record: &LinkRecord, token: &str) -> String {
    let mut url = base.clone();
    let path = record.integration.as_deref();
    url.set_path(&path.map_or_else(|| "/connect".to_owned(), |name| format!("/connect/{name}")));
    url.query_pairs_mut().append_pair("link_token", token);
    url.into()
}

fn shown(record: &LinkRecord) -> Value {
    let mut shown = pick(record, &SHOWN);
    let spent_at = record.used.as_ref().and_then(|used| used.spent_at);
    words::merge(&mut shown, &json!({ "is_spent": spent_at.is_some() }));
    shown
}
