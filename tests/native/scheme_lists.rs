//! Several schemes of one provider: one that fits is enough, each by its own secret, and none that the file does not list.

use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::cases::each_case;
use crate::client::{Answer, id_of};
use crate::inbound_webhooks::{ReceivingAccount, signing_file};
use crate::webhook_cases::{Case, Sent};

const BODY: &str = r#"{"topic":"paid","nr":7,"shop":"one"}"#;
const SECOND: &str = "the-secret-of-the-second-scheme";

fn list(schemes: &Value) -> Value {
    let mut file = signing_file(&json!({ "signature_verification": null }));
    causeway::json::merge(
        &mut file,
        &json!({ "config": { "webhook": { "signature_verification": schemes } } }),
    );
    file
}

/// HMAC in one header by one secret, a digest in another by another.
fn two() -> Value {
    json!([
        { "format": "hmac", "config": { "secret": "{{environment_variables.webhook_secret}}", "compare_with": "$header.x-signature" } },
        { "format": "hash", "config": { "secret": "{{environment_variables.second_secret}}", "parts": ["$secret", "$body"], "compare_with": "$header.x-digest" } },
    ])
}

fn scene(schemes: &Value, webhook: &Value) -> ReceivingAccount {
    let scene = ReceivingAccount::new(&json!({}));
    let mut file = list(schemes);
    causeway::json::merge(&mut file, &json!({ "config": { "webhook": webhook } }));
    let admin = &scene.setting.admin;
    admin.send("PUT", "/integration/shop", &file).expect(200);
    let secrets =
        json!({ "webhook_secret": crate::inbound_webhooks::SECRET, "second_secret": SECOND });
    let body = json!({ "secret_environment_variables": secrets });
    scene.setting.override_install(&body).expect(200);
    scene.world.pass(std::time::Duration::from_secs(61));
    scene
}

fn digest(secret: &str, body: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(format!("{secret}{body}")))
}

fn send(scene: &ReceivingAccount, headers: &[(&str, &str)]) -> Answer {
    let mut all = vec![("x-signature", "")];
    all.extend(headers);
    scene.to_account(&all, BODY)
}

#[test]
fn either_of_two_schemes_is_accepted_each_by_its_own_secret() {
    let scene = scene(&two(), &json!({}));
    let own = crate::inbound_webhooks::SECRET;
    let first = crate::inbound_webhooks::signed(own, BODY);
    let second = digest(SECOND, BODY);
    send(&scene, &[("x-signature", &first)]).expect(200);
    send(&scene, &[("x-digest", &second)]).expect(200);
    send(&scene, &[("x-signature", "00"), ("x-digest", &second)]).expect(200);
    let cases = [
        ("x-signature", crate::inbound_webhooks::signed(SECOND, BODY)),
        ("x-digest", digest(own, BODY)),
        ("x-digest", first.clone()),
        ("x-signature", second.clone()),
        ("x-other", first.clone()),
    ];
    each_case(cases, |(name, value)| {
        let answer = send(&scene, &[(name, &value)]);
        assert_eq!(answer.code(401), "caller.bad_signature", "{name} {value}");
    });
    let refused = scene.logged("webhook_refused");
    assert!(refused.iter().all(|line| line["code"] != "not_configured"));
}

#[test]
fn the_list_is_closed_and_holds_proofs_only() {
    let scene = ReceivingAccount::new(&json!({}));
    let hmac = two()[0].clone();
    let many: Vec<&Value> = std::iter::repeat_n(&hmac, 9).collect();
    let cases = [
        (json!([hmac, { "format": "none" }]), "[1]"),
        (json!([{ "format": "NONE" }]), "[0]"),
        (json!([]), "signature_verification"),
        (json!(many), "signature_verification"),
        (json!([hmac, "none"]), "[1]"),
        (
            json!([hmac, { "format": "hmac", "config": { "sekret": "x" } }]),
            "[1].config.sekret",
        ),
        (json!([hmac, null]), "[1]"),
        (json!([[hmac]]), "[0]"),
    ];
    each_case(cases, |(schemes, path)| {
        let answer = scene
            .setting
            .admin
            .send("PUT", "/integration/shop", &list(&schemes));
        let refused = answer.expect(422);
        let failures = refused["details"]["failures"].to_string();
        assert!(failures.contains(path), "{schemes}: {refused}");
    });
    let with_none =
        json!({ "webhook": { "signature_verification": [hmac, { "format": "none" }] } });
    scene.setting.override_install(&with_none).expect(422);
}

#[test]
fn a_scheme_is_tried_only_where_the_request_says_what_it_is_for() {
    let mut schemes = two();
    schemes[0]["when"] = json!({ "$header.x-version": "v1" });
    schemes[1]["when"] = json!({ "$body.topic": "paid", "$header.x-version": "v2" });
    let scene = scene(&schemes, &json!({}));
    let first = crate::inbound_webhooks::signed(crate::inbound_webhooks::SECRET, BODY);
    let second = digest(SECOND, BODY);
    let both = [
        ("x-signature", first.as_str()),
        ("x-digest", second.as_str()),
    ];
    let cases = [
        ("v1", 200),
        ("v2", 200),
        ("v3", 401),
        ("", 401),
        ("V1", 401),
    ];
    each_case(cases, |(version, expected)| {
        let mut headers = both.to_vec();
        headers.push(("x-version", version));
        assert_eq!(send(&scene, &headers).status, expected, "{version}");
    });
    assert_eq!(send(&scene, &both).status, 401);
    let only_second = [("x-digest", second.as_str()), ("x-version", "v1")];
    assert_eq!(send(&scene, &only_second).status, 401);
}

#[test]
fn a_handshake_works_by_either_scheme() {
    let webhook = json!({
        "handle_verification": "body.hello ? { \"type\": \"verify\", \"verification_response\": challenge_hmac }",
        "challenge": { "from": "$body.hello" },
    });
    let scene = scene(&two(), &webhook);
    let body = r#"{"hello":"abc"}"#;
    let expected = crate::inbound_webhooks::signed(crate::inbound_webhooks::SECRET, "abc");
    let first = crate::inbound_webhooks::signed(crate::inbound_webhooks::SECRET, body);
    let second = digest(SECOND, body);
    each_case(
        [("x-signature", first), ("x-digest", second)],
        |(name, value)| {
            let answer = scene.to_account(&[("x-signature", ""), (name, &value)], body);
            assert_eq!(
                (answer.status, answer.text()),
                (200, expected.as_str()),
                "{name}"
            );
        },
    );
    let answer = scene.to_account(&[("x-signature", "")], body);
    assert_eq!(answer.code(401), "caller.bad_signature");
}

#[test]
fn an_unsigned_handshake_replaces_no_secret_of_any_scheme() {
    let schemes = json!([
        { "format": "hmac", "config": { "secret": "{{webhook_secret}}", "compare_with": "$header.x-signature" } },
        { "format": "hmac", "config": { "secret": "{{environment_variables.second_secret}}", "compare_with": "$header.x-second" } },
    ]);
    let webhook = json!({
        "handle_verification": "headers.`x-hook-secret` ? { \"type\": \"verify\", \"update_context\": { \"webhook_secret\": headers.`x-hook-secret` } }",
        "allow_unsigned_handshake": true,
    });
    let scene = scene(&schemes, &webhook);
    let answer = scene.to_account(
        &[("x-hook-secret", "of-an-attacker"), ("x-signature", "")],
        "{}",
    );
    assert_eq!(answer.code(401), "caller.bad_signature");
}

#[test]
fn an_id_that_only_another_scheme_covers_tells_no_repeated_event() {
    let schemes = json!([
        { "format": "standard_webhooks", "config": { "secret": "{{environment_variables.second_secret}}" } },
        { "format": "hmac", "config": { "secret": "{{environment_variables.webhook_secret}}", "compare_with": "$header.x-signature" } },
    ]);
    let scene = scene(&schemes, &json!({ "event_id": null }));
    let secrets = json!({ "second_secret": "whsec_c2VjcmV0LW9mLXR3ZW50eS1ieXRlcw==" });
    let body = json!({ "secret_environment_variables": secrets });
    scene.setting.override_install(&body).expect(200);
    scene.world.pass(std::time::Duration::from_secs(61));
    let first = crate::inbound_webhooks::signed(crate::inbound_webhooks::SECRET, BODY);
    let by_hmac = [("webhook-id", "msg_1"), ("x-signature", first.as_str())];
    let one = id_of(&send(&scene, &by_hmac).expect(200));
    let two = id_of(&send(&scene, &by_hmac).expect(200));
    assert_ne!(one, two, "`webhook-id` is not what the HMAC covers");
    let now = (causeway::ports::System::now(&scene.world).as_millis() / 1000).to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(b"secret-of-twenty-bytes").unwrap();
    mac.update(format!("msg_2.{now}.{BODY}").as_bytes());
    let signature = format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()));
    let by_standard = [
        ("webhook-id", "msg_2"),
        ("webhook-timestamp", now.as_str()),
        ("webhook-signature", signature.as_str()),
    ];
    let one = id_of(&send(&scene, &by_standard).expect(200));
    let two = id_of(&send(&scene, &by_standard).expect(200));
    assert_eq!(one, two);
}

#[test]
fn a_literal_secret_of_a_list_is_refused_before_it_is_stored() {
    let scene = ReceivingAccount::new(&json!({}));
    let literal = "literal-of-the-list";
    let cases = [
        json!({ "secret": literal }),
        json!({ "secret": "{{a}}", "previous_secret": literal }),
        json!({ "token": literal }),
        json!({ "password": literal }),
    ];
    each_case(cases, |config| {
        let schemes = json!([two()[0], { "format": "hmac", "config": config }]);
        let admin = &scene.setting.admin;
        let refused = admin.send("PUT", "/integration/shop", &list(&schemes));
        assert!(refused.text().contains("placeholder"), "{}", refused.text());
        refused.expect(422);
        let body = json!({ "override": { "webhook": { "signature_verification": schemes } } });
        let install = format!("/environment-integration/{}", scene.setting.install);
        scene
            .setting
            .client
            .send("PATCH", &install, &body)
            .expect(422);
        let own = format!("/integrated-account/{}", scene.account);
        let body =
            json!({ "integration_override": { "webhook": { "signature_verification": schemes } } });
        scene.setting.client.send("PATCH", &own, &body).expect(422);
        assert!(!scene.world.at_rest().contains(literal));
    });
}

#[test]
fn a_secret_is_bound_to_the_whole_list() {
    let scene = scene(&two(), &json!({}));
    let first = crate::inbound_webhooks::signed(crate::inbound_webhooks::SECRET, BODY);
    send(&scene, &[("x-signature", &first)]).expect(200);
    let mut other = two();
    other[0]["config"]["compare_with"] = json!(["$header.x-signature", "$query.signature"]);
    let admin = &scene.setting.admin;
    admin
        .send("PUT", "/integration/shop", &list(&other))
        .expect(200);
    scene.world.pass(std::time::Duration::from_secs(61));
    // The secrets were given for the scheme as it was.
    let answer = send(&scene, &[("x-signature", &first)]);
    assert_eq!(answer.status, 503, "{}", answer.text());
}

#[test]
fn an_api_token_names_no_keys_and_sees_no_tokens_by_way_of_a_list() {
    let scene = scene(&two(), &json!({}));
    let patch = |webhook: Value| {
        let body = json!({ "webhook": webhook });
        scene.setting.override_install(&body)
    };
    each_case(["jwks_url", "public_key_url"], |key| {
        let mut own = two();
        own[1] = json!({ "format": "rsa", "config": { key: "https://evil.example/keys", "compare_with": "$header.x-signature" } });
        if key == "public_key_url" {
            own[1]["config"]["public_key_url_pattern"] = json!(".*");
        }
        let refused = patch(json!({ "signature_verification": own }));
        assert_eq!(refused.status, 422, "{key}: {}", refused.text());
    });
    let secrets = patch(json!({ "signature_verification": two() }));
    assert_eq!(secrets.status, 200, "the same list is no change");
    let mut tokens = two();
    tokens[1] = json!({ "format": "bearer", "config": { "token": "{{environment_variables.second_secret}}", "compare_with": "$body.token" } });
    scene
        .setting
        .admin
        .send("PUT", "/integration/shop", &list(&tokens))
        .expect(200);
    let seen =
        patch(json!({ "payload_transform": "{ \"event_type\": \"x\", \"payload\": body }" }));
    assert_eq!(seen.status, 422, "{}", seen.text());
}

#[test]
fn accounts_are_found_by_one_lookup_of_the_list() {
    let mut schemes = two();
    for (index, field) in [(0, "shop"), (1, "shop")] {
        schemes[index]["config"]["context_lookup_field_name"] = json!(field);
        schemes[index]["config"]["context_lookup_field_value"] = json!("body.shop");
    }
    let own = scene(&schemes, &json!({}));
    let second = digest(SECOND, BODY);
    let answer = own.to_install(&[("x-signature", ""), ("x-digest", &second)], BODY);
    assert_eq!(answer.expect(200)["matched"], 1);
    schemes[1]["config"]["context_lookup_field_name"] = json!("team");
    let refused = own
        .setting
        .admin
        .send("PUT", "/integration/shop", &list(&schemes))
        .expect(422);
    assert!(
        refused.to_string().contains("context_lookup_field_name"),
        "{refused}"
    );
}

#[test]
fn a_shipped_list_takes_the_version_that_the_request_says_and_no_other() {
    each_case(Case::of_folder("tests/cases/schemes"), |case| {
        let sent = case.sent();
        assert_eq!(case.verify(&sent), Ok(()), "{}", case.name);
        let body = String::from_utf8(sent.body.clone()).unwrap();
        let own = case.place().unwrap().1;
        let other = case.story["signature"]["replace"].as_str().unwrap();
        let cases = [
            ("the hash of the other version", body.replace(own, other)),
            (
                "the other version",
                body.replace("\"SignatureVersion\": \"1\"", "\"SignatureVersion\": \"2\""),
            ),
            (
                "no version that is known",
                body.replace("\"SignatureVersion\": \"1\"", "\"SignatureVersion\": \"3\""),
            ),
            (
                "both at once",
                body.replace("\"SignatureVersion\": \"1\"", "\"SignatureVersion\": \"2\"")
                    .replace(own, ""),
            ),
            ("another message", body.replace("Hello", "Hallo")),
        ];
        each_case(cases, |(what, changed)| {
            assert_ne!(changed, body, "{what}");
            let mut sent = sent.clone();
            sent.body = changed.into_bytes();
            assert!(case.verify(&sent).is_err(), "{what}");
        });
        let upgraded = body
            .replace("\"SignatureVersion\": \"1\"", "\"SignatureVersion\": \"2\"")
            .replace(own, other);
        let mut sent = sent.clone();
        sent.body = upgraded.into_bytes();
        assert_eq!(case.verify(&sent), Ok(()), "version 2 of the same topic");
        let handshake = &case.story["handshakes"][0];
        let sent = Sent::read(&handshake["request"]);
        assert_eq!(case.verify(&sent), Ok(()), "a handshake by version 1");
    });
}

/// A body of more values than are looked at before the proof.
fn large(topic: &str) -> String {
    let items: Vec<u32> = (0..11_000).collect();
    json!({ "topic": topic, "nr": 7, "shop": "one", "items": items }).to_string()
}

#[test]
fn a_large_webhook_is_tried_by_the_scheme_that_its_body_names_and_taken_by_no_other() {
    let mut schemes = two();
    schemes[0]["when"] = json!({ "$body.topic": "paid" });
    schemes[1]["when"] = json!({ "$body.topic": "refund", "$header.x-version": "v2" });
    let scene = scene(&schemes, &json!({}));
    let send = |body: &str, headers: &[(&str, &str)]| {
        let mut all = vec![("x-signature", "")];
        all.extend(headers);
        scene.to_account(&all, body).status
    };
    let by_first =
        |body: &str| crate::inbound_webhooks::signed(crate::inbound_webhooks::SECRET, body);
    let (paid, refund) = (large("paid"), large("refund"));
    assert_eq!(send(&paid, &[("x-signature", &by_first(&paid))]), 200);
    let second = digest(SECOND, &refund);
    let of_second = [("x-digest", second.as_str()), ("x-version", "v2")];
    assert_eq!(send(&refund, &of_second), 200);
    // Proved by a scheme that is not meant.
    assert_eq!(send(&refund, &[("x-signature", &by_first(&refund))]), 401);
    let both = [
        ("x-signature", by_first(&refund)),
        ("x-digest", second.clone()),
        ("x-version", "v2".to_owned()),
    ];
    let both: Vec<(&str, &str)> = both
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    assert_eq!(send(&refund, &both), 200);
    assert_eq!(send(&refund, &of_second[..1]), 401);
    assert_eq!(
        send(
            &paid,
            &[("x-digest", &digest(SECOND, &paid)), ("x-version", "v2")]
        ),
        401
    );
    // Proved by none.
    assert_eq!(send(&paid, &[("x-signature", "00")]), 401);
}
