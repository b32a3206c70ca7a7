//! One call to a provider, from inside the account's object. Nothing is written to storage before the
//! answer.

mod answer;
mod attempts;
mod limits;
mod send;
mod step;
mod trace;
mod turn;

pub(in crate::flows) use step::{Answered, StepCall, Whole, call_step};
pub use trace::Trace;

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::config::Config;
use crate::config::resource::Method;
use crate::error::{Code, Failure};
use crate::expression::{Moment, Pins, PlainHttp, TemplateScope};
use crate::flows::account_object::{AccountObject, Loaded};
use crate::flows::body;
use crate::flows::effective::Effective;
use crate::flows::import_account::install_disabled;
use crate::ports::{Body, Outside, Reply, Sees, Storage, System};
use crate::proxy::query::CallerQuery;
use crate::proxy::reads::reads_body;
use crate::proxy::request::{self, Caller, Draft};
use crate::proxy::{Target, headers, is_read};
use crate::settings::{PrivateUpstreams, TEMPLATE_BODY_BYTES};
use crate::time::Timestamp;
use attempts::Retries;

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
    /// How long it may take, retries included.
    pub timeout: Duration,
    /// How often it may be sent again; as often as its verb says when the caller does not.
    pub max_retries: Option<u32>,
    /// What is told of it afterwards.
    pub trace: Rc<Trace>,
}

/// Parameters that are ours on every call, and those that are ours on `list` only.
const OURS: &[&str] = &["integrated_account_id"];
const OURS_ON_LIST: &[&str] = &["integrated_account_id", "limit", "next_cursor"];

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
}

/// Makes a call in the name of an account that the caller may see.
pub async fn proxy_call<O: Outside, S: Storage>(
    object: &Rc<AccountObject<O, S>>,
    sees: &Sees,
    call: Call<O::Stream>,
) -> Result<Reply<O::Stream>, Failure> {
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
    let (body, body_value) = look_at_body(plan, call.body).await?;
    let values = Values {
        id: id_value(&call.target),
        query: query.to_value(),
        body: body_value,
    };
    let headers = headers::from_caller(&call.headers);
    let work = Work {
        object,
        loaded: &loaded,
        context: &loaded.context,
        effective: &effective,
        plan,
        values,
        deadline,
        moment: moment(&object.outside),
        retries: Retries::up_to(call.max_retries),
        trace: Rc::clone(&call.trace),
    };
    let again = body.again();
    let reply = work.send(work.draft(&query, &headers)?, body).await?;
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

fn id_value(target: &Target) -> Value {
    match target {
        Target::Method { id: Some(id), .. } => Value::String(id.clone()),
        _ => Value::Null,
    }
}

/// Reads the caller's body only when the method's templates look into it.
async fn look_at_body<S: crate::ports::ByteStream>(
    plan: Plan<'_>,
    body: Body<S>,
) -> Result<(Body<S>, Option<Value>), Failure> {
    let looks = matches!(plan, Plan::Method { method, .. } if reads_body(method));
    if !looks {
        return Ok((body::hold_small(body).await?, None));
    }
    let bytes: Bytes = body::read(body, TEMPLATE_BODY_BYTES).await?;
    if bytes.is_empty() {
        return Ok((Body::Empty, None));
    }
    let value = serde_json::from_slice(&bytes).map_err(|error| {
        Failure::new(
            Code::Malformed,
            format!("This method looks into the body, which is not JSON: {error}."),
        )
    })?;
    Ok((Body::Bytes(bytes), Some(value)))
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
        self.values
            .body
            .as_ref()
            .map_or(scope, |body| scope.with_body(body))
    }

    fn draft(&self, query: &CallerQuery, headers: &HeaderMap) -> Result<Draft, Failure> {
        let config = self.config();
        let plain_http = match self.object.outside.settings().private_upstreams {
            PrivateUpstreams::Refused => PlainHttp::Refused,
            PrivateUpstreams::Allowed => PlainHttp::Allowed,
        };
        let pins = Pins {
            allowed_hosts: config.allowed_hosts.as_ref(),
            dotted_keys: &self.effective.compiled.dotted_keys,
            plain_http,
        };
        let caller = Caller { query, headers };
        let draft = match self.plan {
            Plan::Method { method, .. } => {
                request::of_method(config, method, &self.scope(), &pins, &caller)?
            }
            Plan::Custom { path, verb } => {
                request::of_path(config, verb, path, &self.scope(), &pins, &caller)?
            }
        };
        Ok(draft)
    }
}
