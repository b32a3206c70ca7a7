//! One proxied call: admit → build → reserve → send → respond. Before its response, a call writes only a refreshed
//! token, and the record of a write with an `Idempotency-Key`.
//!
//! `log::logged_call` is the entry in the account's object. It wraps `idempotency`, which wraps `execute`.
//! `leased::call` is the entry in the front Worker, without `idempotency`. The `engine` decides and does no I/O; the
//! `driver` executes its steps. The folder uses `account` and `tokens`.

pub(in crate::flows) mod account;
pub mod account_calls;
pub(in crate::flows) mod account_log;
pub(in crate::flows) mod admit;
pub(in crate::flows) mod buffered_body;
pub(in crate::flows) mod build;
pub(in crate::flows) mod caller_body;
pub(in crate::flows) mod current;
pub(in crate::flows) mod driver;
pub(in crate::flows) mod ended;
pub(in crate::flows) mod engine;
pub(in crate::flows) mod engine_response;
pub(in crate::flows) mod failed;
pub(in crate::flows) mod files;
pub(in crate::flows) mod idempotency;
pub mod leased;
pub(in crate::flows) mod lending;
pub(in crate::flows) mod limiter;
pub(in crate::flows) mod list;
pub(in crate::flows) mod log;
pub(in crate::flows) mod log_store;
pub(in crate::flows) mod reserve;
pub(in crate::flows) mod respond;
pub(in crate::flows) mod scope_errors;
pub(in crate::flows) mod small_body;
pub(in crate::flows) mod step;
pub(in crate::flows) mod subject;
pub(in crate::flows) mod trace;
pub(in crate::flows) mod ways;

use crate::flows::call::admit::Access;
use crate::flows::call::list::all_pages::AllPages;
use crate::flows::call::trace::Trace;

use std::rc::Rc;
use std::time::Duration;

use http::HeaderMap;

use crate::error::{Code, Failure};
use crate::flows::call::account::{LiveAccount, StreamOf};
use crate::flows::call::current::Current;
use crate::flows::call::ended::Ended;
use crate::flows::call::engine::Engine;
use crate::flows::call::engine::protocol::{Answer, Limit, Streamed};
use crate::flows::call::engine_response::{EngineResponse, PageResponse};
use crate::flows::call::ways::CallersWay;
use crate::pagination::Position;
use crate::ports::{Body, Budget, HandOver, Incoming, Pages, Reply, System};
use crate::proxy::Target;

/// A caller's request to an account.
pub(in crate::flows) struct Call<S> {
    /// The method of the file, or the path of the provider.
    pub(in crate::flows) target: Target,
    /// The caller's method.
    pub(in crate::flows) method: http::Method,
    /// The caller's raw query.
    pub(in crate::flows) query: String,
    /// The caller's header fields.
    pub(in crate::flows) headers: HeaderMap,
    /// The caller's body.
    pub(in crate::flows) body: Body<S>,
    /// The time limit of the call, or of each page, including retries.
    pub(in crate::flows) timeout: Duration,
    /// How often the call, or each page, may be sent again. `None` leaves it to the HTTP method.
    pub(in crate::flows) max_retries: Option<u32>,
    /// Whether one page of a list or all pages are returned. Only a list has pages.
    pub(in crate::flows) pages: Pages,
    /// The hash of the caller's API token, if the caller has one.
    pub(in crate::flows) token: Option<String>,
    /// The digest of the only request that may be sent, where one was confirmed.
    pub(in crate::flows) confirmed: Option<String>,
    /// The facts for the log.
    pub(in crate::flows) trace: Rc<Trace>,
}

impl<S> Call<S> {
    pub(in crate::flows) fn of(
        target: Target,
        (budget, pages): (Budget, Pages),
        hand_over: &HandOver,
        request: Incoming<S>,
        trace: &Rc<Trace>,
    ) -> Self {
        Self {
            target,
            pages,
            timeout: budget.timeout,
            max_retries: budget.max_retries,
            query: request.url.query().unwrap_or_default().to_owned(),
            method: request.method,
            headers: request.headers,
            body: request.body,
            token: hand_over.token.clone(),
            confirmed: None,
            trace: Rc::clone(trace),
        }
    }
}

/// The response to a call.
pub(in crate::flows) enum CallResponse<A: LiveAccount> {
    /// A single response.
    Single(Reply<StreamOf<A>>),
    /// All pages of a list.
    Pages(Box<AllPages<A>>),
}

/// A call that has ended, or whose first page is read.
pub(in crate::flows) struct Completed<A: LiveAccount> {
    response: Result<CallResponse<A>, Failure>,
    ended: Ended,
}

/// Makes a call of an account that the caller may see.
async fn execute<A: LiveAccount>(
    access: Access<'_, A>,
    mut call: Call<StreamOf<A>>,
) -> Completed<A> {
    let (trace, method) = (Rc::clone(&call.trace), call.method.clone());
    let response = if call.pages == Pages::All && call.target.is_list() {
        crate::flows::call::list::all_pages::begin(access, call).await
    } else {
        let body = std::mem::replace(&mut call.body, Body::Empty);
        let outcome = execute_one(access, &call, body, None).await;
        outcome.and_then(single).map(CallResponse::Single)
    };
    Completed {
        ended: Ended::of(&response, &trace, &method),
        response,
    }
}

/// Makes one request; for a list, of one page. `at` is the page's position during auto-pagination. A failure says
/// whether a write was made.
async fn execute_one<A: LiveAccount>(
    access: Access<'_, A>,
    call: &Call<StreamOf<A>>,
    body: Body<StreamOf<A>>,
    at: Option<Position>,
) -> Result<EngineResponse<StreamOf<A>>, Failure> {
    let outcome = try_one(access, call, body, at).await;
    outcome.map_err(|failure| call.trace.behind_write(failure))
}

async fn try_one<A: LiveAccount>(
    access: Access<'_, A>,
    call: &Call<StreamOf<A>>,
    body: Body<StreamOf<A>>,
    at: Option<Position>,
) -> Result<EngineResponse<StreamOf<A>>, Failure> {
    let admitted = access.admit().await?;
    let (account, loaded) = (admitted.account(), admitted.loaded());
    account.note_use(loaded);
    let (prepared, body) = crate::flows::call::build::build(&admitted, call, body, at).await?;
    let (body, stream) = match body {
        Body::Empty => (Body::Empty, None),
        Body::Bytes(bytes) => (Body::Bytes(bytes), None),
        Body::Stream(stream) => (Body::Stream(Streamed), Some(stream)),
    };
    let limit = Limit {
        deadline: admitted.deadline(),
        max_retries: call.max_retries,
        confirmed: call.confirmed.clone(),
    };
    let (current, trace) = (Current::of_call(Rc::clone(loaded)), Rc::clone(&call.trace));
    let engine = Engine::new(&**account, prepared, current, body, limit, trace);
    let way = CallersWay {
        account,
        visibility: admitted.visibility(),
        read_at: account.system().now(),
    };
    crate::flows::call::driver::run(&way, engine, stream).await
}

fn single<S>(outcome: EngineResponse<S>) -> Result<Reply<S>, Failure> {
    match outcome {
        EngineResponse::Single(reply) => Ok(reply),
        EngineResponse::Page(list) => Ok(PageResponse::into_reply(list)),
        EngineResponse::Value(_) => {
            Err(Failure::new(Code::Internal, "A call had a step's result."))
        }
    }
}
