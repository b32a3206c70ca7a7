//! Connecting: a customer's form, the way to the provider and back, and the account that comes of it.
//!
//! Nothing counts before the credential is had: then it is stored, the link token is spent with it, and
//! the lifecycle actions run.

use std::rc::Rc;

use crate::flows::object::AccountObject;
use crate::flows::object::contents::Contents;
use crate::flows::object::credential::{is_of_another, merged};
use crate::flows::object::grant::Attempt;
use crate::flows::object::logins::Login;
use crate::flows::object::set_up::broken;
use url::Url;

use crate::config::Credential;
use crate::config::credentials::OAuth2;
use crate::connect::outcome::ConnectFailure;
use crate::connect::page::Brand;
use crate::error::{Code, Failure};
use crate::flows::base::context_limits::check_context;
use crate::flows::config::redaction::Redactor;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::messages::connecting::{CallbackRequest, Connected, Connecting, Ended, Failed};
use crate::flows::messages::environment::{EnvironmentMessage, Link};
use crate::flows::messages::send_to_environment;
use crate::oauth::{self, Authorize, Callback, OAuthError, TokenFailure, Verifier};
use crate::ports::{Outside, Storage};

/// What a new credential is stored with.
pub(super) struct ConnectContext {
    pub(super) resolved: ResolvedConfig,
    /// The whole context, without a token.
    pub(super) contents: Contents,
}

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// A customer's form: to the provider, or straight to the end.
    pub(super) async fn connect(&self, connecting: Connecting) -> Result<Connected, Failure> {
        let outcome = match self.ground(&connecting).await {
            Ok(ground) => self.begin(&connecting, ground).await,
            Err(failed) => Err(failed),
        };
        Ok(match outcome {
            Ok(Some(url)) => Connected::Redirect(url),
            Ok(None) => Connected::Ended(self.ended(connecting, None).await),
            Err(failed) => Connected::Ended(self.ended(connecting, Some(failed)).await),
        })
    }

    /// A customer is back from the provider; `None` where no login of this browser waits for him.
    pub(super) async fn callback(&self, came: CallbackRequest) -> Result<Option<Ended>, Failure> {
        let login = self
            .logins
            .take(&came.state, &came.browser, &came.integration)?;
        let Some(Login {
            connecting,
            verifier,
        }) = login
        else {
            return Ok(None);
        };
        let outcome = self
            .finish_login(&connecting, &verifier, &came.parameters)
            .await;
        Ok(Some(self.ended(connecting, outcome.err()).await))
    }

    async fn ended(&self, connecting: Connecting, failed: Option<Failed>) -> Ended {
        if let Some(failed) = &failed {
            self.base.log("connect_failed", &failed.error);
        }
        let resolved = self.resolved_config(&connecting.account).await.ok();
        let config = resolved.as_ref().map(|resolved| &resolved.compiled.config);
        let brand = config.map(|config| Brand::of(&connecting.integration, config));
        Ended {
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
        ground: ConnectContext,
    ) -> Result<Option<Url>, Failed> {
        let compiled = Rc::clone(&ground.resolved.compiled);
        let method = &connecting.account.authentication_method;
        compiled.check_credential(method).map_err(broken)?;
        match compiled.config.credential(method) {
            Some(Credential::Oauth2(config)) => self
                .to_provider(connecting, &ground, config)
                .await
                .map(Some),
            Some(
                credential @ (Credential::Oauth2ClientCredentials(config)
                | Credential::KekaOauth(config)),
            ) => {
                let scopes = connecting.scopes.as_deref();
                let reply = self
                    .grant_by_client(&compiled, credential, ground.contents.context(), scopes)
                    .await
                    .map_err(|attempt| refused(attempt, &ground.contents.redactor(&compiled)))?;
                self.accept(connecting, ground, Some((config.as_ref(), reply)), &[])
                    .await
                    .map(|()| None)
            }
            Some(Credential::ApiKey(_)) | None => self
                .accept(connecting, ground, None, &[])
                .await
                .map(|()| None),
        }
    }

    async fn to_provider(
        &self,
        connecting: &Connecting,
        ground: &ConnectContext,
        config: &OAuth2,
    ) -> Result<Url, Failed> {
        let verifier = Verifier::new(self.base.outside.random());
        let authorize = Authorize {
            state: &connecting.state,
            redirect_uri: &connecting.callback,
            scopes: connecting.scopes.as_deref(),
            verifier: Some(&verifier),
        };
        let url = self
            .with_client(
                &ground.resolved.compiled,
                config,
                ground.contents.context(),
                |client| oauth::authorization_url(client, &authorize),
            )
            .map_err(unusable)?;
        let login = Login {
            connecting: connecting.clone(),
            verifier: verifier.text().to_owned(),
        };
        self.logins.write(&login).map_err(broken)?;
        self.plan().await;
        Ok(url)
    }

    async fn finish_login(
        &self,
        connecting: &Connecting,
        verifier: &str,
        parameters: &[(String, String)],
    ) -> Result<(), Failed> {
        let callback = Callback::read(parameters)
            .map_err(|error| failed(ConnectFailure::ConnectionError, error.to_string()))?;
        let ground = self.ground(connecting).await?;
        let compiled = Rc::clone(&ground.resolved.compiled);
        let credential = compiled
            .config
            .credential(&connecting.account.authentication_method);
        let config = credential.and_then(Credential::oauth).ok_or_else(|| {
            failed(
                ConnectFailure::ConnectionError,
                "The credential is not there any more.".to_owned(),
            )
        })?;
        let Some(verifier) = Verifier::read(verifier) else {
            return Err(broken(Failure::new(
                Code::Internal,
                "A login could not be read.",
            )));
        };
        let build = |client: &oauth::GrantClient| {
            oauth::check_issuer(client, callback.iss.as_deref())?;
            let code = callback.code.as_deref().unwrap_or_default();
            oauth::exchange(client, code, &connecting.callback, Some(&verifier))
        };
        if let Some(error) = &callback.error {
            let redactor = ground.contents.redactor(&compiled);
            let words = callback.error_description.as_deref();
            let words = words.map(|words| redactor.text(words));
            return Err(denied(&redactor.text(error), words.as_deref()));
        }
        if callback.code.is_none() {
            let words = "The provider sent the customer back without a code.".to_owned();
            return Err(failed(ConnectFailure::ConnectionError, words));
        }
        let request = self
            .with_client(&compiled, config, ground.contents.context(), build)
            .map_err(unusable)?;
        self.check_link(connecting).await?;
        let reply = self
            .token_of(config, request, None)
            .await
            .map_err(|attempt| refused(attempt, &ground.contents.redactor(&compiled)))?;
        self.accept(connecting, ground, Some((config, reply)), parameters)
            .await
    }

    /// The link may have been revoked while the customer was away: then the code stays unused, and no grant is left at the
    /// provider.
    async fn check_link(&self, connecting: &Connecting) -> Result<(), Failed> {
        let (link, browser) = (connecting.link.clone(), connecting.browser.clone());
        let ask = EnvironmentMessage::OpenLink(link, Some(browser));
        let environment = connecting.account.environment_id;
        let found: Result<Link, Failure> =
            send_to_environment(&self.base.outside, environment, &ask).await;
        match found.map_err(broken)? {
            Link::Open(..) => Ok(()),
            Link::Unknown | Link::Spent | Link::OtherBrowser => Err(failed(
                ConnectFailure::InvalidToken,
                "The link cannot be used any more.".to_owned(),
            )),
        }
    }

    /// The account as it is, and the context as it will be.
    async fn ground(&self, connecting: &Connecting) -> Result<ConnectContext, Failed> {
        let existing = self.settled().await.map_err(broken)?;
        let is_wrong = match &existing {
            Some(loaded) => is_of_another(loaded, connecting),
            // Not there any more; or its place was taken once, and what is erased stays erased.
            None => connecting.is_again || self.read_row().map_err(broken)?.is_some(),
        };
        if is_wrong {
            let words = "The account is not there any more.".to_owned();
            return Err(failed(ConnectFailure::InvalidToken, words));
        }
        let account = existing
            .as_ref()
            .map_or(&connecting.account, |loaded| &loaded.account);
        let resolved = self.resolved_config(account).await.map_err(broken)?;
        if !resolved.install.is_enabled {
            let words = "The integration is switched off.".to_owned();
            return Err(failed(ConnectFailure::InvalidIntegration, words));
        }
        let contents = merged(&resolved, existing.as_deref(), connecting).map_err(broken)?;
        check_context(contents.context()).map_err(broken)?;
        Ok(ConnectContext { resolved, contents })
    }
}

pub(super) fn failed(why: ConnectFailure, error: String) -> Failed {
    Failed {
        why,
        error,
        provider: None,
        is_ours: false,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` gives it away")]
fn unusable(error: OAuthError) -> Failed {
    failed(ConnectFailure::ConnectionError, error.to_string())
}

/// RFC 6749 §4.1.2.1.
fn denied(error: &str, description: Option<&str>) -> Failed {
    let why = match error {
        "access_denied" => ConnectFailure::AccessDenied,
        _ => ConnectFailure::ConnectionError,
    };
    let words = description.unwrap_or(error).to_owned();
    Failed {
        provider: Some(words),
        ..failed(why, format!("The provider refused: {error}."))
    }
}

fn refused(attempt: Attempt, redactor: &Redactor) -> Failed {
    let failure = match attempt {
        Attempt::Ours(failure) => return broken(failure),
        Attempt::Failed(failure) => redactor.token_failure(failure),
    };
    Failed {
        is_ours: false,
        why: ConnectFailure::ConnectionError,
        error: failure.to_string(),
        provider: match failure {
            TokenFailure::Refused {
                error, description, ..
            } => Some(description.unwrap_or(error)),
            _ => None,
        },
    }
}
