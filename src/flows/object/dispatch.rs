//! A request that the front Worker handed over, inside the account's object.

use std::rc::Rc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::header::{CONTENT_TYPE, ORIGIN};
use http::{HeaderValue, Method, StatusCode};

use crate::error::Failure;
use crate::flows::actions::call_action::call_action;
use crate::flows::agents::batch::run_batch;
use crate::flows::base::memory::Room;
use crate::flows::base::memory::drained::until_drained;
use crate::flows::base::memory::values::parse_exact;
use crate::flows::base::{body, reply};
use crate::flows::call::account::{CallAccount, LiveAccount};
use crate::flows::call::account_calls::AccountCalls;
use crate::flows::call::admit::Access;
use crate::flows::call::failed::{failed_reply, log_failure};
use crate::flows::call::list::all_pages::{AllPages, Piece};
use crate::flows::call::log::{logged_action, logged_call};
use crate::flows::call::trace::Trace;
use crate::flows::call::{Call, CallResponse};
use crate::flows::ingress::reply::answered_in_time;
use crate::flows::object::AccountObject;
use crate::json::{Exact, is_deeper};
use crate::mcp::head::share;
use crate::ports::{
    Body, Budget, HandOver, Incoming, LEASE_OFFER, ObjectRoute, Outside, Reply, Storage,
};
use crate::proxy::headers::keep_harmless;
use crate::settings::{ADMIN_BODY_BYTES, ADMIN_BODY_DEPTH, BODY_VALUES};
use crate::time::Timestamp;

/// Answers a request that the front Worker handed over.
pub async fn dispatch<O: Outside, S: Storage>(
    account: &Rc<AccountObject<O, S>>,
    hand_over: HandOver,
    request: Incoming<O::Stream>,
) -> Reply<O::Stream> {
    let request_id = hand_over.request_id.clone();
    let is_call = matches!(hand_over.route, ObjectRoute::Call(..));
    // RFC 9110 section 9.3.2. The response to a call is the provider's.
    let is_bodiless = request.method == Method::HEAD && !is_call;
    let is_mcp = matches!(hand_over.route, ObjectRoute::Mcp(..));
    let origin = request.headers.get(ORIGIN).filter(|_| is_mcp).cloned();
    let mut reply = reply_to(account, hand_over, request, &request_id).await;
    if let Some(origin) = origin {
        share(&mut reply.headers, origin);
    }
    if is_call && account.calls().offers_lease() {
        reply
            .headers
            .insert(LEASE_OFFER, HeaderValue::from_static("1"));
    }
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        reply.headers.insert("x-request-id", id);
    }
    if is_bodiless {
        reply.body = Body::Empty;
    }
    reply
}

async fn reply_to<O: Outside, S: Storage>(
    account: &AccountObject<O, S>,
    hand_over: HandOver,
    request: Incoming<O::Stream>,
    request_id: &str,
) -> Reply<O::Stream> {
    match answer(account, hand_over, request).await {
        Ok(reply) => reply,
        Err(failure) => failed_reply(&**account.calls(), request_id, failure),
    }
}

async fn answer<O: Outside, S: Storage>(
    account: &AccountObject<O, S>,
    hand_over: HandOver,
    request: Incoming<O::Stream>,
) -> Result<Reply<O::Stream>, Failure> {
    let calls = account.calls();
    let _inside = calls.enter()?;
    let trace = Rc::default();
    let reply = route(account, hand_over, request, &trace).await;
    account.syncs.follow_file().await;
    let reply = until_drained(calls.system(), calls.room(), reply?);
    reply.map_err(|failure| trace.behind_write(failure))
}

async fn route<O: Outside, S: Storage>(
    account: &AccountObject<O, S>,
    mut hand_over: HandOver,
    request: Incoming<O::Stream>,
    trace: &Rc<Trace>,
) -> Result<Reply<O::Stream>, Failure> {
    let calls = account.calls();
    match std::mem::replace(&mut hand_over.route, ObjectRoute::Webhook) {
        ObjectRoute::Call(target, budget, pages) => {
            let request = Call::of(target, (budget, pages), &hand_over, request, trace);
            call(calls, &hand_over, request).await
        }
        ObjectRoute::Action(name, budget) => {
            run_action(calls, &hand_over, (&name, budget), request, trace).await
        }
        ObjectRoute::Mcp(api_token, budget) => {
            let answer = account.mcp.answer(hand_over, (api_token, budget), request);
            Box::pin(answer).await
        }
        ObjectRoute::Batch(budget) => Box::pin(run_batch(calls, &hand_over, budget, request)).await,
        ObjectRoute::Webhook => {
            let request = Incoming {
                raw_target: hand_over.raw_target,
                ..request
            };
            let received = account.inbox.receive(&hand_over.request_id, request);
            answered_in_time(calls.system(), received).await
        }
    }
}

async fn call<O: Outside, S: Storage>(
    calls: &Rc<AccountCalls<O, S>>,
    hand_over: &HandOver,
    call: Call<O::Stream>,
) -> Result<Reply<O::Stream>, Failure> {
    match logged_call(calls, hand_over, call).await? {
        CallResponse::Single(reply) => Ok(reply),
        CallResponse::Pages(pages) => Ok(lines(calls, &hand_over.request_id, *pages)),
    }
}

/// The response with all pages, as lines (`application/x-ndjson`) that are produced while the caller reads. The first page
/// has been fetched already.
fn lines<O: Outside, S: Storage>(
    calls: &Rc<AccountCalls<O, S>>,
    request_id: &str,
    pages: AllPages<AccountCalls<O, S>>,
) -> Reply<O::Stream> {
    let mut headers = pages.limits().clone();
    let ndjson = HeaderValue::from_static("application/x-ndjson");
    headers.insert(CONTENT_TYPE, ndjson);
    keep_harmless(&mut headers);
    let state = (pages, Rc::clone(calls), request_id.to_owned());
    let pieces = stream::unfold(state, |(mut pages, calls, request_id)| async move {
        let bytes = match pages.next().await? {
            Piece::Lines(lines) => lines,
            Piece::Broken {
                failure,
                next_cursor,
            } => {
                log_failure(calls.system(), &request_id, &failure);
                let line = reply::last_line(&failure, &request_id, next_cursor.as_deref());
                Bytes::from(line)
            }
        };
        Some((bytes, (pages, calls, request_id)))
    });
    Reply {
        status: StatusCode::OK,
        headers,
        body: Body::Stream(calls.system().stream(pieces.boxed_local())),
    }
}

/// Runs an action. Its input is the body, or null without a body.
async fn run_action<O: Outside, S: Storage>(
    calls: &Rc<AccountCalls<O, S>>,
    hand_over: &HandOver,
    (name, budget): (&str, Budget),
    request: Incoming<O::Stream>,
    trace: &Rc<Trace>,
) -> Result<Reply<O::Stream>, Failure> {
    // The token is checked before the body is read, and again afterwards.
    let access = Access::check(calls, &hand_over.visibility, budget.timeout).await?;
    let room = calls.body_room();
    let input = input(calls.system(), request.body, &room, access.deadline()).await?;
    let access = access.check_again().await?;
    let run = async |access| call_action(access, trace, name, input).await;
    let result = logged_action(access, hand_over, trace, run).await?;
    let mut reply = reply::json(StatusCode::OK, &result);
    keep_harmless(&mut reply.headers);
    Ok(reply)
}

/// The input of an action, with the digits of its numbers as they were sent; null without a body.
async fn input<O: Outside>(
    outside: &O,
    body: Body<O::Stream>,
    room: &Room,
    deadline: Timestamp,
) -> Result<Exact, Failure> {
    let bytes = body::read_until(outside, body, ADMIN_BODY_BYTES, room, Some(deadline)).await?;
    if bytes.is_empty() {
        return Ok(Exact::default());
    }
    let value = parse_exact(&bytes, BODY_VALUES, room);
    let value = value.map_err(|error| error.of_caller("The body"))?;
    if is_deeper(value.inside(), ADMIN_BODY_DEPTH) {
        return Err(Failure::body_too_deep(ADMIN_BODY_DEPTH));
    }
    Ok(value)
}
