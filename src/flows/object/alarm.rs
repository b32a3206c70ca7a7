//! The object's one alarm: it finishes what a restart left half done, keeps the token fresh, trims; then
//! it is set to the next time there is something to do.

use std::rc::Rc;
use std::time::Duration;

use crate::error::Failure;
use crate::flows::object::AccountObject;
use crate::flows::object::stored::Components;
use crate::ports::{Outside, Storage, StorageFault};
use crate::time::Timestamp;

/// Until what failed is tried again.
const RETRY: Duration = Duration::from_mins(1);
/// How long one ring delivers at most.
const TURN: Duration = Duration::from_secs(30);

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Rings again in a minute whatever happens in between, and at the right time when all went well.
    pub async fn alarm(self: &Rc<Self>) {
        self.alarm.forget();
        match self.has_anything() {
            Ok(false) => return,
            Ok(true) => {}
            Err(fault) => self.base.log("alarm_failed", &fault.to_string()),
        }
        self.wake_later().await;
        if let Err(failure) = self.settle_all().await {
            self.base.log("account_not_settled", failure.code.as_str());
        }
        // Whatever stands in the way of the account, its events go out.
        let until = self.base.outside.now().plus(TURN);
        if let Err(failure) = self.deliveries.deliver(until).await {
            self.base.log("events_not_delivered", failure.code.as_str());
        }
        self.plan().await;
    }

    async fn settle_all(self: &Rc<Self>) -> Result<(), Failure> {
        self.finish_pending().await?;
        self.settled().await?;
        self.finish_set_up().await;
        self.refresh_ahead().await;
        Ok(())
    }

    fn has_anything(&self) -> Result<bool, StorageFault> {
        Ok(self.record.is_there()? || self.logins.is_there()? || self.outbox.is_there()?)
    }
}

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Something may be left undone: the alarm looks in a minute.
    pub(super) async fn wake_later(&self) {
        self.wake_by(self.base.outside.now().plus(RETRY)).await;
    }

    /// The alarm rings then or before.
    pub(super) async fn wake_by(&self, at: Timestamp) {
        let now = self.base.outside.now();
        if let Err(fault) = self.alarm.ring_by(&self.base.storage, now, at).await {
            self.base.log("alarm_not_set", &fault.to_string());
        }
    }

    /// The alarm rings at the next time there is something to do, or soon when that cannot be told.
    pub(super) async fn plan(&self) {
        if self.rest().await.is_err() {
            self.wake_later().await;
        }
    }

    /// Sets the alarm to the next time there is something to do; where nothing is left at all, nothing
    /// stays stored.
    pub(super) async fn rest(&self) -> Result<(), Failure> {
        let components = self.components().stored;
        components.iter().try_for_each(|one| one.trim())?;
        if self.is_over()? {
            return Ok(self.erase_all().await?);
        }
        let next = self.next_due()?;
        Ok(self.alarm.set_to(&self.base.storage, next).await?)
    }

    /// Whoever wakes this object finds the alarm set: a restart may have come between a write and it.
    pub(super) async fn set_a_missing_alarm(&self) -> Result<(), Failure> {
        let set = self.base.storage.alarm().await?;
        if let Some(set) = set {
            self.alarm.adopt(set);
        } else if let Some(at) = self.next_due()? {
            self.wake_by(at).await;
        }
        Ok(())
    }

    /// The next time there is something to do.
    fn next_due(&self) -> Result<Option<Timestamp>, Failure> {
        let state = self.record.state();
        let mut next = None;
        for component in self.components().stored {
            let due = component.next_due(&state)?;
            next = [next, due].into_iter().flatten().min();
        }
        Ok(next)
    }

    /// Whether nothing is left of the account, of those who connect it, and of its events.
    fn is_over(&self) -> Result<bool, Failure> {
        let row = self.read_row()?;
        let is_kept = row.is_some_and(|row| row.account.is_some() || row.pending.is_some());
        Ok(!is_kept && self.logins.next_end()?.is_none() && self.outbox.is_over()?)
    }

    /// Nothing is left at all: the object is as after a restart.
    async fn erase_all(&self) -> Result<(), StorageFault> {
        let Components { stored, in_memory } = self.components();
        for component in stored {
            component.reset();
        }
        for component in in_memory {
            component.reset();
        }
        self.alarm.forget();
        self.base.storage.erase().await
    }
}
