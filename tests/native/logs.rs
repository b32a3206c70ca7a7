//! The log of calls, what an account may do, and what its provider refused.

use std::time::Duration;

use causeway::ports::{Body, SendError};
use serde_json::{Value, json};

use crate::account::{JSON, Scene};
use crate::client::{Answer, Client};
use crate::outside::Pieces;

fn file() -> Value {
    json!({ "name": "desk", "category": "help", "config": {
        "base_url": "https://api.desk.example/v2",
        "credentials": { "oauth2": { "format": "oauth2", "config": {
            "client": { "id": "i", "secret": "s" },
            "auth": { "authorizeHost": "https://desk.example", "authorizePath": "/a", "tokenHost": "https://desk.example", "tokenPath": "/t" },
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
    let token = json!({ "access_token": "t-secret", "scope": scope });
    Scene::with_token(&[], &file(), &token)
}

fn call(desk: &Scene, method: &str, path: &str, body: Body<Pieces>) -> Answer {
    desk.call(method, path, &[], body)
}

fn answers(desk: &Scene, status: u16, body: &str) {
    desk.world.answers(status, &JSON, body);
}

fn log(desk: &Scene, filters: &str) -> Value {
    desk.get(&format!("/log{filters}")).expect(200)
}

fn account(desk: &Scene) -> Value {
    let path = format!("/integrated-account/{}", desk.account);
    desk.setting.client.get(&path).expect(200)
}

/// The time in which what is gathered is written.
fn flush(desk: &Scene) {
    desk.world.pass(Duration::from_secs(6));
    futures::executor::block_on(desk.world.run(async {}));
}

fn stored(desk: &Scene) -> usize {
    desk.rows("log")
}

#[test]
fn each_call_has_its_line_without_values() {
    let desk = open(&json!(null));
    answers(&desk, 200, "[]");
    let list = call(
        &desk,
        "GET",
        "/proxy/tickets?mail=a%40b.example",
        Body::Empty,
    );
    let id = list.header("x-request-id").unwrap().to_owned();
    answers(&desk, 404, r#"{"why":"secret words"}"#);
    call(&desk, "GET", "/proxy/tickets/4711", Body::Empty);
    answers(&desk, 200, "{}");
    let body = Body::from_bytes(r#"{"a":1}"#);
    call(&desk, "POST", "/custom/people/4711/merge?with=x", body);
    call(&desk, "POST", "/proxy/_/ping", Body::Empty).expect(200);
    let log = log(&desk, "");
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
    let host = "api.desk.example";
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
    let console = desk.world.0.logs.borrow();
    let told: Vec<&Value> = console
        .iter()
        .filter(|line| line["event"] == "call")
        .collect();
    assert_eq!(told.len(), 4);
    assert_eq!(told[0]["integrated_account_id"], desk.account.as_str());
    assert_eq!(told[0]["request_id"], id);
    let all = format!("{log} {told:?}");
    for word in ["4711", "b.example", "secret", "with"] {
        assert!(!all.contains(word), "{word}");
    }
}

#[test]
fn no_word_of_the_callers_is_in_the_log() {
    let desk = open(&json!(null));
    for (method, path, status) in [
        ("POST", "/proxy/tickets/jane@b.example", 405),
        ("GET", "/proxy/jane@b.example", 404),
        ("POST", "/proxy/_/jane@b.example", 404),
        ("GET", "/custom/v2/tickets/jane/merge", 200),
        ("GET", "/custom/users/jane", 200),
    ] {
        if status == 200 {
            answers(&desk, 200, "{}");
        }
        let answer = call(&desk, method, path, Body::Empty);
        assert_eq!(answer.status, status, "{method} {path}");
    }
    let log = log(&desk, "");
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
    let all = format!("{log} {:?}", desk.world.0.logs.borrow());
    assert!(!all.contains("jane"), "{all}");
}

#[test]
fn a_long_path_makes_no_long_line() {
    let desk = open(&json!(null));
    let resource = "x".repeat(15_000);
    call(&desk, "GET", &format!("/proxy/{resource}"), Body::Empty).code(404);
    answers(&desk, 200, "{}");
    let path = "/tickets".repeat(2_000);
    call(&desk, "GET", &format!("/custom{path}"), Body::Empty).expect(200);
    let log = log(&desk, "");
    for line in log["result"].as_array().unwrap() {
        assert!(line.to_string().len() < 1_000, "{line}");
    }
}

#[test]
fn no_line_is_lost_however_many_come_at_once() {
    let desk = open(&json!(null));
    for _ in 0..1_100 {
        call(&desk, "GET", "/proxy/boats", Body::Empty).code(404);
    }
    flush(&desk);
    assert_eq!(stored(&desk), 1_100);
    let console = desk.world.0.logs.borrow();
    let told = console.iter().filter(|line| line["event"] == "call");
    assert_eq!(told.count(), 1_100);
}

#[test]
fn lines_outlive_a_fault_of_storage() {
    for word in ["CREATE TABLE IF NOT EXISTS log", "INSERT INTO log"] {
        let desk = open(&json!(null));
        for _ in 0..2 {
            call(&desk, "GET", "/proxy/boats", Body::Empty).code(404);
        }
        desk.world.storage_refuses(desk.object(), word);
        flush(&desk);
        assert_eq!(stored(&desk), 0, "{word}");
        let faults = desk.world.0.logs.borrow().clone();
        let faults = faults
            .iter()
            .filter(|line| line["event"] == "log_not_written");
        assert_eq!(faults.count(), 1, "{word}");
        call(&desk, "GET", "/proxy/boats", Body::Empty).code(404);
        flush(&desk);
        assert_eq!(stored(&desk), 3, "{word}");
        assert_eq!(log(&desk, "")["result"].as_array().unwrap().len(), 3);
    }
}

#[test]
fn a_walk_that_broke_has_its_code_and_its_refusal_is_noted() {
    let desk = open(&json!("tickets:read"));
    answers(&desk, 200, r#"[{"id":1},{"id":2}]"#);
    answers(&desk, 403, r#"{"why":"secret words"}"#);
    let path = desk.path("/proxy/notes?limit=2");
    let headers = [("x-all-pages", "true")];
    let client = &desk.setting.client;
    let walk = client.request("GET", &path, &headers, Body::Empty);
    assert_eq!(walk.status, 200);
    assert_eq!(walk.text().lines().count(), 3);
    flush(&desk);
    let line = log(&desk, "")["result"][0].clone();
    assert_eq!(
        json!([
            line["status"],
            line["code"],
            line["upstream_status"],
            line["bytes_out"]
        ]),
        json!([200, "provider.rejected", 403, 18])
    );
    let told = account(&desk)["last_forbidden_error"].clone();
    assert_eq!(told["resource"], "notes");
    assert_eq!(told["missing_scopes"], json!(["notes:read"]));
}

#[test]
fn the_time_of_a_walk_goes_to_its_end() {
    let desk = open(&json!(null));
    let client = &desk.setting.client;
    let start = 1_700_000_000_000;
    desk.world.answers_at(start + 1_000, 200, r#"[{"id":1}]"#);
    desk.world.answers_at(start + 3_000, 200, "[]");
    let path = desk.path("/proxy/notes?limit=1");
    let headers = [("x-all-pages", "true")];
    let walk = client.request_async("GET", &path, &headers, Body::Empty);
    futures::executor::block_on(desk.world.run_passing(walk));
    let line = log(&desk, "")["result"][0].clone();
    assert_eq!(
        (&line["duration_ms"], &line["code"]),
        (&json!(3_000), &Value::Null)
    );
}

#[test]
fn what_a_provider_forbids_an_action_is_noted() {
    let desk = open(&json!(null));
    answers(&desk, 403, r#"{"why":"secret words"}"#);
    call(&desk, "POST", "/proxy/_/ask", Body::Empty).code(403);
    flush(&desk);
    let told = account(&desk)["last_forbidden_error"].clone();
    assert_eq!(
        (&told["resource"], &told["method"]),
        (&json!("_"), &json!("ask"))
    );
    assert!(!told.to_string().contains("secret"));
}

#[test]
fn who_called_is_an_id_or_a_kind() {
    let desk = open(&json!(null));
    let path = desk.path("/proxy/tickets/1");
    let body = json!({ "integrated_account_id": desk.account });
    let made = desk.setting.client.post("/integrated-account/token", &body);
    let made = made.expect(201);
    let token = made["integrated_account_token"].as_str().unwrap();
    for client in [&desk.setting.admin, &desk.setting.client.with_token(token)] {
        answers(&desk, 200, "{}");
        client.get(&path).expect(200);
    }
    let log = log(&desk, "");
    assert_eq!(log["result"][0]["caller"], "account_token");
    assert_eq!(log["result"][1]["caller"], "admin_token");
}

#[test]
fn times_and_failures_are_told() {
    let desk = open(&json!(null));
    desk.fails(SendError::Unreachable);
    call(&desk, "POST", "/proxy/tickets", Body::Empty);
    desk.world.answers_at(1_700_000_002_000, 200, "{}");
    let client = &desk.setting.client;
    let path = desk.path("/proxy/tickets/1");
    let call = client.request_async("GET", &path, &[], Body::Empty);
    futures::executor::block_on(desk.world.run_passing(call));
    let log = log(&desk, "");
    let lines = &log["result"];
    assert_eq!(lines[0]["duration_ms"], 2_000);
    assert_eq!(lines[0]["upstream_ms"], 2_000);
    assert_eq!(lines[0]["bytes_out"], 2);
    assert_eq!(lines[1]["code"], "provider.unreachable");
    assert_eq!(lines[1]["upstream_status"], Value::Null);
}

#[test]
fn nothing_is_written_before_the_answer_and_then_within_seconds() {
    let desk = open(&json!(null));
    let before = desk.world.writes(desk.object());
    for _ in 0..150 {
        answers(&desk, 200, "{}");
        call(&desk, "GET", "/proxy/tickets/1", Body::Empty).expect(200);
        assert_eq!(desk.world.writes(desk.object()), before);
    }
    desk.world.pass(Duration::from_secs(1));
    futures::executor::block_on(desk.world.run(async {}));
    assert_eq!(stored(&desk), 150, "a hundred do not wait");
    answers(&desk, 200, "{}");
    call(&desk, "GET", "/proxy/tickets/1", Body::Empty).expect(200);
    desk.world.pass(Duration::from_secs(4));
    futures::executor::block_on(desk.world.run(async {}));
    assert_eq!(stored(&desk), 150);
    flush(&desk);
    assert_eq!(stored(&desk), 151);
    desk.world.restart();
    assert_eq!(
        log(&desk, "?limit=1000")["result"]
            .as_array()
            .unwrap()
            .len(),
        151
    );
}

#[test]
fn a_list_is_narrowed_and_goes_on() {
    let desk = open(&json!(null));
    for status in [200, 404, 200, 500, 404] {
        answers(&desk, status, "{}");
        call(&desk, "GET", "/custom/tickets", Body::Empty);
        desk.world.pass(Duration::from_mins(1));
    }
    answers(&desk, 200, "{}");
    call(&desk, "GET", "/proxy/tickets/1", Body::Empty).expect(200);
    let statuses = |filters: &str| -> Vec<u64> {
        let log = log(&desk, filters);
        let lines = log["result"].as_array().unwrap().iter();
        lines.map(|line| line["status"].as_u64().unwrap()).collect()
    };
    assert_eq!(statuses(""), [200, 404, 500, 200, 404, 200]);
    assert_eq!(statuses("?status=404"), [404, 404]);
    assert_eq!(statuses("?resource=tickets"), [200]);
    assert_eq!(statuses("?resource=boats"), [0; 0]);
    let at = log(&desk, "?status=500")["result"][0]["created_at"].clone();
    let at = at.as_str().unwrap();
    assert_eq!(statuses(&format!("?created_at={at}")), [500]);
    assert_eq!(statuses(&format!("?created_at[gt]={at}")), [200, 404]);
    assert_eq!(statuses(&format!("?created_at[gte]={at}")), [200, 404, 500]);
    assert_eq!(statuses(&format!("?created_at[lt]={at}")), [200, 404, 200]);
    assert_eq!(
        statuses(&format!("?created_at[lte]={at}")),
        [500, 200, 404, 200]
    );
    let first = log(&desk, "?limit=4");
    assert_eq!(first["limit"], 4);
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(
        statuses(&format!("?limit=4&next_cursor={cursor}")),
        [404, 200]
    );
    assert_eq!(log(&desk, "?limit=6")["next_cursor"], Value::Null);
    let get = |path: &str| desk.setting.client.get(path).status;
    assert_eq!(get("/log"), 422);
    assert_eq!(get(&desk.path("/log?status=abc")), 422);
    assert_eq!(get(&desk.path("/log?colour=red")), 400);
    assert_eq!(get(&desk.path("/log?next_cursor=bm9uZQ")), 400);
}

#[test]
fn what_others_try_is_in_nobodys_log() {
    let desk = open(&json!(null));
    let other = desk.setting.admin.environment("other");
    let stranger = desk.setting.admin.token_of(&other, None);
    assert_eq!(stranger.get(&desk.path("/proxy/tickets/1")).status, 404);
    assert_eq!(stranger.get(&desk.path("/log")).status, 404);
    assert_eq!(log(&desk, "")["result"], json!([]));
    let reader = desk
        .setting
        .admin
        .token_of(&desk.setting.environment, Some(&["proxy"]));
    assert_eq!(reader.get(&desk.path("/log")).status, 403);
}

#[test]
fn old_lines_go_by_alarm_and_all_with_the_account() {
    let desk = open(&json!(null));
    answers(&desk, 200, "{}");
    call(&desk, "GET", "/proxy/tickets/1", Body::Empty).expect(200);
    flush(&desk);
    assert_eq!(stored(&desk), 1);
    desk.world.restart();
    desk.world.pass(Duration::from_hours(24 * 7 + 2));
    desk.world.settle();
    assert_eq!(stored(&desk), 0);
    answers(&desk, 200, "{}");
    call(&desk, "GET", "/proxy/tickets/1", Body::Empty).expect(200);
    flush(&desk);
    answers(&desk, 200, "{}");
    call(&desk, "GET", "/proxy/tickets/1", Body::Empty).expect(200);
    let path = format!("/integrated-account/{}", desk.account);
    desk.setting.client.delete(&path).expect(200);
    flush(&desk);
    assert_eq!(stored(&desk), 0);
    assert_eq!(desk.setting.client.get(&desk.path("/log")).status, 404);
}

#[test]
fn the_log_is_a_ring() {
    let desk = open(&json!(null));
    answers(&desk, 200, "{}");
    call(&desk, "GET", "/proxy/tickets/1", Body::Empty).expect(200);
    flush(&desk);
    let fill = "INSERT INTO log (number, status, resource, line) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) SELECT i, 200, NULL, '{}' FROM n";
    desk.world.select(desk.object(), fill);
    desk.world.restart();
    for _ in 0..3 {
        answers(&desk, 200, "{}");
        call(&desk, "GET", "/proxy/tickets/1", Body::Empty).expect(200);
        flush(&desk);
        assert_eq!(stored(&desk), 10_000);
    }
    assert_eq!(
        log(&desk, "?resource=tickets")["result"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
}

#[test]
fn a_refusal_says_which_scopes_are_missing() {
    let desk = open(&json!("tickets:read,users:read"));
    answers(&desk, 403, r#"{"why":"scope"}"#);
    let before = desk.world.writes(desk.object());
    call(&desk, "POST", "/proxy/tickets", Body::Empty).code(403);
    assert_eq!(desk.world.writes(desk.object()), before);
    assert_eq!(account(&desk)["last_forbidden_error"], Value::Null);
    flush(&desk);
    desk.world.restart();
    let told = account(&desk)["last_forbidden_error"].clone();
    assert_eq!(told["resource"], "tickets");
    assert_eq!(told["method"], "create");
    assert_eq!(told["status"], 403);
    assert_eq!(told["scopes"], json!(["tickets:read", "tickets:write"]));
    assert_eq!(told["missing_scopes"], json!(["tickets:write"]));
    assert!(!told.to_string().contains("why"));
    answers(&desk, 403, "");
    call(&desk, "GET", "/custom/tickets", Body::Empty);
    flush(&desk);
    let still = account(&desk)["last_forbidden_error"].clone();
    assert_eq!(still, told, "a path of the caller's own says nothing of it");
    let path = format!("/integrated-account/{}/credentials", desk.account);
    let body = json!({ "context": { "oauth": { "token": { "access_token": "new" } } } });
    let changed = desk.setting.client.send("PATCH", &path, &body).expect(200);
    assert_eq!(changed["last_forbidden_error"], Value::Null);
}

#[test]
fn where_nobody_says_what_was_granted_nothing_is_claimed() {
    let desk = open(&json!(null));
    answers(&desk, 403, "");
    call(&desk, "POST", "/proxy/tickets", Body::Empty).code(403);
    flush(&desk);
    let told = account(&desk)["last_forbidden_error"].clone();
    assert_eq!(told["missing_scopes"], Value::Null);
    let found = capabilities(&desk);
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

fn capabilities(desk: &Scene) -> Value {
    let path = format!("/integrated-account/{}/capabilities", desk.account);
    desk.setting.client.get(&path).expect(200)
}

#[test]
fn an_account_says_what_it_may_do() {
    let desk = open(&json!("tickets:read"));
    let found = capabilities(&desk);
    assert_eq!(found["id"], desk.account.as_str());
    assert_eq!(found["integration"]["name"], "desk");
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
    let path = format!("/integrated-account/{}", desk.account);
    desk.setting.client.send("PATCH", &path, &body).expect(200);
    assert_eq!(capabilities(&desk)["is_sandbox"], true);
    let other: Client = desk
        .setting
        .admin
        .token_of(&desk.setting.admin.environment("o"), None);
    let path = format!("{path}/capabilities");
    assert_eq!(other.get(&path).status, 404);
}

#[test]
fn an_integration_says_what_it_can_do_by_name_or_id() {
    let desk = open(&json!(null));
    let id = desk.setting.client.get("/integration/desk").expect(200)["id"].clone();
    for key in ["desk", id.as_str().unwrap()] {
        let path = format!("/integration/{key}/capabilities");
        let found = desk.setting.client.get(&path).expect(200);
        let create = &found["resources"]["tickets"]["methods"]["create"];
        assert_eq!(create["scopes"], json!(["tickets:read", "tickets:write"]));
        assert_eq!(create.get("is_allowed"), None);
        assert_eq!(found["integration"]["category"], "help");
    }
    assert_eq!(
        desk.setting
            .client
            .get("/integration/none/capabilities")
            .status,
        404
    );
}
