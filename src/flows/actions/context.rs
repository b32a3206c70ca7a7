//! The context of an account while an action changes it: what the action may change, and what its expressions see.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::account::keys;
use crate::config::action::{ContextWrite, Provenance};
use crate::error::{Code, Failure};
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::actions::POST_INSTALL;
use crate::flows::base::context_limits::{check_context, dotted};
use crate::flows::config::resolved_config::Compiled;
use crate::flows::tokens::credential_actions::REFRESH_TOKEN;
use crate::json;
use crate::settings::ADMIN_BODY_DEPTH;

pub(in crate::flows) struct RunningContext<'a> {
    action: &'a str,
    compiled: &'a Compiled,
    /// The account when the action began.
    start: &'a LoadedAccount,
    /// The context after the steps so far. `None` until a step changes it.
    changed: Option<Value>,
    /// The keys that the steps wrote.
    written: BTreeSet<String>,
    /// Those of them whose values can hold a customer's input.
    copied: BTreeSet<String>,
    /// The context after the steps so far, without secrets.
    shown: Value,
}

impl<'a> RunningContext<'a> {
    pub(in crate::flows) fn new(
        action: &'a str,
        compiled: &'a Compiled,
        start: &'a LoadedAccount,
    ) -> Self {
        Self {
            action,
            compiled,
            start,
            changed: None,
            written: BTreeSet::new(),
            copied: BTreeSet::new(),
            shown: compiled.split_context(&start.context, &start.sealed).0,
        }
    }

    /// The whole context, for requests.
    pub(in crate::flows) fn whole(&self) -> &Value {
        self.changed.as_ref().unwrap_or(&self.start.context)
    }

    /// The context without secrets, for expressions and results.
    pub(in crate::flows) fn shown(&self) -> &Value {
        &self.shown
    }

    /// The whole context if the action changed it, the keys it wrote, and those of them that it copied.
    pub(in crate::flows) fn into_changed(
        self,
    ) -> (Option<Value>, BTreeSet<String>, BTreeSet<String>) {
        let start = &self.start.context;
        let changed = self.changed.filter(|context| context != start);
        (changed, self.written, self.copied)
    }

    /// Replaces each key of `values`. Null removes a key.
    pub(in crate::flows) fn set(
        &mut self,
        values: &Value,
        written: &ContextWrite,
    ) -> Result<(), Failure> {
        let mut next = self.whole().clone();
        if let (Value::Object(next), Value::Object(values)) = (&mut next, values) {
            for (key, value) in values {
                if value.is_null() {
                    next.shift_remove(key);
                } else {
                    next.insert(key.clone(), value.clone());
                }
            }
        }
        self.change(next, values, written)
    }

    /// Merges `values` (RFC 7396).
    pub(in crate::flows) fn update(
        &mut self,
        values: &Value,
        written: &ContextWrite,
    ) -> Result<(), Failure> {
        let mut next = self.whole().clone();
        json::merge(&mut next, values);
        self.change(next, values, written)
    }

    fn change(&mut self, next: Value, values: &Value, by: &ContextWrite) -> Result<(), Failure> {
        keys::check_top(values).map_err(dotted)?;
        check_context(&next)?;
        if json::is_deeper(&next, ADMIN_BODY_DEPTH) {
            let message = format!("is nested deeper than {ADMIN_BODY_DEPTH} levels");
            return Err(Failure::invalid("context", message));
        }
        self.check_token(&next)?;
        self.check_hosts(&next)?;
        self.shown = self.compiled.split_context(&next, &self.start.sealed).0;
        self.changed = Some(next);
        for key in values.as_object().into_iter().flat_map(Map::keys) {
            self.written.insert(key.clone());
            let is_copied = by.provenance_of(key) == Some(Provenance::Context)
                && by.can_copy(|read| self.copied.contains(read) || self.start.is_typed(read));
            if is_copied {
                self.copied.insert(key.clone());
            } else {
                self.copied.remove(key);
            }
        }
        Ok(())
    }

    /// Tokens come from the provider's token endpoint, or from the action that replaces it.
    fn check_token(&self, next: &Value) -> Result<(), Failure> {
        const TOKEN: &str = "/oauth/token";
        if self.action == REFRESH_TOKEN || self.whole().pointer(TOKEN) == next.pointer(TOKEN) {
            return Ok(());
        }
        Err(Failure::new(
            Code::BadIntegration,
            format!("Only the action `{REFRESH_TOKEN}` may change oauth.token."),
        ))
    }

    /// No action may send a stored secret to another host. The action `post_install` may set a host that the context
    /// does not have yet.
    fn check_hosts(&self, next: &Value) -> Result<(), Failure> {
        let now = self.whole();
        let is_free = |key: &str| {
            self.action == POST_INSTALL && matches!(now.get(key), None | Some(Value::Null))
        };
        let method = &self.start.account.authentication_method;
        let keys = self.compiled.config.aiming_keys(method);
        let mut changed = keys.iter().filter(|key| now.get(*key) != next.get(*key));
        match changed.find(|key| !is_free(key)) {
            None => Ok(()),
            Some(key) => Err(Failure::host_key(
                &format!("context.{key}"),
                "decides which host is called, or for whom a token is requested: only post_install may set it, and no action may change it",
            )),
        }
    }
}
