//! What a provider's answer comes to, as it goes to the caller.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LINK};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::flows::base::memory::Room;
use crate::pagination::Position;
use crate::ports::{Body, Reply};
use crate::proxy::headers;

/// What a provider's answer comes to.
pub(in crate::flows) enum Outcome<S> {
    /// An answer as it goes to the caller.
    Reply(Reply<S>),
    /// A page of a list.
    List(Listed),
}

/// A page of a list.
pub(in crate::flows) struct Listed {
    /// Those of the provider's answer.
    pub(in crate::flows) headers: HeaderMap,
    /// The envelope; of a walk the records alone, as lines.
    pub(in crate::flows) text: String,
    /// What it takes in memory.
    pub(in crate::flows) room: Room,
    /// The page behind it.
    pub(in crate::flows) next: Option<Position>,
}

impl<S> Outcome<S> {
    pub(in crate::flows) fn headers(&mut self) -> &mut HeaderMap {
        match self {
            Self::Reply(reply) => &mut reply.headers,
            Self::List(list) => &mut list.headers,
        }
    }

    pub(in crate::flows) fn into_reply(self) -> Reply<S> {
        match self {
            Self::Reply(reply) => reply,
            Self::List(mut list) => {
                // The cursor stands for it; it would lead around us.
                list.headers.remove(LINK);
                rewritten(StatusCode::OK, &list.headers, list.text)
            }
        }
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
