//! The redactor of the account's secrets, cached between calls.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use serde_json::Value;

use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::record::AccountRecord;
use crate::flows::account::state::State;
use crate::flows::account::stored::InMemory;
use crate::flows::config::redaction::Redactor;
use crate::flows::config::resolved_config::Compiled;
use crate::ports::{Outside, Storage};

/// The last redactor, with the account and the config that it was built for. It is built again when one of them
/// changes.
#[derive(Default)]
pub(in crate::flows) struct LastRedactor(RefCell<Option<CachedRedactor>>);

impl InMemory for LastRedactor {
    fn reset(&self) {
        self.0.take();
    }
}

struct CachedRedactor {
    compiled: Weak<Compiled>,
    loaded: Weak<LoadedAccount>,
    redactor: Rc<Redactor>,
}

impl<O: Outside, S: Storage> AccountRecord<O, S> {
    /// A redactor for the secrets of a config and a context. The context of a running action may be newer than the
    /// stored one.
    pub(in crate::flows) fn redactor(
        &self,
        compiled: &Rc<Compiled>,
        context: &Value,
    ) -> Rc<Redactor> {
        let State::Here(loaded) = self.state() else {
            return Rc::new(Redactor::new(compiled, context, &Value::Null));
        };
        if !std::ptr::eq(&raw const loaded.context, context) {
            return Rc::new(Redactor::new(compiled, context, &loaded.sealed));
        }
        let is_current = |cached: &CachedRedactor| {
            cached.compiled.ptr_eq(&Rc::downgrade(compiled))
                && cached.loaded.ptr_eq(&Rc::downgrade(&loaded))
        };
        if let Some(cached) = self
            .last_redactor
            .0
            .borrow()
            .as_ref()
            .filter(|cached| is_current(cached))
        {
            return Rc::clone(&cached.redactor);
        }
        let redactor = Rc::new(Redactor::new(compiled, context, &loaded.sealed));
        self.last_redactor.0.replace(Some(CachedRedactor {
            compiled: Rc::downgrade(compiled),
            loaded: Rc::downgrade(&loaded),
            redactor: Rc::clone(&redactor),
        }));
        redactor
    }
}
