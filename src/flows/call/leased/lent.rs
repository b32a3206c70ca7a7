//! A lease as an isolate holds it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};

use serde_json::Value;

use crate::error::Failure;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::base::callers::Callers;
use crate::flows::base::memory::AccountBodies;
use crate::flows::config::isolate::Isolate;
use crate::flows::config::redaction::Redactor;
use crate::flows::config::resolved_config::{self, Compiled, ResolvedConfig};
use crate::flows::messages::lease::{CredentialDigest, Lease};
use crate::json::length;
use crate::ports::{Outside, Visibility};
use crate::settings::LEASE;
use crate::time::Timestamp;

use super::known_config::KnownConfig;

/// The account tokens that a lease knows; the calls of further ones go to the object.
const MOST_TOKENS: usize = 64;
/// What one weighs in the cache.
const TOKEN_BYTES: usize = 128;

/// A lease of one account.
pub struct Lent {
    pub(super) credential: CredentialDigest,
    pub(super) loaded: Rc<LoadedAccount>,
    until: Timestamp,
    is_shared: bool,
    is_ended: Cell<bool>,
    /// The hashes of account tokens that the object has confirmed, and the ends of the tokens.
    tokens: RefCell<HashMap<String, Timestamp>>,
    install_version: u64,
    integration_version: u64,
    config: RefCell<Option<KnownConfig>>,
    redactor: RefCell<Option<(Weak<Compiled>, Rc<Redactor>)>>,
    pub(super) callers: Callers,
    pub(super) bodies: AccountBodies,
}

impl Lent {
    /// A lease that a caller with this visibility requested at `at`.
    pub(super) fn new(lease: Lease, at: Timestamp, visibility: &Visibility) -> Self {
        let is_shared = !lease.valid.is_zero();
        let valid = if is_shared { lease.valid } else { LEASE };
        let loaded = LoadedAccount {
            context: lease.context,
            sealed: lease.sealed,
            ..LoadedAccount::new(lease.account)
        };
        let mut tokens = HashMap::new();
        if let (Visibility::AccountToken(hash), Some(valid)) = (visibility, lease.token_valid) {
            tokens.insert(hash.clone(), at.plus(valid));
        }
        Self {
            credential: lease.credential,
            loaded: Rc::new(loaded),
            until: at.plus(valid.min(LEASE)),
            is_shared,
            is_ended: Cell::default(),
            tokens: RefCell::new(tokens),
            install_version: lease.install_version,
            integration_version: lease.integration_version,
            config: RefCell::default(),
            redactor: RefCell::default(),
            callers: Callers::default(),
            bodies: AccountBodies::default(),
        }
    }

    /// Whether all calls may use it, or only the call under way that requested it.
    pub(super) fn is_shared(&self) -> bool {
        self.is_shared
    }

    pub(super) fn is_valid(&self, now: Timestamp) -> bool {
        now < self.until && !self.is_ended.get()
    }

    pub(super) fn end(&self) {
        self.is_ended.set(true);
    }

    pub(super) fn is_visible(&self, visibility: &Visibility, now: Timestamp) -> bool {
        match visibility {
            Visibility::All => true,
            Visibility::Environment(own) => *own == self.loaded.account.environment_id,
            Visibility::AccountToken(hash) => {
                self.tokens.borrow().get(hash).is_some_and(|end| now < *end)
            }
            Visibility::McpToken(_) => false,
        }
    }

    /// Takes the account tokens that the object confirmed for the lease before. Only a deletion of the account revokes
    /// them, and a deleted account is not leased again.
    pub(super) fn adopt_tokens(&self, before: &Self, now: Timestamp) {
        let mut own = self.tokens.borrow_mut();
        for (hash, end) in before.tokens.borrow().iter() {
            if now < *end && own.len() < MOST_TOKENS {
                own.entry(hash.clone()).or_insert(*end);
            }
        }
    }

    /// The config of the leased account. It is read again where the isolate's cache would read it again.
    pub(super) async fn resolved_config(
        &self,
        outside: &impl Outside,
        isolate: &Isolate,
    ) -> Result<ResolvedConfig, Failure> {
        let now = outside.now();
        let known = self
            .config
            .borrow()
            .as_ref()
            .and_then(|known| known.get(isolate, now));
        if let Some(resolved) = known {
            return Ok(resolved);
        }
        let resolved = resolved_config::load(outside, isolate, &self.loaded.account).await?;
        self.config.replace(KnownConfig::new(&resolved, isolate));
        Ok(resolved)
    }

    /// Whether the isolate's records allow leased calls, and are not older than those that the object has.
    pub(super) fn allows(&self, resolved: &ResolvedConfig) -> bool {
        let (install, integration) = (&resolved.install, &resolved.integration);
        let method = &self.loaded.account.authentication_method;
        install.edge_calls
            && install.is_enabled
            && !resolved.compiled.config.has_also_for(method)
            && install.version >= self.install_version
            && integration.version >= self.integration_version
    }

    /// What it weighs in the cache.
    pub(super) fn bytes(&self) -> usize {
        let loaded = &self.loaded;
        let tokens = self.tokens.borrow().len() * TOKEN_BYTES;
        length(&loaded.account) + length(&loaded.context) + length(&loaded.sealed) + tokens
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
