//! The outside, as a few traits: what the flows need and cannot do themselves. `src/cloudflare/` implements them on the
//! platform, `tests/native/outside.rs` in memory.

#![warn(missing_docs)]
#![expect(
    async_fn_in_trait,
    reason = "a Worker is single-threaded: no caller needs the futures to be Send"
)]

mod hand_over;
mod known_tables;
pub mod raw_target;
mod sftp;
mod sql_json;

use std::any::Any;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::{self, LocalBoxStream, StreamExt};
use http::{HeaderMap, Method, StatusCode};
use url::Url;

use crate::ids::{AccountId, EnvironmentId};
use crate::settings::{PIECE_BYTES, Settings};
use crate::time::Timestamp;

pub use hand_over::{Budget, HandOver, ObjectRoute, Pages, Visibility};
pub use known_tables::KnownTables;
pub use sftp::{Sftp, SftpFault, SftpRequest};

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
#[error("the body broke off")]
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

/// The configuration store (KV) failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the configuration store did not answer")]
pub struct StoreUnavailable;

/// The storage of an object failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("storage: {0}")]
pub struct StorageFault(pub String);

/// An object did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ObjectFault {
    /// It was restarted or could not be reached. It may have handled the request.
    #[error("the object was restarted")]
    Interrupted,
    /// It did not answer in time.
    #[error("the object did not answer in time")]
    Timeout,
}

/// A value of an SQL statement. Numbers stay below 2^53, because the platform passes them as f64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SqlValue {
    /// NULL.
    Null,
    /// A count, a flag, or milliseconds.
    Integer(i64),
    /// Text, also for ids and JSON.
    Text(String),
}

impl SqlValue {
    /// Text, or `None` for anything else.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A number, or `None` for anything else.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }
}

impl From<&str> for SqlValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for SqlValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for SqlValue {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

/// A row of a result, in the order of the statement's columns.
pub type Row = Vec<SqlValue>;

/// The name of a Durable Object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectName {
    /// The `Directory` of environments and integrations.
    Root,
    /// The `Directory` of one environment.
    Environment(EnvironmentId),
    /// A connected account.
    Account(AccountId),
}

/// The clock, random numbers, settings and the log.
pub trait System {
    /// The current time. It may not advance between two I/O operations.
    fn now(&self) -> Timestamp;
    /// Fills `bytes` with random bytes that are fit for keys.
    fn fill_random(&self, bytes: &mut [u8]);
    /// The operator's settings.
    fn settings(&self) -> &Settings;
    /// Returns after `duration`.
    async fn sleep(&self, duration: Duration);
    /// Runs `work` in the background, also after the request that started it is gone. A restart ends it.
    fn spawn(&self, work: LocalBoxFuture<'static, ()>);
    /// Writes one log line for the operator. It must not hold secrets, bodies or queries.
    fn log(&self, line: &serde_json::Value);

    /// `N` random bytes.
    fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill_random(&mut bytes);
        bytes
    }
}

/// KV `CONFIG`: the published records.
pub trait ConfigStore {
    /// The text under `key`. It may be a minute old.
    async fn get(&self, key: &str) -> Result<Option<String>, StoreUnavailable>;
    /// Stores a text.
    async fn put(&self, key: &str, text: &str) -> Result<(), StoreUnavailable>;
    /// Deletes the text under `key`.
    async fn delete(&self, key: &str) -> Result<(), StoreUnavailable>;
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

/// The platform's rate limiters.
pub trait TokenRate {
    /// Counts one request under `key`. Returns whether it is within `TOKEN_RATE`: true without that limit, and while
    /// the limiter fails.
    async fn admits(&self, key: &str) -> bool;

    /// Counts one failed authentication of a sender's address. Returns whether it is within `FAILED_AUTH`: true without
    /// that limit, and while the limiter fails.
    async fn admits_failure(&self, address: &str) -> bool;
}

/// Messages and calls to the objects.
pub trait Objects: HttpClient {
    /// Sends a message to an object: JSON text in, JSON text out. `patience` is the time limit.
    async fn send_message(
        &self,
        object: ObjectName,
        message: String,
        patience: Duration,
    ) -> Result<String, ObjectFault>;

    /// The response of an object, which is passed on as it is.
    type ObjectReply: ReplyStatus;

    /// Hands a request over to the account's object, body as a handle. The object responds within the request's own time.
    async fn call(
        &self,
        account: AccountId,
        hand_over: &HandOver,
        request: Incoming<Self::Stream>,
    ) -> Result<Self::ObjectReply, ObjectFault>;
}

/// What the front Worker reads of an object's response.
pub trait ReplyStatus {
    /// Its status.
    fn status(&self) -> StatusCode;

    /// Removes [`LEASE_OFFER`], and returns whether it was there.
    fn take_lease_offer(&mut self) -> bool;
}

/// The field of an object's response that offers a lease of the account. Callers never see it.
pub const LEASE_OFFER: &str = "x-causeway-lease";

impl<S> ReplyStatus for Reply<S> {
    fn status(&self) -> StatusCode {
        self.status
    }

    fn take_lease_offer(&mut self) -> bool {
        self.headers.remove(LEASE_OFFER).is_some()
    }
}

/// What the front Worker and the objects share.
pub trait Outside:
    System + ConfigStore + HttpClient + Sftp + TokenRate + Objects + Clone + 'static
{
}

impl<T: System + ConfigStore + HttpClient + Sftp + TokenRate + Objects + Clone + 'static> Outside
    for T
{
}

/// An object's own storage: SQLite and one alarm. Statements without an `.await` between them are one
/// atomic write.
pub trait Storage: 'static {
    /// Runs one statement.
    fn exec(&self, statement: &str, values: &[SqlValue]) -> Result<Vec<Row>, StorageFault>;
    /// Whether a table exists.
    fn has_table(&self, name: &str) -> Result<bool, StorageFault>;
    /// Sets the alarm, in the same atomic write as the statements before it.
    async fn set_alarm(&self, at: Timestamp) -> Result<(), StorageFault>;
    /// The time of the alarm, if it is set.
    async fn alarm(&self) -> Result<Option<Timestamp>, StorageFault>;
    /// Deletes the alarm.
    async fn delete_alarm(&self) -> Result<(), StorageFault>;
    /// Erases everything, including the alarm.
    async fn erase(&self) -> Result<(), StorageFault>;
}
