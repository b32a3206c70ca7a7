//! What in a context and in a file is secret (docs/integration-file.md, section 3;
//! docs/security.md). Values are only taken
//! apart here; sealing them is the `account` and `flows` modules' work.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::expression::Template;
use crate::json::merge;

use super::check::literal::names_secret;
use super::credentials::FORMATS;

/// Keys whose value is secret at any depth of a context, as well as all of
/// `oauth.token` and the `password` fields.
pub const KEYS: [&str; 12] = [
    "api_key",
    "api_token",
    "token",
    "password",
    "secret",
    "client_secret",
    "access_token",
    "refresh_token",
    "private_key",
    "jwt",
    "webhook_secret",
    "previous_webhook_secret",
];

/// Whether the value under this key is secret. Of a key with dots, which an older version let in, each part counts.
fn is_secret_key(key: &str) -> bool {
    key.split('.').any(|part| KEYS.contains(&part))
}

/// Whether what a token answer gives under this name is a secret: by these keys, or by the words in it.
pub fn is_secret_of_token(name: &str) -> bool {
    is_secret_key(name) || names_secret(name)
}

/// Takes a context apart into what may be shown and what is sealed.
/// `merge(public, secret)` gives it back. An array that holds a secret
/// anywhere is secret as a whole; a `null` is never secret.
///
/// `sealed` is the secret half as it is stored: what is in it stays secret,
/// even if the file no longer declares it so. Null where nothing is stored yet.
pub fn split_context(
    context: &Value,
    password_fields: &BTreeSet<String>,
    sealed: &Value,
) -> (Value, Value) {
    let secret_at_top = |key: &str| password_fields.contains(key);
    let (mut public, mut secret) = (Map::new(), Map::new());
    let Value::Object(entries) = context else {
        return (context.clone(), json!({}));
    };
    for (key, value) in entries {
        let kind = match key.as_str() {
            key if secret_at_top(key) || is_secret_key(key) => SecretKind::Secret,
            "oauth" => SecretKind::OAuth,
            _ => SecretKind::Public,
        };
        let mut halves = (&mut public, &mut secret);
        put(key, value, kind, sealed.get(key), &mut halves);
    }
    (Value::Object(public), Value::Object(secret))
}

/// What a value is by the keys above it.
#[derive(Clone, Copy, PartialEq)]
enum SecretKind {
    Public,
    OAuth,
    Secret,
}

/// The halves that are being made.
type Halves<'a> = (&'a mut Map<String, Value>, &'a mut Map<String, Value>);

fn put(key: &str, value: &Value, kind: SecretKind, sealed: Option<&Value>, halves: &mut Halves) {
    let (shown, hidden) = split(value, kind, sealed);
    halves.0.extend(shown.map(|shown| (key.to_owned(), shown)));
    halves
        .1
        .extend(hidden.map(|hidden| (key.to_owned(), hidden)));
}

/// The recursion is as deep as the context, which is parsed JSON.
fn split(
    value: &Value,
    kind: SecretKind,
    sealed: Option<&Value>,
) -> (Option<Value>, Option<Value>) {
    // A secret is a text, a number or an array: below an object only what is sealed of it is one.
    let was_secret = sealed.is_some_and(|sealed| !sealed.is_object());
    let kind = if was_secret { SecretKind::Secret } else { kind };
    match value {
        Value::Object(entries) => {
            let (mut public, mut secret) = (Map::new(), Map::new());
            for (key, value) in entries {
                let kind = match (kind, key.as_str()) {
                    (SecretKind::Secret, _) | (SecretKind::OAuth, "token") => SecretKind::Secret,
                    (_, key) if is_secret_key(key) => SecretKind::Secret,
                    _ => SecretKind::Public,
                };
                let below = sealed.and_then(|sealed| sealed.get(key));
                put(key, value, kind, below, &mut (&mut public, &mut secret));
            }
            let secret = Some(secret).filter(|secret| !secret.is_empty());
            (Some(Value::Object(public)), secret.map(Value::Object))
        }
        Value::Null => (Some(Value::Null), None),
        Value::Array(items) if kind != SecretKind::Secret && !items.iter().any(holds_secret) => {
            (Some(value.clone()), None)
        }
        Value::Array(_) => (None, Some(value.clone())),
        _ if kind == SecretKind::Secret => (None, Some(value.clone())),
        _ => (Some(value.clone()), None),
    }
}

fn holds_secret(value: &Value) -> bool {
    match value {
        Value::Object(entries) => entries
            .iter()
            .any(|(key, value)| (is_secret_key(key) && !value.is_null()) || holds_secret(value)),
        Value::Array(items) => items.iter().any(holds_secret),
        _ => false,
    }
}

/// Takes the write-only secrets out of a normalised configuration or
/// override: literal `client.secret`, literal webhook secrets, and all but
/// `fields` of credentials in formats whose secrets this version does not
/// know. `merge(public, secret)` gives it back.
pub fn split_config(config: &Value) -> (Value, Value) {
    let (mut public, mut secret) = (config.clone(), json!({}));
    let mut places: Vec<Vec<&str>> = Vec::new();
    for (key, credential) in credentials_of(config) {
        if is_known(key, credential) {
            places.push(vec!["credentials", key, "config", "client", "secret"]);
            places.push(vec!["credentials", key, "config", "jwt", "key"]);
            places.push(vec!["credentials", key, "config", "consumer", "secret"]);
            for own in ["password", "private_key", "passphrase"] {
                places.push(vec!["credentials", key, "config", own]);
            }
        } else {
            seal_whole(key, &mut public, &mut secret);
        }
    }
    for key in ["secret", "previous_secret", "token", "password"] {
        places.push(vec!["webhook", "signature_verification", "config", key]);
    }
    for place in places {
        if let Some(value) = take_literal(&mut public, &place) {
            merge(&mut secret, &nested(&place, value));
        }
    }
    (public, secret)
}

fn credentials_of(config: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let credentials = config.get("credentials").and_then(Value::as_object);
    let credentials = credentials.into_iter().flatten();
    credentials.map(|(key, credential)| (key.as_str(), credential))
}

/// An override may leave the format to the key or to what it overrides.
fn is_known(key: &str, credential: &Value) -> bool {
    let format = credential.get("format").and_then(Value::as_str);
    FORMATS.contains(&format.unwrap_or(key))
}

/// Moves all but `fields` of a credential's `config`.
fn seal_whole(key: &str, public: &mut Value, secret: &mut Value) {
    let config = public
        .get_mut("credentials")
        .and_then(|credentials| credentials.get_mut(key)?.get_mut("config"));
    let Some(config) = config else { return };
    let fields = config
        .as_object_mut()
        .and_then(|keys| keys.shift_remove("fields"));
    let (shown, hidden) = split(config, SecretKind::Secret, None);
    *config = shown.unwrap_or_else(|| json!({}));
    if let (Value::Object(keys), Some(fields)) = (config, fields) {
        keys.insert("fields".to_owned(), fields);
    }
    if let Some(hidden) = hidden {
        merge(secret, &nested(&["credentials", key, "config"], hidden));
    }
}

fn nested(place: &[&str], value: Value) -> Value {
    let keys = place.iter().rev();
    keys.fold(value, |value, key| json!({ *key: value }))
}

/// Removes and gives the text at `place` unless it holds a placeholder.
fn take_literal(value: &mut Value, place: &[&str]) -> Option<Value> {
    let (last, parents) = place.split_last()?;
    let parent = parents
        .iter()
        .try_fold(value, |value, key| value.get_mut(*key))?
        .as_object_mut()?;
    let is_literal = match parent.get(*last)? {
        Value::String(text) => {
            Template::parse(text).map_or(true, |template| template.literal().is_some())
        }
        Value::Number(_) | Value::Bool(_) => true,
        _ => false,
    };
    if is_literal {
        parent.shift_remove(*last)
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
