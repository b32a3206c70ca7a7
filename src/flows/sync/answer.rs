//! Messages about an account's syncs, and what webhooks start.

use serde_json::Value;

use crate::config::{Config, Sync};
use crate::error::Failure;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::messages::answered;
use crate::flows::messages::sync::{
    FeedPage, FeedRequest, RunRequest, RunStatus, SyncChange, SyncMessage, SyncRun, SyncView,
};
use crate::flows::sync::Syncs;
use crate::flows::sync::state::SyncState;
use crate::json;
use crate::ports::{Outside, Storage, Visibility};
use crate::time::Timestamp;

/// The state of a sync is one row.
const ARGS_BYTES: usize = 16 * 1024;

impl<O: Outside, S: Storage> Syncs<O, S> {
    /// Answers a message.
    pub(in crate::flows) async fn answer(
        &self,
        visibility: &Visibility,
        message: SyncMessage,
    ) -> Result<Value, Failure> {
        let loaded = self.record.visible(visibility).await?;
        let resolved = self.record.resolved_config(&loaded.account).await?;
        if !self.record.is_here() {
            return Err(Failure::not_found("integrated account"));
        }
        let now = self.base.outside().now();
        if self.adopt_from(&resolved.compiled.config)? {
            self.schedule.wake_by(now).await;
        }
        let changed = match message {
            SyncMessage::List => return answered(self.views(&resolved.compiled.config)?),
            SyncMessage::ListRuns(page) => return answered(self.store.runs(&page)?),
            SyncMessage::Feed(request) => return answered(self.feed(&resolved, &request)?),
            SyncMessage::Record(sync, id) => {
                let (_, state) = self.state(&resolved, &sync)?;
                let record = self.store.record(&state, &id)?;
                return answered(record.ok_or_else(|| Failure::not_found("record of this sync"))?);
            }
            SyncMessage::Run(name, request) => {
                answered(self.request_run(&resolved, &name, request)?)
            }
            SyncMessage::Change(name, change) => answered(self.change(&resolved, &name, &change)?),
            SyncMessage::Stop(name) => answered(self.stop(&resolved, &name)?),
            SyncMessage::Reset(name) => answered(self.reset(&resolved, &name)?),
        };
        self.schedule.wake_by(now).await;
        changed
    }

    /// Starts the syncs that follow these events of the account's webhooks. Returns when the first of them is due.
    pub(in crate::flows) fn note_events<'e>(
        &self,
        config: &Config,
        events: &(impl Iterator<Item = &'e str> + Clone),
    ) -> Result<Option<Timestamp>, Failure> {
        let follows = |sync: &Sync| {
            events
                .clone()
                .any(|event| sync.on_events.iter().any(|own| own == event))
        };
        let mut due = None;
        for (name, sync) in config.syncs.iter().filter(|(_, sync)| follows(sync)) {
            if sync.auto_start && !self.store.is_there()? {
                self.adopt_from(config)?;
            }
            // What no call has started, and nothing else, an event does not start either.
            let state = self.store.read(name)?;
            if state.is_some_and(|state| state.is_started) {
                let at = self.store.note_event(name)?;
                due = [due, Some(at)].into_iter().flatten().min();
            }
        }
        Ok(due)
    }

    /// A sync that the file has. It is stored with the first message that is about it.
    fn state<'r>(
        &self,
        resolved: &'r ResolvedConfig,
        name: &str,
    ) -> Result<(&'r Sync, SyncState), Failure> {
        let hidden = || Failure::not_found("sync of this account");
        let sync = resolved
            .compiled
            .config
            .syncs
            .get(name)
            .ok_or_else(hidden)?;
        let state = match self.store.read(name)? {
            Some(state) => state,
            None => self.insert(name, sync)?,
        };
        Ok((sync, state))
    }

    fn views(&self, config: &Config) -> Result<Vec<SyncView>, Failure> {
        let mut views = Vec::new();
        for (name, sync) in &config.syncs {
            let state = self.store.read(name)?;
            let due = state
                .as_ref()
                .map(|_| self.store.due_of(name))
                .transpose()?;
            views.push(state.unwrap_or_default().view(name, sync, due.flatten()));
        }
        Ok(views)
    }

    fn view(&self, name: &str, sync: &Sync, state: &SyncState) -> Result<SyncView, Failure> {
        self.store.write(name, state)?;
        Ok(state.view(name, sync, self.store.due_of(name)?))
    }

    fn feed(&self, resolved: &ResolvedConfig, request: &FeedRequest) -> Result<FeedPage, Failure> {
        let (_, state) = self.state(resolved, &request.sync)?;
        self.store.feed(&state, request)
    }

    /// Starts a run. Where one is under way, another one follows it; one that is suspended or waits for its next try ends.
    fn request_run(
        &self,
        resolved: &ResolvedConfig,
        name: &str,
        request: RunRequest,
    ) -> Result<SyncRun, Failure> {
        let (sync, mut state) = self.state(resolved, name)?;
        state.requested = Some(request.checked()?);
        let now = self.base.outside().now();
        let run = state.run.as_ref();
        if state.is_suspended() || run.is_some_and(|run| run.waits_after_failure(now)) {
            self.end_run((name, sync), &mut state, RunStatus::Stopped)?;
        }
        if state.run.is_none() {
            self.begin((name, sync), &mut state, resolved)?;
        } else {
            self.store.write(name, &state)?;
        }
        Ok(state.run.map(|run| run.run).unwrap_or_default())
    }

    fn change(
        &self,
        resolved: &ResolvedConfig,
        name: &str,
        change: &SyncChange,
    ) -> Result<SyncView, Failure> {
        let (sync, mut state) = self.state(resolved, name)?;
        state.is_paused = change.is_paused.unwrap_or(state.is_paused);
        if let Some((every, cron)) = &change.schedule {
            (state.every, state.cron) = (every.clone(), cron.clone());
            let now = self.base.outside().now();
            state.is_started |= every.is_some() || cron.is_some();
            let next = self.next_run(name, sync, &state, (now, now));
            state.planned_at = next.filter(|_| state.is_started);
        }
        self.view(name, sync, &state)
    }

    fn stop(&self, resolved: &ResolvedConfig, name: &str) -> Result<SyncView, Failure> {
        let (sync, mut state) = self.state(resolved, name)?;
        state.requested = None;
        self.end_run((name, sync), &mut state, RunStatus::Stopped)?;
        self.view(name, sync, &state)
    }

    /// Revisions go on, and a cursor of before is refused: it cannot say which records are gone.
    fn reset(&self, resolved: &ResolvedConfig, name: &str) -> Result<SyncView, Failure> {
        let (sync, mut state) = self.state(resolved, name)?;
        self.end_run((name, sync), &mut state, RunStatus::Stopped)?;
        self.empty(&mut state)?;
        state.forget_place();
        state.requested = None;
        self.view(name, sync, &state)
    }
}

impl RunRequest {
    /// What a call may ask for with `args`: an object.
    fn checked(self) -> Result<Self, Failure> {
        let is_small = json::length(&self.args) <= ARGS_BYTES;
        if (self.args.is_object() || self.args.is_null()) && is_small {
            return Ok(self);
        }
        Err(Failure::invalid("args", "is an object of at most 16 KiB"))
    }
}
