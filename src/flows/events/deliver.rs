//! Delivery of events, by the alarm: each event is expanded to a delivery for each subscription, and deliveries are sent
//! one at a time, oldest first. An attempt is counted before it is sent, so a restart never makes an uncounted one.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use crate::delivery;
use crate::error::Failure;
use crate::flows::account::base::Base;
use crate::flows::account::outbox::Outbox;
use crate::flows::account::state::State;
use crate::flows::account::stored::Stored;
use crate::flows::base::records::WebhookRecord;
use crate::flows::base::sql;
use crate::flows::events::event_rows::EventRows;
use crate::ids::{EnvironmentId, WebhookId};
use crate::ports::{Outside, Storage, StorageFault};
use crate::time::Timestamp;

/// The most events expanded, and deliveries read, in one step.
const STEP: i64 = 50;
/// The wait before a failed step (expand, report) is tried again.
pub(in crate::flows) const RETRY: Duration = Duration::from_secs(10);

/// A delivery that is due.
#[derive(Debug, Clone, Copy)]
pub(in crate::flows) struct Due {
    pub(in crate::flows) event: i64,
    pub(in crate::flows) webhook: WebhookId,
}

/// Clears the flag when the work ends or is cancelled.
struct Busy<'a>(&'a Cell<bool>);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// The deliveries of the account's events.
pub(in crate::flows) struct Dispatcher<O, S> {
    pub(super) base: Rc<Base<O, S>>,
    pub(super) outbox: Rc<Outbox<O, S>>,
    pub(super) rows: EventRows<O, S>,
    is_delivering: Cell<bool>,
    /// Set while the directory does not answer.
    paused_until: Cell<Option<Timestamp>>,
}

impl<O: Outside, S: Storage> Dispatcher<O, S> {
    pub(in crate::flows) fn new(base: &Rc<Base<O, S>>, outbox: &Rc<Outbox<O, S>>) -> Self {
        Self {
            base: Rc::clone(base),
            outbox: Rc::clone(outbox),
            rows: EventRows::new(base),
            is_delivering: Cell::new(false),
            paused_until: Cell::new(None),
        }
    }

    /// The rows of events and of their deliveries.
    pub(in crate::flows) fn rows(&self) -> &EventRows<O, S> {
        &self.rows
    }

    pub(super) fn is_delivering(&self) -> bool {
        self.is_delivering.get()
    }

    /// Sends due deliveries until `until`.
    pub(in crate::flows) async fn deliver(&self, until: Timestamp) -> Result<(), Failure> {
        let Some(environment) = self.outbox.environment()? else {
            return Ok(());
        };
        if self.is_delivering.replace(true) {
            return Ok(());
        }
        let _busy = Busy(&self.is_delivering);
        let outcome = self.deliver_all(environment, until).await;
        let reported = self.report(environment).await;
        let pause = outcome.is_err() || reported.is_err();
        self.paused_until
            .set(pause.then(|| self.base.outside().now().plus(RETRY)));
        outcome.and(reported)
    }

    async fn deliver_all(
        &self,
        environment: EnvironmentId,
        until: Timestamp,
    ) -> Result<(), Failure> {
        while self.base.outside().now() < until {
            let has_more = self.expand(environment).await?;
            self.note_waiting(environment).await?;
            let due = self.due()?;
            // Later events are found when the alarm is set again.
            if due.is_empty() && !has_more {
                return Ok(());
            }
            for one in due {
                if self.base.outside().now() >= until {
                    return Ok(());
                }
                self.deliver_one(environment, one).await?;
            }
        }
        Ok(())
    }

    /// Creates the deliveries of new events, by a list of subscriptions that is not older than the events. Returns whether
    /// there may be more events.
    async fn expand(&self, environment: EnvironmentId) -> Result<bool, Failure> {
        let new = "SELECT number, event FROM event WHERE is_expanded = 0 ORDER BY number LIMIT ?";
        let now = self.base.outside().now();
        let events: Vec<(i64, String)> = sql::rows_as(self.base.storage(), new, &[STEP.into()])?;
        if events.is_empty() {
            return Ok(false);
        }
        let subscriptions = self.subscriptions(environment, now).await?;
        let has_more = i64::try_from(events.len()) == Ok(STEP);
        for (number, event) in &events {
            self.expand_one(*number, event, &subscriptions)?;
        }
        let numbers: Vec<i64> = events.into_iter().map(|(number, _)| number).collect();
        self.rows.note_expanded(&numbers)?;
        Ok(has_more)
    }

    fn expand_one(
        &self,
        number: i64,
        event: &str,
        subscriptions: &[WebhookRecord],
    ) -> Result<(), StorageFault> {
        let wanted =
            |webhook: &&WebhookRecord| delivery::is_wanted(webhook.event_types.as_deref(), event);
        let statement = "INSERT INTO delivery (event, webhook_id, status, attempts, tries, next_at) VALUES (?, ?, 'pending', 0, 0, ?) \
                         ON CONFLICT (event, webhook_id) DO NOTHING";
        for webhook in subscriptions.iter().filter(wanted) {
            let id = webhook.id.to_string();
            let now = self.base.outside().now().as_millis();
            sql::run(
                self.base.storage(),
                statement,
                &[number.into(), id.into(), now.into()],
            )?;
            if webhook.paused_at.is_some() {
                self.pause_deliveries(webhook.id)?;
            }
        }
        Ok(())
    }

    /// The oldest delivery of each subscription, then the second oldest of each: a slow receiver delays the others by one
    /// attempt only.
    fn due(&self) -> Result<Vec<Due>, StorageFault> {
        let now = self.base.outside().now().as_millis();
        let statement = "SELECT event, webhook_id FROM (SELECT event, webhook_id, ROW_NUMBER() OVER (PARTITION BY webhook_id ORDER BY event) AS position \
                         FROM delivery WHERE next_at <= ?) ORDER BY position, event LIMIT ?";
        let values = [now.into(), STEP.into()];
        let rows: Vec<(i64, String)> = sql::rows_as(self.base.storage(), statement, &values)?;
        let due = |(event, webhook): (i64, String)| {
            let webhook = webhook.parse().ok()?;
            Some(Due { event, webhook })
        };
        Ok(rows.into_iter().filter_map(due).collect())
    }
}

impl<O: Outside, S: Storage> Stored for Dispatcher<O, S> {
    fn trim(&self) -> Result<(), StorageFault> {
        // `EventRetention` trims events with their deliveries.
        Ok(())
    }

    /// When the next delivery, or report to the directory, is due.
    fn next_due(&self, _: &State) -> Result<Option<Timestamp>, Failure> {
        if !self.outbox.is_there()? {
            return Ok(None);
        }
        let now = self.base.outside().now();
        if self.is_delivering.get() {
            // The alarm that delivers sets the next one when it ends. This one is for the case that it never ends.
            return Ok(Some(now.plus(Duration::from_mins(1))));
        }
        let storage = self.base.storage();
        let paused_until = self.paused_until.get();
        let is_new = "SELECT number FROM event WHERE is_expanded = 0 LIMIT 1";
        let is_unreported =
            "SELECT 1 FROM report UNION ALL SELECT 1 FROM waiting WHERE is_noted = 0 LIMIT 1";
        if sql::exists(storage, is_new, &[])? || sql::exists(storage, is_unreported, &[])? {
            return Ok(Some(paused_until.map_or(now, |until| until.max(now))));
        }
        let statement = "SELECT MIN(next_at) FROM delivery WHERE next_at IS NOT NULL";
        let next: Option<Timestamp> = sql::one(storage, statement, &[])?;
        Ok(next.map(|at| paused_until.map_or(at, |until| until.max(at))))
    }

    fn reseal(&self) -> Result<(), Failure> {
        // Deliveries have no encrypted column.
        Ok(())
    }

    fn is_over(&self) -> Result<bool, Failure> {
        // Its rows are deleted with the storage.
        Ok(true)
    }

    fn wipe(&self, _: EnvironmentId) -> Result<(), StorageFault> {
        // Pending deliveries are sent after the deletion; its own event is one of them.
        Ok(())
    }

    /// `is_delivering` is cleared by the alarm that delivers.
    fn reset(&self) {
        self.paused_until.set(None);
    }
}
