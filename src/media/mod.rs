//! What the bytes of a body are (RFC 9110 §8): their kind, their coding and their charset.

pub mod charset;
pub mod coding;
pub mod form;
mod percent;

pub use percent::percent_encoded;

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::header_text;

/// The kinds of text a body may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
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
pub fn kind(headers: &HeaderMap) -> Kind {
    let said = headers.get(CONTENT_TYPE).map(header_text::text);
    let said = said.unwrap_or_default();
    let essence = said.split(';').next().unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/json" | "text/json" => Kind::Json,
        json if json.ends_with("+json") => Kind::Json,
        "application/xml" | "text/xml" => Kind::Xml,
        xml if xml.ends_with("+xml") => Kind::Xml,
        "application/x-www-form-urlencoded" => Kind::Form,
        text if text.starts_with("text/") => Kind::Text,
        _ => Kind::Binary,
    }
}
