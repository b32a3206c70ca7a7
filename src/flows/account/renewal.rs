//! The renewal of a token that was refused or has expired.

use std::rc::Rc;

use crate::flows::account::loaded::LoadedAccount;

/// Why a call waits for another token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenWait {
    /// The provider has refused this one, and a refresh is under way.
    Refused,
    /// It expired while the call waited.
    Expired,
}

/// The result of a renewal after a refusal.
pub enum Renewed {
    /// The account has another credential; the call may be repeated with it.
    Fresh(Rc<LoadedAccount>),
    /// The credential cannot be refreshed.
    Never,
    /// A refresh was tried a moment ago, or only the next call starts one.
    NotNow,
}
