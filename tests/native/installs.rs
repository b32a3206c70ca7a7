//! Installs and their overrides.

use serde_json::json;

use crate::client::{Client, Setting, id_of};
use crate::integrations::file;
use crate::outside::World;

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
        "base_url": "https://eu.shop.example",
        "environment_variables": { "team": "t1" },
        "secret_environment_variables": { "signing": "very-secret-variable" },
        "credentials": { "oauth2": { "config": { "client": { "secret": "own-client-secret" } } } },
    }))
    .expect(201);
    assert_eq!(
        made["override"]["environment_variables"],
        json!({ "team": "t1" })
    );
    for secret in ["very-secret-variable", "own-client-secret"] {
        assert!(
            !made.to_string().contains(secret) && !world.at_rest().contains(secret),
            "{secret}"
        );
    }
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
