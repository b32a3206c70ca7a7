//! Whose an `Idempotency-Key` is.

use crate::ports::Visibility;

/// Whose a key is. An account token is in the hands of the customer, who must neither take the backend's keys nor read
/// what it was answered. All account tokens of an account are one kind: the next one repeats what the one before began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::flows) enum Kind {
    /// API tokens and the admin token.
    Backend,
    /// Account tokens.
    Customer,
}

/// How the place of a customer's write begins. Those of the backend have no such beginning, as all had before there were kinds.
pub(in crate::flows) const OF_ACCOUNT_TOKENS: &str = "account_token:";

impl Kind {
    pub(in crate::flows) fn of(visibility: &Visibility) -> Self {
        match visibility {
            Visibility::All | Visibility::Environment(_) => Self::Backend,
            Visibility::AccountToken(_) => Self::Customer,
        }
    }
}
