//! One page of a list: its position, the values that it adds to the method's request, and the links in its answer.

pub(in crate::flows) mod onto;

use http::header::CONTENT_RANGE;
use serde_json::{Value, json};
use url::Url;

use crate::config::Pagination;
use crate::error::Failure;
use crate::expression::Moment;
use crate::flows::call::Answer;
use crate::flows::call::account::CallAccount;
use crate::flows::call::buffered_body::BufferedBody;
use crate::flows::call::build::Prepared;
use crate::flows::call::current::Current;
use crate::flows::call::list::cursor::{CursorPlace, bad_cursor};
use crate::flows::call::subject::{Plan, Subject};
use crate::header_text;
use crate::pagination::{self, PageError, PageLinks, PageParameters, Position};
use crate::ports::{Body, System};
use crate::proxy::Target;
use crate::proxy::body::BodySource;
use crate::proxy::reply;
use crate::proxy::request::{Draft, Payload, RequestError, Round, is_query_in_body};
use crate::proxy::wanted::ListParameters;
use crate::settings::CURSOR_BYTES;

/// The requested page.
pub(in crate::flows) struct Page<'a> {
    pagination: &'a Pagination,
    position: Position,
    ask: PageParameters,
    /// The root `pagination` of placeholders.
    values: Value,
    place: CursorPlace,
    /// The request for the page, once it is built.
    asked: Option<PageCall>,
}

/// A request, as links and expressions read it.
struct PageCall {
    url: Url,
    /// `{method, headers, body}`; null if no expression reads it.
    options: Value,
}

/// Whether the page's values are written into the caller's body, which then has to be read.
pub(in crate::flows) fn writes_into_body(subject: &Subject<'_>, source: BodySource) -> bool {
    let Plan::Method { method, is_list } = subject.plan else {
        return false;
    };
    let pagination = subject.pagination().filter(|_| is_list);
    let pages = match pagination {
        Some(Pagination::Cursor(cursor)) => cursor.add_to_body,
        Some(Pagination::Page(page)) => page.add_to_body,
        Some(Pagination::Offset(offset)) => offset.add_to_body,
        Some(Pagination::LinkHeader(_) | Pagination::Range(_) | Pagination::Dynamic(_)) | None => {
            false
        }
    };
    pages || is_query_in_body(method, source)
}

/// The call of a list.
pub(in crate::flows) struct ListCall<'c> {
    pub(in crate::flows) target: &'c Target,
    pub(in crate::flows) query: &'c str,
    /// The page's position during auto-pagination.
    pub(in crate::flows) at: Option<Position>,
}

/// Finds the position of the first page.
struct Start<'s, 'a, A> {
    account: &'s A,
    prepared: &'s Prepared<'a>,
    current: &'s Current<'s>,
}

impl<A: CallAccount> Start<'_, '_, A> {
    /// The position of the first page. Only `dynamic` expressions read the request; parts that depend on their result
    /// are missing from it.
    fn position(&self, pagination: &Pagination, limit: Option<u64>) -> Result<Position, Failure> {
        let draft = match pagination {
            Pagination::Dynamic(_) => self.prepared.draft(self.account, self.current).ok(),
            _ => None,
        };
        let asked = match draft {
            Some(draft) => PageCall::of(&draft, pagination),
            None => PageCall {
                url: self.base()?,
                options: json!({ "method": self.prepared.subject().method().as_str(), "headers": {}, "body": null }),
            },
        };
        let query = query_with(self.prepared.query(), pagination::clamp(pagination, limit));
        let request = asked.request(&query, self.prepared.moment());
        Ok(pagination::first(pagination, limit, &request)?)
    }

    fn base(&self) -> Result<Url, Failure> {
        let subject = self.prepared.subject();
        if subject.operation().is_some() {
            let draft = self.prepared.draft(self.account, self.current)?;
            return Ok(draft.url);
        }
        let base = match subject.plan {
            Plan::Method { method, .. } => subject.config().base_url_of(method),
            Plan::Custom { .. } => None,
        };
        let pins = subject
            .resolved
            .compiled
            .pins(self.account.system().settings());
        let base = base.ok_or(RequestError::NoBaseUrl)?;
        Ok(base.render(&self.prepared.scope(self.current), &pins)?)
    }
}

/// The caller's query as `dynamic` expressions read it: with the page size, which the gateway otherwise removes.
fn query_with(query: &Value, limit: Option<u64>) -> Value {
    let mut query = query.clone();
    if let (Some(limit), Some(query)) = (limit, query.as_object_mut()) {
        query.insert("limit".to_owned(), Value::String(limit.to_string()));
    }
    query
}

impl PageCall {
    fn of(draft: &Draft, pagination: &Pagination) -> Self {
        let options = pagination::needs_value(pagination).then(|| {
            let body = match &draft.body {
                Payload::Ours(bytes) => Value::String(String::from_utf8_lossy(bytes).into_owned()),
                Payload::Callers | Payload::Nothing => Value::Null,
            };
            json!({ "method": draft.method.as_str(), "headers": header_text::object_of(&draft.headers), "body": body })
        });
        Self {
            url: draft.url.clone(),
            options: options.unwrap_or_default(),
        }
    }

    fn request<'r>(&'r self, query: &'r Value, moment: &'r Moment) -> pagination::PageContext<'r> {
        pagination::PageContext {
            url: &self.url,
            query,
            options: &self.options,
            moment,
        }
    }
}

impl<'a> Page<'a> {
    /// The page of a call: `at`, or the page of the caller's cursor, or the first page. `None` if the list has no
    /// pages.
    pub(in crate::flows) fn of_call<A: CallAccount>(
        account: &A,
        prepared: &Prepared<'a>,
        current: &Current<'_>,
        call: ListCall<'_>,
    ) -> Result<Option<Self>, Failure> {
        let wanted = ListParameters::read(call.query)?;
        let Some(pagination) = prepared.subject().pagination() else {
            return wanted.cursor.map_or(Ok(None), |_| Err(bad_cursor()));
        };
        let place = CursorPlace::of(account.id(), call.target);
        let start = Start {
            account,
            prepared,
            current,
        };
        let position = match (call.at, wanted.cursor) {
            (Some(position), _) => pagination::resume(pagination, position, None)?,
            (None, Some(cursor)) => {
                let position = place.open(account.system(), &cursor)?;
                pagination::resume(pagination, position, wanted.limit)?
            }
            (None, None) => start.position(pagination, wanted.limit)?,
        };
        let most = account.system().settings().list_pages;
        if position.pages >= most {
            return Err(PageError::Endless(most).into());
        }
        let ask = pagination::ask(pagination, &position, &prepared.scope(current))?;
        Ok(Some(Self {
            pagination,
            position,
            values: Value::Object(ask.values.clone()),
            ask,
            place,
            asked: None,
        }))
    }

    /// Stores the request for the page, since the answer is read relative to it.
    pub(in crate::flows) fn note(&mut self, draft: &Draft) {
        self.asked = Some(PageCall::of(draft, self.pagination));
    }

    /// The answer as a value, if an expression computes the next page from it.
    pub(in crate::flows) fn value(
        &self,
        body: &mut BufferedBody,
    ) -> Result<Option<Value>, Failure> {
        let looks = pagination::needs_value(self.pagination);
        looks.then(|| body.value()).transpose()
    }

    /// Turns the refusal of a page after the last one into an empty page, which ends the list. A range is refused by
    /// RFC 9110 §15.5.17, a page number by the provider's own rule.
    pub(in crate::flows) fn as_empty(&self, answer: Answer) -> Answer {
        let whole = answer.headers.get(CONTENT_RANGE);
        // For the first page only if the list is empty; otherwise the range is wrong.
        let is_empty = whole.is_none_or(|whole| whole.as_bytes().ends_with(b"*/0"));
        let is_empty_range = matches!(self.pagination, Pagination::Range(_))
            && answer.status == http::StatusCode::RANGE_NOT_SATISFIABLE
            && is_empty;
        let is_end = pagination::is_end(self.pagination, &self.position, answer.status);
        if !is_end && !is_empty_range {
            return answer;
        }
        Answer {
            status: http::StatusCode::NO_CONTENT,
            headers: answer.headers,
            body: Body::Empty,
        }
    }

    /// The links of the page.
    pub(in crate::flows) fn links(
        &self,
        query: &Value,
        moment: &Moment,
        answer: &pagination::PageAnswer<'_>,
    ) -> PageLinks {
        let Some(asked) = self.asked.as_ref() else {
            return PageLinks::default();
        };
        let query = query_with(query, self.position.limit);
        let request = asked.request(&query, moment);
        let turn = pagination::next(self.pagination, &self.position, &request, answer);
        turn.within(CURSOR_BYTES)
    }

    /// The envelope of a page, with sealed cursors.
    pub(in crate::flows) fn envelope(
        &self,
        system: &impl System,
        records: &str,
        count: usize,
        links: &PageLinks,
    ) -> Result<String, Failure> {
        let sealed = |position: &Option<Position>| {
            let position = position.as_ref();
            position
                .map(|position| self.place.seal(system, position))
                .transpose()
        };
        let (next, prev) = (sealed(&links.next)?, sealed(&links.prev)?);
        let (next, prev) = (next.as_deref(), prev.as_deref());
        Ok(reply::envelope(records, count, next, prev))
    }

    pub(in crate::flows) fn values(&self) -> &Value {
        &self.values
    }

    pub(in crate::flows) fn round(&self) -> Round {
        if self.position.is_first() {
            Round::First
        } else {
            Round::Later
        }
    }
}
