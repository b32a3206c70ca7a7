//! Hashes, message authentication, signatures and encryption: the one place that names the crypto crates.
//! It holds no keys and draws no random numbers; what keys mean is `account::seal`'s, what a signature proves
//! is `webhook`'s.

mod der;
mod key_text;
mod mac;
mod oauth1;
mod pem;
mod private_key;
mod public_key;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use data_encoding::HEXLOWER;
use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

pub use key_text::{of_base64, of_hex};
pub use mac::{Hash, digest, hmac};
pub use oauth1::{Oauth1Keys, Oauth1Method, Oauth1Request};
pub use private_key::{PrivateKey, SigningScheme};
pub use public_key::{KeyKind, PublicKey};

/// Bytes of an AES-GCM nonce (NIST SP 800-38D).
pub const NONCE_BYTES: usize = 12;

/// SHA-256 (FIPS 180-4).
pub fn sha256(message: &[u8]) -> [u8; 32] {
    Sha256::digest(message).into()
}

/// SHA-256 in lower-case hex, as token hashes are stored.
pub fn sha256_hex(message: &[u8]) -> String {
    HEXLOWER.encode(&sha256(message))
}

/// Compares in a time that does not depend on where the two differ. Different lengths are unequal.
pub fn constant_time_eq(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

/// One key for one purpose from a master key: HKDF-SHA256 (RFC 5869) without salt.
pub fn derive_key(master: &[u8; 32], info: &[&[u8]]) -> [u8; 32] {
    let mut key = [0; 32];
    // 32 bytes are one block; HKDF refuses only more than 255 blocks.
    let expanded = Hkdf::<Sha256>::new(None, master).expand_multi_info(info, &mut key);
    debug_assert!(expanded.is_ok());
    key
}

/// AES-256-GCM; the associated data is authenticated, not stored. `None` only for a message over 64 GiB.
pub fn encrypt(
    key: &[u8; 32],
    nonce: &[u8; NONCE_BYTES],
    associated: &[u8],
    message: &[u8],
) -> Option<Vec<u8>> {
    let payload = Payload {
        msg: message,
        aad: associated,
    };
    Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key))
        .encrypt(&Nonce::from(*nonce), payload)
        .ok()
}

/// Undoes [`encrypt`]; `None` when the key, the associated data or one bit is another.
pub fn decrypt(
    key: &[u8; 32],
    nonce: &[u8; NONCE_BYTES],
    associated: &[u8],
    sealed: &[u8],
) -> Option<Vec<u8>> {
    let payload = Payload {
        msg: sealed,
        aad: associated,
    };
    Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key))
        .decrypt(&Nonce::from(*nonce), payload)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes<const N: usize>(hex: &str) -> [u8; N] {
        HEXLOWER.decode(hex.as_bytes()).unwrap().try_into().unwrap()
    }

    #[test]
    fn sha256_agrees_with_fips_180_4() {
        assert_eq!(
            sha256_hex(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn hkdf_agrees_with_rfc_5869_case_3() {
        // The case's key is 22 bytes; ours are always 32, so the primitive itself is asked.
        let mut key = [0; 32];
        Hkdf::<Sha256>::new(None, &[0x0b; 22])
            .expand(&[], &mut key)
            .unwrap();
        assert_eq!(
            HEXLOWER.encode(&key),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
        );
        assert_ne!(derive_key(&[1; 32], &[b"a"]), derive_key(&[1; 32], &[b"b"]));
    }

    #[test]
    fn aes_gcm_agrees_with_the_gcm_specification_case_16() {
        let key = bytes::<32>("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
        let nonce = bytes::<12>("cafebabefacedbaddecaf888");
        let associated = bytes::<20>("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let message = bytes::<60>(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        );
        let sealed = encrypt(&key, &nonce, &associated, &message).unwrap();
        assert_eq!(
            HEXLOWER.encode(&sealed[60..]),
            "76fc6ece0f4e1768cddf8853bb2d551b"
        );
        assert_eq!(
            decrypt(&key, &nonce, &associated, &sealed).unwrap(),
            message
        );
        assert!(decrypt(&key, &nonce, b"other", &sealed).is_none());
    }

    #[test]
    fn comparison_knows_lengths() {
        assert!(constant_time_eq(b"abc", b"abc"));
        assert!(!constant_time_eq(b"abc", b"abd"));
        assert!(!constant_time_eq(b"abc", b"abcd"));
    }
}
