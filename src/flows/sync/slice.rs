//! A slice of the syncs: page after page until its time is over, callers need the account, or something else waits for the
//! alarm.

use std::rc::Rc;
use std::time::Duration;

use serde_json::json;

use crate::config::Sync;
use crate::config::syncs::SyncEvents;
use crate::error::{Code, Failure};
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::call::account::{CallAccount, LiveAccount};
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::messages::sync::{RunMode, RunStatus};
use crate::flows::sync::Syncs;
use crate::flows::sync::state::{Phase, SyncState};
use crate::ports::{Outside, Storage};
use crate::settings::{SYNC_SLICE, SYNC_SLICE_BYTES};
use crate::time::Timestamp;

/// A page begins only if it has so much time.
const LEAST: Duration = Duration::from_secs(10);
/// Waits since the last page until they count as a failure.
const MOST_WAITS: u32 = 60;
/// How long a disabled install, or a busy gateway, is left alone.
const DISABLED: Duration = Duration::from_mins(10);
const RETRY: Duration = Duration::from_mins(1);
const BUSY: Duration = Duration::from_secs(5);
/// So often the wait for deliveries is doubled: to 640 s.
const DOUBLINGS: u32 = 7;
/// The limit of the page before, where the file names none.
const USUAL_LIMIT: u64 = 100;

impl<O: Outside, S: Storage> Syncs<O, S> {
    /// Works for a slice at most. The alarm is planned afterwards; what fails outside of a run waits.
    pub(in crate::flows) async fn run_slice(&self) {
        if let Err(failure) = self.slice().await {
            self.base.log("sync_slice_failed", failure.code.as_str());
            let wait = if failure.is_ours() { RETRY } else { DISABLED };
            self.store.hold_until(self.base.outside().now().plus(wait));
        }
    }

    async fn slice(&self) -> Result<(), Failure> {
        if self.store.must_adopt()? {
            self.adopt().await?;
        }
        let end = self.base.outside().now().plus(SYNC_SLICE);
        let mut left = SYNC_SLICE_BYTES;
        while left > 0 && end.since(self.base.outside().now()) >= LEAST {
            match self.step(end).await? {
                Some(bytes) if !self.schedule.is_awaited() => left = left.saturating_sub(bytes),
                _ => break,
            }
        }
        Ok(())
    }

    /// One page, or one other piece of work. Returns the bytes of records that it read; `None`: there is nothing to do now.
    async fn step(&self, end: Timestamp) -> Result<Option<usize>, Failure> {
        let now = self.base.outside().now();
        let active = |loaded: &Rc<LoadedAccount>| loaded.account.status.check_callable().is_ok();
        let Some(loaded) = self.record.present().filter(active) else {
            return Ok(None);
        };
        let Some(name) = self.store.due(now)? else {
            return Ok(None);
        };
        if let Some(wait) = self.wait_for_callers() {
            self.store.hold_until(now.plus(wait));
            return Ok(None);
        }
        let resolved = self.record.resolved_config(&loaded.account).await?;
        let Some(sync) = resolved.compiled.config.syncs.get(&name) else {
            return self.forget(&name).map(Some);
        };
        let Some(mut state) = self.store.read(&name)? else {
            return Ok(Some(0));
        };
        if state.has_remains {
            return self.forget_some(&name, &mut state).map(Some);
        }
        let Some(run) = &state.run else {
            self.begin((&name, sync), &mut state, &resolved)?;
            return Ok(Some(0));
        };
        if state.requested.is_some() && state.is_suspended() {
            self.end_run((&name, sync), &mut state, RunStatus::Stopped)?;
            return Ok(Some(0));
        }
        if let Some(at) = run.resume_at.filter(|at| *at > now) {
            self.store.delay_event(&name, at)?;
            return Ok(Some(0));
        }
        if self.follow_definition((&name, sync), &mut state, &resolved)? {
            self.store.write(&name, &state)?;
            return Ok(Some(0));
        }
        if sync.events == SyncEvents::Records && self.outbox.is_full()? {
            self.wait_for_deliveries(&name, &mut state)?;
            return Ok(Some(0));
        }
        let read = self.advance((&name, sync), state, &resolved, end).await?;
        Ok(Some(read))
    }

    /// Lets a run wait: nothing else ends the growth of events that are not delivered, such as those of a paused
    /// subscription.
    fn wait_for_deliveries(&self, name: &str, state: &mut SyncState) -> Result<(), Failure> {
        if let Some(run) = &mut state.run {
            let wait = BUSY * 2_u32.pow(run.waits.min(DOUBLINGS));
            run.resume_at = Some(self.base.outside().now().plus(wait));
            run.waits = DOUBLINGS.min(run.waits + 1);
        }
        self.store.write(name, state)
    }

    async fn advance(
        &self,
        (name, sync): (&str, &Sync),
        state: SyncState,
        resolved: &ResolvedConfig,
        end: Timestamp,
    ) -> Result<usize, Failure> {
        let Some(run) = state.run.clone() else {
            return Ok(0);
        };
        let worked = if run.phase == Phase::Sweep {
            self.sweep((name, sync), &state, end).await
        } else {
            self.read_page((name, sync), &state, resolved, end).await
        };
        let failure = match worked {
            Ok(read) => return Ok(read),
            Err(failure) => failure,
        };
        // A message may have ended the run in that time.
        if let Some(mut state) = self.still(name, &run)? {
            self.note_failure((name, sync), &mut state, &failure)?;
        }
        Ok(0)
    }

    fn wait_for_callers(&self) -> Option<Duration> {
        let outside = self.base.outside();
        let rate = outside.settings().account_rate;
        self.calls.limiter().wait_for_callers(rate, outside.now())
    }

    /// What a failure leads to: a wait, a smaller page, another way, a pause, or the end of the run.
    fn note_failure(
        &self,
        (name, sync): (&str, &Sync),
        state: &mut SyncState,
        failure: &Failure,
    ) -> Result<(), Failure> {
        let now = self.base.outside().now();
        if failure.code == Code::Storage {
            // Statements before the one that failed have counted nothing.
            self.store.recount(state)?;
        }
        let Some(run) = &mut state.run else {
            return Ok(());
        };
        // The end of the slice may have cut the page's time.
        let cut = (failure.code == Code::Timeout && run.waits == 0).then_some(Duration::ZERO);
        if let Some(wait) = wait_of(failure).or(cut).filter(|_| run.waits < MOST_WAITS) {
            // A disabled install is no failure, however long it is disabled.
            run.waits += u32::from(failure.code != Code::InstallDisabled);
            run.resume_at = Some(now.plus(wait));
            return self.store.write(name, state);
        }
        let limit = run.limit.or_else(|| limit_of(sync)).unwrap_or(USUAL_LIMIT);
        if failure.code == Code::AnswerTooLarge && limit > 1 {
            (run.limit, run.position) = (Some(limit / 2), None);
            return self.store.write(name, state);
        }
        let status = failure.remote.as_ref().map(|remote| remote.status);
        if matches!(status, Some(404 | 410)) && run.parent.is_some() {
            // The record of the other sync may be gone, or be hidden: that its own records are gone is not proved.
            run.position = None;
            run.run.is_incomplete = true;
            return self.end_of_list((name, sync), state);
        }
        if matches!(status, Some(400 | 404 | 410)) && run.run.mode == RunMode::Incremental {
            // A checkpoint that the provider no longer knows, or more changes than it lists: everything is read.
            run.run.mode = RunMode::Full;
            run.phase = Phase::List;
            run.furthest.clear();
            run.restart();
            return self.store.write(name, state);
        }
        if !run.note_failure(failure, now) {
            return self.end_run((name, sync), state, RunStatus::Failed);
        }
        if state.requested.is_some() {
            // What a call asked for does not wait for the next try.
            return self.end_run((name, sync), state, RunStatus::Stopped);
        }
        self.store.write(name, state)
    }

    pub(super) fn log(&self, event: &str, name: &str, reason: &str) {
        self.calls.system().log(&json!({ "level": "warn", "event": event, "integrated_account_id": self.base.id(), "sync": name, "reason": reason }));
    }
}

/// How long to wait, where nothing is wrong with the run itself.
fn wait_of(failure: &Failure) -> Option<Duration> {
    match failure.code {
        Code::RateLimited | Code::TooManyRequests => Some(Duration::from_secs(
            failure.retry_after.unwrap_or(1).clamp(1, 3_600),
        )),
        Code::Busy | Code::Storage => Some(BUSY),
        Code::InstallDisabled => Some(DISABLED),
        // The alarm waits until the account can be called.
        Code::NeedsReauth | Code::NotReady => Some(Duration::ZERO),
        _ => None,
    }
}

/// The file's own limit of a page.
fn limit_of(sync: &Sync) -> Option<u64> {
    sync.query.get("limit")?.as_ref()?.literal()?.parse().ok()
}
