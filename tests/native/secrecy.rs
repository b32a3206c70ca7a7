//! Secrecy sticks: what was sealed once stays sealed, whatever the file says of it later.

use std::cell::Cell;

use serde_json::{Value, json};

use crate::client::{Answer, Setting};
use crate::connect::Browser;
use crate::outside::World;

const PIN: &str = "PIN-SECRET-456-OF-A-CUSTOMER";
const OTHER: &str = "ANOTHER-PIN-789-OF-A-CUSTOMER";

fn file(fields: &Value) -> Value {
    json!({ "name": "desk", "config": {
        "base_url": "https://api.desk.example",
        "credentials": {
            "api_key": { "format": "api_key", "config": { "fields": fields } },
            "oauth2": { "format": "oauth2", "config": {
                "client": { "id": "i", "secret": "s-of-the-client" },
                "auth": { "tokenHost": "https://login.desk.example", "tokenPath": "/t", "authorizePath": "/a" },
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

struct Desk {
    world: World,
    setting: Setting,
    account: String,
    pin: Cell<&'static str>,
}

impl Desk {
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
            .send("PUT", "/integration/desk", &file(fields))
            .expect(200);
    }

    fn act(&self, action: &str) -> Answer {
        let path = format!("/proxy/_/{action}?integrated_account_id={}", self.account);
        self.setting.client.post(&path, &json!({}))
    }

    /// Everything that shows something of the account, and what lies in clear.
    fn shown(&self) -> String {
        let client = &self.setting.client;
        let token = json!({ "integrated_account_id": self.account });
        let token = client.post("/integrated-account/token", &token).expect(201);
        let own = client.with_token(token["integrated_account_token"].as_str().unwrap());
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
type Way = (&'static str, fn(&Desk));

/// How the file comes to call it no secret.
fn changes() -> Vec<Way> {
    vec![
        ("text", |desk| desk.puts(&fields("pin", "text"))),
        ("renamed", |desk| desk.puts(&fields("pin2", "password"))),
        ("dropped", |desk| {
            desk.puts(&json!([{ "name": "key", "type": "password" }]));
        }),
        ("overridden by the install", |desk| {
            let body = json!({ "environment_id": desk.setting.environment, "override": { "credentials": { "api_key": { "config": { "fields": fields("pin", "text") } } } } });
            let path = format!("/environment-integration/{}", desk.setting.install);
            desk.setting.admin.send("PATCH", &path, &body).expect(200);
        }),
        ("overridden by the account", |desk| {
            let body = json!({ "integration_override": { "credentials": { "api_key": { "config": { "fields": fields("pin", "text") } } } } });
            let admin = &desk.setting.admin;
            admin.send("PATCH", &desk.path(""), &body).expect(200);
        }),
    ]
}

/// How an account comes to be stored again.
fn stores() -> Vec<Way> {
    vec![
        ("a new tenant", |desk| {
            desk.patch("", &json!({ "tenant_id": "t2" })).expect(200);
        }),
        ("another key", |desk| {
            desk.patch("", &json!({ "context": { "memo": "n" } }))
                .expect(200);
        }),
        ("the key itself", |desk| {
            desk.patch("", &json!({ "context": { "pin": OTHER } }))
                .expect(200);
            desk.pin.set(OTHER);
        }),
        ("other credentials", |desk| {
            desk.patch(
                "/credentials",
                &json!({ "context": { "key": "another-key" } }),
            )
            .expect(200);
        }),
        ("an action", |desk| drop(desk.act("writes").expect(200))),
        ("a handshake", |desk| {
            let path = format!("/integrated-account-webhook/{}", desk.account);
            desk.setting.client.with_token("").post(&path, &json!({}));
        }),
        ("connecting again", |desk| {
            let link = json!({ "integrated_account_id": desk.account, "integration": "desk" });
            let made = desk.setting.client.post("/link-token", &link).expect(201);
            let token = made["link_token"].as_str().unwrap();
            let mut browser = Browser::of(&desk.world);
            let page = browser.get(&format!(
                "/connect/desk?credential=api_key&link_token={token}"
            ));
            assert!(!page.text().contains(PIN));
            let pairs = [
                ("link_token", token),
                ("credential", "api_key"),
                ("key", "a-new-key"),
                ("memo", "n"),
            ];
            assert_eq!(browser.post("/connect/desk", &pairs).status, 200);
        }),
        ("a refusal", |desk| {
            desk.world.answers(401, &[], "{}");
            let path = format!("/proxy/tickets?integrated_account_id={}", desk.account);
            desk.setting.client.get(&path);
        }),
        ("a rotation of the sealing keys", |desk| {
            desk.setting.admin.post("/sealing/rotate", &json!({}));
            desk.world.settle();
        }),
    ]
}

#[test]
fn what_was_sealed_once_is_shown_nowhere_whatever_the_file_says_later() {
    for (change, make) in changes() {
        for (way, store) in stores() {
            let desk = Desk::new();
            make(&desk);
            desk.world.pass(std::time::Duration::from_secs(61));
            store(&desk);
            let is_shown = || [PIN, OTHER].iter().any(|pin| desk.shown().contains(pin));
            assert!(!is_shown(), "{change}, then {way}");
            desk.world.restart();
            store(&desk);
            assert!(!is_shown(), "{change}, then {way} again");
        }
    }
}

#[test]
fn new_credentials_for_the_key_end_its_secrecy_where_the_file_says_so() {
    for (kind, is_shown) in [("text", true), ("password", false)] {
        let desk = Desk::new();
        desk.puts(&fields("pin", kind));
        desk.world.pass(std::time::Duration::from_secs(61));
        let body = json!({ "context": { "pin": "no-secret-any-more" } });
        desk.patch("/credentials", &body).expect(200);
        desk.pin.set("no-secret-any-more");
        let shown = desk.shown();
        assert_eq!(shown.contains("no-secret-any-more"), is_shown, "{kind}");
        assert!(!shown.contains(PIN));
    }
}
