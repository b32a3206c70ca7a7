//! What the bytes of a body are (RFC 9110 §8): their kind, their coding and their charset.

pub mod canonical;
pub mod charset;
pub mod coding;
pub mod form;
mod percent;

pub use percent::{percent_encoded, segment_encoded};

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::header_text;

/// The kinds of text a body may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    Json,
    Xml,
    /// The fields of a form (`application/x-www-form-urlencoded`).
    Form,
    /// Any other text.
    Text,
    /// Anything else.
    Binary,
}

/// The kind that `content-type` says.
pub fn kind(headers: &HeaderMap) -> MediaKind {
    let said = headers.get(CONTENT_TYPE).map(header_text::text);
    let said = said.unwrap_or_default();
    let essence = said.split(';').next().unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/json" | "text/json" => MediaKind::Json,
        json if json.ends_with("+json") => MediaKind::Json,
        "application/xml" | "text/xml" => MediaKind::Xml,
        xml if xml.ends_with("+xml") => MediaKind::Xml,
        "application/x-www-form-urlencoded" => MediaKind::Form,
        text if text.starts_with("text/") => MediaKind::Text,
        _ => MediaKind::Binary,
    }
}
