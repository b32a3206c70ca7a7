//! Publishing to KV is repeated until it succeeds; what KV does not have is asked of the truth.

use std::time::Duration;

use causeway::ports::ObjectName;
use futures::executor::block_on;
use serde_json::json;

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
    for loses in [true, false] {
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
    }
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
    world
        .0
        .faults
        .borrow_mut()
        .push_back(("close".into(), crate::outside::Fault::AnswerLost));
    assert_eq!(admin.delete(&format!("/environment/{id}")).status, 503);
    admin.delete(&format!("/environment/{id}")).expect(200);
    assert_eq!(admin.get("/environment").expect(200)["result"], json!([]));
}
