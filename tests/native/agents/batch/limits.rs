//! What a batch is bounded by: its calls, its records and its time.

use std::time::Duration;

use causeway::ports::Body;
use futures::executor::block_on;
use serde_json::{Value, json};

use super::{Scene, codes};
use crate::outside::World;

#[test]
fn a_batch_that_explodes_is_bounded() {
    let scene = Scene::new(&World::new());
    scene.provides(|_, _| (200, "{}".to_owned()));
    let each = |count: u64| json!([{ "name": "each", "resource": "contacts", "method": "get", "loop_on": format!("[1..{count}]"), "id": "{{item}}" }]);
    let answer = scene.run(&each(1_000));
    assert_eq!(answer["result"]["each"].as_array().unwrap().len(), 1_000);
    assert_eq!(scene.sent().len(), 1_000);
    assert_eq!(
        codes(&scene.run(&each(1_001)), "each"),
        ["caller.not_reached"]
    );
    assert_eq!(codes(&scene.run(&each(100_000_000)), "each").len(), 1);
    assert_eq!(scene.sent().len(), 0);
    let two = json!([each(600)[0], { "name": "more", "resource": "contacts", "method": "get", "loop_on": "[1..600]", "id": "{{item}}" }]);
    let answer = scene.run(&two);
    assert_eq!(scene.sent().len(), 1_000);
    assert_eq!(
        codes(&answer, "each").len() + codes(&answer, "more").len(),
        200
    );
}

#[test]
fn a_list_ends_at_ten_thousand_records() {
    let scene = Scene::new(&World::new());
    let page = |from: u64, count: u64, next: &str| {
        let items: Vec<String> = (from..from + count).map(|n| n.to_string()).collect();
        format!(r#"{{"items":[{}],"next":{next}}}"#, items.join(","))
    };
    scene.provides(move |path, _| match path {
        path if path.contains("city=even") => (200, page(0, 10_000, "null")),
        path if path.contains("after=p2") => (200, page(9_999, 2, "null")),
        _ => (200, page(0, 9_999, "\"p2\"")),
    });
    let answer = scene.run(&json!([
        { "name": "even", "resource": "contacts", "method": "list", "query": { "city": "even" } },
        { "name": "over", "resource": "contacts", "method": "list" },
        { "name": "behind", "resource": "contacts", "method": "get", "id": "1", "depends_on": ["over"] },
    ]));
    assert_eq!(answer["result"]["even"].as_array().unwrap().len(), 10_000);
    assert_eq!(codes(&answer, "over"), ["provider.answer_too_large"]);
    assert_eq!(codes(&answer, "behind"), ["caller.not_reached"]);
}

#[test]
fn one_time_is_for_the_whole_batch() {
    let scene = Scene::new(&World::new());
    scene.provides(|_, _| (200, "{}".to_owned()));
    scene.world().answers_late(|_| Duration::from_secs(3));
    let nodes: Vec<Value> = (0..12).map(|n| json!({ "name": format!("n{n}"), "resource": "contacts", "method": "get", "id": n.to_string() })).collect();
    let body = Body::from_bytes(scene.body(&json!(nodes)).to_string());
    let headers = [
        ("content-type", "application/json"),
        ("x-timeout-ms", "5000"),
        ("x-max-retries", "0"),
    ];
    let request = scene
        .setting
        .client
        .request_async("POST", "/batch-request", &headers, body);
    let answer = block_on(scene.world().run_passing(request)).expect(200);
    let ended = answer["result"]
        .as_object()
        .unwrap()
        .values()
        .filter(|own| **own == json!([{}]))
        .count();
    let errors = answer["errors"].as_object().unwrap();
    assert_eq!((ended, errors.len()), (4, 8), "{answer}");
    let not_reached = errors
        .values()
        .filter(|own| own[0]["code"] == "caller.not_reached")
        .count();
    assert_eq!(not_reached, 4);
}
