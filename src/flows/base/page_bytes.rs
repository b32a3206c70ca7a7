//! The rows of one page of a list: as many as requested, within [`LIST_BYTES`]. The lengths are read before the rows,
//! because a thousand rows can exceed the memory of an isolate.

use crate::json::count_values;
use crate::ports::{Row, SqlValue, Storage, StorageFault};
use crate::settings::{LIST_BYTES, LIST_VALUES};

pub struct Selection<'a> {
    pub columns: &'a str,
    /// The columns that may be long.
    pub texts: &'a [&'a str],
    /// `FROM … WHERE … ORDER BY …`
    pub from: String,
    /// The values of its `?`.
    pub values: Vec<SqlValue>,
}

/// The rows of a page, and whether more rows follow.
pub fn rows_of_page(
    storage: &impl Storage,
    selection: &Selection<'_>,
    limit: usize,
) -> Result<(Vec<Row>, bool), StorageFault> {
    let lengths = selection.texts.iter();
    let lengths = lengths.map(|text| format!("IFNULL(LENGTH(CAST({text} AS BLOB)), 0)"));
    let lengths = lengths.collect::<Vec<_>>().join(" + ");
    let all = selection.rows(storage, &lengths, limit.saturating_add(1))?;
    let length = |row: &Row| row.first().and_then(SqlValue::as_integer).unwrap_or(0);
    let lengths = all
        .iter()
        .take(limit)
        .map(|row| usize::try_from(length(row)).unwrap_or(0));
    let mut rows = selection.rows(storage, selection.columns, fitting(lengths, LIST_BYTES))?;
    // Many small values take more memory than their text.
    let texts = rows
        .iter()
        .map(|row| row.iter().filter_map(SqlValue::as_text));
    let values = texts.map(|texts| {
        texts
            .map(|text| count_values(text.as_bytes()).unwrap_or(1))
            .sum()
    });
    let count = fitting(values, LIST_VALUES);
    rows.truncate(count);
    Ok((rows, all.len() > count))
}

/// How many weights, from the first on, sum up to at most `most`. At least one, if there is one.
pub fn fitting(weights: impl IntoIterator<Item = usize>, most: usize) -> usize {
    let mut sum = 0_usize;
    let fits = |(at, weight): &(usize, usize)| {
        sum = sum.saturating_add(*weight);
        *at == 0 || sum <= most
    };
    weights.into_iter().enumerate().take_while(fits).count()
}

impl Selection<'_> {
    fn rows(
        &self,
        storage: &impl Storage,
        columns: &str,
        limit: usize,
    ) -> Result<Vec<Row>, StorageFault> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let statement = format!("SELECT {columns} {} LIMIT ?", self.from);
        let values: Vec<SqlValue> = self.values.iter().cloned().chain([limit.into()]).collect();
        storage.exec(&statement, &values)
    }
}

#[cfg(test)]
mod tests {
    use super::fitting;

    #[test]
    fn a_page_has_at_least_one_row_and_ends_before_it_is_too_large() {
        for (weights, count) in [
            (vec![], 0),
            (vec![11], 1),
            (vec![11, 1], 1),
            (vec![5, 5], 2),
            (vec![5, 5, 1], 2),
            (vec![1, 20, 1], 1),
        ] {
            assert_eq!(fitting(weights.clone(), 10), count, "{weights:?}");
        }
    }
}
