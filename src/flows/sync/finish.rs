//! What follows the last page of a list: the next list, the list again, deletions, the end of the run.

use std::time::Duration;

use serde_json::json;

use crate::config::Sync;
use crate::error::{Code, Failure};
use crate::flows::call::account::CallAccount;
use crate::flows::messages::sync::{RunError, RunMode, RunStatus, SyncRun};
use crate::flows::messages::webhook::NewEvent;
use crate::flows::sync::records::{KnownRecord, RowWrites};
use crate::flows::sync::seen::Bitmap;
use crate::flows::sync::state::{Phase, SyncState};
use crate::flows::sync::{Syncs, since};
use crate::ports::{Outside, Storage};
use crate::settings::SYNC_SLICE_BYTES;
use crate::time::Timestamp;

/// Records that are looked at, or are deleted, in one transaction.
pub(super) const SWEPT: i64 = 2_000;
/// Such transactions of one slice.
pub(super) const PARTS: usize = 20;

impl<O: Outside, S: Storage> Syncs<O, S> {
    /// A list is read to its end: of the next record of the other sync there may be another.
    pub(super) fn end_of_list(
        &self,
        (name, sync): (&str, &Sync),
        state: &mut SyncState,
    ) -> Result<(), Failure> {
        let whole_at = state.whole_at;
        let run = state.run.as_mut().filter(|run| run.parent.is_some());
        if let (Some(of), Some(run)) = (&sync.for_each, run) {
            self.next_parent(of, whole_at, run)?;
            if run.parent.is_some() {
                run.resume_at = Some(self.base.outside().now());
                return self.store.write(name, state);
            }
        }
        self.end_of_lists((name, sync), state)
    }

    /// All lists are read to their end.
    pub(super) fn end_of_lists(
        &self,
        (name, sync): (&str, &Sync),
        state: &mut SyncState,
    ) -> Result<(), Failure> {
        let now = self.base.outside().now();
        let Some(run) = &mut state.run else {
            return Ok(());
        };
        let phase = run.phase;
        run.restart();
        run.resume_at = Some(now);
        let is_full = run.run.mode == RunMode::Full;
        let deletions = sync.deletions();
        if deletions.full && is_full && !run.run.is_incomplete {
            return self.delete_missing((name, sync), state);
        }
        if deletions.list().is_some() && phase == Phase::List {
            run.phase = Phase::Deleted;
            return self.store.write(name, state);
        }
        self.end_run((name, sync), state, RunStatus::Completed)
    }

    fn bitmap(&self, state: &SyncState) -> Result<Bitmap, Failure> {
        let mut bitmap = Bitmap::new(state.slots);
        let mut row = 0;
        loop {
            let rows = self.store.seen(state.number, row)?;
            if rows.is_empty() {
                return Ok(bitmap);
            }
            for slots in &rows {
                bitmap.add(slots);
            }
            row += i64::try_from(rows.len()).unwrap_or(i64::MAX);
        }
    }

    /// Decides on the records that the run did not meet. A list of several pages is read again first: a record that moved
    /// to a page which was read already is not missing.
    fn delete_missing(
        &self,
        (name, sync): (&str, &Sync),
        state: &mut SyncState,
    ) -> Result<(), Failure> {
        let met = self.bitmap(state)?.count();
        let missing = state.records.saturating_sub(met);
        let most = sync.max_deletions.unwrap_or_default().of(state.records);
        let Some(run) = &mut state.run else {
            return Ok(());
        };
        if missing == 0 {
            return self.end_run((name, sync), state, RunStatus::Completed);
        }
        if missing > most && !run.confirm_deletions {
            let message = format!(
                "{missing} of {} records are missing, and {most} may be. Run it with `confirm_deletions: true` to delete them.",
                state.records
            );
            run.run.error = Some(RunError {
                code: Code::SyncSuspicious,
                message,
            });
            return self.end_run((name, sync), state, RunStatus::Stopped);
        }
        if run.phase == Phase::List && run.run.pages > 1 {
            run.phase = Phase::ListAgain;
        } else {
            run.phase = Phase::Sweep;
            (run.sweep, run.sweep_end) = (0, state.revision);
        }
        self.store.write(name, state)
    }

    /// Deletes what was not met, some records at a time; in between, callers use the account.
    pub(super) async fn sweep(
        &self,
        (name, sync): (&str, &Sync),
        state: &SyncState,
        end: Timestamp,
    ) -> Result<usize, Failure> {
        let met = self.bitmap(state)?;
        let room = self.calls.room();
        room.take(met.bytes())?;
        for _ in 0..PARTS {
            let run = state.run.as_ref();
            let now = run.map(|run| self.still(name, run)).transpose()?.flatten();
            let Some(mut now) = now else { return Ok(0) };
            if self.sweep_part((name, sync), &mut now, &met)? {
                return Ok(0);
            }
            let outside = self.base.outside();
            outside.sleep(Duration::ZERO).await;
            if outside.now() >= end || self.schedule.is_awaited() {
                break;
            }
        }
        // The slice ends: the next one has processor time of its own.
        Ok(SYNC_SLICE_BYTES)
    }

    /// Deletes some. Returns whether the run has ended.
    fn sweep_part(
        &self,
        (name, sync): (&str, &Sync),
        state: &mut SyncState,
        met: &Bitmap,
    ) -> Result<bool, Failure> {
        let Some(mut run) = state.run.take() else {
            return Ok(true);
        };
        let rows = self
            .store
            .behind(state.number, (run.sweep, run.sweep_end), SWEPT)?;
        let is_end = i64::try_from(rows.len()).unwrap_or(0) < SWEPT;
        let (mut batch, mut events) = (RowWrites::default(), Vec::new());
        for (key, id, slot, bytes, first_at, change) in rows {
            run.sweep = super::store::revision_of(key);
            let is_met = u64::try_from(slot).is_ok_and(|slot| met.has(slot));
            let known = KnownRecord {
                slot,
                change,
                hash: String::new(),
                bytes,
                first_at,
            };
            if is_met || !known.is_there() {
                continue;
            }
            events.extend(self.bury(sync, (state, &mut run), &mut batch, (&id, &known))?);
        }
        self.write_events(&events)?;
        self.store.flush(state, batch)?;
        state.run = Some(run);
        if is_end {
            self.end_run((name, sync), state, RunStatus::Completed)?;
        } else {
            self.store.write(name, state)?;
        }
        Ok(is_end)
    }

    /// Ends the run under way, and reports it.
    pub(super) fn end_run(
        &self,
        (name, sync): (&str, &Sync),
        state: &mut SyncState,
        status: RunStatus,
    ) -> Result<(), Failure> {
        let now = self.base.outside().now();
        let Some(mut traversal) = state.run.take() else {
            return Ok(());
        };
        let mut run = std::mem::take(&mut traversal.run);
        let skipped = traversal.skipped.take();
        let skipped = skipped.filter(|_| status == RunStatus::Completed);
        let status = skipped.as_ref().map_or(status, |_| RunStatus::Failed);
        run.error = skipped.or(run.error);
        (run.status, run.ended_at) = (status, Some(now));
        let is_whole = status == RunStatus::Completed && !run.is_incomplete;
        let is_suspicious = is_suspicious(&run);
        if is_whole || is_suspicious {
            // A record that changed while the run read other pages may have been read before.
            let begin = run.started_at.unwrap_or(now);
            let seen = traversal.since.map(|since| since::at_most(since, begin));
            state.since = since::later(state.since.take(), seen.as_ref());
            state.checkpoint = traversal
                .checkpoint
                .unwrap_or_else(|| state.checkpoint.take());
            state.whole_at = Some(begin);
            if run.mode == RunMode::Full {
                // One that is suspicious has read everything, too: planned runs need not until `full_every`.
                state.full_at = Some(begin);
                state.is_suspicious &= is_suspicious;
            }
        }
        self.report_end(name, state, &run)?;
        state.is_suspicious |= is_suspicious;
        self.store.forget_seen(state.number)?;
        self.store.keep_run(&run)?;
        if run.deleted > 0 {
            self.store.limit_tombstones()?;
        }
        state.last_run = Some(run);
        let is_late = state.planned_at.is_some_and(|at| at <= now);
        if is_late {
            state.planned_at = self.next_run(name, sync, state, (now, now));
        }
        self.store.write(name, state)
    }

    /// Writes the event and the log line of a run that has ended. A sync that stays suspicious is reported once.
    fn report_end(&self, name: &str, state: &SyncState, run: &SyncRun) -> Result<(), Failure> {
        let of_error = || json!({ "sync": name, "run": run.id, "error": run.error });
        let (event, payload) = match run.status {
            RunStatus::Completed => {
                let cursor = format!("{name}.{}", state.revision);
                let payload = json!({ "sync": name, "run": run.id, "added": run.added, "updated": run.updated, "deleted": run.deleted, "cursor": cursor });
                ("sync:completed", payload)
            }
            RunStatus::Failed => ("sync:failed", of_error()),
            RunStatus::Stopped if is_suspicious(run) && !state.is_suspicious => {
                ("sync:suspicious", of_error())
            }
            RunStatus::Stopped | RunStatus::Running => return Ok(()),
        };
        let event = self.outbox.numbered(NewEvent {
            event: event.to_owned(),
            resource_type: Some("sync".to_owned()),
            resource_id: Some(name.to_owned()),
            payload: payload.to_string(),
        })?;
        self.write_events(&[event])?;
        if run.status == RunStatus::Failed {
            let code = run.error.as_ref().map_or("", |error| error.code.as_str());
            self.log("sync_failed", name, code);
        }
        Ok(())
    }
}

/// Whether a run found more records missing than may be deleted.
fn is_suspicious(run: &SyncRun) -> bool {
    let error = run.error.as_ref();
    error.is_some_and(|error| error.code == Code::SyncSuspicious)
}
