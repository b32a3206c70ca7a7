//! The two kinds of writes with an `Idempotency-Key`, each with room of its own: the backend's and the customers'.

use std::cell::Cell;

use crate::flows::call::idempotency::{Kind as Whose, OF_ACCOUNT_TOKENS};

/// What is kept of each kind, where it is known: bytes, or keys.
#[derive(Default)]
pub(super) struct KeptOfKinds {
    backend: Cell<Option<i64>>,
    customer: Cell<Option<i64>>,
}

impl KeptOfKinds {
    pub(super) fn of(&self, kind: Whose) -> &Cell<Option<i64>> {
        match kind {
            Whose::Backend => &self.backend,
            Whose::Customer => &self.customer,
        }
    }

    pub(super) fn forget(&self) {
        self.backend.set(None);
        self.customer.set(None);
    }
}

/// Rows of one kind.
pub(super) fn of_kind(kind: Whose) -> String {
    let is_like = match kind {
        Whose::Backend => "NOT LIKE",
        Whose::Customer => "LIKE",
    };
    format!("place {is_like} '{OF_ACCOUNT_TOKENS}%'")
}
