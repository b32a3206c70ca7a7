//! Reserves a time and a connection for each request. The account's limiter sends no more requests than the operator
//! allows, and none while the provider asks for a pause. All callers of the account share it.

use std::rc::Rc;
use std::time::Duration;

use tokio::sync::SemaphorePermit;

use crate::error::{Code, Failure};
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::base::within::within;
use crate::flows::call::account::LiveAccount;
use crate::flows::call::engine::Engine;
use crate::flows::call::ways::Way;
use crate::ports::System;
use crate::rate_limit::{AppliedLimit, TooLate, seconds};
use crate::time::Timestamp;

/// The reservation of a call's current request.
pub(in crate::flows) struct Reservations<'a, A> {
    account: &'a A,
    /// The request for a fresh credential is exempt from the limits, since calls wait for it.
    is_exempt: bool,
    /// The further tokens that the request carries.
    also: Vec<String>,
    deadline: Timestamp,
    /// The reserved time.
    at: Timestamp,
}

/// A connection, and the account as read once the connection is free.
pub(in crate::flows) struct Connection<'a> {
    /// `None` for the request for a credential, which has its own connection.
    #[expect(dead_code, reason = "holding it is its use")]
    slot: Option<SemaphorePermit<'a>>,
    pub(in crate::flows) loaded: Rc<LoadedAccount>,
}

impl<'a, A: LiveAccount> Reservations<'a, A> {
    pub(in crate::flows) fn new(account: &'a A, engine: &Engine<'_, A>) -> Self {
        Self {
            account,
            is_exempt: engine.errand().is_exempt(),
            also: engine.also_names(),
            deadline: engine.deadline(),
            at: account.system().now(),
        }
    }

    /// Reserves the next free time, after `wait` at the earliest. Fails with 429 if there is none before the deadline.
    pub(in crate::flows) fn reserve(&mut self, wait: Duration) -> Result<(), Failure> {
        let not_before = self.account.system().now().plus(wait);
        self.at = if self.is_exempt {
            not_before
        } else {
            let reserved = self.account.reserve(not_before, self.deadline);
            reserved.map_err(too_late)?
        };
        Ok(())
    }

    /// Waits for the reserved time, for a connection, and for a refresh in progress. While it waits for a refresh it
    /// holds neither a reservation nor a connection. There is no wait between the last read of the account and the
    /// request.
    pub(in crate::flows) async fn connect(
        &mut self,
        way: &impl Way<A>,
        before: &Rc<LoadedAccount>,
    ) -> Result<Connection<'a>, Failure> {
        let mut waited_for: Option<Rc<LoadedAccount>> = None;
        loop {
            let slot = self.slot_in_time().await?;
            let last = waited_for.as_ref().unwrap_or(before);
            let loaded = way.read_again(last).await?;
            let is_same = |waited_for: &Rc<LoadedAccount>| Rc::ptr_eq(waited_for, &loaded);
            let wait = self.account.token_wait(&loaded);
            let wait = wait.filter(|_| way.waits_for_token());
            let waits = wait.is_some() || self.account.wants_also(&loaded, &self.also);
            if !waits || waited_for.as_ref().is_some_and(is_same) {
                return Ok(Connection { slot, loaded });
            }
            drop(slot);
            self.account.release(self.at);
            match wait {
                Some(wait) => way.wait_for_token(wait, &loaded, self.deadline).await?,
                None => self.account.obtain_also(&self.also, self.deadline).await?,
            }
            waited_for = Some(loaded);
            self.reserve(Duration::ZERO)?;
        }
    }

    /// A connection at the reserved time. A call that waited for a connection reserves again; if the new time is later,
    /// it waits again without a connection.
    async fn slot_in_time(&mut self) -> Result<Option<SemaphorePermit<'a>>, Failure> {
        let system = self.account.system();
        loop {
            let wait = self.at.since(system.now());
            if !wait.is_zero() {
                system.sleep(wait).await;
            }
            if self.is_exempt {
                return Ok(None);
            }
            let (slot, kept) = self.slot().await?;
            let again = self.account.reserve_again(kept, self.deadline);
            self.at = again.map_err(too_late)?;
            if self.at <= system.now() {
                return Ok(Some(slot));
            }
        }
    }

    /// One of the account's connections, and the reserved time if the call still has it: a call that waits for a
    /// connection gives its reservation back. Fails with 503 if no connection is free in time.
    async fn slot(&self) -> Result<(SemaphorePermit<'a>, Option<Timestamp>), Failure> {
        let busy = || Failure::busy("This account has too many calls under way. Try again.");
        if let Some(permit) = self.account.free_slot() {
            return Ok((permit, Some(self.at)));
        }
        self.account.release(self.at);
        let system = self.account.system();
        let wait = self.deadline.since(system.now());
        let slot = within(system, wait, self.account.slot()).await;
        slot.flatten().map(|permit| (permit, None)).ok_or_else(busy)
    }
}

fn too_late(late: TooLate) -> Failure {
    let wait = seconds(late.wait);
    match late.limit {
        AppliedLimit::Operator => Failure::too_many_requests(
            "This account has sent as many requests as it may for now (ACCOUNT_RATE). x-timeout-ms sets how long to wait for a turn.",
            wait,
        ),
        AppliedLimit::Provider => Failure::new(
            Code::RateLimited,
            "The provider wants no more requests of this account for now: this one was not sent. x-timeout-ms sets how long to wait.",
        )
        .with_retry_after(wait),
    }
}
