//! Tokens that the gateway signs: JWS in its compact form (RFC 7515 §3.1) over the claims of a JWT (RFC 7519).

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde_json::{Map, Value, json};

use crate::config::credentials::{Jwt, KeyFormat, SigningAlgorithm};
use crate::crypto::{self, Hash, PrivateKey, SigningScheme};
use crate::expression::scope::context_key;
use crate::expression::{Placeholder, Template, TemplateScope};
use crate::json::Exact;
use crate::time::Timestamp;

use super::OAuthError;

/// Bytes of a key as it is written. An RSA key of 4,096 bits has 3,300 in PEM.
const LONGEST_KEY: usize = 16 * 1024;
/// How far `iat` and `nbf` are back, as the provider's clock can be behind.
const CLOCK_SKEW: i64 = 30;

/// What is different in each token.
#[derive(Clone, Copy)]
pub struct JwtMoment {
    /// The time of `iat`.
    pub now: Timestamp,
    /// `jti`.
    pub id: [u8; 16],
    /// What the signature is blinded and salted with.
    pub random: [u8; 32],
}

/// A signed token. `claims` are those that count where the file has none of the name.
pub fn sign_jwt(
    config: &Jwt,
    scope: &TemplateScope,
    moment: JwtMoment,
    claims: &[(&str, String)],
) -> Result<String, OAuthError> {
    let mut header = json!({ "alg": config.algorithm.name(), "typ": "JWT" });
    let key_id = config
        .key_id
        .as_ref()
        .map(|id| id.text(scope))
        .transpose()?;
    if let Some(id) = key_id.flatten().filter(|id| !id.is_empty()) {
        put(&mut header, "kid", id.into());
    }
    for (name, tree) in &config.header {
        if let Some(value) = tree.render(scope)? {
            put(&mut header, name, Exact::into_kept(value));
        }
    }
    let mut payload = Value::Object(Map::new());
    for (name, value) in claims {
        put(&mut payload, name, value.as_str().into());
    }
    for (name, tree) in &config.claims {
        if let Some(value) = tree.render(scope)? {
            put(&mut payload, name, Exact::into_kept(value));
        }
    }
    let issued = moment.now.as_millis() / 1000 - CLOCK_SKEW;
    let expires = issued.saturating_add_unsigned(config.lifetime());
    put(&mut payload, "iat", issued.into());
    put(&mut payload, "nbf", issued.into());
    put(&mut payload, "exp", expires.into());
    put(&mut payload, "jti", HEXLOWER.encode(&moment.id).into());
    let key = config.key.as_ref().ok_or(OAuthError::Key)?;
    let text = key.text(scope)?.unwrap_or_default();
    let signed = compact(
        (config.algorithm, config.key_format),
        &text,
        (&header.to_string(), &payload.to_string()),
        moment.random,
    );
    signed.ok_or_else(|| unreadable(key))
}

/// Whose key is at fault.
fn unreadable(key: &Template) -> OAuthError {
    let mut read = key.placeholders().flat_map(Placeholder::paths);
    if read.any(|path| context_key(path).is_some()) {
        OAuthError::AccountKey
    } else {
        OAuthError::Key
    }
}

/// Seconds for which a token of this moment is used: its life without the skew.
pub fn usable_seconds(config: &Jwt) -> u64 {
    config.lifetime().saturating_sub(CLOCK_SKEW.unsigned_abs())
}

fn put(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(entries) = object
        && !value.is_null()
    {
        entries.insert(name.to_owned(), value);
    }
}

/// `header.payload.signature`; `None` where the key cannot be read or is of another kind.
fn compact(
    (algorithm, format): (SigningAlgorithm, KeyFormat),
    key: &str,
    (header, payload): (&str, &str),
    random: [u8; 32],
) -> Option<String> {
    if key.len() > LONGEST_KEY {
        return None;
    }
    let encode = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    let input = format!("{}.{}", encode(header), encode(payload));
    let signature = match shared_hash(algorithm) {
        Some(hash) => crypto::hmac(hash, &secret(format, key)?, input.as_bytes()),
        None => private_key(format, key)?.sign(scheme(algorithm)?, input.as_bytes(), random)?,
    };
    Some(format!("{input}.{}", BASE64URL_NOPAD.encode(&signature)))
}

fn shared_hash(algorithm: SigningAlgorithm) -> Option<Hash> {
    match algorithm {
        SigningAlgorithm::Hs256 => Some(Hash::Sha256),
        SigningAlgorithm::Hs384 => Some(Hash::Sha384),
        SigningAlgorithm::Hs512 => Some(Hash::Sha512),
        _ => None,
    }
}

fn scheme(algorithm: SigningAlgorithm) -> Option<SigningScheme> {
    match algorithm {
        SigningAlgorithm::Rs256 => Some(SigningScheme::RsaPkcs1),
        SigningAlgorithm::Ps256 => Some(SigningScheme::RsaPss),
        SigningAlgorithm::Es256 => Some(SigningScheme::P256),
        SigningAlgorithm::EdDsa => Some(SigningScheme::Ed25519),
        _ => None,
    }
}

/// The bytes of a shared secret. An empty one signs nothing.
fn secret(format: KeyFormat, key: &str) -> Option<Vec<u8>> {
    let secret = match format {
        KeyFormat::Utf8 => key.as_bytes().to_vec(),
        KeyFormat::Hex | KeyFormat::Base64 => bytes(format, key)?,
        KeyFormat::Jwk => {
            let jwk = jwk(key)?;
            let is_octets = jwk.get("kty").is_some_and(|kind| kind == "oct");
            bytes(
                KeyFormat::Base64,
                jwk.get("k")?.as_str().filter(|_| is_octets)?,
            )?
        }
        KeyFormat::Pem => return None,
    };
    Some(secret).filter(|secret| !secret.is_empty())
}

fn private_key(format: KeyFormat, key: &str) -> Option<PrivateKey> {
    match format {
        KeyFormat::Pem => PrivateKey::from_pem(key),
        KeyFormat::Jwk => PrivateKey::from_jwk(&jwk(key)?),
        KeyFormat::Hex | KeyFormat::Base64 => PrivateKey::from_der(&bytes(format, key)?),
        KeyFormat::Utf8 => None,
    }
}

fn jwk(text: &str) -> Option<Value> {
    /// Values of a key set with one key, and more.
    const VALUES: usize = 100;
    crate::json::read_at_most(text.as_bytes(), VALUES)
}

fn bytes(format: KeyFormat, text: &str) -> Option<Vec<u8>> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    match format {
        KeyFormat::Hex => crypto::of_hex(&text),
        // One who copies a key may mix the two alphabets.
        _ => crypto::of_base64(&text.replace('-', "+").replace('_', "/")),
    }
}

#[cfg(test)]
mod tests;
