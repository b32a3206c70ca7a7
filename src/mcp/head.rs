//! The header fields of a request (2025-11-25, Streamable HTTP).

use http::header::{ACCEPT, ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE, ORIGIN, VARY};
use http::{HeaderMap, HeaderValue};

use super::{UNNAMED, VERSIONS};

/// The field that names the version of a session.
pub const VERSION: &str = "mcp-protocol-version";

/// Why a request is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// A browser's page that is not allowed.
    #[error("Pages of this origin may not use tools: its operator adds it to MCP_ALLOWED_ORIGINS.")]
    Origin,
    /// Answers are JSON.
    #[error("Answers are application/json: `accept` has to admit it.")]
    Accept,
    /// Messages are JSON.
    #[error("Messages are sent as `content-type: application/json`.")]
    ContentType,
    /// No such version.
    #[error("MCP-Protocol-Version names a version that is not spoken here; there are: {0}.")]
    Version(String),
}

/// Refuses pages of other origins, which could call a gateway that only their visitor reaches. A request without
/// `Origin` is no page's.
pub fn check_origin(headers: &HeaderMap, allowed: &[&str]) -> Result<(), HeadError> {
    let mut origins = headers.get_all(ORIGIN).iter();
    let is_allowed = origins.all(|origin| {
        let mut allowed = allowed.iter();
        allowed.any(|own| own.as_bytes() == origin.as_bytes())
    });
    is_allowed.then_some(()).ok_or(HeadError::Origin)
}

/// Lets a page of this origin, which [`check_origin`] admitted, read the answer.
pub fn share(answer: &mut HeaderMap, origin: HeaderValue) {
    answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    answer.insert(VARY, HeaderValue::from_static("origin"));
}

/// Checks what a message is and how it may be answered → the version.
pub fn check(headers: &HeaderMap) -> Result<&'static str, HeadError> {
    let accepts = headers.get_all(ACCEPT).iter().collect::<Vec<_>>();
    let accepts_json = accepts.iter().any(|value| {
        let ranges = value.to_str().unwrap_or_default().split(',');
        ranges.map(media_type).any(|range| admits_json(&range))
    });
    if !accepts.is_empty() && !accepts_json {
        return Err(HeadError::Accept);
    }
    let content_type = headers.get(CONTENT_TYPE).and_then(|own| own.to_str().ok());
    if content_type.map(media_type).as_deref() != Some("application/json") {
        return Err(HeadError::ContentType);
    }
    let Some(named) = headers.get(VERSION) else {
        return Ok(UNNAMED);
    };
    let known = VERSIONS.into_iter().find(|version| named == version);
    known.ok_or_else(|| HeadError::Version(VERSIONS.join(", ")))
}

/// A media type without its parameters.
fn media_type(text: &str) -> String {
    let name = text.split(';').next().unwrap_or_default();
    name.trim().to_ascii_lowercase()
}

fn admits_json(range: &str) -> bool {
    matches!(range, "application/json" | "application/*" | "*/*")
}
