//! Lists that are read for each record of another sync.

use std::time::Duration;

use serde_json::{Value, json};

use super::provider::{Sync, items, with};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// The notes of items, with these keys. Only calls start both syncs.
fn notes_of_items(keys: &Value) -> Value {
    let mut syncs = with(&json!({ "auto_start": false, "every": null }));
    let mut notes = json!({ "resource": "notes", "for_each": "items", "record_id": ["item", "nr"], "auto_start": false,
        "query": { "item": "{{sync.parent.id}}", "limit": "2" } });
    causeway::json::merge(&mut notes, keys);
    syncs["notes"] = notes;
    syncs
}

fn note(item: &str, nr: u64, at: &str) -> Value {
    json!({ "item": item, "nr": nr, "at": format!("2023-11-14T{at}:00Z") })
}

fn has_notes(sync: &Sync, item: &str, notes: Vec<Value>) {
    let mut shop = sync.shop.borrow_mut();
    shop.notes.insert(item.to_owned(), notes);
}

/// The ids of the notes that are kept.
fn kept(sync: &Sync) -> Vec<String> {
    let statement = "SELECT id FROM sync_record WHERE change < 2 AND id LIKE '%:%' ORDER BY id";
    let rows = sync.world().select(sync.scene.object(), statement);
    rows.iter()
        .map(|row| row[0].as_text().unwrap().to_owned())
        .collect()
}

/// Runs the items, and then the notes.
fn run_both(sync: &Sync) {
    sync.run(&json!({}));
    sync.last("completed");
    sync.world().pass(MINUTE);
    sync.run_of("notes", &json!({}));
    sync.last_of("notes", "completed");
}

fn incremental() -> Value {
    json!({ "mode": "incremental", "modified_at": "at", "query": { "since": "{{sync.since}}" } })
}

/// A record that becomes known later has a list that no run has read: what is in it may be old.
#[test]
fn the_list_of_a_record_that_is_new_is_read_from_its_beginning() {
    let sync = Sync::new(&notes_of_items(&incremental()), items(1));
    has_notes(
        &sync,
        "i000",
        vec![note("i000", 0, "10:00"), note("i000", 1, "11:00")],
    );
    run_both(&sync);
    sync.shop.borrow_mut().items = items(2);
    let old = (0..3).map(|nr| note("i001", nr, "09:00")).collect();
    has_notes(&sync, "i001", old);
    run_both(&sync);
    assert_eq!(sync.view_of("notes")["last_run"]["mode"], "incremental");
    assert_eq!(
        kept(&sync),
        ["i000:0", "i000:1", "i001:0", "i001:1", "i001:2"]
    );
    // From then on its changes are enough.
    sync.world().pass(MINUTE);
    let before = sync.requests();
    sync.run_of("notes", &json!({}));
    let asked = sync.shop.borrow().requests[before..].to_vec();
    assert!(
        asked.iter().all(|url| url.as_str().contains("since=")),
        "{asked:?}"
    );
    // One that is deleted and comes back is new again.
    sync.shop.borrow_mut().items = items(1);
    sync.run(&json!({}));
    sync.world().pass(MINUTE);
    sync.shop.borrow_mut().items = items(2);
    has_notes(&sync, "i001", vec![note("i001", 7, "08:00")]);
    run_both(&sync);
    assert!(kept(&sync).contains(&"i001:7".to_owned()));
}

/// What changed is another list: a record that is new is not read from it.
#[test]
fn the_list_of_a_record_that_is_new_is_not_the_one_of_changes() {
    let mut keys = incremental();
    keys["query"] = json!({});
    keys["incremental"] = json!({ "resource": "notes", "query": {
        "item": "{{sync.parent.id}}", "since": "{{sync.since}}", "changes": "true" } });
    let sync = Sync::new(&notes_of_items(&keys), items(1));
    has_notes(&sync, "i000", vec![note("i000", 0, "10:00")]);
    run_both(&sync);
    sync.world().pass(MINUTE);
    sync.shop.borrow_mut().items = items(2);
    has_notes(&sync, "i001", vec![note("i001", 0, "09:00")]);
    let before = sync.requests();
    run_both(&sync);
    assert_eq!(kept(&sync), ["i000:0", "i001:0"]);
    let mut asked: Vec<bool> = sync.shop.borrow().requests[before..]
        .iter()
        .filter(|url| url.path().starts_with("/notes"))
        .map(|url| url.as_str().contains("changes=true"))
        .collect();
    asked.dedup();
    assert_eq!(asked, [true, false]);
}

/// The other sync is reset while the lists of its records are read.
#[test]
fn what_hangs_on_records_that_are_forgotten_in_the_middle_of_a_run_stays() {
    let sync = Sync::new(&notes_of_items(&json!({})), items(3));
    for item in ["i000", "i001", "i002"] {
        has_notes(&sync, item, vec![note(item, 0, "10:00")]);
    }
    run_both(&sync);
    assert_eq!(kept(&sync).len(), 3);
    sync.world().answers_late(|_| Duration::from_secs(2));
    sync.send("POST", "/sync/notes/run", &json!({})).expect(202);
    sync.kill_after(Duration::from_secs(3));
    assert_eq!(sync.view_of("notes")["last_run"]["status"], "running");
    sync.send("POST", "/sync/items/reset", &json!({}))
        .expect(200);
    sync.pass(MINUTE);
    assert_eq!(sync.last_of("notes", "completed")[2], 0);
    assert_eq!(sync.view_of("notes")["last_run"]["is_incomplete"], true);
    assert_eq!(kept(&sync).len(), 3);
    // A whole run finds all the same what is missing.
    sync.shop.borrow_mut().remove("i001");
    run_both(&sync);
    assert_eq!(kept(&sync), ["i000:0", "i002:0"]);
}

#[test]
fn a_list_that_is_always_refused_ends_the_run() {
    let sync = Sync::new(&notes_of_items(&json!({})), items(3));
    for item in ["i000", "i001", "i002"] {
        has_notes(
            &sync,
            item,
            (0..4).map(|nr| note(item, nr, "10:00")).collect(),
        );
    }
    sync.run(&json!({}));
    sync.shop.borrow_mut().refuses = Some(("notes/i001", 403));
    sync.run_of("notes", &json!({}));
    for _ in 0..4 {
        assert_eq!(sync.view_of("notes")["last_run"]["status"], "running");
        sync.pass(HOUR * 2);
    }
    assert_eq!(sync.last_of("notes", "failed")[0], 4);
    let names = sync.names();
    assert_eq!(
        names.iter().filter(|name| *name == "sync:failed").count(),
        1
    );
    let of_first = sync
        .shop
        .borrow()
        .requests
        .iter()
        .filter(|url| url.as_str().contains("notes/i000"))
        .count();
    assert_eq!(of_first, 3, "the lists before are not read again");
}
