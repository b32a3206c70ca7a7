//! The private key that an account logs in with: OpenSSH, PKCS#1, SEC1 and PKCS#8, with or without a passphrase.
//!
//! A key says itself how much work its encryption takes. That is bounded before the work is done: a passphrase that takes minutes
//! would use up the processor time of all transfers of the isolate.

use data_encoding::BASE64;
use pkcs8::EncryptedPrivateKeyInfoRef;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::Kdf;
use russh::keys::ssh_key::Kdf as OpensshKdf;
use russh::keys::{Algorithm, HashAlg, PrivateKey, decode_secret_key};

use crate::error::{Failure, Kind, Outcome};

/// Rounds of bcrypt: `ssh-keygen` takes 16 (`-a`).
const BCRYPT_ROUNDS: u32 = 256;
/// Iterations of PBKDF2: OpenSSL takes 2,048, those who choose one up to a million.
const PBKDF2_ITERATIONS: u32 = 2_000_000;
/// Memory of scrypt: OpenSSL takes 16 MiB. The isolate has 128 MB.
const SCRYPT_BYTES: u64 = 32 * 1024 * 1024;

/// How much work it is to open a key.
#[derive(Debug, PartialEq, Eq)]
enum Work {
    Bounded,
    TooMuch,
    /// There is no key in the text.
    Unknown,
}

pub fn parse(text: &str, passphrase: Option<&str>) -> Outcome<PrivateKey> {
    let text = text.trim();
    let wrong = |message: &str| Failure::new(Kind::BadPrivateKey, message);
    if text.starts_with("PuTTY-User-Key-File") {
        return Err(wrong(
            "The private key is in PuTTY's format. Export it as an OpenSSH key.",
        ));
    }
    match work(text) {
        Work::Bounded => {}
        Work::TooMuch => {
            return Err(wrong(
                "The encryption of the private key takes too much work (at most 256 rounds of bcrypt, 2,000,000 iterations of PBKDF2, 32 MiB of scrypt).",
            ));
        }
        Work::Unknown => {
            return Err(wrong(
                "The private key cannot be read. It is the whole text from -----BEGIN to -----END, of an OpenSSH, PKCS#1 or PKCS#8 key.",
            ));
        }
    }
    decode_secret_key(text, passphrase).map_err(|_| {
        wrong(match (is_encrypted(text), passphrase) {
            (true, None) => "The private key is encrypted, and there is no passphrase.",
            (true, Some(_)) => "The private key cannot be opened: the passphrase is wrong, or its encryption is not supported.",
            (false, _) => "The private key is damaged, or its kind is not supported.",
        })
    })
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

/// The label of the text, and the bytes of its base64.
fn body(text: &str) -> Option<(&str, Vec<u8>)> {
    let mut lines = text.lines().map(str::trim_end);
    let label = lines
        .find_map(|line| line.strip_prefix("-----BEGIN "))?
        .strip_suffix("-----")?;
    let base64 = lines
        .take_while(|line| !line.starts_with("-----END "))
        .filter(|line| !line.contains(':'))
        .collect::<String>();
    Some((label, BASE64.decode(base64.as_bytes()).ok()?))
}

fn is_encrypted(text: &str) -> bool {
    match body(text) {
        Some(("ENCRYPTED PRIVATE KEY", _)) => true,
        Some(("OPENSSH PRIVATE KEY", bytes)) => {
            PrivateKey::from_bytes(&bytes).is_ok_and(|key| key.is_encrypted())
        }
        _ => text
            .lines()
            .any(|line| line.starts_with("Proc-Type:") && line.contains("ENCRYPTED")),
    }
}

fn work(text: &str) -> Work {
    match body(text) {
        Some(("OPENSSH PRIVATE KEY", bytes)) => match PrivateKey::from_bytes(&bytes) {
            Ok(key) => work_of_bcrypt(key.kdf()),
            Err(_) => Work::Unknown,
        },
        Some(("ENCRYPTED PRIVATE KEY", bytes)) => {
            match EncryptedPrivateKeyInfoRef::try_from(bytes.as_slice()) {
                Ok(key) => work_of_pbes2(&key.encryption_algorithm),
                Err(_) => Work::Unknown,
            }
        }
        Some(_) => Work::Bounded,
        None => Work::Unknown,
    }
}

fn work_of_bcrypt(kdf: &OpensshKdf) -> Work {
    match kdf {
        OpensshKdf::None => Work::Bounded,
        OpensshKdf::Bcrypt { rounds, .. } if *rounds <= BCRYPT_ROUNDS => Work::Bounded,
        _ => Work::TooMuch,
    }
}

fn work_of_pbes2(scheme: &EncryptionScheme) -> Work {
    let EncryptionScheme::Pbes2(parameters) = scheme else {
        return Work::Bounded; // refused by its kind
    };
    let is_bounded = match &parameters.kdf {
        Kdf::Pbkdf2(kdf) => kdf.iteration_count <= PBKDF2_ITERATIONS,
        Kdf::Scrypt(kdf) => scrypt_bytes(kdf.cost_parameter, kdf.block_size, kdf.parallelization)
            .is_some_and(|bytes| bytes <= SCRYPT_BYTES),
        _ => false,
    };
    if is_bounded {
        Work::Bounded
    } else {
        Work::TooMuch
    }
}

/// RFC 7914 section 2: 128 bytes for each unit of cost, block size and parallelisation.
fn scrypt_bytes(cost: u64, block_size: u16, parallelization: u16) -> Option<u64> {
    128u64
        .checked_mul(cost)?
        .checked_mul(block_size.into())?
        .checked_mul(parallelization.into())
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
    fn the_work_of_opening_a_key_is_bounded() {
        for slow in [key!("ed25519-slow"), key!("rsa-pkcs8-slow")] {
            let failure = parse(slow, Some(PASSPHRASE)).unwrap_err();
            assert!(failure.message.contains("too much work"));
        }
        assert_eq!(scrypt_bytes(1 << 15, 8, 1), Some(SCRYPT_BYTES));
        assert_eq!(scrypt_bytes(u64::MAX, 8, 1), None);
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
