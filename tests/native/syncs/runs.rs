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
