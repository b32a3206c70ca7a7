//! Implements the traits of `call::account` for the account's object.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;

use crate::account::Account;
use crate::error::Failure;
use crate::flows::account::base::Base;
use crate::flows::account::changes::Changes;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::record::AccountRecord;
use crate::flows::account::renewal::{Renewed, TokenWait};
use crate::flows::account::schedule::Schedule;
use crate::flows::base::callers::{CallerGuard, Callers};
use crate::flows::base::memory::{AccountBodies, Room};
use crate::flows::call::account::{CallAccount, LiveAccount, WriteStore};
use crate::flows::call::account_log::AccountLog;
use crate::flows::call::idempotency::running::RunningWrites;
use crate::flows::call::idempotency::store::IdempotencyStore;
use crate::flows::call::idempotency::{KnownWrite, Write, WriteEnd};
use crate::flows::call::limiter::Limiter;
use crate::flows::config::isolate::Isolate;
use crate::flows::config::redaction::Redactor;
use crate::flows::config::resolved_config::{Compiled, ResolvedConfig};
use crate::flows::messages::log_line::LogLine;
use crate::flows::tokens::Tokens;
use crate::ids::AccountId;
use crate::ports::{Outside, Storage, Visibility};
use crate::settings::KEPT_ANSWER;
use crate::time::Timestamp;

/// The components of the account's object that calls use.
pub struct AccountCalls<O, S> {
    base: Rc<Base<O, S>>,
    record: Rc<AccountRecord<O, S>>,
    changes: Rc<Changes<O, S>>,
    schedule: Rc<Schedule<O, S>>,
    tokens: Tokens<O, S>,
    log: Rc<AccountLog<O, S>>,
    idempotency: Rc<IdempotencyStore<O, S>>,
    running_writes: RunningWrites,
    /// Whether the config of the last call allows leases of the account.
    is_leasable: Cell<bool>,
    limiter: Limiter,
    /// Counts the calls and webhooks in progress.
    callers: Callers,
    bodies: AccountBodies,
}

impl<O: Outside, S: Storage> AccountCalls<O, S> {
    pub(in crate::flows) fn new(
        base: &Rc<Base<O, S>>,
        record: &Rc<AccountRecord<O, S>>,
        changes: &Rc<Changes<O, S>>,
        schedule: &Rc<Schedule<O, S>>,
        tokens: Tokens<O, S>,
        log: &Rc<AccountLog<O, S>>,
        idempotency: &Rc<IdempotencyStore<O, S>>,
    ) -> Self {
        Self {
            base: Rc::clone(base),
            record: Rc::clone(record),
            changes: Rc::clone(changes),
            schedule: Rc::clone(schedule),
            tokens,
            log: Rc::clone(log),
            idempotency: Rc::clone(idempotency),
            running_writes: RunningWrites::default(),
            is_leasable: Cell::default(),
            limiter: Limiter::new(),
            callers: Callers::default(),
            bodies: AccountBodies::default(),
        }
    }

    /// Writes the changes of the account.
    pub(in crate::flows) fn changes(&self) -> &Changes<O, S> {
        &self.changes
    }

    /// The committed account.
    pub(in crate::flows) fn record(&self) -> &AccountRecord<O, S> {
        &self.record
    }

    pub(in crate::flows) fn log(&self) -> &Rc<AccountLog<O, S>> {
        &self.log
    }

    pub(super) fn is_leasable(&self) -> bool {
        self.is_leasable.get()
    }

    pub(in crate::flows) fn tokens(&self) -> &Tokens<O, S> {
        &self.tokens
    }

    /// The account, if it exists and the caller may see it.
    pub async fn visible(&self, visibility: &Visibility) -> Result<Rc<LoadedAccount>, Failure> {
        self.record.visible(visibility).await
    }

    /// The account's integration file, with the overrides of its install and its own.
    pub async fn resolved_config(&self, account: &Account) -> Result<ResolvedConfig, Failure> {
        self.record.resolved_config(account).await
    }
}

impl<O: Outside, S: Storage> CallAccount for AccountCalls<O, S> {
    type System = O;

    fn system(&self) -> &O {
        self.base.outside()
    }

    fn id(&self) -> AccountId {
        self.base.id()
    }

    fn room(&self) -> Room {
        self.base.isolate().room()
    }

    fn redactor(&self, compiled: &Rc<Compiled>, context: &Value) -> Rc<Redactor> {
        self.record.redactor(compiled, context)
    }

    fn pause(&self, wait: Duration) {
        self.limiter.pause(self.system().now(), wait);
    }

    fn count_redirect(&self) {
        let (rate, now) = (self.system().settings().account_rate, self.system().now());
        self.limiter.count(rate, now);
    }

    fn note_credential_accepted(&self) {
        self.tokens.refused().note_credential_accepted();
    }

    fn note_renewal_helped(&self) {
        self.tokens.refused().note_renewal_helped();
    }
}

impl<O: Outside, S: Storage> LiveAccount for AccountCalls<O, S> {
    fn isolate(&self) -> &Isolate {
        self.base.isolate()
    }

    fn body_room(&self) -> Room {
        self.base.isolate().memory.body_room(&self.bodies)
    }

    fn enter(&self) -> Result<CallerGuard, Failure> {
        self.callers.enter(self.system().settings().calls_waiting)
    }

    async fn visible(&self, visibility: &Visibility) -> Result<Rc<LoadedAccount>, Failure> {
        self.record.visible(visibility).await
    }

    fn present(&self) -> Option<Rc<LoadedAccount>> {
        self.record.present()
    }

    async fn resolved_config(&self, account: &Account) -> Result<ResolvedConfig, Failure> {
        let resolved = self.record.resolved_config(account).await?;
        self.is_leasable.set(self.may_lease(account, &resolved));
        Ok(resolved)
    }

    async fn fresh(
        self: &Rc<Self>,
        loaded: Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<Rc<LoadedAccount>, Failure> {
        self.tokens.refresh().fresh(self, loaded, deadline).await
    }

    async fn check_send(&self) -> Result<(), Failure> {
        Ok(())
    }

    fn note_use(self: &Rc<Self>, loaded: &LoadedAccount) {
        self.tokens.schedule().note_use_of(loaded);
    }

    fn token_wait(&self, loaded: &LoadedAccount) -> Option<TokenWait> {
        self.tokens.refused().wait_before_sending(loaded)
    }

    async fn wait_for_token(
        self: &Rc<Self>,
        wait: TokenWait,
        loaded: &Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<(), Failure> {
        let refused = self.tokens.refused();
        refused.wait_for_token(self, wait, loaded, deadline).await
    }

    fn wants_also(&self, loaded: &LoadedAccount, names: &[String]) -> bool {
        self.tokens.also().are_wanted(loaded, names)
    }

    async fn obtain_also(&self, names: &[String], deadline: Timestamp) -> Result<(), Failure> {
        self.tokens.also().obtained(names, deadline).await
    }

    async fn renew(
        self: &Rc<Self>,
        refused: &Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<Renewed, Failure> {
        let own = self.tokens.refused();
        own.renewed_after_refusal(self, refused, deadline).await
    }

    async fn renew_for_next(
        self: &Rc<Self>,
        refused: &Rc<LoadedAccount>,
    ) -> Result<Renewed, Failure> {
        self.tokens.refused().renew_for_next(self, refused).await
    }

    async fn confirm_refusal(
        &self,
        refused: &Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<bool, Failure> {
        let own = self.tokens.refused();
        own.confirm_refusal(self, refused, deadline).await
    }

    fn limiter(&self) -> &Limiter {
        &self.limiter
    }

    fn write_log(self: &Rc<Self>, line: LogLine) {
        self.log.queue(line);
    }

    fn write_forbidden(self: &Rc<Self>, refusal: Value) {
        self.log.queue_forbidden(refusal);
    }
}

impl<O: Outside, S: Storage> WriteStore for AccountCalls<O, S> {
    fn running_writes(&self) -> &RunningWrites {
        &self.running_writes
    }

    fn begin_write(&self, write: &Write) -> Result<KnownWrite, Failure> {
        self.idempotency.begin(write)
    }

    async fn wake_for_writes(&self) {
        let end = self.system().now().plus(KEPT_ANSWER);
        self.schedule.wake_by(end).await;
    }

    fn end_write(&self, write: &Write, end: &WriteEnd) {
        // Nothing is written for a deleted account.
        if !self.record.is_here() {
            return;
        }
        if let Err(fault) = self.idempotency.end(write, end) {
            self.base.log("answer_not_kept", &fault.to_string());
        }
    }
}
