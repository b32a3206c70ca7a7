//! `auth_mode`: how the catalogue connects an account.

use super::definition::Definition;

/// The modes of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthMode {
    ApiKey,
    Basic,
    OAuth2,
    ClientCredentials,
    /// OAuth 2.0 next to an app's own token.
    Custom,
    TwoStep,
    SignedToken,
    App,
    OAuth1,
    TokenBased,
    /// WSSE
    Signature,
    AwsSigV4,
    McpOAuth2,
    McpGeneric,
    Nothing,
    /// One whose requests are code of the catalogue's product, not data.
    Coded(String),
}

impl AuthMode {
    pub fn of(definition: &Definition) -> Self {
        match definition.text("auth_mode").unwrap_or_default() {
            "API_KEY" => Self::ApiKey,
            "BASIC" => Self::Basic,
            "INSTALL_PLUGIN" if definition.text("auth_type") == Some("BASIC") => Self::Basic,
            "OAUTH2" => Self::OAuth2,
            "OAUTH2_CC" => Self::ClientCredentials,
            "CUSTOM" => Self::Custom,
            "TWO_STEP" => Self::TwoStep,
            "JWT" => Self::SignedToken,
            "APP" => Self::App,
            "OAUTH1" => Self::OAuth1,
            "TBA" => Self::TokenBased,
            "SIGNATURE" => Self::Signature,
            "AWS_SIGV4" => Self::AwsSigV4,
            "MCP_OAUTH2" => Self::McpOAuth2,
            "MCP_OAUTH2_GENERIC" => Self::McpGeneric,
            "NONE" => Self::Nothing,
            other => Self::Coded(other.to_owned()),
        }
    }

    /// Whether each account brings a client of its own.
    pub fn client_is_customers(&self) -> bool {
        matches!(self, Self::ClientCredentials)
    }

    /// Whether calls carry the access token of OAuth 2.0.
    pub fn has_oauth2(&self) -> bool {
        matches!(
            self,
            Self::OAuth2
                | Self::ClientCredentials
                | Self::Custom
                | Self::McpOAuth2
                | Self::McpGeneric
        )
    }

    /// Context keys that hold the credentials where the definition declares none.
    pub fn default_credentials(&self) -> &'static [&'static str] {
        match self {
            Self::ApiKey => &["api_key"],
            Self::Basic | Self::Signature => &["username", "password"],
            Self::AwsSigV4 => &["access_key_id", "secret_access_key", "region", "service"],
            Self::TokenBased => &[
                "realm",
                "consumer_key",
                "consumer_secret",
                "token_id",
                "token_secret",
            ],
            Self::App => &["app_id", "private_key"],
            Self::ClientCredentials => &["client_id", "client_secret"],
            _ => &[],
        }
    }
}
