//! When the object's one alarm rings: at the next time that a component has something to do.

use std::rc::Rc;
use std::time::Duration;

use crate::error::Failure;
use crate::flows::account::account_store::AccountStore;
use crate::flows::account::base::Base;
use crate::flows::account::stored::Components;
use crate::flows::base::alarm::Alarm;
use crate::ports::{Outside, Storage, StorageFault};
use crate::time::Timestamp;

/// Until what failed is tried again.
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

    /// The alarm rings now: the next that is asked for is set.
    pub(in crate::flows) fn forget(&self) {
        self.alarm.forget();
    }

    /// Something may be left undone: the alarm looks in a minute.
    pub(in crate::flows) async fn wake_later(&self) {
        self.wake_by(self.base.outside().now().plus(RETRY)).await;
    }

    /// The alarm rings then or before.
    pub(in crate::flows) async fn wake_by(&self, at: Timestamp) {
        let now = self.base.outside().now();
        if let Err(fault) = self.alarm.ring_by(self.base.storage(), now, at).await {
            self.base.log("alarm_not_set", &fault.to_string());
        }
    }

    /// The alarm rings at the next time there is something to do, or soon when that cannot be told.
    pub(in crate::flows) async fn plan(&self) {
        if self.rest().await.is_err() {
            self.wake_later().await;
        }
    }

    /// Sets the alarm to the next time there is something to do; where nothing is left at all, nothing
    /// stays stored.
    pub(in crate::flows) async fn rest(&self) -> Result<(), Failure> {
        self.components.trim()?;
        if self.components.is_over()? {
            return Ok(self.erase_all().await?);
        }
        let next = self.next_due()?;
        Ok(self.alarm.set_to(self.base.storage(), next).await?)
    }

    /// Whoever wakes this object finds the alarm set: a restart may have come between a write and it.
    pub(super) async fn set_a_missing_alarm(&self) -> Result<(), Failure> {
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

    /// Nothing is left at all.
    async fn erase_all(&self) -> Result<(), StorageFault> {
        self.components.reset();
        self.alarm.forget();
        self.base.storage().erase().await
    }
}
