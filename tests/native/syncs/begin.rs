//! When a sync begins, and what an account pays whose syncs do not.

use std::time::Duration;

use serde_json::{Value, json};

use super::provider::{Sync, file, items, with};

const HOUR: Duration = Duration::from_hours(1);

fn has_tables(sync: &Sync) -> bool {
    let statement = "SELECT name FROM sqlite_master WHERE name = 'sync'";
    let rows = sync.world().select(sync.scene.object(), statement);
    !rows.is_empty()
}

fn call(sync: &Sync) {
    let path = sync.scene.path("/proxy/items?limit=1");
    sync.scene.setting.client.get(&path).expect(200);
    sync.work();
}

#[test]
fn a_sync_that_waits_for_a_call_has_no_table_and_no_alarm() {
    let keys = json!({ "auto_start": false, "on_events": ["item:changed"] });
    let sync = Sync::new(&with(&keys), items(2));
    sync.work();
    call(&sync);
    sync.pass(HOUR);
    let view = sync.view();
    assert_eq!(
        (&view["records"], &view["next_run_at"]),
        (&json!(0), &Value::Null)
    );
    assert!(!has_tables(&sync));
    assert_eq!(sync.requests(), 1, "the call's own");
    sync.run(&json!({}));
    assert!(has_tables(&sync));
    assert_eq!(sync.last("completed"), [2, 0, 0, 0]);
    sync.pass(HOUR);
    assert_eq!(sync.last("completed"), [0, 0, 0, 2], "its schedule goes on");
}

#[test]
fn a_file_that_gets_a_sync_starts_it_with_the_next_call() {
    let sync = Sync::new(&json!({}), items(2));
    sync.work();
    sync.scene.publish(&file(&with(&json!({}))));
    call(&sync);
    assert_eq!(sync.last("completed"), [2, 0, 0, 0]);
}

#[test]
fn an_override_starts_a_sync_that_is_known_already() {
    let sync = Sync::new(&with(&json!({ "auto_start": false })), items(2));
    sync.scene.get("/record?sync=items").expect(200);
    assert!(has_tables(&sync));
    sync.pass(HOUR);
    assert_eq!(sync.requests(), 0);
    let change = json!({ "syncs": { "items": { "auto_start": true } } });
    sync.scene.override_account(&change).expect(200);
    sync.work();
    assert_eq!(sync.last("completed"), [2, 0, 0, 0]);
}

#[test]
fn an_account_takes_a_schedule_and_gives_it_back() {
    let sync = Sync::new(&with(&json!({ "every": "1d" })), items(2));
    sync.work();
    let change =
        |body: &Value| sync.send("PATCH", "/sync/items", body).expect(200)["schedule"].clone();
    assert_eq!(change(&json!({ "every": "2h" })), "every 2h");
    assert_eq!(change(&json!({ "is_paused": false })), "every 2h");
    assert_eq!(change(&json!({ "cron": null })), "every 1d");
    let next = sync.view()["next_run_at"].clone();
    assert_ne!(next, Value::Null);
    let waiting = Sync::new(&with(&json!({ "auto_start": false })), items(2));
    waiting
        .send("PATCH", "/sync/items", &json!({ "every": null }))
        .expect(200);
    assert_eq!(
        waiting.view()["next_run_at"],
        Value::Null,
        "null starts nothing"
    );
}
