//! The response to a call that failed, in the object and in the front Worker.

use serde_json::json;

use crate::error::Failure;
use crate::flows::base::memory::drained::until_drained;
use crate::flows::base::reply;
use crate::flows::call::account::{LiveAccount, StreamOf};
use crate::ports::{Outside, Reply};
use crate::proxy::headers::keep_harmless;

/// The failure as a response. It can contain a long response of the provider, so it takes memory from the budget.
pub(in crate::flows) fn failed_reply<A: LiveAccount>(
    account: &A,
    request_id: &str,
    failure: Failure,
) -> Reply<StreamOf<A>> {
    let system = account.system();
    log_failure(system, request_id, &failure);
    let reply = until_drained(system, account.room(), reply::failure(&failure, request_id));
    let mut reply = reply.unwrap_or_else(|late| {
        // Without memory for that response, the failure of a made write is sent without it.
        let failure = match failure.write_made() {
            Some(_) => failure.without_raw_response(),
            None => late,
        };
        log_failure(system, request_id, &failure);
        reply::failure(&failure, request_id)
    });
    keep_harmless(&mut reply.headers);
    reply
}

/// Logs a failure that only the operator can fix.
pub(in crate::flows) fn log_failure(outside: &impl Outside, request_id: &str, failure: &Failure) {
    if failure.status() >= 500 && failure.remote.is_none() {
        outside.log(&json!({ "level": "error", "event": "call_failed", "request_id": request_id, "code": failure.code.as_str(), "message": failure.message }));
    }
}
