//! The SQLite database and the alarm of an object. A statement crosses the JavaScript boundary once, with its values and its
//! rows as JSON: each value and each row for itself would cross it several times.

use wasm_bindgen::JsValue;
use worker::durable::{ScheduledTime, State};
use worker::js_sys::Date;

use super::driver;
use crate::ports::{KnownTables, Row, SqlValue, Storage, StorageFault};
use crate::time::Timestamp;

pub struct ObjectStorage {
    storage: worker::durable::Storage,
    sql: JsValue,
    tables: KnownTables,
}

impl ObjectStorage {
    pub fn new(state: &State) -> Self {
        let storage = state.storage();
        Self {
            sql: storage.as_raw().sql().into(),
            storage,
            tables: KnownTables::default(),
        }
    }
}

impl Storage for ObjectStorage {
    fn exec(&self, statement: &str, values: &[SqlValue]) -> Result<Vec<Row>, StorageFault> {
        self.tables.note(statement);
        let values = serde_json::to_string(values).map_err(unreadable)?;
        let rows = driver::execute(&self.sql, statement, &values);
        let rows = rows.map_err(|error| fault(error.into()))?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        serde_json::from_str(&rows).map_err(unreadable)
    }

    fn has_table(&self, name: &str) -> Result<bool, StorageFault> {
        self.tables.has(self, name)
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
        let erased = self.tables.erase(self.storage.delete_all()).await;
        erased.map_err(fault)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` gives it away")]
fn fault(error: worker::Error) -> StorageFault {
    StorageFault(error.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` gives it away")]
fn unreadable(error: serde_json::Error) -> StorageFault {
    StorageFault(error.to_string())
}
