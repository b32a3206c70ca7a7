//! `/event`: an account's events from its object, an environment's failed ones from its directory, and
//! delivering them again.

use std::time::Duration;

use causeway::error::{Code, Failure};
use causeway::flows::base::records::FailedEvent;
use causeway::flows::messages::environment::EnvironmentMessage;
use causeway::ids::{EventId, WebhookId};
use causeway::ports::{ObjectName, System};
use causeway::time::Timestamp;
use serde_json::{Value, json};

use crate::cases::each_case;
use crate::client::Answer;
use crate::subscriptions::Subscriber;
use crate::subscriptions_failing::account;

const RANGE: &str = r#"{"from":"2023-11-14T00:00:00Z","to":"2023-11-15T00:00:00Z"}"#;

fn event(owner: u8, number: u8) -> EventId {
    EventId::new(account(owner), [number; 8])
}

fn webhook(number: u8) -> WebhookId {
    WebhookId::new(Timestamp::from_millis(1_700_000_000_000), [number; 10])
}

fn fails(subscriber: &Subscriber, events: &[(EventId, &str, &[WebhookId])]) {
    let failed = |(id, event, webhooks): &(EventId, &str, &[WebhookId])| FailedEvent {
        id: *id,
        event: (*event).to_owned(),
        webhook_ids: webhooks.to_vec(),
        created_at: subscriber.world.now(),
    };
    let events = events.iter().map(failed).collect();
    subscriber.ask::<()>(&EnvironmentMessage::NoteFailed(events));
}

/// Three events, a second apart; the last two at the same time.
fn with_three() -> Subscriber {
    let subscriber = Subscriber::new();
    let both = [webhook(1), webhook(2)];
    fails(&subscriber, &[(event(1, 1), "record:created", &both)]);
    subscriber.world.pass(Duration::from_secs(1));
    let later: [(EventId, &str, &[WebhookId]); 2] = [
        (event(2, 2), "record:created", &both[1..]),
        (event(2, 3), "webhook:received", &[]),
    ];
    fails(&subscriber, &later);
    subscriber
}

fn ids(answer: Answer) -> Vec<String> {
    let list = answer.expect(200);
    let events = list["result"].as_array().unwrap().iter();
    events
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect()
}

fn names(events: &[EventId]) -> Vec<String> {
    events.iter().map(ToString::to_string).collect()
}

#[test]
fn an_environment_lists_what_failed_newest_first() {
    let subscriber = with_three();
    let list = subscriber.client.get("/event?status=failed").expect(200);
    let expected = json!({
        "id": event(1, 1),
        "event": "record:created",
        "status": "failed",
        "environment_id": subscriber.environment,
        "integrated_account_id": account(1),
        "webhook_ids": [webhook(1), webhook(2)],
        "created_at": "2023-11-14T22:13:20.000Z",
    });
    assert_eq!(list["result"][2], expected);
    assert_eq!(list["next_cursor"], Value::Null);
    let all = [event(2, 3), event(2, 2), event(1, 1)];
    let cases = [
        ("", &all[..]),
        ("event=record:created", &all[1..]),
        (&format!("webhook_id={}", webhook(1)), &all[2..]),
        (&format!("webhook_id={}", webhook(2)), &all[1..]),
        (&format!("webhook_id={}", webhook(3)), &[]),
        ("created_at[gt]=2023-11-14T22:13:20Z", &all[..2]),
        ("created_at[lte]=2023-11-14T22:13:20Z", &all[2..]),
    ];
    each_case(cases, |(query, expected)| {
        let answer = subscriber.client.get(&format!("/event?{query}"));
        assert_eq!(ids(answer), names(expected), "{query}");
    });
}

#[test]
fn a_cursor_goes_on_where_it_was_also_when_that_event_is_gone() {
    let subscriber = with_three();
    let first = subscriber.client.get("/event?limit=1").expect(200);
    assert_eq!(first["result"][0]["id"], event(2, 3).to_string());
    subscriber.ask::<()>(&EnvironmentMessage::ForgetFailed(vec![event(2, 3)]));
    let cursor = first["next_cursor"].as_str().unwrap();
    let next = subscriber
        .client
        .get(&format!("/event?limit=2&next_cursor={cursor}"));
    assert_eq!(ids(next), names(&[event(2, 2), event(1, 1)]));
    each_case(["MDE4YmNmZTU", "Jw", "x"], |foreign| {
        let answer = subscriber
            .client
            .get(&format!("/event?next_cursor={foreign}"));
        assert_eq!(answer.code(400), "caller.malformed", "{foreign}");
    });
}

#[test]
fn noting_twice_is_noting_once_and_after_thirty_days_it_is_over() {
    let subscriber = with_three();
    fails(&subscriber, &[(event(2, 3), "renamed", &[webhook(1)])]);
    let list = subscriber.client.get("/event").expect(200);
    assert_eq!(list["result"].as_array().unwrap().len(), 3);
    assert_eq!(list["result"][0]["event"], "renamed");
    subscriber.world.pass(Duration::from_hours(30 * 24));
    let none: [String; 0] = [];
    assert_eq!(ids(subscriber.client.get("/event")), none);
    fails(&subscriber, &[(event(1, 9), "new", &[])]);
    let rows = subscriber
        .world
        .rows(subscriber.directory(), "SELECT 1 FROM failed_event");
    assert_eq!(rows, 1);
}

#[test]
fn of_a_whole_environment_only_failed_events_are_known() {
    let subscriber = with_three();
    let client = &subscriber.client;
    each_case(["pending", "delivered", "lost"], |status| {
        let answer = client.get(&format!("/event?status={status}"));
        assert_eq!(answer.code(422), "caller.invalid", "{status}");
    });
    let mut body: Value = serde_json::from_str(RANGE).unwrap();
    body["status"] = json!("delivered");
    assert_eq!(
        client.post("/event/replay", &body).code(422),
        "caller.invalid"
    );
    let admin = &subscriber.admin;
    assert_eq!(admin.get("/event").code(422), "caller.invalid");
    let own = format!("/event?environment_id={}", subscriber.environment);
    assert_eq!(ids(admin.get(&own)).len(), 3);
    let other = admin.environment("other");
    let stranger = admin.token_of(&other, None);
    assert_eq!(ids(stranger.get("/event")), names(&[]));
    assert_eq!(stranger.get(&own).code(404), "caller.not_found");
}

#[test]
fn an_accounts_events_come_from_its_object() {
    let subscriber = Subscriber::new();
    let shown = json!({
        "id": event(1, 1), "event": "record:created", "status": "delivered", "resource_type": "contact", "resource_id": "7",
        "environment_id": subscriber.environment, "integrated_account_id": account(1), "last_error": null, "created_at": "2023-11-14T22:13:20.000Z",
    });
    let page = json!({ "result": [shown], "next_cursor": "1700000000000.7" });
    subscriber
        .world
        .object_answers(ObjectName::Account(account(1)), &Ok(page));
    let path = format!(
        "/event?integrated_account_id={}&limit=1&status=delivered",
        account(1)
    );
    let list = subscriber.client.get(&path).expect(200);
    assert_eq!(list["result"], json!([shown]));
    let sees = json!({ "environment": subscriber.environment });
    let filter = json!({ "field": "status", "comparison": "is", "value": "delivered" });
    let asked = |after: Value| json!({ "list_events": [sees, { "limit": 1, "after": after, "filters": [filter] }] });
    assert_eq!(
        subscriber.world.intercepted_messages()[0].1,
        asked(Value::Null)
    );
    let rest = json!({ "result": [], "next_cursor": null });
    subscriber
        .world
        .object_answers(ObjectName::Account(account(1)), &Ok(rest));
    let next = format!(
        "{path}&next_cursor={}",
        list["next_cursor"].as_str().unwrap()
    );
    subscriber.client.get(&next).expect(200);
    assert_eq!(
        subscriber.world.intercepted_messages()[0].1,
        asked(json!("1700000000000.7"))
    );
    let narrowed = format!("{path}&webhook_id={}", webhook(1));
    assert_eq!(subscriber.client.get(&narrowed).code(422), "caller.invalid");
    let anonymous = subscriber.client.get("/event?integrated_account_id=x");
    assert_eq!(anonymous.code(404), "caller.not_found");
}

#[test]
fn the_payload_of_an_event_goes_out_as_it_came() {
    let subscriber = Subscriber::new();
    let payload = r#"{"id":12345678901234567890123, "price":1.10,"z":1,"a":2}"#;
    let detail = json!({
        "event": {
            "id": event(1, 1), "event": "record:created", "status": "failed", "resource_type": null, "resource_id": null,
            "environment_id": subscriber.environment, "integrated_account_id": account(1), "last_error": null, "created_at": "2023-11-14T22:13:20.000Z",
        },
        "payload": payload,
        "deliveries": [{ "webhook_id": webhook(1), "status": "failed", "attempts": 10, "next_attempt_at": null }],
        "attempts": [{ "webhook_id": webhook(1), "number": 1, "status": null, "duration_ms": 15_000, "body": null, "error": "e", "created_at": "2023-11-14T22:13:20.000Z" }],
    });
    let object = ObjectName::Account(account(1));
    subscriber.world.object_answers(object, &Ok(detail.clone()));
    let path = format!("/event/{}", event(1, 1));
    let answer = subscriber.client.get(&path);
    assert!(
        answer.text().contains(&format!(r#""payload":{payload},"#)),
        "{}",
        answer.text()
    );
    let shown = answer.expect(200);
    assert_eq!(shown["id"], detail["event"]["id"]);
    assert_eq!(shown["created_at"], detail["event"]["created_at"]);
    assert_eq!(shown["deliveries"], detail["deliveries"]);
    assert_eq!(shown["attempts"], detail["attempts"]);
    assert_eq!(shown.as_object().unwrap().len(), 12);
    let asked = json!({ "get_event": [{ "environment": subscriber.environment }, event(1, 1)] });
    assert_eq!(subscriber.world.intercepted_messages(), [(object, asked)]);
}

#[test]
fn one_event_is_replayed_and_a_hidden_one_is_none() {
    let subscriber = Subscriber::new();
    let object = ObjectName::Account(account(1));
    let path = format!("/event/{}", event(1, 1));
    let replay = || {
        subscriber
            .client
            .post(&format!("{path}/replay"), &json!({}))
    };
    subscriber.world.object_answers(object, &Ok(Value::Null));
    assert_eq!(replay().expect(200), json!({ "id": event(1, 1) }));
    let asked = json!({ "replay": [{ "environment": subscriber.environment }, event(1, 1)] });
    assert_eq!(subscriber.world.intercepted_messages(), [(object, asked)]);
    let words = "There is no such event, or this token cannot see it.";
    let hidden = || {
        let answer = Failure::not_found("integrated account");
        subscriber.world.object_answers(object, &Err(answer));
    };
    hidden();
    assert_eq!(replay().expect(404)["message"], words);
    hidden();
    assert_eq!(subscriber.client.get(&path).expect(404)["message"], words);
    each_case(["x", "evt_x", &account(1).to_string()], |id| {
        let answer = subscriber.client.get(&format!("/event/{id}"));
        assert_eq!(answer.code(404), "caller.not_found");
    });
}

#[test]
fn a_replay_of_an_environment_asks_each_account_and_sums() {
    let subscriber = with_three();
    let world = &subscriber.world;
    let says = |owner, answer| world.object_answers(ObjectName::Account(account(owner)), &answer);
    let body: Value = serde_json::from_str(RANGE).unwrap();
    let replay = |body: &Value| subscriber.client.post("/event/replay", body);
    says(1, Ok(json!(1)));
    says(2, Ok(json!(2)));
    assert_eq!(replay(&body).expect(200), json!({ "replayed": 3 }));
    let range = json!({ "webhook_id": null, "status": "failed", "from": "2023-11-14T00:00:00.000Z", "to": "2023-11-15T00:00:00.000Z" });
    let asked = json!({ "replay_all": [{ "environment": subscriber.environment }, range] });
    let messages = world.intercepted_messages();
    assert_eq!(messages.len(), 2);
    assert!(messages.iter().all(|(_, message)| *message == asked));
    says(1, Err(Failure::new(Code::NotFound, "gone")));
    says(2, Ok(json!(2)));
    assert_eq!(replay(&body).expect(200), json!({ "replayed": 2 }));
    says(1, Err(Failure::storage()));
    says(2, Ok(json!(2)));
    let failed = replay(&body).expect(503);
    assert_eq!(failed["details"], json!({ "replayed": 2 }));
    world.intercepted_messages();
    says(1, Ok(json!(1)));
    let narrowed = json!({ "from": body["from"], "to": body["to"], "webhook_id": webhook(1) });
    assert_eq!(replay(&narrowed).expect(200), json!({ "replayed": 1 }));
    let early = json!({ "from": "2023-01-01T00:00:00Z", "to": "2023-11-14T22:13:19.999Z" });
    assert_eq!(replay(&early).expect(200), json!({ "replayed": 0 }));
    assert_eq!(world.intercepted_messages().len(), 1);
}

#[test]
fn a_replay_of_one_account_needs_a_range() {
    let subscriber = Subscriber::new();
    let replay = |body: &Value| subscriber.client.post("/event/replay", body);
    let mut body: Value = serde_json::from_str(RANGE).unwrap();
    body["integrated_account_id"] = json!(account(1));
    body["status"] = json!("delivered");
    let object = ObjectName::Account(account(1));
    subscriber.world.object_answers(object, &Ok(json!(4)));
    assert_eq!(replay(&body).expect(200), json!({ "replayed": 4 }));
    assert_eq!(
        subscriber.world.intercepted_messages()[0].1["replay_all"][1]["status"],
        "delivered"
    );
    let cases = [
        ("from", Value::Null),
        ("to", json!("2023-01-01T00:00:00Z")),
        ("status", json!("lost")),
        ("surprise", json!(1)),
    ];
    each_case(cases, |(key, wrong)| {
        let mut body = body.clone();
        body[key] = wrong;
        assert_eq!(replay(&body).code(422), "caller.invalid", "{key}");
    });
    assert_eq!(replay(&json!({})).code(422), "caller.invalid");
}
