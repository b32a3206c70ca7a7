//! What the object keeps in the order of its numbers, newest first, a page at a time.

use super::AccountObject;
use crate::flows::records::{Filter, Page};
use crate::ports::{Outside, Row, SqlValue, Storage, StorageFault};

/// No number is higher: the platform's are exact up to 2^53.
pub(super) const MOST: i64 = i64::MAX >> 10;

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// The rows that `select` (`SELECT … FROM …`) gives of those numbered below `before` that fit the page's filters,
    /// which `condition` writes: one more than the page has room for, where there are more.
    pub(super) fn newest_before(
        &self,
        select: &str,
        before: i64,
        page: &Page,
        condition: impl Fn(&Filter) -> (String, SqlValue),
    ) -> Result<Vec<Row>, StorageFault> {
        let (conditions, values): (Vec<_>, Vec<_>) = page.filters.iter().map(condition).unzip();
        let wheres = ["number < ?".to_owned()]
            .into_iter()
            .chain(conditions)
            .collect::<Vec<_>>()
            .join(" AND ");
        let limit = i64::try_from(page.limit.saturating_add(1)).unwrap_or(i64::MAX);
        let all: Vec<SqlValue> = [before.into()]
            .into_iter()
            .chain(values)
            .chain([limit.into()])
            .collect();
        let statement = format!("{select} WHERE {wheres} ORDER BY number DESC LIMIT ?");
        self.storage.exec(&statement, &all)
    }
}
