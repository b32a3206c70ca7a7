//! The log of an account: it queues a line when a call ends, writes it a second later, and lists lines page by
//! page.

use std::rc::Rc;
use std::time::Duration;

use futures_util::FutureExt;

use crate::error::Failure;
use crate::flows::account::base::Base;
use crate::flows::account::record::AccountRecord;
use crate::flows::account::schedule::Schedule;
use crate::flows::account::stored::Stored;
use crate::flows::base::recent_rows::{MOST, foreign_cursor, newest_before};
use crate::flows::base::records::{Comparison, Filter, FilterValue, ListPage, PageRequest};
use crate::flows::base::sequence::{next_moment, number_at};
use crate::flows::base::sql;
use crate::flows::call::log_store::{CallLog, MOST_QUEUED, TABLE};
use crate::flows::messages::log_line::LogLine;
use crate::ports::{Outside, Row, SqlValue, Storage, Visibility};
use crate::time::Timestamp;

/// The delay between the first queued line and the write. The platform bills the object's time while a timer is set.
const QUEUED: Duration = Duration::from_secs(1);
/// With so many queued lines the delay is [`SOON`].
const QUEUED_LINES: usize = 100;
/// Short, but after the answer of the call that reached [`QUEUED_LINES`].
const SOON: Duration = Duration::from_millis(500);

/// Writes and lists the log lines of the account's calls.
pub(in crate::flows) struct AccountLog<O, S> {
    base: Rc<Base<O, S>>,
    pub(super) record: Rc<AccountRecord<O, S>>,
    pub(super) store: Rc<CallLog<O, S>>,
    schedule: Rc<Schedule<O, S>>,
}

impl<O: Outside, S: Storage> AccountLog<O, S> {
    pub(in crate::flows) fn new(
        base: &Rc<Base<O, S>>,
        record: &Rc<AccountRecord<O, S>>,
        store: &Rc<CallLog<O, S>>,
        schedule: &Rc<Schedule<O, S>>,
    ) -> Self {
        Self {
            base: Rc::clone(base),
            record: Rc::clone(record),
            store: Rc::clone(store),
            schedule: Rc::clone(schedule),
        }
    }

    /// Queues a line for the log.
    pub(super) fn queue(self: &Rc<Self>, line: LogLine) {
        let count = self.store.add(line);
        if count >= MOST_QUEUED && self.record.is_here() {
            self.store.try_to_write();
        }
        self.write_log_within(if count < QUEUED_LINES { QUEUED } else { SOON });
    }

    /// Writes the queued lines in the background.
    fn write_log_within(self: &Rc<Self>, wait: Duration) {
        let Some(at) = self.store.schedule(wait) else {
            return;
        };
        let log = Rc::clone(self);
        let work = async move {
            log.base.outside().sleep(wait).await;
            if log.store.begin(at) {
                log.write_log().await;
            }
        };
        self.base.outside().spawn(work.boxed_local());
    }

    async fn write_log(&self) {
        // Nothing is written for a deleted account.
        if !self.record.is_here() {
            return self.store.reset();
        }
        self.store.try_to_write();
        if let Err(failure) = self.write_forbidden().await {
            self.base.log("forbidden_not_noted", failure.code.as_str());
        }
        self.wake_for_log().await;
    }

    /// Sets the alarm to the time when the oldest line expires.
    async fn wake_for_log(&self) {
        if let Ok(Some(at)) = self.store.next_line_expiry() {
            self.schedule.wake_by(at).await;
        }
    }

    /// A page of the log, newest line first. Queued lines are written first, so that the page has them.
    pub(in crate::flows) async fn list_log(
        &self,
        visibility: &Visibility,
        page: &PageRequest,
    ) -> Result<ListPage<LogLine>, Failure> {
        self.record.visible(visibility).await?;
        self.store.write()?;
        self.wake_for_log().await;
        if !sql::has_table(self.base.storage(), TABLE)? {
            return Ok(ListPage {
                result: Vec::new(),
                next_cursor: None,
            });
        }
        let before = match &page.after {
            None => MOST,
            Some(cursor) => cursor.parse().map_err(|_| foreign_cursor())?,
        };
        let log = (TABLE, "number, line", ["line"].as_slice());
        let (rows, has_more) = newest_before(self.base.storage(), log, before, page, condition)?;
        let last = rows.last().and_then(|row| row.first()?.as_integer());
        Ok(ListPage {
            result: rows.iter().filter_map(line_of).collect(),
            next_cursor: last.filter(|_| has_more).map(|number| number.to_string()),
        })
    }
}

fn line_of(row: &Row) -> Option<LogLine> {
    serde_json::from_str(row.get(1)?.as_text()?).ok()
}

/// The SQL condition of a filter. The API has checked the filter's field.
fn condition(filter: &Filter) -> (String, SqlValue) {
    let text = match &filter.value {
        FilterValue::Text(text) => text.as_str(),
        FilterValue::Flag(_) => "",
    };
    match filter.field.as_str() {
        "status" => ("status = ?".to_owned(), text.parse().unwrap_or(0).into()),
        "resource" => ("resource = ?".to_owned(), text.into()),
        _ => {
            let first = number_at(Timestamp::parse(text).unwrap_or(Timestamp::from_millis(0)));
            let next = next_moment(first);
            match filter.comparison {
                Comparison::Is => (format!("number >= {first} AND number < ?"), next.into()),
                Comparison::Above => ("number >= ?".to_owned(), next.into()),
                Comparison::From => ("number >= ?".to_owned(), first.into()),
                Comparison::Below => ("number < ?".to_owned(), first.into()),
                Comparison::To => ("number < ?".to_owned(), next.into()),
            }
        }
    }
}
