//! Schemes that compare what the sender knows: `bearer` and `basic`. They prove the sender, not the body.

use http::header::AUTHORIZATION;

use crate::config::webhook::{RequestPart, SignaturePlace};
use crate::crypto::constant_time_eq;
use crate::secret::Secret;

use super::candidates::at;
use super::check::Check;
use super::encoding::base64;
use super::{Refusal, secret};

/// A token in `Authorization: Bearer`, or where `compare_with` says; a field of the body that comes several
/// times must hold it each time.
pub(super) fn bearer(check: &Check) -> Result<(), Refusal> {
    let config = check.config;
    let tokens = secret::with_previous("token", config.token.as_ref(), config, check.scope)?;
    let Some(places) = &config.compare_with else {
        let given = authorization(check, &["bearer"])?;
        return accept(is_one_of(given, &tokens));
    };
    let mut refusal = Refusal::WrongToken;
    for place in &places.0 {
        match given(check, place) {
            Ok(texts) if texts.iter().all(|text| is_one_of(text, &tokens)) => return Ok(()),
            Ok(_) => refusal = Refusal::WrongToken,
            Err(error) => refusal = error,
        }
    }
    Err(refusal)
}

/// At least one text.
fn given(check: &Check, place: &SignaturePlace) -> Result<Vec<Vec<u8>>, Refusal> {
    let RequestPart::BodyField(path) = &place.part else {
        return Ok(vec![at(place, check.request)?]);
    };
    let texts = check.request.texts_at(path)?;
    let texts = texts
        .iter()
        .map(|text| text.strip_prefix(place.prefix.as_str()));
    let texts: Option<Vec<_>> = texts
        .map(|text| text.map(|text| text.as_bytes().to_vec()))
        .collect();
    texts.ok_or_else(|| Refusal::Malformed("the token's prefix".to_owned()))
}

fn is_one_of(given: &[u8], tokens: &[Secret]) -> bool {
    let same = |token: &Secret| constant_time_eq(given, token.expose().as_bytes());
    tokens.iter().any(same)
}

fn accept(is_right: bool) -> Result<(), Refusal> {
    is_right.then_some(()).ok_or(Refusal::WrongToken)
}

/// User name and password (RFC 7617).
pub(super) fn basic(check: &Check) -> Result<(), Refusal> {
    let config = check.config;
    let name = secret::required("username", config.username.as_ref(), check.scope)?;
    let passwords =
        secret::with_previous("password", config.password.as_ref(), config, check.scope)?;
    let given = base64(authorization(check, &["basic"])?);
    let given = given.ok_or_else(|| Refusal::Malformed("header `authorization`".to_owned()))?;
    let pair = |password: &Secret| format!("{}:{}", name.expose(), password.expose());
    let mut pairs = passwords.iter().map(pair);
    accept(pairs.any(|pair| constant_time_eq(&given, pair.as_bytes())))
}

/// What is behind one of these words (in lower case) in `Authorization`.
pub(super) fn authorization<'a>(check: &Check<'a>, words: &[&str]) -> Result<&'a [u8], Refusal> {
    let header = check.request.header(AUTHORIZATION.as_str())?;
    let space = header.iter().position(|byte| *byte == b' ');
    let (word, text) = header.split_at(space.unwrap_or(header.len()));
    let mut words = words.iter();
    if words.any(|known| word.eq_ignore_ascii_case(known.as_bytes())) {
        Ok(text.trim_ascii())
    } else {
        Err(Refusal::Malformed("header `authorization`".to_owned()))
    }
}
