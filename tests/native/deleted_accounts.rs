//! What is erased stays erased: neither its link, nor a late form or callback, brings a deleted account back.

use causeway::ports::Body;
use serde_json::{Value, json};

use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::client::Answer;
use crate::connect::{TOKEN, Visit};
use crate::outside::{World, reply};

fn connected_by_key(link: &Value) -> (Visit, Value) {
    let mut visit = Visit::new(link);
    visit.world.answers(200, &[], "{}");
    assert_eq!(submit(&mut visit).status, 200);
    let account = visit.account();
    (visit, account)
}

fn submit(visit: &mut Visit) -> Answer {
    visit.submit(
        "api_key",
        &[("shop", "berlin"), ("api_key", "hunter2-hunter2")],
    )
}

fn delete(visit: &Visit, account: &Value) -> String {
    let path = format!("/integrated-account/{}", account["id"].as_str().unwrap());
    visit.setting.client.delete(&path).expect(200);
    path
}

fn is_gone(visit: &Visit, path: &str) {
    let client = &visit.setting.client;
    assert_eq!(client.get(path).code(404), "caller.not_found");
    let list = client.get("/integrated-account").expect(200);
    assert_eq!(list["result"], json!([]));
}

#[test]
fn a_link_token_of_a_deleted_account_connects_nothing() {
    each_case([true, false], |restarts| {
        let (mut visit, account) = connected_by_key(&json!({ "tenant_id": "acme" }));
        let path = delete(&visit, &account);
        if restarts {
            visit.world.restart();
            visit.world.settle();
        }
        visit.world.answers(200, &[], "{}");
        assert_eq!(submit(&mut visit).status, 401);
        is_gone(&visit, &path);
        let links = visit.setting.client.get("/link-token").expect(200);
        assert_eq!(links["result"], json!([]));
    });
}

#[test]
fn a_link_to_connect_an_account_again_brings_a_deleted_one_not_back() {
    let (visit, account) = connected_by_key(&json!({ "tenant_id": "acme" }));
    let link = json!({ "integrated_account_id": account["id"] });
    let mut again = Visit::with(visit.world, visit.setting, &link);
    let path = delete(&again, &account);
    again.world.answers(200, &[], "{}");
    assert_ne!(submit(&mut again).status, 200);
    is_gone(&again, &path);
}

#[test]
fn a_callback_after_the_deletion_is_refused() {
    let (visit, account) = Visit::connected(&json!({ "tenant_id": "acme" }));
    let link = json!({ "integrated_account_id": account["id"] });
    let mut again = Visit::with(visit.world, visit.setting, &link);
    let there = again.leave();
    again.world.answers(200, &[], "");
    let path = delete(&again, &account);
    again.world.sent();
    again.world.answers(200, &[], TOKEN);
    assert_ne!(again.handle_callback(&there).status, 200);
    assert_eq!(again.world.sent().len(), 0, "no code is exchanged");
    is_gone(&again, &path);
}

#[test]
fn a_second_login_of_the_first_link_brings_a_deleted_account_not_back() {
    let (mut visit, account) = Visit::connected(&json!({ "tenant_id": "acme" }));
    let there = visit.leave();
    visit.world.answers(200, &[], "");
    let path = delete(&visit, &account);
    visit.world.answers(200, &[], TOKEN);
    visit.world.answers(200, &[], "{}");
    assert_ne!(visit.handle_callback(&there).status, 200);
    is_gone(&visit, &path);
    assert_eq!(visit.submit("oauth2", &[("shop", "berlin")]).status, 401);
    is_gone(&visit, &path);
}

/// The form waits for the provider while the account goes.
#[test]
fn a_form_under_way_does_not_survive_the_deletion() {
    let (visit, account) = connected_by_key(&json!({ "tenant_id": "acme" }));
    visit.world.answers_at(1_700_000_900_000, 200, "{}");
    let body = format!(
        "link_token={}&credential=api_key&shop=berlin&api_key=hunter3-hunter3",
        visit.token
    );
    visit.browser.post_and_leave("/connect/oauth-shop", &body);
    let path = delete(&visit, &account);
    visit.world.restart();
    visit.world.settle();
    is_gone(&visit, &path);
}

/// A provider at which something ends with the account.
fn uninstalled(status: u16) -> Scene {
    let file = json!({ "name": "uninstalled", "config": {
        "base_url": "https://uninstalled.example",
        "credentials": { "api_key": { "config": { "fields": [{ "name": "api_key", "type": "password" }] } } },
        "authorization": { "format": "bearer", "config": { "token": "{{api_key}}" } },
        "actions": { "pre_delete": { "type": "request", "config": { "method": "delete", "path": "/hooks/{{hook}}" } } },
    } });
    let world = World::new();
    world.provides(move |_| reply(status, &JSON, Body::from_bytes("{}")));
    Scene::new(
        world,
        &file,
        "api_key",
        &json!({ "api_key": "k-1", "hook": 7 }),
    )
}

#[test]
fn the_file_ends_at_the_provider_what_it_began_there_and_the_account_is_deleted_in_any_case() {
    each_case([204, 401, 500], |status| {
        let scene = uninstalled(status);
        let path = format!("/integrated-account/{}", scene.account);
        let deleted = scene.setting.client.delete(&path);
        deleted.expect(200);
        let sent = scene.world.sent();
        let urls: Vec<&str> = sent.iter().map(|one| one.url.as_str()).collect();
        assert_eq!(urls, ["https://uninstalled.example/hooks/7"]);
        assert_eq!(sent[0].header("authorization"), Some("Bearer k-1"));
        assert_eq!(
            scene.setting.client.get(&path).code(404),
            "caller.not_found"
        );
        let again = scene.setting.client.delete(&path);
        assert_eq!(again.code(404), "caller.not_found");
        assert_eq!(scene.world.sent().len(), 0);
    });
}

#[test]
fn no_caller_runs_what_ends_an_account() {
    let scene = uninstalled(204);
    let refused = scene.run_action("pre_delete", &json!({}));
    assert_eq!(refused.code(404), "caller.not_found");
    assert_eq!(scene.world.sent().len(), 0);
}
