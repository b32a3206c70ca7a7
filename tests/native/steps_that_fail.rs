//! Steps that may fail: `optional`, `ok_when` and `any_of`.

use causeway::config::read;
use causeway::ports::{Body, SendError};
use serde_json::{Value, json};

use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::client::Answer;
use crate::outside::{World, reply};

fn file(actions: &Value) -> Value {
    json!({
        "name": "with-steps",
        "config": {
            "base_url": "https://with-steps.example",
            "credentials": { "api_key": { "format": "api_key", "config": { "fields": [
                { "name": "api_key", "type": "password" }, { "name": "team", "type": "text" } ] } } },
            "authorization": { "format": "header", "config": { "name": "x-key", "value": "{{api_key}}" } },
            "resources": { "items": { "get": { "path": "/items/{{id}}" }, "create": { "method": "post", "path": "/items" } } },
            "actions": actions,
        },
    })
}

/// A provider that answers `/{status}` with this status and `{"path": …}`, and `/no` with `{"ok": false}`.
fn scene(actions: &Value) -> Scene {
    let world = World::new();
    world.provides(|sent| {
        let path = sent.url.rsplit('/').next().unwrap_or_default().to_owned();
        let body = match path.as_str() {
            "no" => json!({ "ok": false, "why": "nothing here", "key": sent.header("x-key") }),
            path => json!({ "ok": true, "path": path }),
        };
        let headers = [JSON[0], ("x-from", path.as_str())];
        let status = path.parse().unwrap_or(200);
        reply(status, &headers, Body::from_bytes(body.to_string()))
    });
    let context = json!({ "api_key": "the-key-of-the-account", "team": "north" });
    Scene::new(world, &file(actions), "api_key", &context)
}

fn of(steps: &Value) -> Scene {
    scene(&json!({ "run": { "steps": steps } }))
}

fn get(path: &str) -> Value {
    json!({ "type": "request", "config": { "path": path } })
}

fn with(step: &Value, more: &Value) -> Value {
    let mut step = step.clone();
    causeway::json::merge(&mut step, more);
    step
}

fn run(scene: &Scene) -> Answer {
    scene.call_passing("POST", "/proxy/_/run", &[], Body::from_bytes("{}"))
}

fn paths(scene: &Scene) -> Vec<String> {
    let sent = scene.world.sent().into_iter();
    sent.map(|sent| sent.url.replace("https://with-steps.example", ""))
        .collect()
}

fn optional(step: &Value) -> Value {
    with(step, &json!({ "optional": true }))
}

fn transform(expression: &str) -> Value {
    json!({ "type": "transform", "config": expression })
}

#[test]
fn a_failure_of_an_optional_step_gives_null() {
    let seen = transform("{ \"previous\": $previous, \"from\": $headers.\"x-from\" }");
    let cases = [
        (
            "/200",
            json!({ "previous": { "ok": true, "path": "200" }, "from": "200" }),
        ),
        ("/404", json!({ "previous": null })),
        ("/401", json!({ "previous": null })),
        ("/503", json!({ "previous": null })),
        ("/429", json!({ "previous": null })),
    ];
    each_case(cases, |(path, expected)| {
        let scene = of(&json!([get("/first"), optional(&get(path)), seen]));
        assert_eq!(run(&scene).expect(200), expected);
    });
}

#[test]
fn a_provider_that_is_not_there_is_a_failure_of_the_step_too() {
    let scene = of(&json!([optional(&get("/any")), transform("\"went on\"")]));
    for _ in 0..10 {
        scene.world.fails(SendError::Unreachable);
    }
    assert_eq!(run(&scene).expect(200), "went on");
}

/// What the file or the account lacks is not the provider's failure.
#[test]
fn a_fault_of_the_file_ends_the_action_all_the_same() {
    let scene = of(&json!([optional(&get("/{{missing}}")), transform("1")]));
    assert_eq!(run(&scene).code(422), "account.context_value");
    let failing = with(&get("/200"), &json!({ "ok_when": "$error(\"no\")" }));
    let scene = of(&json!([optional(&failing)]));
    assert_eq!(run(&scene).code(500), "integration.expression_failed");
}

#[test]
fn an_answer_that_does_not_meet_ok_when_is_an_error() {
    let asked = with(&get("/no"), &json!({ "ok_when": "ok" }));
    let refused = run(&of(&json!([asked])));
    let raw = &refused.json()["raw_response"];
    assert_eq!(raw["why"], "nothing here");
    assert!(!refused.text().contains("the-key-of-the-account"));
    let details = refused.json()["details"].clone();
    assert_eq!(
        details,
        json!({ "at": "config.actions.run.steps[0]", "steps": 0 })
    );
    assert_eq!(refused.code(502), "provider.error_in_body");
    let cases = [
        ("ok", 200),
        ("$previous.path = \"a\"", 200),
        ("$headers.\"x-from\" = \"a\"", 200),
        ("path = \"b\"", 502),
        ("missing", 502),
        ("$context.team = \"north\"", 200),
        ("$exists($context.api_key)", 502),
    ];
    each_case(cases, |(condition, status)| {
        let step = with(&get("/a"), &json!({ "ok_when": condition }));
        let answer = run(&of(&json!([step])));
        assert_eq!(answer.status, status, "{}", answer.text());
    });
    let method = json!({ "type": "request", "config": { "resource": "items", "method": "get", "id": "no" }, "ok_when": "ok" });
    let answer = run(&of(&json!([
        optional(&method),
        transform("{ \"is_null\": $previous = null }")
    ])));
    assert_eq!(answer.expect(200), json!({ "is_null": true }));
}

#[test]
fn the_first_answer_of_any_of_is_the_result() {
    let asked = |path: &str| with(&get(path), &json!({ "ok_when": "ok" }));
    let no = json!({ "run_if": "false" });
    let cases = [
        (
            json!([get("/a"), get("/b")]),
            json!({ "ok": true, "path": "a" }),
            vec!["/a"],
        ),
        (
            json!([get("/404"), get("/b")]),
            json!({ "ok": true, "path": "b" }),
            vec!["/404", "/b"],
        ),
        (
            json!([asked("/no"), asked("/b")]),
            json!({ "ok": true, "path": "b" }),
            vec!["/no", "/b"],
        ),
        (
            json!([with(&get("/a"), &no), get("/b")]),
            json!({ "ok": true, "path": "b" }),
            vec!["/b"],
        ),
        (json!([with(&get("/a"), &no)]), json!("before"), vec![]),
    ];
    each_case(cases, |(steps, expected, sent)| {
        let scene = of(&json!([transform("\"before\""), { "any_of": steps }]));
        scene.world.sent();
        assert_eq!(run(&scene).expect(200), expected);
        assert_eq!(paths(&scene), sent);
    });
}

#[test]
fn where_all_fail_the_last_one_says_why_and_optional_gives_null() {
    let any = json!({ "any_of": [get("/404"), with(&get("/no"), &json!({ "ok_when": "ok" }))] });
    let refused = run(&of(&json!([get("/a"), any])));
    let details = refused.json()["details"].clone();
    assert_eq!(
        details,
        json!({ "at": "config.actions.run.steps[1]", "steps": 2 })
    );
    assert!(!refused.text().contains("the-key-of-the-account"));
    assert_eq!(refused.code(502), "provider.error_in_body");
    let scene = of(&json!([optional(&any), transform("$previous = null")]));
    assert_eq!(run(&scene).expect(200), true);
    // A bare action can be one, too.
    let scene = scene_of_bare(&any);
    assert_eq!(run(&scene).code(502), "provider.error_in_body");
}

fn scene_of_bare(step: &Value) -> Scene {
    scene(&json!({ "run": step }))
}

#[test]
fn what_an_action_survives_is_logged_without_the_providers_words() {
    let scene = of(&json!([{ "any_of": [get("/no/404"), get("/b")] }, optional(&get("/503"))]));
    run(&scene).expect(200);
    let logged = scene.world.0.logs.borrow().clone();
    let lines: Vec<&Value> = logged
        .iter()
        .filter(|line| line["event"] == "action_step_passed_over")
        .collect();
    let said: Vec<_> = lines
        .iter()
        .map(|line| (&line["at"], &line["code"], &line["status"]))
        .collect();
    let (rejected, failed) = (json!("provider.rejected"), json!("provider.failed"));
    let at = [
        "config.actions.run.steps[0].any_of[0]",
        "config.actions.run.steps[1]",
    ]
    .map(|at| json!(at));
    assert_eq!(
        said,
        [
            (&at[0], &rejected, &json!(404)),
            (&at[1], &failed, &json!(503))
        ]
    );
}

/// Each request counts, so that a step cannot hide more than an action may send.
#[test]
fn each_alternative_counts_as_a_step() {
    let many = |count: usize| {
        let mut steps = vec![get("/404"); count - 1];
        steps.push(get("/last"));
        of(&json!([{ "any_of": steps }]))
    };
    assert_eq!(run(&many(50)).expect(200)["path"], "last");
    assert_eq!(run(&many(51)).code(501), "integration.unsupported");
}

#[test]
fn a_write_that_was_made_is_said_where_a_later_step_fails() {
    let made = json!({ "type": "request", "config": { "resource": "items", "method": "create", "body": {} }, "ok_when": "path = \"none\"", "optional": true });
    let refused = run(&of(&json!([made, get("/404")])));
    assert_eq!(
        refused.json()["details"]["write"],
        "done",
        "{}",
        refused.text()
    );
    let rejected = json!({ "type": "request", "config": { "method": "post", "path": "/422" }, "optional": true });
    let refused = run(&of(&json!([rejected, get("/404")])));
    assert!(
        refused.json()["details"].get("write").is_none(),
        "{}",
        refused.text()
    );
}

#[test]
fn custom_tokens_have_them_too() {
    let login =
        |path: &str| json!({ "type": "request", "config": { "path": path }, "ok_when": "ok" });
    let mut own = file(&json!({}));
    own["config"]["credentials"] = json!({ "custom_token": { "config": {
        "fields": [{ "name": "api_key", "type": "password" }],
        "steps": [{ "any_of": [login("/no"), login("/token")] }],
        "token": { "access_token": "path" },
    } } });
    own["config"]["authorization"] =
        json!({ "format": "header", "config": { "name": "x-key", "value": "{{access_token}}" } });
    let scene = scene(&json!({}));
    let import = |steps: &Value| {
        let mut changed = own.clone();
        changed["config"]["credentials"]["custom_token"]["config"]["steps"] = steps.clone();
        let put = scene
            .setting
            .admin
            .send("PUT", "/integration/with-steps", &changed);
        assert_eq!(put.status, 200, "{}", put.text());
        scene.world.pass(std::time::Duration::from_mins(3));
        let body = json!({ "tenant_id": "t", "environment_integration_id": scene.setting.install,
            "authentication_method": "custom_token", "context": { "api_key": "the-key-of-the-account" } });
        scene.setting.client.post("/integrated-account", &body)
    };
    scene.world.sent();
    import(&json!([{ "any_of": [login("/no"), login("/token")] }])).expect(201);
    assert_eq!(paths(&scene), ["/no", "/token"]);
    // An answer that `ok_when` does not accept is a refusal of the customer's values.
    let refused = import(&json!([login("/no")]));
    assert_eq!(refused.code(422), "account.connection_error");
    let nothing = import(&json!([optional(&login("/no"))]));
    assert_eq!(nothing.code(422), "account.connection_error");
}

#[test]
fn what_cannot_fail_has_no_such_key() {
    let cases = [
        (
            optional(&transform("1")),
            "config.actions.run.steps[0].optional",
        ),
        (
            with(&transform("1"), &json!({ "ok_when": "true" })),
            "config.actions.run.steps[0].ok_when",
        ),
        (
            json!({ "any_of": [get("/a")], "ok_when": "ok" }),
            "config.actions.run.steps[0].ok_when",
        ),
        (
            json!({ "any_of": [] }),
            "config.actions.run.steps[0].any_of",
        ),
        (
            json!({ "any_of": [transform("1")] }),
            "config.actions.run.steps[0].any_of[0]",
        ),
        (
            json!({ "any_of": [{ "any_of": [get("/a")] }] }),
            "config.actions.run.steps[0].any_of[0]",
        ),
        (
            json!({ "any_of": [optional(&get("/a"))] }),
            "config.actions.run.steps[0].any_of[0].optional",
        ),
        (
            json!({ "any_of": [get("/a"), { "type": "request", "config": { "resource": "none", "method": "get" } }] }),
            "config.actions.run.steps[0].any_of[1].config.resource",
        ),
        (
            with(&get("/a"), &json!({ "any_of": [get("/b")] })),
            "config.actions.run.steps[0]",
        ),
        (
            with(&get("/a"), &json!({ "optional": "yes" })),
            "config.actions.run.steps[0].optional",
        ),
        (
            with(&get("/a"), &json!({ "ok_when": "(" })),
            "config.actions.run.steps[0].ok_when",
        ),
    ];
    each_case(cases, |(step, place)| {
        let found = read(&file(&json!({ "run": { "steps": [step] } })));
        let paths: Vec<_> = found.findings.iter().map(|one| one.path.as_str()).collect();
        assert!(
            found.integration.is_none() && paths.contains(&place),
            "{:?}",
            found.findings
        );
    });
    let fine = json!([{ "any_of": [get("/a"), get("/b")], "optional": true, "run_if": "true" }]);
    assert_eq!(
        read(&file(&json!({ "run": { "steps": fine } }))).findings,
        []
    );
}

/// What an optional request was to confirm is not confirmed: it may have failed.
#[test]
fn an_optional_answer_confirms_nothing_that_a_customer_typed() {
    let with_lookup = |request: Value| {
        let mut own = file(
            &json!({ "post_install": { "steps": [request, { "type": "update_context", "config": { "expression": "{ \"team\": $previous.team }" } }] } }),
        );
        own["config"]["webhook"] = json!({
            "signature_verification": { "format": "hmac", "config": {
                "secret": "{{environment_variables.webhook_secret}}", "compare_with": "$header.x-signature",
                "context_lookup_field_name": "team", "context_lookup_field_value": "body.team",
            } },
            "payload_transform": "{ \"event_type\": \"a:b\", \"payload\": body }",
        });
        read(&own).integration.is_some()
    };
    assert!(with_lookup(get("/me")));
    assert!(with_lookup(json!({ "any_of": [get("/me"), get("/you")] })));
    assert!(!with_lookup(optional(&get("/me"))));
    let maybe = with(&get("/me"), &json!({ "run_if": "$context.team" }));
    assert!(!with_lookup(json!({ "any_of": [maybe] })));
}

/// What the operator's credential opens is not the customer's to choose, in an alternative either.
#[test]
fn an_alternative_is_checked_as_a_step_is() {
    let of_operator = json!({ "type": "request", "config": {
        "path": "/teams/{{team}}",
        "authorization": { "format": "bearer", "config": { "token": "{{environment_variables.partner}}" } },
    } });
    let kept = json!({ "type": "update_context", "config": { "expression": "{ \"note\": $previous.note }" } });
    let found = read(&file(
        &json!({ "post_install": { "steps": [{ "any_of": [get("/me"), of_operator] }, kept] } }),
    ));
    let paths: Vec<_> = found.findings.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(
        paths,
        ["config.actions.post_install.steps[0].any_of[1].config"]
    );
    let open =
        json!({ "type": "request", "config": { "base_url": "https://{{team}}", "path": "/" } });
    let found = read(&file(&json!({ "run": { "any_of": [get("/me"), open] } })));
    assert!(
        found.integration.is_none(),
        "a host that is not pinned: {:?}",
        found.findings
    );
}
