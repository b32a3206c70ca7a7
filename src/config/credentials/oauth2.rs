//! `oauth2`, and the formats that get a token by a grant of their own: our client, the endpoints, and what is asked for.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    AlsoFor, AuthorizeParamNames, CallbackGrant, DurationUnit, Fragment, Jwt, Options, Pkce,
    Registration, TokenNames, TokenParamNames,
};
use crate::config::{Count, Field};
use crate::expression::{PathTemplate, Template, UrlTemplate};
use crate::json::Path;

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
    /// Text after the `#` of the authorization URL, before the parameters: for a page that reads them there.
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
