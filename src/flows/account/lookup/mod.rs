//! By what an install's webhooks find this account: one value of its context, as the integration names it.
//!
//! The rule is [`found_by`] and nowhere else. The index of the `Directory` follows it, so do its questions, and a webhook
//! that the index sends here is held to it once more.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::origin::{Origin, Origins};
use crate::account::seal::{SealKind, SealPlace};
use crate::account::status::Status;
use crate::config::Config;
use crate::error::Failure;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::record::AccountRecord;
use crate::flows::account::row::Next;
use crate::flows::account::set_up::SetUp;
use crate::flows::base::sealed;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::messages::environment::{Lookup, LookupMatch};
use crate::json;
use crate::ports::{Outside, Storage, Visibility};

/// The value that went on counting when a new credential came, while that is tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::flows) struct Held {
    /// The key of the context.
    field: String,
    /// What it had there.
    value: String,
}

/// Whether a new credential of the account is being tried.
#[derive(Debug)]
enum Trial {
    /// No.
    Over,
    /// Yes; what counts until it has passed.
    UnderWay(Option<Held>),
}

/// What a lookup reads of an account.
struct LookupState<'a> {
    status: Status,
    trial: Trial,
    context: &'a Value,
    origins: &'a Origins,
    /// The file; nothing where it cannot be read.
    config: Option<&'a Config>,
}

/// By which value an install's webhooks find an account under this key (or dotted path) of its context: while it is
/// active, and only by what the provider or the application said, never by what a customer types. While a new
/// credential of an active account is tried, the value from before counts.
///
/// Of what was stored before origins were, fields of the connect form count as the customer's.
fn found_by(field: &str, known: &LookupState) -> Option<String> {
    if known.status != Status::Active {
        return None;
    }
    if let Trial::UnderWay(held) = &known.trial {
        let held = held.as_ref().filter(|held| held.field == field);
        return held.map(|held| held.value.clone());
    }
    let key = top_key(field, known.context)?;
    let is_typed = || {
        known
            .config
            .is_none_or(|config| config.typed_keys().contains(&key))
    };
    let origin = match known.origins.of(&key) {
        Some(origin) => origin,
        None if is_typed() => Origin::Customer,
        None => Origin::Operator,
    };
    match origin {
        Origin::Operator | Origin::Provider => value_at(known.context, field),
        Origin::Customer => None,
    }
}

/// The key of the context that a lookup's path begins with. A token finds no account: it changes by itself.
fn top_key(field: &str, context: &Value) -> Option<String> {
    let key = field.split('.').next()?;
    let is_there = context.get(key).is_some();
    (is_there && key != "oauth").then(|| key.to_owned())
}

/// What is found at a key, or a dotted path, of a context: a text, or a number as one.
fn value_at(context: &Value, field: &str) -> Option<String> {
    let path: json::Path = field.parse().ok()?;
    match path.lookup_by_parts(context, 0)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(json::number_text(number)),
        _ => None,
    }
}

/// The key of the context by which an install's webhooks find an account.
fn lookup_field(config: &Config) -> Option<&str> {
    config.webhook.as_ref()?.lookup_field()
}

impl<O: Outside, S: Storage> AccountRecord<O, S> {
    /// What the index is to find the account by under this key.
    pub(in crate::flows) async fn lookup_value(
        &self,
        field: &str,
    ) -> Result<Option<String>, Failure> {
        let loaded = self.visible(&Visibility::All).await?;
        // One account whose own file has mistakes keeps no others from their webhooks.
        let resolved = self.resolved_config(&loaded.account).await.ok();
        let config = resolved.as_ref().map(|all| &all.compiled.config);
        Ok(found_by(field, &self.known_of(&loaded, config)))
    }

    /// Whether a webhook that was looked up for it by this value is for it now; by nothing: it is named outright.
    pub(in crate::flows) fn is_found(
        &self,
        resolved: &ResolvedConfig,
        loaded: &LoadedAccount,
        by: Option<&LookupMatch>,
    ) -> bool {
        let known = self.known_of(loaded, Some(&resolved.compiled.config));
        match by {
            None => known.status == Status::Active,
            Some(by) => found_by(&by.field, &known).as_ref() == Some(&by.value),
        }
    }

    /// What the index has of the account as it is.
    pub(in crate::flows) fn lookup(
        &self,
        resolved: &ResolvedConfig,
        loaded: &LoadedAccount,
    ) -> Lookup {
        let config = &resolved.compiled.config;
        lookup_of(config, &self.known_of(loaded, Some(config)))
    }

    /// By what an install's webhooks will find the account. What finds it may be a secret.
    pub(super) fn next_lookup(
        &self,
        resolved: &ResolvedConfig,
        next: &Next,
    ) -> Result<Lookup, Failure> {
        let mut context = next.account.context.clone();
        let secrets = self.store.opened(next.sealed.as_deref())?;
        if secrets.is_object() {
            json::merge(&mut context, &secrets);
        }
        let config = &resolved.compiled.config;
        let known = LookupState {
            status: next.account.status,
            trial: self.trial(next.set_up.as_ref()),
            context: &context,
            origins: &next.origins,
            config: Some(config),
        };
        Ok(lookup_of(config, &known))
    }

    /// What goes on finding an active account while a new credential is tried, sealed.
    pub(in crate::flows) fn held(
        &self,
        resolved: &ResolvedConfig,
        loaded: &LoadedAccount,
    ) -> Result<Option<String>, Failure> {
        let Lookup { field, value } = self.lookup(resolved, loaded);
        let (Some(field), Some(value)) = (field, value) else {
            return Ok(None);
        };
        let held = json!({ "field": field, "value": value });
        sealed::seal(
            self.base.outside(),
            held_place(&self.base.id().to_string()),
            &held,
        )
    }

    fn known_of<'a>(
        &self,
        loaded: &'a LoadedAccount,
        config: Option<&'a Config>,
    ) -> LookupState<'a> {
        LookupState {
            status: loaded.account.status,
            trial: self.trial(loaded.set_up.as_ref()),
            context: &loaded.context,
            origins: &loaded.origins,
            config,
        }
    }

    fn trial(&self, set_up: Option<&SetUp>) -> Trial {
        let Some(set_up) = set_up else {
            return Trial::Over;
        };
        let (id, text) = (self.base.id().to_string(), set_up.found_by.as_deref());
        let opened =
            text.and_then(|text| sealed::open(self.base.outside(), held_place(&id), text).ok());
        Trial::UnderWay(opened.and_then(|held| serde_json::from_value(held).ok()))
    }
}

fn lookup_of(config: &Config, known: &LookupState) -> Lookup {
    let field = lookup_field(config);
    Lookup {
        field: field.map(str::to_owned),
        value: field.and_then(|field| found_by(field, known)),
    }
}

pub(super) fn held_place(id: &str) -> SealPlace<'_> {
    SealPlace {
        kind: SealKind::Account,
        id,
        field: "found_by",
    }
}
