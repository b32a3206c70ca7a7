//! The SQLite database and the alarm of an object. A statement crosses the JavaScript boundary once, with its values and its
//! rows as JSON: each value and each row for itself would cross it several times.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wasm_bindgen::JsValue;
use worker::durable::{ScheduledTime, State};
use worker::js_sys::Date;

use super::driver;
use crate::ports::{Row, SqlValue, Storage, StorageFault, TABLE_EXISTS};
use crate::time::Timestamp;

pub struct ObjectStorage {
    storage: worker::durable::Storage,
    sql: JsValue,
    /// Which tables exist, as far as it was asked since the last change of the schema.
    tables: RefCell<HashMap<String, bool>>,
}

impl ObjectStorage {
    pub fn new(state: &State) -> Self {
        let storage = state.storage();
        Self {
            sql: storage.as_raw().sql().into(),
            storage,
            tables: RefCell::default(),
        }
    }
}

impl Storage for ObjectStorage {
    fn exec(&self, statement: &str, values: &[SqlValue]) -> Result<Vec<Row>, StorageFault> {
        if statement.starts_with("CREATE ") {
            self.tables.take();
        }
        let values: Vec<_> = values.iter().map(Bound).collect();
        let values = serde_json::to_string(&values).map_err(unreadable)?;
        let rows = driver::execute(&self.sql, statement, &values);
        let rows = rows.map_err(|error| fault(error.into()))?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<Vec<Column>> = serde_json::from_str(&rows).map_err(unreadable)?;
        let plain = |row: Vec<Column>| row.into_iter().map(|Column(value)| value).collect();
        Ok(rows.into_iter().map(plain).collect())
    }

    fn has_table(&self, name: &str) -> Result<bool, StorageFault> {
        if let Some(known) = self.tables.borrow().get(name) {
            return Ok(*known);
        }
        let exists = !self.exec(TABLE_EXISTS, &[name.into()])?.is_empty();
        self.tables.borrow_mut().insert(name.to_owned(), exists);
        Ok(exists)
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
        self.tables.take();
        // Since 2026-02-24 this deletes the alarm, too. A stop between two steps would leave rows without an alarm.
        self.storage.delete_all().await.map_err(fault)
    }
}

/// A value of a statement, as JSON.
struct Bound<'a>(&'a SqlValue);

impl Serialize for Bound<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            SqlValue::Null => serializer.serialize_none(),
            SqlValue::Integer(number) => serializer.serialize_i64(*number),
            SqlValue::Text(text) => serializer.serialize_str(text),
        }
    }
}

/// A value of a row, from JSON. What no table of this gateway holds is `NULL`, such as a blob.
struct Column(SqlValue);

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ColumnVisitor).map(Column)
    }
}

struct ColumnVisitor;

impl<'de> Visitor<'de> for ColumnVisitor {
    type Value = SqlValue;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value of a row")
    }

    fn visit_unit<E>(self) -> Result<SqlValue, E> {
        Ok(SqlValue::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<SqlValue, E> {
        Ok(SqlValue::Integer(i64::from(flag)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<SqlValue, E> {
        Ok(SqlValue::Integer(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<SqlValue, E> {
        Ok(i64::try_from(number).map_or(SqlValue::Null, SqlValue::Integer))
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the stored numbers are whole and below 2^53"
    )]
    fn visit_f64<E>(self, number: f64) -> Result<SqlValue, E> {
        Ok(SqlValue::Integer(number as i64))
    }

    fn visit_str<E>(self, text: &str) -> Result<SqlValue, E> {
        Ok(SqlValue::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<SqlValue, E> {
        Ok(SqlValue::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<SqlValue, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(SqlValue::Null)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<SqlValue, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(SqlValue::Null)
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
