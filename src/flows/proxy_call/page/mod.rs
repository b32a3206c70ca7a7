//! One page of a list: which it is, what its request gets on top of the method's own, and where its answer leads.

pub(in crate::flows) mod onto;

use http::HeaderMap;
use http::header::CONTENT_RANGE;
use serde_json::{Value, json};
use url::Url;

use crate::config::{Config, Pagination};
use crate::error::Failure;
use crate::expression::Moment;
use crate::flows::proxy_call::call::Call;
use crate::flows::proxy_call::cursor::{CursorPlace, bad_cursor};
use crate::flows::proxy_call::held::Held;
use crate::flows::proxy_call::{Plan, Work};
use crate::header_text;
use crate::pagination::{self, Answer, Ask, PageError, Place, Position, Turn};
use crate::ports::{Body, Outside, Reply, Storage};
use crate::proxy::body::BodySource;
use crate::proxy::query::CallerQuery;
use crate::proxy::reply;
use crate::proxy::request::{Draft, Payload, RequestError, Round, is_query_in_body};
use crate::proxy::wanted::Wanted;
use crate::settings::CURSOR_BYTES;

/// A page that is asked for.
pub(in crate::flows) struct Page<'a> {
    pagination: &'a Pagination,
    position: Position,
    ask: Ask,
    /// The root `pagination` of placeholders.
    values: Value,
    place: CursorPlace,
    /// The request for it, once there is one.
    asked: Option<Asked>,
}

/// A request, as links and expressions look at it.
struct Asked {
    url: Url,
    /// `{method, headers, body}`; null where no expression looks.
    options: Value,
}

/// Whether something is put into the caller's body, which has to be read for it.
pub(in crate::flows) fn puts_into_body(
    plan: Plan<'_>,
    config: &Config,
    source: BodySource,
) -> bool {
    let Plan::Method { method, is_list } = plan else {
        return false;
    };
    let pagination = config.pagination_of(method).filter(|_| is_list);
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

impl<'a, O: Outside, S: Storage> Work<'a, O, S> {
    /// The page that a call is about: where a walk has come to, or the caller's cursor says, or the first. `None`
    /// where the list has no pages.
    pub(in crate::flows) fn page_of(
        &self,
        call: &Call<O::Stream>,
        at: Option<Position>,
        query: &CallerQuery,
        headers: &HeaderMap,
    ) -> Result<Option<Page<'a>>, Failure> {
        let wanted = Wanted::read(&call.query)?;
        let Some(pagination) = self.pagination() else {
            return wanted.cursor.map_or(Ok(None), |_| Err(bad_cursor()));
        };
        let place = CursorPlace::of(self.object.id(), &call.target);
        let position = match (at, wanted.cursor) {
            (Some(position), _) => pagination::resume(pagination, position, None)?,
            (None, Some(cursor)) => {
                let position = place.open(&self.object.outside, &cursor)?;
                pagination::resume(pagination, position, wanted.limit)?
            }
            (None, None) => self.first(pagination, wanted.limit, query, headers)?,
        };
        let most = self.object.outside.settings().list_pages;
        if position.pages >= most {
            return Err(PageError::Endless(most).into());
        }
        let ask = pagination::ask(pagination, &position, &self.scope())?;
        Ok(Some(Page {
            pagination,
            position,
            values: Value::Object(ask.values.clone()),
            ask,
            place,
            asked: None,
        }))
    }

    fn pagination(&self) -> Option<&'a Pagination> {
        match self.plan {
            Plan::Method { method, .. } => self.resolved.compiled.config.pagination_of(method),
            Plan::Custom { .. } => None,
        }
    }

    /// Expressions see the request for the first page, or as much of it as there is before they have run: its
    /// path may wait for them. Nothing else looks at it.
    fn first(
        &self,
        pagination: &Pagination,
        limit: Option<u64>,
        query: &CallerQuery,
        headers: &HeaderMap,
    ) -> Result<Position, Failure> {
        let draft = match pagination {
            Pagination::Dynamic(_) => self.draft(query, headers).ok(),
            _ => None,
        };
        let asked = match draft {
            Some(draft) => Asked::of(&draft, pagination),
            None => Asked {
                url: self.base()?,
                options: json!({ "method": self.verb(), "headers": {}, "body": null }),
            },
        };
        let query = self.query_with(pagination::clamp(pagination, limit));
        let request = asked.request(&query, &self.moment);
        Ok(pagination::first(pagination, limit, &request)?)
    }

    /// The caller's query as the expressions of `dynamic` see it: with the page size, which is otherwise ours.
    fn query_with(&self, limit: Option<u64>) -> Value {
        let mut query = self.values.query.clone();
        if let (Some(limit), Some(query)) = (limit, query.as_object_mut()) {
            query.insert("limit".to_owned(), Value::String(limit.to_string()));
        }
        query
    }

    fn base(&self) -> Result<Url, Failure> {
        let compiled = &self.resolved.compiled;
        let base = match self.plan {
            Plan::Method { method, .. } => compiled.config.base_url_of(method),
            Plan::Custom { .. } => None,
        };
        let pins = compiled.pins(self.object.outside.settings());
        let base = base.ok_or(RequestError::NoBaseUrl)?;
        Ok(base.render(&self.scope(), &pins)?)
    }

    fn verb(&self) -> &str {
        match self.plan {
            Plan::Method { method, .. } => method.method.0.as_str(),
            Plan::Custom { verb, .. } => verb.as_str(),
        }
    }

    /// Remembers the request for the page, which its answer is read with.
    pub(in crate::flows) fn note(&mut self, draft: &Draft) {
        if let Some(page) = &mut self.page {
            page.asked = Some(Asked::of(draft, page.pagination));
        }
    }

    /// The answer as expressions see it, where one says where the next page is.
    pub(in crate::flows) fn value_for_turning(
        &self,
        held: &mut Held,
    ) -> Result<Option<Value>, Failure> {
        let looks = self
            .page
            .as_ref()
            .is_some_and(|page| pagination::needs_value(page.pagination));
        looks.then(|| held.value()).transpose()
    }

    /// A page behind the last one may be refused: a range by RFC 9110 §15.5.17, a page number by the provider's own rule.
    /// For the list that is its end.
    pub(in crate::flows) fn as_empty_page(&self, reply: Reply<O::Stream>) -> Reply<O::Stream> {
        let Some(page) = &self.page else {
            return reply;
        };
        let whole = reply.headers.get(CONTENT_RANGE);
        // Of a first page only where nothing is there at all: else it is the range that is wrong.
        let is_empty = whole.is_none_or(|whole| whole.as_bytes().ends_with(b"*/0"));
        let is_empty_range = matches!(page.pagination, Pagination::Range(_))
            && reply.status == http::StatusCode::RANGE_NOT_SATISFIABLE
            && is_empty;
        let is_end = pagination::is_end(page.pagination, &page.position, reply.status);
        if !is_end && !is_empty_range {
            return reply;
        }
        Reply {
            status: http::StatusCode::OK,
            headers: reply.headers,
            body: Body::Empty,
        }
    }

    /// Where the page leads.
    pub(in crate::flows) fn turn(&self, answer: &Answer) -> Turn {
        let Some((page, asked)) = self
            .page
            .as_ref()
            .and_then(|page| Some((page, page.asked.as_ref()?)))
        else {
            return Turn::default();
        };
        let query = self.query_with(page.position.limit);
        let request = asked.request(&query, &self.moment);
        let turn = pagination::next(page.pagination, &page.position, &request, answer);
        let turn = turn.within(CURSOR_BYTES);
        if let Some(Place::DeadEnd(end)) = turn.next.as_ref().map(|next| &next.at) {
            self.log("pagination_dead_end", &end.why);
        }
        turn
    }

    /// The envelope of a page, with sealed cursors.
    pub(in crate::flows) fn envelope(
        &self,
        records: &str,
        count: usize,
        turn: &Turn,
    ) -> Result<String, Failure> {
        let sealed = |position: &Option<Position>| match (&self.page, position) {
            (Some(page), Some(position)) => {
                let cursor = page.place.seal(&self.object.outside, position);
                cursor.map(Some)
            }
            _ => Ok(None),
        };
        let (next, prev) = (sealed(&turn.next)?, sealed(&turn.prev)?);
        Ok(reply::envelope(
            records,
            count,
            next.as_deref(),
            prev.as_deref(),
        ))
    }
}

impl Asked {
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

    fn request<'r>(&'r self, query: &'r Value, moment: &'r Moment) -> pagination::Request<'r> {
        pagination::Request {
            url: &self.url,
            query,
            options: &self.options,
            moment,
        }
    }
}

impl Page<'_> {
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
