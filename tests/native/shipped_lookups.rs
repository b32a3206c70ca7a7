//! The shipped files that once looked accounts up by what their customers typed take the value from the provider. And
//! the shipped grants without a user: their client is the customer's own.

use causeway::config::read;
use serde_json::{Value, json};
use url::Url;

use crate::cases::each_case;
use crate::client::Setting;
use crate::connect::parameter;
use crate::connect_shipped::{ConnectFlow, form_of};
use crate::integration_files::{files_of, load};
use crate::outside::{Sent, World, reply};
use causeway::ports::Body;

fn path_of(sent: &Sent) -> String {
    let url: Url = sent.url.parse().unwrap();
    url.path().to_owned()
}

/// A provider that answers every request for one path, and refuses all other paths.
fn provides(world: &World, path: &'static str, answer: &Value) {
    let answer = answer.to_string();
    world.provides(move |sent| {
        let status = if path_of(sent) == path { 200 } else { 404 };
        let headers = [("content-type", "application/json")];
        reply(status, &headers, Body::from_bytes(answer.clone()))
    });
}

#[test]
fn a_typed_account_is_the_one_the_provider_names() {
    let sid = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let cases = [
        (
            "twilio",
            vec![("account_sid", sid), ("api_key", "token")],
            "/2010-04-01/Accounts/ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.json",
            json!({ "sid": "ACbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" }),
            "account_sid",
            "ACbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
        ),
        (
            "whatsapp",
            vec![
                ("api_key", "EAAJ"),
                ("business_account_id", "111"),
                ("phone_number_id", "1"),
            ],
            "/v23.0/111",
            json!({ "id": "222", "name": "x" }),
            "business_account_id",
            "222",
        ),
        (
            "shopify",
            vec![
                ("credential", "api_key"),
                ("shop", "my-shop"),
                ("api_key", "shpat"),
            ],
            "/admin/api/2026-07/shop.json",
            json!({ "shop": { "id": 1, "myshopify_domain": "my-shop.myshopify.com" } }),
            "shop",
            "my-shop",
        ),
    ];
    each_case(cases, |(name, fields, path, answer, key, expected)| {
        let mut flow = ConnectFlow::shipped(name);
        // The provider may know it by another name; where that decides the host, only the same one will do.
        let path: &'static str = path;
        let other = expected;
        let answer_text = answer.to_string();
        flow.world.provides(move |sent| {
            let own = path_of(sent);
            let status = if own == path || own.contains(other) {
                200
            } else {
                404
            };
            reply(
                status,
                &[("content-type", "application/json")],
                Body::from_bytes(answer_text.clone()),
            )
        });
        let done = flow.submit(&fields);
        assert_eq!(done.status, 200, "{name}: {}", done.text());
        let account = flow.account();
        assert_eq!(account["status"], "active", "{name}");
        assert_eq!(account["context"][key], expected, "{name}");
        let first = flow.world.sent().remove(0);
        assert_eq!(
            (first.method.as_str(), path_of(&first).as_str()),
            ("GET", path),
            "{name}"
        );
    });
}

#[test]
fn a_shop_that_is_called_otherwise_is_not_set_up() {
    let mut flow = ConnectFlow::shipped("shopify");
    let answer = json!({ "shop": { "myshopify_domain": "another.myshopify.com" } });
    provides(&flow.world, "/admin/api/2026-07/shop.json", &answer);
    let done = flow.submit(&[
        ("credential", "api_key"),
        ("shop", "my-shop"),
        ("api_key", "shpat"),
    ]);
    assert_eq!(done.status, 422, "{}", done.text());
    let account = flow.account();
    assert_eq!(
        (&account["status"], &account["context"]["shop"]),
        (&json!("post_install_error"), &json!("my-shop"))
    );
}

/// Signs in to the directory that `organization` names, or to none.
fn signed_in(organization: &Value) -> Value {
    let mut flow = ConnectFlow::shipped("microsoft-graph");
    let variables = json!({ "environment_variables": { "client_id": "our-id" }, "secret_environment_variables": { "client_secret": "our-secret" } });
    flow.setting.override_install(&variables).expect(200);
    let there = flow.submit(&[("credential", "oauth2"), ("tenant_id", "common")]);
    let there: Url = there.header("location").unwrap().parse().unwrap();
    let token =
        json!({ "access_token": "eyJ0", "refresh_token": "r", "expires_in": 3600 }).to_string();
    flow.world.answers(200, &[], &token);
    flow.world.answers(
        200,
        &[],
        &json!({ "responses": [organization] }).to_string(),
    );
    flow.world.answers(200, &[], r#"{"id":"me"}"#);
    let state = parameter(&there, "state");
    let back = flow.browser.get(&format!(
        "/connect/microsoft-graph/callback?code=c&state={state}"
    ));
    assert_eq!(back.status, 200, "{}", back.text());
    let asked = flow.world.sent().remove(1);
    assert_eq!(
        (asked.method.as_str(), path_of(&asked).as_str()),
        ("POST", "/v1.0/$batch")
    );
    let body: Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!(body["requests"][0]["url"], "/organization?$select=id");
    flow.account()
}

#[test]
fn a_directory_is_named_by_the_provider_and_personal_accounts_have_none() {
    let directory = "84bd8158-6d4d-4958-8b9f-9d6445542f95";
    let account =
        signed_in(&json!({ "id": "1", "status": 200, "body": { "value": [{ "id": directory }] } }));
    assert_eq!(account["status"], "active");
    assert_eq!(
        (
            &account["context"]["directory_id"],
            &account["context"]["tenant_id"]
        ),
        (&json!(directory), &json!("common"))
    );
    let account = signed_in(
        &json!({ "id": "1", "status": 403, "body": { "error": { "code": "Forbidden" } } }),
    );
    assert_eq!(account["status"], "active");
    assert_eq!(account["context"]["directory_id"], Value::Null);
}

#[test]
fn another_companys_directory_takes_another_companys_app() {
    let mut flow = ConnectFlow::shipped("microsoft-graph");
    let variables = json!({ "environment_variables": { "client_id": "OPERATOR-ID" }, "secret_environment_variables": { "client_secret": "OPERATOR-SECRET" } });
    flow.setting.override_install(&variables).expect(200);
    let victim = "11111111-2222-3333-4444-555555555555";
    let only_directory = [
        ("credential", "oauth2_client_credentials"),
        ("tenant_id", victim),
    ];
    let refused = flow.submit(&only_directory);
    assert_eq!(refused.status, 422, "{}", refused.text());
    assert!(flow.world.sent().is_empty());
    let own = "99999999-2222-3333-4444-555555555555";
    flow.world
        .answers(401, &[], r#"{"error":"invalid_client"}"#);
    flow.submit(
        &[
            only_directory.as_slice(),
            &[("client_id", own), ("client_secret", "mine")],
        ]
        .concat(),
    );
    let sent = flow.world.sent().remove(0);
    let form = form_of(&sent);
    assert_eq!(
        (form["client_id"].as_str(), form["client_secret"].as_str()),
        (own, "mine")
    );
    assert_eq!(path_of(&sent), format!("/{victim}/oauth2/v2.0/token"));
}

#[test]
fn no_shipped_grant_without_a_user_ever_sends_the_operators_client() {
    let mut tried = 0;
    each_case(files_of("integrations"), |path| {
        let file = load(&path);
        let config = read(&file).integration.expect("no mistakes").config;
        each_case(["oauth2_client_credentials", "keka_oauth"], |format| {
            if config.credential(format).is_none() {
                return;
            }
            let world = World::new();
            let setting = Setting::new(&world, &file);
            let variables = json!({ "environment_variables": { "client_id": "OPERATOR" }, "secret_environment_variables": { "client_secret": "OPERATOR" } });
            setting.override_install(&variables).expect(200);
            // What is left when the customer's own client is taken away.
            let cases = [
                json!({}),
                json!({ "client_id": "mine" }),
                json!({ "client_id": "", "client_secret": "" }),
            ];
            each_case(cases, |context| {
                let account = setting.account(format, &context);
                let refreshed = setting.client.post(
                    "/integrated-account/refresh-credentials",
                    &json!({ "id": account }),
                );
                assert_ne!(refreshed.status, 200, "{} {format}", path.display());
                setting
                    .client
                    .get(&format!("/custom/x?integrated_account_id={account}"));
                each_case(world.sent(), |sent| {
                    let all = format!("{sent:?} {}", String::from_utf8_lossy(&sent.body));
                    assert!(
                        !all.contains("OPERATOR") && sent.header("authorization").is_none(),
                        "{all}"
                    );
                });
            });
            tried += 1;
        });
    });
    assert!(tried >= 5, "{tried}");
}
