//! What providers bear and what operators allow: retries within the caller's budget, the provider's own limits
//! normalised, the account's pace shared by all its callers, the rate of a token.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use causeway::ports::{Body, SendError, System};
use futures::executor::block_on;
use futures::future::{join, join_all};
use serde_json::{Value, json};

use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::client::Answer;
use crate::files;
use crate::outside::{reply, streamed};

/// A provider that signs each request by the time, and reports its limits in odd places.
fn file() -> Value {
    files::with_key(
        "limited",
        &json!({
            "authorization": { "format": "header", "config": { "expression": "{ \"x-signed-at\": $string($millis()) }" } },
            "rate_limit": {
                "is_rate_limited": "status = 429 or (status = 403 and response.code = \"quota\") or (status = 200 and response.code = \"slow\")",
                "retry_after_header_expression": "$exists(headers.`x-wait`) ? headers.`x-wait` : response.wait",
                "rate_limit_header_expression": "$exists(headers.`x-left`) ? { \"limit\": 50, \"remaining\": $number(headers.`x-left`), \"reset\": $number(headers.`x-reset-ms`) / 1000 }",
            },
            "resources": {
                "stones": {
                    "list": { "path": "/stones", "response_path": "data" },
                    "get": { "path": "/stones/{{id}}" },
                    "create": { "method": "post", "path": "/stones" },
                    "update": { "method": "put", "path": "/stones/{{id}}" },
                    "delete": { "method": "delete", "path": "/stones/{{id}}" },
                },
                "plain": { "list": { "path": "/plain", "rate_limit": {} }, "get": { "path": "/plain/{{id}}", "rate_limit": {} } },
            },
        }),
    )
}

fn open() -> Scene {
    with(&[])
}

fn with(variables: &[(&str, &str)]) -> Scene {
    Scene::with_key(variables, &file())
}

/// The answer, and how long it took.
fn get(scene: &Scene, path: &str) -> (Answer, u64) {
    scene.call_timed("GET", path, &[], Body::Empty)
}

#[test]
fn a_read_is_sent_again_until_it_is_answered() {
    let scene = open();
    scene.fails(SendError::Unreachable);
    scene.world.answers(503, &[], "down");
    scene.world.answers(200, &JSON, r#"{"data":[1]}"#);
    let (answer, took) = get(&scene, "/proxy/stones");
    assert_eq!(answer.expect(200)["result"], json!([1]));
    let sent = scene.world.sent();
    assert_eq!(sent.len(), 3);
    assert!((1_000..=2_000).contains(&took), "{took}");
    let mut signed: Vec<_> = sent
        .iter()
        .map(|one| one.header("x-signed-at").unwrap().to_owned())
        .collect();
    signed.dedup();
    assert_eq!(signed.len(), 3, "each attempt is authenticated again");
}

#[test]
fn two_retries_are_the_most_unless_the_caller_says_otherwise() {
    let scene = open();
    let cases = [
        (None, 3),
        (Some("0"), 1),
        (Some("1"), 2),
        (Some("5"), 6),
        (Some("99"), 6),
    ];
    each_case(cases, |(reported, sent)| {
        for _ in 0..sent {
            scene.world.answers(502, &[], "down");
        }
        let headers: Vec<_> = reported
            .map(|most| ("x-max-retries", most))
            .into_iter()
            .collect();
        let (answer, _) = scene.call_timed("GET", "/proxy/stones/1", &headers, Body::Empty);
        assert_eq!(answer.expect(502)["raw_response"], "down", "{reported:?}");
        assert_eq!(scene.sent(), sent, "{reported:?}");
    });
    each_case(["-1", "two", ""], |wrong| {
        let headers = [("x-max-retries", wrong)];
        let (answer, _) = scene.call_timed("GET", "/proxy/stones", &headers, Body::Empty);
        assert_eq!(answer.code(400), "caller.malformed");
    });
    assert_eq!(scene.sent(), 0);
}

#[test]
fn a_write_is_sent_again_only_where_that_changes_nothing_and_its_caller_asks() {
    let scene = open();
    let small = || Body::from_bytes("{}");
    let long = || streamed(&[b"{}"], None);
    let twice = [("x-max-retries", "1")];
    let cases = [
        ("PUT", "/custom/stones/1", small(), &twice[..], 2),
        ("PUT", "/custom/stones/1", small(), &[][..], 1),
        ("PUT", "/custom/stones/1", long(), &twice[..], 1),
        ("DELETE", "/proxy/stones/1", Body::Empty, &twice[..], 2),
        ("DELETE", "/proxy/stones/1", Body::Empty, &[][..], 1),
        ("POST", "/proxy/stones", small(), &twice[..], 1),
        ("PATCH", "/custom/stones/1", small(), &twice[..], 1),
    ];
    each_case(cases, |(method, path, body, headers, sent)| {
        for _ in 0..sent {
            scene.world.answers(503, &[], "down");
        }
        let (answer, _) = scene.call_timed(method, path, headers, body);
        assert_eq!(answer.status, 503);
        assert_eq!(scene.sent(), sent, "{method} {headers:?}");
    });
}

#[test]
fn the_platforms_own_statuses_count_as_what_they_mean() {
    let scene = open();
    each_case([520, 521, 527, 530, 524, 504], |status| {
        scene.world.answers(status, &[], "error code: 1016");
        scene.world.answers(200, &[], "ok");
        let (answer, _) = get(&scene, "/custom/x");
        assert_eq!((answer.text(), scene.sent()), ("ok", 2), "{status}");
    });
    each_case([500, 501, 404, 408], |status| {
        scene.world.answers(status, &[], "no");
        assert_eq!(get(&scene, "/custom/x").0.status, status);
        assert_eq!(scene.sent(), 1, "{status}");
    });
}

#[test]
fn the_budget_is_for_everything_together() {
    let scene = open();
    scene.world.answers(503, &[("retry-after", "3")], "down");
    scene.world.answers(200, &[], "ok");
    let hasty = [("x-timeout-ms", "3000")];
    let (answer, took) = scene.call_timed("GET", "/custom/x", &hasty, Body::Empty);
    assert_eq!((answer.status, took), (503, 0), "the wait does not fit");
    assert_eq!(answer.header("retry-after"), Some("3"));
    scene.world.unscript();
    scene.world.answers(503, &[("retry-after", "3")], "down");
    scene.world.answers(200, &[], "ok");
    let patient = [("x-timeout-ms", "4000")];
    let (answer, took) = scene.call_timed("GET", "/custom/x", &patient, Body::Empty);
    assert_eq!((answer.text(), took), ("ok", 3_000));
    scene.world.answers(503, &[], "down");
    scene
        .world
        .answers_with_at(1_800_000_000_000, reply(200, &[], Body::from_bytes("late")));
    let (answer, took) = scene.call_timed("GET", "/custom/x", &patient, Body::Empty);
    assert_eq!(
        (answer.code(504).as_str(), took),
        ("provider.timeout", 4_000)
    );
}

#[test]
fn a_credential_that_is_refused_on_the_way_is_still_refreshed_once() {
    let mut file = file();
    file["config"]["credentials"] = json!({ "oauth2": { "format": "oauth2", "config": {
        "client": { "id": "c", "secret": "s" },
        "auth": { "tokenHost": "https://api.limited.example", "authorizePath": "/a", "tokenPath": "/token" } } } });
    file["config"]["authorization"] = json!({ "format": "bearer" });
    let token = json!({ "access_token": "old", "refresh_token": "r", "expires_at": "2030-01-01T00:00:00.000Z" });
    let scene = Scene::with_token(&[], &file, &token);
    scene.world.answers(503, &[], "");
    scene.world.answers(401, &[], "");
    scene
        .world
        .answers(200, &JSON, r#"{"access_token":"new","expires_in":3600}"#);
    scene.world.answers(503, &[], "");
    scene.world.answers(200, &[], "ok");
    assert_eq!(get(&scene, "/proxy/stones/1").0.text(), "ok");
    let sent = scene.world.sent();
    let tokens: Vec<_> = sent
        .iter()
        .filter(|one| !one.url.ends_with("/token"))
        .map(|one| one.header("authorization").unwrap())
        .collect();
    assert_eq!(
        tokens,
        ["Bearer old", "Bearer old", "Bearer new", "Bearer new"]
    );
}

#[test]
fn who_waits_for_a_retry_holds_no_slot() {
    let scene = open();
    for _ in 0..4 {
        scene.world.answers(503, &[("retry-after", "20")], "down");
    }
    scene.world.answers(200, &[], "through");
    let (path, client) = (scene.path("/custom/x"), &scene.setting.client);
    let (four, fifth) = block_on(async {
        let mut four = Box::pin(join_all(
            (0..4).map(|_| client.request_async("GET", &path, &[], Body::Empty)),
        ));
        assert!(futures::poll!(&mut four).is_pending());
        let fifth = client.request_async("GET", &path, &[], Body::Empty).await;
        for _ in 0..4 {
            scene.world.answers(200, &[], "at last");
        }
        (scene.world.run_passing(four).await, fifth)
    });
    assert_eq!(fifth.text(), "through");
    assert!(four.iter().all(|answer| answer.text() == "at last"));
}

#[test]
fn an_account_that_is_deleted_while_a_call_waits_is_not_called_again() {
    let scene = open();
    scene.world.answers(503, &[("retry-after", "5")], "down");
    let (path, client) = (scene.path("/custom/x"), &scene.setting.client);
    let account = format!("/integrated-account/{}", scene.account);
    let answer = block_on(async {
        let mut call = Box::pin(client.request_async("GET", &path, &[], Body::Empty));
        assert!(futures::poll!(&mut call).is_pending());
        let deleted = client
            .request_async("DELETE", &account, &[], Body::Empty)
            .await;
        assert_eq!(deleted.status, 200);
        scene.world.run_passing(call).await
    });
    assert_eq!(answer.code(404), "caller.not_found");
    assert_eq!(scene.sent(), 1);
}

#[test]
fn a_rate_limit_whose_wait_fits_is_waited_out_else_it_is_reported() {
    let scene = open();
    scene.world.answers(429, &[("retry-after", "7")], "");
    scene.world.answers(200, &[], "ok");
    let (answer, took) = get(&scene, "/proxy/stones/1");
    assert_eq!((answer.text(), took), ("ok", 7_000));
    scene.world.answers(429, &[("x-wait", "60")], "slow down");
    let (answer, took) = get(&scene, "/proxy/stones/1");
    assert_eq!((answer.header("retry-after"), took), (Some("60"), 0));
    let body = answer.expect(429);
    assert_eq!(
        (
            body["code"].as_str(),
            body["is_remote_error"].as_bool(),
            body["raw_response"].as_str()
        ),
        (Some("provider.rate_limited"), Some(true), Some("slow down"))
    );
    assert_eq!(scene.sent(), 3);
}

#[test]
fn the_files_expression_finds_a_rate_limit_behind_any_status() {
    let scene = open();
    let once = [("x-max-retries", "0")];
    let cases = [
        (403, "/proxy/stones/1", r#"{"code":"quota","wait":4}"#, "4"),
        (
            403,
            "/proxy/stones",
            r#"{"code":"quota","wait":"2023-11-14T23:00:00Z"}"#,
            "2400",
        ),
        (200, "/proxy/stones", r#"{"code":"slow","wait":5}"#, "5"),
        (429, "/proxy/stones/1", r#"{"wait":1700000600}"#, "200"),
        (429, "/proxy/stones/1", "<html>", "30"),
    ];
    each_case(cases, |(status, path, body, wait)| {
        let scene = open();
        scene.world.pass(Duration::from_secs(400));
        scene.world.answers(status, &JSON, body);
        let (answer, _) = scene.call_timed("GET", path, &once, Body::Empty);
        assert_eq!(answer.header("retry-after"), Some(wait), "{status} {body}");
        assert!(answer.text().contains(body) || body.starts_with('<'));
        assert_eq!(answer.code(429), "provider.rate_limited", "{status} {body}");
    });
    let cases = [
        (
            403,
            "/proxy/stones/1",
            r#"{"code":"other"}"#,
            "provider.rejected",
        ),
        (
            403,
            "/proxy/plain/1",
            r#"{"code":"quota"}"#,
            "provider.rejected",
        ),
    ];
    each_case(cases, |(status, path, body, code)| {
        scene.world.answers(status, &JSON, body);
        let (answer, _) = scene.call_timed("GET", path, &once, Body::Empty);
        assert_eq!(answer.code(status), code, "{body}");
    });
    scene
        .world
        .answers(200, &JSON, r#"{"code":"slow","data":[]}"#);
    let (answer, _) = get(&scene, "/proxy/stones/1");
    assert_eq!(
        answer.text(),
        r#"{"code":"slow","data":[]}"#,
        "a body that goes on unread is not read for its limits"
    );
}

#[test]
fn a_rate_limit_in_the_body_is_waited_out_too() {
    let scene = open();
    scene
        .world
        .answers(200, &JSON, r#"{"code":"slow","wait":2}"#);
    scene
        .world
        .answers(403, &JSON, r#"{"code":"quota","wait":3}"#);
    scene.world.answers(200, &JSON, r#"{"data":[7]}"#);
    let (answer, took) = get(&scene, "/proxy/stones");
    assert_eq!((&answer.expect(200)["result"], took), (&json!([7]), 5_000));
}

#[test]
fn callers_are_told_what_is_left_alike_on_every_answer() {
    let scene = open();
    let left = [
        ("content-type", "application/json"),
        ("x-left", "12"),
        ("x-reset-ms", "1500"),
    ];
    let reported_text = |answer: &Answer| {
        ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"]
            .map(|name| answer.header(name).unwrap_or("-").to_owned())
    };
    let cases = [
        (200, "/proxy/stones", r#"{"data":[]}"#),
        (200, "/proxy/stones/1", "{}"),
        (404, "/proxy/stones/1", "{}"),
        (200, "/custom/x", "{}"),
        (418, "/custom/x", "{}"),
    ];
    each_case(cases, |(status, path, body)| {
        scene.world.answers(status, &left, body);
        let (answer, _) = get(&scene, path);
        assert_eq!(answer.status, status);
        assert_eq!(reported_text(&answer), ["50", "12", "2"], "{path}");
        assert_eq!(answer.header("retry-after"), None);
    });
    scene
        .world
        .answers_with(reply(200, &left, streamed(&[b"a", b"b"], None)));
    let (answer, _) = get(&scene, "/proxy/stones/1");
    assert_eq!(
        (answer.text(), reported_text(&answer)),
        ("ab", ["50", "12", "2"].map(str::to_owned))
    );
    let usual = [
        ("X-RateLimit-Limit", "100"),
        ("X-RateLimit-Remaining", "99"),
        ("X-RateLimit-Reset", "1700000060"),
    ];
    scene.world.answers(200, &usual, "[]");
    let (answer, _) = get(&scene, "/proxy/plain");
    assert_eq!(reported_text(&answer), ["100", "99", "60"]);
    scene
        .world
        .answers(202, &[("retry-after", "Tue, 14 Nov 2023 22:13:30 GMT")], "");
    let (answer, _) = get(&scene, "/proxy/plain/1");
    assert_eq!(answer.header("retry-after"), Some("10"));
}

#[test]
fn a_rate_limit_on_custom_is_passed_on_with_its_wait() {
    let scene = open();
    let once = [("x-max-retries", "0")];
    scene
        .world
        .answers(429, &[("content-type", "text/plain")], "easy");
    let (answer, _) = scene.call_timed("GET", "/custom/x", &once, Body::Empty);
    assert_eq!((answer.status, answer.text()), (429, "easy"));
    assert_eq!(answer.header("retry-after"), Some("30"));
    scene
        .world
        .answers(403, &JSON, r#"{"code":"quota","wait":4}"#);
    let (answer, _) = scene.call_timed("GET", "/custom/x", &once, Body::Empty);
    assert_eq!((answer.status, answer.header("retry-after")), (403, None));
}

#[test]
fn an_expression_that_fails_spoils_no_answer() {
    let scene = open();
    scene.world.answers(
        200,
        &[("x-left", "few"), ("content-type", "application/json")],
        "{}",
    );
    assert_eq!(get(&scene, "/proxy/stones/1").0.status, 200);
    let logs = scene.world.0.logs.borrow();
    let line = logs
        .iter()
        .find(|line| line["event"] == "rate_limit_failed")
        .unwrap();
    let reason = line["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("rate_limit_header_expression"),
        "{reason}"
    );
}

#[test]
fn when_nothing_is_left_all_callers_of_the_account_wait_for_the_reset() {
    let scene = open();
    let used_up = [("x-left", "0"), ("x-reset-ms", "12000")];
    scene.world.answers(200, &used_up, "last");
    assert_eq!(get(&scene, "/proxy/stones/1").0.text(), "last");
    let hasty = [("x-timeout-ms", "5000")];
    let (answer, took) = scene.call_timed("GET", "/custom/x", &hasty, Body::Empty);
    assert_eq!((answer.header("retry-after"), took), (Some("12"), 0));
    let body = answer.expect(429);
    assert_eq!(
        (body["code"].as_str(), body["is_remote_error"].as_bool()),
        (Some("provider.rate_limited"), None),
        "the provider was not asked"
    );
    scene.world.answers(200, &[], "first");
    let (answer, took) = get(&scene, "/proxy/stones/1");
    assert_eq!((answer.text(), took), ("first", 12_000));
    scene.world.answers(200, &[], "second");
    assert_eq!(get(&scene, "/proxy/stones/1").1, 0);
    assert_eq!(scene.sent(), 3);
}

#[test]
fn who_waits_hears_of_a_later_reset() {
    let scene = open();
    let (path, client) = (scene.path("/custom/x"), &scene.setting.client);
    let began = scene.world.now();
    let call = || client.request_async("GET", &path, &[], Body::Empty);
    let used_up = |millis| [("x-left", "0"), ("x-reset-ms", millis)];
    scene.world.answers_with_at(
        began.as_millis() + 2_000,
        reply(200, &used_up("6000"), Body::Empty),
    );
    scene.world.answers(200, &used_up("3000"), "");
    scene.world.answers(200, &[], "late");
    let (slow, late) = block_on(async {
        let mut slow = Box::pin(call());
        assert!(futures::poll!(&mut slow).is_pending());
        assert_eq!(call().await.status, 200);
        Box::pin(scene.world.run_passing(join(slow, call()))).await
    });
    assert_eq!((slow.status, late.text()), (200, "late"));
    assert_eq!(scene.world.now().since(began), Duration::from_secs(8));
}

#[test]
fn a_rate_limit_holds_for_the_other_callers_of_the_account_and_for_no_other_account() {
    let scene = open();
    let once = [("x-max-retries", "0")];
    scene.world.answers(429, &[("retry-after", "9")], "");
    let (answer, _) = scene.call_timed("GET", "/proxy/plain", &once, Body::Empty);
    assert_eq!(answer.status, 429);
    let hasty = [("x-timeout-ms", "9000")];
    let (answer, _) = scene.call_timed("POST", "/proxy/stones", &hasty, Body::from_bytes("{}"));
    assert_eq!(answer.code(429), "provider.rate_limited");
    let other = scene
        .setting
        .account("api_key", &json!({ "api_key": "k2" }));
    scene.world.answers(200, &[], "[]");
    let path = format!("/proxy/plain?integrated_account_id={other}");
    scene.setting.client.get(&path).expect(200);
    scene.world.answers(200, &[], "[]");
    let (answer, took) = get(&scene, "/proxy/plain");
    assert_eq!((answer.status, took), (200, 9_000));
}

#[test]
fn an_accounts_callers_share_its_rate() {
    let scene = with(&[("ACCOUNT_RATE", "3")]);
    let (path, client) = (scene.path("/custom/x"), &scene.setting.client);
    for _ in 0..7 {
        scene.world.answers(200, &[], "ok");
    }
    let began = scene.world.now();
    let done = Rc::new(Cell::new(0));
    let calls = (0..7).map(|_| {
        let (world, done) = (scene.world.clone(), Rc::clone(&done));
        let call = client.request_async("GET", &path, &[("x-timeout-ms", "60000")], Body::Empty);
        async move {
            assert_eq!(call.await.status, 200);
            done.set(done.get() + 1);
            world.now().since(began).as_secs()
        }
    });
    let times = block_on(scene.world.run_passing(join_all(calls)));
    assert_eq!(times, [0, 0, 0, 10, 10, 10, 20]);
    assert_eq!((scene.sent(), done.get()), (7, 7));
}

#[test]
fn who_cannot_wait_for_the_accounts_turn_is_told_how_long() {
    let scene = with(&[("ACCOUNT_RATE", "1")]);
    scene.world.answers(200, &[], "ok");
    get(&scene, "/custom/x");
    scene.world.pass(Duration::from_millis(2_400));
    let hasty = [("x-timeout-ms", "5000")];
    let (answer, took) = scene.call_timed("POST", "/proxy/stones", &hasty, Body::from_bytes("{}"));
    assert_eq!((answer.header("retry-after"), took), (Some("8"), 0));
    assert_eq!(answer.code(429), "caller.rate_limited");
    scene.world.answers(200, &[], "ok");
    let (answer, took) = get(&scene, "/custom/x");
    assert_eq!(
        (answer.status, took),
        (200, 8_000),
        "the clock goes by halves of a second"
    );
}

#[test]
fn retries_take_turns_and_a_retry_without_one_leaves_the_providers_answer() {
    let scene = with(&[("ACCOUNT_RATE", "2")]);
    for _ in 0..2 {
        scene.world.answers(503, &[], "down");
    }
    scene.world.answers(200, &[], "ok");
    let (answer, took) = get(&scene, "/custom/x");
    assert_eq!(
        (answer.text(), took),
        ("ok", 10_000),
        "the third of ten seconds"
    );
    scene.world.pass(Duration::from_secs(20));
    for _ in 0..2 {
        scene.world.answers(503, &[], "down");
    }
    let hasty = [("x-timeout-ms", "8000")];
    let (answer, _) = scene.call_timed("GET", "/custom/x", &hasty, Body::Empty);
    assert_eq!((answer.status, answer.text()), (503, "down"));
}

#[test]
fn without_a_rate_an_account_goes_as_fast_as_it_is_called() {
    let scene = with(&[("ACCOUNT_RATE", "0")]);
    for _ in 0..50 {
        scene.world.answers(200, &[], "ok");
        assert_eq!(get(&scene, "/custom/x").1, 0);
    }
}

#[test]
fn a_token_sends_so_many_requests_and_no_more_whatever_they_are() {
    let scene = open();
    scene.world.0.token_rate.set(Some(3));
    let client = &scene.setting.client;
    scene.world.answers(200, &[], "ok");
    assert_eq!(get(&scene, "/custom/x").0.status, 200);
    client.get("/integrated-account").expect(200);
    assert_eq!(client.get("/environment").code(403), "caller.forbidden");
    let cases = [
        "/integrated-account",
        &scene.path("/custom/x"),
        "/environment",
    ];
    each_case(cases, |path| {
        let answer = client.get(path);
        assert_eq!(answer.header("retry-after"), Some("10"), "{path}");
        assert_eq!(answer.code(429), "caller.rate_limited", "{path}");
    });
    let other = scene
        .setting
        .admin
        .token_of(&scene.setting.environment, None);
    other.get("/integrated-account").expect(200);
    assert_eq!(
        client.get("/health").status,
        200,
        "who needs no token has no rate"
    );
    let stranger = client.with_token("ct_unknown");
    for _ in 0..5 {
        assert_eq!(
            stranger.get("/integrated-account").code(401),
            "caller.unauthenticated"
        );
    }
    scene.world.pass(Duration::from_secs(10));
    client.get("/integrated-account").expect(200);
    assert_eq!(scene.sent(), 1);
}

#[test]
fn an_account_token_has_a_rate_of_its_own() {
    let scene = open();
    let body = json!({ "integrated_account_id": scene.account });
    let made = scene
        .setting
        .client
        .post("/integrated-account/token", &body)
        .expect(201);
    let client = scene
        .setting
        .client
        .with_token(made["integrated_account_token"].as_str().unwrap());
    scene.world.0.token_rate.set(Some(1));
    client.get("/integrated-account/me").expect(200);
    assert_eq!(
        client.get("/integrated-account/me").code(429),
        "caller.rate_limited"
    );
    scene.setting.client.get("/integrated-account").expect(200);
}

#[test]
fn a_step_of_an_action_is_retried_like_a_call() {
    let mut file = file();
    file["config"]["actions"] = json!({ "look": { "type": "request", "config": { "resource": "stones", "method": "list" } } });
    let scene = Scene::with_key(&[], &file);
    scene.world.answers(502, &[], "");
    scene.world.answers(429, &[("retry-after", "2")], "");
    scene.world.answers(200, &JSON, r#"{"data":[5]}"#);
    let answer = scene.call_passing("POST", "/proxy/_/look", &[], Body::Empty);
    assert_eq!(answer.expect(200), json!([5]));
}
