//! A key of a context has no dot in it: a path such as `server.url` reads `url` inside `server`, and nothing else.

use serde_json::{Value, json};

use crate::account::Scene;
use crate::cases::each_case;
use crate::client::{Answer, id_of};
use crate::connect::Browser;

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

fn open() -> Scene {
    let context =
        json!({ "api_key": KEY, "server": { "url": HOME }, "conn": { "pin": PIN, "host": "h" } });
    Scene::answering(&file("password"), &context, "{}")
}

fn import(scene: &Scene, context: &Value) -> Answer {
    let body = json!({ "tenant_id": "t", "environment_integration_id": scene.setting.install, "authentication_method": "api_key", "context": context });
    scene.setting.client.post("/integrated-account", &body)
}

fn link(scene: &Scene, context: &Value) -> Answer {
    let body = json!({ "integrated_account_id": scene.account, "context": context });
    scene.setting.client.post("/link-token", &body)
}

#[track_caller]
fn goes_home(scene: &Scene, account: &str) {
    scene.world.sent();
    let path = format!("/custom/x?integrated_account_id={account}");
    scene.setting.client.get(&path).expect(200);
    for sent in scene.world.sent() {
        assert!(sent.url.starts_with(HOME), "{}", sent.url);
    }
}

fn context_of(scene: &Scene) -> Value {
    scene.record()["context"].clone()
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
    each_case(dotted(), |context| {
        let scene = open();
        let mut whole = json!({ "api_key": KEY, "server": { "url": HOME } });
        whole
            .as_object_mut()
            .unwrap()
            .extend(context.as_object().unwrap().clone());
        let cases = [
            ("import", import(&scene, &whole)),
            ("patch", scene.change_context("", &context)),
            (
                "credentials",
                scene.change_context("/credentials", &context),
            ),
            ("link", link(&scene, &context)),
        ];
        each_case(cases, |(way, answer)| {
            let text = answer.text().to_owned();
            assert_eq!(answer.code(422), "caller.invalid", "{way} {context}");
            assert!(text.contains("dot"), "{way}: {text}");
        });
        goes_home(&scene, &scene.account);
        assert!(!scene.world.at_rest().contains("in-clear"), "{context}");
    });
}

#[test]
fn no_action_gives_a_context_a_key_with_a_dot() {
    let cases = [
        json!({ "server.url": EVIL }),
        json!({ "oauth.token.access_token": "x" }),
    ];
    each_case(cases, |context| {
        each_case(["save", "put"], |action| {
            let scene = open();
            let refused = scene.run_action(action, &context);
            assert_eq!(refused.code(422), "caller.invalid", "{action} {context}");
            goes_home(&scene, &scene.account);
            // Inside a value of the provider it names nothing.
            let inside = json!({ "profile": { "@odata.type": "#user", "server.url": EVIL } });
            scene.run_action(action, &inside).expect(200);
            goes_home(&scene, &scene.account);
        });
    });
}

#[test]
fn a_null_takes_a_key_with_a_dot_out() {
    let scene = open();
    scene
        .change_context("", &json!({ "old.key": null }))
        .expect(200);
}

#[test]
fn a_file_names_no_key_of_a_context_with_a_dot() {
    let scene = open();
    let oauth = |more: Value| {
        let mut config = json!({ "client": { "id": "{{client_id}}", "secret": "{{client_secret}}" }, "auth": { "tokenHost": HOME, "tokenPath": "/t", "authorizePath": "/a" }, "fields": [] });
        causeway::json::merge(&mut config, &more);
        json!({ "credentials": { "oauth2": { "format": "oauth2", "config": config } } })
    };
    let steps = |kind: &str| json!({ "actions": { "a": { "type": kind, "config": { "server.url": "x" } } } });
    let cases = [
        oauth(json!({ "contextFromToken": { "server.url": "url" } })),
        oauth(json!({ "contextFromCallback": { "server.url": "url" } })),
        oauth(json!({ "fields": [{ "name": "server.url" }] })),
        steps("update_context"),
        steps("set_context"),
    ];
    each_case(cases, |change| {
        let mut with = file("text");
        causeway::json::merge(&mut with["config"], &change);
        let body = json!({ "name": "v", "config": with["config"] });
        let answer = scene.setting.admin.post("/integration/validate", &body);
        assert_eq!(answer.expect(200)["valid"], false, "{change}");
    });
}

#[test]
fn what_is_secret_inside_a_key_stays_so_when_other_parts_of_it_are_given_again() {
    let scene = open();
    scene.publish(&file("text"));
    let cases = [
        (
            "credentials",
            scene.change_context("/credentials", &json!({ "conn": { "x": 1 } })),
        ),
        (
            "patch",
            scene.change_context("", &json!({ "conn": { "y": 1 } })),
        ),
    ];
    each_case(cases, |(way, written)| {
        written.expect(200);
        let context = context_of(&scene);
        assert!(!context.to_string().contains(PIN), "{way}: {context}");
        assert_eq!(context["conn"]["x"], 1, "{way}");
    });
    let link = link(&scene, &json!({ "conn": { "z": 1 } })).expect(201);
    let pairs = [
        ("link_token", link["link_token"].as_str().unwrap()),
        ("credential", "api_key"),
        ("memo", "m"),
    ];
    let mut browser = Browser::of(&scene.world);
    assert_eq!(browser.post("/connect/dots", &pairs).status, 200);
    let context = context_of(&scene);
    assert!(!context.to_string().contains(PIN), "{context}");
    assert_eq!(context["conn"]["z"], 1);
    assert!(!scene.world.at_rest().contains(PIN));
    // A value that is given again is what the file calls it now.
    scene
        .change_context("/credentials", &json!({ "conn": { "pin": "a-new-pin" } }))
        .expect(200);
    assert_eq!(context_of(&scene)["conn"]["pin"], "a-new-pin");
    scene
        .change_context("/credentials", &json!({ "conn": "a-text" }))
        .expect(200);
    assert_eq!(context_of(&scene)["conn"], "a-text");
}

#[test]
fn an_import_with_plain_keys_goes_where_it_says() {
    let scene = open();
    let context =
        json!({ "api_key": KEY, "server": { "url": HOME }, "note": { "a": [1, { "b": "c.d" }] } });
    goes_home(&scene, &id_of(&import(&scene, &context).expect(201)));
}
