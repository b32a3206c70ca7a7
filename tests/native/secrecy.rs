//! What was sealed once stays sealed, even if the file later declares it differently.

use std::cell::Cell;

use serde_json::{Value, json};

use crate::cases::each_case;
use crate::client::{Answer, Setting};
use crate::connect::Browser;
use crate::outside::World;

const PIN: &str = "PIN-SECRET-456-OF-A-CUSTOMER";
const OTHER: &str = "ANOTHER-PIN-789-OF-A-CUSTOMER";

fn file(fields: &Value) -> Value {
    json!({ "name": "oauth-and-webhook", "config": {
        "base_url": "https://api.oauth-and-webhook.example",
        "credentials": {
            "api_key": { "format": "api_key", "config": { "fields": fields } },
            "oauth2": { "format": "oauth2", "config": {
                "client": { "id": "i", "secret": "s-of-the-client" },
                "auth": { "tokenHost": "https://login.oauth-and-webhook.example", "tokenPath": "/t", "authorizePath": "/a" },
            } },
        },
        "authorization": { "format": "header", "config": { "name": "x-key", "value": "{{key?:none}}" } },
        "resources": { "tickets": { "list": { "path": "/tickets" } } },
        "actions": {
            "writes": { "type": "update_context", "config": { "memo": "written" } },
            "shows": { "type": "get_context" },
            "repeats": { "type": "request", "config": { "path": "/echo" } },
        },
        "webhook": {
            "signature_verification": { "format": "hmac", "config": { "secret": "{{webhook_secret}}", "compare_with": "$header.x-signature" } },
            "handle_verification": "{ \"type\": \"verify\", \"update_context\": { \"webhook_secret\": \"handed-over-secret\" } }",
            "allow_unsigned_handshake": true,
            "payload_transform": "{ \"event_type\": \"desk:x\", \"payload\": $merge([body, {\"context\": context}]) }",
        },
    } })
}

fn fields(pin: &str, kind: &str) -> Value {
    json!([{ "name": "key", "type": "password" }, { "name": pin, "type": kind }, { "name": "memo" }])
}

struct Story {
    world: World,
    setting: Setting,
    account: String,
    pin: Cell<&'static str>,
}

impl Story {
    fn new() -> Self {
        let world = World::new();
        let setting = Setting::new(&world, &file(&fields("pin", "password")));
        let context = json!({ "key": "a-key-of-them", "pin": PIN, "memo": "m" });
        let account = setting.account("api_key", &context);
        Self {
            world,
            setting,
            account,
            pin: Cell::new(PIN),
        }
    }

    fn path(&self, rest: &str) -> String {
        format!("/integrated-account/{}{rest}", self.account)
    }

    fn patch(&self, rest: &str, body: &Value) -> Answer {
        self.setting.client.send("PATCH", &self.path(rest), body)
    }

    fn puts(&self, fields: &Value) {
        let admin = &self.setting.admin;
        admin
            .send("PUT", "/integration/oauth-and-webhook", &file(fields))
            .expect(200);
    }

    fn act(&self, action: &str) -> Answer {
        let path = format!("/proxy/_/{action}?integrated_account_id={}", self.account);
        self.setting.client.post(&path, &json!({}))
    }

    /// Everything that shows something of the account, and what lies in clear.
    fn record_text(&self) -> String {
        let client = &self.setting.client;
        let own = self.setting.customer(&self.account);
        let mut all = vec![
            client.get(&self.path("")).text().to_owned(),
            client.get("/integrated-account").text().to_owned(),
            own.get("/integrated-account/me").text().to_owned(),
            self.act("shows").text().to_owned(),
        ];
        let echo = json!({ "echo": self.pin.get() }).to_string();
        self.world.answers(200, &[], &echo);
        all.push(self.act("repeats").text().to_owned());
        let events = format!("/event?integrated_account_id={}", self.account);
        for event in client.get(&events).expect(200)["result"]
            .as_array()
            .unwrap()
        {
            let path = format!("/event/{}", event["id"].as_str().unwrap());
            all.push(client.get(&path).text().to_owned());
        }
        all.push(self.world.at_rest());
        all.join("\n")
    }
}

/// Something that is done, and how.
type Way = (&'static str, fn(&Story));

/// How the file stops calling it a secret.
fn changes() -> Vec<Way> {
    vec![
        ("text", |story| story.puts(&fields("pin", "text"))),
        ("renamed", |story| story.puts(&fields("pin2", "password"))),
        ("dropped", |story| {
            story.puts(&json!([{ "name": "key", "type": "password" }]));
        }),
        ("overridden by the install", |story| {
            let body = json!({ "environment_id": story.setting.environment, "override": { "credentials": { "api_key": { "config": { "fields": fields("pin", "text") } } } } });
            let path = format!("/environment-integration/{}", story.setting.install);
            story.setting.admin.send("PATCH", &path, &body).expect(200);
        }),
        ("overridden by the account", |story| {
            let body = json!({ "integration_override": { "credentials": { "api_key": { "config": { "fields": fields("pin", "text") } } } } });
            let admin = &story.setting.admin;
            admin.send("PATCH", &story.path(""), &body).expect(200);
        }),
    ]
}

/// What stores an account again.
fn stores() -> Vec<Way> {
    vec![
        ("a new tenant", |story| {
            story.patch("", &json!({ "tenant_id": "t2" })).expect(200);
        }),
        ("another key", |story| {
            story
                .patch("", &json!({ "context": { "memo": "n" } }))
                .expect(200);
        }),
        ("the key itself", |story| {
            story
                .patch("", &json!({ "context": { "pin": OTHER } }))
                .expect(200);
            story.pin.set(OTHER);
        }),
        ("other credentials", |story| {
            story
                .patch(
                    "/credentials",
                    &json!({ "context": { "key": "another-key" } }),
                )
                .expect(200);
        }),
        ("an action", |story| drop(story.act("writes").expect(200))),
        ("a handshake", |story| {
            let path = format!("/integrated-account-webhook/{}", story.account);
            story.setting.client.with_token("").post(&path, &json!({}));
        }),
        ("connecting again", |story| {
            let link = json!({ "integrated_account_id": story.account, "integration": "oauth-and-webhook" });
            let made = story.setting.client.post("/link-token", &link).expect(201);
            let token = made["link_token"].as_str().unwrap();
            let mut browser = Browser::of(&story.world);
            let page = browser.get(&format!(
                "/connect/oauth-and-webhook?credential=api_key&link_token={token}"
            ));
            assert!(!page.text().contains(PIN));
            let pairs = [
                ("link_token", token),
                ("credential", "api_key"),
                ("key", "a-new-key"),
                ("memo", "n"),
            ];
            assert_eq!(
                browser.post("/connect/oauth-and-webhook", &pairs).status,
                200
            );
        }),
        ("a refusal", |story| {
            story.world.answers(401, &[], "{}");
            let path = format!("/proxy/tickets?integrated_account_id={}", story.account);
            story.setting.client.get(&path);
        }),
        ("a rotation of the sealing keys", |story| {
            story.setting.admin.post("/sealing/rotate", &json!({}));
            story.world.settle();
        }),
    ]
}

#[test]
fn what_was_sealed_once_is_shown_nowhere_whatever_the_file_says_later() {
    each_case(changes(), |(change, make)| {
        each_case(stores(), |(way, store)| {
            let story = Story::new();
            make(&story);
            story.world.pass(std::time::Duration::from_secs(61));
            store(&story);
            let is_shown = || {
                [PIN, OTHER]
                    .iter()
                    .any(|pin| story.record_text().contains(pin))
            };
            assert!(!is_shown(), "{change}, then {way}");
            story.world.restart();
            store(&story);
            assert!(!is_shown(), "{change}, then {way} again");
        });
    });
}

#[test]
fn new_credentials_for_the_key_end_its_secrecy_where_the_file_says_so() {
    each_case([("text", true), ("password", false)], |(kind, is_shown)| {
        let story = Story::new();
        story.puts(&fields("pin", kind));
        story.world.pass(std::time::Duration::from_secs(61));
        let body = json!({ "context": { "pin": "no-secret-any-more" } });
        story.patch("/credentials", &body).expect(200);
        story.pin.set("no-secret-any-more");
        let record_text = story.record_text();
        assert_eq!(
            record_text.contains("no-secret-any-more"),
            is_shown,
            "{kind}"
        );
        assert!(!record_text.contains(PIN));
    });
}
