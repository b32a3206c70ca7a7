//! Encryption at rest: AES-256-GCM under a key that is derived from a master key and what the
//! secret belongs to. A sealed value opens only in the place it was sealed for.
//!
//! Form: `<master key id>.<base64url(nonce ‖ ciphertext ‖ tag)>`. Key = HKDF-SHA256(master, kind ‖ id);
//! associated data = kind, id, field.

use std::fmt;

use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::Value;

use crate::crypto::{self, NONCE_BYTES};

/// What a sealed value belongs to. Each kind has its own keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealKind {
    /// The secret half of an account's context; `id` is the account's.
    Account,
    /// The write-only secrets of an integration file; `id` is the integration's.
    Integration,
    /// `secret_environment_variables` and secrets inside an override; `id` is the install's.
    Install,
    /// The context a link token brings; `id` is the link token's.
    LinkToken,
    /// The secrets that sign what is delivered to a subscription; `id` is the subscription's.
    Webhook,
    /// A request whose events could not be known; `id` is the event's.
    Event,
    /// An answer that is given again under its idempotency key; `id` is the account's.
    Answer,
    /// The key of an environment's index; `id` is the environment's.
    Index,
    /// A client that was registered for an install; `id` is the key of its registration.
    Client,
    /// A place in a list, in a caller's hands; `id` is the account's, `field` its resource and method.
    Cursor,
    /// What a sync knows of its runs, with the key of its records; `id` is the account's, `field` the sync's name.
    Sync,
}

impl SealKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Integration => "integration",
            Self::Install => "install",
            Self::LinkToken => "link_token",
            Self::Webhook => "webhook",
            Self::Event => "event",
            Self::Answer => "answer",
            Self::Index => "index",
            Self::Client => "client",
            Self::Cursor => "cursor",
            Self::Sync => "sync",
        }
    }
}

/// The place a value is sealed for.
#[derive(Debug, Clone, Copy)]
pub struct SealPlace<'a> {
    /// What it belongs to.
    pub kind: SealKind,
    /// The id of the record that it belongs to.
    pub id: &'a str,
    /// Which of its values it is.
    pub field: &'a str,
}

/// Why a value could not be sealed or opened. The texts are for the operator's log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// `SEALING_KEYS` is absent or not readable.
    #[error(
        "SEALING_KEYS {0}; set it to `id:base64` of 32 random bytes (`openssl rand -base64 32`)"
    )]
    BadKeys(&'static str),
    /// The key that sealed it is no longer in `SEALING_KEYS`.
    #[error(
        "SEALING_KEYS has no key `{0}`, which sealed this value; add it back (docs/operations.md, Changing the sealing key)"
    )]
    UnknownKey(String),
    /// The value, its place or its key was changed.
    #[error(
        "a sealed value does not open with key `{0}`: the key under this id is another, or the value was moved"
    )]
    Broken(String),
    /// What is where a sealed value should be.
    #[error("not a sealed value")]
    NotSealed,
}

struct MasterKey {
    id: String,
    bytes: [u8; 32],
    /// Derived from it, for signatures.
    signing: [u8; 32],
}

/// Bytes of a signature: HMAC-SHA256, cut to its first half (RFC 2104 §5).
pub const SIGNATURE_BYTES: usize = 16;
/// What the key of signatures is derived with; sealing keys have a NUL in theirs.
const SIGNING: &[u8] = b"signature";

/// The master keys of `SEALING_KEYS`: the first seals and signs, all open and verify.
pub struct Keyring(Vec<MasterKey>);

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|key| &key.id))
            .finish()
    }
}

impl Keyring {
    /// Reads a list `id:base64,id:base64` (32 bytes each).
    pub fn parse(text: &str) -> Result<Self, SealError> {
        let keys = text
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(parse_key)
            .collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(SealError::BadKeys("is not set"));
        }
        let mut ids: Vec<_> = keys.iter().map(|key| key.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.len() != keys.len() {
            return Err(SealError::BadKeys("names one id twice"));
        }
        Ok(Self(keys))
    }

    /// The ids of all keys, the one that seals first.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|key| key.id.as_str())
    }

    /// Whether the first key sealed this.
    pub fn is_current(&self, sealed: &str) -> bool {
        self.ids().next() == Some(key_id(sealed))
    }

    /// Signs a message under the first key.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; SIGNATURE_BYTES], SealError> {
        let key = self.0.first().ok_or(SealError::BadKeys("is not set"))?;
        Ok(signature(key, message))
    }

    /// Whether one of the keys has signed this message.
    pub fn has_signed(&self, message: &[u8], signed: &[u8]) -> bool {
        let is_by = |key: &MasterKey| crypto::constant_time_eq(&signature(key, message), signed);
        self.0.iter().any(is_by)
    }

    /// Seals a JSON value for its place; `nonce` must be freshly random.
    pub fn seal(
        &self,
        place: SealPlace<'_>,
        nonce: [u8; NONCE_BYTES],
        value: &Value,
    ) -> Result<String, SealError> {
        let master = self.0.first().ok_or(SealError::BadKeys("is not set"))?;
        let key = derive(master, place);
        let sealed = crypto::encrypt(
            &key,
            &nonce,
            &associated(place),
            value.to_string().as_bytes(),
        )
        .ok_or_else(|| SealError::Broken(master.id.clone()))?;
        let body = BASE64URL_NOPAD.encode(&[nonce.as_slice(), &sealed].concat());
        Ok(format!("{}.{body}", master.id))
    }

    /// Opens what [`Keyring::seal`] made for the same place.
    pub fn open(&self, place: SealPlace<'_>, sealed: &str) -> Result<Value, SealError> {
        let (id, body) = sealed.split_once('.').ok_or(SealError::NotSealed)?;
        let master = self
            .0
            .iter()
            .find(|key| key.id == id)
            .ok_or_else(|| SealError::UnknownKey(id.to_owned()))?;
        let bytes = BASE64URL_NOPAD
            .decode(body.as_bytes())
            .map_err(|_| SealError::NotSealed)?;
        let (nonce, body) = bytes
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(SealError::NotSealed)?;
        let opened = crypto::decrypt(&derive(master, place), nonce, &associated(place), body);
        let text = opened.ok_or_else(|| SealError::Broken(id.to_owned()))?;
        serde_json::from_slice(&text).map_err(|_| SealError::Broken(id.to_owned()))
    }
}

/// The id of the key that sealed a value.
pub fn key_id(sealed: &str) -> &str {
    sealed.split_once('.').map_or(sealed, |(id, _)| id)
}

fn parse_key(entry: &str) -> Result<MasterKey, SealError> {
    let (id, key) = entry
        .split_once(':')
        .ok_or(SealError::BadKeys("has an entry without `id:`"))?;
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if id.is_empty() || id.len() > 32 || !id.chars().all(is_word) {
        return Err(SealError::BadKeys(
            "has a key id that is not 1 to 32 letters, digits, `-` or `_`",
        ));
    }
    let bytes = BASE64
        .decode(key.as_bytes())
        .map_err(|_| SealError::BadKeys("has a key that is not base64"))?;
    let bytes: [u8; 32] = bytes
        .try_into()
        .map_err(|_| SealError::BadKeys("has a key that is not 32 bytes"))?;
    Ok(MasterKey {
        id: id.to_owned(),
        signing: crypto::derive_key(&bytes, &[SIGNING]),
        bytes,
    })
}

fn signature(key: &MasterKey, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
    let whole = crypto::hmac(crypto::Hash::Sha256, &key.signing, message);
    let half = whole.first_chunk::<SIGNATURE_BYTES>();
    debug_assert!(half.is_some(), "HMAC-SHA256 is 32 bytes");
    half.copied().unwrap_or_default()
}

fn derive(master: &MasterKey, place: SealPlace<'_>) -> [u8; 32] {
    crypto::derive_key(
        &master.bytes,
        &[place.kind.as_str().as_bytes(), b"\0", place.id.as_bytes()],
    )
}

fn associated(place: SealPlace<'_>) -> Vec<u8> {
    [place.kind.as_str(), place.id, place.field]
        .join("\0")
        .into_bytes()
}

#[cfg(test)]
mod tests;
