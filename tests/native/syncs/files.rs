//! Syncs that a file gets, loses and has again.

use std::time::Duration;

use serde_json::{Value, json};

use super::consumer::Consumer;
use super::provider::{Sync, file, items, with};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

impl Sync {
    fn publish(&self, syncs: &Value) {
        self.scene.publish(&file(syncs));
    }

    fn kept(&self) -> usize {
        self.scene.rows("sync_record")
    }
}

#[test]
fn a_sync_that_a_file_gets_is_there_at_the_next_call() {
    let sync = Sync::new(&json!({}), items(2));
    sync.work();
    sync.publish(&with(&json!({})));
    assert_eq!(sync.view()["last_run"], json!(null));
    let other = Sync::new(&json!({}), items(2));
    other.work();
    other.publish(&with(&json!({})));
    let run = other.run(&json!({}));
    assert_eq!(run["status"], "running");
    for sync in [sync, other] {
        sync.work();
        assert_eq!(sync.last("completed"), [2, 0, 0, 0]);
    }
}

#[test]
fn a_sync_that_a_file_loses_loses_its_records() {
    let sync = Sync::new(&with(&json!({})), items(5));
    sync.work();
    let mut consumer = Consumer::new();
    consumer.read(&sync);
    sync.publish(&json!({}));
    assert_eq!(sync.kept(), 5);
    assert_eq!(
        sync.scene.get("/record?sync=items").code(404),
        "caller.not_found"
    );
    let requests = sync.requests();
    sync.pass(HOUR);
    assert_eq!(sync.kept(), 0);
    assert_eq!(sync.scene.rows("sync_run"), 0);
    assert_eq!(sync.scene.get("/sync").expect(200), json!({ "result": [] }));
    assert_eq!(sync.requests(), requests);
    // The file has it again: it begins from nothing, and a cursor of before is refused.
    sync.shop.borrow_mut().remove("i001");
    sync.publish(&with(&json!({})));
    sync.scene.get("/sync").expect(200);
    sync.work();
    assert_eq!(sync.last("completed"), [4, 0, 0, 0]);
    assert_eq!(sync.view()["records"], 4);
    let path = format!("/record?sync=items&after={}", consumer.cursor);
    assert_eq!(sync.scene.get(&path).code(410), "caller.cursor_expired");
    let mut again = Consumer {
        revision: consumer.revision,
        ..Consumer::new()
    };
    again.read(&sync);
    again.has_all(&sync);
}

/// Two pieces, of which the first is refused once.
#[test]
fn many_records_are_deleted_in_pieces() {
    let keys = with(&json!({ "query": { "limit": "1000" } }));
    let sync = Sync::new(&keys, items(2_001));
    sync.work();
    assert_eq!(sync.kept(), 2_001);
    sync.publish(&json!({}));
    let refuse = || {
        let object = sync.scene.object();
        sync.world()
            .storage_refuses(object, "DELETE FROM sync_record WHERE key");
        sync.scene.get("/sync").expect(200);
        sync.work();
    };
    refuse();
    assert_eq!(sync.kept(), 2_001);
    sync.pass(MINUTE);
    assert_eq!(sync.kept(), 0);
    // A sync that comes back while its records are deleted keeps none of them.
    sync.publish(&keys);
    sync.scene.get("/sync").expect(200);
    sync.work();
    assert_eq!(sync.kept(), 2_001);
    sync.publish(&json!({}));
    refuse();
    sync.shop.borrow_mut().items.truncate(3);
    sync.publish(&keys);
    sync.scene.get("/sync").expect(200);
    sync.pass(MINUTE);
    let mut consumer = Consumer::new();
    consumer.read(&sync);
    consumer.has_all(&sync);
    assert_eq!(sync.view()["records"], 3);
}

#[test]
fn a_run_ends_where_the_file_loses_its_sync() {
    let sync = Sync::new(&with(&json!({})), items(9));
    sync.world().answers_late(|_| Duration::from_secs(2));
    sync.kill_after(Duration::from_secs(3));
    assert!((1..9).contains(&sync.kept()));
    sync.publish(&json!({}));
    sync.pass(HOUR);
    assert_eq!(sync.kept(), 0);
    let run = sync.send("POST", "/sync/items/run", &json!({}));
    assert_eq!(run.code(404), "caller.not_found");
}

#[test]
fn a_file_has_so_many_syncs_and_no_more() {
    let sync = Sync::new(&json!({}), Vec::new());
    for (count, status) in [(20, 200), (21, 422)] {
        let syncs = (0..count).map(|n| (format!("s{n}"), with(&json!({}))["items"].clone()));
        let file = file(&Value::Object(syncs.collect()));
        let admin = &sync.scene.setting.admin;
        let answer = admin.send("PUT", "/integration/synced", &file);
        assert_eq!(answer.status, status, "{count}: {}", answer.text());
    }
}

/// Has the file had so many syncs, of which none is left.
fn with_former(count: usize) -> Sync {
    let sync = Sync::new(&json!({}), items(2));
    let waiting = with(&json!({ "auto_start": false }))["items"].clone();
    let names: Vec<String> = (0..count).map(|n| format!("former{n}")).collect();
    for names in names.chunks(20) {
        let syncs = names.iter().map(|name| (name.clone(), waiting.clone()));
        sync.publish(&Value::Object(syncs.collect()));
        for name in names {
            sync.scene.get(&format!("/record?sync={name}")).expect(200);
        }
    }
    sync.publish(&json!({}));
    sync.pass(HOUR);
    assert_eq!(sync.scene.rows("sync"), count);
    sync
}

#[test]
fn an_account_has_so_many_syncs_former_ones_counted_and_the_others_go_on() {
    let one = with(&json!({}))["items"].clone();
    let sync = with_former(253);
    sync.publish(&json!({ "a": one, "b": one }));
    sync.scene.get("/sync").expect(200);
    sync.work();
    for name in ["a", "b"] {
        assert_eq!(sync.last_of(name, "completed"), [2, 0, 0, 0], "{name}");
    }
    sync.publish(&json!({ "a": one, "above": one, "b": one, "former0": one }));
    sync.pass(HOUR);
    for name in ["a", "b"] {
        assert_eq!(sync.last_of(name, "completed"), [0, 0, 0, 2], "{name}");
    }
    assert_eq!(sync.last_of("former0", "completed"), [2, 0, 0, 0]);
    assert_eq!(sync.view_of("above")["last_run"], Value::Null);
    let run = sync.send("POST", "/sync/above/run", &json!({}));
    assert_eq!(run.code(409), "account.sync_limit");
    assert_eq!(
        sync.scene.get("/record?sync=above").code(409),
        "account.sync_limit"
    );
    assert_eq!(sync.scene.rows("sync"), 255);
}
