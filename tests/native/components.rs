//! What the components of the account's object store: a deleted account leaves nothing behind, and
//! a rotation leaves nothing under the old key. The sources say which tables there are, so that a new one is looked at
//! from the day on that it is made: the story has to fill it, and its component to wipe it and to seal it again.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use causeway::account::Account;
use causeway::flows::messages::account::{AccountMessage, LifecycleActions};
use causeway::flows::messages::send_to_account;
use causeway::ids::AccountId;
use causeway::ports::{Body, ObjectName};
use futures::executor::block_on;
use serde_json::{Value, json};

use crate::account::Scene;
use crate::client::{Answer, Client};
use crate::connect::Browser;
use crate::inbound_webhooks::{SECRET, signed};
use crate::outside::{Fault, World, reply};
use crate::refresh;

mod tables;

use tables::{declared_tables, tables, with_text};

const OLD: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const NEW: &str = "k2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

/// Events outlive their account: its deletion is one of them. They are left until they are delivered.
const OF_EVENTS: [&str; 7] = [
    "event", "delivery", "attempt", "seen", "report", "waiting", "outbox",
];

/// What the directory still does not know: their rows are gone once it knows.
const OF_THE_DIRECTORY: [&str; 2] = ["report", "waiting"];

/// What the provider says to calls and at its token endpoint, and the subscriber to events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    Yes,
    /// No credential is good.
    Refused,
    /// The token endpoint gives no reason.
    Unclear,
}

fn file() -> Value {
    let mut file = refresh::file();
    file["config"]["resources"]["items"]["get"]["description"] = "Gets an item.".into();
    file["config"]["webhook"] = json!({
        "signature_verification": { "format": "hmac", "config": {
            "secret": "{{environment_variables.webhook_secret}}",
            "compare_with": "$header.x-signature",
        } },
        "event_id": "body.id",
        "payload_transform": "body.is_bad ? $error('not yet') : { 'event_type': 'sack:filled', 'payload': body }",
    });
    let pagination =
        json!({ "format": "cursor", "config": { "cursor_path": "next", "cursor_key": "after" } });
    let list = json!({ "path": "/synced", "response_path": "data", "pagination": pagination });
    file["config"]["resources"]["synced"] =
        json!({ "list": list, "all": { "path": "/all", "response_path": "data" } });
    // One of them never reaches the end of its list.
    file["config"]["syncs"] = json!({
        "half": { "resource": "synced", "record_id": "id", "every": "1m" },
        "whole": { "resource": "synced", "method": "all", "record_id": "id" },
    });
    file
}

/// A token that can be refreshed, and a secret.
fn context() -> Value {
    let mut context = refresh::token("old", "refresh-1", 3600);
    context["api_key"] = "a-secret-of-the-account".into();
    context
}

struct Story {
    scene: Scene,
    says: Rc<Cell<Says>>,
}

impl Story {
    /// An account that everything was done with: each of its object's tables has a row.
    fn whole() -> Self {
        let world = World::with(&[("SEALING_KEYS", OLD)]);
        let says = provider(&world);
        let scene = Scene::new(world, &file(), "oauth2", &context());
        let story = Self { scene, says };
        story.prepare();
        story.syncs();
        story.receives("1", false).expect(200);
        story.receives("2", true).expect(200);
        story.writes_with_a_key();
        story.is_suspected();
        story.is_refused_for_no_reason();
        story.begins_to_connect_again();
        story.pass(10);
        story
    }

    fn client(&self) -> &Client {
        &self.scene.setting.client
    }

    /// What goes on in the background is done.
    fn pass(&self, seconds: u64) {
        let world = &self.scene.world;
        world.pass(Duration::from_secs(seconds));
        block_on(world.run_passing(world.ring_alarms()));
        block_on(world.run(async {}));
    }

    /// A subscription, the secret of the webhooks, a token of the account.
    fn prepare(&self) {
        let secret =
            json!({ "override": { "secret_environment_variables": { "webhook_secret": SECRET } } });
        let install = format!("/environment-integration/{}", self.scene.setting.install);
        self.client().send("PATCH", &install, &secret).expect(200);
        let subscription = json!({ "target_url": "https://hooks.customer.example/in" });
        self.client().post("/webhook", &subscription).expect(201);
        let own = json!({ "integrated_account_id": self.scene.account });
        let made = self.client().post("/integrated-account/token", &own);
        made.expect(201);
        let agents = format!("/integrated-account/{}/mcp", self.scene.account);
        let agent = json!({ "name": "agent" });
        self.client().post(&agents, &agent).expect(201);
    }

    /// One sync has a run that has ended, the other one that goes on.
    fn syncs(&self) {
        for _ in 0..3 {
            self.pass(1);
        }
    }

    fn receives(&self, id: &str, is_bad: bool) -> Answer {
        let provider = Client {
            world: self.scene.world.clone(),
            token: String::new(),
        };
        let body = json!({ "id": id, "is_bad": is_bad }).to_string();
        let signature = signed(SECRET, &body);
        let headers = [
            ("content-type", "application/json"),
            ("x-signature", signature.as_str()),
        ];
        let path = format!("/integrated-account-webhook/{}", self.scene.account);
        provider.request("POST", &path, &headers, Body::from_bytes(body))
    }

    fn calls(&self) -> Answer {
        self.scene.ask_passing("GET", "/proxy/items/1", &[])
    }

    fn writes_with_a_key(&self) {
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", "once"),
        ];
        let written = self.scene.ask_passing("POST", "/proxy/items", &headers);
        written.expect(200);
    }

    /// A refusal that a new token does not help, which nothing confirms.
    fn is_suspected(&self) {
        self.says.set(Says::Refused);
        assert_eq!(self.calls().status, 401);
    }

    fn is_refused_for_no_reason(&self) {
        self.says.set(Says::Unclear);
        self.pass(121);
        assert_eq!(self.calls().code(503), "provider.token_endpoint");
    }

    fn begins_to_connect_again(&self) {
        let link = json!({ "integrated_account_id": self.scene.account });
        let (world, setting) = (&self.scene.world, &self.scene.setting);
        let made = setting.client.post("/link-token", &link).expect(201);
        let mut browser = Browser::of(world);
        let form = [
            ("link_token", made["link_token"].as_str().unwrap()),
            ("credential", "oauth2"),
        ];
        let answer = browser.post("/connect/rotating-oauth", &form);
        assert_eq!(answer.status, 303, "{}", answer.text());
    }

    /// The subscriber is well again: what is left is tried again within some hours.
    fn delivers_everything(&self) {
        self.says.set(Says::Yes);
        for _ in 0..8 {
            self.pass(6 * 3_600);
        }
    }

    fn object(&self) -> ObjectName {
        self.scene.object()
    }
}

/// A provider, its token endpoint and a subscriber: what they say can be changed.
fn provider(world: &World) -> Rc<Cell<Says>> {
    let says = Rc::new(Cell::new(Says::Yes));
    let said = Rc::clone(&says);
    let json = [("content-type", "application/json")];
    world.provides(move |sent| match said.get() {
        _ if sent.url.contains("hooks.customer") && said.get() != Says::Yes => {
            reply(500, &[], Body::Empty)
        }
        Says::Unclear if sent.url.ends_with("/token") => reply(403, &[], Body::from_bytes("no")),
        _ if sent.url.ends_with("/token") => {
            let token = r#"{"access_token":"new","refresh_token":"refresh-2","expires_in":120}"#;
            reply(200, &json, Body::from_bytes(token))
        }
        Says::Yes if sent.url.contains("/synced") && !sent.url.contains("after=") => {
            let page = r#"{"data":[{"id":"1"}],"next":"second"}"#;
            reply(200, &json, Body::from_bytes(page))
        }
        Says::Yes if sent.url.contains("/synced") => reply(503, &json, Body::from_bytes("{}")),
        Says::Refused => reply(401, &json, Body::from_bytes("{}")),
        Says::Yes | Says::Unclear => reply(200, &json, Body::from_bytes("{}")),
    });
    says
}

/// The account's own tables that have rows, or have none.
fn own_tables(story: &Story, are_filled: bool) -> Vec<String> {
    let (world, object) = (&story.scene.world, story.object());
    let is_meant = |table: &String| {
        let rows = world.rows(object, &format!("SELECT 1 FROM {table}"));
        !OF_EVENTS.contains(&table.as_str()) && (rows > 0) == are_filled
    };
    tables(world, object).into_iter().filter(is_meant).collect()
}

#[test]
fn the_story_fills_every_table_that_the_sources_declare() {
    let story = Story::whole();
    let (world, object) = (&story.scene.world, story.object());
    let made = tables(world, object);
    let mut empty: Vec<String> = declared_tables().into_iter().map(|own| own.name).collect();
    assert!(empty.len() > 10, "{empty:?}");
    empty.retain(|name| {
        let is_filled = || world.rows(object, &format!("SELECT 1 FROM {name}")) > 0;
        !made.contains(name) || !(OF_THE_DIRECTORY.contains(&name.as_str()) || is_filled())
    });
    assert!(empty.is_empty(), "the story leaves them empty: {empty:?}");
}

#[test]
fn an_account_that_is_deleted_leaves_no_row_of_its_own_and_then_no_table() {
    let story = Story::whole();
    let empty = own_tables(&story, false);
    assert!(empty.is_empty(), "the story leaves them empty: {empty:?}");
    let path = format!("/integrated-account/{}", story.scene.account);
    // The index does not answer: what is left in between is looked at.
    let fault = ("forget_account".into(), Fault::Lost);
    story.scene.world.0.faults.borrow_mut().push_back(fault);
    story.client().delete(&path).expect(200);
    assert_eq!(own_tables(&story, true), ["account"]);
    let (world, object) = (&story.scene.world, story.object());
    let left =
        "SELECT 1 FROM account WHERE record IS NULL AND sealed IS NULL AND pending IS NOT NULL";
    assert_eq!(world.rows(object, left), 1, "only the way out of the index");
    story.delivers_everything();
    assert_eq!(tables(world, object), [""; 0], "everything was delivered");
}

#[test]
fn a_rotation_leaves_no_row_under_the_old_key() {
    let story = Story::whole();
    let object = story.object();
    let sealed = with_text(&story.scene.world, object, "k1.");
    let known = ["account", "kept_answer", "login", "sync", "token", "unread"];
    assert_eq!(sealed, known, "what the story seals is listed here");
    let mut declared = declared_tables();
    declared.retain(|own| own.is_sealed);
    let declared: Vec<String> = declared.into_iter().map(|own| own.name).collect();
    assert_eq!(
        declared, known,
        "a table with the column `sealed` is listed here"
    );
    let keys = format!("{NEW},{OLD}");
    let world = story.scene.world.deployed_with(&[("SEALING_KEYS", &keys)]);
    let id: AccountId = story.scene.account.parse().unwrap();
    let resealed = send_to_account::<Option<String>>(&world, id, &AccountMessage::Reseal);
    let key = block_on(world.run(resealed)).unwrap();
    assert_eq!(key.as_deref(), Some("k2"));
    assert_eq!(with_text(&world, object, "k1."), [""; 0]);
    assert_eq!(with_text(&world, object, "k2."), sealed);
}

#[test]
fn an_object_whose_storage_was_erased_remembers_nothing_of_it() {
    let story = Story::whole();
    let (world, object) = (&story.scene.world, story.object());
    let id: AccountId = story.scene.account.parse().unwrap();
    let rows = world.select(object, "SELECT record FROM account");
    let record: Value = serde_json::from_str(rows[0][0].as_text().unwrap()).unwrap();
    let path = format!("/integrated-account/{}", story.scene.account);
    story.client().delete(&path).expect(200);
    story.delivers_everything();
    assert_eq!(tables(world, object), [""; 0]);
    // The same object stores the account again, and each of its components makes its tables again.
    let mut account: Account = serde_json::from_value(record).unwrap();
    account.context = context();
    let import = AccountMessage::Import(Box::new(account), LifecycleActions::Skip);
    block_on(world.run(send_to_account::<Value>(world, id, &import))).unwrap();
    story.receives("1", false).expect(200);
    story.writes_with_a_key();
    story.pass(10);
    for table in ["account", "token", "event", "seen", "kept_answer", "log"] {
        assert!(story.scene.rows(table) > 0, "{table}");
    }
}
