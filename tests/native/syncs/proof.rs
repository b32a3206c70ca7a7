//! What proves that a list was read to its end: only then is missing what was not met.

use std::time::Duration;

use serde_json::{Value, json};

use super::provider::{Sync, file_with_total, item, items, with};

const HOUR: Duration = Duration::from_hours(1);

/// A sync of nine items, three a page, which has run once.
fn started(keys: &Value) -> Sync {
    let sync = Sync::new(&with(keys), items(9));
    sync.work();
    assert_eq!(sync.last("completed"), [9, 0, 0, 0]);
    sync
}

/// The next run with this answer in place of that of a request of it, from 0.
fn with_answer(sync: &Sync, number: usize, status: u16, body: &Value) -> Value {
    let request = sync.requests() + number;
    let answer = (status, vec![], body.to_string());
    sync.shop.borrow_mut().instead.insert(request, answer);
    sync.pass(HOUR);
    sync.view()["last_run"].clone()
}

#[test]
fn what_proves_no_end_deletes_nothing() {
    let first = json!({ "data": items(3) });
    for (what, number, answer) in [
        (
            "null in place of the list",
            0,
            json!({ "data": null, "errors": ["x"] }),
        ),
        ("no list", 1, json!({ "error": "x" })),
        ("the page before once more", 1, first),
    ] {
        let sync = started(&json!({}));
        let run = with_answer(&sync, number, 200, &answer);
        assert_eq!(run["status"], "completed", "{what}: {run}");
        assert_eq!(run["is_incomplete"], true, "{what}: {run}");
        assert_eq!(run["deleted"], 0, "{what}: {run}");
        sync.shop.borrow_mut().remove("i008");
        sync.pass(HOUR);
        assert_eq!(sync.last("completed"), [0, 0, 1, 8], "{what}");
    }
}

#[test]
fn an_empty_page_before_the_total_proves_no_end() {
    let sync = Sync::new(&with(&json!({})), items(9));
    sync.scene.publish(&file_with_total(&with(&json!({}))));
    sync.work();
    assert_eq!(sync.last("completed"), [9, 0, 0, 0]);
    for (status, answer) in [
        (200, json!({ "data": [], "total": 9 })),
        (200, json!({ "data": [] })),
        (404, json!({})),
    ] {
        let run = with_answer(&sync, 1, status, &answer);
        assert_eq!(run["status"], "completed", "{answer}: {run}");
        assert_eq!(run["is_incomplete"], true, "{answer}: {run}");
        assert_eq!(run["deleted"], 0, "{answer}: {run}");
    }
    sync.shop.borrow_mut().remove("i008");
    sync.pass(HOUR);
    assert_eq!(sync.last("completed"), [0, 0, 1, 8]);
}

#[test]
fn a_status_that_says_that_there_are_no_more_proves_the_end() {
    let sync = started(&json!({}));
    sync.shop.borrow_mut().remove("i004");
    // Behind the last page: the list is read twice, since something is missing.
    for number in [3, 6] {
        let request = sync.requests() + number;
        let answer = (404, vec![], "{}".to_owned());
        sync.shop.borrow_mut().instead.insert(request, answer);
    }
    sync.pass(HOUR);
    assert_eq!(sync.last("completed"), [0, 0, 1, 8]);
    assert_eq!(sync.view()["last_run"]["is_incomplete"], false);
}

#[test]
fn a_run_whose_args_narrow_it_deletes_nothing_and_moves_no_time() {
    let keys = json!({ "mode": "incremental", "modified_at": "at", "deletions": "full", "full_every": "30d",
        "query": { "since": "{{sync.since}}", "project": "{{sync.args.project}}" } });
    let at = |id: &str, time: &str| json!({ "id": id, "at": format!("2023-11-14T{time}Z") });
    let sync = Sync::new(&with(&keys), vec![at("a", "10:00:00"), at("b", "11:00:00")]);
    sync.work();
    assert_eq!(sync.last("completed"), [2, 0, 0, 0]);
    for mode in ["full", "incremental"] {
        let next = sync.requests();
        let narrow = json!({ "data": [at("c", "12:00:00")] }).to_string();
        sync.shop
            .borrow_mut()
            .instead
            .insert(next, (200, vec![], narrow));
        sync.run(&json!({ "mode": mode, "args": { "project": "A" } }));
        let run = sync.view()["last_run"].clone();
        assert_eq!(
            (&run["deleted"], &run["is_incomplete"]),
            (&json!(0), &json!(true)),
            "{run}"
        );
    }
    sync.shop.borrow_mut().put(at("c", "12:00:00"));
    sync.shop.borrow_mut().put(at("d", "11:30:00"));
    sync.pass(HOUR);
    assert_eq!(
        sync.last("completed")[0],
        1,
        "d changed before the narrow run saw c"
    );
    // `args` that no placeholder reads narrow nothing.
    let plain = started(&json!({}));
    plain.shop.borrow_mut().remove("i000");
    plain.run(&json!({ "args": { "project": "A" } }));
    assert_eq!(plain.last("completed"), [0, 0, 1, 8]);
}

#[test]
fn the_lists_of_records_that_are_not_all_known_are_not_all_the_lists() {
    let mut syncs = with(&json!({}));
    syncs["notes"] = json!({ "resource": "notes", "for_each": "items", "record_id": ["item", "nr"], "query": { "item": "{{sync.parent.id}}" } });
    let sync = Sync::new(&syncs, items(2));
    for id in ["i000", "i001"] {
        let notes = vec![json!({ "item": id, "nr": 1 })];
        sync.shop.borrow_mut().notes.insert(id.to_owned(), notes);
    }
    sync.work();
    sync.run_of("notes", &json!({}));
    assert_eq!(sync.view_of("notes")["records"], 2);
    sync.send("POST", "/sync/items/reset", &json!({}))
        .expect(200);
    sync.run_of("notes", &json!({}));
    assert_eq!(sync.last_of("notes", "completed")[2], 0);
    assert_eq!(sync.view_of("notes")["records"], 2);
    sync.shop.borrow_mut().remove("i001");
    sync.run(&json!({}));
    sync.run_of("notes", &json!({}));
    assert_eq!(sync.view_of("notes")["records"], 1);
}

/// A page that fails to be stored after its events is stored, with its events, by the next attempt.
#[test]
fn a_page_that_is_not_stored_loses_no_event() {
    let sync = Sync::new(
        &with(&json!({ "events": "records", "auto_start": false })),
        items(3),
    );
    sync.world()
        .storage_refuses(sync.scene.object(), "INSERT OR REPLACE INTO sync_record");
    sync.run(&json!({}));
    sync.pass(HOUR);
    assert_eq!(sync.view()["records"], 3);
    let created = sync
        .events()
        .into_iter()
        .filter(|(name, _)| name == "record:created");
    let ids: std::collections::BTreeSet<String> = created
        .map(|(_, event)| event["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
}

/// 8 MiB of records, and the page that goes over it, are one slice.
#[test]
fn a_slice_reads_so_many_bytes() {
    let text = "x".repeat(900_000);
    let large = (0..12).map(|n| item(&format!("i{n:03}"), &text)).collect();
    let keys = json!({ "query": { "limit": "1" } });
    let sync = Sync::new(&with(&keys), large);
    let world = sync.world();
    futures::executor::block_on(world.run_passing(world.ring_alarms()));
    assert_eq!(sync.requests(), 10);
    sync.work();
    assert_eq!(sync.last("completed"), [12, 0, 0, 0]);
}
