//! A context before it is stored. Every change of a context goes through [`Contents`], so that values and their origins
//! (`account::origin`) are written together.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::account::Account;
use crate::account::keys;
use crate::account::origin::{Origin, Origins};
use crate::error::Failure;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::oauth_token::split_token;
use crate::flows::account::record::AccountRecord;
use crate::flows::account::token_in_context::with_token;
use crate::flows::base::context_limits::dotted;
use crate::flows::config::redaction::Redactor;
use crate::flows::config::resolved_config::Compiled;
use crate::json;
use crate::oauth::without_server;
use crate::ports::{Outside, Storage, Visibility};

/// A whole context with its secrets, and the origin of each value.
#[derive(Debug, Clone)]
pub(in crate::flows) struct Contents {
    context: Value,
    origins: Origins,
    /// The stored secret half. Its values stay secret even if the file no longer declares them secret.
    sealed: Value,
}

impl Contents {
    /// The stored context of this account.
    pub(in crate::flows) fn of(loaded: &LoadedAccount) -> Self {
        Self {
            context: loaded.context.clone(),
            origins: loaded.origins.clone(),
            sealed: loaded.sealed.clone(),
        }
    }

    pub(in crate::flows) fn empty() -> Self {
        Self {
            context: Value::Object(Map::new()),
            origins: Origins::default(),
            sealed: Value::Null,
        }
    }

    pub(in crate::flows) fn context(&self) -> &Value {
        &self.context
    }

    /// The origins of the values that exist.
    pub(in crate::flows) fn origins(&self) -> Origins {
        let mut origins = self.origins.clone();
        origins.keep_only(&self.context);
        origins
    }

    /// A redactor for the secrets of this context and of the config.
    pub(in crate::flows) fn redactor(&self, compiled: &Compiled) -> Redactor {
        Redactor::new(compiled, &self.context, &self.sealed)
    }

    /// The account as it would be with this context.
    pub(in crate::flows) fn preview(&self, account: Account, compiled: &Compiled) -> LoadedAccount {
        let shown = compiled.split_context(&self.context, &self.sealed).0;
        let mut loaded = LoadedAccount::new(Account {
            context: shown,
            ..account
        });
        loaded.context = self.context.clone();
        loaded.sealed = self.sealed.clone();
        loaded.origins = self.origins();
        loaded
    }

    /// The public and the secret half, without the OAuth token.
    pub(in crate::flows) fn split(&self, compiled: &Compiled) -> (Value, Value) {
        let (context, _) = split_token(self.context.clone());
        compiled.split_context(&context, &self.sealed)
    }

    pub(in crate::flows) fn token(&self) -> Option<Value> {
        split_token(self.context.clone()).1
    }

    /// Merges a patch. A patch that is no object changes nothing.
    pub(in crate::flows) fn write(&mut self, origin: Origin, patch: &Value) -> Result<(), Failure> {
        let Value::Object(entries) = patch else {
            return Ok(());
        };
        keys::check_top(patch).map_err(dotted)?;
        // Only a login says where a token is refreshed ([`Contents::put_token`]).
        let patch = without_server(patch);
        let before = self.context.clone();
        json::merge(&mut self.context, &patch);
        if patch.pointer("/oauth/token").is_some() {
            // The token that is given is not the one that the login got: it is not refreshed where that one was.
            self.context = without_server(&self.context).into_owned();
        }
        let keys = entries.keys().map(String::as_str);
        self.origins.note(origin, keys, &before, &self.context);
        Ok(())
    }

    /// Merges new credentials. The file decides again whether a replaced value is secret; the other values stay as
    /// secret as they were.
    pub(in crate::flows) fn give(&mut self, origin: Origin, patch: &Value) -> Result<(), Failure> {
        self.write(origin, patch)?;
        if patch.is_object() {
            forget_replaced(&mut self.sealed, patch);
        }
        Ok(())
    }

    /// The origin of the values in a provider's answer: the provider, unless the customer chose the host that answered.
    pub(in crate::flows) fn provider(&self, compiled: &Compiled) -> Origin {
        if compiled.fixes_provider() {
            return Origin::Provider;
        }
        self.origin_by(&compiled.config.origin_keys(), compiled)
    }

    /// The origin of values that depend on these keys: the customer, if the customer set one of the keys.
    pub(in crate::flows) fn origin_by(
        &self,
        keys: &BTreeSet<String>,
        compiled: &Compiled,
    ) -> Origin {
        let typed = compiled.config.typed_keys();
        let is_typed = |key: &&String| match self.origins.of(key) {
            Some(origin) => origin == Origin::Customer,
            None => typed.contains(*key),
        };
        let mut there = keys.iter().filter(|key| self.context.get(*key).is_some());
        if there.any(|key| is_typed(&key)) {
            Origin::Customer
        } else {
            Origin::Provider
        }
    }

    /// Notes the origin of keys whose values stay the same: a token response repeats them, or an action wrote them
    /// without a change.
    pub(in crate::flows) fn confirm(&mut self, origin: Origin, keys: &BTreeSet<String>) {
        let keys = keys.iter().map(String::as_str);
        self.origins
            .note(origin, keys, &self.context, &self.context);
    }

    /// Lets an action or a check change the context in place. The operator is the origin of its changes, since the
    /// operator's file defines it.
    pub(in crate::flows) fn complete(
        &mut self,
        complete: impl FnOnce(&mut Value) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let before = self.context.clone();
        complete(&mut self.context)?;
        let filled = json::diff(&before, &self.context).unwrap_or_default();
        let keys = filled.as_object().into_iter().flat_map(Map::keys);
        let keys = keys.map(String::as_str);
        self.origins
            .note(Origin::Operator, keys, &before, &self.context);
        Ok(())
    }

    /// Replaces the OAuth token.
    pub(in crate::flows) fn put_token(&mut self, token: &Value) {
        with_token(&mut self.context, token);
        self.confirm(Origin::Provider, &BTreeSet::from(["oauth".to_owned()]));
    }

    /// Adds a token that the gateway signed, for one run of steps. It is never stored.
    pub(in crate::flows) fn put_jwt(&mut self, signed: &str) {
        json::merge(&mut self.context, &serde_json::json!({ "jwt": signed }));
    }

    pub(in crate::flows) fn drop_token(&mut self) {
        self.context = split_token(std::mem::take(&mut self.context)).0;
    }

    /// Removes every secret, including the token.
    pub(in crate::flows) fn drop_secrets(&mut self, compiled: &Compiled) {
        self.context = compiled.split_context(&self.context, &self.sealed).0;
    }

    /// The values that the provider returned for another credential no longer count as the provider's.
    pub(in crate::flows) fn disprove_all(&mut self) {
        self.origins.disprove_all();
    }

    /// The same for one key.
    pub(in crate::flows) fn disprove(&mut self, key: &str) {
        self.origins.disprove(key);
    }
}

/// Removes from the sealed values those that a merge of `patch` replaces, leaf by leaf. The recursion is as deep as the
/// patch, and the JSON parser limits that depth.
fn forget_replaced(sealed: &mut Value, patch: &Value) {
    let (Value::Object(sealed), Value::Object(patch)) = (sealed, patch) else {
        return;
    };
    for (key, change) in patch {
        match sealed.get_mut(key) {
            Some(inner) if inner.is_object() && change.is_object() => {
                forget_replaced(inner, change);
            }
            Some(_) => drop(sealed.shift_remove(key)),
            None => {}
        }
    }
}

impl<O: Outside, S: Storage> AccountRecord<O, S> {
    /// The names of the stored secrets, which the connect form does not ask for again.
    pub(in crate::flows) async fn secret_names(
        &self,
        visibility: &Visibility,
    ) -> Result<Vec<String>, Failure> {
        let loaded = self.visible(visibility).await?;
        let resolved = self.resolved_config(&loaded.account).await?;
        let (_, secrets) = Contents::of(&loaded).split(&resolved.compiled);
        let names = secrets
            .as_object()
            .map(|secrets| secrets.keys().cloned().collect());
        Ok(names.unwrap_or_default())
    }
}
