//! What `handle_verification` gives, read as an answer. Only what cannot become a page of ours is let through.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value};

use super::{Handshake, HandshakeError, SenderProof};

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
/// A body that is echoed is short.
const LONGEST_BODY: usize = 16 * 1024;
/// Headers that say how a browser takes the answer, or that are ours.
const OWN_HEADERS: [&str; 6] = [
    "x-content-type-options",
    "x-frame-options",
    "x-request-id",
    "x-xss-protection",
    "x-dns-prefetch-control",
    "x-permitted-cross-domain-policies",
];
/// The keys by which an object says how it is answered.
const SHAPE: [&str; 5] = ["status", "statusCode", "status_code", "body", "headers"];

/// The answer, and the entries next to it.
type AnswerParts = (Value, Map<String, Value>);

/// The answer, and the entries next to it. `None` is an event.
pub(super) fn split_answer(result: Value) -> Result<Option<AnswerParts>, HandshakeError> {
    let Value::Object(mut entries) = result else {
        return Ok(Some((result, Map::new())));
    };
    match entries.get("type").and_then(Value::as_str) {
        Some("payload") => Ok(None),
        Some("verify" | "meta") => {
            let answer = entries.shift_remove("verification_response");
            Ok(Some((
                answer.unwrap_or(Value::String(String::new())),
                entries,
            )))
        }
        _ if entries.contains_key("verification_response") => Err(HandshakeError::Shape(
            "`type` must be `verify`, `meta` or `payload`",
        )),
        _ => Ok(Some((Value::Object(entries), Map::new()))),
    }
}

/// A bare value is the body; an object with one of `SHAPE`'s keys says more.
pub(super) fn read(answer: Value) -> Result<Handshake, HandshakeError> {
    let (status, body, headers) = match answer {
        Value::Object(mut entries) if SHAPE.iter().any(|key| entries.contains_key(*key)) => {
            let status = ["status", "statusCode", "status_code"]
                .iter()
                .find_map(|key| entries.shift_remove(*key));
            let headers = entries.shift_remove("headers").unwrap_or_default();
            (
                status,
                entries.shift_remove("body").unwrap_or_default(),
                headers,
            )
        }
        bare => (None, bare, Value::Null),
    };
    let (body, usual) = match body {
        Value::Null | Value::Bool(true) => (String::new(), TEXT),
        Value::String(text) => (text, TEXT),
        other => (other.to_string(), JSON),
    };
    if body.len() > LONGEST_BODY {
        return Err(HandshakeError::Shape("the body is too long"));
    }
    Ok(Handshake {
        status: read_status(status.as_ref())?,
        headers: read_headers(&headers, usual)?,
        body,
        update_context: Map::new(),
        proof: SenderProof::Unsigned,
        confirm_url: None,
    })
}

fn read_status(status: Option<&Value>) -> Result<StatusCode, HandshakeError> {
    let number = match status {
        None | Some(Value::Null) => Some(200),
        Some(Value::String(text)) => text.parse().ok(),
        Some(value) => value.as_u64().and_then(|number| u16::try_from(number).ok()),
    };
    let status = number.and_then(|number| StatusCode::from_u16(number).ok());
    let status = status.filter(|status| status.is_success() || status.is_client_error());
    status.ok_or(HandshakeError::Shape("`status` must be 2xx or 4xx"))
}

/// Only `content-type`, as one of two, and the provider's own are taken; others are left out.
fn read_headers(headers: &Value, usual: &'static str) -> Result<HeaderMap, HandshakeError> {
    let mut read = HeaderMap::new();
    let mut content_type = usual;
    for (name, value) in headers.as_object().into_iter().flatten() {
        let name = name.to_ascii_lowercase();
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        if name == "content-type" {
            let is_json = text.trim_start().to_ascii_lowercase().starts_with(JSON);
            content_type = if is_json { JSON } else { TEXT };
        } else if is_providers_own(&name) {
            let unusable = |_| HandshakeError::Shape("a header cannot be written");
            let name = HeaderName::from_bytes(name.as_bytes());
            let name = name.map_err(|_| HandshakeError::Shape("a header cannot be written"))?;
            read.insert(name, HeaderValue::from_str(&text).map_err(unusable)?);
        }
    }
    read.insert(
        http::header::CONTENT_TYPE,
        HeaderValue::from_static(content_type),
    );
    Ok(read)
}

fn is_providers_own(name: &str) -> bool {
    (name.starts_with("x-") || name.starts_with("webhook-")) && !OWN_HEADERS.contains(&name)
}
