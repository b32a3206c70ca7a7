//! What describes a body travels with it (RFC 9110 section 8), and stays away where there is none (section 6.4).

use causeway::ports::Body;
use http::HeaderName;
use serde_json::{Value, json};

use crate::account::Scene;
use crate::cases::each_case;
use crate::client::Answer;
use crate::files;
use crate::outside::{Sent, streamed};

/// Fields that describe a body, with a value each.
const DESCRIBE: &[(&str, &str)] = &[
    ("content-type", "application/x-own"),
    ("content-encoding", "gzip"),
    ("content-language", "pl"),
    ("content-disposition", "attachment; filename=\"a.txt\""),
    ("content-location", "/a"),
    ("content-md5", "Q2hlY2sgSW50ZWdyaXR5IQ=="),
    ("digest", "sha-256=abc="),
    ("content-digest", "sha-256=:abc=:"),
    ("repr-digest", "sha-256=:abc=:"),
];
const RANGE: (&str, &str) = ("content-range", "bytes 0-99/300");

fn file(default_type: bool) -> Value {
    let method = |method: &str, more: Value| {
        let mut whole = json!({ "method": method, "path": "/o" });
        causeway::json::merge(&mut whole, &more);
        whole
    };
    files::with_key(
        "fields",
        &json!({
            "headers": if default_type { json!({ "Content-Type": "application/json", "X-Kept": "yes" }) } else { json!({ "X-Kept": "yes" }) },
            "authorization": { "format": "bearer", "config": { "token": "{{api_key}}" } },
            "resources": { "o": {
                "list": { "path": "/o" },
                "get": method("get", json!({})),
                "create": method("post", json!({})),
                "update": method("put", json!({})),
                "delete": method("delete", json!({})),
                "silent": method("post", json!({ "ignore_body": true })),
                "json": method("post", json!({ "body": { "a": "{{body.a}}" } })),
                "form": method("post", json!({ "body": { "a": "{{body.a}}" }, "body_format": "form" })),
                "parts": method("post", json!({ "body": { "a": "{{body.a}}" }, "body_format": "multipart" })),
                "xml": method("post", json!({ "body": { "a": "{{body.a}}" }, "body_format": "xml" })),
                "merged": method("post", json!({ "add_query_to_body": true })),
            } },
        }),
    )
}

fn open() -> Scene {
    Scene::with_key(&[], &file(true))
}

fn call(
    scene: &Scene,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &'static str,
) -> Answer {
    scene
        .world
        .answers(200, &[("content-type", "application/json")], "[]");
    let answer = scene.call(method, path, headers, Body::from_bytes(body));
    scene.world.unscript();
    answer
}

fn sent(
    scene: &Scene,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &'static str,
) -> Sent {
    let answer = call(scene, method, path, headers, body);
    assert_eq!(answer.status, 200, "{method} {path} {}", answer.text());
    scene.world.sent().remove(0)
}

/// The names of the fields that describe a body.
fn describing(sent: &Sent) -> Vec<&str> {
    let names = sent.headers.keys().map(HeaderName::as_str);
    names
        .filter(|name| name.starts_with("content-") || name.ends_with("digest"))
        .collect()
}

#[test]
fn a_body_that_goes_on_as_it_came_takes_its_description_along() {
    let cases = [
        ("POST", "/proxy/o"),
        ("PUT", "/proxy/o/1"),
        ("DELETE", "/proxy/o/1"),
        ("POST", "/custom/o"),
        ("PATCH", "/custom/o"),
        ("DELETE", "/custom/o"),
        ("POST", "/proxy/o/json?truto_body_passthrough=true"),
    ];
    each_case(cases, |(method, path)| {
        let scene = open();
        let all: Vec<_> = DESCRIBE.iter().chain([&RANGE]).copied().collect();
        let sent = sent(&scene, method, path, &all, "{\"a\":1}");
        each_case(&all, |(name, value)| {
            assert_eq!(sent.header(name), Some(*value), "{method} {path} {name}");
        });
        assert_eq!(sent.body, b"{\"a\":1}");
        assert_eq!(sent.header("content-length"), None);
    });
    let scene = open();
    scene.world.answers(200, &[], "");
    let body = streamed(&[b"abc", b"def"], None);
    scene.call(
        "PUT",
        "/custom/o",
        &[RANGE, ("content-encoding", "gzip")],
        body,
    );
    let sent = scene.world.sent().remove(0);
    assert_eq!(
        (
            sent.header("content-range"),
            sent.header("content-encoding")
        ),
        (Some(RANGE.1), Some("gzip"))
    );
}

#[test]
fn a_body_that_we_make_has_no_description_of_another() {
    let cases = [
        ("/proxy/o/json", "application/json"),
        ("/proxy/o/form", "application/x-www-form-urlencoded"),
        ("/proxy/o/parts", "multipart/form-data"),
        ("/proxy/o/xml", "application/xml"),
        ("/proxy/o/merged?b=1", "application/json"),
    ];
    each_case(cases, |(path, kind)| {
        let scene = open();
        let sent = sent(&scene, "POST", path, DESCRIBE, "{\"a\":\"1\"}");
        assert_eq!(describing(&sent), ["content-type"], "{path}");
        assert!(
            sent.header("content-type").unwrap().starts_with(kind),
            "{path}"
        );
        let refused = call(&scene, "POST", path, &[RANGE], "{\"a\":\"1\"}");
        let reported = refused.expect(400);
        assert!(
            reported["message"]
                .as_str()
                .unwrap()
                .contains("content-range"),
            "{reported}"
        );
        assert_eq!(scene.sent(), 0, "{path}");
    });
}

#[test]
fn a_request_without_a_body_describes_none() {
    each_case([true, false], |default_type| {
        let cases = [
            ("GET", "/proxy/o"),
            ("GET", "/proxy/o/1"),
            ("DELETE", "/proxy/o/1"),
            ("POST", "/proxy/o"),
            ("PUT", "/proxy/o/1"),
            ("POST", "/proxy/o/silent"),
            ("GET", "/custom/o"),
            ("HEAD", "/custom/o"),
            ("DELETE", "/custom/o"),
            ("POST", "/custom/o"),
        ];
        each_case(cases, |(method, path)| {
            let cases = [
                &[][..],
                DESCRIBE,
                &[("x-forward-content-type", "text/plain")],
            ];
            each_case(cases, |headers| {
                let scene = Scene::with_key(&[], &file(default_type));
                let sent = sent(&scene, method, path, headers, "");
                assert_eq!(describing(&sent), [""; 0], "{method} {path}");
                assert_eq!(sent.header("x-kept"), Some("yes"));
            });
        });
    });
    // A body that the method leaves out takes its description with it.
    let scene = open();
    assert_eq!(
        describing(&sent(&scene, "POST", "/proxy/o/silent", DESCRIBE, "{}")),
        [""; 0]
    );
}

#[test]
fn a_part_of_a_body_is_never_sent_as_the_whole() {
    // Asks how far an upload has come; its meaning is in the field.
    each_case(["/custom/o", "/proxy/o/1"], |path| {
        let scene = open();
        let sent = sent(&scene, "PUT", path, &[("content-range", "bytes */300")], "");
        assert_eq!(describing(&sent), ["content-range"], "{path}");
    });
    let cases = [
        ("GET", "/custom/o"),
        ("POST", "/proxy/o/silent"),
        ("GET", "/proxy/o"),
    ];
    each_case(cases, |(method, path)| {
        let scene = open();
        let refused = call(&scene, method, path, &[RANGE], "");
        assert_eq!(refused.code(400), "caller.malformed", "{method} {path}");
        assert_eq!(scene.sent(), 0);
    });
}

#[test]
fn a_preference_goes_on_with_or_without_a_body() {
    for (method, path, body) in [
        ("GET", "/proxy/o", ""),
        ("POST", "/custom/o", "{}"),
        ("POST", "/proxy/o/json", "{\"a\":\"1\"}"),
    ] {
        let scene = open();
        let sent = sent(&scene, method, path, &[("prefer", "return=minimal")], body);
        assert_eq!(sent.header("prefer"), Some("return=minimal"));
    }
}

#[test]
fn a_redirect_that_leaves_the_body_behind_leaves_its_description_too() {
    let scene = open();
    scene.world.answers(303, &[("location", "/done")], "");
    scene.world.answers(200, &[], "{}");
    scene.call("POST", "/custom/o", DESCRIBE, Body::from_bytes("{}"));
    let sent = scene.world.sent();
    assert_eq!(sent[1].method, "GET");
    assert_eq!(describing(&sent[1]), [""; 0]);
}
