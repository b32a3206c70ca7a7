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
