//! Arrays of messages: one time, one count of memory, and a request of the token for each.

use std::time::Duration;

use causeway::ports::{Body, System};
use futures::executor::block_on;
use serde_json::{Value, json};

use super::Agent;
use crate::account::JSON;
use crate::memory::held;
use crate::outside::{World, reply};

fn send(agent: &Agent, headers: &[(&str, &str)], messages: &[Value]) -> Value {
    let headers = [&[("content-type", "application/json")], headers].concat();
    let body = Body::from_bytes(json!(messages).to_string());
    let request = agent
        .anonymous
        .request_async("POST", &agent.path, &headers, body);
    block_on(agent.world().run_passing(request)).expect(200)
}

fn get(id: usize) -> Value {
    let params =
        json!({ "name": "get_single_acme_crm_contacts_by_id", "arguments": { "id": "7" } });
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params })
}

fn create(id: usize) -> Value {
    let params = json!({ "name": "create_a_acme_crm_contacts", "arguments": { "name": "Ada" } });
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params })
}

fn code(answer: &Value) -> &Value {
    let error = &answer["result"]["structuredContent"]["error"]["code"];
    if error.is_null() {
        &answer["error"]["data"]["code"]
    } else {
        error
    }
}

#[test]
fn one_time_is_for_all_messages_of_a_request() {
    let agent = Agent::new(&World::new(), &json!({}));
    agent
        .world()
        .provides(|_| reply(200, &JSON, Body::from_bytes("{}")));
    agent.world().answers_late(|_| Duration::from_secs(3));
    let began = agent.world().now();
    let headers = [("x-timeout-ms", "5000"), ("x-max-retries", "0")];
    let answers = send(&agent, &headers, &[get(0), get(1), get(2), get(3)]);
    let took = agent.world().now().since(began);
    assert!(took < Duration::from_secs(8), "{took:?}");
    assert_eq!(answers[0]["result"]["isError"], false);
    assert_eq!(answers[1]["result"]["isError"], true, "{answers}");
    assert_eq!(
        [code(&answers[2]), code(&answers[3])],
        ["caller.not_reached"; 2]
    );
    assert_eq!(agent.world().sent().len(), 2);
}

#[test]
fn each_message_of_an_array_is_a_request_of_its_token() {
    let agent = Agent::new(&World::new(), &json!({}));
    agent.world().0.token_rate.set(Some(3));
    let ping = |id: usize| json!({ "jsonrpc": "2.0", "id": id, "method": "ping" });
    let all: Vec<Value> = (0..5).map(ping).collect();
    let answers = send(&agent, &[], &all);
    let pings = answers
        .as_array()
        .unwrap()
        .iter()
        .filter(|own| own["result"] == json!({}));
    assert_eq!(pings.count(), 3);
    assert_eq!(
        [code(&answers[3]), code(&answers[4])],
        ["caller.rate_limited"; 2]
    );
    assert_eq!(answers[4]["error"]["code"], -32603);
    agent.world().pass(Duration::from_secs(10));
    assert_eq!(send(&agent, &[], &all[..3]).as_array().unwrap().len(), 3);
}

#[test]
fn the_results_of_an_array_are_counted_and_no_write_is_made_without_room_for_its_result() {
    let limits = [("MCP_RESULT_BYTES", "2097152")];
    let agent = Agent::new(&World::with(&limits), &json!({}));
    let text = format!(r#"{{"a":"{}"}}"#, "a".repeat(1_900_000));
    agent
        .world()
        .provides(move |_| reply(200, &JSON, Body::from_bytes(text.clone())));
    let answers = send(&agent, &[], &[0, 1, 2, 3].map(create));
    assert_eq!(answers[2]["result"]["isError"], false);
    assert_eq!(code(&answers[3]), "internal.busy");
    assert_eq!(agent.world().sent().len(), 3);
    assert_eq!(held(agent.world()), 0);
}
