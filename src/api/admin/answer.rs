//! What several admin calls answer.

use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::query::cursor;
use crate::api::reply;
use crate::error::Failure;
use crate::flows::base::records::{ListPage, PageRequest};
use crate::ports::Reply;

/// A piece of the list.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub(in crate::api) struct List<T> {
    result: Vec<T>,
    /// Where to go on; null at the end.
    next_cursor: Option<String>,
    /// At most so many records are in a piece.
    limit: usize,
}

impl<T> List<T> {
    /// The piece that was found, each record as it is shown.
    pub(super) fn of<R>(found: ListPage<R>, page: &PageRequest, show: impl FnMut(R) -> T) -> Self {
        Self {
            result: found.result.into_iter().map(show).collect(),
            next_cursor: found.next_cursor.as_deref().map(cursor),
            limit: page.limit,
        }
    }
}

/// It is deleted.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub(in crate::api) struct Deleted<I> {
    pub(super) id: I,
}

/// A record that was stored: 201 when it is new, else 200.
pub(in crate::api) struct Saved<T> {
    pub(in crate::api) record: T,
    pub(super) is_new: bool,
}

impl<T> Saved<T> {
    pub(in crate::api) fn status(&self) -> u16 {
        if self.is_new { 201 } else { 200 }
    }
}

/// Why there is no more, where an answer goes on without.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub(super) struct PartialError {
    code: &'static str,
    message: String,
}

impl From<&Failure> for PartialError {
    fn from(failure: &Failure) -> Self {
        Self {
            code: failure.code.as_str(),
            message: failure.message.clone(),
        }
    }
}

/// A JSON answer with this status.
pub(in crate::api) fn respond<S>(status: u16, answer: &impl Serialize) -> Reply<S> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    reply::json(status, answer)
}
