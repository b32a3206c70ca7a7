//! What a batch may read and write for its calls, whether they are sent or not.

use futures::executor::block_on;
use serde_json::{Value, json};

use super::{Scene, codes};
use crate::cases::each_case;
use crate::outside::World;

/// The codes of the node `each`, and how many calls were sent.
fn run(scene: &Scene, args: &Value, node: &Value) -> (Vec<String>, usize) {
    let mut node = node.clone();
    node["name"] = json!("each");
    let body = json!({ "integrated_account_id": scene.account, "args": args, "resources": [node] });
    let request = scene
        .setting
        .client
        .send_async("POST", "/batch-request", &body);
    let answer = block_on(scene.world().run_passing(request)).expect(200);
    (codes(&answer, "each"), scene.sent().len())
}

fn scene() -> Scene {
    let scene = Scene::new(&World::new());
    scene.provides(|_, _| (200, "{}".to_owned()));
    scene
}

#[test]
fn a_query_has_the_room_of_a_url_with_each_name_that_it_repeats() {
    let scene = scene();
    let of = |query: Value| json!({ "resource": "contacts", "method": "list", "query": query });
    let long = "n".repeat(800_000);
    let empty: serde_json::Map<_, _> = (0..20_000).map(|n| (n.to_string(), json!({}))).collect();
    let cases = [
        (json!({ "city": "a".repeat(16_378) }), true),
        (json!({ "city": "a".repeat(16_379) }), false),
        (json!({ "c": vec![1; 4_096] }), true),
        (json!({ "c": vec![1; 4_097] }), false),
        (json!({ "c": { "d": "a".repeat(16_374) } }), true),
        (json!({ "c": { "d": "a".repeat(16_375) } }), false),
        (json!({ &long: vec![1; 90_000] }), false),
        (json!({ &long: empty }), false),
    ];
    each_case(cases, |(query, is_sent)| {
        let (codes, sent) = run(&scene, &Value::Null, &of(query));
        let expected: &[&str] = if is_sent { &[] } else { &["caller.invalid"] };
        assert_eq!(
            (codes, sent),
            (
                expected.iter().map(|own| (*own).to_owned()).collect(),
                usize::from(is_sent)
            )
        );
    });
}

#[test]
fn an_id_has_the_room_of_a_url() {
    let scene = scene();
    let args = json!({ "t": "t".repeat(500_000) });
    let node = json!({ "resource": "contacts", "method": "get", "loop_on": "[1..1000]", "id": "{{args.t}}".repeat(16) });
    let (codes, sent) = run(&scene, &args, &node);
    assert_eq!((codes, sent), (vec!["caller.invalid".to_owned(); 1_000], 0));
}

#[test]
fn what_is_read_and_written_for_calls_that_are_not_sent_takes_of_the_steps() {
    let scene = scene();
    let text = "t".repeat(500_000);
    let padded = format!("7{}", " ".repeat(500_000));
    let missing = format!("{}{{{{args.missing}}}}", "{{args.t}}".repeat(15));
    let numbers = "{{args.t:int}}".repeat(100);
    let long = "n".repeat(2_000);
    let contacts = |body: Value| json!({ "resource": "contacts", "method": "create", "loop_on": "[1..1000]", "body": body });
    let dropped = "{{args.missing:undefined}}".repeat(20_000);
    let cases = [
        (text, contacts(json!({ "name": missing }))),
        (
            padded,
            contacts(json!({ "name": numbers, "age": "{{args.missing}}" })),
        ),
        (
            String::new(),
            contacts(json!({ "name": dropped, "age": "{{args.missing}}" })),
        ),
        (
            String::new(),
            json!({ "resource": "reports", "method": "render", "loop_on": "[1..1000]", "body": { &long: vec![1; 4_000] } }),
        ),
    ];
    each_case(cases, |(text, node)| {
        let (codes, sent) = run(&scene, &json!({ "t": text }), &node);
        let tried = codes.iter().filter(|code| *code != "caller.not_reached");
        let tried = tried.count();
        assert_eq!((codes.len(), sent), (1_000, 0));
        assert!((1..200).contains(&tried), "{tried}");
    });
}

#[test]
fn ten_thousand_records_are_for_all_calls_of_a_node() {
    let scene = Scene::new(&World::new());
    scene.provides(|path, _| {
        let count = if path.contains("more") { 1 } else { 5_000 };
        (200, json!({ "items": vec![7; count] }).to_string())
    });
    let node = |cities: Value| json!([{ "name": "each", "resource": "contacts", "method": "list", "loop_on": cities.to_string(), "query": { "city": "{{item}}" } }]);
    each_case(
        [
            (json!(["a", "b"]), 0),
            (json!(["a", "b", "more"]), 1),
            (json!(["a", "b", "c", "d", "a", "b", "more"]), 5),
        ],
        |(cities, refused)| {
            let answer = scene.run(&node(cities));
            let records = answer["result"]["each"].as_array().unwrap().len();
            assert_eq!(records, 10_000);
            assert_eq!(
                codes(&answer, "each"),
                vec!["provider.answer_too_large"; refused]
            );
        },
    );
}
