//! Which syncs an account has, and the beginning of a run.

use serde_json::Value;

use crate::config::{Config, Sync};
use crate::crypto;
use crate::error::{Code, Failure};
use crate::flows::base::sequence::number_after;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::messages::sync::{RunMode, RunReason, RunRequest, SyncRun};
use crate::flows::sync::Syncs;
use crate::flows::sync::record_key::RecordKey;
use crate::flows::sync::state::{SyncState, Traversal};
use crate::ports::{Outside, Storage};
use crate::time::Timestamp;

impl<O: Outside, S: Storage> Syncs<O, S> {
    /// Learns the syncs of the account's file. An account whose file has none, and never had one, writes nothing.
    pub(in crate::flows) async fn adopt(&self) -> Result<(), Failure> {
        let Some(loaded) = self.record.present().filter(|_| self.is_callable()) else {
            return Ok(());
        };
        // What is wrong with a file is not looked at again with each alarm.
        self.store.note_adopted(true);
        let resolved = self.record.resolved_config(&loaded.account).await;
        let resolved = resolved.inspect_err(|failure| {
            self.store.note_adopted(!failure.is_ours());
        })?;
        if !self.record.is_here() {
            return Ok(());
        }
        if self.adopt_from(&resolved.compiled.config)? {
            self.schedule.wake_by(self.base.outside().now()).await;
        }
        Ok(())
    }

    /// The same, after what may have made the account active or changed its file.
    pub(in crate::flows) async fn adopt_now(&self) {
        if let Err(failure) = self.adopt().await {
            self.base.log("syncs_not_adopted", failure.code.as_str());
        }
    }

    fn is_callable(&self) -> bool {
        let loaded = self.record.present();
        loaded.is_some_and(|loaded| loaded.account.status.check_callable().is_ok())
    }

    /// The same, where the account's calls use another file than before. It writes nothing for a file whose syncs wait for
    /// a call.
    pub(in crate::flows) async fn follow_file(&self) {
        let file = self.record.used_file().take_new();
        let file = file.filter(|file| !file.config.syncs.is_empty());
        let Some(file) = file.filter(|_| self.is_callable()) else {
            return;
        };
        match self.adopt_from(&file.config) {
            Ok(true) => self.schedule.wake_by(self.base.outside().now()).await,
            Ok(false) => {}
            Err(failure) => self.base.log("syncs_not_adopted", failure.code.as_str()),
        }
    }

    /// Returns whether something may be due that was not before.
    pub(super) fn adopt_from(&self, config: &Config) -> Result<bool, Failure> {
        let now = self.base.outside().now();
        let mut is_changed = self.wake_former(config, now)?;
        for (name, sync) in &config.syncs {
            let Some(mut state) = self.store.read(name)? else {
                is_changed |= sync.auto_start && self.insert_started(name, sync)?;
                continue;
            };
            let before = state.planned_at;
            let was_former = state.is_former;
            self.revive(&mut state)?;
            if sync.auto_start && !state.is_started {
                (state.is_started, state.planned_at) = (true, Some(now));
            }
            self.plan(name, sync, &mut state, now);
            let is_unscheduled = state.due().is_some() && self.store.due_of(name)?.is_none();
            if state.planned_at != before || is_unscheduled || was_former {
                self.store.write(name, &state)?;
                is_changed = true;
            }
        }
        Ok(is_changed)
    }

    /// Stores a sync that is not known yet.
    pub(super) fn insert(&self, name: &str, sync: &Sync) -> Result<SyncState, Failure> {
        let now = self.base.outside().now();
        let mut state = SyncState {
            key: RecordKey::text(self.base.outside().random()),
            is_started: sync.auto_start,
            planned_at: sync.auto_start.then_some(now),
            ..SyncState::default()
        };
        self.store.insert(name, &mut state)?;
        Ok(state)
    }

    /// Stores a sync that starts by itself. One for which the account has no number left is not started, and the others go
    /// on. Returns whether it is stored.
    fn insert_started(&self, name: &str, sync: &Sync) -> Result<bool, Failure> {
        match self.insert(name, sync) {
            Err(failure) if failure.code == Code::SyncLimit => {
                self.log("sync_not_started", name, failure.code.as_str());
                Ok(false)
            }
            inserted => inserted.map(|_| true),
        }
    }

    /// Plans the next run where none is planned, or one that its schedule would have had earlier.
    fn plan(&self, name: &str, sync: &Sync, state: &mut SyncState, now: Timestamp) {
        let schedule = state.schedule(sync).filter(|_| state.is_started);
        let next = schedule.and_then(|schedule| schedule.next(now, self.share(name), false));
        // A first run is planned without a schedule.
        state.planned_at = match (state.planned_at, next) {
            (Some(planned), Some(next)) => Some(planned.min(next)),
            (Some(planned), None) => Some(planned).filter(|_| state.last_run.is_none()),
            (None, next) => next,
        };
    }

    /// A number of this account and this sync: accounts that begin together run apart.
    fn share(&self, name: &str) -> u32 {
        let text = format!("{}\0{name}", self.base.id());
        let [a, b, c, d, ..] = crypto::sha256(text.as_bytes());
        u32::from_be_bytes([a, b, c, d])
    }

    /// Begins the run that is due, where one is.
    pub(super) fn begin(
        &self,
        (name, sync): (&str, &Sync),
        state: &mut SyncState,
        resolved: &ResolvedConfig,
    ) -> Result<(), Failure> {
        let now = self.base.outside().now();
        let is_planned = state.planned_at.is_some_and(|at| at <= now) && !state.is_paused;
        let requested = state.requested.take();
        let is_event = !state.is_paused && self.store.take_event(name, now)?;
        let reason = match &requested {
            Some(_) => RunReason::Manual,
            None if is_event => RunReason::Event,
            None if is_planned => RunReason::Planned,
            None => {
                return self.store.write(name, state);
            }
        };
        if is_planned || (requested.is_some() && !state.is_started) {
            let before = state.planned_at.unwrap_or(now);
            state.is_started = true;
            state.planned_at = self.next_run(name, sync, state, (before, now));
        }
        let RunRequest {
            mode,
            args,
            confirm_deletions,
        } = requested.unwrap_or_default();
        // Only a run over everything finds what is missing.
        let mode = if confirm_deletions {
            Some(RunMode::Full)
        } else {
            mode
        };
        self.follow_definition((name, sync), state, resolved)?;
        let last = state
            .last_run
            .as_ref()
            .and_then(|run| i64::from_str_radix(&run.id, 16).ok());
        let run = SyncRun {
            id: format!("{:014x}", number_after(last.unwrap_or(0), now)),
            sync: name.to_owned(),
            mode: state.mode(sync, mode, now),
            reason,
            is_incomplete: reads_a_part(sync, &args),
            started_at: Some(now),
            ..SyncRun::default()
        };
        self.store.forget_seen(state.number)?;
        state.run = Some(Traversal {
            run,
            args,
            confirm_deletions,
            resume_at: Some(now),
            ..Traversal::default()
        });
        self.store.write(name, state)
    }

    /// Where what decides its records is not what it was, everything is read again, by a run under way from its beginning.
    /// Returns whether it is so.
    pub(super) fn follow_definition(
        &self,
        (name, sync): (&str, &Sync),
        state: &mut SyncState,
        resolved: &ResolvedConfig,
    ) -> Result<bool, Failure> {
        let gone = || Failure::not_found("integrated account");
        let loaded = self.record.present().ok_or_else(gone)?;
        let shown = loaded.public(&resolved.compiled);
        let now = resolved.compiled.definition_of_sync(name, &shown);
        let before = std::mem::replace(&mut state.definition, now);
        if before.is_empty() || before == state.definition {
            return Ok(false);
        }
        state.forget_place();
        if let Some(run) = state.run.take() {
            // What it has met may be no part of the list any more.
            self.store.forget_seen(state.number)?;
            state.run = Some(Traversal {
                run: SyncRun {
                    mode: RunMode::Full,
                    is_incomplete: reads_a_part(sync, &run.args),
                    ..run.run
                },
                args: run.args,
                confirm_deletions: run.confirm_deletions,
                resume_at: run.resume_at,
                ..Traversal::default()
            });
        }
        Ok(true)
    }

    /// The run after the one that was planned for `before`. Runs that were missed are left out.
    pub(super) fn next_run(
        &self,
        name: &str,
        sync: &Sync,
        state: &SyncState,
        (before, now): (Timestamp, Timestamp),
    ) -> Option<Timestamp> {
        let schedule = state.schedule(sync)?;
        let share = self.share(name);
        let is_first = state.last_run.is_none();
        let next = schedule.next(before, share, is_first)?;
        if next > now {
            return Some(next);
        }
        schedule.next(now, share, false)
    }
}

/// Whether `args` narrow what a run reads.
fn reads_a_part(sync: &Sync, args: &Value) -> bool {
    let is_narrowed = args.as_object().is_some_and(|args| !args.is_empty());
    is_narrowed && sync.reads("args")
}
