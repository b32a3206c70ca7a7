//! The data plane at the front Worker: a call is made here with a lease, or handed over to its account's object.

use std::borrow::Cow;
use std::rc::Rc;

use http::{HeaderMap, Method};
use serde_json::json;
use url::Url;

use super::caller::Caller;
use super::{FrontReply, RequestContext, all_pages, budget};
use crate::error::{Code, Failure};
use crate::flows::base::body;
use crate::flows::call::leased::{self, LeasedRequest, Lent, request_lease};
use crate::ids::AccountId;
use crate::json::{self, Path};
use crate::ports::{
    Body, Budget, HandOver, Incoming, ObjectFault, ObjectRoute, Outside, Reply, ReplyStatus,
};
use crate::proxy::{Target, headers};
use crate::settings::ADMIN_BODY_BYTES;

/// Makes a call with a lease, or hands it over to its account's object.
pub(super) async fn hand_over_call<O: Outside>(
    context: &RequestContext<'_, O>,
    caller: &Caller,
    target: Target,
    request: Incoming<O::Stream>,
) -> Result<FrontReply<O>, Failure> {
    let account = checked(caller, &request)?;
    let budget = budget_of(context.outside, &request)?;
    let pages = all_pages::wanted(&request.headers)?;
    let (outside, leases) = (context.outside, context.leases);
    let (visibility, wanted) = (caller.visibility(), (&request.headers, pages));
    let (target, request) = match leases.usable(account, outside.now(), &visibility, wanted) {
        None => (target, request),
        // Boxed: it has the whole call, which a call of the object does not need here.
        Some(lent) => {
            let made = Box::pin(leased(context, caller, (target, budget), lent, request));
            match made.await? {
                Ok(reply) => return Ok(FrontReply::Own(reply)),
                Err(back) => back,
            }
        }
    };
    let route = ObjectRoute::Call(target, budget, pages);
    let mut reply = hand_over(context, caller, account, route, request).await?;
    if reply.take_lease_offer() {
        request_lease(outside, leases, account, &visibility);
    }
    Ok(FrontReply::Object(reply))
}

/// Makes a call with a lease, or gives it back: the account's object makes it.
async fn leased<O: Outside>(
    context: &RequestContext<'_, O>,
    caller: &Caller,
    (target, budget): (Target, Budget),
    lent: Rc<Lent>,
    request: Incoming<O::Stream>,
) -> Result<Result<Reply<O::Stream>, (Target, Incoming<O::Stream>)>, Failure> {
    let request = LeasedRequest {
        // A leased call does not read it.
        hand_over: hand_over_of(context, caller, ObjectRoute::Webhook),
        target,
        budget,
        request: Incoming {
            headers: headers::for_hand_over(&request.headers),
            body: body::hold_small(context.outside, request.body, &context.room).await?,
            ..request
        },
    };
    let front = (context.outside, context.isolate, context.leases);
    match leased::call(front, lent, request).await {
        Ok(reply) => Ok(Ok(reply)),
        Err(back) => Ok(Err((back.target, back.request))),
    }
}

fn hand_over_of<O: Outside>(
    context: &RequestContext<'_, O>,
    caller: &Caller,
    route: ObjectRoute,
) -> HandOver {
    HandOver {
        route,
        request_id: context.request_id.to_owned(),
        visibility: caller.visibility(),
        caller: caller.name(),
        token: caller.token_hash(),
        raw_target: None,
    }
}

/// Hands the run of an action over to its account's object.
pub(super) async fn hand_over_action<O: Outside>(
    context: &RequestContext<'_, O>,
    caller: &Caller,
    name: String,
    request: Incoming<O::Stream>,
) -> Result<FrontReply<O>, Failure> {
    let account = checked(caller, &request)?;
    let budget = budget_of(context.outside, &request)?;
    let route = ObjectRoute::Action(name, budget);
    let reply = hand_over(context, caller, account, route, request).await;
    // The action may have changed the account.
    context.leases.end(account);
    reply.map(FrontReply::Object)
}

/// Hands a batch over to its account's object. The account is named in the body.
pub(super) async fn hand_over_batch<O: Outside>(
    context: &RequestContext<'_, O>,
    caller: &Caller,
    request: Incoming<O::Stream>,
) -> Result<O::ObjectReply, Failure> {
    let budget = budget_of(context.outside, &request)?;
    let (outside, room) = (context.outside, &context.room);
    let body = body::read(outside, request.body, ADMIN_BODY_BYTES, room).await?;
    let text = str::from_utf8(&body).unwrap_or_default();
    let named = json::cut(text, &Path::of_one("integrated_account_id"));
    let named = named.map_err(|error| {
        Failure::new(Code::Malformed, format!("The body is not JSON: {error}."))
    })?;
    let named = named.map(|text| text.trim_matches('"'));
    let account = caller.account(named.filter(|text| *text != "null"))?;
    let request = Incoming {
        body: Body::from_bytes(body),
        ..request
    };
    hand_over(
        context,
        caller,
        account,
        ObjectRoute::Batch(budget),
        request,
    )
    .await
}

/// The account of a request that may be handed over.
fn checked<S>(caller: &Caller, request: &Incoming<S>) -> Result<AccountId, Failure> {
    let account = caller.account(account_in(&request.url)?.as_deref())?;
    refuse_body_of_get(request)?;
    refuse_unknown(&request.headers)?;
    Ok(account)
}

/// When the object was restarted, a request that may be sent twice and can be, is.
async fn hand_over<O: Outside>(
    context: &RequestContext<'_, O>,
    caller: &Caller,
    account: AccountId,
    route: ObjectRoute,
    request: Incoming<O::Stream>,
) -> Result<O::ObjectReply, Failure> {
    let hand_over = hand_over_of(context, caller, route);
    let method = request.method.clone();
    let first = Incoming {
        headers: headers::for_hand_over(&request.headers),
        body: body::hold_small(context.outside, request.body, &context.room).await?,
        ..request
    };
    // What is made once is known as begun by now, and is not made a second time.
    let has_key = first.headers.contains_key("idempotency-key");
    let second = copy_to_repeat(&first).filter(|_| method.is_idempotent() && !has_key);
    let outcome = context.outside.call(account, &hand_over, first).await;
    let outcome = match (outcome, second) {
        (Err(ObjectFault::Interrupted), Some(request)) => {
            context.outside.call(account, &hand_over, request).await
        }
        (outcome, _) => outcome,
    };
    outcome.map_err(|fault| not_answered(context, account, fault))
}

fn budget_of<O: Outside>(outside: &O, request: &Incoming<O::Stream>) -> Result<Budget, Failure> {
    budget::read(&request.headers, outside.settings().call_timeout)
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
    let message = format!(
        "The header {name} has bytes that are not UTF-8, or a control character: encode its value."
    );
    Err(Failure::new(Code::Malformed, message))
}

/// The account in the query of a call, which may have other parameters, too.
fn account_in(url: &Url) -> Result<Option<Cow<'_, str>>, Failure> {
    let mut named = url
        .query_pairs()
        .filter(|(name, _)| name == "integrated_account_id")
        .map(|(_, value)| value);
    let first = named.next();
    if named.next().is_some() {
        return Err(Failure::new(
            Code::Malformed,
            "integrated_account_id is given more than once in the query.",
        ));
    }
    Ok(first)
}

fn copy_to_repeat<S>(request: &Incoming<S>) -> Option<Incoming<S>> {
    let body: Body<S> = request.body.again()?;
    Some(Incoming {
        method: request.method.clone(),
        url: request.url.clone(),
        raw_target: None,
        headers: request.headers.clone(),
        body,
    })
}

pub(super) fn not_answered<O: Outside>(
    context: &RequestContext<'_, O>,
    account: AccountId,
    fault: ObjectFault,
) -> Failure {
    context.outside.log(&json!({ "level": "error", "event": "object_silent", "request_id": context.request_id, "integrated_account_id": account, "reason": fault.to_string() }));
    match fault {
        ObjectFault::Interrupted => Failure::new(
            Code::Storage,
            "The account's object was restarted. A write may or may not have reached the provider.",
        )
        .with_retry_after(1),
        ObjectFault::Timeout => Failure::new(Code::Timeout, "The call took longer than it may."),
    }
}
