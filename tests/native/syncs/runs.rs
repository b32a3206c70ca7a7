//! Runs and what they find.

use std::time::Duration;

use serde_json::{Value, json};

use super::provider::{Consumer, Sync, item, items, with};

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
fn the_order_of_keys_is_no_change_and_the_record_is_as_it_was_written() {
    let odd = r#"{"data":[{"id":"a","n":1.50,"big":12345678901234567890,"x":{"b":1,"a":[ ]}}]}"#;
    let same = r#"{"data":[{"x":{"a":[],"b":1},"big":12345678901234567890,"n":1.5,"id":"a"}]}"#;
    let sync = Sync::new(&with(&json!({})), Vec::new());
    sync.shop
        .borrow_mut()
        .instead
        .insert(0, (200, vec![], odd.to_owned()));
    sync.work();
    let feed = sync.scene.get("/record?sync=items");
    let text = feed.text().to_owned();
    assert!(
        text.contains(r#"{"id":"a","n":1.50,"big":12345678901234567890,"x":{"b":1,"a":[ ]}}"#),
        "{text}"
    );
    let next = sync.requests();
    sync.shop
        .borrow_mut()
        .instead
        .insert(next, (200, vec![], same.to_owned()));
    sync.pass(HOUR);
    assert_eq!(sync.last("completed"), [0, 0, 0, 1]);
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

#[test]
fn what_is_mapped_is_what_is_kept() {
    let map = json!({ "map": "text = \"first\" ? { \"id\": id, \"size\": 1 }" });
    let (sync, mut consumer) = (Sync::new(&with(&map), items(4)), Consumer::new());
    sync.shop.borrow_mut().put(item("i000", "dropped"));
    sync.work();
    assert_eq!(sync.last("completed"), [3, 0, 0, 0]);
    consumer.read(&sync);
    assert_eq!(consumer.records["i001"], json!({ "id": "i001", "size": 1 }));
    sync.shop.borrow_mut().put(item("i001", "dropped"));
    sync.shop
        .borrow_mut()
        .put(json!({ "id": "i002", "text": "first", "noise": 1 }));
    sync.pass(HOUR);
    assert_eq!(sync.last("completed"), [0, 0, 1, 2]);
    consumer.read(&sync);
    assert_eq!(consumer.changes, ["deleted i001"]);
}

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
    // A record that is gone takes what belongs to it along.
    sync.shop.borrow_mut().notes.remove("i002");
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

#[test]
fn with_hashes_alone_the_event_has_the_record() {
    let keys = json!({ "keep": "hashes", "events": "records" });
    let sync = Sync::new(&with(&keys), items(2));
    sync.work();
    let records: Vec<(String, Value)> = sync.events();
    let names: Vec<&str> = records.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["record:created", "record:created", "sync:completed"]
    );
    assert_eq!(records[0].1["record"], item("i000", "first"));
    sync.shop.borrow_mut().put(item("i001", "second"));
    sync.shop.borrow_mut().remove("i000");
    sync.pass(HOUR);
    let mut names = sync.names();
    names.drain(..3);
    names.sort();
    assert_eq!(
        names,
        ["record:deleted", "record:updated", "sync:completed"]
    );
    let feed = sync.scene.get("/record?sync=items").expect(200);
    assert!(
        feed["result"]
            .as_array()
            .unwrap()
            .iter()
            .all(|change| change["record"].is_null())
    );
}

#[test]
fn what_is_kept_rests_encrypted() {
    let secret = item("i000", "a-text-of-the-customer");
    let sync = Sync::new(&with(&json!({})), vec![secret.clone()]);
    sync.work();
    assert!(!sync.world().at_rest().contains("a-text-of-the-customer"));
    sync.world().restart();
    let feed = sync.scene.get("/record?sync=items").expect(200);
    assert_eq!(feed["result"][0]["record"], secret);
}

#[test]
fn a_secret_that_the_provider_repeats_is_no_part_of_a_record() {
    let secret = "a-key-that-is-long-enough";
    let sync = Sync::new(
        &with(&json!({ "events": "records" })),
        vec![item("a", &format!("key {secret}"))],
    );
    sync.scene
        .change_context("/credentials", &json!({ "api_key": secret }))
        .expect(200);
    sync.work();
    let feed = sync.scene.get("/record?sync=items");
    assert!(!feed.text().contains(secret), "{}", feed.text());
    assert_eq!(sync.names(), ["record:created", "sync:completed"]);
    assert!(!sync.events()[0].1.to_string().contains(secret));
}

#[test]
fn an_object_without_syncs_has_no_table_of_them() {
    let sync = Sync::new(&json!({}), items(2));
    sync.work();
    sync.pass(HOUR);
    assert_eq!(sync.scene.get("/sync").expect(200), json!({ "result": [] }));
    assert_eq!(sync.scene.get("/sync-run").expect(200)["result"], json!([]));
    sync.work();
    let tables = "SELECT name FROM sqlite_master WHERE name LIKE 'sync%'";
    assert_eq!(sync.world().rows(sync.scene.object(), tables), 0);
    assert_eq!(sync.requests(), 0);
}
