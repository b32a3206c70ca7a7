//! `$hash`, `$hmac` and `$sign`: signatures of requests as data. They do not depend on time or chance; they are registered
//! with those that do, so an expression that names one is always counted.

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use jsonata_core::evaluator::{Evaluator, EvaluatorError, HostFnResult};
use jsonata_core::value::JValue;

use crate::crypto::{self, Hash, PrivateKey, SigningScheme};

use super::failure::{BAD_SIGNATURE_ARGUMENT, refuse};
use super::limits::{SIGNED_BYTES, SIGNING_KEY_BYTES};

pub(super) fn register(evaluator: &mut Evaluator) -> Result<(), EvaluatorError> {
    evaluator.register_fn("hash", |args: &[JValue]| given(digest_of(args)))?;
    evaluator.register_fn("hmac", |args: &[JValue]| given(code_of(args)))?;
    evaluator.register_fn("sign", |args: &[JValue]| given(signature_of(args)))
}

/// A missing value ends the evaluation. Were it undefined, as in other functions, a request would go out unsigned.
fn given(result: Option<String>) -> HostFnResult {
    let result = result.map(JValue::from);
    result.ok_or_else(|| refuse(BAD_SIGNATURE_ARGUMENT))
}

/// `$hash(algorithm, text, encoding)`
fn digest_of(args: &[JValue]) -> Option<String> {
    let [algorithm, text, rest @ ..] = args else {
        return None;
    };
    let text = bytes(text, SIGNED_BYTES)?;
    encoded(&crypto::digest(named(algorithm)?, &text), rest)
}

/// `$hmac(algorithm, key, text, encoding)`
fn code_of(args: &[JValue]) -> Option<String> {
    let [algorithm, key, text, rest @ ..] = args else {
        return None;
    };
    let (key, text) = (key_bytes(key)?, bytes(text, SIGNED_BYTES)?);
    encoded(&crypto::hmac(named(algorithm)?, &key, &text), rest)
}

/// `$sign("ed25519", key, text, encoding)`
fn signature_of(args: &[JValue]) -> Option<String> {
    let [algorithm, key, text, rest @ ..] = args else {
        return None;
    };
    let text = bytes(text, SIGNED_BYTES)?;
    let key = Some(key_bytes(key)?).filter(|_| algorithm.as_str() == Some("ed25519"))?;
    // Ed25519 draws no random bytes.
    let signed = PrivateKey::ed25519(&key)?.sign(SigningScheme::Ed25519, &text, [0; 32])?;
    encoded(&signed, rest)
}

fn named(algorithm: &JValue) -> Option<Hash> {
    Some(match algorithm.as_str()? {
        "sha1" => Hash::Sha1,
        "sha256" => Hash::Sha256,
        "sha384" => Hash::Sha384,
        "sha512" => Hash::Sha512,
        _ => return None,
    })
}

/// A key without bytes signs nothing: the account has no value for it.
fn key_bytes(key: &JValue) -> Option<Vec<u8>> {
    bytes(key, SIGNING_KEY_BYTES).filter(|key| !key.is_empty())
}

/// A text in UTF-8, or the bytes of `{"hex": text}` or `{"base64": text}`.
fn bytes(value: &JValue, most: usize) -> Option<Vec<u8>> {
    let bytes = match value {
        JValue::String(text) if text.len() <= most => text.as_bytes().to_vec(),
        JValue::Object(entries) if entries.len() == 1 => {
            let (name, text) = entries.iter().next()?;
            // Twice as long in hex, and less in base64.
            let text = text.as_str().filter(|text| text.len() / 2 <= most)?;
            match name.as_str() {
                "hex" => crypto::of_hex(text)?,
                "base64" => crypto::of_base64(text)?,
                _ => return None,
            }
        }
        _ => return None,
    };
    Some(bytes).filter(|bytes| bytes.len() <= most)
}

/// The bytes as text, in hex unless another encoding is named.
fn encoded(bytes: &[u8], rest: &[JValue]) -> Option<String> {
    let encoding = match rest {
        [] => "hex",
        [encoding] => encoding.as_str()?,
        _ => return None,
    };
    Some(match encoding {
        "hex" => HEXLOWER.encode(bytes),
        "base64" => BASE64.encode(bytes),
        "base64url" => BASE64URL_NOPAD.encode(bytes),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
