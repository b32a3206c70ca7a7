//! The account as its calls need it.

use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::SemaphorePermit;

use crate::account::Account;
use crate::error::Failure;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::renewal::Renewed;
use crate::flows::account::renewal::TokenWait;
use crate::flows::base::callers::Inside;
use crate::flows::base::memory::Room;
use crate::flows::call::account::{CallAccount, LiveAccount, WriteStore};
use crate::flows::call::idempotency::{End, Known, Write};
use crate::flows::call::log_line::LogLine;
use crate::flows::config::isolate::Isolate;
use crate::flows::config::redaction::Redactor;
use crate::flows::config::resolved_config::{Compiled, ResolvedConfig};
use crate::flows::object::AccountObject;
use crate::ids::AccountId;
use crate::ports::{Outside, Storage, Visibility};
use crate::rate_limit::TooLate;
use crate::time::Timestamp;

impl<O: Outside, S: Storage> CallAccount for AccountObject<O, S> {
    type System = O;

    fn system(&self) -> &O {
        self.outside()
    }

    fn id(&self) -> AccountId {
        AccountObject::id(self)
    }

    fn room(&self) -> Room {
        AccountObject::isolate(self).room()
    }

    fn redactor(&self, compiled: &Rc<Compiled>, context: &Value) -> Rc<Redactor> {
        AccountObject::redactor(self, compiled, context)
    }

    fn pause(&self, wait: Duration) {
        self.limiter().pause(self.outside().now(), wait);
    }

    fn count_redirect(&self) {
        let (rate, now) = (self.outside().settings().account_rate, self.outside().now());
        self.limiter().count(rate, now);
    }

    fn note_credential_accepted(&self) {
        AccountObject::note_credential_accepted(self);
    }

    fn note_renewal_helped(&self) {
        AccountObject::note_renewal_helped(self);
    }
}

impl<O: Outside, S: Storage> LiveAccount for AccountObject<O, S> {
    fn isolate(&self) -> &Isolate {
        AccountObject::isolate(self)
    }

    fn body_room(&self) -> Room {
        AccountObject::body_room(self)
    }

    fn enter(&self) -> Result<Inside, Failure> {
        AccountObject::enter(self)
    }

    async fn visible(&self, sees: &Visibility) -> Result<Rc<LoadedAccount>, Failure> {
        AccountObject::visible(self, sees).await
    }

    fn present(&self) -> Option<Rc<LoadedAccount>> {
        AccountObject::present(self)
    }

    async fn resolved_config(&self, account: &Account) -> Result<ResolvedConfig, Failure> {
        self.resolved_config(account).await
    }

    async fn fresh(
        self: &Rc<Self>,
        loaded: Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<Rc<LoadedAccount>, Failure> {
        AccountObject::fresh(self, loaded, deadline).await
    }

    fn note_use(self: &Rc<Self>, loaded: &LoadedAccount) {
        self.note_use_of(loaded);
    }

    fn token_wait(&self, loaded: &LoadedAccount) -> Option<TokenWait> {
        self.wait_before_sending(loaded)
    }

    async fn wait_for_token(
        self: &Rc<Self>,
        wait: TokenWait,
        loaded: &Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<(), Failure> {
        AccountObject::wait_for_token(self, wait, loaded, deadline).await
    }

    async fn renew(
        self: &Rc<Self>,
        refused: &Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<Renewed, Failure> {
        self.renewed_after_refusal(refused, deadline).await
    }

    async fn renew_for_next(
        self: &Rc<Self>,
        refused: &Rc<LoadedAccount>,
    ) -> Result<Renewed, Failure> {
        AccountObject::renew_for_next(self, refused).await
    }

    async fn confirm_refusal(
        &self,
        refused: &Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<bool, Failure> {
        AccountObject::confirm_refusal(self, refused, deadline).await
    }

    fn reserve(&self, not_before: Timestamp, deadline: Timestamp) -> Result<Timestamp, TooLate> {
        let (rate, now) = (self.outside().settings().account_rate, self.outside().now());
        self.limiter().reserve(rate, not_before, now, deadline)
    }

    fn reserve_again(
        &self,
        kept: Option<Timestamp>,
        deadline: Timestamp,
    ) -> Result<Timestamp, TooLate> {
        let (rate, now) = (self.outside().settings().account_rate, self.outside().now());
        self.limiter().reserve_again(rate, kept, now, deadline)
    }

    fn release(&self, reserved: Timestamp) {
        self.limiter().release(reserved);
    }

    fn free_slot(&self) -> Option<SemaphorePermit<'_>> {
        self.limiter().free_slot()
    }

    async fn slot(&self) -> Option<SemaphorePermit<'_>> {
        self.limiter().slot().await
    }

    fn write_log(self: &Rc<Self>, line: LogLine) {
        self.gather(line);
    }

    fn write_forbidden(self: &Rc<Self>, refusal: Value) {
        self.gather_forbidden(refusal);
    }
}

impl<O: Outside, S: Storage> WriteStore for AccountObject<O, S> {
    fn begin_write(&self, write: &Write) -> Result<Known, Failure> {
        AccountObject::begin_write(self, write)
    }

    async fn wake_for_writes(&self) {
        self.wake_for_kept_answers().await;
    }

    fn end_write(&self, write: &Write, end: &End) {
        AccountObject::end_write(self, write, end);
    }
}
