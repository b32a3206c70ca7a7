//! A request within an action. It brings no caller's words: its query is the file's, its body the result of the
//! step before, and its answer is read and becomes the next result.

use std::rc::Rc;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

use crate::config::resource::Method;
use crate::error::{Code, Failure};
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::base::memory::Room;
use crate::flows::base::moment::moment;
use crate::flows::call::account::LiveAccount;
use crate::flows::call::build::{Given, OURS_ON_LIST, Prepared, Values};
use crate::flows::call::current::Current;
use crate::flows::call::driver;
use crate::flows::call::engine::Engine;
use crate::flows::call::engine::protocol::Limit;
use crate::flows::call::engine_response::EngineResponse;
use crate::flows::call::subject::{Errand, Plan, Purpose, Subject};
use crate::flows::call::ways::ActionsWay;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::json::Exact;
use crate::ports::Body;
use crate::proxy::body::{BodySource, Writing};
use crate::proxy::query::CallerQuery;
use crate::time::Timestamp;

/// A request that is to be sent.
pub(in crate::flows) struct StepCall<'a> {
    /// The request, as the file defines it.
    pub(in crate::flows) method: &'a Method,
    /// Whose it is: an action's, or that for a fresh credential.
    pub(in crate::flows) errand: Errand,
    /// What it is for.
    pub(in crate::flows) purpose: Purpose,
    /// What its answer is.
    pub(in crate::flows) whole: Whole,
    /// The whole context, as the steps before left it.
    pub(in crate::flows) context: &'a Value,
    /// Its public half.
    pub(in crate::flows) shown: &'a Value,
    /// The root `id`; null is none.
    pub(in crate::flows) id: Value,
    /// What would be the caller's query, as a raw query.
    pub(in crate::flows) query: String,
    /// The root `body`, and the body where the method defines none; null is none.
    pub(in crate::flows) body: Exact,
}

/// What a method answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::flows) enum Whole {
    /// A list: where there is none, it is empty.
    List,
    /// Anything.
    Any,
}

/// A parsed answer, and the memory it takes while it is held.
pub(in crate::flows) struct Answered {
    /// Cut at the method's `response_path`.
    pub(in crate::flows) value: Exact,
    /// Given back when dropped.
    #[expect(dead_code, reason = "holding it is its use")]
    pub(in crate::flows) room: Room,
}

/// Sends the request and reads its answer.
pub(in crate::flows) async fn call_step<A: LiveAccount>(
    account: &A,
    loaded: &Rc<LoadedAccount>,
    resolved: &ResolvedConfig,
    call: StepCall<'_>,
    deadline: Timestamp,
) -> Result<Answered, Failure> {
    let (errand, context, shown) = (call.errand, call.context, call.shown);
    let prepared = prepare(account, resolved, call)?;
    let current = Current::of_action(Rc::clone(loaded), context, shown);
    let limit = Limit {
        deadline,
        max_retries: None,
    };
    let engine = Engine::new(
        account,
        prepared,
        current,
        Body::Empty,
        limit,
        Rc::default(),
    );
    let way = ActionsWay {
        account,
        is_refresh: errand == Errand::Refresh,
    };
    match driver::run(&way, engine, None).await? {
        EngineResponse::Value(answered) => Ok(answered),
        EngineResponse::Single(_) | EngineResponse::Page(_) => Err(Failure::new(
            Code::Internal,
            "A step had an answer that was not read.",
        )),
    }
}

fn prepare<'a>(
    account: &impl LiveAccount,
    resolved: &'a ResolvedConfig,
    call: StepCall<'a>,
) -> Result<Prepared<'a>, Failure> {
    let ours = match call.whole {
        Whole::List => OURS_ON_LIST,
        Whole::Any => &[],
    };
    let query = CallerQuery::read(&call.query, ours);
    let (method, moment) = (call.method, moment(account.system()));
    let writing = Writing::of(&resolved.compiled.config, method, &moment);
    let text = if method.add_query_to_body {
        text(&writing, &call.body)?
    } else {
        Bytes::new()
    };
    let is_list = false;
    let subject = Subject {
        resolved,
        plan: Plan::Method { method, is_list },
        purpose: call.purpose,
        errand: call.errand,
    };
    let given = Given {
        values: Values {
            id: call.id,
            query: query.to_value(),
            text,
            body: Some(call.body),
        },
        query,
        headers: HeaderMap::new(),
        room: account.room(),
    };
    let prepared = Prepared::new(subject, given, BodySource::Method, moment);
    Ok(prepared.with_whole(call.whole))
}

/// The body as a caller would have written it, where the query is put into it.
fn text(writing: &Writing, body: &Exact) -> Result<Bytes, Failure> {
    if body.is_null() {
        return Ok(Bytes::new());
    }
    Ok(writing.write(body)?.into())
}
