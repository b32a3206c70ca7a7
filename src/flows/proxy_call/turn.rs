//! The account's turns: no more requests than the operator lets it send, and none while its provider wants none.
//! All callers of the account share them. Then one of its connections, in that turn.

use std::time::Duration;

use tokio::sync::SemaphorePermit;

use crate::error::{Code, Failure};
use crate::flows::base::within::within;
use crate::flows::proxy_call::{Errand, Work};
use crate::ports::{Outside, Storage};
use crate::rate_limit::{Late, Whose, seconds};
use crate::time::Timestamp;

impl<'a, O: Outside, S: Storage> Work<'a, O, S> {
    /// The next turn, no sooner than after `wait`; 429 where none comes in time. Who refreshes the account's
    /// credential is not kept off: nobody else can do anything before.
    pub(in crate::flows) fn take_turn(&self, wait: Duration) -> Result<Timestamp, Failure> {
        let outside = &self.object.outside;
        let (rate, now) = (outside.settings().account_rate, outside.now());
        if self.errand == Errand::Refresh {
            return Ok(now.plus(wait));
        }
        let mut pace = self.object.pace.borrow_mut();
        pace.take(rate, now.plus(wait), now, self.deadline)
            .map_err(too_late)
    }

    /// A connection in that turn, and the turn. A call that had to wait for one looks whether its turn is still free, and
    /// waits again without a connection if it is not. Refreshing has a connection of its own.
    pub(in crate::flows) async fn slot_in(
        &self,
        mut turn: Timestamp,
    ) -> Result<(Option<SemaphorePermit<'a>>, Timestamp), Failure> {
        let outside = &self.object.outside;
        loop {
            let wait = turn.since(outside.now());
            if !wait.is_zero() {
                outside.sleep(wait).await;
            }
            if self.errand == Errand::Refresh {
                return Ok((None, turn));
            }
            let (slot, mine) = self.slot(turn).await?;
            let (rate, now) = (outside.settings().account_rate, outside.now());
            let mut pace = self.object.pace.borrow_mut();
            turn = pace
                .take_again(rate, mine, now, self.deadline)
                .map_err(too_late)?;
            if turn <= now {
                return Ok((Some(slot), turn));
            }
        }
    }

    /// The turn is not used.
    pub(in crate::flows) fn give_back(&self, turn: Timestamp) {
        self.object.pace.borrow_mut().give_back(turn);
    }

    /// A redirect is followed: one more request.
    pub(in crate::flows) fn count_hop(&self) {
        if self.errand == Errand::Refresh {
            return;
        }
        let outside = &self.object.outside;
        let (rate, now) = (outside.settings().account_rate, outside.now());
        self.object.pace.borrow_mut().count(rate, now);
    }

    /// The provider wants no request of the account for so long.
    pub(in crate::flows) fn pause(&self, wait: Duration) {
        let now = self.object.outside.now();
        self.object.pace.borrow_mut().pause(now, wait);
    }

    /// One of the account's connections that wait for the head of an answer, and the turn if that is still kept:
    /// not by who has to wait for a connection. 503 when none gets free in time.
    async fn slot(
        &self,
        turn: Timestamp,
    ) -> Result<(SemaphorePermit<'a>, Option<Timestamp>), Failure> {
        let busy = || Failure::busy("This account has too many calls under way. Try again.");
        if let Ok(permit) = self.object.slots.try_acquire() {
            return Ok((permit, Some(turn)));
        }
        self.give_back(turn);
        let wait = self.deadline.since(self.object.outside.now());
        match within(&self.object.outside, wait, self.object.slots.acquire()).await {
            Some(Ok(permit)) => Ok((permit, None)),
            Some(Err(_)) | None => Err(busy()),
        }
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
