//! A credential that the provider has just given or the customer typed: stored in one change with all
//! that comes of it, the link token spent, and set up.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::connect::{Ground, failed};
use super::events::EventType;
use super::oauth_token::{split_token, with_token};
use super::row::SetUp;
use super::set_up::{broken, has_stages};
use super::{AccountObject, Loaded, changes};
use crate::account::Account;
use crate::account::status::Status;
use crate::config::credentials::OAuth2;
use crate::connect::outcome::Failure as ConnectFailure;
use crate::error::{Code, Failure};
use crate::flows::ask::{Connecting, Failed};
use crate::flows::effective::Effective;
use crate::flows::import_account::check_context;
use crate::json as words;
use crate::oauth::{self, TokenReply};
use crate::ports::{Outside, Storage};

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Stores a credential that the provider has just given or the customer typed, and sets the account up.
    pub(super) async fn accept(
        &self,
        connecting: &Connecting,
        ground: Ground,
        reply: Option<(&OAuth2, TokenReply)>,
        parameters: &[(String, String)],
    ) -> Result<(), Failed> {
        let Ground { effective, context } = ground;
        let mut told = Map::new();
        let mut token = None;
        if let Some((config, reply)) = reply {
            told.extend(oauth::context_from_callback(config, parameters));
            told.extend(oauth::context_from_token(config, &reply.reply));
            // Where the code was exchanged, and not where the way back may point.
            let introspected = self
                .introspected(&effective.compiled, config, &context, &reply.token)
                .await;
            token = Some(introspected.unwrap_or(reply.token));
        }
        let gained = Gained {
            asked_with: context,
            told: Value::Object(told),
            token,
        };
        self.store_credential(connecting, &effective, &gained)
            .await
            .map_err(|failure| match failure.code {
                Code::NotFound => failed(ConnectFailure::InvalidToken, failure.message),
                _ => broken(failure),
            })?;
        self.set_up().await
    }

    /// The account may have changed since the provider was asked: what was gained goes into it as it is now.
    async fn store_credential(
        &self,
        connecting: &Connecting,
        effective: &Effective,
        gained: &Gained,
    ) -> Result<(), Failure> {
        let _one_at_a_time = self.changing.lock().await;
        let existing = self.settled().await?;
        if existing
            .as_ref()
            .is_some_and(|loaded| is_of_another(loaded, connecting))
        {
            return Err(Failure::not_found("link token"));
        }
        let compiled = &effective.compiled;
        let mut context = merged(effective, existing.as_deref(), connecting);
        if changes::refuse_host_keys(compiled, &gained.asked_with, &context).is_err() {
            return Err(Failure::busy(
                "The account's host changed while it was connected. Connect it again.",
            ));
        }
        let before_told = context.clone();
        words::merge(&mut context, &gained.told);
        if compiled.moves_host(&before_told, &context) {
            // The provider, or the browser, names another host: no secret goes there that was meant for the old one.
            context = compiled.split_context(&before_told).0;
            words::merge(&mut context, &gained.told);
        }
        if let Some(token) = &gained.token {
            with_token(&mut context, token);
        }
        check_context(&context)?;
        let before = existing.as_ref().map(|loaded| loaded.status_before());
        let has_stages = has_stages(&compiled.config);
        let mut account = existing.as_ref().map_or_else(
            || connecting.account.clone(),
            |loaded| loaded.account.clone(),
        );
        account
            .authentication_method
            .clone_from(&connecting.account.authentication_method);
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
            .unwrap_or_else(|| Rc::new(Loaded::of_nothing(nothing_of(&connecting.account))));
        let mut next = self.next(effective, &old, account, &context, &events)?;
        next.link = Some(connecting.link.clone());
        next.set_up = has_stages.then_some(SetUp { before });
        match existing {
            Some(_) => self.put(effective, &old, &next).await.map(drop),
            None => self.arrive(effective, &old.account, next).await.map(drop),
        }
    }
}

/// What connecting has brought.
struct Gained {
    /// The context it was asked for with.
    asked_with: Value,
    /// What the provider, or the way back from it, says.
    told: Value,
    /// The token.
    token: Option<Value>,
}

/// Of another environment, or of another integration: a link token for several binds one account, and the
/// customer may have changed his mind meanwhile.
pub(super) fn is_of_another(loaded: &Loaded, connecting: &Connecting) -> bool {
    let (is, will) = (&loaded.account, &connecting.account);
    is.environment_id != will.environment_id
        || is.environment_integration_id != will.environment_integration_id
}

/// What was there, when it stays, and what is new. Where that leads to another host, no old secret stays.
pub(super) fn merged(
    effective: &Effective,
    existing: Option<&Loaded>,
    connecting: &Connecting,
) -> Value {
    let compiled = &effective.compiled;
    let mut context = match existing {
        Some(loaded) if connecting.keeps_context => split_token(loaded.context.clone()).0,
        _ => Value::Object(Map::new()),
    };
    words::merge(&mut context, &connecting.context);
    if let Some(loaded) = existing.filter(|_| connecting.keeps_context)
        && changes::refuse_host_keys(compiled, &loaded.context, &context).is_err()
    {
        context = compiled.split_context(&loaded.context).0;
        words::merge(&mut context, &connecting.context);
    }
    context
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

/// A new account before anything of it counts: no secret stands in clear.
fn nothing_of(account: &Account) -> Account {
    Account {
        context: Value::Object(Map::new()),
        status: Status::Connecting,
        ..account.clone()
    }
}
