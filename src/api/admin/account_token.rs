//! Account tokens, and what one may do beside calling: `/integrated-account/me`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::integrated_account::{parse, sees};
use super::{Answer, created, ok};
use crate::account::token::{self, Kind};
use crate::api::Desk;
use crate::api::caller::Caller;
use crate::api::shape;
use crate::crypto;
use crate::error::{Code, Failure};
use crate::flows::messages::account::{AccountMessage, AccountView};
use crate::flows::messages::send_to_account;
use crate::ids::AccountId;
use crate::ports::{Body, Incoming, Outside};
use crate::settings::OWN_CHANGE_BYTES;

/// How long an account token is good.
const LIFE: Duration = Duration::from_mins(15);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewAccountToken")]
pub(in crate::api) struct New {
    integrated_account_id: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "MeChange")]
pub(in crate::api) struct ChangeMe {
    context: Value,
}

pub(super) async fn create<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    request: Incoming<O::Stream>,
) -> Answer<O> {
    if caller.own_account().is_some() {
        return Err(Failure::new(
            Code::Forbidden,
            "An account token makes no other.",
        ));
    }
    let sees = sees(caller, &request.url)?;
    let new: New = shape::read(desk, request.body).await?;
    let account = parse(&new.integrated_account_id)?;
    let ring = desk.outside.settings().keyring()?;
    let token = token::token(ring, Kind::Account, account, desk.outside.random())?;
    let until = desk.outside.now().plus(LIFE);
    let ask = AccountMessage::IssueToken(sees, crypto::sha256_hex(token.as_bytes()), until);
    send_to_account::<()>(desk.outside, account, &ask).await?;
    Ok(created(
        &json!({ "integrated_account_token": token, "expires_at": until }),
    ))
}

pub(super) async fn get_me<O: Outside>(desk: &Desk<'_, O>, caller: &Caller) -> Answer<O> {
    let view: AccountView = send_to_account(
        desk.outside,
        me(caller)?,
        &AccountMessage::Get(caller.sees()),
    )
    .await?;
    Ok(ok(&view.shown_to_customer()))
}

/// Only plain fields of the account's own credential: the object sees to that.
pub(super) async fn change_me<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    body: Body<O::Stream>,
) -> Answer<O> {
    let body = shape::read_json_within(desk, body, OWN_CHANGE_BYTES).await?;
    let change: ChangeMe = shape::read_shape(body)?;
    let ask = AccountMessage::ChangeMe(caller.sees(), change.context);
    let view: AccountView = send_to_account(desk.outside, me(caller)?, &ask).await?;
    Ok(ok(&view.shown_to_customer()))
}

fn me(caller: &Caller) -> Result<AccountId, Failure> {
    caller
        .own_account()
        .ok_or_else(|| Failure::not_found("integrated account"))
}
