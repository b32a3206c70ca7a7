//! Since when the token endpoint gives neither a token nor a reason that says who has to act. The moment is stored: the
//! object may be restarted many times within the hour that decides.

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

/// The first of the token endpoint's unclear answers in a row.
pub(in crate::flows) struct UnclearRefusals<O, S> {
    base: Rc<Base<O, S>>,
}

impl<O: Outside, S: Storage> UnclearRefusals<O, S> {
    pub(in crate::flows) fn new(base: &Rc<Base<O, S>>) -> Self {
        Self {
            base: Rc::clone(base),
        }
    }

    /// A token was had, or the answer is clear: the next unclear answer is the first.
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

    /// Since when, this answer counted.
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
        // It counts until a clear answer, however long that takes.
        Ok(())
    }

    fn next_due(&self, _: &State) -> Result<Option<Timestamp>, Failure> {
        Ok(None)
    }

    fn reseal(&self) -> Result<(), Failure> {
        // A moment is no secret.
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
