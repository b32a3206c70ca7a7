//! Who may call what: the right of a row of the route table.

use super::caller::Caller;
use crate::error::Failure;
use crate::flows::base::records::TokenScope;

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Open: no token is needed.
    Open,
    /// The admin token only.
    AdminToken,
    /// An account's own token only.
    AccountToken,
    /// The admin token, or an API token with this scope (`admin` includes all).
    Scope(TokenScope),
    /// The scope `read`, or an account's own token.
    ReadOrAccountToken,
    /// A call of the data plane: the scope `proxy`, or an account token.
    Call,
}

/// 403 when the caller lacks the right.
pub(super) fn check(caller: &Caller, needed: Right) -> Result<(), Failure> {
    match needed {
        Right::Open => Ok(()),
        Right::AdminToken => caller.must_be_admin(),
        Right::AccountToken => caller.must_be_account(),
        Right::Scope(scope) => caller.must_have(scope),
        Right::ReadOrAccountToken if caller.own_account().is_some() => Ok(()),
        Right::ReadOrAccountToken => caller.must_have(TokenScope::Read),
        Right::Call => caller.must_have(TokenScope::Proxy),
    }
}
