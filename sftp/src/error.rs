//! How an operation fails: a kind that the gateway maps, and words that a customer understands. No secret is in them.

use serde::Serialize;
use serde_json::{Value, json};

/// The longest text of the server that is passed on.
const SERVER_MESSAGE_BYTES: usize = 1024;
/// A shorter secret is not looked for: it would blank ordinary words.
const REDACTED_FROM: usize = 4;

/// The gateway reads the same words, as `RefusalKind`: its test `refusal_kinds` compares both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    BadRequest,
    WrongCredentials,
    HostKeyMismatch,
    BadPrivateKey,
    BadHostKey,
    NotFound,
    PermissionDenied,
    OutsideRoot,
    Exists,
    Unsupported,
    Failure,
    Unreachable,
    ConnectionLost,
    Timeout,
    Busy,
}

impl Kind {
    pub fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::WrongCredentials | Self::HostKeyMismatch => 401,
            Self::PermissionDenied | Self::OutsideRoot => 403,
            Self::NotFound => 404,
            Self::Exists => 409,
            Self::BadPrivateKey | Self::BadHostKey => 422,
            Self::Unsupported => 501,
            Self::Failure | Self::Unreachable | Self::ConnectionLost => 502,
            Self::Busy => 503,
            Self::Timeout => 504,
        }
    }
}

/// A host key as people compare it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Presented {
    pub host_key: String,
    pub fingerprint: String,
}

#[derive(Debug)]
pub struct Failure {
    pub kind: Kind,
    pub message: String,
    pub sftp_status: Option<u32>,
    pub server_message: Option<String>,
    pub presented: Option<Presented>,
}

pub type Outcome<T> = Result<T, Failure>;

impl Failure {
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            sftp_status: None,
            server_message: None,
            presented: None,
        }
    }

    /// With what the server said, cut to a bound.
    #[must_use]
    pub fn with_server_message(mut self, text: &str) -> Self {
        let text = text.trim();
        if !text.is_empty() {
            let end = text.floor_char_boundary(SERVER_MESSAGE_BYTES);
            self.server_message = text.get(..end).map(str::to_owned);
        }
        self
    }

    #[must_use]
    pub fn with_presented(mut self, presented: Presented) -> Self {
        self.presented = Some(presented);
        self
    }

    /// The answer to an SFTP request that was not carried out. The numbers are those of version 3
    /// (draft-ietf-secsh-filexfer-02, section 7).
    pub fn of_status(code: u32, server_message: &str) -> Self {
        let (kind, message) = match code {
            2 => (
                Kind::NotFound,
                "There is no such file or directory on the server.",
            ),
            3 => (
                Kind::PermissionDenied,
                "The server does not permit this to its user.",
            ),
            6 | 7 => (
                Kind::ConnectionLost,
                "The connection to the server was lost.",
            ),
            8 => (
                Kind::Unsupported,
                "The server does not support this operation.",
            ),
            _ => (Kind::Failure, "The server could not carry this out."),
        };
        let mut failure = Self::new(kind, message).with_server_message(server_message);
        failure.sftp_status = Some(code);
        failure
    }

    /// Without the credential, should the server repeat it.
    #[must_use]
    pub fn redacted(mut self, secrets: &[&str]) -> Self {
        for secret in secrets
            .iter()
            .filter(|secret| secret.len() >= REDACTED_FROM)
        {
            if let Some(text) = &mut self.server_message {
                *text = text.replace(secret, "[redacted]");
            }
        }
        self
    }

    /// The body of the response.
    pub fn json(&self) -> Value {
        json!({ "error": Shown {
            kind: self.kind,
            message: &self.message,
            sftp_status: self.sftp_status,
            server_message: self.server_message.as_deref(),
            presented: self.presented.as_ref(),
        } })
    }
}

#[derive(Serialize)]
struct Shown<'a> {
    kind: Kind,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sftp_status: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_message: Option<&'a str>,
    #[serde(flatten)]
    presented: Option<&'a Presented>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_of_version_3_has_its_kind() {
        let kinds = [2, 3, 4, 5, 6, 7, 8, 99].map(|code| Failure::of_status(code, "").kind);
        assert_eq!(
            json!(kinds),
            json!([
                "not_found",
                "permission_denied",
                "failure",
                "failure",
                "connection_lost",
                "connection_lost",
                "unsupported",
                "failure"
            ])
        );
    }

    #[test]
    fn the_body_has_what_is_known_and_no_more() {
        assert_eq!(
            Failure::new(Kind::Busy, "Later.").json(),
            json!({ "error": { "kind": "busy", "message": "Later." } })
        );
        let presented = Presented {
            host_key: "ssh-ed25519 A".to_owned(),
            fingerprint: "SHA256:B".to_owned(),
        };
        let body = Failure::of_status(4, " disk full \n")
            .with_presented(presented)
            .json();
        assert_eq!(
            body["error"],
            json!({
                "kind": "failure", "message": "The server could not carry this out.", "sftp_status": 4,
                "server_message": "disk full", "host_key": "ssh-ed25519 A", "fingerprint": "SHA256:B"
            })
        );
    }

    #[test]
    fn a_server_message_is_cut_at_a_character() {
        let long = format!("a{}", "é".repeat(1024));
        let failure = Failure::of_status(4, &long);
        assert_eq!(failure.server_message.unwrap().len(), 1023);
        let just = "b".repeat(1024);
        assert_eq!(Failure::of_status(4, &just).server_message, Some(just));
    }

    #[test]
    fn a_credential_that_the_server_repeats_is_not_passed_on() {
        let failure =
            Failure::of_status(3, "user s3cret-1 refused, abc").redacted(&["s3cret-1", "abc", ""]);
        assert_eq!(
            failure.server_message.unwrap(),
            "user [redacted] refused, abc"
        );
    }
}
