//! Digests and HMAC (RFC 2104) by the hash function's name.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

/// A hash function (FIPS 180-4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-1, for the providers that have nothing else.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// The digest of a message.
pub fn digest(hash: Hash, message: &[u8]) -> Vec<u8> {
    match hash {
        Hash::Sha1 => Sha1::digest(message).to_vec(),
        Hash::Sha256 => Sha256::digest(message).to_vec(),
        Hash::Sha384 => Sha384::digest(message).to_vec(),
        Hash::Sha512 => Sha512::digest(message).to_vec(),
    }
}

/// The authentication code of a message. Compare it with [`super::constant_time_eq`] only.
pub fn hmac(hash: Hash, key: &[u8], message: &[u8]) -> Vec<u8> {
    match hash {
        Hash::Sha1 => code::<Hmac<Sha1>>(key, message),
        Hash::Sha256 => code::<Hmac<Sha256>>(key, message),
        Hash::Sha384 => code::<Hmac<Sha384>>(key, message),
        Hash::Sha512 => code::<Hmac<Sha512>>(key, message),
    }
}

fn code<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Vec<u8> {
    // HMAC takes keys of any length. No code at all equals no signature, so that an impossible error refuses.
    let Ok(mac) = <M as KeyInit>::new_from_slice(key) else {
        debug_assert!(false, "HMAC takes keys of any length");
        return Vec::new();
    };
    mac.chain_update(message).finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::{Hash, digest, hmac};

    #[test]
    fn hmac_agrees_with_rfc_2202_and_rfc_4231_case_2() {
        let table = [
            (Hash::Sha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (
                Hash::Sha256,
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                Hash::Sha384,
                "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
            ),
            (
                Hash::Sha512,
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ),
        ];
        for (hash, expected) in table {
            let code = hmac(hash, b"Jefe", b"what do ya want for nothing?");
            assert_eq!(HEXLOWER.encode(&code), expected);
        }
    }

    #[test]
    fn digests_agree_with_fips_180_4() {
        let short = |hash| HEXLOWER.encode(&digest(hash, b"abc")[..8]);
        assert_eq!(short(Hash::Sha1), "a9993e364706816a");
        assert_eq!(short(Hash::Sha256), "ba7816bf8f01cfea");
        assert_eq!(short(Hash::Sha384), "cb00753f45a35e8b");
        assert_eq!(short(Hash::Sha512), "ddaf35a193617aba");
    }
}
