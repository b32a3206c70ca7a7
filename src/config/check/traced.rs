//! The steps of an action with what is known in front of each: whose word its value is, and whether the provider was asked.

use std::collections::BTreeSet;

use crate::config::Config;
use crate::config::action::{Action, Previous, RESERVED, Step, Word};

use super::typed::Typed;

/// A step, and what stands before it.
pub(super) struct Traced<'c> {
    /// Its place below the action.
    pub(super) place: String,
    pub(super) step: &'c Step,
    /// Whose word the value is that it gets.
    pub(super) before: Previous,
    /// Whether the provider was asked for certain.
    pub(super) is_asked: bool,
}

/// The action that runs on what a customer has just typed.
const OF_FORM: &str = "post_connect_user_form";
/// The action whose changes come from the provider while an account is set up.
pub(super) const SET_UP: &str = "post_install";

/// Whether it runs by itself: then no caller gives it anything.
pub(super) fn runs_alone(name: &str) -> bool {
    RESERVED.contains(&name) && name != OF_FORM
}

/// A step that may be skipped leaves what was before it possible.
pub(super) fn traced<'c>(name: &str, action: &'c Action) -> Vec<Traced<'c>> {
    let mut before = Previous::of(if runs_alone(name) {
        Word::Provider
    } else {
        Word::Caller
    });
    let mut is_asked = false;
    let mut all = Vec::new();
    for (place, step) in action.placed() {
        let behind = step.behind(&before);
        let behind = if step.run_if.is_none() {
            behind
        } else {
            before.or(behind)
        };
        all.push(Traced {
            place,
            step,
            before: std::mem::replace(&mut before, behind),
            is_asked,
        });
        is_asked |= step.run_if.is_none() && step.is_request();
    }
    all
}

impl Traced<'_> {
    /// The keys under which it puts the provider's word for certain.
    fn confirms(&self) -> BTreeSet<String> {
        let change = self
            .step
            .change()
            .filter(|_| self.is_asked && self.step.run_if.is_none());
        let written = change.map(|change| change.written(&self.before));
        let keys = written.as_ref().and_then(|written| written.words().ok());
        let sure = keys
            .into_iter()
            .flatten()
            .filter(|(_, word)| **word == Word::Provider);
        sure.map(|(key, _)| key.clone()).collect()
    }

    /// Whether it can put a customer's or a caller's word there.
    fn spoils(&self, key: &str, typed: &Typed) -> bool {
        let written = self
            .step
            .change()
            .map(|change| change.written(&self.before));
        written.is_some_and(|written| match written.word_of(key) {
            Some(Word::Copied) => written.can_copy(|read| typed.has(read)),
            Some(Word::Caller) => true,
            Some(Word::Provider) | None => false,
        })
    }
}

/// The keys whose values the provider says before an account is active, whatever was typed.
pub(super) fn confirmed(config: &Config) -> BTreeSet<String> {
    let set_up = config.actions.get(SET_UP).into_iter();
    let steps = set_up.flat_map(|action| traced(SET_UP, action));
    steps.flat_map(|step| step.confirms()).collect()
}

/// Whether an action can put a copied or a caller's value there.
pub(super) fn is_spoiled(config: &Config, key: &str, typed: &Typed) -> bool {
    let mut actions = config.actions.iter();
    actions.any(|(name, action)| {
        let steps = traced(name, action);
        steps.iter().any(|step| step.spoils(key, typed))
    })
}
