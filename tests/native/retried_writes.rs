//! Retries and limits beside the key of a write and the log: one write however often it is sent, one line that counts
//! it all, and no key kept for what was not done.

use std::time::Duration;

use causeway::ids::AccountId;
use causeway::ports::{Body, ObjectName, System};
use futures::executor::block_on;
use futures::future::join;
use serde_json::{Value, json};

use crate::client::{Answer, Setting};
use crate::outside::{Pieces, Scripted, World, reply};

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

/// A provider whose rate limits come as 429, as 403 with a header field, and as 200 with a word in the body.
fn file() -> Value {
    json!({ "name": "mill", "config": {
        "base_url": "https://api.mill.example",
        "credentials": { "api_key": { "format": "api_key", "config": { "fields": [{ "name": "api_key", "type": "password" }] } } },
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
    } })
}

struct Mill {
    world: World,
    setting: Setting,
    account: String,
}

impl Mill {
    fn open() -> Self {
        Self::with(&[])
    }

    fn with(variables: &[(&str, &str)]) -> Self {
        let world = World::with(variables);
        let setting = Setting::new(&world, &file());
        let account = setting.account("api_key", &json!({ "api_key": "k" }));
        Self {
            world,
            setting,
            account,
        }
    }

    fn path(&self, path: &str) -> String {
        format!("{path}?integrated_account_id={}", self.account)
    }

    /// The answer, the clock going on while the call waits.
    fn call(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let body = match method {
            "GET" => Body::<Pieces>::Empty,
            _ => Body::from_bytes("{}"),
        };
        let path = self.path(path);
        let client = &self.setting.client;
        let call = client.request_async(method, &path, headers, body);
        block_on(self.world.run_passing(call))
    }

    /// The provider's next answer, so long after now.
    fn answers_after(&self, millis: i64, status: u16, body: &str) {
        let at = self.world.now().as_millis() + millis;
        self.world.answers_at(at, status, body);
    }

    fn log(&self) -> Vec<Value> {
        let log = self.setting.admin.get(&self.path("/log")).expect(200);
        log["result"].as_array().unwrap().clone()
    }

    fn kept(&self) -> usize {
        let object = ObjectName::Account(self.account.parse::<AccountId>().unwrap());
        let tables = "SELECT name FROM sqlite_master WHERE name = 'kept_answer'";
        if self.world.rows(object, tables) == 0 {
            return 0;
        }
        self.world.rows(object, "SELECT place FROM kept_answer")
    }

    fn sent(&self) -> usize {
        self.world.sent().len()
    }
}

fn keyed(retries: &'static str) -> [(&'static str, &'static str); 2] {
    [("idempotency-key", "a"), ("x-max-retries", retries)]
}

#[test]
fn a_call_that_is_sent_again_is_one_line_that_counts_it_all() {
    let mill = Mill::open();
    mill.answers_after(1_000, 503, "down");
    mill.answers_after(3_000, 200, "{}");
    assert_eq!(mill.call("GET", "/proxy/sacks/1", &[]).status, 200);
    for _ in 0..3 {
        mill.world.answers(502, &[], "down");
    }
    assert_eq!(mill.call("GET", "/proxy/sacks/1", &[]).status, 502);
    let log = mill.log();
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
    let world = World::new();
    let mut file = file();
    file["config"]["credentials"] = json!({ "oauth2": { "format": "oauth2", "config": {
        "client": { "id": "c", "secret": "s" },
        "auth": { "tokenHost": "https://api.mill.example", "authorizePath": "/a", "tokenPath": "/token" } } } });
    file["config"]["authorization"] = json!({ "format": "bearer" });
    let setting = Setting::new(&world, &file);
    let token = json!({ "access_token": "old", "refresh_token": "r", "expires_at": "2030-01-01T00:00:00.000Z" });
    let account = setting.account("oauth2", &json!({ "oauth": { "token": token } }));
    let elsewhere = [("location", "https://api.mill.example/there")];
    world.answers(307, &elsewhere, "");
    world.answers(503, &[], "");
    world.answers(307, &elsewhere, "");
    world.answers(401, &[], "");
    world.answers(200, &JSON, r#"{"access_token":"new","expires_in":3600}"#);
    world.answers(307, &elsewhere, "");
    world.answers(200, &[], "ok");
    let path = format!("/proxy/sacks/1?integrated_account_id={account}");
    let call = setting.client.request_async("GET", &path, &[], Body::Empty);
    assert_eq!(block_on(world.run_passing(call)).text(), "ok");
    let log = format!("/log?integrated_account_id={account}");
    let log = setting.client.get(&log).expect(200);
    assert_eq!(log["result"][0]["retries"], 2);
}

#[test]
fn a_write_that_is_sent_again_is_one_write_under_its_key() {
    let mill = Mill::open();
    mill.world.answers(503, &[], "down");
    mill.world.answers(200, &JSON, r#"{"data":{"id":7}}"#);
    let (client, path) = (&mill.setting.client, mill.path("/proxy/sacks/7"));
    let headers = keyed("1");
    let call = || client.request_async("PUT", &path, &headers, Body::from_bytes("{}"));
    let (first, meanwhile) = block_on(async {
        let mut first = Box::pin(call());
        assert!(futures::poll!(&mut first).is_pending());
        let meanwhile = call().await;
        (mill.world.run_passing(first).await, meanwhile)
    });
    assert_eq!(meanwhile.code(409), "caller.idempotency_in_progress");
    let again = mill.call("PUT", "/proxy/sacks/7", &headers);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!((first.text(), again.text()), (r#"{"id":7}"#, r#"{"id":7}"#));
    assert_eq!((mill.sent(), mill.kept()), (2, 1));
    let seen: Vec<_> = mill
        .log()
        .iter()
        .map(|line| json!([line["status"], line["retries"], line["replayed"]]))
        .collect();
    assert_eq!(
        json!(seen),
        json!([[200, 0, true], [200, 1, false], [409, 0, false]])
    );
}

#[test]
fn a_write_whose_retries_are_used_up_lets_its_key_go() {
    let mill = Mill::open();
    for _ in 0..2 {
        mill.world.answers(503, &[], "down");
    }
    let call = || mill.call("PUT", "/proxy/sacks/1", &keyed("1"));
    assert_eq!(call().status, 503);
    assert_eq!((mill.sent(), mill.kept()), (2, 0));
    mill.world.answers(200, &JSON, r#"{"data":1}"#);
    assert_eq!(call().expect(200), 1);
}

#[test]
fn a_write_that_got_no_turn_of_its_account_lets_its_key_go_and_is_in_the_log() {
    let mill = Mill::with(&[("ACCOUNT_RATE", "1")]);
    mill.world.answers(200, &[], "ok");
    mill.call("GET", "/custom/x", &[]);
    let hasty = [("idempotency-key", "a"), ("x-timeout-ms", "5000")];
    let refused = mill.call("POST", "/proxy/sacks", &hasty);
    assert_eq!(refused.code(429), "caller.rate_limited");
    assert_eq!((mill.sent(), mill.kept()), (1, 0));
    let line = &mill.log()[0];
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
    mill.world.pass(Duration::from_secs(10));
    mill.world.answers(201, &JSON, r#"{"data":1}"#);
    assert_eq!(mill.call("POST", "/proxy/sacks", &hasty).status, 201);
}

#[test]
fn a_token_that_was_too_fast_reaches_neither_key_nor_log() {
    let mill = Mill::open();
    mill.world.0.token_rate.set(Some(1));
    mill.world.answers(200, &[], "ok");
    mill.call("GET", "/custom/x", &[]);
    let headers = keyed("0");
    let refused = mill.call("POST", "/proxy/sacks", &headers);
    assert_eq!(refused.code(429), "caller.rate_limited");
    assert_eq!((mill.sent(), mill.kept()), (1, 0));
    assert_eq!(mill.log().len(), 1);
    mill.world.pass(Duration::from_secs(10));
    mill.world.answers(201, &JSON, r#"{"data":1}"#);
    assert_eq!(mill.call("POST", "/proxy/sacks", &headers).status, 201);
}

#[test]
fn a_rate_limit_behind_any_status_lets_the_key_go() {
    let mill = Mill::open();
    let used_up = [("content-type", "application/json"), ("x-left", "0")];
    for (path, status, body, answered) in [
        ("/custom/sacks", 403, "{}", 403),
        ("/proxy/sacks", 403, "{}", 429),
        ("/proxy/sacks", 200, r#"{"code":"slow"}"#, 429),
    ] {
        mill.world.answers(status, &used_up, body);
        let answer = mill.call("POST", path, &keyed("0"));
        assert_eq!(answer.status, answered, "{path} {status}");
        assert_eq!((mill.sent(), mill.kept()), (1, 0), "{path} {status}");
    }
    mill.world.pass(Duration::from_secs(6));
    block_on(mill.world.run(async {}));
    let account = format!("/integrated-account/{}", mill.account);
    let account = mill.setting.client.get(&account).expect(200);
    assert_eq!(
        account["last_forbidden_error"],
        Value::Null,
        "nobody forbade it"
    );
}

#[test]
fn a_retry_that_is_put_off_for_too_long_lets_the_key_go() {
    let mill = Mill::open();
    let began = mill.world.now().as_millis();
    let once = [("x-max-retries", "0")];
    let slow = reply(429, &[("x-wait", "1000")], Body::Empty);
    mill.world.scripts(Scripted {
        outcome: Ok(slow),
        not_before: began + 500,
    });
    let limited = [("content-type", "application/json"), ("x-wait", "1")];
    mill.world.answers(200, &limited, r#"{"code":"slow"}"#);
    let (client, write) = (&mill.setting.client, mill.path("/proxy/sacks/1"));
    let (read, headers) = (mill.path("/custom/x"), keyed("1"));
    let both = join(
        client.request_async("GET", &read, &once, Body::Empty),
        client.request_async("PUT", &write, &headers, Body::from_bytes("{}")),
    );
    let (read, write) = block_on(mill.world.run_passing(both));
    assert_eq!(read.status, 429);
    assert_eq!(write.code(429), "provider.rate_limited");
    assert_eq!((mill.sent(), mill.kept()), (2, 0));
    let line = &mill.log()[0];
    assert_eq!(
        (&line["method"], &line["retries"]),
        (&json!("PUT"), &json!(0)),
        "it was not sent again"
    );
}

#[test]
fn what_was_left_of_a_limit_is_not_said_again() {
    let mill = Mill::open();
    let left = [
        ("content-type", "application/json"),
        ("x-ratelimit-limit", "10"),
        ("x-ratelimit-remaining", "9"),
    ];
    mill.world.answers(201, &left, r#"{"data":1}"#);
    let call = || mill.call("POST", "/proxy/sacks", &keyed("0"));
    assert_eq!(call().header("ratelimit-remaining"), Some("9"));
    let again = call();
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.header("ratelimit-remaining"), None);
    assert_eq!(again.header("ratelimit-limit"), None);
}

#[test]
fn a_redirect_that_answered_the_write_counts_also_where_the_page_behind_it_is_put_off() {
    let mill = Mill::open();
    let used_up = [("content-type", "application/json"), ("x-left", "0")];
    for (path, status, body, answered) in [
        ("/custom/sacks", 403, "{}", 403),
        ("/proxy/sacks", 403, "{}", 429),
        ("/proxy/sacks", 200, r#"{"code":"slow"}"#, 429),
    ] {
        let key = format!("{path} {status}");
        let headers = [("idempotency-key", key.as_str())];
        mill.world.answers(303, &[("location", "/sacks/1")], "");
        mill.world.answers(status, &used_up, body);
        assert_eq!(mill.call("POST", path, &headers).status, answered, "{key}");
        mill.world.pass(Duration::from_hours(1));
        let again = mill.call("POST", path, &headers).expect(409);
        assert_eq!(again["code"], "caller.idempotency_not_replayable", "{key}");
        assert_eq!(again["details"]["status"], 303, "{key}");
        assert_eq!(mill.sent(), 2, "{key}");
    }
}
