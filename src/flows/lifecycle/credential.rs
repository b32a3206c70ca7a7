//! The credential of a connected account: what the provider issued or the customer entered. One change stores it and
//! spends the link token; then set-up runs.

use std::rc::Rc;

use serde_json::{Map, Value};

use crate::account::Account;
use crate::account::origin::Origin;
use crate::account::status::Status;
use crate::config::Credential;
use crate::config::credentials::OAuth2;
use crate::connect::outcome::ConnectFailure;
use crate::error::{Code, Failure};
use crate::flows::account::changes;
use crate::flows::account::contents::Contents;
use crate::flows::account::event::EventType;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::set_up::SetUp;
use crate::flows::base::context_limits::check_context;
use crate::flows::config::resolved_config::{Compiled, ResolvedConfig};
use crate::flows::lifecycle::connect_account::{ConnectContext, ConnectFlow};
use crate::flows::lifecycle::connect_failed::{broken, failed};
use crate::flows::lifecycle::new_credential::{NewCredential, Source};
use crate::flows::lifecycle::stage::has_stages;
use crate::flows::messages::connecting::{ConnectFailed, Connecting};
use crate::oauth::{self, TokenReply};
use crate::ports::{Outside, Storage};

impl<O: Outside, S: Storage> ConnectFlow<O, S> {
    /// Stores a customer's credential and runs set-up. `reply`: the provider's token, for a credential that has one.
    pub(super) async fn accept(
        &self,
        connecting: &Connecting,
        context: ConnectContext,
        reply: Option<(&Credential, TokenReply)>,
        parameters: &[(String, String)],
    ) -> Result<(), ConnectFailed> {
        let new = NewCredential::of_link(connecting);
        let stored = self.store(new, context, reply, parameters).await;
        stored.map_err(|failure| match failure.code {
            Code::NotFound => failed(ConnectFailure::InvalidToken, failure.message),
            _ => broken(failure),
        })?;
        self.set_up.run().await
    }

    /// Stores a new credential, with the mark of the set-up that follows.
    pub(super) async fn store(
        &self,
        new: NewCredential<'_>,
        context: ConnectContext,
        reply: Option<(&Credential, TokenReply)>,
        parameters: &[(String, String)],
    ) -> Result<(), Failure> {
        let ConnectContext { resolved, contents } = context;
        let mut granted = GrantedCredential {
            requested_with: contents.context().clone(),
            callback_values: Map::new(),
            token_values: Map::new(),
            absent_keys: Vec::new(),
            token: None,
        };
        if let Some((credential, reply)) = reply {
            granted.token_values = token_values(credential, &reply);
            let is_absent = |key: &&String| !granted.token_values.contains_key(*key);
            let absent = credential.granted_keys().filter(is_absent);
            granted.absent_keys = absent.cloned().collect();
            let mut token = reply.token;
            if let Some(config) = credential.oauth() {
                granted.callback_values = oauth::context_from_callback(config, parameters);
                let compiled = &resolved.compiled;
                // The context of the code exchange: a value of the token response cannot name another endpoint.
                let asked = (compiled.as_ref(), new.method());
                let asked = with_callback(&contents, asked, config, parameters)?;
                let introspected = self
                    .endpoint
                    .introspected(compiled, config, asked.context(), &token)
                    .await;
                token = introspected.unwrap_or(token);
            }
            granted.token = Some(token);
        }
        self.store_credential(new, &resolved, &granted).await
    }

    /// Merges the credential into the account as it is now: it may have changed while the provider was asked.
    async fn store_credential(
        &self,
        new: NewCredential<'_>,
        resolved: &ResolvedConfig,
        granted: &GrantedCredential,
    ) -> Result<(), Failure> {
        let _one_at_a_time = self.record.lock_changing().await;
        let existing = self.record.settled().await?;
        new.check_account(existing.as_deref())?;
        let compiled = &resolved.compiled;
        let contents = new.merged(resolved, existing.as_deref())?;
        let contents = granted.merge_into(contents, compiled, new)?;
        let before = existing.as_ref().map(|loaded| loaded.status_before());
        let has_stages = new.runs_actions() && has_stages(&compiled.config);
        let mut account = existing
            .as_ref()
            .map_or_else(|| new.account.clone(), |loaded| loaded.account.clone());
        new.method().clone_into(&mut account.authentication_method);
        account.last_error = None;
        account.last_forbidden_error = None;
        // An account that was active stays callable while set-up checks its new credential.
        account.status = if has_stages && before != Some(Status::Active) {
            Status::Connecting
        } else {
            Status::Active
        };
        let events = events(before, has_stages);
        let old = existing
            .clone()
            .unwrap_or_else(|| Rc::new(LoadedAccount::new(without_credential(new.account))));
        let mut next = self
            .changes
            .next(resolved, &old, account, &contents, &events)?;
        next.link = match new.source {
            Source::Link(hash) => Some(hash.to_owned()),
            Source::Import(_) | Source::Replacement => None,
        };
        next.set_up = None;
        if has_stages {
            let found_by = self.record.held(resolved, &old)?;
            let set_up = SetUp { before, found_by };
            next.sealing_key = next.sealing_key.or_else(|| set_up.sealing_key());
            next.set_up = Some(set_up);
        }
        match existing {
            Some(_) => self.changes.put(resolved, &old, &next).await.map(drop),
            None => self
                .changes
                .create(resolved, &old.account, next)
                .await
                .map(drop),
        }
    }
}

/// What the provider issued, and the context values that came with it.
struct GrantedCredential {
    /// The context that the request was built from.
    requested_with: Value,
    /// Values of the callback's query. The customer's browser sends them and can change them.
    callback_values: Map<String, Value>,
    /// Values of the token response.
    token_values: Map<String, Value>,
    /// Keys of `context_from_token` that the token response does not have.
    absent_keys: Vec<String>,
    token: Option<Value>,
}

impl GrantedCredential {
    /// Fails if the account's host changed since the request: the credential is for the old host.
    fn merge_into(
        &self,
        mut contents: Contents,
        compiled: &Compiled,
        new: NewCredential<'_>,
    ) -> Result<Contents, Failure> {
        let (requested_with, method) = (&self.requested_with, new.method());
        if changes::refuse_host_keys(compiled, method, requested_with, contents.context()).is_err()
        {
            return Err(Failure::busy(
                "The account's host changed while it was connected. Connect it again.",
            ));
        }
        let before_token = contents.clone();
        self.write_values(&mut contents, compiled)?;
        if compiled.moves_host(method, before_token.context(), contents.context()) {
            if !matches!(new.source, Source::Link(_)) {
                return Err(Failure::host_key(
                    "context",
                    "the answer with the token names another host than the imported values",
                ));
            }
            // The token response or the callback names another host. Secrets for the old host are not sent to it.
            contents = before_token;
            contents.drop_secrets(compiled);
            self.write_values(&mut contents, compiled)?;
        }
        if let Some(token) = &self.token {
            contents.put_token(token);
        }
        check_context(contents.context())?;
        Ok(contents)
    }

    fn write_values(&self, contents: &mut Contents, compiled: &Compiled) -> Result<(), Failure> {
        let provider = contents.provider(compiled);
        contents.write(
            Origin::Customer,
            &Value::Object(self.callback_values.clone()),
        )?;
        contents.write(provider, &Value::Object(self.token_values.clone()))?;
        self.absent_keys
            .iter()
            .for_each(|key| contents.disprove(key));
        Ok(())
    }
}

/// The values of the context that come with a token: of its claims, and of the answer that it was in.
pub(super) fn token_values(credential: &Credential, reply: &TokenReply) -> Map<String, Value> {
    let of_claims = credential.context_from_claims();
    let of_claims = of_claims.map(|wanted| oauth::context_from_claims(wanted, &reply.token));
    let of_answer = credential.context_from_token();
    let of_answer = of_answer.map(|wanted| oauth::context_from_token(wanted, &reply.reply));
    let mut values = of_claims.unwrap_or_default();
    values.extend(of_answer.unwrap_or_default());
    values
}

/// The context that a code is exchanged with: the values of the callback's query count, as providers name the customer's
/// data centre there. The customer's browser sends them, so the hosts of the file pin them, and they move no host that the
/// account already has.
pub(super) fn with_callback(
    contents: &Contents,
    (compiled, method): (&Compiled, &str),
    config: &OAuth2,
    parameters: &[(String, String)],
) -> Result<Contents, Failure> {
    let values = Value::Object(oauth::context_from_callback(config, parameters));
    let mut asked = contents.clone();
    asked.write(Origin::Customer, &values)?;
    if compiled.moves_host(method, contents.context(), asked.context()) {
        // It names another host than the account has: the code is exchanged where the customer was sent to.
        return Ok(contents.clone());
    }
    check_context(asked.context())?;
    Ok(asked)
}

/// The events of storing the credential. Without lifecycle actions the account is connected by then.
fn events(before: Option<Status>, has_stages: bool) -> Vec<EventType> {
    let stored = match before {
        None => EventType::Created,
        Some(_) => EventType::Updated,
    };
    let end = match before {
        _ if has_stages => None,
        Some(Status::Active) => None,
        Some(Status::NeedsReauth) => Some(EventType::Reactivated),
        Some(_) | None => Some(EventType::Active),
    };
    [Some(stored), end].into_iter().flatten().collect()
}

/// The new account before its credential is stored: no context, so no plain secret.
fn without_credential(account: &Account) -> Account {
    Account {
        context: Value::Object(Map::new()),
        status: Status::Connecting,
        ..account.clone()
    }
}
