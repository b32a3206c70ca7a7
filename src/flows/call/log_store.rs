//! The log of an account: one line for each call. Lines are gathered in memory and written some seconds after the
//! answers they tell of, so that no call waits for them; a restart may lose those of the last seconds.

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
use crate::flows::call::log_line::LogLine;
use crate::ids::EnvironmentId;
use crate::ports::{Outside, Storage, StorageFault};
use crate::time::Timestamp;

const SCHEMA: &[&str] = &[
    // The line stands last: what is asked of many rows is in front of it.
    "CREATE TABLE IF NOT EXISTS log (number INTEGER PRIMARY KEY, status INTEGER NOT NULL, resource TEXT, line TEXT NOT NULL)",
];
pub(in crate::flows) const TABLE: &str = "log";
/// So many are written at once. When that fails, no more than these are kept in memory.
pub(super) const MOST_GATHERED: usize = 1_000;
/// Old lines go not more often than that.
const TRIMMED: Duration = Duration::from_hours(1);

/// The account's log: what is stored, and what waits to be written.
pub(in crate::flows) struct CallLog<O, S> {
    base: Rc<Base<O, S>>,
    lines: RefCell<Vec<LogLine>>,
    /// The last refusal by the provider.
    forbidden: RefCell<Option<Value>>,
    /// When it is written; nothing where nobody is about to.
    due: Cell<Option<Timestamp>>,
    last_number: Cell<Option<i64>>,
    /// How many lines are stored.
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

    /// Takes a line, to be written later; how many wait.
    pub(super) fn add(&self, line: LogLine) -> usize {
        let mut lines = self.lines.borrow_mut();
        if lines.len() < MOST_GATHERED {
            lines.push(line);
        }
        lines.len()
    }

    /// When the lines are to be written, if they are not written by then already.
    pub(super) fn schedule(&self, wait: Duration) -> Option<Timestamp> {
        let now = self.base.outside().now();
        let at = now.plus(wait);
        // A time that has passed was not kept: the task is gone.
        let is_due = self.due.get().is_some_and(|due| now < due && due <= at);
        if is_due {
            return None;
        }
        self.due.set(Some(at));
        Some(at)
    }

    /// Whether the lines are written now, as it was scheduled: another time may be sooner.
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

    /// Writes what is gathered; what cannot be written stays there.
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
            // Some may be there already: they are counted again, and written once more rather than not at all.
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

    /// When old lines go; a few at once.
    pub(super) fn next_end_of_a_line(&self) -> Result<Option<Timestamp>, StorageFault> {
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
        if self.next_end_of_a_line()?.is_none_or(|at| at > now) {
            return Ok(());
        }
        let over = number_at(now.minus(self.base.outside().settings().log_retention));
        let statement = "DELETE FROM log WHERE number <= ?";
        sql::run(self.base.storage(), statement, &[over.into()])?;
        self.stored.set(None);
        Ok(())
    }

    fn next_due(&self, _: &State) -> Result<Option<Timestamp>, Failure> {
        Ok(self.next_end_of_a_line()?)
    }

    fn reseal(&self) -> Result<(), Failure> {
        // A line holds no secret.
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

    /// A task that is to write finds nothing.
    fn reset(&self) {
        self.lines.take();
        self.forbidden.take();
        self.stored.set(None);
        self.last_number.set(None);
    }
}
