//! What the methods of a file lack to be tools that an agent can use.

use std::collections::BTreeSet;

use serde_json::Value;

use super::ToolFilter;
use super::input::{placeholders, takes_body};
use crate::config::{Config, Finding, Method};
use crate::expression::Placeholder;

/// A finding for each method that lacks a description or the schema of what it takes.
pub fn lacking(config: &Config) -> Vec<Finding> {
    let all = ToolFilter {
        with_undescribed: true,
        ..ToolFilter::default()
    };
    let tools = super::methods(config, "", &all).into_iter();
    let tools = tools.filter(|tool| tool.method.operation.is_none());
    let findings = tools.flat_map(|tool| {
        let at = format!("config.resources.{}.{}", tool.resource, tool.method_name);
        of_method(tool.method, &at)
    });
    findings.collect()
}

fn of_method(method: &Method, at: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut lacks = |key: &str, why: &str| {
        let message = format!("a tool needs `{key}`: {why}");
        found.push(Finding::warning(format!("{at}.{key}"), message));
    };
    let description = method.description.as_deref().unwrap_or_default();
    if description.trim().is_empty() {
        lacks("description", "without it the method is no tool");
    }
    if takes_body(method) && method.body_schema.is_none() {
        let why = "the method takes a body; where it takes none, it has `ignore_body`";
        lacks("body_schema", why);
    }
    let undeclared = undeclared_parameters(method);
    if !undeclared.is_empty() {
        let names: Vec<_> = undeclared.into_iter().collect();
        let why = format!("it declares none of {}", names.join(", "));
        lacks("query_schema", &why);
    }
    for (key, schema) in [
        ("query_schema", &method.query_schema),
        ("body_schema", &method.body_schema),
    ] {
        for name in undescribed(schema.as_ref()) {
            lacks(key, &format!("the property `{name}` has no description"));
        }
    }
    found
}

/// The parameters of the query that templates of the method read, and that its schema does not have.
fn undeclared_parameters(method: &Method) -> BTreeSet<&str> {
    let declared = method.query_schema.as_ref();
    let declared = declared.and_then(|schema| schema.get("properties"));
    let paths = placeholders(method).flat_map(Placeholder::paths);
    let read = paths.filter_map(|path| match path.parts() {
        [root, name, ..] if root == "query" => Some(name.as_str()),
        _ => None,
    });
    read.filter(|name| declared.is_none_or(|own| own.get(*name).is_none()))
        .collect()
}

fn undescribed(schema: Option<&Value>) -> Vec<&String> {
    let properties = schema.and_then(|schema| schema.get("properties")?.as_object());
    let lacks = |own: &Value| own.get("description").is_none_or(|text| text == "");
    let properties = properties.into_iter().flatten();
    properties
        .filter(|(_, own)| lacks(own))
        .map(|(name, _)| name)
        .collect()
}
