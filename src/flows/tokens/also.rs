//! Further tokens of an account (`alsoFor`): each is obtained from the account's grant by the first request that carries
//! it, for all that wait, and stored with the account's token. A new token of the account ends them, so what ends the one
//! ends the other. That one cannot be obtained concerns the requests that carry it, and not the account.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::FutureExt;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::account::freshness::Freshness;
use crate::config::Credential;
use crate::config::authorization::ALSO;
use crate::config::credentials::OAuth2;
use crate::error::{Code, Failure};
use crate::flows::account::base::Base;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::record::AccountRecord;
use crate::flows::base::within::within;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::tokens::GrantLock;
use crate::flows::tokens::grant::{Attempt, TokenEndpoint};
use crate::flows::tokens::refresh::{PATIENCE, PAUSE, pause_after, token_endpoint};
use crate::flows::tokens::refused::Refusals;
use crate::json;
use crate::oauth::{self, TokenFailure, TokenReply};
use crate::ports::{Outside, Storage};
use crate::time::Timestamp;

/// Further tokens being obtained: `true` once the work has ended.
type Obtaining = watch::Receiver<bool>;

/// Obtains the account's further tokens.
pub(in crate::flows) struct AlsoTokens<O, S> {
    base: Rc<Base<O, S>>,
    record: Rc<AccountRecord<O, S>>,
    endpoint: Rc<TokenEndpoint<O, S>>,
    refusals: Rc<Refusals>,
    grants: Rc<GrantLock>,
    /// The work under way. Its task clears this.
    obtaining: RefCell<Option<Obtaining>>,
}

impl<O: Outside, S: Storage> AlsoTokens<O, S> {
    pub(super) fn new(
        base: &Rc<Base<O, S>>,
        record: &Rc<AccountRecord<O, S>>,
        endpoint: &Rc<TokenEndpoint<O, S>>,
        refusals: &Rc<Refusals>,
        grants: &Rc<GrantLock>,
    ) -> Self {
        Self {
            base: Rc::clone(base),
            record: Rc::clone(record),
            endpoint: Rc::clone(endpoint),
            refusals: Rc::clone(refusals),
            grants: Rc::clone(grants),
            obtaining: RefCell::new(None),
        }
    }

    /// Whether the account lacks one of these tokens, or has one that it is time to replace.
    pub(in crate::flows) fn are_wanted(&self, loaded: &LoadedAccount, names: &[String]) -> bool {
        names.iter().any(|name| self.is_wanted(loaded, name))
    }

    fn is_wanted(&self, loaded: &LoadedAccount, name: &str) -> bool {
        let now = self.base.outside().now();
        match loaded.also_token(name).map(|own| Freshness::of(own, now)) {
            Some(Freshness::Fresh | Freshness::Unknown) => false,
            Some(Freshness::Due) => self.refusals.also.get(name, now).is_none(),
            Some(Freshness::Expired) | None => true,
        }
    }

    /// Waits until the account has these tokens. Fails where one cannot be obtained; one that can still be used is.
    pub(in crate::flows) async fn obtained(
        self: &Rc<Self>,
        names: &[String],
        deadline: Timestamp,
    ) -> Result<(), Failure> {
        // Others may be obtaining other tokens at first, and a refresh may end what was obtained.
        const ROUNDS: usize = 3;
        for _ in 0..ROUNDS {
            let Some(loaded) = self.record.present() else {
                return Ok(());
            };
            let wanted = names.iter().filter(|name| self.is_wanted(&loaded, name));
            let wanted: Vec<String> = wanted.cloned().collect();
            let now = self.base.outside().now();
            let failed = |name: &String| self.refusals.also.get(name, now);
            if let Some(failure) = wanted.iter().find_map(failed) {
                return Err(failure);
            }
            if wanted.is_empty() {
                return Ok(());
            }
            let is_good = |name: &String| {
                let own = loaded.also_token(name);
                own.is_some_and(|own| Freshness::of(own, now) == Freshness::Due)
            };
            let are_good = wanted.iter().all(is_good);
            let until = if are_good {
                deadline.min(now.plus(PATIENCE))
            } else {
                deadline
            };
            let mut obtaining = self.join(wanted);
            let ended = obtaining.wait_for(|ended| *ended).map(drop);
            let ended = within(self.base.outside(), until.since(now), ended).await;
            if ended.is_none() && are_good {
                return Ok(());
            }
            ended.ok_or_else(|| token_endpoint("it has not answered in time"))?;
        }
        Ok(())
    }

    /// Starts to obtain these, or joins the work under way. It continues when the call that started it is cancelled.
    fn join(self: &Rc<Self>, names: Vec<String>) -> Obtaining {
        if let Some(obtaining) = self.obtaining.borrow().clone() {
            return obtaining;
        }
        let (sender, receiver) = watch::channel(false);
        self.obtaining.replace(Some(receiver.clone()));
        let own = Rc::clone(self);
        let work = async move {
            for name in names {
                own.obtain(&name).await;
            }
            own.obtaining.take();
            sender.send_replace(true);
        };
        self.base.outside().spawn(work.boxed_local());
        receiver
    }

    async fn obtain(&self, name: &str) {
        // A refresh token may be good for one request.
        let _one_at_a_time = self.grants.lock().await;
        let outcome = self.try_to_obtain(name).await;
        let now = self.base.outside().now();
        if let Err(failure) = &outcome {
            let reason = format!("{}: {}", failure.code.as_str(), failure.message);
            self.base.log("also_token_failed", &reason);
        }
        let failure = outcome.err();
        let failure = failure.map(|failure| (now.plus(pause_after(&failure)), failure));
        self.refusals.also.note(name, failure);
    }

    async fn try_to_obtain(&self, name: &str) -> Result<(), Failure> {
        let Some(began) = self.record.present() else {
            return Ok(());
        };
        let resolved = self.record.resolved_config(&began.account).await?;
        let loaded = self.record.present();
        let Some(loaded) = loaded.filter(|now| self.is_wanted(now, name)) else {
            return Ok(());
        };
        let reply = self.request(&resolved, &loaded, name).await;
        let reply = reply.map_err(|attempt| match attempt {
            Attempt::Ours(failure) => failure,
            Attempt::Failed(failed) => {
                let redactor = self.record.redactor(&resolved.compiled, &loaded.context);
                failure_of(name, &redactor.token_failure(failed))
            }
        })?;
        self.store(&loaded, name, reply.token)
    }

    async fn request(
        &self,
        resolved: &ResolvedConfig,
        loaded: &LoadedAccount,
        name: &str,
    ) -> Result<TokenReply, Attempt> {
        let compiled = &resolved.compiled;
        let method = &loaded.account.authentication_method;
        let credential = compiled.config.credential(method);
        let oauth = credential.and_then(Credential::oauth);
        let own = oauth.and_then(|oauth| Some(oauth.of_also(oauth.also_for.get(name)?)));
        let (Some(credential), Some(own)) = (credential, own) else {
            let text = format!("The credential `{method}` has no `alsoFor.{name}`.");
            return Err(Failure::new(Code::BadIntegration, text).into());
        };
        let refresh_token = loaded.token().and_then(|token| token.get("refresh_token"));
        let refresh_token = refresh_token.and_then(Value::as_str).unwrap_or_default();
        if matches!(credential, Credential::Oauth2(_)) && !refresh_token.is_empty() {
            let build = |client: &oauth::GrantClient| oauth::refresh_for(client, refresh_token);
            let request = self
                .endpoint
                .with_client(compiled, &own, &loaded.context, build)?;
            return self
                .endpoint
                .request_token(&own, request, loaded.token())
                .await;
        }
        let Some(credential) = again(credential, own) else {
            let text = format!(
                "The account has no refresh token to obtain the token `{name}` with; its customer must connect it again."
            );
            return Err(Failure::new(Code::NotRefreshable, text).into());
        };
        let context = &loaded.context;
        let granted = self
            .endpoint
            .grant_by_client(compiled, &credential, context, None);
        granted.await
    }

    /// Stores it with the account's token, without an `.await` after the answer was read.
    fn store(&self, loaded: &LoadedAccount, name: &str, reply: Value) -> Result<(), Failure> {
        let (Some(before), Value::Object(mut own)) = (loaded.token(), reply) else {
            return Ok(());
        };
        let mut token = before.clone();
        // It may be another one now, which replaces that before.
        if let Some(refresh_token) = own.shift_remove("refresh_token") {
            json::merge(&mut token, &json!({ "refresh_token": refresh_token }));
        }
        if let Some(tokens) = token.get_mut(ALSO).and_then(Value::as_object_mut) {
            tokens.shift_remove(name);
        }
        json::merge(&mut token, &json!({ ALSO: { name: own } }));
        self.record.replace_token(before, &token)
    }
}

/// The credential with these settings, where its grant needs no customer.
fn again(credential: &Credential, own: OAuth2) -> Option<Credential> {
    let own = Box::new(own);
    match credential {
        Credential::Oauth2(oauth) if oauth.needs_code() => None,
        Credential::Oauth2(_) => Some(Credential::Oauth2(own)),
        Credential::JwtBearer(_) => Some(Credential::JwtBearer(own)),
        Credential::Oauth2ClientCredentials(_) => Some(Credential::Oauth2ClientCredentials(own)),
        _ => None,
    }
}

fn failure_of(name: &str, failed: &TokenFailure) -> Failure {
    let mut failure = Failure::new(
        Code::TokenEndpoint,
        format!(
            "The account's token `{name}` could not be obtained: the provider's token endpoint: {failed}."
        ),
    )
    .with_retry_after(PAUSE.as_secs());
    if let TokenFailure::Transient { retry_after } = failed {
        failure.retry_after = retry_after.or(failure.retry_after);
    }
    failure
}
