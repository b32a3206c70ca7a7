//! The lifecycle actions of a new credential: `post_install`, then `validation`. The credential is stored with a mark
//! that they have to run, so the alarm finishes them after a restart.

use serde_json::Value;
use tokio::sync::Mutex;

use crate::account::Account;
use crate::account::origin::Origin;
use crate::account::status::Status;
use crate::error::{Code, Failure};
use crate::flows::account::base::Base;
use crate::flows::account::changes::Changes;
use crate::flows::account::contents::Contents;
use crate::flows::account::event::EventType;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::record::AccountRecord;
use crate::flows::account::state::State;
use crate::flows::actions::keep_changes::keep_changes;
use crate::flows::actions::run_result::run_result;
use crate::flows::actions::{NamedAction, run_action};
use crate::flows::call::account::LiveAccount;
use crate::flows::call::account_calls::AccountCalls;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::lifecycle::connect_failed::{broken, failed};
use crate::flows::lifecycle::stage::{FailedStage, STAGES, Stage, outcome_of};
use crate::flows::messages::connecting::ConnectFailed;
use crate::flows::tokens::refresh_schedule::AHEAD;
use crate::json::Exact;
use crate::ports::{Outside, Storage, Visibility};
use crate::settings::SET_UP_TIMEOUT;
use crate::time::Timestamp;
use std::rc::Rc;

/// Runs the lifecycle actions of a new credential.
pub(in crate::flows) struct SetUpRunner<O, S> {
    base: Rc<Base<O, S>>,
    record: Rc<AccountRecord<O, S>>,
    changes: Rc<Changes<O, S>>,
    calls: Rc<AccountCalls<O, S>>,
    /// Held while the actions run.
    running: Mutex<()>,
}

impl<O: Outside, S: Storage> SetUpRunner<O, S> {
    pub(in crate::flows) fn new(
        base: &Rc<Base<O, S>>,
        record: &Rc<AccountRecord<O, S>>,
        changes: &Rc<Changes<O, S>>,
        calls: &Rc<AccountCalls<O, S>>,
    ) -> Self {
        Self {
            base: Rc::clone(base),
            record: Rc::clone(record),
            changes: Rc::clone(changes),
            calls: Rc::clone(calls),
            running: Mutex::new(()),
        }
    }

    /// What sends the requests of the account's actions.
    pub(super) fn calls(&self) -> &AccountCalls<O, S> {
        &self.calls
    }

    /// Runs the actions; afterwards the account is active or has the error.
    pub(in crate::flows) async fn run(&self) -> Result<(), ConnectFailed> {
        let _one_at_a_time = self.running.lock().await;
        self.run_stages().await
    }

    /// The same for a token that was not issued just now: an expired one is refreshed first. While the provider cannot
    /// refresh it, the actions wait for the alarm.
    pub(in crate::flows) async fn run_with_stored_token(&self) -> Result<(), ConnectFailed> {
        let _one_at_a_time = self.running.lock().await;
        match self.refresh_expired().await {
            Ok(()) => self.run_stages().await,
            Err(failure) if failure.code == Code::NeedsReauth => self.end_refused().await,
            Err(failure) => {
                self.base.log("set_up_delayed", failure.code.as_str());
                Ok(())
            }
        }
    }

    /// For the alarm: runs the actions that a restart interrupted, unless they run now.
    pub(in crate::flows) async fn finish(&self) {
        let State::Here(loaded) = self.record.state() else {
            return;
        };
        if loaded.set_up.is_none() {
            return;
        }
        // The token may have expired since the restart.
        let refreshed = self.refresh_expired().await;
        if let Err(failure) = &refreshed {
            self.base.log("set_up_failed", failure.code.as_str());
        }
        let Ok(_one_at_a_time) = self.running.try_lock() else {
            return;
        };
        let is_refused = refreshed.is_err_and(|failure| failure.code == Code::NeedsReauth);
        let ended = if is_refused {
            self.end_refused().await
        } else {
            self.run_stages().await
        };
        if let Err(failed) = ended {
            self.base.log("set_up_failed", &failed.error);
        }
    }

    /// Refreshes the stored token if it can no longer be used: actions renew no credential.
    async fn refresh_expired(&self) -> Result<(), Failure> {
        let State::Here(loaded) = self.record.state() else {
            return Ok(());
        };
        let deadline = self.base.outside().now().plus(AHEAD);
        match self.calls.fresh(loaded, deadline).await {
            // The token is there; callers cannot use the account yet.
            Err(failure) if failure.code == Code::Connecting => Ok(()),
            outcome => outcome.map(drop),
        }
    }

    /// Ends a set-up whose refresh token the provider refused: no action runs.
    async fn end_refused(&self) -> Result<(), ConnectFailed> {
        match self.record.state() {
            State::Here(loaded) if loaded.set_up.is_some() => {
                self.end_set_up(None).await.map_err(broken)
            }
            State::Here(_) | State::Missing | State::Unread => Ok(()),
        }
    }

    async fn run_stages(&self) -> Result<(), ConnectFailed> {
        let deadline = self.base.outside().now().plus(SET_UP_TIMEOUT);
        for stage in &STAGES {
            self.run_stage(stage, deadline).await?;
        }
        self.end_set_up(None).await.map_err(broken)
    }

    async fn run_stage(&self, stage: &Stage, deadline: Timestamp) -> Result<(), ConnectFailed> {
        let loaded = self
            .record
            .visible(&Visibility::All)
            .await
            .map_err(broken)?;
        if loaded.set_up.is_none() {
            return outcome_of(&loaded.account);
        }
        let resolved = self
            .record
            .resolved_config(&loaded.account)
            .await
            .map_err(broken)?;
        let Some(action) = NamedAction::find(&resolved.compiled.config, stage.action) else {
            return Ok(());
        };
        let outcome = run_action(
            &*self.calls,
            &loaded,
            &resolved,
            action,
            Exact::default(),
            deadline,
        )
        .await;
        let outcome = match outcome {
            Ok(outcome) => keep_changes(&self.changes, Origin::Provider, &loaded.context, &outcome)
                .await
                .map(|()| outcome),
            Err(failure) => Err(failure),
        };
        let redactor = self.record.redactor(&resolved.compiled, &loaded.context);
        let outcome = outcome.map_err(|failure| redactor.failure(failure));
        let run_record = run_result(stage.action, &outcome, self.base.outside().now());
        match outcome {
            Ok(_) => self.note_run(run_record).await.map_err(broken),
            Err(failure) => {
                let failed = failed(stage.why, failure.message.clone());
                let failed_stage = FailedStage {
                    stage,
                    error: failure.message,
                    run_record,
                };
                self.end_set_up(Some(failed_stage)).await.map_err(broken)?;
                Err(failed)
            }
        }
    }

    async fn note_run(&self, run_record: Value) -> Result<(), Failure> {
        self.change_in_set_up(
            |account| account.last_action_run_result = Some(run_record),
            &[],
            true,
        )
        .await
    }

    /// Ends set-up. Without a failure the account is active.
    async fn end_set_up(&self, failed_stage: Option<FailedStage<'_>>) -> Result<(), Failure> {
        let events = match &failed_stage {
            Some(failed_stage) => Some(failed_stage.stage.event),
            None => self.success_event(),
        };
        let events: Vec<EventType> = events.into_iter().collect();
        let change = |account: &mut Account| match failed_stage {
            // The provider refused the credential during set-up.
            None if account.status == Status::NeedsReauth => {}
            None => {
                account.status = Status::Active;
                account.last_error = None;
            }
            Some(failed_stage) => {
                account.status = failed_stage.stage.status;
                account.last_error = Some(failed_stage.error);
                account.last_action_run_result = Some(failed_stage.run_record);
            }
        };
        self.change_in_set_up(change, &events, false).await
    }

    fn success_event(&self) -> Option<EventType> {
        let State::Here(loaded) = self.record.state() else {
            return None;
        };
        match loaded.set_up.as_ref()?.before {
            _ if loaded.account.status == Status::NeedsReauth => None,
            Some(Status::Active) => None,
            Some(Status::NeedsReauth) => Some(EventType::Reactivated),
            Some(_) | None => Some(EventType::Active),
        }
    }

    async fn change_in_set_up(
        &self,
        change: impl FnOnce(&mut Account),
        events: &[EventType],
        keeps_mark: bool,
    ) -> Result<(), Failure> {
        let _one_at_a_time = self.record.lock_changing().await;
        let loaded = self.record.visible(&Visibility::All).await?;
        let resolved: ResolvedConfig = self.record.resolved_config(&loaded.account).await?;
        let mut account = loaded.account.clone();
        change(&mut account);
        let mut next =
            self.changes
                .next(&resolved, &loaded, account, &Contents::of(&loaded), events)?;
        next.set_up = next.set_up.filter(|_| keeps_mark);
        self.changes.put(&resolved, &loaded, &next).await.map(drop)
    }
}

impl LoadedAccount {
    /// The status before the new credential, if its set-up has not ended.
    pub(super) fn status_before(&self) -> Status {
        match self.set_up.as_ref().map(|set_up| set_up.before) {
            Some(Some(before)) => before,
            Some(None) => Status::Connecting,
            None => self.account.status,
        }
    }
}
