//! Every route, and who may call it. A route without a row here fails, and so does a row that lies.

use std::fs;

use causeway::api::route::{AdminRoute, Found, Route, find};
use causeway::ports::Body;
use serde_json::json;

use crate::client::{Client, Setting};
use crate::integrations::file;
use crate::outside::World;

/// Who may: the admin token always; API tokens with a scope (`admin` stands for all), account tokens.
pub const ROWS: &[(&str, &str, &[&str])] = &[
    ("GET", "/", ANYBODY),
    ("GET", "/health", ANYBODY),
    ("GET", "/openapi.json", ANYBODY),
    ("GET", "/integration.schema.json", ANYBODY),
    ("GET", "/environment", &[]),
    ("POST", "/environment", &[]),
    ("GET", "/environment/x", &[]),
    ("PATCH", "/environment/x", &[]),
    ("DELETE", "/environment/x", &[]),
    ("GET", "/api-token", &["read", "admin"]),
    ("POST", "/api-token", &["admin"]),
    ("DELETE", "/api-token/x", &["admin"]),
    ("GET", "/integration", &["read", "admin"]),
    ("POST", "/integration", &[]),
    ("POST", "/integration/validate", &["read", "admin"]),
    ("GET", "/integration/x", &["read", "admin"]),
    ("PUT", "/integration/x", &[]),
    ("PATCH", "/integration/x", &[]),
    ("DELETE", "/integration/x", &[]),
    ("GET", "/environment-integration", &["read", "admin"]),
    ("POST", "/environment-integration", &["admin"]),
    ("GET", "/environment-integration/x", &["read", "admin"]),
    ("PATCH", "/environment-integration/x", &["admin"]),
    ("DELETE", "/environment-integration/x", &["admin"]),
    ("GET", "/integrated-account", &["read", "admin"]),
    ("POST", "/integrated-account", &["connect", "admin"]),
    ("GET", "/integrated-account/x", &["read", "admin"]),
    ("PATCH", "/integrated-account/x", &["connect", "admin"]),
    ("DELETE", "/integrated-account/x", &["admin"]),
    (
        "PATCH",
        "/integrated-account/x/credentials",
        &["connect", "admin"],
    ),
    (
        "POST",
        "/integrated-account/refresh-credentials",
        &["connect", "admin"],
    ),
    ("POST", "/integrated-account/token", &["proxy", "admin"]),
    ("POST", "/integrated-account/bulk-delete", &["admin"]),
    ("GET", "/connect", ANYBODY),
    ("GET", "/connect/x", ANYBODY),
    ("POST", "/connect/x", ANYBODY),
    ("GET", "/connect/x/callback", ANYBODY),
    ("POST", "/connect/x/callback", ANYBODY),
    ("GET", "/link-token", &["read", "admin"]),
    ("POST", "/link-token", &["connect", "admin"]),
    ("DELETE", "/link-token/x", &["connect", "admin"]),
    ("POST", "/integrated-account-webhook/x", ANYBODY),
    ("GET", "/integrated-account-webhook/x", ANYBODY),
    ("POST", "/environment-integration-webhook/x", ANYBODY),
    ("GET", "/webhook", &["read", "admin"]),
    ("POST", "/webhook", &["admin"]),
    ("GET", "/webhook/x", &["read", "admin"]),
    ("PATCH", "/webhook/x", &["admin"]),
    ("DELETE", "/webhook/x", &["admin"]),
    ("POST", "/webhook/x/rotate-secret", &["admin"]),
    ("POST", "/webhook/test", &["admin"]),
    ("GET", "/event", &["read", "admin"]),
    ("GET", "/event/x", &["read", "admin"]),
    ("POST", "/event/x/replay", &["admin"]),
    ("POST", "/event/replay", &["admin"]),
    ("GET", "/log", &["read", "admin"]),
    ("GET", "/integration/x/capabilities", &["read", "admin"]),
    (
        "GET",
        "/integrated-account/x/capabilities",
        &["read", "admin"],
    ),
    ("GET", "/sealing", &[]),
    ("POST", "/sealing/rotate", &[]),
    ("GET", "/integrated-account/me", &["account"]),
    ("PATCH", "/integrated-account/me", &["account"]),
    (
        "GET",
        "/proxy/none?integrated_account_id=x",
        &["proxy", "admin", "account"],
    ),
    (
        "POST",
        "/proxy/_/none?integrated_account_id=x",
        &["proxy", "admin", "account"],
    ),
    (
        "GET",
        "/custom/none?integrated_account_id=x",
        &["proxy", "admin", "account"],
    ),
];

pub const ANYBODY: &[&str] = &["nobody", "read", "proxy", "connect", "admin", "account"];

/// The word of a route, as its variant is called.
fn name_of(route: &Route) -> String {
    let debug = match route {
        Route::Admin(admin) => format!("{admin:?}"),
        Route::Connect(connect) => format!("{connect:?}"),
        Route::Webhook(webhook) => format!("{webhook:?}"),
        other => format!("{other:?}"),
    };
    debug.split(['(', ' ']).next().unwrap().to_owned()
}

/// The same of a request's method and path.
pub fn name_at(method: &str, path: &str) -> String {
    match find(&method.parse().unwrap(), path.split('?').next().unwrap()) {
        Found::Route(route) => name_of(&route),
        other => panic!("{method} {path}: {other:?}"),
    }
}

/// The variants that `src/api/route.rs` declares.
pub fn declared() -> Vec<String> {
    let text =
        fs::read_to_string(crate::integration_files::root().join("src/api/route.rs")).unwrap();
    let items = syn::parse_file(&text).unwrap().items;
    let enums = items.into_iter().filter_map(|item| match item {
        syn::Item::Enum(item) if item.ident.to_string().ends_with("Route") => Some(item.variants),
        _ => None,
    });
    enums
        .flatten()
        .map(|variant| variant.ident.to_string())
        .filter(|name| !["Admin", "Connect", "Webhook"].contains(&name.as_str()))
        .collect()
}

#[test]
fn every_route_has_its_row() {
    let rows: Vec<String> = ROWS
        .iter()
        .map(|(method, path, _)| name_at(method, path))
        .collect();
    for name in declared() {
        assert!(rows.contains(&name), "the route {name} has no row");
    }
    assert_eq!(name_of(&Route::Admin(AdminRoute::GetMe)), "GetMe");
}

#[test]
fn a_route_is_open_to_whom_its_row_names_and_to_nobody_else() {
    let setting = Setting::new(&World::new(), &file());
    let account = setting.account("oauth2", &json!({}));
    let made = setting
        .client
        .post(
            "/integrated-account/token",
            &json!({ "integrated_account_id": account }),
        )
        .expect(201);
    let scoped = |scope: &str| setting.admin.token_of(&setting.environment, Some(&[scope]));
    let callers: Vec<(&str, Client)> = vec![
        ("nobody", setting.admin.with_token("")),
        ("read", scoped("read")),
        ("proxy", scoped("proxy")),
        ("connect", scoped("connect")),
        ("admin", scoped("admin")),
        (
            "account",
            setting
                .admin
                .with_token(made["integrated_account_token"].as_str().unwrap()),
        ),
    ];
    for (method, path, allowed) in ROWS {
        for (who, client) in &callers {
            let body = if *method == "GET" {
                Body::Empty
            } else {
                Body::from_bytes("{}")
            };
            let answer = client.request(method, path, &[], body);
            if path.starts_with("/connect") {
                // A page for anybody, which asks for a link token and for no other.
                assert_eq!(
                    answer.header("content-type"),
                    Some("text/html; charset=utf-8")
                );
                assert!(answer.status < 500, "{who}: {method} {path}");
                continue;
            }
            let status = answer.status;
            let expected = match (allowed.contains(who), *who) {
                (true, _) => None,
                (false, "nobody") => Some(401),
                (false, _) => Some(403),
            };
            match expected {
                Some(expected) => assert_eq!(status, expected, "{who}: {method} {path}"),
                None => assert!(
                    status < 500 && !matches!(status, 401 | 403 | 405),
                    "{who}: {method} {path}: {status}"
                ),
            }
        }
    }
}
