//! The examples of RFC 7515, and keys that sign nothing.

use serde_json::Value;

use super::*;
use crate::crypto::PublicKey;

fn examples() -> Value {
    serde_json::from_str(include_str!("rfc7515.json")).unwrap()
}

/// Signs an example of RFC 7515 with its key, over its texts as they are printed, line breaks included.
fn signed(name: &str, algorithm: SigningAlgorithm) -> (String, Value) {
    let example = examples()[name].clone();
    let text = |key: &str| example[key].as_str().unwrap().to_owned();
    let (header, payload) = (text("header"), text("payload"));
    let key = example["key"].to_string();
    let token = compact(
        (algorithm, KeyFormat::Jwk),
        &key,
        (&header, &payload),
        [0; 32],
    );
    (token.unwrap(), example)
}

/// Appendices A.1 and A.2.
#[test]
fn hs256_and_rs256_sign_as_rfc_7515_prints() {
    for (name, algorithm) in [
        ("HS256", SigningAlgorithm::Hs256),
        ("RS256", SigningAlgorithm::Rs256),
    ] {
        let (token, example) = signed(name, algorithm);
        assert_eq!(token, example["token"], "{name}");
    }
}

/// Appendix A.3. Its signature is made with a random number, so another one is as right: both verify.
#[test]
fn es256_verifies_as_rfc_7515_prints() {
    let (token, example) = signed("ES256", SigningAlgorithm::Es256);
    let public = PublicKey::from_jwk(&example["key"]).unwrap();
    for token in [token.as_str(), example["token"].as_str().unwrap()] {
        let (input, signature) = token.rsplit_once('.').unwrap();
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
        assert!(public.verifies(Hash::Sha256, input.as_bytes(), &signature));
        assert!(!public.verifies(Hash::Sha256, b"another", &signature));
    }
}

/// RFC 8037, appendix A.4.
#[test]
fn eddsa_signs_as_rfc_8037_prints() {
    let key = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}"#;
    let token = compact(
        (SigningAlgorithm::EdDsa, KeyFormat::Jwk),
        key,
        (r#"{"alg":"EdDSA"}"#, "Example of Ed25519 signing"),
        [0; 32],
    );
    let expected = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert_eq!(token.as_deref(), Some(expected));
}

#[test]
fn a_key_in_another_form_or_of_another_kind_signs_nothing() {
    let sign = |algorithm, format, key: &str| {
        compact((algorithm, format), key, ("{}", "{}"), [0; 32]).is_some()
    };
    let utf8 = KeyFormat::Utf8;
    assert!(sign(SigningAlgorithm::Hs256, utf8, "secret"));
    assert!(!sign(SigningAlgorithm::Hs256, utf8, ""));
    assert!(!sign(SigningAlgorithm::Hs256, KeyFormat::Hex, "xyz"));
    assert!(sign(SigningAlgorithm::Hs512, KeyFormat::Hex, "00ff"));
    assert!(sign(SigningAlgorithm::Hs384, KeyFormat::Base64, "c2VjcmV0"));
    assert!(sign(SigningAlgorithm::Hs384, KeyFormat::Base64, "_-8"));
    assert!(!sign(SigningAlgorithm::Rs256, utf8, "secret"));
    let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    assert!(sign(SigningAlgorithm::EdDsa, KeyFormat::Hex, seed));
    assert!(!sign(SigningAlgorithm::Es256, KeyFormat::Hex, seed));
    let just_under = "k".repeat(LONGEST_KEY);
    assert!(sign(SigningAlgorithm::Hs256, utf8, &just_under));
    assert!(!sign(SigningAlgorithm::Hs256, utf8, &(just_under + "k")));
}
