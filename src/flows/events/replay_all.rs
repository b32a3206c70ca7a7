//! Delivering the failed events of a whole environment again: its directory says whose, each account's
//! object does its own.

use futures_util::stream::{self, StreamExt};
use serde_json::json;

use crate::error::{Code, Failure};
use crate::flows::messages::account::AccountMessage;
use crate::flows::messages::environment::EnvironmentMessage;
use crate::flows::messages::event::ReplayRange;
use crate::flows::messages::{send_to_account, send_to_environment};
use crate::ids::{AccountId, EnvironmentId};
use crate::ports::{Outside, Sees};

/// Objects asked at a time.
const AT_ONCE: usize = 24;
/// Accounts one call may ask; the platform bounds what one request may do.
const MOST: usize = 900;

/// How many events are on their way again. When an account did not answer, the others are, and it fails:
/// repeated, it finds only what is left.
pub async fn replay_events(
    outside: &impl Outside,
    environment: EnvironmentId,
    range: &ReplayRange,
) -> Result<u64, Failure> {
    let ask = EnvironmentMessage::FailedAccounts(range.clone());
    let accounts: Vec<AccountId> = send_to_environment(outside, environment, &ask).await?;
    if accounts.len() > MOST {
        let words = format!("begins a range with events of over {MOST} accounts; shorten it");
        return Err(Failure::invalid("from", words));
    }
    let replays =
        stream::iter(accounts).map(|account| replay(outside, environment, account, range));
    let outcomes: Vec<Result<u64, Failure>> = replays.buffered(AT_ONCE).collect().await;
    let replayed: u64 = outcomes.iter().flatten().sum();
    match outcomes.into_iter().find_map(Result::err) {
        None => Ok(replayed),
        Some(failure) => Err(failure.with_details(json!({ "replayed": replayed }))),
    }
}

/// One that is gone has none.
async fn replay(
    outside: &impl Outside,
    environment: EnvironmentId,
    account: AccountId,
    range: &ReplayRange,
) -> Result<u64, Failure> {
    let ask = AccountMessage::ReplayAll(Sees::Environment(environment), range.clone());
    match send_to_account(outside, account, &ask).await {
        Err(failure) if failure.code == Code::NotFound => Ok(0),
        answer => answer,
    }
}
