//! The table of writes with an `Idempotency-Key`. A row is stored before the request is sent, gets the sealed response
//! at the end, and expires after a day.

use std::cell::Cell;
use std::rc::Rc;

use crate::account::seal::{SealKind, SealPlace, key_id};
use crate::error::Failure;
use crate::flows::account::base::Base;
use crate::flows::account::state::State;
use crate::flows::account::stored::Stored;
use crate::flows::base::{sealed, sql};
use crate::flows::call::idempotency::kept::KeptAnswer;
use crate::flows::call::idempotency::kind::Kind;
use crate::flows::call::idempotency::stored_bytes::{KeptOfKinds, of_kind};
use crate::flows::call::idempotency::{KnownWrite, Write, WriteEnd};
use crate::ids::EnvironmentId;
use crate::json::typed;
use crate::ports::{Outside, SqlValue, Storage, StorageFault};
use crate::settings::{KEPT_ANSWER, KEPT_ANSWERS_BYTES, STORED_RESPONSES};
use crate::time::Timestamp;

const SCHEMA: &[&str] = &[
    // The sealed response is the last column, so that queries over many rows do not read it.
    "CREATE TABLE IF NOT EXISTS kept_answer (place TEXT PRIMARY KEY, body TEXT NOT NULL, at INTEGER NOT NULL, status INTEGER, sealed TEXT)",
    "CREATE INDEX IF NOT EXISTS kept_answer_at ON kept_answer (at)",
    "CREATE INDEX IF NOT EXISTS kept_answer_held ON kept_answer (at) WHERE sealed IS NOT NULL",
];
const TABLE: &str = "kept_answer";
/// A row holds at most 2 MB.
const LARGEST: usize = 1_900_000;

/// The account's writes with an `Idempotency-Key`.
pub(in crate::flows) struct IdempotencyStore<O, S> {
    base: Rc<Base<O, S>>,
    /// Whether the table exists.
    is_open: Cell<bool>,
    /// The bytes of the stored responses, and the number of keys.
    kept_bytes: KeptOfKinds,
    kept_keys: KeptOfKinds,
}

impl<O: Outside, S: Storage> IdempotencyStore<O, S> {
    pub(in crate::flows) fn new(base: &Rc<Base<O, S>>) -> Self {
        Self {
            base: Rc::clone(base),
            is_open: Cell::new(false),
            kept_bytes: KeptOfKinds::default(),
            kept_keys: KeptOfKinds::default(),
        }
    }

    fn is_there(&self) -> Result<bool, StorageFault> {
        Ok(self.is_open.get() || sql::has_table(self.base.storage(), TABLE)?)
    }

    fn open(&self) -> Result<(), StorageFault> {
        if !self.is_open.get() {
            sql::run_all(self.base.storage(), SCHEMA)?;
            self.is_open.set(true);
        }
        Ok(())
    }

    /// The stored state of a write. A new write is stored as under way. There is no `.await` between the look-up and
    /// the insert, so that only one of two simultaneous requests begins.
    pub(in crate::flows) fn begin(&self, write: &Write) -> Result<KnownWrite, Failure> {
        self.open()?;
        let now = self.base.outside().now();
        let place: SqlValue = write.place.as_str().into();
        let statement = "SELECT body, at, status, sealed FROM kept_answer WHERE place = ?";
        let row: Option<(String, Timestamp, Option<u16>, Option<String>)> =
            sql::first(self.base.storage(), statement, std::slice::from_ref(&place))?;
        let is_new = row.is_none();
        if let Some((body, at, status, sealed)) = row
            && now < at.plus(KEPT_ANSWER)
        {
            let is_same = body == write.body;
            return Ok(self.known(write, is_same, status, sealed.as_deref()));
        }
        self.check_keys(write.kind, is_new, now)?;
        let statement = "INSERT OR REPLACE INTO kept_answer (place, body, at, status, sealed) VALUES (?, ?, ?, NULL, NULL)";
        let values = [place, write.body.as_str().into(), now.as_millis().into()];
        sql::run(self.base.storage(), statement, &values)?;
        Ok(KnownWrite::Begun)
    }

    /// Refuses (429) a new key if its kind has as many as it may have, until the oldest one expires. A row with an
    /// expired key is reused.
    fn check_keys(&self, kind: Kind, is_new: bool, now: Timestamp) -> Result<(), Failure> {
        let kept_keys = self.kept_keys.of(kind);
        let keys = if let Some(keys) = kept_keys.get() {
            keys
        } else {
            let statement = format!("SELECT COUNT(*) FROM kept_answer WHERE {}", of_kind(kind));
            sql::one(self.base.storage(), &statement, &[])?.unwrap_or(0)
        };
        let next = keys + i64::from(is_new);
        if next > STORED_RESPONSES {
            let expires_at = self.next_key_expiry()?.unwrap_or(now);
            let message =
                format!("This account has {STORED_RESPONSES} Idempotency-Keys of the last day.");
            let seconds = expires_at.since(now).as_secs().saturating_add(1);
            return Err(Failure::too_many_requests(&message, seconds));
        }
        kept_keys.set(Some(next));
        Ok(())
    }

    fn known(
        &self,
        write: &Write,
        is_same: bool,
        status: Option<u16>,
        sealed: Option<&str>,
    ) -> KnownWrite {
        if !is_same {
            return KnownWrite::AnotherBody;
        }
        match (status, sealed) {
            (None, _) => KnownWrite::UnderWay,
            (Some(status), None) => KnownWrite::Status(status),
            // A write whose response cannot be opened is not made again.
            (Some(status), Some(sealed)) => self
                .opened_answer(&write.place, sealed)
                .map_or(KnownWrite::Status(status), KnownWrite::Answer),
        }
    }

    fn opened_answer(&self, place: &str, sealed: &str) -> Option<KeptAnswer> {
        let id = self.base.id().to_string();
        let value = sealed::open(self.base.outside(), answer_at(&id, place), sealed).ok()?;
        typed::read(&value).ok()
    }

    pub(in crate::flows) fn end(&self, write: &Write, end: &WriteEnd) -> Result<(), StorageFault> {
        match end {
            WriteEnd::Unknown => Ok(()),
            WriteEnd::Undone => self.forget_write(write),
            WriteEnd::Status(status) => self.keep(write, *status, None),
            WriteEnd::Answer(answer) => match self.sealed_answer(write, answer) {
                Ok(sealed) => self.keep(write, answer.status(), sealed),
                // The log has the reason why the response cannot be sealed.
                Err(_) => self.keep(write, answer.status(), None),
            },
        }
    }

    fn sealed_answer(&self, write: &Write, answer: &KeptAnswer) -> Result<Option<String>, Failure> {
        let id = self.base.id().to_string();
        let value = serde_json::to_value(answer).unwrap_or_default();
        let sealed = sealed::seal(self.base.outside(), answer_at(&id, &write.place), &value)?;
        Ok(sealed.filter(|sealed| sealed.len() <= LARGEST))
    }

    fn forget_write(&self, write: &Write) -> Result<(), StorageFault> {
        let kept_keys = self.kept_keys.of(write.kind);
        kept_keys.set(kept_keys.get().map(|keys| keys - 1));
        let statement = "DELETE FROM kept_answer WHERE place = ?";
        sql::run(
            self.base.storage(),
            statement,
            &[write.place.as_str().into()],
        )
    }

    fn keep(&self, write: &Write, status: u16, sealed: Option<String>) -> Result<(), StorageFault> {
        let length = sealed.as_ref().map_or(0, String::len);
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        let statement = "UPDATE kept_answer SET at = ?, status = ?, sealed = ? WHERE place = ?";
        let values = [
            self.base.outside().now().as_millis().into(),
            i64::from(status).into(),
            sql::nullable(sealed),
            write.place.as_str().into(),
        ];
        sql::run(self.base.storage(), statement, &values)?;
        self.bound_kept_answers(write.kind, length)
    }

    /// Deletes the oldest stored responses of the kind beyond its limit; their status stays. A customer's responses
    /// never displace the backend's.
    fn bound_kept_answers(&self, kind: Kind, more: i64) -> Result<(), StorageFault> {
        let of_kind = of_kind(kind);
        let of_kind = format!("FROM kept_answer WHERE sealed IS NOT NULL AND {of_kind}");
        let kept_bytes = self.kept_bytes.of(kind);
        let mut held = if let Some(held) = kept_bytes.get() {
            held + more
        } else {
            let statement = format!("SELECT SUM(LENGTH(sealed)) {of_kind}");
            sql::one(self.base.storage(), &statement, &[])?.unwrap_or(0)
        };
        while held > KEPT_ANSWERS_BYTES {
            let statement = format!("SELECT place, LENGTH(sealed) {of_kind} ORDER BY at LIMIT 1");
            let oldest: Option<(String, i64)> = sql::first(self.base.storage(), &statement, &[])?;
            let Some((place, length)) = oldest else {
                held = 0;
                break;
            };
            let statement = "UPDATE kept_answer SET sealed = NULL WHERE place = ?";
            sql::run(self.base.storage(), statement, &[place.into()])?;
            held -= length;
        }
        kept_bytes.set(Some(held));
        Ok(())
    }

    /// When the oldest key expires.
    fn next_key_expiry(&self) -> Result<Option<Timestamp>, StorageFault> {
        if !self.is_there()? {
            return Ok(None);
        }
        let statement = "SELECT MIN(at) FROM kept_answer";
        let first: Option<Timestamp> = sql::one(self.base.storage(), statement, &[])?;
        Ok(first.map(|at| at.plus(KEPT_ANSWER)))
    }

    fn reseal_answer(&self, place: &str) -> Result<(), Failure> {
        let statement = "SELECT sealed FROM kept_answer WHERE place = ?";
        let text: Option<String> = sql::one(self.base.storage(), statement, &[place.into()])?;
        let id = self.base.id().to_string();
        let new = sealed::resealed(self.base.outside(), answer_at(&id, place), text.as_deref());
        let new = sql::nullable(new.ok().flatten());
        let statement = "UPDATE kept_answer SET sealed = ? WHERE place = ?";
        Ok(sql::run(
            self.base.storage(),
            statement,
            &[new, place.into()],
        )?)
    }
}

impl<O: Outside, S: Storage> Stored for IdempotencyStore<O, S> {
    fn trim(&self) -> Result<(), StorageFault> {
        if !self.is_there()? {
            return Ok(());
        }
        self.kept_bytes.forget();
        self.kept_keys.forget();
        let over = self.base.outside().now().minus(KEPT_ANSWER).as_millis();
        let statement = "DELETE FROM kept_answer WHERE at <= ?";
        sql::run(self.base.storage(), statement, &[over.into()])
    }

    fn next_due(&self, _: &State) -> Result<Option<Timestamp>, Failure> {
        Ok(self.next_key_expiry()?)
    }

    /// Deletes a response that cannot be opened any more; its status stays.
    fn reseal(&self) -> Result<(), Failure> {
        if !self.is_there()? {
            return Ok(());
        }
        let keyring = self.base.outside().settings().keyring()?;
        let current = keyring.ids().next().unwrap_or_default();
        // The key id is in the first 100 characters.
        let statement =
            "SELECT place, substr(sealed, 1, 100) FROM kept_answer WHERE sealed IS NOT NULL";
        let rows: Vec<(String, String)> = sql::rows_as(self.base.storage(), statement, &[])?;
        let of_other_keys = rows.iter().filter(|(_, head)| key_id(head) != current);
        of_other_keys
            .map(|(place, _)| place)
            .try_for_each(|place| self.reseal_answer(place))
    }

    fn is_over(&self) -> Result<bool, Failure> {
        // Its rows are deleted with the storage.
        Ok(true)
    }

    fn wipe(&self, _: EnvironmentId) -> Result<(), StorageFault> {
        self.kept_bytes.forget();
        self.kept_keys.forget();
        sql::clear(self.base.storage(), TABLE)
    }

    fn reset(&self) {
        self.is_open.set(false);
        self.kept_bytes.forget();
        self.kept_keys.forget();
    }
}

fn answer_at<'a>(id: &'a str, place: &'a str) -> SealPlace<'a> {
    SealPlace {
        kind: SealKind::Answer,
        id,
        field: place,
    }
}
