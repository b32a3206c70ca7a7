//! Requests that the file could not read: an event each, that failed, and the request sealed beside it until it is read
//! again.

use serde_json::{Value, json};

use crate::account::seal::{Kind, Place};
use crate::error::{Code, Failure};
use crate::flows::account_object::AccountObject;
use crate::flows::account_object::events::Event;
use crate::flows::base::sealed;
use crate::flows::messages::dead_letter::DeadLetter;
use crate::flows::messages::webhook::NewEvent;
use crate::ports::{Outside, SqlValue, Storage, StorageFault};
use crate::webhook::UNNAMED;

/// A sealed request is cut into pieces of so many bytes.
const PIECE: usize = 1_000_000;

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// A request that cannot be read is an event that failed, until it is replayed.
    pub(in crate::flows) fn take_in_unread(
        &self,
        kept: &DeadLetter,
        reason: &str,
    ) -> Result<i64, Failure> {
        let event = self.numbered(NewEvent {
            event: UNNAMED.to_owned(),
            resource_type: None,
            resource_id: None,
            payload: "null".to_owned(),
        })?;
        let number = event.number;
        let sealed =
            self.sealed_request(number, &serde_json::to_value(kept).unwrap_or_default())?;
        self.write_unread(number, &sealed)?;
        let error = json!({ "code": "integration.transform_failed", "message": reason });
        self.write_failed_event(&event, &error)?;
        self.storage.exec(
            "INSERT OR REPLACE INTO report (event, is_failed) VALUES (?, 1)",
            &[number.into()],
        )?;
        Ok(number)
    }

    /// In one statement: nobody who subscribed sees it before it is failed.
    fn write_failed_event(&self, event: &Event, error: &Value) -> Result<(), StorageFault> {
        let statement = "INSERT INTO event (number, event, payload, status, is_expanded, last_error, created_at) \
                         VALUES (?, ?, ?, 'failed', 1, ?, ?)";
        let values = [
            event.number.into(),
            event.name.as_str().into(),
            event.payload.as_str().into(),
            error.to_string().into(),
            event.created_at.as_millis().into(),
        ];
        self.storage.exec(statement, &values)?;
        self.note_stored(event.created_at);
        Ok(())
    }

    fn sealed_request(&self, number: i64, kept: &Value) -> Result<String, Failure> {
        let id = self.event_id(number).to_string();
        let sealed = sealed::seal(&self.outside, request_of(&id), kept)?;
        sealed.ok_or_else(Failure::storage)
    }

    fn write_unread(&self, number: i64, sealed: &str) -> Result<(), StorageFault> {
        self.storage
            .exec("DELETE FROM unread WHERE event = ?", &[number.into()])?;
        for (at, piece) in (0_i64..).zip(sealed.as_bytes().chunks(PIECE)) {
            // Sealed values are ASCII.
            let piece = String::from_utf8_lossy(piece).into_owned();
            let statement = "INSERT INTO unread (event, piece, sealed) VALUES (?, ?, ?)";
            self.storage
                .exec(statement, &[number.into(), at.into(), piece.into()])?;
        }
        Ok(())
    }

    fn sealed_unread(&self, number: i64) -> Result<Option<String>, StorageFault> {
        let statement = "SELECT sealed FROM unread WHERE event = ? ORDER BY piece";
        let rows = self.storage.exec(statement, &[number.into()])?;
        let text: String = rows
            .iter()
            .filter_map(|row| row.first()?.as_text())
            .collect();
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    /// The request of an event that could not be read; nothing for any other.
    pub(in crate::flows) fn unread(&self, number: i64) -> Result<Option<DeadLetter>, Failure> {
        let Some(text) = self.sealed_unread(number)? else {
            return Ok(None);
        };
        let id = self.event_id(number).to_string();
        let kept = sealed::open(&self.outside, request_of(&id), &text)?;
        let kept = serde_json::from_value(kept);
        kept.map(Some)
            .map_err(|_| Failure::new(Code::Internal, "A kept request cannot be read."))
    }

    /// Requests that are kept rest under the first key, too.
    pub(in crate::flows) fn reseal_unread(&self) -> Result<(), Failure> {
        if !self.has_outbox()? {
            return Ok(());
        }
        for row in self
            .storage
            .exec("SELECT DISTINCT event FROM unread", &[])?
        {
            let Some(number) = row.first().and_then(SqlValue::as_integer) else {
                continue;
            };
            let id = self.event_id(number).to_string();
            let text = self.sealed_unread(number)?;
            if let Some(new) = sealed::resealed(&self.outside, request_of(&id), text.as_deref())? {
                self.write_unread(number, &new)?;
            }
        }
        Ok(())
    }

    /// Nobody could read them any more.
    pub(in crate::flows) fn drop_unread(&self) -> Result<(), StorageFault> {
        if !self.has_outbox()? {
            return Ok(());
        }
        for statement in [
            "INSERT OR REPLACE INTO report (event, is_failed) SELECT DISTINCT event, 0 FROM unread",
            "DELETE FROM delivery WHERE event IN (SELECT event FROM unread)",
            "DELETE FROM event WHERE number IN (SELECT event FROM unread)",
            "DELETE FROM unread",
        ] {
            self.storage.exec(statement, &[])?;
        }
        Ok(())
    }
}

fn request_of(id: &str) -> Place<'_> {
    Place {
        kind: Kind::Event,
        id,
        field: "request",
    }
}
