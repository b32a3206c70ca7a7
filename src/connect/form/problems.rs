//! What is wrong with what was typed, for the customer to read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One sentence for each field that has a problem. It holds what the file
/// says of the field, never what was typed into it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Problems(BTreeMap<String, String>);

impl Problems {
    /// Notes a problem; the first one of a field stays.
    pub fn add(&mut self, field: &str, words: impl Into<String>) {
        self.0
            .entry(field.to_owned())
            .or_insert_with(|| words.into());
    }

    /// The problem of a field.
    pub fn of(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(String::as_str)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Field names and words.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(field, words)| (field.as_str(), words.as_str()))
    }
}
