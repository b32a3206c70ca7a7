//! Signed tokens of the wrong kind, age or algorithm.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::crypto::{self, Hash};

use super::{NOW, code, scheme, verify};

fn token(head: &Value, claims: &Value, key: &[u8]) -> String {
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let signed = part(head) + "." + &part(claims);
    let code = crypto::hmac(Hash::Sha256, key, signed.as_bytes());
    format!("Bearer {signed}.{}", BASE64URL_NOPAD.encode(&code))
}

#[test]
fn a_token_cannot_choose_its_algorithm_or_its_age() {
    let shared = scheme("jwt", &json!({"secret": "s"}));
    let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----";
    let public = scheme("jwt", &json!({"public_key": pem}));
    let named = scheme("jwt", &json!({"secret": "s", "algorithm": "sha512"}));
    let good = json!({"exp": NOW + 10});
    let hs = json!({"alg": "HS256"});
    let table = [
        (&shared, hs.clone(), good.clone(), "s", "accepted"),
        (
            &shared,
            hs.clone(),
            json!({"iat": NOW - 300}),
            "s",
            "accepted",
        ),
        (
            &shared,
            hs.clone(),
            json!({"iat": NOW - 361}),
            "s",
            "too_old",
        ),
        (
            &shared,
            hs.clone(),
            json!({"exp": NOW - 61}),
            "s",
            "too_old",
        ),
        (
            &shared,
            hs.clone(),
            json!({"exp": NOW + 900, "nbf": NOW + 61}),
            "s",
            "too_new",
        ),
        (&shared, hs.clone(), json!({}), "s", "claim"),
        (&shared, hs.clone(), json!({"exp": "soon"}), "s", "claim"),
        (&shared, hs.clone(), good.clone(), "t", "mismatch"),
        (
            &shared,
            json!({"alg": "none"}),
            good.clone(),
            "s",
            "algorithm",
        ),
        (
            &shared,
            json!({"alg": "HS256", "crit": ["x"]}),
            good.clone(),
            "s",
            "malformed",
        ),
        (
            &shared,
            json!({"alg": "RS256"}),
            good.clone(),
            "s",
            "algorithm",
        ),
        (&named, hs.clone(), good.clone(), "s", "algorithm"),
        (&public, hs.clone(), good.clone(), pem, "algorithm"),
        (
            &public,
            json!({"alg": "RS256"}),
            good.clone(),
            pem,
            "algorithm",
        ),
        (
            &public,
            json!({"alg": "EdDSA"}),
            good.clone(),
            pem,
            "mismatch",
        ),
    ];
    for (scheme, head, claims, key, expected) in table {
        let token = token(&head, &claims, key.as_bytes());
        let result = verify(scheme, &[("authorization", &token)], b"");
        assert_eq!(code(result), expected, "{head} {claims}");
    }
}
