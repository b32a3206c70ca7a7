//! How a provider's webhooks are verified and read. The order is fixed:
//! signature over the raw bytes, then the handshake, then the transform.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::expression::{Expression, Template, UrlTemplate};

use super::Count;
use super::schema::also;

mod part;
pub use part::{CompareWith, Part};

// Second spellings, for the JSON Schema.
const ALGORITHM_ALSO: &[&str] = &[
    "SHA1", "SHA-1", "sha-1", "SHA256", "SHA-256", "sha-256", "SHA384", "SHA-384", "sha-384",
    "SHA512", "SHA-512", "sha-512",
];
const UNIT_ALSO: &[&str] = &[
    "s",
    "second",
    "ms",
    "millisecond",
    "ns",
    "nanosecond",
    "iso",
    "iso8601",
];

/// How a provider's webhooks are verified and read.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Webhook {
    /// How a request is proved to come from the provider. Without it every webhook is refused.
    pub signature_verification: Option<SignatureVerification>,
    /// JSONata: answers the provider's handshake.
    pub handle_verification: Option<Expression>,
    /// Whether a handshake that the provider sends unsigned is answered.
    pub allow_unsigned_handshake: bool,
    /// JSONata: one event, or an array of them.
    pub payload_transform: Option<Expression>,
    /// JSONata: what tells a repeated event from a new one.
    pub event_id: Option<Expression>,
}

/// How a request is proved to come from the provider.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignatureVerification {
    /// The kind of proof. `HMAC-SHA256` and its like are `hmac` with that algorithm.
    pub format: SignatureFormat,
    /// Where the proof stands, and what it is made of.
    #[serde(default)]
    pub config: SignatureConfig,
}

/// The kind of proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(transform = super::schema::signature_format)]
pub enum SignatureFormat {
    /// HMAC (RFC 2104).
    Hmac,
    /// RSA, PKCS #1 v1.5 (RFC 8017).
    Rsa,
    /// ECDSA.
    Ecdsa,
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// A signed token (RFC 7519).
    Jwt,
    /// `Authorization: Basic`.
    Basic,
    /// `Authorization: Bearer`, or a token in another place.
    Bearer,
    /// Standard Webhooks, which `svix` and `clerk` also mean.
    #[serde(alias = "svix", alias = "clerk")]
    StandardWebhooks,
    /// No proof at all. Has to be written.
    None,
}

/// Where the proof stands, and what it is made of.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SignatureConfig {
    /// The hash function.
    pub algorithm: Option<Algorithm>,
    /// The shared secret. A literal one is write-only.
    pub secret: Option<Template>,
    /// How the secret is written.
    pub secret_encoding: SecretEncoding,
    /// What is signed, in order: literals, `$body`, `$header.x`, `$query.x`, `$url`, `$method`, `$path`, `$form_sorted`, `$timestamp`, `$id`.
    pub parts: Vec<Part>,
    /// What is signed, as one text.
    pub verification_content: Option<Template>,
    /// How the digest is written.
    pub string_type: Option<StringType>,
    /// Where the signature stands: `$header.x-sig`, with a literal prefix as in `v0=$header.x-sig`.
    pub compare_with: Option<CompareWith>,
    /// Where the signature stands in a list such as `t=…,v1=…,v1=…`.
    pub signature: Option<Signature>,
    /// Where the time of signing stands.
    pub timestamp: Option<Timestamp>,
    /// The public key, PEM or base64.
    pub public_key: Option<Template>,
    /// Where the public keys are published.
    pub jwks_url: Option<UrlTemplate>,
    /// The user name of `basic`.
    pub username: Option<Template>,
    /// The password of `basic`. A literal one is write-only.
    pub password: Option<Template>,
    /// The token of `bearer`. A literal one is write-only.
    pub token: Option<Template>,
    /// The context key by which an install's webhook finds its accounts.
    pub context_lookup_field_name: Option<String>,
    /// JSONata: the value that key must have.
    pub context_lookup_field_value: Option<Expression>,
}

/// A hash function. Read in any case, with or without a hyphen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(transform = also(ALGORITHM_ALSO))]
pub enum Algorithm {
    /// SHA-1, for the providers that have nothing else.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// How a secret is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SecretEncoding {
    /// Its bytes are the text's.
    #[default]
    Utf8,
    /// Base64.
    Base64,
    /// Hex.
    Hex,
}

/// How a digest is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StringType {
    /// Hex.
    Hex,
    /// Base64.
    Base64,
    /// Base64 for URLs.
    Base64url,
}

/// A header that lists signatures.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// The header.
    pub header: String,
    /// What stands in front of each signature.
    #[serde(default)]
    pub prefix: Option<String>,
    /// What stands between them; `,` when absent.
    #[serde(default)]
    pub separator: Option<String>,
    /// The key of the entries that are signatures, as `v1` in `v1=…`.
    #[serde(default)]
    pub key: Option<String>,
}

/// Where the time of signing stands.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Timestamp {
    /// A part, or `$signature.t` for an entry of the signature's list.
    pub from: String,
    /// What it is counted in.
    #[serde(default)]
    pub unit: TimestampUnit,
    /// How many seconds it may differ from now.
    #[serde(default = "tolerance")]
    pub tolerance: Count,
}

fn tolerance() -> Count {
    Count(300)
}

/// What a time is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(transform = also(UNIT_ALSO))]
pub enum TimestampUnit {
    /// Seconds since 1970.
    #[default]
    #[serde(alias = "s", alias = "second")]
    Seconds,
    /// Milliseconds since 1970.
    #[serde(alias = "ms", alias = "millisecond")]
    Milliseconds,
    /// Nanoseconds since 1970.
    #[serde(alias = "ns", alias = "nanosecond")]
    Nanoseconds,
    /// ISO 8601.
    #[serde(alias = "iso", alias = "iso8601")]
    Rfc3339,
}

impl Webhook {
    /// Where public keys are fetched from.
    pub fn jwks_url(&self) -> Option<&UrlTemplate> {
        self.signature_verification
            .as_ref()?
            .config
            .jwks_url
            .as_ref()
    }
}

impl SignatureVerification {
    /// Whether it says where the signature stands. Where it does not, every
    /// webhook is refused.
    pub fn has_signature_place(&self) -> bool {
        let config = &self.config;
        let is_placed = config.compare_with.is_some() || config.signature.is_some();
        match self.format {
            SignatureFormat::Hmac
            | SignatureFormat::Rsa
            | SignatureFormat::Ecdsa
            | SignatureFormat::Ed25519 => is_placed,
            // Their place is fixed by a standard.
            SignatureFormat::Jwt
            | SignatureFormat::Basic
            | SignatureFormat::Bearer
            | SignatureFormat::StandardWebhooks
            | SignatureFormat::None => true,
        }
    }
}
