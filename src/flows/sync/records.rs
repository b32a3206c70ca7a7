//! The records of a sync: what is known of those of a page, what is written of those that changed, and the feed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::error::{Code, Failure};
use crate::flows::base::page_bytes::{Selection, rows_of_page};
use crate::flows::base::sql::{self, FromRow};
use crate::flows::messages::sync::{ChangeKind, FeedPage, FeedRequest};
use crate::flows::sync::record_key::RecordKey;
use crate::flows::sync::state::SyncState;
use crate::flows::sync::store::{SyncStore, key_of, revision_of};
use crate::ports::{Outside, SqlValue, Storage, StorageFault};
use crate::time::Timestamp;

/// The text in the place of a record that is larger than a sync keeps.
pub(super) const TOO_LARGE: &str = "too_large";
/// A value of a statement has at most 2 MB.
const BATCH_BYTES: usize = 500_000;
const BATCH_IDS: usize = 1_000;
pub(super) const GONE: i64 = 2;

/// What is stored of a record.
#[derive(Debug, Clone)]
pub(super) struct KnownRecord {
    pub(super) slot: i64,
    pub(super) change: i64,
    pub(super) hash: String,
    pub(super) bytes: i64,
    pub(super) first_at: i64,
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
pub(super) struct Batch(Vec<(Value, usize)>);

/// A row of the feed: key, id, change, first and last time, and the record.
type FeedRow = (i64, String, i64, Timestamp, Timestamp, Option<String>);

pub(super) fn number_of(change: ChangeKind) -> i64 {
    match change {
        ChangeKind::Added => 0,
        ChangeKind::Updated => 1,
        ChangeKind::Deleted => GONE,
    }
}

/// Key, id, slot, bytes, when it was first met, and the kind of its last change.
type StoredRecord = (i64, String, i64, i64, i64, i64);

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
            let rows: Vec<(String, i64, i64, String, i64, i64)> =
                sql::rows_as(self.base.storage(), statement, &values)?;
            all.extend(rows.into_iter().map(known));
        }
        Ok(all)
    }

    /// Gives a record the next revision. Nothing is written before [`Self::flush`]: what fails until then leaves no row
    /// whose revision is not counted.
    pub(super) fn put(state: &mut SyncState, batch: &mut Batch, row: &NewRow<'_>) {
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
    pub(super) fn flush(&self, state: &SyncState, batch: Batch) -> Result<(), StorageFault> {
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

    /// The next record, in the order of ids.
    pub(super) fn next_id(&self, number: i64, id: &str) -> Result<Option<String>, StorageFault> {
        let statement = "SELECT id FROM sync_record WHERE sync = ? AND id > ? AND change < 2 ORDER BY id LIMIT 1";
        sql::one(self.base.storage(), statement, &[number.into(), id.into()])
    }

    /// Forgets all records.
    pub(super) fn forget_records(&self, number: i64) -> Result<(), StorageFault> {
        let statement = "DELETE FROM sync_record WHERE sync = ?";
        sql::run(self.base.storage(), statement, &[number.into()])?;
        self.forget_seen(number)
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
            "SELECT slots FROM sync_seen WHERE sync = ? AND page >= ? ORDER BY page LIMIT 1000";
        sql::column(self.base.storage(), statement, &[number.into(), row.into()])
    }

    pub(super) fn forget_seen(&self, number: i64) -> Result<(), StorageFault> {
        let statement = "DELETE FROM sync_seen WHERE sync = ?";
        sql::run(self.base.storage(), statement, &[number.into()])
    }

    /// The changes behind a cursor.
    pub(super) fn feed(
        &self,
        state: &SyncState,
        request: &FeedRequest,
    ) -> Result<FeedPage, Failure> {
        let after = match &request.after {
            Some(cursor) => self.place_in(state, &request.sync, cursor)?,
            None => 0,
        };
        let filter = request.filter.map(number_of);
        let of_kind = filter.map_or(String::new(), |kind| format!(" AND change = {kind}"));
        let selection = Selection {
            columns: "key, id, change, first_at, at, content",
            texts: &["content"],
            from: format!("FROM sync_record WHERE key > ? AND key <= ?{of_kind} ORDER BY key"),
            values: vec![
                key_of(state.number, after).into(),
                key_of(state.number, state.revision).into(),
            ],
        };
        let (rows, has_more) = rows_of_page(self.base.storage(), &selection, request.limit)?;
        let key = record_key(state)?;
        let last = rows
            .last()
            .and_then(|row| row.first())
            .and_then(SqlValue::as_integer);
        let last = last
            .filter(|_| has_more)
            .map_or(state.revision, revision_of);
        let rows = rows.into_iter().filter_map(FeedRow::from_row);
        Ok(FeedPage {
            changes: rows.map(|row| change_text(&key, row)).collect(),
            next_cursor: format!("{}.{last}", request.sync),
            has_more,
        })
    }

    /// The revision of a cursor. 410 where deletions since then are no longer known.
    fn place_in(&self, state: &SyncState, sync: &str, cursor: &str) -> Result<i64, Failure> {
        let place = cursor.rsplit_once('.').filter(|(name, _)| *name == sync);
        let revision = place.and_then(|(_, number)| number.parse::<i64>().ok());
        let revision = revision.filter(|revision| (0..=state.revision).contains(revision));
        let revision = revision.ok_or_else(|| {
            Failure::new(
                Code::BadCursor,
                "This cursor is not one of this sync's feed.",
            )
        })?;
        if revision < self.trimmed(sync)? {
            return Err(Failure::new(
                Code::CursorExpired,
                "Deletions since this cursor are no longer known. Read the feed again without it.",
            ));
        }
        Ok(revision)
    }

    /// One record as the feed shows it.
    pub(super) fn record(&self, state: &SyncState, id: &str) -> Result<Option<String>, Failure> {
        let statement = "SELECT key, id, change, first_at, at, content FROM sync_record WHERE sync = ? AND id = ?";
        let values = [state.number.into(), id.into()];
        let row: Option<FeedRow> = sql::first(self.base.storage(), statement, &values)?;
        let key = record_key(state)?;
        Ok(row.map(|row| change_text(&key, row)))
    }
}

/// The key of the records.
pub(super) fn record_key(state: &SyncState) -> Result<RecordKey, Failure> {
    RecordKey::read(&state.key)
        .ok_or_else(|| Failure::new(Code::Internal, "The key of a sync cannot be read."))
}

fn change_text(key: &RecordKey, (place, id, change, first_at, at, sealed): FeedRow) -> String {
    let kind = match change {
        0 => ChangeKind::Added,
        1 => ChangeKind::Updated,
        _ => ChangeKind::Deleted,
    };
    let is_too_large = sealed.as_deref() == Some(TOO_LARGE);
    let record = sealed.and_then(|sealed| key.open(&id, &sealed));
    let deleted_at = (kind == ChangeKind::Deleted).then_some(at);
    let id = Value::from(id);
    let (kind, deleted_at) = (kind.as_str(), json!(deleted_at));
    let (record, revision) = (record.as_deref().unwrap_or("null"), revision_of(place));
    format!(
        "{{\"id\":{id},\"change\":\"{kind}\",\"revision\":{revision},\"record\":{record},\"too_large\":{is_too_large},\
         \"first_seen_at\":\"{first_at}\",\"modified_at\":\"{at}\",\"deleted_at\":{deleted_at}}}"
    )
}
