//! Where providers send to: without a token, for the signature is the proof. An account's webhook is handed over to
//! its object, body as a handle; an install's is verified at the front Worker.

use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use futures_util::FutureExt;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, StatusCode};
use serde_json::json;

use super::route::WebhookRoute;
use super::{Desk, body_of, reply};
use crate::error::Failure;
use crate::flows::account_object::AccountObject;
use crate::flows::receive::{Received, receive_for_install};
use crate::flows::within::within;
use crate::ids::AccountId;
use crate::ports::{Body, HandOver, Incoming, Outside, Reply, Sees, Storage};
use crate::proxy::headers;
use crate::settings::RECEIVE_TIMEOUT;
use crate::webhook::Handshake;

/// What the way to the object and back may take beside the work there.
const MARGIN: Duration = Duration::from_secs(5);

/// Answers a provider, at the front Worker.
pub(super) async fn answer<O: Outside>(
    desk: &Desk<'_, O>,
    route: WebhookRoute,
    request: Incoming<O::Stream>,
) -> Result<Reply<O::Stream>, Failure> {
    let request = without_body_of_get(request);
    match route {
        WebhookRoute::Account(id) => hand_over(desk, &id, request).await,
        WebhookRoute::Install(id) => {
            let (outside, isolate) = (desk.outside, desk.isolate);
            let received = receive_for_install(outside, isolate, desk.request_id, &id, request);
            in_time(outside, received).await.map(said)
        }
    }
}

/// The platform sends no body with a GET (RFC 9110 §9.3.1 gives it no meaning, either).
fn without_body_of_get<S>(request: Incoming<S>) -> Incoming<S> {
    if request.method != Method::GET {
        return request;
    }
    Incoming {
        body: Body::Empty,
        ..request
    }
}

async fn hand_over<O: Outside>(
    desk: &Desk<'_, O>,
    id: &str,
    request: Incoming<O::Stream>,
) -> Result<Reply<O::Stream>, Failure> {
    let hidden = |_| Failure::not_found("integrated account");
    let account: AccountId = id.parse().map_err(hidden)?;
    let hand_over = HandOver {
        request_id: desk.request_id.to_owned(),
        sees: Sees::All,
        caller: "webhook".to_owned(),
        token: None,
    };
    let request = Incoming {
        headers: headers::of_webhook(&request.headers),
        ..request
    };
    let outcome = desk
        .outside
        .call(account, &hand_over, request, RECEIVE_TIMEOUT + MARGIN)
        .await;
    outcome.map_err(|fault| {
        let line = json!({ "level": "error", "event": "object_silent", "request_id": desk.request_id, "integrated_account_id": account, "reason": fault.to_string() });
        desk.outside.log(&line);
        Failure::storage()
    })
}

/// Answers it inside the account's object.
pub(super) async fn receive<O: Outside, S: Storage>(
    account: &Rc<AccountObject<O, S>>,
    hand_over: &HandOver,
    request: Incoming<O::Stream>,
) -> Result<Reply<O::Stream>, Failure> {
    let received = account.receive(&hand_over.request_id, request);
    in_time(&account.outside, received).await.map(said)
}

/// What a sender may wait for in all; then it shall send again.
async fn in_time(
    outside: &impl Outside,
    received: impl Future<Output = Result<Received, Failure>>,
) -> Result<Received, Failure> {
    // On the heap: it is large, and each future that holds it would be, too.
    let received = within(outside, RECEIVE_TIMEOUT, received.boxed_local()).await;
    received.unwrap_or_else(|| {
        Err(Failure::busy(
            "The webhook could not be stored in time. Try again.",
        ))
    })
}

fn said<S>(received: Received) -> Reply<S> {
    match received {
        Received::Handshake(handshake) => said_to_handshake(*handshake),
        Received::Stored(ids) => match ids.as_slice() {
            [id] => reply::json(StatusCode::OK, &json!({ "id": id })),
            ids => reply::json(StatusCode::OK, &json!({ "ids": ids })),
        },
        Received::Matched(matched, ids) => {
            reply::json(StatusCode::OK, &json!({ "matched": matched, "ids": ids }))
        }
    }
}

/// What a provider's request made us say can never be a page of ours.
fn said_to_handshake<S>(handshake: Handshake) -> Reply<S> {
    let mut headers = handshake.headers;
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Reply {
        status: handshake.status,
        headers,
        body: body_of(handshake.body),
    }
}
