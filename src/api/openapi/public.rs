//! What is open to everybody.

use serde_json::json;

use super::operation::{Group, Operation};
use super::shapes::{list_of, object, text};

pub(super) fn group() -> Group {
    let error =
        json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } });
    let elsewhere = "Over plain http, or under a name the gateway does not know for its own.";
    let open = |path, id, summary| Operation::new("GET", path, id, summary).answers_no_more();
    let get = |path, id, summary| open(path, id, summary).answers_with("403", elsewhere, &error);
    let health = object(&json!({
        "status": { "enum": ["ok", "misconfigured"] },
        "version": text(),
        "problems": list_of(&text()),
    }));
    let any = json!({ "type": "object" });
    let page = json!({ "text/html": { "schema": text() } });
    let schema = json!({ "application/schema+json": { "schema": any } });
    Group {
        tag: "gateway",
        about: "The gateway itself. Open to everybody. HEAD answers as GET does, without the body.",
        operations: vec![
            get("/", "showHome", "Shows a page with links to what is here").answers_with(
                "200",
                "The page.",
                &page,
            ),
            open("/health", "getHealth", "Says whether the gateway can work")
                .answers("200", "It can.", &health)
                .answers(
                    "503",
                    "A setting is missing, or cannot be read; `problems` names it.",
                    &health,
                ),
            get("/openapi.json", "getOpenApi", "Gives this document").answers(
                "200",
                "The API as OpenAPI 3.1.",
                &any,
            ),
            get(
                "/integration.schema.json",
                "getIntegrationSchema",
                "Gives the JSON Schema of integration files",
            )
            .answers_with("200", "The schema, for editors.", &schema),
        ],
    }
}
