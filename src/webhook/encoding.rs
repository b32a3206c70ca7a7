//! How digests and secrets are written.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXLOWER_PERMISSIVE};

use crate::config::webhook::{Algorithm, StringType};
use crate::crypto::Hash;

/// Reads a written digest. Padding may be left out, hex may be in capitals.
pub(super) fn decode(text: &[u8], kind: StringType) -> Option<Vec<u8>> {
    let text = text.trim_ascii();
    match kind {
        StringType::Hex => HEXLOWER_PERMISSIVE.decode(text).ok(),
        StringType::Base64 => base64(text),
        StringType::Base64url => BASE64URL_NOPAD.decode(unpadded(text)).ok(),
    }
}

/// Base64 with or without padding.
pub(super) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    BASE64_NOPAD.decode(unpadded(text)).ok()
}

pub(super) fn encode(bytes: &[u8], kind: StringType) -> String {
    match kind {
        StringType::Hex => HEXLOWER.encode(bytes),
        StringType::Base64 => BASE64.encode(bytes),
        StringType::Base64url => BASE64URL_NOPAD.encode(bytes),
    }
}

fn unpadded(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., b'='] = text {
        text = rest;
    }
    text
}

/// The hash function of that name; SHA-256 when the file says none.
pub(super) fn hash(algorithm: Option<Algorithm>) -> Hash {
    match algorithm {
        Some(Algorithm::Sha1) => Hash::Sha1,
        None | Some(Algorithm::Sha256) => Hash::Sha256,
        Some(Algorithm::Sha384) => Hash::Sha384,
        Some(Algorithm::Sha512) => Hash::Sha512,
    }
}
