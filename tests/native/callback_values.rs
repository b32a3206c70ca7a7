//! `contextFromCallback`: what the callback says counts for the exchange of its code, within the hosts of the file.

use serde_json::{Value, json};

use crate::cases::each_case;
use crate::client::Setting;
use crate::connect::{TOKEN, Visit, parameter};
use crate::outside::{Sent, World};

fn file() -> Value {
    json!({
        "name": "oauth-shop",
        "config": {
            "base_url": "https://api.region-provider.example",
            "allowed_hosts": ["accounts.region-provider.example", "accounts.region-provider-eu.example", "api.region-provider.example"],
            "credentials": { "oauth2": { "config": {
                "client": { "id": "our-id", "secret": "our-secret" },
                "auth": {
                    "authorizeUrl": "https://accounts.region-provider.example/authorize",
                    "tokenUrl": "{{server?:https://accounts.region-provider.example}}/token",
                },
                "contextFromCallback": { "server": "accounts-server" },
                "fields": [{ "name": "shop", "label": "Shop" }],
            } } },
            "authorization": { "format": "bearer" },
            "resources": { "items": { "get": { "path": "/items/{{id}}" } } },
        },
    })
}

/// A customer who comes back with this query next to `state` and `code`: where the code was sent, and the visit.
fn exchanged(query: &str) -> (Vec<String>, Visit) {
    let world = World::new();
    let setting = Setting::new(&world, &file());
    let visit = Visit::with(world, setting, &json!({ "tenant_id": "acme" }));
    let (sent, visit) = came_back(visit, query);
    (sent.iter().map(|one| one.url.clone()).collect(), visit)
}

fn came_back(mut visit: Visit, query: &str) -> (Vec<Sent>, Visit) {
    let there = visit.leave();
    visit.world.answers(200, &[], TOKEN);
    let state = parameter(&there, "state");
    let path = format!("/connect/oauth-shop/callback?code=the-code&state={state}{query}");
    visit.browser.get(&path);
    (visit.world.sent(), visit)
}

#[test]
fn the_code_goes_to_the_server_that_the_callback_names() {
    let cases = [
        ("", "https://accounts.region-provider.example/token"),
        (
            "&accounts-server=https://accounts.region-provider-eu.example",
            "https://accounts.region-provider-eu.example/token",
        ),
        (
            "&accounts-server=https://accounts.region-provider-eu.example&accounts-server=x",
            "https://accounts.region-provider.example/token",
        ),
    ];
    each_case(cases, |(query, expected)| {
        let (urls, visit) = exchanged(query);
        assert_eq!(urls, [expected]);
        let account = visit.account();
        assert_eq!(account["status"], "active");
        let is_named = expected.contains("-eu");
        assert_eq!(account["context"].get("server").is_some(), is_named);
    });
}

#[test]
fn a_server_outside_of_the_file_gets_nothing() {
    let cases = [
        "&accounts-server=https://evil.example",
        "&accounts-server=http://accounts.region-provider-eu.example",
        "&accounts-server=https://accounts.region-provider-eu.example.evil.example",
        "&accounts-server=https://evil.example/accounts.region-provider-eu.example",
        "&accounts-server=https://x@evil.example",
    ];
    each_case(cases, |query| {
        let (urls, visit) = exchanged(query);
        assert_eq!(urls, Vec::<String>::new());
        let list = visit.setting.client.get("/integrated-account").expect(200);
        assert_eq!(list["result"], json!([]));
    });
}

/// The account's secrets, and the code, are for the host that it has.
#[test]
fn a_server_other_than_the_accounts_gets_nothing() {
    let server = |name: &str| format!("https://accounts.{name}.example");
    let mut own = file();
    let oauth = &mut own["config"]["credentials"]["oauth2"]["config"];
    oauth["tokenParams"] = json!({ "pin": "{{pin?:none}}" });
    oauth["fields"] =
        json!([{ "name": "pin", "type": "password" }, { "name": "shop", "label": "Shop" }]);
    let cases = ["region-provider", "region-provider-eu"];
    each_case(cases, |name| {
        let world = World::new();
        let setting = Setting::new(&world, &own);
        let token = json!({ "access_token": "old-token" });
        let context = json!({ "server": server("region-provider"), "pin": "a-pin-of-the-account", "oauth": { "token": token } });
        let account = setting.account("oauth2", &context);
        let visit = Visit::with(world, setting, &json!({ "integrated_account_id": account }));
        let query = format!("&accounts-server={}", server(name));
        let (sent, _) = came_back(visit, &query);
        assert_eq!(sent.len(), 1);
        assert_eq!(sent[0].url, format!("{}/token", server("region-provider")));
        let body = String::from_utf8(sent[0].body.clone()).unwrap();
        assert!(body.contains("pin=a-pin-of-the-account"), "{body}");
    });
}
