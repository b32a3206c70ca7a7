//! What a run reads, and what says that a record is gone.

use std::time::Duration;

use causeway::ports::System;
use serde_json::{Value, json};

use super::consumer::Consumer;
use super::provider::{Sync, items, with};

const HOUR: Duration = Duration::from_hours(1);

#[test]
fn a_record_or_a_list_can_say_what_is_gone() {
    let by_path = with(&json!({ "deletions": { "path": "archived" } }));
    let by_rule = with(&json!({ "deletions": { "expression": "archived = true" } }));
    for syncs in [by_path, by_rule] {
        let (sync, mut consumer) = (Sync::new(&syncs, items(4)), Consumer::new());
        sync.work();
        consumer.read(&sync);
        sync.shop
            .borrow_mut()
            .put(json!({ "id": "i001", "archived": true }));
        sync.shop.borrow_mut().remove("i002");
        sync.pass(HOUR);
        assert_eq!(sync.last("completed"), [0, 0, 1, 2]);
        consumer.read(&sync);
        assert_eq!(consumer.changes, ["deleted i001"], "i002 said nothing");
    }
    let list = json!({ "resource": "items", "method": "deleted", "record_id": "nr" });
    let (sync, mut consumer) = (
        Sync::new(&with(&json!({ "deletions": list })), items(4)),
        Consumer::new(),
    );
    sync.shop.borrow_mut().gone = vec![json!({ "nr": "i003" }), json!({ "nr": "unknown" })];
    sync.work();
    assert_eq!(sync.last("completed"), [4, 0, 1, 0]);
    consumer.read(&sync);
    assert_eq!(consumer.records.len(), 3);
}

#[test]
fn an_incremental_sync_asks_for_what_changed() {
    let keys = json!({ "mode": "incremental", "modified_at": "at", "query": { "since": "{{sync.since}}" }, "overlap": "10m",
        "full_every": "1d", "deletions": "full" });
    let at = |id: &str, time: &str| json!({ "id": id, "at": format!("2023-11-14T{time}.000Z") });
    let (sync, mut consumer) = (
        Sync::new(&with(&keys), vec![at("a", "10:00:00"), at("b", "11:00:00")]),
        Consumer::new(),
    );
    sync.work();
    assert_eq!(sync.view()["last_run"]["mode"], "full");
    assert!(!sync.shop.borrow().requests[0].as_str().contains("since"));
    sync.shop.borrow_mut().put(at("c", "10:55:00"));
    sync.shop.borrow_mut().put(at("d", "10:40:00"));
    sync.shop.borrow_mut().remove("a");
    sync.pass(HOUR);
    assert_eq!(sync.view()["last_run"]["mode"], "incremental");
    let asked = sync.shop.borrow().requests.last().unwrap().clone();
    assert!(
        asked
            .query_pairs()
            .any(|pair| pair == ("since".into(), "2023-11-14T10:50:00.000Z".into())),
        "{asked}"
    );
    assert_eq!(
        sync.last("completed"),
        [1, 0, 0, 1],
        "c came within the overlap; d and the deletion are not seen"
    );
    for _ in 0..24 {
        sync.pass(HOUR);
    }
    consumer.read(&sync);
    consumer.has_all(&sync);
}

#[test]
fn a_checkpoint_is_given_to_the_next_run_and_may_expire() {
    let keys = json!({ "mode": "incremental", "query": { "token": "{{sync.checkpoint.token}}" }, "checkpoint": "{ \"token\": body.token }" });
    let sync = Sync::new(&with(&keys), items(4));
    sync.shop.borrow_mut().token = 7;
    sync.work();
    let tokens = |sync: &Sync| {
        let shop = sync.shop.borrow();
        let last = shop.requests.last().unwrap().clone();
        last.query_pairs()
            .find(|(name, _)| name == "token")
            .map(|(_, token)| token.into_owned())
    };
    assert_eq!(tokens(&sync), None);
    sync.shop.borrow_mut().token = 8;
    sync.pass(HOUR);
    assert_eq!(tokens(&sync).as_deref(), Some("t7"));
    let next = sync.requests();
    sync.shop
        .borrow_mut()
        .instead
        .insert(next, (410, vec![], "{}".to_owned()));
    sync.pass(HOUR);
    assert_eq!(
        tokens(&sync),
        None,
        "the expired token is dropped, and everything is read"
    );
    assert_eq!(sync.last("completed"), [0, 0, 0, 4]);
    assert_eq!(sync.view()["last_run"]["mode"], "full");
}

#[test]
fn a_list_is_read_for_each_record_of_another_sync() {
    let mut syncs = with(&json!({}));
    syncs["notes"] = json!({ "resource": "notes", "for_each": "items", "record_id": ["item", "nr"], "every": "1h",
        "query": { "item": "{{sync.parent.id}}", "limit": "2" } });
    let sync = Sync::new(&syncs, items(3));
    let note = |item: &str, nr: u64| json!({ "item": item, "nr": nr });
    {
        let mut shop = sync.shop.borrow_mut();
        shop.notes.insert(
            "i000".to_owned(),
            (0..3).map(|nr| note("i000", nr)).collect(),
        );
        shop.notes.insert("i001".to_owned(), vec![]);
        shop.notes.insert("i002".to_owned(), vec![note("i002", 0)]);
    }
    sync.work();
    sync.run_of("notes", &json!({}));
    let view = sync.view_of("notes");
    assert_eq!(view["records"], 4, "{view}");
    // That the provider refuses the list of a record proves nothing; that the record is gone does.
    sync.shop.borrow_mut().notes.remove("i002");
    sync.run_of("notes", &json!({}));
    assert_eq!(sync.last_of("notes", "completed")[2], 0);
    assert_eq!(sync.view_of("notes")["last_run"]["is_incomplete"], true);
    sync.shop.borrow_mut().remove("i002");
    sync.run(&json!({}));
    sync.run_of("notes", &json!({}));
    assert_eq!(sync.last_of("notes", "completed")[2], 1);
    let mut consumer = Consumer {
        sync: "notes".to_owned(),
        ..Consumer::default()
    };
    consumer.read(&sync);
    let ids: Vec<&String> = consumer.records.keys().collect();
    assert_eq!(ids, ["i000:0", "i000:1", "i000:2"]);
}

const AT: &str = "2023-11-14T10:00:00Z";

/// Changes are read from another list than everything, since `at`.
fn with_changes(keys: &Value) -> Value {
    let mut own = json!({ "mode": "incremental", "modified_at": "at", "full_every": "30d", "deletions": "full",
        "incremental": { "resource": "items", "method": "changed", "query": { "limit": "3", "since": "{{sync.since}}" } } });
    causeway::json::merge(&mut own, keys);
    with(&own)
}

fn changed(id: &str, at: &str) -> Value {
    json!({ "id": id, "at": at })
}

#[test]
fn what_changed_can_be_another_list() {
    let sync = Sync::new(&with_changes(&json!({})), vec![changed("a", AT)]);
    sync.work();
    assert_eq!(sync.shop.borrow().requests[0].path(), "/items");
    sync.shop
        .borrow_mut()
        .put(changed("b", "2023-11-14T11:00:00Z"));
    sync.shop.borrow_mut().remove("a");
    sync.pass(HOUR);
    let asked = sync.shop.borrow().requests.last().unwrap().clone();
    assert_eq!(asked.path(), "/changed");
    assert!(
        asked.as_str().contains("since=2023-11-14T09%3A59%3A00Z"),
        "{asked}"
    );
    assert_eq!(sync.last("completed"), [1, 0, 0, 0]);
    assert_eq!(sync.view()["last_run"]["mode"], "incremental");
}

/// A list of changes can have an end that is nearer than their number: <https://developers.hubspot.com> says 10,000.
#[test]
fn a_list_of_changes_that_is_refused_leads_to_a_run_over_everything() {
    for status in [400, 404, 410] {
        let (sync, mut consumer) = (
            Sync::new(&with_changes(&json!({})), vec![changed("a", AT)]),
            Consumer::new(),
        );
        sync.work();
        sync.shop.borrow_mut().remove("a");
        sync.shop.borrow_mut().put(changed("b", AT));
        let next = sync.requests();
        sync.shop
            .borrow_mut()
            .instead
            .insert(next, (status, vec![], "{}".to_owned()));
        sync.pass(HOUR);
        assert_eq!(sync.view()["last_run"]["mode"], "full", "{status}");
        assert_eq!(sync.last("completed"), [1, 0, 1, 0], "{status}");
        consumer.read(&sync);
        consumer.has_all(&sync);
    }
}

/// A record that was read and changes while the run reads other pages is older than what the run sees last.
#[test]
fn what_changes_behind_a_run_is_read_by_the_next_one() {
    let all: Vec<Value> = (0..6).map(|n| changed(&format!("i{n}"), AT)).collect();
    let sync = Sync::new(
        &with_changes(&json!({ "auto_start": false, "every": null })),
        all,
    );
    let begin = sync.world().now();
    let at = |minutes| begin.plus(Duration::from_mins(minutes)).to_string();
    let (early, late) = (at(5), at(10));
    let changes = move |shop: &mut super::provider::Shop| {
        shop.put(changed("i0", &early));
        shop.put(changed("i5", &late));
    };
    sync.shop.borrow_mut().happens.insert(1, Box::new(changes));
    sync.run(&json!({}));
    sync.run(&json!({}));
    assert_eq!(sync.view()["last_run"]["mode"], "incremental");
    assert_eq!(sync.last("completed")[1], 1, "i0");
    let mut consumer = Consumer::new();
    consumer.read(&sync);
    consumer.has_all(&sync);
}

#[test]
fn a_record_that_says_nothing_can_be_missing_all_the_same() {
    for (full, deleted) in [(false, 0), (true, 1)] {
        let keys = json!({ "mode": "incremental", "query": { "token": "{{sync.checkpoint.token}}" }, "checkpoint": "{ \"token\": body.token }",
            "deletions": { "path": "archived", "full": full } });
        let sync = Sync::new(&with(&keys), items(5));
        sync.work();
        sync.shop
            .borrow_mut()
            .put(json!({ "id": "i001", "archived": true }));
        sync.pass(HOUR);
        assert_eq!(sync.last("completed")[2], 1);
        sync.shop.borrow_mut().remove("i003");
        let next = sync.requests();
        let gone = (410, vec![], "{}".to_owned());
        sync.shop.borrow_mut().instead.insert(next, gone);
        sync.pass(HOUR);
        assert_eq!(sync.last("completed")[2], deleted, "{full}");
    }
}

#[test]
fn a_record_of_another_sync_that_is_gone_ends_its_list_alone() {
    let mut syncs = with(&json!({}));
    syncs["notes"] = json!({ "resource": "notes", "for_each": "items", "record_id": ["item", "nr"], "mode": "incremental", "modified_at": "at",
        "query": { "item": "{{sync.parent.id}}", "since": "{{sync.since}}" } });
    let sync = Sync::new(&syncs, items(2));
    let note = |item: &str| json!({ "item": item, "nr": 1, "at": AT });
    for item in ["i000", "i001"] {
        let notes = vec![note(item)];
        sync.shop.borrow_mut().notes.insert(item.to_owned(), notes);
    }
    sync.work();
    sync.run_of("notes", &json!({}));
    sync.shop.borrow_mut().notes.remove("i000");
    sync.run_of("notes", &json!({}));
    assert_eq!(sync.last_of("notes", "completed"), [0, 0, 0, 1]);
    assert_eq!(sync.view_of("notes")["last_run"]["mode"], "incremental");
}

#[test]
fn a_checkpoint_has_so_many_bytes_and_no_more() {
    let keys = with(&json!({ "checkpoint": "{ \"token\": body.token }" }));
    let head = json!({ "token": "" }).to_string().len();
    for (bytes, status) in [(65_536, "completed"), (65_537, "running")] {
        let sync = Sync::new(&keys, Vec::new());
        let page = json!({ "data": items(1), "token": "x".repeat(bytes - head) });
        let answer = (200, vec![], page.to_string());
        sync.shop.borrow_mut().instead.insert(0, answer.clone());
        sync.shop.borrow_mut().instead.insert(1, answer);
        sync.work();
        let run = &sync.view()["last_run"];
        assert_eq!(run["status"], status, "{bytes}");
        assert_eq!(run["error"].is_null(), status == "completed", "{bytes}");
    }
}
