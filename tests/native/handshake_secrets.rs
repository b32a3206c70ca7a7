//! A secret that an unsigned handshake brings is stored where the account has none, and replaces nothing.

use serde_json::{Value, json};

use crate::cases::each_case;
use crate::inbound_webhooks::{ReceivingAccount, SECRET};

const OFFERED: [(&str, &str); 2] = [("x-hook-secret", "of-an-attacker"), ("x-signature", "")];
const BOTH: &str = "{{webhook_secret|environment_variables.webhook_secret}}";
const HANDS_OVER: &str = "headers.`x-hook-secret` ? { \"type\": \"verify\", \"update_context\": { \"webhook_secret\": headers.`x-hook-secret` } }";

/// Every kind of proof that has a secret, reading it by this template.
fn schemes(secret: &str) -> Vec<(&'static str, Value)> {
    let place = "$header.x-signature";
    vec![
        ("hmac", json!({ "secret": secret, "compare_with": place })),
        (
            "hash",
            json!({ "secret": secret, "compare_with": place, "parts": ["$secret", "$body"] }),
        ),
        ("jwt", json!({ "secret": secret, "compare_with": place })),
        ("standard_webhooks", json!({ "secret": secret })),
        ("bearer", json!({ "token": secret, "compare_with": place })),
        ("basic", json!({ "username": "u", "password": secret })),
    ]
}

fn scene(format: &str, config: &Value, handshake: &str) -> ReceivingAccount {
    ReceivingAccount::new(&json!({
        "signature_verification": null,
    }))
    .changed(&json!({
        "signature_verification": { "format": format, "config": config },
        "handle_verification": handshake,
        "allow_unsigned_handshake": true,
    }))
}

impl ReceivingAccount {
    /// The same under another file.
    fn changed(self, webhook: &Value) -> Self {
        let mut file =
            crate::inbound_webhooks::signing_file(&json!({ "signature_verification": null }));
        causeway::json::merge(&mut file, &json!({ "config": { "webhook": webhook } }));
        let admin = &self.setting.admin;
        admin.send("PUT", "/integration/shop", &file).expect(200);
        crate::install_lookup::give_webhook_secret(&self.setting);
        self.world.pass(std::time::Duration::from_secs(61));
        self
    }
}

#[test]
fn an_unsigned_handshake_replaces_no_secret_that_the_install_has() {
    each_case(schemes(BOTH), |(format, config)| {
        let scene = scene(format, &config, HANDS_OVER);
        let before = scene.world.at_rest();
        let answer = scene.to_account(&OFFERED, "{}");
        assert_eq!(answer.code(401), "caller.bad_signature", "{format}");
        assert_eq!(scene.world.at_rest(), before, "{format}: nothing is stored");
    });
}

#[test]
fn an_unsigned_handshake_fills_a_secret_once_where_none_is_in_force() {
    each_case(schemes("{{webhook_secret}}"), |(format, config)| {
        let scene = scene(format, &config, HANDS_OVER);
        let first = [("x-hook-secret", SECRET), ("x-signature", "")];
        assert_eq!(scene.to_account(&first, "{}").status, 200, "{format}");
        let before = scene.world.at_rest();
        assert_eq!(scene.to_account(&OFFERED, "{}").status, 401, "{format}");
        assert_eq!(scene.world.at_rest(), before, "{format}");
    });
}

#[test]
fn while_a_secret_is_in_force_an_unsigned_handshake_fills_no_other_key_either() {
    let other = HANDS_OVER.replace("\"webhook_secret\":", "\"hook\":");
    each_case(schemes(BOTH), |(format, config)| {
        let scene = scene(format, &config, &other);
        assert_eq!(scene.to_account(&OFFERED, "{}").status, 401, "{format}");
    });
    // A scheme with published keys has something in force always.
    let keys = json!({ "jwks_url": "https://api.shop.example/keys", "compare_with": "$header.x-signature" });
    let scene = scene("jwt", &keys, HANDS_OVER);
    let before = scene.world.at_rest();
    scene.world.answers(503, &[], "");
    assert_ne!(scene.to_account(&OFFERED, "{}").status, 200);
    assert_eq!(scene.world.at_rest(), before);
}

#[test]
fn what_an_unsigned_handshake_brings_finds_no_account() {
    let handshake = HANDS_OVER.replace("\"webhook_secret\":", "\"shop\":");
    let config = json!({ "secret": "{{own}}", "compare_with": "$header.x-signature", "context_lookup_field_name": "shop", "context_lookup_field_value": "body.shop" });
    let scene = scene("hmac", &config, &handshake);
    let path = format!("/integrated-account/{}", scene.account);
    let client = &scene.setting.client;
    let clear = json!({ "context": { "shop": null } });
    client.send("PATCH", &path, &clear).expect(200);
    let one = [("x-hook-secret", "one"), ("x-signature", "")];
    assert_eq!(scene.to_account(&one, "{}").status, 200);
    assert_eq!(client.get(&path).expect(200)["context"]["shop"], "one");
    let signing = json!({ "secret": BOTH, "compare_with": "$header.x-signature", "context_lookup_field_name": "shop", "context_lookup_field_value": "body.shop" });
    let scene = scene.changed(&json!({ "signature_verification": { "format": "hmac", "config": signing }, "event_id": null }));
    let found = scene.to_install(&[], r#"{"topic":"paid","shop":"one"}"#);
    assert_eq!(found.expect(200)["matched"], 0);
}

/// Who knows the secret can sign, and a customer knows what they typed.
#[test]
fn a_handshake_signed_with_a_secret_that_a_customer_typed_is_the_customers_word() {
    each_case([(true, 1), (false, 0)], |(by_the_application, found)| {
        let story = crate::install_lookup::LookupStory::new(&json!({}));
        let mut file = crate::install_lookup::typed_shop(&json!({}));
        let fields = json!([{ "name": "api_key", "type": "password" }, { "name": "webhook_secret", "type": "password" }]);
        let more = json!({ "config": {
            "credentials": { "api_key": { "config": { "fields": fields } } },
            "webhook": {
                "allow_unsigned_handshake": true,
                "handle_verification": "body.says ? { \"type\": \"verify\", \"update_context\": { \"shop\": body.says } }",
            },
        } });
        causeway::json::merge(&mut file, &more);
        story.puts(&file);
        let secret = "a-secret-they-typed";
        if by_the_application {
            let context = json!({ "api_key": "k", "webhook_secret": secret });
            story.setting.account("api_key", &context);
        } else {
            let link = json!({ "tenant_id": "acme", "integration": "shop" });
            let mut customer = story.customer(&link);
            let pairs = [
                ("link_token", customer.token.as_str()),
                ("credential", "api_key"),
                ("api_key", "a-key-of-them"),
                ("webhook_secret", secret),
            ];
            assert_eq!(customer.browser.post("/connect/shop", &pairs).status, 200);
        }
        let account = story.account("acme")["id"].as_str().unwrap().to_owned();
        let body = r#"{"says":"one"}"#;
        let signature = crate::inbound_webhooks::signed(secret, body);
        let headers = [
            ("content-type", "application/json"),
            ("x-signature", signature.as_str()),
        ];
        let path = format!("/integrated-account-webhook/{account}");
        let provider = story.setting.client.with_token("");
        let body = causeway::ports::Body::from_bytes(body);
        assert_eq!(provider.request("POST", &path, &headers, body).status, 200);
        assert_eq!(story.account("acme")["context"]["shop"], "one");
        assert_eq!(story.matched("one"), found, "{by_the_application}");
    });
}
