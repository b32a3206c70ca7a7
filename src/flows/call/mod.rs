//! One proxied call, from inside the account's object: admit → build → reserve → send → respond. Nothing is written to
//! storage before the answer.
//!
//! `log::logged_call` is the entry; it wraps `idempotency`, which wraps `execute`. The `engine` decides and does no
//! I/O, the `driver` carries out what it says.

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
pub(in crate::flows) mod idempotency;
pub(in crate::flows) mod limiter;
pub(in crate::flows) mod list;
pub(in crate::flows) mod log;
pub mod log_line;
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
use crate::ports::{Body, Pages, Reply, System};
use crate::proxy::Target;

/// What a caller asks of an account.
pub(in crate::flows) struct Call<S> {
    /// Where it goes.
    pub(in crate::flows) target: Target,
    /// The caller's method.
    pub(in crate::flows) method: http::Method,
    /// The caller's query, as it was written.
    pub(in crate::flows) query: String,
    /// The caller's header fields.
    pub(in crate::flows) headers: HeaderMap,
    /// The caller's body.
    pub(in crate::flows) body: Body<S>,
    /// How long it may take, or each page of it; retries included.
    pub(in crate::flows) timeout: Duration,
    /// How often it may be sent again, or each page of it; as often as its method says when the caller does not.
    pub(in crate::flows) max_retries: Option<u32>,
    /// How much of a list is wanted; nothing else has pages.
    pub(in crate::flows) pages: Pages,
    /// The hash of the caller's API token, if it is one.
    pub(in crate::flows) token: Option<String>,
    /// What the log says of it afterwards.
    pub(in crate::flows) trace: Rc<Trace>,
}

/// What a call gives.
pub(in crate::flows) enum CallResponse<A: LiveAccount> {
    /// One answer.
    Single(Reply<StreamOf<A>>),
    /// A list from here to its end.
    Pages(Box<AllPages<A>>),
}

/// A call that has ended, or whose pages begin.
pub(in crate::flows) struct Completed<A: LiveAccount> {
    response: Result<CallResponse<A>, Failure>,
    ended: Ended,
}

/// Makes a call in the name of an account that the caller may see.
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

/// One answer: a page, where it is about a list. `at` says which, of a list that is read page after page. A failure says
/// what became of a write.
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
