//! Syncs that begin from nothing: the file no longer has them, or has them again, or they were reset. Their records are
//! deleted, some at a time. The row of the sync stays, so that revisions go on and cursors of before are refused.

use crate::config::Config;
use crate::error::Failure;
use crate::flows::base::sql;
use crate::flows::sync::Syncs;
use crate::flows::sync::finish::{PARTS, SWEPT};
use crate::flows::sync::state::SyncState;
use crate::flows::sync::store::{SyncStore, key_of};
use crate::ports::{Outside, Storage, StorageFault};
use crate::settings::SYNC_SLICE_BYTES;
use crate::time::Timestamp;

impl<O: Outside, S: Storage> Syncs<O, S> {
    /// Makes former syncs due that have records. Returns whether there are any.
    pub(super) fn wake_former(&self, config: &Config, now: Timestamp) -> Result<bool, Failure> {
        let mut is_any = false;
        for (name, number) in self.store.numbers()? {
            if !config.syncs.contains_key(&name) && self.store.has_records(number)? {
                self.store.wake(&name, now)?;
                is_any = true;
            }
        }
        Ok(is_any)
    }

    /// Deletes records of a former sync. Returns the part of a slice that this takes.
    pub(super) fn forget(&self, name: &str) -> Result<usize, Failure> {
        let Some(mut state) = self.store.read(name)? else {
            return Ok(0);
        };
        if !state.is_former {
            state = SyncState {
                number: state.number,
                key: state.key,
                revision: state.revision,
                records: state.records,
                bytes: state.bytes,
                is_former: true,
                ..SyncState::default()
            };
            self.empty(&mut state)?;
            self.store.write(name, &state)?;
        }
        self.forget_some(name, &mut state)
    }

    /// Empties a sync: revisions go on, cursors of before are refused, and no record of before is shown. They are deleted by
    /// [`Self::forget_some`], since a statement that deletes a million takes more processor time than a request has.
    pub(super) fn empty(&self, state: &mut SyncState) -> Result<(), Failure> {
        state.revision += 1;
        state.has_remains = true;
        // Before the first record is gone, so that no cursor leads past it.
        self.store.set_trimmed(state.number, state.revision)?;
        Ok(self.store.forget_seen(state.number)?)
    }

    /// Deletes some records of before. Returns the part of a slice that this takes.
    pub(super) fn forget_some(&self, name: &str, state: &mut SyncState) -> Result<usize, Failure> {
        let part = SYNC_SLICE_BYTES / PARTS;
        self.store.forget_rows(state.number)?;
        if self.store.has_records(state.number)? {
            self.store.wake(name, self.base.outside().now())?;
            return Ok(part);
        }
        state.has_remains = false;
        (state.records, state.bytes, state.slots) = (0, 0, 0);
        self.store.write(name, state)?;
        if state.is_former {
            self.store.forget_runs(name)?;
            self.store.unschedule(name)?;
        }
        Ok(part)
    }

    /// The file has it again: what is left of it is deleted first, and it begins from nothing.
    pub(super) fn revive(&self, state: &mut SyncState) -> Result<(), Failure> {
        if std::mem::take(&mut state.is_former) {
            state.has_remains = self.store.has_records(state.number)?;
            state.is_started = false;
        }
        Ok(())
    }
}

impl<O: Outside, S: Storage> SyncStore<O, S> {
    /// The syncs that are known, with their numbers.
    fn numbers(&self) -> Result<Vec<(String, i64)>, StorageFault> {
        if !self.is_there()? {
            return Ok(Vec::new());
        }
        sql::rows_as(self.base.storage(), "SELECT name, number FROM sync", &[])
    }

    fn has_records(&self, number: i64) -> Result<bool, StorageFault> {
        let statement = "SELECT 1 FROM sync_record WHERE key > ? AND key < ? LIMIT 1";
        let values = [key_of(number, 0).into(), key_of(number + 1, 0).into()];
        sql::exists(self.base.storage(), statement, &values)
    }

    fn wake(&self, name: &str, at: Timestamp) -> Result<(), StorageFault> {
        let statement = "UPDATE sync SET next_at = ? WHERE name = ?";
        let values = [at.as_millis().into(), name.into()];
        sql::run(self.base.storage(), statement, &values)
    }

    fn forget_rows(&self, number: i64) -> Result<(), StorageFault> {
        let statement = "DELETE FROM sync_record WHERE key IN \
                         (SELECT key FROM sync_record WHERE key > ? AND key < ? ORDER BY key LIMIT ?)";
        let (first, end) = (key_of(number, 0), key_of(number + 1, 0));
        let values = [first.into(), end.into(), SWEPT.into()];
        sql::run(self.base.storage(), statement, &values)
    }

    fn forget_runs(&self, name: &str) -> Result<(), StorageFault> {
        let statement = "DELETE FROM sync_run WHERE sync = ?";
        sql::run(self.base.storage(), statement, &[name.into()])
    }
}
