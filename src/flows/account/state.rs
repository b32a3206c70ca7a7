//! Whether there is an account, as the object knows it.

use std::rc::Rc;

use crate::flows::account::loaded::LoadedAccount;

/// What the object holds of its account.
#[derive(Clone)]
pub(in crate::flows) enum State {
    /// Nothing was read yet.
    Unread,
    /// There is no such account (any more).
    Missing,
    /// As stored, with its secrets opened.
    Here(Rc<LoadedAccount>),
}

impl State {
    pub(in crate::flows) fn is_here(&self) -> bool {
        matches!(self, Self::Here(_))
    }
}
