//! Connected accounts: imported, listed, deleted; and what a restart in between leaves behind.

use causeway::ids::{AccountId, Placement, Region};
use serde_json::json;

use crate::client::{Setting, id_of};
use crate::integrations::file;
use crate::outside::{Fault, World};

fn context() -> serde_json::Value {
    json!({ "shop": "s1", "oauth": { "token": { "access_token": "token-in-clear", "expires_at": "2030-01-01T00:00:00.000Z" } } })
}

#[test]
fn an_account_is_imported_read_listed_and_deleted() {
    let world = World::new();
    let setting = Setting::new(&world, &file());
    let body = json!({ "tenant_id": "acme", "environment_integration_id": setting.install, "authentication_method": "oauth2", "context": context(), "region": "apac" });
    let made = setting
        .client
        .post("/integrated-account", &body)
        .expect(201);
    assert_eq!(
        (made["status"].as_str(), made["region"].as_str()),
        (Some("active"), Some("apac"))
    );
    assert_eq!(made["integration"]["name"], "shop");
    assert_eq!(
        made["context"],
        json!({ "shop": "s1" }),
        "secrets are in no answer"
    );
    let keys = [
        "id",
        "tenant_id",
        "environment_id",
        "environment_integration_id",
        "integration",
        "context",
        "status",
        "authentication_method",
        "region",
        "is_sandbox",
        "last_error",
        "last_action_run_result",
        "last_forbidden_error",
        "integration_override",
        "created_at",
        "updated_at",
    ];
    for key in keys {
        assert!(made.get(key).is_some(), "{key}");
    }
    let id = id_of(&made);
    assert_eq!(
        id.parse::<AccountId>().unwrap().placement(),
        Placement::Hinted(Region::Apac)
    );
    assert_eq!(
        setting
            .client
            .get(&format!("/integrated-account/{id}"))
            .expect(200),
        made
    );
    let other = setting.account("oauth2", &json!({}));
    let listed = setting
        .client
        .get("/integrated-account?tenant_id=acme")
        .expect(200);
    assert_eq!(listed["result"].as_array().unwrap().len(), 2);
    assert_eq!(
        setting
            .client
            .get("/integrated-account?tenant_id=unknown")
            .expect(200)["result"],
        json!([])
    );
    setting
        .client
        .delete(&format!("/integrated-account/{id}"))
        .expect(200);
    assert_eq!(
        setting
            .client
            .get(&format!("/integrated-account/{id}"))
            .code(404),
        "caller.not_found"
    );
    let left = setting.client.get("/integrated-account").expect(200);
    assert_eq!(
        left["result"]
            .as_array()
            .unwrap()
            .iter()
            .map(id_of)
            .collect::<Vec<_>>(),
        [other]
    );
    assert!(!world.at_rest().contains("token-in-clear"));
}

#[test]
fn the_eu_is_a_jurisdiction_in_production_and_the_id_remembers() {
    for (word, expected) in [
        ("eu", Placement::EuJurisdiction),
        ("off", Placement::Hinted(Region::Eu)),
    ] {
        let setting = Setting::new(&World::with(&[("EU_JURISDICTION", word)]), &file());
        let body = json!({ "tenant_id": "a", "environment_integration_id": setting.install, "authentication_method": "oauth2", "context": {}, "region": "eu" });
        let id = id_of(
            &setting
                .client
                .post("/integrated-account", &body)
                .expect(201),
        );
        assert_eq!(id.parse::<AccountId>().unwrap().placement(), expected);
    }
}

#[test]
fn a_wrong_import_says_what_and_leaves_nothing() {
    let world = World::new();
    let setting = Setting::new(&world, &file());
    let good = json!({ "tenant_id": "a", "environment_integration_id": setting.install, "authentication_method": "oauth2", "context": {} });
    let with = |key: &str, value: serde_json::Value| {
        let mut body = good.clone();
        body[key] = value;
        setting.client.post("/integrated-account", &body)
    };
    let before = world.objects_with_data();
    for (key, value) in [
        ("tenant_id", json!("")),
        ("tenant_id", json!("x".repeat(256))),
        ("context", json!([])),
        ("authentication_method", json!("api_key")),
        ("region", json!("mars")),
    ] {
        let answer = with(key, value).expect(422);
        assert_eq!(answer["details"]["failures"][0]["path"], key, "{answer}");
    }
    assert_eq!(
        with("environment_integration_id", json!("nonsense")).code(404),
        "caller.not_found"
    );
    assert_eq!(world.objects_with_data(), before);
    assert_eq!(with("tenant_id", json!("x".repeat(255))).status, 201);
}

#[test]
fn an_api_keys_required_fields_are_insisted_on_and_defaults_filled_in() {
    let mut file = file();
    file["config"]["credentials"]["api_key"] = json!({ "format": "api_key", "config": { "fields": [
        { "name": "api_key", "type": "password", "required": true },
        { "name": "region", "default": "eu" },
    ] } });
    let setting = Setting::new(&World::new(), &file);
    let import = |context: serde_json::Value| {
        let body = json!({ "tenant_id": "a", "environment_integration_id": setting.install, "authentication_method": "api_key", "context": context });
        setting.client.post("/integrated-account", &body)
    };
    for empty in [
        json!({}),
        json!({ "api_key": "" }),
        json!({ "api_key": null }),
    ] {
        assert_eq!(
            import(empty).expect(422)["details"]["failures"][0]["path"],
            "context.api_key"
        );
    }
    assert_eq!(
        import(json!({ "api_key": "k" })).expect(201)["context"],
        json!({ "region": "eu" })
    );
}

#[test]
fn accounts_of_other_environments_are_not_there() {
    let setting = Setting::new(&World::new(), &file());
    let id = setting.account("oauth2", &context());
    let stranger = setting
        .admin
        .token_of(&setting.admin.environment("other"), None);
    for answer in [
        stranger.get(&format!("/integrated-account/{id}")),
        stranger.delete(&format!("/integrated-account/{id}")),
        stranger.get(&format!("/proxy/orders?integrated_account_id={id}")),
        setting.admin.get(&format!(
            "/integrated-account/{id}?environment_id={}",
            setting.admin.environment("third")
        )),
    ] {
        assert_eq!(answer.code(404), "caller.not_found");
    }
    setting
        .admin
        .get(&format!("/integrated-account/{id}"))
        .expect(200);
}

#[test]
fn accounts_survive_a_restart() {
    let world = World::new();
    let setting = Setting::new(&world, &file());
    let id = setting.account("oauth2", &context());
    world.restart();
    assert_eq!(
        setting
            .client
            .get(&format!("/integrated-account/{id}"))
            .expect(200)["status"],
        "active"
    );
    world.answers(200, &[], r#"{"data":[]}"#);
    setting
        .client
        .get(&format!("/proxy/orders?integrated_account_id={id}"))
        .expect(200);
    assert_eq!(
        world.sent()[0].header("authorization"),
        Some("Bearer token-in-clear")
    );
}

#[test]
fn an_import_whose_index_entry_fails_is_undone_and_leaves_nothing() {
    for fault in [Fault::Lost, Fault::AnswerLost] {
        let world = World::new();
        let setting = Setting::new(&world, &file());
        world
            .0
            .faults
            .borrow_mut()
            .push_back(("index_account".into(), fault));
        let body = json!({ "tenant_id": "tenant-of-the-lost", "environment_integration_id": setting.install, "authentication_method": "oauth2", "context": context() });
        assert_eq!(
            setting.client.post("/integrated-account", &body).code(503),
            "internal.storage"
        );
        assert_eq!(
            setting.client.get("/integrated-account").expect(200)["result"],
            json!([]),
            "{fault:?}"
        );
        assert!(!world.at_rest().contains("tenant-of-the-lost"), "{fault:?}");
    }
}

#[test]
fn a_deletion_is_final_even_when_the_index_does_not_answer() {
    for fault in [Fault::Lost, Fault::AnswerLost] {
        let world = World::new();
        let setting = Setting::new(&world, &file());
        let id = setting.account("oauth2", &context());
        world
            .0
            .faults
            .borrow_mut()
            .push_back(("forget_account".into(), fault));
        setting
            .client
            .delete(&format!("/integrated-account/{id}"))
            .expect(200);
        world.restart();
        world.pass(std::time::Duration::from_secs(61));
        futures::executor::block_on(world.ring_alarms());
        assert_eq!(
            setting
                .client
                .get(&format!("/integrated-account/{id}"))
                .code(404),
            "caller.not_found"
        );
        assert_eq!(
            setting.client.get("/integrated-account").expect(200)["result"],
            json!([]),
            "{fault:?}"
        );
    }
}

#[test]
fn a_restart_between_storing_and_indexing_is_finished_by_the_next_look_or_the_alarm() {
    for by_alarm in [false, true] {
        let world = World::new();
        let setting = Setting::new(&world, &file());
        // The index never answers: neither the import nor its withdrawal gets through. Then the power goes.
        world
            .0
            .faults
            .borrow_mut()
            .push_back(("index_account".into(), Fault::AnswerLost));
        world
            .0
            .faults
            .borrow_mut()
            .push_back(("forget_account".into(), Fault::Lost));
        let body = json!({ "tenant_id": "a", "environment_integration_id": setting.install, "authentication_method": "oauth2", "context": context() });
        assert_eq!(
            setting.client.post("/integrated-account", &body).code(503),
            "internal.storage"
        );
        world.restart();
        // The index is ahead: a list shows only what the account itself confirms.
        assert_eq!(
            setting.client.get("/integrated-account").expect(200)["result"],
            json!([])
        );
        if by_alarm {
            world.pass(std::time::Duration::from_secs(61));
            assert!(futures::executor::block_on(world.ring_alarms()) >= 1);
            assert!(
                !world.at_rest().contains("tenant_id"),
                "the entry is gone, too"
            );
        }
    }
}

#[test]
fn a_deleted_account_stays_away_while_the_index_is_silent() {
    let world = World::new();
    let setting = Setting::new(&world, &file());
    let sealed = || world.at_rest().matches("k1.").count();
    let before = sealed();
    let id = setting.account("oauth2", &context());
    assert_eq!(sealed(), before + 1);
    for _ in 0..3 {
        world
            .0
            .faults
            .borrow_mut()
            .push_back(("forget_account".into(), Fault::Lost));
    }
    setting
        .client
        .delete(&format!("/integrated-account/{id}"))
        .expect(200);
    assert_eq!(sealed(), before, "its secrets went at once");
    for restarts in [false, true] {
        if restarts {
            world.restart();
        }
        assert_eq!(
            setting
                .client
                .get(&format!("/integrated-account/{id}"))
                .code(404),
            "caller.not_found"
        );
        assert_eq!(
            setting
                .client
                .get(&format!("/proxy/orders?integrated_account_id={id}"))
                .code(404),
            "caller.not_found"
        );
    }
    for _ in 0..3 {
        world.pass(std::time::Duration::from_secs(61));
        futures::executor::block_on(world.ring_alarms());
    }
    assert_eq!(
        setting.client.get("/integrated-account").expect(200)["result"],
        json!([])
    );
    world.pass(std::time::Duration::from_mins(10));
    assert_eq!(
        futures::executor::block_on(world.ring_alarms()),
        0,
        "and then nothing wakes any more"
    );
}

#[test]
fn a_context_of_256_kib_is_stored_one_byte_more_is_not() {
    let setting = Setting::new(&World::new(), &file());
    let import = |bytes: usize| {
        let context = json!({ "a": "x".repeat(bytes - r#"{"a":""}"#.len()) });
        let body = json!({ "tenant_id": "a", "environment_integration_id": setting.install, "authentication_method": "oauth2", "context": context });
        setting.client.post("/integrated-account", &body)
    };
    import(256 * 1024).expect(201);
    assert_eq!(
        import(256 * 1024 + 1).expect(422)["details"]["failures"][0]["path"],
        "context"
    );
}

#[test]
fn nesting_of_64_levels_is_read_back_deeper_is_refused() {
    let setting = Setting::new(&World::new(), &file());
    let import = |levels: usize| {
        let mut context = json!({});
        for _ in 0..levels {
            context = json!({ "a": context });
        }
        let body = json!({ "tenant_id": "a", "environment_integration_id": setting.install, "authentication_method": "oauth2", "context": context });
        setting.client.post("/integrated-account", &body)
    };
    import(62).expect(201);
    assert_eq!(import(63).code(400), "caller.malformed");
    assert_eq!(
        setting.client.get("/integrated-account").expect(200)["result"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn an_account_is_shown_even_when_its_config_no_longer_compiles() {
    let world = World::new();
    let admin = crate::client::Client::admin(&world);
    admin.post("/integration", &file()).expect(201);
    let client = admin.token_of(&admin.environment("e"), None);
    let change = json!({ "resources": { "orders": { "get": { "path": "/orders/{{id}}" } } } });
    let install = client
        .post(
            "/environment-integration",
            &json!({ "integration_name": "shop", "override": change }),
        )
        .expect(201);
    let body = json!({ "tenant_id": "a", "environment_integration_id": install["id"], "authentication_method": "oauth2", "context": { "shop": "s" } });
    let id = id_of(&client.post("/integrated-account", &body).expect(201));
    let mut newer = file();
    newer["config"]["base_url"] = serde_json::Value::Null;
    newer["config"]["resources"]["orders"]["list"]["base_url"] = json!("https://api.shop.example");
    admin.send("PUT", "/integration/shop", &newer).expect(200);
    let shown = client.get(&format!("/integrated-account/{id}")).expect(200);
    assert_eq!(
        (shown["status"].as_str(), &shown["context"]),
        (Some("active"), &json!({})),
        "it cannot be known what is secret"
    );
    assert_eq!(
        client.get("/integrated-account").expect(200)["result"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        client
            .get(&format!("/proxy/orders?integrated_account_id={id}"))
            .code(500),
        "integration.invalid"
    );
    client
        .delete(&format!("/integrated-account/{id}"))
        .expect(200);
}

#[test]
fn a_list_is_narrowed_by_every_filter() {
    let world = World::new();
    let setting = Setting::new(&world, &file());
    let first = setting.account("oauth2", &json!({}));
    world.pass(std::time::Duration::from_secs(10));
    let body = json!({ "tenant_id": "b", "environment_integration_id": setting.install, "authentication_method": "oauth2", "context": {}, "region": "apac", "is_sandbox": true });
    let second = id_of(
        &setting
            .client
            .post("/integrated-account", &body)
            .expect(201),
    );
    let between = "2023-11-14T22:13:25Z";
    for (filter, expected) in [
        ("tenant_id=b".to_owned(), vec![&second]),
        ("status=active".to_owned(), vec![&first, &second]),
        ("status=needs_reauth".to_owned(), vec![]),
        ("is_sandbox=false".to_owned(), vec![&first]),
        ("is_sandbox=true&tenant_id=b".to_owned(), vec![&second]),
        ("integration.name=shop".to_owned(), vec![&first, &second]),
        ("integration.name=other".to_owned(), vec![]),
        ("region=apac".to_owned(), vec![&second]),
        (format!("created_at[gt]={between}"), vec![&second]),
        (format!("created_at[lt]={between}"), vec![&first]),
        (
            "created_at[gte]=2023-11-14T22:13:20Z&created_at[lte]=2023-11-14T22:13:20Z".to_owned(),
            vec![&first],
        ),
    ] {
        let listed = setting
            .client
            .get(&format!("/integrated-account?{filter}"))
            .expect(200);
        let ids: Vec<String> = listed["result"]
            .as_array()
            .unwrap()
            .iter()
            .map(id_of)
            .collect();
        let mut expected: Vec<String> = expected.into_iter().cloned().collect();
        expected.sort();
        assert_eq!(ids, expected, "{filter}");
    }
    assert_eq!(
        setting
            .client
            .get("/integrated-account?is_sandbox=maybe")
            .code(400),
        "caller.malformed"
    );
}

#[test]
fn an_account_that_does_not_answer_hides_its_own_details_and_not_the_list() {
    let world = World::new();
    let setting = Setting::new(&world, &file());
    let mut ids = [
        setting.account("oauth2", &context()),
        setting.account("oauth2", &context()),
    ];
    ids.sort();
    for _ in 0..2 {
        let fault = ("\"get\"".into(), Fault::Lost);
        world.0.faults.borrow_mut().push_back(fault);
    }
    let list = setting.client.get("/integrated-account").expect(200)["result"].clone();
    assert_eq!(list[0]["id"], ids[0].as_str());
    assert_eq!(list[0]["error"]["code"], "internal.storage");
    assert_eq!(list[0]["tenant_id"], list[1]["tenant_id"]);
    assert!(list[0].get("context").is_none());
    let list = setting.client.get("/integrated-account").expect(200)["result"].clone();
    assert!(list[0].get("error").is_none() && list[1].get("error").is_none());
    assert_eq!(list[1]["id"], ids[1].as_str());
}

#[test]
fn an_account_whose_install_went_before_it_counted_leaves_nothing() {
    let world = World::new();
    let setting = Setting::new(&world, &file());
    let objects = world.objects_with_data();
    let silence = ("index_account".into(), Fault::Silence);
    world.0.faults.borrow_mut().push_back(silence);
    let body = json!({ "tenant_id": "a", "environment_integration_id": setting.install, "authentication_method": "oauth2", "context": context() });
    let headers = [("content-type", "application/json")];
    let text = causeway::ports::Body::from_bytes(body.to_string());
    let asked = setting
        .client
        .request_async("POST", "/integrated-account", &headers, text);
    assert!(futures::FutureExt::now_or_never(asked).is_none());
    assert_eq!(world.objects_with_data(), objects + 1);
    world.restart();
    let path = format!("/environment-integration/{}", setting.install);
    setting.client.delete(&path).expect(200);
    world.settle();
    assert_eq!(world.objects_with_data(), objects);
}
