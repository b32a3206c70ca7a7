//! Syncs: what they call and follow exists, they run at sensible times, and what they say has an effect.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::config::syncs::{
    DeletedList, Keep, ListRequest, MOST_SYNCS, RUN_PERIODS, SyncEvents, SyncMode,
};
use crate::config::{Config, Finding, Sync};

use super::Broken;
use super::actions::check_method_is_there;
use super::resources::check_name;

/// Bytes of a name.
const LONGEST_NAME: usize = 64;
/// The longest time between two runs over everything, and the longest `overlap`.
const A_YEAR: Duration = Duration::from_hours(8_760);
/// What `{{sync.…}}` can read.
const KEYS: [&str; 4] = ["since", "checkpoint", "args", "parent"];

pub(super) fn check(config: &Config, broken: &Broken, findings: &mut Vec<Finding>) {
    if config.syncs.len() > MOST_SYNCS {
        let text = format!("a file has at most {MOST_SYNCS} syncs");
        findings.push(Finding::error("config.syncs", text));
    }
    for (name, sync) in &config.syncs {
        let at = format!("config.syncs.{name}");
        check_name(name, &at, findings);
        if name.len() > LONGEST_NAME {
            let text = format!("a name has at most {LONGEST_NAME} bytes");
            findings.push(Finding::error(&at, text));
        }
        for (place, request) in sync.requests() {
            let (called, at) = ((request.resource, request.method), format!("{at}{place}"));
            check_method_is_there(config, called, &at, broken, findings);
        }
        let mut check = SyncCheck {
            config,
            sync,
            at: &at,
            findings,
        };
        check.times();
        check.reads();
        check.deletions();
        check.parent(name, broken);
        check.unused();
    }
}

struct SyncCheck<'c, 'f> {
    config: &'c Config,
    sync: &'c Sync,
    at: &'c str,
    findings: &'f mut Vec<Finding>,
}

impl SyncCheck<'_, '_> {
    fn error(&mut self, key: &str, text: &str) {
        self.findings
            .push(Finding::error(format!("{}.{key}", self.at), text));
    }

    fn warning(&mut self, key: &str, text: &str) {
        self.findings
            .push(Finding::warning(format!("{}.{key}", self.at), text));
    }

    fn times(&mut self) {
        let sync = self.sync;
        if sync.every.is_some() && sync.cron.is_some() {
            self.error("cron", "a sync has `every` or `cron`, and not both");
        }
        if sync
            .every
            .is_some_and(|every| !RUN_PERIODS.contains(&every.0))
        {
            self.error("every", "a sync runs every `1m` to `30d`");
        }
        let full = sync.full_every.map(|full| full.0);
        if full.is_some_and(|full| full < *RUN_PERIODS.start() || full > A_YEAR) {
            self.error("full_every", "a sync reads everything every `1m` to `365d`");
        }
        if full.is_some() && sync.mode == SyncMode::Full {
            self.warning(
                "full_every",
                "`full_every` is never used: every run reads everything",
            );
        }
        if sync.overlap.is_some_and(|overlap| overlap.0 > A_YEAR) {
            self.error("overlap", "`overlap` is at most `365d`");
        }
    }

    fn reads(&mut self) {
        let sync = self.sync;
        let requests = sync.requests().map(|(_, request)| request);
        let unknown: BTreeSet<&str> = requests
            .flat_map(ListRequest::sync_keys)
            .filter(|key| !KEYS.contains(key))
            .collect();
        for key in unknown {
            let text =
                format!("nothing fills `sync.{key}`: there are since, checkpoint, args and parent");
            self.findings.push(Finding::error(self.at, text));
        }
        let (since, checkpoint) = (sync.reads("since"), sync.reads("checkpoint"));
        if sync.mode == SyncMode::Incremental && !since && !checkpoint {
            let text = "every run reads everything: no placeholder reads `sync.since` or `sync.checkpoint`";
            self.warning("mode", text);
        }
        if since && sync.modified_at.is_none() {
            self.warning(
                "query",
                "nothing fills `sync.since`: the sync has no `modified_at`",
            );
        }
        if checkpoint && sync.checkpoint.is_none() {
            self.warning(
                "query",
                "nothing fills `sync.checkpoint`: the sync has no `checkpoint`",
            );
        }
        if sync.checkpoint.is_some() && sync.for_each.is_some() {
            self.error(
                "checkpoint",
                "a sync has one checkpoint, and `for_each` makes it read several lists",
            );
        }
        if !checkpoint && sync.checkpoint.is_some() {
            self.warning(
                "checkpoint",
                "`checkpoint` is never used: no placeholder reads it",
            );
        }
        if !since && sync.overlap.is_some() {
            self.warning(
                "overlap",
                "`overlap` is never used: no placeholder reads `sync.since`",
            );
        }
    }

    fn deletions(&mut self) {
        let sync = self.sync;
        let is_full = sync.deletions().full;
        let is_only = is_full && sync.deletions().mark.is_none();
        if is_only && sync.mode == SyncMode::Incremental && sync.full_every.is_none() {
            let at = format!("{}.deletions", self.at);
            let text = "no run reads everything, so that nothing is ever found missing";
            self.findings
                .push(Finding::error(at, text).hint("add `full_every`"));
        }
        if !is_full && sync.max_deletions.is_some() {
            self.warning(
                "max_deletions",
                "`max_deletions` is never used: `deletions` is not `full`",
            );
        }
    }

    fn parent(&mut self, name: &str, broken: &Broken) {
        let reads = self.sync.reads("parent");
        let Some(parent) = &self.sync.for_each else {
            if reads {
                self.warning(
                    "query",
                    "nothing fills `sync.parent`: the sync has no `for_each`",
                );
            }
            return;
        };
        if !reads {
            self.warning(
                "for_each",
                "the same list is read for every record: no placeholder reads `sync.parent.id`",
            );
        }
        let mut seen = BTreeSet::from([name]);
        let mut next = Some(parent.as_str());
        while let Some(parent) = next {
            if !seen.insert(parent) {
                self.error("for_each", "the syncs follow one another in a circle");
                return;
            }
            let found = self.config.syncs.get(parent);
            if found.is_none() && !broken.touches(&format!("config.syncs.{parent}")) {
                self.error("for_each", &format!("there is no sync `{parent}`"));
            }
            next = found.and_then(|found| found.for_each.as_deref());
        }
    }

    fn unused(&mut self) {
        let sync = self.sync;
        if sync.keep == Keep::Hashes && sync.events == SyncEvents::Runs {
            let text = "the records go nowhere: `hashes` keeps none, and no event has one";
            let finding = Finding::warning(format!("{}.keep", self.at), text);
            self.findings
                .push(finding.hint("add `\"events\": \"records\"`"));
        }
        let webhook = self.config.webhook.as_ref();
        let has_events = webhook.is_some_and(|webhook| webhook.payload_transform.is_some());
        if !sync.on_events.is_empty() && !has_events {
            self.warning(
                "on_events",
                "there are no such events: the file has no `webhook.payload_transform`",
            );
        }
        if let Some(list) = sync.deletions().list() {
            self.unused_of(list);
        }
        if sync.incremental.is_some() && sync.mode == SyncMode::Full {
            self.warning(
                "incremental",
                "`incremental` is never used: every run reads everything",
            );
        }
    }

    fn unused_of(&mut self, list: &DeletedList) {
        if self.sync.for_each.is_some() && list.request().sync_keys().any(|key| key == "parent") {
            self.error(
                "deletions",
                "the list of what is gone is read once, and not for each record of the other sync",
            );
        }
    }
}
