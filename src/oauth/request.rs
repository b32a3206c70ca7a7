//! Requests to the token, revocation and introspection endpoints, as values. Each is a POST.

use std::collections::BTreeMap;
use std::fmt;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::config::credentials::{
    AuthorizationMethod, ClientAuthMethod, Pkce, RESERVED_HEADERS, TokenBodyFormat,
};
use crate::expression::Template;

use super::client::{ClientType, SECRET, basic};
use super::parameters::Parameters;
use super::pkce::Verifier;
use super::{GrantClient, OAuthError, ServerEndpoint};

/// What the file's `tokenParams` never set. A file that tries is refused when it is saved.
const RESERVED: [&str; 6] = [
    "redirect_uri",
    "grant_type",
    "code",
    "code_verifier",
    "refresh_token",
    SECRET,
];

/// Parameters with signed tokens; they keep their names.
const SIGNED: [&str; 2] = ["assertion", "client_assertion"];

/// The file's own parameters of a request.
struct Extra<'a> {
    parameters: &'a BTreeMap<String, Template>,
    /// Reserved names that the file may set here.
    frees: &'static [&'static str],
}

impl<'a> Extra<'a> {
    fn of(parameters: &'a BTreeMap<String, Template>) -> Self {
        let frees = &[];
        Self { parameters, frees }
    }
}

/// A POST to one of the provider's endpoints. All of it is secret.
#[derive(Clone)]
pub struct TokenRequest {
    /// Where to.
    pub url: Url,
    /// Its header fields.
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// What in it is not of the account's context, and an answer may repeat: signed tokens, a code and its verifier.
    pub secrets: Vec<String>,
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.keys().map(http::HeaderName::as_str).collect();
        f.debug_struct("TokenRequest")
            .field("origin", &self.url.origin().ascii_serialization())
            .field("headers", &names)
            .field("body_bytes", &self.body.len())
            .field("secrets", &self.secrets.len())
            .finish()
    }
}

/// Some providers answer 403 to a client that does not say who it is.
pub(super) fn agent() -> HeaderValue {
    HeaderValue::from_static(concat!("causeway/", env!("CARGO_PKG_VERSION")))
}

/// Exchanges a code for a token (RFC 6749 §4.1.3).
pub fn exchange(
    client: &GrantClient,
    code: &str,
    redirect_uri: &str,
    verifier: Option<&Verifier>,
) -> Result<TokenRequest, OAuthError> {
    let mut parameters = grant("authorization_code");
    parameters.set("code", code);
    parameters.set("redirect_uri", redirect_uri);
    if client.config.pkce != Pkce::Off {
        let verifier = verifier.ok_or(OAuthError::NoVerifier)?;
        parameters.set("code_verifier", verifier.text());
    }
    for_token(client, parameters, ClientType::PublicToo)
}

/// Gets a new token for a refresh token (RFC 6749 §6).
pub fn refresh(client: &GrantClient, refresh_token: &str) -> Result<TokenRequest, OAuthError> {
    by_refresh_token(client, refresh_token, None)
}

/// Gets a token for the scopes of the client's settings, which may be others than those of the token before.
pub fn refresh_for(client: &GrantClient, refresh_token: &str) -> Result<TokenRequest, OAuthError> {
    by_refresh_token(client, refresh_token, client.scopes(None)?)
}

fn by_refresh_token(
    client: &GrantClient,
    refresh_token: &str,
    scope: Option<String>,
) -> Result<TokenRequest, OAuthError> {
    let mut parameters = grant("refresh_token");
    parameters.set("refresh_token", refresh_token);
    if let Some(scope) = scope {
        parameters.set("scope", scope);
    }
    add_resource(client, &mut parameters);
    let url = client.needed(ServerEndpoint::Refresh, "refresh")?;
    // Some providers want `redirect_uri` with a refresh, where the gateway sets none.
    let extra = Some(Extra {
        frees: &["redirect_uri"],
        ..Extra::of(&client.config.refresh_params)
    });
    build(client, url, parameters, extra, ClientType::PublicToo)
}

/// Gets a token for the client itself (RFC 6749 §4.4.2). It is had again the same way.
pub fn client_credentials(
    client: &GrantClient,
    scopes: Option<&[String]>,
) -> Result<TokenRequest, OAuthError> {
    let mut parameters = grant("client_credentials");
    if let Some(scopes) = client.scopes(scopes)? {
        parameters.set("scope", scopes);
    }
    for_token(client, parameters, ClientType::Confidential)
}

/// Gets a token for a signed assertion (RFC 7523 §2.1). A client is named only where the file has one.
pub fn jwt_bearer(
    client: &GrantClient,
    scopes: Option<&[String]>,
) -> Result<TokenRequest, OAuthError> {
    let mut parameters = grant("urn:ietf:params:oauth:grant-type:jwt-bearer");
    parameters.set("assertion", client.signed(&[])?);
    if let Some(scopes) = client.scopes(scopes)? {
        parameters.set("scope", scopes);
    }
    let own = &client.config.client;
    let kind = if own.id.is_some() || own.secret.is_some() {
        ClientType::Confidential
    } else {
        ClientType::Unnamed
    };
    for_token(client, parameters, kind)
}

/// The same by `grant_type=kekaapi`, with the context's `api_key`.
pub fn keka(client: &GrantClient) -> Result<TokenRequest, OAuthError> {
    let mut parameters = grant("kekaapi");
    parameters.set("scope", "kekaapi");
    parameters.set("api_key", client.required("api_key")?);
    for_token(client, parameters, ClientType::Confidential)
}

/// Revokes a token (RFC 7009 §2.1); `None` when the file has no revocation endpoint.
pub fn revoke(client: &GrantClient, token: &str) -> Result<Option<TokenRequest>, OAuthError> {
    of_token(client, ServerEndpoint::Revocation, token)
}

/// Asks about a token (RFC 7662 §2.1); `None` when the file has no introspection endpoint.
pub fn introspect(client: &GrantClient, token: &str) -> Result<Option<TokenRequest>, OAuthError> {
    of_token(client, ServerEndpoint::Introspection, token)
}

fn of_token(
    client: &GrantClient,
    endpoint: ServerEndpoint,
    token: &str,
) -> Result<Option<TokenRequest>, OAuthError> {
    let Some(url) = client.find(endpoint)? else {
        return Ok(None);
    };
    let mut parameters = Parameters::default();
    parameters.set("token", token);
    build(client, url, parameters, None, ClientType::PublicToo).map(Some)
}

/// A request to the token endpoint, with the file's `tokenParams`.
fn for_token(
    client: &GrantClient,
    mut parameters: Parameters,
    kind: ClientType,
) -> Result<TokenRequest, OAuthError> {
    add_resource(client, &mut parameters);
    let url = client.needed(ServerEndpoint::Token, "token")?;
    let extra = Some(Extra::of(&client.config.token_params));
    build(client, url, parameters, extra, kind)
}

/// A token of a discovered server is for one resource (RFC 8707 §2.2).
fn add_resource(client: &GrantClient, parameters: &mut Parameters) {
    if let Some(resource) = client.resource() {
        parameters.set("resource", resource);
    }
}

fn grant(kind: &str) -> Parameters {
    let mut parameters = Parameters::default();
    parameters.set("grant_type", kind);
    parameters
}

/// Authenticates the client, adds the file's own parameters, and writes the body.
fn build(
    client: &GrantClient,
    mut url: Url,
    mut parameters: Parameters,
    extra: Option<Extra>,
    kind: ClientType,
) -> Result<TokenRequest, OAuthError> {
    // Before they get the names of the file.
    let secrets = ["code", "code_verifier"].iter();
    let mut secrets: Vec<String> = secrets.filter_map(|name| parameters.text(name)).collect();
    let options = &client.config.options;
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, agent());
    match (kind, options.authorization_method) {
        (_, AuthorizationMethod::PrivateKeyJwt) => assert_client(client, &mut parameters)?,
        (ClientType::Unnamed, _) => {}
        (kind, _) => authenticate(client, kind, &mut headers, &mut parameters)?,
    }
    parameters.rename(&client.config.token_param_names.all());
    if let Some(extra) = extra {
        add_headers(client, &mut headers)?;
        let is_free = |name: &&str| extra.frees.contains(name);
        let own = RESERVED.iter().copied().filter(|name| !is_free(name));
        let reserved: Vec<&str> = own.chain([client.secret_name()]).collect();
        parameters.add_extra(extra.parameters, &reserved, client.scope)?;
    }
    // The account does not have the secret of a client that was registered for this login.
    secrets.extend(
        client
            .registered()
            .and_then(|own| own.client_secret.clone()),
    );
    secrets.extend(SIGNED.iter().filter_map(|name| parameters.text(name)));
    let (content_type, body) = match options.body_format {
        TokenBodyFormat::Form => (Some("application/x-www-form-urlencoded"), parameters.form()),
        TokenBodyFormat::Json => (Some("application/json"), parameters.json()),
        TokenBodyFormat::Query => {
            let own = url.query().filter(|query| !query.is_empty());
            let pieces = own.map(str::to_owned).into_iter().chain(parameters.query());
            let query: Vec<String> = pieces.collect();
            url.set_query(Some(&query.join("&")));
            (None, String::new())
        }
    };
    if let Some(content_type) = content_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    Ok(TokenRequest {
        url,
        headers,
        body: body.into_bytes(),
        secrets,
    })
}

/// Adds the file's `tokenHeaders`; `authorization` is the client's where it has one.
fn add_headers(client: &GrantClient, headers: &mut HeaderMap) -> Result<(), OAuthError> {
    for (name, template) in &client.config.token_headers {
        let name = HeaderName::try_from(name).map_err(|_| OAuthError::TokenHeader(name.clone()))?;
        let is_ours = name == AUTHORIZATION && headers.contains_key(AUTHORIZATION);
        if is_ours || RESERVED_HEADERS.contains(&name.as_str()) {
            continue;
        }
        if let Some(text) = template.header(client.scope)? {
            let refused = |_| OAuthError::TokenHeader(name.to_string());
            let mut value = HeaderValue::try_from(text).map_err(refused)?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
    }
    Ok(())
}

/// Authenticates the client by its secret; a public client is only named.
fn authenticate(
    client: &GrantClient,
    kind: ClientType,
    headers: &mut HeaderMap,
    parameters: &mut Parameters,
) -> Result<(), OAuthError> {
    let options = &client.config.options;
    let is_header = match client.registered().and_then(|own| own.method) {
        Some(method) => method == ClientAuthMethod::ClientSecretBasic,
        None => options.authorization_method == AuthorizationMethod::Header,
    };
    match client.secret(kind)? {
        Some(secret) if is_header => {
            let value = basic(&client.id()?, &secret, options.credentials_encoding)?;
            headers.insert(AUTHORIZATION, value);
        }
        Some(secret) => {
            parameters.set(client.id_name(), client.id()?);
            parameters.set(client.secret_name(), secret.expose());
        }
        None => parameters.set(client.id_name(), client.id()?),
    }
    Ok(())
}

/// Authenticates the client by a token that it signs (RFC 7523 §2.2): of itself, for the token endpoint, unless the file
/// says otherwise.
fn assert_client(client: &GrantClient, parameters: &mut Parameters) -> Result<(), OAuthError> {
    const KIND: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let id = client.id()?;
    let signed = client.signed(&[("iss", id.clone()), ("sub", id.clone())])?;
    parameters.set(client.id_name(), id);
    parameters.set("client_assertion_type", KIND);
    parameters.set("client_assertion", signed);
    Ok(())
}

#[cfg(test)]
mod tests;
