//! Installs and their overrides.

use std::time::Duration;

use causeway::ports::Body;
use serde_json::json;

use crate::account::JSON;
use crate::cases::each_case;
use crate::client::{Client, Setting, id_of};
use crate::integrations::file;
use crate::outside::{World, reply};

#[test]
fn a_second_install_of_an_integration_is_the_first() {
    let setting = Setting::new(&World::new(), &file());
    let again = setting
        .client
        .post(
            "/environment-integration",
            &json!({ "integration_name": "shop" }),
        )
        .expect(200);
    assert_eq!(id_of(&again), setting.install);
    let got = setting
        .client
        .get(&format!("/environment-integration/{}", setting.install))
        .expect(200);
    assert_eq!(got["integration_name"], "shop");
    assert_eq!(got["is_enabled"], true);
    assert_eq!(
        setting.client.get("/environment-integration").expect(200)["result"][0],
        got
    );
}

#[test]
fn an_override_is_checked_with_the_integration_and_its_secrets_are_sealed() {
    let world = World::new();
    let admin = Client::admin(&world);
    admin.post("/integration", &file()).expect(201);
    let environment = admin.environment("e");
    let client = admin.token_of(&environment, None);
    let install = |change: serde_json::Value| {
        client.post(
            "/environment-integration",
            &json!({ "integration_name": "shop", "override": change }),
        )
    };
    let wrong =
        install(json!({ "resources": { "orders": { "list": { "paht": "/x" } } } })).expect(422);
    assert_eq!(
        wrong["details"]["failures"][0]["path"],
        "override.resources.orders.list.paht"
    );
    assert_eq!(install(json!("x")).code(422), "caller.invalid");
    assert_eq!(
        install(json!({ "environment_variables": 7 })).code(422),
        "caller.invalid"
    );
    let made = install(json!({
        "label": "Our shop",
        "environment_variables": { "team": "t1" },
        "secret_environment_variables": { "signing": "very-secret-variable" },
        "credentials": { "oauth2": { "config": { "client": { "secret": "own-client-secret" } } } },
    }))
    .expect(201);
    assert_eq!(
        made["override"]["environment_variables"],
        json!({ "team": "t1" })
    );
    each_case(["very-secret-variable", "own-client-secret"], |secret| {
        assert!(
            !made.to_string().contains(secret) && !world.at_rest().contains(secret),
            "{secret}"
        );
    });
}

#[test]
fn what_is_not_there_cannot_be_installed() {
    let admin = Client::admin(&World::new());
    let client = admin.token_of(&admin.environment("e"), None);
    assert_eq!(
        client
            .post(
                "/environment-integration",
                &json!({ "integration_name": "x" })
            )
            .code(404),
        "caller.not_found"
    );
    assert_eq!(
        client
            .post("/environment-integration", &json!({}))
            .code(422),
        "caller.invalid"
    );
    let both = json!({ "integration_name": "x", "integration_id": "y" });
    assert_eq!(
        client.post("/environment-integration", &both).code(422),
        "caller.invalid"
    );
}

#[test]
fn a_patch_of_the_override_merges_and_loses_nothing() {
    let world = World::new();
    let setting = Setting::new(&world, &file());
    let path = format!("/environment-integration/{}", setting.install);
    let change = |body: serde_json::Value| setting.client.send("PATCH", &path, &body);
    change(json!({ "override": { "environment_variables": { "a": "1" }, "secret_environment_variables": { "s": "first-secret", "t": "second-secret" } } })).expect(200);
    let changed = change(json!({ "is_enabled": false, "override": { "environment_variables": { "b": "2" }, "secret_environment_variables": { "s": null } } })).expect(200);
    assert_eq!(
        (changed["is_enabled"].as_bool(), changed["version"].as_u64()),
        (Some(false), Some(3))
    );
    assert_eq!(
        changed["override"],
        json!({ "environment_variables": { "a": "1", "b": "2" } })
    );
    let wrong = change(json!({ "override": { "headers": { "Host": "x" } } })).expect(422);
    assert!(
        wrong["details"]["failures"][0]["path"]
            .as_str()
            .unwrap()
            .starts_with("override.headers"),
        "{wrong}"
    );
    assert_eq!(change(json!({ "override": 7 })).code(422), "caller.invalid");
    assert_eq!(
        change(json!({ "enabled": true })).code(422),
        "caller.invalid"
    );
    assert_eq!(
        setting
            .client
            .send("PATCH", "/environment-integration/none", &json!({}))
            .code(404),
        "caller.not_found"
    );
}

#[test]
fn a_disabled_install_refuses_calls_and_one_with_accounts_is_not_deleted() {
    let world = World::new();
    let setting = Setting::new(&world, &file());
    let id = setting.account(
        "oauth2",
        &json!({ "oauth": { "token": { "access_token": "t" } } }),
    );
    let path = format!("/environment-integration/{}", setting.install);
    let refused = setting.client.delete(&path).expect(409);
    assert_eq!(
        (
            refused["code"].as_str(),
            &refused["details"]["integrated_accounts"]
        ),
        (Some("caller.in_use"), &json!(1))
    );
    setting
        .client
        .send("PATCH", &path, &json!({ "is_enabled": false }))
        .expect(200);
    assert_eq!(
        setting
            .client
            .get(&format!("/proxy/orders?integrated_account_id={id}"))
            .code(409),
        "account.install_disabled"
    );
    setting
        .client
        .delete(&format!("/integrated-account/{id}"))
        .expect(200);
    setting.client.delete(&path).expect(200);
    assert_eq!(setting.client.get(&path).code(404), "caller.not_found");
}

#[test]
fn an_override_that_leads_elsewhere_is_the_operators_and_brings_the_secret() {
    let setting = Setting::new(&World::new(), &file());
    let path = format!("/environment-integration/{}", setting.install);
    let aim = |client: serde_json::Value| json!({ "override": { "credentials": { "oauth2": { "config": { "client": client, "auth": { "tokenHost": "https://eu.shop.example" } } } } } });
    let own = json!({ "id": "mine", "secret": "mine" });
    each_case(
        [json!({}), json!({ "id": "mine" }), own.clone()],
        |client| {
            assert_eq!(
                setting.client.send("PATCH", &path, &aim(client)).code(422),
                "caller.host_key"
            );
        },
    );
    let path = format!("{path}?environment_id={}", setting.environment);
    each_case([json!({}), json!({ "id": "mine" })], |client| {
        assert_eq!(
            setting.admin.send("PATCH", &path, &aim(client)).code(422),
            "caller.host_key"
        );
    });
    setting.admin.send("PATCH", &path, &aim(own)).expect(200);
}

#[test]
fn an_environment_may_bring_a_client_of_its_own() {
    let setting = Setting::new(&World::new(), &file());
    let path = format!("/environment-integration/{}", setting.install);
    let client = |client: serde_json::Value| json!({ "override": { "credentials": { "oauth2": { "config": { "client": client } } } } });
    let refused = setting
        .client
        .send("PATCH", &path, &client(json!({ "id": "mine" })));
    assert_eq!(refused.code(422), "caller.host_key");
    let own = client(json!({ "id": "mine", "secret": "mine" }));
    setting.client.send("PATCH", &path, &own).expect(200);
}

#[test]
fn a_null_of_a_new_override_removes_a_key_of_the_file_and_a_null_of_a_patch_an_entry() {
    let world = World::new();
    world.provides(|_| reply(200, &JSON, Body::from_bytes(r#"{"data":[]}"#)));
    let setting = Setting::new(&world, &file());
    let environment = setting.admin.environment("second");
    let client = setting.admin.token_of(&environment, None);
    let new = json!({ "label": "Ours", "resources": { "orders": null } });
    let body = json!({ "integration_name": "shop", "override": new });
    let made = client.post("/environment-integration", &body).expect(201);
    assert_eq!(made["override"], new);
    let setting = Setting {
        install: id_of(&made),
        client,
        environment,
        ..setting
    };
    let context = json!({ "oauth": { "token": { "access_token": "t" } } });
    let account = setting.account("oauth2", &context);
    let client = &setting.client;
    let call = |status| {
        world.pass(Duration::from_secs(121));
        let path = format!("/proxy/orders?integrated_account_id={account}");
        client.get(&path).expect(status);
    };
    let kept =
        |patch: &serde_json::Value| setting.override_install(patch).expect(200)["override"].clone();
    call(404);
    let rest = json!({ "resources": { "orders": null } });
    assert_eq!(kept(&json!({ "label": null })), rest);
    call(404);
    // The same patch once more changes nothing: it does not remove the key of the file.
    for _ in 0..2 {
        assert_eq!(kept(&rest), json!({ "resources": {} }));
        call(200);
    }
    let path = format!("/integrated-account/{account}");
    let change = json!({ "integration_override": rest });
    let own = client.send("PATCH", &path, &change).expect(200);
    assert_eq!(own["integration_override"], json!({ "resources": {} }));
    call(200);
}
