//! How a provider's webhooks are verified and read. The order is fixed:
//! signature over the raw bytes, then the handshake, then the transform.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::expression::pattern::WholePattern;
use crate::expression::{Expression, UrlTemplate};

mod part;
mod schemes;
mod signature;

pub use part::{CompareWith, RequestPart, SignaturePlace};
pub use schemes::{MOST_SCHEMES, Schemes, When};
pub use signature::{
    Algorithm, BodyHash, ClaimHash, SecretEncoding, Signature, SignatureConfig, SignatureFormat,
    SignatureVerification, SignedBody, SignedTime, StringType, TimestampUnit,
};

/// How a provider's webhooks are verified and read.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Webhook {
    /// How a request is proved to come from the provider: a scheme, or a list of which one has to fit. Without it every webhook is refused.
    pub signature_verification: Option<Schemes>,
    /// JSONata: answers the provider's handshake.
    pub handle_verification: Option<Expression>,
    /// A challenge whose HMAC the handshake wants; `handle_verification` sees it as `challenge_hmac`.
    pub challenge: Option<Challenge>,
    /// A regular expression that fits the whole of an address that a handshake may ask to be called (`confirm_url`).
    #[schemars(with = "Option<String>")]
    pub confirm_url_pattern: Option<WholePattern>,
    /// Whether a handshake that the provider sends unsigned is answered.
    pub allow_unsigned_handshake: bool,
    /// JSONata: one event, or an array of them.
    pub payload_transform: Option<Expression>,
    /// JSONata: what tells a repeated event from a new one.
    pub event_id: Option<Expression>,
}

/// A challenge that is answered with its HMAC, keyed like the signature.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Challenge {
    /// Where it is: a header, a query parameter or a field of the body.
    pub from: RequestPart,
    /// The hash function; the signature's when absent.
    #[serde(default)]
    pub algorithm: Option<Algorithm>,
    /// How the HMAC is written; hex when absent.
    #[serde(default)]
    pub string_type: Option<StringType>,
}

/// The path of the schemes in the file.
const SCHEMES: &str = "config.webhook.signature_verification";

impl Webhook {
    /// The schemes, each with its path in the file.
    pub fn schemes(&self) -> impl Iterator<Item = (String, &SignatureVerification)> {
        let schemes = self.signature_verification.iter();
        schemes.flat_map(|schemes| schemes.placed(SCHEMES))
    }

    /// Where public keys are fetched from, each with its path in the file.
    pub fn jwks_urls(&self) -> impl Iterator<Item = (String, &UrlTemplate)> {
        self.schemes().filter_map(|(at, scheme)| {
            let url = scheme.config.jwks_url.as_ref()?;
            Some((format!("{at}.config.jwks_url"), url))
        })
    }

    /// The context key by which an install's webhooks find their accounts.
    pub fn lookup_field(&self) -> Option<&str> {
        let scheme = self.signature_verification.as_ref()?.with_lookup()?;
        scheme.config.context_lookup_field_name.as_deref()
    }
}
