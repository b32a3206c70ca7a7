//! The routes of syncs: runs on demand, schedules, the feed's cursors, and what webhooks start.

use std::time::Duration;

use causeway::ports::{Body, System};
use serde_json::{Value, json};

use super::provider::{Consumer, Sync, item, items, with};
use crate::cases::each_case;
use crate::client::Answer;
use crate::inbound_webhooks::{SECRET, signed};

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

impl Sync {
    /// How many runs have ended that were started for this reason.
    fn runs(&self, reason: &str) -> usize {
        let runs = self.scene.get("/sync-run?limit=1000").expect(200);
        let all = runs["result"].as_array().unwrap().iter();
        all.filter(|run| run["reason"] == reason).count()
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        let mut body = body.clone();
        body["integrated_account_id"] = json!(self.scene.account);
        self.scene.setting.client.send(method, path, &body)
    }
}

#[test]
fn a_sync_runs_by_its_schedule_unless_it_is_paused() {
    let sync = Sync::new(&with(&json!({ "every": "10m" })), items(1));
    sync.work();
    let first = sync.requests();
    sync.pass(MINUTE * 10);
    let second = sync.requests();
    assert!(second > first);
    let (before, began) = (sync.runs("planned"), sync.world().now());
    for _ in 0..100 {
        sync.pass(MINUTE);
    }
    let tens = sync.world().now().since(began).as_secs() / 600;
    let runs = sync.runs("planned") - before;
    assert!(
        runs.abs_diff(usize::try_from(tens).unwrap()) <= 1,
        "{runs} in {tens} times ten minutes"
    );
    let paused = sync
        .send("PATCH", "/sync/items", &json!({ "is_paused": true }))
        .expect(200);
    assert_eq!(
        (&paused["is_paused"], &paused["next_run_at"]),
        (&json!(true), &json!(null))
    );
    let before = sync.requests();
    sync.pass(DAY);
    assert_eq!(sync.requests(), before);
    sync.run(&json!({}));
    assert!(sync.requests() > before, "a call runs it all the same");
    assert_eq!(sync.view()["last_run"]["reason"], "manual");
    sync.send(
        "PATCH",
        "/sync/items",
        &json!({ "is_paused": false, "cron": "30 6 * * *" }),
    )
    .expect(200);
    assert_eq!(sync.view()["schedule"], "cron 30 6 * * *");
    sync.pass(DAY);
    sync.pass(MINUTE * 10);
    assert_eq!(sync.view()["last_run"]["reason"], "planned");
}

#[test]
fn what_is_no_schedule_is_refused() {
    let sync = Sync::new(&with(&json!({})), items(1));
    for change in [
        json!({ "every": "59s" }),
        json!({ "every": "31d" }),
        json!({ "every": "soon" }),
        json!({ "cron": "* * * *" }),
        json!({ "every": "1h", "cron": "0 0 * * *" }),
    ] {
        let refused = sync.send("PATCH", "/sync/items", &change);
        assert_eq!(refused.code(422), "caller.invalid", "{change}");
    }
    for every in ["1m", "30d"] {
        sync.send("PATCH", "/sync/items", &json!({ "every": every }))
            .expect(200);
    }
    assert_eq!(
        sync.send("PATCH", "/sync/others", &json!({})).code(404),
        "caller.not_found"
    );
    assert_eq!(
        sync.send("POST", "/sync/items/run", &json!({ "args": 1 }))
            .code(422),
        "caller.invalid"
    );
}

#[test]
fn a_sync_that_does_not_start_by_itself_waits_for_a_call() {
    let keys = json!({ "auto_start": false, "query": { "kind": "{{sync.args.kind?:all}}" } });
    let sync = Sync::new(&with(&keys), items(2));
    sync.work();
    sync.pass(DAY);
    assert_eq!(sync.requests(), 0);
    let run = sync.run(&json!({ "args": { "kind": "new" } }));
    assert_eq!(
        (&run["status"], &run["reason"]),
        (&json!("running"), &json!("manual"))
    );
    assert!(sync.shop.borrow().requests[0].as_str().contains("kind=new"));
    sync.pass(Duration::from_hours(1));
    assert!(
        sync.shop
            .borrow()
            .requests
            .last()
            .unwrap()
            .as_str()
            .contains("kind=all"),
        "from then on its schedule counts"
    );
    let runs = sync.scene.get("/sync-run?sync=items").expect(200);
    let reasons: Vec<&Value> = runs["result"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| &run["reason"])
        .collect();
    assert_eq!(reasons, ["planned", "manual"]);
    assert_eq!(runs["result"][1]["id"], run["id"]);
    assert_eq!(
        sync.scene.get("/sync-run?sync=others").expect(200)["result"],
        json!([])
    );
}

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

#[test]
fn a_run_is_stopped_by_a_call() {
    let sync = Sync::new(&with(&json!({})), items(9));
    sync.world().answers_late(|_| Duration::from_secs(2));
    sync.kill_after(Duration::from_secs(3));
    let stopped = sync
        .send("POST", "/sync/items/stop", &json!({}))
        .expect(200);
    assert_eq!(stopped["last_run"]["status"], "stopped");
    let kept = stopped["records"].as_u64().unwrap();
    assert!((1..9).contains(&kept), "{kept}");
    sync.pass(Duration::from_hours(1));
    assert_eq!(sync.last("completed")[0], 9 - kept);
}

#[test]
fn webhooks_start_a_run_and_a_burst_starts_few() {
    let sync = Sync::new(
        &with(&json!({ "on_events": ["item:changed"], "every": "1d" })),
        items(2),
    );
    let install = format!("/environment-integration/{}", sync.scene.setting.install);
    let secret = json!({ "override": { "secret_environment_variables": { "s": SECRET } } });
    sync.scene
        .setting
        .client
        .send("PATCH", &install, &secret)
        .expect(200);
    sync.world().pass(Duration::from_secs(121));
    sync.work();
    let first = sync.requests();
    let webhook = |topic: &str, number: u64| {
        let body = json!({ "topic": topic, "number": number }).to_string();
        let path = format!("/integrated-account-webhook/{}", sync.scene.account);
        let headers = [
            ("content-type", "application/json"),
            ("x-signature", &signed(SECRET, &body)),
        ];
        let client = &sync.scene.setting.client;
        client
            .request("POST", &path, &headers, Body::from_bytes(body))
            .expect(200);
    };
    webhook("item:other", 0);
    sync.pass(MINUTE);
    assert_eq!(sync.requests(), first);
    let began = sync.world().now();
    for number in 0..300 {
        webhook("item:changed", number);
        sync.pass(Duration::from_millis(100));
    }
    sync.pass(Duration::from_secs(10));
    let tens = usize::try_from(sync.world().now().since(began).as_secs() / 10).unwrap();
    let runs = sync.runs("event");
    assert!(
        runs.abs_diff(tens) <= 2,
        "{runs} in {tens} times ten seconds"
    );
    sync.pass(MINUTE);
    assert_eq!(sync.runs("event"), runs);
}

#[test]
fn an_empty_next_cursor_begins_each_list() {
    let sync = Sync::new(&with(&json!({})), items(2));
    sync.work();
    each_case(["/sync?", "/sync-run?", "/record?sync=items&"], |list| {
        let plain = sync
            .scene
            .get(&format!("{list}limit=10").replace("/sync?limit=10", "/sync?"));
        let empty = sync.scene.get(&format!("{list}next_cursor="));
        assert_eq!(empty.status, 200, "{list} {}", empty.text());
        assert_eq!(empty.json()["result"], plain.json()["result"], "{list}");
    });
}
