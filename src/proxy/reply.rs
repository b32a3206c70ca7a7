//! What becomes of a provider's answer: passed on unread, or looked into. What is cut out of it is cut
//! as text, so that numbers of any size come out as they came in.

use http::HeaderMap;
use serde_json::Value;

use super::xml::XmlError;
use crate::config::ErrorExpression;
use crate::config::resource::{ApiResponseFormat, Method};
use crate::expression::{ExpressionError, ExpressionScope, Moment};
use crate::header_text;
use crate::json::{self, Path};
use crate::media;
use crate::media::charset::CharsetError;

/// Whether a body has to be looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyHandling {
    /// It goes on unread.
    Unread,
    /// It is read within the limits.
    Inside,
}

pub use crate::media::MediaKind;

/// Why an answer cannot be passed on as the file says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// It is not JSON.
    #[error("the provider's answer is not JSON")]
    NotJson,
    /// It is not XML that is read here.
    #[error("the provider's answer cannot be read as XML: {0}")]
    Xml(#[from] XmlError),
    /// Its character encoding is not supported.
    #[error("the provider's answer is not text that can be looked into: {0}")]
    Charset(#[from] CharsetError),
    /// It is compressed in a way that is not undone here.
    #[error(
        "the provider's answer is compressed with something else than gzip, deflate or br, and cannot be looked into"
    )]
    Compressed,
    /// It is not compressed as its fields say, or breaks off.
    #[error("the provider's answer is not what its content-encoding says")]
    NotCompressed,
    /// There is nothing at `response_path`.
    #[error("the provider's answer has nothing at `{0}`")]
    NothingAt(String),
    /// A list has something else than an array there.
    #[error("the provider's answer has no list at `{0}`")]
    NoList(String),
}

/// An error that the file's `error_expression` found in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundError {
    /// The status it names, 400 to 599.
    pub status: Option<u16>,
    /// The message it names.
    pub message: Option<String>,
}

/// The kind of an answer, by its `content-type` unless the method's `api_response_format` says.
pub fn kind(headers: &HeaderMap, said: Option<ApiResponseFormat>) -> MediaKind {
    match said {
        Some(ApiResponseFormat::Json) => MediaKind::Json,
        Some(ApiResponseFormat::Xml) => MediaKind::Xml,
        Some(ApiResponseFormat::Text) => MediaKind::Text,
        Some(ApiResponseFormat::Binary) => MediaKind::Binary,
        None => media::kind(headers),
    }
}

/// Whether the 2xx answer of a method that is no list must be looked into. For an `error_expression` alone only what has
/// values is held: other text may be of any length.
pub fn look(method: &Method, has_error_expression: bool, kind: MediaKind) -> BodyHandling {
    let has_values = matches!(kind, MediaKind::Json | MediaKind::Xml | MediaKind::Form);
    if (has_error_expression && has_values) || is_rewritten(method, kind) {
        BodyHandling::Inside
    } else {
        BodyHandling::Unread
    }
}

/// Whether such an answer goes on as something else than it came. XML that is neither cut nor announced as such
/// stays XML; what is announced as text is not cut.
pub fn is_rewritten(method: &Method, kind: MediaKind) -> bool {
    let is_said = method.api_response_format.is_some();
    match kind {
        MediaKind::Json => method.response_path.is_some(),
        MediaKind::Xml => method.response_path.is_some() || is_said,
        MediaKind::Text => method.response_path.is_some() && !is_said,
        MediaKind::Form | MediaKind::Binary => false,
    }
}

/// The raw text at the method's `response_path`.
pub fn cut<'a>(text: &'a str, path: Option<&Path>) -> Result<&'a str, ReplyError> {
    let Some(path) = path else { return Ok(text) };
    let cut = json::cut(text, path).map_err(|_| ReplyError::NotJson)?;
    cut.ok_or_else(|| ReplyError::NothingAt(path.to_string()))
}

/// The records of a list, as the text has them. An absent or null list is empty: providers leave out what they
/// have none of.
pub fn records<'t>(text: &'t str, path: Option<&Path>) -> Result<&'t str, ReplyError> {
    let text = text.trim_start_matches('\u{feff}').trim();
    let raw = match path {
        _ if text.is_empty() => EMPTY,
        None => text,
        Some(path) => json::cut(text, path)
            .map_err(|_| ReplyError::NotJson)?
            .unwrap_or(EMPTY),
    };
    Ok(if raw == "null" { EMPTY } else { raw })
}

/// Whether an answer has something other than null at the list's path.
pub fn has_records(text: &str, path: Option<&Path>) -> bool {
    let text = text.trim_start_matches('\u{feff}').trim();
    match path {
        _ if text.is_empty() => false,
        None => true,
        Some(path) => matches!(json::cut(text, path), Ok(Some(found)) if found != "null"),
    }
}

/// The records of a list that is empty.
pub const EMPTY: &str = "[]";

/// The `records` as a list, read in one of two ways; an error where they are no list.
pub fn of_list<T>(
    read: Result<Option<T>, serde_json::Error>,
    path: Option<&Path>,
) -> Result<T, ReplyError> {
    let at = || path.map_or_else(|| "its root".to_owned(), Path::to_string);
    read.map_err(|_| ReplyError::NotJson)?
        .ok_or_else(|| ReplyError::NoList(at()))
}

/// The envelope of a list: `{result, next_cursor, prev_cursor, result_count}`.
pub fn envelope(records: &str, count: usize, next: Option<&str>, prev: Option<&str>) -> String {
    // A cursor has no characters that JSON escapes.
    let cursor = |cursor: Option<&str>| {
        cursor.map_or_else(|| "null".to_owned(), |cursor| format!("\"{cursor}\""))
    };
    let (next, prev) = (cursor(next), cursor(prev));
    format!(
        "{{\"result\":{records},\"next_cursor\":{next},\"prev_cursor\":{prev},\"result_count\":{count}}}"
    )
}

/// What the `error_expression` says of an answer; `None`: no error. Of an answer that streams there is no body.
pub fn find_error(
    expression: &ErrorExpression,
    body: Option<&Value>,
    headers: &HeaderMap,
    status: u16,
    moment: &Moment,
) -> Result<Option<FoundError>, ExpressionError> {
    let headers = header_text::object_of(headers);
    let scope = match body {
        Some(body) => ExpressionScope::response(body, &headers, status),
        None => ExpressionScope::streamed(&headers, status),
    };
    if !expression.0.is_true(&scope, moment)? {
        return Ok(None);
    }
    let value = expression.0.evaluate(&scope, moment)?.unwrap_or_default();
    let status = value
        .get("status")
        .and_then(|status| status.as_u64().or_else(|| status.as_str()?.parse().ok()));
    let status = status
        .and_then(|status| u16::try_from(status).ok())
        .filter(|status| (400..600).contains(status));
    let message = value
        .get("message")
        .unwrap_or(&value)
        .as_str()
        .map(|text| text.chars().take(1_000).collect());
    Ok(Some(FoundError { status, message }))
}

#[cfg(test)]
mod tests;
