//! Calls to providers in the name of an account.

use serde_json::{Value, json};

use super::describe::asks_provider;
use super::operation::{Operation, REPLAYED, RefusedBy};
use super::shapes::{Shapes, bytes, count, object, uuid};
use crate::batch::SentBatch;
use crate::proxy::query::PASSTHROUGH;
use crate::settings::KEY_CHARACTERS;

const DONE: &str = "Done, says the provider, and nothing more.";
const NOT_MODIFIED: &str = "Not modified, says the provider.";
const ALL_PAGES: &str = "Of a list: answers all pages from here on, a record a line; after an error the last line is `{error, next_cursor}`.";
/// What the parameters of a list are here would be wrong of other methods, whose own they are.
const LIST_BY_POST: &str = "`list` lists as `GET /proxy/{resource}` does, for a provider that wants a body with it: `limit` and `next_cursor` in the query are the gateway's, \
    the answer is a page of records, and an `Idempotency-Key` has no effect. Of any other method, `limit` and `next_cursor` go on to the provider.";
/// What an action answers whose write was made.
const MADE: &str =
    "The error envelope: a step has written, and the provider's answer to it cannot be used.";

fn records() -> Value {
    let cursor = json!({ "type": ["string", "null"] });
    object(&json!({
        "result": { "type": "array", "items": {} },
        "next_cursor": cursor,
        "prev_cursor": cursor,
        "result_count": count(),
    }))
}

/// A list, page by page.
pub(in crate::api) fn list(operation: Operation, shapes: &mut Shapes) -> Operation {
    let records = shapes.name("Records", records());
    let content = json!({
        "application/json": { "schema": records },
        "application/x-ndjson": { "schema": lines() },
    });
    sent(operation)
        .list_parameters()
        .header("x-all-pages", ALL_PAGES, &flags())
        .answers_with(
            "200",
            "A page of records, as the provider has them.",
            &content,
        )
        .answers_with("304", NOT_MODIFIED, &json!({}))
}

pub(in crate::api) fn read(operation: Operation, _: &mut Shapes) -> Operation {
    passing(operation)
}

pub(in crate::api) fn write(operation: Operation, _: &mut Shapes) -> Operation {
    passing(operation).takes_body(body())
}

pub(in crate::api) fn delete(operation: Operation, _: &mut Shapes) -> Operation {
    passing(operation)
}

/// A method by its name, which may be `list`.
pub(in crate::api) fn method(operation: Operation, _: &mut Shapes) -> Operation {
    passing(operation)
        .describes(LIST_BY_POST)
        .header("x-all-pages", ALL_PAGES, &flags())
        .takes_body(body())
}

pub(in crate::api) fn action(operation: Operation, _: &mut Shapes) -> Operation {
    call(operation)
        .takes_body(
            json!({ "description": "The action's input.", "content": { "application/json": { "schema": {} } } }),
        )
        .answers_with(
            "200",
            "The result of its last step.",
            &json!({ "application/json": { "schema": {} } }),
        )
        .answers_with("2XX", MADE, &json!({ "*/*": {} }))
        .answers_with("3XX", MADE, &json!({ "*/*": {} }))
}

pub(in crate::api) fn batch(operation: Operation, shapes: &mut Shapes) -> Operation {
    let lists =
        json!({ "type": "object", "additionalProperties": { "type": "array", "items": {} } });
    let answer = object(&json!({ "result": lists.clone(), "errors": lists }));
    let answer = json!({ "application/json": { "schema": answer } });
    let millis = json!({ "type": "integer", "minimum": 1 });
    let about = "How long the whole batch may take: 30,000 unless it or the operator says otherwise, at most 100,000.";
    operation
        .takes(&shapes.asked::<SentBatch>())
        .header("x-timeout-ms", about, &millis)
        .answers_with(
            "200",
            "The records and the errors of each node, by its name.",
            &answer,
        )
        .refuses(&[404])
}

/// The provider's own path.
pub(in crate::api) fn custom(operation: Operation, _: &mut Shapes) -> Operation {
    let path = json!({ "type": "string", "minLength": 1, "description": "The provider's own path, its slashes as they are." });
    writing(operation)
        .parameter_of_path("path", path)
        .answers_with("204", DONE, &json!({}))
        .answers_with("304", NOT_MODIFIED, &json!({}))
        .answers_with("default", "The provider's own answer, unchanged, with any status; or the error envelope with one of the gateway's codes.", &json!({ "*/*": {} }))
        .refused(RefusedBy::AsAnswered)
}

pub(in crate::api) fn custom_with_body(operation: Operation, shapes: &mut Shapes) -> Operation {
    let bytes = json!({ "schema": bytes() });
    let mut body = body();
    crate::json::merge(
        &mut body,
        &json!({ "content": { "application/octet-stream": bytes } }),
    );
    custom(operation, shapes).takes_body(body)
}

/// A call whose answer is the provider's own.
fn passing(operation: Operation) -> Operation {
    let any = json!({ "application/json": { "schema": {} }, "*/*": {} });
    writing(operation)
        .query(
            PASSTHROUGH[0],
            "Whether the body goes as it is, and not as the method makes it.",
            &flags(),
        )
        .query(PASSTHROUGH[1], "The same.", &flags())
        .answers_with(
            "2XX",
            "The provider's document, cut at `response_path`; or the error envelope, where a write was made and its answer cannot be used (`details.write`).",
            &any,
        )
        .answers_with("204", DONE, &json!({}))
        .answers_with("3XX", "The provider's own; or the error envelope, where a write was made and what its redirect leads to cannot be had (`details.write`).", &any)
        .answers_with("304", NOT_MODIFIED, &json!({}))
}

fn call(operation: Operation) -> Operation {
    let name = json!({ "type": "string", "minLength": 1 });
    let millis = json!({ "type": "integer", "minimum": 1 });
    let operation = operation
        .parameter_of_path("resource", name.clone())
        .parameter_of_path("id", name.clone())
        .parameter_of_path("action", name)
        .query(
            "integrated_account_id",
            "The account; an account token has its own.",
            &uuid(),
        )
        .header(
            "x-timeout-ms",
            "How long the call may take: 30,000 unless it or the operator says otherwise, at most 100,000.",
            &millis,
        );
    asks_provider(operation)
}

/// A call that may be sent again.
pub(super) fn sent(operation: Operation) -> Operation {
    let about = "How often it may be sent again, 5 at most: 2 for reads and 0 for writes unless it is said.";
    let retries = json!({ "type": "integer", "minimum": 0 });
    call(operation)
        .header("x-max-retries", about, &retries)
        .calls()
}

/// A call for which an `Idempotency-Key` has an effect where it writes.
pub(super) fn writing(operation: Operation) -> Operation {
    let operation = sent(operation);
    if matches!(operation.method, "GET" | "HEAD" | "OPTIONS") {
        return operation;
    }
    let about = "A key of the caller's: for 24 hours a write with it is made once, and answered again as it was.";
    let key = json!({ "type": "string", "minLength": 1, "maxLength": KEY_CHARACTERS });
    operation
        .header("idempotency-key", about, &key)
        .answers_field(REPLAYED)
}

/// A text of JSON lines. Without a type, generated clients lose that of a page, too.
pub(super) fn lines() -> Value {
    json!({ "type": "string", "description": "With `x-all-pages`: a record a line." })
}

/// The two values of a flag in a query or a header field.
pub(super) fn flags() -> Value {
    json!({ "enum": ["true", "false"] })
}

/// One type alone: a client that is generated for several does not always know which one a JSON value is.
fn body() -> Value {
    json!({
        "description": "What is sent, of any content type.",
        "content": { "application/json": { "schema": {} } },
    })
}
