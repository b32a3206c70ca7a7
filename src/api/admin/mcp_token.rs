//! `/integrated-account/{id}/mcp`: the token is shown once, only its hash is kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{Deleted, List};
use super::call::{AdminCall, JsonBody};
use crate::account::token::{self, TokenKind};
use crate::api::path_id::PathId;
use crate::api::query::{FilterField, Filtered, QueryParameters};
use crate::crypto;
use crate::error::{Code, Failure};
use crate::flows::base::records::ListPage;
use crate::flows::messages::account::AccountMessage;
use crate::flows::messages::mcp::{McpConfig, McpMessage, McpTokenRecord};
use crate::flows::messages::send_to_account;
use crate::ids::{AccountId, McpTokenId};
use crate::ports::{Outside, Visibility};
use crate::time::Timestamp;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct NewMcpToken {
    name: String,
    #[serde(default)]
    config: McpConfig,
    expires_at: Option<Timestamp>,
}

/// The only answer that shows the token.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MadeMcpToken")]
pub(in crate::api) struct McpTokenCreated {
    #[serde(flatten)]
    record: McpTokenRecord,
    token: String,
    /// The address for MCP clients: it has the token in it.
    url: String,
}

impl Filtered for McpTokenRecord {
    const FILTERS: &'static [FilterField] = &[];
}

pub(in crate::api) async fn create<O: Outside>(
    call: &AdminCall<'_, O>,
    id: &PathId<AccountId>,
    body: JsonBody<O, NewMcpToken>,
) -> Result<McpTokenCreated, Failure> {
    let (account, visibility) = account(call, id)?;
    let new = body.read(call).await?;
    if new.name.trim().is_empty() || new.name.chars().count() > 100 {
        return Err(Failure::invalid("name", "needs 1 to 100 characters"));
    }
    new.config.check()?;
    let outside = call.outside();
    let now = outside.now();
    if new.expires_at.is_some_and(|end| end <= now) {
        return Err(Failure::invalid("expires_at", "is in the past"));
    }
    let ring = outside.settings().keyring()?;
    let token = token::token(ring, TokenKind::Mcp, account, outside.random())?;
    let record = McpTokenRecord {
        id: McpTokenId::new(now, outside.random()),
        name: new.name,
        config: new.config,
        expires_at: new.expires_at,
        created_at: now,
    };
    let hash = crypto::sha256_hex(token.as_bytes());
    send::<(), O>(
        call,
        account,
        McpMessage::CreateMcpToken(visibility, record.clone(), hash),
    )
    .await?;
    let base = call.context.public_url(&call.url);
    Ok(McpTokenCreated {
        url: format!("{base}mcp/{token}"),
        record,
        token,
    })
}

/// The oldest first.
pub(in crate::api) async fn list<O: Outside>(
    call: &AdminCall<'_, O>,
    id: &PathId<AccountId>,
) -> Result<List<McpTokenRecord>, Failure> {
    let (_, page) = QueryParameters::of_list(&call.url, &["environment_id"], &[])?;
    let (account, visibility) = account(call, id)?;
    let message = McpMessage::ListMcpTokens(visibility, page.clone());
    let found: ListPage<McpTokenRecord> = send(call, account, message).await?;
    Ok(List::of(found, &page, |record| record))
}

pub(in crate::api) async fn get<O: Outside>(
    call: &AdminCall<'_, O>,
    id: &PathId<AccountId>,
    token_id: &PathId<McpTokenId>,
) -> Result<McpTokenRecord, Failure> {
    let (account, visibility) = account(call, id)?;
    let message = McpMessage::GetMcpToken(visibility, token_id.parse()?);
    send(call, account, message).await
}

pub(in crate::api) async fn delete<O: Outside>(
    call: &AdminCall<'_, O>,
    id: &PathId<AccountId>,
    token_id: &PathId<McpTokenId>,
) -> Result<Deleted<McpTokenId>, Failure> {
    let (account, visibility) = account(call, id)?;
    let id = token_id.parse()?;
    send::<(), O>(call, account, McpMessage::DeleteMcpToken(visibility, id)).await?;
    Ok(Deleted { id })
}

/// The account, and what the caller sees of it. An account token manages no tokens.
fn account<O: Outside>(
    call: &AdminCall<'_, O>,
    id: &PathId<AccountId>,
) -> Result<(AccountId, Visibility), Failure> {
    if call.caller.own_account().is_some() {
        let message = "An account token makes no other.";
        return Err(Failure::new(Code::Forbidden, message));
    }
    // A list has the parameters of lists, too.
    let (query, _) = QueryParameters::of_list(&call.url, &["environment_id"], &[])?;
    let visibility = call.visibility_in(query.get("environment_id"))?;
    Ok((id.parse()?, visibility))
}

async fn send<T: serde::de::DeserializeOwned, O: Outside>(
    call: &AdminCall<'_, O>,
    account: AccountId,
    message: McpMessage,
) -> Result<T, Failure> {
    send_to_account(call.outside(), account, &AccountMessage::McpTokens(message)).await
}
