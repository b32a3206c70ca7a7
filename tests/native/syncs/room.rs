//! What an account has room for, and what is deleted for it.

use std::time::Duration;

use futures::executor::block_on;
use serde_json::{Value, json};

use super::consumer::Consumer;
use super::provider::{Sync, item, items, with};

const HOUR: Duration = Duration::from_hours(1);

impl Sync {
    fn rows(&self) -> usize {
        self.scene.rows("sync_record")
    }
}

#[test]
fn a_run_that_finds_no_room_deletes_what_is_missing() {
    let sync = Sync::set(&[("SYNC_RECORDS", "6")], &with(&json!({})), items(6));
    sync.work();
    assert_eq!(sync.last("completed"), [6, 0, 0, 0]);
    {
        let mut shop = sync.shop.borrow_mut();
        shop.items.drain(..2);
        shop.put(item("i005", "second"));
        for id in ["j0", "j1", "j2"] {
            shop.put(item(id, "first"));
        }
    }
    // What is there is updated, what is missing is deleted, and what is new waits for the room that this makes.
    for counts in [[0, 1, 2, 3], [2, 0, 0, 4]] {
        sync.pass(HOUR);
        assert_eq!(sync.last("failed"), counts);
        let error = &sync.view()["last_run"]["error"];
        assert_eq!(error["code"], "account.sync_limit", "{error}");
    }
    sync.shop.borrow_mut().remove("i002");
    sync.pass(HOUR);
    assert_eq!(sync.last("failed"), [0, 0, 1, 5]);
    sync.pass(HOUR);
    assert_eq!(sync.last("completed"), [1, 0, 0, 5]);
    let mut consumer = Consumer::new();
    consumer.read(&sync);
    consumer.has_all(&sync);
}

#[test]
fn a_record_that_grows_beyond_the_room_is_there_as_it_was() {
    let sync = Sync::set(&[("SYNC_BYTES", "400")], &with(&json!({})), items(3));
    sync.work();
    let large = "x".repeat(400);
    sync.shop.borrow_mut().put(item("i000", &large));
    sync.shop.borrow_mut().remove("i002");
    sync.pass(HOUR);
    assert_eq!(sync.last("failed"), [0, 0, 1, 1]);
    let change = sync.scene.get("/record/i000?sync=items").expect(200);
    assert_eq!(change["record"], item("i000", "first"));
}

/// A list of which nothing stays: three items each hour.
fn window(hour: usize) -> Vec<Value> {
    let all = (0..3).map(|n| item(&format!("i{hour}-{n}"), "first"));
    all.collect()
}

#[test]
fn an_account_keeps_as_many_tombstones_as_records() {
    let sync = Sync::set(&[("SYNC_RECORDS", "6")], &with(&json!({})), window(0));
    sync.work();
    let mut consumers = Vec::new();
    let read = |cursor: &str| {
        let path = format!("/record?sync=items&after={cursor}");
        sync.scene.get(&path)
    };
    for hour in 1..=4 {
        let mut consumer = Consumer::new();
        consumer.read(&sync);
        consumers.push(consumer.cursor);
        sync.shop.borrow_mut().items = window(hour);
        sync.pass(HOUR);
        assert_eq!(sync.last("completed"), [3, 0, 3, 0]);
        assert_eq!(sync.rows(), 3 + (3 * hour).min(6), "{hour}");
        for (before, cursor) in consumers.iter().enumerate() {
            let is_known = before + 2 >= hour;
            let answer = read(cursor);
            assert_eq!(answer.status == 200, is_known, "{before} {hour}");
            assert_eq!(answer.status == 410, !is_known, "{before} {hour}");
        }
    }
}

#[test]
fn many_tombstones_are_deleted_in_pieces() {
    let keys = json!({ "query": { "limit": "1000" }, "every": "30d", "max_deletions": "100%" });
    let sync = Sync::new(&with(&keys), items(2_001));
    sync.work();
    sync.shop.borrow_mut().items.clear();
    sync.run(&json!({}));
    assert_eq!(sync.last("completed"), [0, 0, 2_001, 0]);
    let cursor = sync.scene.get("/record?sync=items&limit=1").expect(200);
    let cursor = cursor["next_cursor"].as_str().unwrap();
    let plain = cursor.rsplit_once('.').unwrap().0;
    assert_eq!(sync.rows(), 2_001);
    let world = sync.world();
    world.pass(Duration::from_hours(24 * 30));
    block_on(world.run_passing(world.ring_alarms()));
    assert_eq!(sync.rows(), 1);
    sync.work();
    assert_eq!(sync.rows(), 0);
    let path = format!("/record?sync=items&after={plain}");
    assert_eq!(sync.scene.get(&path).code(410), "caller.cursor_expired");
}

#[test]
fn a_reset_shows_nothing_and_deletes_in_pieces() {
    let keys = with(&json!({ "query": { "limit": "1000" } }));
    let sync = Sync::new(&keys, items(2_001));
    sync.work();
    let reset = sync.send("POST", "/sync/items/reset", &json!({}));
    assert_eq!(reset.expect(200)["records"], 0);
    assert_eq!(sync.rows(), 2_001);
    let feed = sync.scene.get("/record?sync=items").expect(200);
    assert_eq!(feed["result"], json!([]));
    assert_eq!(
        sync.scene.get("/record/i000?sync=items").code(404),
        "caller.not_found"
    );
    let next = feed["next_cursor"].as_str().unwrap().to_owned();
    // A deletion is refused once: the run waits for it.
    sync.shop.borrow_mut().items.truncate(2);
    let world = sync.world();
    world.storage_refuses(sync.scene.object(), "DELETE FROM sync_record WHERE key");
    sync.run(&json!({}));
    assert_eq!(sync.rows(), 2_001);
    assert_eq!(sync.view()["records"], 0);
    sync.pass(Duration::from_mins(1));
    assert_eq!(sync.last("completed"), [2, 0, 0, 0]);
    assert_eq!(sync.rows(), 2);
    let path = format!("/record?sync=items&after={next}");
    let feed = sync.scene.get(&path).expect(200);
    assert_eq!(feed["result"].as_array().unwrap().len(), 2, "{feed}");
}
