//! The end of a lease: no request leaves with one that has ended, and what the account is by then decides.

use std::time::Duration;

use causeway::error::Failure;
use causeway::ports::{Body, ObjectName};
use futures::executor::block_on;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::client::Answer;
use crate::leased_calls::{FLUSHED, flush, get, leased, object_calls, refuse_old, switch};
use crate::outside::{Sent, reply};
use crate::refresh::token;

/// How old the lease of [`aged`] is.
const AGE: Duration = Duration::from_secs(25);
/// Until the end of that lease, less and exactly so long.
const ENDS: [(u64, bool); 2] = [(4_500, false), (5_000, true)];

fn aged() -> Scene {
    let scene = leased();
    // The report of its calls is sent in this time.
    flush(&scene);
    scene.world.pass(AGE.saturating_sub(FLUSHED));
    scene.world.sent();
    scene.world.object_messages_are_counted();
    scene
}

/// The provider answers the first request with a redirect, so late.
fn redirects(scene: &Scene, status: u16, late: u64) {
    let is_first = |sent: &Sent| !sent.url.contains("moved");
    scene.world.provides(move |sent| {
        if is_first(sent) {
            reply(status, &[("location", "/moved")], Body::Empty)
        } else {
            reply(200, &JSON, Body::from_bytes("{}"))
        }
    });
    scene
        .world
        .answers_late(move |sent| Duration::from_millis(if is_first(sent) { late } else { 0 }));
}

/// The object answers the next message so: the account was deleted.
fn is_deleted(scene: &Scene) {
    let gone = Failure::not_found("integrated account");
    let object = ObjectName::Account(scene.account.parse().unwrap());
    scene.world.object_answers(object, &Err(gone));
}

fn ask(scene: &Scene, method: &str, path: &str) -> Answer {
    scene.ask_passing(method, path, &[("x-timeout-ms", "60000")])
}

#[test]
fn a_redirect_after_the_end_of_the_lease_asks_the_object_first() {
    each_case(ENDS, |(late, is_over)| {
        let scene = aged();
        redirects(&scene, 302, late);
        assert_eq!(ask(&scene, "GET", "/proxy/items/1").status, 200);
        assert_eq!(scene.world.object_messages(), usize::from(is_over));
        assert_eq!(scene.world.sent().len(), 2);
    });
}

#[test]
fn a_redirect_of_a_deleted_account_is_not_followed_after_the_end_of_the_lease() {
    each_case(ENDS, |(late, is_over)| {
        let scene = aged();
        redirects(&scene, 302, late);
        is_deleted(&scene);
        let (status, sent) = if is_over { (404, 1) } else { (200, 2) };
        assert_eq!(ask(&scene, "GET", "/proxy/items/1").status, status);
        assert_eq!(scene.world.sent().len(), sent);
    });
}

#[test]
fn a_redirect_is_not_followed_with_a_credential_that_was_replaced() {
    each_case([302, 307], |status| {
        let scene = aged();
        redirects(&scene, status, 5_000);
        let change = token("other", "refresh-2", 3600);
        let replaced = || scene.change_context("/credentials", &change).expect(200);
        scene.world.elsewhere(replaced);
        scene.world.object_messages_are_counted();
        let answer = ask(&scene, "POST", "/proxy/items");
        assert_eq!(scene.world.object_messages(), 1);
        assert_eq!(scene.provider_requests(), ["call old"]);
        let write = if status == 307 { "not_done" } else { "done" };
        assert_eq!(answer.json()["details"]["write"], write, "{answer:?}");
    });
}

#[test]
fn a_retry_after_the_end_of_the_lease_asks_the_object_first() {
    each_case([("4", false), ("5", true)], |(wait, is_over)| {
        each_case([false, true], |deleted| {
            let scene = aged();
            scene.world.answers(503, &[("retry-after", wait)], "{}");
            if deleted {
                is_deleted(&scene);
            }
            let answer = ask(&scene, "GET", "/proxy/items/1");
            let (status, sent) = if deleted && is_over {
                (404, 1)
            } else {
                (200, 2)
            };
            assert_eq!((answer.status, scene.world.sent().len()), (status, sent));
            let asked = scene.world.object_messages();
            assert_eq!(asked, usize::from(is_over));
        });
    });
}

#[test]
fn a_retry_gets_no_credential_at_the_edge_once_edge_calls_is_off() {
    let scene = aged();
    scene.world.answers(503, &[("retry-after", "10")], "{}");
    scene.world.elsewhere(|| switch(&scene, false));
    let answer = ask(&scene, "GET", "/proxy/items/1");
    assert_eq!((answer.status, scene.world.sent().len()), (503, 1));
    assert_eq!(answer.json()["code"], "internal.busy", "{answer:?}");
}

#[test]
fn a_deleted_account_is_not_called_after_thirty_seconds() {
    let scene = leased();
    let path = format!("/integrated-account/{}", scene.account);
    let deleted = || scene.setting.client.delete(&path).status;
    assert_eq!(scene.world.elsewhere(deleted), 200);
    scene.world.sent();
    get(&scene);
    assert_eq!(scene.world.sent().len(), 1);
    for second in 1..=40 {
        scene.world.pass(Duration::from_secs(1));
        let status = scene.get("/proxy/items/1").status;
        let sent = scene.world.sent().len();
        let expected = if second < 30 { (200, 1) } else { (404, 0) };
        assert_eq!((status, sent), expected, "after {second} s");
    }
    flush(&scene);
}

#[test]
fn a_change_elsewhere_counts_after_thirty_seconds() {
    let other = token("other", "refresh-2", 3600);
    let changes: [(&str, Value); 2] = [("/credentials", other.clone()), ("", other)];
    each_case(changes, |(route, change)| {
        let scene = leased();
        let replaced = || scene.change_context(route, &change).expect(200);
        scene.world.elsewhere(replaced);
        scene.world.pass(Duration::from_secs(29));
        scene.world.sent();
        get(&scene);
        scene.world.pass(Duration::from_secs(1));
        get(&scene);
        assert_eq!(scene.provider_requests(), ["call old", "call other"]);
    });
}

#[test]
fn a_change_here_counts_at_once() {
    each_case(["/credentials", ""], |route| {
        let scene = leased();
        let change = token("other", "refresh-2", 3600);
        scene.change_context(route, &change).expect(200);
        scene.world.sent();
        get(&scene);
        assert_eq!(scene.provider_requests(), ["call other"]);
    });
}

#[test]
fn an_account_that_needs_its_customer_is_not_called_after_thirty_seconds() {
    let scene = leased();
    scene.world.provides(|sent| {
        let status = if sent.url.ends_with("/token") {
            400
        } else {
            200
        };
        reply(
            status,
            &JSON,
            Body::from_bytes(r#"{ "error": "invalid_grant" }"#),
        )
    });
    let refresh = json!({ "id": scene.account });
    let path = "/integrated-account/refresh-credentials";
    let refused = || scene.setting.client.post(path, &refresh).status;
    assert_eq!(scene.world.elsewhere(refused), 401);
    scene.world.sent();
    scene.world.pass(Duration::from_secs(29));
    assert_eq!(scene.get("/proxy/items/1").status, 200);
    scene.world.pass(Duration::from_secs(1));
    let answer = scene.get("/proxy/items/1");
    assert_eq!(answer.json()["code"], "account.needs_reauth");
    assert_eq!(scene.world.sent().len(), 1);
}

#[test]
fn an_evicted_object_refreshes_a_refused_token_and_stores_the_lines() {
    let scene = leased();
    refuse_old(&scene);
    scene.world.evict_accounts();
    scene.world.sent();
    get(&scene);
    assert_eq!(
        scene.provider_requests(),
        ["call old", "token refresh-1", "call new"]
    );
    scene.world.evict_accounts();
    flush(&scene);
    let log = scene.get("/log").expect(200);
    assert_eq!(log["result"].as_array().unwrap().len(), 3);
}

#[test]
fn calls_of_an_outdated_lease_do_not_end_a_new_one() {
    let scene = leased();
    refuse_old(&scene);
    // Every second refusal is late: it arrives when the isolate has the next lease.
    scene.world.answers_late(|sent| {
        let is_late = sent.url.ends_with("/items/2");
        Duration::from_millis(if is_late { 2_000 } else { 0 })
    });
    let path = scene.path("/proxy/items/2");
    let late = scene
        .setting
        .client
        .request_async("GET", &path, &[], Body::Empty);
    let calls = join_all((0..2).map(|_| scene.get_item_async()));
    let (late, calls) = block_on(scene.world.run_passing(futures::future::join(late, calls)));
    assert!(late.status == 200 && calls.iter().all(|call| call.status == 200));
    assert_eq!(object_calls(&scene, || get(&scene)), 0);
}
