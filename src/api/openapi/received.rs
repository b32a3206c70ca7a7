//! The webhooks of providers.

use schemars::JsonSchema;
use serde_json::json;

use super::describe::asks_provider;
use super::operation::Operation;
use super::shapes::{Shapes, bytes};
use crate::flows::ingress::reply::{MatchedEvents, StoredEvents};

pub(in crate::api) fn for_account(operation: Operation, shapes: &mut Shapes) -> Operation {
    with_body(verified::<StoredEvents>(operation, shapes))
}

pub(in crate::api) fn for_install(operation: Operation, shapes: &mut Shapes) -> Operation {
    with_body(verified::<MatchedEvents>(operation, shapes))
}

pub(in crate::api) fn verification_for_account(
    operation: Operation,
    shapes: &mut Shapes,
) -> Operation {
    verified::<StoredEvents>(operation, shapes)
}

pub(in crate::api) fn verification_for_install(
    operation: Operation,
    shapes: &mut Shapes,
) -> Operation {
    verified::<MatchedEvents>(operation, shapes)
}

/// The answer to a URL verification is the integration's, and so are its status and shape.
fn verified<T: JsonSchema>(operation: Operation, shapes: &mut Shapes) -> Operation {
    let stored = shapes.answered::<T>();
    let schema = json!({ "anyOf": [stored, { "title": "URL verification" }] });
    let content = json!({ "application/json": { "schema": schema }, "*/*": {} });
    let end = json!({ "type": "string", "minLength": 1, "description": "The end of the `webhook_url` that the account or the install shows." });
    let operation = operation
        .parameter_of_path("id", end)
        .answers_with(
            "2XX",
            "Stored; or the answer to a URL verification.",
            &content,
        )
        .answers_with("204", "The answer to a URL verification.", &json!({}));
    asks_provider(operation)
}

fn with_body(operation: Operation) -> Operation {
    let body = json!({ "content": { "application/json": { "schema": {} }, "application/octet-stream": { "schema": bytes() } } });
    operation.takes_body(body)
}
