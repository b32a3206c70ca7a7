//! Pages of the rows of a table with ascending numbers, newest first.

use crate::error::{Code, Failure};
use crate::flows::base::page_bytes::{Selection, rows_of_page};
use crate::flows::base::records::{Filter, PageRequest};
use crate::ports::{Row, SqlValue, Storage, StorageFault};

/// Above every number in use: the platform's numbers are exact up to 2^53.
pub(in crate::flows) const MOST: i64 = i64::MAX >> 10;

/// A page of the rows with a number below `before` that match its filters, and whether there are more. `condition`
/// writes the SQL of a filter. `texts` names the columns that may be long.
pub(in crate::flows) fn newest_before(
    storage: &impl Storage,
    (table, columns, texts): (&str, &str, &[&str]),
    before: i64,
    page: &PageRequest,
    condition: impl Fn(&Filter) -> (String, SqlValue),
) -> Result<(Vec<Row>, bool), StorageFault> {
    let (conditions, values): (Vec<_>, Vec<_>) = page.filters.iter().map(condition).unzip();
    let wheres = ["number < ?".to_owned()]
        .into_iter()
        .chain(conditions)
        .collect::<Vec<_>>()
        .join(" AND ");
    let selection = Selection {
        columns,
        texts,
        from: format!("FROM {table} WHERE {wheres} ORDER BY number DESC"),
        values: [before.into()].into_iter().chain(values).collect(),
    };
    rows_of_page(storage, &selection, page.limit)
}

/// The refusal of a cursor that no page of the list returned.
pub(in crate::flows) fn foreign_cursor() -> Failure {
    Failure::new(Code::Malformed, "The cursor is not one of this list.")
}
