//! How many requests the account may send: at a time, and in a period. All its callers share both.

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::rate_limit::{Pace, TooLate};
use crate::settings::CALL_SLOTS;
use crate::time::Timestamp;

/// The account's connections, and its reservations.
pub(in crate::flows) struct Limiter {
    /// Calls that wait for the head of an answer.
    slots: Semaphore,
    /// When its next requests may go.
    pace: RefCell<Pace>,
}

impl Limiter {
    pub(in crate::flows) fn new() -> Self {
        Self {
            slots: Semaphore::new(CALL_SLOTS),
            pace: RefCell::default(),
        }
    }

    /// Reserves the first free moment from `wanted` on; see [`Pace::take`].
    pub(in crate::flows) fn reserve(
        &self,
        rate: Option<NonZeroUsize>,
        wanted: Timestamp,
        now: Timestamp,
        deadline: Timestamp,
    ) -> Result<Timestamp, TooLate> {
        let mut pace = self.pace.borrow_mut();
        pace.take(rate, wanted, now, deadline)
    }

    /// Reserves again for a request that had to wait for a connection; `reserved` is what it still has. See
    /// [`Pace::take_again`].
    pub(in crate::flows) fn reserve_again(
        &self,
        rate: Option<NonZeroUsize>,
        reserved: Option<Timestamp>,
        now: Timestamp,
        deadline: Timestamp,
    ) -> Result<Timestamp, TooLate> {
        let mut pace = self.pace.borrow_mut();
        pace.take_again(rate, reserved, now, deadline)
    }

    /// Gives a reservation back that is not used.
    pub(in crate::flows) fn release(&self, reserved: Timestamp) {
        self.pace.borrow_mut().give_back(reserved);
    }

    /// Counts a request that was not reserved.
    pub(in crate::flows) fn count(&self, rate: Option<NonZeroUsize>, now: Timestamp) {
        self.pace.borrow_mut().count(rate, now);
    }

    /// The provider wants no request for so long.
    pub(in crate::flows) fn pause(&self, now: Timestamp, wait: Duration) {
        self.pace.borrow_mut().pause(now, wait);
    }

    /// A connection, if one is free now.
    pub(in crate::flows) fn free_slot(&self) -> Option<SemaphorePermit<'_>> {
        self.slots.try_acquire().ok()
    }

    /// A connection, once one is free.
    pub(in crate::flows) async fn slot(&self) -> Option<SemaphorePermit<'_>> {
        self.slots.acquire().await.ok()
    }
}
