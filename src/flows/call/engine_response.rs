//! The engine's response to a provider's answer.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LINK};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::flows::base::memory::Room;
use crate::flows::call::step::Answered;
use crate::pagination::Position;
use crate::ports::{Body, Reply};
use crate::proxy::headers;

/// The engine's response to a provider's answer.
pub(in crate::flows) enum EngineResponse<S> {
    /// The response for the caller.
    Single(Reply<S>),
    /// A page of a list.
    Page(PageResponse),
    /// The result of an action's step.
    Value(Answered),
}

/// A page of a list.
pub(in crate::flows) struct PageResponse {
    /// The header fields of the provider's answer.
    pub(in crate::flows) headers: HeaderMap,
    /// The envelope; for auto-pagination only the records, one per line.
    pub(in crate::flows) text: String,
    /// The memory of `text`.
    pub(in crate::flows) room: Room,
    /// The position of the next page.
    pub(in crate::flows) next: Option<Position>,
    /// The whole answer, for a sync.
    pub(in crate::flows) answer: Option<WholeAnswer>,
}

/// The answer that a page was cut from.
pub(in crate::flows) struct WholeAnswer {
    pub(in crate::flows) status: u16,
    pub(in crate::flows) text: String,
    /// Whether there is something where the list should be, or the provider says by the status that there are no more.
    pub(in crate::flows) has_list: bool,
    /// Whether the list ends here by a rule of thumb.
    pub(in crate::flows) is_guessed_end: bool,
}

impl<S> EngineResponse<S> {
    pub(in crate::flows) fn headers(&mut self) -> Option<&mut HeaderMap> {
        match self {
            Self::Single(reply) => Some(&mut reply.headers),
            Self::Page(list) => Some(&mut list.headers),
            Self::Value(_) => None,
        }
    }

    /// Replaces the marker `Streamed` with the body's stream.
    pub(in crate::flows) fn with_stream<T>(self, stream: Option<T>) -> EngineResponse<T> {
        match self {
            Self::Single(reply) => EngineResponse::Single(Reply {
                status: reply.status,
                headers: reply.headers,
                body: with_stream(reply.body, stream),
            }),
            Self::Page(list) => EngineResponse::Page(list),
            Self::Value(value) => EngineResponse::Value(value),
        }
    }
}

/// Replaces the marker `Streamed` with the stream.
pub(in crate::flows) fn with_stream<S, T>(body: Body<S>, stream: Option<T>) -> Body<T> {
    match body {
        Body::Empty => Body::Empty,
        Body::Bytes(bytes) => Body::Bytes(bytes),
        Body::Stream(_) => stream.map_or(Body::Empty, Body::Stream),
    }
}

impl PageResponse {
    /// The response for a single page.
    pub(in crate::flows) fn into_reply<S>(mut self) -> Reply<S> {
        // The cursor replaces the provider's link, which would bypass the gateway.
        self.headers.remove(LINK);
        rewritten(StatusCode::OK, &self.headers, self.text)
    }
}

/// A response whose body was cut or wrapped: the gateway's own JSON.
pub(in crate::flows) fn rewritten<S>(
    status: StatusCode,
    headers: &HeaderMap,
    json: String,
) -> Reply<S> {
    let mut headers = headers::of_rewritten_answer(headers);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Reply {
        status,
        headers,
        body: Body::from_bytes(json),
    }
}

/// A response whose body was read and is passed on unchanged.
pub(in crate::flows) fn read_through<S>(
    status: StatusCode,
    headers: &HeaderMap,
    bytes: Bytes,
) -> Reply<S> {
    Reply {
        status,
        headers: headers::of_read_answer(headers),
        body: Body::from_bytes(bytes),
    }
}
