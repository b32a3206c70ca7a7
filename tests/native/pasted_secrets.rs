//! Secrets that were pasted with white space around them: refused where an application sends them, trimmed in the
//! customer's form.

use serde_json::{Value, json};

use crate::cases::each_case;
use crate::client::Setting;
use crate::connect::Visit;
use crate::inbound_webhooks::{ReceivingAccount, signing_file};
use crate::outside::World;

/// What comes along when a text is copied.
const AROUND: [&str; 9] = [
    "{}\n",
    "{}\r\n",
    " {}",
    "{} ",
    "\t{}",
    "{}\u{a0}",
    "\u{200b}{}",
    "{}\u{feff}",
    "\u{2003}{}",
];

fn pasted(value: &str) -> impl Iterator<Item = String> + '_ {
    AROUND.iter().map(move |around| around.replace("{}", value))
}

/// 422 that names the place, and holds nothing of the value.
#[track_caller]
fn refused(answer: crate::client::Answer, place: &str, value: &str) {
    let text = answer.text().to_owned();
    let body = answer.expect(422);
    assert_eq!(body["code"], "caller.invalid", "{value:?}: {text}");
    assert!(text.contains(place), "{value:?}: {text}");
    assert!(text.contains("begins or ends with white space"), "{text}");
    assert!(!text.contains("pasted"), "{text}");
}

fn keyed() -> Value {
    let mut file = signing_file(&json!({}));
    file["config"]["credentials"]["api_key"]["config"]["fields"] = json!([
        { "name": "api_key", "type": "password" },
        { "name": "pin", "type": "password" },
        { "name": "user", "type": "text" },
    ]);
    file["config"]["headers"] = json!({ "x-app": "{{environment_variables.app_id}}" });
    file
}

#[test]
fn a_context_with_a_padded_secret_is_refused_wherever_it_is_sent() {
    let world = World::new();
    let setting = Setting::new(&world, &keyed());
    let account = setting.account("api_key", &json!({ "api_key": "good" }));
    each_case(pasted("pasted key"), |value| {
        let cases = [
            ("api_key", json!({ "api_key": value })),
            ("pin", json!({ "api_key": "k", "pin": value })),
            (
                "webhook_secret",
                json!({ "api_key": "k", "webhook_secret": value }),
            ),
            (
                "deep.client_secret",
                json!({ "api_key": "k", "deep": { "client_secret": value } }),
            ),
            (
                "oauth.token.access_token",
                json!({ "api_key": "k", "oauth": { "token": { "access_token": value } } }),
            ),
        ];
        each_case(cases, |(path, context)| {
            let place = format!("context.{path}");
            let import = json!({ "tenant_id": "t", "environment_integration_id": setting.install, "authentication_method": "api_key", "context": context });
            refused(
                setting.client.post("/integrated-account", &import),
                &place,
                &value,
            );
            let own = format!("/integrated-account/{account}");
            refused(
                setting
                    .client
                    .send("PATCH", &own, &json!({ "context": context })),
                &place,
                &value,
            );
            let credentials = json!({ "context": context });
            let own = format!("{own}/credentials");
            refused(
                setting.client.send("PATCH", &own, &credentials),
                &place,
                &value,
            );
            if path != "pin" {
                let link = json!({ "tenant_id": "t", "context": context });
                refused(setting.client.post("/link-token", &link), &place, &value);
            }
        });
        let plain = json!({ "context": { "note": value.replace("pasted", "other"), "user": value.replace("pasted", "other") } });
        setting
            .client
            .send("PATCH", &format!("/integrated-account/{account}"), &plain)
            .expect(200);
    });
    let inner = json!({ "context": { "api_key": "two words\tin it" } });
    let own = format!("/integrated-account/{account}/credentials");
    setting.client.send("PATCH", &own, &inner).expect(200);
    let pem = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n";
    let pem = json!({ "context": { "private_key": pem } });
    setting.client.send("PATCH", &own, &pem).expect(200);
}

#[test]
fn an_installs_padded_secrets_are_refused() {
    let world = World::new();
    let setting = Setting::new(&world, &keyed());
    let install = format!("/environment-integration/{}", setting.install);
    each_case(pasted("pasted key"), |value| {
        let cases = [
            (
                "secret_environment_variables.webhook_secret",
                json!({ "secret_environment_variables": { "webhook_secret": value } }),
            ),
            (
                "secret_environment_variables.deep.x",
                json!({ "secret_environment_variables": { "deep": { "x": value } } }),
            ),
            (
                "environment_variables.app_id",
                json!({ "environment_variables": { "app_id": value } }),
            ),
            (
                "environment_variables.client_secret",
                json!({ "environment_variables": { "client_secret": value } }),
            ),
            (
                "webhook.signature_verification.config.secret",
                json!({ "webhook": { "signature_verification": { "config": { "secret": value } } } }),
            ),
        ];
        each_case(cases, |(place, change)| {
            let place = format!("override.{place}");
            refused(
                setting
                    .client
                    .send("PATCH", &install, &json!({ "override": change })),
                &place,
                &value,
            );
        });
        let other = json!({ "override": { "environment_variables": { "separator": value.replace("pasted", "other") } } });
        setting.client.send("PATCH", &install, &other).expect(200);
    });
}

#[test]
fn a_files_padded_secrets_are_refused() {
    let scene = ReceivingAccount::new(&json!({}));
    each_case(pasted("pasted key"), |value| {
        let cases = [
            (
                "webhook.signature_verification.config.secret",
                json!({ "format": "hmac", "config": { "secret": value, "compare_with": "$header.x" } }),
            ),
            (
                "webhook.signature_verification.config.token",
                json!({ "format": "bearer", "config": { "token": value } }),
            ),
        ];
        each_case(cases, |(place, webhook)| {
            let mut file = signing_file(&json!({ "signature_verification": null }));
            file["config"]["webhook"]["signature_verification"] = webhook;
            let place = format!("config.{place}");
            refused(
                scene.setting.admin.send("PUT", "/integration/shop", &file),
                &place,
                &value,
            );
        });
        let mut file = crate::connect::file();
        file["config"]["credentials"]["oauth2"]["config"]["client"]["secret"] = json!(value);
        let answer = scene
            .setting
            .admin
            .send("PUT", "/integration/oauth-shop", &file);
        refused(
            answer,
            "config.credentials.oauth2.config.client.secret",
            &value,
        );
    });
}

#[test]
fn what_a_customer_pastes_into_the_form_is_trimmed() {
    each_case(pasted("pasted key"), |value| {
        let mut visit = Visit::new(&json!({ "tenant_id": "t" }));
        visit.world.answers(200, &[], "{}");
        visit.submit("api_key", &[("shop", "berlin"), ("api_key", &value)]);
        assert_eq!(visit.account()["status"], "active", "{value:?}");
        let sent = visit.world.sent();
        let authorization = sent[0].header("authorization");
        assert_eq!(authorization, Some("Bearer pasted key"), "{value:?}");
    });
    let mut visit = Visit::new(&json!({ "tenant_id": "t" }));
    let answer = visit.submit("api_key", &[("shop", "berlin"), ("api_key", " \u{a0}\n")]);
    assert_eq!(answer.status, 422, "nothing but white space is nothing");
}
