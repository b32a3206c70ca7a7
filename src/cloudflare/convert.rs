//! Converts the platform's requests and responses. [`header_text`] encodes header values.

use std::borrow::Cow;

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use js_sys::Uint8Array;
use serde::{Serialize, Serializer};
use url::Url;
use wasm_bindgen::{JsCast, JsValue};

use super::driver::{self, Settled};
use super::stream::JsStream;
use crate::error::{Code, Failure};
use crate::header_text;
use crate::ports::{Body, Incoming, Reply, raw_target};

pub fn incoming(request: &web_sys::Request) -> Result<Incoming<JsStream>, Failure> {
    let malformed = |what: &str| {
        Failure::new(
            Code::Malformed,
            format!("The {what} of the request is invalid."),
        )
    };
    let head = driver::head_of(request);
    let (method, rest) = head.split_once('\n').unwrap_or_default();
    let (shown, lines) = rest.split_once('\n').unwrap_or_default();
    let headers = headers_in(lines);
    let body = body_in(driver::body_of(request), &headers);
    let url = Url::parse(shown).map_err(|_| malformed("URL"))?;
    Ok(Incoming {
        method: Method::from_bytes(method.as_bytes()).map_err(|_| malformed("method"))?,
        raw_target: raw_target::of(shown, &url),
        url,
        headers,
        body,
    })
}

/// The result of [`driver::send`], its body unread.
pub fn reply(sent: Settled) -> Reply<JsStream> {
    let headers = headers_in(&sent.text);
    let stream = (!sent.value.is_null()).then(|| sent.value.unchecked_into());
    let body = body_in(stream, &headers);
    Reply {
        status: status(sent.status),
        headers,
        body,
    }
}

/// A status that the platform shows.
pub fn status(number: u16) -> StatusCode {
    StatusCode::from_u16(number).unwrap_or(StatusCode::BAD_GATEWAY)
}

/// Makes the response that was opened.
pub fn respond(response: &JsValue, reply: Reply<JsStream>) {
    let status = reply.status.as_u16();
    let headers = headers_out(&reply.headers);
    // These statuses have no body, and the constructor throws if it gets one.
    let body = match status {
        101 | 204 | 205 | 304 => None,
        _ => body_out(reply.body),
    };
    driver::respond(response, status, &headers, &body.unwrap_or(JsValue::NULL));
}

/// A body for the platform's `RequestInit`.
pub fn body_out(body: Body<JsStream>) -> Option<JsValue> {
    match body {
        Body::Empty => None,
        Body::Bytes(bytes) => Some(Uint8Array::from(bytes.as_ref()).into()),
        Body::Stream(stream) => stream.into_inner().map(Into::into),
    }
}

/// Header fields for the platform, as JSON: an object where no name occurs twice, else pairs, which cost three times as
/// much.
pub fn headers_out(headers: &HeaderMap) -> String {
    let json = if headers.len() == headers.keys_len() {
        serde_json::to_string(&HeaderFields(headers))
    } else {
        serde_json::to_string(&pairs(headers).collect::<Vec<_>>())
    };
    json.unwrap_or_default()
}

/// Header fields as lines, as [`headers_in`] reads them.
pub fn header_lines(headers: &HeaderMap) -> String {
    let mut lines = String::new();
    for (name, value) in pairs(headers) {
        lines.extend([name, ",", &value, "\n"]);
    }
    lines
}

fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str(), header_text::text(value)))
}

struct HeaderFields<'a>(&'a HeaderMap);

impl Serialize for HeaderFields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(pairs(self.0))
    }
}

/// Reads lines `name,value`: a name has no comma and a value no line break (RFC 9110 section 5).
pub fn headers_in(lines: &str) -> HeaderMap {
    lines.split('\n').filter_map(field).collect()
}

fn field(line: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = line.split_once(',')?;
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    Some((name, header_text::value_of(value)?))
}

/// The body of a request or response with these header fields.
pub fn body_in(stream: Option<web_sys::ReadableStream>, headers: &HeaderMap) -> Body<JsStream> {
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok());
    // A stream that was compressed on the wire is longer than its content-length.
    let length = length.filter(|_| !headers.contains_key(CONTENT_ENCODING));
    match stream {
        None => Body::Empty,
        Some(_) if length == Some(0) => Body::Empty,
        Some(stream) => Body::Stream(JsStream::new(stream, length)),
    }
}
