//! The open routes of the gateway itself.

use serde_json::{Value, json};

use super::operation::{Operation, RefusedBy};
use super::shapes::{Shapes, text};
use crate::api::health::HealthReport;

const ELSEWHERE: &str =
    "The request came over plain http, or under a name that is not the gateway's.";

pub(in crate::api) fn home(operation: Operation, _: &mut Shapes) -> Operation {
    let page = json!({ "text/html": { "schema": text() } });
    open(operation, "The page.", &page)
}

pub(in crate::api) fn health(operation: Operation, shapes: &mut Shapes) -> Operation {
    operation
        .refused(RefusedBy::AsAnswered)
        .answers::<HealthReport>(200, shapes)
        .answers::<HealthReport>(503, shapes)
}

pub(in crate::api) fn openapi(operation: Operation, _: &mut Shapes) -> Operation {
    let document = json!({ "application/json": { "schema": { "type": "object" } } });
    open(operation, "The API as OpenAPI 3.1.", &document)
}

pub(in crate::api) fn schema(operation: Operation, _: &mut Shapes) -> Operation {
    let schema = json!({ "application/schema+json": { "schema": { "type": "object" } } });
    open(operation, "The schema, for editors.", &schema)
}

pub(in crate::api) fn client_document(operation: Operation, _: &mut Shapes) -> Operation {
    let document = json!({ "application/json": { "schema": {
        "type": "object",
        "required": ["client_id", "client_name", "redirect_uris"],
        "properties": {
            "client_id": { "type": "string", "format": "uri", "description": "The URL of this document" },
            "client_name": text(),
            "redirect_uris": { "type": "array", "items": text() },
            "grant_types": { "type": "array", "items": text() },
            "response_types": { "type": "array", "items": text() },
            "token_endpoint_auth_method": { "const": "none" },
        },
    } } });
    let error =
        json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } });
    let operation = open(operation, "The document.", &document);
    operation
        .answers_with(
            "404",
            "There is no such install, or its client has no document.",
            &error,
        )
        .answers_with(
            "429",
            "The sender has named too many installs that do not exist.",
            &error,
        )
}

fn open(operation: Operation, about: &str, content: &Value) -> Operation {
    let error =
        json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } });
    operation
        .refused(RefusedBy::AsAnswered)
        .answers_with("403", ELSEWHERE, &error)
        .answers_with("200", about, content)
}

pub(in crate::api) fn mcp(operation: Operation, _: &mut Shapes) -> Operation {
    let message = json!({ "type": "object", "description": "A message of JSON-RPC 2.0; in versions up to 2025-03-26 also an array of them." });
    let content = json!({ "application/json": { "schema": message } });
    let answer = json!({ "description": "The answer; to an array of messages an array." });
    let answer = json!({ "application/json": { "schema": answer } });
    let error =
        json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } });
    let about = "The error envelope, or an error of JSON-RPC where the message cannot be read.";
    let any = json!({ "application/json": { "schema": { "type": "object" } } });
    operation
        .describes("There are `initialize`, `ping`, `tools/list` and `tools/call`. `Origin` is refused unless the operator lists it.")
        .header("mcp-protocol-version", "The version of the session.", &text())
        .takes_body(json!({ "required": true, "content": content }))
        .answers_with("200", "The answer.", &answer)
        .answers_with("202", "There is nothing to answer.", &json!({}))
        .answers_with("400", about, &any)
        .answers_with("401", "The token is unknown, revoked or expired.", &error)
        .answers_with("403", "The origin, or the address, is refused.", &error)
        .answers_with("default", "The error envelope.", &error)
        .refused(RefusedBy::AsAnswered)
}
