//! What is shown of the log of an account.

use crate::error::Failure;
use crate::flows::base::recent_rows::{MOST, foreign_cursor, newest_before};
use crate::flows::base::records::{Comparison, Filter, FilterValue, Listed, Page};
use crate::flows::base::sequence::{next_moment, number_at};
use crate::flows::base::sql;
use crate::flows::call::log_line::LogLine;
use crate::flows::object::AccountObject;
use crate::flows::object::log::TABLE;
use crate::ports::{Outside, Row, SqlValue, Storage, Visibility};
use crate::time::Timestamp;

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Newest first; what is gathered is written before, so that it is there.
    pub(in crate::flows) async fn list_log(
        &self,
        sees: &Visibility,
        page: &Page,
    ) -> Result<Listed<LogLine>, Failure> {
        self.record.visible(sees).await?;
        self.call_log.write()?;
        self.wake_for_log().await;
        if !sql::has_table(&self.base.storage, TABLE)? {
            return Ok(Listed {
                result: Vec::new(),
                next_cursor: None,
            });
        }
        let before = match &page.after {
            None => MOST,
            Some(cursor) => cursor.parse().map_err(|_| foreign_cursor())?,
        };
        let log = (TABLE, "number, line", ["line"].as_slice());
        let (rows, has_more) = newest_before(&self.base.storage, log, before, page, condition)?;
        let last = rows.last().and_then(|row| row.first()?.as_integer());
        Ok(Listed {
            result: rows.iter().filter_map(line_of).collect(),
            next_cursor: last.filter(|_| has_more).map(|number| number.to_string()),
        })
    }
}

fn line_of(row: &Row) -> Option<LogLine> {
    serde_json::from_str(row.get(1)?.as_text()?).ok()
}

/// A filter of the API as a condition. Its fields are checked there.
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
