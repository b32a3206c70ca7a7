//! The tables of events, their deliveries, and received webhooks.
//!
//! `event.number` is the last part of an event's id and increases with time. `delivery.next_at` is the time of the next
//! attempt; it is null for a delivery that is finished, or whose subscription is paused.

use std::cell::Cell;
use std::rc::Rc;

use crate::error::Failure;
use crate::flows::account::base::Base;
use crate::flows::account::state::State;
use crate::flows::account::stored::Stored;
use crate::flows::base::sequence::number_after;
use crate::flows::base::sql;
use crate::ids::EnvironmentId;
use crate::ports::{Outside, Storage, StorageFault};
use crate::settings::{DEDUPLICATION, PENDING_EVENTS};
use crate::time::Timestamp;

const SCHEMA: &[&str] = &[
    // The payload is the last column, so that queries over many rows do not read it.
    "CREATE TABLE IF NOT EXISTS event (number INTEGER PRIMARY KEY, status TEXT NOT NULL DEFAULT 'pending', \
     is_expanded INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL, event TEXT NOT NULL, resource_type TEXT, resource_id TEXT, \
     last_error TEXT, payload TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS event_new ON event (number) WHERE is_expanded = 0",
    "CREATE TABLE IF NOT EXISTS delivery (event INTEGER NOT NULL, webhook_id TEXT NOT NULL, status TEXT NOT NULL, \
     attempts INTEGER NOT NULL, tries INTEGER NOT NULL, next_at INTEGER, PRIMARY KEY (event, webhook_id)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS delivery_due ON delivery (webhook_id, event, next_at) WHERE next_at IS NOT NULL",
    "CREATE TABLE IF NOT EXISTS attempt (event INTEGER NOT NULL, webhook_id TEXT NOT NULL, number INTEGER NOT NULL, status INTEGER, \
     duration_ms INTEGER NOT NULL, body TEXT, error TEXT, created_at INTEGER NOT NULL, PRIMARY KEY (event, webhook_id, number)) WITHOUT ROWID",
    // Requests that could not be read: sealed, and in pieces, since a row holds at most 2 MB.
    "CREATE TABLE IF NOT EXISTS unread (event INTEGER NOT NULL, piece INTEGER NOT NULL, sealed TEXT NOT NULL, PRIMARY KEY (event, piece)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS seen (key TEXT PRIMARY KEY, events TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID",
    // Reports that the directory has not received yet.
    "CREATE TABLE IF NOT EXISTS report (event INTEGER PRIMARY KEY, is_failed INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS waiting (webhook_id TEXT PRIMARY KEY, is_noted INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS outbox (one INTEGER PRIMARY KEY CHECK (one = 1), environment_id TEXT NOT NULL)",
];

/// The account's events. They outlive the account, since its deletion is one of them.
pub(in crate::flows) struct Outbox<O, S> {
    pub(super) base: Rc<Base<O, S>>,
    /// Whether the tables exist.
    is_open: Cell<bool>,
    /// The environment of the stored events, once it was read: it never changes.
    environment: Cell<Option<EnvironmentId>>,
    last_number: Cell<Option<i64>>,
    /// The number of events stored since the last trim, and the time of the next trim.
    stored: Cell<u32>,
    trim_at: Cell<Option<Timestamp>>,
    /// So many events can be stored until the pending ones are counted.
    uncounted: Cell<usize>,
}

impl<O: Outside, S: Storage> Outbox<O, S> {
    pub(in crate::flows) fn new(base: &Rc<Base<O, S>>) -> Self {
        Self {
            base: Rc::clone(base),
            is_open: Cell::new(false),
            environment: Cell::new(None),
            last_number: Cell::new(None),
            stored: Cell::new(0),
            trim_at: Cell::new(None),
            uncounted: Cell::new(0),
        }
    }

    /// Creates the tables if they do not exist.
    pub(in crate::flows) fn open(&self, environment: EnvironmentId) -> Result<(), StorageFault> {
        if self.is_open.get() {
            return Ok(());
        }
        sql::run_all(self.base.storage(), SCHEMA)?;
        let statement =
            "INSERT INTO outbox (one, environment_id) VALUES (1, ?) ON CONFLICT (one) DO NOTHING";
        sql::run(
            self.base.storage(),
            statement,
            &[environment.to_string().into()],
        )?;
        self.is_open.set(true);
        Ok(())
    }

    /// Whether the tables were ever created.
    pub(in crate::flows) fn is_there(&self) -> Result<bool, StorageFault> {
        Ok(self.is_open.get() || sql::has_table(self.base.storage(), "outbox")?)
    }

    /// The environment of the events, even after the account is deleted.
    pub(in crate::flows) fn environment(&self) -> Result<Option<EnvironmentId>, StorageFault> {
        if self.environment.get().is_none() && self.is_there()? {
            let statement = "SELECT environment_id FROM outbox";
            let id: Option<String> = sql::one(self.base.storage(), statement, &[])?;
            self.environment.set(id.and_then(|id| id.parse().ok()));
        }
        Ok(self.environment.get())
    }

    /// The number of the next event. It is higher than all before it, even if the clock goes back.
    pub(in crate::flows) fn next_number(&self) -> Result<i64, StorageFault> {
        let last = match self.last_number.get() {
            Some(last) => last,
            None if self.is_there()? => {
                sql::one(self.base.storage(), "SELECT MAX(number) FROM event", &[])?.unwrap_or(0)
            }
            None => 0,
        };
        let next = number_after(last, self.base.outside().now());
        self.last_number.set(Some(next));
        Ok(next)
    }

    /// Counts a stored event for the next trim, and for [`Self::is_full`].
    pub(super) fn count_stored(&self) {
        self.stored.set(self.stored.get().saturating_add(1));
        self.uncounted.set(self.uncounted.get().saturating_sub(1));
    }

    /// Whether [`PENDING_EVENTS`] or more wait to be delivered. They are counted where there may be so many.
    pub(in crate::flows) fn is_full(&self) -> Result<bool, StorageFault> {
        if self.uncounted.get() == 0 && self.is_there()? {
            let statement = "SELECT number FROM event WHERE status = 'pending' LIMIT ?";
            let most = i64::try_from(PENDING_EVENTS).unwrap_or(i64::MAX);
            let pending = self.base.storage().exec(statement, &[most.into()])?;
            self.uncounted
                .set(PENDING_EVENTS.saturating_sub(pending.len()));
            return Ok(self.uncounted.get() == 0);
        }
        Ok(false)
    }

    /// Schedules a trim for the time when a row stored at `at` expires.
    pub(in crate::flows) fn note_stored(&self, at: Timestamp) {
        let expires_at = at.plus(DEDUPLICATION);
        if self.trim_at.get().is_none_or(|due| due > expires_at) {
            self.trim_at.set(Some(expires_at));
        }
    }

    /// The number of events stored since the last trim.
    pub(in crate::flows) fn stored(&self) -> u32 {
        self.stored.get()
    }

    /// The time of the next trim; `None` if it has to be read from storage.
    pub(in crate::flows) fn trim_at(&self) -> Option<Timestamp> {
        self.trim_at.get()
    }

    pub(in crate::flows) fn set_trim_at(&self, next: Option<Timestamp>) {
        self.trim_at.set(next);
    }

    pub(in crate::flows) fn note_trimmed(&self, next: Option<Timestamp>) {
        self.stored.set(0);
        self.trim_at.set(next);
    }
}

impl<O: Outside, S: Storage> Stored for Outbox<O, S> {
    fn trim(&self) -> Result<(), StorageFault> {
        // `events::retention` trims these tables.
        Ok(())
    }

    fn next_due(&self, _: &State) -> Result<Option<Timestamp>, Failure> {
        Ok(None)
    }

    fn reseal(&self) -> Result<(), Failure> {
        // What is sealed of an event is a dead letter.
        Ok(())
    }

    fn is_over(&self) -> Result<bool, Failure> {
        // `events` decides whether an event still has to be delivered.
        Ok(true)
    }

    fn wipe(&self, _: EnvironmentId) -> Result<(), StorageFault> {
        // The object delivers its events even after the deletion; the last one reports it.
        Ok(())
    }

    fn reset(&self) {
        self.is_open.set(false);
        self.environment.set(None);
        self.last_number.set(None);
        self.stored.set(0);
        self.trim_at.set(None);
        self.uncounted.set(0);
    }
}
