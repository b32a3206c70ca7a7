//! Runs that are interrupted, refused, slowed down or led astray.

use std::time::Duration;

use serde_json::json;

use super::consumer::Consumer;
use super::provider::{Sync, item, items, with};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// The object dies at each moment of a run with changes; the consumer reads in between.
#[test]
fn a_death_at_any_moment_loses_nothing_and_reports_nothing_twice() {
    let mut deaths = 0;
    for step in 1..40_u64 {
        let (sync, mut consumer) = (Sync::new(&with(&json!({})), items(10)), Consumer::new());
        sync.work();
        consumer.read(&sync);
        {
            let mut shop = sync.shop.borrow_mut();
            shop.remove("i002");
            shop.put(item("i004", "second"));
            shop.put(item("new", "first"));
        }
        sync.world().answers_late(|_| Duration::from_secs(1));
        sync.world().pass(HOUR);
        // Half a second at a time: before the request, while it waits, after the answer.
        deaths += usize::from(sync.kill_after(Duration::from_millis(500 * step)));
        consumer.read(&sync);
        sync.world().pass(MINUTE);
        deaths += usize::from(sync.kill_after(Duration::from_millis(700 * step)));
        for _ in 0..20 {
            sync.pass(MINUTE);
        }
        consumer.read(&sync);
        consumer.has_all(&sync);
        assert_eq!(sync.view()["records"], 10, "{step}");
        assert_eq!(sync.names(), ["sync:completed"; 2], "{step}");
    }
    assert!(deaths > 20, "{deaths}");
}

#[test]
fn a_failing_run_is_tried_again_and_then_given_up() {
    let sync = Sync::new(&with(&json!({ "every": "1d" })), items(5));
    sync.shop.borrow_mut().always = Some((500, "{}".to_owned()));
    sync.work();
    let mut times = vec![sync.requests()];
    for pause in [1, 5, 30, 120] {
        assert_eq!(sync.view()["last_run"]["error"]["code"], "provider.failed");
        sync.pass(MINUTE * (pause - 1) + Duration::from_secs(30));
        assert_eq!(
            sync.requests(),
            *times.last().unwrap(),
            "not before {pause} minutes"
        );
        sync.pass(MINUTE);
        times.push(sync.requests());
    }
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
    assert_eq!(sync.last("failed"), [0; 4]);
    assert_eq!(sync.names(), ["sync:failed"]);
    sync.shop.borrow_mut().always = None;
    sync.pass(Duration::from_hours(24));
    assert_eq!(sync.last("completed"), [5, 0, 0, 0]);
}

#[test]
fn a_run_goes_on_from_the_page_that_failed() {
    let sync = Sync::new(&with(&json!({})), items(9));
    for number in 2..10 {
        sync.shop
            .borrow_mut()
            .instead
            .insert(number, (503, vec![], "{}".to_owned()));
    }
    sync.work();
    let failed = sync.requests();
    sync.shop.borrow_mut().instead.clear();
    sync.pass(MINUTE);
    assert_eq!(sync.last("completed"), [9, 0, 0, 0]);
    let shop = sync.shop.borrow();
    assert!(
        shop.requests[failed].as_str().contains("offset=6"),
        "{}",
        shop.requests[failed]
    );
}

#[test]
fn a_provider_that_asks_to_slow_down_is_no_failure() {
    let sync = Sync::new(&with(&json!({})), items(9));
    for number in [1, 3, 4] {
        let slow = (429, vec![("retry-after", "90")], "{}".to_owned());
        sync.shop.borrow_mut().instead.insert(number, slow);
    }
    sync.work();
    assert_eq!(sync.view()["last_run"]["status"], "running");
    for _ in 0..10 {
        sync.pass(MINUTE);
    }
    assert_eq!(sync.last("completed"), [9, 0, 0, 0]);
    assert_eq!(sync.names(), ["sync:completed"]);
}

#[test]
fn a_run_that_would_delete_too_much_waits_for_a_confirmation() {
    let keys = with(&json!({ "max_deletions": 2 }));
    let (sync, mut consumer) = (Sync::new(&keys, items(6)), Consumer::new());
    sync.work();
    sync.shop.borrow_mut().items.truncate(4);
    sync.pass(HOUR);
    assert_eq!(sync.last("completed")[2], 2, "as many as it may");
    sync.shop.borrow_mut().items.truncate(1);
    for _ in 0..3 {
        sync.pass(HOUR);
    }
    assert_eq!(sync.last("stopped")[2], 0);
    assert_eq!(
        sync.view()["last_run"]["error"]["code"],
        "account.sync_suspicious"
    );
    consumer.read(&sync);
    assert_eq!(consumer.records.len(), 4);
    let suspicious = sync
        .names()
        .iter()
        .filter(|name| *name == "sync:suspicious")
        .count();
    assert_eq!(suspicious, 1, "it is reported once");
    sync.run(&json!({ "confirm_deletions": true }));
    assert_eq!(sync.last("completed")[2], 3);
    consumer.read(&sync);
    consumer.has_all(&sync);
}

#[test]
fn a_page_without_its_list_proves_no_end() {
    for (keys, deleted, is_incomplete) in [
        (json!({}), 0, true),
        (json!({ "empty_when_missing": true }), 3, false),
    ] {
        let sync = Sync::new(&with(&keys), items(6));
        sync.work();
        let number = sync.requests();
        for again in 1..6 {
            let body = r#"{"error":"try later"}"#.to_owned();
            sync.shop
                .borrow_mut()
                .instead
                .insert(number + again, (200, vec![], body));
        }
        sync.shop.borrow_mut().items.truncate(3);
        sync.pass(HOUR);
        assert_eq!(sync.last("completed")[2], deleted, "{keys}");
        assert_eq!(
            sync.view()["last_run"]["is_incomplete"],
            is_incomplete,
            "{keys}"
        );
    }
}

#[test]
fn a_page_that_is_too_large_is_read_in_smaller_ones() {
    let large = |n: usize| item(&format!("i{n}"), &"x".repeat(10_000));
    let keys = with(&json!({ "query": { "limit": "12" } }));
    let variables = [("BUFFERED_ANSWER_BYTES", "100000")];
    let sync = Sync::set(&variables, &keys, (0..12).map(large).collect());
    sync.work();
    assert_eq!(sync.last("completed"), [12, 0, 0, 0]);
    assert!(sync.shop.borrow().requests[1].as_str().contains("limit=6"));
}

#[test]
fn a_record_that_is_too_large_is_known_and_not_kept() {
    let text = |bytes: usize| {
        let head = item("a", "").to_string().len();
        "x".repeat(bytes - head)
    };
    for (bytes, is_kept) in [(1_000_000, true), (1_000_001, false)] {
        let sync = Sync::new(&with(&json!({})), vec![item("a", &text(bytes))]);
        sync.work();
        let change = sync.scene.get("/record/a?sync=items").expect(200);
        assert_eq!(change["record"].is_object(), is_kept, "{bytes}");
        assert_eq!(change["too_large"], !is_kept);
        assert_eq!(sync.view()["last_run"]["too_large"], u64::from(!is_kept));
    }
}

#[test]
fn an_account_keeps_so_many_records_and_no_more() {
    // A run that deletes nothing ends with the first record that finds no room.
    for (most, deletions, status, kept) in [
        ("6", "full", "completed", 6),
        ("5", "full", "failed", 5),
        ("6", "none", "completed", 6),
        ("5", "none", "failed", 3),
    ] {
        let keys = with(&json!({ "deletions": deletions }));
        let sync = Sync::set(&[("SYNC_RECORDS", most)], &keys, items(6));
        sync.work();
        sync.last(status);
        let error = &sync.view()["last_run"]["error"]["code"];
        assert_eq!(error == "account.sync_limit", status == "failed", "{error}");
        let mut consumer = Consumer::new();
        consumer.read(&sync);
        assert_eq!(consumer.records.len(), kept, "{most} {deletions}");
    }
    let bytes = |most: &str| {
        let sync = Sync::set(&[("SYNC_BYTES", most)], &with(&json!({})), items(1));
        sync.work();
        sync.view()["last_run"]["status"].clone()
    };
    // 28 bytes of nonce and tag around the record, in base64.
    let size = (item("i000", "first").to_string().len() + 28).div_ceil(3) * 4;
    let size = size - (3 - (item("i000", "first").to_string().len() + 28) % 3) % 3;
    assert_eq!(bytes(&size.to_string()), "completed");
    assert_eq!(bytes(&(size - 1).to_string()), "failed");
}

#[test]
fn a_storage_that_fails_once_costs_a_pause() {
    for word in [
        "INSERT OR REPLACE INTO sync_record",
        "sync_seen",
        "UPDATE sync",
        "INSERT INTO event",
    ] {
        let (sync, mut consumer) = (Sync::new(&with(&json!({})), items(7)), Consumer::new());
        sync.world().storage_refuses(sync.scene.object(), word);
        sync.work();
        for _ in 0..5 {
            sync.pass(MINUTE);
        }
        consumer.read(&sync);
        consumer.has_all(&sync);
        assert_eq!(sync.view()["records"], 7, "{word}");
    }
}

#[test]
fn an_account_whose_credential_is_refused_waits_for_a_new_one() {
    let sync = Sync::new(&with(&json!({})), items(5));
    sync.shop.borrow_mut().always = Some((401, "{}".to_owned()));
    sync.work();
    for _ in 0..30 {
        sync.pass(MINUTE);
    }
    let tries = sync.requests();
    assert_eq!(sync.scene.status(), "needs_reauth");
    sync.pass(Duration::from_hours(3));
    assert_eq!(sync.requests(), tries, "nothing is sent in that time");
    sync.shop.borrow_mut().always = None;
    sync.scene
        .change_context("/credentials", &json!({ "api_key": "k2" }))
        .expect(200);
    for _ in 0..200 {
        sync.pass(MINUTE);
    }
    sync.last("completed");
}

#[test]
fn callers_come_first() {
    let sync = Sync::set(&[("ACCOUNT_RATE", "4")], &with(&json!({})), items(9));
    for _ in 0..3 {
        sync.scene.get("/proxy/items").expect(200);
    }
    sync.work();
    assert_eq!(
        sync.requests(),
        3,
        "more than half of the rate is the callers'"
    );
    for _ in 0..12 {
        sync.pass(Duration::from_secs(10));
    }
    assert_eq!(sync.last("completed"), [9, 0, 0, 0]);
}
