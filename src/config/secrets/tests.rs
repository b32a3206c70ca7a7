use std::collections::BTreeSet;

use super::{split_config, split_context};
use crate::config::credentials::LATER_FORMATS;
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
    let (public, secret) =
        split_context(&context, &BTreeSet::from(["pin".to_owned()]), &json!(null));
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
fn what_is_sealed_stays_secret_whatever_the_file_calls_it_now() {
    let sealed =
        json!({ "pin": "1234", "keys": { "a": "x", "b": { "c": 1 } }, "list": [1], "number": 7 });
    let none = BTreeSet::new();
    for (context, shown) in [
        (
            json!({ "pin": "1234", "shop": "one" }),
            json!({ "shop": "one" }),
        ),
        (json!({ "pin": "5678" }), json!({})),
        (json!({ "pin": ["5678"] }), json!({})),
        (
            json!({ "pin": { "deep": { "x": "5678" } } }),
            json!({ "pin": { "deep": {} } }),
        ),
        (json!({ "number": 8, "list": ["2"] }), json!({})),
        (
            json!({ "keys": { "a": "x", "b": { "c": 2, "d": 3 }, "e": 4 } }),
            json!({ "keys": { "b": { "d": 3 }, "e": 4 } }),
        ),
        (
            json!({ "pin": null, "pin2": "1" }),
            json!({ "pin": null, "pin2": "1" }),
        ),
    ] {
        let (public, secret) = split_context(&context, &none, &sealed);
        assert_eq!(public, shown, "{context}");
        let mut back = public;
        merge(&mut back, &secret);
        assert_eq!(back, context);
    }
}

#[test]
fn literal_secrets_of_a_configuration_are_taken_out_and_placeholders_stay() {
    let config = json!({
        "credentials": {
            "oauth2": {"format": "oauth2", "config": {"client": {"id": "i", "secret": "s"}}},
            "keka_oauth": {"config": {"client": {"secret": "{{client_secret}}"}}}
        },
        "webhook": {"signature_verification": {"format": "hmac", "config": {"secret": "w", "token": "{{t}}", "parts": []}}}
    });
    let (public, secret) = split_config(&config);
    assert_eq!(
        secret,
        json!({
            "credentials": {"oauth2": {"config": {"client": {"secret": "s"}}}},
            "webhook": {"signature_verification": {"config": {"secret": "w"}}}
        })
    );
    let shown = public.to_string();
    assert!(!shown.contains("\"s\"") && shown.contains("{{client_secret}}"));
    let mut back = public;
    merge(&mut back, &secret);
    assert_eq!(back, config);
    assert_eq!(split_config(&json!({})), (json!({}), json!({})));
}

#[test]
fn credentials_of_later_formats_are_secret_but_for_their_fields() {
    for format in LATER_FORMATS {
        let config = json!({"credentials": {
            "mine": {"format": format, "config": {"private": "hidden", "deep": {"a": ["hidden"], "n": 1}, "fields": [{"name": "f"}]}},
        }});
        let (public, secret) = split_config(&config);
        assert!(!public.to_string().contains("hidden"), "{format}");
        assert!(public.to_string().contains("\"name\":\"f\""));
        let mut back = public;
        merge(&mut back, &secret);
        assert_eq!(back, config);
    }
    // An override need not repeat the format; its nulls still remove.
    let change = json!({"credentials": {"mine": {"config": {"private": "hidden", "gone": null}}}});
    let (public, secret) = split_config(&change);
    assert_eq!(
        public,
        json!({"credentials": {"mine": {"config": {"gone": null}}}})
    );
    assert_eq!(
        secret,
        json!({"credentials": {"mine": {"config": {"private": "hidden"}}}})
    );
}
