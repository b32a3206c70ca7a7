//! Sends messages and calls to Durable Objects. Each has a time limit, because a panic inside an object would leave its
//! caller waiting for ever.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use serde_json::Value;
use wasm_bindgen::JsValue;
use web_sys::{RequestInit, RequestRedirect};
use worker::console_error;

use super::edge::{Edge, in_time};
use super::stream::JsStream;
use super::{bindings, convert};
use crate::ids::AccountId;
use crate::ports::{HandOver, Incoming, ObjectFault, ObjectName, Objects, Reply};

/// Marks a message of `flows::messages`.
pub const MESSAGE: &str = "x-causeway-ask";
/// Carries a [`HandOver`], JSON in base64url.
pub const HAND_OVER: &str = "x-causeway-hand-over";

impl Objects for Edge {
    async fn send_message(
        &self,
        object: ObjectName,
        message: String,
        patience: Duration,
    ) -> Result<String, ObjectFault> {
        let mut headers = HeaderMap::new();
        headers.insert(MESSAGE, HeaderValue::from_static("1"));
        let body = Some(message.into());
        let request = build("POST", "http://object/", &headers, body).map_err(interrupted)?;
        let answer = async {
            let mut response = bindings::stub(&self.env, object)?
                .fetch_with_request(request)
                .await?;
            response.text().await
        };
        in_time(patience, answer)
            .await
            .ok_or(ObjectFault::Timeout)?
            .map_err(|error| interrupted(error.into()))
    }

    async fn call(
        &self,
        account: AccountId,
        hand_over: &HandOver,
        request: Incoming<JsStream>,
        budget: Duration,
    ) -> Result<Reply<JsStream>, ObjectFault> {
        let mut headers = request.headers;
        headers.insert(HAND_OVER, header_of(hand_over));
        let body = convert::body_out(request.body);
        let request = build(
            request.method.as_str(),
            request.url.as_str(),
            &headers,
            body,
        )
        .map_err(interrupted)?;
        let answer = async {
            bindings::stub(&self.env, ObjectName::Account(account))?
                .fetch_with_request(request)
                .await
        };
        let response = in_time(budget, answer)
            .await
            .ok_or(ObjectFault::Timeout)?
            .map_err(|error| interrupted(error.into()))?;
        let response: web_sys::Response = response.into();
        Ok(convert::reply(&response))
    }
}

fn build(
    method: &str,
    url: &str,
    headers: &HeaderMap,
    body: Option<JsValue>,
) -> Result<worker::Request, JsValue> {
    let init = RequestInit::new();
    init.set_method(method);
    init.set_headers(&convert::headers_out(headers)?);
    init.set_redirect(RequestRedirect::Manual);
    if let Some(body) = body {
        init.set_body(&body);
    }
    web_sys::Request::new_with_str_and_init(url, &init).map(Into::into)
}

fn header_of(hand_over: &HandOver) -> HeaderValue {
    let json = serde_json::to_vec(hand_over).unwrap_or_default();
    HeaderValue::from_str(&data_encoding::BASE64URL_NOPAD.encode(&json))
        .unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Reads what [`header_of`] wrote.
pub fn hand_over_in(headers: &HeaderMap) -> Option<HandOver> {
    let json = data_encoding::BASE64URL_NOPAD
        .decode(headers.get(HAND_OVER)?.as_bytes())
        .ok()?;
    serde_json::from_slice(&json).ok()
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` gives it away")]
fn interrupted(error: JsValue) -> ObjectFault {
    let reason = Value::String(format!("{error:?}"));
    console_error!("{{\"level\":\"error\",\"event\":\"object_interrupted\",\"reason\":{reason}}}");
    ObjectFault::Interrupted
}
