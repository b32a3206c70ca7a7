//! What the components of the object have in common: the alarm, key rotation and deletion loop over them.

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

    /// When there is something to do for an account in this state.
    fn next_due(&self, state: &State) -> Result<Option<Timestamp>, Failure>;

    /// Seals under the first key what is sealed under another.
    fn reseal(&self) -> Result<(), Failure>;

    /// Whether nothing of it has to be kept when the account is gone. The components are asked in the order of their list,
    /// until one returns false; the storage is erased where none does.
    fn is_over(&self) -> Result<bool, Failure>;

    /// Deletes what belongs to an account of this environment that is deleted. What is left is deleted with the storage,
    /// once the account is out of the index and its events are delivered.
    fn wipe(&self, environment: EnvironmentId) -> Result<(), StorageFault>;

    /// Forgets what is remembered of the storage, which is erased. What work under way holds (a lock, a flag that it takes
    /// back) stays with that work.
    fn reset(&self);
}

/// A component without a table.
pub(in crate::flows) trait InMemory {
    /// Forgets what is remembered of the account, which is gone.
    fn reset(&self);
}

/// All components of an account's object that something has to be done for.
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

    /// The next time there is something to do.
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

    /// Seals under the first key what is sealed under another.
    pub(in crate::flows) fn reseal(&self) -> Result<(), Failure> {
        self.stored.iter().try_for_each(|one| one.reseal())
    }

    /// Deletes what belongs to an account of this environment that is deleted.
    pub(in crate::flows) fn wipe(&self, environment: EnvironmentId) -> Result<(), StorageFault> {
        self.stored.iter().try_for_each(|one| one.wipe(environment))
    }

    /// Whether nothing is left of the account, of those who connect it, and of its events.
    pub(in crate::flows) fn is_over(&self) -> Result<bool, Failure> {
        for component in &self.stored {
            if !component.is_over()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The object is as after a restart.
    pub(in crate::flows) fn reset(&self) {
        self.stored.iter().for_each(|one| one.reset());
        self.in_memory.iter().for_each(|one| one.reset());
    }
}
