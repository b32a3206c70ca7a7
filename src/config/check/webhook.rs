//! Webhooks: a scheme that cannot accept anything is said so.

use crate::config::webhook::{
    RequestPart, Schemes, SignatureFormat, SignatureVerification, Webhook,
};
use crate::config::{Config, Finding};
use crate::expression::Expression;

use super::Broken;

const AT: &str = "config.webhook.signature_verification";

pub(super) fn check(config: &Config, broken: &Broken, findings: &mut Vec<Finding>) {
    let Some(webhook) = &config.webhook else {
        return;
    };
    if broken.touches(AT) {
        return;
    }
    let Some(schemes) = &webhook.signature_verification else {
        let finding = Finding::warning(
            "config.webhook",
            "without `signature_verification` every webhook is refused",
        );
        findings
            .push(finding.hint("write `\"format\": \"none\"` to take webhooks without a proof"));
        return;
    };
    for (at, scheme) in webhook.schemes() {
        check_scheme(&at, scheme, findings);
        check_event_id(webhook, scheme, findings);
    }
    check_lookups(schemes, findings);
    if webhook.challenge.is_some() && !schemes.prove_sender() {
        let text = "a challenge is signed with the secret that signs events: without a signature any sender could get any text signed";
        let finding = Finding::error("config.webhook.challenge", text);
        findings.push(finding.hint("say in `signature_verification` how events are signed"));
    }
    let challenge = webhook.challenge.as_ref().map(|challenge| &challenge.from);
    check_place(
        "config.webhook.challenge.from".to_owned(),
        challenge,
        findings,
    );
}

fn check_scheme(at: &str, verification: &SignatureVerification, findings: &mut Vec<Finding>) {
    if !verification.has_signature_place() {
        let finding = Finding::warning(
            format!("{at}.config"),
            "the file does not say where the signature is: every webhook is refused",
        );
        findings.push(
            finding.hint("add `compare_with`, such as \"$header.x-signature\", or `signature`"),
        );
    }
    if let Some(key) = missing_key(verification) {
        findings.push(Finding::warning(
            format!("{at}.config"),
            format!("`{key}` is missing: every webhook is refused"),
        ));
    }
    check_parts(at, verification, findings);
    let config = &verification.config;
    let timestamp = config.timestamp.as_ref().map(|timestamp| &timestamp.from);
    check_place(format!("{at}.config.timestamp.from"), timestamp, findings);
    let body_hash = config.body_hash.as_ref().map(|hash| &hash.from);
    check_place(format!("{at}.config.body_hash.from"), body_hash, findings);
    check_addresses(at, verification, findings);
    check_lookup(at, verification, findings);
}

/// An install's webhook finds its accounts in one way, whichever scheme proved it.
fn check_lookups(schemes: &Schemes, findings: &mut Vec<Finding>) {
    let lookup = |scheme: &SignatureVerification| {
        let value = scheme.config.context_lookup_field_value.as_ref();
        let value = value.map(|value| value.source().to_owned());
        (scheme.config.context_lookup_field_name.clone(), value)
    };
    let Some(first) = schemes.with_lookup().map(lookup) else {
        return;
    };
    for (at, scheme) in schemes.placed(AT) {
        let own = lookup(scheme);
        if own != (None, None) && own != first {
            let text = "`context_lookup_field_name` and `context_lookup_field_value` are others than in the scheme before: an install's webhook finds its accounts in one way";
            let finding = Finding::error(format!("{at}.config"), text);
            findings.push(finding.hint("write both in one scheme of the list only"));
        }
    }
}

/// Where nothing signed says when a request was made, a captured one is good at any age: then what tells a repeated event must
/// be signed, too, or anyone with the request can make it another event.
fn check_event_id(
    webhook: &Webhook,
    verification: &SignatureVerification,
    findings: &mut Vec<Finding>,
) {
    use SignatureFormat::{Ecdsa, Ed25519, Hash, Hmac, Rsa};
    let signs_content = matches!(verification.format, Hmac | Hash | Rsa | Ecdsa | Ed25519);
    let source = webhook.event_id.as_ref().map(Expression::source);
    let is_unsigned = |source: &str| {
        let reads = |root| source.contains(root);
        (reads("headers") || reads("query")) && !reads("body")
    };
    if signs_content && verification.config.timestamp.is_none() && source.is_some_and(is_unsigned) {
        let text = "the signature covers neither this nor a time: a captured request that is sent again under another id is another event";
        let finding = Finding::warning("config.webhook.event_id", text);
        findings.push(
            finding.hint("read an id of `body`, or `body_sha256` where no two bodies are alike"),
        );
    }
}

/// Where something single is read from the request.
fn check_place(at: String, place: Option<&RequestPart>, findings: &mut Vec<Finding>) {
    if place.is_some_and(|place| !place.is_place()) {
        let finding = Finding::warning(at, "it names no place: every webhook is refused");
        findings.push(finding.hint("write `$header.<name>`, `$query.<name>` or `$body.<path>`"));
    }
}

/// An address that the request itself gives is held by a pattern.
fn check_addresses(at: &str, verification: &SignatureVerification, findings: &mut Vec<Finding>) {
    let config = &verification.config;
    if config.public_key_url.is_some() && config.public_key_url_pattern.is_none() {
        let text =
            "without `public_key_url_pattern` any address could be named: every webhook is refused";
        findings.push(Finding::warning(
            format!("{at}.config.public_key_url"),
            text,
        ));
    }
}

fn check_parts(at: &str, verification: &SignatureVerification, findings: &mut Vec<Finding>) {
    for (index, part) in verification.config.parts.iter().enumerate() {
        let at = format!("{at}.config.parts[{index}]");
        if part.holds(&RequestPart::BareHeader) {
            findings.push(
                Finding::warning(at, "`header` names no header").hint("write `$header.<name>`"),
            );
        } else if part.holds(&RequestPart::Timestamp)
            && verification.config.timestamp.is_none()
            && verification.format != SignatureFormat::StandardWebhooks
        {
            findings.push(
                Finding::warning(at, "the file does not say where the timestamp is")
                    .hint("add `timestamp`"),
            );
        }
    }
}

fn check_lookup(at: &str, verification: &SignatureVerification, findings: &mut Vec<Finding>) {
    let lookup = (
        &verification.config.context_lookup_field_name,
        &verification.config.context_lookup_field_value,
    );
    if lookup.0.is_some() != lookup.1.is_some() {
        let text =
            "`context_lookup_field_name` and `context_lookup_field_value` are of use only together";
        findings.push(Finding::warning(format!("{at}.config"), text));
    }
}

/// What the format cannot do without.
fn missing_key(verification: &SignatureVerification) -> Option<&'static str> {
    let config = &verification.config;
    let has_key =
        config.public_key.is_some() || config.jwks_url.is_some() || config.public_key_url.is_some();
    match verification.format {
        SignatureFormat::StandardWebhooks if config.public_key.is_some() => None,
        SignatureFormat::Hmac | SignatureFormat::Hash | SignatureFormat::StandardWebhooks => {
            config.secret.is_none().then_some("secret")
        }
        SignatureFormat::Rsa | SignatureFormat::Ecdsa | SignatureFormat::Ed25519 => {
            (!has_key).then_some("public_key")
        }
        SignatureFormat::Jwt => (!has_key && config.secret.is_none()).then_some("secret"),
        SignatureFormat::Basic if config.username.is_none() => Some("username"),
        SignatureFormat::Basic => config.password.is_none().then_some("password"),
        SignatureFormat::Bearer => config.token.is_none().then_some("token"),
        SignatureFormat::None => None,
    }
}
