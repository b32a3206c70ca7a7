//! A token endpoint that says no without saying who has to act: for an hour that is later, after it the customer has to
//! connect again. The hour is counted across restarts of the account's object.

use std::time::Duration;

use serde_json::{Value, json};

use crate::outside::World;
use crate::refresh::{Mill, file, token};

const HTML: &str = "text/html";
const JSON: &str = "application/json";

/// Answers that name neither the token nor the client.
const UNCLEAR: [(u16, &str, &str); 7] = [
    (
        403,
        JSON,
        r#"{"error":"forbidden","message":"Your IP is not allowed"}"#,
    ),
    (400, JSON, r#"{"error":"no_idea"}"#),
    (401, JSON, r#"{"status":401,"message":"Nope"}"#),
    (404, JSON, r#"{"errors":[{"code":"E17"}]}"#),
    (422, "text/plain", "Computer says no"),
    (403, HTML, "<h1>Firewall</h1>"),
    (200, JSON, r#"{"errcode":40029,"errmsg":"nope"}"#),
];

fn says(mill: &Mill, (status, kind, body): (u16, &str, &str)) {
    mill.world.answers(status, &[("content-type", kind)], body);
}

/// One call behind a restart of every object; the token endpoint gives this answer.
fn call(mill: &Mill, answer: (u16, &str, &str), status: u16) -> String {
    mill.world.restart();
    says(mill, answer);
    let answer = mill.call();
    assert_eq!(mill.seen().len(), 1, "the token endpoint alone is asked");
    answer.code(status)
}

fn pass(world: &World, seconds: u64) {
    world.pass(Duration::from_secs(seconds));
}

#[test]
fn an_unclear_refusal_is_later_for_an_hour_and_then_the_customers_also_across_restarts() {
    for unclear in UNCLEAR {
        let mill = Mill::new();
        mill.expire();
        assert_eq!(call(&mill, unclear, 503), "provider.token_endpoint");
        // The calls themselves take some seconds; the second itself is in `account::refusals`.
        for seconds in [11, 1_780, 1_790] {
            pass(&mill.world, seconds);
            assert_eq!(call(&mill, unclear, 503), "provider.token_endpoint");
            assert_eq!(mill.shown()["status"], "active", "{unclear:?}");
        }
        let before = mill.events();
        pass(&mill.world, 20);
        assert_eq!(call(&mill, unclear, 401), "account.needs_reauth");
        assert_eq!(mill.shown()["status"], "needs_reauth", "{unclear:?}");
        let said = mill.events().split_off(before.len());
        assert_eq!(said, ["authentication_error"]);
        mill.world.restart();
        assert_eq!(mill.call().code(401), "account.needs_reauth");
        assert!(mill.seen().is_empty(), "and the endpoint is left alone");
    }
}

#[test]
fn the_caller_reads_what_the_provider_said_within_the_hour() {
    let mill = Mill::new();
    mill.expire();
    says(&mill, UNCLEAR[0]);
    let answer = mill.call().expect(503);
    let text = answer.to_string();
    assert!(
        text.contains("forbidden (Your IP is not allowed)"),
        "{text}"
    );
}

#[test]
fn a_token_in_between_begins_the_hour_again() {
    let mill = Mill::new();
    mill.expire();
    assert_eq!(call(&mill, UNCLEAR[0], 503), "provider.token_endpoint");
    pass(&mill.world, 60);
    mill.world.restart();
    mill.grants("new", None);
    mill.answers(1);
    mill.call().expect(200);
    mill.seen();
    pass(&mill.world, 7_200);
    assert_eq!(call(&mill, UNCLEAR[0], 503), "provider.token_endpoint");
    assert_eq!(mill.shown()["status"], "active");
    pass(&mill.world, 3_600);
    assert_eq!(call(&mill, UNCLEAR[0], 401), "account.needs_reauth");
}

#[test]
fn an_endpoint_that_cannot_answer_leaves_the_hour_as_it_is() {
    let mill = Mill::new();
    mill.expire();
    call(&mill, UNCLEAR[1], 503);
    pass(&mill.world, 1_800);
    mill.world.restart();
    for _ in 0..3 {
        says(&mill, (503, JSON, "{}"));
    }
    assert_eq!(mill.call().code(503), "provider.token_endpoint");
    mill.seen();
    pass(&mill.world, 1_800);
    assert_eq!(call(&mill, UNCLEAR[1], 401), "account.needs_reauth");
}

#[test]
fn what_is_wrong_with_the_client_is_never_the_customers_and_ends_the_hour() {
    for operators in [
        (401, JSON, r#"{"error":"invalid_client"}"#),
        (403, JSON, r#"{"message":"invalid client secret"}"#),
        (400, JSON, r#"{"error":"unauthorized_client"}"#),
    ] {
        let mill = Mill::new();
        mill.expire();
        call(&mill, UNCLEAR[1], 503);
        for _ in 0..30 {
            pass(&mill.world, 3_600);
            assert_eq!(call(&mill, operators, 503), "provider.token_endpoint");
        }
        assert_eq!(call(&mill, UNCLEAR[1], 503), "provider.token_endpoint");
        assert_eq!(mill.shown()["status"], "active", "{operators:?}");
    }
}

fn patch(mill: &Mill, path: &str, context: &Value) {
    let path = format!("/integrated-account/{}{path}", mill.account);
    let body = json!({ "context": context });
    mill.setting.client.send("PATCH", &path, &body).expect(200);
}

#[test]
fn another_credential_begins_the_hour_again_and_another_value_does_not() {
    let client = json!({ "client_id": "a", "client_secret": "planted-1" });
    let by_client = || Mill::with(&file(), "oauth2_client_credentials", &client);
    let secret = json!({ "client_secret": "planted-2" });
    let stories: [(Mill, &str, Value, bool); 4] = [
        (
            Mill::new(),
            "/credentials",
            token("old", "refresh-2", 9),
            true,
        ),
        (by_client(), "/credentials", secret, true),
        (by_client(), "", json!({ "note": "x" }), false),
        (Mill::new(), "", json!({ "note": "x" }), false),
    ];
    for (mill, path, context, begins_again) in stories {
        mill.expire();
        call(&mill, UNCLEAR[1], 503);
        pass(&mill.world, 3_000);
        patch(&mill, path, &context);
        pass(&mill.world, 600);
        let status = if begins_again { 503 } else { 401 };
        call(&mill, UNCLEAR[1], status);
    }
}

#[test]
fn an_account_that_came_back_has_a_whole_hour() {
    let client = json!({ "client_id": "a", "client_secret": "planted-1" });
    let mill = Mill::with(&file(), "oauth2_client_credentials", &client);
    call(&mill, UNCLEAR[1], 503);
    pass(&mill.world, 3_600);
    assert_eq!(call(&mill, UNCLEAR[1], 401), "account.needs_reauth");
    patch(&mill, "/credentials", &client);
    assert_eq!(
        mill.shown()["status"],
        "active",
        "the same credential, given again"
    );
    assert_eq!(call(&mill, UNCLEAR[1], 503), "provider.token_endpoint");
    pass(&mill.world, 3_600);
    assert_eq!(call(&mill, UNCLEAR[1], 401), "account.needs_reauth");
}
