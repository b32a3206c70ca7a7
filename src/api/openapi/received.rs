//! What providers send.

use serde_json::{Value, json};

use super::operation::{Group, Operation};
use super::shapes::{Shapes, count, list_of, object};
use crate::ids::EventId;

pub(super) fn group(shapes: &mut Shapes) -> Group {
    let id = shapes.answered::<EventId>();
    let ids = list_of(&id);
    let stored = json!([object(&json!({ "id": id })), object(&json!({ "ids": ids }))]);
    let matched = json!([object(&json!({ "matched": count(), "ids": ids }))]);
    let account = "/integrated-account-webhook/{id}";
    let install = "/environment-integration-webhook/{id}";
    let (of_account, of_install) = (
        "Takes a webhook of one account",
        "Takes a webhook of all accounts of an install",
    );
    Group {
        tag: "received",
        about: "Where providers send to. The signature is the proof, as the integration says. Nothing is answered before it is stored.",
        operations: vec![
            receiving("POST", account, "receiveForAccount", of_account, &stored),
            receiving("GET", account, "shakeHandsForAccount", HANDSHAKE, &stored),
            receiving("POST", install, "receiveForInstall", of_install, &matched),
            receiving("GET", install, "shakeHandsForInstall", HANDSHAKE, &matched),
        ],
    }
}

const HANDSHAKE: &str = "Answers a provider's handshake that comes by GET";

/// A handshake's answer is the integration's: its status and shape are not ours.
fn receiving(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    ours: &Value,
) -> Operation {
    let about = "Stored; or the handshake's own answer.";
    let schema =
        json!({ "anyOf": [{ "title": "stored", "anyOf": ours }, { "title": "handshake" }] });
    let content = json!({ "application/json": { "schema": schema }, "*/*": {} });
    let body = json!({ "content": { "application/json": {}, "application/octet-stream": {} } });
    let end = json!({ "type": "string", "minLength": 1, "description": "The end of the `webhook_url` that the account or the install shows." });
    let operation = Operation::new(method, path, id, summary)
        .word("id", end)
        .answers_with("2XX", about, &content)
        .answers_with("204", "A handshake's own answer.", &json!({}))
        .asks_provider();
    if method == "POST" {
        operation.takes_body(body)
    } else {
        operation
    }
}
