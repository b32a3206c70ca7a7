//! The secrets of a scheme: the present one, and during a rotation the one before.

use std::collections::BTreeSet;

use data_encoding::HEXLOWER_PERMISSIVE;

use crate::config::Webhook;
use crate::config::webhook::{SecretEncoding, SignatureConfig};
use crate::expression::scope::context_key;
use crate::expression::{Placeholder, Template, TemplateScope, UrlTemplate};
use crate::secret::Secret;

use super::Refusal;
use super::encoding::base64;

/// In front of the base64 of a Standard Webhooks secret.
const PREFIX: &str = "whsec_";

/// A setting's text, which must be there: an empty secret signs nothing.
pub(super) fn required(
    name: &'static str,
    template: Option<&Template>,
    scope: &TemplateScope,
) -> Result<Secret, Refusal> {
    let template = template.ok_or(Refusal::NoSetting(name))?;
    let text = template.text(scope);
    let text = text.map_err(|error| Refusal::Render(name, error))?;
    let text = text.filter(|text| !text.is_empty());
    text.map(Secret::new).ok_or(Refusal::NoSetting(name))
}

/// What a scheme proves a sender by, where it is in the file or the context.
fn proofs(config: &SignatureConfig) -> impl Iterator<Item = &Template> {
    let all = [
        &config.secret,
        &config.previous_secret,
        &config.token,
        &config.password,
        &config.public_key,
    ];
    all.into_iter().flatten()
}

/// Whether anything is in force that proves a sender: a secret that has a value, or keys.
pub(super) fn is_in_force(config: &SignatureConfig, scope: &TemplateScope) -> bool {
    let has_value = |template: &Template| {
        // What is there and cannot be used is in force, too: it proves no sender.
        let text = template.text(scope);
        text.map_or_else(
            |error| !error.is_missing(),
            |text| text.is_some_and(|text| !text.is_empty()),
        )
    };
    config.jwks_url.is_some() || config.public_key_url.is_some() || proofs(config).any(has_value)
}

/// The context keys that the verification of a webhook depends on.
pub fn keys_of_proof(webhook: &Webhook) -> BTreeSet<String> {
    let configs = webhook.schemes().map(|(_, scheme)| &scheme.config);
    let keys = configs.flat_map(|config| {
        let of_texts = proofs(config).flat_map(Template::placeholders);
        let of_urls = config.jwks_url.iter().flat_map(UrlTemplate::placeholders);
        let paths = of_texts.chain(of_urls).flat_map(Placeholder::paths);
        paths.filter_map(context_key).map(str::to_owned)
    });
    keys.collect()
}

/// The present text of a setting, then the one before it if there is one.
pub(super) fn with_previous(
    name: &'static str,
    template: Option<&Template>,
    config: &SignatureConfig,
    scope: &TemplateScope,
) -> Result<Vec<Secret>, Refusal> {
    let mut secrets = vec![required(name, template, scope)?];
    // Outside a rotation there is no previous one.
    let previous = config.previous_secret.as_ref();
    let previous = previous.map(|template| required("previous_secret", Some(template), scope));
    secrets.extend(previous.and_then(Result::ok));
    Ok(secrets)
}

/// The bytes of `secret`, then those of `previous_secret`.
pub(super) fn keys(
    config: &SignatureConfig,
    encoding: SecretEncoding,
    scope: &TemplateScope,
) -> Result<Vec<Vec<u8>>, Refusal> {
    let secrets = with_previous("secret", config.secret.as_ref(), config, scope)?;
    let unreadable = || {
        let reason = "it is not written as `secret_encoding` says";
        Refusal::BadSetting("secret", reason)
    };
    let keys = secrets.iter().map(|secret| decode(secret, encoding));
    keys.map(|key| key.ok_or_else(unreadable)).collect()
}

fn decode(secret: &Secret, encoding: SecretEncoding) -> Option<Vec<u8>> {
    let text = secret.expose();
    let key = match encoding {
        SecretEncoding::Utf8 => text.as_bytes().to_vec(),
        SecretEncoding::Base64 => base64(text.strip_prefix(PREFIX).unwrap_or(text).as_bytes())?,
        SecretEncoding::Hex => HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?,
    };
    Some(key).filter(|key| !key.is_empty())
}
