//! The schedule of the object's one alarm: it rings at the next time that a component has work to do.

use std::rc::Rc;
use std::time::Duration;

use crate::error::Failure;
use crate::flows::account::account_store::AccountStore;
use crate::flows::account::base::Base;
use crate::flows::account::stored::Components;
use crate::flows::base::alarm::Alarm;
use crate::ports::{Outside, Storage, StorageFault};
use crate::time::Timestamp;

/// The delay before failed work is tried again.
const RETRY: Duration = Duration::from_mins(1);

/// The object's alarm, and the components that it rings for.
pub(in crate::flows) struct Schedule<O, S> {
    base: Rc<Base<O, S>>,
    store: Rc<AccountStore<O, S>>,
    components: Rc<Components>,
    alarm: Alarm,
}

impl<O: Outside, S: Storage> Schedule<O, S> {
    pub(in crate::flows) fn new(
        base: &Rc<Base<O, S>>,
        store: &Rc<AccountStore<O, S>>,
        components: &Rc<Components>,
    ) -> Self {
        Self {
            base: Rc::clone(base),
            store: Rc::clone(store),
            components: Rc::clone(components),
            alarm: Alarm::default(),
        }
    }

    /// Forgets the time of the alarm, which rings now: the next request for an alarm sets it again.
    pub(in crate::flows) fn forget(&self) {
        self.alarm.forget();
    }

    /// Whether the alarm is asked for by now, while it is ringing.
    pub(in crate::flows) fn is_awaited(&self) -> bool {
        self.alarm.is_due(self.base.outside().now())
    }

    /// Sets the alarm to a minute from now at the latest, since work may be unfinished.
    pub(in crate::flows) async fn wake_later(&self) {
        self.wake_by(self.base.outside().now().plus(RETRY)).await;
    }

    /// Sets the alarm to this time at the latest.
    pub(in crate::flows) async fn wake_by(&self, at: Timestamp) {
        let now = self.base.outside().now();
        if let Err(fault) = self.alarm.ring_by(self.base.storage(), now, at).await {
            self.base.log("alarm_not_set", &fault.to_string());
        }
    }

    /// Sets the alarm to the next due time, or to a minute from now if that time cannot be read.
    pub(in crate::flows) async fn plan(&self) {
        if self.trim_and_plan().await.is_err() {
            self.wake_later().await;
        }
    }

    /// Deletes expired rows and sets the alarm to the next due time. If nothing is left, erases the storage.
    pub(in crate::flows) async fn trim_and_plan(&self) -> Result<(), Failure> {
        self.components.trim()?;
        if self.components.is_over()? {
            return Ok(self.erase_all().await?);
        }
        let next = self.next_due()?;
        Ok(self.alarm.set_to(self.base.storage(), next).await?)
    }

    /// Sets the alarm if it is missing: a restart may have come between a write and its alarm.
    pub(super) async fn ensure_alarm(&self) -> Result<(), Failure> {
        let set = self.base.storage().alarm().await?;
        if let Some(set) = set {
            self.alarm.adopt(set);
        } else if let Some(at) = self.next_due()? {
            self.wake_by(at).await;
        }
        Ok(())
    }

    fn next_due(&self) -> Result<Option<Timestamp>, Failure> {
        self.components.next_due(&self.store.state())
    }

    async fn erase_all(&self) -> Result<(), StorageFault> {
        self.components.reset();
        self.alarm.forget();
        self.base.storage().erase().await
    }
}
