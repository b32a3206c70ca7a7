//! Rotating the key that secrets rest under.

use serde_json::{Value, json};

use crate::cases::each_case;
use crate::client::{Client, Setting, id_of};
use crate::integrations::file;
use crate::outside::World;

const OLD: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const NEW: &str = "k2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

fn counts(admin: &Client) -> Vec<(String, u64, bool)> {
    let sealing = admin.get("/sealing").expect(200);
    let keys = sealing["keys"].as_array().unwrap().iter();
    keys.map(|key| {
        (
            key["id"].as_str().unwrap().to_owned(),
            key["count"].as_u64().unwrap(),
            key["is_current"].as_bool().unwrap(),
        )
    })
    .collect()
}

fn token(text: &str) -> Value {
    json!({ "oauth": { "token": { "access_token": text } } })
}

/// A world with secrets of every kind, and its accounts.
fn full() -> (World, Setting, Vec<String>) {
    let world = World::with(&[("SEALING_KEYS", OLD)]);
    let setting = Setting::new(&world, &file());
    let secret = json!({ "secret_environment_variables": { "a": "b" } });
    setting.override_install(&secret).expect(200);
    let accounts = (0..3)
        .map(|n| setting.account("oauth2", &token(&format!("t{n}"))))
        .collect();
    setting.account("oauth2", &json!({ "shop": "without a secret" }));
    (world, setting, accounts)
}

/// A call of an account, and the token it went with.
fn called(world: &World, client: &Client, account: &str) -> String {
    world.answers(200, &[], r#"{"data":[]}"#);
    client
        .get(&format!("/proxy/orders?integrated_account_id={account}"))
        .expect(200);
    world.sent()[0].header("authorization").unwrap().to_owned()
}

/// The callers of the setting, in the world that was deployed again.
fn clients(world: &World, setting: &Setting) -> (Client, Client) {
    let client = Client {
        world: world.clone(),
        ..setting.client.clone()
    };
    (Client::admin(world), client)
}

#[test]
fn everything_is_sealed_anew_and_the_old_key_can_be_dropped() {
    let (world, setting, accounts) = full();
    assert_eq!(counts(&setting.admin), [("k1".to_owned(), 5, true)]);
    let world = world.deployed_with(&[("SEALING_KEYS", &format!("{NEW},{OLD}"))]);
    let (admin, client) = clients(&world, &setting);
    assert_eq!(
        called(&world, &client, &accounts[0]),
        "Bearer t0",
        "the old key opens"
    );
    assert_eq!(
        counts(&admin),
        [("k1".to_owned(), 5, false), ("k2".to_owned(), 0, true)]
    );
    let begun = admin.post("/sealing/rotate", &json!({})).expect(200);
    assert_eq!(begun["is_rotating"], true);
    world.settle();
    assert_eq!(
        counts(&admin),
        [("k1".to_owned(), 0, false), ("k2".to_owned(), 5, true)]
    );
    assert_eq!(admin.get("/sealing").expect(200)["is_rotating"], false);
    assert!(
        !world.at_rest().contains("k1."),
        "neither in the objects nor in KV"
    );
    let world = world.deployed_with(&[("SEALING_KEYS", NEW)]);
    let old = Client {
        world: world.clone(),
        ..client
    };
    let path = format!("/integrated-account/{}", accounts[0]);
    assert_eq!(
        old.get(&path).status,
        401,
        "tokens end with the key that signed them"
    );
    let client = Client::admin(&world).token_of(&setting.environment, None);
    each_case(accounts.iter().enumerate(), |(n, account)| {
        assert_eq!(called(&world, &client, account), format!("Bearer t{n}"));
    });
}

#[test]
fn a_rotation_that_a_restart_cuts_off_goes_on() {
    let (world, _, _) = full();
    let world = world.deployed_with(&[("SEALING_KEYS", &format!("{NEW},{OLD}"))]);
    let admin = Client::admin(&world);
    world
        .0
        .faults
        .borrow_mut()
        .push_back(("reseal".into(), crate::outside::Fault::AnswerLost));
    admin.post("/sealing/rotate", &json!({})).expect(200);
    world.pass(std::time::Duration::from_secs(2));
    futures::executor::block_on(world.ring_alarms());
    world.restart();
    world.settle();
    assert_eq!(
        counts(&admin),
        [("k1".to_owned(), 0, false), ("k2".to_owned(), 5, true)]
    );
}

#[test]
fn a_missing_key_is_a_clear_500_and_what_it_sealed_is_never_taken_for_empty() {
    let (world, _, accounts) = full();
    let world = world.deployed_with(&[("SEALING_KEYS", NEW)]);
    let client = Client::admin(&world);
    let call = client.get(&format!(
        "/proxy/orders?integrated_account_id={}",
        accounts[0]
    ));
    assert_eq!(call.code(500), "internal.sealing_key");
    assert!(world.sent().is_empty());
    assert!(world.0.logs.borrow().iter().any(|line| {
        line["reason"]
            .as_str()
            .unwrap_or_default()
            .contains("no key `k1`")
    }));
    let wrong = world.deployed_with(&[(
        "SEALING_KEYS",
        "k1:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
    )]);
    let client = Client::admin(&wrong);
    assert_eq!(
        client
            .get(&format!("/integrated-account/{}", accounts[0]))
            .code(500),
        "internal.sealing_key"
    );
}

#[test]
fn an_account_changed_under_the_new_key_counts_for_it_at_once() {
    let (world, setting, accounts) = full();
    let world = world.deployed_with(&[("SEALING_KEYS", &format!("{NEW},{OLD}"))]);
    let (admin, client) = clients(&world, &setting);
    client
        .send(
            "PATCH",
            &format!("/integrated-account/{}", accounts[0]),
            &json!({ "context": { "note": 1 } }),
        )
        .expect(200);
    assert_eq!(
        counts(&admin),
        [("k1".to_owned(), 4, false), ("k2".to_owned(), 1, true)]
    );
    assert_eq!(
        id_of(
            &client
                .get(&format!("/integrated-account/{}", accounts[0]))
                .expect(200)
        ),
        accounts[0]
    );
}
