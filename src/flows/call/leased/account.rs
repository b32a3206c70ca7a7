//! Implements the traits of `call::account` for a lease.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::SemaphorePermit;

use super::lent::Lent;
use super::{Leases, reports};
use crate::account::Account;
use crate::error::Failure;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::renewal::{Renewed, TokenWait};
use crate::flows::base::callers::CallerGuard;
use crate::flows::base::memory::Room;
use crate::flows::call::account::{CallAccount, LiveAccount};
use crate::flows::call::limiter::Limiter;
use crate::flows::config::isolate::Isolate;
use crate::flows::config::redaction::Redactor;
use crate::flows::config::resolved_config::{self, Compiled, ResolvedConfig};
use crate::flows::messages::account::AccountMessage;
use crate::flows::messages::lease::{Lease, LeaseReport, LeaseUse, RefusedLease, RenewedLease};
use crate::flows::messages::log_line::LogLine;
use crate::flows::messages::send_to_account;
use crate::ids::AccountId;
use crate::ports::{Outside, Visibility};
use crate::rate_limit::TooLate;
use crate::time::Timestamp;

/// The account of one leased call.
pub(in crate::flows) struct LeasedAccount<O> {
    outside: O,
    isolate: Rc<Isolate>,
    leases: Rc<Leases>,
    id: AccountId,
    visibility: Visibility,
    lent: RefCell<Rc<Lent>>,
    /// Of this call alone: a request of the front Worker cannot wake another one. No rate applies to a leased account.
    limiter: Limiter,
}

impl<O: Outside> LeasedAccount<O> {
    pub(super) fn new(
        outside: &O,
        isolate: &Rc<Isolate>,
        leases: &Rc<Leases>,
        visibility: &Visibility,
        lent: Rc<Lent>,
    ) -> Self {
        Self {
            outside: outside.clone(),
            isolate: Rc::clone(isolate),
            leases: Rc::clone(leases),
            id: lent.loaded.account.id,
            visibility: visibility.clone(),
            lent: RefCell::new(lent),
            limiter: Limiter::new(),
        }
    }

    fn lent(&self) -> Rc<Lent> {
        Rc::clone(&self.lent.borrow())
    }

    fn note(&self, note: impl FnOnce(&mut LeaseReport)) {
        let number = self.lent().number;
        reports::note(&self.outside, &self.leases, self.id, |report| {
            report.number = number;
            note(report);
        });
    }

    async fn ask<T: DeserializeOwned>(&self, message: AccountMessage) -> Result<T, Failure> {
        send_to_account(&self.outside, self.id, &message).await
    }

    /// Uses another lease, which was requested at `at`, from now on.
    fn replace(&self, lease: Lease, at: Timestamp) -> Rc<LoadedAccount> {
        let lent = Rc::new(Lent::new(lease, at));
        self.leases.keep(self.id, &lent, self.outside.now());
        let loaded = Rc::clone(&lent.loaded);
        self.lent.replace(lent);
        loaded
    }

    /// A refused credential ends the lease.
    fn refused(&self, deadline: Timestamp, can_repeat: bool) -> RefusedLease {
        self.leases.end(self.id);
        RefusedLease {
            number: self.lent().number,
            can_repeat,
            left: deadline.since(self.outside.now()),
        }
    }

    async fn renewed(&self, refused: RefusedLease) -> Result<Renewed, Failure> {
        let at = self.outside.now();
        let message = AccountMessage::RenewLease(self.visibility.clone(), refused);
        Ok(match self.ask(message).await? {
            RenewedLease::Fresh(lease) => Renewed::Fresh(self.replace(*lease, at)),
            RenewedLease::Never => Renewed::Never,
            RenewedLease::NotNow => Renewed::NotNow,
        })
    }
}

impl<O: Outside> CallAccount for LeasedAccount<O> {
    type System = O;

    fn system(&self) -> &O {
        &self.outside
    }

    fn id(&self) -> AccountId {
        self.id
    }

    fn room(&self) -> Room {
        self.isolate.room()
    }

    fn redactor(&self, compiled: &Rc<Compiled>, context: &Value) -> Rc<Redactor> {
        self.lent().redactor(compiled, context)
    }

    /// The pause counts for all callers of the account, so the object gets it and the lease ends.
    fn pause(&self, wait: Duration) {
        self.limiter.pause(self.outside.now(), wait);
        self.leases.end(self.id);
        self.note(|report| report.pause = report.pause.max(Some(wait)));
    }

    fn count_redirect(&self) {}

    fn note_credential_accepted(&self) {
        self.note(|report| report.is_accepted = true);
    }

    fn note_renewal_helped(&self) {
        self.note(|report| report.is_renewal_helpful = true);
    }
}

impl<O: Outside> LiveAccount for LeasedAccount<O> {
    fn isolate(&self) -> &Isolate {
        &self.isolate
    }

    fn body_room(&self) -> Room {
        self.isolate.memory.body_room(&self.lent().bodies)
    }

    fn enter(&self) -> Result<CallerGuard, Failure> {
        let most = self.outside.settings().calls_waiting;
        self.lent().callers.enter(most)
    }

    /// The leased account. A call that waited until its lease had ended asks the object again.
    async fn visible(&self, visibility: &Visibility) -> Result<Rc<LoadedAccount>, Failure> {
        let hidden = || Failure::not_found("integrated account");
        let (lent, at) = (self.lent(), self.outside.now());
        if !lent.is_visible(visibility) {
            return Err(hidden());
        }
        if lent.is_valid(at) {
            return Ok(Rc::clone(&lent.loaded));
        }
        let message = AccountMessage::Lease(visibility.clone(), LeaseUse::ThisCall);
        let lease: Option<Lease> = self.ask(message).await?;
        Ok(self.replace(lease.ok_or_else(hidden)?, at))
    }

    fn present(&self) -> Option<Rc<LoadedAccount>> {
        Some(Rc::clone(&self.lent().loaded))
    }

    async fn resolved_config(&self, account: &Account) -> Result<ResolvedConfig, Failure> {
        resolved_config::load(&self.outside, &self.isolate, account).await
    }

    /// A lease ends before its token is due.
    async fn fresh(
        self: &Rc<Self>,
        loaded: Rc<LoadedAccount>,
        _: Timestamp,
    ) -> Result<Rc<LoadedAccount>, Failure> {
        Ok(loaded)
    }

    /// The object notes it with the report.
    fn note_use(self: &Rc<Self>, _: &LoadedAccount) {}

    fn token_wait(&self, _: &LoadedAccount) -> Option<TokenWait> {
        None
    }

    async fn wait_for_token(
        self: &Rc<Self>,
        _: TokenWait,
        _: &Rc<LoadedAccount>,
        _: Timestamp,
    ) -> Result<(), Failure> {
        Ok(())
    }

    async fn renew(
        self: &Rc<Self>,
        _: &Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<Renewed, Failure> {
        let refused = self.refused(deadline, true);
        self.renewed(refused).await
    }

    async fn renew_for_next(
        self: &Rc<Self>,
        _: &Rc<LoadedAccount>,
    ) -> Result<Renewed, Failure> {
        let refused = self.refused(self.outside.now(), false);
        self.renewed(refused).await
    }

    async fn confirm_refusal(
        &self,
        _: &Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<bool, Failure> {
        let refused = self.refused(deadline, false);
        let message = AccountMessage::ConfirmRefusal(self.visibility.clone(), refused);
        self.ask(message).await
    }

    fn reserve(&self, not_before: Timestamp, deadline: Timestamp) -> Result<Timestamp, TooLate> {
        self.limiter
            .reserve(None, not_before, self.outside.now(), deadline)
    }

    fn reserve_again(
        &self,
        kept: Option<Timestamp>,
        deadline: Timestamp,
    ) -> Result<Timestamp, TooLate> {
        self.limiter
            .reserve_again(None, kept, self.outside.now(), deadline)
    }

    fn release(&self, reserved: Timestamp) {
        self.limiter.release(reserved);
    }

    fn free_slot(&self) -> Option<SemaphorePermit<'_>> {
        self.limiter.free_slot()
    }

    async fn slot(&self) -> Option<SemaphorePermit<'_>> {
        self.limiter.slot().await
    }

    /// An answer that means "too many requests" ends the lease, also without a pause.
    fn write_log(self: &Rc<Self>, line: LogLine) {
        if line.upstream_status == Some(429) {
            self.leases.end(self.id);
        }
        self.note(|report| report.lines.push(line));
    }

    fn write_forbidden(self: &Rc<Self>, refusal: Value) {
        self.note(|report| report.forbidden = Some(refusal));
    }
}
