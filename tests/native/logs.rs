//! The log of calls, what an account may do, and what its provider refused.

use std::time::Duration;

use causeway::ports::{Body, SendError};
use serde_json::{Value, json};

use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::client::{Answer, Client};
use crate::outside::Pieces;

fn file() -> Value {
    json!({ "name": "logged", "category": "help", "config": {
        "base_url": "https://api.logged.example/v2",
        "credentials": { "oauth2": { "format": "oauth2", "config": {
            "client": { "id": "i", "secret": "s" },
            "auth": { "authorizeHost": "https://logged.example", "authorizePath": "/a", "tokenHost": "https://logged.example", "tokenPath": "/t" },
            "options": { "scopeSeparator": "," }, "scope": ["tickets:read"] } } },
        "authorization": { "format": "bearer" },
        "tool_tags": { "tickets": ["support"] },
        "resources": { "tickets": {
            "list": { "path": "/tickets?all=1", "scopes": ["tickets:read"], "description": "All tickets" },
            "get": { "path": "/tickets/{{id}}" },
            "create": { "method": "post", "path": "/tickets", "scopes": ["tickets:read", "tickets:write"] },
            "merge": { "method": "post", "path": "/people/{{query.id}}/merge" },
        }, "notes": {
            "list": { "path": "/notes", "scopes": ["notes:read"], "pagination": { "format": "page", "config": { "page_key": "page", "limit_key": "per_page" } } },
        } },
        "actions": {
            "ping": { "steps": [{ "type": "transform", "config": "1" }] },
            "ask": { "steps": [{ "type": "request", "config": { "path": "/me" } }] },
        },
    } })
}

fn open(scope: &Value) -> Scene {
    with(&[("LOG_CALLS", "all")], scope)
}

fn with(settings: &[(&str, &str)], scope: &Value) -> Scene {
    let token = json!({ "access_token": "t-secret", "scope": scope });
    Scene::with_token(settings, &file(), &token)
}

/// How many lines of calls are on the console.
fn on_console(scene: &Scene) -> usize {
    let console = scene.world.0.logs.borrow();
    let calls = console.iter().filter(|line| line["event"] == "call");
    calls.count()
}

fn call(scene: &Scene, method: &str, path: &str, body: Body<Pieces>) -> Answer {
    scene.call(method, path, &[], body)
}

fn answers(scene: &Scene, status: u16, body: &str) {
    scene.world.answers(status, &JSON, body);
}

fn log(scene: &Scene, filters: &str) -> Value {
    scene.get(&format!("/log{filters}")).expect(200)
}

fn account(scene: &Scene) -> Value {
    let path = format!("/integrated-account/{}", scene.account);
    scene.setting.client.get(&path).expect(200)
}

/// The time in which what is gathered is written.
fn flush(scene: &Scene) {
    scene.world.pass(Duration::from_secs(6));
    futures::executor::block_on(scene.world.run(async {}));
}

fn stored(scene: &Scene) -> usize {
    scene.rows("log")
}

#[test]
fn each_call_has_its_line_without_values() {
    let scene = open(&json!(null));
    answers(&scene, 200, "[]");
    let list = call(
        &scene,
        "GET",
        "/proxy/tickets?mail=a%40b.example",
        Body::Empty,
    );
    let id = list.header("x-request-id").unwrap().to_owned();
    answers(&scene, 404, r#"{"why":"secret words"}"#);
    call(&scene, "GET", "/proxy/tickets/4711", Body::Empty);
    answers(&scene, 200, "{}");
    let body = Body::from_bytes(r#"{"a":1}"#);
    call(&scene, "POST", "/custom/people/4711/merge?with=x", body);
    call(&scene, "POST", "/proxy/_/ping", Body::Empty).expect(200);
    let log = log(&scene, "");
    let lines = log["result"].as_array().unwrap();
    let seen: Vec<Value> = lines
        .iter()
        .map(|line| {
            json!([
                line["method"],
                line["resource"],
                line["resource_method"],
                line["host"],
                line["path"],
                line["status"],
                line["code"],
                line["upstream_status"],
                line["bytes_in"]
            ])
        })
        .collect();
    let host = "api.logged.example";
    assert_eq!(
        json!(seen),
        json!([
            ["POST", "_", "ping", null, null, 200, null, null, null],
            [
                "POST",
                null,
                null,
                host,
                "/people/*/merge",
                200,
                null,
                200,
                7
            ],
            [
                "GET",
                "tickets",
                "get",
                host,
                "/tickets/{{id}}",
                404,
                "provider.rejected",
                404,
                0
            ],
            [
                "GET", "tickets", "list", host, "/tickets", 200, null, 200, 0
            ],
        ])
    );
    assert_eq!(lines[3]["request_id"], id);
    assert_eq!(lines[3]["retries"], 0);
    assert_eq!(
        lines[3]["caller"].as_str().unwrap().len(),
        36,
        "a token's id"
    );
    let console = scene.world.0.logs.borrow();
    let reported: Vec<&Value> = console
        .iter()
        .filter(|line| line["event"] == "call")
        .collect();
    assert_eq!(reported.len(), 4);
    assert_eq!(reported[0]["integrated_account_id"], scene.account.as_str());
    assert_eq!(reported[0]["request_id"], id);
    let all = format!("{log} {reported:?}");
    each_case(["4711", "b.example", "secret", "with"], |word| {
        assert!(!all.contains(word), "{word}");
    });
}

#[test]
fn no_word_of_the_callers_is_in_the_log() {
    let scene = open(&json!(null));
    let cases = [
        ("POST", "/proxy/tickets/jane@b.example", 405),
        ("GET", "/proxy/jane@b.example", 404),
        ("POST", "/proxy/_/jane@b.example", 404),
        ("GET", "/custom/v2/tickets/jane/merge", 200),
        ("GET", "/custom/users/jane", 200),
    ];
    each_case(cases, |(method, path, status)| {
        if status == 200 {
            answers(&scene, 200, "{}");
        }
        let answer = call(&scene, method, path, Body::Empty);
        assert_eq!(answer.status, status, "{method} {path}");
    });
    let log = log(&scene, "");
    let lines = log["result"].as_array().unwrap().iter();
    let seen: Vec<Value> = lines
        .map(|line| json!([line["resource"], line["resource_method"], line["path"]]))
        .collect();
    assert_eq!(
        json!(seen),
        json!([
            [null, null, "/*/*"],
            [null, null, "/v2/tickets/*/merge"],
            [null, null, null],
            [null, null, null],
            [null, null, null],
        ])
    );
    let all = format!("{log} {:?}", scene.world.0.logs.borrow());
    assert!(!all.contains("jane"), "{all}");
}

#[test]
fn a_long_path_makes_no_long_line() {
    let scene = open(&json!(null));
    let resource = "x".repeat(15_000);
    call(&scene, "GET", &format!("/proxy/{resource}"), Body::Empty).code(404);
    answers(&scene, 200, "{}");
    let path = "/tickets".repeat(2_000);
    call(&scene, "GET", &format!("/custom{path}"), Body::Empty).expect(200);
    let log = log(&scene, "");
    each_case(log["result"].as_array().unwrap(), |line| {
        assert!(line.to_string().len() < 1_000, "{line}");
    });
}

#[test]
fn the_console_has_failed_calls_and_the_share_of_the_others_that_the_operator_wants() {
    const CALLS: usize = 400;
    let cases = [
        (&[][..], 0..=0),
        (&[("LOG_CALLS", "failed")][..], 0..=0),
        (&[("LOG_CALLS", "all")][..], CALLS..=CALLS),
        // 100 are expected; a fair coin is outside these bounds once in 10^13 runs.
        (&[("LOG_CALLS", "0.25")][..], 35..=165),
    ];
    each_case(cases, |(settings, expected)| {
        let scene = with(settings, &json!(null));
        for _ in 0..CALLS {
            answers(&scene, 200, "[]");
            call(&scene, "GET", "/proxy/tickets", Body::Empty).expect(200);
        }
        assert!(expected.contains(&on_console(&scene)), "{settings:?}");
        let before = on_console(&scene);
        call(&scene, "GET", "/proxy/boats", Body::Empty).code(404);
        assert_eq!(on_console(&scene), before + 1, "{settings:?}");
        flush(&scene);
        assert_eq!(stored(&scene), CALLS + 1, "the account's log has all");
    });
}

#[test]
fn the_log_of_an_account_has_failed_calls_and_the_share_of_the_others_that_the_operator_wants() {
    const CALLS: usize = 400;
    let cases = [
        ("all", CALLS..=CALLS),
        ("failed", 0..=0),
        // 100 are expected; a fair coin is outside these bounds once in 10^13 runs.
        ("0.25", 35..=165),
    ];
    each_case(cases, |(share, expected)| {
        let scene = with(&[("LOG_STORED_CALLS", share)], &json!(null));
        for _ in 0..CALLS {
            answers(&scene, 200, "[]");
            call(&scene, "GET", "/proxy/tickets", Body::Empty).expect(200);
        }
        flush(&scene);
        let before = stored(&scene);
        assert!(expected.contains(&before), "{share}: {before}");
        call(&scene, "GET", "/proxy/boats", Body::Empty).code(404);
        flush(&scene);
        assert_eq!(stored(&scene), before + 1, "{share}");
    });
}

#[test]
fn no_line_is_lost_however_many_come_at_once() {
    let scene = open(&json!(null));
    for _ in 0..1_100 {
        call(&scene, "GET", "/proxy/boats", Body::Empty).code(404);
    }
    flush(&scene);
    assert_eq!(stored(&scene), 1_100);
    let console = scene.world.0.logs.borrow();
    let reported = console.iter().filter(|line| line["event"] == "call");
    assert_eq!(reported.count(), 1_100);
}

#[test]
fn lines_outlive_a_fault_of_storage() {
    each_case(
        ["CREATE TABLE IF NOT EXISTS log", "INSERT INTO log"],
        |word| {
            let scene = open(&json!(null));
            for _ in 0..2 {
                call(&scene, "GET", "/proxy/boats", Body::Empty).code(404);
            }
            scene.world.storage_refuses(scene.object(), word);
            flush(&scene);
            assert_eq!(stored(&scene), 0, "{word}");
            let faults = scene.world.0.logs.borrow().clone();
            let faults = faults
                .iter()
                .filter(|line| line["event"] == "log_not_written");
            assert_eq!(faults.count(), 1, "{word}");
            call(&scene, "GET", "/proxy/boats", Body::Empty).code(404);
            flush(&scene);
            assert_eq!(stored(&scene), 3, "{word}");
            assert_eq!(log(&scene, "")["result"].as_array().unwrap().len(), 3);
        },
    );
}

#[test]
fn a_walk_that_broke_has_its_code_and_its_refusal_is_noted() {
    let scene = open(&json!("tickets:read"));
    answers(&scene, 200, r#"[{"id":1},{"id":2}]"#);
    answers(&scene, 403, r#"{"why":"secret words"}"#);
    let path = scene.path("/proxy/notes?limit=2");
    let headers = [("x-all-pages", "true")];
    let client = &scene.setting.client;
    let pages = client.request("GET", &path, &headers, Body::Empty);
    assert_eq!(pages.status, 200);
    assert_eq!(pages.text().lines().count(), 3);
    flush(&scene);
    let line = log(&scene, "")["result"][0].clone();
    assert_eq!(
        json!([
            line["status"],
            line["code"],
            line["upstream_status"],
            line["bytes_out"]
        ]),
        json!([200, "provider.rejected", 403, 18])
    );
    let reported = account(&scene)["last_forbidden_error"].clone();
    assert_eq!(reported["resource"], "notes");
    assert_eq!(reported["missing_scopes"], json!(["notes:read"]));
}

#[test]
fn the_time_of_a_walk_goes_to_its_end() {
    let scene = open(&json!(null));
    let client = &scene.setting.client;
    let start = 1_700_000_000_000;
    scene.world.answers_at(start + 1_000, 200, r#"[{"id":1}]"#);
    scene.world.answers_at(start + 3_000, 200, "[]");
    let path = scene.path("/proxy/notes?limit=1");
    let headers = [("x-all-pages", "true")];
    let pages = client.request_async("GET", &path, &headers, Body::Empty);
    futures::executor::block_on(scene.world.run_passing(pages));
    let line = log(&scene, "")["result"][0].clone();
    assert_eq!(
        (&line["duration_ms"], &line["code"]),
        (&json!(3_000), &Value::Null)
    );
}

#[test]
fn what_a_provider_forbids_an_action_is_noted() {
    let scene = open(&json!(null));
    answers(&scene, 403, r#"{"why":"secret words"}"#);
    call(&scene, "POST", "/proxy/_/ask", Body::Empty).code(403);
    flush(&scene);
    let reported = account(&scene)["last_forbidden_error"].clone();
    assert_eq!(
        (&reported["resource"], &reported["method"]),
        (&json!("_"), &json!("ask"))
    );
    assert!(!reported.to_string().contains("secret"));
}

#[test]
fn who_called_is_an_id_or_a_kind() {
    let scene = open(&json!(null));
    let path = scene.path("/proxy/tickets/1");
    let body = json!({ "integrated_account_id": scene.account });
    let made = scene
        .setting
        .client
        .post("/integrated-account/token", &body);
    let made = made.expect(201);
    let token = made["integrated_account_token"].as_str().unwrap();
    each_case(
        [
            &scene.setting.admin,
            &scene.setting.client.with_token(token),
        ],
        |client| {
            answers(&scene, 200, "{}");
            client.get(&path).expect(200);
        },
    );
    let log = log(&scene, "");
    assert_eq!(log["result"][0]["caller"], "account_token");
    assert_eq!(log["result"][1]["caller"], "admin_token");
}

#[test]
fn times_and_failures_are_logged() {
    let scene = open(&json!(null));
    scene.fails(SendError::Unreachable);
    call(&scene, "POST", "/proxy/tickets", Body::Empty);
    scene.world.answers_at(1_700_000_002_000, 200, "{}");
    let client = &scene.setting.client;
    let path = scene.path("/proxy/tickets/1");
    let call = client.request_async("GET", &path, &[], Body::Empty);
    futures::executor::block_on(scene.world.run_passing(call));
    let log = log(&scene, "");
    let lines = &log["result"];
    assert_eq!(lines[0]["duration_ms"], 2_000);
    assert_eq!(lines[0]["upstream_ms"], 2_000);
    assert_eq!(lines[0]["bytes_out"], 2);
    assert_eq!(lines[1]["code"], "provider.unreachable");
    assert_eq!(lines[1]["upstream_status"], Value::Null);
}

#[test]
fn nothing_is_written_before_the_answer_and_then_within_a_second() {
    let scene = open(&json!(null));
    let before = scene.world.writes(scene.object());
    for _ in 0..150 {
        answers(&scene, 200, "{}");
        call(&scene, "GET", "/proxy/tickets/1", Body::Empty).expect(200);
        assert_eq!(scene.world.writes(scene.object()), before);
    }
    scene.world.pass(Duration::from_millis(500));
    futures::executor::block_on(scene.world.run(async {}));
    assert_eq!(stored(&scene), 150, "a hundred do not wait");
    answers(&scene, 200, "{}");
    call(&scene, "GET", "/proxy/tickets/1", Body::Empty).expect(200);
    scene.world.pass(Duration::from_millis(999));
    futures::executor::block_on(scene.world.run(async {}));
    assert_eq!(stored(&scene), 150);
    flush(&scene);
    assert_eq!(stored(&scene), 151);
    scene.world.restart();
    assert_eq!(
        log(&scene, "?limit=1000")["result"]
            .as_array()
            .unwrap()
            .len(),
        151
    );
}

#[test]
fn a_list_is_narrowed_and_goes_on() {
    let scene = open(&json!(null));
    for status in [200, 404, 200, 500, 404] {
        answers(&scene, status, "{}");
        call(&scene, "GET", "/custom/tickets", Body::Empty);
        scene.world.pass(Duration::from_mins(1));
    }
    answers(&scene, 200, "{}");
    call(&scene, "GET", "/proxy/tickets/1", Body::Empty).expect(200);
    let statuses = |filters: &str| -> Vec<u64> {
        let log = log(&scene, filters);
        let lines = log["result"].as_array().unwrap().iter();
        lines.map(|line| line["status"].as_u64().unwrap()).collect()
    };
    assert_eq!(statuses(""), [200, 404, 500, 200, 404, 200]);
    assert_eq!(statuses("?status=404"), [404, 404]);
    assert_eq!(statuses("?resource=tickets"), [200]);
    assert_eq!(statuses("?resource=boats"), [0; 0]);
    let at = log(&scene, "?status=500")["result"][0]["created_at"].clone();
    let at = at.as_str().unwrap();
    assert_eq!(statuses(&format!("?created_at={at}")), [500]);
    assert_eq!(statuses(&format!("?created_at[gt]={at}")), [200, 404]);
    assert_eq!(statuses(&format!("?created_at[gte]={at}")), [200, 404, 500]);
    assert_eq!(statuses(&format!("?created_at[lt]={at}")), [200, 404, 200]);
    assert_eq!(
        statuses(&format!("?created_at[lte]={at}")),
        [500, 200, 404, 200]
    );
    let first = log(&scene, "?limit=4");
    assert_eq!(first["limit"], 4);
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(
        statuses(&format!("?limit=4&next_cursor={cursor}")),
        [404, 200]
    );
    assert_eq!(log(&scene, "?limit=6")["next_cursor"], Value::Null);
    let get = |path: &str| scene.setting.client.get(path).status;
    assert_eq!(get("/log"), 422);
    assert_eq!(get(&scene.path("/log?status=abc")), 422);
    assert_eq!(get(&scene.path("/log?colour=red")), 400);
    assert_eq!(get(&scene.path("/log?next_cursor=bm9uZQ")), 400);
}

#[test]
fn what_others_try_is_in_nobodys_log() {
    let scene = open(&json!(null));
    let other = scene.setting.admin.environment("other");
    let stranger = scene.setting.admin.token_of(&other, None);
    assert_eq!(stranger.get(&scene.path("/proxy/tickets/1")).status, 404);
    assert_eq!(stranger.get(&scene.path("/log")).status, 404);
    assert_eq!(log(&scene, "")["result"], json!([]));
    let reader = scene
        .setting
        .admin
        .token_of(&scene.setting.environment, Some(&["proxy"]));
    assert_eq!(reader.get(&scene.path("/log")).status, 403);
}

#[test]
fn old_lines_go_by_alarm_and_all_with_the_account() {
    let scene = open(&json!(null));
    answers(&scene, 200, "{}");
    call(&scene, "GET", "/proxy/tickets/1", Body::Empty).expect(200);
    flush(&scene);
    assert_eq!(stored(&scene), 1);
    scene.world.restart();
    scene.world.pass(Duration::from_hours(24 * 7 + 2));
    scene.world.settle();
    assert_eq!(stored(&scene), 0);
    answers(&scene, 200, "{}");
    call(&scene, "GET", "/proxy/tickets/1", Body::Empty).expect(200);
    flush(&scene);
    answers(&scene, 200, "{}");
    call(&scene, "GET", "/proxy/tickets/1", Body::Empty).expect(200);
    let path = format!("/integrated-account/{}", scene.account);
    scene.setting.client.delete(&path).expect(200);
    flush(&scene);
    assert_eq!(stored(&scene), 0);
    assert_eq!(scene.setting.client.get(&scene.path("/log")).status, 404);
}

#[test]
fn the_log_is_a_ring() {
    let scene = open(&json!(null));
    answers(&scene, 200, "{}");
    call(&scene, "GET", "/proxy/tickets/1", Body::Empty).expect(200);
    flush(&scene);
    let fill = "INSERT INTO log (number, status, resource, line) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) SELECT i, 200, NULL, '{}' FROM n";
    scene.world.select(scene.object(), fill);
    scene.world.restart();
    for _ in 0..3 {
        answers(&scene, 200, "{}");
        call(&scene, "GET", "/proxy/tickets/1", Body::Empty).expect(200);
        flush(&scene);
        assert_eq!(stored(&scene), 10_000);
    }
    assert_eq!(
        log(&scene, "?resource=tickets")["result"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
}

#[test]
fn a_refusal_says_which_scopes_are_missing() {
    let scene = open(&json!("tickets:read,users:read"));
    answers(&scene, 403, r#"{"why":"scope"}"#);
    let before = scene.world.writes(scene.object());
    call(&scene, "POST", "/proxy/tickets", Body::Empty).code(403);
    assert_eq!(scene.world.writes(scene.object()), before);
    assert_eq!(account(&scene)["last_forbidden_error"], Value::Null);
    flush(&scene);
    scene.world.restart();
    let reported = account(&scene)["last_forbidden_error"].clone();
    assert_eq!(reported["resource"], "tickets");
    assert_eq!(reported["method"], "create");
    assert_eq!(reported["status"], 403);
    assert_eq!(reported["scopes"], json!(["tickets:read", "tickets:write"]));
    assert_eq!(reported["missing_scopes"], json!(["tickets:write"]));
    assert!(!reported.to_string().contains("why"));
    answers(&scene, 403, "");
    call(&scene, "GET", "/custom/tickets", Body::Empty);
    flush(&scene);
    let still = account(&scene)["last_forbidden_error"].clone();
    assert_eq!(
        still, reported,
        "a path of the caller's own says nothing of it"
    );
    let path = format!("/integrated-account/{}/credentials", scene.account);
    let body = json!({ "context": { "oauth": { "token": { "access_token": "new" } } } });
    let changed = scene.setting.client.send("PATCH", &path, &body).expect(200);
    assert_eq!(changed["last_forbidden_error"], Value::Null);
}

#[test]
fn where_nobody_says_what_was_granted_nothing_is_claimed() {
    let scene = open(&json!(null));
    answers(&scene, 403, "");
    call(&scene, "POST", "/proxy/tickets", Body::Empty).code(403);
    flush(&scene);
    let reported = account(&scene)["last_forbidden_error"].clone();
    assert_eq!(reported["missing_scopes"], Value::Null);
    let found = capabilities(&scene);
    assert_eq!(found["granted_scopes"], Value::Null);
    assert_eq!(
        found["resources"]["tickets"]["methods"]["create"]["is_allowed"],
        Value::Null
    );
    assert_eq!(
        found["resources"]["tickets"]["methods"]["get"]["is_allowed"],
        true
    );
}

fn capabilities(scene: &Scene) -> Value {
    let path = format!("/integrated-account/{}/capabilities", scene.account);
    scene.setting.client.get(&path).expect(200)
}

#[test]
fn an_account_says_what_it_may_do() {
    let scene = open(&json!("tickets:read"));
    let found = capabilities(&scene);
    assert_eq!(found["id"], scene.account.as_str());
    assert_eq!(found["integration"]["name"], "logged");
    assert_eq!(found["granted_scopes"], json!(["tickets:read"]));
    let tickets = &found["resources"]["tickets"];
    assert_eq!(tickets["tool_tags"], json!(["support"]));
    assert_eq!(
        tickets["methods"]["list"],
        json!({ "method": "GET", "path": "/tickets?all=1", "is_write": false, "scopes": ["tickets:read"], "description": "All tickets", "api_documentation_url": null, "missing_scopes": [], "is_allowed": true })
    );
    assert_eq!(tickets["methods"]["create"]["is_allowed"], false);
    assert_eq!(
        tickets["methods"]["create"]["missing_scopes"],
        json!(["tickets:write"])
    );
    let body = json!({ "is_sandbox": true });
    let path = format!("/integrated-account/{}", scene.account);
    scene.setting.client.send("PATCH", &path, &body).expect(200);
    assert_eq!(capabilities(&scene)["is_sandbox"], true);
    let other: Client = scene
        .setting
        .admin
        .token_of(&scene.setting.admin.environment("o"), None);
    let path = format!("{path}/capabilities");
    assert_eq!(other.get(&path).status, 404);
}

#[test]
fn an_integration_says_what_it_can_do_by_name_or_id() {
    let scene = open(&json!(null));
    let id = scene.setting.client.get("/integration/logged").expect(200)["id"].clone();
    each_case(["logged", id.as_str().unwrap()], |key| {
        let path = format!("/integration/{key}/capabilities");
        let found = scene.setting.client.get(&path).expect(200);
        let create = &found["resources"]["tickets"]["methods"]["create"];
        assert_eq!(create["scopes"], json!(["tickets:read", "tickets:write"]));
        assert_eq!(create.get("is_allowed"), None);
        assert_eq!(found["integration"]["category"], "help");
    });
    assert_eq!(
        scene
            .setting
            .client
            .get("/integration/none/capabilities")
            .status,
        404
    );
}
