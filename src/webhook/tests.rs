//! What no provider sends: schemes that prove nothing, content that is not covered.
//! The good and bad requests of every provider are in `tests/native/webhooks.rs`.

use data_encoding::HEXLOWER;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use crate::config::Webhook;
use crate::crypto::{self, Hash};
use crate::expression::TemplateScope;
use crate::time::Timestamp;

use super::{Refusal, WebhookRequest};

mod answers;
mod tokens;

const NOW: i64 = 1_700_000_000;
const URL: &str = "https://gateway.example.com/hook/a%20b?x=1&y=%2F";

fn webhook(value: Value) -> Webhook {
    serde_json::from_value(value).unwrap()
}

fn scheme(format: &str, config: &Value) -> Webhook {
    webhook(json!({"signature_verification": {"format": format, "config": config}}))
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let read = |(name, value): &(&str, &str)| {
        let name: http::HeaderName = name.parse().unwrap();
        (name, value.parse().unwrap())
    };
    pairs.iter().map(read).collect()
}

fn verify(webhook: &Webhook, pairs: &[(&str, &str)], body: &[u8]) -> Result<(), Refusal> {
    let headers = headers(pairs);
    let request = WebhookRequest::new(&Method::POST, URL, &headers, body);
    let context = json!({"webhook_secret": "s"});
    let scope = TemplateScope::new(&context);
    let now = Timestamp::from_millis(NOW * 1000);
    let mut refused = Refusal::NotConfigured;
    for (_, scheme) in webhook.schemes() {
        match super::verify(scheme, &request, &scope, &[], now) {
            Err(refusal) => refused = refusal,
            accepted => return accepted,
        }
    }
    Err(refused)
}

fn code(result: Result<(), Refusal>) -> &'static str {
    result.err().map_or("accepted", |refusal| refusal.code())
}

fn hex(key: &str, message: &str) -> String {
    HEXLOWER.encode(&crypto::hmac(
        Hash::Sha256,
        key.as_bytes(),
        message.as_bytes(),
    ))
}

#[test]
fn a_scheme_that_is_not_written_out_accepts_nothing() {
    assert_eq!(
        code(verify(&Webhook::default(), &[], b"")),
        "not_configured"
    );
    let none = scheme("none", &json!({}));
    assert_eq!(code(verify(&none, &[], b"")), "accepted");
    let secret = "{{webhook_secret}}";
    let table = [
        ("hmac", json!({"secret": secret}), "no_setting"),
        (
            "hmac",
            json!({"compare_with": "$header.x-sig"}),
            "no_setting",
        ),
        (
            "hmac",
            json!({"secret": "{{nothing}}", "compare_with": "$header.x-sig"}),
            "no_value",
        ),
        (
            "hmac",
            json!({"secret": "", "compare_with": "$header.x-sig"}),
            "no_setting",
        ),
        (
            "hmac",
            json!({"secret": secret, "secret_encoding": "base64", "compare_with": "$header.x-sig"}),
            "bad_setting",
        ),
        (
            "hmac",
            json!({"secret": secret, "parts": ["header"], "compare_with": "$header.x-sig"}),
            "bad_setting",
        ),
        (
            "hmac",
            json!({"secret": secret, "parts": ["$timestamp"], "compare_with": "$header.x-sig"}),
            "no_setting",
        ),
        (
            "hash",
            json!({"secret": secret, "compare_with": "$header.x-sig"}),
            "bad_setting",
        ),
        (
            "rsa",
            json!({"compare_with": "$header.x-sig", "string_type": "hex"}),
            "no_key",
        ),
        (
            "ed25519",
            json!({"public_key": "x", "compare_with": "$header.x-sig"}),
            "bad_setting",
        ),
        ("standard_webhooks", json!({}), "missing"),
        ("jwt", json!({"secret": secret}), "missing"),
        ("bearer", json!({}), "no_setting"),
        ("basic", json!({"username": "u"}), "no_setting"),
    ];
    for (format, config, expected) in table {
        let result = verify(&scheme(format, &config), &[("x-sig", "00")], b"body");
        assert_eq!(code(result), expected, "{format} {config}");
    }
}

#[test]
fn what_is_signed_is_put_together_from_parts() {
    let table = [
        (
            json!(["$method", "\n", "$path", "\n", "$query", "\n", "$query.y"]),
            "POST\n/hook/a%20b\nx=1&y=%2F\n/",
        ),
        (
            json!(["$url", "$body"]),
            "https://gateway.example.com/hook/a%20b?x=1&y=%2F{\"n\":12345678901234567,\"a\":[{\"b\":true}]}",
        ),
        (
            json!(["$header.x-a", ":", "$body.n", "$body.a.0.b"]),
            "A:12345678901234567true",
        ),
        (
            json!(["a", ["b", "$body.missing"], ["c", "$body.n"]]),
            "ac12345678901234567",
        ),
        (json!(["$canonical_request"]), "POST&/hook/a%20b&x=1&y=%2F"),
    ];
    let body = br#"{"n":12345678901234567,"a":[{"b":true}]}"#;
    for (parts, signed) in table {
        let config = json!({"secret": "{{webhook_secret}}", "parts": parts, "compare_with": "$header.x-sig"});
        let signature = hex("s", signed);
        let pairs = [("x-sig", signature.as_str()), ("x-a", "A")];
        assert_eq!(
            verify(&scheme("hmac", &config), &pairs, body),
            Ok(()),
            "{parts}"
        );
    }
    let config = json!({"secret": "s", "verification_content": "{{timestamp}}.{{headers.x-a}}.{{body}}", "compare_with": "$header.x-sig", "timestamp": {"from": "$header.x-t"}});
    let signature = hex("s", "1700000000.A.raw");
    let pairs = [
        ("x-sig", signature.as_str()),
        ("x-a", "A"),
        ("x-t", "1700000000"),
    ];
    assert_eq!(verify(&scheme("hmac", &config), &pairs, b"raw"), Ok(()));
}

#[test]
fn a_body_that_the_signature_does_not_cover_is_refused() {
    let config = |hash: Value| {
        let mut config = json!({"secret": "s", "parts": ["$url", "$form_sorted"], "compare_with": "$header.x-sig"});
        if !hash.is_null() {
            config["body_hash"] = hash;
        }
        scheme("hmac", &config)
    };
    let signature = hex("s", URL);
    let json = [
        ("x-sig", signature.as_str()),
        ("content-type", "application/json"),
    ];
    assert_eq!(
        code(verify(&config(Value::Null), &json, b"{}")),
        "body_not_covered"
    );
    let hashed = config(json!({"from": "$query.bodySHA256"}));
    assert_eq!(code(verify(&hashed, &json, b"{}")), "missing");
    assert_eq!(code(verify(&hashed, &json, b"")), "accepted");
    let wrong = config(json!({"from": "$query.x"}));
    assert_eq!(code(verify(&wrong, &json, b"{}")), "body_hash");
    let form = [
        ("x-sig", signature.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    assert_eq!(code(verify(&hashed, &form, b"a=1")), "mismatch");
}

#[test]
fn lists_are_bounded_and_have_one_time() {
    let config = json!({"secret": "s", "parts": ["$timestamp", "$body"], "signature": {"header": "x-sig", "key": "v1"}, "timestamp": {"from": "$signature.t"}});
    let scheme = scheme("hmac", &config);
    let good = hex("s", "1700000000b");
    let table = [
        (format!("t=1700000000,v1=00 ,v1=\"{good}\""), "accepted"),
        // The header came twice.
        (format!("t=1700000000,v1=00, v1={good}"), "twice"),
        (format!("t=1700000000,t=1700000000,v1={good}"), "twice"),
        (format!("v1={good}"), "missing"),
        (format!("t=1700000000,v0={good}"), "missing"),
        (
            format!("t=1700000000,v1={good}{}", ",v1=00".repeat(8)),
            "too_many",
        ),
        ("t=1700000000,v1=zz".to_owned(), "malformed"),
    ];
    for (header, expected) in table {
        assert_eq!(
            code(verify(&scheme, &[("x-sig", &header)], b"b")),
            expected,
            "{header}"
        );
    }
}

#[test]
fn a_list_with_any_separator_comes_once() {
    let signed = hex("s", "1700000000b");
    let zeros = "0".repeat(64);
    // The platform joins a header that came twice by a comma and a space.
    let twice = |item: &dyn Fn(&str) -> String, front: &str| {
        let good = item(&signed);
        [
            (good.clone(), "accepted"),
            (format!("{good}, {good}"), "twice"),
            (format!("{}, {good}", item(front)), "twice"),
            (format!("{good}, {}", item(front)), "twice"),
        ]
    };
    for separator in [";", " ", "|", "; "] {
        let keyed = json!({"secret": "s", "parts": ["$timestamp", "$body"], "signature": {"header": "x-sig", "separator": separator, "key": "h1"}, "timestamp": {"from": "$signature.ts"}});
        let keyed = scheme("hmac", &keyed);
        let item = |text: &str| format!("ts=1700000000{separator}h1={text}");
        for (header, expected) in twice(&item, &zeros) {
            let result = verify(&keyed, &[("x-sig", &header)], b"b");
            assert_eq!(code(result), expected, "{header}");
        }
        let prefixed = json!({"secret": "s", "parts": ["$header.x-t", "$body"], "signature": {"header": "x-sig", "separator": separator, "prefix": "v1,"}});
        let prefixed = scheme("hmac", &prefixed);
        let item = |text: &str| format!("v1,{text}");
        for (header, expected) in twice(&item, &zeros) {
            let pairs = [("x-sig", header.as_str()), ("x-t", "1700000000")];
            assert_eq!(code(verify(&prefixed, &pairs, b"b")), expected, "{header}");
        }
        let rotated = format!("v1,{zeros}{separator}v1,{signed}");
        let pairs = [("x-sig", rotated.as_str()), ("x-t", "1700000000")];
        assert_eq!(
            code(verify(&prefixed, &pairs, b"b")),
            "accepted",
            "{rotated}"
        );
    }
    // A list that is separated so itself shows nothing of it.
    let spaced =
        json!({"secret": "s", "signature": {"header": "x-sig", "separator": ", ", "key": "v1"}});
    let both = format!("v1={zeros}, v1={}", hex("s", "b"));
    let result = verify(&scheme("hmac", &spaced), &[("x-sig", &both)], b"b");
    assert_eq!(code(result), "accepted");
}

#[test]
fn the_escapes_of_delimiters_are_decoded_once_and_no_others() {
    let webhook = scheme(
        "hmac",
        &json!({"secret": "{{webhook_secret}}", "parts": ["$url_decoded"], "compare_with": "$header.x-sig"}),
    );
    let signed = "https://gateway.example.com/hook/a%20b?x=1&y=/";
    let signature = hex("s", signed);
    assert_eq!(
        code(verify(&webhook, &[("x-sig", &signature)], b"")),
        "accepted"
    );
    let table = [
        (
            "/a?b=%3a%3A%2f%3F%40%21%24%27%28%29%2A%2C%3B",
            "/a?b=::/?@!$'()*,;",
        ),
        ("/a%253A%zz%2%", "/a%253A%zz%2%"),
        ("/%E2%98%83%26%3D", "/%E2%98%83%26%3D"),
    ];
    for (url, decoded) in table {
        assert_eq!(super::content::delimiters_decoded(url), decoded);
    }
}

#[test]
fn a_token_that_is_the_body_is_read_as_its_claims_whatever_looked_at_it_before() {
    let headers = HeaderMap::new();
    let request = WebhookRequest::new(&Method::POST, URL, &headers, b"a.b.c");
    assert_eq!(request.value(), &json!("a.b.c"));
    request.replace_value(json!({"kind": "paid"}));
    assert_eq!(request.value(), &json!({"kind": "paid"}));
    assert_eq!(request.payload(), r#"{"kind":"paid"}"#);
    assert_eq!(&*request.kept(), br#"{"kind":"paid"}"#);
}
