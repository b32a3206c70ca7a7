//! Pagination: what to ask for a page, and where the next one is. Each of the six formats is two pure
//! steps, [`ask()`] before a page and [`next`] after it; between them is a [`Position`], which is small and
//! is sealed into the cursor that callers see.
//!
//! Sending, sealing and the method's own settings for pages (`pagination_path`, `ignore_body_in_pagination`)
//! are the flow's.

mod ask;
mod cursor;
mod dynamic;
mod error;
mod link;
mod link_header;
mod numbered;
mod position;
mod range;
mod visited;

use http::{HeaderMap, StatusCode};
use serde_json::Value;
use url::Url;

pub use ask::PageParameters;
pub use error::{DeadEnd, PageError};
pub use position::{PagePlace, Position};

use crate::config::{Count, Pagination};
use crate::expression::{Moment, TemplateScope};

/// What links and expressions read of the request for a page.
#[derive(Debug, Clone, Copy)]
pub struct PageContext<'a> {
    /// Where it goes, before redirects.
    pub url: &'a Url,
    /// The caller's query: strings, and arrays and objects of them.
    pub query: &'a Value,
    /// `{method, headers, body}`
    pub options: &'a Value,
    /// The time and chance of expressions.
    pub moment: &'a Moment,
}

/// What the provider answered, below 400.
#[derive(Debug, Clone, Copy)]
pub struct PageAnswer<'a> {
    pub status: StatusCode,
    /// Its header fields.
    pub headers: &'a HeaderMap,
    /// Its body. Cursors and totals are cut out of it as text.
    pub text: &'a str,
    /// Its body as expressions see it, where [`needs_value`] asks for it: built, it takes memory that the
    /// flow accounts for.
    pub value: Option<&'a Value>,
    /// The list that was cut out of it, as it is in the text.
    pub records: &'a str,
    /// How many records that is.
    pub count: u64,
}

/// The pages that a page leads to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PageLinks {
    /// The next page; absent at the end.
    pub next: Option<Position>,
    /// The page before, where the provider or the arithmetic tells.
    pub prev: Option<Position>,
    /// Whether the page itself counts.
    pub standing: PageStatus,
    /// Whether the list ends here by a rule of thumb, while the provider may have more of it.
    pub is_guessed_end: bool,
}

/// Whether a page adds to the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PageStatus {
    /// One more.
    #[default]
    New,
    /// The one before once more, by which the provider says that there are no more: it counts as empty.
    Repeated,
}

impl PageLinks {
    /// The same, where a next page that needs more than `bytes` to be named is a dead end. A page before that needs
    /// more is left out.
    #[must_use]
    pub fn within(mut self, bytes: usize) -> Self {
        let fits = |position: &Position| position.size() <= bytes;
        self.next = self.next.map(|next| {
            if fits(&next) {
                next
            } else {
                next.dead_end(DeadEnd::of(&PageError::TooLong(bytes)))
            }
        });
        self.prev = self.prev.filter(fits);
        self
    }
}

/// Whether the answer has to be built for [`next`].
pub fn needs_value(pagination: &Pagination) -> bool {
    matches!(pagination, Pagination::Dynamic(_))
}

/// The position of the first page. `limit` is what the caller wants, clamped here.
pub fn first(
    pagination: &Pagination,
    limit: Option<u64>,
    request: &PageContext,
) -> Result<Position, PageError> {
    let limit = clamp(pagination, limit);
    Ok(match pagination {
        Pagination::Cursor(_) | Pagination::LinkHeader(_) => Position::new(PagePlace::Start, limit),
        Pagination::Page(page) => Position::new(PagePlace::Page(page.start_page.0), limit),
        Pagination::Offset(offset) => {
            Position::new(PagePlace::Offset(offset.start_offset.0), limit)
        }
        Pagination::Range(range) => {
            let most = range.max_limit.map(|Count(most)| most);
            let limit = limit.or_else(|| clamp(pagination, most));
            Position::new(PagePlace::Offset(0), limit)
        }
        Pagination::Dynamic(dynamic) => Position::new(dynamic::first(dynamic, request)?, limit),
    })
}

/// A position that a caller brings back, perhaps with another limit. Page numbers count in the limit they
/// began with, so there it stays.
pub fn resume(
    pagination: &Pagination,
    mut position: Position,
    limit: Option<u64>,
) -> Result<Position, PageError> {
    if let PagePlace::DeadEnd(end) = position.at {
        return Err(PageError::DeadEnd(end));
    }
    let fits = match pagination {
        Pagination::Cursor(cursor) if cursor.is_link => matches!(position.at, PagePlace::Link(_)),
        Pagination::Cursor(_) => matches!(position.at, PagePlace::Cursor(_)),
        Pagination::LinkHeader(_) => matches!(position.at, PagePlace::Link(_)),
        Pagination::Page(_) => matches!(position.at, PagePlace::Page(_)),
        Pagination::Offset(_) | Pagination::Range(_) => matches!(position.at, PagePlace::Offset(_)),
        Pagination::Dynamic(_) => matches!(position.at, PagePlace::Values(_)),
    };
    if !fits {
        return Err(PageError::Foreign);
    }
    if !matches!(pagination, Pagination::Page(_)) {
        position.limit = clamp(pagination, limit).or(position.limit);
    }
    Ok(position)
}

/// What the request for the page at `position` gets on top of the method's own.
pub fn ask(
    pagination: &Pagination,
    position: &Position,
    scope: &TemplateScope,
) -> Result<PageParameters, PageError> {
    match pagination {
        Pagination::Cursor(cursor) => cursor::ask(cursor, position, scope),
        Pagination::Page(page) => numbered::ask_page(page, position),
        Pagination::Offset(offset) => numbered::ask_offset(offset, position),
        Pagination::LinkHeader(link) => link_header::ask(link, position),
        Pagination::Range(range) => range::ask(range, position, scope),
        Pagination::Dynamic(_) => dynamic::ask(position),
    }
}

/// Where the page at `position`, asked for by `request`, leads. A way on that cannot be used is a [`PagePlace::DeadEnd`]
/// behind the page, which keeps its records.
pub fn next(
    pagination: &Pagination,
    position: &Position,
    request: &PageContext,
    answer: &PageAnswer,
) -> PageLinks {
    let links = match pagination {
        Pagination::Cursor(cursor) => cursor::next(cursor, position, request, answer),
        Pagination::Page(page) => numbered::next_page(page, position, answer),
        Pagination::Offset(offset) => numbered::next_offset(offset, position, answer),
        Pagination::LinkHeader(_) => link_header::next(position, request, answer),
        Pagination::Range(range) => range::next(range, position, answer),
        Pagination::Dynamic(dynamic) => dynamic::next(dynamic, position, request, answer),
    };
    let mut links = links.unwrap_or_else(|error| PageLinks {
        next: Some(position.dead_end(DeadEnd::of(&error))),
        ..PageLinks::default()
    });
    if links.next.is_some() && position.is_stuck(answer) {
        links.next = Some(position.dead_end(DeadEnd::repeats()));
        links.standing = PageStatus::Repeated;
    }
    links
}

/// Whether an answer of this status says, behind the first page, that the list has ended: 404 and 416 of counted pages, and
/// the file's `end_statuses`.
pub fn is_end(pagination: &Pagination, position: &Position, status: StatusCode) -> bool {
    let own = match pagination {
        Pagination::Page(page) => &page.end_statuses,
        Pagination::Offset(offset) => &offset.end_statuses,
        Pagination::Range(range) => &range.end_statuses,
        Pagination::Cursor(_) | Pagination::LinkHeader(_) | Pagination::Dynamic(_) => return false,
    };
    let is_end = matches!(
        status,
        StatusCode::NOT_FOUND | StatusCode::RANGE_NOT_SATISFIABLE
    ) || own.iter().any(|own| own.0 == status.as_u16());
    position.pages > 0 && is_end
}

/// Within the file's `min_limit` and `max_limit`, and at least 1.
pub fn clamp(pagination: &Pagination, limit: Option<u64>) -> Option<u64> {
    let (least, most) = match pagination {
        Pagination::Cursor(cursor) => (cursor.min_limit, cursor.max_limit),
        Pagination::Page(page) => (page.min_limit, page.max_limit),
        Pagination::Offset(offset) => (offset.min_limit, offset.max_limit),
        Pagination::LinkHeader(link) => (link.min_limit, link.max_limit),
        Pagination::Range(range) => (range.min_limit, range.max_limit),
        Pagination::Dynamic(dynamic) => (dynamic.min_limit, dynamic.max_limit),
    };
    let Count(least) = least.unwrap_or(Count(1));
    let Count(most) = most.unwrap_or(Count(u64::MAX));
    limit.map(|limit| limit.max(least).min(most).max(1))
}

#[cfg(test)]
mod tests;
