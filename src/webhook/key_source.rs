//! Public keys: the file's own, or published at an address. Fetching and keeping them is the caller's work.

use serde_json::Value;
use url::Url;

use crate::config::webhook::{SignatureConfig, SignatureFormat, SignatureVerification};
use crate::crypto::PublicKey;
use crate::expression::pattern::WholePattern;
use crate::expression::{Pins, Template, TemplateScope};
use crate::json::read_at_most;
use crate::settings::SMALL_ANSWER_VALUES;

use super::check::is_meant;
use super::{Refusal, WebhookRequest, secret};

/// More than any provider publishes at once.
const MOST_KEYS: usize = 32;

/// Where keys have to be fetched before [`super::verify`]. Both kinds are read by [`read_keys`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// An address of the file: keep what it gives, and ask again for an unknown key.
    Published(Url),
    /// An address the request gave, which the file's pattern fits: what it gives never changes.
    Named(Url),
}

impl KeySource {
    /// The address.
    pub fn url(&self) -> &Url {
        match self {
            Self::Published(url) | Self::Named(url) => url,
        }
    }
}

/// A key as it was published.
#[derive(Debug, Clone)]
pub struct PublishedKey {
    /// Its `kid`.
    pub id: Option<String>,
    pub key: PublicKey,
}

/// What has to be fetched to verify this request; `None` when the scheme has its key, or needs none.
pub fn key_source(
    verification: &SignatureVerification,
    request: &WebhookRequest,
    scope: &TemplateScope,
    pins: &Pins,
) -> Result<Option<KeySource>, Refusal> {
    let config = &verification.config;
    let needs_key = matches!(
        verification.format,
        SignatureFormat::Rsa
            | SignatureFormat::Ecdsa
            | SignatureFormat::Ed25519
            | SignatureFormat::Jwt
    );
    if !needs_key || config.public_key.is_some() || is_meant(verification, request).is_err() {
        return Ok(None);
    }
    if let Some(address) = &config.jwks_url {
        let url = address.render(scope, pins);
        let reason = "it gives no address that may be called";
        let url = url.map_err(|_| Refusal::BadSetting("jwks_url", reason))?;
        return Ok(Some(KeySource::Published(url)));
    }
    let address = config.public_key_url.as_ref();
    let url = address.map(|address| named(address, config, request, scope));
    Ok(url.transpose()?.map(KeySource::Named))
}

fn named(
    address: &Template,
    config: &SignatureConfig,
    request: &WebhookRequest,
    scope: &TemplateScope,
) -> Result<Url, Refusal> {
    let setting = "public_key_url_pattern";
    let pattern = config.public_key_url_pattern.as_ref();
    let pattern = pattern.ok_or(Refusal::NoSetting(setting))?;
    let scope = scope.with_body(request.value());
    let text = address.text(&scope).ok().flatten();
    let text = text.ok_or_else(|| Refusal::Missing("the address of the key".to_owned()))?;
    pinned(&text, pattern).ok_or(Refusal::KeyAddress)
}

/// The address, when the pattern fits the whole of it as it was written and as it was understood.
pub(super) fn pinned(text: &str, pattern: &WholePattern) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_plain = url.scheme() == "https" && url.username().is_empty() && url.password().is_none();
    (is_plain && pattern.matches(text) && pattern.matches(url.as_str())).then_some(url)
}

/// Reads what was fetched: a set of JSON Web Keys (RFC 7517), one of them, or a PEM. Keys of kinds that no
/// scheme has are left out.
pub fn read_keys(fetched: &[u8]) -> Result<Vec<PublishedKey>, Refusal> {
    let keys: Vec<PublishedKey> = if let Some(json) = read_at_most(fetched, SMALL_ANSWER_VALUES) {
        match json.get("keys").and_then(Value::as_array) {
            Some(keys) => keys.iter().take(MOST_KEYS).filter_map(published).collect(),
            None => published(&json).into_iter().collect(),
        }
    } else {
        let key = str::from_utf8(fetched).ok().and_then(PublicKey::parse);
        let key = key.map(|key| PublishedKey { id: None, key });
        key.into_iter().collect()
    };
    if keys.is_empty() {
        return Err(Refusal::UnreadableKeys);
    }
    Ok(keys)
}

fn published(jwk: &Value) -> Option<PublishedKey> {
    if jwk.get("use").is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let id = jwk.get("kid").and_then(Value::as_str).map(str::to_owned);
    let key = PublicKey::from_jwk(jwk)?;
    Some(PublishedKey { id, key })
}

/// The key of `public_key`; `None` when the file has none.
pub(super) fn key_of_file(
    config: &SignatureConfig,
    scope: &TemplateScope,
) -> Result<Option<PublicKey>, Refusal> {
    let Some(template) = &config.public_key else {
        return Ok(None);
    };
    let text = secret::required("public_key", Some(template), scope)?;
    // The public keys of Standard Webhooks have a word in front.
    let text = text.expose();
    let key = PublicKey::parse(text.strip_prefix("whpk_").unwrap_or(text));
    let unreadable = Refusal::BadSetting("public_key", "it is no PEM, base64 or hex of a key");
    key.map(Some).ok_or(unreadable)
}
