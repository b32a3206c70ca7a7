//! Seals the secret halves of records. The secrets of a record are one object and become one sealed text.

use serde_json::{Value, json};

use crate::account::seal::{SealError, SealPlace};
use crate::config::binding::Bound;
use crate::error::Failure;
use crate::json;
use crate::ports::System;

/// Seals `secrets` for their place. An empty object or null gives `None`.
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
        .map_err(|error| log_failure(system, place, &error))
}

/// Opens a text that [`seal`] made for the same place.
pub fn open(system: &impl System, place: SealPlace<'_>, sealed: &str) -> Result<Value, Failure> {
    let opened = system
        .settings()
        .keyring()
        .and_then(|ring| ring.open(place, sealed));
    opened.map_err(|error| log_failure(system, place, &error))
}

/// Opens the secrets of a record, each with its binding.
pub fn open_bound(
    system: &impl System,
    place: SealPlace<'_>,
    sealed: Option<&str>,
) -> Result<Bound, Failure> {
    let opened = sealed.map_or(Ok(Value::Null), |text| open(system, place, text));
    opened.map(Bound::opened)
}

/// Seals the value with the first key. `None` when it is sealed with that key already, or nothing is sealed.
pub fn resealed(
    system: &impl System,
    place: SealPlace<'_>,
    text: Option<&str>,
) -> Result<Option<String>, Failure> {
    let ring = system
        .settings()
        .keyring()
        .map_err(|error| log_failure(system, place, &error))?;
    match text.filter(|text| !ring.is_current(text)) {
        None => Ok(None),
        Some(old) => seal(system, place, &open(system, place, old)?),
    }
}

/// The old secrets that stay when `config` replaces the file: those whose place still exists and for which the new file
/// has no value.
pub fn retained(old: &Value, config: &Value) -> Value {
    match (old, config) {
        (Value::Object(old), Value::Object(config)) => {
            let retained_secrets =
                old.iter()
                    .filter_map(|(key, secret)| match (secret, config.get(key)) {
                        (Value::Object(_), Some(place)) => {
                            Some((key.clone(), retained(secret, place)))
                        }
                        (Value::Object(_), None) | (_, Some(_)) => None,
                        (_, None) => Some((key.clone(), secret.clone())),
                    });
            Value::Object(retained_secrets.collect())
        }
        _ => Value::Null,
    }
}

/// Merges both. Where both have a value, the newer one wins.
pub fn merged(mut retained_secrets: Value, newer: &Value) -> Value {
    if newer.is_object() {
        json::merge(&mut retained_secrets, newer);
    }
    retained_secrets
}

fn log_failure(system: &impl System, place: SealPlace<'_>, error: &SealError) -> Failure {
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
        assert_eq!(retained(&old, &same), old);
    }

    #[test]
    fn a_secret_is_removed_with_its_place_or_by_a_new_value() {
        let old = json!({ "credentials": { "oauth2": { "client": { "secret": "s" } } } });
        let other = json!({ "credentials": { "api_key": {} } });
        assert_eq!(retained(&old, &other), json!({ "credentials": {} }));
        let template =
            json!({ "credentials": { "oauth2": { "client": { "secret": "{{client_secret}}" } } } });
        assert_eq!(
            retained(&old, &template),
            json!({ "credentials": { "oauth2": { "client": {} } } })
        );
    }
}
