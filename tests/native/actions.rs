//! Running actions, from the caller's request to what the provider got and what the account kept.

use std::time::Duration;

use causeway::error::{Code, Failure};
use causeway::flows::actions::run_result::run_result;
use causeway::flows::actions::{ActionOutcome, NamedAction, run_action};
use causeway::ids::AccountId;
use causeway::ports::{Body, ObjectName, System, Visibility};
use futures::executor::block_on;
use futures::future::join;
use serde_json::{Value, json};

use crate::cases::each_case;
use crate::client::{Answer, Client, Setting};
use crate::outside::{World, reply};

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

/// A provider whose file has these actions.
fn file(actions: &Value) -> Value {
    json!({
        "name": "with-actions",
        "config": {
            "base_url": "https://{{shop}}.with-actions.example/v1",
            "headers": { "accept": "application/json" },
            "credentials": { "api_key": { "format": "api_key", "config": { "fields": [
                { "name": "shop", "type": "text" }, { "name": "pin", "type": "password" } ] } } },
            "authorization": { "format": "header", "config": { "name": "x-pin", "value": "{{pin}}" } },
            "resources": {
                "lamps": {
                    "list": { "path": "/lamps", "response_path": "data.lamps" },
                    "get": { "path": "/lamps/{{id}}" },
                    "create": { "method": "post", "path": "/lamps" },
                    "dim": { "method": "put", "path": "/lamps/{{id}}/level", "body": { "level": "{{body.level:int}}" }, "body_format": "form" },
                    "check": { "path": "/check", "error_expression": "body.ok = false ? { 'status': 409, 'message': body.why }" },
                },
            },
            "actions": actions,
        },
    })
}

struct Story {
    world: World,
    setting: Setting,
    account: String,
}

impl Story {
    fn new(actions: &Value) -> Self {
        let world = World::new();
        let setting = Setting::new(&world, &file(actions));
        let account = setting.account(
            "api_key",
            &json!({ "shop": "berlin", "pin": "pin-of-the-shop", "note": { "a": 1, "b": 2 } }),
        );
        Self {
            world,
            setting,
            account,
        }
    }

    /// An action of these steps, called `run`.
    fn of(steps: &Value) -> Self {
        Self::new(&json!({ "run": { "steps": steps } }))
    }

    fn path(&self, action: &str) -> String {
        format!("/proxy/_/{action}?integrated_account_id={}", self.account)
    }

    fn call(&self, action: &str, input: &Value) -> Answer {
        self.setting.client.post(&self.path(action), input)
    }

    fn run(&self, input: &Value) -> Answer {
        self.call("run", input)
    }

    fn now_ms(&self) -> i64 {
        self.world.now().as_millis()
    }

    fn gives(&self, body: &str) {
        self.world.answers(200, &JSON, body);
    }

    fn sent(&self) -> Vec<(String, String)> {
        let sent = self.world.sent().into_iter();
        sent.map(|sent| {
            let path = sent
                .url
                .replace("https://berlin.with-actions.example/v1", "");
            let body = String::from_utf8(sent.body).unwrap();
            (format!("{} {path}", sent.method), body)
        })
        .collect()
    }

    fn account(&self) -> Value {
        let path = format!("/integrated-account/{}", self.account);
        self.setting.client.get(&path).expect(200)
    }

    fn context(&self) -> Value {
        self.account()["context"].clone()
    }

    fn patch(&self, body: &Value) -> Answer {
        let path = format!("/integrated-account/{}", self.account);
        self.setting.client.send("PATCH", &path, body)
    }
}

fn line(request: &str, body: &str) -> (String, String) {
    (request.to_owned(), body.to_owned())
}

fn first_context() -> Value {
    json!({ "shop": "berlin", "note": { "a": 1, "b": 2 } })
}

#[test]
fn a_label_is_made_of_what_the_customer_was_asked() {
    let story = Story::of(&json!([
        { "type": "get_context", "config": { "path": "shop" } },
        { "type": "transform", "config": "{ 'label': $uppercase($previous) }" },
        { "type": "update_context", "config": { "expression": "$" } },
    ]));
    let answer = story.call("run", &json!({}));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.expect(200), json!({ "label": "BERLIN" }));
    assert_eq!(story.context()["label"], "BERLIN");
    story.world.restart();
    assert_eq!(story.context()["label"], "BERLIN", "it is stored");
}

#[test]
fn the_callers_input_is_the_first_previous() {
    let story = Story::new(&json!({
        "echo": { "type": "transform", "config": "{ 'root': a, 'previous': $previous, 'shop': $context.shop }" },
        "nothing": { "type": "transform", "config": "$" },
    }));
    assert_eq!(
        story.call("echo", &json!({ "a": [1] })).expect(200),
        json!({ "root": [1], "previous": { "a": [1] }, "shop": "berlin" })
    );
    let empty = story
        .setting
        .client
        .request("POST", &story.path("nothing"), &[], Body::Empty);
    assert_eq!(empty.expect(200), Value::Null, "no body is null");
    let broken =
        story
            .setting
            .client
            .request("POST", &story.path("nothing"), &[], Body::from_bytes("{"));
    assert_eq!(broken.code(400), "caller.malformed");
}

#[test]
fn a_request_has_the_result_before_as_its_body() {
    let story = Story::of(&json!([
        { "type": "request", "config": { "method": "post", "path": "/lamps/{{body.name}}" } },
        { "type": "request", "config": { "method": "post", "path": "/rooms", "body": { "lamp": "{{body.id:int}}", "pin": "{{pin}}" }, "response_path": "data" } },
        { "type": "request", "config": { "method": "put", "path": "/switch", "ignore_body": true } },
        { "type": "request", "config": { "method": "post", "path": "/form", "body_format": "form" } },
    ]));
    story.gives(r#"{"id":7}"#);
    story.gives(r#"{"data":{"room":"r"}}"#);
    story.gives(r#"{"on":"yes"}"#);
    story.world.answers(204, &[], "");
    let sent = story.run(&json!({ "name": "a b" }));
    assert_eq!(sent.expect(200), Value::Null, "an empty answer is null");
    let requests = story.world.0.sent.borrow().clone();
    assert!(
        requests
            .iter()
            .all(|sent| sent.header("x-pin") == Some("pin-of-the-shop")),
        "signed in"
    );
    let types: Vec<_> = requests
        .iter()
        .map(|sent| sent.header("content-type"))
        .collect();
    assert_eq!(
        types,
        [
            Some("application/json"),
            Some("application/json"),
            None,
            Some("application/x-www-form-urlencoded")
        ]
    );
    assert_eq!(
        story.sent(),
        [
            line("POST /lamps/a%20b", r#"{"name":"a b"}"#),
            line("POST /rooms", r#"{"lamp":7,"pin":"pin-of-the-shop"}"#),
            line("PUT /switch", ""),
            line("POST /form", "on=yes"),
        ]
    );
}

#[test]
fn a_method_of_a_resource_is_called_with_what_the_step_says() {
    let story = Story::of(&json!([
        { "type": "request", "config": { "resource": "lamps", "method": "list", "query": { "color": "{{body.color}}", "room": "{{body.room}}", "limit": "1" } } },
        { "type": "transform", "config": "{ 'lamp': $[0].id, 'level': 3 }" },
        { "type": "request", "config": { "resource": "lamps", "method": "dim", "id": "{{body.lamp}}" } },
        { "type": "request", "config": { "resource": "lamps", "method": "create", "body": { "copy_of": "{{body.id:int}}" } } },
        { "type": "request", "config": { "resource": "lamps", "method": "get", "id": "{{context.note.a}}" } },
    ]));
    story.gives(r#"{"data":{"lamps":[{"id":"l/7"},{"id":"l/8"}]}}"#);
    story.gives(r#"{"id":7}"#);
    story.gives("{}");
    story
        .world
        .answers(200, &[("content-type", "text/plain")], "12");
    let result = story.run(&json!({ "color": "red & blue" })).expect(200);
    assert_eq!(result, "12", "text is text");
    assert_eq!(
        story.sent(),
        [
            line("GET /lamps?color=red%20%26%20blue", ""),
            line("PUT /lamps/l%2F7/level", "level=3"),
            line("POST /lamps", r#"{"copy_of":7}"#),
            line("GET /lamps/1", ""),
        ]
    );
}

#[test]
fn the_result_of_a_request_is_its_parsed_answer() {
    let story = Story::new(&json!({
        "list": { "type": "request", "config": { "resource": "lamps", "method": "list" } },
        "get": { "type": "request", "config": { "path": "/x" } },
        "cut": { "type": "request", "config": { "path": "/x", "response_path": "a.0" } },
    }));
    let html = [("content-type", "text/html")];
    let cases = [
        ("list", &JSON[..], r#"{"data":{"lamps":[1]}}"#, json!([1])),
        ("list", &JSON, r#"{"data":{}}"#, json!([])),
        ("list", &JSON, r#"{"data":{"lamps":null}}"#, json!([])),
        ("get", &JSON, "{\"a\": [1.5]}\n", json!({ "a": [1.5] })),
        ("get", &JSON, "", Value::Null),
        ("get", &JSON, "\"t\"", json!("t")),
        ("get", &html, "<p>", json!("<p>")),
        ("get", &[], "[1]", json!([1])),
        ("get", &[], "plain", json!("plain")),
        ("cut", &JSON, r#"{"a":[{"b":2}]}"#, json!({ "b": 2 })),
    ];
    each_case(cases, |(action, headers, body, expected)| {
        story.world.answers(200, headers, body);
        let result = story.call(action, &Value::Null).expect(200);
        assert_eq!(result, expected, "{action} {body}");
    });
    each_case(
        [("get", "<p>"), ("cut", r#"{"a":[]}"#), ("cut", "<p>")],
        |(action, body)| {
            story.world.answers(200, &JSON, body);
            let answer = story.call(action, &Value::Null);
            assert_eq!(answer.code(502), "provider.unexpected_answer", "{action}");
        },
    );
}

#[test]
fn a_step_whose_run_if_is_false_is_left_out() {
    let story = Story::of(&json!([
        { "type": "transform", "config": "'first'", "run_if": "$previous.first" },
        { "type": "transform", "config": "{ 'came': $previous }", "run_if": "$context.note.a = 1" },
        { "type": "request", "config": { "path": "/never" }, "run_if": "$exists($context.nothing)" },
        { "type": "form", "run_if": "false", "config": { "fields": [{ "name": "more", "type": "text" }] } },
    ]));
    assert_eq!(
        story.run(&json!({ "first": true })).expect(200),
        json!({ "came": "first" })
    );
    assert_eq!(
        story.run(&json!({ "first": 0 })).expect(200),
        json!({ "came": { "first": 0 } })
    );
}

#[test]
fn set_context_replaces_keys_and_update_context_merges() {
    let story = Story::new(&json!({
        "set": { "type": "set_context", "config": { "note": { "c": "{{body.c:int}}" } } },
        "update": { "type": "update_context", "config": "{ 'note': { 'a': null, 'd': $context.note.c } }" },
        "remove": { "type": "set_context", "config": "{ 'note': null }" },
        "nothing": { "type": "update_context", "config": "$exists($context.no) ? { 'a': 1 }" },
        "wrong": { "type": "update_context", "config": "[1]" },
    }));
    assert_eq!(
        story.call("set", &json!({ "c": 3 })).expect(200),
        json!({ "c": 3 }),
        "what came in is handed on"
    );
    assert_eq!(story.context()["note"], json!({ "c": 3 }));
    story.call("update", &Value::Null).expect(200);
    assert_eq!(story.context()["note"], json!({ "c": 3, "d": 3 }));
    story.call("remove", &Value::Null).expect(200);
    assert_eq!(story.context(), json!({ "shop": "berlin" }));
    let id: AccountId = story.account.parse().unwrap();
    let writes = story.world.writes(ObjectName::Account(id));
    story.call("nothing", &Value::Null).expect(200);
    assert_eq!(story.world.writes(ObjectName::Account(id)), writes);
    assert_eq!(
        story.call("wrong", &Value::Null).code(500),
        "integration.expression_failed"
    );
}

#[test]
fn later_steps_see_the_context_as_it_was_left() {
    let story = Story::of(&json!([
        { "type": "update_context", "config": { "room": "{{body.room}}", "token": "{{body.token}}" } },
        { "type": "request", "config": { "path": "/{{room}}", "headers": { "x-token": "{{token}}" } } },
        { "type": "transform", "config": "$context.room" },
    ]));
    story.gives("{}");
    let input = json!({ "room": "attic", "token": "a-new-secret" });
    assert_eq!(story.run(&input).expect(200), "attic");
    let sent = story.world.sent().remove(0);
    assert!(sent.url.ends_with("/attic"), "{}", sent.url);
    assert_eq!(sent.header("x-token"), Some("a-new-secret"));
    assert!(!story.world.at_rest().contains("a-new-secret"), "sealed");
}

#[test]
fn a_failure_in_the_middle_stores_nothing() {
    let story = Story::of(&json!([
        { "type": "update_context", "config": { "step": "one" } },
        { "type": "request", "config": { "resource": "lamps", "method": "check" } },
        { "type": "update_context", "config": { "step": "two" } },
    ]));
    story.gives(r#"{"ok":false,"why":"dark"}"#);
    let failed = story.run(&Value::Null).expect(409);
    assert_eq!(
        (
            failed["message"].as_str(),
            failed["is_remote_error"].as_bool()
        ),
        (Some("dark"), Some(true))
    );
    assert_eq!(
        failed["details"],
        json!({ "at": "config.actions.run.steps[1]", "steps": 1 })
    );
    story.world.answers(500, &JSON, r#"{"down":true}"#);
    let failed = story.run(&Value::Null).expect(500);
    assert_eq!(failed["raw_response"], json!({ "down": true }));
    assert_eq!(story.context(), first_context());
    story.gives("{}");
    story.run(&Value::Null).expect(200);
    assert_eq!(story.context()["step"], "two");
}

#[test]
fn a_patch_while_an_action_runs_is_not_lost() {
    let story = Story::of(&json!([
        { "type": "request", "config": { "path": "/slow" } },
        { "type": "set_context", "config": { "note": { "a": 9 }, "found": "{{body.id}}" } },
    ]));
    let ready = story.now_ms() + 5_000;
    story
        .world
        .answers_with_at(ready, reply(200, &JSON, Body::from_bytes(r#"{"id":"x"}"#)));
    let client = &story.setting.client;
    let path = story.path("run");
    let action = client.request_async("POST", &path, &[], Body::Empty);
    let theirs = async {
        let account = format!("/integrated-account/{}", story.account);
        let body = json!({ "tenant_id": "theirs", "context": { "note": { "c": 3 }, "own": true } });
        let patched = client
            .request_async("PATCH", &account, &JSON, Body::from_bytes(body.to_string()))
            .await;
        assert_eq!(patched.status, 200);
        story.world.pass(Duration::from_secs(6));
    };
    let (ran, ()) = block_on(join(action, theirs));
    assert_eq!(ran.expect(200), json!({ "id": "x" }));
    let account = story.account();
    assert_eq!(
        account["context"],
        json!({ "shop": "berlin", "note": { "a": 9, "c": 3 }, "own": true, "found": "x" })
    );
    assert_eq!(account["tenant_id"], "theirs");
}

#[test]
fn what_came_from_the_old_host_is_not_kept_for_a_new_one() {
    let story = Story::of(&json!([
        { "type": "request", "config": { "path": "/slow" } },
        { "type": "set_context", "config": { "secret": "{{body.secret}}" } },
    ]));
    let ready = story.now_ms() + 5_000;
    story.world.answers_with_at(
        ready,
        reply(200, &JSON, Body::from_bytes(r#"{"secret":"of-berlin"}"#)),
    );
    let client = &story.setting.client;
    let path = story.path("run");
    let action = client.request_async("POST", &path, &[], Body::Empty);
    let reconnect = async {
        let path = format!("/integrated-account/{}/credentials", story.account);
        let body = json!({ "context": { "shop": "rome", "pin": "pin-of-rome" } });
        let changed = client
            .request_async("PATCH", &path, &JSON, Body::from_bytes(body.to_string()))
            .await;
        assert_eq!(changed.status, 200);
        story.world.pass(Duration::from_secs(6));
    };
    let (ran, ()) = block_on(join(action, reconnect));
    assert_eq!(ran.code(503), "internal.busy");
    assert_eq!(story.context()["shop"], "rome");
}

#[test]
fn an_action_leads_no_secret_to_another_host() {
    let story = Story::new(&json!({
        "move": { "type": "update_context", "config": { "shop": "evil" } },
        "drop": { "type": "set_context", "config": "{ 'shop': null }" },
        "same": { "type": "update_context", "config": { "shop": "berlin", "seen": "yes" } },
    }));
    each_case(["move", "drop"], |action| {
        let refused = story.call(action, &Value::Null).expect(422);
        assert_eq!(refused["code"], "caller.host_key");
        assert_eq!(refused["details"]["failures"][0]["path"], "context.shop");
    });
    story.call("same", &Value::Null).expect(200);
    assert_eq!(
        story.context(),
        json!({ "shop": "berlin", "note": { "a": 1, "b": 2 }, "seen": "yes" })
    );
}

#[test]
fn tokens_are_not_an_actions_to_change() {
    let cases = [
        json!("{ 'oauth': { 'token': { 'access_token': 'x' } } }"),
        json!("{ 'oauth': null }"),
    ];
    each_case(cases, |config| {
        each_case(["set_context", "update_context"], |kind| {
            let story = Story::of(&json!([{ "type": kind, "config": config }]));
            story
                .patch(&json!({ "context": { "oauth": { "token": { "access_token": "t" }, "state": "s" } } }))
                .expect(200);
            assert_eq!(story.run(&Value::Null).code(500), "integration.invalid");
        });
    });
    let story = Story::of(
        &json!([{ "type": "update_context", "config": "{ 'oauth': { 'state': 's' } }" }]),
    );
    story.run(&Value::Null).expect(200);
    assert_eq!(story.context()["oauth"], json!({ "state": "s" }));
}

#[test]
fn secrets_are_for_requests_only() {
    let story = Story::new(&json!({
        "context": { "type": "get_context" },
        "path": { "type": "get_context", "config": { "path": "pin" } },
        "computed": { "type": "transform", "config": "[$context.pin, $string($context)]" },
        "copied": { "type": "update_context", "config": { "label": "{{pin}}" } },
        "variables": { "type": "update_context", "config": { "label": "{{environment_variables.clear}} {{environment_variables.hidden?:-}}" } },
        "echo": { "type": "request", "config": { "path": "/echo" } },
        "hook": { "steps": [
            { "type": "request", "config": { "path": "/hooks" } },
            { "type": "set_context", "config": "{ 'webhook_secret': $previous.secret }" },
        ] },
    }));
    let install = format!("/environment-integration/{}", story.setting.install);
    let variables = json!({ "override": { "environment_variables": { "clear": "c" }, "secret_environment_variables": { "hidden": "h" } } });
    story
        .setting
        .client
        .send("PATCH", &install, &variables)
        .expect(200);
    assert_eq!(
        story.call("context", &Value::Null).expect(200),
        first_context()
    );
    assert_eq!(story.call("path", &Value::Null).expect(200), Value::Null);
    let computed = story.call("computed", &Value::Null);
    assert!(
        !computed.text().contains("pin-of-the-shop"),
        "{}",
        computed.text()
    );
    assert_eq!(
        story.call("copied", &Value::Null).code(422),
        "account.context_value"
    );
    story.call("variables", &Value::Null).expect(200);
    assert_eq!(story.context()["label"], "c -");
    story.gives(r#"{"you":["sent pin-of-the-shop to us",1]}"#);
    assert_eq!(
        story.call("echo", &Value::Null).expect(200),
        json!({ "you": ["[redacted]", 1] }),
        "a provider may repeat it"
    );
    story.gives(r#"{"secret":"whsec_1234","id":4}"#);
    assert_eq!(
        story.call("hook", &Value::Null).expect(200),
        json!({ "secret": "[redacted]", "id": 4 })
    );
    assert!(!story.world.at_rest().contains("whsec_1234"));
    assert_eq!(story.context().get("webhook_secret"), None);
}

#[test]
fn only_own_actions_of_a_ready_account_are_called() {
    let story = Story::new(&json!({
        "post_install": { "type": "transform", "config": "1" },
        "validation": { "type": "transform", "config": "1" },
        "refresh_token": { "type": "transform", "config": "1" },
        "post_connect_user_form": { "type": "form", "config": { "fields": [] } },
        "mine": { "type": "transform", "config": "1" },
    }));
    let cases = [
        "post_install",
        "validation",
        "refresh_token",
        "post_connect_user_form",
        "unknown",
    ];
    each_case(cases, |name| {
        assert_eq!(
            story.call(name, &Value::Null).code(404),
            "caller.not_found",
            "{name}"
        );
    });
    let client = &story.setting.client;
    assert_eq!(
        client.get(&story.path("mine")).code(405),
        "caller.method_not_allowed"
    );
    let other = story.setting.admin.environment("other");
    let stranger = story.setting.admin.token_of(&other, None);
    assert_eq!(
        stranger.post(&story.path("mine"), &json!({})).code(404),
        "caller.not_found"
    );
    assert_eq!(
        own_token(&story)
            .post("/proxy/_/mine", &json!({}))
            .expect(200),
        1
    );
    let install = format!("/environment-integration/{}", story.setting.install);
    client
        .send("PATCH", &install, &json!({ "is_enabled": false }))
        .expect(200);
    assert_eq!(
        story.call("mine", &Value::Null).code(409),
        "account.install_disabled"
    );
}

fn own_token(story: &Story) -> Client {
    let body = json!({ "integrated_account_id": story.account });
    let made = story
        .setting
        .client
        .post("/integrated-account/token", &body)
        .expect(201);
    story
        .setting
        .client
        .with_token(made["integrated_account_token"].as_str().unwrap())
}

#[test]
fn a_sandbox_account_runs_only_what_cannot_write() {
    let story = Story::new(&json!({
        "inline": { "steps": [{ "type": "request", "config": { "path": "/x" } }, { "type": "request", "run_if": "false", "config": { "method": "post", "path": "/x" } }] },
        "called": { "type": "request", "config": { "resource": "lamps", "method": "create" } },
        "reads": { "steps": [{ "type": "request", "config": { "resource": "lamps", "method": "list" } }, { "type": "request", "config": { "method": "HEAD", "path": "/x" } }] },
    }));
    story.patch(&json!({ "is_sandbox": true })).expect(200);
    each_case(["inline", "called"], |action| {
        assert_eq!(
            story.call(action, &Value::Null).code(405),
            "caller.method_not_allowed"
        );
    });
    assert!(story.world.sent().is_empty());
    story.gives("{\"data\":{}}");
    story.world.answers(200, &[], "");
    story.call("reads", &Value::Null).expect(200);
}

#[test]
fn forms_are_for_a_later_version() {
    let form =
        json!({ "type": "form", "config": { "fields": [{ "name": "more", "type": "text" }] } });
    let story = Story::of(&json!([{ "type": "request", "config": { "path": "/x" } }, form]));
    assert_eq!(story.run(&Value::Null).code(501), "integration.unsupported");
    assert!(
        story.world.sent().is_empty(),
        "nothing is begun that cannot be ended"
    );
}

#[test]
fn steps_size_and_time_are_limited() {
    let steps = |count: usize| json!(vec![json!({ "type": "transform", "config": "1" }); count]);
    assert_eq!(Story::of(&steps(50)).run(&Value::Null).expect(200), 1);
    let failed = Story::of(&steps(51)).run(&Value::Null).expect(501);
    assert_eq!(
        failed["details"],
        json!({ "at": "config.actions.run.steps[50]", "steps": 50 })
    );
    let story = Story::of(
        &json!([{ "type": "update_context", "config": "{ 'big': $pad('', big, 'x') }" }]),
    );
    story.run(&json!({ "big": 1_000 })).expect(200);
    assert_eq!(
        story.run(&json!({ "big": 300_000 })).code(422),
        "caller.invalid"
    );
    let story = Story::of(&json!([{ "type": "set_context", "config": "{ 'deep': $ }" }]));
    let nested = |levels| (0..levels).fold(json!(1), |inner, _| json!({ "d": inner }));
    story.run(&nested(63)).expect(200);
    story.world.restart();
    story.run(&json!({})).expect(200);
    assert_eq!(story.run(&nested(64)).code(422), "caller.invalid");
    assert_eq!(story.run(&nested(65)).code(400), "caller.malformed");
}

#[test]
fn the_time_of_an_action_is_that_of_all_its_steps() {
    let story = Story::of(&json!([
        { "type": "request", "config": { "path": "/one" } },
        { "type": "request", "config": { "path": "/two" } },
    ]));
    for wait in [20_000, 40_000] {
        story.world.answers_with_at(
            story.now_ms() + wait,
            reply(200, &JSON, Body::from_bytes("{}")),
        );
    }
    let path = story.path("run");
    let action = story
        .setting
        .client
        .request_async("POST", &path, &[], Body::Empty);
    let clock = async {
        for _ in 0..6 {
            story.world.pass(Duration::from_secs(5));
            futures::pending!();
        }
    };
    let (ran, ()) = block_on(join(action, clock));
    let failed = ran.expect(504);
    assert_eq!(failed["details"]["steps"], 1);
    assert_eq!(story.sent().len(), 2);
}

/// Runs an action as a lifecycle does: from inside, storing nothing.
fn run_inside(story: &Story, name: &str) -> Result<ActionOutcome, Failure> {
    let id: AccountId = story.account.parse().unwrap();
    let object = story.world.account(id);
    let calls = object.calls();
    block_on(async {
        let loaded = calls.visible(&Visibility::All).await.unwrap();
        let effective = calls.resolved_config(&loaded.account).await.unwrap();
        let action = NamedAction::find(&effective.compiled.config, name).unwrap();
        let deadline = story.world.now().plus(Duration::from_secs(30));
        run_action(
            &**calls,
            &loaded,
            &effective,
            action,
            Value::Null.into(),
            deadline,
        )
        .await
    })
}

#[test]
fn the_actions_of_the_lifecycle_may_change_more() {
    let mut story = Story::new(&json!({
        "post_install": { "steps": [
            { "type": "update_context", "config": { "shop": "rome" } },
            { "type": "request", "config": { "path": "/me" } },
            { "type": "update_context", "config": "{ 'owner': $previous.id, 'shop': again ? 'paris' : 'rome' }" },
        ] },
        "refresh_token": { "steps": [
            { "type": "transform", "config": "{ 'access_token': 'new' }" },
            { "type": "update_context", "config": "{ 'oauth': { 'token': $previous } }" },
        ] },
    }));
    assert_eq!(
        run_inside(&story, "post_install").unwrap_err().code,
        Code::HostKey,
        "the account has its host"
    );
    let context = json!({ "pin": "p", "oauth": { "token": { "access_token": "old", "refresh_token": "r" } } });
    story.account = story.setting.account("api_key", &context);
    story.gives(r#"{"id":7}"#);
    let outcome = run_inside(&story, "post_install").unwrap();
    let changed = outcome.context.as_ref().unwrap();
    assert_eq!(
        (&changed["shop"], &changed["owner"], &changed["pin"]),
        (&json!("rome"), &json!(7), &json!("p"))
    );
    assert_eq!(outcome.steps, 3);
    assert_eq!(
        story.world.sent()[0].url,
        "https://rome.with-actions.example/v1/me"
    );
    assert_eq!(story.context().get("shop"), None, "nothing is stored");
    story.gives(r#"{"again":true}"#);
    let failed = run_inside(&story, "post_install");
    assert_eq!(failed.as_ref().unwrap_err().code, Code::HostKey, "once");
    let reported = run_result("post_install", &failed, story.world.now());
    assert_eq!(
        (
            &reported["success"],
            &reported["steps"],
            &reported["error"]["code"]
        ),
        (&json!(false), &json!(2), &json!("caller.host_key"))
    );
    let outcome = run_inside(&story, "refresh_token").unwrap();
    assert_eq!(
        outcome.context.unwrap()["oauth"]["token"],
        json!({ "access_token": "new", "refresh_token": "r" })
    );
}

#[test]
fn nothing_of_a_running_action_is_written_back_to_an_erased_account() {
    let story = Story::of(&json!([
        { "type": "request", "config": { "path": "/slow" } },
        { "type": "update_context", "config": { "found": "{{body.id}}" } },
    ]));
    story.world.answers_with_at(
        story.now_ms() + 5_000,
        reply(200, &JSON, Body::from_bytes(r#"{"id":"left-behind"}"#)),
    );
    let client = &story.setting.client;
    let path = story.path("run");
    let action = client.request_async("POST", &path, &[], Body::Empty);
    let erase = async {
        let account = format!("/integrated-account/{}", story.account);
        let erased = client
            .request_async("DELETE", &account, &[], Body::Empty)
            .await;
        assert_eq!(erased.status, 200);
        story.world.pass(Duration::from_secs(6));
    };
    let (ran, ()) = block_on(join(action, erase));
    assert_eq!(ran.code(404), "caller.not_found");
    assert!(!story.world.at_rest().contains("left-behind"));
}
