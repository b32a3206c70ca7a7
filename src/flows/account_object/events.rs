//! The events of an account: what is told of it, and what its provider's webhooks bring. They are stored in the
//! same write as what they tell of, so that neither is ever without the other.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::flows::account_object::AccountObject;
use crate::flows::messages::webhook::NewEvent;
use crate::ids::{EnvironmentId, EventId};
use crate::ports::{Outside, SqlValue, Storage, StorageFault};
use crate::time::Timestamp;

/// What happened to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::flows) enum EventType {
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

/// An event on its way into storage.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::flows) struct Event {
    /// Its place among the account's events; the end of its id.
    pub(in crate::flows) number: i64,
    pub(in crate::flows) name: String,
    pub(in crate::flows) resource_type: Option<String>,
    pub(in crate::flows) resource_id: Option<String>,
    /// JSON text.
    pub(in crate::flows) payload: String,
    pub(in crate::flows) created_at: Timestamp,
}

/// Numbers count up with the time: a thousand to each millisecond. They stay below 2^53 until the year 2255.
const PER_MILLISECOND: i64 = 1000;

/// The first number of a moment.
pub(in crate::flows) fn number_at(moment: Timestamp) -> i64 {
    moment.as_millis().saturating_mul(PER_MILLISECOND)
}

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Something happened to the account.
    pub(in crate::flows) fn event(
        &self,
        kind: EventType,
        payload: &Value,
    ) -> Result<Event, StorageFault> {
        let name = serde_json::to_value(kind).unwrap_or_default();
        self.numbered(NewEvent {
            event: name.as_str().unwrap_or_default().to_owned(),
            resource_type: None,
            resource_id: None,
            payload: payload.to_string(),
        })
    }

    /// The event with its number, and so its id.
    pub(in crate::flows) fn numbered(&self, new: NewEvent) -> Result<Event, StorageFault> {
        Ok(Event {
            number: self.next_number()?,
            name: new.event,
            resource_type: new.resource_type,
            resource_id: new.resource_id,
            payload: new.payload,
            created_at: self.outside.now(),
        })
    }

    /// Higher than all before, also when the clock goes back.
    fn next_number(&self) -> Result<i64, StorageFault> {
        let last = match self.last_number.get() {
            Some(last) => last,
            None if self.has_outbox()? => self
                .one_integer("SELECT MAX(number) FROM event", &[])?
                .unwrap_or(0),
            None => 0,
        };
        let next = number_at(self.outside.now()).max(last + 1);
        self.last_number.set(Some(next));
        Ok(next)
    }

    /// The id of the event with this number.
    pub(in crate::flows) fn event_id(&self, number: i64) -> EventId {
        EventId::new(self.id, number.to_be_bytes())
    }

    /// Doing it twice is doing it once.
    pub(in crate::flows) fn write_events(
        &self,
        environment: EnvironmentId,
        events: &[Event],
    ) -> Result<(), StorageFault> {
        if events.is_empty() {
            return Ok(());
        }
        self.open_outbox(environment)?;
        for event in events {
            self.write_event(event)?;
        }
        Ok(())
    }

    fn write_event(&self, event: &Event) -> Result<(), StorageFault> {
        let text = |text: &Option<String>| text.as_deref().map_or(SqlValue::Null, SqlValue::from);
        let values = [
            event.number.into(),
            event.name.as_str().into(),
            text(&event.resource_type),
            text(&event.resource_id),
            event.payload.as_str().into(),
            event.created_at.as_millis().into(),
        ];
        let statement = "INSERT INTO event (number, event, resource_type, resource_id, payload, created_at) \
                         VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (number) DO NOTHING";
        self.storage.exec(statement, &values)?;
        self.stored.set(self.stored.get().saturating_add(1));
        self.note_stored(event.created_at);
        Ok(())
    }

    /// The first column of the first row, where it is a number.
    pub(in crate::flows) fn one_integer(
        &self,
        statement: &str,
        values: &[SqlValue],
    ) -> Result<Option<i64>, StorageFault> {
        let rows = self.storage.exec(statement, values)?;
        let first = rows.first().and_then(|row| row.first());
        Ok(first.and_then(SqlValue::as_integer))
    }
}
