//! The limits that an operator can set, each just under and just over: what `settings` reads is what counts.

use std::time::Duration;

use causeway::ports::Body;
use serde_json::{Value, json};

use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::client::Answer;
use crate::files;
use crate::outside::reply;

fn file() -> Value {
    files::with_key(
        "small-limits",
        &json!({
            "authorization": { "format": "none" },
            "resources": { "carts": {
                "list": { "path": "/carts" },
                "get": { "path": "/carts/{{id}}" },
            }, "crates": {
                "get": { "path": "/crates/{{id}}", "response_path": "a.b" },
            } },
            "actions": { "ask": { "steps": [{ "type": "request", "config": { "path": "/me" } }] } },
        }),
    )
}

fn with(variables: &[(&str, &str)]) -> Scene {
    Scene::with_key(variables, &file())
}

fn call(scene: &Scene, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    scene.call_passing(method, path, headers, Body::Empty)
}

/// A list of this many bytes, asked for.
fn list_of(scene: &Scene, bytes: usize) -> Answer {
    let text = format!(r#"["{}"]"#, "a".repeat(bytes - 4));
    scene.world.answers(200, &JSON, &text);
    call(scene, "GET", "/proxy/carts", &[])
}

fn lines(scene: &Scene) -> usize {
    let log = call(scene, "GET", "/log", &[]).expect(200);
    log["result"].as_array().unwrap().len()
}

#[test]
fn an_answer_is_looked_into_up_to_buffered_answer_bytes() {
    let scene = with(&[("BUFFERED_ANSWER_BYTES", "1000")]);
    list_of(&scene, 1_000).expect(200);
    each_case([Some(1_001), None], |length| {
        let piece: &'static [u8] = vec![b' '; 1_001].leak();
        let body = crate::outside::streamed(&[piece], length);
        scene.world.answers_with(reply(200, &[], body));
        let error = call(&scene, "GET", "/proxy/carts", &[]).expect(502);
        assert_eq!(error["code"], "provider.answer_too_large");
        assert_eq!(error["details"]["limit_bytes"], 1_000);
        assert!(
            error["message"]
                .as_str()
                .unwrap()
                .contains("over 1000 bytes")
        );
    });
}

#[test]
fn it_is_also_the_most_that_xml_may_be_as_json() {
    let scene = with(&[("BUFFERED_ANSWER_BYTES", "100")]);
    // As JSON it is 14 bytes around the text, in which a quote takes two.
    each_case([("", 200), ("x", 502)], |(more, status)| {
        let xml = format!("<a><b>{}{more}</b></a>", "\"".repeat(43));
        let headers = [("content-type", "application/xml")];
        scene.world.answers(200, &headers, &xml);
        let answer = call(&scene, "GET", "/proxy/crates/1", &[]);
        assert_eq!(answer.status, status, "{}", answer.text());
        if status == 502 {
            assert_eq!(answer.code(502), "provider.answer_too_large");
        }
    });
}

#[test]
fn all_answers_of_an_isolate_take_up_to_buffered_total_bytes() {
    let scene = with(&[
        ("BUFFERED_ANSWER_BYTES", "1000"),
        ("BUFFERED_TOTAL_BYTES", "12582912"),
    ]);
    each_case([(12_581_912, 200), (12_581_913, 503)], |(held, status)| {
        let others = scene.world.isolate().room();
        others.take(held).unwrap();
        let text = format!(r#"{{"a":{{"b":"{}"}}}}"#, "x".repeat(986));
        let headers = [("content-type", "application/json")];
        scene.world.answers(200, &headers, &text);
        let answer = call(&scene, "GET", "/proxy/crates/1", &[]);
        assert_eq!(answer.status, status, "{held}: {}", answer.text());
    });
    scene.world.restart();
    let room = scene.world.isolate().room();
    assert!(room.take(12_582_913).is_err());
}

#[test]
fn a_call_takes_call_timeout_ms_unless_its_caller_says_otherwise() {
    let scene = with(&[("CALL_TIMEOUT_MS", "2000")]);
    let cases = [
        (2_000, &[][..], 200),
        (2_001, &[], 504),
        (2_001, &[("x-timeout-ms", "2001")], 200),
        (1_501, &[("x-timeout-ms", "1500")], 504),
    ];
    each_case(cases, |(after, headers, status)| {
        each_case(
            [("GET", "/proxy/carts/1"), ("POST", "/proxy/_/ask")],
            |(method, path)| {
                let at = causeway::ports::System::now(&scene.world).as_millis() + after;
                scene.world.answers_at(at, 200, "{}");
                let answer = call(&scene, method, path, headers);
                assert_eq!(answer.status, status, "{path} {after} {headers:?}");
            },
        );
    });
}

#[test]
fn the_log_keeps_log_retention_count_lines() {
    let scene = with(&[("LOG_RETENTION_COUNT", "3")]);
    each_case([1, 2, 3, 3, 3], |expected| {
        scene.world.answers(200, &[], "{}");
        call(&scene, "GET", "/proxy/carts/1", &[]).expect(200);
        assert_eq!(lines(&scene), expected);
    });
    for _ in 0..5 {
        call(&scene, "GET", "/proxy/boats", &[]).code(404);
    }
    assert_eq!(lines(&scene), 3, "also where more come at once");
}

#[test]
fn the_log_keeps_a_line_for_log_retention_days() {
    let scene = with(&[("LOG_RETENTION_DAYS", "2")]);
    call(&scene, "GET", "/proxy/boats", &[]).code(404);
    assert_eq!(lines(&scene), 1);
    scene.world.pass(Duration::from_hours(47));
    scene.world.settle();
    assert_eq!(lines(&scene), 1);
    scene.world.pass(Duration::from_hours(2));
    scene.world.settle();
    assert_eq!(
        scene.world.rows(scene.object(), "SELECT number FROM log"),
        0
    );
}
