//! The outbox: what is told of an account, stored in the same write as the change it tells of, so that
//! neither is ever without the other. Delivering is another matter.

use std::time::Duration;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::AccountObject;
use super::row::text_of;
use crate::ports::{Outside, SqlValue, Storage, StorageFault};
use crate::time::Timestamp;

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS event \
    (id TEXT PRIMARY KEY, event TEXT NOT NULL, payload TEXT NOT NULL, status TEXT NOT NULL, created_at INTEGER NOT NULL)";

/// How long an event is kept.
pub(super) const KEPT: Duration = Duration::from_hours(30 * 24);

/// What happened to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum EventType {
    /// Its first credential was accepted.
    #[serde(rename = "integrated_account:created")]
    Created,
    /// It was changed.
    #[serde(rename = "integrated_account:updated")]
    Updated,
    /// It can be called.
    #[serde(rename = "integrated_account:active")]
    Active,
    /// It is gone.
    #[serde(rename = "integrated_account:deleted")]
    Deleted,
    /// Its `post_install` action failed.
    #[serde(rename = "integrated_account:post_install_error")]
    PostInstallError,
    /// Its `validation` action failed.
    #[serde(rename = "integrated_account:validation_error")]
    ValidationError,
    /// The provider no longer accepts its credential.
    #[serde(rename = "integrated_account:authentication_error")]
    AuthenticationError,
    /// It was connected again after that.
    #[serde(rename = "integrated_account:reactivated")]
    Reactivated,
}

/// An event on its way into the outbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Event {
    /// `evt_<account id, 32 hex>_<16 hex>`
    pub(super) id: String,
    #[serde(rename = "event")]
    pub(super) kind: EventType,
    pub(super) payload: Value,
    pub(super) created_at: Timestamp,
}

impl<O: Outside, S: Storage> AccountObject<O, S> {
    pub(super) fn event(&self, kind: EventType, payload: Value) -> Event {
        let random: [u8; 8] = self.outside.random();
        Event {
            id: format!("evt_{}_{}", self.id.to_hex(), HEXLOWER.encode(&random)),
            kind,
            payload,
            created_at: self.outside.now(),
        }
    }

    /// Doing it twice is doing it once.
    pub(super) fn write_events(&self, events: &[Event]) -> Result<(), StorageFault> {
        if events.is_empty() {
            return Ok(());
        }
        self.storage.exec(SCHEMA, &[])?;
        for event in events {
            let name = serde_json::to_value(event.kind).unwrap_or_default();
            let values = [
                event.id.as_str().into(),
                name.as_str().unwrap_or_default().into(),
                text_of(&event.payload)?,
                event.created_at.as_millis().into(),
            ];
            let statement = "INSERT INTO event (id, event, payload, status, created_at) VALUES (?, ?, ?, 'pending', ?) \
                             ON CONFLICT (id) DO NOTHING";
            self.storage.exec(statement, &values)?;
        }
        Ok(())
    }

    /// Those that are over go; when the oldest that is left will.
    pub(super) fn trim_events(&self) -> Result<Option<Timestamp>, StorageFault> {
        if !self.has_table("event")? {
            return Ok(None);
        }
        let kept = i64::try_from(KEPT.as_millis()).unwrap_or(i64::MAX);
        let oldest = self.outside.now().as_millis().saturating_sub(kept);
        self.storage
            .exec("DELETE FROM event WHERE created_at <= ?", &[oldest.into()])?;
        let rows = self
            .storage
            .exec("SELECT MIN(created_at) FROM event", &[])?;
        let first = rows.first().and_then(|row| row.first());
        Ok(first
            .and_then(SqlValue::as_integer)
            .map(|millis| Timestamp::from_millis(millis).plus(KEPT)))
    }
}
