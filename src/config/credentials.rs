//! What a customer hands over, and how tokens are had for it
//! (RFC 6749, 7636). Getting them is the work of `oauth` and `flows::tokens`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::expression::UrlTemplate;
use crate::json::Path;

use super::Field;

mod also_for;
mod custom_token;
mod endpoints;
mod exchange;
mod jwt;
mod oauth1;
mod oauth2;
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
pub use oauth2::{Endpoints, OAuth2, OAuthClient};
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
