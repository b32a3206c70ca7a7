//! A request of an action's step. It uses no parameters of a caller: the file defines its query, its body is the result
//! of the step before, and its parsed answer is the next result.

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
use crate::flows::call::build::{CallerPart, GATEWAY_PARAMETERS_OF_LISTS, Prepared, Values};
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

/// The parameters of a step's request.
pub(in crate::flows) struct StepCall<'a> {
    /// The request, as the file defines it.
    pub(in crate::flows) method: &'a Method,
    /// For whom it is sent: an action, or the refresh of a credential.
    pub(in crate::flows) errand: Errand,
    /// Whether it reads or writes.
    pub(in crate::flows) purpose: Purpose,
    /// What its answer has to be.
    pub(in crate::flows) whole: ExpectedAnswer,
    /// The whole context after the steps before.
    pub(in crate::flows) context: &'a Value,
    /// The public half of the context.
    pub(in crate::flows) shown: &'a Value,
    /// The root `id`; null if there is none.
    pub(in crate::flows) id: Value,
    /// The raw query, in place of a caller's.
    pub(in crate::flows) query: String,
    /// The root `body`, and the request body if the method defines none; null if there is none.
    pub(in crate::flows) body: Exact,
}

/// What a method's answer has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::flows) enum ExpectedAnswer {
    /// A list. A missing list is an empty one.
    List,
    /// Anything.
    Any,
}

/// A parsed answer, and the memory that it takes.
pub(in crate::flows) struct Answered {
    /// Cut at the method's `response_path`.
    pub(in crate::flows) value: Exact,
    /// The header fields of the answer, as expressions see them.
    pub(in crate::flows) headers: Value,
    /// Released on drop.
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
        confirmed: None,
    };
    let engine = Engine::new(
        account,
        prepared,
        current,
        Body::Empty,
        limit,
        Rc::default(),
    );
    let way = ActionsWay { account, errand };
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
    let gateway_parameters = match call.whole {
        ExpectedAnswer::List => GATEWAY_PARAMETERS_OF_LISTS,
        ExpectedAnswer::Any => &[],
    };
    let query = CallerQuery::read(&call.query, gateway_parameters);
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
    let given = CallerPart {
        values: Values {
            id: call.id,
            query: query.to_value(),
            text,
            body: Some(call.body),
        },
        query,
        announced: None,
        headers: HeaderMap::new(),
        room: account.room(),
    };
    let prepared = Prepared::new(subject, given, BodySource::Method, moment);
    Ok(prepared.with_whole(call.whole))
}

/// The body as text, if query values are written into it.
fn text(writing: &Writing, body: &Exact) -> Result<Bytes, Failure> {
    if body.is_null() {
        return Ok(Bytes::new());
    }
    Ok(writing.write(body)?.into())
}
