//! Retries and limits together with the key of a write and the log: one write for any number of requests, one line that counts
//! it all, and no key kept for what was not done.

use std::time::Duration;

use causeway::ports::{Body, System};
use futures::executor::block_on;
use futures::future::join;
use serde_json::{Value, json};

use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::files;
use crate::outside::reply;

/// A provider whose rate limits come as 429, as 403 with a header field, and as 200 with a word in the body.
fn file() -> Value {
    files::with_key(
        "unreliable",
        &json!({
            "authorization": { "format": "header", "config": { "name": "X-Key", "value": "{{api_key}}" } },
            "rate_limit": {
                "is_rate_limited": "status = 429 or (status = 403 and headers.`x-left` = \"0\") or (status = 200 and response.code = \"slow\")",
                "retry_after_header_expression": "x-wait",
            },
            "resources": { "sacks": {
                "get": { "path": "/sacks/{{id}}" },
                "create": { "method": "post", "path": "/sacks", "response_path": "data" },
                "update": { "method": "put", "path": "/sacks/{{id}}", "response_path": "data" },
            } },
        }),
    )
}

fn open() -> Scene {
    with(&[])
}

fn with(variables: &[(&str, &str)]) -> Scene {
    Scene::with_key(variables, &file())
}

/// The provider's next answer, so long after now.
fn answers_after(scene: &Scene, millis: i64, status: u16, body: &str) {
    let at = scene.world.now().as_millis() + millis;
    scene.world.answers_at(at, status, body);
}

fn log(scene: &Scene) -> Vec<Value> {
    let log = scene.setting.admin.get(&scene.path("/log")).expect(200);
    log["result"].as_array().unwrap().clone()
}

fn kept(scene: &Scene) -> usize {
    scene.rows("kept_answer")
}

fn keyed(retries: &'static str) -> [(&'static str, &'static str); 2] {
    [("idempotency-key", "a"), ("x-max-retries", retries)]
}

#[test]
fn a_call_that_is_sent_again_is_one_line_that_counts_it_all() {
    let scene = open();
    answers_after(&scene, 1_000, 503, "down");
    answers_after(&scene, 3_000, 200, "{}");
    assert_eq!(scene.ask_passing("GET", "/proxy/sacks/1", &[]).status, 200);
    for _ in 0..3 {
        scene.world.answers(502, &[], "down");
    }
    assert_eq!(scene.ask_passing("GET", "/proxy/sacks/1", &[]).status, 502);
    let log = log(&scene);
    assert_eq!(log.len(), 2);
    assert_eq!(
        (&log[0]["retries"], &log[0]["upstream_status"]),
        (&json!(2), &json!(502))
    );
    assert_eq!(
        (&log[1]["retries"], &log[1]["upstream_status"]),
        (&json!(1), &json!(200))
    );
    assert_eq!(log[1]["duration_ms"], 3_000);
    assert_eq!(
        log[1]["upstream_ms"], 2_500,
        "the wait between is not the provider's"
    );
}

#[test]
fn a_redirect_is_no_retry_and_what_follows_a_new_sign_in_is() {
    let mut file = file();
    file["config"]["credentials"] = json!({ "oauth2": { "format": "oauth2", "config": {
        "client": { "id": "c", "secret": "s" },
        "auth": { "tokenHost": "https://api.unreliable.example", "authorizePath": "/a", "tokenPath": "/token" } } } });
    file["config"]["authorization"] = json!({ "format": "bearer" });
    let token = json!({ "access_token": "old", "refresh_token": "r", "expires_at": "2030-01-01T00:00:00.000Z" });
    let scene = Scene::with_token(&[], &file, &token);
    let elsewhere = [("location", "https://api.unreliable.example/there")];
    scene.world.answers(307, &elsewhere, "");
    scene.world.answers(503, &[], "");
    scene.world.answers(307, &elsewhere, "");
    scene.world.answers(401, &[], "");
    scene
        .world
        .answers(200, &JSON, r#"{"access_token":"new","expires_in":3600}"#);
    scene.world.answers(307, &elsewhere, "");
    scene.world.answers(200, &[], "ok");
    let answer = scene.ask_passing("GET", "/proxy/sacks/1", &[]);
    assert_eq!(answer.text(), "ok");
    let log = scene.get("/log").expect(200);
    assert_eq!(log["result"][0]["retries"], 2);
}

#[test]
fn a_write_that_is_sent_again_is_one_write_under_its_key() {
    let scene = open();
    scene.world.answers(503, &[], "down");
    scene.world.answers(200, &JSON, r#"{"data":{"id":7}}"#);
    let (client, path) = (&scene.setting.client, scene.path("/proxy/sacks/7"));
    let headers = keyed("1");
    let call = || client.request_async("PUT", &path, &headers, Body::from_bytes("{}"));
    let (first, second) = block_on(async {
        let mut first = Box::pin(call());
        assert!(futures::poll!(&mut first).is_pending());
        let second = call().await;
        (scene.world.run_passing(first).await, second)
    });
    assert_eq!(second.header("retry-after"), Some("1"));
    assert_eq!(second.code(503), "caller.idempotency_running");
    let again = scene.ask_passing("PUT", "/proxy/sacks/7", &headers);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!((first.text(), again.text()), (r#"{"id":7}"#, r#"{"id":7}"#));
    assert_eq!((scene.sent(), kept(&scene)), (2, 1));
    let seen: Vec<_> = log(&scene)
        .iter()
        .map(|line| json!([line["status"], line["retries"], line["replayed"]]))
        .collect();
    assert_eq!(
        json!(seen),
        json!([[200, 0, true], [200, 1, false], [503, 0, false]])
    );
}

#[test]
fn a_write_whose_retries_are_used_up_lets_its_key_go() {
    let scene = open();
    for _ in 0..2 {
        scene.world.answers(503, &[], "down");
    }
    let call = || scene.ask_passing("PUT", "/proxy/sacks/1", &keyed("1"));
    assert_eq!(call().status, 503);
    assert_eq!((scene.sent(), kept(&scene)), (2, 0));
    scene.world.answers(200, &JSON, r#"{"data":1}"#);
    assert_eq!(call().expect(200), 1);
}

#[test]
fn a_write_that_got_no_turn_of_its_account_lets_its_key_go_and_is_in_the_log() {
    let scene = with(&[("ACCOUNT_RATE", "1")]);
    scene.world.answers(200, &[], "ok");
    scene.ask_passing("GET", "/custom/x", &[]);
    let hasty = [("idempotency-key", "a"), ("x-timeout-ms", "5000")];
    let refused = scene.ask_passing("POST", "/proxy/sacks", &hasty);
    assert_eq!(refused.code(429), "caller.rate_limited");
    assert_eq!((scene.sent(), kept(&scene)), (1, 0));
    let line = &log(&scene)[0];
    assert_eq!(
        json!([
            line["status"],
            line["code"],
            line["path"],
            line["host"],
            line["upstream_ms"],
            line["retries"]
        ]),
        json!([429, "caller.rate_limited", "/sacks", null, null, 0])
    );
    scene.world.pass(Duration::from_secs(10));
    scene.world.answers(201, &JSON, r#"{"data":1}"#);
    assert_eq!(
        scene.ask_passing("POST", "/proxy/sacks", &hasty).status,
        201
    );
}

#[test]
fn a_token_that_was_too_fast_reaches_neither_key_nor_log() {
    let scene = open();
    scene.world.0.token_rate.set(Some(1));
    scene.world.answers(200, &[], "ok");
    scene.ask_passing("GET", "/custom/x", &[]);
    let headers = keyed("0");
    let refused = scene.ask_passing("POST", "/proxy/sacks", &headers);
    assert_eq!(refused.code(429), "caller.rate_limited");
    assert_eq!((scene.sent(), kept(&scene)), (1, 0));
    assert_eq!(log(&scene).len(), 1);
    scene.world.pass(Duration::from_secs(10));
    scene.world.answers(201, &JSON, r#"{"data":1}"#);
    assert_eq!(
        scene.ask_passing("POST", "/proxy/sacks", &headers).status,
        201
    );
}

#[test]
fn a_rate_limit_behind_any_status_lets_the_key_go() {
    let scene = open();
    let used_up = [("content-type", "application/json"), ("x-left", "0")];
    let cases = [
        ("/custom/sacks", 403, "{}", 403),
        ("/proxy/sacks", 403, "{}", 429),
        ("/proxy/sacks", 200, r#"{"code":"slow"}"#, 429),
    ];
    each_case(cases, |(path, status, body, answered)| {
        scene.world.answers(status, &used_up, body);
        let answer = scene.ask_passing("POST", path, &keyed("0"));
        assert_eq!(answer.status, answered, "{path} {status}");
        assert_eq!((scene.sent(), kept(&scene)), (1, 0), "{path} {status}");
    });
    scene.world.pass(Duration::from_secs(6));
    block_on(scene.world.run(async {}));
    let account = format!("/integrated-account/{}", scene.account);
    let account = scene.setting.client.get(&account).expect(200);
    assert_eq!(
        account["last_forbidden_error"],
        Value::Null,
        "it was not forbidden"
    );
}

#[test]
fn a_retry_that_is_put_off_for_too_long_lets_the_key_go() {
    let scene = open();
    let began = scene.world.now().as_millis();
    let once = [("x-max-retries", "0")];
    let slow = reply(429, &[("x-wait", "1000")], Body::Empty);
    scene.world.answers_with_at(began + 500, slow);
    let limited = [("content-type", "application/json"), ("x-wait", "1")];
    scene.world.answers(200, &limited, r#"{"code":"slow"}"#);
    let (client, write) = (&scene.setting.client, scene.path("/proxy/sacks/1"));
    let (read, headers) = (scene.path("/custom/x"), keyed("1"));
    let both = join(
        client.request_async("GET", &read, &once, Body::Empty),
        client.request_async("PUT", &write, &headers, Body::from_bytes("{}")),
    );
    let (read, write) = block_on(scene.world.run_passing(both));
    assert_eq!(read.status, 429);
    assert_eq!(write.code(429), "provider.rate_limited");
    assert_eq!((scene.sent(), kept(&scene)), (2, 0));
    let line = &log(&scene)[0];
    assert_eq!(
        (&line["method"], &line["retries"]),
        (&json!("PUT"), &json!(0)),
        "it was not sent again"
    );
}

#[test]
fn what_was_left_of_a_limit_is_not_said_again() {
    let scene = open();
    let left = [
        ("content-type", "application/json"),
        ("x-ratelimit-limit", "10"),
        ("x-ratelimit-remaining", "9"),
    ];
    scene.world.answers(201, &left, r#"{"data":1}"#);
    let call = || scene.ask_passing("POST", "/proxy/sacks", &keyed("0"));
    assert_eq!(call().header("ratelimit-remaining"), Some("9"));
    let again = call();
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.header("ratelimit-remaining"), None);
    assert_eq!(again.header("ratelimit-limit"), None);
}

#[test]
fn a_redirect_that_answered_the_write_counts_also_where_the_page_behind_it_is_put_off() {
    let scene = open();
    let used_up = [("content-type", "application/json"), ("x-left", "0")];
    let cases = [
        ("/custom/sacks", 403, "{}"),
        ("/proxy/sacks", 403, "{}"),
        ("/proxy/sacks", 200, r#"{"code":"slow"}"#),
    ];
    each_case(cases, |(path, status, body)| {
        let key = format!("{path} {status}");
        let headers = [("idempotency-key", key.as_str())];
        scene.world.answers(303, &[("location", "/sacks/1")], "");
        scene.world.answers(status, &used_up, body);
        assert_eq!(
            scene.ask_passing("POST", path, &headers).status,
            303,
            "{key}"
        );
        scene.world.pass(Duration::from_hours(1));
        let again = scene.ask_passing("POST", path, &headers).expect(409);
        assert_eq!(again["code"], "caller.idempotency_not_replayable", "{key}");
        assert_eq!(again["details"]["status"], 303, "{key}");
        assert_eq!(scene.sent(), 2, "{key}");
    });
}
