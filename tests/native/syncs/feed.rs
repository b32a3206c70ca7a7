//! The feed: its cursors, who can read it, and how long deletions are known.

use std::time::Duration;

use causeway::ports::Body;
use serde_json::{Value, json};

use super::consumer::Consumer;
use super::provider::{Sync, item, items, with};

const DAY: Duration = Duration::from_hours(24);

#[test]
fn the_feed_is_read_by_kind_in_lines_and_record_by_record() {
    let sync = Sync::new(&with(&json!({})), items(3));
    sync.work();
    sync.shop.borrow_mut().put(item("i001", "second"));
    sync.shop.borrow_mut().remove("i002");
    sync.pass(Duration::from_hours(1));
    for (filter, id) in [("added", "i000"), ("updated", "i001"), ("deleted", "i002")] {
        let feed = sync
            .scene
            .get(&format!("/record?sync=items&filter={filter}"))
            .expect(200);
        let ids: Vec<&Value> = feed["result"]
            .as_array()
            .unwrap()
            .iter()
            .map(|change| &change["id"])
            .collect();
        assert_eq!(ids, [id]);
        let one = sync
            .scene
            .get(&format!("/record/{id}?sync=items"))
            .expect(200);
        assert_eq!(one, feed["result"][0]);
    }
    let lines = sync.scene.call(
        "GET",
        "/record?sync=items&limit=1",
        &[("x-all-pages", "true")],
        Body::Empty,
    );
    assert_eq!(lines.header("content-type"), Some("application/x-ndjson"));
    let lines: Vec<Value> = lines
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 4);
    let path = format!(
        "/record?sync=items&after={}",
        lines[3]["next_cursor"].as_str().unwrap()
    );
    assert_eq!(sync.scene.get(&path).expect(200)["result"], json!([]));
    for (path, status, code) in [
        ("/record", 422, "caller.invalid"),
        ("/record?sync=others", 404, "caller.not_found"),
        ("/record?sync=items&after=x", 400, "caller.bad_cursor"),
        (
            "/record?sync=items&after=others.1",
            400,
            "caller.bad_cursor",
        ),
        (
            "/record?sync=items&after=items.999",
            400,
            "caller.bad_cursor",
        ),
        (
            "/record?sync=items&after=items.-1",
            400,
            "caller.bad_cursor",
        ),
        ("/record?sync=items&filter=none", 400, "caller.malformed"),
        ("/record?sync=items&limit=x", 400, "caller.malformed"),
        ("/record?sync=items&other=1", 400, "caller.malformed"),
        ("/record/none?sync=items", 404, "caller.not_found"),
    ] {
        assert_eq!(sync.scene.get(path).code(status), code, "{path}");
    }
}

#[test]
fn a_customer_reads_their_own_feed() {
    let sync = Sync::new(&with(&json!({})), items(2));
    sync.work();
    let customer = sync.scene.setting.customer(&sync.scene.account);
    let feed = customer.get("/record?sync=items").expect(200);
    assert_eq!(feed["result"].as_array().unwrap().len(), 2);
    customer.get("/record/i001?sync=items").expect(200);
    let other = sync
        .scene
        .setting
        .account("api_key", &json!({ "api_key": "k" }));
    let path = format!("/record?sync=items&integrated_account_id={other}");
    assert_eq!(customer.get(&path).code(404), "caller.not_found");
    let narrow = sync
        .scene
        .setting
        .admin
        .token_of(&sync.scene.setting.environment, Some(&["connect"]));
    assert_eq!(
        narrow.get(&sync.scene.path("/record?sync=items")).code(403),
        "caller.forbidden"
    );
}

#[test]
fn a_cursor_expires_with_the_deletions_behind_it() {
    let (sync, mut consumer) = (
        Sync::new(&with(&json!({ "every": "1d" })), items(3)),
        Consumer::new(),
    );
    sync.work();
    consumer.read(&sync);
    let old = consumer.cursor.clone();
    sync.shop.borrow_mut().remove("i002");
    sync.pass(DAY);
    for _ in 0..29 {
        sync.pass(DAY);
    }
    let read = |cursor: &str| {
        sync.scene
            .get(&format!("/record?sync=items&after={cursor}"))
    };
    assert_eq!(read(&old).expect(200)["result"][0]["change"], "deleted");
    sync.pass(DAY);
    sync.pass(DAY);
    assert_eq!(read(&old).code(410), "caller.cursor_expired");
    let mut again = Consumer::new();
    again.read(&sync);
    again.has_all(&sync);
    let reset = sync
        .send("POST", "/sync/items/reset", &json!({}))
        .expect(200);
    assert_eq!(reset["records"], 0);
    assert_eq!(read(&again.cursor).code(410), "caller.cursor_expired");
    sync.run(&json!({}));
    let before = again.revision;
    again = Consumer {
        revision: before,
        ..Consumer::new()
    };
    again.read(&sync);
    again.has_all(&sync);
}
