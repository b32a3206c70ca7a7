//! What a call needs of its account. The engine needs the synchronous part alone; the driver also what has to be waited for.

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
use crate::flows::call::idempotency::{End, KeyState, Write};
use crate::flows::call::log_line::LogLine;
use crate::flows::config::isolate::Isolate;
use crate::flows::config::redaction::Redactor;
use crate::flows::config::resolved_config::{Compiled, ResolvedConfig};
use crate::ids::AccountId;
use crate::ports::{HttpClient, Outside, System, Visibility};
use crate::rate_limit::TooLate;
use crate::time::Timestamp;

/// What the engine needs: nothing here waits.
pub trait CallAccount {
    /// Clock, chance, settings and the console.
    type System: System;

    fn system(&self) -> &Self::System;

    fn id(&self) -> AccountId;

    /// Memory for what is held of an answer.
    fn room(&self) -> Room;

    /// Finds the secrets of a config and a context.
    fn redactor(&self, compiled: &Rc<Compiled>, context: &Value) -> Rc<Redactor>;

    /// The limiter: the provider wants no request of the account for so long.
    fn pause(&self, wait: Duration);

    /// The limiter: a redirect is followed, which is one more request.
    fn count_redirect(&self);

    /// The provider took the credential.
    fn note_credential_accepted(&self);

    /// A call that was refused was not refused with the new token.
    fn note_renewal_helped(&self);
}

/// The stream of bodies that an account's HTTP client has.
pub(in crate::flows) type StreamOf<A> = <<A as CallAccount>::System as HttpClient>::Stream;

/// What the driver needs beside that. A method on `Rc` may leave work behind that outlives the call.
pub trait LiveAccount: CallAccount<System: Outside> + 'static {
    /// What the objects of an isolate share.
    fn isolate(&self) -> &Isolate;

    /// Memory for a caller's body, which counts with the others of the account.
    fn body_room(&self) -> Room;

    /// One more caller is inside, until this is dropped.
    fn enter(&self) -> Result<CallerGuard, Failure>;

    /// The account, where the caller may see it.
    async fn visible(&self, visibility: &Visibility) -> Result<Rc<LoadedAccount>, Failure>;

    /// The account as it is now; `None` where it was deleted.
    fn present(&self) -> Option<Rc<LoadedAccount>>;

    /// The file with the changes of the install and of the account.
    async fn resolved_config(&self, account: &Account) -> Result<ResolvedConfig, Failure>;

    /// The account with a token that can be used.
    async fn fresh(
        self: &Rc<Self>,
        loaded: Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<Rc<LoadedAccount>, Failure>;

    /// Notes that the account is in use, after the answer.
    fn note_use(self: &Rc<Self>, loaded: &LoadedAccount);

    /// Why a call waits before it sends this account's token.
    fn token_wait(&self, loaded: &LoadedAccount) -> Option<TokenWait>;

    async fn wait_for_token(
        self: &Rc<Self>,
        wait: TokenWait,
        loaded: &Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<(), Failure>;

    /// After a refusal of this account's credential: another one for the same call.
    async fn renew(
        self: &Rc<Self>,
        refused: &Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<Renewed, Failure>;

    /// The same where the call cannot be sent again.
    async fn renew_for_next(
        self: &Rc<Self>,
        refused: &Rc<LoadedAccount>,
    ) -> Result<Renewed, Failure>;

    /// Whether a refusal is confirmed. Then the account needs its customer from now on.
    async fn confirm_refusal(
        &self,
        refused: &Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<bool, Failure>;

    /// The limiter: the first free time from `not_before` on.
    fn reserve(&self, not_before: Timestamp, deadline: Timestamp) -> Result<Timestamp, TooLate>;

    /// The limiter: the first free time from now on, in the place of one that is kept.
    fn reserve_again(
        &self,
        kept: Option<Timestamp>,
        deadline: Timestamp,
    ) -> Result<Timestamp, TooLate>;

    /// The limiter: a reserved time is not used.
    fn release(&self, reserved: Timestamp);

    /// The limiter: a connection of the account, if one is free now.
    fn free_slot(&self) -> Option<SemaphorePermit<'_>>;

    /// The limiter: the same, once one is free.
    async fn slot(&self) -> Option<SemaphorePermit<'_>>;

    /// Takes a line of the log, to be written later.
    fn write_log(self: &Rc<Self>, line: LogLine);

    /// Takes the last refusal by the provider (403), to be written later.
    fn write_forbidden(self: &Rc<Self>, refusal: Value);
}

/// Where writes with an `Idempotency-Key` are stored.
pub(in crate::flows) trait WriteStore {
    /// What is known of a write. Where nothing is, it is under way from now on.
    fn begin_write(&self, write: &Write) -> Result<KeyState, Failure>;

    /// The key of a write that begins now is deleted a day later.
    async fn wake_for_writes(&self);

    /// Stores how a write ended.
    fn end_write(&self, write: &Write, end: &End);
}
