//! Sends messages and requests to Durable Objects. A message has a time limit. A request has none here: the object keeps
//! the request's own, and a panic rejects what waits for it.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::Value;
use wasm_bindgen::JsValue;
use worker::console_error;

use super::edge::{Edge, in_time};
use super::stream::JsStream;
use super::{bindings, convert, driver};
use crate::ids::AccountId;
use crate::ports::{HandOver, Incoming, LEASE_OFFER, ObjectFault, ObjectName, Objects, ReplyStatus};

/// Marks a message of `flows::messages`.
pub const MESSAGE: &str = "x-causeway-ask";
/// Carries a [`HandOver`], JSON in base64url.
pub const HAND_OVER: &str = "x-causeway-hand-over";

/// The response of an object. The front Worker passes it on without reading it.
pub struct ObjectResponse {
    status: StatusCode,
    offers_lease: bool,
    pub response: JsValue,
}

impl ReplyStatus for ObjectResponse {
    fn status(&self) -> StatusCode {
        self.status
    }

    fn take_lease_offer(&mut self) -> bool {
        if self.offers_lease {
            self.response = driver::without_header(&self.response, LEASE_OFFER);
        }
        std::mem::take(&mut self.offers_lease)
    }
}

impl Objects for Edge {
    type ObjectReply = ObjectResponse;

    async fn send_message(
        &self,
        object: ObjectName,
        message: String,
        patience: Duration,
    ) -> Result<String, ObjectFault> {
        let place = bindings::place_of(object);
        let headers = format!("{{\"{MESSAGE}\":\"1\"}}");
        let answer = driver::operation(|id| {
            let (env, name) = (self.env.as_ref(), &place.name);
            driver::send_message(
                id,
                env,
                place.binding,
                name,
                place.location,
                &headers,
                &message,
            );
        });
        let answer = in_time(self, patience, answer).await;
        let answer = answer.ok_or(ObjectFault::Timeout)?.map_err(interrupted)?;
        Ok(answer.text)
    }

    async fn call(
        &self,
        account: AccountId,
        hand_over: &HandOver,
        request: Incoming<JsStream>,
    ) -> Result<ObjectResponse, ObjectFault> {
        let mut headers = request.headers;
        headers.insert(HAND_OVER, header_of(hand_over));
        let headers = convert::headers_out(&headers);
        let body = convert::body_out(request.body).unwrap_or(JsValue::NULL);
        let place = bindings::place_of(ObjectName::Account(account));
        let sent = driver::operation(|id| {
            let (env, name) = (self.env.as_ref(), &place.name);
            let (method, url) = (request.method.as_str(), request.url.as_str());
            driver::call_object(
                id,
                env,
                place.binding,
                name,
                place.location,
                method,
                url,
                &headers,
                &body,
            );
        });
        let sent = sent.await.map_err(interrupted)?;
        Ok(ObjectResponse {
            status: convert::status(sent.status),
            offers_lease: !sent.text.is_empty(),
            response: sent.value,
        })
    }
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

fn interrupted(error: String) -> ObjectFault {
    let reason = Value::String(error);
    console_error!("{{\"level\":\"error\",\"event\":\"object_interrupted\",\"reason\":{reason}}}");
    ObjectFault::Interrupted
}
