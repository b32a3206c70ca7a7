//! Writes with an `Idempotency-Key`: a row each, without an answer while it is under way, and the answer sealed. A row
//! is there before its request is sent, and ends after a day.

use std::cell::Cell;

use crate::account::seal::{Kind, Place, key_id};
use crate::error::Failure;
use crate::flows::account_object::{AccountObject, State};
use crate::flows::base::sealed;
use crate::flows::once::kept::KeptAnswer;
use crate::flows::once::kind::{Kind as Whose, OF_ACCOUNT_TOKENS};
use crate::flows::once::{End, Known, Write};
use crate::ports::{Outside, SqlValue, Storage, StorageFault};
use crate::settings::{KEPT_ANSWER, KEPT_ANSWERS, KEPT_ANSWERS_BYTES};
use crate::time::Timestamp;

const SCHEMA: &[&str] = &[
    // The sealed answer stands last: what is asked of many rows is in front of it.
    "CREATE TABLE IF NOT EXISTS kept_answer (place TEXT PRIMARY KEY, body TEXT NOT NULL, at INTEGER NOT NULL, status INTEGER, sealed TEXT)",
    "CREATE INDEX IF NOT EXISTS kept_answer_at ON kept_answer (at)",
    "CREATE INDEX IF NOT EXISTS kept_answer_held ON kept_answer (at) WHERE sealed IS NOT NULL",
];
const TABLE: &str = "kept_answer";
/// A row takes 2 MB.
const LARGEST: usize = 1_900_000;

/// What is kept of each kind, where it is known: bytes, or keys.
#[derive(Default)]
pub(in crate::flows) struct KeptOfKinds {
    backend: Cell<Option<i64>>,
    customer: Cell<Option<i64>>,
}

impl KeptOfKinds {
    fn of(&self, kind: Whose) -> &Cell<Option<i64>> {
        match kind {
            Whose::Backend => &self.backend,
            Whose::Customer => &self.customer,
        }
    }

    pub(in crate::flows) fn forget(&self) {
        self.backend.set(None);
        self.customer.set(None);
    }
}

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// What is known of a write. Where nothing is, it is under way from now on. Between looking and noting is no
    /// `.await`: of two at once, one begins.
    pub(in crate::flows) fn begin_write(&self, write: &Write) -> Result<Known, Failure> {
        if !self.has_kept_answers.get() {
            for statement in SCHEMA {
                self.storage.exec(statement, &[])?;
            }
            self.has_kept_answers.set(true);
        }
        let now = self.outside.now();
        let place: SqlValue = write.place.as_str().into();
        let statement = "SELECT body, at, status, sealed FROM kept_answer WHERE place = ?";
        let rows = self.storage.exec(statement, std::slice::from_ref(&place))?;
        if let Some([body, at, status, sealed]) = rows.first().map(Vec::as_slice) {
            let at = Timestamp::from_millis(at.as_integer().unwrap_or_default());
            if now < at.plus(KEPT_ANSWER) {
                let is_same = body.as_text() == Some(write.body.as_str());
                return Ok(self.known(write, is_same, status, sealed.as_text()));
            }
        }
        self.check_keys(write.kind, rows.is_empty(), now)?;
        let statement = "INSERT OR REPLACE INTO kept_answer (place, body, at, status, sealed) VALUES (?, ?, ?, NULL, NULL)";
        let values = [place, write.body.as_str().into(), now.as_millis().into()];
        self.storage.exec(statement, &values)?;
        Ok(Known::Begun)
    }

    /// Each kind has so many keys at a time; the next write waits until the first of them ends. One that has ended takes
    /// the place it had.
    fn check_keys(&self, kind: Whose, is_new: bool, now: Timestamp) -> Result<(), Failure> {
        let kept_keys = self.kept_keys.of(kind);
        let keys = if let Some(keys) = kept_keys.get() {
            keys
        } else {
            let statement = format!("SELECT COUNT(*) FROM kept_answer WHERE {}", of_kind(kind));
            self.one_integer(&statement, &[])?.unwrap_or(0)
        };
        let next = keys + i64::from(is_new);
        if next > KEPT_ANSWERS {
            let end = self.next_end_of_a_key()?.unwrap_or(now);
            let words =
                format!("This account has {KEPT_ANSWERS} Idempotency-Keys of the last day.");
            let seconds = end.since(now).as_secs().saturating_add(1);
            return Err(Failure::too_many_requests(&words, seconds));
        }
        kept_keys.set(Some(next));
        Ok(())
    }

    fn known(
        &self,
        write: &Write,
        is_same: bool,
        status: &SqlValue,
        sealed: Option<&str>,
    ) -> Known {
        if !is_same {
            return Known::AnotherBody;
        }
        let status = status
            .as_integer()
            .and_then(|status| u16::try_from(status).ok());
        match (status, sealed) {
            (None, _) => Known::UnderWay,
            (Some(status), None) => Known::Status(status),
            // One that does not open is not made again.
            (Some(status), Some(sealed)) => self
                .opened_answer(&write.place, sealed)
                .map_or(Known::Status(status), Known::Answer),
        }
    }

    fn opened_answer(&self, place: &str, sealed: &str) -> Option<KeptAnswer> {
        let id = self.id.to_string();
        let value = sealed::open(&self.outside, answer_at(&id, place), sealed).ok()?;
        serde_json::from_value(value).ok()
    }

    /// Notes how a write ended. Where that fails it stays under way, and is not made again.
    pub(in crate::flows) fn end_write(&self, write: &Write, end: &End) {
        // Of an account that is gone nothing is written back.
        if !matches!(self.state(), State::Here(_)) {
            return;
        }
        let ended = match end {
            End::Unknown => Ok(()),
            End::Undone => self.forget_write(write),
            End::Status(status) => self.keep(write, *status, None),
            End::Answer(answer) => match self.sealed_answer(write, answer) {
                Ok(sealed) => self.keep(write, answer.status(), sealed),
                // Why it cannot be sealed is in the log.
                Err(_) => self.keep(write, answer.status(), None),
            },
        };
        if let Err(fault) = ended {
            self.log("answer_not_kept", &fault.to_string());
        }
    }

    fn sealed_answer(&self, write: &Write, answer: &KeptAnswer) -> Result<Option<String>, Failure> {
        let id = self.id.to_string();
        let value = serde_json::to_value(answer).unwrap_or_default();
        let sealed = sealed::seal(&self.outside, answer_at(&id, &write.place), &value)?;
        Ok(sealed.filter(|sealed| sealed.len() <= LARGEST))
    }

    fn forget_write(&self, write: &Write) -> Result<(), StorageFault> {
        let kept_keys = self.kept_keys.of(write.kind);
        kept_keys.set(kept_keys.get().map(|keys| keys - 1));
        let statement = "DELETE FROM kept_answer WHERE place = ?";
        self.storage
            .exec(statement, &[write.place.as_str().into()])
            .map(drop)
    }

    fn keep(&self, write: &Write, status: u16, sealed: Option<String>) -> Result<(), StorageFault> {
        let length = sealed.as_ref().map_or(0, String::len);
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        let statement = "UPDATE kept_answer SET at = ?, status = ?, sealed = ? WHERE place = ?";
        let values = [
            self.outside.now().as_millis().into(),
            i64::from(status).into(),
            sealed.map_or(SqlValue::Null, SqlValue::Text),
            write.place.as_str().into(),
        ];
        self.storage.exec(statement, &values)?;
        self.bound_kept_answers(write.kind, length)
    }

    /// Beyond the room for answers of its kind the oldest are known by their status alone: a customer's push out none
    /// of the backend's.
    fn bound_kept_answers(&self, kind: Whose, more: i64) -> Result<(), StorageFault> {
        let of_kind = of_kind(kind);
        let of_kind = format!("FROM kept_answer WHERE sealed IS NOT NULL AND {of_kind}");
        let kept_bytes = self.kept_bytes.of(kind);
        let mut held = if let Some(held) = kept_bytes.get() {
            held + more
        } else {
            let statement = format!("SELECT SUM(LENGTH(sealed)) {of_kind}");
            self.one_integer(&statement, &[])?.unwrap_or(0)
        };
        while held > KEPT_ANSWERS_BYTES {
            let statement = format!("SELECT place, LENGTH(sealed) {of_kind} ORDER BY at LIMIT 1");
            let rows = self.storage.exec(&statement, &[])?;
            let Some([place, length]) = rows.first().map(Vec::as_slice) else {
                held = 0;
                break;
            };
            let statement = "UPDATE kept_answer SET sealed = NULL WHERE place = ?";
            self.storage.exec(statement, std::slice::from_ref(place))?;
            held -= length.as_integer().unwrap_or_default();
        }
        kept_bytes.set(Some(held));
        Ok(())
    }

    /// The alarm rings when the key of a write that begins now ends.
    pub(in crate::flows) async fn wake_for_kept_answers(&self) {
        self.wake_by(self.outside.now().plus(KEPT_ANSWER)).await;
    }

    /// What is over goes.
    pub(in crate::flows) fn trim_kept_answers(&self) -> Result<(), StorageFault> {
        if !self.has_table(TABLE)? {
            return Ok(());
        }
        self.kept_bytes.forget();
        self.kept_keys.forget();
        let over = self.outside.now().minus(KEPT_ANSWER).as_millis();
        let statement = "DELETE FROM kept_answer WHERE at <= ?";
        self.storage.exec(statement, &[over.into()]).map(drop)
    }

    /// When the first key ends.
    pub(in crate::flows) fn next_end_of_a_key(&self) -> Result<Option<Timestamp>, StorageFault> {
        if !self.has_table(TABLE)? {
            return Ok(None);
        }
        let first = self.one_integer("SELECT MIN(at) FROM kept_answer", &[])?;
        Ok(first.map(|at| Timestamp::from_millis(at).plus(KEPT_ANSWER)))
    }

    /// They belong to the account.
    pub(in crate::flows) fn drop_kept_answers(&self) -> Result<(), StorageFault> {
        self.kept_bytes.forget();
        self.kept_keys.forget();
        if self.has_table(TABLE)? {
            self.storage.exec("DELETE FROM kept_answer", &[])?;
        }
        Ok(())
    }

    /// They rest under the first key, too. What cannot be opened any more is known by its status.
    pub(in crate::flows) fn reseal_kept_answers(&self) -> Result<(), Failure> {
        if !self.has_table(TABLE)? {
            return Ok(());
        }
        let keyring = self.outside.settings().keyring()?;
        let current = keyring.ids().next().unwrap_or_default();
        // What stands behind the dot is not read.
        let statement =
            "SELECT place, substr(sealed, 1, 100) FROM kept_answer WHERE sealed IS NOT NULL";
        for row in self.storage.exec(statement, &[])? {
            if let [SqlValue::Text(place), SqlValue::Text(head)] = row.as_slice()
                && key_id(head) != current
            {
                self.reseal_answer(place)?;
            }
        }
        Ok(())
    }

    fn reseal_answer(&self, place: &str) -> Result<(), Failure> {
        let statement = "SELECT sealed FROM kept_answer WHERE place = ?";
        let rows = self.storage.exec(statement, &[place.into()])?;
        let text = rows
            .first()
            .and_then(|row| row.first())
            .and_then(SqlValue::as_text);
        let id = self.id.to_string();
        let new = sealed::resealed(&self.outside, answer_at(&id, place), text);
        let new = new.ok().flatten().map_or(SqlValue::Null, SqlValue::Text);
        let statement = "UPDATE kept_answer SET sealed = ? WHERE place = ?";
        self.storage.exec(statement, &[new, place.into()])?;
        Ok(())
    }
}

/// Rows of one kind.
fn of_kind(kind: Whose) -> String {
    let is_like = match kind {
        Whose::Backend => "NOT LIKE",
        Whose::Customer => "LIKE",
    };
    format!("place {is_like} '{OF_ACCOUNT_TOKENS}%'")
}

fn answer_at<'a>(id: &'a str, place: &'a str) -> Place<'a> {
    Place {
        kind: Kind::Answer,
        id,
        field: place,
    }
}
