//! What in a context and in a file is secret (3-config.md, "Secret in a
//! context"; 2-architecture.md, "Secrets at rest"). Values are only taken
//! apart here; sealing them is the `account` and `flows` modules' work.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::expression::Template;
use crate::json::merge;

/// Keys whose value is secret at any depth of a context, beside all of
/// `oauth.token` and the `password` fields.
pub const KEYS: [&str; 10] = [
    "api_key",
    "api_token",
    "token",
    "password",
    "secret",
    "client_secret",
    "access_token",
    "refresh_token",
    "private_key",
    "webhook_secret",
];

/// Takes a context apart into what may be shown and what is sealed.
/// `merge(public, secret)` gives it back. An array that holds a secret
/// anywhere is secret as a whole; a `null` is never secret.
pub fn split_context(context: &Value, password_fields: &BTreeSet<String>) -> (Value, Value) {
    let secret_at_top = |key: &str| password_fields.contains(key);
    let (mut public, mut secret) = (Map::new(), Map::new());
    let Value::Object(entries) = context else {
        return (context.clone(), json!({}));
    };
    for (key, value) in entries {
        let kind = match key.as_str() {
            key if secret_at_top(key) || KEYS.contains(&key) => Kind::Secret,
            "oauth" => Kind::OAuth,
            _ => Kind::Public,
        };
        put(key, value, kind, &mut public, &mut secret);
    }
    (Value::Object(public), Value::Object(secret))
}

/// What a value is by the keys above it.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Public,
    OAuth,
    Secret,
}

fn put(
    key: &str,
    value: &Value,
    kind: Kind,
    public: &mut Map<String, Value>,
    secret: &mut Map<String, Value>,
) {
    let (shown, hidden) = split(value, kind);
    public.extend(shown.map(|shown| (key.to_owned(), shown)));
    secret.extend(hidden.map(|hidden| (key.to_owned(), hidden)));
}

/// The recursion is as deep as the context, which is parsed JSON.
fn split(value: &Value, kind: Kind) -> (Option<Value>, Option<Value>) {
    match value {
        Value::Object(entries) => {
            let (mut public, mut secret) = (Map::new(), Map::new());
            for (key, value) in entries {
                let kind = match (kind, key.as_str()) {
                    (Kind::Secret, _) | (Kind::OAuth, "token") => Kind::Secret,
                    (_, key) if KEYS.contains(&key) => Kind::Secret,
                    _ => Kind::Public,
                };
                put(key, value, kind, &mut public, &mut secret);
            }
            let secret = Some(secret).filter(|secret| !secret.is_empty());
            (Some(Value::Object(public)), secret.map(Value::Object))
        }
        Value::Null => (Some(Value::Null), None),
        Value::Array(items) if kind != Kind::Secret && !items.iter().any(holds_secret) => {
            (Some(value.clone()), None)
        }
        Value::Array(_) => (None, Some(value.clone())),
        _ if kind == Kind::Secret => (None, Some(value.clone())),
        _ => (Some(value.clone()), None),
    }
}

fn holds_secret(value: &Value) -> bool {
    match value {
        Value::Object(entries) => entries.iter().any(|(key, value)| {
            (KEYS.contains(&key.as_str()) && !value.is_null()) || holds_secret(value)
        }),
        Value::Array(items) => items.iter().any(holds_secret),
        _ => false,
    }
}

/// Takes the write-only secrets out of a whole file: literal `client.secret`
/// and literal webhook secrets. `merge(public, secret)` gives it back.
pub fn split_file(file: &Value) -> (Value, Value) {
    let mut public = file.clone();
    let Some(config) = public.get_mut("config") else {
        return (public, json!({}));
    };
    let (shown, secret) = split_config(config);
    *config = shown;
    let is_empty = secret.as_object().is_none_or(Map::is_empty);
    (
        public,
        if is_empty {
            json!({})
        } else {
            json!({"config": secret})
        },
    )
}

/// As [`split_file`], for a configuration alone or an override.
pub fn split_config(config: &Value) -> (Value, Value) {
    let (mut public, mut secret) = (config.clone(), json!({}));
    let mut places: Vec<Vec<String>> = Vec::new();
    let place = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    places.push(place(&["credentials", "config", "client", "secret"]));
    let formats = config.get("credentials").and_then(Value::as_object);
    for format in formats.into_iter().flat_map(Map::keys) {
        places.push(place(&[
            "credentials",
            format,
            "config",
            "client",
            "secret",
        ]));
    }
    for key in ["secret", "token", "password"] {
        places.push(place(&["webhook", "signature_verification", "config", key]));
    }
    for place in places {
        if let Some(value) = take_literal(&mut public, &place) {
            let nested = place
                .iter()
                .rev()
                .fold(value, |value, key| json!({key: value}));
            merge(&mut secret, &nested);
        }
    }
    (public, secret)
}

/// Removes and gives the text at `place` unless it holds a placeholder.
fn take_literal(value: &mut Value, place: &[String]) -> Option<Value> {
    let (last, parents) = place.split_last()?;
    let parent = parents
        .iter()
        .try_fold(value, |value, key| value.get_mut(key))?
        .as_object_mut()?;
    let is_literal = match parent.get(last)? {
        Value::String(text) => {
            Template::parse(text).map_or(true, |template| template.literal().is_some())
        }
        Value::Number(_) | Value::Bool(_) => true,
        _ => false,
    };
    if is_literal {
        parent.shift_remove(last)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{split_context, split_file};
    use crate::json::merge;
    use serde_json::json;

    #[test]
    fn a_context_is_split_and_given_back() {
        let context = json!({
            "subdomain": "acme", "pin": "1234", "api_key": "k", "nothing": null, "password": null,
            "oauth": {"token": {"access_token": "a", "expires_in": 1, "scope": null, "raw": {"x": [1]}}, "state": "s"},
            "deep": {"a": {"secret": "s", "name": "n"}, "token": {"id": 1}},
            "list": [1, 2], "accounts": [{"api_token": "t"}], "empty": {}
        });
        let (public, secret) = split_context(&context, &BTreeSet::from(["pin".to_owned()]));
        assert_eq!(
            public,
            json!({
                "subdomain": "acme", "nothing": null, "password": null, "oauth": {"token": {"scope": null, "raw": {}}, "state": "s"},
                "deep": {"a": {"name": "n"}, "token": {}}, "list": [1, 2], "empty": {}
            })
        );
        assert_eq!(
            secret,
            json!({
                "pin": "1234", "api_key": "k", "oauth": {"token": {"access_token": "a", "expires_in": 1, "raw": {"x": [1]}}},
                "deep": {"a": {"secret": "s"}, "token": {"id": 1}}, "accounts": [{"api_token": "t"}]
            })
        );
        let mut back = public;
        merge(&mut back, &secret);
        assert_eq!(back, context);
    }

    #[test]
    fn literal_secrets_of_a_file_are_taken_out_and_placeholders_stay() {
        let file = json!({"name": "a", "config": {
            "credentials": {
                "oauth2": {"format": "oauth2", "config": {"client": {"id": "i", "secret": "s"}}},
                "other": {"format": "oauth2", "config": {"client": {"secret": "{{client_secret}}"}}}
            },
            "webhook": {"signature_verification": {"format": "hmac", "config": {"secret": "w", "token": "{{t}}", "parts": []}}}
        }});
        let (public, secret) = split_file(&file);
        assert_eq!(
            secret,
            json!({"config": {
                "credentials": {"oauth2": {"config": {"client": {"secret": "s"}}}},
                "webhook": {"signature_verification": {"config": {"secret": "w"}}}
            }})
        );
        assert!(
            !public.to_string().contains("\"s\"")
                && public.to_string().contains("{{client_secret}}")
        );
        let mut back = public;
        merge(&mut back, &secret);
        assert_eq!(back, file);
    }

    #[test]
    fn a_single_credential_has_its_secret_taken_too() {
        let file = json!({"config": {"credentials": {"format": "oauth2", "config": {"client": {"secret": "s"}}}}});
        let (public, secret) = split_file(&file);
        assert_eq!(
            secret,
            json!({"config": {"credentials": {"config": {"client": {"secret": "s"}}}}})
        );
        assert!(
            public
                .pointer("/config/credentials/config/client/secret")
                .is_none()
        );
        assert_eq!(
            split_file(&json!({"name": "a"})),
            (json!({"name": "a"}), json!({}))
        );
    }
}
