//! Webhooks come in: on an account's URL and on an install's, stored before they are answered, each once.

use causeway::ports::{Body, ObjectName};
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::time::Duration;

use crate::cases::each_case;
use crate::client::{Answer, Client, Setting, id_of};
use crate::outside::{Fault, World};
use crate::planted_secrets::{self, Place};

pub const SECRET: &str = "a-secret-of-the-webhook";

/// An integration whose webhooks are signed over their body.
pub fn signing_file(webhook: &Value) -> Value {
    let mut whole = json!({
        "signature_verification": { "format": "hmac", "config": {
            "secret": "{{webhook_secret|environment_variables.webhook_secret}}",
            "compare_with": "$header.x-signature",
            "context_lookup_field_name": "shop",
            "context_lookup_field_value": "body.shop",
        } },
        "event_id": "headers.`x-delivery`",
        "payload_transform": "{ \"event_type\": \"shop:\" & body.topic, \"resource_type\": \"order\", \"resource_id\": body.nr, \"payload\": body }",
    });
    causeway::json::merge(&mut whole, webhook);
    json!({ "name": "shop", "config": {
        "label": "Shop",
        "base_url": "https://api.shop.example",
        "credentials": { "api_key": { "format": "api_key", "config": { "fields": [{ "name": "api_key", "label": "Key", "type": "password" }] } } },
        "resources": { "orders": { "list": { "path": "/orders" } } },
        "webhook": whole,
    } })
}

pub fn signed(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    HEXLOWER.encode(&mac.finalize().into_bytes())
}

/// A provider of one shop.
pub struct ReceivingAccount {
    pub world: World,
    pub setting: Setting,
    pub account: String,
}

impl ReceivingAccount {
    pub fn new(webhook: &Value) -> Self {
        Self::in_world(World::new(), webhook)
    }

    pub fn in_world(world: World, webhook: &Value) -> Self {
        let setting = Setting::new(&world, &signing_file(webhook));
        let body =
            json!({ "override": { "secret_environment_variables": { "webhook_secret": SECRET } } });
        let install = format!("/environment-integration/{}", setting.install);
        setting.client.send("PATCH", &install, &body).expect(200);
        let account = setting.account(
            "api_key",
            &json!({ "api_key": "k-of-the-account", "shop": "one" }),
        );
        Self {
            world,
            setting,
            account,
        }
    }

    pub fn another(&self, scene: &str) -> String {
        self.setting.account(
            "api_key",
            &json!({ "api_key": "k-of-another", "shop": scene }),
        )
    }

    pub fn send_to(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let provider = Client {
            world: self.world.clone(),
            token: String::new(),
        };
        let signature = signed(SECRET, body);
        let mut all = vec![
            ("content-type", "application/json"),
            ("x-signature", signature.as_str()),
        ];
        for (name, value) in headers {
            all.retain(|(own, _)| own != name);
            all.push((name, value));
        }
        provider.request("POST", path, &all, Body::from_bytes(body.to_owned()))
    }

    pub fn to_account(&self, headers: &[(&str, &str)], body: &str) -> Answer {
        self.send_to(
            &format!("/integrated-account-webhook/{}", self.account),
            headers,
            body,
        )
    }

    pub fn to_install(&self, headers: &[(&str, &str)], body: &str) -> Answer {
        self.send_to(
            &format!("/environment-integration-webhook/{}", self.setting.install),
            headers,
            body,
        )
    }

    /// What the account's object has, as rows.
    pub fn events(&self) -> Vec<Value> {
        self.events_of(&self.account)
    }

    pub fn events_of(&self, account: &str) -> Vec<Value> {
        let list = self
            .setting
            .client
            .get(&format!("/event?integrated_account_id={account}"))
            .expect(200);
        let all = list["result"].as_array().unwrap().clone();
        let is_webhook = |event: &Value| {
            !event["event"]
                .as_str()
                .unwrap()
                .starts_with("integrated_account:")
        };
        all.into_iter().filter(is_webhook).collect()
    }

    pub fn event(&self, id: &str) -> Value {
        self.setting.client.get(&format!("/event/{id}")).expect(200)
    }

    pub fn logged(&self, event: &str) -> Vec<Value> {
        let logs = self.world.0.logs.borrow();
        logs.iter()
            .filter(|line| line["event"] == event)
            .cloned()
            .collect()
    }
}

const PAID: &str = r#"{"topic":"paid","nr":7,"id":12345678901234567890,"shop":"one"}"#;

/// From now on the file looks accounts up by their team.
fn find_by_team(scene: &ReceivingAccount) {
    let by_team = json!({ "signature_verification": { "config": { "context_lookup_field_name": "team", "context_lookup_field_value": "body.team" } } });
    let admin = &scene.setting.admin;
    let file = signing_file(&by_team);
    admin.send("PUT", "/integration/shop", &file).expect(200);
}

#[test]
fn a_signed_webhook_is_stored_and_shown_and_a_repeated_one_is_the_same() {
    let scene = ReceivingAccount::new(&json!({}));
    let first = scene.to_account(&[("x-delivery", "d1")], PAID).expect(200);
    let id = id_of(&first);
    let hex = scene.account.replace('-', "");
    assert!(
        id.starts_with(&format!("evt_{hex}_")) && id.len() == 4 + 32 + 1 + 16,
        "{id}"
    );
    assert_eq!(
        scene.to_account(&[("x-delivery", "d1")], PAID).expect(200),
        first
    );
    assert_ne!(
        scene.to_account(&[("x-delivery", "d2")], PAID).expect(200),
        first
    );
    let events = scene.events();
    assert_eq!(events.len(), 2);
    let event = scene.event(&id);
    assert_eq!(event["event"], "shop:paid");
    assert_eq!(
        (&event["resource_type"], &event["resource_id"]),
        (&json!("order"), &json!("7"))
    );
    assert_eq!(
        event["payload"],
        serde_json::from_str::<Value>(PAID).unwrap()
    );
    assert_eq!(event["environment_id"], scene.setting.environment);
    assert_eq!(event["integrated_account_id"], scene.account);
    assert_eq!(event["attempts"], json!([]));
    scene.world.pass(Duration::from_hours(72));
    assert_ne!(
        scene.to_account(&[("x-delivery", "d1")], PAID).expect(200),
        first,
        "after 72 h it is another"
    );
}

#[test]
fn what_is_not_proved_is_one_401_with_its_reason_in_the_log_and_nothing_stored() {
    let scene = ReceivingAccount::new(&json!({}));
    let before = scene.world.at_rest();
    let other = signed("another secret", PAID);
    let good = signed(SECRET, PAID);
    let cut = &good[..40];
    let mut bodies = Vec::new();
    let cases = [
        (vec![("x-signature", other.as_str())], "mismatch"),
        (vec![("x-signature", cut)], "mismatch"),
        (vec![("x-signature", "")], "mismatch"),
        (vec![("x-signature", "not hex")], "malformed"),
    ];
    each_case(cases, |(headers, code)| {
        let answer = scene.to_account(&headers, PAID);
        let mut body = answer.expect(401);
        assert_eq!(body["code"], "caller.bad_signature");
        body["request_id"] = json!("");
        bodies.push(body);
        let refusal = scene.logged("webhook_refused").pop().unwrap();
        assert_eq!(
            (&refusal["code"], &refusal["integrated_account_id"]),
            (&json!(code), &json!(scene.account))
        );
        assert!(!refusal.to_string().contains(SECRET));
    });
    assert!(
        bodies.windows(2).all(|pair| pair[0] == pair[1]),
        "one answer outside"
    );
    assert_eq!(scene.world.at_rest(), before, "nothing is stored");
    let unknown = "/integrated-account-webhook/01a201fe-c944-8000-8000-000000000000";
    assert_eq!(
        scene.send_to(unknown, &[], PAID).code(404),
        "caller.not_found"
    );
    let unknown = "/environment-integration-webhook/01a201fe-c944-8000-8000-000000000000";
    assert_eq!(
        scene.send_to(unknown, &[], PAID).code(404),
        "caller.not_found"
    );
}

#[test]
fn without_a_scheme_everything_is_refused_and_the_log_says_what_to_write() {
    let scene = ReceivingAccount::new(&json!({ "signature_verification": null }));
    assert_eq!(
        scene.to_account(&[], PAID).code(401),
        "caller.bad_signature"
    );
    let reason = scene.logged("webhook_refused").pop().unwrap()["reason"].to_string();
    assert!(reason.contains("signature_verification"), "{reason}");
    let open = ReceivingAccount::new(&json!({ "signature_verification": { "format": "none" } }));
    open.to_account(&[("x-signature", "invalid")], PAID)
        .expect(200);
}

#[test]
fn a_body_is_taken_up_to_its_limit() {
    let world = World::with(&[("WEBHOOK_BODY_BYTES", "2000")]);
    let scene = ReceivingAccount::in_world(world, &json!({ "payload_transform": null }));
    let body = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
    scene.to_account(&[], &body(2000)).expect(200);
    let over = scene.to_account(&[], &body(2001)).expect(413);
    assert_eq!(over["details"]["limit_bytes"], 2000);
    let over = scene.to_install(&[], &body(2001)).expect(413);
    assert_eq!(over["code"], "caller.body_too_large");
}

#[test]
fn without_a_transform_the_body_goes_on_byte_for_byte() {
    let scene = ReceivingAccount::new(&json!({ "payload_transform": null, "event_id": null }));
    let odd = r#"{"n":123456789012345678901234567890,"x":1.10,"x":1e400}"#;
    let id = id_of(&scene.to_account(&[], odd).expect(200));
    let text = scene.setting.client.get(&format!("/event/{id}"));
    assert!(text.text().contains(odd), "{}", text.text());
    let id = id_of(
        &scene
            .to_account(&[("content-type", "text/plain")], "no JSON")
            .expect(200),
    );
    assert_eq!(scene.event(&id)["payload"], "no JSON");
    assert_eq!(scene.event(&id)["event"], "webhook:received");
}

#[test]
fn several_events_are_several_and_none_is_none() {
    let transform = r#"body.items.{ "event_type": "shop:" & t, "payload": $ }"#;
    let scene = ReceivingAccount::new(&json!({ "payload_transform": transform, "event_id": null }));
    let two = scene
        .to_account(&[], r#"{"items":[{"t":"a"},{"t":"b"}]}"#)
        .expect(200);
    let ids = two["ids"].as_array().unwrap();
    assert_eq!(ids.len(), 2);
    assert_eq!(scene.event(ids[1].as_str().unwrap())["event"], "shop:b");
    assert_eq!(
        scene.to_account(&[], r#"{"items":[]}"#).expect(200),
        json!({ "ids": [] })
    );
    assert_eq!(scene.events().len(), 2);
}

#[test]
fn what_cannot_be_read_is_kept_sealed_and_read_again_once_the_file_is_mended() {
    let scene = ReceivingAccount::new(
        &json!({ "payload_transform": "{ \"event_type\": $uppercase(body.nr), \"payload\": body }" }),
    );
    let id = id_of(&scene.to_account(&[("x-delivery", "d1")], PAID).expect(200));
    assert_eq!(
        id_of(&scene.to_account(&[("x-delivery", "d1")], PAID).expect(200)),
        id
    );
    let event = scene.event(&id);
    assert_eq!(
        (&event["event"], &event["status"]),
        (&json!("webhook:received"), &json!("failed"))
    );
    assert_eq!(event["last_error"]["code"], "integration.transform_failed");
    assert!(
        !scene.world.at_rest().contains("\"paid\""),
        "the request rests sealed"
    );
    let failed = scene.setting.client.get("/event").expect(200);
    assert_eq!(
        failed["result"],
        json!([]),
        "the alarm notifies the directory"
    );
    scene.world.settle();
    let failed = scene.setting.client.get("/event").expect(200);
    assert_eq!(failed["result"][0]["id"], json!(id));
    let replay = format!("/event/{id}/replay");
    assert_eq!(
        scene.setting.client.post(&replay, &json!({})).code(422),
        "integration.transform_failed"
    );
    let mended = r#"[{ "event_type": "shop:one", "payload": body }, { "event_type": "shop:two", "payload": headers.`x-delivery` }]"#;
    let file = signing_file(&json!({ "payload_transform": mended }));
    scene
        .setting
        .admin
        .send("PUT", "/integration/shop", &file)
        .expect(200);
    assert_eq!(
        scene.setting.client.post(&replay, &json!({})).expect(200),
        json!({ "id": id })
    );
    scene.world.settle();
    let event = scene.event(&id);
    assert_eq!(
        (&event["event"], &event["status"], &event["last_error"]),
        (&json!("shop:one"), &json!("delivered"), &Value::Null)
    );
    let events = scene.events();
    assert_eq!(events.len(), 2);
    let other = scene.event(events[0]["id"].as_str().unwrap());
    assert_eq!(
        (&other["event"], &other["payload"]),
        (&json!("shop:two"), &json!("d1"))
    );
    assert_eq!(
        scene.setting.client.get("/event").expect(200)["result"],
        json!([])
    );
}

#[test]
fn a_secret_that_a_sender_repeats_is_not_stored() {
    let file = json!({ "signature_verification": { "format": "bearer", "config": { "token": "{{environment_variables.webhook_secret}}", "compare_with": "$body.state" } }, "payload_transform": null });
    let scene = ReceivingAccount::new(&file);
    let body = json!({ "state": SECRET, "key": "k-of-the-account" }).to_string();
    let id = id_of(&scene.to_account(&[], &body).expect(200));
    assert_eq!(
        scene.event(&id)["payload"],
        json!({ "state": "[redacted]", "key": "[redacted]" })
    );
    assert!(!scene.world.at_rest().contains(SECRET));
}

#[test]
fn a_secret_is_handed_over_once() {
    let file = json!({
        "signature_verification": { "format": "hmac", "config": { "secret": "{{webhook_secret}}", "compare_with": "$header.x-signature" } },
        "handle_verification": "headers.`x-hook-secret` ? { \"type\": \"verify\", \"verification_response\": { \"headers\": { \"x-hook-secret\": headers.`x-hook-secret` } }, \"update_context\": { \"webhook_secret\": headers.`x-hook-secret` } }",
        "allow_unsigned_handshake": true,
    });
    let scene = ReceivingAccount::new(&file);
    // Its sender gets back what it sent.
    planted_secrets::may_be(SECRET, Place::Answered);
    assert_eq!(
        scene.to_account(&[], PAID).code(401),
        "caller.bad_signature"
    );
    let answer = scene.to_account(&[("x-hook-secret", SECRET), ("x-signature", "")], "");
    assert_eq!(
        (answer.status, answer.header("x-hook-secret")),
        (200, Some(SECRET))
    );
    assert_eq!(answer.header("content-security-policy"), Some("sandbox"));
    assert!(!scene.world.at_rest().contains(SECRET));
    scene.to_account(&[], PAID).expect(200);
    let again = scene.to_account(
        &[("x-hook-secret", "of an attacker"), ("x-signature", "")],
        "",
    );
    assert_eq!(again.code(401), "caller.bad_signature");
    scene.to_account(&[], PAID).expect(200);
    assert_eq!(
        scene
            .to_install(&[("x-hook-secret", SECRET), ("x-signature", "")], "")
            .code(401),
        "caller.bad_signature"
    );
}

#[test]
fn a_get_is_a_handshake_or_nothing() {
    let scene = ReceivingAccount::new(
        &json!({ "handle_verification": "query.challenge", "allow_unsigned_handshake": true }),
    );
    let stranger = Client {
        world: scene.world.clone(),
        token: String::new(),
    };
    let path = format!("/integrated-account-webhook/{}", scene.account);
    let answer = stranger.get(&format!("{path}?challenge=abc"));
    assert_eq!((answer.status, answer.text()), (200, "abc"));
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    assert_eq!(stranger.get(&path).code(401), "caller.bad_signature");
    let open = ReceivingAccount::new(&json!({ "signature_verification": { "format": "none" } }));
    let stranger = Client {
        world: open.world.clone(),
        token: String::new(),
    };
    let path = format!("/integrated-account-webhook/{}", open.account);
    assert_eq!(stranger.get(&path).code(405), "caller.method_not_allowed");
    assert_eq!(open.events().len(), 0);
}

#[test]
fn a_head_is_a_handshake_that_the_file_names_or_nothing() {
    let unsigned = |webhook: &Value| ReceivingAccount::new(webhook);
    let urls = |scene: &ReceivingAccount| {
        let account = format!("/integrated-account-webhook/{}", scene.account);
        let install = format!("/environment-integration-webhook/{}", scene.setting.install);
        [account, install]
    };
    let head = |scene: &ReceivingAccount, url: &str| {
        let world = scene.world.clone();
        let stranger = Client {
            world,
            token: String::new(),
        };
        stranger.request("HEAD", url, &[], Body::Empty)
    };
    let named = unsigned(
        &json!({ "handle_verification": "method = 'HEAD' ? { 'status': 200, 'body': 'unseen', 'headers': { 'x-seen': method } }", "allow_unsigned_handshake": true }),
    );
    each_case(urls(&named), |url| {
        let answer = head(&named, &url);
        assert_eq!((answer.status, answer.text()), (200, ""), "{url}");
        assert_eq!(answer.header("x-seen"), Some("HEAD"), "{url}");
    });
    // Each of the rest answers as it would answer a GET.
    let cases = [
        (
            json!({ "handle_verification": "method = 'HEAD' ? 'x'" }),
            401,
        ),
        (
            json!({ "handle_verification": "method = 'GET' ? 'x'", "allow_unsigned_handshake": true }),
            401,
        ),
        (json!({}), 401),
        (
            json!({ "signature_verification": { "format": "none" } }),
            405,
        ),
    ];
    each_case(cases, |(webhook, status)| {
        let scene = unsigned(&webhook);
        each_case(urls(&scene), |url| {
            let answer = head(&scene, &url);
            assert_eq!((answer.status, answer.text()), (status, ""), "{url}");
        });
        assert_eq!(scene.events().len(), 0);
    });
    assert_eq!(named.events().len(), 0);
}

#[test]
fn an_installs_webhook_finds_all_its_accounts_by_a_value_that_is_not_stored() {
    let scene = ReceivingAccount::new(&json!({}));
    let (second, third) = (scene.another("one"), scene.another("two"));
    let found = scene.to_install(&[("x-delivery", "d1")], PAID).expect(200);
    assert_eq!(
        (&found["matched"], found["ids"].as_array().unwrap().len()),
        (&json!(2), 2)
    );
    assert_eq!(
        scene.to_install(&[("x-delivery", "d1")], PAID).expect(200),
        found
    );
    each_case(
        [(&scene.account, 1), (&second, 1), (&third, 0)],
        |(account, count)| {
            assert_eq!(scene.events_of(account).len(), count);
        },
    );
    let unmatched = r#"{"topic":"paid","id":1,"shop":"three"}"#;
    assert_eq!(
        scene.to_install(&[], unmatched).expect(200),
        json!({ "matched": 0, "ids": [] })
    );
    assert_eq!(scene.logged("webhook_matched_no_account").len(), 1);
    let environment = ObjectName::Environment(scene.setting.environment.parse().unwrap());
    let rows = scene.world.select(environment, "SELECT hash FROM lookup");
    assert_eq!(rows.len(), 3);
    assert_eq!(
        rows.iter()
            .filter(|row| row[0].as_text().unwrap().contains("one"))
            .count(),
        0
    );
}

#[test]
fn the_index_follows_the_account_and_the_file() {
    let scene = ReceivingAccount::new(&json!({}));
    let path = format!("/integrated-account/{}", scene.account);
    scene
        .setting
        .client
        .send(
            "PATCH",
            &path,
            &json!({ "context": { "shop": "new", "team": 7 } }),
        )
        .expect(200);
    assert_eq!(scene.to_install(&[], PAID).expect(200)["matched"], 0);
    let new = r#"{"topic":"paid","id":1,"shop":"new"}"#;
    assert_eq!(scene.to_install(&[], new).expect(200)["matched"], 1);
    find_by_team(&scene);
    let team = r#"{"topic":"paid","id":1,"team":7}"#;
    assert_eq!(
        scene.to_install(&[], team).expect(200)["matched"],
        1,
        "the index is renewed first"
    );
    scene.setting.client.delete(&path).expect(200);
    assert_eq!(scene.to_install(&[], team).expect(200)["matched"], 0);
}

#[test]
fn while_the_index_cannot_be_renewed_an_installs_webhook_is_503() {
    let scene = ReceivingAccount::new(&json!({}));
    find_by_team(&scene);
    let team = r#"{"topic":"paid","id":1,"team":7}"#;
    scene
        .world
        .0
        .faults
        .borrow_mut()
        .push_back(("lookup_value".to_owned(), Fault::Lost));
    let answer = scene.to_install(&[], team);
    assert!(answer.header("retry-after").is_some());
    assert_eq!(answer.code(503), "internal.busy");
    assert_eq!(scene.to_install(&[], team).expect(200)["matched"], 0);
}

#[test]
fn events_of_several_customers_in_one_request_go_each_to_its_own() {
    let transform = r#"body.items.{ "event_type": "shop:paid", "context_lookup_field_value": shop, "integrated_account_id": account, "payload": $ }"#;
    let scene = ReceivingAccount::new(&json!({ "payload_transform": transform, "event_id": null }));
    let (second, stranger) = (scene.another("two"), "01a201fe-c944-8000-8000-000000000000");
    let body = json!({ "items": [
        { "shop": "one" }, { "shop": "two" }, { "shop": "two" }, { "shop": "none" },
        { "account": second }, { "account": stranger }, { "account": "x" },
    ] });
    let answer = scene.to_install(&[], &body.to_string()).expect(200);
    assert_eq!(
        (&answer["matched"], answer["ids"].as_array().unwrap().len()),
        (&json!(2), 4)
    );
    assert_eq!(
        (scene.events().len(), scene.events_of(&second).len()),
        (1, 3)
    );
}

#[test]
fn when_one_account_does_not_store_it_the_sender_tries_again_and_none_has_it_twice() {
    let scene = ReceivingAccount::new(&json!({}));
    let second = scene.another("one");
    scene
        .world
        .0
        .faults
        .borrow_mut()
        .push_back(("receive".to_owned(), Fault::AnswerLost));
    let answer = scene.to_install(&[("x-delivery", "d1")], PAID);
    assert_eq!(answer.code(503), "internal.storage");
    assert_eq!(
        scene.to_install(&[("x-delivery", "d1")], PAID).expect(200)["matched"],
        2
    );
    assert_eq!(
        (scene.events().len(), scene.events_of(&second).len()),
        (1, 1)
    );
}

#[test]
fn a_disabled_install_takes_nothing_and_an_unreadable_one_says_later() {
    let scene = ReceivingAccount::new(&json!({}));
    let install = format!("/environment-integration/{}", scene.setting.install);
    scene
        .setting
        .client
        .send("PATCH", &install, &json!({ "is_enabled": false }))
        .expect(200);
    assert_eq!(
        scene.to_account(&[], PAID).code(409),
        "account.install_disabled"
    );
    assert_eq!(
        scene.to_install(&[], PAID).code(409),
        "account.install_disabled"
    );
    assert_eq!(
        scene.to_account(&[("x-signature", "00")], PAID).code(401),
        "caller.bad_signature"
    );
}

#[test]
fn events_survive_a_restart_and_their_numbers_go_on() {
    let scene = ReceivingAccount::new(&json!({ "event_id": null }));
    let first = id_of(&scene.to_account(&[], PAID).expect(200));
    scene.world.restart();
    let second = id_of(&scene.to_account(&[], PAID).expect(200));
    assert!(second > first);
    assert_eq!(scene.events()[0]["id"], json!(second), "newest first");
    let one = scene
        .setting
        .client
        .get(&format!(
            "/event?integrated_account_id={}&limit=1",
            scene.account
        ))
        .expect(200);
    let cursor = one["next_cursor"].as_str().unwrap();
    let next = scene
        .setting
        .client
        .get(&format!(
            "/event?integrated_account_id={}&limit=1&next_cursor={cursor}",
            scene.account
        ))
        .expect(200);
    assert_eq!(next["result"][0]["id"], json!(first));
}

#[test]
fn a_body_with_too_many_values_is_refused_before_it_is_built() {
    let scene = ReceivingAccount::new(&json!({ "payload_transform": null }));
    let body = |values: usize| format!("[{}]", vec!["0"; values - 1].join(","));
    scene.to_account(&[], &body(100_000)).expect(200);
    let over = scene
        .to_account(&[("x-signature", "00")], &body(100_001))
        .expect(413);
    assert_eq!(over["details"]["limit_values"], 100_000);
}

#[test]
fn what_an_install_could_not_read_is_read_again_for_its_own_account_only() {
    let scene = ReceivingAccount::new(&json!({ "payload_transform": "$error(\"not yet\")" }));
    let second = scene.another("two");
    let body = json!({ "shop": "one", "items": [{ "shop": "one" }, { "shop": "two" }, { "shop": "three" }] });
    let kept = scene.to_install(&[], &body.to_string()).expect(200);
    assert_eq!(kept["matched"], 1);
    let id = kept["ids"][0].as_str().unwrap();
    let transform = r#"body.items.{ "event_type": "shop:paid", "context_lookup_field_value": shop, "payload": $ }"#;
    let file = signing_file(&json!({ "payload_transform": transform }));
    scene
        .setting
        .admin
        .send("PUT", "/integration/shop", &file)
        .expect(200);
    scene
        .setting
        .client
        .post(&format!("/event/{id}/replay"), &json!({}))
        .expect(200);
    assert_eq!(
        (scene.events().len(), scene.events_of(&second).len()),
        (1, 0)
    );
    assert_eq!(scene.event(id)["payload"], json!({ "shop": "one" }));
    assert_eq!(
        scene
            .setting
            .client
            .post(&format!("/event/{id}/replay"), &json!({}))
            .expect(200)["id"],
        json!(id)
    );
    assert_eq!(scene.events().len(), 1);
}

#[test]
fn a_request_without_an_event_still_says_whom_it_found() {
    let scene = ReceivingAccount::new(&json!({ "payload_transform": "[]" }));
    assert_eq!(
        scene.to_install(&[], PAID).expect(200),
        json!({ "matched": 1, "ids": [] })
    );
}
