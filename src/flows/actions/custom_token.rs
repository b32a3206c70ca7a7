//! Runs the steps of a `custom_token` and reads the token in their result.

use std::rc::Rc;

use serde_json::{Map, Value};

use crate::config::credentials::OAuth2;
use crate::config::{Action, CustomToken, PlacedAction};
use crate::expression::ExpressionScope;
use crate::flows::account::contents::Contents;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::actions::credential_actions::{of_step, read_result, redacted};
use crate::flows::actions::{ActionOutcome, NamedAction, run_action};
use crate::flows::base::moment::moment;
use crate::flows::call::account::CallAccount;
use crate::flows::call::account_calls::AccountCalls;
use crate::flows::call::subject::Errand;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::tokens::credential_actions::TokenNeed;
use crate::flows::tokens::grant::Attempt;
use crate::json::Exact;
use crate::oauth::{self, TokenReply};
use crate::ports::{Outside, Storage};
use crate::settings::TOKEN_TIMEOUT;

impl<O: Outside, S: Storage> AccountCalls<O, S> {
    /// The token that the steps get. Where `refresh_steps` are refused, `steps` get one: the customer's own values are
    /// still there.
    pub(super) async fn run_custom_token(
        &self,
        resolved: &ResolvedConfig,
        loaded: &Rc<LoadedAccount>,
        custom: &CustomToken,
        need: TokenNeed,
    ) -> Result<TokenReply, Attempt> {
        let signed = self.with_jwt(resolved, loaded, custom)?;
        let loaded = &signed;
        if let Some(steps) = &custom.refresh_steps
            && need == TokenNeed::Refresh
            && loaded.token().is_some()
        {
            let previous = loaded.token();
            let refreshed = self
                .run_steps(resolved, loaded, custom, (steps, need), previous)
                .await;
            match refreshed {
                Err(Attempt::Failed(failed)) if failed.is_refusal() => {}
                outcome => return outcome,
            }
        }
        self.run_steps(resolved, loaded, custom, (&custom.steps, need), None)
            .await
    }

    /// The account with the signed token that the steps send as `{{jwt}}`.
    fn with_jwt(
        &self,
        resolved: &ResolvedConfig,
        loaded: &Rc<LoadedAccount>,
        custom: &CustomToken,
    ) -> Result<Rc<LoadedAccount>, Attempt> {
        let Some(jwt) = &custom.jwt else {
            return Ok(Rc::clone(loaded));
        };
        let compiled = &resolved.compiled;
        let signed = self.tokens().endpoint();
        let signed = signed.signed_jwt(compiled, jwt, &loaded.context)?;
        let mut contents = Contents::of(loaded);
        contents.put_jwt(&signed);
        Ok(Rc::new(contents.preview(loaded.account.clone(), compiled)))
    }

    /// `previous` is the token whose refresh token stays valid when none comes.
    async fn run_steps(
        &self,
        resolved: &ResolvedConfig,
        loaded: &Rc<LoadedAccount>,
        custom: &CustomToken,
        (steps, need): (&Action, TokenNeed),
        previous: Option<&Value>,
    ) -> Result<TokenReply, Attempt> {
        let errand = match need {
            TokenNeed::Connect => Errand::Connect,
            TokenNeed::Refresh => Errand::Refresh,
        };
        let format = &loaded.account.authentication_method;
        let action = NamedAction::of_credential(PlacedAction::of_credential(format, steps), errand);
        let deadline = self.system().now().plus(TOKEN_TIMEOUT);
        let outcome = run_action(self, loaded, resolved, action, Exact::default(), deadline);
        let outcome = outcome
            .await
            .map_err(|failure| redacted(of_step(failure), resolved, loaded))?;
        let answer = self.token_answer(resolved, loaded, custom, &outcome)?;
        let config = OAuth2 {
            token_expiry_duration: custom.token_expiry_duration,
            ..OAuth2::default()
        };
        let body = Value::Object(answer).to_string();
        let read = read_result(&config, &body, self.system().now(), previous)?;
        Ok(TokenReply {
            token: read.token,
            reply: outcome.result.plain().into_owned(),
        })
    }

    /// The values of `token`, under the names of RFC 6749.
    fn token_answer(
        &self,
        resolved: &ResolvedConfig,
        loaded: &LoadedAccount,
        custom: &CustomToken,
        outcome: &ActionOutcome,
    ) -> Result<Map<String, Value>, Attempt> {
        let compiled = &resolved.compiled;
        let whole = outcome.context.as_ref().unwrap_or(&loaded.context);
        let shown = compiled.split_context(whole, &loaded.sealed).0;
        let result = outcome.result.plain();
        let scope = ExpressionScope::step(&result, &shown).with_answer_headers(&outcome.headers);
        let mut answer = Map::new();
        for (name, expression) in custom.token.named() {
            let value = match expression {
                Some(expression) => expression
                    .evaluate(&scope, &moment(self.system()))
                    .map_err(|error| Attempt::Ours(error.into()))?,
                None => result.get(name).cloned(),
            };
            answer.extend(value.map(|value| (name.to_owned(), value)));
        }
        if answer.get("access_token").is_none_or(Value::is_null) {
            return Err(oauth::no_token(&result).into());
        }
        Ok(answer)
    }
}
