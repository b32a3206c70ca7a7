//! `/api-token`: the token is shown once, only its hash is kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::call::{AdminCall, JsonBody};
use super::noun::{Deletable, Noun};
use crate::account::token::{self, TokenKind};
use crate::api::query::{FilterField, Filtered};
use crate::crypto;
use crate::error::{Code, Failure};
use crate::flows::base::records::{PageRequest, TokenRecord, TokenScope};
use crate::flows::base::view::view;
use crate::flows::config::config_cache;
use crate::flows::messages::environment::EnvironmentMessage;
use crate::flows::messages::{WriteResult, send_to_environment};
use crate::ids::{ApiTokenId, EnvironmentId};
use crate::ports::Outside;
use crate::time::Timestamp;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct NewApiToken {
    environment_id: Option<String>,
    name: String,
    scopes: Option<Vec<TokenScope>>,
    expires_at: Option<Timestamp>,
}

view! {
    /// An API token, without the token.
    ApiToken of TokenRecord {
        id: ApiTokenId,
        environment_id: EnvironmentId,
        name: String,
        scopes: Vec<TokenScope>,
        /// When it expires; null: never.
        expires_at: Option<Timestamp>,
        created_at: Timestamp,
    } hides { hash: _ }
}

/// The only answer that shows the token.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MadeApiToken")]
pub(in crate::api) struct ApiTokenCreated {
    #[serde(flatten)]
    record: ApiToken,
    token: String,
}

impl Filtered for ApiToken {
    const FILTERS: &'static [FilterField] =
        &[FilterField::text("name"), FilterField::time("created_at")];
}

impl Noun for ApiToken {
    type Record = TokenRecord;
    type Message = EnvironmentMessage;

    fn list(page: PageRequest) -> EnvironmentMessage {
        EnvironmentMessage::ListTokens(page)
    }

    fn show<O: Outside>(_: &AdminCall<'_, O>, record: TokenRecord) -> Self {
        record.into()
    }
}

impl Deletable for ApiTokenId {
    type Message = EnvironmentMessage;
    type Gone = WriteResult<TokenRecord>;
    type Named = Self;

    fn delete(&self) -> EnvironmentMessage {
        EnvironmentMessage::DeleteToken(*self)
    }

    fn forget<O: Outside>(self, call: &AdminCall<'_, O>, gone: WriteResult<TokenRecord>) -> Self {
        config_cache::forget::<TokenRecord>(
            call.outside(),
            call.context.isolate,
            &gone.record.hash,
        );
        self
    }
}

pub(in crate::api) async fn create<O: Outside>(
    call: &AdminCall<'_, O>,
    body: JsonBody<O, NewApiToken>,
) -> Result<ApiTokenCreated, Failure> {
    let new = body.read(call).await?;
    let environment = call.environment(new.environment_id.as_deref())?;
    let scopes = new.scopes.unwrap_or_else(|| TokenScope::ALL.to_vec());
    check(call, &new.name, &scopes, new.expires_at)?;
    let outside = call.outside();
    let ring = outside.settings().keyring()?;
    let token = token::token(ring, TokenKind::Api, environment, outside.random())?;
    let now = outside.now();
    let record = TokenRecord {
        id: ApiTokenId::new(now, outside.random()),
        environment_id: environment,
        name: new.name,
        scopes,
        expires_at: new.expires_at,
        created_at: now,
        hash: crypto::sha256_hex(token.as_bytes()),
    };
    let ask = EnvironmentMessage::CreateToken(record);
    let written: WriteResult<TokenRecord> = send_to_environment(outside, environment, &ask).await?;
    let record = ApiToken::from(written.record.clone());
    let hash = written.record.hash.clone();
    config_cache::replace(outside, call.context.isolate, &hash, written.record);
    Ok(ApiTokenCreated { record, token })
}

/// A token may not make a wider one.
fn check<O: Outside>(
    call: &AdminCall<'_, O>,
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
    if expires_at.is_some_and(|end| end <= call.outside().now()) {
        return Err(Failure::invalid("expires_at", "is in the past"));
    }
    if scopes.iter().all(|scope| call.caller.has(*scope)) {
        return Ok(());
    }
    Err(Failure::new(
        Code::Forbidden,
        "A token cannot make one that may do more than itself.",
    ))
}
