//! Changes that keep a stored secret: one that sends it to no other host and uses it in no other way does not ask for
//! it again.

use causeway::json;
use serde_json::{Value, json};

use crate::account::Scene;
use crate::cases::each_case;

const HOME: &str = "https://api.bound-variable.example";

fn file(change: &Value) -> Value {
    let mut file = json!({ "name": "bound-variable", "config": {
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

fn open() -> Scene {
    let scene = Scene::answering(&file(&json!({})), &json!({ "site": "s" }), r#"{"r":[]}"#);
    let secret = json!({ "secret_environment_variables": { "op": "operators-key-4711-abc" } });
    scene.override_install(&secret).expect(200);
    scene
}

#[test]
fn a_new_file_that_leads_a_variable_nowhere_else_needs_it_not_again() {
    let method =
        |base: &str| json!({ "resources": { "b": { "get": { "path": "/b", "base_url": base } } } });
    let cases = [
        json!({}),
        method("https://api.bound-variable.example/upload"),
        method("https://API.bound-variable.example:443"),
        json!({ "base_url": "https://api.bound-variable.example/v2" }),
        json!({ "allowed_hosts": ["api.bound-variable.example"] }),
        json!({ "credentials": { "api_key": { "config": { "fields": [{ "name": "site" }, { "name": "z", "allow_dots": true }] } } } }),
        json!({ "webhook": { "signature_verification": { "config": { "timestamp": { "tolerance": 60 } } } } }),
        json!({ "headers": { "x-two": null } }),
        json!({ "headers": null }),
        json!({ "webhook": null }),
        json!({ "headers": null, "webhook": null }),
    ];
    each_case(cases, |same| {
        let scene = open();
        scene.publish(&file(&same));
        scene.get("/proxy/a").expect(200);
        scene.publish(&file(&json!({})));
        scene.get("/proxy/a").expect(200);
    });
    let cases = [
        method("https://other.bound-variable.example"),
        method("http://api.bound-variable.example"),
        method("https://api.bound-variable.example:8443"),
        method("https://{{site?:a/b}}.bound-variable.example"),
        json!({ "base_url": "https://other.bound-variable.example" }),
        json!({ "allowed_hosts": ["other.bound-variable.example"] }),
        json!({ "headers": { "x-three": "{{environment_variables.op}}" } }),
        json!({ "headers": { "x-two": "a {{environment_variables.op}}" } }),
        json!({ "webhook": { "signature_verification": { "config": { "timestamp": { "from": "$header.x-u" } } } } }),
        json!({ "base_url": "https://{{site}}.bound-variable.example", "allowed_hosts": ["a.bound-variable.example"] }),
    ];
    each_case(cases, |other| {
        let scene = open();
        scene.publish(&file(&other));
        assert_eq!(
            scene.get("/proxy/a").code(409),
            "integration.secret_unbound",
            "{other}"
        );
        scene.publish(&file(&json!({})));
        scene.get("/proxy/a").expect(200);
    });
}

#[test]
fn an_override_that_only_takes_a_use_of_a_variable_away_needs_it_not_again() {
    let cases = [
        json!({ "headers": { "x-op": "mine" } }),
        json!({ "webhook": { "signature_verification": { "config": { "timestamp": { "tolerance": 60 } } } } }),
    ];
    each_case(cases, |change| {
        let scene = open();
        scene.override_install(&change).expect(200);
        scene.get("/proxy/a").expect(200);
    });
    let scene = open();
    let change =
        json!({ "webhook": { "signature_verification": { "config": { "algorithm": "sha512" } } } });
    assert_eq!(scene.override_install(&change).code(422), "caller.host_key");
}

#[test]
fn fields_with_dots_count_where_they_stand_in_a_host() {
    let scene = open();
    let open = |dots: bool| json!({ "base_url": "https://{{site}}.bound-variable.example", "credentials": { "api_key": { "config": { "fields": [{ "name": "site", "allow_dots": dots }] } } } });
    scene.publish(&file(&open(false)));
    let secret = json!({ "secret_environment_variables": { "op": "operators-key-4711-abc" } });
    scene
        .override_install_as(&scene.setting.admin, &secret)
        .expect(200);
    scene.world.pass(std::time::Duration::from_secs(121));
    scene.get("/proxy/a").expect(200);
    scene.publish(&file(&open(true)));
    assert_eq!(
        scene.get("/proxy/a").code(409),
        "integration.secret_unbound"
    );
}
