//! The ports, ids and caches that every component of the object shares.

use std::rc::Rc;

use serde_json::json;

use crate::flows::config::isolate::Isolate;
use crate::ids::AccountId;
use crate::ports::{Outside, Storage};

/// The ports, the object's storage, the account's id, and the memory that the objects of one isolate share.
pub(in crate::flows) struct Base<O, S> {
    outside: O,
    isolate: Rc<Isolate>,
    storage: S,
    id: AccountId,
}

impl<O, S> Base<O, S> {
    pub(in crate::flows) fn new(
        outside: O,
        isolate: Rc<Isolate>,
        storage: S,
        id: AccountId,
    ) -> Self {
        Self {
            outside,
            isolate,
            storage,
            id,
        }
    }

    pub(in crate::flows) fn outside(&self) -> &O {
        &self.outside
    }

    pub(in crate::flows) fn isolate(&self) -> &Rc<Isolate> {
        &self.isolate
    }

    pub(in crate::flows) fn storage(&self) -> &S {
        &self.storage
    }

    pub(in crate::flows) fn id(&self) -> AccountId {
        self.id
    }
}

impl<O: Outside, S: Storage> Base<O, S> {
    /// Writes an error line to the operator's log.
    pub(in crate::flows) fn log(&self, event: &str, reason: &str) {
        self.outside.log(&json!({ "level": "error", "event": event, "integrated_account_id": self.id, "reason": reason }));
    }
}
