//! What the answers of the SFTP Worker mean.

use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, LAST_MODIFIED};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ByteRange;

/// The whole size of a file, in the answer to `read`.
const FILE_SIZE: &str = "x-file-size";
/// Characters of a message that are passed on.
const MESSAGE_CHARACTERS: usize = 1_000;
/// Characters of a host key and of its fingerprint.
const KEY_CHARACTERS: usize = 4_000;

/// Why the SFTP Worker refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// What was asked for makes no sense there: a folder is read, a cursor is not one, an upload ended early.
    BadRequest,
    /// The server does not accept the user.
    WrongCredentials,
    /// The server presented another key than those that are pinned.
    HostKeyMismatch,
    /// The private key, or its passphrase.
    BadPrivateKey,
    /// A pinned line.
    BadHostKey,
    /// There is no such file or folder.
    NotFound,
    /// The user may not.
    PermissionDenied,
    /// The path leads out of the account's root.
    OutsideRoot,
    /// Something of that name is there.
    Exists,
    /// The server does not know the operation.
    Unsupported,
    /// The server says no more than that it failed.
    Failure,
    /// There is no connection.
    Unreachable,
    /// The connection broke.
    ConnectionLost,
    /// The server did not answer in time.
    Timeout,
    /// Too many transfers are under way.
    Busy,
    /// One that is newer than this gateway.
    #[serde(other)]
    Unknown,
}

impl RefusalKind {
    /// The status where the server is who refuses: its words are passed on. Everything else is a failure of the way to
    /// it.
    pub fn answered(self) -> Option<StatusCode> {
        match self {
            Self::BadRequest => Some(StatusCode::BAD_REQUEST),
            Self::WrongCredentials => Some(StatusCode::UNAUTHORIZED),
            Self::NotFound => Some(StatusCode::NOT_FOUND),
            Self::PermissionDenied | Self::OutsideRoot => Some(StatusCode::FORBIDDEN),
            Self::Exists => Some(StatusCode::CONFLICT),
            Self::Unsupported => Some(StatusCode::NOT_IMPLEMENTED),
            Self::Failure => Some(StatusCode::BAD_GATEWAY),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::WrongCredentials => "wrong_credentials",
            Self::NotFound => "not_found",
            Self::PermissionDenied => "permission_denied",
            Self::OutsideRoot => "outside_root",
            Self::Exists => "exists",
            Self::Unsupported => "unsupported",
            Self::Failure => "failure",
            _ => "error",
        }
    }
}

/// A refusal of the SFTP Worker.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Refusal {
    /// Why.
    pub kind: RefusalKind,
    /// The same in words.
    #[serde(default)]
    pub message: String,
    /// The status of SFTP.
    #[serde(default)]
    pub sftp_status: Option<u32>,
    /// The server's own words.
    #[serde(default)]
    pub server_message: Option<String>,
    /// The key that the server presented.
    #[serde(default)]
    pub host_key: Option<String>,
    /// Its fingerprint.
    #[serde(default)]
    pub fingerprint: Option<String>,
}

impl Refusal {
    /// As a provider's answer.
    pub fn raw_response(&self) -> Value {
        json!({
            "kind": self.kind.name(),
            "message": self.message,
            "sftp_status": self.sftp_status,
            "server_message": self.server_message,
        })
    }
}

/// Reads the error document; `None` where it is none.
pub fn refusal(document: &[u8]) -> Option<Refusal> {
    #[derive(Deserialize)]
    struct Document {
        error: Refusal,
    }
    let document: Document = serde_json::from_slice(document).ok()?;
    let cut = |text: String, most: usize| text.chars().take(most).collect::<String>();
    let own = document.error;
    Some(Refusal {
        message: cut(own.message, MESSAGE_CHARACTERS),
        server_message: own.server_message.map(|text| cut(text, MESSAGE_CHARACTERS)),
        host_key: own.host_key.map(|text| cut(text, KEY_CHARACTERS)),
        fingerprint: own.fingerprint.map(|text| cut(text, KEY_CHARACTERS)),
        ..own
    })
}

/// The message of [`Refusal::raw_response`], or of another document of this form.
pub fn message_in(document: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Document {
        message: String,
    }
    let document: Document = serde_json::from_str(document).ok()?;
    Some(document.message).filter(|message| !message.is_empty())
}

/// The key that a server presents, as the Worker answers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PresentedKey {
    /// Its public key line.
    pub host_key: String,
    /// Its fingerprint.
    pub fingerprint: String,
}

/// Reads that answer; `None` where it is none, or too long for a key.
pub fn presented_key(document: &[u8]) -> Option<PresentedKey> {
    let key: PresentedKey = serde_json::from_slice(document).ok()?;
    Some(key).filter(|key| key.host_key.len().max(key.fingerprint.len()) <= KEY_CHARACTERS)
}

/// The head of the answer to a read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadHead {
    /// 200 or 206, with these header fields.
    Content(StatusCode, HeaderMap),
    /// 416: the range begins after the end.
    NotSatisfiable(HeaderMap),
}

/// The head for the caller. `None` where the Worker does not say how long the file is.
pub fn read_head(range: Option<ByteRange>, headers: &HeaderMap) -> Option<ReadHead> {
    let size: u64 = headers.get(FILE_SIZE)?.to_str().ok()?.parse().ok()?;
    let mut own = HeaderMap::new();
    own.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let modified = headers.get(LAST_MODIFIED).cloned();
    own.extend(modified.map(|modified| (LAST_MODIFIED, modified)));
    let first = range.map_or(0, |range| range.first);
    if range.is_some() && first >= size {
        own.insert(CONTENT_RANGE, value(&format!("bytes */{size}"))?);
        return Some(ReadHead::NotSatisfiable(own));
    }
    let rest = size.saturating_sub(first);
    let length = range
        .and_then(|range| range.length)
        .map_or(rest, |length| length.min(rest));
    own.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    own.insert(CONTENT_LENGTH, value(&length.to_string())?);
    if range.is_none() {
        return Some(ReadHead::Content(StatusCode::OK, own));
    }
    let last = first.saturating_add(length).saturating_sub(1);
    own.insert(
        CONTENT_RANGE,
        value(&format!("bytes {first}-{last}/{size}"))?,
    );
    Some(ReadHead::Content(StatusCode::PARTIAL_CONTENT, own))
}

fn value(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, StatusCode};

    use super::{ReadHead, RefusalKind, read_head, refusal};
    use crate::files::ByteRange;

    fn of(size: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("x-file-size", HeaderValue::from_static(size));
        headers
    }

    #[test]
    fn a_range_is_cut_at_the_end_of_the_file() {
        let range = |first, length| Some(ByteRange { first, length });
        for (range, status, length, said) in [
            (None, 200, "10", None),
            (range(0, None), 206, "10", Some("bytes 0-9/10")),
            (range(3, Some(4)), 206, "4", Some("bytes 3-6/10")),
            (range(3, Some(99)), 206, "7", Some("bytes 3-9/10")),
            (range(9, Some(1)), 206, "1", Some("bytes 9-9/10")),
        ] {
            let Some(ReadHead::Content(found, headers)) = read_head(range, &of("10")) else {
                panic!("{range:?}");
            };
            assert_eq!(found, StatusCode::from_u16(status).unwrap());
            assert_eq!(headers["content-length"], length);
            let found = headers
                .get("content-range")
                .map(|value| value.to_str().unwrap());
            assert_eq!(found, said);
        }
        for (first, size) in [(10, "10"), (u64::MAX, "10"), (0, "0")] {
            let range = range(first, None);
            let Some(ReadHead::NotSatisfiable(headers)) = read_head(range, &of(size)) else {
                panic!("{first}");
            };
            assert_eq!(headers["content-range"], format!("bytes */{size}"));
        }
        assert!(matches!(
            read_head(None, &of("0")),
            Some(ReadHead::Content(StatusCode::OK, _))
        ));
        assert_eq!(read_head(None, &HeaderMap::new()), None);
    }

    #[test]
    fn a_kind_that_is_not_known_is_no_answer_of_the_server() {
        let read = |text: &str| refusal(text.as_bytes());
        let found =
            read(r#"{"error":{"kind":"not_found","message":"m","sftp_status":2}}"#).unwrap();
        assert_eq!(found.kind.answered(), Some(StatusCode::NOT_FOUND));
        assert_eq!(found.raw_response()["sftp_status"], 2);
        let found = read(r#"{"error":{"kind":"new_one"}}"#).unwrap();
        assert_eq!(
            (found.kind, found.kind.answered()),
            (RefusalKind::Unknown, None)
        );
        assert_eq!(read("{}"), None);
        assert_eq!(read("not json"), None);
    }
}
