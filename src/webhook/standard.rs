//! Standard Webhooks (<https://www.standardwebhooks.com>), also with the header names of the service it came from.

use crate::config::webhook::{SecretEncoding, TimestampUnit};
use crate::crypto::{self, Hash, KeyKind, constant_time_eq};

use super::check::Check;
use super::encoding::base64;
use super::{Refusal, secret, time};

const TOLERANCE: u64 = 300;
/// More than any provider sends.
const MOST_SIGNATURES: usize = 8;
/// HMAC-SHA256 of a `whsec_` secret.
const SYMMETRIC: &str = "v1";
/// Ed25519.
const ASYMMETRIC: &str = "v1a";

pub(super) fn verify(check: &Check) -> Result<(), Refusal> {
    let (id, written, listed) = headers(check)?;
    let message = [id, written, check.request.body].join(&b'.');
    let listed = str::from_utf8(listed);
    let listed = listed.map_err(|_| Refusal::Malformed("the signature".to_owned()))?;
    // A header that came twice is joined by a comma and a space, which no list has.
    if listed
        .split_ascii_whitespace()
        .any(|item| item.ends_with(','))
    {
        return Err(Refusal::Twice("the header of signatures".to_owned()));
    }
    let listed: Vec<(&str, Vec<u8>)> = listed
        .split_ascii_whitespace()
        .filter_map(|item| item.split_once(','))
        .filter_map(|(version, text)| Some((version, base64(text.as_bytes())?)))
        .collect();
    if listed.len() > MOST_SIGNATURES {
        return Err(Refusal::TooMany);
    }
    let of_version = |wanted| {
        let listed = listed.iter();
        listed.filter(move |(version, _)| *version == wanted)
    };
    let mut fits = false;
    if check.config.secret.is_some() {
        for key in secret::keys(check.config, SecretEncoding::Base64, check.scope)? {
            let code = crypto::hmac(Hash::Sha256, &key, &message);
            fits |= of_version(SYMMETRIC).any(|(_, signature)| constant_time_eq(signature, &code));
        }
    } else if check.config.public_key.is_some() {
        let keys = check.keys_of(KeyKind::Ed25519)?;
        let mut keys = keys.iter();
        fits = keys.any(|key| {
            of_version(ASYMMETRIC)
                .any(|(_, signature)| key.verifies(Hash::Sha256, &message, signature))
        });
    } else {
        return Err(Refusal::NoSetting("secret"));
    }
    if !fits {
        return Err(Refusal::Mismatch);
    }
    let tolerance = check.config.timestamp.as_ref();
    let tolerance = tolerance.map_or(TOLERANCE, |timestamp| timestamp.tolerance.0);
    time::check(written, TimestampUnit::Seconds, tolerance, check.now)
}

type Headers<'a> = (&'a [u8], &'a [u8], &'a [u8]);

/// Id, time and signatures, all under one family of names.
fn headers<'a>(check: &Check<'a>) -> Result<Headers<'a>, Refusal> {
    let has = |name| check.request.headers.contains_key(name);
    let family = if has("webhook-id") || !has("svix-id") {
        ["webhook-id", "webhook-timestamp", "webhook-signature"]
    } else {
        ["svix-id", "svix-timestamp", "svix-signature"]
    };
    let [id, written, listed] = family.map(|name| check.request.header(name));
    Ok((id?, written?, listed?))
}
