//! One proxied call, from inside the account's object: admit → build → reserve → send → respond. Nothing is written to
//! storage before the answer.
//!
//! [`log::logged_call`] is the entry; it wraps `idempotency`, which wraps [`execute`]. The [`engine`] decides and does no
//! I/O, the [`driver`] carries out what it says.

pub(in crate::flows) mod account;
mod admit;
mod buffered_body;
mod build;
mod caller_body;
mod current;
mod driver;
mod ended;
mod engine;
mod engine_response;
pub(in crate::flows) mod idempotency;
mod list;
mod log;
mod reserve;
mod respond;
mod small_body;
mod step;
mod subject;
mod trace;
mod ways;

pub(in crate::flows) use admit::Access;
pub(in crate::flows) use build::moment;
pub(in crate::flows) use list::{AllPages, Piece};
pub(in crate::flows) use log::{logged_action, logged_call};
pub(in crate::flows) use step::{Answered, StepCall, Whole, call_step};
pub(in crate::flows) use subject::{Errand, Purpose, sandbox_refusal};
pub(in crate::flows) use trace::Trace;

use std::rc::Rc;
use std::time::Duration;

use http::HeaderMap;

use crate::error::{Code, Failure};
use crate::pagination::Position;
use crate::ports::{Body, Pages, Reply, System};
use crate::proxy::Target;
use account::{LiveAccount, StreamOf};
use current::Current;
use ended::Ended;
use engine::{Answer, Engine, Limit, Streamed};
use engine_response::{EngineResponse, ListPage};
use ways::CallersWay;

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
struct Completed<A: LiveAccount> {
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
        list::begin(access, call).await
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
    let (prepared, body) = build::build(&admitted, call, body, at).await?;
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
        sees: admitted.sees(),
        read_at: account.system().now(),
    };
    driver::run(&way, engine, stream).await
}

fn single<S>(outcome: EngineResponse<S>) -> Result<Reply<S>, Failure> {
    match outcome {
        EngineResponse::Single(reply) => Ok(reply),
        EngineResponse::Page(list) => Ok(ListPage::into_reply(list)),
        EngineResponse::Value(_) => {
            Err(Failure::new(Code::Internal, "A call had a step's result."))
        }
    }
}
