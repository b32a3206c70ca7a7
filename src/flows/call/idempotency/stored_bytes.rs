//! The storage in use by the two kinds of writes with an `Idempotency-Key`. The backend's writes and the customers'
//! writes have separate limits.

use std::cell::Cell;

use crate::flows::call::idempotency::kind::{Kind, OF_ACCOUNT_TOKENS};

/// The stored bytes or keys of each kind; `None` until they are counted.
#[derive(Default)]
pub(in crate::flows) struct KeptOfKinds {
    backend: Cell<Option<i64>>,
    customer: Cell<Option<i64>>,
}

impl KeptOfKinds {
    pub(in crate::flows) fn of(&self, kind: Kind) -> &Cell<Option<i64>> {
        match kind {
            Kind::Backend => &self.backend,
            Kind::Customer => &self.customer,
        }
    }

    pub(in crate::flows) fn forget(&self) {
        self.backend.set(None);
        self.customer.set(None);
    }
}

/// The SQL condition for the rows of one kind.
pub(in crate::flows) fn of_kind(kind: Kind) -> String {
    let is_like = match kind {
        Kind::Backend => "NOT LIKE",
        Kind::Customer => "LIKE",
    };
    format!("place {is_like} '{OF_ACCOUNT_TOKENS}%'")
}
