//! Sends messages and requests to Durable Objects. A message has a time limit. A request has none here: the object keeps
//! the request's own, and a panic rejects what waits for it.

use std::time::Duration;

use data_encoding::BASE64_NOPAD;
use http::{HeaderMap, Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;
use wasm_bindgen::JsValue;
use worker::console_error;

use super::edge::{Edge, in_time};
use super::stream::JsStream;
use super::{bindings, convert, driver};
use crate::ids::AccountId;
use crate::ports::{HandOver, Incoming, ObjectFault, ObjectName, Objects, ReplyStatus};

/// Marks a message of `flows::messages`.
pub const MESSAGE: &str = "x-causeway-ask";
/// Carries a [`Forwarded`], JSON in base64: one header field costs the platform less than those of the caller.
pub const FORWARDED: &str = "x-causeway-hand-over";

/// What a forwarded request says besides its method, URL and body.
#[derive(Serialize, Deserialize)]
struct Forwarded<T> {
    hand_over: T,
    /// The sender's header fields as lines: see [`convert::headers_in`].
    headers: String,
}

/// The response of an object. The front Worker passes it on without reading it.
pub struct ObjectResponse {
    status: StatusCode,
    pub response: JsValue,
}

impl ReplyStatus for ObjectResponse {
    fn status(&self) -> StatusCode {
        self.status
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
        let forwarded = forwarded(hand_over, &request.headers);
        let headers = format!("{{\"{FORWARDED}\":\"{forwarded}\"}}");
        let body = convert::body_out(request.body).unwrap_or(JsValue::NULL);
        let place = bindings::place_of(ObjectName::Account(account));
        let sent = driver::operation(|id| {
            let (env, name) = (self.env.as_ref(), &place.name);
            driver::call_object(
                id,
                env,
                place.binding,
                name,
                place.location,
                request.method.as_str(),
                request.url.as_str(),
                &headers,
                &body,
            );
        });
        let sent = sent.await.map_err(interrupted)?;
        Ok(ObjectResponse {
            status: convert::status(sent.status),
            response: sent.value,
        })
    }
}

fn forwarded(hand_over: &HandOver, headers: &HeaderMap) -> String {
    let forwarded = Forwarded {
        hand_over,
        headers: convert::header_lines(headers),
    };
    BASE64_NOPAD.encode(&serde_json::to_vec(&forwarded).unwrap_or_default())
}

/// Reads what [`forwarded`] wrote, with the body of the request that carries it.
pub fn hand_over_in(request: &web_sys::Request) -> Option<(HandOver, Incoming<JsStream>)> {
    let json = BASE64_NOPAD.decode(driver::field_of(request, FORWARDED).as_bytes());
    let forwarded: Forwarded<HandOver> = serde_json::from_slice(&json.ok()?).ok()?;
    let headers = convert::headers_in(&forwarded.headers);
    let incoming = Incoming {
        method: Method::from_bytes(request.method().as_bytes()).ok()?,
        url: Url::parse(&request.url()).ok()?,
        raw_target: None,
        body: convert::body_in(driver::body_of(request), &headers),
        headers,
    };
    Some((forwarded.hand_over, incoming))
}

fn interrupted(error: String) -> ObjectFault {
    let reason = Value::String(error);
    console_error!("{{\"level\":\"error\",\"event\":\"object_interrupted\",\"reason\":{reason}}}");
    ObjectFault::Interrupted
}
