//! The lifecycle actions of a new credential: `post_install`, then `validation`. That they are to run is
//! stored with the credential, so a restart in between is finished by the alarm.

use serde_json::Value;
use tokio::sync::Mutex;

use crate::account::Account;
use crate::account::origin::Origin;
use crate::account::status::Status;
use crate::config::Config;
use crate::connect::outcome::ConnectFailure;
use crate::error::Failure;
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
use crate::flows::messages::connecting::ConnectFailed;
use crate::flows::tokens::refresh_schedule::AHEAD;
use crate::json::Exact;
use crate::ports::{Outside, Storage, Visibility};
use crate::settings::SET_UP_TIMEOUT;
use crate::time::Timestamp;
use std::rc::Rc;

/// An action that runs before an account is active, and what its failure is called.
struct Stage {
    action: &'static str,
    status: Status,
    event: EventType,
    why: ConnectFailure,
}

const STAGES: [Stage; 2] = [
    Stage {
        action: "post_install",
        status: Status::PostInstallError,
        event: EventType::PostInstallError,
        why: ConnectFailure::PostInstallError,
    },
    Stage {
        action: "validation",
        status: Status::ValidationError,
        event: EventType::ValidationError,
        why: ConnectFailure::ValidationError,
    },
];

/// Whether anything runs before an account is active.
pub(super) fn has_stages(config: &Config) -> bool {
    STAGES
        .iter()
        .any(|stage| config.actions.contains_key(stage.action))
}

/// Runs the lifecycle actions of a new credential.
pub(in crate::flows) struct SetUpRunner<O, S> {
    base: Rc<Base<O, S>>,
    record: Rc<AccountRecord<O, S>>,
    changes: Rc<Changes<O, S>>,
    calls: Rc<AccountCalls<O, S>>,
    /// One at a time runs them.
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

    /// Runs what is left to run; the account is active at the end, or says why not.
    pub(in crate::flows) async fn run(&self) -> Result<(), ConnectFailed> {
        let _one_at_a_time = self.running.lock().await;
        self.run_stages().await
    }

    /// By alarm: what a restart has left. Nothing when it is under way.
    pub(in crate::flows) async fn finish(&self) {
        let State::Here(loaded) = self.record.state() else {
            return;
        };
        if loaded.set_up.is_none() {
            return;
        }
        // After a long stop its token may be over.
        let deadline = self.base.outside().now().plus(AHEAD);
        if let Err(failure) = self.calls.fresh(loaded, deadline).await {
            self.base.log("set_up_failed", failure.code.as_str());
        }
        if let Ok(_one_at_a_time) = self.running.try_lock()
            && let Err(failed) = self.run_stages().await
        {
            self.base.log("set_up_failed", &failed.error);
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
        let told = run_result(stage.action, &outcome, self.base.outside().now());
        match outcome {
            Ok(_) => self.note_run(told).await.map_err(broken),
            Err(failure) => {
                let failed = failed(stage.why, failure.message.clone());
                let ending = Ending {
                    stage,
                    error: failure.message,
                    told,
                };
                self.end_set_up(Some(ending)).await.map_err(broken)?;
                Err(failed)
            }
        }
    }

    async fn note_run(&self, told: Value) -> Result<(), Failure> {
        self.change_in_set_up(
            |account| account.last_action_run_result = Some(told),
            &[],
            true,
        )
        .await
    }

    /// The account is active, or it is not and says why.
    async fn end_set_up(&self, ending: Option<Ending<'_>>) -> Result<(), Failure> {
        let events = match &ending {
            Some(ending) => Some(ending.stage.event),
            None => self.event_of_success(),
        };
        let events: Vec<EventType> = events.into_iter().collect();
        let change = |account: &mut Account| match ending {
            // A refusal meanwhile stands.
            None if account.status == Status::NeedsReauth => {}
            None => {
                account.status = Status::Active;
                account.last_error = None;
            }
            Some(ending) => {
                account.status = ending.stage.status;
                account.last_error = Some(ending.error);
                account.last_action_run_result = Some(ending.told);
            }
        };
        self.change_in_set_up(change, &events, false).await
    }

    fn event_of_success(&self) -> Option<EventType> {
        let State::Here(loaded) = self.record.state() else {
            return None;
        };
        match loaded.set_up.as_ref()?.before {
            Some(Status::Active) => None,
            Some(Status::NeedsReauth) => Some(EventType::Reactivated),
            Some(_) | None => Some(EventType::Active),
        }
    }

    async fn change_in_set_up(
        &self,
        change: impl FnOnce(&mut Account),
        events: &[EventType],
        goes_on: bool,
    ) -> Result<(), Failure> {
        let _one_at_a_time = self.record.lock_changing().await;
        let loaded = self.record.visible(&Visibility::All).await?;
        let resolved: ResolvedConfig = self.record.resolved_config(&loaded.account).await?;
        let mut account = loaded.account.clone();
        change(&mut account);
        let mut next =
            self.changes
                .next(&resolved, &loaded, account, &Contents::of(&loaded), events)?;
        next.set_up = next.set_up.filter(|_| goes_on);
        self.changes.put(&resolved, &loaded, &next).await.map(drop)
    }
}

/// How the set-up ended badly.
struct Ending<'a> {
    stage: &'a Stage,
    error: String,
    told: Value,
}

/// Somebody else has run the actions meanwhile.
fn outcome_of(account: &Account) -> Result<(), ConnectFailed> {
    let stage = STAGES.iter().find(|stage| stage.status == account.status);
    stage.map_or(Ok(()), |stage| {
        let error = account.last_error.clone().unwrap_or_default();
        Err(failed(stage.why, error))
    })
}

impl LoadedAccount {
    /// Where it stood before its new credential, when that is not set up yet.
    pub(super) fn status_before(&self) -> Status {
        match self.set_up.as_ref().map(|set_up| set_up.before) {
            Some(Some(before)) => before,
            Some(None) => Status::Connecting,
            None => self.account.status,
        }
    }
}
