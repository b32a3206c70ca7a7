//! The status of an event from its deliveries, and the rows of a replay.

use std::rc::Rc;

use crate::flows::account::base::Base;
use crate::flows::base::sql;
use crate::flows::messages::event::{EventStatus, ReplayRange};
use crate::flows::messages::webhook::NewEvent;
use crate::ports::{Outside, SqlValue, Storage, StorageFault};

/// The rows of events and of their deliveries.
pub(in crate::flows) struct EventRows<O, S> {
    base: Rc<Base<O, S>>,
}

impl<O: Outside, S: Storage> EventRows<O, S> {
    pub(in crate::flows) fn new(base: &Rc<Base<O, S>>) -> Self {
        Self {
            base: Rc::clone(base),
        }
    }

    /// Has the directory remove a failed event from its list, before a replay.
    pub(in crate::flows) fn report_not_failed(&self, number: i64) -> Result<(), StorageFault> {
        let statement = "INSERT OR REPLACE INTO report (event, is_failed) SELECT number, 0 FROM event WHERE number = ? AND status = 'failed'";
        sql::run(self.base.storage(), statement, &[number.into()])
    }

    /// Notes that these events have their deliveries, and sets their status.
    pub(super) fn note_expanded(&self, numbers: &[i64]) -> Result<(), StorageFault> {
        self.settle("is_expanded = 1, ", sql::json(&numbers)?)
    }

    /// Sets the event's status from its deliveries. A failed event is reported to the directory.
    pub(super) fn settle_event(&self, number: i64) -> Result<(), StorageFault> {
        self.settle("", sql::json(&[number])?)
    }

    /// The same for several, a JSON array of their numbers. `also` is set with the status; an event that it expands is no
    /// longer pending for that.
    fn settle(&self, also: &str, numbers: SqlValue) -> Result<(), StorageFault> {
        let is_waiting = if also.is_empty() {
            "is_expanded = 0 OR "
        } else {
            ""
        };
        let statement = format!(
            "UPDATE event SET {also}status = CASE \
               WHEN {is_waiting}EXISTS (SELECT 1 FROM delivery WHERE delivery.event = event.number AND delivery.status = 'pending') THEN 'pending' \
               WHEN EXISTS (SELECT 1 FROM delivery WHERE delivery.event = event.number AND delivery.status = 'failed') THEN 'failed' \
               ELSE 'delivered' END \
             WHERE number IN (SELECT value FROM json_each(?)) RETURNING number, status"
        );
        let storage = self.base.storage();
        let settled: Vec<(i64, String)> = sql::rows_as(storage, &statement, &[numbers])?;
        for (number, _) in settled.iter().filter(|(_, status)| status == "failed") {
            let statement = "INSERT OR REPLACE INTO report (event, is_failed) VALUES (?, 1)";
            sql::run(storage, statement, &[(*number).into()])?;
        }
        Ok(())
    }

    pub(in crate::flows) fn numbers_of(
        &self,
        range: &ReplayRange,
    ) -> Result<Vec<i64>, StorageFault> {
        let status = range.status.as_str();
        let (from, to) = (range.from.as_millis().into(), range.to.as_millis().into());
        match range.webhook_id {
            None => {
                let statement = "SELECT number FROM event WHERE status = ? AND created_at BETWEEN ? AND ? ORDER BY number";
                sql::column(self.base.storage(), statement, &[status.into(), from, to])
            }
            Some(webhook) => {
                let statement = "SELECT e.number FROM event e JOIN delivery d ON d.event = e.number \
                     WHERE d.webhook_id = ? AND d.status = ? AND e.created_at BETWEEN ? AND ? ORDER BY e.number";
                let values = [webhook.to_string().into(), status.into(), from, to];
                sql::column(self.base.storage(), statement, &values)
            }
        }
    }

    /// Restarts the deliveries with the range's status and subscription. Without a subscription, an event that did not fail is
    /// expanded again.
    pub(in crate::flows) fn replay_deliveries(
        &self,
        number: i64,
        range: &ReplayRange,
    ) -> Result<(), StorageFault> {
        if range.webhook_id.is_none() && range.status != EventStatus::Failed {
            return self.expand_again(number);
        }
        self.report_not_failed(number)?;
        let webhook = range.webhook_id.map(|id| id.to_string());
        let webhook = sql::nullable(webhook);
        let statement = "UPDATE delivery SET status = 'pending', tries = 0, next_at = ? \
                         WHERE event = ? AND status = ? AND webhook_id = COALESCE(?, webhook_id)";
        let now = self.base.outside().now().as_millis();
        let values = [
            now.into(),
            number.into(),
            range.status.as_str().into(),
            webhook,
        ];
        sql::run(self.base.storage(), statement, &values)?;
        self.settle_event(number)
    }

    /// Delivers the event again, to all present subscriptions.
    pub(in crate::flows) fn expand_again(&self, number: i64) -> Result<(), StorageFault> {
        self.report_not_failed(number)?;
        let now = self.base.outside().now().as_millis();
        let statement =
            "UPDATE delivery SET status = 'pending', tries = 0, next_at = ? WHERE event = ?";
        sql::run(self.base.storage(), statement, &[now.into(), number.into()])?;
        let statement = "UPDATE event SET is_expanded = 0, status = 'pending' WHERE number = ?";
        sql::run(self.base.storage(), statement, &[number.into()])
    }

    /// Turns a dead letter's row into the event that was read from it.
    pub(in crate::flows) fn write_read_event(
        &self,
        number: i64,
        event: &NewEvent,
    ) -> Result<(), StorageFault> {
        let statement = "UPDATE event SET event = ?, resource_type = ?, resource_id = ?, payload = ?, last_error = NULL, \
                         status = 'pending', is_expanded = 0 WHERE number = ?";
        let values = [
            event.event.as_str().into(),
            sql::nullable(event.resource_type.as_deref()),
            sql::nullable(event.resource_id.as_deref()),
            event.payload.as_str().into(),
            number.into(),
        ];
        sql::run(self.base.storage(), statement, &values)
    }
}
