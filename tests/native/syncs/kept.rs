//! What is kept of a record, and how it rests.

use std::time::Duration;

use serde_json::{Value, json};

use super::consumer::Consumer;
use super::provider::{Sync, file, file_with_total, item, items, with};

const HOUR: Duration = Duration::from_hours(1);

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
fn a_change_of_keep_is_a_change_of_each_record() {
    let sync = Sync::new(&with(&json!({})), items(2));
    sync.work();
    let contents = "SELECT key FROM sync_record WHERE content IS NOT NULL";
    for (keep, stored) in [("hashes", 0), ("records", 2)] {
        let keys = with(&json!({ "keep": keep }));
        sync.scene.publish(&file(&keys));
        sync.pass(HOUR);
        assert_eq!(sync.last("completed"), [0, 2, 0, 0], "{keep}");
        assert_eq!(sync.world().rows(sync.scene.object(), contents), stored);
        sync.pass(HOUR);
        assert_eq!(sync.last("completed"), [0, 0, 0, 2], "{keep}");
    }
    let mut consumer = Consumer::new();
    consumer.read(&sync);
    consumer.has_all(&sync);
}

/// The runs of a sync whose list is one of these after the other: what each of them counts.
fn runs_over(keys: &Value, lists: &[String]) -> Vec<[u64; 4]> {
    let sync = Sync::new(&with(keys), Vec::new());
    let run = |list: &String| {
        let answer = (200, vec![], format!("{{\"data\":[{list}]}}"));
        let next = sync.requests();
        sync.shop.borrow_mut().instead.insert(next, answer);
        sync.pass(HOUR);
        sync.last("completed")
    };
    lists.iter().map(run).collect()
}

#[test]
fn each_digit_of_a_number_counts() {
    let with_number = |number: &str| format!(r#"{{"id":"a","n":{number}}}"#);
    let numbers = [
        "0.12345678901234567891",
        "0.12345678901234567892",
        "0.12345678901234567892",
        "1e400",
        "1e401",
        "12345678901234567890123",
        "12345678901234567890124",
        "1.5",
        "1.50",
        "15e-1",
    ];
    let runs = runs_over(&json!({}), &numbers.map(with_number));
    let updated: Vec<u64> = runs.iter().map(|run| run[1]).collect();
    assert_eq!(updated, [0, 1, 0, 1, 1, 1, 1, 1, 0, 0]);
    assert_eq!(runs[0][0], 1);
}

/// A record of so many values, itself counted, in less than a million bytes.
fn many(values: usize, keys: &str) -> String {
    format!(
        r#"{{"id":"a",{keys}"list":[{}1]}}"#,
        "1,".repeat(values - 4 - keys.matches(':').count())
    )
}

#[test]
fn a_record_of_too_many_values_is_known_by_its_id_and_the_others_are_kept() {
    for (values, is_kept) in [(200_000, true), (200_001, false)] {
        for keys in [json!({}), json!({ "map": "{ \"id\": id }" })] {
            let sync = Sync::new(&with(&keys), Vec::new());
            let list = format!(r#"{{"data":[{},{{"id":"b"}}]}}"#, many(values, ""));
            for _ in 0..2 {
                let answer = (200, vec![], list.clone());
                let next = sync.requests();
                sync.shop.borrow_mut().instead.insert(next, answer);
                sync.pass(HOUR);
            }
            assert_eq!(sync.last("completed"), [0, 0, 0, 2], "{values} {keys}");
            for (id, is_kept) in [("a", is_kept), ("b", true)] {
                let change = sync.scene.get(&format!("/record/{id}?sync=items"));
                let change = change.expect(200);
                assert_eq!(change["record"].is_object(), is_kept, "{values} {id}");
                assert_eq!(change["too_large"], !is_kept, "{values} {id}");
            }
        }
    }
}

#[test]
fn of_a_record_of_too_many_values_its_changes_are_known() {
    let keys = json!({ "deletions": { "path": "archived" } });
    let lists = [
        many(200_001, ""),
        many(200_002, ""),
        many(200_002, "\"archived\":null,"),
        many(200_002, "\"archived\":{},"),
    ];
    let runs = runs_over(&keys, &lists);
    assert_eq!(
        runs,
        [[1, 0, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]
    );
}

/// Of a page with too many values for the expression, smaller ones are read.
#[test]
fn a_checkpoint_is_computed_of_a_smaller_page() {
    let keys = with(
        &json!({ "mode": "incremental", "query": { "token": "{{sync.checkpoint.token}}" }, "checkpoint": "{ \"token\": body.token }" }),
    );
    let large = |id: &str| json!({ "id": id, "list": vec![1; 150_000] });
    let sync = Sync::new(&keys, vec![large("a"), large("b")]);
    sync.scene.publish(&file_with_total(&keys));
    sync.shop.borrow_mut().token = 7;
    sync.work();
    assert_eq!(sync.last("completed"), [2, 0, 0, 0]);
    assert!(sync.shop.borrow().requests[1].as_str().contains("limit=1"));
    sync.pass(HOUR);
    assert_eq!(sync.view()["last_run"]["mode"], "incremental");
    let asked = sync.shop.borrow().requests.last().unwrap().clone();
    assert!(asked.as_str().contains("token=t7"), "{asked}");
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
