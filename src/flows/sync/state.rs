//! What a sync knows of its runs. It is stored sealed: the place in a list and a checkpoint can hold tokens of the provider.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::config::Sync;
use crate::config::syncs::{Cron, Period, SyncMode, SyncSchedule};
use crate::error::{Code, Failure};
use crate::flows::messages::sync::{RunError, RunMode, RunReason, RunRequest, SyncRun, SyncView};
use crate::flows::sync::since::earlier;
use crate::pagination::{PagePlace, Position};
use crate::time::Timestamp;

/// The pauses after a run's failures; one more gives it up.
const PAUSES: [Duration; 4] = [
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
];

/// What a sync knows of its runs.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[allow(clippy::struct_excessive_bools)] // each is a fact of its own
pub(super) struct SyncState {
    /// Its number among the syncs of the account.
    pub(super) number: i64,
    /// The key of its records.
    pub(super) key: String,
    /// The last revision.
    pub(super) revision: i64,
    /// The records that are there, and what they take.
    pub(super) records: u64,
    pub(super) bytes: u64,
    /// The slots that are given away.
    pub(super) slots: u64,
    pub(super) is_paused: bool,
    /// Whether a schedule starts it: it starts by itself, or a call has started it.
    pub(super) is_started: bool,
    /// The account's own schedule.
    pub(super) every: Option<String>,
    pub(super) cron: Option<String>,
    /// The largest time of a change that a completed run saw, as the provider writes it.
    pub(super) since: Option<Value>,
    pub(super) checkpoint: Value,
    /// When the run began that `since` is of.
    pub(super) whole_at: Option<Timestamp>,
    /// When a run over everything began that reached the end of it.
    pub(super) full_at: Option<Timestamp>,
    /// A digest of what decides its records, as the last run began; empty before one did.
    pub(super) definition: String,
    /// The next planned run.
    pub(super) planned_at: Option<Timestamp>,
    /// The run that a call asked for.
    pub(super) requested: Option<RunRequest>,
    /// Whether the file no longer has it: should the file have it again, it begins from nothing.
    pub(super) is_former: bool,
    /// Whether records from before it began from nothing are still stored. No run reads a page until they are deleted.
    pub(super) has_remains: bool,
    /// Whether `sync:suspicious` was reported and nothing has confirmed or refuted it.
    pub(super) is_suspicious: bool,
    pub(super) run: Option<Traversal>,
    pub(super) last_run: Option<SyncRun>,
}

/// Where a run is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Traversal {
    pub(super) run: SyncRun,
    pub(super) phase: Phase,
    /// The page that is read next; `None` for the first.
    pub(super) position: Option<Position>,
    /// The record of the other sync whose list is read.
    pub(super) parent: Option<String>,
    /// Whether no run has read that list from its beginning: changes do not suffice.
    pub(super) is_new_parent: bool,
    /// The records wanted of a page, where the file's number was too large.
    pub(super) limit: Option<u64>,
    pub(super) args: Value,
    pub(super) confirm_deletions: bool,
    /// The largest time of a change so far.
    pub(super) since: Option<Value>,
    pub(super) checkpoint: Option<Value>,
    /// Rows of `sync_seen`.
    pub(super) seen_rows: i64,
    /// Records up to this revision were looked at for deletion; those after `sweep_end` are new.
    pub(super) sweep: i64,
    pub(super) sweep_end: i64,
    /// Why records were skipped, which the account has no room for.
    pub(super) skipped: Option<RunError>,
    /// The furthest page that is stored, as a text in the order of pages.
    pub(super) furthest: String,
    /// Failures since that page, and waits since the last page.
    pub(super) failures: u32,
    pub(super) waits: u32,
    /// When it goes on.
    pub(super) resume_at: Option<Timestamp>,
}

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Phase {
    /// Reads the list.
    #[default]
    List,
    /// Reads it again: a record that moved to a page that was read already is not missing.
    ListAgain,
    /// Deletes what neither has.
    Sweep,
    /// Reads the list of what is gone.
    Deleted,
}

impl SyncState {
    /// When it has work to do, apart from events.
    pub(super) fn due(&self) -> Option<Timestamp> {
        if self.has_remains {
            return Some(Timestamp::from_millis(0));
        }
        let requested = self.requested.as_ref().map(|_| Timestamp::from_millis(0));
        match &self.run {
            Some(run) if !self.is_suspended() => run.resume_at,
            None if !self.is_paused => [requested, self.planned_at].into_iter().flatten().min(),
            _ => requested,
        }
    }

    /// Whether the run under way waits for the end of a pause. A run that a call started does not.
    pub(super) fn is_suspended(&self) -> bool {
        let run = self.run.as_ref();
        self.is_paused && run.is_some_and(|run| run.run.reason != RunReason::Manual)
    }

    /// Forgets up to where it is read: the next run reads everything.
    pub(super) fn forget_place(&mut self) {
        (self.since, self.checkpoint) = (None, Value::Null);
        (self.whole_at, self.full_at) = (None, None);
        self.is_suspicious = false;
    }

    /// When it runs: the account's own schedule, or the file's.
    pub(super) fn schedule(&self, sync: &Sync) -> Option<SyncSchedule> {
        let every = self
            .every
            .as_ref()
            .and_then(|text| text.parse::<Period>().ok());
        let cron = self
            .cron
            .as_ref()
            .and_then(|text| text.parse::<Cron>().ok());
        let own = every
            .map(SyncSchedule::Every)
            .or(cron.map(SyncSchedule::Cron));
        own.or_else(|| sync.schedule())
    }

    /// What the next run reads.
    pub(super) fn mode(&self, sync: &Sync, requested: Option<RunMode>, now: Timestamp) -> RunMode {
        let knows = self.since.is_some() || !self.checkpoint.is_null();
        let is_over = |full_at: Timestamp| {
            sync.full_every
                .is_some_and(|every| full_at.plus(every.0) <= now)
        };
        let is_full_due = requested.is_none() && self.full_at.is_none_or(is_over);
        let is_full = sync.mode == SyncMode::Full || !knows || is_full_due;
        if is_full || requested == Some(RunMode::Full) {
            RunMode::Full
        } else {
            RunMode::Incremental
        }
    }

    /// The root `sync` of placeholders.
    pub(super) fn root(&self, run: &Traversal, sync: &Sync) -> Value {
        let mut root = Map::from_iter([("args".to_owned(), run.args.clone())]);
        if let Some(parent) = &run.parent {
            root.insert("parent".to_owned(), json!({ "id": parent }));
        }
        if run.reads_changes() {
            root.insert("checkpoint".to_owned(), self.checkpoint.clone());
            let overlap = sync.overlap.map_or(Duration::from_mins(1), |own| own.0);
            let since = self.since.as_ref().map(|since| earlier(since, overlap));
            root.extend(since.map(|since| ("since".to_owned(), since)));
        }
        Value::Object(root)
    }

    pub(super) fn view(&self, name: &str, sync: &Sync, due: Option<Timestamp>) -> SyncView {
        let run = self.run.as_ref().map(|run| run.run.clone());
        SyncView {
            name: name.to_owned(),
            mode: match sync.mode {
                SyncMode::Full => RunMode::Full,
                SyncMode::Incremental => RunMode::Incremental,
            },
            schedule: self.schedule(sync).map(|schedule| schedule.to_string()),
            is_paused: self.is_paused,
            records: if self.has_remains { 0 } else { self.records },
            next_run_at: due,
            last_run: run.or_else(|| self.last_run.clone()),
        }
    }
}

impl Traversal {
    /// Goes back to the beginning of all lists. What it has seen stays seen.
    pub(super) fn restart(&mut self) {
        self.position = None;
        (self.parent, self.is_new_parent) = (None, false);
    }

    /// Whether the list under way is the one of what changed.
    pub(super) fn reads_changes(&self) -> bool {
        self.run.mode == RunMode::Incremental && !self.is_new_parent
    }

    /// Whether it waits for the next try.
    pub(super) fn waits_after_failure(&self, now: Timestamp) -> bool {
        self.failures > 0 && self.waits == 0 && self.resume_at.is_some_and(|at| at > now)
    }

    /// Notes that a page is stored, and goes on to the next one. Failures are forgotten by a page that no try has reached
    /// before: otherwise a page that is always refused would be tried for ever, each time from the beginning.
    pub(super) fn note_page(&mut self, next: Option<&Position>) {
        let pages = self.position.as_ref().map_or(0, |position| position.pages);
        let parent = self.parent.as_deref().unwrap_or_default();
        let place = format!("{}{parent}\0{pages:010}", self.phase as u8);
        if place > self.furthest {
            (self.furthest, self.failures) = (place, 0);
        }
        self.position = next.cloned();
        self.run.pages += 1;
        (self.waits, self.run.error) = (0, None);
    }

    /// Notes a failure. `false`: the run is given up.
    pub(super) fn note_failure(&mut self, failure: &Failure, now: Timestamp) -> bool {
        self.run.error = Some(RunError {
            code: failure.code,
            message: failure.message.clone(),
        });
        let pause = usize::try_from(self.failures)
            .ok()
            .and_then(|at| PAUSES.get(at));
        self.failures += 1;
        self.waits = 0;
        self.resume_at = pause.map(|pause| now.plus(*pause));
        let is_final = failure.code == Code::SyncLimit;
        if self.is_stuck(failure) {
            self.position = None;
        }
        pause.is_some() && !is_final
    }

    /// Whether the next try fails as this one did, unless it reads the list from its beginning: the provider refuses the
    /// page, or no request for it can be made.
    fn is_stuck(&self, failure: &Failure) -> bool {
        if let Some(remote) = &failure.remote {
            return (400..=499).contains(&remote.status);
        }
        let at = self.position.as_ref().map(|position| &position.at);
        matches!(failure.code, Code::UnexpectedAnswer | Code::BadCursor)
            || matches!(at, Some(PagePlace::DeadEnd(_)))
    }
}
