//! A lease as an isolate holds it.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use serde_json::Value;

use crate::flows::account::loaded::LoadedAccount;
use crate::flows::base::callers::Callers;
use crate::flows::base::memory::AccountBodies;
use crate::flows::config::redaction::Redactor;
use crate::flows::config::resolved_config::{Compiled, ResolvedConfig};
use crate::flows::messages::lease::Lease;
use crate::json::length;
use crate::ports::Visibility;
use crate::settings::LEASE;
use crate::time::Timestamp;

/// A lease of one account.
pub struct Lent {
    pub(super) number: u64,
    pub(super) loaded: Rc<LoadedAccount>,
    until: Timestamp,
    install_version: u64,
    integration_version: u64,
    redactor: RefCell<Option<(Weak<Compiled>, Rc<Redactor>)>>,
    pub(super) callers: Callers,
    pub(super) bodies: AccountBodies,
}

impl Lent {
    /// A lease that was requested at `at`.
    pub(super) fn new(lease: Lease, at: Timestamp) -> Self {
        let Lease {
            number,
            account,
            context,
            sealed,
            valid,
            install_version,
            integration_version,
        } = lease;
        let loaded = LoadedAccount {
            context,
            sealed,
            ..LoadedAccount::new(account)
        };
        Self {
            number,
            loaded: Rc::new(loaded),
            until: at.plus(valid.min(LEASE)),
            install_version,
            integration_version,
            redactor: RefCell::default(),
            callers: Callers::default(),
            bodies: AccountBodies::default(),
        }
    }

    pub(super) fn is_valid(&self, now: Timestamp) -> bool {
        now < self.until
    }

    pub(super) fn is_visible(&self, visibility: &Visibility) -> bool {
        match visibility {
            Visibility::All => true,
            Visibility::Environment(own) => *own == self.loaded.account.environment_id,
            Visibility::AccountToken(_) => false,
        }
    }

    /// Whether the isolate's records allow leased calls, and are not older than those that the object has.
    pub(super) fn allows(&self, resolved: &ResolvedConfig) -> bool {
        let (install, integration) = (&resolved.install, &resolved.integration);
        install.edge_calls
            && install.is_enabled
            && install.version >= self.install_version
            && integration.version >= self.integration_version
    }

    /// What it weighs in the cache.
    pub(super) fn bytes(&self) -> usize {
        let loaded = &self.loaded;
        length(&loaded.account) + length(&loaded.context) + length(&loaded.sealed)
    }

    pub(super) fn redactor(&self, compiled: &Rc<Compiled>, context: &Value) -> Rc<Redactor> {
        let new = || Rc::new(Redactor::new(compiled, context, &self.loaded.sealed));
        if !std::ptr::eq(&raw const self.loaded.context, context) {
            return new();
        }
        let own = Rc::downgrade(compiled);
        let mut cached = self.redactor.borrow_mut();
        if let Some((of, redactor)) = &*cached
            && of.ptr_eq(&own)
        {
            return Rc::clone(redactor);
        }
        let redactor = new();
        *cached = Some((own, Rc::clone(&redactor)));
        redactor
    }
}
