//! An object's own storage.

use crate::time::Timestamp;

/// The storage of an object failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("storage: {0}")]
pub struct StorageFault(pub String);

/// A value of an SQL statement. Numbers stay below 2^53, because the platform passes them as f64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SqlValue {
    /// NULL.
    Null,
    /// A count, a flag, or milliseconds.
    Integer(i64),
    /// Text, also for ids and JSON.
    Text(String),
}

impl SqlValue {
    /// Text, or `None` for anything else.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A number, or `None` for anything else.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }
}

impl From<&str> for SqlValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for SqlValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for SqlValue {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

/// A row of a result, in the order of the statement's columns.
pub type Row = Vec<SqlValue>;

/// An object's own storage: SQLite and one alarm. Statements without an `.await` between them are one
/// atomic write.
pub trait Storage: 'static {
    /// Runs one statement.
    fn exec(&self, statement: &str, values: &[SqlValue]) -> Result<Vec<Row>, StorageFault>;
    /// Whether a table exists.
    fn has_table(&self, name: &str) -> Result<bool, StorageFault>;
    /// Sets the alarm, in the same atomic write as the statements before it.
    async fn set_alarm(&self, at: Timestamp) -> Result<(), StorageFault>;
    /// The time of the alarm, if it is set.
    async fn alarm(&self) -> Result<Option<Timestamp>, StorageFault>;
    /// Deletes the alarm.
    async fn delete_alarm(&self) -> Result<(), StorageFault>;
    /// Erases everything, including the alarm.
    async fn erase(&self) -> Result<(), StorageFault>;
}
