//! Whether the account needs its customer: what a refusal of the credential, or of its refresh, means for its status.

use std::rc::Rc;

use crate::account::Account;
use crate::account::refusals::is_final;
use crate::account::status::Status;
use crate::error::Failure;
use crate::flows::account::base::Base;
use crate::flows::account::changes::Changes;
use crate::flows::account::event::EventType;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::record::AccountRecord;
use crate::flows::account::state::State;
use crate::flows::account::unclear::UnclearRefusals;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::tokens::refresh::{needs_reauth, token_endpoint};
use crate::oauth::TokenFailure;
use crate::ports::{Outside, Storage, StorageFault, Visibility};

/// The account's status as its credential decides it.
pub(in crate::flows) struct CredentialStatus<O, S> {
    base: Rc<Base<O, S>>,
    record: Rc<AccountRecord<O, S>>,
    changes: Rc<Changes<O, S>>,
    unclear_refusals: Rc<UnclearRefusals<O, S>>,
}

impl<O: Outside, S: Storage> CredentialStatus<O, S> {
    pub(in crate::flows) fn new(
        base: &Rc<Base<O, S>>,
        record: &Rc<AccountRecord<O, S>>,
        changes: &Rc<Changes<O, S>>,
        unclear_refusals: &Rc<UnclearRefusals<O, S>>,
    ) -> Self {
        Self {
            base: Rc::clone(base),
            record: Rc::clone(record),
            changes: Rc::clone(changes),
            unclear_refusals: Rc::clone(unclear_refusals),
        }
    }

    /// A token was had.
    pub(in crate::flows) async fn accepted(&self) -> Result<(), Failure> {
        self.unclear_refusals.forget()?;
        self.reactivate().await
    }

    /// What a refusal means: the customer has to act, the operator has to, or it is not known yet.
    pub(in crate::flows) async fn refused(
        &self,
        resolved: &ResolvedConfig,
        loaded: &LoadedAccount,
        failed: &TokenFailure,
    ) -> Result<Failure, Failure> {
        if !self.note_refusal(resolved, loaded, failed)? {
            return Ok(token_endpoint(&failed.to_string()));
        }
        if self.needs_reauth(loaded, &failed.to_string()).await? {
            return Ok(needs_reauth());
        }
        // It has other credentials by now: whoever waited tries with those.
        Ok(token_endpoint("the account was connected again meanwhile").with_retry_after(1))
    }

    /// A token was had for an account that seemed to need its customer.
    async fn reactivate(&self) -> Result<(), Failure> {
        let _one_at_a_time = self.record.lock_changing().await;
        let loaded = self.record.visible(&Visibility::All).await?;
        if loaded.account.status != Status::NeedsReauth {
            return Ok(());
        }
        let account = Account {
            status: Status::Active,
            last_error: None,
            ..loaded.account.clone()
        };
        let events = [EventType::Reactivated];
        self.changes.put_account(&loaded, account, &events).await
    }

    /// Notes what the token endpoint answered for `began`: whether that means, by now, that its grant is dead. A clear
    /// answer ends the time that is counted; an endpoint that cannot answer leaves it as it is.
    fn note_refusal(
        &self,
        resolved: &ResolvedConfig,
        began: &LoadedAccount,
        failed: &TokenFailure,
    ) -> Result<bool, StorageFault> {
        if failed.needs_reauth() {
            return Ok(true);
        }
        if matches!(failed, TokenFailure::Transient { .. }) {
            return Ok(false);
        }
        if !failed.is_unclear() {
            self.unclear_refusals.forget()?;
            return Ok(false);
        }
        match self.record.state() {
            State::Here(now) if has_same_credential(resolved, &now, began) => {}
            _ => return Ok(false),
        }
        let now = self.base.outside().now();
        Ok(is_final(self.unclear_refusals.note(now)?, now))
    }

    /// The provider no longer accepts the credential of `began`: whether the account now needs its customer,
    /// which it does not when it has another credential by then.
    pub async fn needs_reauth(&self, began: &LoadedAccount, why: &str) -> Result<bool, Failure> {
        let _one_at_a_time = self.record.lock_changing().await;
        let loaded = self.record.visible(&Visibility::All).await?;
        if loaded.account.status == Status::NeedsReauth {
            return Ok(true);
        }
        let resolved = self.record.resolved_config(&loaded.account).await?;
        let is_other = !has_same_credential(&resolved, &loaded, began);
        if loaded.account.status != Status::Active || is_other {
            return Ok(false);
        }
        let account = Account {
            status: Status::NeedsReauth,
            last_error: Some(why.to_owned()),
            ..loaded.account.clone()
        };
        let events = [EventType::AuthenticationError];
        self.changes.put_account(&loaded, account, &events).await?;
        Ok(true)
    }
}

/// Whether an account has the secrets and the token that it had then. Whatever else changed is no other credential.
pub(super) fn has_same_credential(
    resolved: &ResolvedConfig,
    now: &LoadedAccount,
    then: &LoadedAccount,
) -> bool {
    let secrets = |loaded: &LoadedAccount| {
        resolved
            .compiled
            .split_context(&loaded.context, &loaded.sealed)
            .1
    };
    now.token() == then.token() && secrets(now) == secrets(then)
}
