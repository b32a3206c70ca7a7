//! An account in memory.

use serde_json::{Map, Value};

use crate::account::Account;
use crate::account::origin::{Origin, Origins};
use crate::flows::account::set_up::SetUp;
use crate::flows::config::resolved_config::Compiled;
use crate::time::Timestamp;

/// The record of an account, with its context decrypted.
pub struct LoadedAccount {
    /// The stored record.
    pub account: Account,
    /// The whole context, secrets included. Secrets leave the object only in requests to the provider and in leases.
    pub context: Value,
    /// The secret half of the context as it is stored, without the OAuth token. Its values stay secret even if the file
    /// no longer declares them secret.
    pub(in crate::flows) sealed: Value,
    /// Who set each value of the context.
    pub(in crate::flows) origins: Origins,
    /// The id of the key that its secrets are sealed with.
    pub(in crate::flows) sealing_key: Option<String>,
    /// The set-up that has to finish before it is active.
    pub(in crate::flows) set_up: Option<SetUp>,
    /// When its OAuth token was stored.
    pub(in crate::flows) token_stored_at: Option<Timestamp>,
    /// The time of its last call, rounded to the hour.
    pub(in crate::flows) used_at: Option<Timestamp>,
}

impl LoadedAccount {
    /// A new account, without a stored context.
    pub(in crate::flows) fn new(account: Account) -> Self {
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

    /// The context without secrets: neither those of the current file nor those that an earlier file declared.
    pub(in crate::flows) fn public(&self, compiled: &Compiled) -> Value {
        compiled
            .split_context(&self.account.context, &self.sealed)
            .0
    }

    /// Whether a customer may have set the value of this key.
    pub(in crate::flows) fn is_typed(&self, key: &str) -> bool {
        let is_there = self.context.get(key).is_some();
        is_there && matches!(self.origins.of(key), None | Some(Origin::Customer))
    }
}
