//! How calls and actions differ for the driver: how each reads the account again before a request, and what follows a
//! refused credential.

use std::rc::Rc;

use crate::error::{Code, Failure};
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::renewal::Renewed;
use crate::flows::account::renewal::TokenWait;
use crate::flows::call::account::LiveAccount;
use crate::flows::call::engine::protocol::Renewal;
use crate::flows::call::subject::Errand;
use crate::ports::{System, Visibility};
use crate::time::Timestamp;

pub(in crate::flows) trait Way<A: LiveAccount> {
    fn account(&self) -> &A;

    /// The account as it is now, if it may still be called.
    async fn read_again(&self, before: &Rc<LoadedAccount>) -> Result<Rc<LoadedAccount>, Failure>;

    /// Whether requests wait for a refresh in progress.
    fn waits_for_token(&self) -> bool;

    async fn wait_for_token(
        &self,
        wait: TokenWait,
        loaded: &Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<(), Failure>;

    /// Gets another credential after a refusal.
    async fn renew(
        &self,
        refused: &Rc<LoadedAccount>,
        renewal: Renewal,
        deadline: Timestamp,
    ) -> Result<Renewed, Failure>;

    async fn confirm_refusal(
        &self,
        refused: &Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<bool, Failure>;
}

/// The way of a caller. Each read checks the caller's access and the account's status again.
pub(in crate::flows) struct CallersWay<'a, A> {
    pub(in crate::flows) account: &'a Rc<A>,
    pub(in crate::flows) visibility: &'a Visibility,
    /// When the account was first read.
    pub(in crate::flows) read_at: Timestamp,
}

impl<A: LiveAccount> Way<A> for CallersWay<'_, A> {
    fn account(&self) -> &A {
        self.account
    }

    async fn read_again(&self, before: &Rc<LoadedAccount>) -> Result<Rc<LoadedAccount>, Failure> {
        if self.read_at < self.account.system().now() {
            let config = self.account.resolved_config(&before.account).await?;
            if !config.install.is_enabled {
                return Err(Failure::install_disabled());
            }
        }
        let now = self.account.visible(self.visibility).await?;
        now.account.status.check_callable()?;
        Ok(now)
    }

    fn waits_for_token(&self) -> bool {
        true
    }

    async fn wait_for_token(
        &self,
        wait: TokenWait,
        loaded: &Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<(), Failure> {
        self.account.wait_for_token(wait, loaded, deadline).await
    }

    async fn renew(
        &self,
        refused: &Rc<LoadedAccount>,
        renewal: Renewal,
        deadline: Timestamp,
    ) -> Result<Renewed, Failure> {
        match renewal {
            Renewal::ThisCall => self.account.renew(refused, deadline).await,
            Renewal::NextCall => self.account.renew_for_next(refused).await,
        }
    }

    async fn confirm_refusal(
        &self,
        refused: &Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<bool, Failure> {
        self.account.confirm_refusal(refused, deadline).await
    }
}

/// The way of a running action. It neither waits for a token nor renews one, since the action itself may be a refresh.
pub(in crate::flows) struct ActionsWay<'a, A> {
    pub(in crate::flows) account: &'a A,
    pub(in crate::flows) errand: Errand,
}

impl<A: LiveAccount> Way<A> for ActionsWay<'_, A> {
    fn account(&self) -> &A {
        self.account
    }

    async fn read_again(&self, before: &Rc<LoadedAccount>) -> Result<Rc<LoadedAccount>, Failure> {
        if self.errand == Errand::Connect {
            return Ok(Rc::clone(before));
        }
        let gone = || Failure::not_found("integrated account");
        let now = self.account.present().ok_or_else(gone)?;
        // The account's own actions may call it during its set-up and validation.
        if self.errand != Errand::Refresh && before.account.status.check_callable().is_ok() {
            now.account.status.check_callable()?;
        }
        Ok(now)
    }

    fn waits_for_token(&self) -> bool {
        false
    }

    async fn wait_for_token(
        &self,
        _: TokenWait,
        _: &Rc<LoadedAccount>,
        _: Timestamp,
    ) -> Result<(), Failure> {
        Ok(())
    }

    async fn renew(
        &self,
        _: &Rc<LoadedAccount>,
        _: Renewal,
        _: Timestamp,
    ) -> Result<Renewed, Failure> {
        Err(not_renewed())
    }

    async fn confirm_refusal(&self, _: &Rc<LoadedAccount>, _: Timestamp) -> Result<bool, Failure> {
        Err(not_renewed())
    }
}

fn not_renewed() -> Failure {
    Failure::new(Code::Internal, "An action renews no credential.")
}
