//! Why an account was not connected, as the customer sees it.

use crate::connect::outcome::ConnectFailure;
use crate::error::Failure;
use crate::flows::config::redaction::Redactor;
use crate::flows::lifecycle::find_server::ServerFailure;
use crate::flows::lifecycle::sftp_login::is_customers;
use crate::flows::messages::connecting::ConnectFailed;
use crate::flows::tokens::discover::DiscoveryFailure;
use crate::flows::tokens::grant::Attempt;
use crate::oauth::discovery::DiscoveryError;
use crate::oauth::{OAuthError, TokenFailure};

pub(in crate::flows) fn failed(why: ConnectFailure, error: String) -> ConnectFailed {
    ConnectFailed {
        why,
        error,
        provider: None,
        is_ours: false,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` gives it away")]
pub(super) fn unusable(error: OAuthError) -> ConnectFailed {
    failed(ConnectFailure::ConnectionError, error.to_string())
}

/// The error of an authorization response (RFC 6749 §4.1.2.1).
pub(super) fn denied(error: &str, description: Option<&str>) -> ConnectFailed {
    let why = match error {
        "access_denied" => ConnectFailure::AccessDenied,
        _ => ConnectFailure::ConnectionError,
    };
    let shown = description.unwrap_or(error).to_owned();
    ConnectFailed {
        provider: Some(shown),
        ..failed(why, format!("The provider refused: {error}."))
    }
}

pub(super) fn refused(attempt: Attempt, redactor: &Redactor) -> ConnectFailed {
    let failure = match attempt {
        Attempt::Ours(failure) => return broken(failure),
        Attempt::Failed(failure) => redactor.token_failure(failure),
    };
    ConnectFailed {
        is_ours: false,
        why: ConnectFailure::ConnectionError,
        error: failure.to_string(),
        provider: match failure {
            TokenFailure::Refused {
                error, description, ..
            } => Some(description.unwrap_or(error)),
            _ => None,
        },
    }
}

/// Why a login has no server, or no client there.
pub(super) fn no_server(failure: ServerFailure, redactor: &Redactor) -> ConnectFailed {
    use DiscoveryFailure as Found;
    match failure {
        ServerFailure::Discovery(Found::Refused(error)) => {
            let why = match error {
                DiscoveryError::NoMetadata => ConnectFailure::UnknownSignIn,
                _ => ConnectFailure::UnsafeSignIn,
            };
            failed(why, error.to_string())
        }
        ServerFailure::Discovery(Found::Unreachable) => {
            let message = "The server could not be reached, or cannot answer now.".to_owned();
            failed(ConnectFailure::ConnectionError, message)
        }
        ServerFailure::Discovery(Found::File(error)) | ServerFailure::File(error) => {
            unusable(error)
        }
        ServerFailure::Ours(failure) => broken(failure),
        ServerFailure::NoNewClients(why) => {
            let why = why.map(|why| redactor.token_failure(why).to_string());
            let why = why.unwrap_or_else(|| "it announces no registration endpoint".to_owned());
            let message = format!("The server does not allow new clients: {why}");
            failed(ConnectFailure::NoNewClients, message)
        }
        ServerFailure::Registration(why) => refused(why.into(), redactor),
    }
}

/// A log-in that failed before anything was stored. What the customer can change is said to them.
pub(super) fn not_logged_in(failure: Failure) -> ConnectFailed {
    let shown = is_customers(&failure).then(|| failure.message.clone());
    ConnectFailed {
        provider: shown,
        ..broken(failure)
    }
}

/// A failure that the customer did not cause.
pub(in crate::flows) fn broken(failure: Failure) -> ConnectFailed {
    ConnectFailed {
        is_ours: failure.is_ours(),
        ..failed(ConnectFailure::ConnectionError, failure.message)
    }
}
