//! What of a provider's answers goes into the account's context.

use std::collections::BTreeMap;

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};

use crate::config::credentials::OAuth2;
use crate::json::Path;
use crate::settings::SMALL_ANSWER_VALUES;

/// Characters of a token's claims.
const LONGEST_CLAIMS: usize = 32 * 1024;

/// The key under which tokens are stored; no answer writes it.
const TOKENS: &str = "oauth";

/// `contextFromToken`: values of the whole token answer. What is missing or null is left out, so that a
/// later, shorter answer removes nothing.
pub fn context_from_token(wanted: &BTreeMap<String, Path>, reply: &Value) -> Map<String, Value> {
    let wanted = wanted.iter();
    wanted
        .filter(|(key, _)| *key != TOKENS)
        .filter_map(|(key, path)| Some((key.clone(), path.lookup(reply)?.clone())))
        .filter(|(_, value)| !value.is_null())
        .collect()
}

/// `contextFromClaims`: claims of the ID token, or else of the access token. Their signatures are not verified: both came
/// from the token endpoint itself (`OpenID` Connect Core §3.1.3.7).
pub fn context_from_claims(wanted: &BTreeMap<String, Path>, token: &Value) -> Map<String, Value> {
    if wanted.is_empty() {
        return Map::new();
    }
    let mut found = Map::new();
    for key in ["access_token", "id_token"] {
        let claims = token.get(key).and_then(Value::as_str).and_then(claims);
        found.extend(
            claims
                .map(|claims| context_from_token(wanted, &claims))
                .unwrap_or_default(),
        );
    }
    found
}

/// The claims of a JWT (RFC 7519 §3) as it is written.
fn claims(token: &str) -> Option<Value> {
    let mut parts = token.split('.').skip(1);
    let (claims, _signature) = (parts.next()?, parts.next()?);
    let is_whole = parts.next().is_none() && claims.len() <= LONGEST_CLAIMS;
    let claims = claims.trim_end_matches('=');
    let bytes = BASE64URL_NOPAD.decode(claims.as_bytes()).ok()?;
    crate::json::read_at_most(&bytes, SMALL_ANSWER_VALUES)
        .filter(|claims| is_whole && claims.is_object())
}

/// `contextFromCallback`: texts of the callback's parameters. What is missing, empty or is given twice is
/// left out.
pub fn context_from_callback(config: &OAuth2, pairs: &[(String, String)]) -> Map<String, Value> {
    let wanted = config.context_from_callback.iter();
    wanted
        .filter(|(key, _)| *key != TOKENS)
        .filter_map(|(key, name)| {
            let mut values = pairs.iter().filter(|(own, _)| own == name);
            let (_, value) = values.next().filter(|(_, value)| !value.is_empty())?;
            let is_only = values.next().is_none();
            is_only.then(|| (key.clone(), Value::String(value.clone())))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config() -> OAuth2 {
        serde_json::from_value(json!({
            "contextFromToken": { "origin": "instance_url", "space": "space.id", "none": "x.y", "oauth": "space" },
            "contextFromCallback": { "region": "location", "oauth": "location", "shop": "shop" }
        }))
        .unwrap()
    }

    #[test]
    fn values_of_the_whole_answer_are_copied() {
        let reply =
            json!({ "instance_url": "https://a.x.com", "space": { "id": 7 }, "x": { "y": null } });
        assert_eq!(
            Value::Object(context_from_token(&config().context_from_token, &reply)),
            json!({ "origin": "https://a.x.com", "space": 7 })
        );
        assert!(context_from_token(&config().context_from_token, &json!([])).is_empty());
    }

    #[test]
    fn a_parameter_of_the_callback_counts_when_it_stands_once() {
        let read = |query: &str| {
            let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect();
            Value::Object(context_from_callback(&config(), &pairs))
        };
        assert_eq!(read("location=eu&shop=&code=c"), json!({ "region": "eu" }));
        assert_eq!(
            read("location=eu&location=us&shop=s"),
            json!({ "shop": "s" })
        );
    }

    fn jwt(claims: &str) -> String {
        format!("e30.{}.c2ln", BASE64URL_NOPAD.encode(claims.as_bytes()))
    }

    #[test]
    fn claims_of_the_id_token_count_before_those_of_the_access_token() {
        let wanted = json!({ "person": "sub", "organization": "org.id", "plan": "https://x.example/plan", "oauth": "sub" });
        let wanted: BTreeMap<String, Path> = serde_json::from_value(wanted).unwrap();
        let read = |token: &Value| Value::Object(context_from_claims(&wanted, token));
        let both = json!({
            "access_token": jwt(r#"{"sub":"a","org":{"id":7},"https://x.example/plan":"pro"}"#),
            "id_token": jwt(r#"{"sub":"i","exp":1}"#),
        });
        assert_eq!(
            read(&both),
            json!({ "person": "i", "organization": 7, "plan": "pro" })
        );
        for token in ["opaque", "a.b", "a.b.c.d", "e30.W10.c2ln", "e30.!.c2ln", ""] {
            assert_eq!(
                read(&json!({ "access_token": token })),
                json!({}),
                "{token}"
            );
        }
        let long = |length: usize| {
            let text = "a".repeat(length);
            read(&json!({ "id_token": jwt(&format!(r#"{{"sub":"{text}"}}"#)) }))
        };
        // 24,576 bytes are 32,768 characters of base64url.
        assert_ne!(long(24_576 - 10), json!({}));
        assert_eq!(long(24_577 - 10), json!({}));
    }
}
