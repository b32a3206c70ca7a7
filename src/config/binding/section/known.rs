//! The values of an install's variables, as far as a digest needs them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::config::binding::digest_of;
use crate::config::reads::VariableReads;

/// The values of variables, each as its digest.
pub(super) struct KnownVariables {
    values: BTreeMap<String, String>,
    all: String,
}

impl KnownVariables {
    pub(super) fn of(variables: Option<&Value>) -> Self {
        let entries = variables.and_then(Value::as_object).into_iter().flatten();
        let values: BTreeMap<String, String> = entries
            .map(|(name, value)| (name.clone(), digest_of(value)))
            .collect();
        let all = digest_of(&json!(values));
        Self { values, all }
    }

    /// Of those that are named, and are there.
    pub(super) fn digest(&self, wanted: &VariableReads) -> String {
        if wanted.all {
            return self.all.clone();
        }
        let named = wanted.names.iter();
        let named: BTreeMap<&String, &String> = named
            .filter_map(|name| self.values.get_key_value(name))
            .collect();
        digest_of(&json!(named))
    }
}
