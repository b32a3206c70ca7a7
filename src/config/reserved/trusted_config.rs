//! A configuration whose every entry is trusted.
use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::Value;

use crate::config::binding::{FilePlace, leaves};
use crate::config::reads::SecretNames;

/// A configuration that is trusted, and what was found out of its methods and actions.
pub(super) struct TrustedConfig {
    pub config: Value,
    units: RefCell<BTreeMap<FilePlace, bool>>,
}

impl TrustedConfig {
    pub(super) fn new(config: Value) -> Self {
        Self {
            config,
            units: RefCell::default(),
        }
    }

    /// Taking entries out leaves the objects they stood in.
    pub(super) fn has_nothing_at(&self, unit: &FilePlace) -> bool {
        let found = unit.find(&self.config);
        found.is_none_or(|found| found.is_object() && leaves(found).is_empty())
    }

    /// Whether a method or action reads a secret; each is looked through once.
    pub(super) fn reads_secret(&self, unit: FilePlace, secrets: &SecretNames) -> bool {
        let known = self.units.borrow().get(&unit).copied();
        known.unwrap_or_else(|| {
            let found = unit.find(&self.config);
            let reads = found.is_some_and(|unit| secrets.read_by(unit).is_some());
            self.units.borrow_mut().insert(unit, reads);
            reads
        })
    }
}

/// Whether the file's calls are all there are.
pub(super) fn is_switched_off(config: &Value) -> bool {
    config.get("custom") == Some(&Value::Bool(false))
}
