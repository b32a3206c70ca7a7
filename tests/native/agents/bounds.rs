//! What the arguments, the results and the dry runs of tools are bounded by.

use causeway::ports::Body;
use causeway::settings::BUFFERED_TOTAL_BYTES;
use serde_json::{Value, json};

use super::{Agent, context, crm};
use crate::account::JSON;
use crate::cases::each_case;
use crate::client::Setting;
use crate::memory::held;
use crate::outside::{World, reply};

const LIST: &str = "list_all_acme_crm_contacts";
const GET: &str = "get_single_acme_crm_contacts_by_id";
const CREATE: &str = "create_a_acme_crm_contacts";

#[test]
fn what_a_url_cannot_have_is_refused_with_its_place() {
    let agent = Agent::new(&World::new(), &json!({}));
    agent
        .world()
        .provides(|_| reply(200, &JSON, Body::from_bytes(r#"{"items":[]}"#)));
    each_case(
        [
            (LIST, "city", "a".repeat(16_378), None),
            (LIST, "city", "a".repeat(16_379), Some("city")),
            (LIST, "city", "\u{1}".repeat(5_460), Some("city")),
            (LIST, "next_cursor", "a".repeat(16_385), Some("next_cursor")),
            (GET, "id", "a".repeat(16_000), None),
            (GET, "id", "a".repeat(16_385), Some("id")),
        ],
        |(tool, name, text, expected)| {
            let arguments = json!({ name: text });
            match expected {
                None => drop(agent.done(tool, &arguments)),
                Some(path) => assert_eq!(agent.refused(tool, &arguments), path),
            }
        },
    );
    assert_eq!(agent.world().sent().len(), 2);
}

#[test]
fn a_misfit_is_a_failed_result_since_the_version_that_says_so() {
    let agent = Agent::new(&World::new(), &json!({}));
    let ask = |version: Option<&str>, arguments: Value| {
        let params = json!({ "name": CREATE, "arguments": arguments });
        let message =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        let version = version.map(|version| ("mcp-protocol-version", version));
        let json = [("content-type", "application/json")];
        let headers: Vec<_> = json.into_iter().chain(version).collect();
        let answer = agent.post(&agent.path, &headers, &message.to_string());
        answer.expect(200)
    };
    let newest = ask(Some("2025-11-25"), json!({ "name": 1 }));
    assert_eq!(newest["result"]["isError"], true, "{newest}");
    let text = newest["result"]["content"][0]["text"].as_str().unwrap();
    assert!(
        text.contains("name: has to be of the type string"),
        "{text}"
    );
    each_case([Some("2025-06-18"), Some("2024-11-05"), None], |version| {
        let older = ask(version, json!({ "name": 1 }));
        assert_eq!(older["error"]["code"], -32602, "{older}");
        assert_eq!(older["error"]["data"]["path"], "name");
    });
    let long = ask(None, json!({ "name": "a", "n".repeat(500_000): 1 }));
    assert_eq!(
        long["error"]["data"]["path"].as_str().unwrap(),
        "n".repeat(200)
    );
}

#[test]
fn a_result_is_measured_as_it_is_written() {
    let agent = Agent::new(&World::with(&[("MCP_RESULT_BYTES", "16384")]), &json!({}));
    let text = |characters: usize| "\u{1}".repeat(characters);
    let most = (16_384 - r#"{"result":""}"#.len()) / 6;
    agent.world().answers(200, &[], &text(most));
    let result = agent.call(GET, &json!({ "id": "7" }));
    assert_eq!(result["structuredContent"]["result"], text(most));
    agent.world().answers(200, &[], &text(most + 1));
    assert_eq!(
        agent.failed(GET, &json!({ "id": "7" })).0,
        "provider.answer_too_large"
    );
}

#[test]
fn a_request_that_is_too_long_to_be_shown_cannot_be_confirmed() {
    let world = World::with(&[("MCP_RESULT_BYTES", "16384")]);
    let agent = Agent::new(&world, &json!({ "require_confirmation": true }));
    let update = "update_a_acme_crm_contacts_by_id";
    let named = |unit: &str, count: usize| json!({ "id": "7", "name": unit.repeat(count) });
    agent.done(update, &named("a", 15_000));
    for (unit, count) in [("a", 16_384), ("\u{1}", 2_700)] {
        assert_eq!(
            agent.failed(update, &named(unit, count)).0,
            "caller.body_too_large"
        );
    }
}

#[test]
fn a_write_has_room_for_its_result_before_it_is_sent() {
    let agent = Agent::new(&World::new(), &json!({}));
    let text = format!(r#"{{"a":"{}"}}"#, "a".repeat(200_000));
    agent
        .world()
        .provides(move |_| reply(200, &JSON, Body::from_bytes(text.clone())));
    let others = agent.world().isolate().room();
    others.take(BUFFERED_TOTAL_BYTES - 350_000).unwrap();
    let (code, _) = agent.failed(CREATE, &json!({ "name": "a" }));
    assert_eq!(
        (code.as_str(), agent.world().sent().len()),
        ("internal.busy", 0)
    );
    drop(others);
    let others = agent.world().isolate().room();
    others.take(BUFFERED_TOTAL_BYTES - 2_000_000).unwrap();
    agent.done(CREATE, &json!({ "name": "a" }));
    drop(others);
    assert_eq!(held(agent.world()), 0);
}

#[test]
fn null_is_passed_on_where_the_schema_allows_it() {
    let mut file = crm();
    let create = &mut file["config"]["resources"]["contacts"]["create"];
    create["body_schema"]["properties"] = json!({
        "name": { "type": "string" },
        "either": { "anyOf": [{ "type": "string" }, { "type": "null" }] },
        "listed": { "enum": ["a", null] },
        "age": { "type": "integer" },
    });
    let setting = Setting::new(&World::new(), &file);
    let agent = Agent::with(setting, &context(&Value::Null), &json!({}));
    agent.world().answers(200, &JSON, "{}");
    let arguments = json!({ "name": "a", "either": null, "listed": null, "age": null });
    agent.done(CREATE, &arguments);
    let sent = agent.world().sent().pop().unwrap();
    assert_eq!(
        String::from_utf8(sent.body).unwrap(),
        r#"{"name":"a","either":null,"listed":null}"#
    );
}
