//! `/record`: the feed of a sync's records, and one record.

use serde_json::{Value, json};

use super::data_plane::flags;
use super::operation::Operation;
use super::shapes::{Shapes, count, object, text, uuid};

/// What `x-all-pages` does here.
const LINES: &str = "Answers everything up to the end, a change a line; the last line is `{next_cursor}`, after an error `{error, next_cursor}`.";

fn change(shapes: &mut Shapes) -> Value {
    let time = json!({ "type": "string", "format": "date-time" });
    let change = object(&json!({
        "id": text(),
        "change": { "enum": ["added", "updated", "deleted"] },
        "revision": count(),
        "record": { "description": "As the provider has it, or what `map` made of it; null where it is gone, too large, or not kept." },
        "too_large": { "type": "boolean", "description": "Whether it is larger than a sync keeps." },
        "first_seen_at": time.clone(),
        "modified_at": time,
        "deleted_at": { "type": ["string", "null"], "format": "date-time" },
    }));
    shapes.name("RecordChange", change)
}

fn of_sync(operation: Operation) -> Operation {
    let sync = json!({ "name": "sync", "in": "query", "required": true, "description": "The name of the sync.", "schema": text() });
    let operation = operation.parameter(sync);
    let about = "The account; an account token has its own.";
    operation
        .query("integrated_account_id", about, &uuid())
        .query(
            "environment_id",
            "The environment, with the admin token.",
            &uuid(),
        )
        .refuses(&[404, 409, 422])
}

/// The feed.
pub(in crate::api) fn changes(operation: Operation, shapes: &mut Shapes) -> Operation {
    let changes = object(&json!({
        "result": { "type": "array", "items": change(shapes) },
        "next_cursor": { "type": "string", "description": "Where to go on, now or later." },
        "has_more": { "type": "boolean" },
    }));
    let content = json!({ "application/json": { "schema": changes }, "application/x-ndjson": {} });
    let limit = json!({ "type": "integer", "minimum": 1, "default": 100 });
    of_sync(operation)
        .query("after", "The `next_cursor` of the part before.", &text())
        .query(
            "filter",
            "Only changes of this kind.",
            &json!({ "enum": ["added", "updated", "deleted"] }),
        )
        .query(
            "limit",
            "At most so many; more than 1,000 are never given.",
            &limit,
        )
        .header("x-all-pages", LINES, &flags())
        .answers_with("200", "What changed, in the order of `revision`.", &content)
        .refuses(&[410])
}

/// One record.
pub(in crate::api) fn one(operation: Operation, shapes: &mut Shapes) -> Operation {
    let content = json!({ "application/json": { "schema": change(shapes) } });
    let id = json!({ "type": "string", "minLength": 1 });
    of_sync(operation).parameter_of_path("id", id).answers_with(
        "200",
        "The record in its newest state.",
        &content,
    )
}
