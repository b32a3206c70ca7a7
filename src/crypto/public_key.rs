//! Public keys as providers publish them, and the signatures they verify. Nothing here signs.

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
use ed25519_dalek as ed25519;
use p256::ecdsa;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::pkcs8::DecodePublicKey;
use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, RsaPublicKey};
use serde_json::Value;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

use super::der::key_of_certificate;
use super::mac::{Hash, digest};

/// Shorter keys are refused (NIST SP 800-131A).
const LEAST_RSA_BITS: u32 = 2048;
/// In front of the 32 bytes of an Ed25519 key in a `SubjectPublicKeyInfo` (RFC 8410 §4).
const ED25519_INFO: &[u8] = &[
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// A public key.
#[derive(Debug, Clone)]
pub struct PublicKey(Key);

#[derive(Debug, Clone)]
enum Key {
    Rsa(Box<RsaPublicKey>),
    P256(Box<ecdsa::VerifyingKey>),
    Ed25519(Box<ed25519::VerifyingKey>),
}

/// The kind of a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA with PKCS #1 v1.5 signatures (RFC 8017).
    Rsa,
    /// ECDSA on P-256 (FIPS 186-5).
    Ecdsa,
    /// Ed25519 (RFC 8032).
    Ed25519,
}

impl PublicKey {
    /// Reads a PEM (public key or certificate), the base64 of the same DER, or a raw key in base64 or hex: the
    /// 32 bytes of Ed25519, or a point of P-256. `None` when it is none of these.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().replace("\\n", "\n");
        let is_pem = text.starts_with("-----BEGIN ");
        let written: String = text
            .lines()
            .filter(|line| !line.starts_with("-----"))
            .flat_map(str::chars)
            .filter(|character| !character.is_whitespace())
            .collect();
        let from_base64 = BASE64.decode(written.as_bytes()).ok();
        if is_pem {
            return Self::from_der(&from_base64?);
        }
        let from_hex = HEXLOWER_PERMISSIVE.decode(written.as_bytes()).ok();
        let readings = [from_hex, from_base64];
        let mut readings = readings.iter().flatten();
        readings.find_map(|bytes| Self::from_raw(bytes).or_else(|| Self::from_der(bytes)))
    }

    fn from_der(der: &[u8]) -> Option<Self> {
        let der = key_of_certificate(der).unwrap_or(der);
        if let Some(raw) = der.strip_prefix(ED25519_INFO) {
            return Self::from_raw(raw);
        }
        if let Ok(key) = ecdsa::VerifyingKey::from_public_key_der(der) {
            return Some(Self(Key::P256(Box::new(key))));
        }
        let key = RsaPublicKey::from_public_key_der(der).ok();
        let key = key.or_else(|| RsaPublicKey::from_pkcs1_der(der).ok());
        Self::of_rsa(key?)
    }

    fn of_rsa(key: RsaPublicKey) -> Option<Self> {
        let is_long = key.n().bits() >= LEAST_RSA_BITS;
        is_long.then(|| Self(Key::Rsa(Box::new(key))))
    }

    fn from_raw(bytes: &[u8]) -> Option<Self> {
        if let Ok(raw) = <&[u8; 32]>::try_from(bytes) {
            let key = ed25519::VerifyingKey::from_bytes(raw).ok()?;
            return Some(Self(Key::Ed25519(Box::new(key))));
        }
        let is_point = matches!(bytes.len(), 33 | 65);
        let key = is_point.then(|| ecdsa::VerifyingKey::from_sec1_bytes(bytes).ok())?;
        Some(Self(Key::P256(Box::new(key?))))
    }

    /// Reads a JSON Web Key (RFC 7517, 7518 §6, 8037 §2).
    pub fn from_jwk(jwk: &Value) -> Option<Self> {
        let bytes = |name: &str| {
            let text = jwk.get(name)?.as_str()?;
            BASE64URL_NOPAD
                .decode(text.trim_end_matches('=').as_bytes())
                .ok()
        };
        let curve = jwk.get("crv").and_then(Value::as_str);
        match (jwk.get("kty")?.as_str()?, curve) {
            ("RSA", _) => {
                let number = |name| {
                    let bytes = bytes(name)?;
                    Some(BoxedUint::from_be_slice_vartime(&bytes))
                };
                Self::of_rsa(RsaPublicKey::new(number("n")?, number("e")?).ok()?)
            }
            ("EC", Some("P-256")) => {
                let point = [vec![4], bytes("x")?, bytes("y")?].concat();
                Self::from_raw(&point)
            }
            ("OKP", Some("Ed25519")) => Self::from_raw(&bytes("x")?),
            _ => None,
        }
    }

    pub fn kind(&self) -> KeyKind {
        match self.0 {
            Key::Rsa(_) => KeyKind::Rsa,
            Key::P256(_) => KeyKind::Ecdsa,
            Key::Ed25519(_) => KeyKind::Ed25519,
        }
    }

    /// Whether `signature` is one of this key over `message`. Ed25519 has its own hash function and ignores
    /// `hash`; ECDSA signatures are read in both forms, DER and r ‖ s.
    pub fn verifies(&self, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Key::Rsa(key) => {
                let scheme = match hash {
                    Hash::Sha1 => Pkcs1v15Sign::new::<Sha1>(),
                    Hash::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
                    Hash::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
                    Hash::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
                };
                key.verify(scheme, &digest(hash, message), signature)
                    .is_ok()
            }
            Key::P256(key) => {
                let digest = digest(hash, message);
                let forms = [
                    ecdsa::Signature::from_slice(signature),
                    ecdsa::Signature::from_der(signature),
                ];
                let mut forms = forms.into_iter().flatten();
                forms.any(|signature| key.verify_prehash(&digest, &signature).is_ok())
            }
            Key::Ed25519(key) => {
                let signature = ed25519::Signature::from_slice(signature);
                signature.is_ok_and(|signature| key.verify_strict(message, &signature).is_ok())
            }
        }
    }
}

#[cfg(test)]
mod tests;
