//! Checks once whether an account may be called: access, status, token, resolved config and deadline.

use std::rc::Rc;
use std::time::Duration;

use crate::error::Failure;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::call::account::LiveAccount;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::ports::{System, Visibility};
use crate::time::Timestamp;

/// An account that the caller may see.
pub(in crate::flows) struct Access<'a, A> {
    account: &'a Rc<A>,
    visibility: &'a Visibility,
    loaded: Rc<LoadedAccount>,
    deadline: Timestamp,
}

impl<'a, A: LiveAccount> Access<'a, A> {
    pub(in crate::flows) async fn check(
        account: &'a Rc<A>,
        visibility: &'a Visibility,
        timeout: Duration,
    ) -> Result<Self, Failure> {
        Ok(Self {
            deadline: account.system().now().plus(timeout),
            loaded: account.visible(visibility).await?,
            account,
            visibility,
        })
    }

    /// Repeats the check after a wait.
    pub(in crate::flows) async fn check_again(self) -> Result<Self, Failure> {
        let loaded = self.account.visible(self.visibility).await?;
        Ok(Self { loaded, ..self })
    }

    pub(in crate::flows) fn account(&self) -> &'a Rc<A> {
        self.account
    }

    pub(in crate::flows) fn visibility(&self) -> &'a Visibility {
        self.visibility
    }

    pub(in crate::flows) fn loaded(&self) -> &Rc<LoadedAccount> {
        &self.loaded
    }

    pub(in crate::flows) fn deadline(&self) -> Timestamp {
        self.deadline
    }

    /// Checks that the account may be called, and gets a usable token.
    pub(in crate::flows) async fn admit(self) -> Result<Admitted<'a, A>, Failure> {
        self.loaded.account.status.check_callable()?;
        let loaded = self.account.fresh(self.loaded, self.deadline).await?;
        let config = self.account.resolved_config(&loaded.account).await?;
        if !config.install.is_enabled {
            return Err(Failure::install_disabled());
        }
        Ok(Admitted {
            access: Self { loaded, ..self },
            config,
        })
    }
}

/// An account that may be called, with its resolved config.
pub(in crate::flows) struct Admitted<'a, A> {
    access: Access<'a, A>,
    config: ResolvedConfig,
}

impl<'a, A: LiveAccount> Admitted<'a, A> {
    pub(in crate::flows) fn account(&self) -> &'a Rc<A> {
        self.access.account
    }

    pub(in crate::flows) fn visibility(&self) -> &'a Visibility {
        self.access.visibility
    }

    pub(in crate::flows) fn loaded(&self) -> &Rc<LoadedAccount> {
        &self.access.loaded
    }

    pub(in crate::flows) fn config(&self) -> &ResolvedConfig {
        &self.config
    }

    pub(in crate::flows) fn deadline(&self) -> Timestamp {
        self.access.deadline
    }
}
