//! The time since which the token endpoint has returned neither a token nor an error that says who must act. The time
//! is stored, since the object may restart several times within the hour after which such answers count as a refusal.

use std::rc::Rc;

use crate::error::Failure;
use crate::flows::account::base::Base;
use crate::flows::account::state::State;
use crate::flows::account::stored::Stored;
use crate::flows::base::sql;
use crate::ids::EnvironmentId;
use crate::ports::{Outside, Storage, StorageFault};
use crate::time::Timestamp;

const TABLE: &str = "unclear_refusal";
const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS unclear_refusal \
    (one INTEGER PRIMARY KEY CHECK (one = 1), since INTEGER NOT NULL)";

/// The table with the time of the first unclear answer in a row.
pub(in crate::flows) struct UnclearRefusals<O, S> {
    base: Rc<Base<O, S>>,
}

impl<O: Outside, S: Storage> UnclearRefusals<O, S> {
    pub(in crate::flows) fn new(base: &Rc<Base<O, S>>) -> Self {
        Self {
            base: Rc::clone(base),
        }
    }

    /// Forgets the time after a token or a clear answer, so that the next unclear answer is the first.
    pub(in crate::flows) fn forget(&self) -> Result<(), StorageFault> {
        sql::clear(self.base.storage(), TABLE)
    }

    pub(in crate::flows) fn since(&self) -> Result<Option<Timestamp>, StorageFault> {
        if !sql::has_table(self.base.storage(), TABLE)? {
            return Ok(None);
        }
        sql::one(
            self.base.storage(),
            "SELECT since FROM unclear_refusal",
            &[],
        )
    }

    /// Notes an unclear answer, and returns the time of the first one in the row.
    pub(in crate::flows) fn note(&self, now: Timestamp) -> Result<Timestamp, StorageFault> {
        if let Some(since) = self.since()? {
            return Ok(since);
        }
        sql::run(self.base.storage(), SCHEMA, &[])?;
        let statement = "INSERT INTO unclear_refusal (one, since) VALUES (1, ?)";
        sql::run(self.base.storage(), statement, &[now.as_millis().into()])?;
        Ok(now)
    }
}

impl<O: Outside, S: Storage> Stored for UnclearRefusals<O, S> {
    fn trim(&self) -> Result<(), StorageFault> {
        // The time is kept until a clear answer.
        Ok(())
    }

    fn next_due(&self, _: &State) -> Result<Option<Timestamp>, Failure> {
        Ok(None)
    }

    fn reseal(&self) -> Result<(), Failure> {
        // A time is no secret.
        Ok(())
    }

    fn is_over(&self) -> Result<bool, Failure> {
        // Its rows are deleted with the storage.
        Ok(true)
    }

    fn wipe(&self, _: EnvironmentId) -> Result<(), StorageFault> {
        self.forget()
    }

    fn reset(&self) {}
}
