//! Messages about an account's syncs, and their views.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Code;
use crate::flows::base::records::PageRequest;
use crate::time::Timestamp;

/// A message about an account's syncs.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncMessage {
    /// → `Vec<SyncView>`
    List,
    /// Starts a run → [`SyncRun`]
    Run(String, RunRequest),
    /// Changes when it runs → [`SyncView`]
    Change(String, SyncChange),
    /// Ends the run under way → [`SyncView`]
    Stop(String),
    /// Forgets its records and its place → [`SyncView`]
    Reset(String),
    /// The runs of one sync or of all, newest first → `ListPage<SyncRun>`
    ListRuns(PageRequest),
    /// What changed → [`FeedPage`]
    Feed(FeedRequest),
    /// A record of this sync, by its id → `String`, its JSON
    Record(String, String),
}

/// What a run reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunMode {
    /// Everything.
    #[default]
    Full,
    /// What changed since the run before.
    Incremental,
}

/// Why a run was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunReason {
    /// By its schedule.
    #[default]
    Planned,
    /// By a call.
    Manual,
    /// By a webhook.
    Event,
}

/// How a run is going.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "SyncRunStatus")]
pub enum RunStatus {
    /// It goes on, or is tried again after `error`.
    #[default]
    Running,
    /// It came to its end.
    Completed,
    /// It was given up.
    Failed,
    /// A call ended it, or it would have deleted too much.
    Stopped,
}

/// A run of a sync.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct SyncRun {
    /// Its id.
    pub id: String,
    /// The name of the sync.
    pub sync: String,
    /// What it reads.
    pub mode: RunMode,
    /// Why it was started.
    pub reason: RunReason,
    /// How it is going.
    pub status: RunStatus,
    /// When it was started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Pages that it has read.
    pub pages: u64,
    /// Records that it met first.
    pub added: u64,
    /// Records that it found changed.
    pub updated: u64,
    /// Records that it found gone.
    pub deleted: u64,
    /// Records that it found as they were.
    pub unchanged: u64,
    /// Records that are larger than a sync keeps.
    pub too_large: u64,
    /// Whether it has not read all there is, or cannot know that it has. Then nothing was found missing, and the next run
    /// asks for changes since the run before. So it is where a page had no list in its place, a page was repeated or was
    /// empty while more was announced, `args` narrowed the request, or with `for_each` a list was refused or the records
    /// of the other sync are not all known.
    pub is_incomplete: bool,
    /// What went wrong last.
    pub error: Option<RunError>,
}

/// What went wrong in a run.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SyncRunError")]
pub struct RunError {
    /// As in an error answer.
    #[schemars(with = "String")]
    pub code: Code,
    /// For a person.
    pub message: String,
}

/// A sync of an account.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Sync")]
pub struct SyncView {
    /// Its name in the integration file.
    pub name: String,
    /// What its runs read.
    pub mode: RunMode,
    /// `every 15m` or `cron 0 3 * * *`; null where only calls and events start it.
    pub schedule: Option<String>,
    /// Whether it is paused.
    pub is_paused: bool,
    /// The records that it keeps.
    pub records: u64,
    /// When it goes on, or runs next.
    pub next_run_at: Option<Timestamp>,
    /// The run under way, or the last one.
    pub last_run: Option<SyncRun>,
}

/// How a run is asked for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RunRequest {
    /// As the file says when absent.
    pub mode: Option<RunMode>,
    /// The root `sync.args` of placeholders.
    pub args: Value,
    /// Whether it may delete more than `max_deletions`.
    pub confirm_deletions: bool,
}

/// A change of when a sync runs. What is absent stays.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct SyncChange {
    pub is_paused: Option<bool>,
    /// The account's own `every` or `cron`, as in the file; without both, the file's schedule.
    pub schedule: Option<(Option<String>, Option<String>)>,
}

/// A part of a feed.
#[derive(Debug, Serialize, Deserialize)]
pub struct FeedRequest {
    pub sync: String,
    /// The cursor of the part before.
    pub after: Option<String>,
    /// Only changes of this kind.
    pub filter: Option<ChangeKind>,
    pub limit: usize,
}

/// What a feed gives.
#[derive(Debug, Serialize, Deserialize)]
pub struct FeedPage {
    /// A JSON text per change.
    pub changes: Vec<String>,
    /// Where to go on.
    pub next_cursor: String,
    /// Whether more follows now.
    pub has_more: bool,
}

/// What happened to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It was met first.
    Added,
    /// It was changed.
    Updated,
    /// It is gone.
    Deleted,
}

impl ChangeKind {
    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Added, Self::Updated, Self::Deleted]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}
