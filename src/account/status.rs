//! The states of an account, and which of them may be called.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The state of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "AccountStatus")]
pub enum Status {
    /// Its first credential is accepted; lifecycle actions have not finished.
    Connecting,
    /// It may be called.
    Active,
    /// Its `post_install` action failed.
    PostInstallError,
    /// Its `validation` action failed.
    ValidationError,
    /// The provider no longer accepts its credential: the customer must connect again.
    NeedsReauth,
}

/// Why an account cannot be called now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotCallable {
    /// The customer must connect again.
    NeedsReauth,
    /// It is being set up, which ends by itself.
    Connecting,
    /// Its set-up failed.
    NotReady(Status),
}

impl Status {
    /// The name in the API and in the index.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Active => "active",
            Self::PostInstallError => "post_install_error",
            Self::ValidationError => "validation_error",
            Self::NeedsReauth => "needs_reauth",
        }
    }

    /// Whether a call may go out in its name.
    pub fn check_callable(self) -> Result<(), NotCallable> {
        match self {
            Self::Active => Ok(()),
            Self::NeedsReauth => Err(NotCallable::NeedsReauth),
            Self::Connecting => Err(NotCallable::Connecting),
            other => Err(NotCallable::NotReady(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_active_account_is_called() {
        assert_eq!(Status::Active.check_callable(), Ok(()));
        assert_eq!(
            Status::NeedsReauth.check_callable(),
            Err(NotCallable::NeedsReauth)
        );
        assert_eq!(
            Status::Connecting.check_callable(),
            Err(NotCallable::Connecting)
        );
        for status in [Status::PostInstallError, Status::ValidationError] {
            assert_eq!(status.check_callable(), Err(NotCallable::NotReady(status)));
        }
    }

    #[test]
    fn the_word_is_the_same_everywhere() {
        for status in [
            Status::Connecting,
            Status::Active,
            Status::PostInstallError,
            Status::ValidationError,
            Status::NeedsReauth,
        ] {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
    }
}
