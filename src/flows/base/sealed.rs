//! Sealing the secret halves of records: an object of secrets is one sealed text, nothing is none.

use serde_json::{Value, json};

use crate::account::seal::{SealError, SealPlace};
use crate::config::binding::Bound;
use crate::error::Failure;
use crate::json;
use crate::ports::System;

/// Seals `secrets` for its place; an empty object or null needs no seal.
pub fn seal(
    system: &impl System,
    place: SealPlace<'_>,
    secrets: &Value,
) -> Result<Option<String>, Failure> {
    if secrets.as_object().is_none_or(serde_json::Map::is_empty) {
        return Ok(None);
    }
    let sealed = system
        .settings()
        .keyring()
        .and_then(|ring| ring.seal(place, system.random(), secrets));
    sealed
        .map(Some)
        .map_err(|error| told(system, place, &error))
}

/// Opens what [`seal`] made for the same place.
pub fn open(system: &impl System, place: SealPlace<'_>, sealed: &str) -> Result<Value, Failure> {
    let opened = system
        .settings()
        .keyring()
        .and_then(|ring| ring.open(place, sealed));
    opened.map_err(|error| told(system, place, &error))
}

/// Opens the secrets of a record, each with what it is bound to.
pub fn open_bound(
    system: &impl System,
    place: SealPlace<'_>,
    sealed: Option<&str>,
) -> Result<Bound, Failure> {
    let opened = sealed.map_or(Ok(Value::Null), |text| open(system, place, text));
    opened.map(Bound::opened)
}

/// The same value under the first key; `None` when it is already, or there is nothing sealed.
pub fn resealed(
    system: &impl System,
    place: SealPlace<'_>,
    text: Option<&str>,
) -> Result<Option<String>, Failure> {
    let ring = system
        .settings()
        .keyring()
        .map_err(|error| told(system, place, &error))?;
    match text.filter(|text| !ring.is_current(text)) {
        None => Ok(None),
        Some(old) => seal(system, place, &open(system, place, old)?),
    }
}

/// The old secrets that stay when `config` replaces the file: those whose place still exists and
/// where the new file says nothing.
pub fn kept(old: &Value, config: &Value) -> Value {
    match (old, config) {
        (Value::Object(old), Value::Object(config)) => {
            let kept = old
                .iter()
                .filter_map(|(key, secret)| match (secret, config.get(key)) {
                    (Value::Object(_), Some(place)) => Some((key.clone(), kept(secret, place))),
                    (Value::Object(_), None) | (_, Some(_)) => None,
                    (_, None) => Some((key.clone(), secret.clone())),
                });
            Value::Object(kept.collect())
        }
        _ => Value::Null,
    }
}

/// Both together; where both have a value, the newer one.
pub fn joined(mut kept: Value, newer: &Value) -> Value {
    if newer.is_object() {
        json::merge(&mut kept, newer);
    }
    kept
}

fn told(system: &impl System, place: SealPlace<'_>, error: &SealError) -> Failure {
    system.log(&json!({ "level": "error", "event": "sealing_key", "kind": format!("{:?}", place.kind), "id": place.id, "reason": error.to_string() }));
    Failure::from(error.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_stays_when_the_new_file_leaves_it_out() {
        let old = json!({ "credentials": { "oauth2": { "client": { "secret": "s" } } } });
        let same = json!({ "credentials": { "oauth2": { "client": { "id": "i" } } } });
        assert_eq!(kept(&old, &same), old);
    }

    #[test]
    fn a_secret_goes_with_its_place_or_when_something_stands_there() {
        let old = json!({ "credentials": { "oauth2": { "client": { "secret": "s" } } } });
        let other = json!({ "credentials": { "api_key": {} } });
        assert_eq!(kept(&old, &other), json!({ "credentials": {} }));
        let template =
            json!({ "credentials": { "oauth2": { "client": { "secret": "{{client_secret}}" } } } });
        assert_eq!(
            kept(&old, &template),
            json!({ "credentials": { "oauth2": { "client": {} } } })
        );
    }
}
