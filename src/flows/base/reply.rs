//! JSON responses, and the error envelope.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::{Code, Failure};
use crate::json::on_one_line;
use crate::ports::{Body, Reply};

/// The error envelope. The prefix of `code` says who must act.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Error")]
pub(crate) struct Envelope<'a> {
    #[serde(rename = "statusCode")]
    #[schemars(range(min = 400, max = 599))]
    status_code: u16,
    /// The reason phrase of the status.
    error: &'a str,
    /// What happened and what to change, as text for people.
    message: &'a str,
    #[schemars(extend("enum" = Code::ALL))]
    code: &'a str,
    request_id: &'a str,
    /// More details: `failures[] {path, message}` lists the errors of a request, `write` (`done` or `not_done`) says whether a write was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Value")]
    details: Option<&'a Value>,
    /// Whether the error is the provider's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "bool", extend("const" = true))]
    is_remote_error: Option<bool>,
    /// The provider's response: JSON as it was received, anything else as a string.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Value")]
    raw_response: Option<&'a RawValue>,
    /// Seconds. Only in the last line of a list, which has no `retry-after` field.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    retry_after: Option<u64>,
}

impl<'a> Envelope<'a> {
    fn new(failure: &'a Failure, request_id: &'a str, raw: Option<&'a RawValue>) -> Self {
        let status = status_of(failure);
        Self {
            status_code: status.as_u16(),
            error: status.canonical_reason().unwrap_or("Error"),
            message: &failure.message,
            code: failure.code.as_str(),
            request_id,
            details: failure.details.as_ref(),
            is_remote_error: failure.remote.as_ref().map(|_| true),
            raw_response: raw,
            retry_after: None,
        }
    }
}

/// The last line of a list by `x-all-pages` that could not be continued.
#[derive(Serialize)]
struct LastLine<'a> {
    error: Envelope<'a>,
    next_cursor: Option<&'a str>,
}

/// A JSON response. Caches must not store the gateway's own responses.
pub(crate) fn json<S>(status: StatusCode, value: &impl Serialize) -> Reply<S> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let text = serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned());
    Reply {
        status,
        headers,
        body: Body::from_bytes(text),
    }
}

/// The error envelope with its headers.
pub(crate) fn failure<S>(failure: &Failure, request_id: &str) -> Reply<S> {
    let raw = raw_response(failure);
    let envelope = Envelope::new(failure, request_id, raw.as_deref());
    let mut reply = json(status_of(failure), &envelope);
    if let Some(remote) = &failure.remote {
        reply.headers.extend(remote.headers.clone());
    }
    if let Some(seconds) = failure.retry_after {
        reply.headers.insert(RETRY_AFTER, seconds.into());
    }
    if failure.code == Code::Unauthenticated {
        reply
            .headers
            .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    reply
}

/// The last line of a list by `x-all-pages` that cannot be continued: the envelope, and the cursor to resume from.
pub(crate) fn last_line(failure: &Failure, request_id: &str, next_cursor: Option<&str>) -> String {
    let raw = raw_response(failure);
    let error = Envelope {
        retry_after: failure.retry_after,
        ..Envelope::new(failure, request_id, raw.as_deref())
    };
    let line = serde_json::to_string(&LastLine { error, next_cursor });
    // The provider's text may have several lines.
    format!("{}\n", on_one_line(&line.unwrap_or_default()))
}

fn status_of(failure: &Failure) -> StatusCode {
    StatusCode::from_u16(failure.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn raw_response(failure: &Failure) -> Option<Box<RawValue>> {
    let remote = failure.remote.as_ref();
    remote.map(|remote| raw(&remote.raw_response))
}

/// JSON as it was received; anything else as a JSON string.
pub(crate) fn raw(text: &str) -> Box<RawValue> {
    let unchanged = RawValue::from_string(text.to_owned());
    unchanged.unwrap_or_else(|_| {
        serde_json::value::to_raw_value(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
    })
}
