//! By what an install's webhooks find this account: one value of its context, as the integration names it.

use serde_json::Value;

use super::AccountObject;
use super::row::Next;
use crate::error::Failure;
use crate::flows::ask::Lookup;
use crate::flows::effective::Effective;
use crate::json::Path;
use crate::ports::{Outside, Sees, Storage};

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// What the account has under a key of its context, secrets included.
    pub(super) async fn lookup_value(&self, field: &str) -> Result<Option<String>, Failure> {
        let loaded = self.visible(&Sees::All).await?;
        Ok(value_at(&loaded.context, field))
    }

    /// By what an install's webhooks will find the account. What finds it may be a secret.
    pub(super) fn next_lookup(
        &self,
        effective: &Effective,
        next: &Next,
    ) -> Result<Lookup, Failure> {
        let lookup = lookup_of(effective, &next.account.context);
        if lookup.field.is_none() || lookup.value.is_some() {
            return Ok(lookup);
        }
        let secrets = self.opened(next.sealed.as_deref())?;
        Ok(lookup_of(effective, &secrets))
    }
}

/// The key of the context by which an install's webhooks find an account.
pub(super) fn lookup_field(effective: &Effective) -> Option<&str> {
    let webhook = effective.compiled.config.webhook.as_ref()?;
    let config = &webhook.signature_verification.as_ref()?.config;
    config.context_lookup_field_name.as_deref()
}

pub(super) fn lookup_of(effective: &Effective, context: &Value) -> Lookup {
    let field = lookup_field(effective);
    Lookup {
        field: field.map(str::to_owned),
        value: field.and_then(|field| value_at(context, field)),
    }
}

/// What is found at a key, or a dotted path, of a context: a text, or a number as one.
pub(super) fn value_at(context: &Value, field: &str) -> Option<String> {
    let path = || field.parse::<Path>().ok()?.lookup(context);
    match context.get(field).or_else(path)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
