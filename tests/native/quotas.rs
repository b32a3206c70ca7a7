//! What answers say of their provider's limits: where it is given, when it is true, and which bodies are read for it.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;

use bytes::Bytes;
use causeway::ports::{Body, System};
use causeway::settings::BUFFERED_TOTAL_BYTES;
use futures::StreamExt;
use futures::executor::block_on;
use futures::future::join_all;
use futures::stream;
use serde_json::{Value, json};

use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::client::Answer;
use crate::files;
use crate::outside::{Pieces, reply};

/// A provider whose file says this of its limits.
fn of(rate_limit: &Value) -> Scene {
    let file = files::with_oauth(
        "metered",
        &json!({
            "rate_limit": rate_limit,
            "resources": { "r": { "get": { "path": "/r/{{id}}" }, "create": { "method": "post", "path": "/r" } } },
            "actions": { "look": { "type": "request", "config": { "path": "/look" } } },
        }),
    );
    let token = json!({ "access_token": "old", "refresh_token": "r", "expires_at": "2030-01-01T00:00:00.000Z" });
    Scene::with_token(&[], &file, &token)
}

#[test]
fn a_wait_is_counted_from_when_the_answer_came() {
    let wait = "($number(headers.`x-at`) - $millis()) / 1000";
    let scene = of(&json!({ "retry_after_header_expression": wait }));
    let now = scene.world.now().as_millis();
    let at = (now + 15_000).to_string();
    scene.world.answers_with_at(
        now + 10_000,
        reply(429, &[("x-at", &at)], Body::from_bytes("slow")),
    );
    let answer = scene.ask_passing("GET", "/custom/x", &[("x-max-retries", "0")]);
    assert_eq!(answer.header("retry-after"), Some("5"));
}

#[test]
fn what_the_file_does_not_say_of_a_quota_stands_in_the_usual_fields() {
    let left = "{ 'remaining': $number(headers.`x-left`) }";
    let scene = of(&json!({ "rate_limit_header_expression": left }));
    let reported = |answer: &Answer| {
        ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"]
            .map(|name| answer.header(name).unwrap_or("-").to_owned())
    };
    let usual = |left: &'static str| {
        [
            ("x-left", left),
            ("x-ratelimit-limit", "100"),
            ("x-ratelimit-remaining", "77"),
            ("x-ratelimit-reset", "45"),
        ]
    };
    scene.world.answers(200, &usual("3"), "");
    let answer = scene.ask_passing("GET", "/custom/x", &[]);
    assert_eq!(reported(&answer), ["100", "3", "45"]);
    scene.world.answers(200, &[("x-left", "3")], "");
    let answer = scene.ask_passing("GET", "/custom/x", &[]);
    assert_eq!(reported(&answer), ["-", "3", "-"]);
    scene.world.answers(200, &usual("0"), "");
    scene.ask_passing("GET", "/custom/x", &[]);
    let next = scene.ask_passing("GET", "/custom/x", &[]);
    assert_eq!(next.header("retry-after"), Some("45"), "none are left");
    assert_eq!(next.code(429), "provider.rate_limited");
}

#[test]
fn a_step_of_an_action_finds_a_rate_limit_in_its_body() {
    let limited = "status = 429 or response.error = \"ratelimited\"";
    let scene = of(&json!({ "is_rate_limited": limited }));
    let wait = [("content-type", "application/json"), ("retry-after", "2")];
    let words = r#"{"ok":false,"error":"ratelimited"}"#;
    scene.world.answers(200, &wait, words);
    scene.world.answers(200, &JSON, r#"{"ok":true}"#);
    let answer = scene.ask_passing("POST", "/proxy/_/look", &JSON);
    assert_eq!(answer.expect(200), json!({ "ok": true }));
    assert_eq!(scene.world.sent().len(), 2);
}

#[test]
fn an_answer_that_goes_on_unread_is_not_taken_for_a_limited_one() {
    let limited = "status = 429 or response.code != 0";
    let scene = of(&json!({ "is_rate_limited": limited }));
    each_case(["/custom/x", "/proxy/r"], |path| {
        scene.world.answers(201, &JSON, r#"{"code":0,"id":1}"#);
        let answer = scene.ask_passing("POST", path, &JSON);
        assert_eq!(
            (answer.status, answer.header("retry-after")),
            (201, None),
            "{path}"
        );
    });
}

#[test]
fn a_refusal_whose_words_find_no_room_is_still_one() {
    let limited = "status = 429 or response.code = \"slow\"";
    let scene = of(&json!({ "is_rate_limited": limited }));
    let taken = scene.world.isolate().room();
    taken.take(BUFFERED_TOTAL_BYTES).unwrap();
    scene.world.answers(403, &JSON, r#"{"code":"no"}"#);
    let refused = scene.ask_passing("GET", "/proxy/r/1", &[]).expect(403);
    assert_eq!(
        (&refused["code"], &refused["is_remote_error"]),
        (&json!("provider.rejected"), &json!(true))
    );
    assert_eq!(refused["raw_response"], "", "which is all that is missing");
    drop(taken);
    scene.world.answers(403, &JSON, r#"{"code":"no"}"#);
    let refused = scene.ask_passing("GET", "/proxy/r/1", &[]).expect(403);
    assert_eq!(refused["raw_response"], json!({ "code": "no" }));
}

/// A body that counts who begins to read it.
fn watched(readers: &Rc<Cell<usize>>) -> Body<Pieces> {
    let readers = Rc::clone(readers);
    let words = async move {
        readers.set(readers.get() + 1);
        Bytes::from_static(br#"{"message":"no"}"#)
    };
    Body::Stream(Pieces {
        length: None,
        left: VecDeque::new(),
        made: Some(stream::once(words).boxed_local()),
        pace: crate::outside::Pace::AtOnce,
    })
}

#[test]
fn the_body_of_a_refused_credential_is_not_read_before_a_fresh_one_comes() {
    let limited = "status = 429 or $contains($string(response.message), \"slow\")";
    let scene = of(&json!({ "is_rate_limited": limited }));
    let readers = Rc::new(Cell::new(0));
    scene
        .world
        .answers_with(reply(401, &JSON, watched(&readers)));
    let token = Body::from_bytes(r#"{"access_token":"new","expires_in":3600}"#);
    scene.world.answers_with_at(
        scene.world.now().as_millis() + 15_000,
        reply(200, &JSON, token),
    );
    for _ in 0..8 {
        scene.world.answers(200, &JSON, "{}");
    }
    let (path, client) = (scene.path("/proxy/r/1"), &scene.setting.client);
    let answers = block_on(async {
        let calls = (0..8).map(|_| client.request_async("GET", &path, &[], Body::Empty));
        let mut all = Box::pin(scene.world.run(join_all(calls)));
        // Polled until all of them wait for the one refresh.
        for _ in 0..20 {
            assert!(futures::poll!(&mut all).is_pending());
        }
        let sent = scene.world.sent().len();
        assert_eq!(sent, 2, "the others wait before they send");
        Box::pin(scene.world.run_passing(all)).await
    });
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(readers.get(), 0);
    scene
        .world
        .answers_with(reply(403, &JSON, watched(&readers)));
    let refused = scene.ask_passing("GET", "/proxy/r/1", &[]).expect(403);
    assert_eq!(refused["raw_response"], json!({ "message": "no" }));
    assert_eq!(readers.get(), 1, "another refusal is");
}

#[test]
fn what_an_expression_cannot_see_of_a_refused_credential_is_no_rate_limit() {
    let scene = of(&json!({ "is_rate_limited": "status = 401 and $not($exists(response.data))" }));
    scene.world.answers(401, &JSON, r#"{"data":"who are you"}"#);
    let token = r#"{"access_token":"new","expires_in":3600}"#;
    scene.world.answers(200, &JSON, token);
    scene.world.answers(200, &JSON, r#"{"data":1}"#);
    let answer = scene.ask_passing("GET", "/proxy/r/1", &[]);
    assert_eq!(answer.expect(200), json!({ "data": 1 }));
}
