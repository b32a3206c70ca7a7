//! What becomes of a token that was refused or has expired.

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

/// Whether an account has another credential after a refusal.
pub enum Renewed {
    /// It has: the call may be made again with it.
    Fresh(Rc<LoadedAccount>),
    /// Nothing can be refreshed.
    Never,
    /// A refresh was tried lately, or is for the next call.
    NotNow,
}
