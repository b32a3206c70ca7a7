//! What the alarm, key rotation and deletion do with the tables of syncs.

use crate::account::Status;
use crate::error::Failure;
use crate::flows::account::state::State;
use crate::flows::account::stored::Stored;
use crate::flows::base::{sealed, sql};
use crate::flows::sync::finish::SWEPT;
use crate::flows::sync::store::{DUE, NEVER, REVISIONS, SyncStore, TABLES, place, revision_of};
use crate::ids::EnvironmentId;
use crate::ports::{Outside, Storage, StorageFault};
use crate::settings::TOMBSTONES;
use crate::time::Timestamp;

impl<O: Outside, S: Storage> Stored for SyncStore<O, S> {
    fn trim(&self) -> Result<(), StorageFault> {
        if !self.is_there()? {
            return Ok(());
        }
        let now = self.base.outside().now();
        let over = self.expired_until(now).as_millis();
        let values = [over.into(), SWEPT.into()];
        // The index has all that this reads. Those that are left are due: the alarm rings again.
        let expired =
            "SELECT key FROM sync_record WHERE change = 2 AND at <= ? ORDER BY at, key LIMIT ?";
        let statement = format!(
            "SELECT key / {REVISIONS}, MAX(key) FROM ({expired}) GROUP BY key / {REVISIONS}"
        );
        let last: Vec<(i64, i64)> = sql::rows_as(self.base.storage(), &statement, &values)?;
        for (number, key) in &last {
            self.set_trimmed(*number, revision_of(*key))?;
        }
        if last.is_empty() {
            return Ok(());
        }
        let statement = format!("DELETE FROM sync_record WHERE key IN ({expired})");
        sql::run(self.base.storage(), &statement, &values)
    }

    fn next_due(&self, state: &State) -> Result<Option<Timestamp>, Failure> {
        if !self.is_there()? {
            return Ok(None);
        }
        let statement = "SELECT MIN(at) FROM sync_record WHERE change = 2";
        let first: Option<Timestamp> = sql::one(self.base.storage(), statement, &[])?;
        let is_dropped = |at| self.dropped_until.get().is_some_and(|until| at <= until);
        let tombstone = first.map(|at| {
            if is_dropped(at) {
                at
            } else {
                at.plus(TOMBSTONES)
            }
        });
        // What an account waits for that cannot be called goes on once it can.
        let is_active =
            matches!(state, State::Here(loaded) if loaded.account.status == Status::Active);
        if !is_active {
            return Ok(tombstone);
        }
        let statement = format!("SELECT MIN({DUE}) FROM sync");
        let run: Option<i64> = sql::one(self.base.storage(), &statement, &[])?;
        let run = run.filter(|at| *at < NEVER).map(Timestamp::from_millis);
        let run = run.map(|at| self.held_until.get().map_or(at, |held| at.max(held)));
        Ok([tombstone, run].into_iter().flatten().min())
    }

    fn reseal(&self) -> Result<(), Failure> {
        let id = self.base.id().to_string();
        for name in self.names()? {
            let statement = "SELECT sealed FROM sync WHERE name = ?";
            let text: Option<String> =
                sql::one(self.base.storage(), statement, &[name.as_str().into()])?;
            let place = place(&id, &name);
            if let Some(new) = sealed::resealed(self.base.outside(), place, text.as_deref())? {
                let statement = "UPDATE sync SET sealed = ? WHERE name = ?";
                sql::run(
                    self.base.storage(),
                    statement,
                    &[new.into(), name.as_str().into()],
                )?;
            }
        }
        Ok(())
    }

    fn is_over(&self) -> Result<bool, Failure> {
        // Its rows are deleted with the storage.
        Ok(true)
    }

    fn wipe(&self, _: EnvironmentId) -> Result<(), StorageFault> {
        TABLES
            .iter()
            .try_for_each(|table| sql::clear(self.base.storage(), table))
    }

    fn reset(&self) {
        self.is_open.set(false);
        self.held_until.set(None);
        self.has_adopted.set(false);
        self.dropped_until.set(None);
    }
}

impl<O: Outside, S: Storage> SyncStore<O, S> {
    /// Tombstones up to this time are expired.
    fn expired_until(&self, now: Timestamp) -> Timestamp {
        let over = now.minus(TOMBSTONES);
        self.dropped_until
            .get()
            .map_or(over, |until| until.max(over))
    }

    /// The account has as many tombstones as it may have records: the oldest of more are expired.
    pub(super) fn limit_tombstones(&self) -> Result<(), StorageFault> {
        let most = self.base.outside().settings().sync_records;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let statement =
            "SELECT at FROM sync_record WHERE change = 2 ORDER BY at DESC LIMIT 1 OFFSET ?";
        let first: Option<Timestamp> = sql::one(self.base.storage(), statement, &[most.into()])?;
        self.dropped_until.set(first.max(self.dropped_until.get()));
        Ok(())
    }
}
