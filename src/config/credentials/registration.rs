//! `registration`: what the gateway says of itself where it registers its client (RFC 7591, section 2).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::expression::UrlTemplate;

use super::OAuth2;

/// Client metadata. Redirect URIs are the gateway's own.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "OAuthRegistration")]
pub struct Registration {
    /// The name that the customer is shown at the authorization server; `Causeway` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// A page about the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    /// Its logo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    /// Its terms of service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    /// Its privacy policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    /// Who is responsible for it, such as email addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    /// `web` or `native` (`OpenID` Connect Registration).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_type: Option<String>,
    /// An id of the software, the same for all its installs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_id: Option<String>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_version: Option<String>,
    /// What the client may ask for, separated by spaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// What it gets tokens by; `authorization_code` and `refresh_token` when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub grant_types: Vec<String>,
    /// What it is answered with; `code` when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub response_types: Vec<String>,
    /// How it authenticates at the token endpoint; without one the server's metadata decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_method: Option<ClientAuthMethod>,
}

/// How a registered client authenticates at the token endpoint (RFC 7591, section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthMethod {
    /// `Authorization: Basic` (RFC 6749, section 2.3.1).
    ClientSecretBasic,
    /// Parameters of the body.
    ClientSecretPost,
    /// It has no secret: PKCE proves that the code is its own.
    None,
}

impl ClientAuthMethod {
    /// As RFC 7591 writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::None => "none",
        }
    }

    /// Reads that.
    pub fn read(name: &str) -> Option<Self> {
        let all = [Self::ClientSecretBasic, Self::ClientSecretPost, Self::None];
        all.into_iter().find(|one| one.name() == name)
    }
}

impl OAuth2 {
    /// Whether a server says itself where its endpoints are.
    pub fn is_discovered(&self) -> bool {
        self.auth.discover.is_some()
    }

    /// Whether the client of an account can be one that the gateway registered, or its metadata document.
    pub fn finds_client(&self) -> bool {
        let registers = self.is_discovered() || self.auth.registration_url.is_some();
        self.client.id.is_none() && (registers || self.client.metadata_document)
    }

    /// Whether an account's token is stored with the server and the client that it came from.
    pub fn binds_server(&self) -> bool {
        self.is_discovered() || self.finds_client()
    }

    /// Whether nothing of the account is in the hosts of its URLs.
    pub fn fixes_hosts(&self) -> bool {
        let also = self.also_for.values();
        let also = also.filter_map(|own| own.token_url.as_ref());
        let urls = self.auth.urls().into_iter().map(|(_, url)| url);
        urls.chain(also)
            .map(UrlTemplate::origin_keys)
            .all(|keys| keys.is_empty())
    }

    /// Whether customers may bring a client of their own.
    pub fn takes_own_client(&self) -> bool {
        self.fields.iter().any(|field| field.name == "client_id")
    }
}
