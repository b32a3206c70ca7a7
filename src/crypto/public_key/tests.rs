//! Keys and signatures made by Node's `crypto` (OpenSSL), in every form they are published in.

use data_encoding::BASE64;
use serde_json::Value;

use super::{Hash, KeyKind, PublicKey};

const MESSAGE: &[u8] = b"what do ya want for nothing?";

fn made() -> Value {
    serde_json::from_str(include_str!("keys.json")).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    BASE64.decode(value.as_str().unwrap().as_bytes()).unwrap()
}

fn parse(value: &Value) -> PublicKey {
    PublicKey::parse(value.as_str().unwrap()).unwrap()
}

#[test]
fn an_rsa_key_verifies_in_each_form_and_with_each_hash() {
    let rsa = &made()["rsa"];
    let mut keys: Vec<PublicKey> = ["pem", "pkcs1", "certificate"]
        .map(|form| parse(&rsa[form]))
        .into();
    keys.push(PublicKey::from_jwk(&rsa["jwk"]).unwrap());
    let hashes = [
        (Hash::Sha1, "sha1"),
        (Hash::Sha256, "sha256"),
        (Hash::Sha384, "sha384"),
        (Hash::Sha512, "sha512"),
    ];
    for key in &keys {
        assert_eq!(key.kind(), KeyKind::Rsa);
        for (hash, name) in hashes {
            let signature = bytes(&rsa[name]);
            assert!(key.verifies(hash, MESSAGE, &signature), "{name}");
            assert!(!key.verifies(hash, b"another", &signature), "{name}");
            assert!(!key.verifies(hash, MESSAGE, &signature[1..]), "{name}");
        }
        assert!(!key.verifies(Hash::Sha256, MESSAGE, &bytes(&rsa["sha1"])));
        assert!(!key.verifies(Hash::Sha256, MESSAGE, b""));
    }
}

#[test]
fn an_rsa_key_is_not_too_short() {
    let short = made()["short"].as_str().unwrap().to_owned();
    assert!(PublicKey::parse(&short).is_none());
}

#[test]
fn an_ecdsa_key_verifies_both_forms_of_a_signature() {
    let ec = &made()["ec"];
    let keys = [
        parse(&ec["pem"]),
        parse(&ec["der"]),
        PublicKey::from_jwk(&ec["jwk"]).unwrap(),
    ];
    for key in keys {
        assert_eq!(key.kind(), KeyKind::Ecdsa);
        for form in ["sig_der", "sig_raw"] {
            let mut signature = bytes(&ec[form]);
            assert!(key.verifies(Hash::Sha256, MESSAGE, &signature), "{form}");
            assert!(!key.verifies(Hash::Sha384, MESSAGE, &signature), "{form}");
            signature[40] ^= 1;
            assert!(!key.verifies(Hash::Sha256, MESSAGE, &signature), "{form}");
        }
    }
}

#[test]
fn an_ed25519_key_verifies() {
    let ed = &made()["ed"];
    let keys = [
        parse(&ed["pem"]),
        parse(&ed["hex"]),
        PublicKey::from_jwk(&ed["jwk"]).unwrap(),
    ];
    for key in keys {
        assert_eq!(key.kind(), KeyKind::Ed25519);
        let mut signature = bytes(&ed["sig"]);
        assert!(key.verifies(Hash::Sha256, MESSAGE, &signature));
        assert!(!key.verifies(Hash::Sha256, MESSAGE, &signature[..63]));
        signature[0] ^= 1;
        assert!(!key.verifies(Hash::Sha256, MESSAGE, &signature));
    }
}

#[test]
fn what_is_no_key_is_none() {
    for text in [
        "",
        "not a key",
        "-----BEGIN PUBLIC KEY-----\n!!!\n-----END PUBLIC KEY-----",
        "AAAA",
    ] {
        assert!(PublicKey::parse(text).is_none(), "{text}");
    }
    let jwks = [
        r#"{"kty":"EC","crv":"P-521","x":"AA","y":"AA"}"#,
        r#"{"kty":"oct","k":"AA"}"#,
        "{}",
    ];
    for jwk in jwks {
        let jwk = serde_json::from_str(jwk).unwrap();
        assert!(PublicKey::from_jwk(&jwk).is_none(), "{jwk}");
    }
}
