//! Which keys of the context a customer can set, as far as the file shows it.

use std::collections::BTreeSet;

use crate::config::Config;
use crate::config::action::{ContextWrite, Provenance};
use crate::config::source::Sources;

use super::traced::{runs_alone, traced};

/// Rounds in which copies of copies are followed.
const ROUNDS: usize = 8;

/// The keys of the context that a customer, or a holder of their token, can set.
pub(super) struct Typed {
    keys: BTreeSet<String>,
    /// Whether an action that callers run, or a handshake, can set any.
    is_any: bool,
}

impl Typed {
    pub(super) fn of(config: &Config) -> Self {
        let mut typed = Self {
            keys: config
                .fields()
                .flat_map(|field| field.filled_keys().cloned())
                .collect(),
            is_any: hands_over(config),
        };
        for oauth in config.credentials.values().filter_map(|one| one.oauth()) {
            // The way back from the sign-in is in the customer's browser.
            let from_callback = oauth.context_from_callback.keys();
            typed.keys.extend(from_callback.cloned());
        }
        typed.add_actions(config);
        typed
    }

    fn add_actions(&mut self, config: &Config) {
        let mut changes = Vec::new();
        for placed in config.placed_actions() {
            let is_called = !runs_alone(placed.name);
            for step in traced(placed.name, placed.action) {
                let written = step
                    .step
                    .change()
                    .map(|change| change.written(&step.before));
                changes.extend(written.map(|written| (is_called, written)));
            }
        }
        // What is copied may be copied on.
        for _ in 0..=changes.len().min(ROUNDS) {
            let before = (self.keys.len(), self.is_any);
            for (is_called, written) in &changes {
                self.add_written(*is_called, written);
            }
            if before == (self.keys.len(), self.is_any) {
                return;
            }
        }
        self.is_any = true;
    }

    /// What a caller's action writes counts as the caller's, even if a step asked the provider first.
    fn add_written(&mut self, is_called: bool, written: &ContextWrite) {
        let copies = written.can_copy(|key| self.has(key));
        let is_typed = |provenance| {
            is_called
                || provenance == Provenance::Caller
                || (provenance == Provenance::Context && copies)
        };
        match written.provenances() {
            Ok(keys) => {
                let typed = keys.iter().filter(|(_, provenance)| is_typed(**provenance));
                self.keys.extend(typed.map(|(key, _)| key.clone()));
            }
            Err(whole) => self.is_any |= is_typed(whole),
        }
    }

    /// All keys but those that the provider has confirmed since.
    pub(super) fn without(&self, confirmed: &BTreeSet<String>) -> Self {
        Self {
            keys: self.keys.difference(confirmed).cloned().collect(),
            is_any: self.is_any,
        }
    }

    /// Whether a customer can set this key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.is_any || self.keys.contains(key)
    }

    /// What of `sources` a customer can set: a key of the context, or all of it.
    pub(super) fn key_in<'s>(&self, sources: &Sources<'s>) -> Option<&'s str> {
        if sources.whole_context {
            return Some("context");
        }
        let mut keys = sources.context.iter().copied();
        keys.find(|key| *key != "oauth" && self.has(key))
    }
}

fn hands_over(config: &Config) -> bool {
    let webhook = config.webhook.as_ref();
    let handshake = webhook.and_then(|webhook| webhook.handle_verification.as_ref());
    handshake.is_some_and(|expression| expression.source().contains("update_context"))
}
