//! HTTP requests and responses, and the client that sends them.

use std::any::Any;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, LocalBoxStream, StreamExt};
use http::{HeaderMap, Method, StatusCode};
use url::Url;

use crate::settings::PIECE_BYTES;

/// A body. A stream is a handle that the core passes on unread, or reads within a limit.
#[derive(Debug)]
pub enum Body<S> {
    /// No body at all.
    Empty,
    /// In memory: it can be sent again.
    Bytes(Bytes),
    /// Can be sent or read once.
    Stream(S),
}

impl<S> Body<S> {
    /// Bytes, or `Empty` when there are none.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        if bytes.is_empty() {
            Self::Empty
        } else {
            Self::Bytes(bytes)
        }
    }

    /// A second copy of the body, if it can be sent again.
    pub fn again(&self) -> Option<Self> {
        match self {
            Self::Empty => Some(Self::Empty),
            Self::Bytes(bytes) => Some(Self::Bytes(bytes.clone())),
            Self::Stream(_) => None,
        }
    }
}

/// The handle of a streamed body. Dropping it cancels what was not read, which frees its connection.
pub trait ByteStream {
    /// The length in bytes, when the sender announced it.
    fn length(&self) -> Option<u64>;

    /// The next piece; `None` at the end.
    async fn next(&mut self) -> Option<Result<Bytes, BrokenStream>>;

    /// Reads the body piece by piece as it arrives, so that each piece is counted when it is received. Without this, a
    /// short body may be read as a whole.
    #[must_use]
    fn in_pieces(self) -> Self
    where
        Self: Sized;

    /// Splits the body into two handles: one to read, one to pass on. Each handle delivers the whole body, also after
    /// the other is dropped.
    fn tee(self) -> (Self, Self)
    where
        Self: Sized;
}

/// The body ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body ended early")]
pub struct BrokenStream;

/// A request to a provider.
#[derive(Debug)]
pub struct Outgoing<S> {
    /// The method, RFC 9110 §9.
    pub method: Method,
    /// The URL.
    pub url: Url,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body<S>,
    /// The time limit from sending to the head of the response. The reader of the body limits its time.
    pub timeout: Duration,
}

/// A request from a caller, at the front Worker or forwarded to an account's object.
#[derive(Debug)]
pub struct Incoming<S> {
    /// The method.
    pub method: Method,
    /// The whole URL of the request.
    pub url: Url,
    /// The path and query as they were sent, where the platform shows them and `url` has another spelling.
    pub raw_target: Option<String>,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body<S>,
}

/// A response, from a provider or to a caller.
#[derive(Debug)]
pub struct Reply<S> {
    /// The status.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body<S>,
}

/// Why a provider did not respond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// There was no connection, or it broke before the head of the response.
    #[error("the provider could not be reached")]
    Unreachable,
    /// The time limit passed.
    #[error("the provider did not answer in time")]
    Timeout,
}

/// Requests to providers and receivers.
pub trait HttpClient {
    /// The platform's handle of a streamed body.
    type Stream: ByteStream;

    /// Sends one request. Redirects are not followed.
    async fn send(&self, request: Outgoing<Self::Stream>)
    -> Result<Reply<Self::Stream>, SendError>;

    /// A body that is produced while it is read: a piece is requested when the reader needs it. When the reader has
    /// gone, `pieces` is dropped.
    fn stream(&self, pieces: LocalBoxStream<'static, Bytes>) -> Self::Stream;

    /// A body that is in memory. When the reader has received it or has gone, `held` is dropped.
    fn held(&self, bytes: Bytes, held: Box<dyn Any>) -> Self::Stream {
        self.stream(pieces_of(bytes, held))
    }
}

/// The pieces of a body that is in memory. `held` is dropped with them.
pub fn pieces_of(bytes: Bytes, held: Box<dyn Any>) -> LocalBoxStream<'static, Bytes> {
    let pieces = stream::unfold((bytes, held), |(mut bytes, held)| async move {
        let piece = bytes.split_to(bytes.len().min(PIECE_BYTES));
        (!piece.is_empty()).then_some((piece, (bytes, held)))
    });
    pieces.boxed_local()
}
