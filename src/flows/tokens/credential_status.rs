//! The account's status after its credential, or the refresh of it, was refused or accepted.

use std::rc::Rc;

use crate::account::Account;
use crate::account::refusals::is_final;
use crate::account::status::Status;
use crate::error::Failure;
use crate::flows::account::base::Base;
use crate::flows::account::changes::Changes;
use crate::flows::account::event::EventType;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::oauth_token::split_token;
use crate::flows::account::record::AccountRecord;
use crate::flows::account::state::State;
use crate::flows::account::unclear::UnclearRefusals;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::tokens::refresh::{needs_reauth, token_endpoint};
use crate::oauth::TokenFailure;
use crate::ports::{Outside, Storage, StorageFault, Visibility};

/// Changes the account's status when its credential is refused or accepted.
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

    /// After a refresh succeeded.
    pub(in crate::flows) async fn accepted(&self) -> Result<(), Failure> {
        self.unclear_refusals.forget()?;
        self.reactivate().await
    }

    /// The failure that callers get after a refused refresh. The account needs its customer if the refusal is final.
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
        // The account has another credential by now; callers that waited can try again with it.
        Ok(token_endpoint("the account was connected again in that time").with_retry_after(1))
    }

    /// A refresh succeeded for an account that was waiting for its customer.
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

    /// Notes the token endpoint's answer for `began`, and returns whether the grant is dead by now. Unclear refusals count as
    /// final after some time (`is_final`). Another answer resets that time; no answer leaves it.
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

    /// The provider no longer accepts the credential of `began`. Returns whether the account now needs its customer; it does
    /// not if it has another credential by now.
    pub async fn needs_reauth(&self, began: &LoadedAccount, why: &str) -> Result<bool, Failure> {
        let _one_at_a_time = self.record.lock_changing().await;
        let loaded = self.record.visible(&Visibility::All).await?;
        if loaded.account.status == Status::NeedsReauth {
            return Ok(true);
        }
        let resolved = self.record.resolved_config(&loaded.account).await?;
        let is_other = !has_same_credential(&resolved, &loaded, began);
        // An account that is set up has a new credential, which may be refused too.
        let has_credential = matches!(loaded.account.status, Status::Active | Status::Connecting);
        if !has_credential || is_other {
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

/// Whether the account has the same secrets and token as then. Other changes do not make another credential.
pub(super) fn has_same_credential(
    resolved: &ResolvedConfig,
    now: &LoadedAccount,
    then: &LoadedAccount,
) -> bool {
    let secrets = |loaded: &LoadedAccount| {
        let (context, _) = split_token(loaded.context.clone());
        let split = resolved.compiled.split_context(&context, &loaded.sealed);
        split.1
    };
    now.has_token_of(then) && secrets(now) == secrets(then)
}
