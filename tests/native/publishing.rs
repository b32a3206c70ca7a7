//! Publishing to KV is repeated until it succeeds; what KV does not have is asked of the truth.

use std::time::Duration;

use causeway::ports::ObjectName;
use futures::executor::block_on;
use serde_json::json;

use crate::cases::each_case;
use crate::client::{Client, Setting};
use crate::integrations::file;
use crate::outside::World;

#[test]
fn a_write_whose_publishing_failed_is_published_by_the_alarm() {
    let world = World::new();
    let admin = Client::admin(&world);
    world.0.kv_failures.set(2);
    let made = admin.post("/integration", &file()).expect(201);
    assert!(world.0.kv.borrow().is_empty());
    assert!(
        world
            .0
            .logs
            .borrow()
            .iter()
            .any(|line| line["event"] == "publishing_failed")
    );
    world.pass(Duration::from_secs(6));
    assert_eq!(
        block_on(world.ring_alarms()),
        1,
        "the second try fails, too"
    );
    assert!(world.0.kv.borrow().is_empty());
    world.pass(Duration::from_secs(6));
    block_on(world.ring_alarms());
    let key = format!("integration/{}", made["id"].as_str().unwrap());
    assert!(world.0.kv.borrow()[&key].contains("\"name\":\"shop\""));
    world.pass(Duration::from_secs(6));
    block_on(world.ring_alarms());
    world.pass(Duration::from_mins(10));
    assert_eq!(
        block_on(world.ring_alarms()),
        0,
        "once all is published, nothing wakes"
    );
}

#[test]
fn a_restart_between_the_write_and_the_publishing_loses_nothing() {
    let world = World::new();
    world.0.kv_failures.set(1);
    Client::admin(&world)
        .post("/integration", &file())
        .expect(201);
    world.restart();
    world.pass(Duration::from_secs(6));
    block_on(world.ring_alarms());
    assert_eq!(world.0.kv.borrow().len(), 1);
}

#[test]
fn the_last_write_is_what_is_published() {
    let world = World::new();
    let admin = Client::admin(&world);
    world.0.kv_failures.set(1);
    admin.post("/integration", &file()).expect(201);
    let mut newer = file();
    newer["config"]["label"] = json!("Newer");
    admin.send("PUT", "/integration/shop", &newer).expect(200);
    let kv = world.0.kv.borrow();
    assert!(kv.values().next().unwrap().contains("Newer"));
}

#[test]
fn what_kv_does_not_have_is_asked_of_the_directory() {
    let world = World::new();
    let setting = Setting::new(&world, &file());
    let id = setting.account(
        "oauth2",
        &json!({ "oauth": { "token": { "access_token": "t" } } }),
    );
    each_case([true, false], |loses| {
        world.restart();
        if loses {
            world.0.kv.borrow_mut().clear();
        } else {
            world.0.kv_failures.set(100);
        }
        world.answers(200, &[], r#"{"data":[1]}"#);
        let list = setting
            .client
            .get(&format!("/proxy/orders?integrated_account_id={id}"))
            .expect(200);
        assert_eq!(list["result_count"], 1);
    });
}

#[test]
fn the_isolate_that_writes_sees_its_change_at_once_others_within_their_cache() {
    let world = World::new();
    let setting = Setting::new(&world, &file());
    let id = setting.account(
        "oauth2",
        &json!({ "oauth": { "token": { "access_token": "t" } } }),
    );
    let path = format!("/proxy/orders?integrated_account_id={id}");
    let asked = |expected: &str| {
        world.answers(200, &[], "[]");
        let _ = setting.client.get(&path);
        assert_eq!(world.sent()[0].url, expected);
    };
    asked("https://api.shop.example/orders");
    let mut newer = file();
    newer["config"]["base_url"] = json!("https://v2.shop.example");
    setting
        .admin
        .send("PUT", "/integration/shop", &newer)
        .expect(200);
    asked("https://v2.shop.example/orders");
    // Another isolate wrote: KV has the news, this one its copy, for 30 s.
    let id = setting.admin.get("/integration/shop").expect(200)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let text = world.0.kv.borrow()[&format!("integration/{id}")]
        .replace("v2.shop", "v3.shop")
        .replace("\"version\":2", "\"version\":3");
    world
        .0
        .kv
        .borrow_mut()
        .insert(format!("integration/{id}"), text);
    world.pass(Duration::from_secs(29));
    asked("https://v2.shop.example/orders");
    world.pass(Duration::from_secs(1));
    asked("https://v3.shop.example/orders");
}

#[test]
fn deleting_an_environment_is_refused_while_it_holds_something_and_revokes_its_tokens() {
    let world = World::new();
    let setting = Setting::new(&world, &file());
    let refused = setting
        .admin
        .delete(&format!("/environment/{}", setting.environment))
        .expect(409);
    assert_eq!(
        (
            refused["code"].as_str(),
            &refused["details"]["environment_integrations"]
        ),
        (Some("caller.in_use"), &json!(1))
    );
    setting
        .admin
        .get(&format!("/environment/{}", setting.environment))
        .expect(200);
    let empty = setting.admin.environment("empty");
    let client = setting.admin.token_of(&empty, None);
    client.get("/integration").expect(200);
    setting
        .admin
        .delete(&format!("/environment/{empty}"))
        .expect(200);
    world.restart();
    assert_eq!(client.get("/integration").status, 401);
    assert_eq!(
        world.writes(ObjectName::Environment(empty.parse().unwrap())),
        0,
        "its directory is erased"
    );
}

#[test]
fn a_deletion_cut_off_in_the_middle_is_finished_by_the_alarm() {
    let world = World::new();
    let admin = Client::admin(&world);
    let id = admin.environment("gone");
    admin.token_of(&id, None);
    let path = format!("/environment/{id}");
    // The power goes while the environment's directory erases itself: no caller is left for the answer.
    let deletion = admin.request_async("DELETE", &path, &[], causeway::ports::Body::Empty);
    world.0.hangs.borrow_mut().push("close".into());
    block_on(async {
        let mut deletion = Box::pin(deletion);
        assert!(futures::poll!(&mut deletion).is_pending());
    });
    world.restart();
    assert_eq!(
        admin.get("/environment").expect(200)["result"],
        json!([]),
        "hidden from the first step on"
    );
    assert_eq!(admin.get(&path).code(404), "caller.not_found");
    world.pass(Duration::from_secs(61));
    assert!(block_on(world.ring_alarms()) >= 1);
    assert_eq!(
        world.rows(ObjectName::Root, "SELECT id FROM environment"),
        0
    );
    admin.environment("gone");
}

#[test]
fn a_refused_deletion_shows_the_environment_again_with_its_tokens() {
    let world = World::new();
    let setting = Setting::new(&world, &file());
    setting
        .admin
        .delete(&format!("/environment/{}", setting.environment))
        .code(409);
    world.restart();
    setting.client.get("/environment-integration").expect(200);
}

#[test]
fn nothing_is_written_to_an_environment_that_is_being_closed() {
    let world = World::new();
    let admin = Client::admin(&world);
    admin.post("/integration", &file()).expect(201);
    let id = admin.environment("closing");
    let client = admin.token_of(&id, None);
    let body = json!({ "integration_name": "shop" }).to_string();
    let deleted = block_on(async {
        world.0.kv_waits.set(true);
        let path = format!("/environment/{id}");
        let mut deletion =
            Box::pin(admin.request_async("DELETE", &path, &[], causeway::ports::Body::Empty));
        assert!(
            futures::poll!(&mut deletion).is_pending(),
            "its tokens are being revoked"
        );
        let install = client
            .request_async(
                "POST",
                "/environment-integration",
                &[],
                causeway::ports::Body::from_bytes(body),
            )
            .await;
        assert_eq!(install.status, 404);
        world.0.kv_waits.set(false);
        world.pass(Duration::from_secs(1));
        deletion.await
    });
    assert_eq!(deleted.status, 200, "{}", deleted.text());
    assert_eq!(
        world
            .0
            .kv
            .borrow()
            .keys()
            .filter(|key| key.starts_with("install/"))
            .count(),
        0
    );
}

#[test]
fn a_write_does_not_wait_for_a_slow_kv() {
    let world = World::new();
    let admin = Client::admin(&world);
    let body = file().to_string();
    let made = block_on(async {
        world.0.kv_waits.set(true);
        let mut saving = Box::pin(admin.request_async(
            "POST",
            "/integration",
            &[],
            causeway::ports::Body::from_bytes(body),
        ));
        assert!(futures::poll!(&mut saving).is_pending());
        world.pass(Duration::from_secs(5));
        saving.await
    });
    assert_eq!(made.status, 201);
    world.0.kv_waits.set(false);
    world.pass(Duration::from_secs(5));
    block_on(world.ring_alarms());
    assert_eq!(world.0.kv.borrow().len(), 1);
}
