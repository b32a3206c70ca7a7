//! Requests to the provider's token endpoint: with a refresh token, with client credentials, or by the file's
//! `refresh_token` action.

use std::rc::Rc;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;

use crate::config::Credential;
use crate::config::credentials::{CallbackGrant, OAuth1, OAuth2};
use crate::error::Failure;
use crate::expression::{Pins, TemplateScope};
use crate::flows::account::base::Base;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::record::AccountRecord;
use crate::flows::account::state::State;
use crate::flows::base::body;
use crate::flows::base::within::within;
use crate::flows::config::resolved_config::{Compiled, ResolvedConfig};
use crate::flows::tokens::credential_actions::{CredentialActions, REFRESH_TOKEN, TokenNeed};
use crate::oauth::{
    self, GrantClient, OAuthError, SignInClient, TokenFailure, TokenReply, TokenRequest,
    TokenServer,
};
use crate::ports::{Body, Outgoing, Outside, Storage};
use crate::proxy::guard;
use crate::settings::{PrivateUpstreams, TOKEN_ANSWER_BYTES, TOKEN_TIMEOUT};

mod registered;
mod signed;

/// How a token is obtained without the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::flows) enum Grant {
    /// The file's `refresh_token` action.
    Action,
    /// RFC 6749 §6.
    RefreshToken,
    /// RFC 6749 §4.4, RFC 7523 §2.1, or `keka_oauth`.
    ClientCredentials,
    /// The steps of a `custom_token`.
    CustomToken,
    /// A token that the gateway signs.
    SelfSigned,
}

/// Why one attempt gave no token.
pub(in crate::flows) enum Attempt {
    /// The token endpoint failed or refused.
    Failed(TokenFailure),
    /// The fault is in the integration file or in the gateway.
    Ours(Failure),
}

impl From<Failure> for Attempt {
    fn from(failure: Failure) -> Self {
        Self::Ours(failure)
    }
}

impl From<OAuthError> for Attempt {
    fn from(error: OAuthError) -> Self {
        Self::Ours(error.into())
    }
}

impl From<TokenFailure> for Attempt {
    fn from(failure: TokenFailure) -> Self {
        Self::Failed(failure)
    }
}

impl Grant {
    /// The grant for this account. `None`: only the customer can give a new credential.
    pub(in crate::flows) fn of(resolved: &ResolvedConfig, loaded: &LoadedAccount) -> Option<Self> {
        let config = &resolved.compiled.config;
        let credential = config.credential(&loaded.account.authentication_method);
        let has_refresh_token = || {
            let token = loaded.token().and_then(|token| token.get("refresh_token"));
            token
                .and_then(Value::as_str)
                .is_some_and(|text| !text.is_empty())
        };
        match credential {
            // The file's `refresh_token` action is for its OAuth credentials.
            Some(Credential::CustomToken(_)) => Some(Self::CustomToken),
            Some(Credential::Jwt(_)) => Some(Self::SelfSigned),
            _ if config.actions.contains_key(REFRESH_TOKEN) => Some(Self::Action),
            // Without the server that it came from a refresh token goes nowhere: the account was imported.
            Some(Credential::Oauth2(config))
                if config.is_discovered()
                    && TokenServer::of_token(config, loaded.token()).is_none() =>
            {
                None
            }
            Some(Credential::Oauth2(_)) if has_refresh_token() => Some(Self::RefreshToken),
            Some(Credential::Oauth2(config)) => {
                (!config.needs_code()).then_some(Self::ClientCredentials)
            }
            Some(
                Credential::Oauth2ClientCredentials(_)
                | Credential::JwtBearer(_)
                | Credential::KekaOauth(_),
            ) => Some(Self::ClientCredentials),
            Some(Credential::ApiKey(_) | Credential::Oauth(_) | Credential::Sftp(_)) | None => None,
        }
    }
}

/// The account's requests to the provider's OAuth endpoints: token, introspection, revocation.
pub(in crate::flows) struct TokenEndpoint<O, S> {
    pub(super) base: Rc<Base<O, S>>,
    record: Rc<AccountRecord<O, S>>,
}

impl<O: Outside, S: Storage> TokenEndpoint<O, S> {
    pub(in crate::flows) fn new(base: &Rc<Base<O, S>>, record: &Rc<AccountRecord<O, S>>) -> Self {
        Self {
            base: Rc::clone(base),
            record: Rc::clone(record),
        }
    }

    /// Makes one attempt to obtain a token, and stores it.
    pub(super) async fn obtain_token(
        &self,
        actions: &impl CredentialActions,
        resolved: &ResolvedConfig,
        loaded: &Rc<LoadedAccount>,
        grant: Grant,
    ) -> Result<(), Attempt> {
        let compiled = &resolved.compiled;
        let credential = compiled
            .config
            .credential(&loaded.account.authentication_method);
        let reply = match (grant, credential) {
            (Grant::Action, _) => return actions.refresh_token(resolved, loaded).await,
            (Grant::RefreshToken, Some(Credential::Oauth2(config))) => {
                let refresh_token = loaded.token().and_then(|token| token.get("refresh_token"));
                let refresh_token = refresh_token.and_then(Value::as_str).unwrap_or_default();
                let request = self.with_client(compiled, config, &loaded.context, |client| {
                    oauth::refresh(client, refresh_token)
                })?;
                self.refreshed_token(config, request, loaded).await?
            }
            (Grant::CustomToken, Some(Credential::CustomToken(custom))) => {
                let need = TokenNeed::Refresh;
                actions.custom_token(resolved, loaded, custom, need).await?
            }
            (Grant::SelfSigned, Some(Credential::Jwt(own))) => {
                self.self_signed(compiled, &own.jwt, &loaded.context)?
            }
            (_, Some(credential)) => {
                self.grant_by_client(compiled, credential, &loaded.context, None)
                    .await?
            }
            (_, None) => {
                compiled.check_credential(&loaded.account.authentication_method)?;
                return Ok(());
            }
        };
        self.record.store_refreshed(loaded, &reply.token)?;
        let config = credential.and_then(Credential::oauth);
        if let Some(config) = config
            && let Some(token) = self
                .introspected(compiled, config, &loaded.context, &reply.token)
                .await
        {
            self.record.replace_token(&reply.token, &token)?;
        }
        Ok(())
    }

    /// A token for client credentials (RFC 6749 §4.4).
    pub(in crate::flows) async fn grant_by_client(
        &self,
        compiled: &Compiled,
        credential: &Credential,
        context: &Value,
        scopes: Option<&[String]>,
    ) -> Result<TokenReply, Attempt> {
        let (Credential::Oauth2(config)
        | Credential::Oauth2ClientCredentials(config)
        | Credential::JwtBearer(config)
        | Credential::KekaOauth(config)) = credential
        else {
            return Err(Attempt::Ours(
                crate::flows::tokens::refresh::token_endpoint("there is none"),
            ));
        };
        let by_jwt = matches!(credential, Credential::JwtBearer(_))
            || config.callback_grant == CallbackGrant::JwtBearer;
        let request = self.with_client(compiled, config, context, |client| match credential {
            Credential::KekaOauth(_) => oauth::keka(client),
            _ if by_jwt => oauth::jwt_bearer(client, scopes),
            _ => oauth::client_credentials(client, scopes),
        })?;
        self.request_token(config, request, None).await
    }

    /// Sends a token request and reads the response.
    pub(in crate::flows) async fn request_token(
        &self,
        config: &OAuth2,
        request: TokenRequest,
        previous: Option<&Value>,
    ) -> Result<TokenReply, Attempt> {
        let secrets = request.secrets.clone();
        let (status, headers, body) = self.send_to_endpoint(request).await?;
        let now = self.base.outside().now();
        let read = oauth::read_token(config, status, &headers, &body, now, previous);
        Ok(read.map_err(|failed| failed.without(&secrets))?)
    }

    /// The token with its expiry from the introspection endpoint (RFC 7662). `None` if there is no such endpoint, the expiry is
    /// known already, or the endpoint does not answer: then the token is used until it is refused.
    pub(in crate::flows) async fn introspected(
        &self,
        compiled: &Compiled,
        config: &OAuth2,
        context: &Value,
        token: &Value,
    ) -> Option<Value> {
        let access_token = token.get("access_token").and_then(Value::as_str)?;
        if crate::account::freshness::expires_at(token).is_some() {
            return None;
        }
        let mut with_token = context.clone();
        crate::flows::account::token_in_context::with_token(&mut with_token, token);
        let request = self
            .with_client(compiled, config, &with_token, |client| {
                oauth::introspect(client, access_token)
            })
            .ok()??;
        let (status, headers, body) = self.send_to_endpoint(request).await.ok()?;
        let now = self.base.outside().now();
        let introspection = oauth::read_introspection(status, &headers, &body, now).ok()?;
        let mut token = token.clone();
        introspection.apply(&mut token, now);
        Some(token)
    }

    /// Revokes the account's token (RFC 7009).
    pub(in crate::flows) async fn revoke(&self, resolved: &ResolvedConfig, loaded: &LoadedAccount) {
        let credential = resolved
            .compiled
            .config
            .credential(&loaded.account.authentication_method);
        let text = |key| loaded.token()?.get(key)?.as_str();
        let token = text("refresh_token").or_else(|| text("access_token"));
        let (Some(config), Some(token)) = (credential.and_then(Credential::oauth), token) else {
            return;
        };
        let request = self.with_client(&resolved.compiled, config, &loaded.context, |client| {
            oauth::revoke(client, token)
        });
        let outcome = match request {
            Ok(Some(request)) => self.send_to_endpoint(request).await,
            Ok(None) => return,
            Err(error) => Err(error.into()),
        };
        let is_revoked = matches!(&outcome, Ok((status, ..)) if status.is_success());
        if !is_revoked {
            self.base.log(
                "token_not_revoked",
                "the account is deleted; its token lives until it expires",
            );
        }
    }

    /// Calls `build` with the credential's settings and the scope of its templates.
    pub(in crate::flows) fn with_client<T>(
        &self,
        compiled: &Compiled,
        config: &OAuth2,
        context: &Value,
        build: impl FnOnce(&GrantClient) -> Result<T, OAuthError>,
    ) -> Result<T, OAuthError> {
        let token = context.pointer("/oauth/token");
        let server = TokenServer::of_token(config, token);
        self.with_server(compiled, (config, server.as_ref()), context, build)
    }

    /// The same for a server that is not stored with a token yet.
    pub(in crate::flows) fn with_server<T>(
        &self,
        compiled: &Compiled,
        (config, server): (&OAuth2, Option<&TokenServer>),
        context: &Value,
        build: impl FnOnce(&GrantClient) -> Result<T, OAuthError>,
    ) -> Result<T, OAuthError> {
        self.with_scope(compiled, context, |scope, pins| {
            build(&GrantClient {
                config,
                scope,
                pins,
                server,
                moment: self.moment(),
            })
        })
    }

    /// The same with the settings of OAuth 1.0a.
    pub(in crate::flows) fn with_sign_in<T>(
        &self,
        compiled: &Compiled,
        config: &OAuth1,
        context: &Value,
        build: impl FnOnce(&SignInClient) -> Result<T, OAuthError>,
    ) -> Result<T, OAuthError> {
        self.with_scope(compiled, context, |scope, pins| {
            build(&SignInClient {
                config,
                scope,
                pins,
                moment: self.moment(),
            })
        })
    }

    pub(in crate::flows) fn with_scope<T>(
        &self,
        compiled: &Compiled,
        context: &Value,
        build: impl for<'a> FnOnce(&'a TemplateScope<'a>, &'a Pins<'a>) -> T,
    ) -> T {
        let sealed = match self.record.state() {
            State::Here(loaded) => loaded.sealed.clone(),
            State::Unread | State::Missing => Value::Null,
        };
        let (shown, _) = compiled.split_context(context, &sealed);
        let scope = compiled.scope(context, &shown);
        let pins = compiled.pins(self.base.outside().settings());
        build(&scope, &pins)
    }

    /// Sends a request to an OAuth endpoint and reads the whole response. Redirects are not followed.
    pub(in crate::flows) async fn send_to_endpoint(
        &self,
        request: TokenRequest,
    ) -> Result<(StatusCode, HeaderMap, Bytes), Attempt> {
        let private: PrivateUpstreams = self.base.outside().settings().private_upstreams;
        guard::check(&request.url, private).map_err(Failure::from)?;
        let request = Outgoing {
            method: Method::POST,
            url: request.url,
            headers: request.headers,
            body: Body::from_bytes(request.body),
            timeout: TOKEN_TIMEOUT,
        };
        let room = self.base.isolate().room();
        let answer = async {
            let reply = self.base.outside().send(request).await.ok()?;
            let body =
                body::read_at_most(&reply.headers, reply.body, TOKEN_ANSWER_BYTES, &room).await?;
            Some((reply.status, reply.headers, body))
        };
        let answer = within(self.base.outside(), TOKEN_TIMEOUT, answer)
            .await
            .flatten();
        answer.ok_or(Attempt::Failed(TokenFailure::Transient {
            retry_after: None,
        }))
    }
}
