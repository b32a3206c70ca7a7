//! Our HTTP API: the only row that knows our URLs. A request becomes a [`route::Route`], its sender a
//! `caller::Caller` with rights, and what the flows give becomes an answer.

mod address;
mod admin;
mod all_pages;
mod budget;
mod caller;
mod connect;
mod health;
mod home;
pub mod openapi;
mod proxy;
mod query;
mod reply;
pub mod rights;
pub mod route;
mod schema;
mod shape;
mod unproved;
mod webhook;

use data_encoding::HEXLOWER;
use http::header::ALLOW;
use http::{HeaderMap, HeaderValue, Method};
use serde_json::json;
use url::Url;

use crate::error::{Code, Failure};
use crate::flows::base::memory::Room;
use crate::flows::base::memory::drained::until_drained;
use crate::flows::config::isolate::Isolate;
use crate::ports::{Body, Incoming, Outside, Reply};
use crate::settings::RATE_PERIOD;
use caller::Caller;
use route::{Found, Route};

pub use proxy::handle_handed_over;

/// What a request needs at hand.
pub(crate) struct Desk<'a, O> {
    pub(crate) outside: &'a O,
    pub(crate) isolate: &'a Isolate,
    pub(crate) request_id: &'a str,
    /// What the request holds: in the share of unproved senders until its token is known to be good.
    pub(crate) room: Room,
}

impl<O: Outside> Desk<'_, O> {
    /// The origin the world knows us by: `PUBLIC_URL`, or the request's own.
    pub(crate) fn public_url(&self, request: &Url) -> Url {
        let mut base = self
            .outside
            .settings()
            .public_url
            .as_ref()
            .unwrap_or(request)
            .clone();
        base.set_path("/");
        base.set_query(None);
        base.set_fragment(None);
        base
    }
}

/// Answers one request of the world, at the front Worker; or says why it could not even be read.
pub async fn handle<O: Outside>(
    outside: &O,
    isolate: &Isolate,
    request: Result<Incoming<O::Stream>, Failure>,
) -> Reply<O::Stream> {
    let request_id = HEXLOWER.encode(&outside.random::<16>());
    let desk = Desk {
        outside,
        isolate,
        request_id: &request_id,
        room: isolate.memory.unproved_room(),
    };
    let answer = match request {
        Ok(request) => answer(&desk, request).await,
        Err(failure) => Err(failure),
    };
    let answer = answer.and_then(|reply| until_drained(outside, isolate.room(), reply));
    let mut reply = answer.unwrap_or_else(|failure| {
        log_ours(&desk, &failure);
        reply::failure(&failure, &request_id)
    });
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        reply.headers.insert("x-request-id", id);
    }
    reply
}

async fn answer<O: Outside>(
    desk: &Desk<'_, O>,
    request: Incoming<O::Stream>,
) -> Result<Reply<O::Stream>, Failure> {
    let route = match route::find(&request.method, request.url.path()) {
        Found::Route(route) => route,
        Found::OtherMethods(allow) => return Ok(method_not_allowed(&allow, desk.request_id)),
        Found::Nothing => {
            return Err(Failure::new(
                Code::NotFound,
                "There is nothing at this path; the README lists what there is.",
            ));
        }
    };
    if route != Route::Health {
        address::check(desk.outside.settings(), &request.url, &request.headers)?;
    }
    let needed = rights::needed(&route);
    // RFC 9110 §9.3.2; on the data plane it is the provider's.
    let is_bodiless = request.method == Method::HEAD && !matches!(route, Route::Call(_));
    let answer = match route {
        Route::Health => Ok(health::get(desk, &request.url)),
        Route::Home => Ok(home::show(desk, &request.url)),
        Route::IntegrationSchema => Ok(schema::get()),
        Route::OpenApi => Ok(openapi::get()),
        Route::Call(_) | Route::Action(_) => {
            let caller = admit(desk, &request.headers, needed).await?;
            proxy::hand_over(desk, &caller, request).await
        }
        Route::Connect(route) => Ok(connect::answer(desk, route, request).await),
        Route::Webhook(route) => webhook::answer(desk, route, request).await,
        Route::Admin(route) => {
            let caller = admit(desk, &request.headers, needed).await?;
            admin::answer(desk, &caller, route, request).await
        }
    };
    answer.map(|reply| {
        if is_bodiless {
            without_body(reply)
        } else {
            reply
        }
    })
}

fn without_body<S>(reply: Reply<S>) -> Reply<S> {
    let body = Body::Empty;
    Reply { body, ..reply }
}

/// Who is asking, when he may.
async fn admit<O: Outside>(
    desk: &Desk<'_, O>,
    headers: &HeaderMap,
    needed: rights::Right,
) -> Result<Caller, Failure> {
    let caller = Caller::authenticate(desk, headers).await?;
    if !desk.outside.admits(caller.token_key()).await {
        let words = "This token has sent as many requests as it may for now (TOKEN_RATE).";
        return Err(Failure::too_many_requests(words, RATE_PERIOD.as_secs()));
    }
    rights::check(&caller, needed)?;
    if caller.is_proved() {
        desk.room.prove()?;
    }
    Ok(caller)
}

fn method_not_allowed<S>(allow: &str, request_id: &str) -> Reply<S> {
    let failure = Failure::new(Code::MethodNotAllowed, format!("This path takes {allow}."));
    let mut reply = reply::failure(&failure, request_id);
    if let Ok(allow) = HeaderValue::from_str(allow) {
        reply.headers.insert(ALLOW, allow);
    }
    reply
}

fn log_ours<O: Outside>(desk: &Desk<'_, O>, failure: &Failure) {
    if failure.status() >= 500 {
        let line = json!({ "level": "error", "event": "failed", "request_id": desk.request_id, "code": failure.code.as_str(), "message": failure.message });
        desk.outside.log(&line);
    }
}

/// A body for a reply.
pub(crate) fn body_of<S>(text: String) -> Body<S> {
    Body::from_bytes(text)
}
