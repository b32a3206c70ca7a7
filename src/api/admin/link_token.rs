//! `/link-token`: what a customer's browser may connect; the token is shown once, only its hash is kept.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use super::call::{AdminCall, JsonBody};
use super::noun::{Deletable, Noun};
use crate::account::token::{self, TokenKind};
use crate::api::query::{FilterField, Filtered};
use crate::crypto;
use crate::error::{Code, Failure};
use crate::flows::base::records::{LinkRecord, PageRequest};
use crate::flows::base::view::view;
use crate::flows::lifecycle::create_link::{LinkTarget, NewLink, create_link};
use crate::flows::messages::environment::EnvironmentMessage;
use crate::ids::{AccountId, EnvironmentId, LinkTokenId, Region};
use crate::ports::Outside;
use crate::settings::{LINK_CONTEXT_BYTES, LINK_LIFE, LINK_LIFE_MAX, LINK_LIFE_MIN};
use crate::time::Timestamp;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct NewLinkToken {
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

view! {
    /// The public fields of a link token.
    LinkTokenFields of LinkRecord {
        id: LinkTokenId,
        environment_id: EnvironmentId,
        /// The customer whose account it connects.
        tenant_id: String,
        /// The account it connects again.
        integrated_account_id: Option<AccountId>,
        /// The one integration it is for; null: the customer chooses.
        integration: Option<String>,
        /// Scopes to ask for, instead of the integration's.
        scopes: Option<Vec<String>>,
        /// Where the result is sent.
        redirect_uri: Option<String>,
        /// Where a new account shall live.
        region: Region,
        /// Whether what an account had in its context stays when it is connected again.
        persist_previous_context: bool,
        expires_at: Timestamp,
        created_at: Timestamp,
    } hides { application: _, hash: _, sealed: _, used: _ }
}

/// A link token, without the token.
#[derive(Serialize, JsonSchema)]
pub(in crate::api) struct LinkToken {
    #[serde(flatten)]
    record: LinkTokenFields,
    /// Whether an account was connected by it.
    is_spent: bool,
}

impl From<LinkRecord> for LinkToken {
    fn from(record: LinkRecord) -> Self {
        let spent_at = record.used.as_ref().and_then(|used| used.spent_at);
        Self {
            record: record.into(),
            is_spent: spent_at.is_some(),
        }
    }
}

/// The only answer that shows the token.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MadeLinkToken")]
pub(in crate::api) struct LinkTokenCreated {
    #[serde(flatten)]
    record: LinkToken,
    link_token: String,
    /// The page for the customer.
    url: String,
}

impl Filtered for LinkToken {
    const FILTERS: &'static [FilterField] = &[
        FilterField::text("tenant_id"),
        FilterField::text("integrated_account_id"),
        FilterField::text("integration"),
        FilterField::time("created_at"),
    ];
}

impl Noun for LinkToken {
    type Record = LinkRecord;
    type Message = EnvironmentMessage;

    fn list(page: PageRequest) -> EnvironmentMessage {
        EnvironmentMessage::ListLinks(page)
    }

    fn show<O: Outside>(_: &AdminCall<'_, O>, record: LinkRecord) -> Self {
        record.into()
    }
}

impl Deletable for LinkTokenId {
    type Message = EnvironmentMessage;
    type Gone = Self;
    type Named = Self;

    fn delete(&self) -> EnvironmentMessage {
        EnvironmentMessage::DeleteLink(*self)
    }

    fn forget<O: Outside>(self, _: &AdminCall<'_, O>, gone: Self) -> Self {
        gone
    }
}

pub(in crate::api) async fn create<O: Outside>(
    call: &AdminCall<'_, O>,
    body: JsonBody<O, NewLinkToken>,
) -> Result<LinkTokenCreated, Failure> {
    let new = body.read_with_context(call, LINK_CONTEXT_BYTES).await?;
    let environment = call.environment(new.environment_id.as_deref())?;
    let aim = aim(new.tenant_id, new.integrated_account_id, new.region)?;
    let life = life(new.expires_in)?;
    let outside = call.outside();
    let ring = outside.settings().keyring()?;
    let token = token::token(ring, TokenKind::Link, environment, outside.random())?;
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
    let record = create_link(outside, environment, &call.caller.visibility(), new).await?;
    let url = address(&call.context.public_url(&call.url), &record, &token);
    Ok(LinkTokenCreated {
        record: record.into(),
        link_token: token,
        url,
    })
}

/// How long a link token may be used.
fn life(seconds: Option<u64>) -> Result<Duration, Failure> {
    let life = seconds.map_or(LINK_LIFE, Duration::from_secs);
    if (LINK_LIFE_MIN..=LINK_LIFE_MAX).contains(&life) {
        return Ok(life);
    }
    let (least, most) = (LINK_LIFE_MIN.as_secs(), LINK_LIFE_MAX.as_secs());
    let message = format!("needs {least} to {most} seconds; leave it out for a day");
    Err(Failure::invalid("expires_in", message))
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
