//! Subscriptions to events.

use serde_json::{Value, json};

use super::operation::{Group, Operation};
use super::shapes::{Shapes, count, flag, object, text, time_or_null, uuid, with};
use crate::api::admin::webhook::{Change, FIELDS, Named, New};
use crate::api::admin::webhook_test::Test;
use crate::flows::base::records::WebhookRecord;

const ALL: &str = "/webhook";
const ONE: &str = "/webhook/{id}";
const SHOWN: [&str; 8] = [
    "id",
    "environment_id",
    "target_url",
    "event_types",
    "paused_at",
    "failing_since",
    "created_at",
    "updated_at",
];

pub(super) fn group(shapes: &mut Shapes) -> Group {
    let shown = shapes.picked::<WebhookRecord>(&SHOWN);
    let shown = with(&shown, &json!({ "is_active": flag() }));
    let made = with(&shown, &json!({ "secret": text() }));
    let (shown, made) = (
        shapes.name("Webhook", shown),
        shapes.name("MadeWebhook", made),
    );
    let of = |method, path, id, summary| Operation::new(method, path, id, summary).in_environment();
    Group {
        tag: "webhook",
        about: "Subscriptions: where events are delivered, signed as Standard Webhooks says.",
        operations: vec![
            of("GET", ALL, "listWebhooks", "Lists subscriptions").lists(&FIELDS, &shown),
            of("POST", ALL, "createWebhook", "Subscribes to events")
                .takes(&shapes.asked::<New>())
                .answers("201", "The subscription, with its secret.", &made)
                .refuses(&[409]),
            of("GET", ONE, "getWebhook", "Shows a subscription").answers(
                "200",
                "The subscription.",
                &shown,
            ),
            of(
                "PATCH",
                ONE,
                "changeWebhook",
                "Changes, pauses or resumes a subscription",
            )
            .takes(&shapes.asked::<Change>())
            .answers("200", "The subscription.", &shown),
            of("DELETE", ONE, "deleteWebhook", "Ends a subscription").deletes(&uuid()),
            of(
                "POST",
                "/webhook/{id}/rotate-secret",
                "rotateWebhookSecret",
                "Makes a new secret",
            )
            .may_take(&shapes.asked::<Option<Named>>())
            .answers("200", "The old one signs, too, for a day.", &rotated()),
            of(
                "POST",
                "/webhook/test",
                "testWebhook",
                "Sends one signed request now",
            )
            .takes(&shapes.asked::<Test>())
            .answers("200", "What came back.", &tried()),
        ],
    }
}

fn rotated() -> Value {
    object(&json!({ "id": uuid(), "secret": text(), "previous_secret_expires_at": time_or_null() }))
}

fn tried() -> Value {
    let status = json!({ "type": ["integer", "null"], "description": "Null: no answer." });
    json!({
        "type": "object",
        "properties": { "status": status, "duration_ms": count(), "error": text() },
        "required": ["status", "duration_ms"],
    })
}
