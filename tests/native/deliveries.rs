//! Events go out: signed, oldest first, tried again by the schedule, paused and replayed.

use std::cell::RefCell;
use std::time::Duration;

use causeway::ports::{Body, ObjectName, SendError, System};
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::cases::each_case;
use crate::client::id_of;
use crate::inbound_webhooks::ReceivingAccount;
use crate::outside::{Fault, Sent, World, reply};

const TARGET: &str = "https://hooks.customer.example/in";

/// A shop with a subscription.
struct Deliveries {
    scene: ReceivingAccount,
    webhook: String,
    secret: String,
    sent: RefCell<Vec<Sent>>,
}

impl Deliveries {
    fn new() -> Self {
        Self::of(&json!({ "target_url": TARGET }))
    }

    fn of(subscription: &Value) -> Self {
        let scene = ReceivingAccount::new(&json!({ "event_id": null }));
        scene.world.settle();
        let made = scene
            .setting
            .client
            .post("/webhook", subscription)
            .expect(201);
        let secret = made["secret"].as_str().unwrap().to_owned();
        Self {
            webhook: id_of(&made),
            scene,
            secret,
            sent: RefCell::default(),
        }
    }

    /// An event of this topic arrives; its id.
    fn event(&self, topic: &str) -> String {
        let body = json!({ "topic": topic, "nr": 1, "shop": "one" }).to_string();
        id_of(&self.scene.to_account(&[], &body).expect(200))
    }

    fn answers(&self, statuses: &[u16]) {
        for status in statuses {
            self.scene.world.answers(*status, &[], "thanks");
        }
    }

    /// The alarms that are due by now.
    fn ring(&self) {
        let world = &self.scene.world;
        futures::executor::block_on(
            world.run_passing(async { while world.ring_alarms().await > 0 {} }),
        );
    }

    fn ring_after(&self, wait: Duration) {
        self.scene.world.pass(wait);
        self.ring();
    }

    /// All that was sent so far.
    fn sent(&self) -> Vec<Sent> {
        let mut sent = self.sent.borrow_mut();
        sent.extend(self.scene.world.sent());
        sent.clone()
    }

    fn status(&self, event: &str) -> String {
        self.scene.event(event)["status"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn webhook(&self) -> Value {
        self.scene
            .setting
            .client
            .get(&format!("/webhook/{}", self.webhook))
            .expect(200)
    }

    fn change(&self, change: &Value) {
        let path = format!("/webhook/{}", self.webhook);
        self.scene
            .setting
            .client
            .send("PATCH", &path, change)
            .expect(200);
    }
}

fn body_of(sent: &Sent) -> Value {
    serde_json::from_slice(&sent.body).unwrap()
}

fn signature(secret: &str, sent: &Sent) -> String {
    let key = BASE64
        .decode(secret.strip_prefix("whsec_").unwrap().as_bytes())
        .unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let (id, at) = (
        sent.header("webhook-id").unwrap(),
        sent.header("webhook-timestamp").unwrap(),
    );
    mac.update(format!("{id}.{at}.").as_bytes());
    mac.update(&sent.body);
    format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()))
}

#[test]
fn an_event_is_delivered_once_with_its_signature() {
    let deliveries = Deliveries::new();
    let event = deliveries.event("paid");
    deliveries.answers(&[204]);
    deliveries.ring();
    let [sent] = deliveries.sent().try_into().unwrap();
    assert_eq!((sent.method.as_str(), sent.url.as_str()), ("POST", TARGET));
    assert_eq!(sent.header("webhook-id"), Some(event.as_str()));
    assert_eq!(
        sent.header("webhook-signature").unwrap(),
        signature(&deliveries.secret, &sent)
    );
    let scene = &deliveries.scene;
    assert_eq!(
        body_of(&sent),
        json!({
            "id": event, "event": "shop:paid", "payload": { "topic": "paid", "nr": 1, "shop": "one" },
            "resource_type": "order", "resource_id": "1", "environment_id": scene.setting.environment,
            "integrated_account_id": scene.account, "created_at": scene.event(&event)["created_at"], "webhook_id": deliveries.webhook,
        })
    );
    let shown = scene.event(&event);
    assert_eq!(shown["status"], "delivered");
    assert_eq!(shown["deliveries"][0]["webhook_id"], deliveries.webhook);
    assert_eq!(shown["attempts"][0]["status"], 204);
    deliveries.ring_after(Duration::from_hours(1));
    assert_eq!(deliveries.sent().len(), 1);
}

#[test]
fn only_what_is_wanted_is_delivered_and_what_nobody_wants_is_done() {
    let deliveries = Deliveries::of(
        &json!({ "target_url": TARGET, "event_types": ["shop:p*", "integrated_account:updated"] }),
    );
    let (paid, sold) = (deliveries.event("paid"), deliveries.event("sold"));
    deliveries.answers(&[200, 200]);
    deliveries.ring();
    assert_eq!(
        (
            deliveries.status(&paid).as_str(),
            deliveries.status(&sold).as_str()
        ),
        ("delivered", "delivered")
    );
    assert_eq!(deliveries.sent().len(), 1);
    let path = format!("/integrated-account/{}", deliveries.scene.account);
    deliveries
        .scene
        .setting
        .client
        .send("PATCH", &path, &json!({ "tenant_id": "other" }))
        .expect(200);
    deliveries.ring();
    let reported = body_of(deliveries.sent().last().unwrap());
    assert_eq!(
        (&reported["event"], &reported["payload"]["tenant_id"]),
        (&json!("integrated_account:updated"), &json!("other"))
    );
}

/// How often each event was sent.
fn times_sent(deliveries: &Deliveries, events: &[String]) -> Vec<usize> {
    let sent = deliveries.sent();
    let of = |event: &String| {
        sent.iter()
            .filter(|sent| sent.header("webhook-id") == Some(event))
            .count()
    };
    events.iter().map(of).collect()
}

#[test]
fn events_that_are_expanded_together_each_have_their_own_status() {
    let wanted = |topic: &str| json!({ "target_url": TARGET, "event_types": [topic] });
    let deliveries = Deliveries::of(&wanted("shop:paid"));
    let client = &deliveries.scene.setting.client;
    let paused = id_of(&client.post("/webhook", &wanted("shop:sold")).expect(201));
    let path = format!("/webhook/{paused}");
    client
        .send("PATCH", &path, &json!({ "is_active": false }))
        .expect(200);
    // More than one step of 50.
    let topics = ["paid", "sold", "lost"];
    let events: Vec<_> = (0..54).map(|n| deliveries.event(topics[n % 3])).collect();
    deliveries.answers(&[200; 18]);
    deliveries.ring();
    let statuses: Vec<_> = events
        .iter()
        .map(|event| deliveries.status(event))
        .collect();
    assert_eq!(statuses, ["delivered", "pending", "delivered"].repeat(18));
    assert_eq!(times_sent(&deliveries, &events), [1, 0, 0].repeat(18));
    deliveries.answers(&[200; 18]);
    client
        .send("PATCH", &path, &json!({ "is_active": true }))
        .expect(200);
    deliveries.ring_after(Duration::from_secs(2));
    assert_eq!(times_sent(&deliveries, &events), [1, 1, 0].repeat(18));
    assert!(
        events
            .iter()
            .all(|event| deliveries.status(event) == "delivered")
    );
}

#[test]
fn a_storage_that_fails_while_events_are_expanded_loses_and_repeats_none() {
    for word in [
        "INSERT INTO delivery",
        "is_expanded = 1",
        "is_expanded = 0 OR",
    ] {
        let deliveries = Deliveries::new();
        let events: Vec<_> = ["one", "two", "three"]
            .map(|topic| deliveries.event(topic))
            .into();
        let object = ObjectName::Account(deliveries.scene.account.parse().unwrap());
        deliveries.scene.world.storage_refuses(object, word);
        deliveries.answers(&[200; 3]);
        deliveries.ring();
        deliveries.ring_after(Duration::from_mins(1));
        assert_eq!(times_sent(&deliveries, &events), [1; 3], "{word}");
        for event in &events {
            assert_eq!(deliveries.status(event), "delivered", "{word}");
        }
    }
}

#[test]
fn a_failed_one_steps_aside_and_is_tried_by_the_schedule_until_it_fails_for_good() {
    let deliveries = Deliveries::new();
    let (first, second) = (deliveries.event("one"), deliveries.event("two"));
    deliveries.answers(&[500, 200]);
    deliveries.ring();
    assert_eq!(
        (
            deliveries.status(&first).as_str(),
            deliveries.status(&second).as_str()
        ),
        ("pending", "delivered")
    );
    let waits = [5, 300, 1800, 7200, 18_000, 36_000, 36_000, 86_400, 86_400];
    each_case(waits.iter().enumerate(), |(tries, wait)| {
        deliveries.ring_after(Duration::from_secs(wait - 1));
        assert_eq!(deliveries.sent().len(), tries + 2, "not before its time");
        deliveries.answers(&[500]);
        deliveries.ring_after(Duration::from_secs(wait / 5 + 2));
        assert_eq!(
            deliveries.sent().len(),
            tries + 3,
            "after {wait} s and a fifth at most"
        );
    });
    let event = deliveries.scene.event(&first);
    assert_eq!(
        (
            &event["status"],
            event["attempts"].as_array().unwrap().len()
        ),
        (&json!("failed"), 10)
    );
    assert!(
        deliveries
            .sent()
            .iter()
            .filter(|sent| sent.header("webhook-id") == Some(&first))
            .count()
            == 10
    );
    let listed = deliveries.scene.setting.client.get("/event").expect(200);
    assert_eq!(listed["result"][0]["id"], json!(first));
    deliveries.answers(&[200]);
    deliveries
        .scene
        .setting
        .client
        .post(&format!("/event/{first}/replay"), &json!({}))
        .expect(200);
    deliveries.answers(&[200]);
    deliveries.ring();
    assert_eq!(deliveries.status(&first), "delivered");
    assert_eq!(
        deliveries.scene.event(&first)["attempts"]
            .as_array()
            .unwrap()
            .len(),
        11
    );
    assert_eq!(
        deliveries.scene.setting.client.get("/event").expect(200)["result"],
        json!([])
    );
}

#[test]
fn an_endpoint_that_asks_for_time_gets_it() {
    let deliveries = Deliveries::new();
    deliveries.event("one");
    deliveries
        .scene
        .world
        .answers(429, &[("retry-after", "60")], "");
    deliveries.ring();
    deliveries.ring_after(Duration::from_secs(59));
    assert_eq!(deliveries.sent().len(), 1);
    deliveries.answers(&[200]);
    deliveries.ring_after(Duration::from_secs(2));
    assert_eq!(deliveries.sent().len(), 2);
}

#[test]
fn no_answer_and_a_redirect_are_failures_that_are_reported() {
    let deliveries = Deliveries::new();
    let event = deliveries.event("one");
    deliveries.scene.world.fails(SendError::Timeout);
    deliveries.ring();
    deliveries.scene.world.answers(
        302,
        &[("location", "https://elsewhere.example")],
        "over there",
    );
    deliveries.ring_after(Duration::from_secs(7));
    let attempts = deliveries.scene.event(&event)["attempts"].clone();
    assert_eq!(attempts[0]["status"], Value::Null);
    assert!(
        attempts[0]["error"].as_str().unwrap().contains("in time"),
        "{attempts}"
    );
    assert_eq!(
        (&attempts[1]["status"], &attempts[1]["body"]),
        (&json!(302), &json!("over there"))
    );
    assert!(deliveries.sent().iter().all(|sent| sent.url == TARGET));
}

#[test]
fn four_kilobytes_of_an_answer_are_kept() {
    let deliveries = Deliveries::new();
    let event = deliveries.event("one");
    deliveries.scene.world.answers(200, &[], &"x".repeat(5000));
    deliveries.ring();
    assert_eq!(
        deliveries.scene.event(&event)["attempts"][0]["body"]
            .as_str()
            .unwrap()
            .len(),
        4096
    );
}

#[test]
fn an_attempt_is_counted_before_it_is_sent() {
    let deliveries = Deliveries::new();
    let event = deliveries.event("one");
    let world = &deliveries.scene.world;
    world.answers_with_at(
        world.now().as_millis() + 14_000,
        reply(200, &[], Body::Empty),
    );
    futures::executor::block_on(async {
        let ringing = world.run(world.ring_alarms());
        futures::pin_mut!(ringing);
        assert!(futures::poll!(ringing).is_pending(), "under way");
    });
    world.restart();
    world.unscript();
    assert_eq!(
        deliveries.scene.event(&event)["deliveries"][0]["attempts"],
        1
    );
    deliveries.answers(&[200]);
    deliveries.ring_after(Duration::from_secs(61));
    assert_eq!(deliveries.status(&event), "delivered");
    assert!(
        deliveries
            .sent()
            .iter()
            .all(|sent| sent.header("webhook-id") == Some(&event))
    );
}

#[test]
fn events_of_a_paused_subscription_wait_and_go_when_it_goes_on() {
    let deliveries = Deliveries::new();
    deliveries.change(&json!({ "is_active": false }));
    let events = [deliveries.event("one"), deliveries.event("two")];
    deliveries.ring();
    deliveries.ring_after(Duration::from_hours(24));
    assert_eq!(
        (
            deliveries.sent().len(),
            deliveries.status(&events[0]).as_str()
        ),
        (0, "pending")
    );
    deliveries.answers(&[200, 200]);
    deliveries.change(&json!({ "is_active": true }));
    deliveries.ring_after(Duration::from_secs(2));
    let ids: Vec<_> = deliveries
        .sent()
        .iter()
        .map(|sent| sent.header("webhook-id").unwrap().to_owned())
        .collect();
    assert_eq!(ids, events, "oldest first");
}

#[test]
fn what_was_under_way_waits_too_and_a_deleted_subscription_leaves_nothing_waiting() {
    let deliveries = Deliveries::new();
    let event = deliveries.event("one");
    deliveries.answers(&[500]);
    deliveries.ring();
    deliveries.change(&json!({ "is_active": false }));
    deliveries.ring_after(Duration::from_mins(10));
    assert_eq!(
        (deliveries.sent().len(), deliveries.status(&event).as_str()),
        (1, "pending")
    );
    deliveries
        .scene
        .setting
        .client
        .delete(&format!("/webhook/{}", deliveries.webhook))
        .expect(200);
    deliveries.ring_after(Duration::from_secs(2));
    assert_eq!(
        deliveries.status(&event),
        "delivered",
        "no subscription is left that wants it"
    );
}

#[test]
fn a_subscription_that_only_fails_is_paused_after_five_days() {
    let deliveries = Deliveries::new();
    deliveries.event("one");
    for _ in 0..40 {
        deliveries.answers(&[500; 8]);
        deliveries.ring_after(Duration::from_hours(3));
        deliveries.scene.world.unscript();
    }
    assert_eq!(
        deliveries.webhook()["paused_at"],
        Value::Null,
        "one event has ended before"
    );
    assert_ne!(deliveries.webhook()["failing_since"], Value::Null);
    let last = deliveries.event("two");
    for _ in 0..10 {
        deliveries.answers(&[500; 8]);
        deliveries.ring_after(Duration::from_hours(3));
        deliveries.scene.world.unscript();
    }
    assert_ne!(deliveries.webhook()["paused_at"], Value::Null);
    assert_eq!(deliveries.webhook()["is_active"], false);
    assert_eq!(deliveries.scene.logged("webhook_paused").len(), 1);
    let sent = deliveries.sent().len();
    deliveries.ring_after(Duration::from_hours(100));
    assert_eq!(
        (deliveries.sent().len(), deliveries.status(&last).as_str()),
        (sent, "pending")
    );
    deliveries.answers(&[200]);
    deliveries.change(&json!({ "is_active": true }));
    deliveries.ring_after(Duration::from_secs(2));
    assert_eq!(deliveries.status(&last), "delivered");
    assert_eq!(deliveries.webhook()["failing_since"], Value::Null);
}

#[test]
fn a_receiver_that_answers_410_is_paused_at_once_and_its_events_wait() {
    let deliveries = Deliveries::new();
    let events = [deliveries.event("one"), deliveries.event("two")];
    deliveries.answers(&[410, 410]);
    deliveries.ring();
    deliveries.ring_after(Duration::from_hours(24 * 8));
    assert_eq!(
        deliveries.sent().len(),
        1,
        "410 ends the deliveries to a receiver"
    );
    assert_ne!(deliveries.webhook()["paused_at"], Value::Null);
    assert_eq!(deliveries.webhook()["is_active"], false);
    each_case(&events, |event| {
        assert_eq!(deliveries.status(event), "pending");
    });
    deliveries.scene.world.unscript();
    deliveries.answers(&[200, 200]);
    deliveries.change(&json!({ "is_active": true }));
    deliveries.ring_after(Duration::from_secs(2));
    each_case(&events, |event| {
        assert_eq!(deliveries.status(event), "delivered");
    });
}

#[test]
fn a_directory_that_does_not_answer_puts_nothing_off_for_ever() {
    let deliveries = Deliveries::new();
    let event = deliveries.event("one");
    deliveries
        .scene
        .world
        .0
        .faults
        .borrow_mut()
        .push_back(("webhooks".to_owned(), Fault::Lost));
    deliveries.ring();
    assert_eq!(
        (deliveries.sent().len(), deliveries.status(&event).as_str()),
        (0, "pending")
    );
    deliveries.answers(&[200]);
    deliveries.ring_after(Duration::from_secs(11));
    assert_eq!(deliveries.status(&event), "delivered");
}

#[test]
fn a_subscription_made_after_an_event_was_expanded_gets_it_by_a_replay() {
    let deliveries = Deliveries::of(&json!({ "target_url": TARGET, "event_types": ["other"] }));
    let event = deliveries.event("one");
    deliveries.ring();
    assert_eq!(deliveries.status(&event), "delivered");
    deliveries.change(&json!({ "event_types": null }));
    let from = deliveries.scene.event(&event)["created_at"].clone();
    let range = json!({ "integrated_account_id": deliveries.scene.account, "status": "delivered", "from": from, "to": from });
    deliveries.answers(&[200]);
    assert_eq!(
        deliveries
            .scene
            .setting
            .client
            .post("/event/replay", &range)
            .expect(200),
        json!({ "replayed": 1 })
    );
    deliveries.ring();
    assert_eq!(deliveries.sent().len(), 1);
}

#[test]
fn a_dead_endpoint_does_not_hold_another_back() {
    let deliveries = Deliveries::of(&json!({ "target_url": "https://dead.example/in" }));
    for number in 0..60 {
        deliveries.event(&number.to_string());
    }
    deliveries.answers(&[500; 60]);
    deliveries.ring();
    let other = json!({ "target_url": TARGET });
    deliveries
        .scene
        .setting
        .client
        .post("/webhook", &other)
        .expect(201);
    deliveries.event("new");
    deliveries.answers(&[500; 62]);
    deliveries.ring_after(Duration::from_secs(7));
    let sent = deliveries.sent();
    let place = sent[60..].iter().position(|sent| sent.url == TARGET);
    assert!(
        place.is_some_and(|place| place < 2),
        "{place:?}: it is delivered in order"
    );
}

#[test]
fn a_replay_of_failed_ones_goes_to_those_who_missed_them() {
    let deliveries = Deliveries::new();
    let other = deliveries
        .scene
        .setting
        .client
        .post(
            "/webhook",
            &json!({ "target_url": "https://other.example/in" }),
        )
        .expect(201);
    let event = deliveries.event("one");
    deliveries.answers(&[200, 200]);
    deliveries.ring();
    let object = ObjectName::Account(deliveries.scene.account.parse().unwrap());
    deliveries.scene.world.select(
        object,
        &format!(
            "UPDATE delivery SET status = 'failed' WHERE webhook_id = '{}' RETURNING 1",
            id_of(&other)
        ),
    );
    deliveries.scene.world.select(
        object,
        "UPDATE event SET status = 'failed' WHERE event = 'shop:one' RETURNING 1",
    );
    let at = deliveries.scene.event(&event)["created_at"].clone();
    let range = json!({ "integrated_account_id": deliveries.scene.account, "from": at, "to": at });
    assert_eq!(
        deliveries
            .scene
            .setting
            .client
            .post("/event/replay", &range)
            .expect(200),
        json!({ "replayed": 1 })
    );
    deliveries.answers(&[200]);
    deliveries.ring();
    let urls: Vec<_> = deliveries
        .sent()
        .iter()
        .skip(2)
        .map(|sent| sent.url.clone())
        .collect();
    assert_eq!(urls, ["https://other.example/in"]);
}

#[test]
fn what_is_planned_during_a_delivery_does_not_take_its_alarm_away() {
    let deliveries = Deliveries::new();
    let event = deliveries.event("one");
    let world = &deliveries.scene.world;
    world.answers_with_at(
        world.now().as_millis() + 14_000,
        reply(200, &[], Body::Empty),
    );
    futures::executor::block_on(async {
        let ringing = world.run(world.ring_alarms());
        futures::pin_mut!(ringing);
        assert!(futures::poll!(ringing.as_mut()).is_pending());
        let path = format!("/integrated-account/{}", deliveries.scene.account);
        let change = json!({ "context": { "shop": "one", "note": 1 } }).to_string();
        let changing = deliveries.scene.setting.client.request_async(
            "PATCH",
            &path,
            &[("content-type", "application/json")],
            Body::from_bytes(change),
        );
        assert_eq!(changing.await.status, 200);
    });
    world.restart();
    world.unscript();
    deliveries.answers(&[200, 200]);
    deliveries.ring_after(Duration::from_secs(61));
    assert_eq!(deliveries.status(&event), "delivered");
}

#[test]
fn an_alarm_that_a_restart_lost_is_set_by_the_next_request() {
    let deliveries = Deliveries::new();
    let event = deliveries.event("one");
    let object = ObjectName::Account(deliveries.scene.account.parse().unwrap());
    futures::executor::block_on(deliveries.scene.world.lose_alarm(object));
    deliveries.scene.world.restart();
    deliveries.ring();
    assert_eq!(deliveries.status(&event), "pending");
    deliveries.answers(&[200]);
    deliveries.ring();
    assert_eq!(deliveries.status(&event), "delivered");
}

#[test]
fn what_waits_for_a_paused_subscription_outlives_its_account() {
    let deliveries = Deliveries::of(&json!({ "target_url": TARGET, "is_active": false }));
    let event = deliveries.event("one");
    let path = format!("/integrated-account/{}", deliveries.scene.account);
    deliveries.scene.setting.client.delete(&path).expect(200);
    for _ in 0..5 {
        deliveries.ring_after(Duration::from_hours(24));
    }
    assert_eq!(deliveries.status(&event), "pending");
    deliveries.answers(&[200, 200]);
    deliveries.change(&json!({ "is_active": true }));
    deliveries.ring_after(Duration::from_secs(2));
    let reported: Vec<_> = deliveries
        .sent()
        .iter()
        .map(|sent| body_of(sent)["event"].clone())
        .collect();
    assert_eq!(
        reported,
        [json!("shop:one"), json!("integrated_account:deleted")]
    );
}

#[test]
fn what_waits_in_vain_ends_with_its_time() {
    let deliveries = Deliveries::of(&json!({ "target_url": TARGET, "is_active": false }));
    deliveries.event("one");
    let path = format!("/integrated-account/{}", deliveries.scene.account);
    deliveries.scene.setting.client.delete(&path).expect(200);
    let with_data = deliveries.scene.world.objects_with_data();
    for _ in 0..32 {
        deliveries.ring_after(Duration::from_hours(24));
    }
    assert_eq!(deliveries.scene.world.objects_with_data(), with_data - 1);
}

#[test]
fn a_deleted_account_tells_so_and_then_nothing_of_it_is_left() {
    let deliveries = Deliveries::new();
    let waiting = deliveries.event("one");
    let path = format!("/integrated-account/{}", deliveries.scene.account);
    deliveries.scene.setting.client.delete(&path).expect(200);
    deliveries.answers(&[200, 500]);
    deliveries.ring();
    let reported: Vec<_> = deliveries
        .sent()
        .iter()
        .map(|sent| body_of(sent)["event"].clone())
        .collect();
    assert_eq!(
        reported,
        [json!("shop:one"), json!("integrated_account:deleted")]
    );
    assert_eq!(deliveries.status(&waiting), "delivered");
    let with_data = deliveries.scene.world.objects_with_data();
    deliveries.answers(&[200]);
    deliveries.ring_after(Duration::from_mins(2));
    deliveries.ring_after(Duration::from_mins(2));
    assert_eq!(
        deliveries.scene.world.objects_with_data(),
        with_data - 1,
        "once all is delivered nothing is kept"
    );
    assert_eq!(
        deliveries
            .scene
            .setting
            .client
            .get(&format!("/event/{waiting}"))
            .code(404),
        "caller.not_found"
    );
}

#[test]
fn settled_events_are_trimmed_by_age_and_count_and_pending_ones_never() {
    let world = World::with(&[
        ("EVENT_RETENTION_COUNT", "2"),
        ("EVENT_RETENTION_DAYS", "4"),
    ]);
    let scene = ReceivingAccount::in_world(world, &json!({ "event_id": null }));
    let send = |topic: &str| {
        let body = json!({ "topic": topic, "nr": 1, "shop": "one" }).to_string();
        id_of(&scene.to_account(&[], &body).expect(200))
    };
    let ids: Vec<_> = (0..4).map(|number| send(&number.to_string())).collect();
    scene.world.settle();
    scene.world.pass(Duration::from_hours(73));
    scene.world.settle();
    let left: Vec<_> = scene
        .events()
        .iter()
        .map(|event| event["id"].clone())
        .collect();
    assert_eq!(left, [json!(ids[3]), json!(ids[2])], "two are kept");
    let made = scene
        .setting
        .client
        .post(
            "/webhook",
            &json!({ "target_url": TARGET, "is_active": false }),
        )
        .expect(201);
    assert_eq!(made["is_active"], false);
    let waiting = send("waits");
    for _ in 0..20 {
        scene.world.pass(Duration::from_hours(24));
        scene.world.settle();
    }
    let left: Vec<_> = scene
        .events()
        .iter()
        .map(|event| event["id"].clone())
        .collect();
    assert_eq!(left, [json!(waiting)]);
}
