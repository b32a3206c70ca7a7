//! Account tokens, and what one may do apart from calls: `/integrated-account/me`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::call::{AdminCall, JsonBody};
use crate::account::token::{self, TokenKind};
use crate::api::path_id;
use crate::crypto;
use crate::error::{Code, Failure};
use crate::flows::messages::account::{AccountMessage, AccountView, OwnAccount};
use crate::flows::messages::send_to_account;
use crate::ids::AccountId;
use crate::ports::Outside;
use crate::settings::OWN_CHANGE_BYTES;
use crate::time::Timestamp;

/// How long an account token is good.
const LIFE: Duration = Duration::from_mins(15);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct NewAccountToken {
    integrated_account_id: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "MeChange")]
pub(in crate::api) struct ChangeOfMe {
    context: Value,
}

/// The only answer that shows the token.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub(in crate::api) struct AccountTokenCreated {
    integrated_account_token: String,
    expires_at: Timestamp,
}

pub(in crate::api) async fn create<O: Outside>(
    call: &AdminCall<'_, O>,
    body: JsonBody<O, NewAccountToken>,
) -> Result<AccountTokenCreated, Failure> {
    if call.caller.own_account().is_some() {
        return Err(Failure::new(
            Code::Forbidden,
            "An account token makes no other.",
        ));
    }
    let visibility = call.visibility()?;
    let new = body.read(call).await?;
    let account: AccountId = path_id::parse(&new.integrated_account_id)?;
    let outside = call.outside();
    let ring = outside.settings().keyring()?;
    let token = token::token(ring, TokenKind::Account, account, outside.random())?;
    let until = outside.now().plus(LIFE);
    let ask = AccountMessage::IssueToken(visibility, crypto::sha256_hex(token.as_bytes()), until);
    send_to_account::<()>(outside, account, &ask).await?;
    Ok(AccountTokenCreated {
        integrated_account_token: token,
        expires_at: until,
    })
}

pub(in crate::api) async fn get_me<O: Outside>(
    call: &AdminCall<'_, O>,
) -> Result<OwnAccount, Failure> {
    let ask = AccountMessage::Get(call.caller.visibility());
    let view: AccountView = send_to_account(call.outside(), me(call)?, &ask).await?;
    Ok(view.own())
}

/// Only plain fields of the account's own credential: the object checks that.
pub(in crate::api) async fn change_me<O: Outside>(
    call: &AdminCall<'_, O>,
    body: JsonBody<O, ChangeOfMe>,
) -> Result<OwnAccount, Failure> {
    let change = body.read_within(call, OWN_CHANGE_BYTES).await?;
    let ask = AccountMessage::ChangeMe(call.caller.visibility(), change.context);
    let id = me(call)?;
    let view = send_to_account::<AccountView>(call.outside(), id, &ask).await;
    call.context.leases.end(id);
    Ok(view?.own())
}

fn me<O>(call: &AdminCall<'_, O>) -> Result<AccountId, Failure> {
    let own = call.caller.own_account();
    own.ok_or_else(path_id::not_found::<AccountId>)
}
