//! What a verified token must say (RFC 7519 §4.1), and that it was made for this request.

use serde_json::Value;

use crate::config::webhook::{ClaimHash, StringType};
use crate::crypto::{constant_time_eq, digest};
use crate::expression::Template;

use super::check::Check;
use super::encoding::{decode, hash};
use super::{Refusal, secret};

/// Seconds that the provider's clock may differ from ours.
const LEEWAY: i64 = 60;
/// Seconds that a token without `exp` is good for from its `iat`.
const LIFETIME: i64 = 300;

pub(super) fn check(check: &Check, claims: &Value) -> Result<(), Refusal> {
    is_current(claims, check.now.as_millis().div_euclid(1000))?;
    if let Some(issuer) = &check.config.issuer {
        expected(check, "issuer", issuer, |wanted| {
            claims.get("iss").and_then(Value::as_str) == Some(wanted)
        })
        .and_then(|fits| or_claim(fits, "iss"))?;
    }
    if let Some(audience) = &check.config.audience {
        expected(check, "audience", audience, |wanted| {
            match claims.get("aud") {
                Some(Value::Array(all)) => all.iter().any(|one| one == wanted),
                one => one.is_some_and(|one| one == wanted),
            }
        })
        .and_then(|fits| or_claim(fits, "aud"))?;
    }
    match &check.config.claim_hash {
        Some(claim_hash) => covers_request(check, claim_hash, claims),
        None => Ok(()),
    }
}

fn expected(
    check: &Check,
    name: &'static str,
    template: &Template,
    fits: impl Fn(&str) -> bool,
) -> Result<bool, Refusal> {
    let wanted = secret::required(name, Some(template), check.scope)?;
    Ok(fits(wanted.expose()))
}

fn or_claim(fits: bool, name: &str) -> Result<(), Refusal> {
    fits.then_some(())
        .ok_or_else(|| Refusal::Claim(name.to_owned()))
}

fn is_current(claims: &Value, now: i64) -> Result<(), Refusal> {
    let seconds = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => moment(value)
            .map(Some)
            .ok_or_else(|| Refusal::Claim(name.to_owned())),
    };
    let (expires, issued, begins) = (seconds("exp")?, seconds("iat")?, seconds("nbf")?);
    let ends = expires.or(issued.map(|issued| issued.saturating_add(LIFETIME)));
    let ends = ends.ok_or_else(|| Refusal::Claim("exp".to_owned()))?;
    if now > ends.saturating_add(LEEWAY) {
        return Err(Refusal::TooOld(now.saturating_sub(ends)));
    }
    let begins = begins.into_iter().chain(issued).max();
    match begins.map(|begins| begins.saturating_sub(now)) {
        Some(early) if early > LEEWAY => Err(Refusal::TooNew(early)),
        _ => Ok(()),
    }
}

/// Some write fractions of a second.
#[allow(clippy::cast_possible_truncation)] // saturates
fn moment(value: &Value) -> Option<i64> {
    let seconds = value.as_f64().map(|seconds| seconds as i64);
    value.as_i64().or(seconds)
}

fn covers_request(check: &Check, claim_hash: &ClaimHash, claims: &Value) -> Result<(), Refusal> {
    let named = || Refusal::Claim(claim_hash.claim.clone());
    let written = claims.get(&claim_hash.claim).and_then(Value::as_str);
    let kind = claim_hash.string_type.unwrap_or(StringType::Hex);
    let given = written.and_then(|text| decode(text.as_bytes(), kind));
    let mut fits = false;
    for content in check.contents() {
        let content = content.of(&claim_hash.parts, &[])?;
        let expected = digest(hash(claim_hash.algorithm), &content);
        fits |= given
            .as_ref()
            .is_some_and(|given| constant_time_eq(given, &expected));
    }
    fits.then_some(()).ok_or_else(named)
}
