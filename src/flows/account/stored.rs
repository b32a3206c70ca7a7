//! The traits of the object's components. The alarm, key rotation and deletion loop over all components.

use std::rc::Rc;

use crate::error::Failure;
use crate::flows::account::state::State;
use crate::ids::EnvironmentId;
use crate::ports::StorageFault;
use crate::time::Timestamp;

/// A component with tables of its own. No method has a default: a new component decides each of them.
pub(in crate::flows) trait Stored {
    /// Deletes what has expired.
    fn trim(&self) -> Result<(), StorageFault>;

    /// The next time that the component has work to do for an account in this state.
    fn next_due(&self, state: &State) -> Result<Option<Timestamp>, Failure>;

    /// Reseals with the first key everything that is sealed with another key.
    fn reseal(&self) -> Result<(), Failure>;

    /// Whether nothing of it has to be kept once the account is deleted. The components are asked in the order of their
    /// list, until one returns false; the storage is erased where none does.
    fn is_over(&self) -> Result<bool, Failure>;

    /// Deletes the rows of a deleted account of this environment. Rows that stay are deleted with the storage, once the
    /// account is out of the index and its events are delivered.
    fn wipe(&self, environment: EnvironmentId) -> Result<(), StorageFault>;

    /// Clears the copies in memory, since the storage is erased. Locks and flags of work in progress stay, since that
    /// work releases them.
    fn reset(&self);
}

/// A component without a table.
pub(in crate::flows) trait InMemory {
    /// Clears the copies in memory, since the account is deleted.
    fn reset(&self);
}

/// All components of an account's object that have a table or a cache.
pub(in crate::flows) struct Components {
    stored: Vec<Rc<dyn Stored>>,
    in_memory: Vec<Rc<dyn InMemory>>,
}

impl Components {
    pub(in crate::flows) fn new(
        stored: Vec<Rc<dyn Stored>>,
        in_memory: Vec<Rc<dyn InMemory>>,
    ) -> Self {
        Self { stored, in_memory }
    }

    /// Deletes what has expired.
    pub(in crate::flows) fn trim(&self) -> Result<(), StorageFault> {
        self.stored.iter().try_for_each(|one| one.trim())
    }

    /// The earliest time that a component has work to do.
    pub(in crate::flows) fn next_due(&self, state: &State) -> Result<Option<Timestamp>, Failure> {
        let mut next = None;
        for component in &self.stored {
            next = [next, component.next_due(state)?]
                .into_iter()
                .flatten()
                .min();
        }
        Ok(next)
    }

    /// Reseals with the first key everything that is sealed with another key.
    pub(in crate::flows) fn reseal(&self) -> Result<(), Failure> {
        self.stored.iter().try_for_each(|one| one.reseal())
    }

    /// Deletes the rows of a deleted account of this environment.
    pub(in crate::flows) fn wipe(&self, environment: EnvironmentId) -> Result<(), StorageFault> {
        self.stored.iter().try_for_each(|one| one.wipe(environment))
    }

    /// Whether nothing is left of the account, its connect sessions and its events.
    pub(in crate::flows) fn is_over(&self) -> Result<bool, Failure> {
        for component in &self.stored {
            if !component.is_over()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Puts every component into its state after a restart.
    pub(in crate::flows) fn reset(&self) {
        self.stored.iter().for_each(|one| one.reset());
        self.in_memory.iter().for_each(|one| one.reset());
    }
}
