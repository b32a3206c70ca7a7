//! Syncs that the file no longer has: their records are deleted, some at a time. The row of the sync stays, so that
//! revisions go on and cursors of before are refused, should the file have it again.

use crate::config::Config;
use crate::error::Failure;
use crate::flows::base::sql;
use crate::flows::sync::Syncs;
use crate::flows::sync::finish::SWEPT;
use crate::flows::sync::state::SyncState;
use crate::flows::sync::store::{SyncStore, key_of};
use crate::ports::{Outside, Storage, StorageFault};
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

    /// Deletes records of a former sync.
    pub(super) fn forget(&self, name: &str) -> Result<(), Failure> {
        let Some(mut state) = self.store.read(name)? else {
            return Ok(());
        };
        let now = self.base.outside().now();
        if !state.is_former {
            state = SyncState {
                number: state.number,
                key: state.key,
                revision: state.revision + 1,
                records: state.records,
                bytes: state.bytes,
                is_former: true,
                ..SyncState::default()
            };
            // Before the first record is gone, so that no cursor leads past it.
            self.store.set_trimmed(state.number, state.revision)?;
            self.store.write(name, &state)?;
            self.store.wake(name, now)?;
        }
        let (number, end) = (state.number, state.revision);
        let rows = self.store.behind(number, (0, end), SWEPT)?;
        if let Some((key, ..)) = rows.last() {
            self.store.forget_up_to(number, *key)?;
        }
        if i64::try_from(rows.len()).unwrap_or(0) == SWEPT {
            return Ok(self.store.wake(name, now)?);
        }
        self.store.forget_runs(name)?;
        self.store.forget_seen(number)?;
        (state.records, state.bytes) = (0, 0);
        self.store.write(name, &state)?;
        Ok(self.store.unschedule(name)?)
    }

    /// The file has it again: what is left of it goes at once, and it begins from nothing.
    pub(super) fn revive(&self, state: &mut SyncState) -> Result<(), Failure> {
        if std::mem::take(&mut state.is_former) {
            self.store.forget_records(state.number)?;
            (state.records, state.bytes) = (0, 0);
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

    fn forget_up_to(&self, number: i64, key: i64) -> Result<(), StorageFault> {
        let statement = "DELETE FROM sync_record WHERE key > ? AND key <= ?";
        let values = [key_of(number, 0).into(), key.into()];
        sql::run(self.base.storage(), statement, &values)
    }

    fn forget_runs(&self, name: &str) -> Result<(), StorageFault> {
        let statement = "DELETE FROM sync_run WHERE sync = ?";
        sql::run(self.base.storage(), statement, &[name.into()])
    }
}
