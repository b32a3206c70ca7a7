//! The resource `files` of an integration with the credential `sftp`. Requests find the rows of every resource first.

use serde_json::{Value, json};

use super::data_plane::{flags, lines, sent, writing};
use super::operation::Operation;
use super::shapes::{Shapes, bytes, count, object, text};

/// What a folder has: a file, a folder or something else.
fn entry(shapes: &mut Shapes) -> Value {
    let may_be_unknown = json!({ "type": ["string", "null"] });
    let entry = object(&json!({
        "name": text(),
        "path": text(),
        "type": { "enum": ["file", "directory", "symlink", "other"] },
        "size": count(),
        "modified_at": may_be_unknown,
        "permissions": may_be_unknown,
    }));
    shapes.name("FileEntry", entry)
}

pub(in crate::api) fn list(operation: Operation, shapes: &mut Shapes) -> Operation {
    let entry = entry(shapes);
    let cursor = json!({ "type": ["string", "null"] });
    let page = object(&json!({
        "result": { "type": "array", "items": entry },
        "next_cursor": cursor,
        "prev_cursor": cursor,
        "result_count": count(),
    }));
    let page = shapes.name("FilePage", page);
    let content = json!({ "application/json": { "schema": page }, "application/x-ndjson": { "schema": lines() } });
    sent(operation)
        .query("path", "The folder; `/` when absent.", &text())
        .list_parameters()
        .header(
            "x-all-pages",
            "All entries from here on, one a line.",
            &flags(),
        )
        .answers_with("200", "A page of entries.", &content)
}

pub(in crate::api) fn read(operation: Operation, _: &mut Shapes) -> Operation {
    let about = "`bytes=N-` or `bytes=N-M`; another one gets the whole file.";
    let content = json!({ "*/*": {} });
    sent(at_path(operation))
        .header("range", about, &text())
        .answers_with("200", "The content.", &content)
        .answers_with("206", "The range of the content.", &content)
}

pub(in crate::api) fn write(operation: Operation, shapes: &mut Shapes) -> Operation {
    let content = json!({ "application/octet-stream": { "schema": bytes() } });
    let body = json!({ "description": "The content, with its `content-length`.", "required": true, "content": content });
    let entry = json!({ "application/json": { "schema": entry(shapes) } });
    writing(at_path(operation))
        .takes_body(body)
        .answers_with("200", "The file.", &entry)
}

pub(in crate::api) fn delete(operation: Operation, _: &mut Shapes) -> Operation {
    done(writing(at_path(operation)))
}

pub(in crate::api) fn stat(operation: Operation, shapes: &mut Shapes) -> Operation {
    let entry = json!({ "application/json": { "schema": entry(shapes) } });
    taking(sent(operation), &["path"]).answers_with("200", "What is there.", &entry)
}

pub(in crate::api) fn of_one_path(operation: Operation, _: &mut Shapes) -> Operation {
    done(taking(writing(operation), &["path"]))
}

pub(in crate::api) fn rename(operation: Operation, _: &mut Shapes) -> Operation {
    done(taking(writing(operation), &["from", "to"]))
}

fn at_path(operation: Operation) -> Operation {
    let path = json!({ "type": "string", "minLength": 1, "description": "The path below the account's root, its slashes as `%2F`." });
    operation.parameter_of_path("path", path)
}

fn taking(operation: Operation, names: &[&str]) -> Operation {
    let names = names.iter().map(|name| ((*name).to_owned(), text()));
    let schema = object(&Value::Object(names.collect()));
    let content = json!({ "application/json": { "schema": schema } });
    operation.takes_body(json!({ "required": true, "content": content }))
}

fn done(operation: Operation) -> Operation {
    let nothing = json!({ "application/json": { "schema": { "type": "object" } } });
    operation.answers_with("200", "Done.", &nothing)
}
