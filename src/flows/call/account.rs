//! What a call needs of its account. The engine uses only the synchronous trait; the driver also uses the asynchronous
//! one.

#![expect(
    async_fn_in_trait,
    reason = "a Worker is single-threaded: no caller needs the futures to be Send"
)]

use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::SemaphorePermit;

use crate::account::Account;
use crate::error::Failure;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::renewal::Renewed;
use crate::flows::account::renewal::TokenWait;
use crate::flows::base::callers::CallerGuard;
use crate::flows::base::memory::Room;
use crate::flows::call::idempotency::running::RunningWrites;
use crate::flows::call::idempotency::{KnownWrite, Write, WriteEnd};
use crate::flows::call::limiter::Limiter;
use crate::flows::config::isolate::Isolate;
use crate::flows::config::redaction::Redactor;
use crate::flows::config::resolved_config::{Compiled, ResolvedConfig};
use crate::flows::messages::log_line::LogLine;
use crate::ids::AccountId;
use crate::ports::{HttpClient, Outside, System, Visibility};
use crate::rate_limit::TooLate;
use crate::time::Timestamp;

/// What the engine needs. No method waits.
pub trait CallAccount {
    /// The clock, random bytes, settings and the console.
    type System: System;

    fn system(&self) -> &Self::System;

    fn id(&self) -> AccountId;

    /// Memory for an answer's buffered body.
    fn room(&self) -> Room;

    /// A redactor for the secrets of a config and a context.
    fn redactor(&self, compiled: &Rc<Compiled>, context: &Value) -> Rc<Redactor>;

    /// Makes the limiter send no request of the account for so long, since the provider asked for it.
    fn pause(&self, wait: Duration);

    /// Counts a followed redirect in the limiter, since it is one more request.
    fn count_redirect(&self);

    /// Notes that the provider accepted the credential.
    fn note_credential_accepted(&self);

    /// Notes that a refused call succeeded with the new token.
    fn note_renewal_helped(&self);
}

/// The body stream of an account's HTTP client.
pub(in crate::flows) type StreamOf<A> = <<A as CallAccount>::System as HttpClient>::Stream;

/// What the driver needs in addition. A method on `Rc` may start work that outlives the call.
pub trait LiveAccount: CallAccount<System: Outside> + 'static {
    /// The memory that the objects of one isolate share.
    fn isolate(&self) -> &Isolate;

    /// Memory for a caller's body, counted together with the other bodies of the account.
    fn body_room(&self) -> Room;

    /// Counts one more caller of the account, until the guard is dropped.
    fn enter(&self) -> Result<CallerGuard, Failure>;

    /// The account, if the caller may see it.
    async fn visible(&self, visibility: &Visibility) -> Result<Rc<LoadedAccount>, Failure>;

    /// The account as it is now; `None` if it was deleted.
    fn present(&self) -> Option<Rc<LoadedAccount>>;

    /// The integration file with the overrides of the install and of the account.
    async fn resolved_config(&self, account: &Account) -> Result<ResolvedConfig, Failure>;

    /// The account with a usable token. An expired token is refreshed first.
    async fn fresh(
        self: &Rc<Self>,
        loaded: Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<Rc<LoadedAccount>, Failure>;

    /// Checks that a request may be sent now with what the call has read of the account. The driver asks before each
    /// request, also of a redirect, and does not wait between this and the request.
    async fn check_send(&self) -> Result<(), Failure>;

    /// Notes after the answer that the account is in use.
    fn note_use(self: &Rc<Self>, loaded: &LoadedAccount);

    /// Why a call waits before it sends this account's token.
    fn token_wait(&self, loaded: &LoadedAccount) -> Option<TokenWait>;

    async fn wait_for_token(
        self: &Rc<Self>,
        wait: TokenWait,
        loaded: &Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<(), Failure>;

    /// Whether the account lacks one of these further tokens, or has one that it is time to replace.
    fn wants_also(&self, loaded: &LoadedAccount, names: &[String]) -> bool;

    /// Waits until the account has these further tokens.
    async fn obtain_also(&self, names: &[String], deadline: Timestamp) -> Result<(), Failure>;

    /// Gets another credential for the same call, after the provider refused this one.
    async fn renew(
        self: &Rc<Self>,
        refused: &Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<Renewed, Failure>;

    /// The same for a call that cannot be sent again: the next call uses the credential.
    async fn renew_for_next(
        self: &Rc<Self>,
        refused: &Rc<LoadedAccount>,
    ) -> Result<Renewed, Failure>;

    /// Whether the refusal is confirmed. If it is, the account's customer has to connect it again.
    async fn confirm_refusal(
        &self,
        refused: &Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<bool, Failure>;

    fn limiter(&self) -> &Limiter;

    /// Reserves the limiter's first free time from `not_before` on.
    fn reserve(&self, not_before: Timestamp, deadline: Timestamp) -> Result<Timestamp, TooLate> {
        let (rate, now) = (self.system().settings().account_rate, self.system().now());
        self.limiter().reserve(rate, not_before, now, deadline)
    }

    /// Reserves the limiter's first free time from now on, in place of the reservation that is kept.
    fn reserve_again(
        &self,
        kept: Option<Timestamp>,
        deadline: Timestamp,
    ) -> Result<Timestamp, TooLate> {
        let (rate, now) = (self.system().settings().account_rate, self.system().now());
        self.limiter().reserve_again(rate, kept, now, deadline)
    }

    /// Gives an unused reservation back to the limiter.
    fn release(&self, reserved: Timestamp) {
        self.limiter().release(reserved);
    }

    /// A connection of the account, if the limiter has a free one.
    fn free_slot(&self) -> Option<SemaphorePermit<'_>> {
        self.limiter().free_slot()
    }

    /// A connection of the account. Waits until the limiter has a free one.
    async fn slot(&self) -> Option<SemaphorePermit<'_>> {
        self.limiter().slot().await
    }

    /// Queues a line for the log.
    fn write_log(self: &Rc<Self>, line: LogLine);

    /// Queues the provider's last 403 answer for the record.
    fn write_forbidden(self: &Rc<Self>, refusal: Value);
}

/// Where writes with an `Idempotency-Key` are stored.
pub(in crate::flows) trait WriteStore {
    /// The writes that run now.
    fn running_writes(&self) -> &RunningWrites;

    /// The stored state of a write. A new write is stored as under way.
    fn begin_write(&self, write: &Write) -> Result<KnownWrite, Failure>;

    /// Sets the alarm for the time when the key of a new write expires.
    async fn wake_for_writes(&self);

    /// Stores the result of a write.
    fn end_write(&self, write: &Write, end: &WriteEnd);
}
