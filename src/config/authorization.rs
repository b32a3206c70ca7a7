//! How a request is signed in: which part of it carries the credential.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::expression::{Expression, Template};
use crate::media::MediaKind;

use super::credentials::{Consumer, OAuth1, SignatureMethod};
use super::schema::{Aliases, aliases};

mod also;
mod list;
pub use also::{ALSO, also_name, also_names, context_seen_by, holds_also};
pub use list::{Authorizations, MOST_AUTHORIZATIONS};

/// When a request was signed by AWS Signature Version 4.
pub const SIGV4_DATE: &str = "x-amz-date";
/// The hash of the signed body.
pub const SIGV4_CONTENT_HASH: &str = "x-amz-content-sha256";
/// The token of a temporary access key.
pub const SIGV4_SECURITY_TOKEN: &str = "x-amz-security-token";
/// The headers that such a signature sets, apart from `authorization`.
pub const SIGV4_HEADERS: [&str; 3] = [SIGV4_DATE, SIGV4_CONTENT_HASH, SIGV4_SECURITY_TOKEN];

/// Second spellings, for the JSON Schema; serde's `alias` reads them.
const HEADER_ALIASES: Aliases = &[("header_name", &["name"]), ("header_value", &["value"])];

/// How a request is signed in.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(
    tag = "format",
    content = "config",
    rename_all = "snake_case",
    deny_unknown_fields
)]
#[schemars(transform = super::schema::optional_config)]
pub enum Authorization {
    /// `Authorization: Bearer …` (RFC 6750).
    Bearer(Bearer),
    /// `Authorization: Basic …` (RFC 7617).
    Basic(Basic),
    /// One header, or those an expression returns.
    Header(Header),
    /// One query parameter.
    Query(Query),
    /// AWS Signature Version 4, in `Authorization`.
    AwsSigv4(Box<AwsSigv4>),
    /// An OAuth 1.0a signature (RFC 5849, section 3), in `Authorization`.
    Oauth1(Box<Oauth1Signature>),
    /// The request is sent as it is.
    None(None),
}

/// `Authorization: Bearer …`
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bearer {
    /// The token; `{{oauth.token.access_token}}` when absent.
    #[serde(default)]
    pub token: Option<Template>,
}

/// `Authorization: Basic …`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Basic {
    /// The user name; an empty text for a provider that takes the password alone.
    pub username: Template,
    /// The password; empty when absent.
    #[serde(default)]
    pub password: Option<Template>,
}

/// One header of a fixed name, or headers that are computed.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "HeaderKeys")]
pub enum Header {
    /// A name and a value.
    Fixed {
        /// The header's name.
        name: Template,
        /// Its value.
        value: Template,
    },
    /// JSONata that returns an object of headers.
    Computed {
        /// The expression.
        expression: Expression,
    },
}

/// The keys as they are written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = aliases(HEADER_ALIASES))]
struct HeaderKeys {
    /// The header's name. Also written `name`.
    #[serde(default, alias = "name")]
    header_name: Option<Template>,
    /// The header's value. Also written `value`.
    #[serde(default, alias = "value")]
    header_value: Option<Template>,
    /// JSONata that returns an object of headers, instead of name and value.
    #[serde(default)]
    expression: Option<Expression>,
}

impl TryFrom<HeaderKeys> for Header {
    type Error = &'static str;

    fn try_from(keys: HeaderKeys) -> Result<Self, Self::Error> {
        match (keys.header_name, keys.header_value, keys.expression) {
            (Some(name), Some(value), None) => Ok(Self::Fixed { name, value }),
            (None, None, Some(expression)) => Ok(Self::Computed { expression }),
            _ => Err("a header needs `header_name` and `header_value`, or `expression` alone"),
        }
    }
}

impl JsonSchema for Header {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "HeaderAuthorization".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        HeaderKeys::json_schema(generator)
    }
}

/// One query parameter.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "QueryAuthorization")]
pub struct Query {
    /// The parameter's name.
    pub name: Template,
    /// Its value.
    pub value: Template,
}

/// The keys and the scope of AWS Signature Version 4. Signed are the method, the path, the query, the host, `content-type`
/// and the `x-amz-…` headers, and the body.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AwsSigv4 {
    /// The id of the access key.
    pub access_key_id: Template,
    /// The secret of the access key.
    pub secret_access_key: Template,
    /// The token of a temporary access key; it may have no value.
    #[serde(default)]
    pub session_token: Option<Template>,
    /// The region, such as `eu-central-1`.
    pub region: Template,
    /// The service's name in the signature, such as `s3`.
    pub service: Template,
    /// Whether the service accepts `UNSIGNED-PAYLOAD`, as `s3` does: then a body that is not held in memory is streamed
    /// unsigned. Otherwise bodies of up to 1 MiB are held and signed, and larger ones refused.
    #[serde(default)]
    pub unsigned_payload: bool,
}

/// Who signs requests by OAuth 1.0a. What is absent is taken from the credential `oauth`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Oauth1Signature {
    /// The client; that of the credential `oauth` when absent.
    #[serde(default)]
    pub consumer: Option<Consumer>,
    /// The token. When absent, the one that the customer's sign-in gave; without such a sign-in the client signs alone.
    #[serde(default)]
    pub token: Option<Template>,
    /// The secret of `token`.
    #[serde(default)]
    pub token_secret: Option<Template>,
    /// How requests are signed; as the credential `oauth` says when absent, else by HMAC-SHA1.
    #[serde(default)]
    pub signature_method: Option<SignatureMethod>,
    /// `realm` of the header.
    #[serde(default)]
    pub realm: Option<Template>,
    /// Whether `consumer` is the credential's.
    #[serde(skip)]
    pub inherits_consumer: bool,
    /// Whether the account has the token of a sign-in.
    #[serde(skip)]
    pub has_stored_token: bool,
}

impl Oauth1Signature {
    /// Takes what is absent from the credential.
    pub(in crate::config) fn inherit(&mut self, credential: &OAuth1) {
        self.inherits_consumer = self.consumer.is_none();
        self.has_stored_token = credential.redirects();
        self.consumer
            .get_or_insert_with(|| credential.consumer.clone());
        self.signature_method
            .get_or_insert(credential.signature_method);
        self.realm = self.realm.take().or_else(|| credential.realm.clone());
    }
}

/// No settings.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NoAuthorization")]
pub struct None {}

impl Authorization {
    /// Whether this reads the OAuth access token by default.
    pub fn is_default_bearer(&self) -> bool {
        matches!(
            self,
            Self::Bearer(Bearer {
                token: Option::None
            })
        )
    }

    /// Whether it signs the request, with what is in it so far.
    pub fn signs(&self) -> bool {
        matches!(self, Self::AwsSigv4(_) | Self::Oauth1(_))
    }

    /// Whether a body of this kind is signed, so that it has to be held in memory.
    pub fn holds_body(&self, kind: MediaKind) -> bool {
        match self {
            Self::AwsSigv4(own) => !own.unsigned_payload,
            // The fields of a form are signed (RFC 5849 §3.4.1.3.1).
            Self::Oauth1(_) => kind == MediaKind::Form,
            _ => false,
        }
    }

    /// The headers of a computed result: an object of texts.
    pub fn headers_of(result: &serde_json::Value) -> Option<BTreeMap<String, String>> {
        let entries = result.as_object()?.iter();
        entries
            .map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .collect()
    }
}
