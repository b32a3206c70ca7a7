//! A write that was made is reported as made: for every answer, the caller gets the provider's status and
//! `details.write`, and never a bare 502 that asks for a second write.

use causeway::ports::{Body, SendError};
use serde_json::{Value, json};

use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::client::Answer;
use crate::files;
use crate::outside::{reply, streamed};

const OWN: &str = "https://api.writes.example";

fn file() -> Value {
    let method =
        |method: &str| json!({ "method": method, "path": "/pots", "response_path": "data" });
    files::with_key(
        "writes",
        &json!({
            "authorization": { "format": "header", "config": { "name": "X-Key", "value": "{{api_key}}" } },
            "resources": {
                "pots": {
                    "create": method("post"), "update": method("patch"), "delete": method("delete"),
                    "put": method("put"), "search": method("get"),
                    "list": { "method": "post", "path": "/search", "response_path": "data" },
                    "get": { "path": "/pots/{{id}}", "response_path": "data" },
                },
                "plain": { "create": { "method": "post", "path": "/plain" } },
                "wrong": { "create": { "method": "post", "path": "/wrong", "error_expression": "$number(response.n) > 1" } },
                "said": { "create": { "method": "post", "path": "/said", "error_expression": "response.ok = false ? { \"status\": 422 }" } },
            },
            "actions": {
                "fire": { "steps": [{ "type": "request", "config": { "method": "post", "path": "/fire", "response_path": "data" } }] },
                "twice": { "steps": [
                    { "type": "request", "config": { "method": "post", "path": "/fire" } },
                    { "type": "request", "config": { "path": "/look" } },
                ] },
            },
        }),
    )
}

fn open() -> Scene {
    Scene::with_key(&[], &file())
}

fn write(scene: &Scene, method: &str, path: &str) -> Answer {
    scene.call_passing(method, path, &[], Body::from_bytes("{}"))
}

/// What every answer to a write that was made says.
#[track_caller]
fn assert_made(answer: &Answer, status: u16, case: &str) -> Value {
    assert_eq!(answer.status, status, "{case}: {}", answer.text());
    assert_eq!(answer.header("location"), None, "{case}");
    assert_eq!(answer.header("retry-after"), None, "{case}");
    let body = answer.json();
    assert_eq!(body["details"]["write"], "done", "{case}: {body}");
    assert_eq!(body["details"]["status"], status, "{case}: {body}");
    body
}

#[test]
fn a_303_to_another_origin_is_followed_as_a_get_without_body_and_credential() {
    let cases = [
        (303, "POST", "/custom/x"),
        (302, "POST", "/custom/x"),
        (301, "POST", "/custom/x"),
        (303, "PUT", "/custom/x"),
        (303, "PATCH", "/custom/x"),
        (303, "DELETE", "/custom/x"),
        (303, "POST", "/proxy/pots"),
    ];
    each_case(cases, |(status, method, path)| {
        let scene = open();
        let elsewhere = [("location", "https://files.writes.example:8443/f")];
        scene.world.answers(status, &elsewhere, "");
        scene.world.answers(200, &JSON, r#"{"data":{"id":1}}"#);
        let answer = write(&scene, method, path);
        assert_eq!(answer.status, 200, "{status} {method}: {}", answer.text());
        let sent = scene.world.sent();
        assert_eq!(sent.len(), 2);
        assert_eq!(sent[1].method, "GET");
        assert_eq!(sent[1].url, "https://files.writes.example:8443/f");
        assert_eq!((sent[1].header("x-key"), sent[1].body.len()), (None, 0));
        assert_eq!(sent[1].header("content-type"), None);
    });
}

#[test]
fn a_redirect_that_keeps_the_verb_was_no_write_and_goes_to_no_other_origin() {
    let cases = [
        (307, "POST"),
        (308, "POST"),
        (307, "DELETE"),
        (302, "PUT"),
        (301, "PATCH"),
    ];
    each_case(cases, |(status, method)| {
        each_case(
            ["https://files.writes.example/f", "ftp://x/", "https://["],
            |location| {
                let scene = open();
                scene.world.answers(status, &[("location", location)], "");
                let refused = write(&scene, method, "/custom/x").expect(502);
                assert_eq!(refused["code"], "provider.redirect_refused");
                assert_eq!(refused["details"]["write"], "not_done", "{refused}");
                assert_eq!(refused["details"]["status"], status);
                assert_eq!(scene.sent(), 1);
            },
        );
    });
    let scene = open();
    scene.world.answers(307, &[("location", "/y")], "");
    let body = streamed(&[b"x"], None);
    let refused = scene
        .call_passing("POST", "/custom/x", &[], body)
        .expect(502);
    assert_eq!(refused["code"], "provider.redirect_needs_body");
    assert_eq!(refused["details"]["write"], "not_done");
}

#[test]
fn a_redirect_that_answered_a_write_and_cannot_be_followed_gives_its_status_and_words() {
    let cases = [
        "ftp://files.writes.example/f",
        "https://[",
        "http://api.writes.example/plain",
        "https://user:word@files.writes.example/",
        "https://127.0.0.1/inside",
    ];
    each_case(cases, |location| {
        each_case(["/custom/x", "/proxy/pots"], |path| {
            each_case([301, 302, 303], |status| {
                let scene = open();
                let headers = [("location", location), JSON[0]];
                scene.world.answers(status, &headers, r#"{"id":7}"#);
                let case = format!("{status} {path} {location}");
                let body = assert_made(&write(&scene, "POST", path), status, &case);
                assert_eq!(scene.sent(), 1, "{case}");
                if !location.contains("127") {
                    assert_eq!(body["code"], "provider.redirect_refused", "{case}");
                    assert_eq!(body["raw_response"]["id"], 7, "{case}");
                }
            });
        });
    });
}

#[test]
fn a_redirect_that_never_ends_behind_a_write_gives_the_status_of_the_first() {
    let scene = open();
    scene.world.answers(303, &[("location", "/a")], "");
    for _ in 0..5 {
        scene.world.answers(302, &[("location", "/a")], "");
    }
    assert_made(&write(&scene, "POST", "/custom/x"), 303, "endless");
}

#[test]
fn whatever_becomes_of_the_page_behind_a_redirect_the_write_was_made() {
    each_case(["/custom/x", "/proxy/pots"], |path| {
        each_case([400, 401, 404, 429, 500, 502, 503], |status| {
            let scene = open();
            scene.world.answers(303, &[("location", "/pots/1")], "");
            scene.world.answers(status, &JSON, r#"{"why":"no"}"#);
            let case = format!("{path} {status}");
            let body = assert_made(&write(&scene, "POST", path), 303, &case);
            assert_eq!(body["raw_response"]["why"], "no", "{case}");
            let sent = scene.world.sent();
            let posts = sent.iter().filter(|sent| sent.method == "POST").count();
            assert_eq!(posts, 1, "{case}");
        });
        each_case([SendError::Timeout, SendError::Unreachable], |error| {
            let scene = open();
            scene.world.answers(303, &[("location", "/pots/1")], "");
            scene.fails(error);
            assert_made(&write(&scene, "POST", path), 303, path);
        });
    });
}

#[test]
fn a_401_behind_the_redirect_of_a_write_repeats_no_write() {
    let mut file = file();
    file["config"]["credentials"] = json!({ "oauth2": { "format": "oauth2", "config": {
        "client": { "id": "c", "secret": "s" },
        "auth": { "tokenHost": OWN, "authorizePath": "/a", "tokenPath": "/token" } } } });
    file["config"]["authorization"] = json!({ "format": "bearer" });
    let token = json!({ "access_token": "old", "refresh_token": "r", "expires_at": "2030-01-01T00:00:00.000Z" });
    each_case(["/custom/x", "/proxy/pots"], |path| {
        let scene = Scene::with_token(&[], &file, &token);
        scene
            .world
            .provides(|sent| match sent.url.rsplit('/').next() {
                Some("token") => reply(
                    200,
                    &JSON,
                    Body::from_bytes(r#"{"access_token":"new","expires_in":3600}"#),
                ),
                _ if sent.method == "POST" => reply(303, &[("location", "/pots/1")], Body::Empty),
                _ => reply(401, &JSON, Body::from_bytes("{}")),
            });
        assert_made(&write(&scene, "POST", path), 303, path);
        let sent = scene.world.sent();
        let posts = sent
            .iter()
            .filter(|s| s.method == "POST" && !s.url.ends_with("/token"));
        assert_eq!(posts.count(), 1, "{path}");
    });
}

#[test]
fn an_answer_to_a_write_that_cannot_be_decoded_or_cut_gives_its_status_and_words() {
    type Fields = &'static [(&'static str, &'static str)];
    let html: Fields = &[("content-type", "text/html")];
    let cyrillic: Fields = &[("content-type", "text/plain; charset=koi8-r")];
    let packed: Fields = &[
        ("content-type", "application/json"),
        ("content-encoding", "zstd"),
    ];
    let cases: [(Fields, &str, Value); 6] = [
        (html, "<p>made</p>", json!("<p>made</p>")),
        (&JSON, r#"{"other":1}"#, json!({ "other": 1 })),
        (&JSON, r#"{"data":"#, json!(r#"{"data":"#)),
        (&JSON, "7 7", json!("7 7")),
        (cyrillic, r#"{"data":1}"#, json!({ "data": 1 })),
        (packed, "bytes", json!("")),
    ];
    each_case(cases, |(headers, body, words)| {
        let cases = [
            ("POST", "/proxy/pots"),
            ("PATCH", "/proxy/pots/1"),
            ("DELETE", "/proxy/pots/1"),
            ("POST", "/proxy/pots/put"),
        ];
        each_case(cases, |(method, path)| {
            let scene = open();
            scene.world.answers(201, headers, body);
            let case = format!("{method} {path} {body}");
            let reported = assert_made(&write(&scene, method, path), 201, &case);
            assert_eq!(reported["code"], "provider.unexpected_answer", "{case}");
            assert_eq!(reported["raw_response"], words, "{case}");
            assert_eq!(scene.sent(), 1, "{case}");
        });
    });
}

#[test]
fn an_answer_to_a_write_that_is_too_large_late_or_in_the_way_of_an_expression_gives_its_status() {
    let scene = Scene::with_key(&[("BUFFERED_ANSWER_BYTES", "1048576")], &file());
    let large = format!(r#"{{"data":"{}"}}"#, "x".repeat(2 << 20));
    scene.world.answers(200, &JSON, &large);
    let reported = assert_made(&write(&scene, "POST", "/proxy/pots"), 200, "too large");
    assert_eq!(reported["code"], "provider.answer_too_large");

    let scene = open();
    let stalls = crate::outside::stalled(1, None);
    scene.world.answers_with(reply(202, &JSON, stalls));
    let reported = assert_made(&write(&scene, "POST", "/proxy/pots"), 202, "late");
    assert_eq!(reported["code"], "provider.timeout");

    let scene = open();
    scene.world.answers(201, &JSON, r#"{"n":"many"}"#);
    let reported = assert_made(&write(&scene, "POST", "/proxy/wrong"), 201, "expression");
    assert_eq!(reported["code"], "integration.expression_failed");
    assert_eq!(reported["raw_response"]["n"], "many");
}

#[test]
fn reads_and_lists_stay_errors_and_so_does_what_the_file_finds_in_the_answer_of_a_write() {
    let scene = open();
    let cases = [
        ("GET", "/proxy/pots/1"),
        ("GET", "/proxy/pots"),
        ("POST", "/proxy/pots/list"),
        ("POST", "/proxy/pots/search"),
    ];
    each_case(cases, |(method, path)| {
        scene.world.answers(200, &JSON, "no json");
        let body = match method {
            "GET" => Body::Empty,
            _ => Body::from_bytes("{}"),
        };
        let error = scene.call_passing(method, path, &[], body).expect(502);
        assert_eq!(error["code"], "provider.unexpected_answer", "{path}");
        assert_eq!(error["details"]["write"], Value::Null, "{path}");
    });
    scene.world.answers(200, &JSON, r#"{"ok":false}"#);
    let refused = write(&scene, "POST", "/proxy/said").expect(422);
    assert_eq!(refused["details"]["write"], Value::Null);
    each_case(
        [(422, "provider.rejected"), (500, "provider.failed")],
        |(status, code)| {
            scene.world.answers(status, &JSON, "{}");
            let refused = write(&scene, "POST", "/proxy/pots").expect(status);
            assert_eq!(
                (&refused["code"], &refused["details"]["write"]),
                (&json!(code), &Value::Null)
            );
        },
    );
}

#[test]
fn a_keyed_write_whose_answer_cannot_be_used_is_made_once_and_its_key_says_the_status() {
    let cases = [
        (303, [("location", "ftp://x/"), JSON[0]], ""),
        (201, [("content-encoding", "zstd"), JSON[0]], "x"),
        (200, [("x-any", "1"), JSON[0]], "no json"),
    ];
    each_case(cases, |(status, headers, body)| {
        let scene = open();
        scene.world.answers(status, &headers, body);
        let key = [("idempotency-key", "a")];
        let first = scene.ask_passing("POST", "/proxy/pots", &key);
        assert_made(&first, status, body);
        let again = scene.ask_passing("POST", "/proxy/pots", &key).expect(409);
        assert_eq!(again["code"], "caller.idempotency_not_replayable");
        assert_eq!(again["details"]["status"], status);
        assert_eq!(scene.sent(), 1);
    });
}

#[test]
fn an_action_says_that_one_of_its_steps_has_written() {
    let scene = open();
    scene.world.answers(201, &JSON, "no json");
    let reported = assert_made(&write(&scene, "POST", "/proxy/_/fire"), 201, "fire");
    assert_eq!(reported["details"]["steps"], 0);
    each_case(
        [(404, "{}"), (500, "{}"), (200, "no json")],
        |(status, body)| {
            scene.world.answers(200, &JSON, "{}");
            scene.world.answers(status, &JSON, body);
            let headers = [("x-max-retries", "0")];
            let reported = scene.ask_passing("POST", "/proxy/_/twice", &headers).json();
            assert_eq!(reported["details"]["write"], "done", "{reported}");
            assert_eq!(reported["details"]["steps"], 1);
        },
    );
}

#[test]
fn a_write_whose_plain_answer_needs_no_reading_goes_on_as_it_came() {
    let scene = open();
    let packed = [
        ("content-type", "application/json"),
        ("content-encoding", "zstd"),
    ];
    each_case([&packed[..], &[("content-type", "text/html")]], |headers| {
        scene.world.answers(201, headers, "as it came");
        let answer = write(&scene, "POST", "/proxy/plain");
        assert_eq!((answer.status, answer.text()), (201, "as it came"));
    });
}
