//! What an override comes to: an API token leaves every host, and every way of signing in, as it is.

use causeway::json;
use serde_json::{Value, json};

use crate::client::{Answer, Client, Setting};
use crate::outside::{World, reply};
use causeway::ports::Body;

const HOME: &str = "https://api.bay.example";
const OTHER: &str = "https://other.bay.example";

fn file(change: &Value) -> Value {
    let mut file = json!({ "name": "bay", "config": {
        "base_url": HOME,
        "credentials": { "api_key": { "format": "api_key", "config": { "fields": [{ "name": "api_key", "type": "password" }, { "name": "site" }] } } },
        "authorization": { "format": "header", "config": { "name": "x-key", "value": "{{api_key}}" } },
        "resources": { "a": { "list": { "path": "/a", "response_path": "r" }, "create": { "method": "post", "path": "/a", "body": { "n": "{{body.n}}" } } } },
        "actions": { "go": { "type": "request", "config": { "path": "/go" } } },
    } });
    json::merge(&mut file["config"], change);
    file
}

struct Story {
    world: World,
    setting: Setting,
    account: String,
}

impl Story {
    fn of(change: &Value) -> Self {
        let world = World::new();
        world.provides(|_| {
            let body = Body::from_bytes(r#"{"r":[]}"#);
            reply(200, &[("content-type", "application/json")], body)
        });
        let setting = Setting::new(&world, &file(change));
        let context = json!({ "api_key": "customers-own-key-4711", "site": HOME });
        let account = setting.account("api_key", &context);
        Self {
            world,
            setting,
            account,
        }
    }

    fn install_by(&self, client: &Client, change: &Value) -> Answer {
        let path = format!(
            "/environment-integration/{}?environment_id={}",
            self.setting.install, self.setting.environment
        );
        client.send("PATCH", &path, &json!({ "override": change }))
    }

    fn account_by(&self, client: &Client, change: &Value) -> Answer {
        let path = format!("/integrated-account/{}", self.account);
        client.send("PATCH", &path, &json!({ "integration_override": change }))
    }

    fn admin(&self, change: &Value) {
        self.install_by(&self.setting.admin, change).expect(200);
    }

    fn install(&self, change: &Value) -> Answer {
        self.install_by(&self.setting.client, change)
    }

    fn account(&self, change: &Value) -> Answer {
        self.account_by(&self.setting.client, change)
    }

    fn goes_to(&self, host: &str) {
        self.world.sent();
        let path = format!("/proxy/a?integrated_account_id={}", self.account);
        self.setting.client.get(&path).expect(200);
        let sent = self.world.sent();
        assert!(sent.iter().all(|one| one.url.starts_with(host)), "{sent:?}");
    }
}

#[track_caller]
fn refuses(answer: Answer, what: &Value) {
    let text = answer.text().to_owned();
    assert_eq!(answer.code(422), "caller.host_key", "{what}");
    assert!(text.contains("admin token"), "{what}: {text}");
}

#[test]
fn an_api_token_leads_no_host_elsewhere_by_a_variable() {
    let url = "{{environment_variables.url?:https://api.bay.example}}";
    let host = "https://{{environment_variables.url?:api}}.bay.example";
    let hosts = json!(["https://api.bay.example", "https://other.bay.example"]);
    let steps = json!([{ "type": "request", "config": { "base_url": host, "path": "/go" } }]);
    let auth = json!({ "oauth2": { "format": "oauth2", "config": { "client": { "id": "i", "secret": "{{client_secret}}" }, "auth": { "tokenHost": host, "tokenPath": "/t", "authorizePath": "/a" } } } });
    for (change, value) in [
        (json!({ "base_url": url, "allowed_hosts": hosts }), OTHER),
        (json!({ "base_url": host }), "other"),
        (
            json!({ "resources": { "a": { "list": { "base_url": host } } } }),
            "other",
        ),
        (
            json!({ "actions": { "go": { "type": null, "config": null, "steps": steps } } }),
            "other",
        ),
        (json!({ "credentials": auth }), "other"),
        (
            json!({ "webhook": { "signature_verification": { "format": "jwt", "config": { "jwks_url": host, "compare_with": "$header.x" } } } }),
            "other",
        ),
    ] {
        for kind in ["environment_variables", "secret_environment_variables"] {
            let story = Story::of(&change);
            let write = json!({ kind: { "url": value } });
            refuses(story.install(&write), &change);
            story.goes_to(HOME);
            // What the admin token set is not taken out either; what steers nothing is the environment's own.
            story.admin(&write);
            let is_base = ["/base_url", "/resources"]
                .iter()
                .any(|place| change.pointer(place).is_some());
            story.goes_to(if is_base { OTHER } else { HOME });
            refuses(story.install(&json!({ kind: { "url": null } })), &change);
            story
                .install(&json!({ "environment_variables": { "free": "x" } }))
                .expect(200);
        }
    }
}

#[test]
fn a_variable_in_the_path_of_a_url_is_the_environments_own() {
    let story = Story::of(
        &json!({ "base_url": "https://api.bay.example/{{environment_variables.version?:v1}}" }),
    );
    story
        .install(&json!({ "environment_variables": { "version": "v2" } }))
        .expect(200);
    story.goes_to("https://api.bay.example/v2/a");
}

#[test]
fn an_api_token_takes_out_no_entry_by_which_the_admin_token_fixed_a_host() {
    let open = json!({ "base_url": "{{site}}", "allowed_hosts": ["*"] });
    let narrow = json!({ "allowed_hosts": [HOME], "authorization": { "config": { "name": "x-other" } }, "resources": { "a": { "list": { "base_url": HOME, "no_auth": true } } } });
    let outs = [
        json!({ "allowed_hosts": null }),
        json!({ "allowed_hosts": ["*"] }),
        json!({ "authorization": null }),
        json!({ "authorization": { "config": { "name": "x-key" } } }),
        json!({ "authorization": { "config": { "name": null } } }),
        json!({ "resources": null }),
        json!({ "resources": { "a": null } }),
        json!({ "resources": { "a": { "list": null } } }),
        json!({ "resources": { "a": { "list": { "base_url": null } } } }),
        json!({ "resources": { "a": { "list": { "no_auth": null } } } }),
        json!({ "resources": { "a": { "list": { "no_auth": false } } } }),
    ];
    for out in &outs {
        let story = Story::of(&open);
        story.admin(&narrow);
        story.install(&json!({ "label": "mine" })).expect(200);
        refuses(story.install(out), out);
        story.goes_to(HOME);
        let story = Story::of(&open);
        story.account_by(&story.setting.admin, &narrow).expect(200);
        story.account(&json!({ "label": "mine" })).expect(200);
        refuses(story.account(out), out);
        refuses(story.account(&Value::Null), out);
        story.goes_to(HOME);
    }
}

#[test]
fn an_api_token_takes_out_what_it_wrote_itself() {
    let story = Story::of(&json!({}));
    let own = json!({ "label": "mine", "headers": { "x": "y" }, "pagination": { "format": "page", "config": { "page_key": "p" } }, "resources": {
        "a": { "list": { "path": "/b" } }, "b": { "list": { "path": "/b", "no_auth": true } } }, "actions": { "mine": { "type": "request", "config": { "path": "/c" } } } });
    let out = json!({ "label": null, "headers": null, "pagination": null, "resources": null, "actions": null });
    story.install(&own).expect(200);
    story.install(&out).expect(200);
    story.account(&own).expect(200);
    story.account(&Value::Null).expect(200);
    story
        .account(&json!({ "resources": { "a": { "list": null } } }))
        .expect(200);
}

/// Entries by which a call would be made that the file does not make.
fn calls() -> Vec<Value> {
    vec![
        json!({ "custom": true }),
        json!({ "resources": { "leak": { "get": { "path": "/echo" } } } }),
        json!({ "resources": { "leak": { "get": { "path": "/echo", "method": "delete" } } } }),
        json!({ "resources": { "a": { "get": { "path": "/echo" } } } }),
        json!({ "resources": { "a": { "list": { "path": "/echo" } } } }),
        json!({ "resources": { "a": { "list": { "method": "delete" } } } }),
        json!({ "resources": { "a": { "list": { "query": { "all": "true" } } } } }),
        json!({ "resources": { "a": { "list": { "headers": { "x-http-method-override": "DELETE" } } } } }),
        json!({ "resources": { "a": { "list": { "pagination_path": "/echo" } } } }),
        json!({ "resources": { "a": { "create": { "body": "{{body:any}}" } } } }),
        json!({ "resources": { "a": { "create": { "body": { "more": "{{body.more}}" } } } } }),
        json!({ "actions": { "leak": { "type": "request", "config": { "path": "/echo" } } } }),
        json!({ "actions": { "go": { "config": { "path": "/echo" } } } }),
        json!({ "headers": { "X-HTTP-Method-Override": "DELETE" } }),
        json!({ "query": { "_method": "delete" } }),
    ]
}

#[test]
fn where_custom_is_switched_off_an_api_token_adds_no_call_and_changes_none() {
    let off = json!({ "custom": false });
    for call in calls() {
        let by_file = Story::of(&off);
        let by_install = Story::of(&json!({}));
        by_install.admin(&off);
        for story in [&by_file, &by_install] {
            if call.get("custom").is_none() {
                refuses(story.install(&call), &call);
                refuses(story.account(&call), &call);
            } else {
                drop(story.install(&call));
                drop(story.account(&call));
            }
            let custom = format!("/custom/x?integrated_account_id={}", story.account);
            assert_eq!(
                story.setting.client.get(&custom).code(403),
                "caller.switched_off",
                "{call}"
            );
            story.install(&json!({ "label": "mine", "headers": { "user-agent": "me" }, "resources": { "a": { "list": { "description": "d" } } } })).expect(200);
            story.goes_to(HOME);
        }
        by_file
            .install_by(&by_file.setting.admin, &call)
            .expect(200);
    }
    for back in [json!({ "custom": true }), json!({ "custom": null })] {
        let story = Story::of(&json!({}));
        story.admin(&off);
        refuses(story.install(&back), &back);
        let story = Story::of(&json!({}));
        story.account_by(&story.setting.admin, &off).expect(200);
        refuses(story.account(&back), &back);
        refuses(story.account(&Value::Null), &back);
    }
    let story = Story::of(&json!({}));
    story.install(&off).expect(200);
}

#[test]
fn a_call_that_an_api_token_added_before_custom_was_switched_off_is_not_there_any_more() {
    let story = Story::of(&json!({}));
    let leak = json!({ "resources": { "leak": { "list": { "path": "/echo", "description": "d", "response_path": "r" } }, "a": { "list": { "path": "/changed", "description": "d" } } } });
    story.install(&leak).expect(200);
    let path = format!("/proxy/leak?integrated_account_id={}", story.account);
    story.setting.client.get(&path).expect(200);
    let admin = &story.setting.admin;
    admin
        .send(
            "PUT",
            "/integration/bay",
            &file(&json!({ "custom": false })),
        )
        .expect(200);
    story.world.pass(std::time::Duration::from_secs(121));
    let gone = story.setting.client.get(&path);
    assert_eq!(gone.status, 405, "{}", gone.text());
    story.goes_to("https://api.bay.example/a");
    story.admin(&leak);
    story.world.pass(std::time::Duration::from_secs(121));
    story.setting.client.get(&path).expect(200);
    story.goes_to("https://api.bay.example/changed");
}
