//! Calls to providers in the name of an account.

use serde_json::{Value, json};

use super::operation::{Group, Operation, REPLAYED};
use super::shapes::{Shapes, count, object};
use crate::proxy::query::PASSTHROUGH;
use crate::settings::KEY_CHARACTERS;

const ALL: &str = "/proxy/{resource}";
const ONE: &str = "/proxy/{resource}/{id}";
const CUSTOM: &str = "/custom/{path}";
const ALL_PAGES: &str = "Of a list: answers all pages from here on, a record a line; after an error the last line is `{error, next_cursor}`.";
/// What the parameters of a list are here would be wrong of other methods, whose own they are.
const LIST_BY_POST: &str = "`list` lists as `GET /proxy/{resource}` does, for a provider that wants a body with it: `limit` and `next_cursor` in the query are the gateway's, \
    the answer is a page of records, and an `Idempotency-Key` is not heeded. Of any other method, `limit` and `next_cursor` go on to the provider.";
/// Verbs of `/custom`, with the ids of their operations.
const VERBS: [(&str, &str); 7] = [
    ("GET", "customGet"),
    ("HEAD", "customHead"),
    ("OPTIONS", "customOptions"),
    ("POST", "customPost"),
    ("PUT", "customPut"),
    ("PATCH", "customPatch"),
    ("DELETE", "customDelete"),
];

pub(super) fn group(shapes: &mut Shapes) -> Group {
    let list = shapes.name("Records", records());
    let mut operations = vec![
        listing(&list),
        passing("POST", ALL, "createRecord", "Makes a record").takes_body(body()),
        passing("GET", ONE, "getRecord", "Gets a record"),
        passing("PATCH", ONE, "updateRecord", "Changes a record").takes_body(body()),
        passing(
            "PUT",
            ONE,
            "putRecord",
            "Changes a record; the same as PATCH",
        )
        .takes_body(body()),
        passing("DELETE", ONE, "deleteRecord", "Deletes a record"),
        passing(
            "POST",
            ONE,
            "callMethod",
            "Calls a method of the resource: `id` is its name",
        )
        .describes(LIST_BY_POST)
        .header("x-all-pages", ALL_PAGES, &flags())
        .takes_body(body()),
        call(
            "POST",
            "/proxy/_/{action}",
            "runAction",
            "Runs an action of the integration",
        )
        .takes_body(
            json!({ "description": "The action's input.", "content": { "application/json": {} } }),
        )
        .answers("200", "The result of its last step.", &json!({}))
        .answers_with("2XX", MADE, &json!({ "*/*": {} }))
        .answers_with("3XX", MADE, &json!({ "*/*": {} })),
    ];
    operations.extend(VERBS.map(|(verb, id)| custom(verb, id)));
    Group {
        tag: "data plane",
        about: "The provider's records, with the account's own credential. Query parameters that are not listed go on to the provider, and so \
                do `accept`, `accept-language`, `content-type`, `if-*`, `range`, `idempotency-key` and `x-forward-<name>` as `<name>`. The fields \
                `ratelimit-*` of an answer, and `retry-after`, say what is known of the provider's limit.",
        operations,
    }
}

/// What an action answers whose write was made.
const MADE: &str =
    "The error envelope: a step has written, and the provider's answer to it cannot be used.";

fn records() -> Value {
    let cursor = json!({ "type": ["string", "null"] });
    object(&json!({
        "result": { "type": "array" },
        "next_cursor": cursor,
        "prev_cursor": cursor,
        "result_count": count(),
    }))
}

fn listing(list: &Value) -> Operation {
    let content = json!({
        "application/json": { "schema": list },
        "application/x-ndjson": {},
    });
    sent("GET", ALL, "listRecords", "Lists records")
        .list_parameters()
        .header("x-all-pages", ALL_PAGES, &flags())
        .answers_with(
            "200",
            "A page of records, as the provider has them.",
            &content,
        )
        .answers_with("304", "Not modified, says the provider.", &json!({}))
}

/// A call whose answer is the provider's own.
fn passing(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
) -> Operation {
    let any = json!({ "*/*": {} });
    writing(method, path, id, summary)
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
        .answers_with(
            "204",
            "Done, says the provider, and nothing more.",
            &json!({}),
        )
        .answers_with("3XX", "The provider's own; or the error envelope, where a write was made and what its redirect leads to cannot be had (`details.write`).", &any)
        .answers_with("304", "Not modified, says the provider.", &json!({}))
}

fn custom(method: &'static str, id: &'static str) -> Operation {
    let any = json!({ "*/*": {} });
    let path = json!({ "type": "string", "minLength": 1, "description": "The provider's own path, its slashes as they are." });
    let operation = writing(method, CUSTOM, id, "Calls the provider's own path, signed in")
        .word("path", path)
        .answers_with("204", "Done, says the provider, and nothing more.", &json!({}))
        .answers_with("304", "Not modified, says the provider.", &json!({}))
        .answers_with("default", "The provider's own answer, unchanged, whatever its status; or the error envelope with a code of ours.", &any)
        .answers_no_more();
    match method {
        "POST" | "PUT" | "PATCH" | "DELETE" => operation.takes_body(body()),
        _ => operation,
    }
}

fn call(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
) -> Operation {
    let word = json!({ "type": "string", "minLength": 1 });
    let account = json!({ "type": "string", "format": "uuid" });
    let millis = json!({ "type": "integer", "minimum": 1 });
    Operation::new(method, path, id, summary)
        .word("resource", word.clone())
        .word("id", word.clone())
        .word("action", word)
        .query(
            "integrated_account_id",
            "The account; an account token has its own.",
            &account,
        )
        .header(
            "x-timeout-ms",
            "How long the call may take: 30,000 unless it or the operator says otherwise, at most 100,000.",
            &millis,
        )
        .asks_provider()
}

/// A call that may be sent again.
fn sent(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
) -> Operation {
    let about = "How often it may be sent again, 5 at most: 2 for reads and 0 for writes unless it is said.";
    let retries = json!({ "type": "integer", "minimum": 0 });
    call(method, path, id, summary)
        .header("x-max-retries", about, &retries)
        .calls()
}

/// A call that heeds an `Idempotency-Key` where it writes.
fn writing(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
) -> Operation {
    let operation = sent(method, path, id, summary);
    if matches!(method, "GET" | "HEAD" | "OPTIONS") {
        return operation;
    }
    let about = "A key of the caller's: for 24 hours a write with it is made once, and answered again as it was.";
    let key = json!({ "type": "string", "minLength": 1, "maxLength": KEY_CHARACTERS });
    operation
        .header("idempotency-key", about, &key)
        .answers_field(REPLAYED)
}

/// The two words of a flag in a query or a header field.
fn flags() -> Value {
    json!({ "enum": ["true", "false"] })
}

fn body() -> Value {
    json!({
        "description": "What the method takes, of any content type.",
        "content": { "application/json": {}, "application/octet-stream": {} },
    })
}
