//! The records of a sync: what is known of those of a page, what is written of those that changed, and the feed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::config::syncs::Keep;
use crate::error::{Code, Failure};
use crate::flows::base::sql::{self, FromColumn};
use crate::flows::messages::sync::ChangeKind;
use crate::flows::sync::record_key::RecordKey;
use crate::flows::sync::state::SyncState;
use crate::flows::sync::store::{SyncStore, key_of, revision_of};
use crate::ports::{Outside, SqlValue, Storage, StorageFault};

/// The text in the place of a record that is larger than a sync keeps.
pub(super) const TOO_LARGE: &str = "too_large";
/// A value of a statement has at most 2 MB.
const BATCH_BYTES: usize = 500_000;
const BATCH_IDS: usize = 1_000;

/// What is stored of a record.
#[derive(Debug, Clone)]
pub(super) struct KnownRecord {
    pub(super) slot: i64,
    pub(super) change: ChangeKind,
    pub(super) hash: String,
    pub(super) bytes: i64,
    pub(super) first_at: i64,
}

impl KnownRecord {
    /// Whether it is a record, not a tombstone.
    pub(super) fn is_there(&self) -> bool {
        self.change != ChangeKind::Deleted
    }

    /// Whether a record with this digest is stored already, with or without its content as the file has it.
    pub(super) fn is_same(&self, hash: &str, keep: Keep) -> bool {
        let has_content = self.bytes > 0;
        self.is_there() && self.hash == hash && has_content == (keep == Keep::Records)
    }
}

/// A record that is written.
pub(super) struct NewRow<'r> {
    pub(super) id: &'r str,
    pub(super) slot: i64,
    pub(super) change: ChangeKind,
    pub(super) hash: &'r str,
    pub(super) first_at: i64,
    pub(super) sealed: Option<String>,
}

/// Rows to be written, by statements of bounded size.
#[derive(Default)]
pub(super) struct RowWrites(Vec<(Value, usize)>);

/// The column `change`. The index of tombstones, and the statements about them, name the last of these numbers.
pub(super) fn number_of(change: ChangeKind) -> i64 {
    match change {
        ChangeKind::Added => 0,
        ChangeKind::Updated => 1,
        ChangeKind::Deleted => 2,
    }
}

impl FromColumn for ChangeKind {
    fn from_column(value: SqlValue) -> Option<Self> {
        let number = value.as_integer()?;
        let mut all = [Self::Added, Self::Updated, Self::Deleted].into_iter();
        all.find(|kind| number_of(*kind) == number)
    }
}

/// Key, id, slot, bytes, when it was first met, and the kind of its last change.
type StoredRecord = (i64, String, i64, i64, i64, ChangeKind);

impl<O: Outside, S: Storage> SyncStore<O, S> {
    /// What is known of these ids.
    pub(super) fn known(
        &self,
        number: i64,
        ids: &[&str],
    ) -> Result<BTreeMap<String, KnownRecord>, StorageFault> {
        let statement = "SELECT id, slot, change, hash, bytes, first_at FROM sync_record WHERE sync = ? AND id IN (SELECT value FROM json_each(?))";
        let known = |(id, slot, change, hash, bytes, first_at)| {
            let record = KnownRecord {
                slot,
                change,
                hash,
                bytes,
                first_at,
            };
            (id, record)
        };
        let mut all = BTreeMap::new();
        for ids in ids.chunks(BATCH_IDS) {
            let values = [number.into(), sql::json(&ids)?];
            let rows: Vec<(String, i64, ChangeKind, String, i64, i64)> =
                sql::rows_as(self.base.storage(), statement, &values)?;
            all.extend(rows.into_iter().map(known));
        }
        Ok(all)
    }

    /// Gives a record the next revision. Nothing is written before [`Self::flush`]: what fails until then leaves no row
    /// whose revision is not counted.
    pub(super) fn put(state: &mut SyncState, batch: &mut RowWrites, row: &NewRow<'_>) {
        state.revision += 1;
        let bytes = row.sealed.as_ref().map_or(0, String::len);
        let row = json!([
            key_of(state.number, state.revision),
            row.id,
            row.slot,
            number_of(row.change),
            row.hash,
            bytes,
            row.first_at,
            row.sealed,
        ]);
        batch.0.push((row, bytes));
    }

    /// Writes what a batch holds. A row with the same id is replaced. One statement writes many rows: a statement is a
    /// crossing of the platform's border.
    pub(super) fn flush(&self, state: &SyncState, batch: RowWrites) -> Result<(), StorageFault> {
        let (mut rows, mut bytes) = (Vec::new(), 0);
        for (row, size) in batch.0 {
            if bytes + size > BATCH_BYTES && !rows.is_empty() {
                self.write_rows(state, &rows)?;
                rows.clear();
                bytes = 0;
            }
            rows.push(row);
            bytes += size;
        }
        if rows.is_empty() {
            return Ok(());
        }
        self.write_rows(state, &rows)
    }

    fn write_rows(&self, state: &SyncState, rows: &[Value]) -> Result<(), StorageFault> {
        let columns: Vec<String> = (0..8).map(|at| format!("value ->> {at}")).collect();
        let [key, id, slot, change, hash, bytes, first_at, sealed] = columns.as_slice() else {
            return Ok(());
        };
        let statement = format!(
            "INSERT OR REPLACE INTO sync_record (key, sync, id, slot, change, hash, bytes, first_at, at, content) \
             SELECT {key}, ?, {id}, {slot}, {change}, {hash}, {bytes}, {first_at}, ?, {sealed} FROM json_each(?)"
        );
        let now = self.base.outside().now().as_millis();
        let values = [state.number.into(), now.into(), sql::json(&rows)?];
        sql::run(self.base.storage(), &statement, &values)
    }

    /// Counts what is stored, after a statement failed in the middle of a page.
    pub(super) fn recount(&self, state: &mut SyncState) -> Result<(), StorageFault> {
        let statement = "SELECT IFNULL(SUM(change < 2), 0), IFNULL(SUM(bytes), 0), IFNULL(MAX(slot) + 1, 0), IFNULL(MAX(key), 0) \
                         FROM sync_record WHERE sync = ?";
        let counted: Option<(u64, u64, u64, i64)> =
            sql::first(self.base.storage(), statement, &[state.number.into()])?;
        if let Some((records, bytes, slots, key)) = counted {
            (state.records, state.bytes) = (records, bytes);
            state.slots = state.slots.max(slots);
            state.revision = state.revision.max(revision_of(key));
        }
        Ok(())
    }

    /// The rows after the revision `key`, up to the revision `end`: records and tombstones, in the order of the feed.
    pub(super) fn behind(
        &self,
        number: i64,
        (key, end): (i64, i64),
        limit: i64,
    ) -> Result<Vec<StoredRecord>, StorageFault> {
        let statement = "SELECT key, id, slot, bytes, first_at, change FROM sync_record WHERE key > ? AND key <= ? ORDER BY key LIMIT ?";
        let values = [
            key_of(number, key).into(),
            key_of(number, end).into(),
            limit.into(),
        ];
        sql::rows_as(self.base.storage(), statement, &values)
    }

    /// The next record, in the order of ids, and when it was first met.
    pub(super) fn next_id(
        &self,
        number: i64,
        id: &str,
    ) -> Result<Option<(String, i64)>, StorageFault> {
        let statement = "SELECT id, first_at FROM sync_record WHERE sync = ? AND id > ? AND change < 2 ORDER BY id LIMIT 1";
        sql::first(self.base.storage(), statement, &[number.into(), id.into()])
    }

    pub(super) fn note_seen(
        &self,
        number: i64,
        row: i64,
        slots: String,
    ) -> Result<(), StorageFault> {
        let statement = "INSERT OR REPLACE INTO sync_seen (sync, page, slots) VALUES (?, ?, ?)";
        sql::run(
            self.base.storage(),
            statement,
            &[number.into(), row.into(), slots.into()],
        )
    }

    /// The rows of what was seen, from this one on.
    pub(super) fn seen(&self, number: i64, row: i64) -> Result<Vec<String>, StorageFault> {
        let statement =
            "SELECT slots FROM sync_seen WHERE sync = ? AND page >= ? ORDER BY page LIMIT 100";
        sql::column(self.base.storage(), statement, &[number.into(), row.into()])
    }

    pub(super) fn forget_seen(&self, number: i64) -> Result<(), StorageFault> {
        let statement = "DELETE FROM sync_seen WHERE sync = ?";
        sql::run(self.base.storage(), statement, &[number.into()])
    }
}

/// The key of the records.
pub(super) fn record_key(state: &SyncState) -> Result<RecordKey, Failure> {
    RecordKey::read(&state.key)
        .ok_or_else(|| Failure::new(Code::Internal, "The key of a sync cannot be read."))
}
