//! What can be asked of an integration, and of an account of it.

use serde_json::{Value, json};

use super::operation::Operation;
use super::shapes::{Shapes, flag, list_of, object, text, uuid, with};
use crate::account::Status;

pub(super) fn of_integration(shapes: &mut Shapes) -> Operation {
    let method = shapes.name("MethodCapability", method());
    let schema = object(&json!({ "integration": integration(), "resources": resources(&method) }));
    let path = "/integration/{id}/capabilities";
    let id = "getIntegrationCapabilities";
    let word = json!({ "type": "string", "minLength": 1, "description": "Its id or its name." });
    Operation::new("GET", path, id, "Says what can be asked of an integration")
        .word("id", word)
        .answers("200", "Its resources and their methods.", &schema)
}

pub(super) fn of_account(shapes: &mut Shapes) -> Operation {
    let allowed = json!({
        "missing_scopes": scopes_or_null("Those that were not granted; null where nobody said what was."),
        "is_allowed": { "type": ["boolean", "null"], "description": "Null where nobody can say." },
    });
    let method = shapes.name("AccountMethodCapability", with(&method(), &allowed));
    let schema = object(&json!({
        "id": uuid(),
        "integration": integration(),
        "status": shapes.answered::<Status>(),
        "is_sandbox": flag(),
        "granted_scopes": scopes_or_null("As its token says; null where it does not."),
        "resources": resources(&method),
    }));
    let path = "/integrated-account/{id}/capabilities";
    let id = "getAccountCapabilities";
    Operation::new("GET", path, id, "Says what can be asked of an account")
        .in_environment()
        .answers("200", "Its resources and their methods.", &schema)
}

fn integration() -> Value {
    object(&json!({ "id": uuid(), "name": text(), "category": text_or_null(), "is_beta": flag() }))
}

fn resources(method: &Value) -> Value {
    let methods = json!({ "type": "object", "additionalProperties": method });
    let resource = object(&json!({ "methods": methods, "tool_tags": list_of(&text()) }));
    json!({ "type": "object", "additionalProperties": resource })
}

fn method() -> Value {
    object(&json!({
        "method": { "type": "string", "description": "The provider's verb." },
        "path": text(),
        "is_write": flag(),
        "scopes": list_of(&text()),
        "description": text_or_null(),
        "api_documentation_url": text_or_null(),
    }))
}

fn text_or_null() -> Value {
    json!({ "type": ["string", "null"] })
}

fn scopes_or_null(about: &str) -> Value {
    json!({ "type": ["array", "null"], "items": text(), "description": about })
}
