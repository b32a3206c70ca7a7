//! The SQLite database and the alarm of an object.

use worker::durable::{ScheduledTime, State};
use worker::js_sys::Date;
use worker::{SqlStorage, SqlStorageValue};

use crate::ports::{Row, SqlValue, Storage, StorageFault};
use crate::time::Timestamp;

pub struct ObjectStorage {
    storage: worker::durable::Storage,
    sql: SqlStorage,
}

impl ObjectStorage {
    pub fn new(state: &State) -> Self {
        let storage = state.storage();
        Self {
            sql: storage.sql(),
            storage,
        }
    }
}

impl Storage for ObjectStorage {
    fn exec(&self, statement: &str, values: &[SqlValue]) -> Result<Vec<Row>, StorageFault> {
        let values: Vec<_> = values.iter().map(bound).collect();
        let cursor = self.sql.exec(statement, values).map_err(fault)?;
        cursor
            .raw()
            .map(|row| Ok(row.map_err(fault)?.into_iter().map(column).collect()))
            .collect()
    }

    async fn set_alarm(&self, at: Timestamp) -> Result<(), StorageFault> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a date in milliseconds is far below 2^53"
        )]
        let date = Date::new(&(at.as_millis() as f64).into());
        self.storage
            .set_alarm(ScheduledTime::new(date))
            .await
            .map_err(fault)
    }

    async fn alarm(&self) -> Result<Option<Timestamp>, StorageFault> {
        let set = self.storage.get_alarm().await.map_err(fault)?;
        Ok(set.map(Timestamp::from_millis))
    }

    async fn delete_alarm(&self) -> Result<(), StorageFault> {
        self.storage.delete_alarm().await.map_err(fault)
    }

    async fn erase(&self) -> Result<(), StorageFault> {
        // Since 2026-02-24 this deletes the alarm, too. A stop between two steps would leave rows without an alarm.
        self.storage.delete_all().await.map_err(fault)
    }
}

fn bound(value: &SqlValue) -> SqlStorageValue {
    match value {
        SqlValue::Null => SqlStorageValue::Null,
        SqlValue::Integer(number) => SqlStorageValue::Integer(*number),
        SqlValue::Text(text) => SqlStorageValue::String(text.clone()),
    }
}

fn column(value: SqlStorageValue) -> SqlValue {
    match value {
        SqlStorageValue::Integer(number) => SqlValue::Integer(number),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the stored numbers are whole and below 2^53"
        )]
        SqlStorageValue::Float(number) => SqlValue::Integer(number as i64),
        SqlStorageValue::Boolean(flag) => SqlValue::Integer(i64::from(flag)),
        SqlStorageValue::String(text) => SqlValue::Text(text),
        SqlStorageValue::Null | SqlStorageValue::Blob(_) => SqlValue::Null,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` gives it away")]
fn fault(error: worker::Error) -> StorageFault {
    StorageFault(error.to_string())
}
