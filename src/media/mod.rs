//! What the bytes of a body are (RFC 9110 §8): their kind, their coding and their charset.

pub mod charset;
pub mod coding;
pub mod form;

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// The kinds of text a body may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// JSON.
    Json,
    /// XML.
    Xml,
    /// Any other text.
    Text,
    /// Anything else.
    Binary,
}

/// The kind that `content-type` says.
pub fn kind(headers: &HeaderMap) -> Kind {
    let said = headers.get(CONTENT_TYPE);
    let said = said.and_then(|value| value.to_str().ok());
    let essence = said.unwrap_or_default().split(';').next();
    let essence = essence.unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/json" | "text/json" => Kind::Json,
        json if json.ends_with("+json") => Kind::Json,
        "application/xml" | "text/xml" => Kind::Xml,
        xml if xml.ends_with("+xml") => Kind::Xml,
        text if text.starts_with("text/") => Kind::Text,
        _ => Kind::Binary,
    }
}
