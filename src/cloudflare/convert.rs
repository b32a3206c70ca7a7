//! Between the platform's requests and answers and ours. Header values are bytes on the wire; the
//! platform shows each as the character of the same number (Latin-1), so none is lost either way.

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use js_sys::{Array, JSON, Uint8Array};
use url::Url;
use wasm_bindgen::JsValue;

use super::stream::JsStream;
use crate::error::{Code, Failure};
use crate::ports::{Body, Incoming, Reply};

/// A request as it came in.
pub fn incoming(request: &web_sys::Request) -> Result<Incoming<JsStream>, Failure> {
    let malformed =
        |what: &str| Failure::new(Code::Malformed, format!("The {what} cannot be read."));
    let headers = headers_in(&request.headers());
    let body = body_in(request.body(), &headers);
    Ok(Incoming {
        method: Method::from_bytes(request.method().as_bytes()).map_err(|_| malformed("method"))?,
        url: Url::parse(&request.url()).map_err(|_| malformed("URL"))?,
        headers,
        body,
    })
}

/// An answer as it came from `fetch`, its body unread.
pub fn reply(response: &web_sys::Response) -> Reply<JsStream> {
    let headers = headers_in(&response.headers());
    let body = body_in(response.body(), &headers);
    Reply {
        status: StatusCode::from_u16(response.status()).unwrap_or(StatusCode::BAD_GATEWAY),
        headers,
        body,
    }
}

/// An answer for the platform to send.
pub fn response(reply: Reply<JsStream>) -> worker::Result<worker::Response> {
    let init = web_sys::ResponseInit::new();
    init.set_status(reply.status.as_u16());
    init.set_headers(&headers_out(&reply.headers)?);
    // These have no body by definition, and the constructor throws if they are given one.
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

/// A body as the platform's `RequestInit` takes it.
pub fn body_out(body: Body<JsStream>) -> Option<JsValue> {
    match body {
        Body::Empty => None,
        Body::Bytes(bytes) => Some(Uint8Array::from(bytes.as_ref()).into()),
        Body::Stream(stream) => stream.into_inner().map(Into::into),
    }
}

/// Header fields for the platform: an array of pairs, made in one crossing of the boundary.
pub fn headers_out(headers: &HeaderMap) -> Result<JsValue, JsValue> {
    let pairs: Vec<(&str, String)> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), latin1(value.as_bytes())))
        .collect();
    let json = serde_json::to_string(&pairs).unwrap_or_default();
    JSON::parse(&json)
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

// One crossing for all fields: an array of pairs joins to `name,value` lines. A name holds no comma
// and a value no line break (RFC 9110 section 5), which the platform has already seen to.
fn headers_in(headers: &web_sys::Headers) -> HeaderMap {
    let lines = String::from(Array::from(headers).join("\n"));
    lines.split('\n').filter_map(field).collect()
}

// Characters beyond Latin-1 cannot stand in a header; such a field is not one.
fn field(line: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = line.split_once(',')?;
    let bytes: Option<Vec<u8>> = value
        .chars()
        .map(|c| u8::try_from(u32::from(c)).ok())
        .collect();
    Some((
        HeaderName::from_bytes(name.as_bytes()).ok()?,
        HeaderValue::from_bytes(&bytes?).ok()?,
    ))
}

fn body_in(stream: Option<web_sys::ReadableStream>, headers: &HeaderMap) -> Body<JsStream> {
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok());
    // What is compressed on the wire comes out of the stream longer than was said.
    let length = length.filter(|_| !headers.contains_key(CONTENT_ENCODING));
    match stream {
        None => Body::Empty,
        Some(_) if length == Some(0) => Body::Empty,
        Some(stream) => Body::Stream(JsStream::new(stream, length)),
    }
}
