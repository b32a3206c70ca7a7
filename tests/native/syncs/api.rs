//! The routes of syncs: runs on demand, schedules, the feed's cursors, and what webhooks start.

use std::time::Duration;

use causeway::ports::{Body, System};
use serde_json::{Value, json};

use super::provider::{Sync, items, with};
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

    pub fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
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
fn the_arguments_of_a_run_have_so_many_bytes_and_no_more() {
    let sync = Sync::new(&with(&json!({})), items(1));
    let head = json!({ "a": "" }).to_string().len();
    for (bytes, status) in [(16_384, 202), (16_385, 422)] {
        let body = json!({ "args": { "a": "x".repeat(bytes - head) } });
        let answer = sync.send("POST", "/sync/items/run", &body);
        assert_eq!(answer.status, status, "{bytes}: {}", answer.text());
    }
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

#[test]
fn calls_feeds_and_batches_find_their_account_by_one_rule() {
    let sync = Sync::new(&with(&json!({})), items(1));
    sync.work();
    let (setting, own) = (&sync.scene.setting, sync.scene.account.as_str());
    let other = setting.account("api_key", &json!({ "api_key": "k" }));
    let (application, customer) = (&setting.client, &setting.customer(own));
    let cases = [
        (application, None, 422),
        (application, Some("null-and-void"), 404),
        (application, Some(own), 200),
        (application, Some(other.as_str()), 200),
        (customer, None, 200),
        (customer, Some("null-and-void"), 404),
        (customer, Some(own), 200),
        (customer, Some(other.as_str()), 404),
    ];
    each_case(cases, |(client, named, status)| {
        let query = named.map_or(String::new(), |id| format!("&integrated_account_id={id}"));
        for path in ["/proxy/items?limit=1", "/record?sync=items"] {
            let answer = client.get(&format!("{path}{query}"));
            assert_eq!(answer.status, status, "{path}{query}: {}", answer.text());
        }
        let batch = json!({ "integrated_account_id": named, "resources": [{ "resource": "items", "method": "list" }] });
        let answer = client.post("/batch-request", &batch);
        assert_eq!(answer.status, status, "{batch}: {}", answer.text());
    });
}
