//! Tokens and webhook URLs that show by themselves that this gateway made them: each carries a signature over its kind,
//! the id it names and its random part. It is checked before anything is read, so a forged one costs nothing.
//!
//! A token is `<prefix><id, 32 hex>_<base64url(32 random bytes ‖ 16 bytes of signature)>` (a `state` has a dot there), the
//! end of a webhook URL `<id>_<signature, 32 hex>` (hex, for URLs that lose their upper case). Whether a token is revoked or expired is the
//! object's to say that keeps its hash.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};

use super::seal::{Keyring, SIGNATURE_BYTES, SealError};
use crate::ids::Id;

/// Random bytes of a token.
const RANDOM_BYTES: usize = 32;

/// What is signed. A signature for one kind does not fit another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// An API token, of an environment.
    Api,
    /// An account token.
    Account,
    /// A link token, of an environment.
    Link,
    /// An MCP token, of an account.
    Mcp,
    /// `state` of an authorization request (RFC 6749 §4.1.1), of an account.
    State,
    /// The end of an account's webhook URL.
    AccountWebhook,
    /// The end of an install's webhook URL.
    InstallWebhook,
}

impl TokenKind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Api,
        Self::Account,
        Self::Link,
        Self::Mcp,
        Self::State,
        Self::AccountWebhook,
        Self::InstallWebhook,
    ];

    /// What a text of it starts with. Only a `state`, which no person handles, and URLs say nothing.
    fn prefix(self) -> &'static str {
        match self {
            Self::Api => "ct_",
            Self::Account => "at_",
            Self::Link => "lt_",
            Self::Mcp => "mcp_",
            Self::State | Self::AccountWebhook | Self::InstallWebhook => "",
        }
    }

    /// What separates the id from the rest.
    fn separator(self) -> char {
        if self == Self::State { '.' } else { '_' }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api_token",
            Self::Account => "account_token",
            Self::Link => "link_token",
            Self::Mcp => "mcp_token",
            Self::State => "state",
            Self::AccountWebhook => "integrated_account_webhook",
            Self::InstallWebhook => "environment_integration_webhook",
        }
    }
}

/// Whether a text of the right form is proved to be ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenProof {
    /// By its signature.
    Signed,
    /// It has none, and names an id that was made before there were signatures.
    Unsigned,
}

/// The text of a new token.
pub fn token(
    ring: &Keyring,
    kind: TokenKind,
    id: impl Id,
    random: [u8; RANDOM_BYTES],
) -> Result<String, SealError> {
    let signature = ring.sign(&message(kind, id, &random))?;
    let end = BASE64URL_NOPAD.encode(&[random.as_slice(), &signature].concat());
    let (prefix, separator) = (kind.prefix(), kind.separator());
    Ok(format!("{prefix}{}{separator}{end}", id.to_hex()))
}

/// What a token names, and by what it is proved; `None` for what was not made here.
pub fn read_token<I: Id>(ring: &Keyring, kind: TokenKind, text: &str) -> Option<(I, TokenProof)> {
    let (id, end) = text
        .strip_prefix(kind.prefix())?
        .split_once(kind.separator())?;
    let id: I = id.parse().ok()?;
    let end = BASE64URL_NOPAD.decode(end.as_bytes()).ok()?;
    let (random, signature) = end.split_first_chunk::<RANDOM_BYTES>()?;
    // The one text that is made of them: no hyphens, nothing in front.
    let is_short = text.len() == kind.prefix().len() + 33 + BASE64URL_NOPAD.encode_len(end.len());
    let proof = proof(ring, kind, id, random, signature)?;
    is_short.then_some((id, proof))
}

/// The end of a webhook URL.
pub fn address(ring: &Keyring, kind: TokenKind, id: impl Id) -> Result<String, SealError> {
    let signature = ring.sign(&message(kind, id, &[]))?;
    Ok(format!("{id}_{}", HEXLOWER.encode(&signature)))
}

/// What the end of a webhook URL names; `None` for what was not made here.
pub fn read_address<I: Id>(ring: &Keyring, kind: TokenKind, text: &str) -> Option<(I, TokenProof)> {
    let (id, signature) = text.split_once('_').unwrap_or((text, ""));
    let id: I = id.parse().ok()?;
    if signature.is_empty() && text.ends_with('_') {
        return None;
    }
    let signature = HEXLOWER.decode(signature.as_bytes()).ok()?;
    proof(ring, kind, id, &[], &signature).map(|proof| (id, proof))
}

fn proof(
    ring: &Keyring,
    kind: TokenKind,
    id: impl Id,
    random: &[u8],
    signature: &[u8],
) -> Option<TokenProof> {
    if signature.is_empty() {
        return (!id.is_signed()).then_some(TokenProof::Unsigned);
    }
    let is_whole = signature.len() == SIGNATURE_BYTES;
    let is_ours = is_whole && ring.has_signed(&message(kind, id, random), signature);
    is_ours.then_some(TokenProof::Signed)
}

fn message(kind: TokenKind, id: impl Id, random: &[u8]) -> Vec<u8> {
    let start = format!("{}\0{}\0", kind.as_str(), id.to_hex());
    [start.as_bytes(), random].concat()
}

/// What deliveries of this gateway carry, so that one that comes back to it is known.
pub fn delivery_mark(ring: &Keyring) -> Result<String, SealError> {
    Ok(HEXLOWER.encode(&ring.sign(DELIVERY)?))
}

/// Whether this is the mark of this gateway's deliveries.
pub fn is_delivery_mark(ring: &Keyring, text: &[u8]) -> bool {
    let signature = HEXLOWER.decode(text).ok();
    signature.is_some_and(|signature| ring.has_signed(DELIVERY, &signature))
}

/// No kind's message has this form.
const DELIVERY: &[u8] = b"delivery";

#[cfg(test)]
mod tests;
