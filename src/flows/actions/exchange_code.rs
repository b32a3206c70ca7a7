//! Runs the file's `exchange_code`: steps in place of the token request for a code.

use std::rc::Rc;

use serde_json::Value;

use crate::config::Credential;
use crate::config::credentials::OAuth2;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::actions::credential_actions::{of_step, read_result, redacted};
use crate::flows::actions::{NamedAction, run_action};
use crate::flows::call::account::CallAccount;
use crate::flows::call::account_calls::AccountCalls;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::tokens::credential_actions::EXCHANGE_CODE;
use crate::flows::tokens::grant::Attempt;
use crate::flows::tokens::refresh::token_endpoint;
use crate::json::Exact;
use crate::oauth::TokenReply;
use crate::ports::{Outside, Storage};
use crate::settings::TOKEN_TIMEOUT;

/// What of the input a provider's answer may repeat, and no message shows.
const SECRETS: [&str; 2] = ["code", "code_verifier"];

impl<O: Outside, S: Storage> AccountCalls<O, S> {
    /// The token that the steps get. Their result is read like a token response; what they write into the context counts
    /// for the steps after them alone.
    pub(super) async fn run_exchange_code(
        &self,
        resolved: &ResolvedConfig,
        loaded: &Rc<LoadedAccount>,
        input: Exact,
    ) -> Result<TokenReply, Attempt> {
        let config = &resolved.compiled.config;
        let Some(action) = NamedAction::find(config, EXCHANGE_CODE) else {
            return Err(Attempt::Ours(token_endpoint("it has no `exchange_code`")));
        };
        let secrets = secrets(&input);
        let deadline = self.system().now().plus(TOKEN_TIMEOUT);
        let outcome = run_action(self, loaded, resolved, action, input, deadline).await;
        let outcome = outcome.map_err(|failure| redacted(of_step(failure), resolved, loaded));
        let outcome = outcome.map_err(|attempt| match attempt {
            Attempt::Failed(failed) => Attempt::Failed(failed.without(&secrets)),
            ours @ Attempt::Ours(_) => ours,
        })?;
        let own = config.credential(&loaded.account.authentication_method);
        let fallback = OAuth2::default();
        let own = own.and_then(Credential::oauth).unwrap_or(&fallback);
        let result = outcome.result.plain().into_owned();
        let (body, now) = (result.to_string(), self.system().now());
        let read = read_result(&own.for_steps(), &body, now, None);
        let reply = read.map_err(|failed| failed.without(&secrets))?;
        Ok(TokenReply {
            token: reply.token,
            reply: result,
        })
    }
}

fn secrets(input: &Exact) -> Vec<String> {
    let input = input.plain();
    let texts = SECRETS.iter().filter_map(|key| input.get(*key));
    let texts = texts.filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}
