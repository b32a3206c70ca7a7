//! The responses to a provider's webhooks.

use std::future::Future;

use futures_util::FutureExt;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use crate::error::Failure;
use crate::flows::base::reply;
use crate::flows::base::within::within;
use crate::flows::ingress::Received;
use crate::ids::EventId;
use crate::ports::{Body, Outside, Reply};
use crate::settings::RECEIVE_TIMEOUT;
use crate::webhook::Handshake;

/// The stored events of one account.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum StoredEvents {
    /// One event.
    One { id: EventId },
    /// None, or several.
    Several { ids: Vec<EventId> },
}

impl From<Vec<EventId>> for StoredEvents {
    fn from(ids: Vec<EventId>) -> Self {
        match ids.as_slice() {
            [id] => Self::One { id: *id },
            _ => Self::Several { ids },
        }
    }
}

/// The stored events of the accounts of an install.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub struct MatchedEvents {
    /// The number of accounts.
    matched: usize,
    ids: Vec<EventId>,
}

/// The response to a webhook that is stored in time; else 503, so that its sender repeats it.
pub async fn answered_in_time<O: Outside>(
    outside: &O,
    received: impl Future<Output = Result<Received, Failure>>,
) -> Result<Reply<O::Stream>, Failure> {
    // On the heap: the future is large, and so would be each future that holds it.
    let received = within(outside, RECEIVE_TIMEOUT, received.boxed_local()).await;
    let timed_out = || Failure::busy("The webhook could not be stored in time. Try again.");
    received.unwrap_or_else(|| Err(timed_out())).map(reply_of)
}

fn reply_of<S>(received: Received) -> Reply<S> {
    match received {
        Received::Handshake(handshake) => reply_of_handshake(*handshake),
        Received::Stored(ids) => reply::json(StatusCode::OK, &StoredEvents::from(ids)),
        Received::Matched(matched, ids) => {
            reply::json(StatusCode::OK, &MatchedEvents { matched, ids })
        }
    }
}

/// The request decides the content, so the response is sandboxed: it can never act as a page of the gateway.
fn reply_of_handshake<S>(handshake: Handshake) -> Reply<S> {
    let mut headers = handshake.headers;
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Reply {
        status: handshake.status,
        headers,
        body: Body::from_bytes(handshake.body),
    }
}
