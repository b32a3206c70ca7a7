//! What a batch is bounded by: its calls, its records and its time.

use std::collections::BTreeSet;
use std::time::Duration;

use causeway::ports::Body;
use causeway::settings::BUFFERED_TOTAL_BYTES;
use futures::executor::block_on;
use serde_json::{Value, json};

use super::{Scene, codes};
use crate::cases::each_case;
use crate::memory::held;
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
    each_case([(400, 1_000), (401, 600)], |(more, sent)| {
        let two = json!([each(600)[0], { "name": "more", "resource": "contacts", "method": "get", "loop_on": format!("[1..{more}]"), "id": "{{item}}" }]);
        let answer = scene.run(&two);
        assert_eq!(scene.sent().len(), sent, "{more}");
        assert_eq!(answer["result"]["each"].as_array().unwrap().len(), 600);
        let refused = codes(&answer, "more");
        let expected: &[&str] = if sent == 600 {
            &["caller.not_reached"]
        } else {
            &[]
        };
        assert_eq!(refused, expected, "{more}");
    });
}

/// Expressions, each in a node of its own.
fn loops(expressions: &[String]) -> Value {
    let nodes = expressions.iter().enumerate();
    nodes
        .map(|(place, expression)| json!({ "name": format!("n{place}"), "resource": "contacts", "method": "get", "id": "1", "loop_on": expression }))
        .collect()
}

#[test]
fn the_expressions_of_a_batch_share_one_count_of_steps() {
    let scene = Scene::new(&World::new());
    scene.provides(|_, _| (200, "{}".to_owned()));
    let work = "$sum($map([1..60000], function($n) { $n })) > 0 ? 1".to_owned();
    assert_eq!(
        scene.run(&loops(std::slice::from_ref(&work)))["errors"],
        json!({})
    );
    scene.sent();
    let answer = scene.run(&loops(&vec![work; 50]));
    let failed = answer["errors"].as_object().unwrap();
    let made = scene.sent().len();
    assert!((1..10).contains(&made), "{made}");
    assert_eq!(failed.len(), 50 - made);
    let codes: BTreeSet<&str> = failed
        .values()
        .map(|own| own[0]["code"].as_str().unwrap())
        .collect();
    assert_eq!(
        codes,
        BTreeSet::from(["caller.invalid", "caller.not_reached"]),
        "the one that ran out, and the others"
    );
}

#[test]
fn texts_with_placeholders_take_of_the_same_steps() {
    let scene = Scene::new(&World::new());
    scene.provides(|_, _| (200, "{}".to_owned()));
    let run = |bytes: usize| {
        let body = json!({
            "integrated_account_id": scene.account,
            "args": { "text": "a".repeat(bytes) },
            "resources": [{ "name": "each", "resource": "contacts", "method": "create", "loop_on": "[1..100]", "body": { "name": "{{args.text}}" } }],
        });
        let request = scene
            .setting
            .client
            .send_async("POST", "/batch-request", &body);
        let answer = block_on(scene.world().run_passing(request)).expect(200);
        (scene.sent().len(), codes(&answer, "each").len())
    };
    assert_eq!(run(600_000), (100, 0));
    let (made, failed) = run(700_000);
    assert!(
        (80..100).contains(&made) && made + failed == 100,
        "{made} {failed}"
    );
}

#[test]
fn a_batch_whose_expressions_are_too_much_to_read_is_refused() {
    let scene = Scene::new(&World::new());
    let sources = |count: usize| {
        loops(&vec![
            format!(
                "args.x{}",
                "+1".repeat(90) + &" ".repeat(15_000)
            );
            count
        ])
    };
    let answer = |count: usize| {
        let body = scene.body(&sources(count));
        scene.setting.client.post("/batch-request", &body)
    };
    scene.provides(|_, _| (200, "{}".to_owned()));
    assert_eq!(answer(10).status, 200);
    let refused = answer(20).expect(422);
    assert_eq!(refused["details"]["failures"][0]["path"], "resources");
}

#[test]
fn the_items_that_wait_for_a_connection_are_counted() {
    let scene = Scene::new(&World::new());
    scene.provides(|_, _| (200, "{}".to_owned()));
    let items = |items: usize, values: usize| format!("[1..{items}].[[1..{values}]]");
    let answer = scene.run(&loops(&[items(500, 400), items(500, 400)]));
    assert_eq!(answer["errors"], json!({}), "one node waits at a time");
    assert_eq!(scene.sent().len(), 1_000);
    let answer = scene.run(&loops(&[items(1_000, 350)]));
    assert_eq!(codes(&answer, "n0"), ["internal.busy"]);
    assert_eq!(scene.sent().len(), 0);
    assert_eq!(held(scene.world()), 0);
}

#[test]
fn what_a_batch_holds_is_counted_while_it_arrives_and_while_it_is_written() {
    let limits = [
        ("BUFFERED_TOTAL_BYTES", "12582912"),
        ("BUFFERED_ANSWER_BYTES", "4194304"),
    ];
    let scene = Scene::new(&World::with(&limits));
    let answer = |bytes: usize| {
        let text = format!(r#"{{"a":"{}"}}"#, "a".repeat(bytes));
        scene.provides(move |_, _| (200, text.clone()));
        scene.run(&json!([
            { "name": "one", "resource": "contacts", "method": "get", "id": "1" },
            { "name": "two", "resource": "contacts", "method": "get", "id": "2", "depends_on": ["one"] },
        ]))
    };
    assert_eq!(answer(2_000_000)["errors"], json!({}));
    let over = answer(3_500_000);
    assert_eq!(over["result"]["one"].as_array().unwrap().len(), 1);
    assert_eq!(
        (codes(&over, "one").len(), codes(&over, "two")),
        (0, vec!["internal.busy".to_owned()])
    );
    assert_eq!(held(scene.world()), BUFFERED_TOTAL_BYTES - 12_582_912);
}

#[test]
fn the_errors_of_a_batch_are_bounded() {
    let scene = Scene::new(&World::new());
    scene.provides(|_, _| (400, json!({ "error": "e".repeat(50_000) }).to_string()));
    let body = scene.body(&loops(&["[1..1000]".to_owned()]));
    let request = scene
        .setting
        .client
        .send_async("POST", "/batch-request", &body);
    let answer = block_on(scene.world().run_passing(request));
    assert!(
        answer.text().len() < 9 * 1024 * 1024,
        "{}",
        answer.text().len()
    );
    let found = codes(&answer.expect(200), "n0");
    assert_eq!(found, vec!["provider.rejected"; 1_000]);
}

#[test]
fn each_call_of_a_batch_is_a_request_of_its_token() {
    let scene = Scene::new(&World::new());
    scene.provides(|_, _| (200, "{}".to_owned()));
    each_case([(8, 0), (5, 3)], |(rate, refused)| {
        scene.world().pass(Duration::from_secs(10));
        scene.world().0.token_rate.set(Some(rate));
        let answer = scene.run(&loops(&["[1..8]".to_owned()]));
        assert_eq!(
            codes(&answer, "n0"),
            vec!["caller.rate_limited"; refused],
            "{rate}"
        );
        assert_eq!(scene.sent().len(), 8 - refused, "{rate}");
    });
    scene.world().0.token_rate.set(Some(8));
    scene.world().pass(Duration::from_secs(10));
    let customer = scene.setting.customer(&scene.account);
    scene.world().0.token_rate.set(Some(5));
    scene.world().pass(Duration::from_secs(10));
    let body = scene.body(&loops(&["[1..8]".to_owned()]));
    let request = customer.send_async("POST", "/batch-request", &body);
    let answer = block_on(scene.world().run_passing(request)).expect(200);
    assert_eq!(codes(&answer, "n0").len(), 3);
    assert_eq!(
        customer.get("/integrated-account/me").code(429),
        "caller.rate_limited",
        "they are counted under the customer's token"
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
