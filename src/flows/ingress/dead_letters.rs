//! Dead letters: verified requests that the file could not read. Each is a failed event, and the encrypted request in a
//! row next to it until a replay reads it.

use std::rc::Rc;

use serde_json::{Value, json};

use crate::account::seal::{SealKind, SealPlace};
use crate::error::{Code, Failure};
use crate::flows::account::base::Base;
use crate::flows::account::event::Event;
use crate::flows::account::outbox::Outbox;
use crate::flows::account::state::State;
use crate::flows::account::stored::Stored;
use crate::flows::base::{sealed, sql};
use crate::flows::messages::dead_letter::DeadLetter;
use crate::flows::messages::webhook::NewEvent;
use crate::ids::EnvironmentId;
use crate::json::typed;
use crate::ports::{Outside, Storage, StorageFault};
use crate::time::Timestamp;
use crate::webhook::UNNAMED;

/// An encrypted request is stored in pieces of this many bytes.
const PIECE: usize = 1_000_000;

/// The account's dead letters.
pub(in crate::flows) struct DeadLetters<O, S> {
    base: Rc<Base<O, S>>,
    outbox: Rc<Outbox<O, S>>,
}

impl<O: Outside, S: Storage> DeadLetters<O, S> {
    pub(in crate::flows) fn new(base: &Rc<Base<O, S>>, outbox: &Rc<Outbox<O, S>>) -> Self {
        Self {
            base: Rc::clone(base),
            outbox: Rc::clone(outbox),
        }
    }

    /// Stores a dead letter and its failed event. Returns the event's number.
    pub(in crate::flows) fn store(
        &self,
        dead_letter: &DeadLetter,
        reason: &str,
    ) -> Result<i64, Failure> {
        let event = self.outbox.numbered(NewEvent {
            event: UNNAMED.to_owned(),
            resource_type: None,
            resource_id: None,
            payload: "null".to_owned(),
        })?;
        let number = event.number;
        let sealed = self.sealed_request(
            number,
            &serde_json::to_value(dead_letter).unwrap_or_default(),
        )?;
        self.write(number, &sealed)?;
        let error = json!({ "code": "integration.transform_failed", "message": reason });
        self.write_failed_event(&event, &error)?;
        sql::run(
            self.base.storage(),
            "INSERT OR REPLACE INTO report (event, is_failed) VALUES (?, 1)",
            &[number.into()],
        )?;
        Ok(number)
    }

    /// One statement, so that the event is never pending and never delivered.
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
        sql::run(self.base.storage(), statement, &values)?;
        self.outbox.note_stored(event.created_at);
        Ok(())
    }

    fn sealed_request(&self, number: i64, dead_letter: &Value) -> Result<String, Failure> {
        let id = self.outbox.event_id(number).to_string();
        let sealed = sealed::seal(self.base.outside(), request_of(&id), dead_letter)?;
        sealed.ok_or_else(Failure::storage)
    }

    fn write(&self, number: i64, sealed: &str) -> Result<(), StorageFault> {
        sql::run(
            self.base.storage(),
            "DELETE FROM unread WHERE event = ?",
            &[number.into()],
        )?;
        for (at, piece) in (0_i64..).zip(sealed.as_bytes().chunks(PIECE)) {
            // Encrypted values are ASCII.
            let piece = String::from_utf8_lossy(piece).into_owned();
            let statement = "INSERT INTO unread (event, piece, sealed) VALUES (?, ?, ?)";
            sql::run(
                self.base.storage(),
                statement,
                &[number.into(), at.into(), piece.into()],
            )?;
        }
        Ok(())
    }

    fn sealed(&self, number: i64) -> Result<Option<String>, StorageFault> {
        let statement = "SELECT sealed FROM unread WHERE event = ? ORDER BY piece";
        let pieces: Vec<String> = sql::column(self.base.storage(), statement, &[number.into()])?;
        let text = pieces.concat();
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    /// The dead letter of an event. `None`: the event was read.
    pub(in crate::flows) fn get(&self, number: i64) -> Result<Option<DeadLetter>, Failure> {
        let Some(text) = self.sealed(number)? else {
            return Ok(None);
        };
        let id = self.outbox.event_id(number).to_string();
        let dead_letter = sealed::open(self.base.outside(), request_of(&id), &text)?;
        let dead_letter = typed::read(&dead_letter);
        dead_letter
            .map(Some)
            .map_err(|_| Failure::new(Code::Internal, "A stored request cannot be read."))
    }

    /// Deletes a dead letter that was read.
    pub(super) fn drop_one(&self, number: i64) -> Result<(), StorageFault> {
        let statement = "DELETE FROM unread WHERE event = ?";
        sql::run(self.base.storage(), statement, &[number.into()])
    }
}

impl<O: Outside, S: Storage> Stored for DeadLetters<O, S> {
    fn trim(&self) -> Result<(), StorageFault> {
        // `EventRetention` trims events with their dead letters.
        Ok(())
    }

    fn next_due(&self, _: &State) -> Result<Option<Timestamp>, Failure> {
        Ok(None)
    }

    fn reseal(&self) -> Result<(), Failure> {
        if !self.outbox.is_there()? {
            return Ok(());
        }
        let statement = "SELECT DISTINCT event FROM unread";
        for number in sql::column::<i64>(self.base.storage(), statement, &[])? {
            let id = self.outbox.event_id(number).to_string();
            let text = self.sealed(number)?;
            let new = sealed::resealed(self.base.outside(), request_of(&id), text.as_deref())?;
            if let Some(new) = new {
                self.write(number, &new)?;
            }
        }
        Ok(())
    }

    fn is_over(&self) -> Result<bool, Failure> {
        // Its rows are deleted with the storage.
        Ok(true)
    }

    /// Deletes the dead letters and their events: without the account they cannot be read.
    fn wipe(&self, _: EnvironmentId) -> Result<(), StorageFault> {
        if !self.outbox.is_there()? {
            return Ok(());
        }
        let statements = [
            "INSERT OR REPLACE INTO report (event, is_failed) SELECT DISTINCT event, 0 FROM unread",
            "DELETE FROM delivery WHERE event IN (SELECT event FROM unread)",
            "DELETE FROM event WHERE number IN (SELECT event FROM unread)",
            "DELETE FROM unread",
        ];
        sql::run_all(self.base.storage(), &statements)
    }

    fn reset(&self) {}
}

fn request_of(id: &str) -> SealPlace<'_> {
    SealPlace {
        kind: SealKind::Event,
        id,
        field: "request",
    }
}
