//! The file's actions for the credential: `refresh_token` obtains a token, `validation` checks it.

use std::rc::Rc;

use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::account::origin::Origin;
use crate::config::credentials::OAuth2;
use crate::config::{Credential, CustomToken};
use crate::error::{AnsweredBy, Code, Failure};
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::actions::keep_changes::{keep_changes, without_token};
use crate::flows::actions::{NamedAction, run_action};
use crate::flows::call::account::CallAccount;
use crate::flows::call::account_calls::AccountCalls;
use crate::flows::config::redaction::Redactor;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::tokens::credential_actions::{
    CredentialActions, REFRESH_TOKEN, TokenNeed, VALIDATION,
};
use crate::flows::tokens::grant::Attempt;
use crate::json::{Exact, read_at_most};
use crate::oauth::{self, TokenFailure, TokenReply};
use crate::ports::{Outside, Storage};
use crate::settings::{SMALL_ANSWER_VALUES, TOKEN_TIMEOUT};
use crate::time::Timestamp;

impl<O: Outside, S: Storage> CredentialActions for AccountCalls<O, S> {
    /// The action's result, or its value at `oauth.token`, is read like a token response.
    async fn refresh_token(
        &self,
        resolved: &ResolvedConfig,
        loaded: &Rc<LoadedAccount>,
    ) -> Result<(), Attempt> {
        let config = &resolved.compiled.config;
        let Some(action) = NamedAction::find(config, REFRESH_TOKEN) else {
            return Ok(());
        };
        let deadline = self.system().now().plus(TOKEN_TIMEOUT);
        let outcome = run_action(self, loaded, resolved, action, Exact::default(), deadline).await;
        let outcome = outcome.map_err(of_step)?;
        let token_in_context = || {
            outcome
                .context
                .as_ref()?
                .get("oauth")?
                .get("token")
                .cloned()
        };
        let result = outcome.result.inside();
        let has_token = result.get("access_token").is_some();
        let is_new = |token: &Value| Some(token) != loaded.token();
        let written = token_in_context();
        // An error in an answer with a success status (RFC 6749 §5.2 wants 400) ends the grant as it does there.
        let is_error = result.get("error").is_some_and(|error| !error.is_null());
        let reply = if has_token || (is_error && !written.as_ref().is_some_and(is_new)) {
            Some(outcome.result.clone())
        } else {
            written.map(Exact::from)
        };
        if let Some(reply) = reply {
            let fallback = OAuth2::default();
            let credential = config.credential(&loaded.account.authentication_method);
            let config = credential.and_then(Credential::oauth).unwrap_or(&fallback);
            let (body, now) = (reply.to_string(), self.system().now());
            let token = read_result(&config.for_steps(), &body, now, loaded.token())?;
            self.record().store_refreshed(loaded, &token.token)?;
        }
        let before = without_token(&loaded.context);
        keep_changes(self.changes(), Origin::Provider, &before, &outcome).await?;
        Ok(())
    }

    async fn custom_token(
        &self,
        resolved: &ResolvedConfig,
        loaded: &Rc<LoadedAccount>,
        custom: &CustomToken,
        need: TokenNeed,
    ) -> Result<TokenReply, Attempt> {
        self.run_custom_token(resolved, loaded, custom, need).await
    }

    async fn exchange_code(
        &self,
        resolved: &ResolvedConfig,
        loaded: &Rc<LoadedAccount>,
        input: Exact,
    ) -> Result<TokenReply, Attempt> {
        self.run_exchange_code(resolved, loaded, input).await
    }

    async fn validate(
        &self,
        resolved: &ResolvedConfig,
        loaded: &Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<usize, Failure> {
        let Some(action) = NamedAction::find(&resolved.compiled.config, VALIDATION) else {
            return Ok(0);
        };
        let outcome = run_action(self, loaded, resolved, action, Exact::default(), deadline).await;
        Ok(outcome?.requests)
    }
}

/// Reads the result of steps like a response of a token endpoint.
pub(super) fn read_result(
    config: &OAuth2,
    result: &str,
    now: Timestamp,
    previous: Option<&Value>,
) -> Result<TokenReply, TokenFailure> {
    let (status, headers) = (StatusCode::OK, HeaderMap::new());
    oauth::read_token(config, status, &headers, result.as_bytes(), now, previous)
}

/// Why there is no token, without secrets of the account and of its install.
pub(super) fn redacted(
    attempt: Attempt,
    resolved: &ResolvedConfig,
    loaded: &LoadedAccount,
) -> Attempt {
    let redactor = Redactor::new(&resolved.compiled, &loaded.context, &loaded.sealed);
    match attempt {
        Attempt::Failed(failed) => Attempt::Failed(redactor.token_failure(failed)),
        Attempt::Ours(failure) => Attempt::Ours(redactor.failure(failure)),
    }
}

/// The provider's answer to a failed step. An error that the file finds in an answer with a success status is a refusal, too.
pub(super) fn of_step(mut failure: Failure) -> Attempt {
    let is_in_body = failure.code == Code::ErrorInBody;
    let words = failure.remote.as_mut().and_then(|remote| {
        if is_in_body {
            remote.status = StatusCode::BAD_REQUEST.as_u16();
        }
        let answer = read_at_most(remote.raw_response.as_bytes(), SMALL_ANSWER_VALUES)?;
        Some(answer.get("message")?.as_str()?.to_owned())
    });
    match of_action(failure) {
        Attempt::Failed(failed) => Attempt::Failed(failed.described(words.as_deref())),
        ours @ Attempt::Ours(_) => ours,
    }
}

/// Reads the response to a failed action like an error response of a token endpoint (RFC 6749 §5.2).
fn of_action(failure: Failure) -> Attempt {
    let Some(remote) = &failure.remote else {
        return match failure.status() {
            502..=504 => Attempt::Failed(TokenFailure::Transient {
                retry_after: failure.retry_after,
            }),
            _ => Attempt::Ours(failure),
        };
    };
    let status = failure.status();
    // Another host, reached by a redirect, cannot end a grant.
    let is_other_origin = remote.answered_by == AnsweredBy::Other;
    if matches!(status, 408 | 425 | 429 | 500..) || is_other_origin {
        return Attempt::Failed(TokenFailure::Transient {
            retry_after: failure.retry_after,
        });
    }
    let error_response = read_at_most(remote.raw_response.as_bytes(), SMALL_ANSWER_VALUES);
    let text = |key: &str| Some(error_response.as_ref()?.get(key)?.as_str()?.to_owned());
    if text("error").is_some_and(|error| oauth::is_transient(&error)) {
        return Attempt::Failed(TokenFailure::Transient {
            retry_after: failure.retry_after,
        });
    }
    let error = text("error").unwrap_or_else(|| format!("status {status}"));
    let body = remote.raw_response.as_bytes();
    Attempt::Failed(TokenFailure::refused(
        error,
        text("error_description"),
        body,
    ))
}
