//! The kinds of callers that `Idempotency-Key`s are kept apart for.

use crate::ports::Visibility;

/// The kind of caller that a key belongs to. An account token is in the customer's hands: the customer must neither use
/// the backend's keys nor read its stored responses. All account tokens of an account are one kind, so that a new token
/// can repeat a write of the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::flows) enum Kind {
    /// API tokens and the admin token.
    Backend,
    /// Account tokens.
    Customer,
}

/// The prefix of a customer's `place`. The backend's have no prefix: they are stored as before the kinds existed.
pub(in crate::flows) const OF_ACCOUNT_TOKENS: &str = "account_token:";

impl Kind {
    pub(in crate::flows) fn of(visibility: &Visibility) -> Self {
        match visibility {
            Visibility::All | Visibility::Environment(_) => Self::Backend,
            Visibility::AccountToken(_) | Visibility::McpToken(_) => Self::Customer,
        }
    }
}
