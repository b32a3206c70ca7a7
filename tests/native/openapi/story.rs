//! Every operation of the document is called over the twin; the client holds each answer to the document.

use std::collections::BTreeSet;

use causeway::ports::Body;
use serde_json::{Value, json};

use super::{operation, operations};
use crate::cases::each_case;
use crate::client::{Answer, Client, Setting, id_of};
use crate::inbound_webhooks::{SECRET, signed, signing_file};
use crate::outside::World;

/// Calls that this story cannot make succeed: nothing to refresh, no URL verification by GET, no customer who signed in, no
/// server of SFTP (`crate::sftp` has one).
const REFUSED: &[&str] = &[
    "refreshCredentials",
    "showHostKey",
    "shakeHandsForAccount",
    "shakeHandsForInstall",
    "comeBack",
    "comeBackByPost",
    "listFiles",
    "readFile",
    "writeFile",
    "deleteFile",
    "describeFile",
    "makeFolder",
    "removeFolder",
    "renameFile",
];

struct Story {
    setting: Setting,
    called: BTreeSet<String>,
}

impl Story {
    fn new() -> Self {
        let mut file = signing_file(&json!({ "event_id": null }));
        file["config"]["resources"] = json!({ "orders": {
            "list": { "path": "/orders", "description": "Lists orders." },
            "get": { "path": "/orders/{{id}}" },
            "create": { "method": "post", "path": "/orders" },
            "update": { "method": "patch", "path": "/orders/{{id}}" },
            "delete": { "method": "delete", "path": "/orders/{{id}}" },
            "merge": { "method": "post", "path": "/orders/merge" },
        } });
        file["config"]["syncs"] =
            json!({ "orders": { "resource": "orders", "record_id": "id", "auto_start": false } });
        file["config"]["actions"] =
            json!({ "ping": { "type": "request", "config": { "path": "/orders" } } });
        let fields = &mut file["config"]["credentials"]["api_key"]["config"]["fields"];
        fields
            .as_array_mut()
            .unwrap()
            .push(json!({ "name": "note" }));
        let setting = Setting::new(&World::new(), &file);
        let secrets =
            json!({ "override": { "secret_environment_variables": { "webhook_secret": SECRET } } });
        let install = format!("/environment-integration/{}", setting.install);
        setting.client.send("PATCH", &install, &secrets).expect(200);
        Self {
            setting,
            called: BTreeSet::new(),
        }
    }

    #[track_caller]
    fn note(&mut self, method: &str, path: &str, answer: Answer) -> Answer {
        let id = operation(method, path).unwrap()["operationId"]
            .as_str()
            .unwrap();
        let is_well = answer.status < 400 || REFUSED.contains(&id);
        assert!(
            is_well,
            "{method} {path}: {} {}",
            answer.status,
            answer.text()
        );
        self.called.insert(id.to_owned());
        answer
    }

    #[track_caller]
    fn go(&mut self, client: &Client, method: &str, path: &str, body: &Value) -> Value {
        let answer = if body.is_null() {
            client.request(method, path, &[], Body::Empty)
        } else {
            client.send(method, path, body)
        };
        let answer = self.note(method, path, answer);
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    #[track_caller]
    fn admin(&mut self, method: &str, path: &str, body: &Value) -> Value {
        let admin = self.setting.admin.clone();
        self.go(&admin, method, path, body)
    }

    #[track_caller]
    fn by_token(&mut self, method: &str, path: &str, body: &Value) -> Value {
        let client = self.setting.client.clone();
        self.go(&client, method, path, body)
    }

    fn opens_what_is_open(&mut self) {
        let anonymous = self.setting.admin.with_token("");
        for path in ["/", "/health", "/openapi.json", "/integration.schema.json"] {
            self.go(&anonymous, "GET", path, &Value::Null);
        }
    }

    fn configures(&mut self) {
        let made = id_of(&self.admin("POST", "/environment", &json!({ "name": "another" })));
        let one = format!("/environment/{made}");
        self.admin("GET", "/environment", &Value::Null);
        self.admin("GET", &one, &Value::Null);
        self.admin("PATCH", &one, &json!({ "name": "renamed" }));
        self.admin("DELETE", &one, &Value::Null);
        let token = id_of(&self.by_token("POST", "/api-token", &json!({ "name": "t" })));
        self.by_token("GET", "/api-token", &Value::Null);
        self.by_token("DELETE", &format!("/api-token/{token}"), &Value::Null);
        self.admin("POST", "/sealing/rotate", &Value::Null);
        self.admin("GET", "/sealing", &Value::Null);
    }

    fn publishes(&mut self) {
        let file = json!({ "name": "other", "config": { "label": "Other", "base_url": "https://api.other.example", "credentials": {
            "api_key": { "format": "api_key", "config": {} },
            "oauth2": { "format": "oauth2", "config": {
                "client": { "metadataDocument": true },
                "auth": { "authorizeUrl": "https://login.other.example/a", "tokenUrl": "https://login.other.example/t" } } },
        } } });
        self.by_token("POST", "/integration/validate", &file);
        let made = self.admin("POST", "/integration", &file);
        self.admin("PUT", "/integration/other", &file);
        let change = json!({ "version": made["version"].as_u64().unwrap() + 1, "is_beta": true });
        self.admin("PATCH", "/integration/other", &change);
        self.by_token("GET", "/integration", &Value::Null);
        self.by_token("GET", "/integration/other", &Value::Null);
        self.by_token("GET", "/category", &Value::Null);
        let capabilities = "/integration/other/capabilities";
        self.by_token("GET", capabilities, &Value::Null);
        self.by_token("GET", "/integration/other/tools", &Value::Null);
        let install = id_of(&self.by_token(
            "POST",
            "/environment-integration",
            &json!({ "integration_name": "other" }),
        ));
        let one = format!("/environment-integration/{install}");
        self.by_token("GET", "/environment-integration", &Value::Null);
        self.by_token("GET", &one, &Value::Null);
        let anonymous = self.setting.admin.with_token("");
        let document = format!("/oauth-client/{install}");
        self.go(&anonymous, "GET", &document, &Value::Null);
        self.by_token("PATCH", &one, &json!({ "is_enabled": false }));
        self.by_token("DELETE", &one, &Value::Null);
        self.admin("DELETE", "/integration/other", &Value::Null);
    }

    /// An account's id.
    fn imports(&mut self) -> String {
        let context = json!({ "api_key": "k", "shop": "one" });
        let body = json!({ "tenant_id": "acme", "environment_integration_id": self.setting.install, "authentication_method": "api_key", "context": context });
        let id = id_of(&self.by_token("POST", "/integrated-account", &body));
        let one = format!("/integrated-account/{id}");
        self.by_token("GET", "/integrated-account", &Value::Null);
        self.by_token("GET", &one, &Value::Null);
        self.by_token("PATCH", &one, &json!({ "tenant_id": "other" }));
        self.by_token(
            "PATCH",
            &format!("{one}/credentials"),
            &json!({ "context": { "api_key": "k2" } }),
        );
        self.by_token(
            "POST",
            "/integrated-account/refresh-credentials",
            &json!({ "id": id }),
        );
        self.by_token("POST", &format!("{one}/host-key"), &Value::Null);
        let token = self.by_token(
            "POST",
            "/integrated-account/token",
            &json!({ "integrated_account_id": id }),
        );
        let own = self
            .setting
            .client
            .with_token(token["integrated_account_token"].as_str().unwrap());
        self.go(&own, "GET", "/integrated-account/me", &Value::Null);
        self.go(
            &own,
            "PATCH",
            "/integrated-account/me",
            &json!({ "context": { "note": "n" } }),
        );
        id
    }

    fn calls(&mut self, account: &str) {
        let of = |path: &str| format!("{path}?integrated_account_id={account}");
        let (nothing, record) = (Value::Null, json!({ "id": 1 }));
        for (method, path) in [
            ("GET", "/proxy/files"),
            ("GET", "/proxy/files/a"),
            ("PUT", "/proxy/files/a"),
            ("DELETE", "/proxy/files/a"),
            ("POST", "/proxy/files/stat"),
            ("POST", "/proxy/files/mkdir"),
            ("POST", "/proxy/files/rmdir"),
            ("POST", "/proxy/files/rename"),
        ] {
            let body = if method == "POST" { &record } else { &nothing };
            self.by_token(method, &of(path), body);
        }
        for (method, path, body) in [
            ("GET", "/proxy/orders", &nothing),
            ("POST", "/proxy/orders", &record),
            ("GET", "/proxy/orders/1", &nothing),
            ("PATCH", "/proxy/orders/1", &record),
            ("PUT", "/proxy/orders/1", &record),
            ("DELETE", "/proxy/orders/1", &nothing),
            ("POST", "/proxy/orders/merge", &record),
            ("POST", "/proxy/_/ping", &record),
            ("GET", "/custom/orders", &nothing),
            ("HEAD", "/custom/orders", &nothing),
            ("OPTIONS", "/custom/orders", &nothing),
            ("POST", "/custom/orders", &record),
            ("PUT", "/custom/orders", &record),
            ("PATCH", "/custom/orders", &record),
            ("DELETE", "/custom/orders", &nothing),
        ] {
            let world = &self.setting.client.world;
            world.answers(200, &[("content-type", "application/json")], "[]");
            self.by_token(method, &of(path), body);
        }
        let one = format!("/integrated-account/{account}/capabilities");
        let known = self.by_token("GET", &one, &nothing);
        assert_eq!(
            known["resources"]["orders"]["methods"]["get"]["is_write"],
            false
        );
        let tools = format!("/integrated-account/{account}/tools?has_description=false");
        let tools = self.by_token("GET", &tools, &nothing);
        assert_eq!(tools["result"].as_array().unwrap().len(), 6);
        self.by_token(
            "POST",
            "/batch-request",
            &json!({ "integrated_account_id": account, "resources": [{ "name": "none", "resource": "orders", "method": "list", "run_if": "false" }] }),
        );
        self.tokens_of_agents(account);
        let log = self.by_token("GET", &of("/log"), &nothing);
        assert_eq!(log["result"].as_array().unwrap().len(), 23);
    }

    fn syncs(&mut self, account: &str) {
        let of = |path: &str| format!("{path}integrated_account_id={account}");
        let named = json!({ "integrated_account_id": account });
        self.by_token("POST", "/sync/orders/run", &named);
        let world = self.setting.client.world.clone();
        world.answers(
            200,
            &[("content-type", "application/json")],
            r#"[{"id":"7"}]"#,
        );
        futures::executor::block_on(world.run_passing(world.ring_alarms()));
        for path in [
            "/sync?",
            "/sync-run?",
            "/record?sync=orders&",
            "/record/7?sync=orders&",
        ] {
            self.by_token("GET", &of(path), &Value::Null);
        }
        self.by_token("PATCH", "/sync/orders", &named);
        self.by_token("POST", "/sync/orders/stop", &named);
        self.by_token("POST", "/sync/orders/reset", &named);
    }

    fn tokens_of_agents(&mut self, account: &str) {
        let all = format!("/integrated-account/{account}/mcp");
        let made = self.by_token("POST", &all, &json!({ "name": "agent" }));
        self.by_token("GET", &all, &Value::Null);
        let one = format!("{all}/{}", id_of(&made));
        self.by_token("GET", &one, &Value::Null);
        let address = format!("/mcp/{}", made["token"].as_str().unwrap());
        let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
        let anonymous = self.setting.admin.with_token("");
        self.go(&anonymous, "POST", &address, &ping);
        self.by_token("DELETE", &one, &Value::Null);
    }

    fn links(&mut self) {
        let made = self.by_token(
            "POST",
            "/link-token",
            &json!({ "tenant_id": "acme", "integration": "shop" }),
        );
        self.by_token("GET", "/link-token", &Value::Null);
        let token = made["link_token"].as_str().unwrap();
        let anonymous = self.setting.client.with_token("");
        self.go(
            &anonymous,
            "GET",
            &format!("/connect?link_token={token}"),
            &Value::Null,
        );
        let form = format!("/connect/shop?link_token={token}");
        self.go(&anonymous, "GET", &form, &Value::Null);
        let back = "/connect/shop/callback";
        for (path, body) in [(form.as_str(), "api_key=k3"), (back, "code=c&state=s")] {
            let kind = [("content-type", "application/x-www-form-urlencoded")];
            let answer = anonymous.request("POST", path, &kind, Body::from_bytes(body));
            self.note("POST", path, answer);
        }
        self.go(&anonymous, "GET", back, &Value::Null);
        self.by_token(
            "DELETE",
            &format!("/link-token/{}", id_of(&made)),
            &Value::Null,
        );
    }

    fn receives(&mut self, account: &str) {
        let anonymous = self.setting.client.with_token("");
        let body = json!({ "topic": "paid", "nr": 7, "shop": "one" }).to_string();
        let signature = signed(SECRET, &body);
        for path in [
            format!("/integrated-account-webhook/{account}"),
            format!("/environment-integration-webhook/{}", self.setting.install),
        ] {
            let headers = [
                ("content-type", "application/json"),
                ("x-signature", signature.as_str()),
            ];
            let answer = anonymous.request("POST", &path, &headers, Body::from_bytes(body.clone()));
            self.note("POST", &path, answer);
            self.go(&anonymous, "GET", &path, &Value::Null);
        }
    }

    fn subscribes(&mut self, account: &str) {
        let made = self.by_token(
            "POST",
            "/webhook",
            &json!({ "target_url": "https://app.example/hooks" }),
        );
        let one = format!("/webhook/{}", id_of(&made));
        self.by_token("GET", "/webhook", &Value::Null);
        self.by_token("GET", &one, &Value::Null);
        self.by_token("PATCH", &one, &json!({ "event_types": ["shop:*"] }));
        self.by_token("POST", &format!("{one}/rotate-secret"), &Value::Null);
        self.setting.client.world.answers(204, &[], "");
        self.by_token("POST", "/webhook/test", &json!({ "id": made["id"] }));
        let listed = self.by_token(
            "GET",
            &format!("/event?integrated_account_id={account}"),
            &Value::Null,
        );
        let event = format!("/event/{}", id_of(&listed["result"][0]));
        self.by_token("GET", &event, &Value::Null);
        self.by_token("POST", &format!("{event}/replay"), &Value::Null);
        let range = json!({ "from": "2020-01-01T00:00:00Z", "to": "2030-01-01T00:00:00Z" });
        self.by_token("POST", "/event/replay", &range);
        self.by_token("DELETE", &one, &Value::Null);
    }
}

#[test]
fn every_operation_is_called_and_answers_as_documented() {
    let mut story = Story::new();
    story.opens_what_is_open();
    story.configures();
    story.publishes();
    let account = story.imports();
    story.calls(&account);
    story.syncs(&account);
    story.links();
    story.receives(&account);
    story.subscribes(&account);
    let one = format!("/integrated-account/{account}");
    story.by_token("DELETE", &one, &Value::Null);
    let none = json!({ "ids": [account, "x"] });
    story.by_token("POST", "/integrated-account/bulk-delete", &none);
    let document = causeway::api::openapi::document();
    each_case(operations(&document), |(method, path, operation)| {
        let id = operation["operationId"].as_str().unwrap();
        assert!(
            story.called.contains(id),
            "{id} was not called: {method} {path}"
        );
    });
}
