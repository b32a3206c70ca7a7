//! Tools: each method of an integration as an agent sees and calls it. A tool has a name, schemas, annotations, and
//! says which of its arguments are the id, the query and the body of the call. Nothing here sends.

pub mod arguments;
pub mod check;
pub mod filter;
pub mod input;
pub mod lacking;
mod name;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::config::{Config, Method};

pub use filter::ToolFilter;
pub use input::ToolInput;

/// A method that is a tool.
#[derive(Clone)]
pub struct ToolMethod<'a> {
    /// The name of the tool, which no other method of the file has.
    pub name: String,
    /// The resource.
    pub resource: &'a str,
    /// The name of the method.
    pub method_name: &'a str,
    /// The method.
    pub method: &'a Method,
}

/// What a tool does, as MCP says it (2025-11-25, `ToolAnnotations`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
#[allow(clippy::struct_excessive_bools)] // four hints of the specification
pub struct ToolAnnotations {
    /// It changes nothing at the provider.
    pub read_only_hint: bool,
    /// It may change or delete what is there.
    pub destructive_hint: bool,
    /// The same call twice changes no more than once.
    pub idempotent_hint: bool,
    /// It reaches a system outside of the gateway.
    pub open_world_hint: bool,
}

/// A tool.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Tool {
    /// Its name: at most 64 of `a-z`, `0-9` and `_`.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What it does.
    pub description: String,
    /// The resource.
    pub resource: String,
    /// The method of the resource.
    pub method: String,
    /// The JSON Schema of its query, as the integration file has it.
    pub query_schema: Option<Value>,
    /// The JSON Schema of its body, as the integration file has it.
    pub body_schema: Option<Value>,
    /// The JSON Schema of its arguments: an object.
    pub input_schema: Value,
    /// The JSON Schema of its answer, where the integration file has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Value>,
    /// The arguments that it needs.
    pub required: Vec<String>,
    /// What it does to the provider's data.
    pub annotations: ToolAnnotations,
    /// The OAuth scopes that it needs.
    pub scopes: Vec<String>,
    /// Whether the account has these scopes; null where that is not known.
    pub is_allowed: Option<bool>,
}

/// The methods of a file that pass the filter, each with its name, which does not depend on the filter.
pub fn methods<'a>(
    config: &'a Config,
    integration: &str,
    filter: &ToolFilter,
) -> Vec<ToolMethod<'a>> {
    let all = || {
        let resources = config.resources.iter();
        resources.flat_map(|(resource, methods)| {
            let methods = methods.iter();
            methods.map(move |(method_name, method)| (resource, method_name, method))
        })
    };
    let all_names = all().map(|(resource, name, _)| (resource.as_str(), name.as_str()));
    let mut names = name::ToolNames::of(integration, all_names);
    let tools = all().map(|(resource, method_name, method)| ToolMethod {
        name: names.next(resource, method_name),
        resource,
        method_name,
        method,
    });
    tools.filter(|tool| filter.admits(config, tool)).collect()
}

impl ToolMethod<'_> {
    /// Whether it changes nothing at the provider, with any HTTP method that the provider uses for it.
    pub fn is_read(&self) -> bool {
        matches!(self.method_name, "list" | "get") || self.method.method.0.is_safe()
    }

    /// Whether it may change or delete what is there.
    pub fn is_destructive(&self) -> bool {
        !self.is_read() && self.method_name != "create"
    }

    /// Whether a sandbox account may call it.
    pub fn is_in_sandbox(&self) -> bool {
        self.method.method.0.is_safe()
    }

    /// Its annotations.
    pub fn annotations(&self) -> ToolAnnotations {
        ToolAnnotations {
            read_only_hint: self.is_read(),
            destructive_hint: self.is_destructive(),
            // RFC 9110, section 9.2.2.
            idempotent_hint: self.is_read() || self.method.method.0.is_idempotent(),
            open_world_hint: true,
        }
    }

    /// Its name for people.
    pub fn title(&self, label: &str) -> String {
        format!("{label}: {} {}", self.resource, self.method_name)
    }

    /// What it does.
    pub fn description(&self) -> &str {
        self.method.description.as_deref().unwrap_or_default()
    }

    /// The whole tool. `is_allowed`: whether the account has its scopes.
    pub fn describe(&self, label: &str, is_allowed: Option<bool>) -> Tool {
        let input = ToolInput::of(self, input::ConfirmationPolicy::Never);
        let method = self.method;
        Tool {
            name: self.name.clone(),
            title: self.title(label),
            description: self.description().to_owned(),
            resource: self.resource.to_owned(),
            method: self.method_name.to_owned(),
            query_schema: method.query_schema.clone(),
            body_schema: method.body_schema.clone(),
            required: input.required(),
            input_schema: input.into_schema(),
            output_schema: method.response_schema.clone(),
            annotations: self.annotations(),
            scopes: method.scopes.clone(),
            is_allowed,
        }
    }
}

#[cfg(test)]
mod tests;
