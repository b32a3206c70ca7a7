//! The private key that an account logs in with: OpenSSH, PKCS#1, SEC1 and PKCS#8, with or without a passphrase.

use russh::keys::{Algorithm, HashAlg, PrivateKey, decode_secret_key};

use crate::error::{Failure, Kind, Outcome};
use crate::pem::{Pem, Work};

pub fn parse(text: &str, passphrase: Option<&str>) -> Outcome<PrivateKey> {
    let text = text.trim();
    let wrong = |message: &str| Failure::new(Kind::BadPrivateKey, message);
    if text.starts_with("PuTTY-User-Key-File") {
        return Err(wrong(
            "The private key is in PuTTY's format. Export it as an OpenSSH key.",
        ));
    }
    let unknown = || {
        wrong(
            "The private key cannot be read. It is the whole text from -----BEGIN to -----END, of one OpenSSH, PKCS#1, SEC1 or PKCS#8 key.",
        )
    };
    let pem = Pem::read(text).ok_or_else(unknown)?;
    let (passphrase, why) = match (pem.work(), passphrase) {
        // It is not given: so there is nothing that could be opened with it.
        (Work::Open, _) => (
            None,
            "The private key is damaged, or its kind is not supported.",
        ),
        (Work::Bounded, Some(passphrase)) => (
            Some(passphrase),
            "The private key cannot be opened: the passphrase is wrong, or its encryption is not supported.",
        ),
        (Work::Bounded, None) => {
            return Err(wrong(
                "The private key is encrypted, and there is no passphrase.",
            ));
        }
        (Work::TooMuch, _) => {
            return Err(wrong(
                "The encryption of the private key takes too much work (at most 256 rounds of bcrypt, 2,000,000 iterations of PBKDF2, 32 MiB of scrypt).",
            ));
        }
        (Work::Unknown, _) => return Err(unknown()),
    };
    decode_secret_key(&pem.text(), passphrase).map_err(|_| wrong(why))
}

/// The signature algorithms to try with a key, in this order; nothing for a key that has only one. `known` is the best that the
/// server said it takes: OpenSSH 9.2 says so of all that it knows, even if its settings accept one alone. SHA-1 is not tried.
pub fn rsa_hashes(key: &PrivateKey, known: Option<HashAlg>) -> Vec<Option<HashAlg>> {
    if !matches!(key.algorithm(), Algorithm::Rsa { .. }) {
        return vec![None];
    }
    let mut hashes = vec![Some(HashAlg::Sha512), Some(HashAlg::Sha256)];
    if known == Some(HashAlg::Sha256) {
        hashes.reverse();
    }
    hashes
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSPHRASE: &str = "passphrase-1";

    macro_rules! key {
        ($name:literal) => {
            include_str!(concat!("../tests/keys/", $name))
        };
    }

    #[test]
    fn keys_of_all_formats_are_read() {
        let rsa = parse(key!("rsa"), None).unwrap();
        for (name, text) in [
            ("ed25519", key!("ed25519")),
            ("ecdsa-256", key!("ecdsa-256")),
            ("ecdsa-384", key!("ecdsa-384")),
            ("ecdsa-521", key!("ecdsa-521")),
            ("ecdsa-256-sec1", key!("ecdsa-256-sec1")),
            ("rsa-pkcs1", key!("rsa-pkcs1")),
            ("rsa-pkcs8", key!("rsa-pkcs8")),
        ] {
            let key = parse(&format!("\n{text}\n"), None);
            assert!(key.is_ok(), "{name}: {}", key.unwrap_err().message);
            assert!(
                !name.starts_with("rsa")
                    || key.unwrap().public_key().key_data() == rsa.public_key().key_data(),
                "{name}"
            );
            assert!(
                parse(&text.replace('\n', "\r\n"), None).is_ok(),
                "{name} with CRLF"
            );
        }
    }

    #[test]
    fn encrypted_keys_need_their_passphrase() {
        for (name, text) in [
            ("ed25519", key!("ed25519-encrypted")),
            ("pkcs1", key!("rsa-pkcs1-encrypted")),
            ("pkcs8", key!("rsa-pkcs8-encrypted")),
            ("scrypt", key!("rsa-pkcs8-scrypt")),
        ] {
            let opened = parse(text, Some(PASSPHRASE));
            assert!(opened.is_ok(), "{name}: {}", opened.unwrap_err().message);
            let without = parse(text, None).unwrap_err();
            assert!(without.message.contains("no passphrase"), "{name}");
            let wrong = parse(text, Some("another")).unwrap_err();
            assert_eq!(wrong.kind, Kind::BadPrivateKey);
            assert!(wrong.message.contains("passphrase is wrong"), "{name}");
        }
        assert!(parse(key!("ed25519"), Some("not needed")).is_ok());
    }

    #[test]
    fn a_passphrase_that_is_not_needed_changes_nothing() {
        for text in [
            key!("rsa-pkcs1"),
            key!("rsa-pkcs8"),
            key!("ecdsa-256"),
            key!("ecdsa-256-sec1"),
        ] {
            assert!(parse(text, Some("not needed")).is_ok());
        }
        let mislabelled = key!("rsa-pkcs8-encrypted").replace("ENCRYPTED ", "");
        assert!(parse(&mislabelled, Some(PASSPHRASE)).is_ok());
    }

    #[test]
    fn a_key_is_refused_before_the_work() {
        for slow in [key!("ed25519-slow"), key!("rsa-pkcs8-slow")] {
            for text in [
                slow.to_owned(),
                slow.replace("ENCRYPTED ", ""),
                slow.replace("ENCRYPTED ", "EC "),
                slow.replacen("KEY-----\n", "KEY-----  \n", 1),
            ] {
                let failure = parse(&text, Some(PASSPHRASE)).unwrap_err();
                assert!(failure.message.contains("too much work"), "{text}");
            }
            for decoy in [
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
                "-----BEGIN RSA PRIVATE KEY-----  \nAAAA\n-----END RSA PRIVATE KEY-----",
            ] {
                let text = format!("{decoy}\n{slow}");
                let failure = parse(&text, Some(PASSPHRASE)).unwrap_err();
                assert!(failure.message.contains("cannot be read"), "{text}");
            }
        }
    }

    #[test]
    fn what_is_no_key_says_so() {
        let cut = &key!("rsa-pkcs8")[..500];
        for text in [
            "",
            "ssh-ed25519 AAAA",
            "-----BEGIN PRIVATE KEY-----",
            cut,
            "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
        ] {
            assert_eq!(
                parse(text, None).unwrap_err().kind,
                Kind::BadPrivateKey,
                "{text}"
            );
        }
        let putty = parse("PuTTY-User-Key-File-3: ssh-ed25519", None).unwrap_err();
        assert!(putty.message.contains("PuTTY"));
    }

    #[test]
    fn rsa_signs_with_sha_2_only() {
        let rsa = parse(key!("rsa"), None).unwrap();
        let (sha_512, sha_256) = (Some(HashAlg::Sha512), Some(HashAlg::Sha256));
        assert_eq!(rsa_hashes(&rsa, None), [sha_512, sha_256]);
        assert_eq!(rsa_hashes(&rsa, sha_512), [sha_512, sha_256]);
        assert_eq!(rsa_hashes(&rsa, sha_256), [sha_256, sha_512]);
        let ed25519 = parse(key!("ed25519"), None).unwrap();
        assert_eq!(rsa_hashes(&ed25519, None), [None]);
    }
}
