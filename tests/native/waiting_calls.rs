//! A call uses what is true when it sends: token and status of its account are read after the wait, for every kind of
//! wait.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use causeway::ports::{Body, Reply, System};
use futures::executor::block_on;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::client::Answer;
use crate::files;
use crate::outside::{Pieces, Sent, dripping, reply};

const OWN: &str = "https://api.dead-token.example";

fn file() -> Value {
    files::with_oauth(
        "dead-token",
        &json!({
            "credentials": { "oauth2": { "config": { "fields": [{ "name": "room", "required": false }] } } },
            "error_expression": "response.code = \"dead\" ? { \"status\": 401 }",
            "resources": { "keys": {
                "get": { "path": "/keys/{{id}}" },
                "create": { "method": "post", "path": "/keys" },
                "copy": { "method": "post", "path": "/copies", "body": { "of": "{{body.of}}" } },
                "room": { "path": "/rooms/{{room}}" },
            } },
            "actions": { "look": { "steps": [
                { "type": "request", "config": { "path": "/keys/1" } },
                { "type": "request", "config": { "path": "/keys/2" } },
            ] } },
        }),
    )
}

#[derive(Default)]
struct Seen {
    dead: usize,
    good: usize,
    grants: usize,
}

/// A provider that takes the token `new` only.
fn provider(sent: &Sent, status: u16, seen: &mut Seen) -> Reply<Pieces> {
    let reported = |status, body: &str| reply(status, &JSON, Body::from_bytes(body.to_owned()));
    if sent.url.ends_with("/token") {
        seen.grants += 1;
        return reported(
            200,
            r#"{"access_token":"new","refresh_token":"r2","expires_in":3600}"#,
        );
    }
    if sent.header("authorization") == Some("Bearer new") {
        seen.good += 1;
        return reported(200, "{}");
    }
    seen.dead += 1;
    reported(status, r#"{"code":"dead"}"#)
}

fn open(variables: &[(&str, &str)], status: u16) -> (Scene, Rc<RefCell<Seen>>) {
    let token = json!({ "access_token": "old", "refresh_token": "r1", "expires_at": "2030-01-01T00:00:00.000Z" });
    let scene = Scene::with_token(variables, &file(), &token);
    let seen: Rc<RefCell<Seen>> = Rc::default();
    let own = Rc::clone(&seen);
    scene
        .world
        .provides(move |sent| provider(sent, status, &mut own.borrow_mut()));
    (scene, seen)
}

fn calls(
    scene: &Scene,
    count: usize,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Vec<Answer> {
    let (path, client) = (scene.path(path), &scene.setting.client);
    let body = || match method {
        "GET" => Body::Empty,
        _ => Body::from_bytes("{}"),
    };
    let calls = (0..count).map(|_| client.request_async(method, &path, headers, body()));
    block_on(scene.world.run_passing(join_all(calls)))
}

#[test]
fn of_200_calls_with_a_dead_token_all_are_answered_after_one_refresh_and_at_most_8_with_it() {
    for status in [401, 200, 403] {
        for (method, path) in [
            ("GET", "/proxy/keys/1"),
            ("POST", "/proxy/keys"),
            ("GET", "/custom/keys/1"),
        ] {
            if status != 401 && path.starts_with("/custom") {
                continue;
            }
            for late_token in [0, 3] {
                let (scene, seen) = open(&[], status);
                let asked = Cell::new(0);
                scene.world.answers_late(move |sent| {
                    if sent.url.ends_with("/token") {
                        return Duration::from_secs(late_token);
                    }
                    asked.set(asked.get() + 1);
                    let is_late = sent.header("authorization") != Some("Bearer new");
                    if is_late && asked.get() % 2 == 0 {
                        Duration::from_millis(2_500)
                    } else {
                        Duration::ZERO
                    }
                });
                let answers = calls(&scene, 200, method, path, &[]);
                let case = format!("{status} {method} {path} {late_token}");
                let good = answers.iter().filter(|answer| answer.status == 200);
                assert_eq!(good.count(), 200, "{case}");
                let seen = seen.borrow();
                assert_eq!((seen.good, seen.grants), (200, 1), "{case}");
                assert!(seen.dead <= 8, "{case}: {} with the dead token", seen.dead);
            }
        }
    }
}

#[test]
fn the_same_where_every_second_answer_is_late_for_good() {
    let (scene, seen) = open(&[], 401);
    let asked = Cell::new(0);
    scene.world.answers_late(move |_| {
        asked.set(asked.get() + 1);
        Duration::from_millis(if asked.get() % 2 == 0 { 2_500 } else { 0 })
    });
    let patient = [("x-timeout-ms", "100000")];
    let answers = calls(&scene, 200, "GET", "/proxy/keys/1", &patient);
    assert!(answers.iter().all(|answer| answer.status == 200));
    let seen = seen.borrow();
    assert_eq!((seen.good, seen.grants), (200, 1));
    assert!(seen.dead <= 8, "{}", seen.dead);
}

/// What happens to the account while a call waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// It has new credentials.
    Token,
    /// The provider says that its grant is dead.
    Grant,
    /// It is deleted.
    Gone,
}

/// What a call waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    Connection,
    Reservation,
    Pause,
    Backoff,
    Body,
    Step,
}

const WAITS: [Wait; 6] = [
    Wait::Connection,
    Wait::Reservation,
    Wait::Pause,
    Wait::Backoff,
    Wait::Body,
    Wait::Step,
];

/// The answer to a call that had to wait while its account was changed, and the requests it sent.
fn waited(wait: Wait, change: Change) -> (Answer, Vec<Sent>) {
    let variables: &[(&str, &str)] = match wait {
        Wait::Reservation => &[("ACCOUNT_RATE", "1")],
        _ => &[],
    };
    let token = json!({ "access_token": "old", "refresh_token": "r1", "expires_at": "2030-01-01T00:00:00.000Z" });
    let scene = Scene::with_token(variables, &file(), &token);
    let world = &scene.world;
    let is_down = Cell::new(wait == Wait::Backoff);
    world.provides(move |sent| {
        if sent.url.ends_with("/keys/1") && is_down.take() {
            return reply(503, &[("retry-after", "3")], Body::Empty);
        }
        reply(200, &JSON, Body::from_bytes("{}"))
    });
    world.answers_late(|sent| {
        let hangs = sent.url.contains("hang") || sent.url.ends_with("/keys/1");
        Duration::from_secs(if hangs { 4 } else { 0 })
    });
    let client = &scene.setting.client;
    let (hang, path) = (scene.path("/custom/hang"), scene.path("/proxy/keys/1"));
    let answer = block_on(world.run_passing(async {
        let before = match wait {
            Wait::Connection => 4,
            Wait::Reservation => 1,
            _ => 0,
        };
        if wait == Wait::Pause {
            world.answers(429, &[("retry-after", "4")], "");
            let once = [("x-max-retries", "0")];
            client.request_async("GET", &hang, &once, Body::Empty).await;
            world.unscript();
        }
        let mut hanging = Box::pin(join_all(
            (0..before).map(|_| client.request_async("GET", &hang, &[], Body::Empty)),
        ));
        if before > 0 {
            assert!(futures::poll!(&mut hanging).is_pending());
        }
        let (method, asked, body) = match wait {
            Wait::Body => (
                "POST",
                scene.path("/proxy/keys/copy"),
                dripping(world, r#"{"of":1}"#, Duration::from_secs(1)),
            ),
            Wait::Step => ("POST", scene.path("/proxy/_/look"), Body::Empty),
            _ => ("GET", path, Body::Empty),
        };
        let mut call = Box::pin(client.request_async(method, &asked, &[], body));
        assert!(futures::poll!(&mut call).is_pending(), "{wait:?}");
        if wait == Wait::Backoff {
            let later = world.now().plus(Duration::from_millis(4_500));
            while world.now() < later {
                assert!(futures::poll!(&mut call).is_pending());
                world.sleep(Duration::from_millis(500)).await;
            }
        }
        let account = format!("/integrated-account/{}", scene.account);
        match change {
            Change::Token => {
                let token = json!({ "access_token": "new", "refresh_token": "r2", "expires_at": "2030-01-01T00:00:00.000Z" });
                let body = json!({ "context": { "oauth": { "token": token } } });
                let path = format!("{account}/credentials");
                let done = client.send_async("PATCH", &path, &body).await;
                assert_eq!(done.status, 200, "{}", done.text());
            }
            Change::Grant => {
                let dead = r#"{"error":"invalid_grant"}"#;
                world.answers(400, &JSON, dead);
                let id = json!({ "id": scene.account });
                let path = "/integrated-account/refresh-credentials";
                let done = client.send_async("POST", path, &id).await;
                assert_eq!(done.status, 401, "{}", done.text());
            }
            Change::Gone => {
                let done = client.request_async("DELETE", &account, &[], Body::Empty).await;
                assert!(done.status < 300, "{}", done.text());
            }
        }
        futures::join!(call, hanging).0
    }));
    let sent = world.sent();
    (answer, sent)
}

#[test]
fn a_call_signs_in_with_the_token_that_is_there_when_it_is_sent() {
    each_case(WAITS, |wait| {
        let (answer, sent) = waited(wait, Change::Token);
        let last = sent
            .iter()
            .rfind(|sent| !sent.url.contains("hang"))
            .unwrap();
        let token = last.header("authorization").unwrap_or_default();
        assert_eq!((answer.status, token), (200, "Bearer new"));
    });
}

#[test]
fn a_call_whose_account_may_not_be_called_any_more_is_not_sent() {
    each_case(
        [(Change::Grant, 401), (Change::Gone, 404)],
        |(change, status)| {
            each_case(WAITS, |wait| {
                let (answer, sent) = waited(wait, change);
                let is_other = |sent: &&Sent| {
                    !["hang", "/token", "/revoke"]
                        .iter()
                        .any(|word| sent.url.contains(word))
                };
                let before = usize::from(matches!(wait, Wait::Backoff | Wait::Step));
                let of_call = sent.iter().filter(is_other).count();
                assert_eq!((answer.status, of_call), (status, before));
            });
        },
    );
}

#[test]
fn an_address_made_of_the_account_is_made_when_the_call_is_sent() {
    let token = json!({ "access_token": "old", "refresh_token": "r1", "expires_at": "2030-01-01T00:00:00.000Z" });
    let context = json!({ "oauth": { "token": token }, "room": "one" });
    let scene = Scene::new(crate::outside::World::new(), &file(), "oauth2", &context);
    scene
        .world
        .provides(|_| reply(200, &JSON, Body::from_bytes("{}")));
    scene
        .world
        .answers_late(|sent| Duration::from_secs(if sent.url.contains("hang") { 4 } else { 0 }));
    let client = &scene.setting.client;
    let (hang, path) = (scene.path("/custom/hang"), scene.path("/proxy/keys/room"));
    block_on(scene.world.run_passing(async {
        let mut hanging = Box::pin(join_all(
            (0..4).map(|_| client.request_async("GET", &hang, &[], Body::Empty)),
        ));
        assert!(futures::poll!(&mut hanging).is_pending());
        let mut call = Box::pin(client.request_async("POST", &path, &[], Body::Empty));
        assert!(futures::poll!(&mut call).is_pending());
        let account = format!("/integrated-account/{}", scene.account);
        let body = json!({ "context": { "room": "two" } });
        let done = client.send_async("PATCH", &account, &body).await;
        assert_eq!(done.status, 200, "{}", done.text());
        futures::join!(call, hanging)
    }));
    let sent = scene.world.sent();
    assert_eq!(sent.last().unwrap().url, format!("{OWN}/rooms/two"));
}
