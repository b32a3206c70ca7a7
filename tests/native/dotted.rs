//! A key of a context has no dot in it: a path such as `server.url` reads `url` inside `server`, and nothing else.

use serde_json::{Value, json};

use crate::client::{Answer, Setting, id_of};
use crate::connect::Browser;
use crate::outside::{World, reply};
use causeway::ports::Body;

const HOME: &str = "https://home.dots.example";
const EVIL: &str = "https://evil.example";
const KEY: &str = "customers-own-key-4711";
const PIN: &str = "PIN-SECRET-456-OF-A-CUSTOMER";

fn file(conn: &str) -> Value {
    json!({ "name": "dots", "config": {
        "base_url": "{{server.url}}", "allowed_hosts": ["*"],
        "credentials": { "api_key": { "format": "api_key", "config": { "fields": [
            { "name": "api_key", "type": "password" }, { "name": "conn", "type": conn }, { "name": "memo" } ] } } },
        "authorization": { "format": "header", "config": { "name": "x-key", "value": "{{api_key}}" } },
        "actions": {
            "save": { "steps": [{ "type": "update_context", "config": "$" }] },
            "put": { "steps": [{ "type": "set_context", "config": "$" }] },
        },
    } })
}

struct Story {
    world: World,
    setting: Setting,
    account: String,
}

impl Story {
    fn new() -> Self {
        let world = World::new();
        world.provides(|_| {
            reply(
                200,
                &[("content-type", "application/json")],
                Body::from_bytes("{}"),
            )
        });
        let setting = Setting::new(&world, &file("password"));
        let context = json!({ "api_key": KEY, "server": { "url": HOME }, "conn": { "pin": PIN, "host": "h" } });
        let account = setting.account("api_key", &context);
        Self {
            world,
            setting,
            account,
        }
    }

    fn patch(&self, rest: &str, context: &Value) -> Answer {
        let path = format!("/integrated-account/{}{rest}", self.account);
        let body = json!({ "context": context });
        self.setting.client.send("PATCH", &path, &body)
    }

    fn import(&self, context: &Value) -> Answer {
        let body = json!({ "tenant_id": "t", "environment_integration_id": self.setting.install, "authentication_method": "api_key", "context": context });
        self.setting.client.post("/integrated-account", &body)
    }

    fn link(&self, context: &Value) -> Answer {
        let body = json!({ "integrated_account_id": self.account, "context": context });
        self.setting.client.post("/link-token", &body)
    }

    fn act(&self, action: &str, body: &Value) -> Answer {
        let path = format!("/proxy/_/{action}?integrated_account_id={}", self.account);
        self.setting.client.post(&path, body)
    }

    fn goes_home(&self, account: &str) {
        self.world.sent();
        let path = format!("/custom/x?integrated_account_id={account}");
        self.setting.client.get(&path).expect(200);
        for sent in self.world.sent() {
            assert!(sent.url.starts_with(HOME), "{}", sent.url);
        }
    }

    fn shown(&self) -> Value {
        let path = format!("/integrated-account/{}", self.account);
        self.setting.client.get(&path).expect(200)["context"].clone()
    }

    fn puts(&self, conn: &str) {
        let admin = &self.setting.admin;
        admin
            .send("PUT", "/integration/dots", &file(conn))
            .expect(200);
        self.world.pass(std::time::Duration::from_secs(121));
    }
}

/// Contexts with a dot in a key, at each level that a path passes.
fn dotted() -> Vec<Value> {
    vec![
        json!({ "server.url": EVIL }),
        json!({ "server": { "url": HOME }, "server.url": EVIL }),
        json!({ "context.server.url": EVIL }),
        json!({ "deep": { "server.url": EVIL } }),
        json!({ "list": [{ "server.url": EVIL }] }),
        json!({ "oauth.token.access_token": "a-token-in-clear-4711" }),
        json!({ "oauth": { "token.access_token": "a-token-in-clear-4711" } }),
        json!({ "db.password": "a-password-in-clear-4711" }),
        json!({ ".": 1 }),
    ]
}

#[test]
fn a_key_of_a_context_has_no_dot_by_whatever_way_it_comes() {
    for context in dotted() {
        let story = Story::new();
        let mut whole = json!({ "api_key": KEY, "server": { "url": HOME } });
        whole
            .as_object_mut()
            .unwrap()
            .extend(context.as_object().unwrap().clone());
        for (way, answer) in [
            ("import", story.import(&whole)),
            ("patch", story.patch("", &context)),
            ("credentials", story.patch("/credentials", &context)),
            ("link", story.link(&context)),
        ] {
            let text = answer.text().to_owned();
            assert_eq!(answer.code(422), "caller.invalid", "{way} {context}");
            assert!(text.contains("dot"), "{way}: {text}");
        }
        story.goes_home(&story.account);
        assert!(!story.world.at_rest().contains("in-clear"), "{context}");
    }
}

#[test]
fn no_action_gives_a_context_a_key_with_a_dot() {
    for context in [
        json!({ "server.url": EVIL }),
        json!({ "oauth.token.access_token": "x" }),
    ] {
        for action in ["save", "put"] {
            let story = Story::new();
            let refused = story.act(action, &context);
            assert_eq!(refused.code(422), "caller.invalid", "{action} {context}");
            story.goes_home(&story.account);
            // Inside a value of the provider it names nothing.
            let inside = json!({ "profile": { "@odata.type": "#user", "server.url": EVIL } });
            story.act(action, &inside).expect(200);
            story.goes_home(&story.account);
        }
    }
}

#[test]
fn a_null_takes_a_key_with_a_dot_out() {
    let story = Story::new();
    story.patch("", &json!({ "old.key": null })).expect(200);
}

#[test]
fn a_file_names_no_key_of_a_context_with_a_dot() {
    let story = Story::new();
    let oauth = |more: Value| {
        let mut config = json!({ "client": { "id": "{{client_id}}", "secret": "{{client_secret}}" }, "auth": { "tokenHost": HOME, "tokenPath": "/t", "authorizePath": "/a" }, "fields": [] });
        causeway::json::merge(&mut config, &more);
        json!({ "credentials": { "oauth2": { "format": "oauth2", "config": config } } })
    };
    let steps = |kind: &str| json!({ "actions": { "a": { "type": kind, "config": { "server.url": "x" } } } });
    for change in [
        oauth(json!({ "contextFromToken": { "server.url": "url" } })),
        oauth(json!({ "contextFromCallback": { "server.url": "url" } })),
        oauth(json!({ "fields": [{ "name": "server.url" }] })),
        steps("update_context"),
        steps("set_context"),
    ] {
        let mut with = file("text");
        causeway::json::merge(&mut with["config"], &change);
        let body = json!({ "name": "v", "config": with["config"] });
        let answer = story.setting.admin.post("/integration/validate", &body);
        assert_eq!(answer.expect(200)["valid"], false, "{change}");
    }
}

#[test]
fn what_is_secret_inside_a_key_stays_so_when_other_parts_of_it_are_given_again() {
    let story = Story::new();
    story.puts("text");
    for (way, written) in [
        (
            "credentials",
            story.patch("/credentials", &json!({ "conn": { "x": 1 } })),
        ),
        ("patch", story.patch("", &json!({ "conn": { "y": 1 } }))),
    ] {
        written.expect(200);
        let shown = story.shown();
        assert!(!shown.to_string().contains(PIN), "{way}: {shown}");
        assert_eq!(shown["conn"]["x"], 1, "{way}");
    }
    let link = story.link(&json!({ "conn": { "z": 1 } })).expect(201);
    let pairs = [
        ("link_token", link["link_token"].as_str().unwrap()),
        ("credential", "api_key"),
        ("memo", "m"),
    ];
    let mut browser = Browser::of(&story.world);
    assert_eq!(browser.post("/connect/dots", &pairs).status, 200);
    let shown = story.shown();
    assert!(!shown.to_string().contains(PIN), "{shown}");
    assert_eq!(shown["conn"]["z"], 1);
    assert!(!story.world.at_rest().contains(PIN));
    // What is given anew is what the file calls it now.
    story
        .patch("/credentials", &json!({ "conn": { "pin": "a-new-pin" } }))
        .expect(200);
    assert_eq!(story.shown()["conn"]["pin"], "a-new-pin");
    story
        .patch("/credentials", &json!({ "conn": "a-text" }))
        .expect(200);
    assert_eq!(story.shown()["conn"], "a-text");
}

#[test]
fn an_import_with_plain_keys_goes_where_it_says() {
    let story = Story::new();
    let context =
        json!({ "api_key": KEY, "server": { "url": HOME }, "note": { "a": [1, { "b": "c.d" }] } });
    story.goes_home(&id_of(&story.import(&context).expect(201)));
}
