//! The data plane: at the front Worker a call is handed over to its account's object; there it is made.

use std::rc::Rc;
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};
use serde_json::json;
use url::Url;

use super::budget::Budget;
use super::caller::Caller;
use super::route::{Found, Route, find};
use super::{Desk, all_pages, reply, shape, webhook};
use crate::error::{Code, Failure};
use crate::flows::account_object::AccountObject;
use crate::flows::base::body;
use crate::flows::base::memory::drained::until_drained;
use crate::flows::proxy_call::call::Call;
use crate::flows::proxy_call::trace::Trace;
use crate::flows::recorded_call::{Recorded, recorded_action, recorded_call};
use crate::ids::AccountId;
use crate::ports::{Body, HandOver, Incoming, ObjectFault, Outside, Reply, Storage};
use crate::proxy::headers;

/// What the way to the object and back may take beside the call itself.
const MARGIN: Duration = Duration::from_secs(5);

/// Hands a call over to the account's object. When the object was restarted, a request that may be sent
/// twice and can be, is.
pub(super) async fn hand_over<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    request: Incoming<O::Stream>,
) -> Result<Reply<O::Stream>, Failure> {
    let account = account_in(&request.url, caller.own_account())?;
    refuse_body_of_get(&request)?;
    refuse_unknown(&request.headers)?;
    let budget = budget(desk.outside, &request)?.timeout + MARGIN;
    let hand_over = HandOver {
        request_id: desk.request_id.to_owned(),
        sees: caller.sees(),
        caller: caller.name(),
        token: caller.token_hash(),
        asked: None,
    };
    let method = request.method.clone();
    let first = Incoming {
        headers: headers::for_hand_over(&request.headers),
        body: body::hold_small(desk.outside, request.body, &desk.room).await?,
        ..request
    };
    // What is made once is known as begun by now, and not made by whoever comes second.
    let has_key = first.headers.contains_key("idempotency-key");
    let second = again(&first).filter(|_| method.is_idempotent() && !has_key);
    let outcome = desk.outside.call(account, &hand_over, first, budget).await;
    let outcome = match (outcome, second) {
        (Err(ObjectFault::Interrupted), Some(request)) => {
            desk.outside
                .call(account, &hand_over, request, budget)
                .await
        }
        (outcome, _) => outcome,
    };
    outcome.map_err(|fault| not_answered(desk, account, fault))
}

/// Makes a call that the front Worker handed over, inside the account's object.
pub async fn handle_handed_over<O: Outside, S: Storage>(
    account: &Rc<AccountObject<O, S>>,
    hand_over: &HandOver,
    request: Incoming<O::Stream>,
) -> Reply<O::Stream> {
    let answer = match answer(account, hand_over, request).await {
        Ok(reply) => return reply,
        // It repeats what the provider said, which may be long.
        Err(failure) => {
            log_failure(account, &hand_over.request_id, &failure);
            let reply = reply::failure(&failure, &hand_over.request_id);
            let reply = until_drained(&account.outside, account.isolate.room(), reply);
            // Where there is no memory for the words, the answer to a made write has none.
            reply.map_err(|late| match failure.write_made() {
                Some(_) => failure.without_words(),
                None => late,
            })
        }
    };
    let mut reply = answer.unwrap_or_else(|failure| {
        log_failure(account, &hand_over.request_id, &failure);
        reply::failure(&failure, &hand_over.request_id)
    });
    headers::keep_harmless(&mut reply.headers);
    reply
}

async fn answer<O: Outside, S: Storage>(
    account: &Rc<AccountObject<O, S>>,
    hand_over: &HandOver,
    request: Incoming<O::Stream>,
) -> Result<Reply<O::Stream>, Failure> {
    let _inside = account.enter()?;
    let trace = Rc::default();
    let reply = call(account, hand_over, request, &trace).await?;
    let reply = until_drained(&account.outside, account.isolate.room(), reply);
    reply.map_err(|failure| trace.behind_write(failure))
}

/// What nobody but the operator can mend is told to him.
pub(super) fn log_failure<O: Outside, S: Storage>(
    account: &AccountObject<O, S>,
    request_id: &str,
    failure: &Failure,
) {
    if failure.status() >= 500 && failure.remote.is_none() {
        account.outside.log(&json!({ "level": "error", "event": "call_failed", "request_id": request_id, "code": failure.code.as_str(), "message": failure.message }));
    }
}

async fn call<O: Outside, S: Storage>(
    account: &Rc<AccountObject<O, S>>,
    hand_over: &HandOver,
    request: Incoming<O::Stream>,
    trace: &Rc<Trace>,
) -> Result<Reply<O::Stream>, Failure> {
    let target = match find(&request.method, request.url.path()) {
        Found::Route(Route::Call(target)) => target,
        Found::Route(Route::Webhook(_)) => {
            return webhook::receive(account, hand_over, request).await;
        }
        Found::Route(Route::Action(name)) => {
            return act(account, hand_over, &name, request, trace).await;
        }
        _ => {
            return Err(Failure::new(
                Code::Internal,
                "A call was handed over that is none.",
            ));
        }
    };
    let budget = budget(&account.outside, &request)?;
    let call = Call {
        target,
        pages: all_pages::wanted(&request.headers)?,
        timeout: budget.timeout,
        max_retries: budget.max_retries,
        query: request.url.query().unwrap_or_default().to_owned(),
        method: request.method,
        headers: request.headers,
        body: request.body,
        token: hand_over.token.clone(),
        trace: Rc::clone(trace),
    };
    match recorded_call(account, hand_over, call).await? {
        Recorded::Reply(reply) => Ok(reply),
        Recorded::Walk(walk) => Ok(all_pages::answer(account, &hand_over.request_id, *walk)),
    }
}

/// Runs an action; its input is the body, or null where there is none.
async fn act<O: Outside, S: Storage>(
    account: &Rc<AccountObject<O, S>>,
    hand_over: &HandOver,
    name: &str,
    request: Incoming<O::Stream>,
    trace: &Trace,
) -> Result<Reply<O::Stream>, Failure> {
    let timeout = budget(&account.outside, &request)?.timeout;
    // Nothing is read of a body whose sender's token is not known to be good.
    account.visible(&hand_over.sees).await?;
    let deadline = account.outside.now().plus(timeout);
    let room = account.isolate.memory.body_room(&account.bodies);
    let input =
        shape::read_exact_if_any(&account.outside, request.body, &room, Some(deadline)).await?;
    let result = recorded_action(account, hand_over, name, input, timeout, trace).await?;
    let mut reply = reply::json(StatusCode::OK, &result);
    headers::keep_harmless(&mut reply.headers);
    Ok(reply)
}

fn budget<O: Outside>(outside: &O, request: &Incoming<O::Stream>) -> Result<Budget, Failure> {
    Budget::read(&request.headers, outside.settings().call_timeout)
}

/// The platform sends no body with these (RFC 9110 §9.3.1 gives it no meaning, either).
fn refuse_body_of_get<S>(request: &Incoming<S>) -> Result<(), Failure> {
    let has_none = matches!(request.body, Body::Empty)
        || !matches!(request.method, Method::GET | Method::HEAD);
    has_none.then_some(()).ok_or_else(|| {
        Failure::new(
            Code::Malformed,
            format!("A {} cannot carry a body here.", request.method),
        )
    })
}

/// The platform shows bytes that are no UTF-8 as U+FFFD: what was meant cannot be sent.
fn refuse_unknown(headers: &HeaderMap) -> Result<(), Failure> {
    let Some(name) = headers::unknown_of_caller(headers) else {
        return Ok(());
    };
    let words = format!(
        "The header {name} has bytes that are not UTF-8, or a control character: encode its value."
    );
    Err(Failure::new(Code::Malformed, words))
}

/// The account a call names; an account token stands for its own.
fn account_in(url: &Url, own: Option<AccountId>) -> Result<AccountId, Failure> {
    let mut named = url
        .query_pairs()
        .filter(|(name, _)| name == "integrated_account_id")
        .map(|(_, value)| value);
    let first = named.next();
    if named.next().is_some() {
        return Err(Failure::new(
            Code::Malformed,
            "integrated_account_id stands twice in the query.",
        ));
    }
    let hidden = || Failure::not_found("integrated account");
    match (first.map(|id| id.parse::<AccountId>()), own) {
        (None, Some(own)) => Ok(own),
        (None, None) => Err(Failure::invalid(
            "integrated_account_id",
            "is required in the query",
        )),
        (Some(Ok(id)), None) => Ok(id),
        (Some(Ok(id)), Some(own)) if id == own => Ok(id),
        (Some(_), _) => Err(hidden()),
    }
}

fn again<S>(request: &Incoming<S>) -> Option<Incoming<S>> {
    let body: Body<S> = request.body.again()?;
    Some(Incoming {
        method: request.method.clone(),
        url: request.url.clone(),
        asked: None,
        headers: request.headers.clone(),
        body,
    })
}

fn not_answered<O: Outside>(desk: &Desk<'_, O>, account: AccountId, fault: ObjectFault) -> Failure {
    desk.outside.log(&json!({ "level": "error", "event": "object_silent", "request_id": desk.request_id, "integrated_account_id": account, "reason": fault.to_string() }));
    match fault {
        ObjectFault::Interrupted => Failure::new(
            Code::Storage,
            "The account's object was restarted. A write may or may not have reached the provider.",
        )
        .with_retry_after(1),
        ObjectFault::Timeout => Failure::new(Code::Timeout, "The call took longer than it may."),
    }
}
