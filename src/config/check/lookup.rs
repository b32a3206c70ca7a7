//! Whose word finds an account for an install's webhook: the provider's or the operator's. What a customer types
//! would have them named as somebody else.

use crate::config::action::Action;
use crate::config::{Config, Credential, Finding};

use super::Broken;
use super::traced::{confirmed, is_spoiled};
use super::typed::Typed;

const AT: &str = "config.webhook.signature_verification.config.context_lookup_field_name";

pub(super) fn check(config: &Config, broken: &Broken, findings: &mut Vec<Finding>) {
    let verification = config
        .webhook
        .as_ref()
        .and_then(|webhook| webhook.signature_verification.as_ref());
    let key = verification.and_then(|own| own.config.context_lookup_field_name.as_deref());
    let Some(key) = key else { return };
    if broken.touches("config.credentials") || broken.touches("config.actions") {
        return;
    }
    if is_spoiled(config, key, &Typed::of(config))
        || (is_typed_in(config, key) && !confirmed(config).contains(key))
    {
        findings.push(finding(key));
    }
}

fn finding(key: &str) -> Finding {
    let text = format!(
        "accounts are found by `{key}`, which their customers type: anybody could have another's webhooks"
    );
    Finding::error(AT, text).hint("take it from the provider: by `contextFromToken`, or in `post_install` by a request and an `update_context` from its answer")
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
