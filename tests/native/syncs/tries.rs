//! Tries of a run: what is refused again and again ends it, and a run that a call asks for does not wait for them.

use std::time::Duration;

use serde_json::{Value, json};

use super::consumer::Consumer;
use super::provider::{Sync, items, with};
use crate::cases::each_case;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

fn failed(sync: &Sync) -> usize {
    let names = sync.names();
    names.iter().filter(|name| *name == "sync:failed").count()
}

/// The page before it is stored by each try, and is no progress.
#[test]
fn a_page_that_is_always_refused_ends_the_run() {
    each_case([("offset=3", 403), ("offset=6", 422)], |(page, status)| {
        let sync = Sync::new(&with(&json!({ "every": "30d" })), items(9));
        sync.shop.borrow_mut().refuses = Some((page, status));
        sync.work();
        for _ in 0..4 {
            assert_eq!(sync.view()["last_run"]["status"], "running");
            sync.pass(HOUR * 2);
        }
        let added = sync.last("failed")[0];
        assert_eq!(added, if status == 403 { 3 } else { 6 });
        assert_eq!(failed(&sync), 1);
        let tries = sync.requests();
        sync.pass(HOUR * 2);
        assert_eq!(sync.requests(), tries);
        sync.shop.borrow_mut().refuses = None;
        sync.pass(DAY * 31);
        assert_eq!(sync.last("completed"), [9 - added, 0, 0, added]);
        let mut consumer = Consumer::new();
        consumer.read(&sync);
        consumer.has_all(&sync);
    });
}

/// Each page of a long list may fail once: what is stored for the first time is progress.
#[test]
fn a_page_that_no_try_has_reached_forgets_the_failures_before() {
    let sync = Sync::new(&with(&json!({ "every": "30d" })), items(24));
    sync.shop.borrow_mut().refuses = Some(("offset=3&", 403));
    sync.work();
    for page in [
        "offset=6&",
        "offset=9&",
        "offset=12&",
        "offset=15&",
        "offset=18&",
        "offset=21&",
    ] {
        sync.shop.borrow_mut().refuses = Some((page, 403));
        sync.pass(MINUTE);
        assert_eq!(sync.view()["last_run"]["status"], "running", "{page}");
    }
    sync.shop.borrow_mut().refuses = None;
    sync.pass(MINUTE);
    assert_eq!(sync.last("completed")[0], 24);
}

/// No request can be made for a page behind the last that may be read: only the beginning of the list leads on.
#[test]
fn a_place_that_leads_nowhere_is_left() {
    let sync = Sync::set(&[("LIST_PAGES", "2")], &with(&json!({})), items(9));
    sync.work();
    let run = sync.view()["last_run"].clone();
    assert_eq!(run["error"]["code"], "provider.unexpected_answer", "{run}");
    sync.shop.borrow_mut().items.truncate(3);
    sync.pass(MINUTE);
    assert_eq!(sync.last("completed")[0], 6);
    let long = Sync::set(
        &[("LIST_PAGES", "2")],
        &with(&json!({ "every": "30d" })),
        items(9),
    );
    long.work();
    for _ in 0..4 {
        long.pass(HOUR * 2);
    }
    long.last("failed");
    assert_eq!(failed(&long), 1);
}

/// The run that a call asked for has begun, and the one before has ended as stopped.
#[track_caller]
fn begins_at_once(sync: &Sync, before: &Value) {
    let run = sync.run(&json!({}));
    assert_eq!(run["reason"], "manual", "{run}");
    assert_ne!(run["id"], before["id"]);
    sync.last("completed");
    let runs = sync.scene.get("/sync-run?sync=items").expect(200);
    assert_eq!(runs["result"][0]["id"], run["id"]);
    assert_eq!(runs["result"][1]["id"], before["id"]);
    assert_eq!(runs["result"][1]["status"], "stopped");
}

fn pause(sync: &Sync) {
    let pause = json!({ "is_paused": true });
    sync.send("PATCH", "/sync/items", &pause).expect(200);
}

/// A planned run that reads its second page.
fn under_way() -> Sync {
    let sync = Sync::new(&with(&json!({})), items(9));
    sync.world().answers_late(|_| Duration::from_secs(2));
    sync.kill_after(Duration::from_secs(3));
    sync
}

#[test]
fn a_call_does_not_wait_for_the_end_of_a_pause() {
    let sync = under_way();
    pause(&sync);
    let before = sync.view()["last_run"].clone();
    assert_eq!(
        (&before["reason"], &before["status"]),
        (&json!("planned"), &json!("running"))
    );
    begins_at_once(&sync, &before);
    // The call comes first, and then the pause.
    let sync = under_way();
    let before = sync.view()["last_run"].clone();
    let run = sync.send("POST", "/sync/items/run", &json!({})).expect(202);
    assert_eq!(run["id"], before["id"], "another one follows it");
    pause(&sync);
    sync.pass(MINUTE);
    sync.last("completed");
    assert_eq!(sync.view()["last_run"]["reason"], "manual");
}

#[test]
fn a_call_does_not_wait_for_the_next_try() {
    let failing = |minutes: &[u32]| {
        let sync = Sync::new(&with(&json!({ "every": "30d" })), items(5));
        sync.shop.borrow_mut().always = Some((500, "{}".to_owned()));
        sync.work();
        for minutes in minutes {
            sync.pass(MINUTE * *minutes);
        }
        sync
    };
    let sync = failing(&[1, 5, 30]);
    let before = sync.view()["last_run"].clone();
    sync.shop.borrow_mut().always = None;
    begins_at_once(&sync, &before);
    assert_eq!(failed(&sync), 0);
    // The call comes as the next try begins, which fails.
    let sync = failing(&[1, 5]);
    sync.world().pass(MINUTE * 30);
    let before = sync.view()["last_run"].clone();
    sync.send("POST", "/sync/items/run", &json!({})).expect(202);
    sync.work();
    let now = sync.view()["last_run"].clone();
    assert_ne!(now["id"], before["id"], "{now}");
    assert_eq!(now["reason"], "manual");
    let runs = sync.scene.get("/sync-run?sync=items").expect(200);
    assert_eq!(runs["result"][0]["id"], before["id"]);
    assert_eq!(runs["result"][0]["status"], "stopped");
    // What the provider asks to wait for, a call waits for, too.
    let sync = Sync::new(&with(&json!({})), items(5));
    let slow = (429, vec![("retry-after", "90")], "{}".to_owned());
    sync.shop.borrow_mut().instead.insert(1, slow);
    sync.work();
    let before = sync.view()["last_run"].clone();
    let run = sync.run(&json!({}));
    assert_eq!(run["id"], before["id"]);
}
