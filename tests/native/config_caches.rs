//! What an isolate keeps compiled is bounded by bytes: a large file, or many overrides of one, push out what is least used.

use causeway::config::read_config;
use serde_json::{Value, json};

use crate::account::Scene;
use crate::cases::each_case;
use crate::outside::World;

/// Resident bytes of this process.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4_096
}

/// A file of so many bytes, most of it methods with templates.
fn large(bytes: usize) -> Value {
    let text = "a literal of the file's author";
    let method = json!({ "path": "/a/{{id}}/b", "headers": { "x-a": text, "x-b": text }, "query": { "b": "{{query.b}}", "c": text } });
    let count = bytes / method.to_string().len();
    let resources: serde_json::Map<_, _> = (0..count)
        .map(|number| (format!("r{number}"), json!({ "get": method })))
        .collect();
    json!({ "base_url": "https://api.example.com", "resources": resources })
}

/// A shipped file, and a large one.
fn files() -> [Value; 2] {
    let path = crate::integration_files::root().join("integrations/github.json");
    let text = std::fs::read_to_string(path).unwrap();
    let shipped: Value = serde_json::from_str(&text).unwrap();
    [shipped["config"].clone(), large(700_000)]
}

#[test]
#[ignore = "measures: run it alone, by --ignored --test-threads=1 --nocapture"]
fn what_a_compiled_file_takes_is_not_far_from_the_estimate() {
    each_case(files(), |file| {
        let json = file.to_string().len();
        // The first takes what reading takes for a moment, too.
        let first = read_config(&file).0.unwrap();
        let before = resident();
        let count = (4_000_000 / json).max(1);
        let kept: Vec<_> = (0..count).map(|_| read_config(&file).0.unwrap()).collect();
        let each = resident().saturating_sub(before) / kept.len();
        let estimate = first.memory_bytes(json);
        println!("{json} bytes of JSON: {each} compiled, {estimate} estimated");
        assert!(estimate * 2 > each);
    });
}

#[test]
fn a_config_that_was_pushed_out_is_compiled_again_and_calls_go_on() {
    let mut file = large(600_000);
    file["credentials"] = json!({ "api_key": { "format": "api_key", "config": { "fields": [{ "name": "api_key", "type": "password" }] } } });
    let file = json!({ "name": "wide", "config": file });
    let scene = Scene::new(World::new(), &file, "api_key", &json!({ "api_key": "k" }));
    let accounts: Vec<_> = (0..4)
        .map(|number| {
            let account = scene.setting.account("api_key", &json!({ "api_key": "k" }));
            let own = json!({ "integration_override": { "label": format!("own {number}") } });
            scene
                .setting
                .client
                .send("PATCH", &format!("/integrated-account/{account}"), &own)
                .expect(200);
            account
        })
        .collect();
    each_case(accounts.iter().chain(&accounts), |account| {
        scene.world.answers(200, &[], "{}");
        let path = format!("/proxy/r1/1?integrated_account_id={account}");
        assert_eq!(scene.setting.client.get(&path).status, 200);
    });
}

#[test]
fn a_file_of_more_headers_than_can_be_checked_in_time_is_refused() {
    let entries = |count: usize| -> serde_json::Map<_, _> {
        (0..count).map(|n| (format!("m{n}"), json!("1"))).collect()
    };
    each_case(["headers", "query"], |key| {
        each_case([(20_000, true), (30_000, false)], |(count, fits)| {
            let whole = json!({ "base_url": "https://api.example.com", key: entries(count) });
            let method = json!({ "base_url": "https://api.example.com", "resources": { "r": { "list": { "path": "/", key: entries(count) } } } });
            each_case([whole, method], |file| {
                assert_eq!(read_config(&file).0.is_some(), fits, "{key} {count}");
            });
        });
    });
}
