//! What an environment's directory does when deliveries fail for days, and for the accounts that wait in that time.

use std::time::Duration;

use causeway::error::{Code, Failure};
use causeway::flows::base::records::WebhookRecord;
use causeway::flows::messages::environment::EnvironmentMessage;
use causeway::ids::{AccountId, Placement, Region, WebhookId};
use causeway::ports::{ObjectName, System};
use causeway::time::Timestamp;
use futures::executor::block_on;
use serde_json::{Value, json};

use crate::cases::each_case;
use crate::client::id_of;
use crate::outside::World;
use crate::subscriptions::Subscriber;

const DAY: Duration = Duration::from_hours(24);

pub fn account(number: u8) -> AccountId {
    let now = Timestamp::from_millis(1_700_000_000_000);
    AccountId::new(now, Placement::Hinted(Region::Wnam), [number; 10])
}

/// A subscription, and what an account's object tells of its deliveries.
struct Failing {
    subscriber: Subscriber,
    id: WebhookId,
}

impl Failing {
    fn new() -> Self {
        let subscriber = Subscriber::new();
        let id = id_of(&subscriber.subscribe()).parse().unwrap();
        Self { subscriber, id }
    }

    fn world(&self) -> &World {
        &self.subscriber.world
    }

    fn fails(&self) {
        let now = self.world().now();
        let ask = EnvironmentMessage::NoteFailing(self.id, now);
        self.subscriber.ask::<()>(&ask);
    }

    fn works(&self) {
        let ask = EnvironmentMessage::NoteWorking(self.id);
        self.subscriber.ask::<()>(&ask);
    }

    fn waits(&self, number: u8) -> bool {
        let ask = EnvironmentMessage::NoteWaiting(self.id, account(number));
        self.subscriber.ask(&ask)
    }

    fn subscription(&self) -> Value {
        let path = format!("/webhook/{}", self.id);
        self.subscriber.client.get(&path).expect(200)
    }

    fn set_active(&self, is_active: bool) {
        let change = json!({ "is_active": is_active });
        self.subscriber.change(&self.id.to_string(), &change);
    }

    /// Pauses it, and so many wait.
    fn paused_with(&self, waiting: u8) {
        self.set_active(false);
        assert!((0..waiting).all(|number| self.waits(number)));
    }

    fn waiting(&self) -> usize {
        let statement = "SELECT 1 FROM waiting";
        self.world().rows(self.subscriber.directory(), statement)
    }

    fn ring(&self) {
        block_on(self.world().run(self.world().ring_alarms()));
    }
}

fn answers(world: &World, number: u8, answer: &Result<Value, Failure>) {
    world.object_answers(ObjectName::Account(account(number)), answer);
}

/// The accounts that were woken, in order.
fn woken(world: &World) -> Vec<AccountId> {
    let received = world.intercepted_messages().into_iter();
    let mut woken: Vec<_> = received
        .map(|(object, message)| {
            assert_eq!(message, "deliver");
            match object {
                ObjectName::Account(id) => id,
                other => panic!("{other:?}"),
            }
        })
        .collect();
    woken.sort_unstable();
    woken
}

#[test]
fn five_days_without_a_delivery_pause_it() {
    let failing = Failing::new();
    failing.fails();
    assert_eq!(
        failing.subscription()["failing_since"],
        "2023-11-14T22:13:20.000Z"
    );
    failing.world().pass(4 * DAY);
    failing.fails();
    assert_eq!(failing.subscription()["is_active"], true);
    failing.world().pass(DAY);
    failing.fails();
    let paused = failing.subscription();
    assert_eq!(paused["is_active"], false);
    assert_eq!(paused["paused_at"], "2023-11-19T22:13:20.000Z");
    assert_eq!(paused["failing_since"], "2023-11-14T22:13:20.000Z");
    failing.fails();
    let line = json!({
        "level": "warn", "event": "webhook_paused", "environment_id": failing.subscriber.environment,
        "webhook_id": failing.id, "failing_since": "2023-11-14T22:13:20.000Z",
    });
    let logs = failing.world().0.logs.borrow().clone();
    let lines: Vec<_> = logs
        .iter()
        .filter(|one| one["event"] == "webhook_paused")
        .collect();
    assert_eq!(lines, [&line], "it is said once");
    failing.set_active(true);
    assert_eq!(failing.subscription()["failing_since"], Value::Null);
    failing.fails();
    assert_eq!(failing.subscription()["is_active"], true, "it begins again");
}

#[test]
fn one_delivery_in_between_or_another_target_begins_anew() {
    let failing = Failing::new();
    failing.fails();
    failing.world().pass(4 * DAY);
    failing.works();
    assert_eq!(failing.subscription()["failing_since"], Value::Null);
    failing.fails();
    failing.world().pass(4 * DAY);
    let change = json!({ "target_url": "https://other.example/" });
    failing.subscriber.change(&failing.id.to_string(), &change);
    failing.fails();
    failing.world().pass(4 * DAY);
    failing.fails();
    assert_eq!(failing.subscription()["is_active"], true);
}

#[test]
fn what_is_told_of_one_that_is_gone_is_nothing() {
    let failing = Failing::new();
    let path = format!("/webhook/{}", failing.id);
    failing.subscriber.client.delete(&path).expect(200);
    failing.fails();
    failing.works();
    assert!(!failing.waits(1), "there is nothing to wait for");
    let all: Vec<WebhookRecord> = failing.subscriber.ask(&EnvironmentMessage::Webhooks);
    assert_eq!(all, []);
}

#[test]
fn nobody_waits_for_what_is_not_paused() {
    let failing = Failing::new();
    assert!(!failing.waits(1));
    assert_eq!(failing.waiting(), 0);
    failing.set_active(false);
    assert!(failing.waits(1) && failing.waits(1));
    assert_eq!(failing.waiting(), 1);
    failing.world().settle();
    assert_eq!(failing.waiting(), 1, "as long as it is paused");
}

#[test]
fn who_waits_is_woken_when_it_goes_on_or_is_gone() {
    each_case([false, true], |is_deleted| {
        let failing = Failing::new();
        failing.paused_with(60);
        (0..60).for_each(|number| answers(failing.world(), number, &Ok(Value::Null)));
        if is_deleted {
            let path = format!("/webhook/{}", failing.id);
            failing.subscriber.client.delete(&path).expect(200);
        } else {
            failing.set_active(true);
        }
        assert_eq!(woken(failing.world()), [], "not by the call itself");
        failing.world().restart();
        failing.world().pass(Duration::from_secs(1));
        failing.ring();
        let expected: Vec<_> = (0..60).map(account).collect();
        assert_eq!(woken(failing.world()), expected);
        assert_eq!(failing.waiting(), 0);
        failing.world().settle();
    });
}

#[test]
fn who_does_not_answer_is_asked_again_and_holds_nobody_back() {
    let failing = Failing::new();
    failing.paused_with(30);
    let silent = || Err(Failure::storage());
    (0..29).for_each(|number| answers(failing.world(), number, &silent()));
    answers(failing.world(), 29, &Ok(Value::Null));
    failing.set_active(true);
    failing.world().pass(Duration::from_secs(1));
    failing.ring();
    assert_eq!(woken(failing.world()).len(), 30);
    assert_eq!(failing.waiting(), 29);
    (0..28).for_each(|number| answers(failing.world(), number, &Ok(Value::Null)));
    let gone = Failure::new(Code::NotFound, "gone");
    answers(failing.world(), 28, &Err(gone));
    failing.world().pass(Duration::from_secs(59));
    failing.ring();
    assert_eq!(woken(failing.world()), [], "once a minute");
    failing.world().pass(Duration::from_secs(1));
    failing.ring();
    assert_eq!(woken(failing.world()).len(), 29);
    assert_eq!(failing.waiting(), 0);
}

#[test]
fn one_that_waits_anew_meanwhile_is_not_forgotten() {
    let failing = Failing::new();
    failing.paused_with(1);
    failing.set_active(true);
    failing.set_active(false);
    assert!(failing.waits(0));
    failing.world().pass(Duration::from_secs(1));
    failing.ring();
    assert_eq!(woken(failing.world()), [], "it is paused again");
    assert_eq!(failing.waiting(), 1);
}
