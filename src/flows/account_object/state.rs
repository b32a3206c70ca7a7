//! Whether there is an account, as the object knows it.

use std::rc::Rc;

use super::Loaded;

/// What the object holds of its account.
#[derive(Clone)]
pub(super) enum State {
    /// Nothing was read yet.
    Unread,
    /// There is no such account (any more).
    Missing,
    /// As stored, with its secrets opened.
    Here(Rc<Loaded>),
}

impl State {
    pub(super) fn is_here(&self) -> bool {
        matches!(self, Self::Here(_))
    }
}
