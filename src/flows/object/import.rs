//! How an account comes and goes. What the index knows of it is written to `Directory` first and
//! counts once that has answered; a restart at any point in between is finished at the next
//! request or by the alarm.

use std::rc::Rc;

use futures_util::FutureExt;
use serde_json::{Value, json};

use crate::account::Account;
use crate::account::origin::Origin;
use crate::account::status::Status;
use crate::error::{Code, Failure};
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::state::State;
use crate::flows::base::records::AccountEntry;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::messages::account::AccountView;
use crate::flows::messages::environment::EnvironmentMessage;
use crate::flows::messages::send_to_environment;
use crate::flows::object::AccountObject;
use crate::flows::object::contents::Contents;
use crate::flows::object::events::{Event, EventType};
use crate::flows::object::row::{AccountRow, Next, Pending};
use crate::ids::EnvironmentId;
use crate::ports::{Outside, Storage, Visibility};

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Stores an account with credentials it already has; it counts when the index has it.
    pub(super) async fn import(&self, mut account: Account) -> Result<AccountView, Failure> {
        let _one_at_a_time = self.record.lock_changing().await;
        if self.settled().await?.is_some() {
            return Err(Failure::duplicate(
                "integrated account",
                &account.id.to_string(),
            ));
        }
        let resolved = self.resolved_config(&account).await?;
        let compiled = &resolved.compiled;
        compiled.check_credential(&account.authentication_method)?;
        compiled.refuse_padded(&account.context, &Value::Null)?;
        let mut contents = Contents::nothing();
        contents.write(Origin::Operator, &account.context.take())?;
        contents.complete(|context| {
            compiled.complete_context(&account.authentication_method, context)
        })?;
        let stored = Account {
            context: contents.split(compiled).0,
            status: Status::Connecting,
            ..account.clone()
        };
        let active = Account {
            status: Status::Active,
            ..stored.clone()
        };
        let new = LoadedAccount::new(stored.clone());
        let events = [EventType::Created, EventType::Active];
        let next = self.next(&resolved, &new, active, &contents, &events)?;
        let loaded = self.arrive(&resolved, &stored, next).await?;
        self.view(&loaded).await
    }

    /// Stores a new account; it counts when the index has it, and else was never there.
    pub(super) async fn arrive(
        &self,
        resolved: &ResolvedConfig,
        stored: &Account,
        next: Next,
    ) -> Result<Rc<LoadedAccount>, Failure> {
        self.record
            .insert(stored, &Pending::VerifiedWebhook(Box::new(next.clone())))?;
        self.wake_later().await;
        if let Err(failure) = self.index(resolved, &next).await {
            self.withdraw(stored.environment_id, &[]).await?;
            return Err(failure);
        }
        // Should the commit fail, the row still says what is pending: the next request reads it.
        self.record.set_state(State::Unread);
        self.commit_row(&next)?;
        let loaded = self.reload()?;
        self.plan().await;
        Ok(loaded)
    }

    /// Erases the account at once; the index follows, now or by alarm.
    pub(super) async fn delete(self: &Rc<Self>, visibility: &Visibility) -> Result<(), Failure> {
        let _one_at_a_time = self.record.lock_changing().await;
        let loaded = self.visible(visibility).await?;
        let resolved = self.resolved_config(&loaded.account).await;
        let account = &loaded.account;
        let payload = json!({
            "id": account.id,
            "tenant_id": account.tenant_id,
            "environment_id": account.environment_id,
            "environment_integration_id": account.environment_integration_id,
        });
        let event = self.outbox.event(EventType::Deleted, &payload)?;
        self.withdraw(account.environment_id, &[event]).await?;
        if let Ok(resolved) = resolved {
            let (object, loaded) = (Rc::clone(self), Rc::clone(&loaded));
            let work = async move { object.revoke(&resolved, &loaded).await };
            self.base.outside.spawn(work.boxed_local());
        }
        Ok(())
    }

    /// The account once nothing is half done any more; `None` when there is none.
    pub(super) async fn settled(&self) -> Result<Option<Rc<LoadedAccount>>, Failure> {
        if let State::Unread = self.record.state() {
            self.read_and_settle().await?;
        }
        match self.record.state() {
            State::Here(loaded) => Ok(Some(loaded)),
            State::Missing | State::Unread => Ok(None),
        }
    }

    /// One at a time; who waited finds it done.
    async fn read_and_settle(&self) -> Result<(), Failure> {
        let _one_at_a_time = self.record.lock_settling().await;
        if let State::Unread = self.record.state() {
            let state = match self.read_row()? {
                None => State::Missing,
                Some(row) => self.settle(row).await?,
            };
            self.record.set_state(state);
            self.set_a_missing_alarm().await?;
        }
        Ok(())
    }

    async fn settle(&self, row: AccountRow) -> Result<State, Failure> {
        match &row.pending {
            Some(Pending::VerifiedWebhook(_) | Pending::Change(_)) => self.finish_change(row).await,
            // Gone for everybody at once; the alarm takes it out of the index.
            Some(Pending::Delete(_)) => Ok(State::Missing),
            None => Ok(AccountRow::into_loaded(row).map_or(State::Missing, State::Here)),
        }
    }

    /// What is pending counts now; or, where the index will never take it (its link token was revoked
    /// meanwhile, say), never.
    async fn finish_change(&self, row: AccountRow) -> Result<State, Failure> {
        let (next, is_new) = match &row.pending {
            Some(Pending::VerifiedWebhook(next)) => (next, true),
            Some(Pending::Change(next)) => (next, false),
            Some(Pending::Delete(_)) | None => return Ok(State::Missing),
        };
        // Its install may be gone, too: nothing in the index held it.
        let indexed = match self.resolved_config(&next.account).await {
            Ok(resolved) => self.index(&resolved, next).await,
            Err(failure) => Err(failure),
        };
        match indexed {
            Ok(()) => {
                self.commit_row(next)?;
                Ok(State::Here(self.reload()?))
            }
            Err(failure) if failure.code == Code::NotFound && is_new => {
                self.wipe_row(next.account.environment_id, &[])?;
                self.wake_later().await;
                Ok(State::Missing)
            }
            Err(failure) if failure.code == Code::NotFound && next.link.is_some() => {
                self.record.drop_pending()?;
                Ok(AccountRow::into_loaded(row).map_or(State::Missing, State::Here))
            }
            Err(failure) => Err(failure),
        }
    }

    /// From here on the account is gone for everybody, whatever happens next: the alarm, set in the
    /// same turn, takes it out of the index if this cannot.
    async fn withdraw(&self, environment: EnvironmentId, events: &[Event]) -> Result<(), Failure> {
        self.wipe_row(environment, events)?;
        self.record.set_state(State::Missing);
        self.wake_later().await;
        if let Err(failure) = self.leave_index(environment).await {
            self.base
                .log("account_not_forgotten", failure.code.as_str());
        }
        Ok(())
    }

    /// Finishes a deletion or a change that is still pending.
    pub(super) async fn finish_pending(&self) -> Result<(), Failure> {
        let _one_at_a_time = self.record.lock_changing().await;
        self.finish_what_is_pending().await
    }

    /// The same for who changes the account. Nobody else settles it meanwhile.
    pub(super) async fn finish_what_is_pending(&self) -> Result<(), Failure> {
        let _settling = self.record.lock_settling().await;
        let Some(row) = self.read_row()? else {
            return Ok(());
        };
        match &row.pending {
            Some(Pending::Delete(environment)) => self.leave_index(*environment).await,
            Some(Pending::VerifiedWebhook(_) | Pending::Change(_)) => {
                let state = self.finish_change(row).await?;
                self.record.set_state(state);
                Ok(())
            }
            None => Ok(()),
        }
    }

    async fn leave_index(&self, environment: EnvironmentId) -> Result<(), Failure> {
        send_to_environment::<()>(
            &self.base.outside,
            environment,
            &EnvironmentMessage::ForgetAccount(self.base.id),
        )
        .await?;
        self.record.drop_pending()?;
        self.rest().await
    }

    pub(super) async fn index(
        &self,
        resolved: &ResolvedConfig,
        next: &Next,
    ) -> Result<(), Failure> {
        let account = &next.account;
        let lookup = self.next_lookup(resolved, next)?;
        let entry = AccountEntry {
            id: account.id,
            tenant_id: account.tenant_id.clone(),
            environment_integration_id: account.environment_integration_id,
            integration_name: resolved.integration.name.clone(),
            status: account.status,
            is_sandbox: account.is_sandbox,
            region: account.region,
            created_at: account.created_at,
            sealing_key: next.sealing_key.clone(),
        };
        let answer = send_to_environment::<()>(
            &self.base.outside,
            account.environment_id,
            &EnvironmentMessage::IndexAccount(entry, next.link.clone(), lookup),
        )
        .await;
        answer.map_err(|failure| match failure.code {
            Code::NotFound => failure,
            _ => Failure::storage(),
        })
    }
}
