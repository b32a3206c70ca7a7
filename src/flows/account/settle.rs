//! Finishes a change that a restart interrupted, before the account is used. A change of an indexed field is written to
//! the `Directory` first and committed once that has answered. After a restart in between, the next request or the
//! alarm finishes the change.

use std::rc::Rc;

use crate::error::{Code, Failure};
use crate::flows::account::event::Event;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::record::AccountRecord;
use crate::flows::account::row::{AccountRow, Next, Pending};
use crate::flows::account::state::State;
use crate::flows::base::records::AccountEntry;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::messages::environment::EnvironmentMessage;
use crate::flows::messages::send_to_environment;
use crate::ids::EnvironmentId;
use crate::ports::{Outside, Storage};

impl<O: Outside, S: Storage> AccountRecord<O, S> {
    /// The account, once an interrupted change is finished; `None` if there is no account.
    pub(in crate::flows) async fn settled(&self) -> Result<Option<Rc<LoadedAccount>>, Failure> {
        if let State::Unread = self.store.state() {
            self.read_and_settle().await?;
        }
        match self.store.state() {
            State::Here(loaded) => Ok(Some(loaded)),
            State::Missing | State::Unread => Ok(None),
        }
    }

    /// One request settles the account; the others wait for its result.
    async fn read_and_settle(&self) -> Result<(), Failure> {
        let _one_at_a_time = self.store.lock_settling().await;
        if let State::Unread = self.store.state() {
            let state = match self.rows.read()? {
                None => State::Missing,
                Some(row) => self.settle(row).await?,
            };
            self.store.set_state(state);
            self.schedule.ensure_alarm().await?;
        }
        Ok(())
    }

    async fn settle(&self, row: AccountRow) -> Result<State, Failure> {
        match &row.pending {
            Some(Pending::NewAccount(_) | Pending::Change(_)) => self.finish_change(row).await,
            // The account is already deleted for all callers; the alarm removes it from the index.
            Some(Pending::Delete(_)) => Ok(State::Missing),
            None => Ok(AccountRow::into_loaded(row).map_or(State::Missing, State::Here)),
        }
    }

    /// Commits the pending change, or drops it if the index refuses it for good (for example, because its link token
    /// was revoked).
    async fn finish_change(&self, row: AccountRow) -> Result<State, Failure> {
        let (next, is_new) = match &row.pending {
            Some(Pending::NewAccount(next)) => (next, true),
            Some(Pending::Change(next)) => (next, false),
            Some(Pending::Delete(_)) | None => return Ok(State::Missing),
        };
        // Its install may be deleted: only an account in the index prevents that.
        let indexed = match self.resolved_config(&next.account).await {
            Ok(resolved) => self.index(&resolved, next).await,
            Err(failure) => Err(failure),
        };
        match indexed {
            Ok(()) => {
                self.rows.commit(next)?;
                Ok(State::Here(self.reload()?))
            }
            Err(failure) if failure.code == Code::NotFound && is_new => {
                self.rows.wipe(next.account.environment_id, &[])?;
                self.schedule.wake_later().await;
                Ok(State::Missing)
            }
            Err(failure) if failure.code == Code::NotFound && next.link.is_some() => {
                self.store.drop_pending()?;
                Ok(AccountRow::into_loaded(row).map_or(State::Missing, State::Here))
            }
            Err(failure) => Err(failure),
        }
    }

    /// Deletes the account for all callers at once, then removes it from the index. If that fails, the alarm repeats
    /// it.
    pub(in crate::flows) async fn withdraw(
        &self,
        environment: EnvironmentId,
        events: &[Event],
    ) -> Result<(), Failure> {
        self.rows.wipe(environment, events)?;
        self.store.set_state(State::Missing);
        self.schedule.wake_later().await;
        if let Err(failure) = self.leave_index(environment).await {
            self.base
                .log("account_not_forgotten", failure.code.as_str());
        }
        Ok(())
    }

    /// Finishes a deletion or a change that is still pending.
    pub(in crate::flows) async fn finish_pending(&self) -> Result<(), Failure> {
        let _one_at_a_time = self.store.lock_changing().await;
        self.finish_pending_locked().await
    }

    /// The same for a flow that holds the lock for changes. The lock for settling keeps other requests from settling in
    /// that time.
    pub(in crate::flows) async fn finish_pending_locked(&self) -> Result<(), Failure> {
        let _settling = self.store.lock_settling().await;
        if self.is_here() && !self.store.has_pending()? {
            return Ok(());
        }
        let Some(row) = self.rows.read()? else {
            return Ok(());
        };
        match &row.pending {
            Some(Pending::Delete(environment)) => self.leave_index(*environment).await,
            Some(Pending::NewAccount(_) | Pending::Change(_)) => {
                let state = self.finish_change(row).await?;
                self.store.set_state(state);
                Ok(())
            }
            None => Ok(()),
        }
    }

    async fn leave_index(&self, environment: EnvironmentId) -> Result<(), Failure> {
        send_to_environment::<()>(
            self.base.outside(),
            environment,
            &EnvironmentMessage::ForgetAccount(self.base.id()),
        )
        .await?;
        self.store.drop_pending()?;
        self.schedule.trim_and_plan().await
    }

    pub(in crate::flows) async fn index(
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
            self.base.outside(),
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
