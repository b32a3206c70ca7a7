//! An account's reservations and connections, which all its callers share: a call that waited reads the account
//! again before it sends, redirects count, strangers slow no caller down, and a refresh is exempt from both.

use std::time::Duration;

use causeway::ports::{Body, System};
use futures::executor::block_on;
use futures::future::{Either, join_all, select};
use serde_json::{Value, json};

use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::client::Answer;
use crate::outside::reply;

/// A provider that signs each request by the time; its customers' tokens are renewed in its own way.
fn file() -> Value {
    json!({ "name": "rate-limited", "config": {
        "base_url": "https://api.rate-limited.example",
        "credentials": {
            "api_key": { "format": "api_key", "config": { "fields": [{ "name": "api_key", "type": "password" }] } },
            "oauth2": { "format": "oauth2", "config": {
                "client": { "id": "c", "secret": "s" },
                "auth": { "tokenHost": "https://api.rate-limited.example", "authorizePath": "/a", "tokenPath": "/token" } } },
        },
        "authorization": { "format": "header", "config": { "expression": "{ \"x-signed-at\": $string($millis()) }" } },
        "actions": { "refresh_token": { "type": "request", "config": { "method": "post", "path": "/renew" } } },
    } })
}

fn with(variables: &[(&str, &str)]) -> Scene {
    let token = json!({ "access_token": "old", "refresh_token": "r", "expires_at": "2030-01-01T00:00:00.000Z" });
    Scene::with_token(variables, &file(), &token)
}

/// The provider's next answer, so long from now.
fn answers_in(scene: &Scene, millis: i64, status: u16, headers: &[(&str, &str)], body: &str) {
    scene.world.answers_with_at(
        scene.world.now().as_millis() + millis,
        reply(status, headers, Body::from_bytes(body.to_owned())),
    );
}

/// So many calls at once, the clock going on while they wait.
fn calls(scene: &Scene, count: usize, headers: &[(&str, &str)]) -> Vec<Answer> {
    let (path, client) = (scene.path("/custom/x"), &scene.setting.client);
    let calls = (0..count).map(|_| client.request_async("GET", &path, headers, Body::Empty));
    block_on(scene.world.run_passing(join_all(calls)))
}

fn call(scene: &Scene, headers: &[(&str, &str)]) -> Answer {
    scene.call_passing("GET", "/custom/x", headers, Body::Empty)
}

async fn refresh(scene: &Scene) -> Answer {
    let body = Body::from_bytes(json!({ "id": scene.account }).to_string());
    let path = "/integrated-account/refresh-credentials";
    let client = &scene.setting.client;
    client.request_async("POST", path, &JSON, body).await
}

fn renews(scene: &Scene) {
    let token = r#"{"access_token":"new","expires_in":3600}"#;
    scene.world.answers(200, &JSON, token);
}

/// When each request was sent, in milliseconds from the beginning.
fn sent_at(scene: &Scene) -> Vec<i64> {
    let sent = scene.world.sent();
    let at = sent
        .iter()
        .map(|sent| sent.header("x-signed-at").unwrap().parse::<i64>().unwrap());
    at.map(|at| at - 1_700_000_000_000).collect()
}

#[test]
fn who_waited_for_a_connection_hears_of_a_pause_that_was_said_meanwhile() {
    let scene = with(&[]);
    for _ in 0..4 {
        answers_in(&scene, 2_000, 429, &[("retry-after", "60")], "slow");
    }
    let answers = calls(&scene, 10, &[("x-max-retries", "0")]);
    assert_eq!(sent_at(&scene), [0; 4], "none of the six was sent");
    each_case(answers.into_iter().enumerate(), |(at, answer)| {
        assert_eq!(answer.header("retry-after"), Some("60"));
        assert_eq!(answer.status, 429);
        if at < 4 {
            assert_eq!(answer.text(), "slow");
            return;
        }
        let body = answer.json();
        assert_eq!(
            (&body["code"], &body["is_remote_error"]),
            (&json!("provider.rate_limited"), &Value::Null)
        );
    });
}

#[test]
fn who_can_wait_for_the_end_of_that_pause_is_sent_then() {
    let scene = with(&[]);
    for _ in 0..4 {
        answers_in(&scene, 2_000, 429, &[("retry-after", "20")], "slow");
    }
    for _ in 0..2 {
        scene.world.answers(200, &[], "ok");
    }
    let answers = calls(&scene, 6, &[("x-max-retries", "0")]);
    assert!(answers[4..].iter().all(|answer| answer.text() == "ok"));
    assert_eq!(sent_at(&scene), [0, 0, 0, 0, 22_000, 22_000]);
}

#[test]
fn no_ten_seconds_hold_more_than_the_rate_though_connections_come_late() {
    let scene = with(&[("ACCOUNT_RATE", "4")]);
    for _ in 0..4 {
        answers_in(&scene, 20_500, 200, &[], "");
    }
    for _ in 0..8 {
        scene.world.answers(200, &[], "");
    }
    let answers = calls(&scene, 12, &[("x-timeout-ms", "60000")]);
    assert!(answers.iter().all(|answer| answer.status == 200));
    let times = sent_at(&scene);
    assert_eq!(times.len(), 12);
    each_case(&times, |from| {
        let within = times
            .iter()
            .filter(|at| (0..10_000).contains(&(*at - from)));
        assert!(within.count() <= 4, "{times:?}");
    });
}

#[test]
fn what_follows_a_redirect_counts_in_the_accounts_rate() {
    let scene = with(&[("ACCOUNT_RATE", "2")]);
    scene.world.answers(302, &[("location", "/y")], "");
    scene.world.answers(200, &[], "there");
    assert_eq!(call(&scene, &[]).text(), "there");
    let hasty = call(&scene, &[("x-timeout-ms", "5000")]);
    assert_eq!(hasty.header("retry-after"), Some("10"));
    assert_eq!(hasty.code(429), "caller.rate_limited");
    scene.world.answers(200, &[], "later");
    assert_eq!(call(&scene, &[]).text(), "later");
    assert_eq!(sent_at(&scene), [0, 0, 10_000]);
}

#[test]
fn a_stranger_behind_a_redirect_slows_no_account_down() {
    let scene = with(&[]);
    let used_up = [("ratelimit-remaining", "0"), ("ratelimit-reset", "3600")];
    each_case(
        [(200, &used_up[..]), (429, &[("retry-after", "3600")][..])],
        |(status, headers)| {
            let elsewhere = [("location", "https://cdn.stranger.example/f")];
            scene.world.answers(302, &elsewhere, "");
            scene.world.answers(status, headers, "retried");
            let retried = call(&scene, &[("x-max-retries", "0")]);
            assert_eq!((retried.status, retried.text()), (status, "retried"));
            scene.world.answers(200, &[], "ours");
            assert_eq!(call(&scene, &[]).text(), "ours", "behind {status}");
        },
    );
    assert_eq!(scene.world.sent().len(), 6);
    scene.world.answers(302, &[("location", "/y")], "");
    scene.world.answers(200, &used_up, "last");
    assert_eq!(call(&scene, &[]).text(), "last");
    let next = call(&scene, &[]);
    assert_eq!(next.header("retry-after"), Some("3600"));
    assert_eq!(next.code(429), "provider.rate_limited", "its own do");
}

#[test]
fn a_refresh_waits_for_no_connection_that_calls_hold() {
    let scene = with(&[]);
    for _ in 0..4 {
        answers_in(&scene, 25_000, 200, &[], "hung");
    }
    renews(&scene);
    let (path, client) = (scene.path("/custom/x"), &scene.setting.client);
    block_on(async {
        let calls = (0..4).map(|_| client.request_async("GET", &path, &[], Body::Empty));
        let mut four = Box::pin(join_all(calls));
        assert!(futures::poll!(&mut four).is_pending());
        let both = select(Box::pin(refresh(&scene)), four);
        let Either::Left((refreshed, four)) = Box::pin(scene.world.run_passing(both)).await else {
            panic!("the calls hang, and the refresh waits for them");
        };
        assert_eq!(refreshed.status, 200);
        let four = Box::pin(scene.world.run_passing(four)).await;
        assert!(four.iter().all(|answer| answer.text() == "hung"));
    });
    let sent = scene.world.sent();
    assert_eq!(sent[4].url, "https://api.rate-limited.example/renew");
}

#[test]
fn a_refresh_waits_for_no_turn_and_no_pause() {
    let scene = with(&[("ACCOUNT_RATE", "1")]);
    let began = scene.world.now();
    let used_up = [("ratelimit-remaining", "0"), ("ratelimit-reset", "40")];
    scene.world.answers(200, &used_up, "last");
    assert_eq!(call(&scene, &[]).text(), "last");
    renews(&scene);
    let refreshed = block_on(scene.world.run_passing(refresh(&scene)));
    assert_eq!(refreshed.status, 200);
    assert!(scene.world.now().since(began) < Duration::from_secs(2));
    let next = call(&scene, &[]);
    assert_eq!(next.code(429), "provider.rate_limited", "calls do");
    assert_eq!(sent_at(&scene).len(), 2);
}
