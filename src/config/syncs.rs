//! What is kept up to date of an account: the list that is read, how often, how a record is known, and what a record that
//! is gone leads to. Running it is the work of `flows::sync`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::expression::{Expression, Placeholder, Template, TemplateTree};
use crate::json::Path;

use super::Entries;

mod cron;
mod definition;
mod deletions;
mod max_deletions;
mod period;
mod record_id;

pub use cron::Cron;
pub use definition::{Definition, definitions};
pub use deletions::{DeletedList, DeletionMark, Deletions};
pub use max_deletions::MaxDeletions;
pub use period::{Period, RUN_PERIODS, SyncSchedule};
pub use record_id::RecordId;

/// Syncs of a file.
pub const MOST_SYNCS: usize = 20;

/// A list that is kept up to date for each account.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sync {
    /// The resource whose list is read.
    pub resource: String,
    /// The method that lists it.
    #[serde(default = "list")]
    pub method: String,
    /// The query of the call, with `{{sync.since}}`, `{{sync.checkpoint.x}}`, `{{sync.args.x}}` and `{{sync.parent.id}}` next
    /// to the usual roots; an entry whose placeholder is missing is left out.
    #[serde(default)]
    pub query: Entries,
    /// The body of the call, with the same placeholders.
    #[serde(default)]
    pub body: Option<TemplateTree>,
    /// Where a record has its id; several paths make one key.
    pub record_id: RecordId,
    /// Where a record has the time of its last change. The largest that was seen is the next run's `since`.
    #[serde(default)]
    pub modified_at: Option<Path>,
    /// How far `since` is set back; `60s` when absent.
    #[serde(default)]
    pub overlap: Option<Period>,
    /// What a run reads.
    #[serde(default)]
    pub mode: SyncMode,
    /// What a run that reads only what changed calls, where it is another list.
    #[serde(default)]
    pub incremental: Option<Box<ListCall>>,
    /// JSONata over the last page: an object that the next run reads as `{{sync.checkpoint.x}}`.
    #[serde(default)]
    pub checkpoint: Option<Expression>,
    /// How often it runs: `15m`; from one minute to 30 days.
    #[serde(default)]
    pub every: Option<Period>,
    /// When it runs: five fields, in UTC.
    #[serde(default)]
    pub cron: Option<Cron>,
    /// How often an incremental sync reads everything.
    #[serde(default)]
    pub full_every: Option<Period>,
    /// What a record that is gone is known by. `full` where every run reads everything, else `none`.
    #[serde(default)]
    pub deletions: Option<Deletions>,
    /// How many records a full run may delete without a confirmation: a number, or a percentage of the records. `50%` when
    /// absent; a percentage means at least 100.
    #[serde(default)]
    pub max_deletions: Option<MaxDeletions>,
    /// Whether a page without its `response_path` is an empty list, and not an incomplete run.
    #[serde(default)]
    pub empty_when_missing: bool,
    /// Another sync: the list is read once for each of its records.
    #[serde(default)]
    pub for_each: Option<String>,
    /// JSONata: a record in, what is kept of it out; null drops it.
    #[serde(default)]
    pub map: Option<Expression>,
    /// What is kept of a record.
    #[serde(default)]
    pub keep: Keep,
    /// What is reported as events.
    #[serde(default)]
    pub events: SyncEvents,
    /// Types of the events of webhooks that start a run.
    #[serde(default)]
    pub on_events: Vec<String>,
    /// Whether it runs without having been started by a call; true when absent.
    #[serde(default = "yes")]
    pub auto_start: bool,
}

/// What a run reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SyncMode {
    /// Every run reads the whole list.
    #[default]
    Full,
    /// The first run reads the whole list, the others what changed since.
    Incremental,
}

/// What is kept of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// The record.
    #[default]
    Records,
    /// Its id and the hash of its content; the event of a change has the record.
    Hashes,
}

/// What is reported as events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SyncEvents {
    /// The end of each run.
    #[default]
    Runs,
    /// The same, and each record that was added, updated or deleted.
    Records,
}

/// The call of a list.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListCall {
    /// The resource whose list is read.
    pub resource: String,
    /// The method that lists it.
    #[serde(default = "list")]
    pub method: String,
    /// The query, as of the sync.
    #[serde(default)]
    pub query: Entries,
    /// The body, as of the sync.
    #[serde(default)]
    pub body: Option<TemplateTree>,
}

/// A call of a list.
#[derive(Debug, Clone, Copy)]
pub struct ListRequest<'s> {
    /// The resource.
    pub resource: &'s str,
    /// The name of its method.
    pub method: &'s str,
    /// The query.
    pub query: &'s Entries,
    /// The body.
    pub body: Option<&'s TemplateTree>,
}

fn list() -> String {
    "list".to_owned()
}

fn yes() -> bool {
    true
}

impl Sync {
    /// The call of the list that is read.
    pub fn request(&self) -> ListRequest<'_> {
        ListRequest {
            resource: &self.resource,
            method: &self.method,
            query: &self.query,
            body: self.body.as_ref(),
        }
    }

    /// The call of the list of what changed.
    pub fn changes(&self) -> ListRequest<'_> {
        let own = self.incremental.as_ref();
        own.map_or_else(|| self.request(), |own| own.request())
    }

    /// Every list that it calls, with its place below the sync.
    pub fn requests(&self) -> impl Iterator<Item = (&'static str, ListRequest<'_>)> {
        let changes = self.incremental.as_ref();
        let changes = changes.map(|own| (".incremental", own.request()));
        let deleted = self.deletions().list();
        let deleted = deleted.map(|list| (".deletions", list.request()));
        std::iter::once(("", self.request()))
            .chain(changes)
            .chain(deleted)
    }

    /// Whether one of its requests reads this key of the root `sync`.
    pub fn reads(&self, key: &str) -> bool {
        let mut requests = self.requests();
        requests.any(|(_, request)| request.sync_keys().any(|own| own == key))
    }

    /// What a record that is gone is known by.
    pub fn deletions(&self) -> &Deletions {
        match (&self.deletions, self.mode) {
            (Some(own), _) => own,
            (None, SyncMode::Full) => &Deletions::FULL,
            (None, SyncMode::Incremental) => &Deletions::NOTHING,
        }
    }

    /// When it runs, where the file says so.
    pub fn schedule(&self) -> Option<SyncSchedule> {
        let every = self.every.map(SyncSchedule::Every);
        every.or(self.cron.clone().map(SyncSchedule::Cron))
    }
}

impl ListCall {
    /// The call.
    pub fn request(&self) -> ListRequest<'_> {
        ListRequest {
            resource: &self.resource,
            method: &self.method,
            query: &self.query,
            body: self.body.as_ref(),
        }
    }
}

impl<'s> ListRequest<'s> {
    /// Every placeholder in it.
    pub fn placeholders(self) -> impl Iterator<Item = &'s Placeholder> {
        let of_query = self.query.values().flatten();
        let of_body = self.body.into_iter().flat_map(TemplateTree::placeholders);
        of_query.flat_map(Template::placeholders).chain(of_body)
    }

    /// The keys of the root `sync` that it reads.
    pub fn sync_keys(self) -> impl Iterator<Item = &'s str> {
        let paths = self.placeholders().flat_map(Placeholder::paths);
        let own = paths.filter(|path| path.first() == Some("sync"));
        own.filter_map(|path| path.parts().get(1).map(String::as_str))
    }
}
