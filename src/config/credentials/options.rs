//! `options`: how requests to the endpoints are written.

use schemars::JsonSchema;
use serde::Deserialize;

/// How requests to the endpoints are written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
#[schemars(rename = "OAuthOptions")]
pub struct Options {
    /// The separator between scopes.
    pub scope_separator: String,
    /// How the body of a token request is written.
    pub body_format: TokenBodyFormat,
    /// Whether the client authenticates by a header or in the body.
    pub authorization_method: AuthorizationMethod,
    /// How id and secret are written in the client's header.
    pub credentials_encoding: CredentialsEncoding,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            scope_separator: " ".to_owned(),
            body_format: TokenBodyFormat::default(),
            authorization_method: AuthorizationMethod::default(),
            credentials_encoding: CredentialsEncoding::default(),
        }
    }
}

/// How the body of a token request is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "OAuthBodyFormat")]
pub enum TokenBodyFormat {
    /// `application/x-www-form-urlencoded`
    #[default]
    Form,
    /// `application/json`
    Json,
    /// Parameters of the URL, for a provider that reads no other ones: they are in the logs of what is between.
    Query,
}

/// How id and secret are written in `Authorization: Basic`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CredentialsEncoding {
    /// Form-urlencoded (RFC 6749, section 2.3.1).
    #[default]
    Form,
    /// As they are (RFC 7617): no colon in the id.
    Raw,
}

/// Whether the client authenticates by a header or in the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AuthorizationMethod {
    /// `Authorization: Basic` (RFC 6749, section 2.3.1).
    #[default]
    Header,
    /// Parameters of the body.
    Body,
    /// A token that the client signs (RFC 7523, section 2.2).
    #[serde(rename = "private_key_jwt")]
    PrivateKeyJwt,
}
