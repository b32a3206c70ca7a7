//! The tables that events, their deliveries and what is known of webhooks rest in; how long they do.
//!
//! `event.number` is the end of an event's id and counts up with the time. `delivery.next_at` is when a delivery is
//! tried (again); nothing for those that are settled, or wait for a paused subscription.

use crate::flows::account_object::events::number_at;
use crate::flows::account_object::{AccountObject, State};
use crate::ids::EnvironmentId;
use crate::ports::{Outside, SqlValue, Storage, StorageFault};
use crate::settings::{DEDUPLICATION, EVENT_RETENTION_DAYS};
use crate::time::Timestamp;
use std::time::Duration;

const SCHEMA: &[&str] = &[
    // The payload stands last: what is asked of many rows is in front of it.
    "CREATE TABLE IF NOT EXISTS event (number INTEGER PRIMARY KEY, status TEXT NOT NULL DEFAULT 'pending', \
     is_expanded INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL, event TEXT NOT NULL, resource_type TEXT, resource_id TEXT, \
     last_error TEXT, payload TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS event_new ON event (number) WHERE is_expanded = 0",
    "CREATE TABLE IF NOT EXISTS delivery (event INTEGER NOT NULL, webhook_id TEXT NOT NULL, status TEXT NOT NULL, \
     attempts INTEGER NOT NULL, tries INTEGER NOT NULL, next_at INTEGER, PRIMARY KEY (event, webhook_id)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS delivery_due ON delivery (webhook_id, event, next_at) WHERE next_at IS NOT NULL",
    "CREATE TABLE IF NOT EXISTS attempt (event INTEGER NOT NULL, webhook_id TEXT NOT NULL, number INTEGER NOT NULL, status INTEGER, \
     duration_ms INTEGER NOT NULL, body TEXT, error TEXT, created_at INTEGER NOT NULL, PRIMARY KEY (event, webhook_id, number)) WITHOUT ROWID",
    // Requests that could not be read: sealed, in pieces, since a row takes 2 MB.
    "CREATE TABLE IF NOT EXISTS unread (event INTEGER NOT NULL, piece INTEGER NOT NULL, sealed TEXT NOT NULL, PRIMARY KEY (event, piece)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS seen (key TEXT PRIMARY KEY, events TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID",
    // What the directory is still to be told.
    "CREATE TABLE IF NOT EXISTS report (event INTEGER PRIMARY KEY, is_failed INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS waiting (webhook_id TEXT PRIMARY KEY, is_noted INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS outbox (one INTEGER PRIMARY KEY CHECK (one = 1), environment_id TEXT NOT NULL)",
];

/// What is on its way from an account that is gone is on its way no longer than that.
const LONGEST: Duration = Duration::from_hours(24 * EVENT_RETENTION_DAYS);
/// Trimming looks at everything that is kept: not more often than that.
const TRIMMED: Duration = Duration::from_hours(1);
/// Or after so many new events.
const TRIMMED_COUNT: u32 = 1000;

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Makes the tables when they are not there yet.
    pub(in crate::flows) fn open_outbox(
        &self,
        environment: EnvironmentId,
    ) -> Result<(), StorageFault> {
        if self.has_open_outbox.get() {
            return Ok(());
        }
        for statement in SCHEMA {
            self.storage.exec(statement, &[])?;
        }
        let statement =
            "INSERT INTO outbox (one, environment_id) VALUES (1, ?) ON CONFLICT (one) DO NOTHING";
        self.storage
            .exec(statement, &[environment.to_string().into()])?;
        self.has_open_outbox.set(true);
        Ok(())
    }

    /// Whether anything was ever stored in it.
    pub(in crate::flows) fn has_outbox(&self) -> Result<bool, StorageFault> {
        Ok(self.has_open_outbox.get() || self.has_table("outbox")?)
    }

    /// Whose events these are; also when the account is gone.
    pub(in crate::flows) fn outbox_environment(
        &self,
    ) -> Result<Option<EnvironmentId>, StorageFault> {
        if !self.has_outbox()? {
            return Ok(None);
        }
        let rows = self
            .storage
            .exec("SELECT environment_id FROM outbox", &[])?;
        let id = rows
            .first()
            .and_then(|row| row.first())
            .and_then(SqlValue::as_text);
        Ok(id.and_then(|id| id.parse().ok()))
    }

    /// Something was stored: it will have to go some day.
    pub(in crate::flows) fn note_stored(&self, at: Timestamp) {
        let over = at.plus(DEDUPLICATION);
        if self.trim_at.get().is_none_or(|due| due > over) {
            self.trim_at.set(Some(over));
        }
    }

    /// What is over goes, pending events never do.
    pub(in crate::flows) fn trim_outbox(&self) -> Result<(), StorageFault> {
        if !self.has_outbox()? {
            return Ok(());
        }
        let now = self.outside.now();
        let is_due = self.trim_at.get().is_none_or(|due| due <= now);
        if is_due || self.stored.get() >= TRIMMED_COUNT {
            self.trim_seen(now)?;
            self.trim_events(now)?;
            self.stored.set(0);
            self.trim_at.set(self.first_to_trim(now)?);
        }
        Ok(())
    }

    /// When there is something to trim again.
    pub(in crate::flows) fn next_trim(&self) -> Result<Option<Timestamp>, StorageFault> {
        if self.trim_at.get().is_none() && self.has_outbox()? {
            self.trim_at.set(self.first_to_trim(self.outside.now())?);
        }
        Ok(self.trim_at.get())
    }

    fn trim_seen(&self, now: Timestamp) -> Result<(), StorageFault> {
        let over = now.minus(DEDUPLICATION).as_millis();
        self.storage
            .exec("DELETE FROM seen WHERE at <= ?", &[over.into()])
            .map(drop)
    }

    fn trim_events(&self, now: Timestamp) -> Result<(), StorageFault> {
        let settings = self.outside.settings();
        let by_age = number_at(now.minus(settings.event_retention));
        let kept = i64::try_from(settings.event_retention_count).unwrap_or(i64::MAX);
        let statement = "SELECT number FROM event WHERE status <> 'pending' ORDER BY number DESC LIMIT 1 OFFSET ?";
        let by_count = self.one_integer(statement, &[kept.into()])?.unwrap_or(0);
        let last = by_age.max(by_count);
        self.drop_settled_events(last)
    }

    /// Settled events up to this one, with all that belongs to them; the directory forgets those that failed.
    pub(in crate::flows) fn drop_settled_events(&self, last: i64) -> Result<(), StorageFault> {
        let statements = [
            "INSERT OR REPLACE INTO report (event, is_failed) SELECT number, 0 FROM event WHERE number <= ? AND status = 'failed'",
            "DELETE FROM event WHERE number <= ? AND status <> 'pending'",
            "DELETE FROM delivery WHERE event <= ?1 AND event NOT IN (SELECT number FROM event WHERE number <= ?1)",
            "DELETE FROM attempt WHERE event <= ?1 AND event NOT IN (SELECT number FROM event WHERE number <= ?1)",
            "DELETE FROM unread WHERE event <= ?1 AND event NOT IN (SELECT number FROM event WHERE number <= ?1)",
        ];
        for statement in statements {
            self.storage.exec(statement, &[last.into()])?;
        }
        Ok(())
    }

    fn first_to_trim(&self, now: Timestamp) -> Result<Option<Timestamp>, StorageFault> {
        let retention = self.outside.settings().event_retention;
        let statement =
            "SELECT created_at FROM event WHERE status <> 'pending' ORDER BY number LIMIT 1";
        let event = self.one_integer(statement, &[])?;
        let seen = self.one_integer("SELECT MIN(at) FROM seen", &[])?;
        let event = event.map(|at| Timestamp::from_millis(at).plus(retention));
        let seen = seen.map(|at| Timestamp::from_millis(at).plus(DEDUPLICATION));
        let first = [event, seen].into_iter().flatten().min();
        Ok(first.map(|at| at.max(now.plus(TRIMMED))))
    }

    /// Of an account that is gone: whether no event is on its way any more, and the directory lists none.
    pub(in crate::flows) fn is_outbox_over(&self) -> Result<bool, StorageFault> {
        if !self.has_outbox()? {
            return Ok(true);
        }
        let now = self.outside.now();
        if self.last_end()?.is_some_and(|end| end > now) {
            return Ok(false);
        }
        let listed = "INSERT OR REPLACE INTO report (event, is_failed) SELECT number, 0 FROM event WHERE status = 'failed'";
        self.storage.exec(listed, &[])?;
        self.storage
            .exec("DELETE FROM event WHERE status <> 'pending'", &[])?;
        Ok(self
            .one_integer("SELECT event FROM report LIMIT 1", &[])?
            .is_none())
    }

    /// When the outbox of an account that is gone ends, whatever is still on its way.
    pub(in crate::flows) fn next_end(&self) -> Result<Option<Timestamp>, StorageFault> {
        if !matches!(self.state(), State::Missing) || !self.has_outbox()? {
            return Ok(None);
        }
        self.last_end()
    }

    fn last_end(&self) -> Result<Option<Timestamp>, StorageFault> {
        let statement = "SELECT MAX(created_at) FROM event WHERE status = 'pending'";
        let newest = self.one_integer(statement, &[])?;
        Ok(newest.map(|at| Timestamp::from_millis(at).plus(LONGEST)))
    }
}
