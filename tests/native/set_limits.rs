//! The limits that an operator can set, each just under and just over: what `settings` reads is what counts.

use std::time::Duration;

use causeway::ports::Body;
use serde_json::{Value, json};

use crate::account::{JSON, Scene};
use crate::client::Answer;
use crate::outside::reply;

fn file() -> Value {
    json!({ "name": "lane", "config": {
        "base_url": "https://api.lane.example",
        "credentials": { "api_key": { "format": "api_key", "config": { "fields": [{ "name": "api_key", "type": "password" }] } } },
        "authorization": { "format": "none" },
        "resources": { "carts": {
            "list": { "path": "/carts" },
            "get": { "path": "/carts/{{id}}" },
        }, "crates": {
            "get": { "path": "/crates/{{id}}", "response_path": "a.b" },
        } },
        "actions": { "ask": { "steps": [{ "type": "request", "config": { "path": "/me" } }] } },
    } })
}

fn with(variables: &[(&str, &str)]) -> Scene {
    Scene::with_key(variables, &file())
}

fn call(lane: &Scene, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    lane.call_passing(method, path, headers, Body::Empty)
}

/// A list of this many bytes, asked for.
fn list_of(lane: &Scene, bytes: usize) -> Answer {
    let text = format!(r#"["{}"]"#, "a".repeat(bytes - 4));
    lane.world.answers(200, &JSON, &text);
    call(lane, "GET", "/proxy/carts", &[])
}

fn lines(lane: &Scene) -> usize {
    let log = call(lane, "GET", "/log", &[]).expect(200);
    log["result"].as_array().unwrap().len()
}

#[test]
fn an_answer_is_looked_into_up_to_buffered_answer_bytes() {
    let lane = with(&[("BUFFERED_ANSWER_BYTES", "1000")]);
    list_of(&lane, 1_000).expect(200);
    for length in [Some(1_001), None] {
        let piece: &'static [u8] = vec![b' '; 1_001].leak();
        let body = crate::outside::streamed(&[piece], length);
        lane.world.answers_with(reply(200, &[], body));
        let error = call(&lane, "GET", "/proxy/carts", &[]).expect(502);
        assert_eq!(error["code"], "provider.answer_too_large");
        assert_eq!(error["details"]["limit_bytes"], 1_000);
        assert!(
            error["message"]
                .as_str()
                .unwrap()
                .contains("over 1000 bytes")
        );
    }
}

#[test]
fn it_is_also_the_most_that_xml_may_be_as_json() {
    let lane = with(&[("BUFFERED_ANSWER_BYTES", "100")]);
    // As JSON it is 14 bytes around the text, in which a quote takes two.
    for (more, status) in [("", 200), ("x", 502)] {
        let xml = format!("<a><b>{}{more}</b></a>", "\"".repeat(43));
        let headers = [("content-type", "application/xml")];
        lane.world.answers(200, &headers, &xml);
        let answer = call(&lane, "GET", "/proxy/crates/1", &[]);
        assert_eq!(answer.status, status, "{}", answer.text());
        if status == 502 {
            assert_eq!(answer.code(502), "provider.answer_too_large");
        }
    }
}

#[test]
fn all_answers_of_an_isolate_take_up_to_buffered_total_bytes() {
    let lane = with(&[
        ("BUFFERED_ANSWER_BYTES", "1000"),
        ("BUFFERED_TOTAL_BYTES", "12582912"),
    ]);
    for (held, status) in [(12_581_912, 200), (12_581_913, 503)] {
        let others = lane.world.isolate().room();
        others.take(held).unwrap();
        let text = format!(r#"{{"a":{{"b":"{}"}}}}"#, "x".repeat(986));
        let headers = [("content-type", "application/json")];
        lane.world.answers(200, &headers, &text);
        let answer = call(&lane, "GET", "/proxy/crates/1", &[]);
        assert_eq!(answer.status, status, "{held}: {}", answer.text());
    }
    lane.world.restart();
    let room = lane.world.isolate().room();
    assert!(room.take(12_582_913).is_err());
}

#[test]
fn a_call_takes_call_timeout_ms_unless_its_caller_says_otherwise() {
    let lane = with(&[("CALL_TIMEOUT_MS", "2000")]);
    for (after, headers, status) in [
        (2_000, &[][..], 200),
        (2_001, &[], 504),
        (2_001, &[("x-timeout-ms", "2001")], 200),
        (1_501, &[("x-timeout-ms", "1500")], 504),
    ] {
        for (method, path) in [("GET", "/proxy/carts/1"), ("POST", "/proxy/_/ask")] {
            let at = causeway::ports::System::now(&lane.world).as_millis() + after;
            lane.world.answers_at(at, 200, "{}");
            let answer = call(&lane, method, path, headers);
            assert_eq!(answer.status, status, "{path} {after} {headers:?}");
        }
    }
}

#[test]
fn the_log_keeps_log_retention_count_lines() {
    let lane = with(&[("LOG_RETENTION_COUNT", "3")]);
    for expected in [1, 2, 3, 3, 3] {
        lane.world.answers(200, &[], "{}");
        call(&lane, "GET", "/proxy/carts/1", &[]).expect(200);
        assert_eq!(lines(&lane), expected);
    }
    for _ in 0..5 {
        call(&lane, "GET", "/proxy/boats", &[]).code(404);
    }
    assert_eq!(lines(&lane), 3, "also where more come at once");
}

#[test]
fn the_log_keeps_a_line_for_log_retention_days() {
    let lane = with(&[("LOG_RETENTION_DAYS", "2")]);
    call(&lane, "GET", "/proxy/boats", &[]).code(404);
    assert_eq!(lines(&lane), 1);
    lane.world.pass(Duration::from_hours(47));
    lane.world.settle();
    assert_eq!(lines(&lane), 1);
    lane.world.pass(Duration::from_hours(2));
    lane.world.settle();
    assert_eq!(lane.world.rows(lane.object(), "SELECT number FROM log"), 0);
}
