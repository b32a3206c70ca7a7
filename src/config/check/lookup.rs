//! Whose word finds an account for an install's webhook: the provider's or the operator's. What a customer types
//! would have them named as somebody else.

use std::collections::BTreeSet;

use crate::config::action::{Action, Change, RESERVED, StepKind};
use crate::config::source::{Layer, Sources, quoted};
use crate::config::{Config, Credential, Finding, Webhook};
use crate::expression::TemplateTree;

use super::Broken;

/// The action whose changes come from the provider while an account is set up.
const SET_UP: &str = "post_install";

pub(super) fn check(config: &Config, broken: &Broken, findings: &mut Vec<Finding>) {
    let schemes = config.webhook.iter().flat_map(Webhook::schemes);
    let mut keys = schemes.filter_map(|(at, scheme)| {
        let key = scheme.config.context_lookup_field_name.as_deref()?;
        Some((format!("{at}.config.context_lookup_field_name"), key))
    });
    let Some((at, key)) = keys.next() else { return };
    if broken.touches("config.credentials") || broken.touches("config.actions") {
        return;
    }
    let is_set_up = config
        .actions
        .get(SET_UP)
        .is_some_and(|action| asks_for(action, key));
    if takes_callers(config, key) || (is_typed_in(config, key) && !is_set_up) {
        findings.push(finding(at, key));
    }
}

fn finding(at: String, key: &str) -> Finding {
    let text = format!(
        "accounts are found by `{key}`, which their customers type: anybody could have another's webhooks"
    );
    Finding::error(at, text).hint("take it from the provider: by `contextFromToken`, or in `post_install` by a request and an `update_context` from its answer")
}

/// Whether a customer types it, and the token's answer does not say it afterwards.
fn is_typed_in(config: &Config, key: &str) -> bool {
    let is_asked = config
        .actions
        .values()
        .flat_map(Action::fields)
        .any(|field| field.name == key);
    let mut credentials = config.credentials.values();
    is_asked || credentials.any(|one| is_typed(one, key) && !is_told(one, key))
}

/// Whether an action that callers run writes it before anything was asked of the provider.
fn takes_callers(config: &Config, key: &str) -> bool {
    let called = config.actions.iter();
    let mut called = called.filter(|(name, _)| !RESERVED.contains(&name.as_str()));
    called.any(|(_, action)| {
        let steps = action.steps.iter();
        let mut unasked = steps.take_while(|step| !is_request(&step.kind));
        unasked.any(|step| match &step.kind {
            StepKind::SetContext(change) | StepKind::UpdateContext(change) => {
                can_write(change, key)
            }
            _ => false,
        })
    })
}

fn is_request(kind: &StepKind) -> bool {
    matches!(kind, StepKind::Request(_) | StepKind::Call(_))
}

/// An expression that makes no object of its own hands on what came in.
fn can_write(change: &Change, key: &str) -> bool {
    match change {
        Change::Expression(expression) => {
            quoted(expression).contains(&key) || !expression.source().trim_start().starts_with('{')
        }
        Change::Values(TemplateTree::Object(entries)) => {
            entries.iter().any(|(name, _)| name == key)
        }
        Change::Values(_) => true,
    }
}

/// Whether the customer, or their browser on the way back, says the value.
fn is_typed(credential: &Credential, key: &str) -> bool {
    let by_callback = |credential: &Credential| {
        let oauth = credential.oauth();
        oauth.is_some_and(|oauth| oauth.context_from_callback.contains_key(key))
    };
    credential.fields().iter().any(|field| field.name == key) || by_callback(credential)
}

/// Whether the token's answer says it afterwards.
fn is_told(credential: &Credential, key: &str) -> bool {
    let oauth = credential.oauth();
    oauth.is_some_and(|oauth| oauth.context_from_token.contains_key(key))
}

/// Whether a step writes the key from what a request before it was answered.
fn asks_for(action: &Action, key: &str) -> bool {
    let mut was_asked = false;
    action.steps.iter().any(|step| match &step.kind {
        StepKind::Request(_) | StepKind::Call(_) => {
            was_asked = true;
            false
        }
        StepKind::SetContext(change) | StepKind::UpdateContext(change) => {
            was_asked && writes(change, key)
        }
        _ => false,
    })
}

fn writes(change: &Change, key: &str) -> bool {
    match change {
        Change::Expression(expression) => quoted(expression).contains(&key),
        Change::Values(TemplateTree::Object(entries)) => {
            let own = entries.iter().find(|(name, _)| name == key);
            own.is_some_and(|(_, value)| is_answer(value))
        }
        Change::Values(_) => false,
    }
}

/// The answer is the root `body` of a step's placeholders.
fn is_answer(value: &TemplateTree) -> bool {
    let layers: BTreeSet<Layer> =
        Sources::of_placeholders(value.placeholders().into_iter()).layers();
    layers.contains(&Layer::Call) && !layers.contains(&Layer::Account)
}
