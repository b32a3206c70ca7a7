//! A sync whose definition changes reads everything again.

use std::time::Duration;

use serde_json::{Value, json};

use super::consumer::Consumer;
use super::provider::{Sync, file, items, with};

const HOUR: Duration = Duration::from_hours(1);

fn incremental(keys: &Value) -> Value {
    let mut own = json!({ "mode": "incremental", "modified_at": "at", "full_every": "30d", "deletions": "full", "max_deletions": 9,
        "query": { "since": "{{sync.since}}", "team": "{{context.team}}", "key": "{{api_key}}" } });
    causeway::json::merge(&mut own, keys);
    with(&own)
}

fn dated() -> Vec<Value> {
    let at = |mut item: Value| {
        item["at"] = json!("2023-11-14T10:00:00Z");
        item
    };
    items(7).into_iter().map(at).collect()
}

/// A sync that has read everything once, and the mode of the run after a change.
fn mode_after(change: impl Fn(&Sync)) -> Value {
    let sync = Sync::new(&incremental(&json!({})), dated());
    sync.work();
    assert_eq!(sync.last("completed"), [7, 0, 0, 0]);
    change(&sync);
    sync.pass(HOUR * 2);
    sync.last("completed");
    let first = sync.scene.get("/sync-run?sync=items").expect(200)["result"].clone();
    let runs = first.as_array().unwrap();
    runs[runs.len() - 2]["mode"].clone()
}

#[test]
fn what_decides_the_records_makes_the_next_run_read_everything() {
    for (keys, mode) in [
        (json!({ "query": { "state": "all" } }), "full"),
        (json!({ "map": "{ \"id\": id }" }), "full"),
        (json!({ "record_id": "text" }), "full"),
        (json!({ "keep": "hashes", "events": "records" }), "full"),
        (
            json!({ "every": "30m", "overlap": "5m", "full_every": "9d" }),
            "incremental",
        ),
    ] {
        let found = mode_after(|sync| sync.scene.publish(&file(&incremental(&keys))));
        assert_eq!(found, mode, "{keys}");
    }
    let team = |sync: &Sync| {
        sync.scene
            .change_context("", &json!({ "team": "A" }))
            .expect(200)
    };
    assert_eq!(mode_after(|sync| drop(team(sync))), "full");
    let key = json!({ "api_key": "k2" });
    let renewed = |sync: &Sync| sync.scene.change_context("/credentials", &key).expect(200);
    assert_eq!(mode_after(|sync| drop(renewed(sync))), "incremental");
}

/// Even where a call asks for what changed.
#[test]
fn a_call_cannot_ask_for_changes_of_another_definition() {
    let sync = Sync::new(&incremental(&json!({ "every": null })), dated());
    sync.work();
    let keys = json!({ "every": null, "map": "{ \"id\": id }" });
    sync.scene.publish(&file(&incremental(&keys)));
    let run = sync.run(&json!({ "mode": "incremental" }));
    assert_eq!(run["mode"], "full");
    assert_eq!(sync.last("completed"), [0, 7, 0, 0]);
    let run = sync.run(&json!({ "mode": "incremental" }));
    assert_eq!(run["mode"], "incremental");
}

/// What the first pages had is no part of the new list, so that they are read again, and what they met does not count.
#[test]
fn a_run_under_way_begins_again() {
    let sync = Sync::new(&with(&json!({ "every": "1d" })), items(9));
    sync.world().answers_late(|_| Duration::from_secs(2));
    sync.kill_after(Duration::from_secs(5));
    let before = sync.view()["last_run"].clone();
    assert_eq!(before["status"], "running");
    let kept = sync.view()["records"].as_u64().unwrap();
    assert!((3..9).contains(&kept), "{kept}");
    let map = json!({ "every": "1d", "map": "{ \"id\": id, \"new\": true }" });
    sync.scene.publish(&file(&with(&map)));
    sync.shop.borrow_mut().remove("i000");
    sync.pass(HOUR);
    let run = sync.view()["last_run"].clone();
    assert_eq!(
        (&run["id"], &run["status"]),
        (&before["id"], &json!("completed"))
    );
    assert_eq!(run["deleted"], 1, "{run}");
    let mut consumer = Consumer::new();
    consumer.read(&sync);
    assert_eq!(consumer.records.len(), 8);
    assert!(
        consumer
            .records
            .values()
            .all(|record| record["new"] == true)
    );
}
