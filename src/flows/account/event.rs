//! The events of an account: changes of the account, and webhooks of its provider. An event is stored in the same write
//! as the change that it reports, so that neither exists without the other.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::flows::account::outbox::Outbox;
use crate::flows::base::sql;
use crate::flows::messages::webhook::NewEvent;
use crate::ids::{EnvironmentId, EventId};
use crate::ports::{Outside, Storage, StorageFault};
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
    /// It was deleted.
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

/// An event that is about to be stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::flows) struct Event {
    /// Its place among the account's events, and the last part of its id.
    pub(in crate::flows) number: i64,
    pub(in crate::flows) name: String,
    pub(in crate::flows) resource_type: Option<String>,
    pub(in crate::flows) resource_id: Option<String>,
    /// JSON text.
    pub(in crate::flows) payload: String,
    pub(in crate::flows) created_at: Timestamp,
}

impl<O: Outside, S: Storage> Outbox<O, S> {
    /// An event that reports a change of the account.
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

    /// Gives the event its number, which is part of its id.
    pub(in crate::flows) fn numbered(&self, new: NewEvent) -> Result<Event, StorageFault> {
        Ok(Event {
            number: self.next_number()?,
            name: new.event,
            resource_type: new.resource_type,
            resource_id: new.resource_id,
            payload: new.payload,
            created_at: self.base.outside().now(),
        })
    }

    /// The id of the event with this number.
    pub(in crate::flows) fn event_id(&self, number: i64) -> EventId {
        EventId::new(self.base.id(), number.to_be_bytes())
    }

    /// Stores the events. A repeated write changes nothing.
    pub(in crate::flows) fn write_events(
        &self,
        environment: EnvironmentId,
        events: &[Event],
    ) -> Result<(), StorageFault> {
        if events.is_empty() {
            return Ok(());
        }
        self.open(environment)?;
        for event in events {
            self.write_event(event)?;
        }
        Ok(())
    }

    fn write_event(&self, event: &Event) -> Result<(), StorageFault> {
        let values = [
            event.number.into(),
            event.name.as_str().into(),
            sql::nullable(event.resource_type.as_deref()),
            sql::nullable(event.resource_id.as_deref()),
            event.payload.as_str().into(),
            event.created_at.as_millis().into(),
        ];
        let statement = "INSERT INTO event (number, event, resource_type, resource_id, payload, created_at) \
                         VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (number) DO NOTHING";
        sql::run(self.base.storage(), statement, &values)?;
        self.count_stored();
        self.note_stored(event.created_at);
        Ok(())
    }
}
