//! Connecting by OAuth 1.0a (RFC 5849 §2): temporary credentials, the redirect to the provider, the callback.

use std::rc::Rc;

use url::Url;

use crate::config::Credential;
use crate::config::credentials::OAuth1;
use crate::connect::outcome::ConnectFailure;
use crate::crypto::constant_time_eq;
use crate::flows::lifecycle::connect_account::{ConnectContext, ConnectFlow};
use crate::flows::lifecycle::connect_failed::{failed, refused, unusable};
use crate::flows::lifecycle::logins::Login;
use crate::flows::messages::connecting::{ConnectFailed, Connecting};
use crate::oauth::{self, RequestToken, SignInCallback};
use crate::ports::{Outside, Storage};

impl<O: Outside, S: Storage> ConnectFlow<O, S> {
    /// Asks for temporary credentials, and redirects the customer with them. The callback has our `state`, as OAuth 1.0a
    /// has no parameter for it.
    pub(super) async fn redirect_by_oauth1(
        &self,
        connecting: &Connecting,
        context: &ConnectContext,
        config: &OAuth1,
    ) -> Result<Url, ConnectFailed> {
        let compiled = &context.resolved.compiled;
        let stored = context.contents.context();
        let callback = with_state(&connecting.callback, &connecting.state);
        let request = self
            .endpoint
            .with_sign_in(compiled, config, stored, |client| client.ask(&callback))
            .map_err(unusable)?;
        let redactor = || context.contents.redactor(compiled);
        let (status, headers, body) = self
            .endpoint
            .send_to_endpoint(request)
            .await
            .map_err(|attempt| refused(attempt, &redactor()))?;
        let asked = oauth::read_request_token(status, &headers, &body, self.base.outside().now());
        let asked = asked.map_err(|failure| refused(failure.into(), &redactor()))?;
        let url = self
            .endpoint
            .with_sign_in(compiled, config, stored, |client| client.authorize(&asked))
            .map_err(unusable)?;
        self.write_login(&Login {
            connecting: connecting.clone(),
            verifier: String::new(),
            request_token: Some(asked),
            server: None,
        })
        .await?;
        Ok(url)
    }

    /// Exchanges the temporary credentials for a token, if the callback is theirs and has a verifier.
    pub(super) async fn finish_oauth1(
        &self,
        connecting: &Connecting,
        asked: &RequestToken,
        parameters: &[(String, String)],
    ) -> Result<(), ConnectFailed> {
        let SignInCallback::Verified { token, verifier } = SignInCallback::read(parameters) else {
            let message = "The provider sent the customer back without a verifier.".to_owned();
            return Err(failed(ConnectFailure::AccessDenied, message));
        };
        if !constant_time_eq(token.as_bytes(), asked.token.as_bytes()) {
            let message = "The provider's callback is of another sign-in.".to_owned();
            return Err(failed(ConnectFailure::ConnectionError, message));
        }
        let context = self.connect_context(connecting).await?;
        let compiled = Rc::clone(&context.resolved.compiled);
        let method = &connecting.account.authentication_method;
        let credential = compiled.config.credential(method);
        let (Some(credential), Some(config)) =
            (credential, credential.and_then(Credential::oauth1))
        else {
            let message = "The integration no longer has this credential.".to_owned();
            return Err(failed(ConnectFailure::ConnectionError, message));
        };
        let stored = context.contents.context();
        let request = self
            .endpoint
            .with_sign_in(&compiled, config, stored, |client| {
                client.exchange(asked, &verifier)
            })
            .map_err(unusable)?;
        self.check_link(connecting).await?;
        let redactor = || context.contents.redactor(&compiled);
        let (status, headers, body) = self
            .endpoint
            .send_to_endpoint(request)
            .await
            .map_err(|attempt| refused(attempt, &redactor()))?;
        let reply = oauth::read_signed_token(status, &headers, &body, self.base.outside().now());
        let reply = reply.map_err(|failure| {
            let secrets = [asked.token.clone(), asked.secret.clone(), verifier.clone()];
            refused(failure.without(&secrets).into(), &redactor())
        })?;
        self.accept(connecting, context, Some((credential, reply)), &[])
            .await
    }
}

/// The callback URL with `state` in its query.
fn with_state(callback: &str, state: &str) -> String {
    let mark = if callback.contains('?') { '&' } else { '?' };
    // A state is base64url, and needs no escapes.
    format!("{callback}{mark}state={state}")
}
