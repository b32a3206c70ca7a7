//! Whole numbers that a double does not hold keep every digit through expressions.

use causeway::ports::Body;
use serde_json::{Value, json};

use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::client::Answer;
use crate::files;
use crate::inbound_webhooks::ReceivingAccount;
use crate::outside::{Sent, World, reply};

/// Pairs of ids that are one double. RFC 8259 §6: beyond 2^53 implementations do not agree.
const PAIRS: [(&str, &str); 5] = [
    ("9007199254740992", "9007199254740993"),
    ("1300794057949944903", "1300794057949944904"),
    ("-1300794057949944903", "-1300794057949944904"),
    ("18446744073709551614", "18446744073709551615"),
    ("18446744073709551616", "18446744073709551617"),
];

fn file() -> Value {
    let copies = json!({ "v": "{{body.v:any}}", "all": "{{body:any}}", "text": "n{{body.v}}" });
    files::with_key(
        "number-echo",
        &json!({
            "base_url": "https://number-echo.example",
            "authorization": { "format": "bearer", "config": { "token": "{{api_key}}" } },
            "resources": { "o": {
                "create": { "method": "post", "path": "/o/{{body.v}}", "query": { "v": "{{body.v}}", "l": "{{body.list:undefined}}" }, "headers": { "x-v": "{{body.v}}" }, "body": copies },
                "plain": { "method": "post", "path": "/p", "body": copies },
                "form": { "method": "post", "path": "/f", "body_format": "form", "body": { "v": "{{body.v:any}}" } },
                "parts": { "method": "post", "path": "/f", "body_format": "multipart", "body": { "v": "{{body.v:any}}" } },
                "xml": { "method": "post", "path": "/f", "body_format": "xml", "body": { "r": { "@a": "{{body.v:any}}", "v": "{{body.v:any}}" } } },
                "int": { "method": "post", "path": "/i", "body": { "v": "{{body.v:int}}", "n": "{{body.v:num}}" } },
                "context": { "method": "post", "path": "/c/{{team}}", "body": { "v": "{{team}}" } },
                "list": { "path": "/list", "response_path": "d" },
                "get": { "path": "/get", "response_path": "d", "error_expression": "body.never ? { 'status': 409, 'message': 'x' }" },
                "pages": { "path": "/pages", "response_path": "d", "query": { "c": "{{pagination.c:undefined}}" } },
            } },
            "actions": {
                "copy": { "steps": [
                    { "type": "request", "config": { "path": "/me" } },
                    { "type": "request", "config": { "method": "post", "path": "/to/{{body.v}}", "body": { "v": "{{body.v:any}}" } } } ] },
                "whole": { "steps": [
                    { "type": "request", "config": { "path": "/me" } },
                    { "type": "request", "config": { "method": "post", "path": "/to" } } ] },
                "show": { "steps": [{ "type": "request", "config": { "path": "/me" } }] },
                "transform": { "steps": [
                    { "type": "request", "config": { "path": "/me" } },
                    { "type": "transform", "config": { "expression": "{ 'v': $previous.v, 'text': $string($previous.v), 'key': { $string($previous.v): true } }" } },
                    { "type": "request", "config": { "method": "post", "path": "/to/{{body.v}}", "body": "{{body:any}}" } } ] },
                "keep": { "steps": [
                    { "type": "request", "config": { "path": "/me" } },
                    { "type": "update_context", "config": { "expression": "{ 'team': $previous.v }" } } ] },
                "keep_values": { "steps": [
                    { "type": "request", "config": { "path": "/me" } },
                    { "type": "update_context", "config": { "team": "{{body.v:any}}" } } ] },
                "plus": { "steps": [
                    { "type": "request", "config": { "path": "/me" } },
                    { "type": "transform", "config": { "expression": "$number($string($previous.v)) + 0" } } ] },
                "compare": { "steps": [
                    { "type": "request", "config": { "path": "/me" } },
                    { "type": "transform", "config": { "expression": "{ 'same': $previous.v = $previous.w, 'known': $previous.v = 1300794057949944903, 'other': $previous.v = 1300794057949944904, 'in': $previous.v in [1, 1300794057949944903] }" } } ] },
            },
        }),
    )
}

fn open() -> Scene {
    Scene::with_key(&[], &file())
}

/// Everything is answered with this text.
pub fn answering(text: &str) -> Scene {
    let (scene, text) = (open(), text.to_owned());
    scene
        .world
        .provides(move |_| reply(200, &JSON, Body::from_bytes(text.clone())));
    scene
}

pub fn call(scene: &Scene, path: &str, body: &str) -> Answer {
    scene.call("POST", path, &JSON, Body::from_bytes(body.to_owned()))
}

pub fn last(scene: &Scene) -> Sent {
    scene.world.sent().pop().unwrap()
}

pub fn body(sent: &Sent) -> String {
    String::from_utf8(sent.body.clone()).unwrap()
}

fn receiving(webhook: &Value) -> ReceivingAccount {
    ReceivingAccount::in_world(World::new(), webhook)
}

#[test]
fn a_whole_number_keeps_its_digits_through_transforms_and_contexts() {
    each_case(PAIRS.iter().flat_map(|(one, other)| [*one, *other]), |n| {
        let scene = answering(&format!(r#"{{"v":{n}}}"#));
        call(&scene, "/proxy/_/transform", "null").expect(200);
        let sent = last(&scene);
        assert_eq!(sent.url, format!("https://number-echo.example/to/{n}"));
        let sent = body(&sent);
        assert!(sent.contains(&format!(r#""text":"{n}""#)), "{sent}");
        assert!(sent.contains(&format!(r#""key":{{"{n}":true}}"#)), "{sent}");
        let as_text = n.parse::<i64>().is_err() && n.parse::<u64>().is_err();
        let own = if as_text {
            format!("\"{n}\"")
        } else {
            n.to_owned()
        };
        assert!(sent.starts_with(&format!(r#"{{"v":{own},"#)), "{sent}");
        call(&scene, "/proxy/_/keep", "null").expect(200);
        call(&scene, "/proxy/o/context", "{}").expect(200);
        assert_eq!(
            last(&scene).url,
            format!("https://number-echo.example/c/{n}")
        );
    });
}

#[test]
fn what_the_engine_computes_beyond_two_to_the_53_is_refused() {
    each_case(PAIRS.iter().flat_map(|(one, other)| [*one, *other]), |n| {
        let scene = answering(&format!(r#"{{"v":{n}}}"#));
        let failed = call(&scene, "/proxy/_/plus", "null");
        assert_eq!(failed.code(500), "integration.expression_failed", "{n}");
    });
    let scene = answering(r#"{"v":9007199254740991}"#);
    assert_eq!(
        call(&scene, "/proxy/_/plus", "null").text(),
        "9007199254740991"
    );
}

#[test]
fn whole_numbers_are_compared_digit_by_digit() {
    each_case(PAIRS, |(one, other)| {
        each_case([(one, other), (one, one)], |(v, w)| {
            let scene = answering(&format!(r#"{{"v":{v},"w":{w}}}"#));
            let result = call(&scene, "/proxy/_/compare", "null").expect(200);
            let known = v == "1300794057949944903";
            let expected = json!({ "same": v == w, "known": known, "other": false, "in": known });
            assert_eq!(result, expected, "{v} {w}");
        });
    });
}

#[test]
fn events_of_two_ids_are_two() {
    each_case(PAIRS, |(one, other)| {
        let cases = [
            "body.nr",
            "$string(body.nr)",
            "'e-' & body.nr",
            "[body.nr][0]",
            "body.{ 'k': nr }.k",
        ];
        each_case(cases, |event_id| {
            let scene = receiving(
                &json!({ "event_id": event_id, "payload_transform": "{ 'event_type': 'n:' & body.nr, 'resource_id': body.nr, 'payload': { 'nr': body.nr } }" }),
            );
            let send = |nr: &str| {
                scene
                    .to_account(&[], &format!(r#"{{"nr":{nr}}}"#))
                    .expect(200)
            };
            let (first, second) = (send(one), send(other));
            assert_ne!(first, second, "{event_id} {one}");
            assert_eq!(send(one), first, "{event_id} {one}");
            let event = scene.event(&crate::client::id_of(&first));
            assert_eq!(event["event"], format!("n:{one}"));
            assert_eq!(event["resource_id"], one);
            let id = crate::client::id_of(&first);
            let shown = scene.setting.client.get(&format!("/event/{id}"));
            let payload = format!("\"payload\":{{\"nr\":{one}}}");
            assert!(shown.text().contains(&payload), "{}", shown.text());
        });
    });
}

/// Some senders write ids with an exponent or a fraction of nothing: they are the same numbers (RFC 8259 §6).
#[test]
fn ids_that_are_written_as_fractions_are_as_many_as_there_are() {
    let cases = [
        (
            "9007199254740993.0",
            "9007199254740992.0",
            "9007199254740993",
        ),
        (
            "1.300794057949944903e18",
            "1.300794057949944904E+18",
            "1300794057949944903",
        ),
    ];
    each_case(cases, |(one, other, digits)| {
        let scene = receiving(&json!({ "event_id": "body.nr" }));
        let send = |nr: &str| {
            let sent = format!(r#"{{"topic":"t","nr":{nr}}}"#);
            scene.to_account(&[], &sent).expect(200)
        };
        let first = send(one);
        assert_ne!(first, send(other), "{one}");
        assert_eq!(first, send(digits), "{one}");
    });
}

#[test]
fn a_webhook_finds_the_account_of_its_number_and_no_other() {
    each_case(PAIRS, |(one, other)| {
        each_case([false, true], |is_text| {
            let scene = receiving(&json!({}));
            let import = |team: &str| {
                let team = if is_text {
                    format!("\"{team}\"")
                } else {
                    team.to_owned()
                };
                let install = &scene.setting.install;
                let body = format!(
                    r#"{{"tenant_id":"t","environment_integration_id":"{install}","authentication_method":"api_key","context":{{"api_key":"k","shop":{team}}}}}"#
                );
                let client = &scene.setting.client;
                let made =
                    client.request("POST", "/integrated-account", &JSON, Body::from_bytes(body));
                crate::client::id_of(&made.expect(201))
            };
            let (a, b) = (import(one), import(other));
            let received = scene.to_install(&[], &format!(r#"{{"topic":"t","shop":{one}}}"#));
            assert_eq!(received.expect(200)["matched"], 1, "{one} {is_text}");
            assert_eq!(scene.events_of(&a).len(), 1, "{one}");
            assert_eq!(scene.events_of(&b).len(), 0, "{one}");
        });
    });
}

#[test]
fn an_identity_that_the_engine_computed_inexactly_is_kept_for_a_replay() {
    let cases = [
        (
            "payload_transform",
            "{ 'event_type': 'x', 'resource_id': $number(body.nr), 'payload': 1 }",
        ),
        (
            "payload_transform",
            "{ 'event_type': 'x', 'payload': $sum([$number(body.nr), 1]) }",
        ),
        (
            "payload_transform",
            "{ 'event_type': 'x', 'payload': { 'n': body.nr + 0 } }",
        ),
    ];
    each_case(cases, |(key, expression)| {
        let scene = receiving(&json!({ key: expression }));
        scene
            .to_account(&[], r#"{"nr":1300794057949944903}"#)
            .expect(200);
        let events = scene.events();
        assert_eq!(events.len(), 1, "{expression}");
        assert_eq!(events[0]["status"], "failed", "{expression}");
        assert_eq!(
            events[0]["last_error"]["code"],
            "integration.transform_failed"
        );
    });
}

#[test]
fn a_key_that_the_engine_computed_inexactly_tells_no_event_from_another() {
    each_case(
        ["$number(body.nr)", "$number('1300794057949944903')"],
        |expression| {
            let scene = receiving(&json!({ "event_id": expression }));
            each_case(["1300794057949944903", "1300794057949944904"], |nr| {
                let sent = format!(r#"{{"topic":"t","nr":{nr}}}"#);
                scene.to_account(&[], &sent).expect(200);
            });
            assert_eq!(scene.events().len(), 2, "{expression}");
            assert_eq!(scene.logged("webhook_event_id_failed").len(), 2);
        },
    );
}

#[test]
fn a_payload_that_was_copied_has_the_numbers_that_came() {
    let numbers = r#"{"nr":1300794057949944903,"price":19.90,"big":1e300,"list":[18446744073709551615,-9223372036854775808,7]}"#;
    let scene = receiving(
        &json!({ "event_id": "headers.x", "payload_transform": "{ 'event_type': 'x', 'payload': { 'o': body, 'text': $string(body.nr), 'joined': body.nr & '' } }" }),
    );
    let sent = scene.to_account(&[], numbers).expect(200);
    let payload = &scene.event(&crate::client::id_of(&sent))["payload"];
    let expected = json!({ "nr": 1_300_794_057_949_944_903_u64, "price": 19.9, "big": 1e300, "list": [u64::MAX, i64::MIN, 7] });
    assert_eq!(payload["o"], expected);
    assert_eq!(payload["text"], "1300794057949944903");
    assert_eq!(payload["joined"], "1300794057949944903");
}

#[test]
fn payloads_that_only_look_alike_as_doubles_are_not_the_body() {
    let scene = receiving(
        &json!({ "event_id": "headers.x", "payload_transform": "{ 'event_type': 'x', 'payload': { 'a': body.b, 'b': body.a } }" }),
    );
    let sent = scene.to_account(&[], r#"{"a":1300794057949944903,"b":1300794057949944904}"#);
    let payload = &scene.event(&crate::client::id_of(&sent.expect(200)))["payload"];
    assert_eq!(payload["a"], 1_300_794_057_949_944_904_u64);
}

#[test]
fn a_dynamic_page_is_asked_for_by_the_digits_that_came() {
    each_case(PAIRS.iter().flat_map(|(one, other)| [*one, *other]), |n| {
        let cases = [
            "response.n ? { 'c': response.n }",
            "response.n ? { 'c': $string(response.n) }",
        ];
        each_case(cases, |expression| {
            let mut file = file();
            file["config"]["resources"]["o"]["list"] = json!({
                "path": "/pages", "response_path": "d", "query": { "c": "{{pagination.c:undefined}}" },
                "pagination": { "format": "dynamic", "config": { "get_pagination_values_expression": expression } },
            });
            let scene = Scene::with_key(&[], &file);
            let more = format!(r#"{{"d":[1],"n":{n}}}"#);
            scene.world.provides(move |sent| {
                let text = if sent.url.contains("c=") {
                    r#"{"d":[2]}"#.to_owned()
                } else {
                    more.clone()
                };
                reply(200, &JSON, Body::from_bytes(text))
            });
            let pages = scene.call("GET", "/proxy/o", &[("x-all-pages", "true")], Body::Empty);
            assert!(pages.text().starts_with("1\n2\n"), "{}", pages.text());
            let sent = scene.world.sent();
            assert_eq!(
                sent[1].url,
                format!("https://number-echo.example/pages?c={n}")
            );
        });
    });
}
