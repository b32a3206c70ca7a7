//! Subscriptions to events: made, shown, changed, rotated, gone; what is wrong with one is said.

use std::time::Duration;

use causeway::flows::base::records::WebhookRecord;
use causeway::flows::messages::environment::EnvironmentMessage;
use causeway::flows::messages::send_to_environment;
use causeway::ids::EnvironmentId;
use causeway::ports::ObjectName;
use data_encoding::BASE64;
use futures::executor::block_on;
use serde_json::{Value, json};

use crate::cases::each_case;
use crate::client::{Client, id_of};
use crate::outside::World;

pub const TARGET: &str = "https://app.example/hooks";

/// An environment with a token of all scopes.
pub struct Subscriber {
    pub world: World,
    pub admin: Client,
    pub client: Client,
    pub environment: EnvironmentId,
}

impl Subscriber {
    pub fn new() -> Self {
        Self::of(&World::new())
    }

    pub fn of(world: &World) -> Self {
        let admin = Client::admin(world);
        let environment = admin.environment("test");
        Self {
            client: admin.token_of(&environment, None),
            environment: environment.parse().unwrap(),
            world: world.clone(),
            admin,
        }
    }

    /// A new subscription to everything.
    pub fn subscribe(&self) -> Value {
        let body = json!({ "target_url": TARGET });
        self.client.post("/webhook", &body).expect(201)
    }

    pub fn change(&self, id: &str, change: &Value) -> Value {
        let path = format!("/webhook/{id}");
        self.client.send("PATCH", &path, change).expect(200)
    }

    /// What an account's object asks the environment's directory.
    pub fn ask<T: serde::de::DeserializeOwned>(&self, ask: &EnvironmentMessage) -> T {
        let asked = send_to_environment(&self.world, self.environment, ask);
        block_on(self.world.run(asked)).unwrap()
    }

    pub fn directory(&self) -> ObjectName {
        ObjectName::Environment(self.environment)
    }
}

#[test]
fn a_subscription_shows_its_secret_once_and_is_changed_and_gone() {
    let subscriber = Subscriber::new();
    let client = &subscriber.client;
    let body =
        json!({ "target_url": TARGET, "event_types": ["record:*", "integrated_account:active"] });
    let made = client.post("/webhook", &body).expect(201);
    let secret = made["secret"].as_str().unwrap();
    let bytes = secret.strip_prefix("whsec_").unwrap().as_bytes();
    assert_eq!(BASE64.decode(bytes).unwrap().len(), 32);
    assert!(!subscriber.world.at_rest().contains(secret));
    let mut shown = made.clone();
    shown.as_object_mut().unwrap().remove("secret");
    let expected = json!({
        "id": made["id"],
        "environment_id": subscriber.environment,
        "target_url": TARGET,
        "event_types": ["record:*", "integrated_account:active"],
        "is_active": true,
        "paused_at": null,
        "failing_since": null,
        "created_at": "2023-11-14T22:13:20.000Z",
        "updated_at": "2023-11-14T22:13:20.000Z",
    });
    assert_eq!(shown, expected);
    let path = format!("/webhook/{}", id_of(&made));
    assert_eq!(client.get(&path).expect(200), expected);
    let list = client.get("/webhook").expect(200);
    assert_eq!(list["result"], json!([expected]));
    let change = json!({ "event_types": null, "target_url": "https://app.example/other" });
    let changed = subscriber.change(&id_of(&made), &change);
    assert_eq!(changed["event_types"], Value::Null);
    assert_eq!(changed["target_url"], "https://app.example/other");
    let gone = client.delete(&path).expect(200);
    assert_eq!(gone, json!({ "id": made["id"] }));
    assert_eq!(client.get(&path).code(404), "caller.not_found");
    assert_eq!(client.delete(&path).code(404), "caller.not_found");
}

#[test]
fn a_change_leaves_what_it_does_not_name() {
    let subscriber = Subscriber::new();
    let body = json!({ "target_url": TARGET, "event_types": ["a"], "is_active": false });
    let made = subscriber.client.post("/webhook", &body).expect(201);
    assert_eq!(made["is_active"], false);
    assert_eq!(made["paused_at"], "2023-11-14T22:13:20.000Z");
    let id = id_of(&made);
    subscriber.world.pass(Duration::from_mins(1));
    let same = subscriber.change(&id, &json!({ "is_active": false }));
    assert_eq!(
        same["paused_at"], made["paused_at"],
        "it has been since then"
    );
    assert_eq!(same["event_types"], json!(["a"]));
    assert_eq!(same["updated_at"], "2023-11-14T22:14:20.000Z");
    let resumed = subscriber.change(&id, &json!({ "is_active": true }));
    assert_eq!(resumed["is_active"], true);
    assert_eq!(resumed["paused_at"], Value::Null);
}

#[test]
fn what_is_wrong_with_a_subscription_is_said_in_its_place() {
    let subscriber = Subscriber::new();
    let many: Vec<String> = (0..101).map(|n| format!("e{n}")).collect();
    let cases = [
        (json!({}), &[""][..]),
        (json!({ "target_url": "/hooks" }), &["target_url"]),
        (
            json!({ "target_url": "http://app.example/" }),
            &["target_url"],
        ),
        (
            json!({ "target_url": "https://10.0.0.1/" }),
            &["target_url"],
        ),
        (
            json!({ "target_url": "https://localhost/" }),
            &["target_url"],
        ),
        (
            json!({ "target_url": "https://me:pw@app.example/" }),
            &["target_url"],
        ),
        (
            json!({ "target_url": "https://app.example/#x" }),
            &["target_url"],
        ),
        (
            json!({ "target_url": TARGET, "event_types": [] }),
            &["event_types"],
        ),
        (
            json!({ "target_url": TARGET, "event_types": [""] }),
            &["event_types"],
        ),
        (
            json!({ "target_url": TARGET, "event_types": ["a*b"] }),
            &["event_types"],
        ),
        (
            json!({ "target_url": TARGET, "event_types": many }),
            &["event_types"],
        ),
        (
            json!({ "target_url": TARGET, "event_types": [1] }),
            &["event_types[0]"],
        ),
        (
            json!({ "target_url": TARGET, "surprise": 1 }),
            &["surprise"],
        ),
        (
            json!({ "target_url": "x", "event_types": [] }),
            &["target_url", "event_types"],
        ),
    ];
    each_case(cases, |(body, paths)| {
        let answer = subscriber.client.post("/webhook", &body);
        assert_eq!(answer.status, 422, "{body}");
        let failures = answer.json()["details"]["failures"].clone();
        let found: Vec<_> = failures
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["path"].as_str().unwrap())
            .collect();
        assert_eq!(found, paths, "{body}");
    });
    let id = id_of(&subscriber.subscribe());
    let path = format!("/webhook/{id}");
    let change = json!({ "target_url": "https://127.0.0.1/" });
    assert_eq!(
        subscriber.client.send("PATCH", &path, &change).code(422),
        "caller.invalid"
    );
}

#[test]
fn plain_http_and_private_addresses_go_where_the_operator_allows_them() {
    let world = World::with(&[("ALLOW_PRIVATE_UPSTREAMS", "true")]);
    let subscriber = Subscriber::of(&world);
    let body = json!({ "target_url": "http://127.0.0.1:9000/hooks" });
    subscriber.client.post("/webhook", &body).expect(201);
    let body = json!({ "target_url": "http://me@127.0.0.1:9000/hooks" });
    assert_eq!(
        subscriber.client.post("/webhook", &body).code(422),
        "caller.invalid"
    );
}

#[test]
fn the_subscriptions_of_others_stay_unknown() {
    let subscriber = Subscriber::new();
    let id = id_of(&subscriber.subscribe());
    let other = subscriber.admin.environment("other");
    let stranger = subscriber.admin.token_of(&other, None);
    let path = format!("/webhook/{id}");
    assert_eq!(stranger.get("/webhook").expect(200)["result"], json!([]));
    assert_eq!(stranger.get(&path).code(404), "caller.not_found");
    assert_eq!(stranger.delete(&path).code(404), "caller.not_found");
    let change = stranger.send("PATCH", &path, &json!({ "is_active": false }));
    assert_eq!(change.code(404), "caller.not_found");
    let rotated = stranger.post(&format!("{path}/rotate-secret"), &json!({}));
    assert_eq!(rotated.code(404), "caller.not_found");
    let tested = stranger.post("/webhook/test", &json!({ "id": id }));
    assert_eq!(tested.code(404), "caller.not_found");
    let own = format!("{path}?environment_id={}", subscriber.environment);
    assert_eq!(stranger.get(&own).code(404), "caller.not_found");
    assert_eq!(subscriber.admin.get(&path).code(422), "caller.invalid");
    subscriber.admin.get(&own).expect(200);
}

#[test]
fn they_go_with_their_environment() {
    let subscriber = Subscriber::new();
    subscriber.subscribe();
    let path = format!("/environment/{}", subscriber.environment);
    subscriber.admin.delete(&path).expect(200);
    assert_eq!(
        subscriber
            .world
            .rows(subscriber.directory(), "SELECT name FROM sqlite_master"),
        0
    );
    let left: Vec<WebhookRecord> = subscriber.ask(&EnvironmentMessage::Webhooks);
    assert_eq!(
        left,
        [],
        "an outbox that is left has no subscription to send to"
    );
}

#[test]
fn a_directory_from_before_gets_the_new_tables_even_when_its_alarm_comes_first() {
    let subscriber = Subscriber::new();
    for table in ["webhook", "waiting", "failed_event"] {
        subscriber
            .world
            .select(subscriber.directory(), &format!("DROP TABLE {table}"));
    }
    subscriber.world.restart();
    subscriber.world.settle();
    subscriber.subscribe();
}

#[test]
fn its_secrets_are_sealed_anew_and_counted() {
    const NEW: &str = "k2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
    const OLD: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let subscriber = Subscriber::new();
    let id = id_of(&subscriber.subscribe());
    let count = |world: &World| Client::admin(world).get("/sealing").expect(200)["keys"].clone();
    assert_eq!(count(&subscriber.world)[0]["count"], 1);
    let world = subscriber
        .world
        .deployed_with(&[("SEALING_KEYS", &format!("{NEW},{OLD}"))]);
    Client::admin(&world)
        .post("/sealing/rotate", &json!({}))
        .expect(200);
    world.settle();
    let keys = count(&world);
    let (new, old) = (&keys[1], &keys[0]);
    assert_eq!((&new["id"], &new["count"]), (&json!("k2"), &json!(1)));
    assert_eq!((&old["id"], &old["count"]), (&json!("k1"), &json!(0)));
    let world = world.deployed_with(&[("SEALING_KEYS", NEW)]);
    world.answers(200, &[], "");
    let body = json!({ "id": id, "environment_id": subscriber.environment });
    let tested = Client::admin(&world)
        .post("/webhook/test", &body)
        .expect(200);
    assert_eq!(tested["status"], 200);
}
