//! What was stored for an account's webhooks before something changed: unread requests, and the value that finds it.

use std::time::Duration;

use causeway::flows::messages::account::AccountMessage;
use causeway::flows::messages::send_to_account;
use causeway::ports::ObjectName;
use serde_json::{Value, json};

use crate::client::{Client, Setting};
use crate::inbound_webhooks::{SECRET, signing_file};
use crate::install_lookup::LookupStory;
use crate::lookup_provenance::file;
use crate::outside::World;

const NEW_KEYS: &str = "k2:AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=,k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

#[test]
fn a_webhook_kept_unread_is_read_again_by_the_value_the_account_has_and_while_it_is_active() {
    let mut broken =
        signing_file(&json!({ "payload_transform": "$error(\"not yet\")", "event_id": null }));
    for key in ["credentials", "actions"] {
        broken["config"][key] = file()["config"][key].clone();
    }
    let world = World::new();
    let setting = Setting::new(&world, &broken);
    let story = LookupStory { world, setting };
    let body =
        json!({ "override": { "secret_environment_variables": { "webhook_secret": SECRET } } });
    let install = format!("/environment-integration/{}", story.setting.install);
    story
        .setting
        .client
        .send("PATCH", &install, &body)
        .expect(200);
    let token = json!({ "access_token": "a-token-of-them", "refresh_token": "r-of-them" });
    let context = json!({ "shop": "one", "oauth": { "token": token } });
    let account = story.setting.account("oauth2", &context);
    assert_eq!(story.matched("one"), 1);
    let client: &Client = &story.setting.client;
    let list = client.get(&format!(
        "/event?integrated_account_id={account}&event=webhook:received"
    ));
    let id = list.expect(200)["result"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    story
        .setting
        .admin
        .send("PUT", "/integration/shop", &file())
        .expect(200);
    story.world.pass(Duration::from_secs(61));
    story
        .world
        .answers(400, &[], r#"{"error":"invalid_grant"}"#);
    client.post(
        "/integrated-account/refresh-credentials",
        &json!({ "id": account }),
    );
    let replay = format!("/event/{id}/replay");
    assert_eq!(
        client.post(&replay, &json!({})).code(401),
        "account.needs_reauth"
    );
    let path = format!("/integrated-account/{account}/credentials");
    let new = json!({ "context": { "oauth": { "token": { "access_token": "a-newer-token" } } } });
    client.send("PATCH", &path, &new).expect(200);
    client.post(&replay, &json!({})).expect(200);
    assert_eq!(
        client.get(&format!("/event/{id}")).expect(200)["event"],
        "shop:paid"
    );
}

#[test]
fn what_is_held_while_a_credential_is_tried_is_sealed_anew_with_the_rest() {
    let story = LookupStory::new(&crate::install_lookup::proving());
    let passes = [(200, r#"{"shop":"mine-and-only-mine"}"#), (200, "{}")];
    let customer = story.connected("acme", "mine-and-only-mine", &passes);
    story.world.answers_at(1_700_000_900_000, 403, "{}");
    let body = format!(
        "link_token={}&credential=api_key&shop=two&api_key=a-new-key",
        customer.token
    );
    customer.browser.post_and_leave("/connect/shop", &body);
    let id = story.account("acme")["id"].as_str().unwrap().to_owned();
    let object = ObjectName::Account(id.parse().unwrap());
    let held = || {
        let rows = story.world.select(object, "SELECT record FROM account");
        let text = rows[0][0].as_text().unwrap().to_owned();
        assert!(!text.contains("mine-and-only-mine"), "{text}");
        let record: Value = serde_json::from_str(&text).unwrap();
        record["set_up"]["found_by"].as_str().unwrap().to_owned()
    };
    assert!(held().starts_with("k1."), "{}", held());
    let world = story.world.deployed_with(&[("SEALING_KEYS", NEW_KEYS)]);
    let ask =
        send_to_account::<Option<String>>(&world, id.parse().unwrap(), &AccountMessage::Reseal);
    let key = futures::executor::block_on(world.run(ask)).unwrap();
    assert_eq!(key.as_deref(), Some("k2"));
    assert!(held().starts_with("k2."), "{}", held());
    let story = LookupStory {
        world,
        setting: story.setting,
    };
    assert_eq!(story.matched("mine-and-only-mine"), 1);
}
