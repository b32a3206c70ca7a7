//! Converts the platform's requests and responses. [`header_text`] encodes header values.

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use js_sys::{Array, JSON, Uint8Array};
use url::Url;
use wasm_bindgen::JsValue;

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
    let headers = headers_in(&request.headers());
    let body = body_in(request.body(), &headers);
    let shown = request.url();
    let url = Url::parse(&shown).map_err(|_| malformed("URL"))?;
    Ok(Incoming {
        method: Method::from_bytes(request.method().as_bytes()).map_err(|_| malformed("method"))?,
        raw_target: raw_target::of(&shown, &url),
        url,
        headers,
        body,
    })
}

/// A response of `fetch`, its body unread.
pub fn reply(response: &web_sys::Response) -> Reply<JsStream> {
    let headers = headers_in(&response.headers());
    let body = body_in(response.body(), &headers);
    Reply {
        status: StatusCode::from_u16(response.status()).unwrap_or(StatusCode::BAD_GATEWAY),
        headers,
        body,
    }
}

pub fn response(reply: Reply<JsStream>) -> worker::Result<worker::Response> {
    let init = web_sys::ResponseInit::new();
    init.set_status(reply.status.as_u16());
    init.set_headers(&headers_out(&reply.headers)?);
    // These statuses have no body, and the constructor throws if it gets one.
    let body = if matches!(reply.status.as_u16(), 101 | 204 | 205 | 304) {
        Body::Empty
    } else {
        reply.body
    };
    let response = match body {
        Body::Empty => web_sys::Response::new_with_opt_str_and_init(None, &init)?,
        Body::Bytes(bytes) => {
            let array = Uint8Array::from(bytes.as_ref());
            web_sys::Response::new_with_opt_js_u8_array_and_init(Some(&array), &init)?
        }
        Body::Stream(stream) => {
            let stream = stream.into_inner();
            web_sys::Response::new_with_opt_readable_stream_and_init(stream.as_ref(), &init)?
        }
    };
    Ok(response.into())
}

/// A body for the platform's `RequestInit`.
pub fn body_out(body: Body<JsStream>) -> Option<JsValue> {
    match body {
        Body::Empty => None,
        Body::Bytes(bytes) => Some(Uint8Array::from(bytes.as_ref()).into()),
        Body::Stream(stream) => stream.into_inner().map(Into::into),
    }
}

/// Header fields for the platform: an array of pairs, created in one crossing of the JavaScript boundary.
pub fn headers_out(headers: &HeaderMap) -> Result<JsValue, JsValue> {
    let pairs: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), header_text::text(value)))
        .collect();
    let json = serde_json::to_string(&pairs).unwrap_or_default();
    JSON::parse(&json)
}

// One crossing for all fields: an array of pairs joins to `name,value` lines. A name has no comma and a value no line
// break (RFC 9110 section 5), which the platform has checked.
fn headers_in(headers: &web_sys::Headers) -> HeaderMap {
    let lines = String::from(Array::from(headers).join("\n"));
    lines.split('\n').filter_map(field).collect()
}

fn field(line: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = line.split_once(',')?;
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    Some((name, header_text::value_of(value)?))
}

fn body_in(stream: Option<web_sys::ReadableStream>, headers: &HeaderMap) -> Body<JsStream> {
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
