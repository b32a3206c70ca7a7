//! The log of an account: one line for each call. Lines are gathered in memory and written some seconds after the
//! answers they tell of, so that no call waits for them; a restart may lose those of the last seconds.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::Value;

use crate::flows::account_object::log_line::LogLine;
use crate::flows::account_object::row::text_of;
use crate::flows::account_object::{AccountObject, State};
use crate::ports::{Outside, SqlValue, Storage, StorageFault};
use crate::time::Timestamp;

const SCHEMA: &[&str] = &[
    // The line stands last: what is asked of many rows is in front of it.
    "CREATE TABLE IF NOT EXISTS log (number INTEGER PRIMARY KEY, status INTEGER NOT NULL, resource TEXT, line TEXT NOT NULL)",
];
pub(in crate::flows) const TABLE: &str = "log";
/// Lines are written so long after the first of them.
const GATHERED: Duration = Duration::from_secs(5);
/// Or soon, when there are so many.
const GATHERED_LINES: usize = 100;
/// After the answer of the call that was one too many.
const SOON: Duration = Duration::from_millis(500);
/// So many are written at once. When that fails, no more than these are kept in memory.
const MOST_GATHERED: usize = 1_000;
/// Numbers count up with the time: a thousand to each millisecond, below 2^53 until the year 2255.
pub(in crate::flows) const PER_MILLISECOND: i64 = 1_000;
/// Old lines go not more often than that.
const TRIMMED: Duration = Duration::from_hours(1);

/// What waits to be written.
#[derive(Default)]
pub(in crate::flows) struct Gathered {
    lines: RefCell<Vec<LogLine>>,
    /// The last refusal by the provider.
    pub(in crate::flows) forbidden: RefCell<Option<Value>>,
    /// When it is written; nothing where nobody is about to.
    due: Cell<Option<Timestamp>>,
    last_number: Cell<Option<i64>>,
    /// How many lines are stored.
    stored: Cell<Option<i64>>,
}

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Takes a line, to be written later.
    pub(in crate::flows) fn gather(self: &Rc<Self>, line: LogLine) {
        let count = {
            let mut lines = self.gathered.lines.borrow_mut();
            if lines.len() < MOST_GATHERED {
                lines.push(line);
            }
            lines.len()
        };
        if count >= MOST_GATHERED && matches!(self.state(), State::Here(_)) {
            self.try_to_write_lines();
        }
        self.write_gathered_within(if count < GATHERED_LINES {
            GATHERED
        } else {
            SOON
        });
    }

    /// What is gathered is written in the background.
    pub(in crate::flows) fn write_gathered_within(self: &Rc<Self>, wait: Duration) {
        let now = self.outside.now();
        let at = now.plus(wait);
        // One that is over was not kept: whoever was to do it is no more.
        if self
            .gathered
            .due
            .get()
            .is_some_and(|due| now < due && due <= at)
        {
            return;
        }
        self.gathered.due.set(Some(at));
        let object = Rc::clone(self);
        let work = async move {
            object.outside.sleep(wait).await;
            // Another may have been asked to be sooner.
            if object.gathered.due.get() == Some(at) {
                object.gathered.due.set(None);
                object.write_gathered().await;
            }
        };
        self.outside.go_on(work.boxed_local());
    }

    async fn write_gathered(&self) {
        // Of an account that is gone nothing is written back.
        if !matches!(self.state(), State::Here(_)) {
            return self.forget_gathered();
        }
        self.try_to_write_lines();
        if let Err(failure) = self.write_forbidden().await {
            self.log("forbidden_not_noted", failure.code.as_str());
        }
        self.wake_for_log().await;
    }

    /// The alarm rings when old lines go.
    pub(in crate::flows) async fn wake_for_log(&self) {
        if let Ok(Some(at)) = self.next_end_of_a_line() {
            self.wake_by(at).await;
        }
    }

    fn try_to_write_lines(&self) {
        if let Err(fault) = self.write_lines() {
            self.log("log_not_written", &fault.to_string());
        }
    }

    /// Writes what is gathered; what cannot be written stays there.
    pub(in crate::flows) fn write_lines(&self) -> Result<(), StorageFault> {
        if self.gathered.lines.borrow().is_empty() {
            return Ok(());
        }
        for statement in SCHEMA {
            self.storage.exec(statement, &[])?;
        }
        let before = match self.gathered.stored.get() {
            Some(stored) => stored,
            None => self
                .one_integer("SELECT COUNT(*) FROM log", &[])?
                .unwrap_or(0),
        };
        let lines = self.gathered.lines.take();
        let written: Result<Vec<()>, _> = lines.iter().map(|line| self.write_line(line)).collect();
        if let Err(fault) = written {
            // Some may be there already: counted anew, and told once more rather than not at all.
            self.gathered.stored.set(None);
            self.gathered.lines.replace(lines);
            return Err(fault);
        }
        let stored = before.saturating_add(i64::try_from(lines.len()).unwrap_or(0));
        let most = self.outside.settings().log_retention_count;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        if stored > most {
            let statement =
                "DELETE FROM log WHERE number IN (SELECT number FROM log ORDER BY number LIMIT ?)";
            self.storage.exec(statement, &[(stored - most).into()])?;
        }
        self.gathered.stored.set(Some(stored.min(most)));
        Ok(())
    }

    fn write_line(&self, line: &LogLine) -> Result<(), StorageFault> {
        let resource = line.resource.as_deref();
        let values = [
            self.next_line_number(line.created_at)?.into(),
            i64::from(line.status).into(),
            resource.map_or(SqlValue::Null, SqlValue::from),
            text_of(line)?,
        ];
        let statement = "INSERT INTO log (number, status, resource, line) VALUES (?, ?, ?, ?)";
        self.storage.exec(statement, &values).map(drop)
    }

    /// Higher than all before, also when the clock goes back.
    fn next_line_number(&self, at: Timestamp) -> Result<i64, StorageFault> {
        let last = match self.gathered.last_number.get() {
            Some(last) => last,
            None => self
                .one_integer("SELECT MAX(number) FROM log", &[])?
                .unwrap_or(0),
        };
        let next = number_at(at).max(last + 1);
        self.gathered.last_number.set(Some(next));
        Ok(next)
    }

    /// Nobody is to read of it any more.
    pub(in crate::flows) fn forget_gathered(&self) {
        self.gathered.lines.take();
        self.gathered.forbidden.take();
        self.gathered.stored.set(None);
        self.gathered.last_number.set(None);
    }

    pub(in crate::flows) fn drop_log(&self) -> Result<(), StorageFault> {
        self.forget_gathered();
        if self.has_table(TABLE)? {
            self.storage.exec("DELETE FROM log", &[])?;
        }
        Ok(())
    }

    /// What is over goes.
    pub(in crate::flows) fn trim_log(&self) -> Result<(), StorageFault> {
        if self
            .next_end_of_a_line()?
            .is_none_or(|at| at > self.outside.now())
        {
            return Ok(());
        }
        let over = number_at(
            self.outside
                .now()
                .minus(self.outside.settings().log_retention),
        );
        self.storage
            .exec("DELETE FROM log WHERE number <= ?", &[over.into()])?;
        self.gathered.stored.set(None);
        Ok(())
    }

    /// When old lines go; a few at once.
    pub(in crate::flows) fn next_end_of_a_line(&self) -> Result<Option<Timestamp>, StorageFault> {
        if !self.has_table(TABLE)? {
            return Ok(None);
        }
        let first = self.one_integer("SELECT MIN(number) FROM log", &[])?;
        let kept = self.outside.settings().log_retention;
        let end = |number: i64| Timestamp::from_millis(number / PER_MILLISECOND).plus(kept);
        Ok(first.map(|number| end(number).plus(TRIMMED)))
    }
}

/// The first number of a moment.
pub(in crate::flows) fn number_at(moment: Timestamp) -> i64 {
    moment.as_millis().saturating_mul(PER_MILLISECOND)
}
