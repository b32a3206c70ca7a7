//! What a customer hands over, and how tokens are had for it
//! (RFC 6749, 7636). Getting them is the work of `oauth` and `flows::tokens`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::expression::{PathTemplate, Template, UrlTemplate};
use crate::json::Path;

use super::{Count, Field};

mod also_for;
mod custom_token;
mod endpoints;
mod exchange;
mod jwt;
mod oauth1;
mod options;
mod pkce;
mod registration;
mod sftp;

pub use also_for::{AlsoFor, MOST_ALSO_FOR};
pub use custom_token::{CustomToken, TokenExpressions};
pub use endpoints::Endpoint;
pub use exchange::{
    AuthorizeParamNames, CallbackGrant, DurationUnit, Fragment, ParamName, RESERVED_HEADERS,
    TokenNames, TokenParamNames,
};
pub use jwt::{Jwt, KeyFormat, LIFETIME, SelfSigned, SigningAlgorithm};
pub(super) use oauth1::inherit_consumer;
pub use oauth1::{Consumer, OAuth1, SignatureMethod};
pub use options::{AuthorizationMethod, CredentialsEncoding, Options, TokenBodyFormat};
pub use pkce::Pkce;
pub use registration::{ClientAuthMethod, Registration};
pub(super) use sftp::complete_addresses;
pub use sftp::{Port, SftpConfig, is_host_key};

/// One way to connect an account.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(
    tag = "format",
    content = "config",
    rename_all = "snake_case",
    deny_unknown_fields
)]
#[schemars(transform = super::schema::optional_config)]
pub enum Credential {
    /// The authorization code grant (RFC 6749, section 4.1).
    Oauth2(Box<OAuth2>),
    /// The client credentials grant (RFC 6749, section 4.4).
    Oauth2ClientCredentials(Box<OAuth2>),
    /// What the customer types in.
    ApiKey(ApiKey),
    /// A token that steps get, such as a session of a login endpoint.
    CustomToken(Box<CustomToken>),
    /// A token that the gateway signs, and requests carry (RFC 7519).
    Jwt(Box<SelfSigned>),
    /// The grant with a signed token as the assertion (RFC 7523, section 2.1).
    JwtBearer(Box<OAuth2>),
    /// OAuth 1.0a (RFC 5849).
    Oauth(Box<OAuth1>),
    /// Client credentials with `grant_type=kekaapi`, `scope=kekaapi` and `api_key`.
    KekaOauth(Box<OAuth2>),
    /// A login on a server whose files the resource `files` reads and writes (SFTP).
    Sftp(Box<SftpConfig>),
}

/// Formats of the file that this version does not execute: a file that has
/// them loads, with a warning, without them.
pub const LATER_FORMATS: &[&str] = &["aws_sigv4"];

/// Formats of this version: which of their keys are secrets is known.
pub const FORMATS: &[&str] = &[
    "oauth2",
    "oauth2_client_credentials",
    "api_key",
    "keka_oauth",
    "custom_token",
    "jwt",
    "jwt_bearer",
    "oauth",
    "sftp",
];

/// What the customer types in.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// The inputs of the connect form.
    #[serde(default)]
    pub fields: Vec<Field>,
}

/// How OAuth tokens are had.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct OAuth2 {
    /// Our client at the provider.
    pub client: OAuthClient,
    /// The provider's endpoints.
    pub auth: Endpoints,
    /// What the gateway says of itself where it registers its client, and in its client metadata document.
    pub registration: Registration,
    /// How requests to them are written.
    pub options: Options,
    /// What is asked for.
    pub scope: Vec<Template>,
    /// Extra parameters of the authorization request; `{{random}}` is a random value of each request.
    pub params: BTreeMap<String, Template>,
    /// What a callback brings a token by.
    pub callback_grant: CallbackGrant,
    /// What parameters of the authorization request are called.
    pub authorize_param_names: AuthorizeParamNames,
    /// Text behind the `#` of the authorization URL, in front of the parameters: for a page that reads them there.
    pub authorize_fragment: Option<Fragment>,
    /// What the callback calls the code; `code` when absent.
    pub code_param: Option<String>,
    /// Extra parameters of the token request.
    pub token_params: BTreeMap<String, Template>,
    /// Extra parameters of the refresh request.
    pub refresh_params: BTreeMap<String, Template>,
    /// Extra headers of token and refresh requests.
    pub token_headers: BTreeMap<String, Template>,
    /// What parameters of token and refresh requests are called.
    pub token_param_names: TokenParamNames,
    /// Seconds a token lives when the provider does not say.
    pub token_expiry_duration: Option<Count>,
    /// How the code is proved to be ours (RFC 7636).
    pub pkce: Pkce,
    /// Where in the token response the token is; the root when absent.
    pub token_response_path: Option<Path>,
    /// Where in the token what RFC 6749 calls otherwise is.
    pub token_names: TokenNames,
    /// The unit of the answer's `expires_in`; seconds when absent.
    #[serde(rename = "expires_in_unit")]
    pub expires_in_unit: DurationUnit,
    /// Whether the token lives on where the answer to a refresh has none.
    pub refresh_keeps_token: bool,
    /// Context keys filled from the token response.
    pub context_from_token: BTreeMap<String, Path>,
    /// Context keys filled from claims of the ID token, or else of the access token. Nothing verifies its signature: it is
    /// as good as the connection to the token endpoint.
    pub context_from_claims: BTreeMap<String, Path>,
    /// Context keys filled from the callback's query.
    pub context_from_callback: BTreeMap<String, String>,
    /// Further tokens from the same grant, by name: `{{oauth.token.also.<name>.access_token}}` in `authorization`.
    pub also_for: BTreeMap<String, AlsoFor>,
    /// What a token that the gateway signs is made of: the assertion of `jwt_bearer`, and of the client where
    /// `authorizationMethod` is `private_key_jwt`.
    pub jwt: Option<Jwt>,
    /// The inputs of the connect form.
    pub fields: Vec<Field>,
}

/// Our client at the provider.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
#[schemars(rename = "OAuthClient")]
pub struct OAuthClient {
    /// The client id; `{{client_id}}` when absent.
    pub id: Option<Template>,
    /// The client secret; `{{client_secret}}` when absent. A literal one is write-only.
    pub secret: Option<Template>,
    /// The name of the id's parameter; `client_id` when absent.
    pub id_param_name: Option<String>,
    /// The name of the secret's parameter; `client_secret` when absent.
    pub secret_param_name: Option<String>,
    /// Whether the client's id may be the URL of its metadata document, which the gateway serves. With `auth.discover` it
    /// is, where the authorization server takes such ids.
    pub metadata_document: bool,
}

/// The provider's endpoints: hosts with paths, or whole URLs.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
#[schemars(rename = "OAuthEndpoints")]
pub struct Endpoints {
    /// Origin of the authorization endpoint; `tokenHost` when absent.
    pub authorize_host: Option<UrlTemplate>,
    /// Path of the authorization endpoint.
    pub authorize_path: Option<PathTemplate>,
    /// Origin of the token endpoint and of those below.
    pub token_host: Option<UrlTemplate>,
    /// Path of the token endpoint.
    pub token_path: Option<PathTemplate>,
    /// Path of the refresh endpoint; the token endpoint when absent.
    pub refresh_path: Option<PathTemplate>,
    /// Path of the revocation endpoint (RFC 7009).
    pub revoke_path: Option<PathTemplate>,
    /// Path of the introspection endpoint (RFC 7662).
    pub introspect_path: Option<PathTemplate>,
    /// The authorization endpoint as a whole URL; its query is kept.
    pub authorize_url: Option<UrlTemplate>,
    /// The token endpoint as a whole URL.
    pub token_url: Option<UrlTemplate>,
    /// The refresh endpoint as a whole URL.
    pub refresh_url: Option<UrlTemplate>,
    /// What the callback's `iss` must equal (RFC 9207); without one the callback is refused, unless `issuerOptional`.
    pub issuer: Option<Template>,
    /// Whether a callback may lack `iss`, for a provider that sends none.
    pub issuer_optional: bool,
    /// The protected resource, such as an MCP server, whose metadata says where the endpoints are (RFC 9728, RFC 8414); in
    /// place of all other URLs.
    pub discover: Option<UrlTemplate>,
    /// Where the gateway registers its client, once per install (RFC 7591). With `discover` the authorization server says
    /// it.
    pub registration_url: Option<UrlTemplate>,
}

impl Credential {
    /// The name of its format.
    pub fn format(&self) -> &'static str {
        match self {
            Self::Oauth2(_) => "oauth2",
            Self::Oauth2ClientCredentials(_) => "oauth2_client_credentials",
            Self::ApiKey(_) => "api_key",
            Self::KekaOauth(_) => "keka_oauth",
            Self::CustomToken(_) => "custom_token",
            Self::Jwt(_) => "jwt",
            Self::JwtBearer(_) => "jwt_bearer",
            Self::Oauth(_) => "oauth",
            Self::Sftp(_) => "sftp",
        }
    }

    /// The inputs of the connect form.
    pub fn fields(&self) -> &[Field] {
        match self {
            Self::ApiKey(config) => &config.fields,
            Self::CustomToken(config) => &config.fields,
            Self::Jwt(config) => &config.fields,
            Self::Oauth(config) => &config.fields,
            Self::Sftp(config) => &config.fields,
            Self::Oauth2(config)
            | Self::JwtBearer(config)
            | Self::Oauth2ClientCredentials(config)
            | Self::KekaOauth(config) => &config.fields,
        }
    }

    /// The OAuth settings, when it has tokens.
    pub fn oauth(&self) -> Option<&OAuth2> {
        match self {
            Self::ApiKey(_)
            | Self::CustomToken(_)
            | Self::Jwt(_)
            | Self::Oauth(_)
            | Self::Sftp(_) => None,
            Self::Oauth2(config)
            | Self::JwtBearer(config)
            | Self::Oauth2ClientCredentials(config)
            | Self::KekaOauth(config) => Some(config),
        }
    }

    /// The settings of a token that steps get.
    pub fn custom_token(&self) -> Option<&CustomToken> {
        match self {
            Self::CustomToken(config) => Some(config),
            _ => None,
        }
    }

    /// The settings of OAuth 1.0a.
    pub fn oauth1(&self) -> Option<&OAuth1> {
        match self {
            Self::Oauth(config) => Some(config),
            _ => None,
        }
    }

    /// The settings of a login on a server of files.
    pub fn sftp(&self) -> Option<&SftpConfig> {
        match self {
            Self::Sftp(config) => Some(config),
            _ => None,
        }
    }

    /// What it signs tokens with.
    pub fn jwt(&self) -> Option<&Jwt> {
        match self {
            Self::Jwt(config) => Some(&config.jwt),
            Self::CustomToken(config) => config.jwt.as_ref(),
            _ => self.oauth()?.jwt.as_ref(),
        }
    }

    /// Whether customers sign in at the provider.
    pub fn redirects(&self) -> bool {
        match self {
            Self::Oauth2(_) => true,
            Self::Oauth(config) => config.redirects(),
            _ => false,
        }
    }

    /// Whether an account of it has a token.
    pub fn has_token(&self) -> bool {
        match self {
            Self::ApiKey(_) | Self::Sftp(_) => false,
            Self::Oauth(config) => config.redirects(),
            _ => true,
        }
    }

    /// Context keys filled from the token's answer, where it has a token.
    pub fn context_from_token(&self) -> Option<&BTreeMap<String, Path>> {
        match self {
            Self::CustomToken(config) => Some(&config.context_from_token),
            Self::Oauth(config) => Some(&config.context_from_token),
            _ => self.oauth().map(|config| &config.context_from_token),
        }
    }

    /// Context keys filled from a token's claims.
    pub fn context_from_claims(&self) -> Option<&BTreeMap<String, Path>> {
        self.oauth().map(|config| &config.context_from_claims)
    }

    /// The context keys that the provider fills with the token.
    pub fn granted_keys(&self) -> impl Iterator<Item = &String> {
        let maps = [self.context_from_token(), self.context_from_claims()];
        maps.into_iter().flatten().flat_map(BTreeMap::keys)
    }

    /// Its URLs, each with its place in `config`.
    pub fn urls(&self) -> Vec<(String, &UrlTemplate)> {
        let auth = self.oauth().map(|config| config.auth.urls());
        let auth = auth.unwrap_or_default().into_iter();
        let own = self.oauth1().map(OAuth1::endpoints).into_iter().flatten();
        let own = own.filter_map(|(key, url)| Some((key.to_owned(), url?)));
        let also = self.oauth().into_iter().flat_map(|config| &config.also_for);
        let also = also.filter_map(|(name, own)| {
            Some((format!("alsoFor.{name}.tokenUrl"), own.token_url.as_ref()?))
        });
        let server = self.sftp().and_then(SftpConfig::address);
        let server = server.map(|address| ("host".to_owned(), address));
        auth.map(|(key, url)| (format!("auth.{key}"), url))
            .chain(own)
            .chain(also)
            .chain(server)
            .collect()
    }
}
