//! `POST /webhook/test`: a real request, signed with the current secrets.

use std::time::Duration;

use causeway::crypto::{Hash, hmac};
use causeway::flows::base::records::WebhookRecord;
use causeway::flows::events::send_webhook::send_webhook;
use causeway::flows::messages::environment::EnvironmentMessage;
use causeway::ports::{Body, Reply, SendError};
use data_encoding::BASE64;
use futures::executor::block_on;
use serde_json::{Value, json};

use crate::cases::each_case;
use crate::client::id_of;
use crate::outside::{Pieces, Sent, World, reply, streamed};
use crate::subscriptions::{Subscriber, TARGET};

/// As the libraries of Standard Webhooks verify it.
pub fn is_signed_by(sent: &Sent, secret: &Value) -> bool {
    let key = secret.as_str().unwrap().strip_prefix("whsec_").unwrap();
    let key = BASE64.decode(key.as_bytes()).unwrap();
    let id = sent.header("webhook-id").unwrap();
    let time = sent.header("webhook-timestamp").unwrap();
    let content = [id.as_bytes(), time.as_bytes(), &sent.body].join(&b'.');
    let expected = format!("v1,{}", BASE64.encode(&hmac(Hash::Sha256, &key, &content)));
    let signatures = sent.header("webhook-signature").unwrap();
    signatures.split(' ').any(|one| one == expected)
}

fn test(subscriber: &Subscriber, id: &str) -> (Value, Sent) {
    let body = json!({ "id": id });
    let answer = subscriber.client.post("/webhook/test", &body).expect(200);
    let sent = subscriber.world.sent();
    assert_eq!(sent.len(), 1);
    (answer, sent[0].clone())
}

#[test]
fn a_test_is_a_signed_request_like_any_delivery() {
    let subscriber = Subscriber::new();
    let made = subscriber.subscribe();
    subscriber.world.answers(204, &[], "");
    let (answer, sent) = test(&subscriber, &id_of(&made));
    assert_eq!(answer, json!({ "status": 204, "duration_ms": 0 }));
    assert_eq!((sent.method.as_str(), sent.url.as_str()), ("POST", TARGET));
    let id = sent.header("webhook-id").unwrap();
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    let expected = json!({
        "id": id,
        "event": "webhook:test",
        "payload": {},
        "environment_id": subscriber.environment,
        "integrated_account_id": null,
        "created_at": "2023-11-14T22:13:20.000Z",
        "webhook_id": made["id"],
        "is_test": true,
    });
    assert_eq!(body, expected);
    assert!(id.starts_with("evt_test_"), "{id}");
    assert_eq!(sent.header("webhook-timestamp"), Some("1700000000"));
    assert_eq!(sent.header("content-type"), Some("application/json"));
    let agent = concat!("causeway/", env!("CARGO_PKG_VERSION"));
    assert_eq!(sent.header("user-agent"), Some(agent));
    let mark = sent.header("x-causeway-delivery").unwrap();
    assert_eq!(mark.len(), 32, "by which we know our own");
    assert_eq!(sent.headers.len(), 6, "and nothing else goes out");
    assert!(is_signed_by(&sent, &made["secret"]));
}

#[test]
fn it_bears_the_event_it_is_asked_for() {
    let subscriber = Subscriber::new();
    let id = id_of(&subscriber.subscribe());
    subscriber.world.answers(200, &[], "");
    let body = json!({ "id": id, "event_type": "record:created" });
    subscriber.client.post("/webhook/test", &body).expect(200);
    let sent: Value = serde_json::from_slice(&subscriber.world.sent()[0].body).unwrap();
    assert_eq!(sent["event"], "record:created");
    each_case(["", "a\nb", &"a".repeat(256)], |wrong| {
        let body = json!({ "id": id, "event_type": wrong });
        let refused = subscriber.client.post("/webhook/test", &body);
        assert_eq!(refused.code(422), "caller.invalid", "{wrong:?}");
    });
}

#[test]
fn for_a_day_after_a_rotation_both_secrets_sign() {
    let subscriber = Subscriber::new();
    let made = subscriber.subscribe();
    let id = id_of(&made);
    let rotate = || {
        let path = format!("/webhook/{id}/rotate-secret");
        subscriber.client.post(&path, &json!({})).expect(200)
    };
    let rotated = rotate();
    let (old, new) = (&made["secret"], &rotated["secret"]);
    let expected = json!({ "id": id, "secret": new, "previous_secret_expires_at": "2023-11-15T22:13:20.000Z" });
    assert_eq!(rotated, expected);
    assert_ne!(old, new);
    let signed_by = |secrets: &[&Value]| -> Vec<bool> {
        subscriber.world.answers(200, &[], "");
        let (_, sent) = test(&subscriber, &id);
        secrets
            .iter()
            .map(|secret| is_signed_by(&sent, secret))
            .collect()
    };
    assert_eq!(signed_by(&[old, new]), [true, true]);
    subscriber
        .world
        .pass(Duration::from_hours(24) - Duration::from_millis(1));
    assert_eq!(signed_by(&[old, new]), [true, true]);
    subscriber.world.pass(Duration::from_millis(1));
    assert_eq!(signed_by(&[old, new]), [false, true]);
    rotate();
    let again = rotate();
    assert_eq!(
        signed_by(&[old, new, &again["secret"]]),
        [false, false, true],
        "only one before it signs, too"
    );
    let shown = subscriber.client.get(&format!("/webhook/{id}")).expect(200);
    assert!(!shown.to_string().contains("whsec_"));
}

#[test]
fn whatever_the_receiver_answers_is_told_and_no_redirect_followed() {
    let subscriber = Subscriber::new();
    let id = id_of(&subscriber.subscribe());
    let elsewhere = [("location", "https://evil.example/")];
    each_case(
        [(500, &[][..]), (301, &elsewhere), (410, &[])],
        |(status, headers)| {
            subscriber.world.answers(status, headers, "unread");
            let (answer, _) = test(&subscriber, &id);
            assert_eq!(answer, json!({ "status": status, "duration_ms": 0 }));
        },
    );
    let endless = streamed(&vec![&b"x"[..]; 10_000], None);
    subscriber.world.answers_with(reply(200, &[], endless));
    assert_eq!(test(&subscriber, &id).0["status"], 200);
}

#[test]
fn no_answer_is_told_with_its_reason() {
    let subscriber = Subscriber::new();
    let id = id_of(&subscriber.subscribe());
    subscriber.world.fails(SendError::Unreachable);
    let (answer, _) = test(&subscriber, &id);
    let expected =
        json!({ "status": null, "duration_ms": 0, "error": "the receiver could not be reached" });
    assert_eq!(answer, expected);
    subscriber.world.answers_at(1_700_000_060_000, 200, "late");
    let body = Body::from_bytes(json!({ "id": id }).to_string());
    let late = subscriber
        .client
        .request_async("POST", "/webhook/test", &[], body);
    let late = block_on(subscriber.world.run_passing(late));
    let expected = json!({ "status": null, "duration_ms": 15_000, "error": "the receiver did not answer in time" });
    assert_eq!(late.expect(200), expected);
}

#[test]
fn the_address_is_looked_at_again_when_something_is_sent() {
    let open = World::with(&[("ALLOW_PRIVATE_UPSTREAMS", "true")]);
    let subscriber = Subscriber::of(&open);
    let body = json!({ "target_url": "http://127.0.0.1:9000/" });
    let made = subscriber.client.post("/webhook", &body).expect(201);
    let closed = open.deployed_with(&[]);
    let client = crate::client::Client {
        world: closed.clone(),
        ..subscriber.client
    };
    let body = json!({ "id": made["id"] });
    let answer = client.post("/webhook/test", &body).expect(200);
    assert_eq!(answer["status"], Value::Null);
    assert_eq!(answer["error"], "requests go out over https only");
    assert_eq!(closed.sent().len(), 0);
}

#[test]
fn a_paused_subscription_can_be_tested() {
    let subscriber = Subscriber::new();
    let id = id_of(&subscriber.subscribe());
    subscriber.change(&id, &json!({ "is_active": false }));
    subscriber.world.answers(200, &[], "");
    assert_eq!(test(&subscriber, &id).0["status"], 200);
}

#[test]
fn a_try_keeps_the_start_of_the_answer_and_how_long_to_wait() {
    let subscriber = Subscriber::new();
    let id = id_of(&subscriber.subscribe()).parse().unwrap();
    let webhook: Option<WebhookRecord> = subscriber.ask(&EnvironmentMessage::FindWebhook(id));
    let webhook = webhook.unwrap();
    let world = &subscriber.world;
    let tried = |answer: Reply<Pieces>| {
        world.answers_with(answer);
        let sending = send_webhook(world, &webhook, "evt_1", "{}".to_owned());
        let tried = block_on(world.run(sending)).unwrap();
        assert_eq!(world.sent()[0].header("webhook-id"), Some("evt_1"));
        tried
    };
    let long = streamed(&[b"a", &[b'b'; 4_094], "\u{e4}bc".as_bytes()], None);
    let busy = tried(reply(503, &[("retry-after", "90")], long));
    assert_eq!(busy.retry_after, Some(Duration::from_secs(90)));
    assert!(!busy.is_delivered());
    let kept = busy.body.unwrap();
    assert_eq!(
        kept,
        format!("a{}\u{fffd}", "b".repeat(4_094)),
        "4 KB, cut as text"
    );
    let whole = tried(reply(200, &[], Body::from_bytes("x".repeat(5_000))));
    assert_eq!(whole.body.as_ref().map(String::len), Some(4_096));
    assert!(whole.is_delivered());
    let empty = tried(reply(204, &[], Body::Empty));
    assert_eq!((empty.body, empty.retry_after), (None, None));
}
