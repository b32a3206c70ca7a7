//! Secrets appear in no answer and no log line, and are stored encrypted.

use serde_json::json;

use crate::cases::each_case;
use crate::client::{Client, Setting};
use crate::integrations::file;
use crate::outside::{ADMIN, World};

#[test]
fn a_secret_given_is_found_nowhere_again() {
    let world = World::new();
    let mut integration = file();
    integration["config"]["credentials"]["api_key"] = json!({ "format": "api_key", "config": { "fields": [
        { "name": "pin", "type": "password" }, { "name": "shop", "type": "text" } ] } });
    let setting = Setting::new(&world, &integration);
    let secrets = [
        "pin-1234-secret",
        "nested-api-key",
        "refresh-secret",
        "in-a-list-secret",
    ];
    let context = json!({
        "shop": "visible", "pin": secrets[0], "deep": { "api_key": secrets[1], "list": [{ "password": secrets[3] }] },
        "oauth": { "token": { "access_token": "t", "refresh_token": secrets[2] } },
    });
    let id = setting.account("api_key", &context);
    let answer = setting
        .client
        .get(&format!("/integrated-account/{id}"))
        .expect(200);
    assert_eq!(answer["context"]["shop"], "visible");
    world.answers(500, &[], "boom");
    let failed = setting
        .client
        .get(&format!("/proxy/orders?integrated_account_id={id}"));
    let logs = format!("{:?}", world.0.logs.borrow());
    each_case(secrets.into_iter().chain([ADMIN]), |secret| {
        let cases = [
            answer.to_string(),
            world.at_rest(),
            logs.clone(),
            failed.text().to_owned(),
        ];
        each_case(cases, |place| {
            assert!(!place.contains(secret), "{secret} in {place}");
        });
    });
}

#[test]
fn without_sealing_keys_nothing_secret_is_stored_and_the_log_says_why() {
    let world = World::with(&[("SEALING_KEYS", "")]);
    let admin = Client::admin(&world);
    assert_eq!(
        admin.post("/integration", &file()).code(500),
        "internal.sealing_key"
    );
    assert!(world.0.logs.borrow().iter().any(|line| {
        line["reason"]
            .as_str()
            .unwrap_or_default()
            .contains("SEALING_KEYS")
    }));
    assert_eq!(admin.get("/integration").expect(200)["result"], json!([]));
}
