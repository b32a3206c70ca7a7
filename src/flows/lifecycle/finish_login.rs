//! The provider's callback, in the account's object: it is checked, and a token is got for it.

use std::rc::Rc;

use serde_json::{Map, Value, json};

use crate::config::Credential;
use crate::config::credentials::{CallbackGrant, OAuth2, Pkce};
use crate::connect::outcome::ConnectFailure;
use crate::error::{Code, Failure};
use crate::flows::account::contents::Contents;
use crate::flows::config::redaction::Redactor;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::lifecycle::connect_account::ConnectFlow;
use crate::flows::lifecycle::connect_failed::{broken, denied, failed, refused, unusable};
use crate::flows::lifecycle::credential::with_callback;
use crate::flows::messages::connecting::{ConnectFailed, Connecting};
use crate::flows::messages::environment::{EnvironmentMessage, LinkState};
use crate::flows::messages::send_to_environment;
use crate::flows::tokens::credential_actions::{CredentialActions, EXCHANGE_CODE};
use crate::json::Exact;
use crate::oauth::{self, Callback, TokenReply, TokenServer, Verifier};
use crate::ports::{Outside, Storage};

/// What a token is asked for with.
struct Asked<'a> {
    connecting: &'a Connecting,
    resolved: &'a ResolvedConfig,
    credential: &'a Credential,
    config: &'a OAuth2,
    /// With the values of the callback.
    contents: Contents,
    callback: Callback,
    parameters: &'a [(String, String)],
    verifier: Verifier,
    server: Option<&'a TokenServer>,
}

impl<O: Outside, S: Storage> ConnectFlow<O, S> {
    pub(super) async fn finish_login(
        &self,
        connecting: &Connecting,
        (verifier, server): (&str, Option<&TokenServer>),
        parameters: &[(String, String)],
    ) -> Result<(), ConnectFailed> {
        let context = self.connect_context(connecting).await?;
        let resolved = context.resolved.clone();
        let (compiled, method) = (
            &resolved.compiled,
            &connecting.account.authentication_method,
        );
        let credential = compiled.config.credential(method);
        let found = credential.and_then(|credential| Some((credential, credential.oauth()?)));
        let Some((credential, config)) = found else {
            return Err(refusal("The integration no longer has this credential."));
        };
        let callback = Callback::read(config, parameters)
            .map_err(|error| failed(ConnectFailure::ConnectionError, error.to_string()))?;
        let Some(verifier) = Verifier::read(verifier) else {
            return Err(broken(Failure::new(
                Code::Internal,
                "A login could not be read.",
            )));
        };
        check_callback(&callback, connecting, config, || {
            context.contents.redactor(compiled)
        })?;
        // The callback cannot choose the issuer that it is compared with.
        let check =
            |client: &oauth::GrantClient| oauth::check_issuer(client, callback.iss.as_deref());
        let stored = context.contents.context();
        self.endpoint
            .with_server(compiled, (config, server), stored, check)
            .map_err(unusable)?;
        let contents = with_callback(&context.contents, (compiled, method), config, parameters);
        let asked = Asked {
            connecting,
            resolved: &resolved,
            credential,
            config,
            contents: contents.map_err(broken)?,
            callback,
            parameters,
            verifier,
            server,
        };
        let mut reply = Box::pin(self.token_of_callback(&asked)).await?;
        if let Some(server) = server {
            server.put(&mut reply.token);
        }
        self.accept(connecting, context, Some((credential, reply)), parameters)
            .await
    }

    /// By the file's `exchange_code`, by another grant, or by the code.
    async fn token_of_callback(&self, asked: &Asked<'_>) -> Result<TokenReply, ConnectFailed> {
        let compiled = &asked.resolved.compiled;
        let context = asked.contents.context();
        let outcome = if asked.config.callback_grant != CallbackGrant::AuthorizationCode {
            self.check_link(asked.connecting).await?;
            let scopes = asked.connecting.scopes.as_deref();
            self.endpoint
                .grant_by_client(compiled, asked.credential, context, scopes)
                .await
        } else if compiled.config.actions.contains_key(EXCHANGE_CODE) {
            self.check_link(asked.connecting).await?;
            let account = asked.connecting.account.clone();
            let loaded = Rc::new(asked.contents.preview(account, compiled));
            let (calls, input) = (self.set_up.calls(), exchange_input(asked));
            calls.exchange_code(asked.resolved, &loaded, input).await
        } else {
            let build = |client: &oauth::GrantClient| {
                let code = asked.callback.code.as_deref().unwrap_or_default();
                let verifier = Some(&asked.verifier);
                oauth::exchange(client, code, &asked.connecting.callback, verifier)
            };
            let request = self
                .endpoint
                .with_server(compiled, (asked.config, asked.server), context, build)
                .map_err(unusable)?;
            self.check_link(asked.connecting).await?;
            self.endpoint
                .request_token(asked.config, request, None)
                .await
        };
        if let Err(attempt) = &outcome {
            let environment = asked.connecting.account.environment_id;
            self.endpoint
                .forget_refused_client(environment, asked.server, attempt)
                .await;
        }
        outcome.map_err(|attempt| refused(attempt, &asked.contents.redactor(compiled)))
    }

    /// Checks that the link token is still valid. If it was deleted while the customer was at the provider, the code is not
    /// exchanged, so no unused grant is left there.
    pub(super) async fn check_link(&self, connecting: &Connecting) -> Result<(), ConnectFailed> {
        let (link, browser) = (connecting.link.clone(), connecting.browser.clone());
        let message = EnvironmentMessage::OpenLink(link, Some(browser));
        let environment = connecting.account.environment_id;
        let found: Result<LinkState, Failure> =
            send_to_environment(self.base.outside(), environment, &message).await;
        match found.map_err(broken)? {
            LinkState::Open(..) => Ok(()),
            LinkState::Unknown | LinkState::Spent | LinkState::OtherBrowser => Err(failed(
                ConnectFailure::InvalidToken,
                "The link can no longer be used.".to_owned(),
            )),
        }
    }
}

/// What a callback must have before anything is asked for it.
fn check_callback(
    callback: &Callback,
    connecting: &Connecting,
    config: &OAuth2,
    redactor: impl FnOnce() -> Redactor,
) -> Result<(), ConnectFailed> {
    // The login was found by a value that the gateway signed: it came under the name of `state`, or is none.
    if callback.state.as_deref() != Some(connecting.state.as_str()) {
        return Err(refusal(
            "The provider sent the customer back without `state`.",
        ));
    }
    if let Some(error) = &callback.error {
        let redactor = redactor();
        let description = callback.error_description.as_deref();
        let description = description.map(|text| redactor.text(text));
        return Err(denied(&redactor.text(error), description.as_deref()));
    }
    let needs_code = config.callback_grant == CallbackGrant::AuthorizationCode;
    if needs_code && callback.code.is_none() {
        return Err(refusal(
            "The provider sent the customer back without a code.",
        ));
    }
    Ok(())
}

fn refusal(text: &str) -> ConnectFailed {
    failed(ConnectFailure::ConnectionError, text.to_owned())
}

/// What the first step of `exchange_code` gets. A parameter that is there twice has no value.
fn exchange_input(asked: &Asked) -> Exact {
    let mut callback = Map::new();
    for (name, value) in asked.parameters {
        let is_twice = callback.contains_key(name);
        let value = if is_twice {
            Value::Null
        } else {
            value.as_str().into()
        };
        callback.insert(name.clone(), value);
    }
    let is_proved = asked.config.pkce != Pkce::Off;
    let verifier = Some(asked.verifier.text()).filter(|_| is_proved);
    Exact::from(json!({
        "code": asked.callback.code,
        "redirect_uri": asked.connecting.callback,
        "code_verifier": verifier,
        "state": asked.connecting.state,
        "callback": callback,
    }))
}
