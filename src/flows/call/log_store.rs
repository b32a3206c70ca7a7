//! The table of an account's log, with one line per call. Lines are queued in memory and written a second after the
//! answer, so that no call waits for the write. A restart may lose the lines of the last second.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;

use crate::error::Failure;
use crate::flows::account::base::Base;
use crate::flows::account::state::State;
use crate::flows::account::stored::Stored;
use crate::flows::base::sequence::{moment_of, number_after, number_at};
use crate::flows::base::sql;
use crate::flows::messages::log_line::LogLine;
use crate::ids::EnvironmentId;
use crate::ports::{Outside, Storage, StorageFault};
use crate::time::Timestamp;

const SCHEMA: &[&str] = &[
    // `line` is the last column, so that queries over many rows do not read it.
    "CREATE TABLE IF NOT EXISTS log (number INTEGER PRIMARY KEY, status INTEGER NOT NULL, resource TEXT, line TEXT NOT NULL)",
];
pub(in crate::flows) const TABLE: &str = "log";
/// The most lines that are queued in memory, also while writes fail.
pub(super) const MOST_QUEUED: usize = 1_000;
/// Expired lines are deleted at most this often.
const TRIMMED: Duration = Duration::from_hours(1);

/// The account's log: the stored lines and the queued ones.
pub(in crate::flows) struct CallLog<O, S> {
    base: Rc<Base<O, S>>,
    lines: RefCell<Vec<LogLine>>,
    /// The provider's last 403 answer.
    forbidden: RefCell<Option<Value>>,
    /// When the queue is written; `None` if no write is scheduled.
    due: Cell<Option<Timestamp>>,
    last_number: Cell<Option<i64>>,
    /// The number of stored lines, if it is known.
    stored: Cell<Option<i64>>,
}

impl<O: Outside, S: Storage> CallLog<O, S> {
    pub(in crate::flows) fn new(base: &Rc<Base<O, S>>) -> Self {
        Self {
            base: Rc::clone(base),
            lines: RefCell::default(),
            forbidden: RefCell::default(),
            due: Cell::new(None),
            last_number: Cell::new(None),
            stored: Cell::new(None),
        }
    }

    /// Queues a line. Returns the length of the queue.
    pub(super) fn add(&self, line: LogLine) -> usize {
        let mut lines = self.lines.borrow_mut();
        if lines.len() < MOST_QUEUED {
            lines.push(line);
        }
        lines.len()
    }

    /// Schedules a write after `wait`. Returns its time, or `None` if an earlier write is scheduled.
    pub(super) fn schedule(&self, wait: Duration) -> Option<Timestamp> {
        let now = self.base.outside().now();
        let at = now.plus(wait);
        // If the time has passed without a write, the platform ended the task.
        let is_due = self.due.get().is_some_and(|due| now < due && due <= at);
        if is_due {
            return None;
        }
        self.due.set(Some(at));
        Some(at)
    }

    /// Whether the write that was scheduled for `at` runs: a sooner one may have replaced it.
    pub(super) fn begin(&self, at: Timestamp) -> bool {
        let is_due = self.due.get() == Some(at);
        if is_due {
            self.due.set(None);
        }
        is_due
    }

    pub(super) fn set_forbidden(&self, error: Value) {
        self.forbidden.replace(Some(error));
    }

    pub(super) fn has_forbidden(&self) -> bool {
        self.forbidden.borrow().is_some()
    }

    pub(super) fn take_forbidden(&self) -> Option<Value> {
        self.forbidden.take()
    }

    pub(super) fn try_to_write(&self) {
        if let Err(fault) = self.write() {
            self.base.log("log_not_written", &fault.to_string());
        }
    }

    /// Writes the queued lines. If a write fails, they stay queued.
    pub(in crate::flows) fn write(&self) -> Result<(), StorageFault> {
        if self.lines.borrow().is_empty() {
            return Ok(());
        }
        sql::run_all(self.base.storage(), SCHEMA)?;
        let before = match self.stored.get() {
            Some(stored) => stored,
            None => sql::one(self.base.storage(), "SELECT COUNT(*) FROM log", &[])?.unwrap_or(0),
        };
        let lines = self.lines.take();
        let written = lines.iter().try_for_each(|line| self.write_line(line));
        if let Err(fault) = written {
            // Some lines may be stored already. They are counted again and written twice: a repeated line is better
            // than a lost one.
            self.stored.set(None);
            self.lines.replace(lines);
            return Err(fault);
        }
        let stored = before.saturating_add(i64::try_from(lines.len()).unwrap_or(0));
        let most = self.base.outside().settings().log_retention_count;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        if stored > most {
            let statement =
                "DELETE FROM log WHERE number IN (SELECT number FROM log ORDER BY number LIMIT ?)";
            sql::run(self.base.storage(), statement, &[(stored - most).into()])?;
        }
        self.stored.set(Some(stored.min(most)));
        Ok(())
    }

    fn write_line(&self, line: &LogLine) -> Result<(), StorageFault> {
        let values = [
            self.next_number(line.created_at)?.into(),
            i64::from(line.status).into(),
            sql::nullable(line.resource.as_deref()),
            sql::json(line)?,
        ];
        let statement = "INSERT INTO log (number, status, resource, line) VALUES (?, ?, ?, ?)";
        sql::run(self.base.storage(), statement, &values)
    }

    fn next_number(&self, at: Timestamp) -> Result<i64, StorageFault> {
        let last = match self.last_number.get() {
            Some(last) => last,
            None => sql::one(self.base.storage(), "SELECT MAX(number) FROM log", &[])?.unwrap_or(0),
        };
        let next = number_after(last, at);
        self.last_number.set(Some(next));
        Ok(next)
    }

    /// When the oldest line is deleted: an hour after it expires, so that the alarm deletes several at once.
    pub(super) fn next_line_expiry(&self) -> Result<Option<Timestamp>, StorageFault> {
        if !sql::has_table(self.base.storage(), TABLE)? {
            return Ok(None);
        }
        let first = sql::one(self.base.storage(), "SELECT MIN(number) FROM log", &[])?;
        let kept = self.base.outside().settings().log_retention;
        Ok(first.map(|number| moment_of(number).plus(kept).plus(TRIMMED)))
    }
}

impl<O: Outside, S: Storage> Stored for CallLog<O, S> {
    fn trim(&self) -> Result<(), StorageFault> {
        let now = self.base.outside().now();
        if self.next_line_expiry()?.is_none_or(|at| at > now) {
            return Ok(());
        }
        let expired = number_at(now.minus(self.base.outside().settings().log_retention));
        let statement = "DELETE FROM log WHERE number <= ?";
        sql::run(self.base.storage(), statement, &[expired.into()])?;
        self.stored.set(None);
        Ok(())
    }

    fn next_due(&self, _: &State) -> Result<Option<Timestamp>, Failure> {
        Ok(self.next_line_expiry()?)
    }

    fn reseal(&self) -> Result<(), Failure> {
        // A line has no secret.
        Ok(())
    }

    fn is_over(&self) -> Result<bool, Failure> {
        // Its rows are deleted with the storage.
        Ok(true)
    }

    fn wipe(&self, _: EnvironmentId) -> Result<(), StorageFault> {
        self.reset();
        sql::clear(self.base.storage(), TABLE)
    }

    /// The task of a scheduled write then finds an empty queue.
    fn reset(&self) {
        self.lines.take();
        self.forbidden.take();
        self.stored.set(None);
        self.last_number.set(None);
    }
}
