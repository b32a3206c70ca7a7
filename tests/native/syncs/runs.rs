//! Runs and what they find.

use std::time::Duration;

use serde_json::json;

use super::consumer::Consumer;
use super::provider::{Sync, item, items, with};

const HOUR: Duration = Duration::from_hours(1);

#[test]
fn the_feed_has_what_the_provider_has() {
    let (sync, mut consumer) = (Sync::new(&with(&json!({})), items(8)), Consumer::new());
    sync.work();
    assert_eq!(sync.last("completed"), [8, 0, 0, 0]);
    consumer.read(&sync);
    consumer.has_all(&sync);
    assert_eq!(consumer.changes.len(), 8);
    let before = sync.record_rows();
    sync.pass(HOUR);
    assert_eq!(sync.last("completed"), [0, 0, 0, 8]);
    assert_eq!(
        sync.record_rows(),
        before,
        "what is unchanged writes no row"
    );
    consumer.read(&sync);
    assert!(consumer.changes.is_empty());
    sync.shop.borrow_mut().put(item("i003", "second"));
    sync.shop.borrow_mut().put(item("new", "first"));
    sync.shop.borrow_mut().remove("i005");
    sync.pass(HOUR);
    assert_eq!(sync.last("completed"), [1, 1, 1, 6]);
    consumer.read(&sync);
    consumer.has_all(&sync);
    consumer.changes.sort();
    assert_eq!(
        consumer.changes,
        ["added new", "deleted i005", "updated i003"]
    );
    sync.shop.borrow_mut().put(item("i005", "back"));
    sync.pass(HOUR);
    assert_eq!(sync.last("completed"), [1, 0, 0, 8]);
    consumer.read(&sync);
    consumer.has_all(&sync);
    assert_eq!(sync.names(), ["sync:completed"; 4]);
    let (_, payload) = sync.events().pop().unwrap();
    assert_eq!(
        (&payload["added"], &payload["cursor"]),
        (&json!(1), &json!(consumer.cursor))
    );
}

#[test]
fn a_record_that_moves_between_pages_is_not_missing() {
    let (sync, mut consumer) = (Sync::new(&with(&json!({})), items(9)), Consumer::new());
    sync.work();
    let first = sync.requests();
    // The last item moves to the front once the first page is read; one is gone for good.
    let moves = move |shop: &mut super::provider::Shop| {
        let last = shop.items.pop().unwrap();
        shop.items.insert(0, last);
    };
    sync.shop
        .borrow_mut()
        .happens
        .insert(first + 1, Box::new(moves));
    sync.pass(HOUR);
    assert_eq!(sync.last("completed")[2], 0);
    consumer.read(&sync);
    consumer.has_all(&sync);
    let now = sync.requests();
    // Deletions shift the later pages forward: an item is skipped.
    let removes = move |shop: &mut super::provider::Shop| {
        shop.items.remove(0);
    };
    sync.shop
        .borrow_mut()
        .happens
        .insert(now + 1, Box::new(removes));
    sync.pass(HOUR);
    let deleted = sync.last("completed")[2];
    assert_eq!(deleted, 0, "the run met it before it was gone");
    sync.pass(HOUR);
    assert_eq!(sync.last("completed")[2], 1);
    consumer.read(&sync);
    consumer.has_all(&sync);
}

#[test]
fn a_repeated_page_changes_nothing() {
    let (sync, mut consumer) = (Sync::new(&with(&json!({})), items(6)), Consumer::new());
    let page = json!({ "data": items(3) }).to_string();
    sync.shop
        .borrow_mut()
        .instead
        .insert(1, (200, vec![], page));
    sync.work();
    consumer.read(&sync);
    assert_eq!(
        consumer.changes.len(),
        consumer.records.len(),
        "none is reported twice"
    );
    sync.pass(HOUR);
    consumer.read(&sync);
    consumer.has_all(&sync);
}

/// One that would delete too much has read everything: planned runs ask for changes until the next one is due, or a
/// confirmation makes one.
#[test]
fn a_confirmation_reads_everything_and_a_suspicion_does_not_at_every_run() {
    let keys = json!({ "mode": "incremental", "modified_at": "at", "full_every": "1d", "deletions": "full", "max_deletions": 1,
        "query": { "since": "{{sync.since}}" } });
    let at = |n: u32| json!({ "id": format!("i{n}"), "at": "2023-11-14T10:00:00Z" });
    let sync = Sync::new(&with(&keys), (0..6).map(at).collect());
    sync.work();
    sync.shop.borrow_mut().items.truncate(3);
    let modes = |sync: &Sync| {
        let runs = sync
            .scene
            .get("/sync-run?sync=items&limit=1000")
            .expect(200);
        let runs = runs["result"].as_array().unwrap().clone();
        let full = runs.iter().filter(|run| run["mode"] == "full").count();
        (full, runs.len() - full)
    };
    for _ in 0..30 {
        sync.pass(HOUR);
    }
    let (full, others) = modes(&sync);
    assert!(
        full == 2 && others > 20,
        "{full} over everything, {others} others"
    );
    assert_eq!(sync.view()["records"], 6);
    let suspicious = sync
        .names()
        .iter()
        .filter(|name| *name == "sync:suspicious")
        .count();
    assert_eq!(suspicious, 1);
    for mode in [json!(null), json!("incremental")] {
        let mut body = json!({ "confirm_deletions": true });
        if mode.is_string() {
            body["mode"] = mode;
            sync.shop.borrow_mut().items.truncate(1);
        }
        assert_eq!(sync.run(&body)["mode"], "full");
        assert!(sync.last("completed")[2] > 1);
    }
    assert_eq!(sync.view()["records"], 1);
}
