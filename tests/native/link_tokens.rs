//! Link tokens: made, listed, revoked; what could be wrong with one is said to the developer.

use serde_json::json;

use crate::cases::each_case;
use crate::client::{Setting, id_of};
use crate::integrations::file;
use crate::outside::World;

#[test]
fn a_link_token_is_shown_once_listed_without_itself_and_revoked() {
    let world = World::new();
    let setting = Setting::new(&world, &file());
    let body = json!({ "tenant_id": "acme", "context": { "api_key": "hunter2" }, "region": "eu" });
    let made = setting.client.post("/link-token", &body).expect(201);
    let token = made["link_token"].as_str().unwrap();
    assert!(token.starts_with("lt_"), "{token}");
    assert_eq!(
        made["url"],
        format!("https://causeway.example/connect?link_token={token}")
    );
    assert_eq!(made["expires_at"], "2023-11-15T22:13:20.000Z");
    let at_rest = world.at_rest();
    assert!(!at_rest.contains(token) && !at_rest.contains("hunter2"));
    let list = setting.client.get("/link-token?tenant_id=acme").expect(200);
    assert_eq!(list["result"][0]["id"], made["id"]);
    assert_eq!(list["result"][0]["is_spent"], false);
    assert!(!list.to_string().contains(token));
    let path = format!("/link-token/{}", id_of(&made));
    assert_eq!(
        setting.client.delete(&path).expect(200),
        json!({ "id": made["id"] })
    );
    assert_eq!(setting.client.delete(&path).code(404), "caller.not_found");
    let list = setting.client.get("/link-token").expect(200);
    assert_eq!(list["result"], json!([]));
}

#[test]
fn what_is_wrong_with_a_link_token_is_said_when_it_is_made() {
    let world = World::new();
    let setting = Setting::new(&world, &file());
    let account = setting.account(
        "oauth2",
        &json!({ "oauth": { "token": { "access_token": "t" } } }),
    );
    let cases = [
        (json!({}), 422, "caller.invalid"),
        (
            json!({ "tenant_id": "a", "integrated_account_id": account }),
            400,
            "caller.malformed",
        ),
        (
            json!({ "integrated_account_id": account, "region": "eu" }),
            422,
            "caller.invalid",
        ),
        (
            json!({ "integrated_account_id": "x" }),
            404,
            "caller.not_found",
        ),
        (json!({ "tenant_id": "" }), 422, "caller.invalid"),
        (
            json!({ "tenant_id": "a", "integration": "none" }),
            422,
            "caller.invalid",
        ),
        (
            json!({ "integrated_account_id": account, "integration": "other" }),
            422,
            "caller.invalid",
        ),
        (
            json!({ "tenant_id": "a", "scopes": [] }),
            422,
            "caller.invalid",
        ),
        (
            json!({ "tenant_id": "a", "scopes": ["a\nb"] }),
            422,
            "caller.invalid",
        ),
        (
            json!({ "tenant_id": "a", "context": [] }),
            422,
            "caller.invalid",
        ),
        (
            json!({ "tenant_id": "a", "redirect_uri": "/back" }),
            422,
            "caller.invalid",
        ),
        (
            json!({ "tenant_id": "a", "redirect_uri": "http://app.example/back" }),
            422,
            "caller.invalid",
        ),
        (
            json!({ "tenant_id": "a", "redirect_uri": "javascript:alert(1)" }),
            422,
            "caller.invalid",
        ),
        (
            json!({ "tenant_id": "a", "redirect_uri": "https://user@app.example/" }),
            422,
            "caller.invalid",
        ),
        (
            json!({ "tenant_id": "a", "surprise": 1 }),
            422,
            "caller.invalid",
        ),
    ];
    each_case(cases, |(body, status, code)| {
        let answer = setting.client.post("/link-token", &body);
        assert_eq!(answer.code(status), code, "{body}");
    });
}

#[test]
fn a_result_goes_only_to_an_origin_the_environment_allows() {
    let world = World::new();
    let setting = Setting::new(&world, &file());
    let admin = crate::client::Client::admin(&world);
    let allowed = json!({ "allowed_redirect_origins": ["https://app.example"] });
    let path = format!("/environment/{}", setting.environment);
    admin.send("PATCH", &path, &allowed).expect(200);
    let cases = [
        ("https://app.example/back?x=1", 201),
        ("https://app.example.evil.example/back", 422),
        ("https://app.example:8443/back", 422),
        ("https://evil.example/https://app.example", 422),
        ("https://app.example\\@evil.example/", 422),
        (" https://app.example/", 422),
    ];
    each_case(cases, |(uri, status)| {
        let body = json!({ "tenant_id": "a", "redirect_uri": uri });
        setting.client.post("/link-token", &body).expect(status);
    });
}
