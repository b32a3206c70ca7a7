//! What the components of the object have in common: the alarm, key rotation and deletion loop over them.

use crate::error::Failure;
use crate::flows::account::state::State;
use crate::flows::object::AccountObject;
use crate::ids::EnvironmentId;
use crate::ports::{Outside, Storage, StorageFault};
use crate::time::Timestamp;

/// A component with tables of its own. No method has a default: a new component decides each of them.
pub(super) trait Stored {
    /// Deletes what has expired.
    fn trim(&self) -> Result<(), StorageFault>;

    /// When there is something to do for an account in this state.
    fn next_due(&self, state: &State) -> Result<Option<Timestamp>, Failure>;

    /// Seals under the first key what is sealed under another.
    fn reseal(&self) -> Result<(), Failure>;

    /// Deletes what belongs to an account of this environment that is deleted. What is left is deleted with the storage,
    /// once the account is out of the index and its events are delivered.
    fn wipe(&self, environment: EnvironmentId) -> Result<(), StorageFault>;

    /// Forgets what is remembered of the storage, which is erased. What work under way holds (a lock, a flag that it takes
    /// back) stays with that work.
    fn reset(&self);
}

/// A component without a table.
pub(super) trait InMemory {
    /// Forgets what is remembered of the account, which is gone.
    fn reset(&self);
}

/// All components that something has to be done for.
pub(super) struct Components<'a> {
    pub(super) stored: [&'a dyn Stored; 11],
    pub(super) in_memory: [&'a dyn InMemory; 3],
}

impl<O: Outside, S: Storage> AccountObject<O, S> {
    pub(super) fn components(&self) -> Components<'_> {
        // Every field is named, and none is left out by `..`: a component that is added does not compile before it is
        // listed below, or the reason why not is given here.
        let Self {
            record,
            tokens,
            unclear_refusals,
            suspicions,
            logins,
            account_tokens,
            outbox,
            dead_letters,
            deliveries,
            idempotency,
            call_log,
            refusals,
            own_changes,
            last_redactor,
            // Not the account's, but the object's.
            base: _,
            alarm: _,
            // Requests that are under way hold them, and what they sent counts for the provider all the same.
            limiter: _,
            set_up: _,
            callers: _,
            messages: _,
            bodies: _,
        } = self;
        Components {
            stored: [
                record,
                tokens,
                unclear_refusals,
                suspicions,
                logins,
                account_tokens,
                &**outbox,
                dead_letters,
                deliveries,
                idempotency,
                call_log,
            ],
            in_memory: [refusals, own_changes, last_redactor],
        }
    }
}
