//! Cursors and the deletions that are no longer known.

use std::time::Duration;

use serde_json::{Value, json};

use super::consumer::Consumer;
use super::provider::{Sync, items, with};

/// A sync of so many items, whose tombstone of one was trimmed.
fn trimmed(count: usize) -> Sync {
    let keys = json!({ "every": "20d", "query": { "limit": "600" } });
    let sync = Sync::new(&with(&keys), items(count));
    sync.work();
    sync.shop.borrow_mut().remove("i002");
    sync.pass(Duration::from_hours(24 * 21));
    assert_eq!(sync.last("completed")[2], 1);
    sync.pass(Duration::from_hours(24 * 31));
    assert_eq!(
        sync.scene.get("/record/i002?sync=items").code(404),
        "caller.not_found"
    );
    sync
}

#[test]
fn a_reading_from_the_start_does_not_expire_by_deletions_before_it() {
    let sync = trimmed(14);
    let mut consumer = Consumer::new();
    consumer.read(&sync);
    consumer.has_all(&sync);
    let path = "/record?sync=items&limit=4";
    let page = sync.scene.get(path).expect(200);
    let cursor = page["next_cursor"].as_str().unwrap();
    assert_eq!(cursor.split('.').count(), 3, "{cursor}");
    let plain = cursor.rsplit_once('.').unwrap().0;
    let after = |cursor: &str| sync.scene.get(&format!("{path}&after={cursor}"));
    assert_eq!(after(plain).code(410), "caller.cursor_expired");
    assert_eq!(after(&format!("{plain}.99")).code(400), "caller.bad_cursor");
    // What is deleted while the reading goes on expires it.
    sync.shop.borrow_mut().remove("i000");
    sync.run(&json!({}));
    sync.pass(Duration::from_hours(24 * 31));
    assert_eq!(after(cursor).code(410), "caller.cursor_expired");
}

#[test]
fn lines_from_the_start_do_not_expire_by_deletions_before_them() {
    let sync = trimmed(1_102);
    let client = &sync.scene.setting.client;
    let path = sync.scene.path("/record?sync=items");
    let answer = client.request(
        "GET",
        &path,
        &[("x-all-pages", "true")],
        causeway::ports::Body::from_bytes(""),
    );
    let text = answer.text().to_owned();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 1_102, "{:?}", lines.last());
}
