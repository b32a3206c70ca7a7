//! The lookup value: the value of the context by which an install's webhooks find this account. The integration file
//! names its key.
//!
//! [`found_by`] is the only rule. It gives the value that the index of the `Directory` stores, and the account checks
//! each webhook from the index by it again.

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
use crate::json::{self, typed};
use crate::ports::{Outside, Storage, Visibility};

/// The lookup value from before a new credential. It counts while that credential is tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::flows) struct Held {
    /// The key of the context.
    field: String,
    /// The value of that key.
    value: String,
}

/// Whether a new credential of the account is being tried.
#[derive(Debug)]
enum Trial {
    /// No credential is being tried.
    Ended,
    /// A credential is being tried. The held value counts until the trial ends.
    Running(Option<Held>),
}

/// What the lookup value of an account depends on.
struct LookupFacts<'a> {
    status: Status,
    trial: Trial,
    context: &'a Value,
    origins: &'a Origins,
    /// The integration file; `None` if it cannot be read.
    config: Option<&'a Config>,
}

/// The value of this key (or dotted path) by which an install's webhooks find the account. `None` unless the account is
/// active and the provider or the application set the value; a value that the customer typed does not count. While a
/// new credential of an active account is tried, the value from before counts.
///
/// In records that were stored before origins existed, fields of the connect form count as the customer's.
fn found_by(field: &str, known: &LookupFacts) -> Option<String> {
    if known.status != Status::Active {
        return None;
    }
    if let Trial::Running(held) = &known.trial {
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

/// The first key of a lookup path. The OAuth token is excluded, since each refresh changes it.
fn top_key(field: &str, context: &Value) -> Option<String> {
    let key = field.split('.').next()?;
    let is_there = context.get(key).is_some();
    (is_there && key != "oauth").then(|| key.to_owned())
}

/// The value at a key or a dotted path of a context: a string, or a number as a string.
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
    /// The lookup value that the index stores for this key.
    pub(in crate::flows) async fn lookup_value(
        &self,
        field: &str,
    ) -> Result<Option<String>, Failure> {
        let loaded = self.visible(&Visibility::All).await?;
        // An account whose file has errors must not stop the webhooks of other accounts.
        let resolved = self.resolved_config(&loaded.account).await.ok();
        let config = resolved.as_ref().map(|all| &all.compiled.config);
        Ok(found_by(field, &self.known_of(&loaded, config)))
    }

    /// Whether a webhook that the index found by this value is still for this account. Without a value, the webhook
    /// names the account itself.
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

    /// The lookup value of the committed account.
    pub(in crate::flows) fn lookup(
        &self,
        resolved: &ResolvedConfig,
        loaded: &LoadedAccount,
    ) -> Lookup {
        let config = &resolved.compiled.config;
        lookup_of(config, &self.known_of(loaded, Some(config)))
    }

    /// The lookup value after a change. It may be a secret, so the secrets are opened for it.
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
        let known = LookupFacts {
            status: next.account.status,
            trial: self.trial(next.set_up.as_ref()),
            context: &context,
            origins: &next.origins,
            config: Some(config),
        };
        Ok(lookup_of(config, &known))
    }

    /// The sealed lookup value that counts while a new credential of an active account is tried.
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
    ) -> LookupFacts<'a> {
        LookupFacts {
            status: loaded.account.status,
            trial: self.trial(loaded.set_up.as_ref()),
            context: &loaded.context,
            origins: &loaded.origins,
            config,
        }
    }

    fn trial(&self, set_up: Option<&SetUp>) -> Trial {
        let Some(set_up) = set_up else {
            return Trial::Ended;
        };
        let (id, text) = (self.base.id().to_string(), set_up.found_by.as_deref());
        let opened =
            text.and_then(|text| sealed::open(self.base.outside(), held_place(&id), text).ok());
        Trial::Running(opened.and_then(|held| typed::read(&held).ok()))
    }
}

fn lookup_of(config: &Config, known: &LookupFacts) -> Lookup {
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
