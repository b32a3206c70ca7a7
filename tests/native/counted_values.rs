//! Values are counted before they are built: of webhooks before and after their proof, of contexts, of what providers answer.

use causeway::ports::Body;
use serde_json::{Value, json};

use crate::cases::each_case;
use crate::inbound_webhooks::ReceivingAccount;
use crate::outside::reply;

/// A list of so many numbers, so many values with itself.
fn list(values: usize) -> String {
    format!("[{}]", vec!["0"; values - 1].join(","))
}

#[test]
fn before_the_proof_ten_thousand_values_of_a_webhook_are_looked_at() {
    let in_body = json!({ "signature_verification": { "format": "bearer", "config": {
        "token": "{{environment_variables.webhook_secret}}", "compare_with": "$body.state" } }, "payload_transform": null });
    let handshake = json!({ "handle_verification": "body.challenge", "allow_unsigned_handshake": true, "payload_transform": null });
    let scene = ReceivingAccount::new(&in_body);
    // The object, its two fields and the list.
    let body = |values: usize| {
        format!(
            r#"{{"state":"{}","list":{}}}"#,
            crate::inbound_webhooks::SECRET,
            list(values - 2)
        )
    };
    each_case([(10_000, 200), (10_001, 413)], |(values, status)| {
        let cases = [
            scene.to_account(&[], &body(values)),
            scene.to_install(&[], &body(values)),
        ];
        each_case(cases, |answer| {
            assert_eq!(answer.status, status, "{values}: {}", answer.text());
        });
    });
    let scene = ReceivingAccount::new(&handshake);
    each_case([(10_000, 401), (10_001, 413)], |(values, unsigned)| {
        let body = body(values);
        scene.to_account(&[], &body).expect(200);
        let answer = scene.to_account(&[("x-signature", "00")], &body);
        assert_eq!(answer.status, unsigned, "{values}: {}", answer.text());
    });
}

#[test]
fn a_context_has_ten_thousand_values() {
    let scene = ReceivingAccount::new(&json!({}));
    let account = format!("/integrated-account/{}", scene.account);
    // It has two fields already, and the list is one more.
    each_case(
        [(10_000 - 3, 200), (10_000 - 2, 422)],
        |(values, status)| {
            let list: Value = serde_json::from_str(&list(values)).unwrap();
            let change = json!({ "context": { "list": list } });
            let answer = scene.setting.client.send("PATCH", &account, &change);
            assert_eq!(answer.status, status, "{values}: {}", answer.text());
        },
    );
}

#[test]
fn a_token_endpoint_that_answers_with_a_hundred_thousand_values_is_not_believed() {
    let file = crate::integrations::file();
    let world = crate::outside::World::new();
    let setting = crate::client::Setting::new(&world, &file);
    let token = json!({ "oauth": { "token": { "access_token": "t", "refresh_token": "r" } } });
    let account = setting.account("oauth2", &token);
    let json = [("content-type", "application/json")];
    let answer = format!(r#"{{"access_token":"new","list":{}}}"#, list(100_000));
    world.provides(move |_| reply(200, &json, Body::from_bytes(answer.clone())));
    let refresh = json!({ "id": account });
    let asked =
        setting
            .client
            .send_async("POST", "/integrated-account/refresh-credentials", &refresh);
    let answer = futures::executor::block_on(world.run_passing(asked));
    assert_eq!(answer.code(503), "provider.token_endpoint");
}

#[test]
fn a_delivery_waits_for_room_and_is_not_counted_as_tried() {
    let scene = ReceivingAccount::new(&json!({}));
    let target = json!({ "target_url": "https://company.example/hook", "event_types": ["shop:*"] });
    scene.setting.client.post("/webhook", &target).expect(201);
    scene.world.provides(|_| reply(200, &[], Body::Empty));
    let body = r#"{"topic":"paid","shop":"one","nr":1}"#;
    let stored = scene.to_account(&[], body).expect(200);
    let others = scene.world.isolate().room();
    others
        .take(causeway::settings::BUFFERED_TOTAL_BYTES)
        .unwrap();
    futures::executor::block_on(scene.world.run(scene.world.ring_alarms()));
    assert!(scene.world.sent().is_empty());
    drop(others);
    scene.world.settle();
    assert_eq!(scene.world.sent().len(), 1);
    let id = stored["id"].as_str().unwrap();
    let event = scene.event(id);
    assert_eq!(event["status"], "delivered");
    assert_eq!(event["deliveries"][0]["attempts"], 1, "{event}");
}
