//! The runs that have ended, the last of each sync.

use crate::error::Failure;
use crate::flows::base::recent_rows::{MOST, foreign_cursor, newest_before};
use crate::flows::base::records::{Filter, FilterValue, ListPage, PageRequest};
use crate::flows::base::sql;
use crate::flows::messages::sync::SyncRun;
use crate::flows::sync::store::SyncStore;
use crate::ports::{Outside, SqlValue, Storage, StorageFault};
use crate::settings::SYNC_RUNS;

impl<O: Outside, S: Storage> SyncStore<O, S> {
    /// Stores a run that has ended.
    pub(super) fn keep_run(&self, run: &SyncRun) -> Result<(), StorageFault> {
        let statement = "INSERT OR REPLACE INTO sync_run (number, sync, run) VALUES (?, ?, ?)";
        let sync: SqlValue = run.sync.as_str().into();
        let number = i64::from_str_radix(&run.id, 16).unwrap_or(0);
        let values = [number.into(), sync.clone(), sql::json(run)?];
        sql::run(self.base.storage(), statement, &values)?;
        let statement = "DELETE FROM sync_run WHERE sync = ? AND number <= \
                         (SELECT number FROM sync_run WHERE sync = ? ORDER BY number DESC LIMIT 1 OFFSET ?)";
        sql::run(
            self.base.storage(),
            statement,
            &[sync.clone(), sync, SYNC_RUNS.into()],
        )
    }

    /// Newest first.
    pub(super) fn runs(&self, page: &PageRequest) -> Result<ListPage<SyncRun>, Failure> {
        if !self.is_there()? {
            return Ok(ListPage {
                result: Vec::new(),
                next_cursor: None,
            });
        }
        let before = match &page.after {
            None => MOST,
            Some(cursor) => i64::from_str_radix(cursor, 16).map_err(|_| foreign_cursor())?,
        };
        let table = ("sync_run", "run", &["run"][..]);
        let (rows, has_more) = newest_before(self.base.storage(), table, before, page, condition)?;
        let result: Vec<SyncRun> = rows
            .iter()
            .map(|row| sql::record_of(row))
            .collect::<Result<_, _>>()?;
        let last = result.last().map(|run| run.id.clone());
        Ok(ListPage {
            next_cursor: last.filter(|_| has_more),
            result,
        })
    }
}

/// The one filter is the name of a sync.
fn condition(filter: &Filter) -> (String, SqlValue) {
    let value = match &filter.value {
        FilterValue::Text(text) => text.as_str().into(),
        FilterValue::Flag(_) => SqlValue::Null,
    };
    ("sync = ?".to_owned(), value)
}
