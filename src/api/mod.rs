//! Our HTTP API: the only row that knows our URLs. A request becomes a [`route::Route`], its sender a
//! `caller::Caller` with rights, and what the flows give becomes an answer.

mod address;
mod admin;
mod all_pages;
mod budget;
mod caller;
mod client_document;
mod connect;
mod health;
mod home;
mod mcp;
pub mod openapi;
mod path_id;
mod proxy;
mod query;
mod record;
pub mod rights;
pub mod route;
mod schema;
mod shape;
pub mod table;
mod unproved;
mod webhook;

use std::rc::Rc;

use data_encoding::HEXLOWER;
use http::header::ALLOW;
use http::{HeaderMap, HeaderValue, Method};
use serde_json::json;
use url::Url;

use crate::error::{Code, Failure};
use crate::flows::base::memory::Room;
use crate::flows::base::memory::drained::until_drained;
use crate::flows::base::{reply, token_rate};
use crate::flows::call::leased::Leases;
use crate::flows::config::isolate::Isolate;
use crate::mcp::head::share;
use crate::ports::{Body, Incoming, Outside, Reply};
use admin::call::AdminCall;
use caller::Caller;
use route::{Route, RouteMatch};

/// What serves one request: the outside, the isolate, the request's id and its memory.
pub(crate) struct RequestContext<'a, O> {
    pub(crate) outside: &'a O,
    pub(crate) isolate: &'a Rc<Isolate>,
    pub(crate) leases: &'a Rc<Leases>,
    pub(crate) request_id: &'a str,
    /// What the request holds: in the share of unproved senders until its token is known to be good.
    pub(crate) room: Room,
}

impl<O: Outside> RequestContext<'_, O> {
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

/// What a request is answered with.
pub enum FrontReply<O: Outside> {
    /// A reply of the front Worker.
    Own(Reply<O::Stream>),
    /// The response of an object, which has its `x-request-id` and lets a page read it.
    Object(O::ObjectReply),
}

impl<O: Outside> FrontReply<O>
where
    O::ObjectReply: Into<Reply<O::Stream>>,
{
    /// The reply, where an object's can be read.
    pub fn into_reply(self) -> Reply<O::Stream> {
        match self {
            Self::Own(reply) => reply,
            Self::Object(reply) => reply.into(),
        }
    }
}

/// Answers one request of the world, at the front Worker; or says why it could not even be read.
pub async fn handle<O: Outside>(
    outside: &O,
    (isolate, leases): (&Rc<Isolate>, &Rc<Leases>),
    request: Result<Incoming<O::Stream>, Failure>,
) -> FrontReply<O> {
    let request_id = HEXLOWER.encode(&outside.random::<16>());
    let context = RequestContext {
        outside,
        isolate,
        leases,
        request_id: &request_id,
        room: isolate.memory.unproved_room(),
    };
    let is_bodiless = request.as_ref().is_ok_and(is_bodiless);
    let page = request
        .as_ref()
        .ok()
        .and_then(|request| mcp::page(outside, request));
    let answer = match request {
        Ok(request) => answer(&context, request).await,
        Err(failure) => Err(failure),
    };
    let own = match answer {
        Ok(FrontReply::Object(reply)) => return FrontReply::Object(reply),
        Ok(FrontReply::Own(reply)) => until_drained(outside, isolate.room(), reply),
        Err(failure) => Err(failure),
    };
    let mut reply = own.unwrap_or_else(|failure| {
        log_ours(&context, &failure);
        reply::failure(&failure, &request_id)
    });
    if is_bodiless {
        reply.body = Body::Empty;
    }
    if let Some(page) = page {
        share(&mut reply.headers, page);
    }
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        reply.headers.insert("x-request-id", id);
    }
    FrontReply::Own(reply)
}

async fn answer<O: Outside>(
    context: &RequestContext<'_, O>,
    request: Incoming<O::Stream>,
) -> Result<FrontReply<O>, Failure> {
    let path = request.url.path();
    let Some((right, route)) = route::lookup(&request.method, path) else {
        return no_route(path, context.request_id).map(FrontReply::Own);
    };
    if route != Route::Health {
        address::check(context.outside.settings(), &request.url, &request.headers)?;
    }
    let own = match route {
        Route::Health => health::get(context, &request.url),
        Route::Home => home::show(context, &request.url),
        Route::IntegrationSchema => schema::get(),
        Route::ClientDocument(id) => {
            client_document::get(context, &id, (&request.url, &request.headers)).await?
        }
        Route::OpenApi => openapi::get(),
        Route::Call(target) => {
            let caller = admit(context, &request.headers, right).await?;
            let reply = proxy::hand_over_call(context, &caller, target, request);
            return reply.await;
        }
        Route::Action(name) => {
            let caller = admit(context, &request.headers, right).await?;
            let reply = proxy::hand_over_action(context, &caller, name, request);
            return reply.await;
        }
        Route::Batch => {
            let caller = admit(context, &request.headers, right).await?;
            let reply = proxy::hand_over_batch(context, &caller, request).await?;
            return Ok(FrontReply::Object(reply));
        }
        Route::Mcp(token) => return mcp::answer(context, &token, request).await,
        Route::Changes => {
            let caller = admit(context, &request.headers, right).await?;
            record::changes(context, &caller, &request).await?
        }
        Route::Record(id) => {
            let caller = admit(context, &request.headers, right).await?;
            record::one(context, &caller, &request.url, id).await?
        }
        Route::Connect(route) => connect::answer(context, route, request).await,
        Route::Webhook(route) => return webhook::answer(context, route, request).await,
        Route::Admin(route) => {
            let caller = admit(context, &request.headers, right).await?;
            let call = AdminCall {
                context,
                caller: &caller,
                url: request.url,
                headers: request.headers,
            };
            table::answer_admin(&call, route, request.body).await?
        }
    };
    Ok(FrontReply::Own(own))
}

/// 404, or 405 where the path has other methods.
fn no_route<S>(path: &str, request_id: &str) -> Result<Reply<S>, Failure> {
    match route::other_methods(path) {
        RouteMatch::OtherMethods(allow) => Ok(method_not_allowed(&allow, request_id)),
        RouteMatch::Route(_) | RouteMatch::Nothing => Err(Failure::new(
            Code::NotFound,
            "There is nothing at this path. GET /openapi.json lists every path.",
        )),
    }
}

/// Whether the answer has no body (RFC 9110 §9.3.2). The answer to a call is the provider's.
fn is_bodiless<S>(request: &Incoming<S>) -> bool {
    request.method == Method::HEAD && !route::is_call(request.url.path())
}

/// Authenticates the caller, counts the request under its token and checks its right.
async fn admit<O: Outside>(
    context: &RequestContext<'_, O>,
    headers: &HeaderMap,
    needed: rights::Right,
) -> Result<Caller, Failure> {
    let caller = Caller::authenticate(context, headers).await?;
    token_rate::count(context.outside, caller.token_key()).await?;
    rights::check(&caller, needed)?;
    if caller.is_proved() {
        context.room.prove()?;
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

fn log_ours<O: Outside>(context: &RequestContext<'_, O>, failure: &Failure) {
    if failure.status() >= 500 {
        let line = json!({ "level": "error", "event": "failed", "request_id": context.request_id, "code": failure.code.as_str(), "message": failure.message });
        context.outside.log(&line);
    }
}

/// A body for a reply.
pub(crate) fn body_of<S>(text: String) -> Body<S> {
    Body::from_bytes(text)
}
