//! An account in memory.

use serde_json::{Map, Value};

use crate::account::Account;
use crate::account::origin::{Origin, Origins};
use crate::flows::account::set_up::SetUp;
use crate::flows::config::resolved_config::Compiled;
use crate::time::Timestamp;

/// An account as its object holds it in memory.
pub struct LoadedAccount {
    /// The stored record.
    pub account: Account,
    /// Its whole context, the secret half included. Never leaves the object but inside a request to the provider.
    pub context: Value,
    /// The secret half of it as it is stored, the OAuth token apart: what is in it stays secret.
    pub(in crate::flows) sealed: Value,
    /// Who set what of it.
    pub(in crate::flows) origins: Origins,
    /// The id of the key its secrets rest under.
    pub(in crate::flows) sealing_key: Option<String>,
    /// What is left to do before it is active.
    pub(in crate::flows) set_up: Option<SetUp>,
    /// When its OAuth token was stored.
    pub(in crate::flows) token_stored_at: Option<Timestamp>,
    /// When it was called last, to the hour.
    pub(in crate::flows) used_at: Option<Timestamp>,
}

impl LoadedAccount {
    /// An account of which nothing is stored yet.
    pub(in crate::flows) fn of_nothing(account: Account) -> Self {
        Self {
            account,
            context: Value::Object(Map::new()),
            sealed: Value::Null,
            origins: Origins::default(),
            sealing_key: None,
            set_up: None,
            token_stored_at: None,
            used_at: None,
        }
    }

    /// What of its context is shown: no secret by today's file, and none that it was once.
    pub(in crate::flows) fn public(&self, compiled: &Compiled) -> Value {
        compiled
            .split_context(&self.account.context, &self.sealed)
            .0
    }

    /// Whether what stands under this key can be a customer's word.
    pub(in crate::flows) fn is_typed(&self, key: &str) -> bool {
        let is_there = self.context.get(key).is_some();
        is_there && matches!(self.origins.of(key), None | Some(Origin::Customer))
    }
}
