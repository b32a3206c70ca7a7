//! Helpers to read and write the tables of an object. A row is read as a tuple of its columns; a row of other types is
//! skipped.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ports::{Row, SqlValue, Storage, StorageFault};
use crate::time::Timestamp;

/// A column's type. `NULL` is `None` of an `Option`, and nothing else.
pub trait FromColumn: Sized {
    /// The value. `None` if the column has another type.
    fn from_column(value: SqlValue) -> Option<Self>;
}

impl FromColumn for SqlValue {
    fn from_column(value: SqlValue) -> Option<Self> {
        Some(value)
    }
}

impl FromColumn for i64 {
    fn from_column(value: SqlValue) -> Option<Self> {
        value.as_integer()
    }
}

impl FromColumn for u32 {
    fn from_column(value: SqlValue) -> Option<Self> {
        value.as_integer().and_then(|number| number.try_into().ok())
    }
}

impl FromColumn for u16 {
    fn from_column(value: SqlValue) -> Option<Self> {
        value.as_integer().and_then(|number| number.try_into().ok())
    }
}

impl FromColumn for u64 {
    fn from_column(value: SqlValue) -> Option<Self> {
        value.as_integer().and_then(|number| number.try_into().ok())
    }
}

/// Milliseconds.
impl FromColumn for Timestamp {
    fn from_column(value: SqlValue) -> Option<Self> {
        value.as_integer().map(Self::from_millis)
    }
}

impl FromColumn for String {
    fn from_column(value: SqlValue) -> Option<Self> {
        match value {
            SqlValue::Text(text) => Some(text),
            SqlValue::Integer(_) | SqlValue::Null => None,
        }
    }
}

impl<T: FromColumn> FromColumn for Option<T> {
    fn from_column(value: SqlValue) -> Option<Self> {
        match value {
            SqlValue::Null => Some(None),
            value => T::from_column(value).map(Some),
        }
    }
}

/// The columns of a row.
pub trait FromRow: Sized {
    /// The row. `None` if it has other columns.
    fn from_row(row: Row) -> Option<Self>;
}

macro_rules! rows {
    ($($column:ident)+) => {
        impl<$($column: FromColumn),+> FromRow for ($($column,)+) {
            fn from_row(row: Row) -> Option<Self> {
                let mut columns = row.into_iter();
                let read = ($($column::from_column(columns.next()?)?,)+);
                columns.next().is_none().then_some(read)
            }
        }
    };
}

rows!(A);
rows!(A B);
rows!(A B C);
rows!(A B C D);
rows!(A B C D E);
rows!(A B C D E F);
rows!(A B C D E F G);

/// Runs a statement and ignores its rows.
pub fn run(
    storage: &impl Storage,
    statement: &str,
    values: &[SqlValue],
) -> Result<(), StorageFault> {
    storage.exec(statement, values).map(drop)
}

/// Runs statements without values, in this order.
pub fn run_all(storage: &impl Storage, statements: &[&str]) -> Result<(), StorageFault> {
    let run = |statement: &&str| run(storage, statement, &[]);
    statements.iter().try_for_each(run)
}

/// The rows of an answer.
pub fn rows_as<R: FromRow>(
    storage: &impl Storage,
    statement: &str,
    values: &[SqlValue],
) -> Result<Vec<R>, StorageFault> {
    let rows = storage.exec(statement, values)?;
    Ok(rows.into_iter().filter_map(R::from_row).collect())
}

/// The first row.
pub fn first<R: FromRow>(
    storage: &impl Storage,
    statement: &str,
    values: &[SqlValue],
) -> Result<Option<R>, StorageFault> {
    let rows = storage.exec(statement, values)?;
    Ok(rows.into_iter().next().and_then(R::from_row))
}

/// The one column of the first row.
pub fn one<T: FromColumn>(
    storage: &impl Storage,
    statement: &str,
    values: &[SqlValue],
) -> Result<Option<T>, StorageFault> {
    Ok(first::<(T,)>(storage, statement, values)?.map(|(value,)| value))
}

/// The one column of every row.
pub fn column<T: FromColumn>(
    storage: &impl Storage,
    statement: &str,
    values: &[SqlValue],
) -> Result<Vec<T>, StorageFault> {
    let rows = rows_as::<(T,)>(storage, statement, values)?;
    Ok(rows.into_iter().map(|(value,)| value).collect())
}

/// Whether there is a row.
pub fn exists(
    storage: &impl Storage,
    statement: &str,
    values: &[SqlValue],
) -> Result<bool, StorageFault> {
    Ok(!storage.exec(statement, values)?.is_empty())
}

/// Whether a table exists. Requests that anyone can send create none.
pub fn has_table(storage: &impl Storage, name: &str) -> Result<bool, StorageFault> {
    storage.has_table(name)
}

/// Deletes all rows of a table, if the table exists.
pub fn clear(storage: &impl Storage, table: &str) -> Result<(), StorageFault> {
    if has_table(storage, table)? {
        run(storage, &format!("DELETE FROM {table}"), &[])?;
    }
    Ok(())
}

/// The column value of an optional value.
pub fn nullable<T: Into<SqlValue>>(value: Option<T>) -> SqlValue {
    value.map_or(SqlValue::Null, T::into)
}

/// A record as JSON text, for its column.
pub fn json(record: &impl Serialize) -> Result<SqlValue, StorageFault> {
    serde_json::to_string(record)
        .map(SqlValue::Text)
        .map_err(|error| StorageFault(error.to_string()))
}

/// Reads a record from the text of its column.
pub fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, StorageFault> {
    serde_json::from_str(text)
        .map_err(|error| StorageFault(format!("a record cannot be read: {error}")))
}

/// The record in the first column of a row.
pub fn record_of<T: DeserializeOwned>(row: &[SqlValue]) -> Result<T, StorageFault> {
    from_json(row.first().and_then(SqlValue::as_text).unwrap_or("null"))
}

/// The record in the first column of the first row.
pub fn record<T: DeserializeOwned>(
    storage: &impl Storage,
    statement: &str,
    values: &[SqlValue],
) -> Result<Option<T>, StorageFault> {
    let rows = storage.exec(statement, values)?;
    rows.first().map(|row| record_of(row)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: &[SqlValue]) -> Row {
        values.to_vec()
    }

    #[test]
    fn a_row_is_read_by_the_types_of_its_columns() {
        let read = <(i64, String, Option<i64>)>::from_row;
        let full = row(&[7.into(), "x".into(), 3.into()]);
        assert_eq!(read(full), Some((7, "x".to_owned(), Some(3))));
        let with_null = row(&[7.into(), "x".into(), SqlValue::Null]);
        assert_eq!(read(with_null), Some((7, "x".to_owned(), None)));
    }

    #[test]
    fn a_row_of_other_types_or_another_length_is_none() {
        let read = <(u16, String)>::from_row;
        for other in [
            row(&[]),
            row(&[1.into()]),
            row(&[1.into(), "x".into(), 2.into()]),
            row(&["x".into(), "x".into()]),
            row(&[1.into(), SqlValue::Null]),
            row(&[70_000.into(), "x".into()]),
            row(&[(-1).into(), "x".into()]),
        ] {
            assert_eq!(read(other.clone()), None, "{other:?}");
        }
    }
}
