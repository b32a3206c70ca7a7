//! Accounts of imported definitions call a provider that gets the exact request that their definition describes.

use std::collections::BTreeSet;

use causeway::ports::Body;
use serde_json::{Value, json};

use super::import_nango::imported;
use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::client::Setting;
use crate::integration_files::{load, root};
use crate::outside::{World, reply};

/// Calls, each with the account's context and the request that the provider gets.
const CALLS: &str = "tests/cases/import/calls.json";

/// A world whose provider accepts everything.
fn accepting() -> World {
    let world = World::new();
    world.provides(|_| reply(200, &JSON, Body::from_bytes("{}")));
    world
}

#[test]
fn thirty_definitions_send_exactly_what_they_describe() {
    let (files, _) = imported("nango-calls");
    let calls = load(&root().join(CALLS));
    let calls = calls.as_array().unwrap();
    let names: BTreeSet<&str> = calls
        .iter()
        .map(|call| call["name"].as_str().unwrap())
        .collect();
    assert!(names.len() >= 30, "{}", names.len());
    each_case(calls, |call| {
        let name = call["name"].as_str().unwrap();
        let method = call["method"].as_str().unwrap();
        let scene = Scene::new(accepting(), &files[name], method, &call["context"]);
        scene.get("/custom/x?q=1").expect(200);
        let sent = scene.world.sent();
        let sent = sent.last().unwrap();
        assert_eq!(
            (sent.method.as_str(), sent.url.as_str()),
            ("GET", call["url"].as_str().unwrap()),
            "{name}"
        );
        let headers = call["headers"].as_object().unwrap();
        each_case(headers, |(header, value)| {
            assert_eq!(sent.header(header), value.as_str(), "{name}: {header}");
        });
        let authorization = headers.get("authorization").and_then(Value::as_str);
        let is_unsaid = name == "default-header" && authorization.is_none();
        assert!(
            is_unsaid || sent.header("authorization") == authorization,
            "{name}"
        );
    });
}

#[test]
fn the_operators_client_id_is_sent_where_the_definition_says_so() {
    let (files, _) = imported("nango-client-header");
    let world = accepting();
    let setting = Setting::new(&world, &files["oauth-client-header"]);
    let variables = json!({ "environment_variables": { "client_id": "app-7" } });
    setting.override_install(&variables).expect(200);
    let context = json!({ "oauth": { "token": { "access_token": "t-1" } } });
    let account = setting.account("oauth2", &context);
    let path = format!("/custom/x?integrated_account_id={account}");
    setting.client.get(&path).expect(200);
    let sent = world.sent();
    assert_eq!(sent.last().unwrap().header("api-key"), Some("app-7"));
}
