//! What an environment's API token may say in an override: it changes no host and reads no secret.

use causeway::json;
use serde_json::{Value, json};

use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::client::Answer;
use crate::outside::{Pieces, Sent, World, reply};
use causeway::ports::{Body, Reply};

const CUSTOMERS: &str = "customers-own-key-4711";
const OPERATORS: &str = "variable-of-the-operator-4711";

fn file() -> Value {
    json!({ "name": "shop", "config": {
        "base_url": "https://api.shop.example",
        "headers": { "x-app-key": "{{environment_variables.app_key:undefined}}" },
        "credentials": { "api_key": { "format": "api_key", "config": { "fields": [
            { "name": "api_key", "type": "password" }, { "name": "pin", "type": "password" }, { "name": "team" } ] } } },
        "authorization": { "format": "bearer", "config": { "token": "{{api_key}}" } },
        "resources": {
            "orders": { "list": { "path": "/orders" } },
            "sessions": { "create": { "method": "post", "path": "/sessions", "body": { "key": "{{api_key}}" } } },
            "open": { "list": { "path": "/open", "base_url": "https://open.example.com", "no_auth": true } },
        },
        "actions": { "login": { "type": "request", "config": { "method": "post", "path": "/login", "body": { "key": "{{api_key}}" } } } },
        "webhook": { "signature_verification": { "format": "hmac", "config": { "algorithm": "sha256", "secret": "{{webhook_secret}}", "compare_with": "$header.x-signature" } } },
    } })
}

/// A provider that repeats the address it was asked at.
fn echo(sent: &Sent) -> Reply<Pieces> {
    let body = json!([{ "url": sent.url }]);
    reply(200, &JSON, Body::from_bytes(body.to_string()))
}

fn open() -> Scene {
    of(&file())
}

fn of(file: &Value) -> Scene {
    let context = json!({ "api_key": CUSTOMERS, "pin": "1234-5678", "team": "t-1", "deep": { "name": "n", "secret": CUSTOMERS } });
    let scene = Scene::new(World::new(), file, "api_key", &context);
    scene.world.provides(echo);
    scene
}

fn give_variable(scene: &Scene) {
    let change = json!({ "secret_environment_variables": { "app_key": OPERATORS, "client_secret": OPERATORS } });
    scene
        .override_install_as(&scene.setting.admin, &change)
        .expect(200);
}

fn list(scene: &Scene, resource: &str) -> Answer {
    scene.get(&format!("/proxy/{resource}"))
}

fn nested(path: &str, value: &Value) -> Value {
    path.rsplit('/')
        .fold(value.clone(), |value, key| json!({ key: value }))
}

/// Entries that change where requests go or what signs them in.
fn hosts() -> Vec<(&'static str, Value)> {
    let evil = json!("https://evil.example");
    let request = |more: &Value| {
        let mut config = json!({ "path": "/x" });
        json::merge(&mut config, more);
        json!({ "type": "request", "config": config })
    };
    vec![
        ("base_url", evil.clone()),
        ("allowed_hosts", json!(["*"])),
        ("resources/orders/list/base_url", evil.clone()),
        (
            "resources/new/list",
            json!({ "path": "/x", "base_url": "https://evil.example" }),
        ),
        ("resources/open/list/no_auth", json!(false)),
        (
            "resources/open/list/authorization",
            json!({ "format": "bearer", "config": { "token": "x" } }),
        ),
        (
            "resources/orders/list/ignore_credentials_on_redirect",
            json!(false),
        ),
        (
            "actions/new",
            request(&json!({ "base_url": "https://evil.example" })),
        ),
        (
            "actions/new/steps",
            json!([request(&json!({ "base_url": "https://evil.example" }))]),
        ),
        (
            "actions/new",
            request(
                &json!({ "authorization": { "format": "header", "config": { "expression": "{\"x-copy\": $string(context)}" } } }),
            ),
        ),
        (
            "resources/new/list",
            json!({ "path": "/x", "authorization": { "format": "header", "config": { "expression": "{\"x-copy\": $string(context)}" } } }),
        ),
        ("authorization/config/token", json!("{{pin}}")),
        (
            "resources/new/list",
            json!({ "path": "/x", "authorization": { "format": "query", "config": { "name": "copy", "value": "{{api_key}}" } } }),
        ),
        (
            "credentials/oauth2",
            json!({ "format": "oauth2", "config": { "auth": { "tokenHost": "https://evil.example", "tokenPath": "/t", "authorizePath": "/a" } } }),
        ),
        (
            "credentials/api_key/config/fields",
            json!([{ "name": "api_key", "type": "password" }, { "name": "pin", "type": "password" }, { "name": "team", "allow_dots": true }]),
        ),
        (
            "webhook/signature_verification/config/jwks_url",
            evil.clone(),
        ),
        (
            "webhook/signature_verification/config/public_key_url",
            json!("{{body.url}}"),
        ),
        (
            "webhook/signature_verification/config/public_key_url_pattern",
            json!(".*"),
        ),
        ("webhook/confirm_url_pattern", json!(".*")),
        ("webhook/challenge", json!({ "from": "$body.m" })),
        (
            "webhook/handle_verification",
            json!("{ \"body\": challenge_hmac }"),
        ),
        ("webhook/allow_unsigned_handshake", json!(true)),
        (
            "resources/orders/list/pagination",
            json!({ "format": "dynamic", "config": { "get_initial_pagination_values_expression": "{\"h\": requestOptions.headers}", "get_pagination_values_expression": "null" } }),
        ),
        // What the file sends there, sent elsewhere.
        ("resources/sessions/create/path", json!("/echo")),
        ("resources/sessions/create/headers", json!({ "x": "y" })),
        ("actions/login/config/path", json!("/echo")),
    ]
}

/// Texts that read a secret, with other text in front of them or behind.
const READS: [&str; 20] = [
    "{{api_key}}",
    "{{context.api_key}}",
    "{{ credentials.api_key }}",
    "{{nothing|api_key}}",
    "x-{{team}}-{{api_key:str}}",
    "{{context:json}}",
    "{{credentials}}",
    "{{pin}}",
    "{{access_token?:x}}",
    "{{oauth.token.access_token?:x}}",
    "{{oauth?:x}}",
    "{{oauth.token.raw.x?:x}}",
    "{{deep.secret}}",
    "{{deep.0.api_token?:x}}",
    "{{webhook_secret?:x}}",
    "{{environment_variables.app_key}}",
    "{{nothing|environment_variables.client_secret:any}}",
    "{{environment_variables}}",
    "{{environment_variables:json}}",
    "{{ environment_variables . client_secret }}",
];

/// Places where a placeholder is filled.
fn places(text: &str) -> Vec<Value> {
    let request = |more: Value| json!({ "steps": [{ "type": "request", "config": { "resource": "orders", "method": "list", "query": more } }] });
    vec![
        nested("headers/x-copy", &json!(text)),
        nested("headers/description", &json!(text)),
        nested("query/q", &json!(text)),
        nested("query/x-q", &json!(text)),
        nested(
            "resources/leak/current",
            &json!({ "method": "get", "path": "/anything", "query": { "q": text } }),
        ),
        nested(
            "resources/leak/list",
            &json!({ "path": format!("/anything/{text}") }),
        ),
        nested(
            "resources/leak/create",
            &json!({ "method": "post", "path": "/a", "body": { "label": [{ "examples": text }] } }),
        ),
        nested("resources/orders/list/headers/scopes", &json!(text)),
        nested("actions/leak", &request(json!({ "q": text }))),
        nested(
            "actions/leak",
            &json!({ "type": "request", "config": { "method": "post", "path": "/a", "body": { "k": text } } }),
        ),
        nested(
            "webhook/signature_verification/config/audience",
            &json!(text),
        ),
        nested("credentials/oauth2/config/params/p", &json!(text)),
    ]
}

#[test]
fn an_api_token_changes_no_host_by_an_override() {
    each_case(hosts(), |(path, value)| {
        let scene = open();
        let change = nested(path, &value);
        each_case(
            [
                scene.override_install(&change),
                scene.override_account(&change),
            ],
            |refused| {
                let text = refused.text().to_owned();
                assert_eq!(refused.code(422), "caller.host_key", "{path} {value}");
                assert!(text.contains("admin token"), "{text}");
            },
        );
        list(&scene, "orders").expect(200);
        assert!(
            scene
                .world
                .sent()
                .iter()
                .all(|sent| sent.url.starts_with("https://api.shop.example/")),
            "{path}"
        );
    });
}

#[test]
fn an_api_token_reads_no_secret_by_an_override() {
    each_case(READS, |text| {
        each_case(places(text), |change| {
            let scene = open();
            give_variable(&scene);
            each_case(
                [
                    scene.override_install(&change),
                    scene.override_account(&change),
                ],
                |refused| {
                    let answer = refused.text().to_owned();
                    assert_eq!(refused.status, 422, "{change}: {answer}");
                    assert!(
                        answer.contains("reads") || answer.contains("caller.invalid"),
                        "{change}: {answer}"
                    );
                },
            );
        });
    });
}

#[test]
fn a_new_install_of_an_api_token_reads_no_secret_and_changes_no_host() {
    let cases = [
        json!({ "base_url": "https://evil.example" }),
        json!({ "query": { "q": "{{api_key}}" } }),
    ];
    each_case(cases, |change| {
        let scene = open();
        let environment = scene.setting.admin.environment("second");
        let client = scene.setting.admin.token_of(&environment, None);
        let body = json!({ "integration_name": "shop", "override": change });
        assert_eq!(
            client.post("/environment-integration", &body).code(422),
            "caller.host_key"
        );
        let body = json!({ "environment_id": environment, "integration_name": "shop", "override": change });
        scene
            .setting
            .admin
            .post("/environment-integration", &body)
            .expect(201);
    });
}

#[test]
fn a_variable_that_becomes_secret_is_not_read_by_what_was_written_before() {
    let leak = nested(
        "resources/leak/list",
        &json!({ "path": "/anything", "query": { "q": "{{environment_variables.later}}" } }),
    );
    let later = json!({ "environment_variables": { "later": null }, "secret_environment_variables": { "later": OPERATORS } });
    let cases = [
        (false, None),
        (true, None),
        (false, Some("clear")),
        (true, Some("clear")),
    ];
    each_case(cases, |(is_account, before)| {
        let scene = open();
        if let Some(clear) = before {
            scene
                .override_install(&json!({ "environment_variables": { "later": clear } }))
                .expect(200);
        }
        let written = if is_account {
            scene.override_account(&leak)
        } else {
            scene.override_install(&leak)
        };
        written.expect(200);
        if before.is_some() {
            assert!(list(&scene, "leak").text().contains("q=clear"));
        }
        if !is_account {
            let refused = scene.override_install(&later).expect(422);
            assert!(
                refused.to_string().contains("resources.leak.list.query.q"),
                "{refused}"
            );
        }
        scene
            .override_install_as(&scene.setting.admin, &later)
            .expect(200);
        let answer = list(&scene, "leak");
        assert!(!answer.text().contains(OPERATORS), "{}", answer.text());
        assert!(
            scene
                .world
                .sent()
                .iter()
                .all(|sent| !sent.url.contains(OPERATORS))
        );
    });
}

#[test]
fn a_public_value_with_a_secret_inside_is_sent_without_it() {
    let scene = open();
    scene
        .override_install(&nested(
            "query",
            &json!({ "q": "{{deep:json}}", "t": "{{team}}" }),
        ))
        .expect(200);
    let answer = list(&scene, "orders").expect(200);
    let url = answer["result"][0]["url"].as_str().unwrap().to_owned();
    assert!(url.contains("t=t-1") && url.contains("name"), "{url}");
    assert!(!url.contains(CUSTOMERS), "{url}");
}

#[test]
fn a_field_that_an_override_calls_public_stays_secret() {
    let scene = open();
    let fields = json!([{ "name": "api_key" }, { "name": "pin" }, { "name": "team" }]);
    let change = nested("credentials/api_key/config/fields", &fields);
    assert_eq!(scene.override_install(&change).code(422), "caller.host_key");
    scene
        .override_install_as(&scene.setting.admin, &change)
        .expect(200);
    let seen = scene
        .setting
        .client
        .get(&format!("/integrated-account/{}", scene.account))
        .expect(200);
    assert!(!seen.to_string().contains("1234-5678"), "{seen}");
    let refused = scene.override_install(&nested("query/q", &json!("{{pin}}")));
    assert_eq!(refused.code(422), "caller.host_key");
}

#[test]
fn what_the_admin_token_wrote_stays_trusted_and_nothing_else_becomes_so() {
    let scene = open();
    let admins =
        json!({ "base_url": "https://eu.shop.example", "headers": { "x-copy": "{{api_key}}" } });
    scene
        .override_install_as(&scene.setting.admin, &admins)
        .expect(200);
    let url = |scene: &Scene| {
        list(scene, "orders").expect(200)["result"][0]["url"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(url(&scene).starts_with("https://eu.shop.example/orders"));
    // An API token changes the rest, again and again.
    each_case(["a", "b"], |label| {
        scene
            .override_install(&json!({ "label": label, "query": { "team": "{{team}}" } }))
            .expect(200);
        assert!(url(&scene).starts_with("https://eu.shop.example/orders"));
    });
    scene.override_install(&admins).expect(200);
    let cases = [
        json!({ "base_url": "https://us.shop.example" }),
        json!({ "headers": { "x-copy": "{{pin}}" } }),
        json!({ "headers": { "x-more": "{{api_key}}" } }),
    ];
    each_case(cases, |change| {
        assert_eq!(
            scene.override_install(&change).code(422),
            "caller.host_key",
            "{change}"
        );
    });
    // Taken away by an API token, it is not there to be put back by one.
    scene
        .override_install(&json!({ "headers": { "x-copy": null } }))
        .expect(200);
    assert_eq!(
        scene
            .override_install(&json!({ "headers": { "x-copy": "{{api_key}}" } }))
            .code(422),
        "caller.host_key"
    );
    // What the admin token lets read a secret stays where the admin token sent it.
    let read = json!({ "resources": { "mine": { "list": { "path": "/safe", "query": { "k": "{{api_key}}" } } } } });
    scene
        .override_install_as(&scene.setting.admin, &read)
        .expect(200);
    let cases = [
        json!({ "path": "/echo" }),
        json!({ "headers": { "x": "y" } }),
    ];
    each_case(cases, |more| {
        let change = nested("resources/mine/list", &more);
        assert_eq!(
            scene.override_install(&change).code(422),
            "caller.host_key",
            "{more}"
        );
        assert_eq!(
            scene.override_account(&change).code(422),
            "caller.host_key",
            "{more}"
        );
    });
    scene
        .override_install(&nested("resources/mine/list/description", &json!("d")))
        .expect(200);
    // An account's override is a separate layer.
    assert_eq!(
        scene
            .override_account(&json!({ "base_url": "https://us.shop.example" }))
            .code(422),
        "caller.host_key"
    );
    scene
        .override_account_as(
            &scene.setting.admin,
            &json!({ "base_url": "https://us.shop.example" }),
        )
        .expect(200);
    scene.override_account(&json!({ "label": "c" })).expect(200);
    assert!(url(&scene).starts_with("https://us.shop.example/orders"));
}

#[test]
fn an_entry_that_the_file_has_there_too_is_no_change() {
    let scene = open();
    let same = json!({
        "base_url": "https://api.shop.example",
        "authorization": { "format": "bearer", "config": { "token": "{{api_key}}" } },
        "resources": { "sessions": { "create": { "path": "/sessions", "body": { "key": "{{api_key}}" } } } },
    });
    scene.override_install(&same).expect(200);
    scene.override_account(&same).expect(200);
    list(&scene, "orders").expect(200);
    // When the file changes, what an API token wrote does not hold requests where they went.
    let mut moved = file();
    moved["config"]["base_url"] = json!("https://new.shop.example");
    scene
        .setting
        .admin
        .send("PUT", "/integration/shop", &moved)
        .expect(200);
    let refused = list(&scene, "orders").expect(409);
    assert_eq!(refused["code"], "integration.override_refused");
    assert!(
        refused["message"].as_str().unwrap().contains("base_url"),
        "{refused}"
    );
    // It is seen, and its author can repair it.
    scene
        .setting
        .client
        .get(&format!("/integrated-account/{}", scene.account))
        .expect(200);
    scene
        .override_install(&json!({ "base_url": null }))
        .expect(200);
    scene
        .override_account(&json!({ "base_url": null }))
        .expect(200);
    let answer = list(&scene, "orders").expect(200);
    assert_eq!(
        answer["result"][0]["url"],
        "https://new.shop.example/orders"
    );
}

#[test]
fn what_one_layer_takes_away_is_not_built_again_by_another() {
    let scene = open();
    let environment = scene.setting.admin.environment("second");
    let client = scene.setting.admin.token_of(&environment, None);
    let install = |change: &Value| {
        client.post(
            "/environment-integration",
            &json!({ "integration_name": "shop", "override": change }),
        )
    };
    let cases = [
        json!({ "base_url": null }),
        json!({ "resources": { "open": { "list": { "base_url": null } } } }),
        json!({ "authorization": null }),
    ];
    each_case(cases, |change| {
        let refused = install(&change);
        assert_eq!(refused.status, 422, "{change}");
    });
    let made = install(&json!({ "resources": { "sessions": { "create": null } } })).expect(201);
    let account = json!({ "tenant_id": "t", "environment_integration_id": made["id"], "authentication_method": "api_key", "context": { "api_key": CUSTOMERS, "pin": "1234-5678" } });
    let account = client.post("/integrated-account", &account).expect(201);
    let again = json!({ "resources": { "sessions": { "create": { "method": "post", "path": "/echo", "body": { "key": "{{api_key}}" } } } } });
    let path = format!("/integrated-account/{}", account["id"].as_str().unwrap());
    let refused = client.send("PATCH", &path, &json!({ "integration_override": again }));
    assert_eq!(refused.code(422), "caller.host_key");
}

#[test]
fn an_expression_sees_no_token_that_a_webhook_brings() {
    let cases = [
        (
            "bearer",
            json!({ "token": "operators-token-4711" }),
            "headers",
        ),
        (
            "bearer",
            json!({ "token": "operators-token-4711", "compare_with": "$body.token" }),
            "body",
        ),
        (
            "bearer",
            json!({ "token": "operators-token-4711", "compare_with": ["$query.t", "$header.x-t"] }),
            "query",
        ),
        (
            "basic",
            json!({ "username": "u", "password": "operators-token-4711" }),
            "headers",
        ),
    ];
    each_case(cases, |(format, config, root)| {
        let mut file = file();
        file["config"]["webhook"]["signature_verification"] =
            json!({ "format": format, "config": config });
        let scene = of(&file);
        each_case(["payload_transform", "event_id"], |key| {
            let cases = [
                format!("$split($string({root}), \"\")"),
                "$".to_owned(),
                "*".to_owned(),
            ];
            each_case(cases, |source| {
                let change = nested(&format!("webhook/{key}"), &json!(source));
                assert_eq!(
                    scene.override_install(&change).code(422),
                    "caller.host_key",
                    "{format} {change}"
                );
                assert_eq!(
                    scene.override_account(&change).code(422),
                    "caller.host_key",
                    "{format} {change}"
                );
            });
        });
        scene
            .override_install(&nested("webhook/event_id", &json!("method")))
            .expect(200);
    });
}

#[test]
fn what_is_an_environments_own_stays_free_to_its_api_token() {
    let scene = open();
    let free = [
        json!({ "label": "Our shop" }),
        json!({ "environment_variables": { "team": "7" } }),
        json!({ "secret_environment_variables": { "app_key": OPERATORS } }),
        json!({ "resources": { "items": { "list": { "path": "/items/{{team}}", "query": { "v": "{{environment_variables.team}}", "w": "{{query.w}}" } }, "create": { "method": "post", "path": "/items", "body": { "a": "{{body.a}}" } } } } }),
        json!({ "resources": { "orders": { "list": { "path": "/orders/v2", "response_path": "data", "no_auth": true } } } }),
        json!({ "rate_limit": { "is_rate_limited": "status = 420" }, "error_expression": "{{error}}" }),
        json!({ "pagination": { "format": "cursor", "config": { "cursor_path": "links.next", "is_link": true } } }),
        json!({ "webhook": { "payload_transform": "{ \"event_type\": \"record:created\", \"payload\": body }", "event_id": "headers.`x-id`" } }),
        json!({ "actions": { "sum": { "type": "transform", "config": "$context.team" } } }),
        json!({ "headers": { "x-team": "{{team}}", "x-app-key": null } }),
    ];
    each_case(&free, |change| {
        scene.override_install(change).expect(200);
        scene
            .override_account(&{
                let mut own = change.clone();
                let own_keys = own.as_object_mut().unwrap();
                own_keys.retain(|key, _| !key.ends_with("environment_variables"));
                own
            })
            .expect(200);
    });
    assert_eq!(
        scene.run_action("sum", &json!({})).expect(200)["result"],
        Value::Null
    );
    let url = list(&scene, "items").expect(200)["result"][0]["url"].clone();
    assert_eq!(url, "https://api.shop.example/items/t-1?v=7");
}

/// It would take minutes if every entry looked at all others.
#[test]
fn an_override_of_many_entries_is_judged_in_one_go() {
    let scene = open();
    let many = |count: usize, value: &dyn Fn(usize) -> Value| -> Value {
        (0..count)
            .map(|n| (format!("k{n}"), value(n)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let variables = many(10_000, &|n| json!(n.to_string()));
    scene
        .override_install(&json!({ "secret_environment_variables": variables }))
        .expect(200);
    let body = many(5_000, &|_| json!("{{team}}"));
    let wide = json!({ "resources": { "wide": { "create": { "method": "post", "path": "/w", "body": body } } } });
    scene.override_install(&wide).expect(200);
    let methods = many(
        3_000,
        &|n| json!({ "path": format!("/m/{n}"), "query": { "q": "{{team}}" } }),
    );
    scene
        .override_install_as(
            &scene.setting.admin,
            &json!({ "resources": { "many": methods } }),
        )
        .expect(200);
    list(&scene, "orders").expect(200);
}
