//! The account's turns: no more requests than the operator lets it send, and none while its provider wants none.
//! All callers of the account share them.

use std::time::Duration;

use super::Work;
use crate::error::{Code, Failure};
use crate::ports::{Outside, Storage};
use crate::rate_limit::{Late, Whose, seconds};
use crate::time::Timestamp;

impl<O: Outside, S: Storage> Work<'_, O, S> {
    /// The next turn, no sooner than after `wait`; 429 where none comes in time.
    pub(super) fn take_turn(&self, wait: Duration) -> Result<Timestamp, Failure> {
        let outside = &self.object.outside;
        let (rate, now) = (outside.settings().account_rate, outside.now());
        let mut pace = self.object.pace.borrow_mut();
        pace.take(rate, now.plus(wait), now, self.deadline)
            .map_err(too_late)
    }

    /// Returns when the turn has come, or a later one, if the provider said meanwhile that it wants none yet.
    pub(super) async fn wait_for(&self, mut turn: Timestamp) -> Result<(), Failure> {
        let outside = &self.object.outside;
        loop {
            let wait = turn.since(outside.now());
            if wait.is_zero() {
                return Ok(());
            }
            outside.sleep(wait).await;
            if !self.object.pace.borrow().is_paused_at(turn) {
                return Ok(());
            }
            turn = self.take_turn(Duration::ZERO)?;
        }
    }

    /// The provider wants no request of the account for so long.
    pub(super) fn pause(&self, wait: Duration) {
        let now = self.object.outside.now();
        self.object.pace.borrow_mut().pause(now, wait);
    }
}

fn too_late(late: Late) -> Failure {
    let wait = seconds(late.wait);
    match late.whose {
        Whose::Operators => Failure::too_many_requests(
            "This account has sent as many requests as it may for now (ACCOUNT_RATE). x-timeout-ms sets how long to wait for a turn.",
            wait,
        ),
        Whose::Providers => Failure::new(
            Code::RateLimited,
            "The provider wants no more requests of this account for now: this one was not sent. x-timeout-ms sets how long to wait.",
        )
        .with_retry_after(wait),
    }
}
