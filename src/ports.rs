//! The outside, as a few traits: what the flows need and cannot do themselves. `src/cloudflare/` implements them on the
//! platform, `tests/native/outside.rs` in memory.

#![warn(missing_docs)]
#![expect(
    async_fn_in_trait,
    reason = "a Worker is single-threaded: no caller needs the futures to be Send"
)]

mod hand_over;
mod http_client;
mod known_tables;
pub mod raw_target;
mod sftp;
mod sql_json;
mod storage;

use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use http::StatusCode;

use crate::ids::{AccountId, EnvironmentId};
use crate::settings::Settings;
use crate::time::Timestamp;

pub use hand_over::{ADMIN_TOKEN_KEY, Budget, HandOver, ObjectRoute, Pages, Visibility};
pub use http_client::{
    Body, BrokenStream, ByteStream, HttpClient, Incoming, Outgoing, Reply, SendError, pieces_of,
};
pub use known_tables::KnownTables;
pub use sftp::{Sftp, SftpFault, SftpRequest};
pub use storage::{Row, SqlValue, Storage, StorageFault};

/// The configuration store (KV) failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the configuration store did not answer")]
pub struct StoreUnavailable;

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
