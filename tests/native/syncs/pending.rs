//! Events that are not delivered: a sync with an event for each record waits.

use std::time::Duration;

use serde_json::{Value, json};

use super::provider::{Sync, items, with};

const MINUTE: Duration = Duration::from_mins(1);

/// A sync of so many records, a thousand a page, after a run; the one subscription is paused.
fn with_paused(count: usize, events: &str) -> (Sync, Value) {
    let keys = json!({ "query": { "limit": "1000" }, "events": events, "auto_start": false, "every": null });
    let sync = Sync::new(&with(&keys), items(count));
    sync.work();
    let body = json!({ "target_url": "https://app.example/hook", "is_active": false });
    let client = &sync.scene.setting.client;
    let webhook = client.post("/webhook", &body).expect(201);
    sync.run(&json!({}));
    (sync, webhook)
}

#[test]
fn a_sync_waits_while_too_many_of_its_events_are_pending() {
    let (sync, _) = with_paused(9_999, "records");
    assert_eq!(sync.last("completed"), [9_999, 0, 0, 0]);
    let (sync, webhook) = with_paused(11_000, "records");
    for _ in 0..3 {
        assert_eq!(sync.view()["records"], 10_000);
        assert_eq!(sync.view()["last_run"]["status"], "running");
        assert_eq!(sync.requests(), 10);
        sync.pass(MINUTE);
    }
    let path = format!("/webhook/{}", webhook["id"].as_str().unwrap());
    sync.scene.setting.client.delete(&path).expect(200);
    for _ in 0..5 {
        sync.pass(MINUTE);
    }
    assert_eq!(sync.last("completed"), [11_000, 0, 0, 0]);
}

#[test]
fn a_sync_without_events_of_records_does_not_wait() {
    let (sync, _) = with_paused(11_000, "runs");
    assert_eq!(sync.last("completed"), [11_000, 0, 0, 0]);
}
