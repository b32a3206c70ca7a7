//! Fields that describe a body (RFC 9110 section 8, RFC 9530). They travel with the bytes they describe, and with no others:
//!
//! | the request's body | the caller's fields | the file's own | `content-range` |
//! |---|---|---|---|
//! | the caller's, as it came | go on | below the caller's | goes on |
//! | the caller's, which has none | none | none | goes on: `bytes */300` asks how far an upload has come |
//! | made or changed here | none | stay | refused: a part would be sent as the whole |
//! | none by the method | none | none | refused |

use http::header::{
    CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION, CONTENT_RANGE,
    CONTENT_TYPE,
};
use http::{HeaderMap, HeaderName};

use super::request::{Payload, RequestError};

/// All of them. `content-length` is the platform's.
pub const FIELDS: [HeaderName; 10] = [
    CONTENT_TYPE,
    CONTENT_ENCODING,
    CONTENT_RANGE,
    CONTENT_LANGUAGE,
    CONTENT_DISPOSITION,
    CONTENT_LOCATION,
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];

/// Whether a field is one of them.
pub fn describes(name: &HeaderName) -> bool {
    FIELDS.contains(name)
}

/// Whether the caller's field goes with this body.
pub(super) fn goes_with(name: &HeaderName, body: &Payload) -> bool {
    *body == Payload::Callers || !describes(name)
}

/// Refuses a part of a body where no part is sent.
pub fn refuse_part(callers: &HeaderMap, body: &Payload) -> Result<(), RequestError> {
    let is_sent = *body == Payload::Callers || !callers.contains_key(CONTENT_RANGE);
    is_sent.then_some(()).ok_or(RequestError::PartOfBody)
}

/// The body is another now: only its type may be said still.
pub(super) fn drop_of_another(headers: &mut HeaderMap) {
    for name in FIELDS.iter().filter(|name| **name != CONTENT_TYPE) {
        headers.remove(name);
    }
}

/// There is no body.
pub fn drop_without_body(headers: &mut HeaderMap) {
    for name in FIELDS.iter().filter(|name| **name != CONTENT_RANGE) {
        headers.remove(name);
    }
}

/// There is none any more.
pub fn drop_all(headers: &mut HeaderMap) {
    for name in &FIELDS {
        headers.remove(name);
    }
}
