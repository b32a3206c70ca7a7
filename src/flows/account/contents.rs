//! A context on its way into storage. All that changes one goes through here, so that what is written and who wrote
//! it (`account::origin`) never part.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

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
use crate::ports::{Outside, Storage, Visibility};

/// A whole context, secrets included, with who set each of its values.
#[derive(Debug, Clone)]
pub(in crate::flows) struct Contents {
    context: Value,
    origins: Origins,
    /// What is sealed of it as it is stored: it stays secret.
    sealed: Value,
}

impl Contents {
    /// As it is stored.
    pub(in crate::flows) fn of(loaded: &LoadedAccount) -> Self {
        Self {
            context: loaded.context.clone(),
            origins: loaded.origins.clone(),
            sealed: loaded.sealed.clone(),
        }
    }

    /// Without anything.
    pub(in crate::flows) fn nothing() -> Self {
        Self {
            context: Value::Object(Map::new()),
            origins: Origins::default(),
            sealed: Value::Null,
        }
    }

    /// The whole context.
    pub(in crate::flows) fn context(&self) -> &Value {
        &self.context
    }

    /// Who set what, of what is there.
    pub(in crate::flows) fn origins(&self) -> Origins {
        let mut origins = self.origins.clone();
        origins.keep_only(&self.context);
        origins
    }

    /// What makes its secrets unreadable, and those of the config.
    pub(in crate::flows) fn redactor(&self, compiled: &Compiled) -> Redactor {
        Redactor::new(compiled, &self.context, &self.sealed)
    }

    /// Its public and its secret half.
    pub(in crate::flows) fn split(&self, compiled: &Compiled) -> (Value, Value) {
        let (context, _) = split_token(self.context.clone());
        compiled.split_context(&context, &self.sealed)
    }

    /// Its OAuth token.
    pub(in crate::flows) fn token(&self) -> Option<Value> {
        split_token(self.context.clone()).1
    }

    /// Merges a patch; anything but an object is none.
    pub(in crate::flows) fn write(&mut self, who: Origin, patch: &Value) -> Result<(), Failure> {
        let Value::Object(entries) = patch else {
            return Ok(());
        };
        keys::check_top(patch).map_err(dotted)?;
        let before = self.context.clone();
        json::merge(&mut self.context, patch);
        let keys = entries.keys().map(String::as_str);
        self.origins.note(who, keys, &before, &self.context);
        Ok(())
    }

    /// Merges new credentials: of what they replace the file says anew whether it is secret. What stays beside it stays
    /// as secret as it was.
    pub(in crate::flows) fn give(&mut self, who: Origin, patch: &Value) -> Result<(), Failure> {
        self.write(who, patch)?;
        if patch.is_object() {
            forget_replaced(&mut self.sealed, patch);
        }
        Ok(())
    }

    /// Whose word an answer of the provider is: the provider's, unless a customer has named the host it came from.
    pub(in crate::flows) fn provider(&self, compiled: &Compiled) -> Origin {
        if compiled.fixes_provider() {
            return Origin::Provider;
        }
        self.word_by(&compiled.config.origin_keys(), compiled)
    }

    /// Whose word it is what one of these keys vouches for: a customer's, where the customer has set one of them.
    pub(in crate::flows) fn word_by(&self, keys: &BTreeSet<String>, compiled: &Compiled) -> Origin {
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

    /// What a token answer gives, or an action wrote without changing it.
    pub(in crate::flows) fn confirm(&mut self, who: Origin, keys: &BTreeSet<String>) {
        let keys = keys.iter().map(String::as_str);
        self.origins.note(who, keys, &self.context, &self.context);
    }

    /// What an action or a check changes in place.
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

    /// Another token, in place of the one before.
    pub(in crate::flows) fn put_token(&mut self, token: &Value) {
        with_token(&mut self.context, token);
        self.confirm(Origin::Provider, &BTreeSet::from(["oauth".to_owned()]));
    }

    /// The token goes.
    pub(in crate::flows) fn drop_token(&mut self) {
        self.context = split_token(std::mem::take(&mut self.context)).0;
    }

    /// Every secret goes, the token among them.
    pub(in crate::flows) fn drop_secrets(&mut self, compiled: &Compiled) {
        self.context = compiled.split_context(&self.context, &self.sealed).0;
    }

    /// What the provider said with another credential proves nothing any more.
    pub(in crate::flows) fn disprove_all(&mut self) {
        self.origins.disprove_all();
    }

    /// The same of one key.
    pub(in crate::flows) fn disprove(&mut self, key: &str) {
        self.origins.disprove(key);
    }
}

/// Takes out of what is sealed what a merge of `patch` replaces: as deep as both are objects, leaf by leaf. The recursion
/// is as deep as the patch, which is parsed JSON.
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
    /// What the connect form need not ask for again.
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
