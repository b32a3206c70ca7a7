//! Events go out, by alarm: each is expanded to those who subscribed, then delivered, oldest first, one at a time.
//! An attempt is counted before it is sent, so a restart never makes one for nothing.

use std::cell::Cell;
use std::time::Duration;

use crate::delivery;
use crate::error::Failure;
use crate::flows::account_object::AccountObject;
use crate::flows::base::records::WebhookRecord;
use crate::ids::{EnvironmentId, WebhookId};
use crate::ports::{Outside, Row, SqlValue, Storage, StorageFault};
use crate::time::Timestamp;

/// Events that are expanded, deliveries that are looked up, at a time.
const STEP: i64 = 50;
/// Until what could not be expanded or told is tried again.
pub(in crate::flows) const RETRY: Duration = Duration::from_secs(10);

/// A delivery that is due.
#[derive(Debug, Clone, Copy)]
pub(in crate::flows) struct Due {
    pub(in crate::flows) event: i64,
    pub(in crate::flows) webhook: WebhookId,
}

/// Given back when the work is over, however it ends.
struct Busy<'a>(&'a Cell<bool>);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Delivers what is due, until then.
    pub(in crate::flows) async fn deliver(&self, until: Timestamp) -> Result<(), Failure> {
        let Some(environment) = self.outbox_environment()? else {
            return Ok(());
        };
        if self.is_delivering.replace(true) {
            return Ok(());
        }
        let _busy = Busy(&self.is_delivering);
        let outcome = self.deliver_all(environment, until).await;
        let told = self.report(environment).await;
        let pause = outcome.is_err() || told.is_err();
        self.outbox_pause
            .set(pause.then(|| self.outside.now().plus(RETRY)));
        outcome.and(told)
    }

    async fn deliver_all(
        &self,
        environment: EnvironmentId,
        until: Timestamp,
    ) -> Result<(), Failure> {
        while self.outside.now() < until {
            let has_more = self.expand(environment).await?;
            self.note_waiting(environment).await?;
            let due = self.due()?;
            // What comes from now on is found when the alarm is set again.
            if due.is_empty() && !has_more {
                return Ok(());
            }
            for one in due {
                if self.outside.now() >= until {
                    return Ok(());
                }
                self.deliver_one(environment, one).await?;
            }
        }
        Ok(())
    }

    /// Gives new events to who subscribed, by a list that is not older than they are; whether there may be more.
    async fn expand(&self, environment: EnvironmentId) -> Result<bool, Failure> {
        let new = "SELECT number, event FROM event WHERE is_expanded = 0 ORDER BY number LIMIT ?";
        let now = self.outside.now();
        let rows = self.storage.exec(new, &[STEP.into()])?;
        if rows.is_empty() {
            return Ok(false);
        }
        let subscriptions = self.subscriptions(environment, now).await?;
        let has_more = i64::try_from(rows.len()) == Ok(STEP);
        for row in rows {
            if let [SqlValue::Integer(number), SqlValue::Text(event)] = row.as_slice() {
                self.expand_one(*number, event, &subscriptions)?;
            }
        }
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
            let now = self.outside.now().as_millis();
            self.storage
                .exec(statement, &[number.into(), id.into(), now.into()])?;
            if webhook.paused_at.is_some() {
                self.let_wait(webhook.id)?;
            }
        }
        self.storage.exec(
            "UPDATE event SET is_expanded = 1 WHERE number = ?",
            &[number.into()],
        )?;
        self.settle_event(number)
    }

    /// One of each subscription after the other, each the oldest first: a slow one holds the others back by one.
    fn due(&self) -> Result<Vec<Due>, StorageFault> {
        let now = self.outside.now().as_millis();
        let statement = "SELECT event, webhook_id FROM (SELECT event, webhook_id, ROW_NUMBER() OVER (PARTITION BY webhook_id ORDER BY event) AS turn \
                         FROM delivery WHERE next_at <= ?) ORDER BY turn, event LIMIT ?";
        let rows = self.storage.exec(statement, &[now.into(), STEP.into()])?;
        Ok(rows.iter().filter_map(due_of).collect())
    }

    /// When a delivery, or what has to be told, is next.
    pub(in crate::flows) fn next_delivery(&self) -> Result<Option<Timestamp>, StorageFault> {
        if !self.has_outbox()? {
            return Ok(None);
        }
        let now = self.outside.now();
        if self.is_delivering.get() {
            // Whoever delivers sets it when he is done; should he never be, this is the way back.
            return Ok(Some(now.plus(Duration::from_mins(1))));
        }
        let is_new = "SELECT number FROM event WHERE is_expanded = 0 LIMIT 1";
        let is_untold =
            "SELECT 1 FROM report UNION ALL SELECT 1 FROM waiting WHERE is_noted = 0 LIMIT 1";
        if self.one_integer(is_new, &[])?.is_some() || self.one_integer(is_untold, &[])?.is_some() {
            return Ok(Some(
                self.outbox_pause.get().map_or(now, |until| until.max(now)),
            ));
        }
        let statement = "SELECT MIN(next_at) FROM delivery WHERE next_at IS NOT NULL";
        let next = self
            .one_integer(statement, &[])?
            .map(Timestamp::from_millis);
        Ok(next.map(|at| self.outbox_pause.get().map_or(at, |until| until.max(at))))
    }

    /// What an event comes to, once every delivery of it is over; the directory is told of those that fail.
    pub(in crate::flows) fn settle_event(&self, number: i64) -> Result<(), StorageFault> {
        let statement = "UPDATE event SET status = CASE \
               WHEN is_expanded = 0 OR EXISTS (SELECT 1 FROM delivery WHERE event = ?1 AND status = 'pending') THEN 'pending' \
               WHEN EXISTS (SELECT 1 FROM delivery WHERE event = ?1 AND status = 'failed') THEN 'failed' \
               ELSE 'delivered' END \
             WHERE number = ?1 RETURNING status";
        let rows = self.storage.exec(statement, &[number.into()])?;
        if rows
            .first()
            .and_then(|row| row.first())
            .and_then(SqlValue::as_text)
            == Some("failed")
        {
            self.storage.exec(
                "INSERT OR REPLACE INTO report (event, is_failed) VALUES (?, 1)",
                &[number.into()],
            )?;
        }
        Ok(())
    }
}

fn due_of(row: &Row) -> Option<Due> {
    let [event, webhook] = row.as_slice() else {
        return None;
    };
    Some(Due {
        event: event.as_integer()?,
        webhook: webhook.as_text()?.parse().ok()?,
    })
}
