//! Every route, and who may call it. A route without a row here fails, and so does a row that lies.

use std::collections::BTreeSet;

use causeway::api::route::{Route, RouteMatch, find};
use causeway::api::table::rows;
use causeway::ports::Body;
use serde_json::json;

use crate::client::{Client, Setting};
use crate::integrations::file;
use crate::openapi::template_of;
use crate::outside::World;

/// Who may: the admin token always; API tokens with a scope (`admin` includes all), account tokens.
pub const ROWS: &[(&str, &str, &[&str])] = &[
    ("GET", "/", ANYBODY),
    ("GET", "/health", ANYBODY),
    ("GET", "/openapi.json", ANYBODY),
    ("GET", "/integration.schema.json", ANYBODY),
    ("GET", "/oauth-client/x", ANYBODY),
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
    ("GET", "/category", &["read", "admin"]),
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
    ("GET", "/environment-integration-webhook/x", ANYBODY),
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
    ("GET", "/sync", &["read", "admin"]),
    ("POST", "/sync/x/run", &["proxy", "admin"]),
    ("PATCH", "/sync/x", &["admin"]),
    ("POST", "/sync/x/stop", &["admin"]),
    ("POST", "/sync/x/reset", &["admin"]),
    ("GET", "/sync-run", &["read", "admin"]),
    (
        "GET",
        "/record?sync=x&integrated_account_id=x",
        &["read", "admin", "account"],
    ),
    (
        "GET",
        "/record/x?sync=x&integrated_account_id=x",
        &["read", "admin", "account"],
    ),
    ("GET", "/integration/x/capabilities", &["read", "admin"]),
    (
        "GET",
        "/integrated-account/x/capabilities",
        &["read", "admin"],
    ),
    ("GET", "/integration/x/tools", &["read", "admin"]),
    (
        "GET",
        "/integrated-account/x/tools",
        &["read", "admin", "account"],
    ),
    ("GET", "/integrated-account/x/mcp", &["proxy", "admin"]),
    ("POST", "/integrated-account/x/mcp", &["proxy", "admin"]),
    ("GET", "/integrated-account/x/mcp/x", &["proxy", "admin"]),
    ("DELETE", "/integrated-account/x/mcp/x", &["proxy", "admin"]),
    ("POST", "/mcp/x", ANYBODY),
    ("POST", "/batch-request", CALLERS),
    ("POST", "/integrated-account/x/host-key", &["admin"]),
    ("GET", "/sealing", &[]),
    ("POST", "/sealing/rotate", &[]),
    ("GET", "/integrated-account/me", &["account"]),
    ("PATCH", "/integrated-account/me", &["account"]),
    ("GET", "/proxy/none?integrated_account_id=x", CALLERS),
    ("POST", "/proxy/none?integrated_account_id=x", CALLERS),
    ("GET", "/proxy/none/x?integrated_account_id=x", CALLERS),
    ("PATCH", "/proxy/none/x?integrated_account_id=x", CALLERS),
    ("PUT", "/proxy/none/x?integrated_account_id=x", CALLERS),
    ("DELETE", "/proxy/none/x?integrated_account_id=x", CALLERS),
    ("POST", "/proxy/none/x?integrated_account_id=x", CALLERS),
    ("POST", "/proxy/_/none?integrated_account_id=x", CALLERS),
    ("GET", "/proxy/files?integrated_account_id=x", CALLERS),
    ("GET", "/proxy/files/x?integrated_account_id=x", CALLERS),
    ("PUT", "/proxy/files/x?integrated_account_id=x", CALLERS),
    ("DELETE", "/proxy/files/x?integrated_account_id=x", CALLERS),
    ("POST", "/proxy/files/stat?integrated_account_id=x", CALLERS),
    (
        "POST",
        "/proxy/files/mkdir?integrated_account_id=x",
        CALLERS,
    ),
    (
        "POST",
        "/proxy/files/rmdir?integrated_account_id=x",
        CALLERS,
    ),
    (
        "POST",
        "/proxy/files/rename?integrated_account_id=x",
        CALLERS,
    ),
    ("GET", "/custom/none?integrated_account_id=x", CALLERS),
    ("HEAD", "/custom/none?integrated_account_id=x", CALLERS),
    ("OPTIONS", "/custom/none?integrated_account_id=x", CALLERS),
    ("POST", "/custom/none?integrated_account_id=x", CALLERS),
    ("PUT", "/custom/none?integrated_account_id=x", CALLERS),
    ("PATCH", "/custom/none?integrated_account_id=x", CALLERS),
    ("DELETE", "/custom/none?integrated_account_id=x", CALLERS),
];

/// Who may call providers.
const CALLERS: &[&str] = &["proxy", "admin", "account"];

pub const ANYBODY: &[&str] = &["no token", "read", "proxy", "connect", "admin", "account"];

/// The routes of the table in `src/api/table.rs`: method and path.
pub fn declared() -> BTreeSet<(&'static str, &'static str)> {
    rows().map(|row| (row.methods[0], row.path)).collect()
}

/// The kind of a request's route: the name of its variant.
pub fn name_at(method: &str, path: &str) -> String {
    let debug = match find(&method.parse().unwrap(), path.split('?').next().unwrap()) {
        RouteMatch::Route(Route::Admin(admin)) => format!("{admin:?}"),
        RouteMatch::Route(Route::Connect(connect)) => format!("{connect:?}"),
        RouteMatch::Route(Route::Webhook(webhook)) => format!("{webhook:?}"),
        RouteMatch::Route(other) => format!("{other:?}"),
        other => panic!("{method} {path}: {other:?}"),
    };
    debug.split(['(', ' ']).next().unwrap().to_owned()
}

/// The kinds of routes that the table has.
pub fn declared_names() -> BTreeSet<String> {
    let declared = declared().into_iter();
    declared
        .map(|(method, path)| name_at(method, &path.replace(['{', '}'], "")))
        .collect()
}

#[test]
fn every_route_has_its_row() {
    let listed: BTreeSet<_> = ROWS
        .iter()
        .map(|(method, path, _)| (*method, template_of(path).unwrap()))
        .collect();
    let declared = declared();
    let missing: Vec<_> = declared.difference(&listed).collect();
    assert!(missing.is_empty(), "routes without a row: {missing:?}");
    let unknown: Vec<_> = listed.difference(&declared).collect();
    assert!(unknown.is_empty(), "rows without a route: {unknown:?}");
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
        ("no token", setting.admin.with_token("")),
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
                // A public page, which asks for a link token and for no other.
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
                (false, "no token") => Some(401),
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
