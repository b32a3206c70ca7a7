//! A failure: an error as a value, with what its response says.

use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Code;

/// One error in a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complaint {
    /// A dotted path into the body, or the name of the parameter.
    pub path: String,
    /// What is wrong, or what to change.
    pub message: String,
}

/// An error response to a caller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    pub code: Code,
    /// What happened and what to change, for a person.
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
    /// Seconds to wait before the next try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// Set when the provider responded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<Box<Remote>>,
}

/// The provider's part of a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remote {
    /// The status of the response: the provider's own, or the one that its error expression names.
    pub status: u16,
    /// The provider's response as JSON text: byte for byte when it was JSON, else as a JSON string.
    pub raw_response: String,
    /// The provider's header fields that are passed on.
    #[serde(skip)]
    pub headers: HeaderMap,
    /// Who responded. Unknown for a stored response that is replayed.
    #[serde(skip)]
    pub answered_by: AnsweredBy,
}

/// Who responded to a request. Only the account's own provider can change the status of the account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AnsweredBy {
    /// The origin that the request was sent to.
    Provider,
    /// Another origin, after a redirect without credentials.
    #[default]
    Other,
}

impl Failure {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            details: None,
            retry_after: None,
            remote: None,
        }
    }

    /// The HTTP status of the response.
    pub fn status(&self) -> u16 {
        self.remote
            .as_ref()
            .map_or(self.code.status(), |remote| remote.status)
    }

    /// Whether the gateway itself is at fault.
    pub fn is_ours(&self) -> bool {
        self.remote.is_none() && self.code.as_str().starts_with("internal.")
    }

    #[must_use]
    pub fn with_details(self, details: Value) -> Self {
        Self {
            details: Some(details),
            ..self
        }
    }

    #[must_use]
    pub fn with_retry_after(self, seconds: u64) -> Self {
        Self {
            retry_after: Some(seconds),
            ..self
        }
    }

    /// 404: `what` does not exist, or the token cannot see it.
    pub fn not_found(what: &str) -> Self {
        Self::new(
            Code::NotFound,
            format!("There is no such {what}, or this token cannot see it."),
        )
    }

    /// 422 for one place of the request.
    pub fn invalid(path: &str, message: impl Into<String>) -> Self {
        Self::invalid_in(&[Complaint {
            path: path.to_owned(),
            message: message.into(),
        }])
    }

    /// 422 for these places of the request.
    pub fn invalid_in(failures: &[Complaint]) -> Self {
        let message = match failures {
            [one] if one.path.is_empty() => one.message.clone(),
            [one] => format!("{}: {}", one.path, one.message),
            many => format!(
                "The request has {} errors; details.failures lists them.",
                many.len()
            ),
        };
        Self::new(Code::Invalid, message).with_details(json!({ "failures": failures }))
    }

    /// 409: the record was changed since it was read.
    pub fn version_mismatch(version: u64) -> Self {
        Self::new(
            Code::VersionMismatch,
            format!("The current version is {version}: read it again and repeat the change."),
        )
        .with_details(json!({ "version": version }))
    }

    /// 422: a value that decides the host may not change this way.
    pub fn host_key(path: &str, message: &str) -> Self {
        Self {
            code: Code::HostKey,
            ..Self::invalid(path, message)
        }
    }

    /// 409: the install is disabled.
    pub fn install_disabled() -> Self {
        Self::new(
            Code::InstallDisabled,
            "This integration is disabled in this environment (is_enabled is false).",
        )
    }

    /// 409: a secret was set for another use.
    pub fn secret_unbound(secret: &str) -> Self {
        let message = format!(
            "`{secret}` was set for another use: since then the integration file or an override has changed where it is sent or how it is used. Set it again where it was set."
        );
        Self::new(Code::SecretUnbound, message).with_details(json!({ "secret": secret }))
    }

    pub fn duplicate(what: &str, name: &str) -> Self {
        Self::new(
            Code::Duplicate,
            format!("The name `{name}` is taken by another {what}."),
        )
    }

    /// 413: the body has more than `limit` bytes.
    pub fn body_too_large(limit: usize) -> Self {
        Self::new(
            Code::BodyTooLarge,
            format!("The body has more than {limit} bytes."),
        )
        .with_details(json!({ "limit_bytes": limit }))
    }

    /// 400 for a JSON body with more than `limit` levels.
    pub fn body_too_deep(limit: usize) -> Self {
        let message = format!("The body is nested deeper than {limit} levels.");
        Self::new(Code::Malformed, message)
    }

    /// 429: the rate limit of the operator.
    pub fn too_many_requests(message: &str, seconds: u64) -> Self {
        Self::new(Code::TooManyRequests, message).with_retry_after(seconds)
    }

    /// 503: too many requests at once.
    pub fn busy(message: &str) -> Self {
        Self::new(Code::Busy, message).with_retry_after(1)
    }

    /// 503: storage could not be reached, or was restarted.
    pub fn storage() -> Self {
        Self::new(Code::Storage, "Storage did not answer. Try again.").with_retry_after(1)
    }
}
