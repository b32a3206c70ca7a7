//! One call to a provider, from inside the account's object; or one for each page of a list. Nothing is written
//! to storage before the answer.

pub(in crate::flows) mod answer;
pub(in crate::flows) mod attempts;
pub mod call;
pub(in crate::flows) mod callers_body;
pub(in crate::flows) mod cursor;
pub(in crate::flows) mod custom_refusal;
pub(in crate::flows) mod held;
pub(in crate::flows) mod limits;
pub(in crate::flows) mod outcome;
pub(in crate::flows) mod page;
pub(in crate::flows) mod plan;
pub(in crate::flows) mod present;
pub(in crate::flows) mod refusal;
pub(in crate::flows) mod refused;
pub(in crate::flows) mod send;
pub(in crate::flows) mod step;
pub mod trace;
pub(in crate::flows) mod turn;
pub mod walk;
pub(in crate::flows) mod written;

use crate::flows::base::moment::moment;
use crate::flows::proxy_call::call::{Call, Given, Pages};
use crate::flows::proxy_call::present::Purpose;
use crate::flows::proxy_call::trace::Trace;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

use crate::config::Config;
use crate::error::{Code, Failure, Speaker};
use crate::expression::{Moment, TemplateScope};
use crate::flows::account_object::refused::Renewed;
use crate::flows::account_object::{AccountObject, LoadedAccount};
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::proxy_call::attempts::Retries;
use crate::flows::proxy_call::outcome::Outcome;
use crate::flows::proxy_call::page::Page;
use crate::flows::proxy_call::plan::Plan;
use crate::flows::proxy_call::present::Present;
use crate::flows::proxy_call::refused::{Heard, needs_reauth};
use crate::json::Exact;
use crate::pagination::Position;
use crate::ports::{Body, Outside, Sees, Storage};
use crate::proxy::body::{BodySource, Writing};
use crate::proxy::query::{CallerQuery, PASSTHROUGH};
use crate::proxy::request::{self, Caller, Draft, Round, Words};
use crate::proxy::{Target, description, headers};
use crate::time::Timestamp;

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
    /// The account as it was read last: before each request it is read again.
    present: Present<'a, O, S>,
    resolved: &'a ResolvedConfig,
    plan: Plan<'a>,
    values: Values,
    deadline: Timestamp,
    moment: Moment,
    source: BodySource,
    purpose: Purpose,
    pages: Pages,
    /// The page of a list that has any.
    page: Option<Page<'a>>,
    errand: Errand,
    retries: Retries,
    /// The credential that went in the URL: the answer must not tell it.
    sent_in_url: RefCell<Option<String>>,
    /// Who gave the last answer.
    speaker: Cell<Speaker>,
    trace: Rc<Trace>,
}

/// On whose errand a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::flows) enum Errand {
    /// A caller's, whose answer goes on to him.
    Call,
    /// An action's, which reads every answer.
    Step,
    /// The account's own, for a fresh credential, which calls wait for.
    Refresh,
}

/// The caller's part of the roots of placeholders.
struct Values {
    id: Value,
    query: Value,
    body: Option<Exact>,
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
        return crate::flows::proxy_call::walk::begin(object, sees, call).await;
    }
    let body = std::mem::replace(&mut call.body, Body::Empty);
    let outcome = made(object, sees, &call, body, None).await?;
    Ok(Given::Reply(outcome.into_reply()))
}

/// Makes a call: one page, where it is about a list. `at` is where a walk has come to. A failure says what became of a
/// write.
async fn made<O: Outside, S: Storage>(
    object: &Rc<AccountObject<O, S>>,
    sees: &Sees,
    call: &Call<O::Stream>,
    body: Body<O::Stream>,
    at: Option<Position>,
) -> Result<Outcome<O::Stream>, Failure> {
    let outcome = tried(object, sees, call, body, at).await;
    outcome.map_err(|failure| call.trace.behind_write(failure))
}

async fn tried<O: Outside, S: Storage>(
    object: &Rc<AccountObject<O, S>>,
    sees: &Sees,
    call: &Call<O::Stream>,
    body: Body<O::Stream>,
    at: Option<Position>,
) -> Result<Outcome<O::Stream>, Failure> {
    let deadline = object.outside.now().plus(call.timeout);
    let (loaded, resolved) = callable(object, sees, deadline).await?;
    object.note_use_of(&loaded);
    let plan = crate::flows::proxy_call::plan::plan(
        &resolved.compiled.config,
        &call.target,
        &call.method,
    )?;
    call.trace
        .names(plan, &call.target, &resolved.compiled.config);
    crate::flows::proxy_call::plan::refuse_sandbox_write(loaded.account.is_sandbox, plan)?;
    let ours = if call.target.is_list() {
        OURS_ON_LIST
    } else {
        OURS
    };
    let query = CallerQuery::read(&call.query, ours);
    let source = crate::flows::proxy_call::callers_body::source(&call.query)?;
    let config = &resolved.compiled.config;
    crate::flows::proxy_call::plan::refuse_switched_off(config, plan, source)?;
    let looking = object.look_at_body(plan, config, source, body, deadline);
    let body = looking.await?;
    let values = Values {
        id: id_value(&call.target),
        query: query.to_value(),
        body: body.value,
        text: body.text,
    };
    let headers = headers::from_caller(&call.headers);
    let mut work = Work {
        object,
        present: Present::of_call(object, sees, Rc::clone(&loaded)),
        resolved: &resolved,
        plan,
        values,
        deadline,
        moment: moment(&object.outside),
        source,
        purpose: Purpose::of_target(&call.target),
        pages: call.pages,
        page: None,
        errand: Errand::Call,
        retries: Retries::up_to(call.max_retries),
        sent_in_url: RefCell::default(),
        speaker: Cell::default(),
        trace: Rc::clone(&call.trace),
    };
    if call.target.is_list() {
        work.page = work.page_of(call, at, &query, &headers)?;
    }
    let draft = |work: &Work<O, S>| work.draft(&query, &headers);
    let body = body.body;
    let again = body.again();
    let reply = work.send(&draft, body).await?;
    let refused = match work.heard(reply).await {
        Heard::Settled(outcome) => return outcome,
        Heard::Refused(refused) => refused,
    };
    work.trace.puts_off();
    // A redirect has said that the write was made: it is not made again for the page that was refused.
    let again = again.filter(|_| work.trace.done().is_none());
    let renewed = match &again {
        Some(_) => object.renewed_after_refusal(work.loaded(), deadline).await,
        None => object.renew_for_next(work.loaded()).await,
    };
    let (fresh, body) = match (renewed, again) {
        (Ok(Renewed::Fresh(fresh)), Some(body)) => (fresh, body),
        (Ok(Renewed::Never), _) => return work.judged(refused).await,
        (Ok(Renewed::NotNow | Renewed::Fresh(_)), _) => return work.told(refused).await,
        (Err(failure), _) if failure.code == Code::NeedsReauth => {
            return work.told(refused).await.map_err(needs_reauth);
        }
        (Err(failure), _) => return Err(failure),
    };
    drop(refused);
    work.present.set(fresh);
    let reply = work.send(&draft, body).await?;
    match work.heard(reply).await {
        Heard::Refused(refused) => {
            work.trace.puts_off();
            work.judged(refused).await
        }
        Heard::Settled(outcome) => {
            object.note_renewal_helped();
            outcome
        }
    }
}

/// An account that the caller may see and that may be called now, and what it is called with.
pub(in crate::flows) async fn callable<O: Outside, S: Storage>(
    object: &Rc<AccountObject<O, S>>,
    sees: &Sees,
    deadline: Timestamp,
) -> Result<(Rc<LoadedAccount>, ResolvedConfig), Failure> {
    let loaded = object.visible(sees).await?;
    loaded.account.status.check_callable()?;
    let loaded = object.fresh(loaded, deadline).await?;
    let resolved = object.resolved_config(&loaded.account).await?;
    if !resolved.install.is_enabled {
        return Err(Failure::install_disabled());
    }
    Ok((loaded, resolved))
}

fn id_value(target: &Target) -> Value {
    match target {
        Target::Method { id: Some(id), .. } => Value::String(id.clone()),
        _ => Value::Null,
    }
}

impl<O: Outside, S: Storage> Work<'_, O, S> {
    fn config(&self) -> &Config {
        &self.resolved.compiled.config
    }

    fn loaded(&self) -> &Rc<LoadedAccount> {
        self.present.loaded()
    }

    fn scope(&self) -> TemplateScope<'_> {
        let compiled = &self.resolved.compiled;
        let scope = compiled.scope(self.present.context(), self.present.shown());
        let scope = scope.with_query(&self.values.query);
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
            .map_or(scope, |body| scope.with_exact_body(body))
    }

    fn draft(&self, query: &CallerQuery, headers: &HeaderMap) -> Result<Draft, Failure> {
        let (config, scope) = (self.config(), self.scope());
        let pins = self.resolved.compiled.pins(self.object.outside.settings());
        let body = self.values.text.as_ref();
        let caller = Caller {
            query,
            headers,
            body,
            source: self.source,
            words: match self.errand {
                Errand::Call => Words::Callers,
                Errand::Step | Errand::Refresh => Words::Steps,
            },
        };
        let draft = match self.plan {
            Plan::Method { method, .. } => {
                let round = self.page.as_ref().map_or(Round::First, Page::round);
                let writing = Writing::of(config, method, &self.moment);
                let draft =
                    request::of_method(config, method, round, &scope, &pins, &caller, &writing)?;
                match &self.page {
                    Some(page) => page.onto(draft, method, &writing, &caller)?,
                    None => draft,
                }
            }
            Plan::Custom { path, verb } => {
                request::of_path(config, verb, path, &scope, &pins, &caller)?
            }
        };
        description::refuse_part(headers, &draft.body)?;
        if self.loaded().account.is_sandbox {
            return Ok(request::that_only_reads(draft));
        }
        Ok(draft)
    }
}
