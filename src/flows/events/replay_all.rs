//! Replays the failed events of a whole environment: its directory names the accounts, and each account's object
//! replays its own events.

use futures_util::stream::{self, StreamExt};
use serde_json::json;

use crate::error::{Code, Failure};
use crate::flows::messages::account::AccountMessage;
use crate::flows::messages::environment::EnvironmentMessage;
use crate::flows::messages::event::ReplayRange;
use crate::flows::messages::{send_to_account, send_to_environment};
use crate::ids::{AccountId, EnvironmentId};
use crate::ports::{Outside, Visibility};

/// Accounts in parallel.
const AT_ONCE: usize = 24;
/// The most accounts of one call: the platform limits the subrequests of a request.
const MOST: usize = 900;

/// Returns how many events are delivered again. When an account does not answer, the others are replayed and the call
/// fails; a repeated call finds only the rest.
pub async fn replay_events(
    outside: &impl Outside,
    environment: EnvironmentId,
    range: &ReplayRange,
) -> Result<u64, Failure> {
    let message = EnvironmentMessage::FailedAccounts(range.clone());
    let accounts: Vec<AccountId> = send_to_environment(outside, environment, &message).await?;
    if accounts.len() > MOST {
        let message = format!(
            "is the start of a range with failed events of more than {MOST} accounts: use a shorter range"
        );
        return Err(Failure::invalid("from", message));
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

/// A deleted account has no events.
async fn replay(
    outside: &impl Outside,
    environment: EnvironmentId,
    account: AccountId,
    range: &ReplayRange,
) -> Result<u64, Failure> {
    let message = AccountMessage::ReplayAll(Visibility::Environment(environment), range.clone());
    match send_to_account(outside, account, &message).await {
        Err(failure) if failure.code == Code::NotFound => Ok(0),
        answer => answer,
    }
}
