//! `jwt`: a token that the gateway signs for the account (RFC 7519, 7523).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{Count, Field};
use crate::expression::{Placeholder, Template, TemplateTree};

/// A token that is signed with the account's key. The gateway sets `iat`, `nbf`, `exp` and `jti` of each.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "JwtSettings")]
pub struct Jwt {
    /// How it is signed.
    pub algorithm: SigningAlgorithm,
    /// The private key, or the shared secret. A literal one is write-only, so it is absent where the file is shown.
    #[serde(default)]
    pub key: Option<Template>,
    /// How the key is written.
    #[serde(default)]
    pub key_format: KeyFormat,
    /// `kid` of the header.
    #[serde(default)]
    pub key_id: Option<Template>,
    /// Further members of the header; an entry without a value is left out.
    #[serde(default)]
    pub header: BTreeMap<String, TemplateTree>,
    /// Its claims, such as `iss`, `sub` and `aud`; an entry without a value is left out.
    #[serde(default)]
    pub claims: BTreeMap<String, TemplateTree>,
    /// Seconds that it lives: 60 to 86,400; 300 when absent.
    #[serde(default)]
    pub lifetime: Option<Count>,
}

/// The algorithm of a signature (RFC 7518, section 3; RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
    /// RSASSA-PSS with SHA-256.
    #[serde(rename = "PS256")]
    Ps256,
    /// ECDSA on P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// HMAC with SHA-256.
    #[serde(rename = "HS256")]
    Hs256,
    /// HMAC with SHA-384.
    #[serde(rename = "HS384")]
    Hs384,
    /// HMAC with SHA-512.
    #[serde(rename = "HS512")]
    Hs512,
}

impl SigningAlgorithm {
    /// Its name in the header.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// Whether its key is a secret that both sides have.
    pub fn is_shared(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }
}

/// How a key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyFormat {
    /// PEM: PKCS #8, PKCS #1 or SEC 1.
    #[default]
    Pem,
    /// A JSON Web Key, as text.
    Jwk,
    /// The bytes of a secret, of an Ed25519 key or of a DER, in hex.
    Hex,
    /// The same in base64 or base64url.
    Base64,
    /// A secret as it is.
    Utf8,
}

/// A self-signed token that requests carry as it is.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SelfSigned {
    /// The inputs of the connect form.
    #[serde(default)]
    pub fields: Vec<Field>,
    /// The token.
    pub jwt: Jwt,
}

/// Bounds of `lifetime`, and what counts where it is absent.
pub const LIFETIME: std::ops::RangeInclusive<u64> = 60..=86_400;
const DEFAULT_LIFETIME: u64 = 300;

impl Jwt {
    /// Whether its key can be the operator's: an absent one may be a sealed one.
    pub fn has_operators_key(&self, is_operators: impl FnOnce(&Template) -> bool) -> bool {
        self.key.as_ref().is_none_or(is_operators)
    }

    /// Seconds that it lives.
    pub fn lifetime(&self) -> u64 {
        let set = self.lifetime.map_or(DEFAULT_LIFETIME, |count| count.0);
        set.clamp(*LIFETIME.start(), *LIFETIME.end())
    }

    /// What says whose token it is: the placeholders of all but the key, each with its place.
    pub fn placeholders(&self) -> impl Iterator<Item = (String, Vec<&Placeholder>)> {
        let header = self.header.iter();
        let header = header.map(|(key, tree)| (format!("jwt.header.{key}"), tree.placeholders()));
        let claims = self.claims.iter();
        let claims = claims.map(|(key, tree)| (format!("jwt.claims.{key}"), tree.placeholders()));
        let id = self.key_id.iter();
        let id = id.map(|id| ("jwt.key_id".to_owned(), id.placeholders().collect()));
        header.chain(claims).chain(id)
    }
}
