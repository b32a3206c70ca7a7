//! Integration files: saved, replaced, read back without their secrets.

use serde_json::{Value, json};

use crate::cases::each_case;
use crate::client::{Client, id_of};
use crate::outside::World;

pub fn file() -> Value {
    json!({
        "name": "shop",
        "config": {
            "label": "Shop",
            "base_url": "https://api.shop.example",
            "credentials": {
                "oauth2": { "format": "oauth2", "config": {
                    "client": { "id": "public-id", "secret": "client-secret-in-clear" },
                    "auth": { "tokenHost": "https://login.shop.example", "authorizePath": "/authorize", "tokenPath": "/token" },
                } },
            },
            "authorization": { "format": "bearer", "config": {} },
            "resources": { "orders": { "list": { "path": "/orders", "response_path": "data" } } },
        },
    })
}

#[test]
fn a_file_is_saved_found_by_id_and_name_and_replaced() {
    let admin = Client::admin(&World::new());
    let made = admin.post("/integration", &file()).expect(201);
    assert_eq!(
        (made["version"].as_u64(), made["name"].as_str()),
        (Some(1), Some("shop"))
    );
    assert_eq!(
        admin.post("/integration", &file()).code(409),
        "caller.duplicate"
    );
    let replaced = admin.send("PUT", "/integration/shop", &file()).expect(200);
    assert_eq!(
        (replaced["version"].as_u64(), &replaced["id"]),
        (Some(2), &made["id"])
    );
    each_case(["shop", made["id"].as_str().unwrap()], |key| {
        assert_eq!(
            admin.get(&format!("/integration/{key}")).expect(200)["version"],
            2
        );
    });
    assert_eq!(
        admin.get("/integration/other").code(404),
        "caller.not_found"
    );
    assert_eq!(
        admin.get("/integration").expect(200)["result"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        admin.send("PUT", "/integration/other", &file()).code(422),
        "caller.invalid"
    );
    assert_eq!(
        admin
            .send(
                "PUT",
                "/integration/new",
                &json!({ "name": "new", "config": file()["config"] })
            )
            .status,
        201
    );
}

#[test]
fn a_client_secret_is_write_only_sealed_and_kept_when_left_out() {
    let world = World::new();
    let admin = Client::admin(&world);
    let made = admin.post("/integration", &file()).expect(201);
    assert!(!made.to_string().contains("client-secret-in-clear"));
    let mut read_back = json!({ "name": "shop", "config": made["config"] });
    read_back["config"]["label"] = json!("New label");
    let replaced = admin
        .send("PUT", "/integration/shop", &read_back)
        .expect(200);
    assert_eq!(replaced["config"]["label"], "New label");
    assert!(!world.at_rest().contains("client-secret-in-clear"));
    assert!(
        world.at_rest().matches("k1.").count() >= 2,
        "sealed in the directory and in KV"
    );
}

#[test]
fn validating_and_saving_say_the_same() {
    let world = World::new();
    let admin = Client::admin(&world);
    let mut wrong = file();
    wrong["config"]["resources"]["orders"]["list"]["paht"] = json!("/x");
    wrong["config"]["resources"]["users"] = json!({ "list": { "path": 7 } });
    let checked = admin.post("/integration/validate", &wrong).expect(200);
    assert_eq!(checked["valid"], false);
    let saved = admin.post("/integration", &wrong).expect(422);
    let paths = |list: &Value| {
        list.as_array()
            .unwrap()
            .iter()
            .map(|one| one["path"].clone())
            .collect::<Vec<_>>()
    };
    let errors: Vec<Value> = checked["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["level"] == "error")
        .cloned()
        .collect();
    assert_eq!(paths(&json!(errors)), paths(&saved["details"]["failures"]));
    assert_eq!(
        errors.len(),
        2,
        "one mistake does not hide the other: {checked}"
    );
    let typo = errors
        .iter()
        .find(|one| one["path"].as_str().unwrap().ends_with("paht"))
        .unwrap();
    assert!(typo["hint"].as_str().unwrap().contains("path"));
    assert!(world.0.kv.borrow().is_empty(), "nothing is stored");
    assert_eq!(
        admin.post("/integration/validate", &file()).expect(200)["valid"],
        true
    );
}

#[test]
fn a_file_over_a_mebibyte_is_refused_one_just_under_is_not() {
    let admin = Client::admin(&World::new());
    let with = |bytes: usize| {
        let mut file = file();
        file["config"]["x-padding"] = json!("");
        let rest = bytes - file.to_string().len();
        file["config"]["x-padding"] = json!("a".repeat(rest));
        admin.post("/integration/validate", &file)
    };
    assert_eq!(with(1024 * 1024).status, 200);
    let over = with(1024 * 1024 + 1).expect(413);
    assert_eq!(over["details"]["limit_bytes"], 1024 * 1024);
}

#[test]
fn all_environments_read_the_same_integrations_and_none_writes_them() {
    let admin = Client::admin(&World::new());
    let id = id_of(&admin.post("/integration", &file()).expect(201));
    let client = admin.token_of(&admin.environment("e"), None);
    client.get(&format!("/integration/{id}")).expect(200);
    client.post("/integration/validate", &file()).expect(200);
    assert_eq!(
        client.post("/integration", &file()).code(403),
        "caller.forbidden"
    );
}

#[test]
fn a_patch_merges_by_the_one_rule_and_needs_the_version_it_is_meant_for() {
    let world = World::new();
    let admin = Client::admin(&world);
    admin.post("/integration", &file()).expect(201);
    let patch = |body: &Value| admin.send("PATCH", "/integration/shop", body);
    let change = json!({ "version": 1, "is_beta": true, "config": { "label": null, "headers": { "X-A": "1" } } });
    let changed = patch(&change).expect(200);
    assert_eq!(
        (
            changed["version"].as_u64(),
            changed["is_beta"].as_bool(),
            changed["config"].get("label")
        ),
        (Some(2), Some(true), None)
    );
    assert_eq!(
        changed["config"]["resources"],
        file()["config"]["resources"],
        "what is left out stays"
    );
    let stale = patch(&change).expect(409);
    assert_eq!(
        (stale["code"].as_str(), stale["details"]["version"].as_u64()),
        (Some("caller.version_mismatch"), Some(2))
    );
    assert_eq!(
        patch(&json!({ "is_beta": false })).code(422),
        "caller.invalid"
    );
    let by_header = admin.request(
        "PATCH",
        "/integration/shop",
        &[("if-match", "\"2\"")],
        causeway::ports::Body::from_bytes(r#"{"is_beta":false}"#),
    );
    assert_eq!(by_header.expect(200)["version"], 3);
    let wrong = patch(&json!({ "version": 3, "config": { "resources": { "orders": { "list": { "paht": "/" } } } } })).expect(422);
    assert_eq!(
        wrong["details"]["failures"][0]["path"],
        "config.resources.orders.list.paht"
    );
    assert_eq!(
        patch(&json!({ "version": 3, "name": "other" })).code(422),
        "caller.invalid"
    );
    assert_eq!(
        admin
            .send("PATCH", "/integration/none", &json!({ "version": 1 }))
            .code(404),
        "caller.not_found"
    );
}

#[test]
fn a_patch_keeps_a_secret_that_it_leaves_out_and_removes_it_by_null() {
    let world = World::new();
    let admin = Client::admin(&world);
    admin.post("/integration", &file()).expect(201);
    let sealed = || world.at_rest().matches("k1.").count();
    let before = sealed();
    admin
        .send(
            "PATCH",
            "/integration/shop",
            &json!({ "version": 1, "config": { "label": "x" } }),
        )
        .expect(200);
    assert_eq!(sealed(), before);
    let client = json!({ "version": 2, "config": { "credentials": { "oauth2": { "config": { "client": { "secret": null } } } } } });
    admin
        .send("PATCH", "/integration/shop", &client)
        .expect(200);
    assert_eq!(sealed(), 0);
}

#[test]
fn of_racing_patches_one_wins_and_none_is_lost() {
    let world = World::new();
    let admin = Client::admin(&world);
    admin.post("/integration", &file()).expect(201);
    let patches = (0..20).map(|n| {
        let body = json!({ "version": 1, "config": { "headers": { format!("X-{n}"): "1" } } });
        let admin = admin.clone();
        async move {
            admin
                .request_async(
                    "PATCH",
                    "/integration/shop",
                    &[],
                    causeway::ports::Body::from_bytes(body.to_string()),
                )
                .await
                .status
        }
    });
    let statuses = futures::executor::block_on(futures::future::join_all(patches));
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 19);
}

#[test]
fn an_integration_is_deleted_only_when_nobody_installs_it() {
    let world = World::new();
    let setting = crate::client::Setting::new(&world, &file());
    let refused = setting.admin.delete("/integration/shop").expect(409);
    assert_eq!(
        (
            refused["code"].as_str(),
            &refused["details"]["environment_integrations"]
        ),
        (Some("caller.in_use"), &json!(1))
    );
    setting
        .client
        .delete(&format!("/environment-integration/{}", setting.install))
        .expect(200);
    let id = setting.admin.get("/integration/shop").expect(200)["id"].clone();
    assert_eq!(
        setting.admin.delete("/integration/shop").expect(200),
        json!({ "id": id })
    );
    assert_eq!(
        setting.admin.get("/integration/shop").code(404),
        "caller.not_found"
    );
    assert!(
        !world
            .0
            .kv
            .borrow()
            .keys()
            .any(|key| key.starts_with("integration/") || key.starts_with("install/"))
    );
    setting.admin.post("/integration", &file()).expect(201);
}

#[test]
fn an_install_that_a_restart_cut_off_does_not_hold_its_integration_for_ever() {
    let world = World::new();
    let admin = Client::admin(&world);
    admin.post("/integration", &file()).expect(201);
    let client = admin.token_of(&admin.environment("e"), None);
    world
        .0
        .faults
        .borrow_mut()
        .push_back(("use_integration".into(), crate::outside::Fault::AnswerLost));
    assert_eq!(
        client
            .post(
                "/environment-integration",
                &json!({ "integration_name": "shop" })
            )
            .status,
        503
    );
    assert_eq!(
        admin.delete("/integration/shop").code(409),
        "caller.in_use",
        "it may still be under way"
    );
    world.pass(std::time::Duration::from_secs(61));
    admin.delete("/integration/shop").expect(200);
}

#[test]
fn anybody_may_read_the_schema_of_the_files_and_keep_it() {
    let anonymous = Client::admin(&World::new()).with_token("");
    let answer = anonymous.get("/integration.schema.json");
    assert_eq!(
        answer.header("content-type"),
        Some("application/schema+json")
    );
    assert_eq!(answer.header("cache-control"), Some("public, max-age=3600"));
    assert_eq!(
        answer.expect(200),
        causeway::config::schema::integration_schema()
    );
    let other = anonymous.send("PUT", "/integration.schema.json", &json!({}));
    assert_eq!(other.header("allow"), Some("GET, HEAD"));
    assert_eq!(other.status, 405);
}

#[test]
fn of_fifty_posts_of_one_name_one_is_made_and_of_one_install_there_is_one() {
    let world = World::new();
    let admin = Client::admin(&world);
    let body = file().to_string();
    let posts = (0..50).map(|_| {
        admin.request_async(
            "POST",
            "/integration",
            &[],
            causeway::ports::Body::from_bytes(body.clone()),
        )
    });
    let answers = futures::executor::block_on(futures::future::join_all(posts));
    let count = |status: u16| {
        answers
            .iter()
            .filter(|answer| answer.status == status)
            .count()
    };
    assert_eq!((count(201), count(409)), (1, 49));
    let client = admin.token_of(&admin.environment("e"), None);
    let install = r#"{"integration_name":"shop"}"#;
    let posts = (0..50).map(|_| {
        client.request_async(
            "POST",
            "/environment-integration",
            &[],
            causeway::ports::Body::from_bytes(install),
        )
    });
    let answers = futures::executor::block_on(futures::future::join_all(posts));
    let ids: std::collections::BTreeSet<String> =
        answers.iter().map(|answer| id_of(&answer.json())).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 201).count(),
        1
    );
    assert_eq!(
        client.get("/environment-integration").expect(200)["result"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}
