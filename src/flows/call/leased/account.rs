//! Implements the traits of `call::account` for a lease.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;

use super::lent::Lent;
use super::{Leases, ended, reports};
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
use crate::flows::messages::lease::{LeaseMessage, LeaseReport};
use crate::flows::messages::log_line::LogLine;
use crate::ids::AccountId;
use crate::ports::{Outside, Visibility};
use crate::time::Timestamp;

/// The account of one leased call.
pub(in crate::flows) struct LeasedAccount<O> {
    pub(super) outside: O,
    isolate: Rc<Isolate>,
    pub(super) leases: Rc<Leases>,
    pub(super) id: AccountId,
    pub(super) visibility: Visibility,
    pub(super) lent: RefCell<Rc<Lent>>,
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

    pub(super) fn lent(&self) -> Rc<Lent> {
        Rc::clone(&self.lent.borrow())
    }

    fn note(&self, note: impl FnOnce(&mut LeaseReport)) {
        let of = (self.id, &self.lent().credential);
        reports::note(&self.outside, &self.leases, of, note);
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
        let (lent, now) = (self.lent(), self.outside.now());
        if lent.is_valid(now) && lent.is_visible(visibility, now) {
            return Ok(Rc::clone(&lent.loaded));
        }
        let again = self.lease_again().await?;
        Ok(Rc::clone(&again.loaded))
    }

    fn present(&self) -> Option<Rc<LoadedAccount>> {
        Some(Rc::clone(&self.lent().loaded))
    }

    async fn resolved_config(&self, account: &Account) -> Result<ResolvedConfig, Failure> {
        let lent = self.lent();
        if std::ptr::eq(account, &raw const lent.loaded.account) {
            return lent.resolved_config(&self.outside, &self.isolate).await;
        }
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

    /// No request leaves with a lease that has ended. Its object says whether the account may still be called; if it has
    /// another credential by now, the request is outdated. A lease that was ended while it was on its way counts for nothing.
    async fn check_send(&self) -> Result<(), Failure> {
        let lent = self.lent();
        if lent.is_valid(self.outside.now()) {
            return Ok(());
        }
        let again = self.lease_again().await?;
        if again.credential == lent.credential && again.is_valid(self.outside.now()) {
            return Ok(());
        }
        Err(ended())
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

    /// An account that may have further tokens is not leased.
    fn wants_also(&self, _: &LoadedAccount, _: &[String]) -> bool {
        false
    }

    async fn obtain_also(&self, _: &[String], _: Timestamp) -> Result<(), Failure> {
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

    async fn renew_for_next(self: &Rc<Self>, _: &Rc<LoadedAccount>) -> Result<Renewed, Failure> {
        let refused = self.refused(self.outside.now(), false);
        self.renewed(refused).await
    }

    async fn confirm_refusal(
        &self,
        _: &Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<bool, Failure> {
        let refused = self.refused(deadline, false);
        let message = AccountMessage::LeasedCalls(LeaseMessage::ConfirmRefusal(
            self.visibility.clone(),
            refused,
        ));
        self.ask(message).await
    }

    fn limiter(&self) -> &Limiter {
        &self.limiter
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
