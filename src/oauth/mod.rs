//! OAuth 2.0 and 1.0a without I/O: what is sent to a provider's endpoints and what its answers mean
//! (RFC 6749, 7009, 7636, 7662, 9207; RFC 5849). Requests are values, answers are bytes; sending them,
//! storing tokens and deciding when to refresh are the flows' work.

mod authorize;
mod callback;
mod client;
mod context;
pub mod discovery;
mod failure;
mod introspection;
mod jwt;
mod oauth1;
mod parameters;
pub mod pkce;
mod registration;
mod reply;
mod request;
mod shown_text;
mod token_server;

use url::Url;

use crate::config::credentials::{Endpoint, OAuth2};
use crate::expression::{Pins, RenderError, TemplateScope, UrlError};

pub use authorize::{Authorize, authorization_url};
pub use callback::{Callback, CallbackError, check_issuer};
pub use client::registration_endpoint;
pub use context::{context_from_callback, context_from_claims, context_from_token};
pub use failure::{Blame, TokenFailure, is_transient};
pub use introspection::{Introspection, read_introspection};
pub use jwt::{JwtMoment, sign_jwt, usable_seconds};
pub use oauth1::{
    RequestToken, SignInCallback, SignInClient, read_request_token, read_signed_token,
};
pub use pkce::Verifier;
pub use registration::{
    client_document, client_metadata, document_client, read_registration, registration_request,
};
pub use reply::{TokenReply, no_token, read_token};
pub use request::{
    TokenRequest, client_credentials, exchange, introspect, jwt_bearer, keka, refresh, refresh_for,
    revoke,
};
pub use token_server::{RegisteredClient, ServerEndpoints, TokenServer, without_server};

/// What requests are built from: the file's settings, and what its templates see. That holds secrets, so
/// there is no `Debug`.
#[derive(Clone, Copy)]
pub struct GrantClient<'a> {
    /// The credential's settings.
    pub config: &'a OAuth2,
    /// What its templates are filled from, secrets included.
    pub scope: &'a TemplateScope<'a>,
    /// What fixes the hosts of its URLs.
    pub pins: &'a Pins<'a>,
    /// The server and the client that were found for the account.
    pub server: Option<&'a TokenServer>,
    /// What tokens of `jwt` are signed with; each is signed for the request that carries it.
    pub moment: JwtMoment,
}

/// Why a request cannot be built. Names places in the file, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OAuthError {
    /// A placeholder has no usable value.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// An endpoint's URL is not valid, or leads to another host.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The account has a token of its own, and no server was found for it.
    #[error("the account's authorization server is not known: it has to be connected")]
    NoServer,
    /// The stored server is not the one that the file fixes.
    #[error("the account was connected at another issuer than the credential's `auth.issuer`")]
    OtherServer,
    /// The file does not say where.
    #[error("the credential's `auth` does not say where its {0} endpoint is")]
    NoEndpoint(&'static str),
    /// RFC 9700 §4.4: a server that the account names would get codes of the others.
    #[error(
        "the credential's `client.metadataDocument` is the same client at every server, and the account's values choose a host of `auth`: fix the hosts in the file, or use `auth.discover` or `auth.registrationUrl`"
    )]
    DocumentId,
    /// A secret of one server would go to another.
    #[error(
        "the credential's `auth.registrationUrl` is at another host than an endpoint, and the account's values choose one of them: put them at one host, or fix the hosts in the file"
    )]
    RegisteredElsewhere,
    /// `pkce` is on, and no verifier was kept for this login.
    #[error("the credential's `pkce` is on, and this login has no code verifier")]
    NoVerifier,
    /// There is no `iss`, and the file names the `issuer` (RFC 9207 §2.4).
    #[error(
        "the answer does not say where it comes from (`iss`), and the credential has an `auth.issuer`; a provider that sends none needs `issuerOptional`"
    )]
    NoIssuer,
    /// `iss` is another than the file's `issuer` (RFC 9207 §2.4).
    #[error("the answer comes from another issuer than the credential's `auth.issuer`")]
    Issuer,
    /// A token cannot be signed with the file's or the install's key.
    #[error("the key of the credential's `jwt` cannot be read, or is not one for its `algorithm`")]
    Key,
    /// A token cannot be signed with the account's own key.
    #[error(
        "the key that the account has for the credential's `jwt` cannot be read, or is not one for its `algorithm`"
    )]
    AccountKey,
    /// A header of the file cannot be written.
    #[error("the credential's `tokenHeaders.{0}` does not give a header")]
    TokenHeader(String),
    /// The header of a signed request cannot be written.
    #[error("the credential's `consumer` and `realm` do not give an authorization header")]
    Consumer,
    /// The header that signs the client in cannot be written.
    #[error("the credential's `client` does not give an authorization header")]
    Header,
}

/// An endpoint of an authorization server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ServerEndpoint {
    Authorization,
    Token,
    Refresh,
    Revocation,
    Introspection,
}

impl ServerEndpoint {
    const ALL: [Self; 5] = [
        Self::Authorization,
        Self::Token,
        Self::Refresh,
        Self::Revocation,
        Self::Introspection,
    ];
}

impl GrantClient<'_> {
    /// Where an endpoint is: as the file says, or as the account's server announced. `None`: there is no such endpoint.
    fn find(&self, which: ServerEndpoint) -> Result<Option<Url>, OAuthError> {
        if self.config.is_discovered() {
            return self.announced(which);
        }
        let auth = &self.config.auth;
        let endpoint = match which {
            ServerEndpoint::Authorization => auth.authorize(),
            ServerEndpoint::Token => auth.token(),
            ServerEndpoint::Refresh => auth.refresh(),
            ServerEndpoint::Revocation => auth.revoke(),
            ServerEndpoint::Introspection => auth.introspect(),
        };
        let url = endpoint.map(|endpoint| self.url(endpoint)).transpose()?;
        if let Some(url) = &url {
            self.check_registered(url)?;
        }
        Ok(url)
    }

    /// The same, where no request can do without it.
    fn needed(&self, which: ServerEndpoint, name: &'static str) -> Result<Url, OAuthError> {
        self.find(which)?.ok_or(OAuthError::NoEndpoint(name))
    }

    /// An address that a server announced is held to what the file says now, and is never read as a template.
    fn announced(&self, which: ServerEndpoint) -> Result<Option<Url>, OAuthError> {
        let server = self.server.and_then(|server| server.endpoints.as_ref());
        let server = server.ok_or(OAuthError::NoServer)?;
        if let Some(issuer) = &self.config.auth.issuer
            && issuer
                .text(self.scope)?
                .is_some_and(|own| own != server.issuer)
        {
            return Err(OAuthError::OtherServer);
        }
        let url = match which {
            ServerEndpoint::Authorization => &server.authorization_endpoint,
            ServerEndpoint::Token | ServerEndpoint::Refresh => &server.token_endpoint,
            ServerEndpoint::Revocation => match &server.revocation_endpoint {
                Some(url) => url,
                None => return Ok(None),
            },
            ServerEndpoint::Introspection => return Ok(None),
        };
        let hosts = self.pins.allowed_hosts;
        let is_allowed = hosts.is_none_or(|hosts| hosts.permits(url, self.pins.plain_http));
        if !is_allowed || !self.pins.plain_http.permits_scheme(url.scheme()) {
            let name = "auth.discover".to_owned();
            return Err(UrlError::NotAllowed(name).into());
        }
        Ok(Some(url.clone()))
    }

    /// What tokens are asked for (RFC 8707 §2).
    fn resource(&self) -> Option<&str> {
        let server = self.server.filter(|_| self.config.is_discovered())?;
        Some(server.endpoints.as_ref()?.resource.as_str())
    }

    fn url(&self, endpoint: Endpoint<'_>) -> Result<Url, OAuthError> {
        let base = endpoint.base;
        Ok(match endpoint.path {
            Some(path) => base.join(path, self.scope, self.pins)?,
            None => base.render(self.scope, self.pins)?,
        })
    }

    /// The signed token of `jwt`, for the token endpoint unless the file says otherwise.
    fn signed(&self, more: &[(&str, String)]) -> Result<String, OAuthError> {
        let Some(jwt) = &self.config.jwt else {
            return Err(OAuthError::Key);
        };
        let token = self.needed(ServerEndpoint::Token, "token")?;
        let mut claims = vec![("aud", token.to_string())];
        claims.extend(more.iter().cloned());
        sign_jwt(jwt, self.scope, self.moment, &claims)
    }

    /// What is asked for, in one text; `None` when nothing is. The caller's wish comes before the file's.
    fn scopes(&self, wished: Option<&[String]>) -> Result<Option<String>, OAuthError> {
        let mut scopes = Vec::new();
        if let Some(wished) = wished {
            scopes.extend(wished.iter().cloned());
        } else {
            for scope in &self.config.scope {
                scopes.extend(scope.text(self.scope)?);
            }
            let server = self.server.filter(|_| self.config.scope.is_empty());
            let server = server.and_then(|server| server.endpoints.as_ref());
            scopes.extend(
                server
                    .iter()
                    .flat_map(|server| server.scopes.iter().cloned()),
            );
        }
        scopes.retain(|scope| !scope.is_empty());
        let text = scopes.join(&self.config.options.scope_separator);
        Ok(Some(text).filter(|text| !text.is_empty()))
    }
}

#[cfg(test)]
mod tests;
