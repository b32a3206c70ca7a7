//! How connecting ended, as it is reported to the application that sent the customer:
//! in the query of its `redirect_uri`, or in a message to its window.

use serde::{Deserialize, Serialize};

/// Why nothing was connected (docs/api.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectFailure {
    /// The link is unknown, expired or incomplete.
    InvalidToken,
    /// The link was already used to connect an account.
    AlreadyUsed,
    /// The link was used in another browser first.
    OtherBrowser,
    /// There is no such integration, or it is switched off.
    InvalidIntegration,
    /// The customer, or the provider, said no.
    AccessDenied,
    /// The provider could not be reached or did not take the credentials.
    ConnectionError,
    /// The server does not say how to sign in.
    UnknownSignIn,
    /// What the server says of its sign-in is not used.
    UnsafeSignIn,
    /// The server takes no new clients.
    NoNewClients,
    /// The `post_install` action failed.
    PostInstallError,
    /// The `validation` action failed.
    ValidationError,
}

impl ConnectFailure {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::InvalidToken,
        Self::AlreadyUsed,
        Self::OtherBrowser,
        Self::InvalidIntegration,
        Self::AccessDenied,
        Self::ConnectionError,
        Self::UnknownSignIn,
        Self::UnsafeSignIn,
        Self::NoNewClients,
        Self::PostInstallError,
        Self::ValidationError,
    ];

    /// The `error_type` that represents it.
    pub fn error_type(self) -> &'static str {
        match self {
            Self::InvalidToken | Self::AlreadyUsed | Self::OtherBrowser => "invalid_token",
            Self::InvalidIntegration => "invalid_integration",
            Self::AccessDenied => "access_denied",
            Self::ConnectionError
            | Self::UnknownSignIn
            | Self::UnsafeSignIn
            | Self::NoNewClients => "connection_error",
            Self::PostInstallError => "post_install_error",
            Self::ValidationError => "validation_error",
        }
    }
}

/// How connecting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectOutcome<'a> {
    /// The account is there.
    Connected {
        /// The integration's name, as in URLs.
        integration: &'a str,
        /// The account's id.
        integrated_account_id: &'a str,
    },
    /// It is not, or not ready.
    Failed {
        /// The integration's name, where one was chosen.
        integration: Option<&'a str>,
        /// Why.
        failure: ConnectFailure,
        /// What happened, for people.
        error: &'a str,
    },
}

impl<'a> ConnectOutcome<'a> {
    /// `result`, `integration` and `integrated_account_id`, or `error_type`
    /// and `error`: the query of a redirect and the keys of a message alike.
    pub fn parameters(&self) -> Vec<(&'static str, &'a str)> {
        match *self {
            Self::Connected {
                integration,
                integrated_account_id,
            } => vec![
                ("result", "success"),
                ("integration", integration),
                ("integrated_account_id", integrated_account_id),
            ],
            Self::Failed {
                integration,
                failure,
                error,
            } => [
                Some(("result", "error")),
                integration.map(|name| ("integration", name)),
                Some(("error_type", failure.error_type())),
                Some(("error", error)),
            ]
            .into_iter()
            .flatten()
            .collect(),
        }
    }
}
