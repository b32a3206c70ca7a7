//! The file's `body`: in every JSON and form body, also of one that passes through.

use causeway::config::read;
use causeway::ports::Body;
use causeway::settings::TEMPLATE_BODY_BYTES;
use serde_json::{Value, json};

use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::client::Answer;
use crate::outside::{Sent, World, reply};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn file(more: &Value) -> Value {
    let mut file = json!({ "name": "keyed-body", "config": {
        "base_url": "https://api.keyed-body.example",
        "credentials": { "api_key": { "config": { "fields": [{ "name": "api_key", "type": "password" }] } } },
        "authorization": { "format": "none" },
        "body": { "key": "{{api_key}}", "lang": "en" },
        "custom": true,
        "resources": { "items": {
            "list": { "path": "/items" },
            "create": { "method": "post", "path": "/items" },
            "form": { "method": "post", "path": "/form", "body_format": "form", "body": { "a": "{{body.a}}" } },
            "own": { "method": "post", "path": "/own", "body": { "lang": "de", "inner": "{{body.inner:any}}" } },
            "xml": { "method": "post", "path": "/xml", "body_format": "xml", "body": { "a": "1" } },
            "put_in": { "method": "post", "path": "/in", "add_query_to_body": true },
            "delete": { "method": "delete", "path": "/items/{{id}}" },
        } },
        "actions": { "go": { "steps": [
            { "type": "request", "config": { "method": "post", "path": "/step" } },
            { "type": "request", "config": { "path": "/read" } },
        ] } },
    } });
    causeway::json::merge(&mut file["config"], more);
    file
}

fn scene(more: &Value) -> Scene {
    let file = file(more);
    assert!(
        read(&file).integration.is_some(),
        "{:?}",
        read(&file).findings
    );
    let world = World::new();
    world.provides(|_| reply(200, &JSON, Body::from_bytes("[]")));
    Scene::new(
        world,
        &file,
        "api_key",
        &json!({ "api_key": "key-of-the-account" }),
    )
}

fn call(scene: &Scene, method: &str, path: &str, header: (&str, &str), body: &str) -> Answer {
    let body = Body::from_bytes(body.to_owned());
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let path = format!("{}&{query}", scene.path(path));
    scene
        .setting
        .client
        .request(method, path.trim_end_matches('&'), &[header], body)
}

fn text(sent: &Sent) -> &str {
    std::str::from_utf8(&sent.body).unwrap()
}

#[test]
fn every_body_of_a_kind_that_has_entries_gets_them() {
    let cases = [
        (
            "POST",
            "/proxy/items",
            JSON[0],
            r#"{"a":1e400}"#,
            r#"{"a":1e400,"key":"key-of-the-account","lang":"en"}"#,
        ),
        (
            "POST",
            "/proxy/items",
            JSON[0],
            r#"{"key":"theirs","Key":1,"lang":"fr"}"#,
            r#"{"lang":"fr","key":"key-of-the-account"}"#,
        ),
        (
            "POST",
            "/proxy/items?truto_body_passthrough=true",
            JSON[0],
            "{}",
            r#"{"key":"key-of-the-account","lang":"en"}"#,
        ),
        (
            "POST",
            "/proxy/items",
            FORM,
            "a=1&key=theirs",
            "a=1&key=key-of-the-account&lang=en",
        ),
        (
            "POST",
            "/proxy/items/form",
            JSON[0],
            r#"{"a":"x"}"#,
            "a=x&key=key-of-the-account&lang=en",
        ),
        (
            "POST",
            "/proxy/items/own",
            JSON[0],
            r#"{"inner":{"key":"theirs"}}"#,
            r#"{"lang":"de","inner":{"key":"theirs"},"key":"key-of-the-account"}"#,
        ),
        (
            "POST",
            "/proxy/items/xml",
            JSON[0],
            "{}",
            r#"<?xml version="1.0" encoding="UTF-8"?><a>1</a>"#,
        ),
        (
            "POST",
            "/proxy/items/put_in?key=theirs&b=2",
            JSON[0],
            "{}",
            r#"{"b":"2","key":"key-of-the-account","lang":"en"}"#,
        ),
        (
            "POST",
            "/custom/any",
            JSON[0],
            r#"{"a":1}"#,
            r#"{"a":1,"key":"key-of-the-account","lang":"en"}"#,
        ),
        (
            "PUT",
            "/custom/any",
            FORM,
            "key[x]=1",
            "key=key-of-the-account&lang=en",
        ),
        ("DELETE", "/proxy/items/1", JSON[0], "", ""),
        ("GET", "/proxy/items", JSON[0], "", ""),
    ];
    each_case(cases, |(method, path, header, body, expected)| {
        let scene = scene(&json!({}));
        let answer = call(&scene, method, path, header, body);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let sent = scene.world.sent().remove(0);
        assert_eq!(text(&sent), expected);
        let form = sent
            .header("content-type")
            .is_some_and(|kind| kind == FORM.1);
        assert_eq!(
            form,
            expected.contains("&lang") || expected.starts_with("a=1"),
            "{:?}",
            sent.header("content-type")
        );
    });
}

#[test]
fn a_request_without_a_body_gets_one() {
    let scene = scene(&json!({}));
    for path in ["/proxy/items", "/custom/any"] {
        scene
            .call_passing("POST", path, &[], Body::Empty)
            .expect(200);
        let sent = scene.world.sent().remove(0);
        assert_eq!(text(&sent), r#"{"key":"key-of-the-account","lang":"en"}"#);
        assert_eq!(sent.header("content-type"), Some("application/json"));
    }
    assert!(!scene.world.at_rest().contains("key-of-the-account"));
}

#[test]
fn steps_carry_them_and_the_caller_of_an_action_replaces_none() {
    let scene = scene(&json!({}));
    let input = json!({ "key": "theirs", "a": 1 });
    scene.run_action("go", &input).expect(200);
    let sent = scene.world.sent();
    assert_eq!(
        text(&sent[0]),
        r#"{"a":1,"key":"key-of-the-account","lang":"en"}"#
    );
    assert_eq!(sent[1].body, b"", "a GET has none");
}

#[test]
fn a_body_that_cannot_carry_them_is_refused_and_its_size_is_bounded() {
    let scene = scene(&json!({}));
    for body in ["[1]", "1", "{"] {
        let answer = call(&scene, "POST", "/proxy/items", JSON[0], body);
        assert_eq!(answer.code(400), "caller.malformed");
    }
    for kind in [
        "text/plain",
        "application/json, text/plain",
        "multipart/form-data; boundary=x",
    ] {
        let header = ("content-type", kind);
        for path in ["/proxy/items", "/custom/any"] {
            let answer = call(&scene, "POST", path, header, r#"{"key":"theirs"}"#);
            assert_eq!(answer.code(400), "caller.malformed", "{kind}");
        }
    }
    let body = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
    let sends = |bytes: usize| call(&scene, "POST", "/custom/any", JSON[0], &body(bytes)).status;
    assert!(scene.world.sent().is_empty());
    assert_eq!(sends(TEMPLATE_BODY_BYTES), 200);
    assert_eq!(sends(TEMPLATE_BODY_BYTES + 1), 413);
}

#[test]
fn a_body_of_another_type_stays_as_it_is_where_every_entry_is_a_default() {
    let scene = scene(&json!({ "body": { "key": null } }));
    let plain = ("content-type", "text/plain");
    call(&scene, "POST", "/proxy/items", plain, "[1]").expect(200);
    assert_eq!(text(&scene.world.sent().remove(0)), "[1]");
}

#[test]
fn what_is_signed_is_the_merged_body() {
    let signature = json!({ "format": "header", "config": { "expression": "{ 'x-body': $hmac('sha256', context.api_key, requestOptions.body) }" } });
    let scene = scene(&json!({ "authorization": signature }));
    call(&scene, "POST", "/proxy/items", JSON[0], r#"{"a":1}"#).expect(200);
    let sent = scene.world.sent().remove(0);
    let hash = causeway::crypto::Hash::Sha256;
    let hash = causeway::crypto::hmac(hash, b"key-of-the-account", &sent.body);
    let hash = data_encoding::HEXLOWER.encode(&hash);
    assert!(text(&sent).contains("key-of-the-account"));
    assert_eq!(sent.header("x-body"), Some(hash.as_str()));
}

#[test]
fn a_key_of_a_write_stands_for_what_its_caller_sent() {
    let scene = scene(&json!({}));
    let path = scene.path("/proxy/items");
    let write = |body: &'static str| {
        let headers = [JSON[0], ("idempotency-key", "k1")];
        scene
            .setting
            .client
            .request("POST", &path, &headers, Body::from_bytes(body))
    };
    write("{\"a\":1}").expect(200);
    write("{\"a\":1}").expect(200);
    assert_eq!(scene.world.sent().len(), 1);
    assert_eq!(write("{\"a\":2}").status, 422);
}

#[test]
fn the_provider_that_repeats_the_key_is_not_passed_on() {
    let scene = scene(&json!({}));
    scene
        .world
        .provides(|sent| reply(400, &JSON, Body::from_bytes(sent.body.clone())));
    let answer = call(&scene, "POST", "/proxy/items", JSON[0], "{}");
    assert_eq!(answer.status, 400);
    assert!(
        !answer.text().contains("key-of-the-account"),
        "{}",
        answer.text()
    );
}

#[test]
fn layers_merge_their_entries() {
    let scene = scene(&json!({}));
    let change = json!({ "body": { "lang": "de", "shop": "north" } });
    scene.override_install(&change).expect(200);
    call(&scene, "POST", "/proxy/items", JSON[0], "{}").expect(200);
    let sent = scene.world.sent().remove(0);
    assert_eq!(
        text(&sent),
        r#"{"key":"key-of-the-account","lang":"de","shop":"north"}"#
    );
}

#[test]
fn it_reads_no_call_and_sends_no_operators_value_to_an_open_host() {
    let cases = [
        (json!({ "body": { "x": "{{query.x}}" } }), "config.body.x"),
        (
            json!({ "body": { "x": { "y": "{{body.x}}" } } }),
            "config.body.x",
        ),
        (json!({ "body": [1] }), "config.body"),
        (
            json!({ "body": { "key": "{{environment_variables.key}}" }, "base_url": "{{api_key}}", "allowed_hosts": ["*"] }),
            "config.body.key",
        ),
    ];
    each_case(cases, |(more, path)| {
        let mut file = file(&json!({}));
        if more["body"].is_array() {
            file["config"]["body"] = more["body"].clone();
        } else {
            causeway::json::merge(&mut file["config"], &more);
        }
        let found = read(&file).findings;
        let is_error = |one: &causeway::config::Finding| {
            one.path == path && one.level == causeway::config::Level::Error
        };
        assert!(found.iter().any(is_error), "{found:?}");
    });
}
