//! The first refusal of a credential, stored until a second one confirms it or the provider accepts the credential. It is
//! stored because an object that is called once an hour is evicted in between. Only a change is written: neither a further
//! refusal nor an ordinary success.

use std::cell::Cell;
use std::rc::Rc;

use crate::account::refusals::Suspicion;
use crate::error::Failure;
use crate::flows::account::base::Base;
use crate::flows::account::state::State;
use crate::flows::account::stored::Stored;
use crate::flows::base::sql;
use crate::ids::EnvironmentId;
use crate::ports::{Outside, Storage, StorageFault};
use crate::time::Timestamp;

const TABLE: &str = "suspicion";
const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS suspicion \
    (one INTEGER PRIMARY KEY CHECK (one = 1), since INTEGER NOT NULL, changed_at INTEGER NOT NULL)";

/// The suspicion that the account's credential is refused.
pub(in crate::flows) struct SuspicionStore<O, S> {
    base: Rc<Base<O, S>>,
    /// `None` until it is read.
    known: Cell<Option<Suspicion>>,
}

impl<O: Outside, S: Storage> SuspicionStore<O, S> {
    pub(in crate::flows) fn new(base: &Rc<Base<O, S>>) -> Self {
        Self {
            base: Rc::clone(base),
            known: Cell::new(None),
        }
    }

    /// The suspicion. It is read from storage once.
    pub(in crate::flows) fn get(&self) -> Suspicion {
        if let Some(known) = self.known.get() {
            return known;
        }
        let read = self.read().unwrap_or_else(|fault| {
            self.base.log("suspicion_not_read", &fault.to_string());
            Suspicion::default()
        });
        self.known.set(Some(read));
        read
    }

    /// Stores the suspicion if it changed.
    pub(in crate::flows) fn keep(&self, next: Suspicion) {
        let before = self.get();
        self.known.set(Some(next));
        if before != next
            && let Err(fault) = self.write(next)
        {
            self.base.log("suspicion_not_stored", &fault.to_string());
        }
    }

    fn read(&self) -> Result<Suspicion, StorageFault> {
        if !sql::has_table(self.base.storage(), TABLE)? {
            return Ok(Suspicion::default());
        }
        let statement = "SELECT since, changed_at FROM suspicion WHERE one = 1";
        let times = sql::first(self.base.storage(), statement, &[])?;
        let begun = |(since, changed_at)| Suspicion::begun(since, changed_at);
        Ok(times.map_or_else(Suspicion::default, begun))
    }

    fn write(&self, next: Suspicion) -> Result<(), StorageFault> {
        let Some((since, changed_at)) = next.times() else {
            return sql::clear(self.base.storage(), TABLE);
        };
        sql::run(self.base.storage(), SCHEMA, &[])?;
        let statement =
            "INSERT OR REPLACE INTO suspicion (one, since, changed_at) VALUES (1, ?, ?)";
        let values = [since.as_millis().into(), changed_at.as_millis().into()];
        sql::run(self.base.storage(), statement, &values)
    }
}

impl<O: Outside, S: Storage> Stored for SuspicionStore<O, S> {
    fn trim(&self) -> Result<(), StorageFault> {
        // `Suspicion::refuse` checks its age at the next refusal.
        Ok(())
    }

    fn next_due(&self, _: &State) -> Result<Option<Timestamp>, Failure> {
        Ok(None)
    }

    fn reseal(&self) -> Result<(), Failure> {
        // Two timestamps are not encrypted.
        Ok(())
    }

    fn is_over(&self) -> Result<bool, Failure> {
        // Its rows are deleted with the storage.
        Ok(true)
    }

    fn wipe(&self, _: EnvironmentId) -> Result<(), StorageFault> {
        self.known.set(None);
        sql::clear(self.base.storage(), TABLE)
    }

    fn reset(&self) {
        self.known.set(None);
    }
}
