//! What a provider's answer comes to.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LINK};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::flows::base::memory::Room;
use crate::flows::call::step::Answered;
use crate::pagination::Position;
use crate::ports::{Body, Reply};
use crate::proxy::headers;

/// What a provider's answer comes to.
pub(in crate::flows) enum EngineResponse<S> {
    /// An answer as it goes to the caller.
    Single(Reply<S>),
    /// A page of a list.
    Page(PageResponse),
    /// The result of an action's step.
    Value(Answered),
}

/// A page of a list.
pub(in crate::flows) struct PageResponse {
    /// Those of the provider's answer.
    pub(in crate::flows) headers: HeaderMap,
    /// The envelope; where all pages are wanted the records alone, as lines.
    pub(in crate::flows) text: String,
    /// What it takes in memory.
    pub(in crate::flows) room: Room,
    /// The page behind it.
    pub(in crate::flows) next: Option<Position>,
}

impl<S> EngineResponse<S> {
    pub(in crate::flows) fn headers(&mut self) -> Option<&mut HeaderMap> {
        match self {
            Self::Single(reply) => Some(&mut reply.headers),
            Self::Page(list) => Some(&mut list.headers),
            Self::Value(_) => None,
        }
    }

    /// The same with the stream of its body.
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

/// The same body with its stream.
pub(in crate::flows) fn with_stream<S, T>(body: Body<S>, stream: Option<T>) -> Body<T> {
    match body {
        Body::Empty => Body::Empty,
        Body::Bytes(bytes) => Body::Bytes(bytes),
        Body::Stream(_) => stream.map_or(Body::Empty, Body::Stream),
    }
}

impl PageResponse {
    /// The answer of one page.
    pub(in crate::flows) fn into_reply<S>(mut self) -> Reply<S> {
        // The cursor is in its place: a link would lead past the gateway.
        self.headers.remove(LINK);
        rewritten(StatusCode::OK, &self.headers, self.text)
    }
}

/// What was cut or wrapped: JSON of our own writing.
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

/// The body was read and goes on as it was.
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
