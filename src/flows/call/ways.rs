//! What the driver does for a caller, and what for an action: how the account is read again before a request is sent, and
//! what a refusal of its credential leads to.

use std::rc::Rc;

use crate::error::{Code, Failure};
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::renewal::Renewed;
use crate::flows::account::renewal::TokenWait;
use crate::flows::call::account::LiveAccount;
use crate::flows::call::engine::protocol::Renewal;
use crate::ports::{System, Visibility};
use crate::time::Timestamp;

pub(in crate::flows) trait Way<A: LiveAccount> {
    fn account(&self) -> &A;

    /// The account as it is now, if it may be called still.
    async fn read_again(&self, before: &Rc<LoadedAccount>) -> Result<Rc<LoadedAccount>, Failure>;

    /// Whether it waits for a refresh that is under way.
    fn waits_for_token(&self) -> bool;

    async fn wait_for_token(
        &self,
        wait: TokenWait,
        loaded: &Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<(), Failure>;

    /// Another credential after a refusal.
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

/// A caller's, who may see the account as long as it may be called.
pub(in crate::flows) struct CallersWay<'a, A> {
    pub(in crate::flows) account: &'a Rc<A>,
    pub(in crate::flows) visibility: &'a Visibility,
    /// When the account was read first.
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

/// A running action's. It neither waits for a token nor renews one: a refresh may be what runs it.
pub(in crate::flows) struct ActionsWay<'a, A> {
    pub(in crate::flows) account: &'a A,
    pub(in crate::flows) is_refresh: bool,
}

impl<A: LiveAccount> Way<A> for ActionsWay<'_, A> {
    fn account(&self) -> &A {
        self.account
    }

    async fn read_again(&self, before: &Rc<LoadedAccount>) -> Result<Rc<LoadedAccount>, Failure> {
        let gone = || Failure::not_found("integrated account");
        let now = self.account.present().ok_or_else(gone)?;
        // An account that is being set up, or tried, may be called by its own actions.
        if !self.is_refresh && before.account.status.check_callable().is_ok() {
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
