//! What several operations share: the tokens, the one error envelope, a response for each status of the codes.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::operation::{LIMITS, REPLAYED, add_fields, header};
use super::shapes::Shapes;
use crate::error::Code;
use crate::flows::base::reply::Envelope;

pub(super) fn components(mut shapes: Shapes) -> Value {
    shapes.answered::<Envelope<'_>>();
    json!({
        "schemas": shapes.into_named(),
        "responses": responses(),
        "headers": headers(),
        "securitySchemes": {
            "adminToken": bearer("`ADMIN_TOKEN`, a secret of the Worker: everything, in every environment."),
            "apiToken": bearer("A token of one environment with scopes; the scope `admin` includes all of them."),
            "accountToken": bearer("A token of one account, for 15 minutes."),
        },
    })
}

fn headers() -> Value {
    let seconds = json!({ "type": "integer", "minimum": 0 });
    let field = |about: &str, schema: &Value| json!({ "description": about, "schema": schema });
    json!({
        "RequestId": { "description": "Names the request in the log.", "required": true, "schema": { "type": "string" } },
        "RetryAfter": field("Seconds to wait before trying again.", &seconds),
        "RateLimitLimit": field("Requests that the provider accepts in a window, where it is known.", &seconds),
        "RateLimitRemaining": field("Requests that are left in this window, where it is known.", &seconds),
        "RateLimitReset": field("Seconds until the next window, where it is known.", &seconds),
        "IdempotencyReplayed": field("The write was made before, under this `Idempotency-Key`: this is what was answered then.", &json!({ "const": "true" })),
    })
}

fn bearer(about: &str) -> Value {
    json!({ "type": "http", "scheme": "bearer", "description": about })
}

/// `Status404` and its like, and what also a provider may have said.
fn responses() -> Value {
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in Code::ALL {
        by_status.entry(code.status()).or_default().push(*code);
    }
    let by_us = by_status
        .iter()
        .map(|(status, codes)| (format!("Status{status}"), response(*status, codes)));
    let mut responses: Map<String, Value> = by_us.collect();
    let envelope = json!({ "$ref": "#/components/schemas/Error" });
    let refused = "Refused, by us or by the provider (`is_remote_error`), whose status is kept.";
    let failed = "Failed, here or at the provider (`is_remote_error`), whose status is kept.";
    for (name, about) in [("Refused", refused), ("Failed", failed)] {
        let mut answer = envelope_of(about, &envelope);
        responses.insert(name.to_owned(), answer.clone());
        add_fields(&mut answer, &LIMITS);
        add_fields(&mut answer, &[REPLAYED]);
        responses.insert(format!("Call{name}"), answer);
    }
    Value::Object(responses)
}

fn response(status: u16, codes: &[Code]) -> Value {
    let reason = StatusCode::from_u16(status).ok();
    let reason = reason.and_then(|status| status.canonical_reason());
    let lines = codes
        .iter()
        .map(|code| format!("- `{}`: {}", code.as_str(), code.meaning()));
    let lines: Vec<String> = lines.collect();
    let about = format!("{}.\n\n{}", reason.unwrap_or("Error"), lines.join("\n"));
    let schema = json!({
        "$ref": "#/components/schemas/Error",
        "properties": { "statusCode": { "const": status }, "code": { "enum": codes } },
    });
    envelope_of(&about, &schema)
}

fn envelope_of(about: &str, schema: &Value) -> Value {
    json!({
        "description": about,
        "headers": {
            "x-request-id": header("RequestId"),
            "retry-after": header("RetryAfter"),
        },
        "content": { "application/json": { "schema": schema } },
    })
}
