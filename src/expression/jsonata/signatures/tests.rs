use serde_json::{Value, json};

use super::super::{Expression, Moment};
use super::*;
use crate::expression::{ExpressionError, ExpressionScope};

const MOMENT: Moment = Moment {
    now_ms: 1_071_499_387_000,
    random: [7; 32],
};

fn evaluate(source: &str, input: &Value) -> Result<Option<Value>, ExpressionError> {
    let context = json!({});
    Expression::parse(source)?.evaluate(&ExpressionScope::step(input, &context), &MOMENT)
}

fn text(source: &str, input: &Value) -> String {
    let value = evaluate(source, input).unwrap_or_else(|error| panic!("{source}: {error}"));
    value.unwrap().as_str().unwrap().to_owned()
}

/// RFC 4231 §4: key and data in hex, and the codes with SHA-256, SHA-384 and SHA-512.
#[test]
fn codes_agree_with_rfc_4231() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("rfc_4231.json")).unwrap();
    assert_eq!(cases.len(), 6);
    for case in cases {
        for algorithm in ["sha256", "sha384", "sha512"] {
            let source = format!("$hmac(\"{algorithm}\", {{\"hex\": key}}, {{\"hex\": data}})");
            assert_eq!(text(&source, &case), case[algorithm], "{case}");
        }
    }
}

/// RFC 8032 §7.1.
#[test]
fn signatures_agree_with_rfc_8032() {
    for (key, message, signature) in [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ] {
        let input = json!({ "key": key, "message": message });
        let source = "$sign(\"ed25519\", {\"hex\": key}, {\"hex\": message})";
        assert_eq!(text(source, &input), signature);
    }
}

#[test]
fn a_key_is_read_as_pem_der_or_its_bytes() {
    let keys = include_str!("../../../crypto/private_key/keys.json");
    let keys: Value = serde_json::from_str(keys).unwrap();
    let pem = keys["ed"]["pkcs8"].as_str().unwrap();
    let input =
        json!({ "pem": pem, "flat": pem.replace('\n', "\\n"), "rsa": keys["rsa"]["pkcs8"] });
    let signed = text("$sign(\"ed25519\", pem, \"x\", \"base64url\")", &input);
    assert_eq!(signed.len(), 86);
    assert_eq!(
        text("$sign(\"ed25519\", flat, \"x\", \"base64url\")", &input),
        signed
    );
    assert!(evaluate("$sign(\"ed25519\", rsa, \"x\")", &input).is_err());
}

/// WSSE: `PasswordDigest` of the Atom documentation (<https://www.xml.com/pub/a/2003/12/17/dive.html>).
/// Duo: the signed request of <https://duo.com/docs/adminapi#authentication>.
#[test]
fn documented_signatures_of_vendors_are_expressions() {
    let wsse = json!({ "nonce": "d36e316282959a9ed4c89851497a717f", "created": "2003-12-15T14:43:07Z", "password": "taadtaadpstcsm" });
    assert_eq!(
        text(
            "$hash(\"sha1\", nonce & created & password, \"base64\")",
            &wsse
        ),
        "quR/EWLAV4xLf9Zqyw4pDmfV9OY="
    );
    let duo = json!({
        "date": "Tue, 21 Aug 2012 17:29:18 -0000", "host": "api-xxxxxxxx.duosecurity.com",
        "path": "/accounts/v1/account/list", "query": "realname=First%20Last&username=root",
        "ikey": "DIWJ8X6AEYOR5OMC6TQ1", "skey": "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep",
    });
    assert_eq!(
        text(
            "\"Basic \" & $base64encode(ikey & \":\" & $hmac(\"sha1\", skey, $join([date, \"POST\", host, path, query], \"\\n\")))",
            &duo
        ),
        "Basic RElXSjhYNkFFWU9SNU9NQzZUUTE6MmQ5N2Q2MTY2MzE5NzgxYjVhM2EwN2FmMzlkMzY2ZjQ5MTIzNGVkYw=="
    );
}

#[test]
fn each_encoding_is_of_the_same_bytes() {
    for (encoding, expected) in [
        ("", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (", \"hex\"", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (", \"base64\"", "qZk+NkcGgWq6PiVxeFDCbJzQ2J0="),
        (", \"base64url\"", "qZk-NkcGgWq6PiVxeFDCbJzQ2J0"),
    ] {
        let source = format!("$hash(\"sha1\", \"abc\"{encoding})");
        assert_eq!(text(&source, &json!({})), expected);
    }
    // A key that is derived by another code, as bytes.
    let source = "$hmac(\"sha256\", {\"base64\": $hmac(\"sha256\", \"k\", \"a\", \"base64url\")}, \"b\") = $hmac(\"sha256\", {\"hex\": $hmac(\"sha256\", \"k\", \"a\")}, \"b\")";
    assert_eq!(evaluate(source, &json!({})).unwrap(), Some(json!(true)));
    let named = evaluate(
        "$map([\"a\", \"b\"], $hash(\"sha256\", ?, \"hex\"))",
        &json!({}),
    );
    assert_eq!(named.unwrap().unwrap().as_array().unwrap().len(), 2);
}

#[test]
fn what_is_missing_or_unknown_ends_the_evaluation() {
    let input = json!({ "n": 1, "none": null, "empty": "" });
    for source in [
        "$hash()",
        "$hash(\"sha256\")",
        "$hash(\"sha256\", missing)",
        "$hash(\"sha256\", none)",
        "$hash(\"sha256\", n)",
        "$hash(\"md5\", \"x\")",
        "$hash(\"SHA256\", \"x\")",
        "$hash(\"sha256\", \"x\", \"base32\")",
        "$hash(\"sha256\", \"x\", \"hex\", 1)",
        "$hash(\"sha256\", {\"hex\": \"0\"})",
        "$hash(\"sha256\", {\"utf8\": \"x\"})",
        "$hash(\"sha256\", {\"hex\": \"00\", \"base64\": \"\"})",
        "$hmac(\"sha256\", missing, \"x\")",
        "$hmac(\"sha256\", empty, \"x\")",
        "$hmac(\"sha256\", \"k\", missing)",
        "$sign(\"rsa\", {\"hex\": \"00\"}, \"x\")",
        "$sign(\"ed25519\", \"short\", \"x\")",
    ] {
        let error = evaluate(source, &input).unwrap_err();
        assert_eq!(error.code(), "bad_signature_argument", "{source}");
    }
}

#[test]
fn texts_and_keys_have_a_bound() {
    let at = json!({ "text": "x".repeat(SIGNED_BYTES), "key": "k".repeat(SIGNING_KEY_BYTES) });
    let over =
        json!({ "text": "x".repeat(SIGNED_BYTES + 1), "key": "k".repeat(SIGNING_KEY_BYTES + 1) });
    for source in [
        "$hash(\"sha256\", text)",
        "$hmac(\"sha512\", \"k\", text)",
        "$hmac(\"sha1\", key, \"x\")",
    ] {
        assert!(evaluate(source, &at).is_ok(), "{source}");
        let error = evaluate(source, &over).unwrap_err();
        assert_eq!(error.code(), "bad_signature_argument", "{source}");
    }
    let twice = json!({ "text": "00".repeat(SIGNED_BYTES) });
    assert!(evaluate("$hash(\"sha256\", {\"hex\": text})", &twice).is_ok());
}

#[test]
fn signatures_are_paid_for() {
    let once = "$count([1..1000].$sign(\"ed25519\", {\"hex\": $$.key}, \"x\"))";
    let often = "$count([1..2000].$sign(\"ed25519\", {\"hex\": $$.key}, \"x\"))";
    let input = json!({ "key": "9d".repeat(32), "text": "x".repeat(SIGNED_BYTES) });
    assert_eq!(evaluate(once, &input).unwrap(), Some(json!(1000)));
    assert_eq!(evaluate(often, &input).unwrap_err().code(), "too_much_work");
    let hashes = "$count([1..30].$hash(\"sha512\", $$.text))";
    assert_eq!(
        evaluate(hashes, &input).unwrap_err().code(),
        "too_much_work"
    );
}
