//! What the object has read of its account.

use std::rc::Rc;

use crate::flows::account::loaded::LoadedAccount;

#[derive(Clone)]
pub(in crate::flows) enum State {
    /// The storage was not read yet.
    Unread,
    /// The account does not exist, or was deleted.
    Missing,
    /// The account as it is stored, its secrets decrypted.
    Here(Rc<LoadedAccount>),
}

impl State {
    pub(in crate::flows) fn is_here(&self) -> bool {
        matches!(self, Self::Here(_))
    }
}
