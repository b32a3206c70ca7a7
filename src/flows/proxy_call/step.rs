//! A request within an action. It brings no caller's words: its query is the file's, its body the result of the
//! step before, and its answer is read and becomes the next result.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

use crate::config::resource::Method;
use crate::error::Failure;
use crate::flows::account_object::{AccountObject, LoadedAccount};
use crate::flows::base::memory::Room;
use crate::flows::base::moment::moment;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::proxy_call::attempts::Retries;
use crate::flows::proxy_call::call::Pages;
use crate::flows::proxy_call::held::{Held, NotText, Reading, Wanted};
use crate::flows::proxy_call::present::{Present, Purpose};
use crate::flows::proxy_call::{Errand, OURS_ON_LIST, Plan, Values, Work};
use crate::json::Exact;
use crate::ports::{Body, Outside, Reply, Storage};
use crate::proxy::body::{BodySource, Writing};
use crate::proxy::query::CallerQuery;
use crate::proxy::reply::{self, Kind, ReplyError};
use crate::proxy::request;
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
pub(in crate::flows) async fn call_step<O: Outside, S: Storage>(
    object: &AccountObject<O, S>,
    loaded: &Rc<LoadedAccount>,
    resolved: &ResolvedConfig,
    call: StepCall<'_>,
    deadline: Timestamp,
) -> Result<Answered, Failure> {
    let ours = match call.whole {
        Whole::List => OURS_ON_LIST,
        Whole::Any => &[],
    };
    let query = CallerQuery::read(&call.query, ours);
    let (method, moment) = (call.method, moment(&object.outside));
    let writing = Writing::of(&resolved.compiled.config, method, &moment);
    let text = if method.add_query_to_body {
        text(&writing, &call.body)?
    } else {
        Bytes::new()
    };
    let mut work = Work {
        object,
        present: Present::of_step(object, Rc::clone(loaded), call.context, call.shown),
        resolved,
        plan: Plan::Method {
            method,
            is_list: false,
        },
        values: Values {
            id: call.id,
            query: query.to_value(),
            text,
            body: Some(call.body),
        },
        deadline,
        moment,
        source: BodySource::Method,
        purpose: call.purpose,
        pages: Pages::One,
        page: None,
        errand: call.errand,
        retries: Retries::up_to(None),
        sent_in_url: RefCell::default(),
        speaker: Cell::default(),
        trace: Rc::default(),
    };
    let draft = |work: &Work<O, S>| {
        let draft = work.draft(&query, &HeaderMap::new())?;
        let none = Exact::default();
        let body = work.values.body.as_ref().unwrap_or(&none);
        Ok(request::with_body(draft, body, &writing)?)
    };
    let reply = work.send(&draft, Body::Empty).await;
    let reply = reply.map_err(|failure| work.trace.behind_write(failure))?;
    let status = reply.status;
    let outcome = work.answered(method, call.whole, reply).await;
    let is_refused = |failure: &Failure| work.finds_refusal(failure);
    if !outcome.as_ref().is_err_and(is_refused) {
        work.note_accepted(status);
    }
    outcome.map_err(|failure| work.trace.behind_write(failure))
}

impl<O: Outside, S: Storage> Work<'_, O, S> {
    async fn answered(
        &self,
        method: &Method,
        whole: Whole,
        reply: Reply<O::Stream>,
    ) -> Result<Answered, Failure> {
        if reply.status.as_u16() >= 400 {
            return Err(self.refusal(method, reply).await?);
        }
        let reading = reading(method, whole, &reply.headers);
        let mut held = match self.held(&reply.headers, reply.body, reading).await {
            Ok(held) => held,
            Err(NotText::Bytes(bytes, error)) => {
                let words = || String::from_utf8_lossy(&bytes).into_owned();
                return Err(self.unusable(error.into(), words));
            }
            Err(NotText::Failed(failure)) => return Err(failure),
        };
        if reply.status.is_success() {
            self.check_for_error(method, &mut held, &reply.headers, reply.status)
                .map_err(|failure| self.unusable(failure, || held.take_words()))?;
        }
        let value = result(&mut held, method, whole)
            .map_err(|failure| self.unusable(failure, || held.take_words()))?;
        Ok(Answered {
            value,
            room: held.room,
        })
    }
}

/// What a step gives on.
fn result(held: &mut Held, method: &Method, whole: Whole) -> Result<Exact, Failure> {
    let value = match cut(&held.text, method, whole)? {
        None => absent(whole),
        Some(_) if is_words(held.kind, method) => {
            Value::String(std::mem::take(&mut held.text)).into()
        }
        Some(text) => {
            held.text = text;
            held.exact()?
        }
    };
    if held.kind == Kind::Json && value.is_text() && !held.text.starts_with('"') {
        return Err(ReplyError::NotJson.into());
    }
    Ok(if value.is_null() {
        absent(whole)
    } else {
        value
    })
}

/// The body as a caller would have written it, where the query is put into it.
fn text(writing: &Writing, body: &Exact) -> Result<Bytes, Failure> {
    if body.is_null() {
        return Ok(Bytes::new());
    }
    Ok(writing.write(body)?.into())
}

/// XML is read as JSON; where nothing says that it has to be that, its words will do.
fn reading<'m>(method: &'m Method, whole: Whole, headers: &HeaderMap) -> Reading<'m> {
    let path = method.response_path.as_ref();
    let is_said = path.is_some() || method.api_response_format.is_some() || whole == Whole::List;
    Reading {
        kind: reply::kind(headers, method.api_response_format),
        list: path.filter(|_| whole == Whole::List),
        wanted: if is_said {
            Wanted::Value
        } else {
            Wanted::Words
        },
    }
}

/// The part of an answer that counts; `None` when there is nothing.
fn cut(text: &str, method: &Method, whole: Whole) -> Result<Option<String>, ReplyError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    match reply::cut(text, method.response_path.as_ref()) {
        Ok(cut) => Ok(Some(cut.to_owned())),
        Err(ReplyError::NothingAt(_)) if whole == Whole::List => Ok(None),
        Err(error) => Err(error),
    }
}

/// Text that is not to be read as JSON, even where it could be.
fn is_words(kind: Kind, method: &Method) -> bool {
    matches!(kind, Kind::Text | Kind::Form) && method.response_path.is_none()
}

fn absent(whole: Whole) -> Exact {
    match whole {
        Whole::List => Value::Array(Vec::new()).into(),
        Whole::Any => Exact::default(),
    }
}
