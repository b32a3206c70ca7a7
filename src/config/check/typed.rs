//! Whose word a key of the context is, as far as the file shows it.

use std::collections::BTreeSet;

use crate::config::Config;
use crate::config::action::{Change, RESERVED, StepKind};
use crate::config::source::Sources;
use crate::expression::TemplateTree;

/// The keys of the context that a customer, or a holder of their token, can set.
pub(super) struct Typed<'c> {
    keys: BTreeSet<&'c str>,
    /// Whether an action that callers run, or a handshake, can set any.
    is_any: bool,
}

impl<'c> Typed<'c> {
    pub(super) fn of(config: &'c Config) -> Self {
        let mut typed = Self {
            keys: config.fields().map(|field| field.name.as_str()).collect(),
            is_any: hands_over(config),
        };
        for oauth in config.credentials.values().filter_map(|one| one.oauth()) {
            // The way back from the sign-in is in the customer's browser.
            let told = oauth.context_from_callback.keys();
            typed.keys.extend(told.map(String::as_str));
        }
        typed.add_actions(config);
        typed
    }

    fn add_actions(&mut self, config: &'c Config) {
        let called = config.actions.iter();
        let called = called.filter(|(name, _)| !RESERVED.contains(&name.as_str()));
        for step in called.flat_map(|(_, action)| &action.steps) {
            match &step.kind {
                StepKind::SetContext(change) | StepKind::UpdateContext(change) => match change {
                    Change::Values(TemplateTree::Object(entries)) => {
                        self.keys
                            .extend(entries.iter().map(|(key, _)| key.as_str()));
                    }
                    Change::Values(_) | Change::Expression(_) => self.is_any = true,
                },
                _ => {}
            }
        }
    }

    /// What of `sources` a customer can set: a key of the context, or all of it.
    pub(super) fn word_in<'s>(&self, sources: &Sources<'s>) -> Option<&'s str> {
        if sources.whole_context {
            return Some("context");
        }
        let mut keys = sources.context.iter().copied();
        keys.find(|key| *key != "oauth" && (self.is_any || self.keys.contains(key)))
    }
}

fn hands_over(config: &Config) -> bool {
    let webhook = config.webhook.as_ref();
    let handshake = webhook.and_then(|webhook| webhook.handle_verification.as_ref());
    handshake.is_some_and(|expression| expression.source().contains("update_context"))
}
