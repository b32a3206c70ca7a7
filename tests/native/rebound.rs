//! What leaves a secret where it is: a change that leads it to no other host and uses it in no other way asks for it no
//! second time.

use causeway::json;
use serde_json::{Value, json};

use crate::client::{Answer, Client, Setting};
use crate::outside::{World, reply};
use causeway::ports::Body;

const HOME: &str = "https://api.cove.example";

fn file(change: &Value) -> Value {
    let mut file = json!({ "name": "cove", "config": {
        "base_url": HOME, "custom": true,
        "headers": { "x-op": "{{environment_variables.op}}", "x-two": "{{environment_variables.op}}" },
        "credentials": { "api_key": { "format": "api_key", "config": { "fields": [{ "name": "site" }] } } },
        "resources": { "a": { "list": { "path": "/a", "response_path": "r" } } },
        "webhook": {
            "signature_verification": { "format": "hmac", "config": { "secret": "{{environment_variables.op}}", "compare_with": "$header.x-s",
                "timestamp": { "from": "$header.x-t", "tolerance": 300 } } },
            "payload_transform": "{ \"event_type\": \"record:x\", \"payload\": body }",
        },
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
    fn new() -> Self {
        let world = World::new();
        world.provides(|_| {
            let body = Body::from_bytes(r#"{"r":[]}"#);
            reply(200, &[("content-type", "application/json")], body)
        });
        let setting = Setting::new(&world, &file(&json!({})));
        let account = setting.account("api_key", &json!({ "site": "s" }));
        let story = Self {
            world,
            setting,
            account,
        };
        let secret = json!({ "secret_environment_variables": { "op": "operators-key-4711-abc" } });
        story.install_by(&story.setting.client, &secret).expect(200);
        story
    }

    fn install_by(&self, client: &Client, change: &Value) -> Answer {
        let path = format!(
            "/environment-integration/{}?environment_id={}",
            self.setting.install, self.setting.environment
        );
        client.send("PATCH", &path, &json!({ "override": change }))
    }

    fn puts(&self, change: &Value) {
        let admin = &self.setting.admin;
        admin
            .send("PUT", "/integration/cove", &file(change))
            .expect(200);
        self.world.pass(std::time::Duration::from_secs(121));
    }

    fn call(&self) -> Answer {
        let path = format!("/proxy/a?integrated_account_id={}", self.account);
        self.setting.client.get(&path)
    }
}

#[test]
fn a_new_file_that_leads_a_variable_nowhere_else_needs_it_not_again() {
    let method =
        |base: &str| json!({ "resources": { "b": { "get": { "path": "/b", "base_url": base } } } });
    for same in [
        json!({}),
        method("https://api.cove.example/upload"),
        method("https://API.cove.example:443"),
        json!({ "base_url": "https://api.cove.example/v2" }),
        json!({ "allowed_hosts": ["api.cove.example"] }),
        json!({ "credentials": { "api_key": { "config": { "fields": [{ "name": "site" }, { "name": "z", "allow_dots": true }] } } } }),
        json!({ "webhook": { "signature_verification": { "config": { "timestamp": { "tolerance": 60 } } } } }),
        json!({ "headers": { "x-two": null } }),
        json!({ "headers": null }),
        json!({ "webhook": null }),
        json!({ "headers": null, "webhook": null }),
    ] {
        let story = Story::new();
        story.puts(&same);
        story.call().expect(200);
        story.puts(&json!({}));
        story.call().expect(200);
    }
    for other in [
        method("https://other.cove.example"),
        method("http://api.cove.example"),
        method("https://api.cove.example:8443"),
        method("https://{{site?:a/b}}.cove.example"),
        json!({ "base_url": "https://other.cove.example" }),
        json!({ "allowed_hosts": ["other.cove.example"] }),
        json!({ "headers": { "x-three": "{{environment_variables.op}}" } }),
        json!({ "headers": { "x-two": "a {{environment_variables.op}}" } }),
        json!({ "webhook": { "signature_verification": { "config": { "timestamp": { "from": "$header.x-u" } } } } }),
        json!({ "base_url": "https://{{site}}.cove.example", "allowed_hosts": ["a.cove.example"] }),
    ] {
        let story = Story::new();
        story.puts(&other);
        assert_eq!(
            story.call().code(409),
            "integration.secret_unbound",
            "{other}"
        );
        story.puts(&json!({}));
        story.call().expect(200);
    }
}

#[test]
fn an_override_that_only_takes_a_use_of_a_variable_away_needs_it_not_again() {
    for change in [
        json!({ "headers": { "x-op": "mine" } }),
        json!({ "webhook": { "signature_verification": { "config": { "timestamp": { "tolerance": 60 } } } } }),
    ] {
        let story = Story::new();
        story.install_by(&story.setting.client, &change).expect(200);
        story.call().expect(200);
    }
    let story = Story::new();
    let change =
        json!({ "webhook": { "signature_verification": { "config": { "algorithm": "sha512" } } } });
    assert_eq!(
        story.install_by(&story.setting.client, &change).code(422),
        "caller.host_key"
    );
}

#[test]
fn fields_with_dots_count_where_they_stand_in_a_host() {
    let story = Story::new();
    let open = |dots: bool| json!({ "base_url": "https://{{site}}.cove.example", "credentials": { "api_key": { "config": { "fields": [{ "name": "site", "allow_dots": dots }] } } } });
    story.puts(&open(false));
    let secret = json!({ "secret_environment_variables": { "op": "operators-key-4711-abc" } });
    story.install_by(&story.setting.admin, &secret).expect(200);
    story.world.pass(std::time::Duration::from_secs(121));
    story.call().expect(200);
    story.puts(&open(true));
    assert_eq!(story.call().code(409), "integration.secret_unbound");
}
