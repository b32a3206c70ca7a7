//! Signed tokens (RFC 7519): HS, RS and ES of RFC 7518, `EdDSA` of RFC 8037. The algorithm is the scheme's: of
//! what the token says only what the file's key allows is taken, and never `none`.

use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;

use crate::config::webhook::RequestPart;
use crate::crypto::{self, Hash, KeyKind, constant_time_eq};
use crate::json::read_at_most;
use crate::settings::UNPROVED_VALUES;

use super::bearer::authorization;
use super::check::Check;
use super::encoding::hash;
use super::key_source::key_of_file;
use super::{Refusal, candidates, claims, secret};

/// Schemes in front of a token in `Authorization`.
const WORDS: [&str; 2] = ["bearer", "jwt"];

/// More than any header of a token has.
const HEADER_VALUES: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum JwtAlgorithm {
    Shared(Hash),
    Public(KeyKind, Hash),
}

impl JwtAlgorithm {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "HS256" => Self::Shared(Hash::Sha256),
            "HS384" => Self::Shared(Hash::Sha384),
            "HS512" => Self::Shared(Hash::Sha512),
            "RS256" => Self::Public(KeyKind::Rsa, Hash::Sha256),
            "RS384" => Self::Public(KeyKind::Rsa, Hash::Sha384),
            "RS512" => Self::Public(KeyKind::Rsa, Hash::Sha512),
            "ES256" => Self::Public(KeyKind::Ecdsa, Hash::Sha256),
            // EdDSA brings its own hash function; the word is not used.
            "EdDSA" => Self::Public(KeyKind::Ed25519, Hash::Sha512),
            _ => return None,
        })
    }

    fn hash(self) -> Hash {
        match self {
            Self::Shared(hash) | Self::Public(_, hash) => hash,
        }
    }
}

struct Jwt {
    algorithm: JwtAlgorithm,
    key_id: Option<String>,
    signed: Vec<u8>,
    /// JSON text, not looked into before the signature is checked.
    claims: Vec<u8>,
    signature: Vec<u8>,
}

pub(super) fn verify(check: &Check) -> Result<(), Refusal> {
    let token = Jwt::read(&written(check)?)?;
    if let Some(named) = check.config.algorithm
        && token.algorithm != JwtAlgorithm::Public(KeyKind::Ed25519, Hash::Sha512)
        && token.algorithm.hash() != hash(Some(named))
    {
        return Err(Refusal::Algorithm);
    }
    let fits = match token.algorithm {
        JwtAlgorithm::Shared(hash) => token.fits_secret(check, hash)?,
        JwtAlgorithm::Public(kind, hash) => token.fits_key(check, kind, hash)?,
    };
    if !fits {
        return Err(Refusal::Mismatch);
    }
    let claims = token.claims()?;
    claims::check(check, &claims)?;
    let places = check.config.compare_with.iter().flat_map(|all| &all.0);
    if places
        .into_iter()
        .any(|place| place.part == RequestPart::Body)
    {
        check.request.replace_value(claims);
    }
    Ok(())
}

/// The token's text: where `compare_with` says, else in `Authorization`.
fn written(check: &Check) -> Result<Vec<u8>, Refusal> {
    if check.config.compare_with.is_none() && check.config.signature.is_none() {
        return Ok(authorization(check, &WORDS)?.to_vec());
    }
    let found = candidates::candidates(check.config, check.request)?;
    match found.as_slice() {
        [only] => Ok(only.clone()),
        _ => Err(Refusal::Twice("the token".to_owned())),
    }
}

impl Jwt {
    fn read(text: &[u8]) -> Result<Self, Refusal> {
        let malformed = || Refusal::Malformed("the token".to_owned());
        let parts: Vec<&[u8]> = text.trim_ascii().split(|byte| *byte == b'.').collect();
        let [header, claims, signature] = parts.as_slice() else {
            return Err(malformed());
        };
        let bytes = |part: &[u8]| BASE64URL_NOPAD.decode(part).ok();
        let head = bytes(header).and_then(|head| read_at_most(&head, HEADER_VALUES));
        let head = head.filter(Value::is_object).ok_or_else(malformed)?;
        // What a `crit` names has to be understood (RFC 7515 §4.1.11), and nothing is.
        if head.get("crit").is_some() {
            return Err(malformed());
        }
        let text = |name: &str| head.get(name).and_then(Value::as_str);
        Ok(Self {
            algorithm: text("alg")
                .and_then(JwtAlgorithm::named)
                .ok_or(Refusal::Algorithm)?,
            key_id: text("kid").map(str::to_owned),
            signed: [*header, *claims].join(&b'.'),
            claims: bytes(claims).ok_or_else(malformed)?,
            signature: bytes(signature).ok_or_else(malformed)?,
        })
    }

    /// What a verified token says.
    fn claims(&self) -> Result<Value, Refusal> {
        let claims = read_at_most(&self.claims, UNPROVED_VALUES).filter(Value::is_object);
        claims.ok_or_else(|| Refusal::Malformed("the token".to_owned()))
    }

    /// Only a file with a `secret` takes HS: a public key is never one.
    fn fits_secret(&self, check: &Check, hash: Hash) -> Result<bool, Refusal> {
        if check.config.secret.is_none() {
            return Err(Refusal::Algorithm);
        }
        let keys = secret::keys(check.config, check.config.secret_encoding, check.scope)?;
        let mut codes = keys.iter().map(|key| crypto::hmac(hash, key, &self.signed));
        Ok(codes.any(|code| constant_time_eq(&code, &self.signature)))
    }

    fn fits_key(&self, check: &Check, kind: KeyKind, hash: Hash) -> Result<bool, Refusal> {
        let own = key_of_file(check.config, check.scope)?;
        if own.is_none() && check.keys.is_empty() {
            let has_secret = check.config.secret.is_some();
            let refusal = if has_secret {
                Refusal::Algorithm
            } else {
                Refusal::NoKey
            };
            return Err(refusal);
        }
        let named = check
            .keys
            .iter()
            .filter(|published| match (&published.id, &self.key_id) {
                (Some(own), Some(wanted)) => own == wanted,
                _ => true,
            });
        let keys: Vec<_> = match &own {
            Some(key) => vec![key],
            None => named.map(|published| &published.key).collect(),
        };
        if keys.is_empty() {
            return Err(Refusal::NoKey);
        }
        let mut keys = keys.into_iter().filter(|key| key.kind() == kind).peekable();
        if keys.peek().is_none() {
            return Err(Refusal::Algorithm);
        }
        Ok(keys.any(|key| key.verifies(hash, &self.signed, &self.signature)))
    }
}
