//! One leased call.

use std::rc::Rc;

use super::Leases;
use super::account::LeasedAccount;
use super::lent::Lent;
use crate::error::{Code, Failure};
use crate::flows::base::memory::drained::until_drained;
use crate::flows::call::account::{CallAccount, LiveAccount};
use crate::flows::call::failed::failed_reply;
use crate::flows::call::log::logged_without_key;
use crate::flows::call::trace::Trace;
use crate::flows::call::{Call, CallResponse};
use crate::flows::config::isolate::Isolate;
use crate::ports::{Budget, HandOver, Incoming, Outside, Pages, Reply};
use crate::proxy::Target;
use crate::proxy::headers::keep_harmless;

/// A call that may be sent from here.
pub struct LeasedRequest<S> {
    pub target: Target,
    pub budget: Budget,
    pub hand_over: HandOver,
    pub request: Incoming<S>,
}

/// Makes a call with a lease. Gives the call back where it has to go to the object: the isolate's records do not allow
/// it, or cannot be read.
pub async fn call<O: Outside>(
    (outside, isolate, leases): (&O, &Rc<Isolate>, &Rc<Leases>),
    lent: Rc<Lent>,
    request: LeasedRequest<O::Stream>,
) -> Result<Reply<O::Stream>, LeasedRequest<O::Stream>> {
    let resolved = lent.resolved_config(outside, isolate).await;
    if !resolved.is_ok_and(|resolved| lent.allows(&resolved)) {
        return Err(request);
    }
    let visibility = &request.hand_over.visibility;
    let account = LeasedAccount::new(outside, isolate, leases, visibility, lent);
    let (account, request_id) = (Rc::new(account), request.hand_over.request_id.clone());
    Ok(match answer(&account, request).await {
        Ok(reply) => reply,
        Err(failure) => failed_reply(&*account, &request_id, failure),
    })
}

async fn answer<O: Outside>(
    account: &Rc<LeasedAccount<O>>,
    leased: LeasedRequest<O::Stream>,
) -> Result<Reply<O::Stream>, Failure> {
    let _inside = account.enter()?;
    let LeasedRequest {
        target,
        budget,
        hand_over,
        request,
    } = leased;
    let trace: Rc<Trace> = Rc::default();
    let call = Call::of(target, (budget, Pages::One), &hand_over, request, &trace);
    let CallResponse::Single(reply) = logged_without_key(account, &hand_over, call).await? else {
        return Err(Failure::new(Code::Internal, "A leased call had pages."));
    };
    let mut reply = until_drained(account.system(), account.room(), reply)
        .map_err(|failure| trace.behind_write(failure))?;
    keep_harmless(&mut reply.headers);
    Ok(reply)
}
