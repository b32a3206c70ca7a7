//! MCP tokens: made, listed, revoked; and who may.

use std::time::Duration;

use causeway::ports::{Body, ObjectName, System};
use futures::executor::block_on;
use serde_json::{Value, json};

use super::{Agent, context, crm, token};
use crate::cases::each_case;
use crate::client::Setting;
use crate::outside::World;

#[test]
fn a_token_is_shown_once_and_only_its_hash_is_kept() {
    let world = World::new();
    let setting = Setting::new(&world, &crm());
    let account = setting.account("oauth2", &context(&Value::Null));
    let config = json!({ "methods": ["read"], "require_confirmation": true });
    let made = token(&setting.client, &account, &config);
    let secret = made["token"].as_str().unwrap();
    let hex = account.replace('-', "");
    assert!(secret.starts_with(&format!("mcp_{hex}_")), "{secret}");
    assert_eq!(
        made["url"],
        format!("https://causeway.example/mcp/{secret}")
    );
    let path = format!("/integrated-account/{account}/mcp");
    let one = format!("{path}/{}", made["id"].as_str().unwrap());
    let shown = setting.client.get(&one).expect(200);
    let expected = json!({ "id": made["id"], "name": "agent", "expires_at": null, "created_at": made["created_at"],
        "config": { "methods": ["read"], "tags": [], "resources": [], "require_api_token_auth": false, "require_confirmation": true } });
    assert_eq!(shown, expected);
    assert_eq!(
        setting.client.get(&path).expect(200),
        json!({ "result": [expected], "next_cursor": null, "limit": 100 })
    );
    assert!(!world.at_rest().contains(secret));
    assert_eq!(
        setting.client.delete(&one).expect(200),
        json!({ "id": made["id"] })
    );
    assert_eq!(setting.client.get(&one).code(404), "caller.not_found");
    assert_eq!(setting.client.delete(&one).code(404), "caller.not_found");
}

#[test]
fn tokens_are_listed_page_by_page() {
    let setting = Setting::new(&World::new(), &crm());
    let account = setting.account("oauth2", &context(&Value::Null));
    let path = format!("/integrated-account/{account}/mcp");
    let made: Vec<Value> = (0..3)
        .map(|_| {
            setting.client.world.pass(Duration::from_millis(5));
            token(&setting.client, &account, &json!({}))["id"].clone()
        })
        .collect();
    let (mut cursor, mut found) = (String::new(), Vec::new());
    loop {
        let page = setting
            .client
            .get(&format!("{path}?limit=2&next_cursor={cursor}"))
            .expect(200);
        found.extend(
            page["result"]
                .as_array()
                .unwrap()
                .iter()
                .map(|own| own["id"].clone()),
        );
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        cursor = next.to_owned();
    }
    assert_eq!(found, made);
}

#[test]
fn what_cannot_be_a_token_is_refused() {
    let setting = Setting::new(&World::new(), &crm());
    let account = setting.account("oauth2", &context(&Value::Null));
    let path = format!("/integrated-account/{account}/mcp");
    let cases = [
        (json!({ "name": "" }), "name"),
        (json!({ "name": "n".repeat(101) }), "name"),
        (
            json!({ "name": "a", "expires_at": "2020-01-01T00:00:00.000Z" }),
            "expires_at",
        ),
        (
            json!({ "name": "a", "config": { "methods": ["unknown"] } }),
            "config",
        ),
        (
            json!({ "name": "a", "config": { "tags": ["none"] } }),
            "config",
        ),
        (
            json!({ "name": "a", "config": { "method": [] } }),
            "config.method",
        ),
        (
            json!({ "name": "a", "config": { "methods": "read" } }),
            "config.methods",
        ),
    ];
    each_case(cases, |(body, place)| {
        let answer = setting.client.post(&path, &body).expect(422);
        assert_eq!(answer["details"]["failures"][0]["path"], place, "{answer}");
    });
    let body = json!({ "name": "n".repeat(100), "expires_at": "2030-01-01T00:00:00.000Z" });
    setting.client.post(&path, &body).expect(201);
}

#[test]
fn an_account_has_at_most_a_hundred_tokens() {
    let setting = Setting::new(&World::new(), &crm());
    let account = setting.account("oauth2", &context(&Value::Null));
    let path = format!("/integrated-account/{account}/mcp");
    let soon = json!({ "name": "a", "expires_at": "2030-01-01T00:00:00.000Z" });
    let made: Vec<Value> = (0..100)
        .map(|_| setting.client.post(&path, &soon).expect(201))
        .collect();
    assert_eq!(
        setting.client.post(&path, &soon).code(422),
        "caller.invalid"
    );
    let one = format!("{path}/{}", made[0]["id"].as_str().unwrap());
    setting.client.delete(&one).expect(200);
    setting.client.post(&path, &soon).expect(201);
}

#[test]
fn tokens_of_other_environments_and_of_accounts_manage_none() {
    let setting = Setting::new(&World::new(), &crm());
    let account = setting.account("oauth2", &context(&Value::Null));
    let path = format!("/integrated-account/{account}/mcp");
    let made = token(&setting.client, &account, &json!({}));
    let one = format!("{path}/{}", made["id"].as_str().unwrap());
    let stranger = setting
        .admin
        .token_of(&setting.admin.environment("o"), None);
    let customer = setting.customer(&account);
    for (client, code) in [
        (&stranger, "caller.not_found"),
        (&customer, "caller.forbidden"),
    ] {
        let answers = [
            client.get(&path),
            client.post(&path, &json!({ "name": "a" })),
            client.get(&one),
            client.delete(&one),
        ];
        for answer in answers {
            assert_eq!(answer.json()["code"], code);
        }
    }
    let other = setting.account("oauth2", &context(&Value::Null));
    let elsewhere = one.replace(&account, &other);
    assert_eq!(setting.client.get(&elsewhere).code(404), "caller.not_found");
    assert_eq!(
        setting.client.delete(&elsewhere).code(404),
        "caller.not_found"
    );
    setting.client.get(&one).expect(200);
}

#[test]
fn a_token_ends_when_it_expires_when_it_is_revoked_and_with_its_account() {
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    let agent = Agent::new(&World::new(), &json!({}));
    assert_eq!(agent.send(&ping).status, 200);
    let one = format!("/integrated-account/{}/mcp/{}", agent.account, agent.id);
    agent.setting.client.delete(&one).expect(200);
    assert_eq!(agent.send(&ping).code(401), "caller.unauthenticated");

    let path = format!("/integrated-account/{}/mcp", agent.account);
    let until = agent.world().now().plus(Duration::from_mins(1));
    let body = json!({ "name": "short", "expires_at": until });
    let made = agent.setting.client.post(&path, &body).expect(201);
    let agent = Agent {
        path: format!("/mcp/{}", made["token"].as_str().unwrap()),
        ..agent
    };
    agent.world().pass(Duration::from_secs(59));
    assert_eq!(agent.send(&ping).status, 200);
    agent.world().pass(Duration::from_secs(1));
    assert_eq!(agent.send(&ping).code(401), "caller.unauthenticated");

    let agent = Agent::with(agent.setting, &context(&Value::Null), &json!({}));
    agent
        .setting
        .client
        .delete(&format!("/integrated-account/{}", agent.account))
        .expect(200);
    assert_eq!(agent.send(&ping).code(401), "caller.unauthenticated");
}

#[test]
fn a_token_may_ask_for_an_api_token_as_well() {
    let agent = Agent::new(&World::new(), &json!({ "require_api_token_auth": true }));
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }).to_string();
    let (setting, json) = (&agent.setting, [("content-type", "application/json")]);
    let send = |client: &crate::client::Client| {
        let body = causeway::ports::Body::from_bytes(ping.clone());
        client.request("POST", &agent.path, &json, body).status
    };
    let foreign = setting
        .admin
        .token_of(&setting.admin.environment("o"), None);
    let reader = setting
        .admin
        .token_of(&setting.environment, Some(&["read"]));
    let customer = setting.customer(&agent.account);
    let cases = [
        (&agent.anonymous, 401),
        (&foreign, 401),
        (&reader, 401),
        (&customer, 401),
        (&setting.admin, 401),
        (&setting.client.with_token("ct_forged"), 401),
        (&setting.client, 200),
    ];
    each_case(cases, |(client, status)| {
        assert_eq!(send(client), status, "{client:?}");
    });
}

#[test]
fn the_words_of_a_token_are_bounded() {
    let setting = Setting::new(&World::new(), &crm());
    let account = setting.account("oauth2", &context(&Value::Null));
    let path = format!("/integrated-account/{account}/mcp");
    let post = |key: &str, words: &[String]| {
        let mut config = json!({ "methods": ["read"], "tags": ["crm"], "resources": ["contacts"] });
        let all = config[key].as_array_mut().unwrap();
        all.extend(words.iter().map(|word| json!(word)));
        setting
            .client
            .post(&path, &json!({ "name": "a", "config": config }))
    };
    each_case(["methods", "tags", "resources"], |key| {
        let many = |count: usize| vec!["w".repeat(100); count];
        assert_eq!(post(key, &many(99)).status, 201, "{key}");
        for refused in [many(100), vec!["w".repeat(101)]] {
            let answer = post(key, &refused).expect(422);
            assert_eq!(
                answer["details"]["failures"][0]["path"],
                format!("config.{key}")
            );
        }
    });
}

#[test]
fn no_token_is_stored_for_an_account_that_was_deleted_in_the_meantime() {
    let world = World::new();
    let setting = Setting::new(&world, &crm());
    let account = setting.account("oauth2", &context(&Value::Null));
    // The caches of the config have ended, those of the caller's token not.
    world.pass(Duration::from_mins(3));
    setting.client.get("/environment-integration").expect(200);
    let path = format!("/integrated-account/{account}");
    let answer = block_on(async {
        world.0.kv_waits.set(true);
        let (tokens, body) = (format!("{path}/mcp"), json!({ "name": "a", "config": {} }));
        let mut making = Box::pin(setting.client.send_async("POST", &tokens, &body));
        assert!(futures::poll!(&mut making).is_pending());
        world.0.kv_waits.set(false);
        let deleted = setting
            .client
            .request_async("DELETE", &path, &[], Body::Empty);
        assert_eq!(deleted.await.status, 200);
        world.run_passing(making).await
    });
    assert_eq!(answer.code(404), "caller.not_found");
    let id = account.parse().unwrap();
    let tables = "SELECT name FROM sqlite_master WHERE name = 'mcp_token'";
    assert_eq!(world.rows(ObjectName::Account(id), tables), 0);
}
