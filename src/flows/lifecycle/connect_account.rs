//! Connecting, in the account's object: the customer's form, the redirect to the provider, the callback.
//!
//! The account is stored only when it has a credential. The same write spends the link token; then the lifecycle actions
//! run.

use std::rc::Rc;

use crate::flows::account::base::Base;
use crate::flows::account::changes::Changes;
use crate::flows::account::contents::Contents;
use crate::flows::account::record::AccountRecord;
use crate::flows::account::schedule::Schedule;
use crate::flows::lifecycle::connect_failed::{broken, denied, failed, refused, unusable};
use crate::flows::lifecycle::credential::{is_of_another, merged, with_callback};
use crate::flows::lifecycle::logins::{Login, LoginStore};
use crate::flows::lifecycle::set_up::SetUpRunner;
use crate::flows::tokens::credential_actions::{CredentialActions, TokenNeed};
use crate::flows::tokens::grant::TokenEndpoint;
use url::Url;

use crate::config::Credential;
use crate::config::credentials::OAuth2;
use crate::connect::outcome::ConnectFailure;
use crate::connect::page::Brand;
use crate::error::{Code, Failure};
use crate::flows::base::context_limits::check_context;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::messages::connecting::{
    CallbackRequest, ConnectFailed, ConnectResult, ConnectStep, Connecting,
};
use crate::flows::messages::environment::{EnvironmentMessage, LinkState};
use crate::flows::messages::send_to_environment;
use crate::oauth::{self, Authorize, Callback, Verifier};
use crate::ports::{Outside, Storage, StorageFault};

/// What a new credential is stored with.
pub(in crate::flows) struct ConnectContext {
    pub(in crate::flows) resolved: ResolvedConfig,
    /// The account's context, without a token.
    pub(in crate::flows) contents: Contents,
}

/// How a customer connects the account, from the form to the stored credential.
pub(in crate::flows) struct ConnectFlow<O, S> {
    pub(super) base: Rc<Base<O, S>>,
    pub(super) record: Rc<AccountRecord<O, S>>,
    schedule: Rc<Schedule<O, S>>,
    pub(super) changes: Rc<Changes<O, S>>,
    pub(super) endpoint: Rc<TokenEndpoint<O, S>>,
    logins: Rc<LoginStore<O, S>>,
    pub(super) set_up: Rc<SetUpRunner<O, S>>,
}

impl<O: Outside, S: Storage> ConnectFlow<O, S> {
    pub(in crate::flows) fn new(
        base: &Rc<Base<O, S>>,
        record: &Rc<AccountRecord<O, S>>,
        schedule: &Rc<Schedule<O, S>>,
        changes: &Rc<Changes<O, S>>,
        endpoint: &Rc<TokenEndpoint<O, S>>,
        logins: &Rc<LoginStore<O, S>>,
        set_up: &Rc<SetUpRunner<O, S>>,
    ) -> Self {
        Self {
            base: Rc::clone(base),
            record: Rc::clone(record),
            schedule: Rc::clone(schedule),
            changes: Rc::clone(changes),
            endpoint: Rc::clone(endpoint),
            logins: Rc::clone(logins),
            set_up: Rc::clone(set_up),
        }
    }

    /// Whether a login was ever stored.
    pub(in crate::flows) fn has_logins(&self) -> Result<bool, StorageFault> {
        self.logins.is_there()
    }

    /// Handles a valid form: redirects to the provider, or stores the credential at once.
    pub(in crate::flows) async fn connect(
        &self,
        connecting: Connecting,
    ) -> Result<ConnectStep, Failure> {
        let outcome = match self.connect_context(&connecting).await {
            Ok(context) => self.begin(&connecting, context).await,
            Err(failed) => Err(failed),
        };
        Ok(match outcome {
            Ok(Some(url)) => ConnectStep::Redirect(url),
            Ok(None) => ConnectStep::Ended(self.ended(connecting, None).await),
            Err(failed) => ConnectStep::Ended(self.ended(connecting, Some(failed)).await),
        })
    }

    /// Handles the provider's callback. `None`: no login of this browser waits for it.
    pub(in crate::flows) async fn callback(
        &self,
        request: CallbackRequest,
    ) -> Result<Option<ConnectResult>, Failure> {
        let login = self
            .logins
            .take(&request.state, &request.browser, &request.integration)?;
        let Some(Login {
            connecting,
            verifier,
            request_token,
        }) = login
        else {
            return Ok(None);
        };
        let parameters = &request.parameters;
        let outcome = match request_token {
            Some(asked) => self.finish_oauth1(&connecting, &asked, parameters).await,
            None => self.finish_login(&connecting, &verifier, parameters).await,
        };
        Ok(Some(self.ended(connecting, outcome.err()).await))
    }

    async fn ended(&self, connecting: Connecting, failed: Option<ConnectFailed>) -> ConnectResult {
        if let Some(failed) = &failed {
            self.base.log("connect_failed", &failed.error);
        }
        let resolved = self.record.resolved_config(&connecting.account).await.ok();
        let config = resolved.as_ref().map(|resolved| &resolved.compiled.config);
        let brand = config.map(|config| Brand::of(&connecting.integration, config));
        ConnectResult {
            label: brand.map(|brand| brand.label.to_owned()),
            logo: brand.and_then(|brand| brand.logo).map(str::to_owned),
            integration: connecting.integration.clone(),
            account: connecting.account.id,
            is_again: connecting.is_again,
            return_to: connecting.return_to,
            failed,
            again: connecting.again,
        }
    }

    async fn begin(
        &self,
        connecting: &Connecting,
        context: ConnectContext,
    ) -> Result<Option<Url>, ConnectFailed> {
        let compiled = Rc::clone(&context.resolved.compiled);
        let method = &connecting.account.authentication_method;
        compiled.check_credential(method).map_err(broken)?;
        match compiled.config.credential(method) {
            Some(Credential::Oauth2(config)) => self
                .redirect_to_provider(connecting, &context, config)
                .await
                .map(Some),
            Some(
                credential @ (Credential::Oauth2ClientCredentials(_)
                | Credential::JwtBearer(_)
                | Credential::KekaOauth(_)),
            ) => {
                let scopes = connecting.scopes.as_deref();
                let reply = self
                    .endpoint
                    .grant_by_client(&compiled, credential, context.contents.context(), scopes)
                    .await
                    .map_err(|attempt| refused(attempt, &context.contents.redactor(&compiled)))?;
                self.accept(connecting, context, Some((credential, reply)), &[])
                    .await
                    .map(|()| None)
            }
            Some(credential @ Credential::CustomToken(custom)) => {
                let account = connecting.account.clone();
                let loaded = Rc::new(context.contents.preview(account, &compiled));
                let reply = self
                    .set_up
                    .calls()
                    .custom_token(&context.resolved, &loaded, custom, TokenNeed::Connect)
                    .await
                    .map_err(|attempt| refused(attempt, &context.contents.redactor(&compiled)))?;
                self.accept(connecting, context, Some((credential, reply)), &[])
                    .await
                    .map(|()| None)
            }
            Some(credential @ Credential::Jwt(own)) => {
                let context_now = context.contents.context();
                let reply = self.endpoint.self_signed(&compiled, &own.jwt, context_now);
                let granted = Some((credential, reply.map_err(unusable)?));
                self.accept(connecting, context, granted, &[])
                    .await
                    .map(|()| None)
            }
            Some(Credential::Oauth(own)) if own.redirects() => self
                .redirect_by_oauth1(connecting, &context, own)
                .await
                .map(Some),
            Some(Credential::ApiKey(_) | Credential::Oauth(_)) | None => self
                .accept(connecting, context, None, &[])
                .await
                .map(|()| None),
        }
    }

    async fn redirect_to_provider(
        &self,
        connecting: &Connecting,
        context: &ConnectContext,
        config: &OAuth2,
    ) -> Result<Url, ConnectFailed> {
        let verifier = Verifier::new(self.base.outside().random());
        let authorize = Authorize {
            state: &connecting.state,
            redirect_uri: &connecting.callback,
            scopes: connecting.scopes.as_deref(),
            verifier: Some(&verifier),
        };
        let url = self
            .endpoint
            .with_client(
                &context.resolved.compiled,
                config,
                context.contents.context(),
                |client| oauth::authorization_url(client, &authorize),
            )
            .map_err(unusable)?;
        let login = Login {
            connecting: connecting.clone(),
            verifier: verifier.text().to_owned(),
            request_token: None,
        };
        self.write_login(&login).await?;
        Ok(url)
    }

    pub(super) async fn write_login(&self, login: &Login) -> Result<(), ConnectFailed> {
        self.logins.write(login).map_err(broken)?;
        self.schedule.plan().await;
        Ok(())
    }

    async fn finish_login(
        &self,
        connecting: &Connecting,
        verifier: &str,
        parameters: &[(String, String)],
    ) -> Result<(), ConnectFailed> {
        let callback = Callback::read(parameters)
            .map_err(|error| failed(ConnectFailure::ConnectionError, error.to_string()))?;
        let context = self.connect_context(connecting).await?;
        let compiled = Rc::clone(&context.resolved.compiled);
        let credential = compiled
            .config
            .credential(&connecting.account.authentication_method);
        let config = credential.and_then(Credential::oauth).ok_or_else(|| {
            failed(
                ConnectFailure::ConnectionError,
                "The integration no longer has this credential.".to_owned(),
            )
        })?;
        let Some(verifier) = Verifier::read(verifier) else {
            return Err(broken(Failure::new(
                Code::Internal,
                "A login could not be read.",
            )));
        };
        let build = |client: &oauth::GrantClient| {
            let code = callback.code.as_deref().unwrap_or_default();
            oauth::exchange(client, code, &connecting.callback, Some(&verifier))
        };
        if let Some(error) = &callback.error {
            let redactor = context.contents.redactor(&compiled);
            let description = callback.error_description.as_deref();
            let description = description.map(|text| redactor.text(text));
            return Err(denied(&redactor.text(error), description.as_deref()));
        }
        if callback.code.is_none() {
            let message = "The provider sent the customer back without a code.".to_owned();
            return Err(failed(ConnectFailure::ConnectionError, message));
        }
        // The callback cannot choose the issuer that it is compared with.
        let check =
            |client: &oauth::GrantClient| oauth::check_issuer(client, callback.iss.as_deref());
        let stored = context.contents.context();
        self.endpoint
            .with_client(&compiled, config, stored, check)
            .map_err(unusable)?;
        let method = &connecting.account.authentication_method;
        let asked = with_callback(&context.contents, (&compiled, method), config, parameters);
        let asked = asked.map_err(broken)?;
        let request = self
            .endpoint
            .with_client(&compiled, config, asked.context(), build)
            .map_err(unusable)?;
        self.check_link(connecting).await?;
        let reply = self
            .endpoint
            .request_token(config, request, None)
            .await
            .map_err(|attempt| refused(attempt, &asked.redactor(&compiled)))?;
        let granted = credential.map(|credential| (credential, reply));
        self.accept(connecting, context, granted, parameters).await
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

    /// The resolved config, and the context that the account will have. Fails if the account can no longer be connected.
    pub(super) async fn connect_context(
        &self,
        connecting: &Connecting,
    ) -> Result<ConnectContext, ConnectFailed> {
        let existing = self.record.settled().await.map_err(broken)?;
        let is_refused = match &existing {
            Some(loaded) => is_of_another(loaded, connecting),
            // The account was deleted. An id that was stored once is not used again.
            None => connecting.is_again || self.record.was_stored().map_err(broken)?,
        };
        if is_refused {
            let message = "The account no longer exists.".to_owned();
            return Err(failed(ConnectFailure::InvalidToken, message));
        }
        let account = existing
            .as_ref()
            .map_or(&connecting.account, |loaded| &loaded.account);
        let resolved = self.record.resolved_config(account).await.map_err(broken)?;
        if !resolved.install.is_enabled {
            let message = "The integration is switched off.".to_owned();
            return Err(failed(ConnectFailure::InvalidIntegration, message));
        }
        let contents = merged(&resolved, existing.as_deref(), connecting).map_err(broken)?;
        check_context(contents.context()).map_err(broken)?;
        Ok(ConnectContext { resolved, contents })
    }
}
