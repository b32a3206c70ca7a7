//! The account's events for callers of the API, and the start of their delivery.

use std::rc::Rc;

use crate::error::Failure;
use crate::flows::account::base::Base;
use crate::flows::account::outbox::Outbox;
use crate::flows::account::record::AccountRecord;
use crate::flows::account::schedule::Schedule;
use crate::flows::base::records::{ListPage, PageRequest};
use crate::flows::events::deliver::Dispatcher;
use crate::flows::events::event_views::no_event;
use crate::flows::messages::event::{EventDetail, EventView};
use crate::ids::{EnvironmentId, EventId};
use crate::ports::{Outside, Storage, StorageFault, Visibility};
use crate::time::Timestamp;

/// The events of the account; they outlive it.
pub(in crate::flows) struct AccountEvents<O, S> {
    pub(super) base: Rc<Base<O, S>>,
    record: Rc<AccountRecord<O, S>>,
    pub(super) outbox: Rc<Outbox<O, S>>,
    schedule: Rc<Schedule<O, S>>,
    deliveries: Rc<Dispatcher<O, S>>,
}

impl<O: Outside, S: Storage> AccountEvents<O, S> {
    pub(in crate::flows) fn new(
        base: &Rc<Base<O, S>>,
        record: &Rc<AccountRecord<O, S>>,
        outbox: &Rc<Outbox<O, S>>,
        schedule: &Rc<Schedule<O, S>>,
        deliveries: &Rc<Dispatcher<O, S>>,
    ) -> Self {
        Self {
            base: Rc::clone(base),
            record: Rc::clone(record),
            outbox: Rc::clone(outbox),
            schedule: Rc::clone(schedule),
            deliveries: Rc::clone(deliveries),
        }
    }

    /// The environment of the events, if the caller can see them. The account may be deleted already.
    pub(in crate::flows) async fn visible_outbox(
        &self,
        visibility: &Visibility,
    ) -> Result<EnvironmentId, Failure> {
        let loaded = self.record.settled().await?;
        let own = match &loaded {
            Some(loaded) => Some(loaded.account.environment_id),
            None => self.outbox.environment()?,
        };
        let visible = own.filter(|own| match visibility {
            Visibility::All => true,
            Visibility::Environment(environment) => environment == own,
            Visibility::AccountToken(_) | Visibility::McpToken(_) => false,
        });
        visible.ok_or_else(|| Failure::not_found("integrated account"))
    }

    /// Newest first.
    pub(in crate::flows) async fn list_events(
        &self,
        visibility: &Visibility,
        page: &PageRequest,
    ) -> Result<ListPage<EventView>, Failure> {
        let environment = self.visible_outbox(visibility).await?;
        self.list(environment, page)
    }

    /// One event with its payload, deliveries and attempts.
    pub(in crate::flows) async fn get_event(
        &self,
        visibility: &Visibility,
        id: EventId,
    ) -> Result<EventDetail, Failure> {
        let environment = self
            .visible_outbox(visibility)
            .await
            .map_err(|_| no_event())?;
        self.get(environment, id)
    }

    /// The directory reports that a paused subscription was resumed.
    pub(in crate::flows) async fn release_deliveries(&self) -> Result<(), Failure> {
        if self.deliveries.release_all()? {
            self.schedule.wake_by(self.base.outside().now()).await;
        }
        Ok(())
    }

    /// Whether an event was ever stored.
    pub(in crate::flows) fn is_there(&self) -> Result<bool, StorageFault> {
        self.outbox.is_there()
    }

    /// Sends due deliveries until `until`.
    pub(in crate::flows) async fn deliver(&self, until: Timestamp) -> Result<(), Failure> {
        self.deliveries.deliver(until).await
    }

    /// Sets the alarm to this time at the latest.
    pub(in crate::flows) async fn wake_by(&self, at: Timestamp) {
        self.schedule.wake_by(at).await;
    }

    /// Sets the alarm to deliver now.
    pub(in crate::flows) async fn deliver_now(&self) {
        self.schedule.wake_by(self.base.outside().now()).await;
    }

    /// Sets the alarm, unless it is delivering: then it finds new events without it.
    pub(in crate::flows) async fn wake_to_deliver(&self) {
        if !self.deliveries.is_delivering() {
            self.schedule.wake_by(self.base.outside().now()).await;
        }
    }
}
