//! Leased calls (`edge_calls`): the front Worker sends the calls of an account itself, for at most 30 s, with what the
//! account's object has leased to it.

use std::time::Duration;

use causeway::ports::Body;
use futures::executor::block_on;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::client::id_of;
use crate::outside::{World, reply};
use crate::refresh::{file, token};

/// An account whose install has this `edge_calls`. Its provider answers every request with `{}`.
pub fn scene_with(variables: &[(&str, &str)], edge_calls: bool) -> Scene {
    let context = token("old", "refresh-1", 3600);
    let scene = Scene::new(World::with(variables), &file(), "oauth2", &context);
    switch(&scene, edge_calls);
    scene
        .world
        .provides(|_| reply(200, &JSON, Body::from_bytes("{}")));
    scene
}

pub fn scene() -> Scene {
    scene_with(&[], true)
}

pub fn switch(scene: &Scene, edge_calls: bool) {
    let path = format!("/environment-integration/{}", scene.setting.install);
    let change = json!({ "edge_calls": edge_calls });
    let changed = scene
        .setting
        .client
        .send("PATCH", &path, &change)
        .expect(200);
    assert_eq!(changed["edge_calls"], edge_calls);
}

/// How many of these calls the object made.
pub fn object_calls(scene: &Scene, calls: impl FnOnce()) -> usize {
    let before = scene.world.0.handed_over.get();
    calls();
    scene.world.0.handed_over.get() - before
}

pub fn get(scene: &Scene) {
    assert_eq!(scene.get("/proxy/items/1").status, 200);
}

/// A scene whose front Worker has a lease.
pub fn leased() -> Scene {
    let scene = scene();
    get(&scene);
    assert_eq!(object_calls(&scene, || get(&scene)), 0);
    scene
}

/// In so long the reports of leased calls are sent.
pub const FLUSHED: Duration = Duration::from_secs(3);

pub fn flush(scene: &Scene) {
    scene.world.pass(FLUSHED);
    block_on(scene.world.run(async {}));
}

#[test]
fn the_first_call_goes_to_the_object_and_the_next_ones_need_no_message() {
    let scene = scene();
    assert_eq!(object_calls(&scene, || get(&scene)), 1);
    scene.world.object_messages_are_counted();
    let calls = object_calls(&scene, || (0..5).for_each(|_| get(&scene)));
    assert_eq!((calls, scene.world.object_messages()), (0, 0));
    assert_eq!(scene.world.sent().len(), 6);
}

#[test]
fn without_the_switch_and_in_eu_nothing_is_leased() {
    each_case([(false, "wnam"), (true, "eu")], |(edge_calls, region)| {
        let scene = scene_with(&[], edge_calls);
        let body = json!({ "tenant_id": "acme", "environment_integration_id": scene.setting.install, "authentication_method": "oauth2", "region": region, "context": token("old", "r", 3600) });
        let made = scene.setting.client.post("/integrated-account", &body);
        let account = id_of(&made.expect(201));
        let path = format!("/proxy/items/1?integrated_account_id={account}");
        scene.world.object_messages_are_counted();
        let calls = object_calls(&scene, || {
            (0..3).for_each(|_| assert_eq!(scene.setting.client.get(&path).status, 200));
        });
        assert_eq!((calls, scene.world.object_messages()), (3, 0));
    });
}

#[test]
fn sandbox_accounts_and_account_rate_are_not_leased() {
    let limited = scene_with(&[("ACCOUNT_RATE", "100")], true);
    assert_eq!(
        object_calls(&limited, || (0..3).for_each(|_| get(&limited))),
        3
    );
    let scene = scene();
    let path = format!("/integrated-account/{}", scene.account);
    let change = json!({ "is_sandbox": true });
    scene
        .setting
        .client
        .send("PATCH", &path, &change)
        .expect(200);
    assert_eq!(object_calls(&scene, || (0..3).for_each(|_| get(&scene))), 3);
}

#[test]
fn keyed_calls_account_tokens_and_all_pages_go_to_the_object() {
    let scene = leased();
    let keyed = [("idempotency-key", "one")];
    let body = || Body::from_bytes("{}");
    let calls = object_calls(&scene, || {
        assert_eq!(
            scene.call("POST", "/proxy/items", &keyed, body()).status,
            200
        );
    });
    assert_eq!(calls, 1);
    let customer = scene.setting.customer(&scene.account);
    let calls = object_calls(&scene, || {
        assert_eq!(customer.get("/proxy/items/1").status, 200);
    });
    assert_eq!(calls, 1);
    let all = [("x-all-pages", "true")];
    let calls = object_calls(&scene, || {
        scene.call("GET", "/proxy/items/1", &all, Body::Empty);
    });
    assert_eq!(calls, 1);
    assert_eq!(object_calls(&scene, || get(&scene)), 0);
}

#[test]
fn another_environment_does_not_see_a_leased_account() {
    let scene = leased();
    let other = scene.setting.admin.environment("other");
    let stranger = scene.setting.admin.token_of(&other, None);
    assert_eq!(stranger.get(&scene.path("/proxy/items/1")).status, 404);
}

#[test]
fn a_lease_lasts_thirty_seconds() {
    let scene = leased();
    scene.world.pass(Duration::from_secs(29));
    assert_eq!(object_calls(&scene, || get(&scene)), 0);
    scene.world.pass(Duration::from_secs(1));
    assert_eq!(object_calls(&scene, || get(&scene)), 1);
}

#[test]
fn the_lines_of_leased_calls_are_in_the_log() {
    let scene = leased();
    let answer = scene.get("/proxy/items/7");
    let id = answer.header("x-request-id").unwrap().to_owned();
    flush(&scene);
    let log = scene.get("/log").expect(200);
    let lines = log["result"].as_array().unwrap();
    let line = lines.iter().find(|line| line["request_id"] == id.as_str());
    let line = line.expect("the leased call has a line");
    assert_eq!(lines.len(), 3);
    assert_eq!(
        (
            &line["resource"],
            &line["resource_method"],
            &line["status"],
            &line["upstream_status"]
        ),
        (&json!("items"), &json!("get"), &json!(200), &json!(200))
    );
}

#[test]
fn many_first_calls_make_one_request_for_a_lease() {
    let scene = scene();
    scene.world.object_messages_are_counted();
    let calls = (0..10).map(|_| scene.get_item_async());
    block_on(scene.world.run(join_all(calls)));
    assert_eq!(scene.world.object_messages(), 1);
    assert_eq!(object_calls(&scene, || get(&scene)), 0);
}

#[test]
fn limits_of_the_provider_end_the_lease() {
    each_case(
        [
            (429, vec![("retry-after", "3600")]),
            (
                200,
                vec![
                    ("x-ratelimit-remaining", "0"),
                    ("x-ratelimit-reset", "3600"),
                ],
            ),
        ],
        |(status, headers)| {
            let scene = leased();
            scene.world.answers(status, &headers, "{}");
            scene.get("/proxy/items/1");
            flush(&scene);
            scene.world.sent();
            let calls = object_calls(&scene, || {
                assert_eq!(scene.get("/proxy/items/1").status, 429);
            });
            assert_eq!((calls, scene.world.sent().len()), (1, 0));
        },
    );
}

/// The provider refuses the token `old`.
pub fn refuse_old(scene: &Scene) {
    let granted =
        json!({ "access_token": "new", "refresh_token": "refresh-2", "expires_in": 3600 });
    scene.world.provides(move |sent| {
        let is_old = sent.header("authorization") == Some("Bearer old");
        let (status, body) = match sent.url.ends_with("/token") {
            true => (200, granted.to_string()),
            false if is_old => (401, "{}".to_owned()),
            false => (200, "{}".to_owned()),
        };
        reply(status, &JSON, Body::from_bytes(body))
    });
}

#[test]
fn a_storm_of_refused_leased_calls_makes_one_refresh() {
    let scene = leased();
    refuse_old(&scene);
    scene.world.sent();
    let calls = (0..10).map(|_| scene.get_item_async());
    let answers = block_on(scene.world.run_passing(join_all(calls)));
    assert!(
        answers.iter().all(|answer| answer.status == 200),
        "{answers:?}"
    );
    let requests = scene.provider_requests();
    let refreshes = requests.iter().filter(|one| one.starts_with("token"));
    assert_eq!(refreshes.count(), 1, "{requests:?}");
    get(&scene);
    assert_eq!(scene.provider_requests(), ["call new"]);
}

#[test]
fn a_deleted_account_is_not_called_from_the_isolate_that_deleted_it() {
    let scene = leased();
    let path = format!("/integrated-account/{}", scene.account);
    assert_eq!(scene.setting.client.delete(&path).status, 200);
    scene.world.sent();
    assert_eq!(scene.get("/proxy/items/1").status, 404);
    assert_eq!(scene.world.sent().len(), 0);
}

#[test]
fn switching_it_off_ends_leased_calls() {
    let scene = leased();
    switch(&scene, false);
    assert_eq!(object_calls(&scene, || get(&scene)), 1);
}

#[test]
fn the_token_of_a_lease_is_in_no_store_and_no_log() {
    let scene = leased();
    flush(&scene);
    let kv: Vec<String> = scene.world.0.kv.borrow().values().cloned().collect();
    let logs: Vec<Value> = scene.world.0.logs.borrow().clone();
    let log = scene.get("/log").expect(200).to_string();
    for secret in ["refresh-1", "\"old\""] {
        assert!(kv.iter().all(|text| !text.contains(secret)));
        assert!(logs.iter().all(|line| !line.to_string().contains(secret)));
        assert!(!log.contains(secret));
    }
}
