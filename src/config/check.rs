//! What only the whole of a file can show: that URLs stay where they belong,
//! that what is named exists, that what is needed is there.

use serde_json::Value;

use super::{Config, Finding};

mod actions;
mod fields;
mod hosts;
mod placeholders;
mod resources;
mod sign_in;
mod webhook;

/// Adds what is found. `broken` lists where reading has already failed: what
/// is absent there is not missing.
pub(super) fn check(config: &Config, file: &Value, broken: &[String], findings: &mut Vec<Finding>) {
    let broken = Broken(broken);
    fields::check(config, findings);
    sign_in::check(config, &broken, findings);
    hosts::check(config, &broken, findings);
    resources::check(config, &broken, findings);
    actions::check(config, &broken, findings);
    webhook::check(config, &broken, findings);
    placeholders::check(config, file, &broken, findings);
}

/// Where reading has already failed.
struct Broken<'a>(&'a [String]);

impl Broken<'_> {
    /// Whether something at, above or below `path` could not be read.
    fn touches(&self, path: &str) -> bool {
        let under = |long: &str, short: &str| {
            long.strip_prefix(short)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        self.0
            .iter()
            .any(|broken| under(broken, path) || under(path, broken))
    }
}
