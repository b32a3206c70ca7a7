//! One call to a provider, from inside the account's object; or one for each page of a list. Nothing is written
//! to storage before the answer.

mod answer;
mod attempts;
mod cursor;
mod held;
mod limits;
mod page;
mod send;
mod step;
mod trace;
mod turn;
mod walk;

pub(in crate::flows) use step::{Answered, StepCall, Whole, call_step};
pub use trace::Trace;
pub use walk::{Piece, Walk};

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::config::Config;
use crate::config::resource::Method;
use crate::error::{Code, Failure};
use crate::expression::{Moment, TemplateScope};
use crate::flows::account_object::{AccountObject, Loaded};
use crate::flows::body;
use crate::flows::effective::Effective;
use crate::flows::import_account::install_disabled;
use crate::pagination::Position;
use crate::ports::{Body, Outside, Reply, Sees, Storage, System};
use crate::proxy::body::{BodySource, Writing};
use crate::proxy::query::{CallerQuery, PASSTHROUGH, body_source};
use crate::proxy::reads::reads_body;
use crate::proxy::request::{self, Caller, Draft, Round};
use crate::proxy::{Target, headers, is_read};
use crate::settings::TEMPLATE_BODY_BYTES;
use crate::time::Timestamp;
use answer::Outcome;
use attempts::Retries;
use page::Page;

/// What a caller asks of an account.
pub struct Call<S> {
    /// Where it goes.
    pub target: Target,
    /// The caller's verb.
    pub method: http::Method,
    /// The caller's query, as it was written.
    pub query: String,
    /// The caller's header fields.
    pub headers: HeaderMap,
    /// The caller's body.
    pub body: Body<S>,
    /// How long it may take, or each page of it; retries included.
    pub timeout: Duration,
    /// How often it may be sent again, or each page of it; as often as its verb says when the caller does not.
    pub max_retries: Option<u32>,
    /// How much of a list is wanted; nothing else has pages.
    pub pages: Pages,
    /// What is told of it afterwards.
    pub trace: Rc<Trace>,
}

/// How much of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pages {
    /// A page, in an envelope that leads on.
    One,
    /// All there are, as lines.
    All,
}

/// What a call gives.
pub enum Given<O: Outside, S: Storage> {
    /// One answer.
    Reply(Reply<O::Stream>),
    /// A list from here to its end.
    Walk(Box<Walk<O, S>>),
}

/// Parameters that are ours on every call, and those that are ours on `list` only.
const OURS: &[&str] = &["integrated_account_id", PASSTHROUGH[0], PASSTHROUGH[1]];
const OURS_ON_LIST: &[&str] = &[
    "integrated_account_id",
    PASSTHROUGH[0],
    PASSTHROUGH[1],
    "limit",
    "next_cursor",
];

/// What a call runs with once it is clear that it may run.
struct Work<'a, O, S> {
    object: &'a AccountObject<O, S>,
    loaded: &'a Loaded,
    /// The account's whole context; that of a running action may be ahead of what is stored.
    context: &'a Value,
    effective: &'a Effective,
    plan: Plan<'a>,
    values: Values,
    deadline: Timestamp,
    moment: Moment,
    source: BodySource,
    pages: Pages,
    /// The page of a list that has any.
    page: Option<Page<'a>>,
    retries: Retries,
    trace: Rc<Trace>,
}

/// What the file says of the target.
#[derive(Clone, Copy)]
enum Plan<'a> {
    Method {
        method: &'a Method,
        is_list: bool,
    },
    Custom {
        path: &'a str,
        verb: &'a http::Method,
    },
}

/// The caller's part of the roots of placeholders.
struct Values {
    id: Value,
    query: Value,
    body: Option<Value>,
    /// The body as it was written, where something may be put into it; else empty.
    text: Bytes,
}

/// Makes a call in the name of an account that the caller may see.
pub async fn proxy_call<O: Outside, S: Storage>(
    object: &Rc<AccountObject<O, S>>,
    sees: &Sees,
    mut call: Call<O::Stream>,
) -> Result<Given<O, S>, Failure> {
    if call.pages == Pages::All && call.target.is_list() {
        return walk::begin(object, sees, call).await;
    }
    let body = std::mem::replace(&mut call.body, Body::Empty);
    let outcome = made(object, sees, &call, body, None).await?;
    Ok(Given::Reply(outcome.into_reply()))
}

/// Makes a call: one page, where it is about a list. `at` is where a walk has come to.
async fn made<O: Outside, S: Storage>(
    object: &Rc<AccountObject<O, S>>,
    sees: &Sees,
    call: &Call<O::Stream>,
    body: Body<O::Stream>,
    at: Option<Position>,
) -> Result<Outcome<O::Stream>, Failure> {
    let deadline = object.outside.now().plus(call.timeout);
    let (loaded, effective) = callable(object, sees, deadline).await?;
    object.note_use_of(&loaded);
    let plan = plan(&effective.compiled.config, &call.target, &call.method)?;
    call.trace.names(plan);
    refuse_sandbox_write(loaded.account.is_sandbox, plan)?;
    let ours = if call.target.is_list() {
        OURS_ON_LIST
    } else {
        OURS
    };
    let query = CallerQuery::read(&call.query, ours);
    let source = body_source(&call.query).ok_or_else(neither_true_nor_false)?;
    let body = look_at_body(plan, &effective.compiled.config, source, body).await?;
    let values = Values {
        id: id_value(&call.target),
        query: query.to_value(),
        body: body.value,
        text: body.text,
    };
    let headers = headers::from_caller(&call.headers);
    let mut work = Work {
        object,
        loaded: &loaded,
        context: &loaded.context,
        effective: &effective,
        plan,
        values,
        deadline,
        moment: moment(&object.outside),
        source,
        pages: call.pages,
        page: None,
        retries: Retries::up_to(call.max_retries),
        trace: Rc::clone(&call.trace),
    };
    if call.target.is_list() {
        work.page = work.page_of(call, at, &query, &headers)?;
    }
    let draft = work.draft(&query, &headers)?;
    work.note(&draft);
    let body = body.body;
    let again = body.again();
    let reply = work.send(draft, body).await?;
    if reply.status != StatusCode::UNAUTHORIZED || !work.is_signed_in() {
        return work.answer(reply).await;
    }
    let Some(body) = again else {
        object.refresh_for_next(&loaded);
        return work.answer(reply).await;
    };
    let fresh = match object.refreshed_after_refusal(&loaded, deadline).await {
        Ok(fresh) => fresh,
        Err(failure) if failure.code == Code::NeedsReauth => return work.refused(reply).await,
        Err(failure) => return Err(failure),
    };
    drop(reply);
    let work = Work {
        loaded: &fresh,
        context: &fresh.context,
        ..work
    };
    work.trace.puts_off();
    let reply = work.send(work.draft(&query, &headers)?, body).await?;
    if reply.status != StatusCode::UNAUTHORIZED {
        return work.answer(reply).await;
    }
    if object.needs_reauth(&fresh, REFUSED_TWICE).await? {
        work.refused(reply).await
    } else {
        work.answer(reply).await
    }
}

/// What `last_error` says of an account whose refreshed credential was refused.
const REFUSED_TWICE: &str =
    "The provider refused the credential (401), and again after it was refreshed.";

/// An account that the caller may see and that may be called now, and what it is called with.
pub(in crate::flows) async fn callable<O: Outside, S: Storage>(
    object: &Rc<AccountObject<O, S>>,
    sees: &Sees,
    deadline: Timestamp,
) -> Result<(Rc<Loaded>, Effective), Failure> {
    let loaded = object.visible(sees).await?;
    loaded.account.status.check_callable()?;
    let loaded = object.fresh(loaded, deadline).await?;
    let effective = object.effective(&loaded.account).await?;
    if !effective.install.is_enabled {
        return Err(install_disabled());
    }
    Ok((loaded, effective))
}

/// What the expressions that run now know of time and chance.
pub(in crate::flows) fn moment(system: &impl System) -> Moment {
    Moment {
        now_ms: system.now().as_millis(),
        random: system.random(),
    }
}

/// A sandbox account was asked to write.
pub(in crate::flows) fn sandbox_refusal() -> Failure {
    Failure::new(
        Code::MethodNotAllowed,
        "This is a sandbox account: it refuses writes.",
    )
}

/// The method a target names, or that there is none.
fn plan<'a>(
    config: &'a Config,
    target: &'a Target,
    verb: &'a http::Method,
) -> Result<Plan<'a>, Failure> {
    let (resource, name) = match target {
        Target::Custom { path } => return Ok(Plan::Custom { path, verb }),
        Target::Method {
            resource, method, ..
        } => (resource, method),
    };
    let methods = config
        .resource(resource)
        .ok_or_else(|| Failure::not_found("resource of this integration"))?;
    let method = methods.get(name).ok_or_else(|| {
        let known = methods
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", ");
        Failure::new(
            Code::MethodNotAllowed,
            format!("The resource `{resource}` has no method `{name}`; it has: {known}."),
        )
    })?;
    Ok(Plan::Method {
        method,
        is_list: target.is_list(),
    })
}

fn refuse_sandbox_write(is_sandbox: bool, plan: Plan) -> Result<(), Failure> {
    let verb = match plan {
        Plan::Method { method, .. } => &method.method.0,
        Plan::Custom { verb, .. } => verb,
    };
    if is_sandbox && !is_read(verb) {
        return Err(sandbox_refusal());
    }
    Ok(())
}

fn neither_true_nor_false() -> Failure {
    let [name, alias] = PASSTHROUGH;
    Failure::new(
        Code::Malformed,
        format!("{name} (or {alias}) in the query is either true or false."),
    )
}

fn id_value(target: &Target) -> Value {
    match target {
        Target::Method { id: Some(id), .. } => Value::String(id.clone()),
        _ => Value::Null,
    }
}

/// The caller's body, and what of it is needed to make the request.
struct Looked<S> {
    body: Body<S>,
    value: Option<Value>,
    /// As it was written; empty where nothing is put into it.
    text: Bytes,
}

impl<S> Looked<S> {
    fn unread(body: Body<S>) -> Self {
        Self {
            body,
            value: None,
            text: Bytes::new(),
        }
    }
}

/// Reads the caller's body only when the method's templates look into it, or something is put into it.
async fn look_at_body<S: crate::ports::ByteStream>(
    plan: Plan<'_>,
    config: &Config,
    source: BodySource,
    body: Body<S>,
) -> Result<Looked<S>, Failure> {
    let looks = matches!(plan, Plan::Method { method, .. } if reads_body(method, source));
    if !looks && !page::puts_into_body(plan, config, source) {
        return Ok(Looked::unread(body::hold_small(body).await?));
    }
    let bytes: Bytes = body::read(body, TEMPLATE_BODY_BYTES).await?;
    if bytes.is_empty() {
        return Ok(Looked::unread(Body::Empty));
    }
    if !looks {
        return Ok(Looked {
            body: Body::Bytes(bytes.clone()),
            value: None,
            text: bytes,
        });
    }
    let value = serde_json::from_slice(&bytes).map_err(|error| {
        Failure::new(
            Code::Malformed,
            format!("This method looks into the body, which is not JSON: {error}."),
        )
    })?;
    Ok(Looked {
        body: Body::Bytes(bytes.clone()),
        value: Some(value),
        text: bytes,
    })
}

impl<O: Outside, S: Storage> Work<'_, O, S> {
    fn config(&self) -> &Config {
        &self.effective.compiled.config
    }

    fn scope(&self) -> TemplateScope<'_> {
        let compiled = &self.effective.compiled;
        let scope = TemplateScope::new(self.context)
            .with_query(&self.values.query)
            .with_integration(&compiled.integration)
            .with_environment_variables(&compiled.environment_variables);
        let scope = if self.values.id.is_null() {
            scope
        } else {
            scope.with_id(&self.values.id)
        };
        let scope = match &self.page {
            Some(page) => scope.with_pagination(page.values()),
            None => scope,
        };
        self.values
            .body
            .as_ref()
            .map_or(scope, |body| scope.with_body(body))
    }

    fn draft(&self, query: &CallerQuery, headers: &HeaderMap) -> Result<Draft, Failure> {
        let (config, scope) = (self.config(), self.scope());
        let pins = self.effective.compiled.pins(self.object.outside.settings());
        let body = self.values.text.as_ref();
        let caller = Caller {
            query,
            headers,
            body,
            source: self.source,
        };
        let draft = match self.plan {
            Plan::Method { method, .. } => {
                let round = self.page.as_ref().map_or(Round::First, Page::round);
                let writing = Writing::of(config, method, &self.moment);
                let draft =
                    request::of_method(config, method, round, &scope, &pins, &caller, &writing)?;
                match &self.page {
                    Some(page) => page.onto(draft, method, &writing, body)?,
                    None => draft,
                }
            }
            Plan::Custom { path, verb } => {
                request::of_path(config, verb, path, &scope, &pins, &caller)?
            }
        };
        Ok(draft)
    }
}
