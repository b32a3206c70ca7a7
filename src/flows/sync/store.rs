//! The tables of an account's syncs. They exist once the account's file has a sync.
//!
//! The key of a record is its sync's number and its revision: the rows of a sync are in the order of its feed, and a
//! changed record is one row of the table and one of the index. Slots are explained in `seen`.

use std::cell::Cell;
use std::rc::Rc;

use serde_json::json;

use crate::account::seal::{SealKind, SealPlace};
use crate::error::{Code, Failure};
use crate::flows::account::base::Base;
use crate::flows::base::{sealed, sql};
use crate::flows::sync::state::SyncState;
use crate::ports::{Outside, Storage, StorageFault};
use crate::settings::SYNC_DEBOUNCE;
use crate::time::Timestamp;

const SCHEMA: &[&str] = &[
    // `next_at` is absent where nothing is due; `event_at` is when webhooks start a run, `event_run_at` when one last began.
    "CREATE TABLE IF NOT EXISTS sync (name TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, next_at INTEGER, event_at INTEGER, \
     event_run_at INTEGER, is_paused INTEGER NOT NULL DEFAULT 0, trimmed INTEGER NOT NULL DEFAULT 0, records INTEGER NOT NULL DEFAULT 0, \
     bytes INTEGER NOT NULL DEFAULT 0, sealed TEXT NOT NULL) WITHOUT ROWID",
    // The record is the last column, so that queries over many rows do not read it.
    "CREATE TABLE IF NOT EXISTS sync_record (key INTEGER PRIMARY KEY, sync INTEGER NOT NULL, id TEXT NOT NULL, slot INTEGER NOT NULL, \
     change INTEGER NOT NULL, hash TEXT NOT NULL, bytes INTEGER NOT NULL, first_at INTEGER NOT NULL, at INTEGER NOT NULL, content TEXT)",
    "CREATE UNIQUE INDEX IF NOT EXISTS sync_record_id ON sync_record (sync, id)",
    "CREATE INDEX IF NOT EXISTS sync_record_gone ON sync_record (at) WHERE change = 2",
    "CREATE TABLE IF NOT EXISTS sync_seen (sync INTEGER NOT NULL, page INTEGER NOT NULL, slots TEXT NOT NULL, PRIMARY KEY (sync, page)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS sync_run (number INTEGER PRIMARY KEY, sync TEXT NOT NULL, run TEXT NOT NULL)",
];
const TABLE: &str = "sync";
pub(super) const TABLES: [&str; 4] = [TABLE, "sync_record", "sync_seen", "sync_run"];
/// Revisions of one sync: with 255 syncs their keys stay below 2^53.
pub(super) const REVISIONS: i64 = 1 << 44;
const MOST_SYNCS: i64 = 255;
pub(super) const NEVER: i64 = i64::MAX >> 11;

/// The key of a record.
pub(super) fn key_of(number: i64, revision: i64) -> i64 {
    number * REVISIONS + revision
}

/// The revision in a key.
pub(super) fn revision_of(key: i64) -> i64 {
    key % REVISIONS
}

/// The account's syncs.
pub(in crate::flows) struct SyncStore<O, S> {
    pub(super) base: Rc<Base<O, S>>,
    pub(super) is_open: Cell<bool>,
    /// Nothing goes on before this time: callers need the account.
    pub(super) held_until: Cell<Option<Timestamp>>,
    /// Whether the syncs of the file are known.
    pub(super) has_adopted: Cell<bool>,
    /// Tombstones up to this time are deleted, although they are not old: there are too many.
    pub(super) dropped_until: Cell<Option<Timestamp>>,
}

impl<O: Outside, S: Storage> SyncStore<O, S> {
    pub(in crate::flows) fn new(base: &Rc<Base<O, S>>) -> Self {
        Self {
            base: Rc::clone(base),
            is_open: Cell::new(false),
            held_until: Cell::new(None),
            has_adopted: Cell::new(false),
            dropped_until: Cell::new(None),
        }
    }

    /// Notes whether the syncs of the file are known.
    pub(super) fn note_adopted(&self, has_adopted: bool) {
        self.has_adopted.set(has_adopted);
    }

    /// Whether the file has to be looked at: it may have syncs that are not known, or others than are.
    pub(super) fn must_adopt(&self) -> Result<bool, StorageFault> {
        Ok(!self.has_adopted.get() || self.is_there()?)
    }

    pub(super) fn is_there(&self) -> Result<bool, StorageFault> {
        Ok(self.is_open.get() || sql::has_table(self.base.storage(), TABLE)?)
    }

    fn open(&self) -> Result<(), StorageFault> {
        if !self.is_open.get() {
            sql::run_all(self.base.storage(), SCHEMA)?;
            self.is_open.set(true);
        }
        Ok(())
    }

    /// Lets nothing go on for so long.
    pub(super) fn hold_until(&self, at: Timestamp) {
        self.held_until.set(Some(at));
    }

    /// The names of the syncs that are known.
    pub(super) fn names(&self) -> Result<Vec<String>, StorageFault> {
        if !self.is_there()? {
            return Ok(Vec::new());
        }
        sql::column(
            self.base.storage(),
            "SELECT name FROM sync ORDER BY name",
            &[],
        )
    }

    pub(super) fn read(&self, name: &str) -> Result<Option<SyncState>, Failure> {
        if !self.is_there()? {
            return Ok(None);
        }
        let statement = "SELECT sealed FROM sync WHERE name = ?";
        let text: Option<String> = sql::one(self.base.storage(), statement, &[name.into()])?;
        let Some(text) = text else { return Ok(None) };
        let id = self.base.id().to_string();
        let state = sealed::open(self.base.outside(), place(&id, name), &text)?;
        let unreadable = |_| Failure::new(Code::Internal, "A stored sync cannot be read.");
        serde_json::from_value(state).map(Some).map_err(unreadable)
    }

    /// Stores a new sync.
    pub(super) fn insert(&self, name: &str, state: &mut SyncState) -> Result<(), Failure> {
        self.open()?;
        let last = sql::one::<i64>(
            self.base.storage(),
            "SELECT IFNULL(MAX(number), 0) FROM sync",
            &[],
        )?;
        state.number = last.unwrap_or(0) + 1;
        if state.number > MOST_SYNCS {
            let message =
                format!("An account has at most {MOST_SYNCS} syncs, former ones counted.");
            return Err(Failure::new(Code::SyncLimit, message));
        }
        let statement = "INSERT INTO sync (name, number, sealed) VALUES (?, ?, '')";
        sql::run(
            self.base.storage(),
            statement,
            &[name.into(), state.number.into()],
        )?;
        self.write(name, state)
    }

    pub(super) fn write(&self, name: &str, state: &SyncState) -> Result<(), Failure> {
        let id = self.base.id().to_string();
        let sealed = sealed::seal(self.base.outside(), place(&id, name), &json!(state))?;
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let statement = "UPDATE sync SET next_at = ?, is_paused = ?, records = ?, bytes = ?, sealed = ? WHERE name = ?";
        let values = [
            sql::nullable(state.due().map(Timestamp::as_millis)),
            i64::from(state.is_paused).into(),
            count(state.records).into(),
            count(state.bytes).into(),
            sealed.unwrap_or_default().into(),
            name.into(),
        ];
        Ok(sql::run(self.base.storage(), statement, &values)?)
    }

    /// Nothing is due of a sync that the file no longer has.
    pub(super) fn unschedule(&self, name: &str) -> Result<(), StorageFault> {
        let statement = "UPDATE sync SET next_at = NULL, event_at = NULL WHERE name = ?";
        sql::run(self.base.storage(), statement, &[name.into()])
    }

    /// A sync that is due.
    pub(super) fn due(&self, now: Timestamp) -> Result<Option<String>, StorageFault> {
        if !self.is_there()? || self.held_until.get().is_some_and(|until| now < until) {
            return Ok(None);
        }
        let statement = format!("SELECT name FROM sync WHERE {DUE} <= ? ORDER BY {DUE} LIMIT 1");
        sql::one(self.base.storage(), &statement, &[now.as_millis().into()])
    }

    /// When it is due.
    pub(super) fn due_of(&self, name: &str) -> Result<Option<Timestamp>, StorageFault> {
        let statement = format!("SELECT {DUE} FROM sync WHERE name = ?");
        let due: Option<i64> = sql::one(self.base.storage(), &statement, &[name.into()])?;
        let now = self.base.outside().now();
        Ok(due
            .filter(|due| *due < NEVER)
            .map(|due| Timestamp::from_millis(due).max(now)))
    }

    /// A webhook starts a run, unless one is about to be started. Returns when.
    pub(super) fn note_event(&self, name: &str) -> Result<Timestamp, StorageFault> {
        let now = self.base.outside().now().as_millis();
        let wait = i64::try_from(SYNC_DEBOUNCE.as_millis()).unwrap_or(0);
        let statement = "UPDATE sync SET event_at = MAX(?, IFNULL(event_run_at + ?, 0)) WHERE name = ? AND event_at IS NULL";
        sql::run(
            self.base.storage(),
            statement,
            &[now.into(), wait.into(), name.into()],
        )?;
        let statement = "SELECT event_at FROM sync WHERE name = ?";
        let at: Option<Timestamp> = sql::one(self.base.storage(), statement, &[name.into()])?;
        Ok(at.unwrap_or(Timestamp::from_millis(now)))
    }

    /// Whether webhooks start a run by now; and forgets them, since a run begins.
    pub(super) fn take_event(&self, name: &str, now: Timestamp) -> Result<bool, StorageFault> {
        let statement = "SELECT 1 FROM sync WHERE name = ? AND event_at <= ?";
        let is_due = sql::exists(
            self.base.storage(),
            statement,
            &[name.into(), now.as_millis().into()],
        )?;
        let statement = "UPDATE sync SET event_run_at = IIF(event_at IS NULL, event_run_at, ?), event_at = NULL WHERE name = ?";
        sql::run(
            self.base.storage(),
            statement,
            &[now.as_millis().into(), name.into()],
        )?;
        Ok(is_due)
    }

    /// Webhooks wait for the run under way, which goes on at `at`.
    pub(super) fn delay_event(&self, name: &str, at: Timestamp) -> Result<(), StorageFault> {
        let statement = "UPDATE sync SET event_at = ? WHERE name = ? AND event_at < ?";
        let at = at.as_millis();
        sql::run(
            self.base.storage(),
            statement,
            &[at.into(), name.into(), at.into()],
        )
    }

    /// The records of all syncs together, and what they take.
    pub(super) fn totals(&self) -> Result<(u64, u64), StorageFault> {
        let statement = "SELECT IFNULL(SUM(records), 0), IFNULL(SUM(bytes), 0) FROM sync";
        Ok(sql::first(self.base.storage(), statement, &[])?.unwrap_or_default())
    }

    /// Deletions up to this revision are no longer known.
    pub(super) fn trimmed(&self, name: &str) -> Result<i64, StorageFault> {
        let statement = "SELECT trimmed FROM sync WHERE name = ?";
        Ok(sql::one(self.base.storage(), statement, &[name.into()])?.unwrap_or(0))
    }

    pub(super) fn set_trimmed(&self, number: i64, revision: i64) -> Result<(), StorageFault> {
        let statement = "UPDATE sync SET trimmed = MAX(trimmed, ?) WHERE number = ?";
        sql::run(
            self.base.storage(),
            statement,
            &[revision.into(), number.into()],
        )
    }
}

/// The earlier of both times. Of a paused sync nothing is started by events.
pub(super) const DUE: &str = "MIN(IFNULL(next_at, 4503599627370495), IIF(is_paused, 4503599627370495, IFNULL(event_at, 4503599627370495)))";

pub(super) fn place<'a>(id: &'a str, name: &'a str) -> SealPlace<'a> {
    SealPlace {
        kind: SealKind::Sync,
        id,
        field: name,
    }
}
