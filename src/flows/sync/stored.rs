//! What the alarm, key rotation and deletion do with the tables of syncs.

use crate::account::Status;
use crate::error::Failure;
use crate::flows::account::state::State;
use crate::flows::account::stored::Stored;
use crate::flows::base::{sealed, sql};
use crate::flows::sync::store::{DUE, NEVER, SyncStore, TABLES, place, revision_of};
use crate::ids::EnvironmentId;
use crate::ports::{Outside, Storage, StorageFault};
use crate::settings::TOMBSTONES;
use crate::time::Timestamp;

impl<O: Outside, S: Storage> Stored for SyncStore<O, S> {
    fn trim(&self) -> Result<(), StorageFault> {
        if !self.is_there()? {
            return Ok(());
        }
        let over = self.base.outside().now().minus(TOMBSTONES).as_millis();
        // `+` keeps SQLite from reading the index of all records, which is in the order of syncs.
        let statement =
            "SELECT sync, MAX(key) FROM sync_record WHERE change = 2 AND at <= ? GROUP BY +sync";
        let last: Vec<(i64, i64)> = sql::rows_as(self.base.storage(), statement, &[over.into()])?;
        for (number, key) in last {
            self.set_trimmed(number, revision_of(key))?;
        }
        let statement = "DELETE FROM sync_record WHERE change = 2 AND at <= ?";
        sql::run(self.base.storage(), statement, &[over.into()])
    }

    fn next_due(&self, state: &State) -> Result<Option<Timestamp>, Failure> {
        if !self.is_there()? {
            return Ok(None);
        }
        let statement = "SELECT MIN(at) FROM sync_record WHERE change = 2";
        let first: Option<Timestamp> = sql::one(self.base.storage(), statement, &[])?;
        let tombstone = first.map(|at| at.plus(TOMBSTONES));
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
    }
}
