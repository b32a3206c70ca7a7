//! The steps of an action with what is known before each: the provenance of its input, and whether the provider was asked.

use std::collections::BTreeSet;

use crate::config::Config;
use crate::config::action::{
    Action, EXCHANGE, OnFailure, Previous, Provenance, RESERVED, StepConfig,
};

use super::typed::Typed;

/// A step, and what is before it.
pub(super) struct TracedStep<'c> {
    /// Its place below the action.
    pub(super) place: String,
    pub(super) step: &'c StepConfig,
    /// Its input.
    pub(super) before: Previous,
    /// Whether its input is certainly computed from an answer of the provider.
    pub(super) is_asked: bool,
    /// Whether what was before it can be what is after it.
    pub(super) may_be_skipped: bool,
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
pub(super) fn traced<'c>(name: &str, action: &'c Action) -> Vec<TracedStep<'c>> {
    let mut before = match name {
        EXCHANGE => Previous::of_callback(),
        name if runs_alone(name) => Previous::of(Provenance::Provider),
        _ => Previous::of(Provenance::Caller),
    };
    let mut is_asked = false;
    let mut all = Vec::new();
    for (place, step) in action.in_order() {
        let behind = step.behind(&before);
        let behind = if step.run_if.is_none() {
            behind
        } else {
            before.or(behind)
        };
        let alternatives = step.alternatives().iter().enumerate();
        all.extend(alternatives.map(|(index, step)| TracedStep {
            place: format!("{place}.any_of[{index}]"),
            step,
            before: before.clone(),
            is_asked,
            may_be_skipped: true,
        }));
        all.push(TracedStep {
            place,
            step,
            before: std::mem::replace(&mut before, behind),
            is_asked,
            may_be_skipped: step.run_if.is_some() || !step.alternatives().is_empty(),
        });
        // Null, which takes the place of an answer, says nothing.
        let can_be_null = step.on_failure == OnFailure::Null;
        is_asked = step.is_surely_answered() || (is_asked && !can_be_null);
    }
    all
}

impl TracedStep<'_> {
    /// The keys under which it certainly writes a value of the provider.
    fn confirms(&self) -> BTreeSet<String> {
        let change = self
            .step
            .change()
            .filter(|_| self.is_asked && self.step.run_if.is_none());
        let written = change.map(|change| change.written(&self.before));
        let keys = written
            .as_ref()
            .and_then(|written| written.provenances().ok());
        let sure = keys
            .into_iter()
            .flatten()
            .filter(|(_, provenance)| **provenance == Provenance::Provider);
        sure.map(|(key, _)| key.clone()).collect()
    }

    /// Whether it can write a customer's or a caller's value under this key.
    fn can_taint(&self, key: &str, typed: &Typed) -> bool {
        let written = self
            .step
            .change()
            .map(|change| change.written(&self.before));
        written.is_some_and(|written| match written.provenance_of(key) {
            Some(Provenance::Context) => written.can_copy(|read| typed.has(read)),
            Some(Provenance::Caller) => true,
            Some(Provenance::Provider) | None => false,
        })
    }
}

/// The keys whose values come from the provider before an account is active, and replace what was typed.
pub(super) fn confirmed(config: &Config) -> BTreeSet<String> {
    let set_up = config.actions.get(SET_UP).into_iter();
    let steps = set_up.flat_map(|action| traced(SET_UP, action));
    steps.flat_map(|step| step.confirms()).collect()
}

/// Whether an action can put a copied or a caller's value there.
pub(super) fn is_tainted(config: &Config, key: &str, typed: &Typed) -> bool {
    let mut actions = config.placed_actions();
    actions.any(|placed| {
        let steps = traced(placed.name, placed.action);
        steps.iter().any(|step| step.can_taint(key, typed))
    })
}
