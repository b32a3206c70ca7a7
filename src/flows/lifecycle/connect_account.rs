//! Connecting, in the account's object: the customer's form, the redirect to the provider, the callback.
//!
//! The account is stored only when it has a credential. The same write spends the link token; then the lifecycle actions
//! run.

use std::rc::Rc;

use data_encoding::HEXLOWER;
use serde_json::Value;
use url::Url;

use crate::config::Credential;
use crate::config::credentials::OAuth2;
use crate::connect::outcome::ConnectFailure;
use crate::connect::page::Brand;
use crate::error::Failure;
use crate::flows::account::base::Base;
use crate::flows::account::changes::Changes;
use crate::flows::account::contents::Contents;
use crate::flows::account::record::AccountRecord;
use crate::flows::account::schedule::Schedule;
use crate::flows::base::context_limits::check_context;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::lifecycle::connect_failed::{
    broken, failed, no_server, not_logged_in, refused, unusable,
};
use crate::flows::lifecycle::first_token::first_token;
use crate::flows::lifecycle::logins::{Login, LoginStore};
use crate::flows::lifecycle::new_credential::NewCredential;
use crate::flows::lifecycle::set_up::SetUpRunner;
use crate::flows::lifecycle::sftp_login::check_login;
use crate::flows::messages::connecting::{
    CallbackRequest, ConnectFailed, ConnectResult, ConnectStep, Connecting,
};
use crate::flows::tokens::grant::TokenEndpoint;
use crate::oauth::{self, Authorize, Verifier};
use crate::ports::{Outside, Storage, StorageFault};

/// What a new credential is stored with.
pub(in crate::flows) struct ConnectContext {
    pub(in crate::flows) resolved: ResolvedConfig,
    /// The account's context, without a token.
    pub(in crate::flows) contents: Contents,
}

/// How an account gets a credential: from a customer's form or an import to the stored credential.
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
            server,
        }) = login
        else {
            return Ok(None);
        };
        let parameters = &request.parameters;
        let outcome = if let Some(asked) = request_token {
            self.finish_oauth1(&connecting, &asked, parameters).await
        } else {
            let held = (verifier.as_str(), server.as_ref());
            self.finish_login(&connecting, held, parameters).await
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
            Some(Credential::Oauth(own)) if own.redirects() => self
                .redirect_by_oauth1(connecting, &context, own)
                .await
                .map(Some),
            credential => {
                let scopes = connecting.scopes.as_deref();
                let (account, contents) = (&connecting.account, &context.contents);
                let checked =
                    check_login(self.base.outside(), &context.resolved, account, contents);
                checked.await.map_err(not_logged_in)?;
                let calls = self.set_up.calls();
                let reply = first_token(calls, &context.resolved, account, contents, scopes)
                    .await
                    .map_err(|attempt| refused(attempt, &contents.redactor(&compiled)))?;
                let granted = credential.zip(reply);
                self.accept(connecting, context, granted, &[]).await?;
                Ok(None)
            }
        }
    }

    async fn redirect_to_provider(
        &self,
        connecting: &Connecting,
        context: &ConnectContext,
        config: &OAuth2,
    ) -> Result<Url, ConnectFailed> {
        let redactor = || context.contents.redactor(&context.resolved.compiled);
        let server = Box::pin(self.find_server(connecting, context, config)).await;
        let server = server.map_err(|failure| no_server(failure, &redactor()))?;
        let verifier = Verifier::new(self.base.outside().random());
        let authorize = Authorize {
            state: &connecting.state,
            redirect_uri: &connecting.callback,
            scopes: connecting.scopes.as_deref(),
            verifier: Some(&verifier),
        };
        let with_random = with_random(context.contents.context(), self.base.outside().random());
        let url = self
            .endpoint
            .with_server(
                &context.resolved.compiled,
                (config, server.as_ref()),
                &with_random,
                |client| oauth::authorization_url(client, &authorize),
            )
            .map_err(unusable)?;
        let login = Login {
            connecting: connecting.clone(),
            verifier: verifier.text().to_owned(),
            request_token: None,
            server,
        };
        self.write_login(&login).await?;
        Ok(url)
    }

    pub(super) async fn write_login(&self, login: &Login) -> Result<(), ConnectFailed> {
        self.logins.write(login).map_err(broken)?;
        self.schedule.plan().await;
        Ok(())
    }

    /// The resolved config, and the context that the account will have. Fails if the account can no longer be connected.
    pub(super) async fn connect_context(
        &self,
        connecting: &Connecting,
    ) -> Result<ConnectContext, ConnectFailed> {
        let new = NewCredential::of_link(connecting);
        let existing = self.record.settled().await.map_err(broken)?;
        let is_refused = match &existing {
            Some(loaded) => new.is_of_another(loaded),
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
        let contents = new.merged(&resolved, existing.as_deref()).map_err(broken)?;
        check_context(contents.context()).map_err(broken)?;
        Ok(ConnectContext { resolved, contents })
    }
}

/// The context with a random value, which `params` read as `{{random}}`. A value of the account's own counts.
fn with_random(context: &Value, random: [u8; 16]) -> Value {
    let mut context = context.clone();
    if let Value::Object(entries) = &mut context {
        let random = HEXLOWER.encode(&random);
        entries.entry("random").or_insert_with(|| random.into());
    }
    context
}
