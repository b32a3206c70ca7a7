//! Private keys as providers issue them, and the signatures they make. A key is in memory while it signs and nowhere
//! else; the random bytes that RSA signatures need are an argument.

use std::convert::Infallible;

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek as ed25519;
use ed25519_dalek::Signer;
use p256::ecdsa;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::pkcs8::DecodePrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::pss::Pss;
use rsa::rand_core::{TryCryptoRng, TryRng};
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, RsaPrivateKey};
use serde_json::Value;
use sha2::Sha256;

use super::der::{ed25519_seed, p256_scalar};
use super::mac::{Hash, digest, hmac};
use super::pem::der_of_pem;

/// Shorter keys are refused (NIST SP 800-131A), and longer ones take seconds of processor time.
const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=4096;
/// Bytes of the longest key that is read: one of RSA with 4,096 bits has 2,375 in PKCS #8.
const LONGEST_DER: usize = 3_000;
/// Bytes of a number of such a key, and a leading zero.
const LONGEST_NUMBER: usize = 513;

/// A private key. It has no `Debug`.
pub struct PrivateKey(Key);

enum Key {
    Rsa(Box<RsaPrivateKey>),
    P256(Box<ecdsa::SigningKey>),
    Ed25519(Box<ed25519::SigningKey>),
}

/// How a private key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigningScheme {
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2).
    RsaPkcs1,
    /// RSASSA-PSS with SHA-256 and a salt of 32 bytes (RFC 8017 §8.1).
    RsaPss,
    /// ECDSA on P-256 with SHA-256, as r ‖ s (RFC 7518 §3.4).
    P256,
    /// Ed25519 (RFC 8032).
    Ed25519,
}

impl PrivateKey {
    /// Reads PEM: PKCS #8, PKCS #1 or SEC 1. Line breaks may be written as `\n`.
    pub fn from_pem(text: &str) -> Option<Self> {
        Self::from_der(&der_of_pem(text, "PRIVATE KEY")?)
    }

    /// Reads the same as DER, or the 32 bytes of an Ed25519 key.
    pub fn from_der(der: &[u8]) -> Option<Self> {
        if der.len() > LONGEST_DER {
            return None;
        }
        if let Some(seed) = ed25519_seed(der)
            .or(Some(der))
            .filter(|seed| seed.len() == 32)
        {
            return Self::of_seed(seed);
        }
        if let Ok(key) = p256::SecretKey::from_pkcs8_der(der) {
            return Some(Self::of_p256(&key));
        }
        if let Some(scalar) = p256_scalar(der) {
            return Self::of_scalar(scalar);
        }
        let key = RsaPrivateKey::from_pkcs8_der(der).ok();
        let key = key.or_else(|| RsaPrivateKey::from_pkcs1_der(der).ok());
        Self::of_rsa(key?)
    }

    /// Reads an Ed25519 key alone: the PEM or DER of RFC 8410, or its 32 bytes. Other keys take long to be read.
    pub fn ed25519(key: &[u8]) -> Option<Self> {
        let pem = std::str::from_utf8(key).ok();
        let pem = pem.and_then(|text| der_of_pem(text, "PRIVATE KEY"));
        let der = pem.as_deref().unwrap_or(key);
        Self::of_seed(ed25519_seed(der).unwrap_or(der))
    }

    /// Reads a JSON Web Key (RFC 7517, 7518 §6, 8037 §2).
    pub fn from_jwk(jwk: &Value) -> Option<Self> {
        let bytes = |name: &str| {
            let text = jwk.get(name)?.as_str()?.trim_end_matches('=');
            BASE64URL_NOPAD.decode(text.as_bytes()).ok()
        };
        let curve = jwk.get("crv").and_then(Value::as_str);
        match (jwk.get("kty")?.as_str()?, curve) {
            ("RSA", _) => {
                let number = |name| {
                    let bytes = bytes(name).filter(|bytes| bytes.len() <= LONGEST_NUMBER)?;
                    Some(BoxedUint::from_be_slice_vartime(&bytes))
                };
                let primes = vec![number("p")?, number("q")?];
                let (modulus, exponent) = (number("n")?, number("e")?);
                let key = RsaPrivateKey::from_components(modulus, exponent, number("d")?, primes);
                Self::of_rsa(key.ok()?)
            }
            ("EC", Some("P-256")) => Self::of_scalar(&bytes("d")?),
            ("OKP", Some("Ed25519")) => Self::of_seed(&bytes("d")?),
            _ => None,
        }
    }

    fn of_rsa(key: RsaPrivateKey) -> Option<Self> {
        let fits = RSA_BITS.contains(&key.n().bits());
        fits.then(|| Self(Key::Rsa(Box::new(key))))
    }

    fn of_seed(seed: &[u8]) -> Option<Self> {
        let key = ed25519::SigningKey::from_bytes(seed.try_into().ok()?);
        Some(Self(Key::Ed25519(Box::new(key))))
    }

    fn of_scalar(scalar: &[u8]) -> Option<Self> {
        Some(Self::of_p256(&p256::SecretKey::from_slice(scalar).ok()?))
    }

    fn of_p256(key: &p256::SecretKey) -> Self {
        Self(Key::P256(Box::new(key.into())))
    }

    /// The signature of a message; `None` where the key is of another kind. `random` blinds RSA and is the source of the
    /// salt of PSS.
    pub fn sign(&self, scheme: SigningScheme, message: &[u8], random: [u8; 32]) -> Option<Vec<u8>> {
        let hashed = || digest(Hash::Sha256, message);
        let mut stream = RandomStream::of(random);
        match (&self.0, scheme) {
            (Key::Rsa(key), SigningScheme::RsaPkcs1) => {
                let padding = Pkcs1v15Sign::new::<Sha256>();
                key.sign_with_rng(&mut stream, padding, &hashed()).ok()
            }
            (Key::Rsa(key), SigningScheme::RsaPss) => {
                let padding = Pss::<Sha256>::new_blinded();
                key.sign_with_rng(&mut stream, padding, &hashed()).ok()
            }
            (Key::P256(key), SigningScheme::P256) => {
                let signature: ecdsa::Signature = key.sign_prehash(&hashed()).ok()?;
                Some(signature.to_bytes().to_vec())
            }
            (Key::Ed25519(key), SigningScheme::Ed25519) => {
                Some(key.sign(message).to_bytes().to_vec())
            }
            _ => None,
        }
    }
}

/// Random bytes out of 32: HMAC-SHA256 of a counter.
struct RandomStream {
    seed: [u8; 32],
    blocks: u64,
}

impl RandomStream {
    fn of(seed: [u8; 32]) -> Self {
        Self { seed, blocks: 0 }
    }
}

impl TryRng for RandomStream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, target: &mut [u8]) -> Result<(), Infallible> {
        for chunk in target.chunks_mut(32) {
            let block = hmac(Hash::Sha256, &self.seed, &self.blocks.to_be_bytes());
            self.blocks = self.blocks.wrapping_add(1);
            for (to, from) in chunk.iter_mut().zip(block) {
                *to = from;
            }
        }
        Ok(())
    }
}

impl TryCryptoRng for RandomStream {}

#[cfg(test)]
mod tests;
