//! Limits the account's concurrent requests and its request rate. All callers of the account share both limits.

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::rate_limit::{Pace, TooLate};
use crate::settings::CALL_SLOTS;
use crate::time::Timestamp;

/// After how long work that can wait looks again whether callers use the account.
const CALLERS_FIRST: Duration = Duration::from_secs(1);

/// The account's connections, and its reservations.
pub struct Limiter {
    /// Permits of the calls that wait for the head of an answer.
    slots: Semaphore,
    /// When the next requests may be sent.
    pace: RefCell<Pace>,
}

impl Limiter {
    pub(in crate::flows) fn new() -> Self {
        Self {
            slots: Semaphore::new(CALL_SLOTS),
            pace: RefCell::default(),
        }
    }

    /// Reserves the first free time from `wanted` on; see [`Pace::take`].
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

    /// Reserves again for a request that waited for a connection. `reserved` is its reservation, if it still has one.
    /// See [`Pace::take_again`].
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

    /// Gives an unused reservation back.
    pub(in crate::flows) fn release(&self, reserved: Timestamp) {
        self.pace.borrow_mut().give_back(reserved);
    }

    /// Counts a request without a reservation.
    pub(in crate::flows) fn count(&self, rate: Option<NonZeroUsize>, now: Timestamp) {
        self.pace.borrow_mut().count(rate, now);
    }

    /// Sends no request for so long, since the provider asked for it.
    pub(in crate::flows) fn pause(&self, now: Timestamp, wait: Duration) {
        self.pace.borrow_mut().pause(now, wait);
    }

    /// How long the provider's pause lasts from now.
    pub(in crate::flows) fn paused(&self, now: Timestamp) -> Duration {
        self.pace.borrow().paused(now)
    }

    /// How long work that can wait leaves the account to its callers: while they use all connections or half of the
    /// rate, and while the provider asks for a pause.
    pub(in crate::flows) fn wait_for_callers(
        &self,
        rate: Option<NonZeroUsize>,
        now: Timestamp,
    ) -> Option<Duration> {
        let pace = self.pace.borrow();
        let is_free = self.slots.available_permits() > 0 && pace.has_spare(rate, now);
        (!is_free).then(|| pace.paused(now).max(CALLERS_FIRST))
    }

    /// A connection, if one is free now.
    pub(in crate::flows) fn free_slot(&self) -> Option<SemaphorePermit<'_>> {
        self.slots.try_acquire().ok()
    }

    /// A connection. Waits until one is free.
    pub(in crate::flows) async fn slot(&self) -> Option<SemaphorePermit<'_>> {
        self.slots.acquire().await.ok()
    }
}
