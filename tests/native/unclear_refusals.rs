//! A token endpoint that says no without saying who has to act: for an hour that is later, after it the customer has to
//! connect again. The hour is counted across restarts of the account's object.

use std::time::Duration;

use serde_json::{Value, json};

use crate::account::Scene;
use crate::cases::each_case;
use crate::outside::World;
use crate::refresh::token;

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

fn token_endpoint_answers(scene: &Scene, (status, kind, body): (u16, &str, &str)) {
    scene.world.answers(status, &[("content-type", kind)], body);
}

/// One call behind a restart of every object; the token endpoint gives this answer.
fn call(scene: &Scene, answer: (u16, &str, &str), status: u16) -> String {
    scene.world.restart();
    token_endpoint_answers(scene, answer);
    let answer = scene.get_item();
    assert_eq!(
        scene.provider_requests().len(),
        1,
        "the token endpoint alone is asked"
    );
    answer.code(status)
}

fn pass(world: &World, seconds: u64) {
    world.pass(Duration::from_secs(seconds));
}

#[test]
fn an_unclear_refusal_is_later_for_an_hour_and_then_the_customers_also_across_restarts() {
    each_case(UNCLEAR, |unclear| {
        let scene = Scene::rotating_oauth();
        scene.expire_token();
        assert_eq!(call(&scene, unclear, 503), "provider.token_endpoint");
        // The calls themselves take some seconds; the second itself is in `account::refusals`.
        each_case([11, 1_780, 1_790], |seconds| {
            pass(&scene.world, seconds);
            assert_eq!(call(&scene, unclear, 503), "provider.token_endpoint");
            assert_eq!(scene.status(), "active", "{unclear:?}");
        });
        let before = scene.events();
        pass(&scene.world, 20);
        assert_eq!(call(&scene, unclear, 401), "account.needs_reauth");
        assert_eq!(scene.status(), "needs_reauth", "{unclear:?}");
        let reported = scene.events().split_off(before.len());
        assert_eq!(reported, ["authentication_error"]);
        scene.world.restart();
        assert_eq!(scene.get_item().code(401), "account.needs_reauth");
        assert!(
            scene.provider_requests().is_empty(),
            "and the endpoint is left alone"
        );
    });
}

#[test]
fn the_caller_reads_what_the_provider_said_within_the_hour() {
    let scene = Scene::rotating_oauth();
    scene.expire_token();
    token_endpoint_answers(&scene, UNCLEAR[0]);
    let answer = scene.get_item().expect(503);
    let text = answer.to_string();
    assert!(
        text.contains("forbidden (Your IP is not allowed)"),
        "{text}"
    );
}

#[test]
fn a_token_in_between_begins_the_hour_again() {
    let scene = Scene::rotating_oauth();
    scene.expire_token();
    assert_eq!(call(&scene, UNCLEAR[0], 503), "provider.token_endpoint");
    pass(&scene.world, 60);
    scene.world.restart();
    scene.provider_grants("new", None);
    scene.provider_answers(1);
    scene.get_item().expect(200);
    scene.provider_requests();
    pass(&scene.world, 7_200);
    assert_eq!(call(&scene, UNCLEAR[0], 503), "provider.token_endpoint");
    assert_eq!(scene.status(), "active");
    pass(&scene.world, 3_600);
    assert_eq!(call(&scene, UNCLEAR[0], 401), "account.needs_reauth");
}

#[test]
fn an_endpoint_that_cannot_answer_leaves_the_hour_as_it_is() {
    let scene = Scene::rotating_oauth();
    scene.expire_token();
    call(&scene, UNCLEAR[1], 503);
    pass(&scene.world, 1_800);
    scene.world.restart();
    for _ in 0..3 {
        token_endpoint_answers(&scene, (503, JSON, "{}"));
    }
    assert_eq!(scene.get_item().code(503), "provider.token_endpoint");
    scene.provider_requests();
    pass(&scene.world, 1_800);
    assert_eq!(call(&scene, UNCLEAR[1], 401), "account.needs_reauth");
}

#[test]
fn what_is_wrong_with_the_client_is_never_the_customers_and_ends_the_hour() {
    let cases = [
        (401, JSON, r#"{"error":"invalid_client"}"#),
        (403, JSON, r#"{"message":"invalid client secret"}"#),
        (400, JSON, r#"{"error":"unauthorized_client"}"#),
    ];
    each_case(cases, |operators| {
        let scene = Scene::rotating_oauth();
        scene.expire_token();
        call(&scene, UNCLEAR[1], 503);
        for _ in 0..30 {
            pass(&scene.world, 3_600);
            assert_eq!(call(&scene, operators, 503), "provider.token_endpoint");
        }
        assert_eq!(call(&scene, UNCLEAR[1], 503), "provider.token_endpoint");
        assert_eq!(scene.status(), "active", "{operators:?}");
    });
}

#[test]
fn another_credential_begins_the_hour_again_and_another_value_does_not() {
    let client = json!({ "client_id": "a", "client_secret": "planted-1" });
    let by_client = || Scene::rotating_oauth_with("oauth2_client_credentials", &client);
    let secret = json!({ "client_secret": "planted-2" });
    let stories: [(Scene, &str, Value, bool); 4] = [
        (
            Scene::rotating_oauth(),
            "/credentials",
            token("old", "refresh-2", 9),
            true,
        ),
        (by_client(), "/credentials", secret, true),
        (by_client(), "", json!({ "note": "x" }), false),
        (Scene::rotating_oauth(), "", json!({ "note": "x" }), false),
    ];
    for (scene, path, context, begins_again) in stories {
        scene.expire_token();
        call(&scene, UNCLEAR[1], 503);
        pass(&scene.world, 3_000);
        scene.change_context(path, &context).expect(200);
        pass(&scene.world, 600);
        let status = if begins_again { 503 } else { 401 };
        call(&scene, UNCLEAR[1], status);
    }
}

#[test]
fn an_account_that_came_back_has_a_whole_hour() {
    let client = json!({ "client_id": "a", "client_secret": "planted-1" });
    let scene = Scene::rotating_oauth_with("oauth2_client_credentials", &client);
    call(&scene, UNCLEAR[1], 503);
    pass(&scene.world, 3_600);
    assert_eq!(call(&scene, UNCLEAR[1], 401), "account.needs_reauth");
    scene.change_context("/credentials", &client).expect(200);
    assert_eq!(scene.status(), "active", "the same credential, given again");
    assert_eq!(call(&scene, UNCLEAR[1], 503), "provider.token_endpoint");
    pass(&scene.world, 3_600);
    assert_eq!(call(&scene, UNCLEAR[1], 401), "account.needs_reauth");
}
