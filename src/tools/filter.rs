//! Which methods of a file are tools.

use serde::{Deserialize, Serialize};

use super::ToolMethod;
use crate::config::Config;

/// Which methods become tools. An empty list admits all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolFilter {
    /// `read`, `write`, or names of methods.
    pub methods: Vec<String>,
    /// Tags of resources (`tool_tags`).
    pub tags: Vec<String>,
    /// Names of resources.
    pub resources: Vec<String>,
    /// Whether methods without a `description` are admitted, too.
    pub with_undescribed: bool,
    /// Whether writes are left out, as for a sandbox account.
    pub is_sandbox: bool,
}

impl ToolFilter {
    pub(super) fn admits(&self, config: &Config, tool: &ToolMethod<'_>) -> bool {
        let is_described = self.with_undescribed || !tool.description().trim().is_empty();
        is_described
            && (!self.is_sandbox || tool.is_in_sandbox())
            && admits(&self.methods, |word| is_method(tool, word))
            && admits(&self.resources, |name| name == tool.resource)
            && admits(&self.tags, |tag| has_tag(config, tool.resource, tag))
    }
}

/// The entries of a text with commas between them, without white space around them.
pub fn comma_separated(text: &str) -> Vec<String> {
    let entries = text.split(',').map(str::trim);
    entries
        .filter(|entry| !entry.is_empty())
        .map(str::to_owned)
        .collect()
}

fn admits(wanted: &[String], is_wanted: impl Fn(&str) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(|word| is_wanted(word))
}

fn is_method(tool: &ToolMethod<'_>, word: &str) -> bool {
    match word {
        "read" => tool.is_read(),
        "write" => !tool.is_read(),
        name => name == tool.method_name,
    }
}

fn has_tag(config: &Config, resource: &str, tag: &str) -> bool {
    let tags = config.tool_tags.get(resource);
    tags.is_some_and(|tags| tags.iter().any(|own| own == tag))
}
