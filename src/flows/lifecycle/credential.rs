//! A credential that the provider has just given or the customer typed: stored in one change with all
//! that comes of it, the link token spent, and set up.

use std::rc::Rc;

use serde_json::{Map, Value};

use crate::account::Account;
use crate::account::origin::Origin;
use crate::account::status::Status;
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
use crate::flows::lifecycle::set_up::has_stages;
use crate::flows::messages::connecting::{ConnectFailed, Connecting};
use crate::oauth::{self, TokenReply};
use crate::ports::{Outside, Storage};

impl<O: Outside, S: Storage> ConnectFlow<O, S> {
    /// Stores a credential that the provider has just given or the customer typed, and sets the account up.
    pub(super) async fn accept(
        &self,
        connecting: &Connecting,
        ground: ConnectContext,
        reply: Option<(&OAuth2, TokenReply)>,
        parameters: &[(String, String)],
    ) -> Result<(), ConnectFailed> {
        let ConnectContext { resolved, contents } = ground;
        let mut gained = Gained {
            asked_with: contents.context().clone(),
            way_back: Map::new(),
            told: Map::new(),
            unsaid: Vec::new(),
            token: None,
        };
        if let Some((config, reply)) = reply {
            gained.way_back = oauth::context_from_callback(config, parameters);
            gained.told = oauth::context_from_token(config, &reply.reply);
            let keys = config.context_from_token.keys();
            let unsaid = keys.filter(|key| !gained.told.contains_key(*key));
            gained.unsaid = unsaid.cloned().collect();
            // Where the code was exchanged, and not where the way back may point.
            let introspected = self
                .endpoint
                .introspected(&resolved.compiled, config, contents.context(), &reply.token)
                .await;
            gained.token = Some(introspected.unwrap_or(reply.token));
        }
        self.store_credential(connecting, &resolved, &gained)
            .await
            .map_err(|failure| match failure.code {
                Code::NotFound => failed(ConnectFailure::InvalidToken, failure.message),
                _ => broken(failure),
            })?;
        self.set_up.run().await
    }

    /// The account may have changed since the provider was asked: what was gained goes into it as it is now.
    async fn store_credential(
        &self,
        connecting: &Connecting,
        resolved: &ResolvedConfig,
        gained: &Gained,
    ) -> Result<(), Failure> {
        let _one_at_a_time = self.record.lock_changing().await;
        let existing = self.record.settled().await?;
        if existing
            .as_ref()
            .is_some_and(|loaded| is_of_another(loaded, connecting))
        {
            return Err(Failure::not_found("link token"));
        }
        let compiled = &resolved.compiled;
        let method = &connecting.account.authentication_method;
        let contents = merged(resolved, existing.as_deref(), connecting)?;
        let contents = gained.put_into(contents, compiled, method)?;
        let before = existing.as_ref().map(|loaded| loaded.status_before());
        let has_stages = has_stages(&compiled.config);
        let mut account = existing.as_ref().map_or_else(
            || connecting.account.clone(),
            |loaded| loaded.account.clone(),
        );
        account.authentication_method.clone_from(method);
        account.last_error = None;
        account.last_forbidden_error = None;
        // One that could be called goes on: it is its own new credential that is being tried.
        account.status = if has_stages && before != Some(Status::Active) {
            Status::Connecting
        } else {
            Status::Active
        };
        let events = events(before, has_stages);
        let old = existing
            .clone()
            .unwrap_or_else(|| Rc::new(LoadedAccount::new(nothing_of(&connecting.account))));
        let mut next = self
            .changes
            .next(resolved, &old, account, &contents, &events)?;
        next.link = Some(connecting.link.clone());
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

/// What connecting has brought.
struct Gained {
    /// The context it was asked for with.
    asked_with: Value,
    /// What the query of the way back says: it comes through the customer's browser, which may write anything there.
    way_back: Map<String, Value>,
    /// What the provider says.
    told: Map<String, Value>,
    /// What it could have said and did not.
    unsaid: Vec<String>,
    /// The token.
    token: Option<Value>,
}

impl Gained {
    /// The context with what was gained. Nothing is gained for a host that changed meanwhile.
    fn put_into(
        &self,
        mut contents: Contents,
        compiled: &Compiled,
        method: &str,
    ) -> Result<Contents, Failure> {
        let asked_with = &self.asked_with;
        if changes::refuse_host_keys(compiled, method, asked_with, contents.context()).is_err() {
            return Err(Failure::busy(
                "The account's host changed while it was connected. Connect it again.",
            ));
        }
        let before_told = contents.clone();
        self.tell(&mut contents, compiled)?;
        if compiled.moves_host(method, before_told.context(), contents.context()) {
            // The provider, or the browser, names another host: no secret goes there that was meant for the old one.
            contents = before_told;
            contents.drop_secrets(compiled);
            self.tell(&mut contents, compiled)?;
        }
        if let Some(token) = &self.token {
            contents.put_token(token);
        }
        check_context(contents.context())?;
        Ok(contents)
    }

    fn tell(&self, contents: &mut Contents, compiled: &Compiled) -> Result<(), Failure> {
        let provider = contents.provider(compiled);
        contents.write(Origin::Customer, &Value::Object(self.way_back.clone()))?;
        contents.write(provider, &Value::Object(self.told.clone()))?;
        self.unsaid.iter().for_each(|key| contents.disprove(key));
        Ok(())
    }
}

/// Of another environment, or of another integration: a link token for several binds one account, and the
/// customer may have changed his mind meanwhile.
pub(super) fn is_of_another(loaded: &LoadedAccount, connecting: &Connecting) -> bool {
    let (is, will) = (&loaded.account, &connecting.account);
    is.environment_id != will.environment_id
        || is.environment_integration_id != will.environment_integration_id
}

/// What was there, when it stays, and what is new. Where that leads to another host, no old secret stays; where the
/// credential is of another kind, what the provider said with the old one proves nothing.
pub(in crate::flows) fn merged(
    resolved: &ResolvedConfig,
    existing: Option<&LoadedAccount>,
    connecting: &Connecting,
) -> Result<Contents, Failure> {
    let compiled = &resolved.compiled;
    let method = &connecting.account.authentication_method;
    let bring = |contents: &mut Contents| {
        contents.give(Origin::Operator, &connecting.preset)?;
        contents.give(Origin::Customer, &connecting.context)
    };
    let mut contents = Contents::empty();
    if let Some(loaded) = existing.filter(|_| connecting.keeps_context) {
        contents = Contents::of(loaded);
        contents.drop_token();
        if loaded.account.authentication_method != *method {
            contents.disprove_all();
        }
        let kept = contents.clone();
        bring(&mut contents)?;
        let is_moved =
            changes::refuse_host_keys(compiled, method, &loaded.context, contents.context());
        if is_moved.is_ok() {
            return Ok(contents);
        }
        contents = kept;
        contents.drop_secrets(compiled);
    }
    bring(&mut contents)?;
    Ok(contents)
}

/// What is told when the credential is stored; without stages it is the end already.
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

/// A new account before anything of it is committed, without a secret in clear.
fn nothing_of(account: &Account) -> Account {
    Account {
        context: Value::Object(Map::new()),
        status: Status::Connecting,
        ..account.clone()
    }
}
