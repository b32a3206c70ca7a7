//! The outside, as a few traits: what the flows need and cannot do themselves.
//! `src/cloudflare/` is the real one, `tests/native/outside.rs` the in-memory twin.

#![warn(missing_docs)]
#![expect(
    async_fn_in_trait,
    reason = "a Worker is single-threaded: no caller needs the futures to be Send"
)]

pub mod asked;
mod hand_over;

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::LocalBoxStream;
use http::{HeaderMap, Method, StatusCode};
use url::Url;

use crate::ids::{AccountId, EnvironmentId};
use crate::settings::Settings;
use crate::time::Timestamp;

pub use hand_over::{Budget, HandOver, ObjectRoute, Pages, Visibility};

/// A body. A stream is a handle the core passes on without looking inside, or reads with a limit.
#[derive(Debug)]
pub enum Body<S> {
    /// No body at all.
    Empty,
    /// Held in memory: it may be sent again.
    Bytes(Bytes),
    /// Sent or read once.
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

    /// The same body once more, when it can be sent again.
    pub fn again(&self) -> Option<Self> {
        match self {
            Self::Empty => Some(Self::Empty),
            Self::Bytes(bytes) => Some(Self::Bytes(bytes.clone())),
            Self::Stream(_) => None,
        }
    }
}

/// The handle of a streamed body. Dropped, it lets go of what was not read, so that its connection is free.
pub trait ByteStream {
    /// Its length in bytes, when the sender said so.
    fn length(&self) -> Option<u64>;

    /// The next piece; `None` at the end.
    async fn next(&mut self) -> Option<Result<Bytes, BrokenStream>>;

    /// The same body, to be read as it arrives, so that each piece is counted when it is here. Else a short one may be
    /// read as a whole.
    #[must_use]
    fn in_pieces(self) -> Self
    where
        Self: Sized;

    /// The same body as two handles: one to look into, one to pass on. What either lets go of, the other still has.
    fn twice(self) -> (Self, Self)
    where
        Self: Sized;
}

/// A body ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body broke off")]
pub struct BrokenStream;

/// A request to a provider.
#[derive(Debug)]
pub struct Outgoing<S> {
    /// The method, RFC 9110 §9.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Header fields as they are sent.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body<S>,
    /// From sending to the head of the answer. Who reads its body bounds that.
    pub timeout: Duration,
}

/// A request from a caller, at the front Worker or handed over to an account's object.
#[derive(Debug)]
pub struct Incoming<S> {
    /// The method.
    pub method: Method,
    /// The whole URL that was asked for.
    pub url: Url,
    /// Its path and query as they were asked for, where the platform shows them and `url` spells them otherwise.
    pub asked: Option<String>,
    /// Its header fields.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Body<S>,
}

/// An answer, from a provider or to a caller.
#[derive(Debug)]
pub struct Reply<S> {
    /// The status.
    pub status: StatusCode,
    /// Header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body<S>,
}

/// Why a provider gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// No connection, or it broke before the answer's head.
    #[error("the provider could not be reached")]
    Unreachable,
    /// The time-out passed.
    #[error("the provider did not answer in time")]
    Timeout,
}

/// The configuration store (KV) did not do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the configuration store did not answer")]
pub struct StoreUnavailable;

/// An object's storage refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("storage: {0}")]
pub struct StorageFault(pub String);

/// An object gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ObjectFault {
    /// It was restarted or could not be reached: the request may or may not have been seen.
    #[error("the object was restarted")]
    Interrupted,
    /// It did not answer in time.
    #[error("the object did not answer in time")]
    Timeout,
}

/// A value of a statement. Numbers stay below 2^53 (the platform passes them as f64).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SqlValue {
    /// NULL.
    Null,
    /// A count, a flag, milliseconds.
    Integer(i64),
    /// Text, also ids and JSON.
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

/// A row of an answer, in the order of the statement's columns.
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

/// Clock, chance, settings and log.
pub trait System {
    /// Now. It may stand still between two I/O operations.
    fn now(&self) -> Timestamp;
    /// Fills with bytes nobody can guess.
    fn fill_random(&self, bytes: &mut [u8]);
    /// What the operator has set.
    fn settings(&self) -> &Settings;
    /// Returns after `duration`.
    async fn sleep(&self, duration: Duration);
    /// Goes on with `work` in the background, also when whoever began it no longer waits. A restart ends it.
    fn go_on(&self, work: LocalBoxFuture<'static, ()>);
    /// Writes one line for the operator; never secrets, bodies or queries.
    fn log(&self, line: &serde_json::Value);

    /// `N` random bytes.
    fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill_random(&mut bytes);
        bytes
    }
}

/// KV `CONFIG`: the published copies.
pub trait ConfigStore {
    /// The text under `key`; it may be a minute old.
    async fn get(&self, key: &str) -> Result<Option<String>, StoreUnavailable>;
    /// Puts a text.
    async fn put(&self, key: &str, text: &str) -> Result<(), StoreUnavailable>;
    /// Removes it.
    async fn delete(&self, key: &str) -> Result<(), StoreUnavailable>;
}

/// Requests to the world.
pub trait HttpClient {
    /// The platform's handle of a streamed body.
    type Stream: ByteStream;

    /// Sends one request; redirects are not followed.
    async fn send(&self, request: Outgoing<Self::Stream>)
    -> Result<Reply<Self::Stream>, SendError>;

    /// A body that is made while it is read: a piece is asked for when somebody wants it. When nobody wants the
    /// rest, `pieces` is dropped.
    fn stream(&self, pieces: LocalBoxStream<'static, Bytes>) -> Self::Stream;
}

/// The platform's count of requests.
pub trait TokenRate {
    /// Counts one request under `key`; whether it is within `TOKEN_RATE`. Without that limit all are, and so they
    /// are while the platform cannot tell.
    async fn admits(&self, key: &str) -> bool;

    /// Counts one failed authentication of a sender's address; whether it is within `FAILED_AUTH`. Without that limit all
    /// are, and so they are while the platform cannot tell.
    async fn admits_failure(&self, address: &str) -> bool;
}

/// The other objects.
pub trait Objects: HttpClient {
    /// Asks an object: JSON text in, JSON text out. `patience` is how long it may take.
    async fn ask(
        &self,
        object: ObjectName,
        message: String,
        patience: Duration,
    ) -> Result<String, ObjectFault>;

    /// Hands a call over to the account's object, body as a handle. `budget` is how long it may take.
    async fn call(
        &self,
        account: AccountId,
        hand_over: &HandOver,
        request: Incoming<Self::Stream>,
        budget: Duration,
    ) -> Result<Reply<Self::Stream>, ObjectFault>;
}

/// Everything the front Worker and the objects share.
pub trait Outside: System + ConfigStore + HttpClient + TokenRate + Objects + 'static {}

impl<T: System + ConfigStore + HttpClient + TokenRate + Objects + 'static> Outside for T {}

/// An object's own storage: SQLite and one alarm. Statements without an `.await` between them are one
/// atomic write.
pub trait Storage: 'static {
    /// Runs one statement.
    fn exec(&self, statement: &str, values: &[SqlValue]) -> Result<Vec<Row>, StorageFault>;
    /// Sets the alarm, in the same atomic write as the statements before it.
    async fn set_alarm(&self, at: Timestamp) -> Result<(), StorageFault>;
    /// When the alarm rings, if it is set.
    async fn alarm(&self) -> Result<Option<Timestamp>, StorageFault>;
    /// Takes the alarm back.
    async fn delete_alarm(&self) -> Result<(), StorageFault>;
    /// Erases everything, the alarm too.
    async fn erase(&self) -> Result<(), StorageFault>;
}
