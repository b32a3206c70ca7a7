//! The differences between two versions of an integration, as dotted paths.

use std::fmt;

use serde_json::{Map, Value};

/// The most paths of one kind that are named; the rest are counted.
const SHOWN: usize = 8;

/// The places where two JSON values differ. Objects are compared deeply, anything else as a whole.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct FileDiff {
    changed: Vec<String>,
    added: Vec<String>,
    removed: Vec<String>,
}

impl FileDiff {
    pub fn between(old: &Map<String, Value>, new: &Map<String, Value>) -> Self {
        let mut change = Self::default();
        change.compare("", old, new);
        change
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The recursion is as deep as the files, which the gateway bounds.
    fn compare(&mut self, at: &str, old: &Map<String, Value>, new: &Map<String, Value>) {
        let path = |key: &str| {
            if at.is_empty() {
                key.to_owned()
            } else {
                format!("{at}.{key}")
            }
        };
        for (key, before) in old {
            match (before, new.get(key)) {
                (_, None) => self.removed.push(path(key)),
                (Value::Object(before), Some(Value::Object(after))) => {
                    self.compare(&path(key), before, after);
                }
                (before, Some(after)) if before != after => self.changed.push(path(key)),
                _ => {}
            }
        }
        let added = new.keys().filter(|key| !old.contains_key(*key));
        self.added.extend(added.map(|key| path(key)));
    }
}

impl fmt::Display for FileDiff {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [
            ("changed", &self.changed),
            ("added", &self.added),
            ("removed", &self.removed),
        ];
        let parts: Vec<String> = kinds
            .into_iter()
            .filter(|(_, paths)| !paths.is_empty())
            .map(|(kind, paths)| format!("{kind} {}", listed(paths)))
            .collect();
        out.write_str(&parts.join("; "))
    }
}

fn listed(paths: &[String]) -> String {
    let shown: Vec<&str> = paths.iter().take(SHOWN).map(String::as_str).collect();
    let shown = shown.join(", ");
    match paths.len().saturating_sub(SHOWN) {
        0 => shown,
        rest => format!("{shown} and {rest} more"),
    }
}
