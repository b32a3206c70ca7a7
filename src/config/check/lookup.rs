//! Who sets the value that finds an account for an install's webhook: the provider or the operator. What a customer types
//! would let them name another customer.

use crate::config::action::Action;
use crate::config::{Config, Credential, Finding, Webhook};

use super::Broken;
use super::traced::{confirmed, is_tainted};
use super::typed::Typed;

pub(super) fn check(config: &Config, broken: &Broken, findings: &mut Vec<Finding>) {
    if broken.touches("config.credentials") || broken.touches("config.actions") {
        return;
    }
    let schemes = config.webhook.iter().flat_map(Webhook::schemes);
    let lookups = schemes.filter_map(|(at, scheme)| {
        let key = scheme.config.context_lookup_field_name.as_deref()?;
        Some((at, key))
    });
    let lookups: Vec<(String, &str)> = lookups.collect();
    if lookups.is_empty() {
        return;
    }
    let (confirmed, typed) = (confirmed(config), Typed::of(config));
    for (at, key) in lookups {
        let is_theirs = is_typed_in(config, key) && !confirmed.contains(key);
        if is_theirs || is_tainted(config, key, &typed) {
            let at = format!("{at}.config.context_lookup_field_name");
            findings.push(finding(at, key));
        }
    }
}

fn finding(at: String, key: &str) -> Finding {
    let text = format!(
        "accounts are found by `{key}`, which their customers type: a customer could get another's webhooks"
    );
    Finding::error(at, text).hint("take it from the provider: by `contextFromToken`, or in `post_install` by a request and an `update_context` from its answer")
}

/// Whether a customer types it, and the token's answer does not say it afterwards.
fn is_typed_in(config: &Config, key: &str) -> bool {
    let is_asked = config
        .actions
        .values()
        .flat_map(Action::fields)
        .any(|field| field.filled_keys().any(|own| own == key));
    let mut credentials = config.credentials.values();
    is_asked || credentials.any(|one| is_typed(one, key) && !is_confirmed(one, key))
}

/// Whether the customer, or their browser on the way back, says the value.
fn is_typed(credential: &Credential, key: &str) -> bool {
    let by_callback = |credential: &Credential| {
        let oauth = credential.oauth();
        oauth.is_some_and(|oauth| oauth.context_from_callback.contains_key(key))
    };
    let mut fields = credential.fields().iter();
    fields.any(|field| field.filled_keys().any(|own| own == key)) || by_callback(credential)
}

/// Whether the token's answer says it afterwards.
fn is_confirmed(credential: &Credential, key: &str) -> bool {
    let keys = credential.context_from_token();
    keys.is_some_and(|keys| keys.contains_key(key))
}
