//! `signature_verification`: what proves that a request comes from the provider.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::Count;
use crate::config::schema;
use crate::config::schema::also;
use crate::expression::pattern::WholePattern;
use crate::expression::{Expression, Template, UrlTemplate};

use super::{CompareWith, RequestPart, When};

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

/// How a request is proved to come from the provider.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignatureVerification {
    /// The kind of proof. `HMAC-SHA256` and its like are `hmac` with that algorithm.
    pub format: SignatureFormat,
    /// What the request must say for the scheme to be tried: texts by place (`$header.x`, `$query.x`, `$body.x`).
    #[serde(default)]
    pub when: When,
    /// Where the signature is, and what it covers.
    #[serde(default)]
    pub config: SignatureConfig,
}

/// The kind of proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(transform = schema::signature_format)]
pub enum SignatureFormat {
    /// HMAC (RFC 2104).
    Hmac,
    /// A plain digest of content that holds the secret (`$secret`), for the schemes older than HMAC.
    Hash,
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

/// Where the signature is, and what it covers.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SignatureConfig {
    /// The hash function.
    pub algorithm: Option<Algorithm>,
    /// The shared secret. A literal one is write-only.
    pub secret: Option<Template>,
    /// The secret, token or password before the present one: taken too while it has a value. A literal one is write-only.
    pub previous_secret: Option<Template>,
    /// How the secret is written.
    pub secret_encoding: SecretEncoding,
    /// What is signed, in order: literals, `$body`, `$body.x`, `$header.x`, `$query`, `$query.x`, `$url`, `$url_decoded`, `$method`, `$path`, `$form_sorted`, `$timestamp`, `$id`, `$secret`, `$canonical_request`. A list inside is left out when a place in it is missing. Absent: `$body`.
    pub parts: Vec<RequestPart>,
    /// Over which bytes of a compressed body (`content-encoding`) it may be made.
    pub signed_body: SignedBody,
    /// What is signed, as one text with placeholders: `{{body}}`, `{{headers.x}}`, `{{query.x}}`, `{{url}}`, `{{method}}`, `{{path}}`, `{{timestamp}}`, `{{id}}`.
    pub verification_content: Option<Template>,
    /// How the digest is written.
    pub string_type: Option<StringType>,
    /// Where the signature is: `$header.x-sig`, with a literal prefix as in `v0=$header.x-sig`. In a list of places one that fits is enough.
    pub compare_with: Option<CompareWith>,
    /// Where the signature is in a list such as `t=…,v1=…,v1=…`.
    pub signature: Option<Signature>,
    /// Where the time of signing is.
    pub timestamp: Option<SignedTime>,
    /// The hash of the body, where that is signed instead of the body.
    pub body_hash: Option<BodyHash>,
    /// The public key: PEM (a certificate too), base64, or hex for Ed25519.
    pub public_key: Option<Template>,
    /// Where the public keys are published, as JSON Web Keys or PEM.
    pub jwks_url: Option<UrlTemplate>,
    /// Where the public key is published, when the request itself says so: `{{body.SigningCertURL}}`. Needs `public_key_url_pattern`.
    pub public_key_url: Option<Template>,
    /// A regular expression that fits the whole of every address a key may come from.
    #[schemars(with = "Option<String>")]
    pub public_key_url_pattern: Option<WholePattern>,
    /// The `iss` a `jwt` must have.
    pub issuer: Option<Template>,
    /// The `aud` a `jwt` must have.
    pub audience: Option<Template>,
    /// The claim of a `jwt` that is a hash of the request.
    pub claim_hash: Option<ClaimHash>,
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

/// Over which bytes of a compressed body a signature may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SignedBody {
    /// Those that were sent; where it does not fit them, those that they decode to.
    #[default]
    Either,
    /// Those that were sent.
    Sent,
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
    /// The text before each signature.
    #[serde(default)]
    pub prefix: Option<String>,
    /// The separator between them; `,` when absent, `, ` where a space follows.
    #[serde(default)]
    pub separator: Option<String>,
    /// The key of the entries that are signatures, as `v1` in `v1=…`.
    #[serde(default)]
    pub key: Option<String>,
}

/// The hash of the body, where a header or parameter carries it and the signature covers that.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BodyHash {
    /// Where it is. May be missing only when `$form_sorted` covers the body.
    pub from: RequestPart,
    /// The hash function; SHA-256 when absent.
    #[serde(default)]
    pub algorithm: Option<Algorithm>,
    /// How it is written; hex when absent.
    #[serde(default)]
    pub string_type: Option<StringType>,
}

/// The claim of a token that is a hash of the request it came with.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimHash {
    /// The claim.
    pub claim: String,
    /// What it is the hash of; the body when absent.
    #[serde(default)]
    pub parts: Vec<RequestPart>,
    /// The hash function; SHA-256 when absent.
    #[serde(default)]
    pub algorithm: Option<Algorithm>,
    /// How it is written; hex when absent.
    #[serde(default)]
    pub string_type: Option<StringType>,
}

/// Where the time of signing is.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedTime {
    /// A header, a query parameter, a field of the body, or `$signature.t` for an entry of the signature's list.
    pub from: RequestPart,
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

impl SignatureVerification {
    /// Whether it says where the signature is. Without that, every webhook
    /// is refused.
    pub fn has_signature_place(&self) -> bool {
        let config = &self.config;
        let is_placed = config.compare_with.is_some() || config.signature.is_some();
        match self.format {
            SignatureFormat::Hmac
            | SignatureFormat::Hash
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
