//! The effect of an override: an API token cannot change a host or how requests are authenticated.

use causeway::json;
use serde_json::{Value, json};

use crate::account::Scene;
use crate::cases::each_case;
use crate::client::Answer;

const HOME: &str = "https://api.fixed-hosts.example";
const OTHER: &str = "https://other.fixed-hosts.example";

fn file(change: &Value) -> Value {
    let mut file = json!({ "name": "fixed-hosts", "config": {
        "base_url": HOME,
        "credentials": { "api_key": { "format": "api_key", "config": { "fields": [{ "name": "api_key", "type": "password" }, { "name": "site" }] } } },
        "authorization": { "format": "header", "config": { "name": "x-key", "value": "{{api_key}}" } },
        "resources": { "a": { "list": { "path": "/a", "response_path": "r" }, "create": { "method": "post", "path": "/a", "body": { "n": "{{body.n}}" } } } },
        "actions": { "go": { "type": "request", "config": { "path": "/go" } } },
    } });
    json::merge(&mut file["config"], change);
    file
}

fn open(change: &Value) -> Scene {
    let context = json!({ "api_key": "customers-own-key-4711", "site": HOME });
    Scene::answering(&file(change), &context, r#"{"r":[]}"#)
}

/// Changes the install's override by the admin token.
fn admin_overrides(scene: &Scene, change: &Value) {
    scene
        .override_install_as(&scene.setting.admin, change)
        .expect(200);
}

#[track_caller]
fn goes_to(scene: &Scene, host: &str) {
    scene.world.sent();
    scene.get("/proxy/a").expect(200);
    let sent = scene.world.sent();
    assert!(sent.iter().all(|one| one.url.starts_with(host)), "{sent:?}");
}

#[track_caller]
fn refuses(answer: Answer, what: &Value) {
    let text = answer.text().to_owned();
    assert_eq!(answer.code(422), "caller.host_key", "{what}");
    assert!(text.contains("admin token"), "{what}: {text}");
}

#[test]
fn an_api_token_leads_no_host_elsewhere_by_a_variable() {
    let url = "{{environment_variables.url?:https://api.fixed-hosts.example}}";
    let host = "https://{{environment_variables.url?:api}}.fixed-hosts.example";
    let hosts = json!([
        "https://api.fixed-hosts.example",
        "https://other.fixed-hosts.example"
    ]);
    let steps = json!([{ "type": "request", "config": { "base_url": host, "path": "/go" } }]);
    let auth = json!({ "oauth2": { "format": "oauth2", "config": { "client": { "id": "i", "secret": "{{client_secret}}" }, "auth": { "tokenHost": host, "tokenPath": "/t", "authorizePath": "/a" } } } });
    let cases = [
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
    ];
    each_case(cases, |(change, value)| {
        each_case(
            ["environment_variables", "secret_environment_variables"],
            |kind| {
                let scene = open(&change);
                let write = json!({ kind: { "url": value } });
                refuses(scene.override_install(&write), &change);
                goes_to(&scene, HOME);
                // What the admin token set is not taken out either; what steers nothing is the environment's own.
                admin_overrides(&scene, &write);
                let is_base = ["/base_url", "/resources"]
                    .iter()
                    .any(|place| change.pointer(place).is_some());
                goes_to(&scene, if is_base { OTHER } else { HOME });
                refuses(
                    scene.override_install(&json!({ kind: { "url": null } })),
                    &change,
                );
                scene
                    .override_install(&json!({ "environment_variables": { "free": "x" } }))
                    .expect(200);
            },
        );
    });
}

#[test]
fn a_variable_in_the_path_of_a_url_is_the_environments_own() {
    let scene = open(
        &json!({ "base_url": "https://api.fixed-hosts.example/{{environment_variables.version?:v1}}" }),
    );
    scene
        .override_install(&json!({ "environment_variables": { "version": "v2" } }))
        .expect(200);
    goes_to(&scene, "https://api.fixed-hosts.example/v2/a");
}

#[test]
fn an_api_token_takes_out_no_entry_by_which_the_admin_token_fixed_a_host() {
    let wide = json!({ "base_url": "{{site}}", "allowed_hosts": ["*"] });
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
    each_case(&outs, |out| {
        let scene = open(&wide);
        admin_overrides(&scene, &narrow);
        scene
            .override_install(&json!({ "label": "mine" }))
            .expect(200);
        refuses(scene.override_install(out), out);
        goes_to(&scene, HOME);
        let scene = open(&wide);
        scene
            .override_account_as(&scene.setting.admin, &narrow)
            .expect(200);
        scene
            .override_account(&json!({ "label": "mine" }))
            .expect(200);
        refuses(scene.override_account(out), out);
        refuses(scene.override_account(&Value::Null), out);
        goes_to(&scene, HOME);
    });
}

#[test]
fn an_api_token_takes_out_what_it_wrote_itself() {
    let scene = open(&json!({}));
    let own = json!({ "label": "mine", "headers": { "x": "y" }, "pagination": { "format": "page", "config": { "page_key": "p" } }, "resources": {
        "a": { "list": { "path": "/b" } }, "b": { "list": { "path": "/b", "no_auth": true } } }, "actions": { "mine": { "type": "request", "config": { "path": "/c" } } } });
    let out = json!({ "label": null, "headers": null, "pagination": null, "resources": null, "actions": null });
    scene.override_install(&own).expect(200);
    scene.override_install(&out).expect(200);
    scene.override_account(&own).expect(200);
    scene.override_account(&Value::Null).expect(200);
    scene
        .override_account(&json!({ "resources": { "a": { "list": null } } }))
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
    each_case(calls(), |call| {
        let by_file = open(&off);
        let by_install = open(&json!({}));
        admin_overrides(&by_install, &off);
        each_case([&by_file, &by_install], |scene| {
            if call.get("custom").is_none() {
                refuses(scene.override_install(&call), &call);
                refuses(scene.override_account(&call), &call);
            } else {
                drop(scene.override_install(&call));
                drop(scene.override_account(&call));
            }
            let custom = format!("/custom/x?integrated_account_id={}", scene.account);
            assert_eq!(
                scene.setting.client.get(&custom).code(403),
                "caller.switched_off",
                "{call}"
            );
            scene.override_install(&json!({ "label": "mine", "headers": { "user-agent": "me" }, "resources": { "a": { "list": { "description": "d" } } } })).expect(200);
            goes_to(scene, HOME);
        });
        by_file
            .override_install_as(&by_file.setting.admin, &call)
            .expect(200);
    });
    each_case(
        [json!({ "custom": true }), json!({ "custom": null })],
        |back| {
            let scene = open(&json!({}));
            admin_overrides(&scene, &off);
            refuses(scene.override_install(&back), &back);
            let scene = open(&json!({}));
            scene
                .override_account_as(&scene.setting.admin, &off)
                .expect(200);
            refuses(scene.override_account(&back), &back);
            refuses(scene.override_account(&Value::Null), &back);
        },
    );
    let scene = open(&json!({}));
    scene.override_install(&off).expect(200);
}

#[test]
fn a_call_that_an_api_token_added_before_custom_was_switched_off_is_not_there_any_more() {
    let scene = open(&json!({}));
    let leak = json!({ "resources": { "leak": { "list": { "path": "/echo", "description": "d", "response_path": "r" } }, "a": { "list": { "path": "/changed", "description": "d" } } } });
    scene.override_install(&leak).expect(200);
    let path = format!("/proxy/leak?integrated_account_id={}", scene.account);
    scene.setting.client.get(&path).expect(200);
    let admin = &scene.setting.admin;
    admin
        .send(
            "PUT",
            "/integration/fixed-hosts",
            &file(&json!({ "custom": false })),
        )
        .expect(200);
    scene.world.pass(std::time::Duration::from_secs(121));
    let gone = scene.setting.client.get(&path);
    assert_eq!(gone.status, 405, "{}", gone.text());
    goes_to(&scene, "https://api.fixed-hosts.example/a");
    admin_overrides(&scene, &leak);
    scene.world.pass(std::time::Duration::from_secs(121));
    scene.setting.client.get(&path).expect(200);
    goes_to(&scene, "https://api.fixed-hosts.example/changed");
}
