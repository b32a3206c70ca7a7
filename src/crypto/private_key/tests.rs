//! Keys made by Python's `cryptography` (OpenSSL), in every form they are issued in, and the examples of the RFCs.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde_json::{Value, json};

use super::super::PublicKey;
use super::{Hash, PrivateKey, SigningScheme};

const MESSAGE: &[u8] = b"what do ya want for nothing?";

fn made() -> Value {
    serde_json::from_str(include_str!("keys.json")).unwrap()
}

fn pem(kind: &str, form: &str) -> PrivateKey {
    PrivateKey::from_pem(made()[kind][form].as_str().unwrap()).unwrap()
}

#[test]
fn a_key_signs_the_same_in_each_form_and_its_public_key_verifies() {
    let table = [
        ("rsa", "pkcs8", SigningScheme::RsaPkcs1),
        ("rsa", "pkcs1", SigningScheme::RsaPkcs1),
        ("ec", "pkcs8", SigningScheme::P256),
        ("ec", "sec1", SigningScheme::P256),
        ("ec", "parameters", SigningScheme::P256),
        ("ed", "pkcs8", SigningScheme::Ed25519),
        ("ed", "pkcs8 with its public key", SigningScheme::Ed25519),
    ];
    for (kind, form, scheme) in table {
        let public = made()[kind]["public"].as_str().unwrap().to_owned();
        let public = PublicKey::parse(&public).unwrap();
        let signature = pem(kind, form).sign(scheme, MESSAGE, [7; 32]).unwrap();
        assert!(
            public.verifies(Hash::Sha256, MESSAGE, &signature),
            "{kind} {form}"
        );
        assert!(!public.verifies(Hash::Sha256, b"another", &signature));
        // The random bytes blind; they do not change the signature.
        let other = pem(kind, form).sign(scheme, MESSAGE, [8; 32]).unwrap();
        assert_eq!(signature, other);
    }
}

#[test]
fn a_key_signs_by_its_own_scheme_alone() {
    let schemes = [
        SigningScheme::RsaPkcs1,
        SigningScheme::RsaPss,
        SigningScheme::P256,
        SigningScheme::Ed25519,
    ];
    for (kind, count) in [("rsa", 2), ("ec", 1), ("ed", 1)] {
        let key = pem(kind, "pkcs8");
        let signed = schemes
            .iter()
            .filter(|scheme| key.sign(**scheme, MESSAGE, [1; 32]).is_some());
        assert_eq!(signed.count(), count, "{kind}");
    }
}

#[test]
fn a_pss_signature_verifies_and_its_salt_is_random() {
    let key = pem("rsa", "pkcs8");
    let sign = |random| key.sign(SigningScheme::RsaPss, MESSAGE, random).unwrap();
    let public = made()["rsa"]["public"].as_str().unwrap().to_owned();
    let public = <rsa::RsaPublicKey as p256::pkcs8::DecodePublicKey>::from_public_key_der(
        &super::der_of_pem(&public, "PUBLIC KEY").unwrap(),
    );
    let hashed = super::digest(Hash::Sha256, MESSAGE);
    let padding = rsa::pss::Pss::<sha2::Sha256>::new();
    let signature = sign([1; 32]);
    assert!(public.unwrap().verify(padding, &hashed, &signature).is_ok());
    assert_ne!(signature, sign([2; 32]));
}

#[test]
fn a_line_of_pem_is_read_and_another_or_a_broken_key_is_not() {
    let text = made()["rsa"]["pkcs8"].as_str().unwrap().to_owned();
    assert!(PrivateKey::from_pem(&text.replace('\n', "\\n")).is_some());
    assert!(PrivateKey::from_pem(&text.replace('\n', " ")).is_some());
    assert!(PrivateKey::from_pem(&text.replace('\n', "")).is_some());
    assert!(PrivateKey::from_pem(made()["longest"].as_str().unwrap()).is_some());
    for (name, refused) in made()["refused"].as_object().unwrap() {
        let key = PrivateKey::from_pem(refused.as_str().unwrap());
        assert!(key.is_none(), "{name}");
    }
    for broken in ["", "x", "-----BEGIN A-----\nAA==\n-----END A-----"] {
        assert!(PrivateKey::from_pem(broken).is_none(), "{broken}");
    }
    assert!(PrivateKey::from_pem(&text.replace("MII", "MIJ")).is_none());
    assert!(PrivateKey::from_jwk(&json!({ "kty": "RSA", "n": "AQAB" })).is_none());
}

/// RFC 8037, appendix A.4.
#[test]
fn ed25519_signs_as_rfc_8037_prints() {
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A" });
    let key = PrivateKey::from_jwk(&jwk).unwrap();
    let input = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature = key.sign(SigningScheme::Ed25519, input, [0; 32]).unwrap();
    assert_eq!(
        BASE64URL_NOPAD.encode(&signature),
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    );
    let seed = HEXLOWER
        .decode(b"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
        .unwrap();
    let raw = PrivateKey::from_der(&seed).unwrap();
    assert_eq!(
        raw.sign(SigningScheme::Ed25519, input, [0; 32]),
        Some(signature)
    );
}

/// RFC 6979, appendix A.2.5.
#[test]
fn p256_signs_as_rfc_6979_prints() {
    let scalar = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
    let scalar = HEXLOWER.decode(scalar.as_bytes()).unwrap();
    let d = BASE64URL_NOPAD.encode(&scalar);
    let jwk = json!({ "kty": "EC", "crv": "P-256", "d": d });
    let key = PrivateKey::from_jwk(&jwk).unwrap();
    let signature = key.sign(SigningScheme::P256, b"sample", [0; 32]).unwrap();
    assert_eq!(
        HEXLOWER.encode(&signature),
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
    );
}
