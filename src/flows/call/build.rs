//! Builds the request of a call before it has a connection.

use std::rc::Rc;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

use crate::error::Failure;
use crate::expression::{Moment, TemplateScope};
use crate::flows::base::memory::Room;
use crate::flows::base::moment::moment;
use crate::flows::call::Call;
use crate::flows::call::account::{CallAccount, LiveAccount, StreamOf};
use crate::flows::call::admit::Admitted;
use crate::flows::call::caller_body;
use crate::flows::call::current::Current;
use crate::flows::call::list::page::{ListCall, Page};
use crate::flows::call::step::ExpectedAnswer;
use crate::flows::call::subject::{Errand, Plan, Subject};
use crate::json::Exact;
use crate::pagination::Position;
use crate::ports::{Body, Pages, System};
use crate::proxy::body::{BodySource, Writing};
use crate::proxy::query::{CallerQuery, PASSTHROUGH};
use crate::proxy::request::{self, CallerInput, Draft, InputAuthor, Payload, Round};
use crate::proxy::{Target, description, headers};

mod entries;
mod file_request;

use file_request::announced;

/// Query parameters that the gateway reads itself: on every call, and on `list` only.
const GATEWAY_PARAMETERS: &[&str] = &["integrated_account_id", PASSTHROUGH[0], PASSTHROUGH[1]];
pub(in crate::flows) const GATEWAY_PARAMETERS_OF_LISTS: &[&str] = &[
    "integrated_account_id",
    PASSTHROUGH[0],
    PASSTHROUGH[1],
    "limit",
    "next_cursor",
];

/// The parts of a request. With the account's state at the time of sending they become a [`Draft`].
pub(in crate::flows) struct Prepared<'a> {
    subject: Subject<'a>,
    given: CallerPart,
    source: BodySource,
    moment: Moment,
    /// The requested page, if the method is a list with pages.
    page: Option<Page<'a>>,
    pages: Pages,
    whole: ExpectedAnswer,
}

/// The caller's part of a request, or the action's part in its place.
pub(in crate::flows) struct CallerPart {
    pub(in crate::flows) query: CallerQuery,
    pub(in crate::flows) headers: HeaderMap,
    /// How long the caller says that the body is.
    pub(in crate::flows) announced: Option<u64>,
    /// The root values of placeholders.
    pub(in crate::flows) values: Values,
    #[expect(dead_code, reason = "holding it keeps the body's memory counted")]
    pub(in crate::flows) room: Room,
}

/// The root values of placeholders that the caller sets.
pub(in crate::flows) struct Values {
    pub(in crate::flows) id: Value,
    pub(in crate::flows) query: Value,
    pub(in crate::flows) body: Option<Exact>,
    /// The body as the caller wrote it, if the gateway writes a value into it; otherwise empty.
    pub(in crate::flows) text: Bytes,
}

/// Builds the parts of a caller's request; for a list, of one page. `at` is the page's position during auto-pagination.
/// The body is read only if the request depends on it.
pub(in crate::flows) async fn build<'a, A: LiveAccount>(
    admitted: &'a Admitted<'_, A>,
    call: &'a Call<StreamOf<A>>,
    body: Body<StreamOf<A>>,
    at: Option<Position>,
) -> Result<(Prepared<'a>, Body<StreamOf<A>>), Failure> {
    let account = admitted.account();
    let resolved = admitted.config();
    let mut subject = Subject::of_call(resolved, &call.target, &call.method)?;
    if call.pages == Pages::Sync {
        subject.read_as_list();
    }
    let is_list = call.target.is_list() || call.pages == Pages::Sync;
    call.trace.names(&subject, &call.target);
    subject.refuse_sandbox_write(admitted.loaded().account.is_sandbox)?;
    let gateway_parameters = if is_list {
        GATEWAY_PARAMETERS_OF_LISTS
    } else {
        GATEWAY_PARAMETERS
    };
    let query = CallerQuery::read(&call.query, gateway_parameters);
    let source = caller_body::source(&call.query)?;
    subject.refuse_switched_off(source)?;
    let bounds = (&call.headers, admitted.deadline());
    let body = caller_body::look(&**account, &subject, source, body, bounds).await?;
    let given = CallerPart {
        values: Values {
            id: id_value(&call.target),
            query: query.to_value(),
            body: body.value,
            text: body.text,
        },
        query,
        headers: headers::from_caller(&call.headers),
        announced: announced(&call.headers, &body.body),
        room: body.room,
    };
    let mut prepared = Prepared::new(subject, given, source, moment(account.system()));
    if is_list {
        let current = Current::of_call(Rc::clone(admitted.loaded()));
        let list = ListCall {
            target: &call.target,
            query: &call.query,
            at,
        };
        prepared = prepared.with_page(&**account, &current, list)?;
        prepared.pages = call.pages;
    }
    Ok((prepared, body.body))
}

fn id_value(target: &Target) -> Value {
    match target {
        Target::Method { id: Some(id), .. } => Value::String(id.clone()),
        _ => Value::Null,
    }
}

impl<'a> Prepared<'a> {
    pub(in crate::flows) fn new(
        subject: Subject<'a>,
        given: CallerPart,
        source: BodySource,
        moment: Moment,
    ) -> Self {
        Self {
            subject,
            given,
            source,
            moment,
            page: None,
            pages: Pages::One,
            whole: ExpectedAnswer::Any,
        }
    }

    /// Sets the requested page.
    pub(in crate::flows) fn with_page(
        mut self,
        account: &impl CallAccount,
        current: &Current<'_>,
        list: ListCall<'_>,
    ) -> Result<Self, Failure> {
        self.page = Page::of_call(account, &self, current, list)?;
        Ok(self)
    }

    /// Sets what an action's step expects.
    pub(in crate::flows) fn with_whole(self, whole: ExpectedAnswer) -> Self {
        Self { whole, ..self }
    }

    pub(in crate::flows) fn subject(&self) -> &Subject<'a> {
        &self.subject
    }

    pub(in crate::flows) fn moment(&self) -> &Moment {
        &self.moment
    }

    pub(in crate::flows) fn page(&self) -> Option<&Page<'a>> {
        self.page.as_ref()
    }

    pub(in crate::flows) fn pages(&self) -> Pages {
        self.pages
    }

    /// What an action's step expects.
    pub(in crate::flows) fn whole(&self) -> ExpectedAnswer {
        self.whole
    }

    /// The caller's query as placeholders and expressions read it.
    pub(in crate::flows) fn query(&self) -> &Value {
        &self.given.values.query
    }

    pub(in crate::flows) fn scope<'s>(&'s self, current: &'s Current<'_>) -> TemplateScope<'s> {
        let values = &self.given.values;
        let compiled = &self.subject.resolved.compiled;
        let scope = compiled.scope(current.context(), current.shown());
        let scope = match current.variables() {
            Some(variables) => scope.with_environment_variables(variables),
            None => scope,
        };
        let scope = scope.with_query(&values.query);
        let scope = if values.id.is_null() {
            scope
        } else {
            scope.with_id(&values.id)
        };
        let scope = match &self.page {
            Some(page) => scope.with_pagination(page.values()),
            None => scope,
        };
        values
            .body
            .as_ref()
            .map_or(scope, |body| scope.with_exact_body(body))
    }

    /// The request for the account's current state. The page stores it, since the answer is read relative to it.
    pub(in crate::flows) fn request(
        &mut self,
        account: &impl CallAccount,
        current: &Current<'_>,
    ) -> Result<Draft, Failure> {
        let draft = self.draft(account, current)?;
        let draft = match (self.subject.errand, self.subject.plan) {
            (Errand::Step | Errand::Refresh | Errand::Connect, Plan::Method { method, .. }) => {
                let none = Exact::default();
                let body = self.given.values.body.as_ref().unwrap_or(&none);
                let writing = Writing::of(self.subject.config(), method, &self.moment);
                let is_given = draft.body == Payload::Callers;
                let draft = request::with_body(draft, body, &writing)?;
                if is_given {
                    self.with_entries(draft, current)?
                } else {
                    draft
                }
            }
            _ => draft,
        };
        if let Some(page) = &mut self.page {
            page.note(&draft);
        }
        Ok(draft)
    }

    /// The same before the value of a step is put into it. The page does not store it.
    pub(in crate::flows) fn draft(
        &self,
        account: &impl CallAccount,
        current: &Current<'_>,
    ) -> Result<Draft, Failure> {
        let (config, scope) = (self.subject.config(), self.scope(current));
        let compiled = &self.subject.resolved.compiled;
        let pins = compiled.pins(account.system().settings());
        let caller = CallerInput {
            query: &self.given.query,
            headers: &self.given.headers,
            body: self.given.values.text.as_ref(),
            source: self.source,
            author: match self.subject.errand {
                Errand::Call => InputAuthor::Caller,
                Errand::Step | Errand::Refresh | Errand::Connect => InputAuthor::Step,
            },
        };
        let draft = match self.subject.plan {
            Plan::Method { method, .. } if method.operation.is_some() => {
                return self.file_request(account, current, method, &caller);
            }
            Plan::Method { method, .. } => {
                let round = self.page.as_ref().map_or(Round::First, Page::round);
                let writing = Writing::of(config, method, &self.moment);
                let draft =
                    request::of_method(config, method, round, &scope, &pins, &caller, &writing)?;
                // What a step is given goes in the place of the caller's body, and gets the entries there.
                let is_given = caller.author == InputAuthor::Step && draft.body == Payload::Callers;
                let is_left_out = round == Round::Later && method.ignore_body_in_pagination;
                let draft = if is_given || is_left_out {
                    draft
                } else {
                    self.with_entries(draft, current)?
                };
                match &self.page {
                    Some(page) => page.onto(draft, method, &writing, &caller)?,
                    None => draft,
                }
            }
            Plan::Custom { path, method } => {
                let draft = request::of_path(config, method, path, &scope, &pins, &caller)?;
                self.with_entries(draft, current)?
            }
        };
        description::refuse_part(&self.given.headers, &draft.body)?;
        if current.loaded().account.is_sandbox {
            return Ok(request::that_only_reads(draft));
        }
        Ok(draft)
    }
}
