//! What a page changes of the records that are kept.

use std::collections::BTreeMap;

use serde_json::json;

use crate::config::Sync;
use crate::config::syncs::{Keep, SyncEvents};
use crate::error::{Code, Failure};
use crate::flows::account::event::Event;
use crate::flows::messages::sync::{ChangeKind, RunError, RunMode};
use crate::flows::messages::webhook::NewEvent;
use crate::flows::sync::Syncs;
use crate::flows::sync::content::KeptContent;
use crate::flows::sync::parse::PageRecord;
use crate::flows::sync::record_key::RecordKey;
use crate::flows::sync::records::{KnownRecord, NewRow, RowWrites};
use crate::flows::sync::state::{Phase, SyncState, Traversal};
use crate::flows::sync::store::SyncStore;
use crate::ports::{Outside, Storage};

/// A record that finds no room ends the run. A run that deletes what is missing goes on without it: its deletions make room.
fn skip(run: &mut Traversal, sync: &Sync, failure: Failure) -> Result<(), Failure> {
    if run.run.mode != RunMode::Full || !sync.deletions().full {
        return Err(failure);
    }
    run.skipped.get_or_insert(RunError {
        code: failure.code,
        message: failure.message,
    });
    Ok(())
}

/// The column `bytes`.
fn size(bytes: i64) -> u64 {
    u64::try_from(bytes).unwrap_or(0)
}

/// What the records of a page change.
pub(super) struct PageChanges<'c> {
    pub(super) sync: &'c Sync,
    pub(super) key: RecordKey,
    pub(super) known: BTreeMap<String, KnownRecord>,
    pub(super) batch: RowWrites,
    pub(super) events: Vec<Event>,
    /// The slots of the records that are there.
    pub(super) slots: Vec<u64>,
    /// What all other syncs of the account keep: records, and bytes.
    pub(super) others: (u64, u64),
}

impl<O: Outside, S: Storage> Syncs<O, S> {
    /// Keeps a record that is there, and removes one that is gone.
    pub(super) fn keep(
        &self,
        state: &mut SyncState,
        run: &mut Traversal,
        changes: &mut PageChanges<'_>,
        record: &mut PageRecord,
    ) -> Result<(), Failure> {
        let PageRecord { id, kept, sealed } = record;
        let Some(content) = kept.as_ref() else {
            return self.remove(state, run, changes, id);
        };
        let there = changes.known.get(id.as_str());
        let there = there.filter(|known| known.is_same(&content.hash, changes.sync.keep));
        if let Some(known) = there {
            run.run.unchanged += u64::from(run.phase == Phase::List);
            changes.slots.extend(u64::try_from(known.slot).ok());
            return Ok(());
        }
        let sealed = match (sealed.take(), changes.sync.keep) {
            (None, Keep::Records) => self.sealed(&changes.key, id, content),
            (sealed, _) => sealed,
        };
        self.put_record(state, run, changes, (id, content), sealed)
    }

    /// Stores a record that is new, or other than it was.
    fn put_record(
        &self,
        state: &mut SyncState,
        run: &mut Traversal,
        changes: &mut PageChanges<'_>,
        (id, content): (&str, &KeptContent),
        sealed: Option<String>,
    ) -> Result<(), Failure> {
        let known = changes.known.get(id);
        let there = known.filter(|known| known.is_there());
        let bytes = sealed.as_ref().map_or(0, String::len);
        if let Err(failure) = self.check_limits(state, changes.others, (there, bytes)) {
            let slot = there.and_then(|known| u64::try_from(known.slot).ok());
            changes.slots.extend(slot);
            return skip(run, changes.sync, failure);
        }
        let (change, before) = match there {
            Some(known) => (ChangeKind::Updated, known.bytes),
            None => (ChangeKind::Added, 0),
        };
        let now = self.base.outside().now().as_millis();
        let slot = known.map_or_else(
            || i64::try_from(state.slots).unwrap_or(i64::MAX),
            |known| known.slot,
        );
        let first_at = there.map_or(now, |known| known.first_at);
        state.bytes = state.bytes.saturating_sub(size(before)) + bytes as u64;
        state.records += u64::from(there.is_none());
        state.slots += u64::from(known.is_none());
        run.run.too_large += u64::from(content.text.is_none());
        run.run.added += u64::from(there.is_none());
        run.run.updated += u64::from(there.is_some());
        changes.slots.extend(u64::try_from(slot).ok());
        let kept = KnownRecord {
            slot,
            change,
            hash: content.hash.clone(),
            bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
            first_at,
        };
        changes.known.insert(id.to_owned(), kept);
        let row = NewRow {
            id,
            slot,
            change,
            hash: &content.hash,
            first_at,
            sealed,
        };
        SyncStore::<O, S>::put(state, &mut changes.batch, &row);
        let shown = (id, change, content.text.as_deref());
        let event = self.event_of(changes.sync, state, run, shown)?;
        changes.events.extend(event);
        Ok(())
    }

    /// A record that is new, or larger than it was, needs room.
    fn check_limits(
        &self,
        state: &SyncState,
        others: (u64, u64),
        (before, bytes): (Option<&KnownRecord>, usize),
    ) -> Result<(), Failure> {
        let settings = self.base.outside().settings();
        let more = (bytes as u64).saturating_sub(before.map_or(0, |before| size(before.bytes)));
        let (records, bytes) = (others.0 + state.records, others.1 + state.bytes + more);
        let message = if before.is_none() && records >= settings.sync_records {
            format!(
                "The account keeps {} records, which is as many as it may (SYNC_RECORDS).",
                settings.sync_records
            )
        } else if more > 0 && bytes > settings.sync_bytes {
            format!(
                "The records of the account take {} bytes, which is as many as they may (SYNC_BYTES).",
                settings.sync_bytes
            )
        } else {
            return Ok(());
        };
        Err(Failure::new(Code::SyncLimit, message))
    }

    /// Removes a record that is gone, where it is known.
    pub(super) fn remove(
        &self,
        state: &mut SyncState,
        run: &mut Traversal,
        changes: &mut PageChanges<'_>,
        id: &str,
    ) -> Result<(), Failure> {
        let known = changes.known.get_mut(id);
        let Some(known) = known.filter(|known| known.is_there()) else {
            return Ok(());
        };
        known.change = ChangeKind::Deleted;
        let known = known.clone();
        let event = self.bury(changes.sync, (state, run), &mut changes.batch, (id, &known))?;
        changes.events.extend(event);
        Ok(())
    }

    /// Leaves a tombstone in the place of a record.
    pub(super) fn bury(
        &self,
        sync: &Sync,
        (state, run): (&mut SyncState, &mut Traversal),
        batch: &mut RowWrites,
        (id, known): (&str, &KnownRecord),
    ) -> Result<Option<Event>, Failure> {
        state.records = state.records.saturating_sub(1);
        state.bytes = state
            .bytes
            .saturating_sub(u64::try_from(known.bytes).unwrap_or(0));
        run.run.deleted += 1;
        let row = NewRow {
            id,
            slot: known.slot,
            change: ChangeKind::Deleted,
            hash: "",
            first_at: known.first_at,
            sealed: None,
        };
        SyncStore::<O, S>::put(state, batch, &row);
        self.event_of(sync, state, run, (id, ChangeKind::Deleted, None))
    }

    /// The event of a change, where the file wants one for each record.
    fn event_of(
        &self,
        sync: &Sync,
        state: &SyncState,
        run: &Traversal,
        (id, change, record): (&str, ChangeKind, Option<&str>),
    ) -> Result<Option<Event>, Failure> {
        if sync.events != SyncEvents::Records {
            return Ok(None);
        }
        let event = match change {
            ChangeKind::Added => "record:created",
            ChangeKind::Updated => "record:updated",
            ChangeKind::Deleted => "record:deleted",
        };
        let head =
            json!({ "sync": run.run.sync, "id": id, "revision": state.revision, "record": null })
                .to_string();
        // The record goes on as it was written.
        let head = head.strip_suffix("null}").unwrap_or_default();
        Ok(Some(self.outbox.numbered(NewEvent {
            event: event.to_owned(),
            resource_type: Some(run.run.sync.clone()),
            resource_id: Some(id.to_owned()),
            payload: format!("{head}{}}}", record.unwrap_or("null")),
        })?))
    }
}
