//! What happened to accounts.

use serde_json::{Value, json};

use super::operation::{Group, Operation};
use super::shapes::{Shapes, count, list_of, object, uuid, with};
use crate::api::admin::event::{FIELDS, Replays};
use crate::flows::base::records::FailedEvent;
use crate::flows::messages::event::{AttemptView, DeliveryView, EventStatus, EventView};
use crate::ids::EventId;

const ONE: &str = "/event/{id}";
const REPLAY: &str = "/event/{id}/replay";

pub(super) fn group(shapes: &mut Shapes) -> Group {
    let event = shapes.whole::<EventView>();
    let whole = whole(shapes, &event);
    let event = shapes.name("Event", event);
    let listed = json!({ "anyOf": [event, failed(shapes)] });
    let id = shapes.answered::<EventId>();
    let replayed = object(&json!({ "replayed": count() }));
    let of = |method, path, name, summary| {
        Operation::new(method, path, name, summary)
            .word("id", id.clone())
            .in_environment()
    };
    let account = "Its events; without it, the failed ones of the environment.";
    Group {
        tag: "event",
        about: "What happened to accounts, and delivering it again. Newest first.",
        operations: vec![
            of("GET", "/event", "listEvents", "Lists events")
                .query("integrated_account_id", account, &uuid())
                .lists(&FIELDS, &listed),
            of(
                "POST",
                "/event/replay",
                "replayEvents",
                "Delivers all events of a range again",
            )
            .takes(&shapes.asked::<Replays>())
            .answers("200", "How many.", &replayed),
            of("GET", ONE, "getEvent", "Shows an event and its deliveries").answers(
                "200",
                "The event.",
                &whole,
            ),
            of("POST", REPLAY, "replayEvent", "Delivers an event again")
                .answers("200", "It will be.", &object(&json!({ "id": id })))
                .refuses(&[409]),
        ],
    }
}

fn whole(shapes: &mut Shapes, event: &Value) -> Value {
    let deliveries = list_of(&shapes.answered::<DeliveryView>());
    let attempts = list_of(&shapes.answered::<AttemptView>());
    let payload = json!({ "description": "What is delivered." });
    let more = json!({ "payload": payload, "deliveries": deliveries, "attempts": attempts });
    shapes.name("WholeEvent", with(event, &more))
}

/// What the index of an environment knows.
fn failed(shapes: &mut Shapes) -> Value {
    let known = shapes.picked::<FailedEvent>(&["id", "event", "webhook_ids", "created_at"]);
    let status = shapes.answered::<EventStatus>();
    let more =
        json!({ "status": status, "environment_id": uuid(), "integrated_account_id": uuid() });
    shapes.name("FailedEvent", with(&known, &more))
}
