//! A request of each route that a good token gets 2xx for.

use causeway::api::route::{Route, RouteMatch, find};

/// The route of a row.
pub fn route_of(row: &Row) -> Route {
    let path = row.1.split('?').next().unwrap().replace(['{', '}'], "");
    match find(&row.0.parse().unwrap(), &path) {
        RouteMatch::Route(route) => route,
        other => panic!("{} {}: {other:?}", row.0, row.1),
    }
}

/// Method, path, body. `{words}` mean ids of environment A (see `Scene::ids`), or invented ones.
pub type Row = (&'static str, &'static str, &'static str);

pub const ROWS: &[Row] = &[
    ("GET", "/", ""),
    ("GET", "/health", ""),
    ("HEAD", "/health", ""),
    ("GET", "/openapi.json", ""),
    ("GET", "/integration.schema.json", ""),
    ("GET", "/oauth-client/{install}", ""),
    ("GET", "/environment", ""),
    ("POST", "/environment", r#"{"name":"more"}"#),
    ("GET", "/environment/{environment}", ""),
    ("PATCH", "/environment/{environment}", r#"{"name":"other"}"#),
    ("DELETE", "/environment/{spare_environment}", ""),
    ("GET", "/api-token?environment_id={environment}", ""),
    (
        "POST",
        "/api-token",
        r#"{"environment_id":"{environment}","name":"more"}"#,
    ),
    (
        "DELETE",
        "/api-token/{token}?environment_id={environment}",
        "",
    ),
    ("GET", "/integration", ""),
    (
        "POST",
        "/integration",
        r#"{"name":"more","config":{"base_url":"https://more.example"}}"#,
    ),
    (
        "POST",
        "/integration/validate",
        r#"{"name":"more","config":{"base_url":"https://more.example"}}"#,
    ),
    ("GET", "/integration/spare", ""),
    (
        "PUT",
        "/integration/spare",
        r#"{"name":"spare","config":{"base_url":"https://more.example"}}"#,
    ),
    (
        "PATCH",
        "/integration/spare",
        r#"{"version":1,"config":{"label":"Spare"}}"#,
    ),
    ("DELETE", "/integration/unused", ""),
    ("GET", "/integration/shop/capabilities", ""),
    ("GET", "/integration/shop/tools", ""),
    ("GET", "/category", ""),
    (
        "GET",
        "/environment-integration?environment_id={environment}",
        "",
    ),
    (
        "POST",
        "/environment-integration",
        r#"{"environment_id":"{environment}","integration_name":"spare"}"#,
    ),
    (
        "GET",
        "/environment-integration/{install}?environment_id={environment}",
        "",
    ),
    (
        "PATCH",
        "/environment-integration/{install}?environment_id={environment}",
        r#"{"is_enabled":true}"#,
    ),
    (
        "DELETE",
        "/environment-integration/{spare_install}?environment_id={environment}",
        "",
    ),
    (
        "GET",
        "/integrated-account?environment_id={environment}",
        "",
    ),
    (
        "POST",
        "/integrated-account",
        r#"{"environment_id":"{environment}","environment_integration_id":"{install}","tenant_id":"more","authentication_method":"api_key","context":{"api_key":"more-than-a-key"}}"#,
    ),
    ("GET", "/integrated-account/{account}", ""),
    (
        "PATCH",
        "/integrated-account/{account}",
        r#"{"tenant_id":"other"}"#,
    ),
    ("DELETE", "/integrated-account/{account}", ""),
    (
        "PATCH",
        "/integrated-account/{account}/credentials",
        r#"{"context":{"api_key":"more-than-a-key"}}"#,
    ),
    (
        "POST",
        "/integrated-account/refresh-credentials",
        r#"{"id":"{signed_in_account}"}"#,
    ),
    (
        "POST",
        "/integrated-account/token",
        r#"{"integrated_account_id":"{account}"}"#,
    ),
    (
        "POST",
        "/integrated-account/bulk-delete",
        r#"{"ids":["{account}"]}"#,
    ),
    ("POST", "/integrated-account/{file_account}/host-key", ""),
    ("GET", "/integrated-account/{account}/capabilities", ""),
    ("GET", "/integrated-account/{account}/tools", ""),
    ("GET", "/integrated-account/{account}/mcp", ""),
    (
        "POST",
        "/integrated-account/{account}/mcp",
        r#"{"name":"agent"}"#,
    ),
    ("GET", "/integrated-account/{account}/mcp/{mcp_id}", ""),
    ("DELETE", "/integrated-account/{account}/mcp/{mcp_id}", ""),
    (
        "POST",
        "/mcp/{mcp_text}",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#,
    ),
    (
        "POST",
        "/mcp/forged",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#,
    ),
    ("GET", "/integrated-account/me", ""),
    (
        "PATCH",
        "/integrated-account/me",
        r#"{"context":{"city":"Bergen"}}"#,
    ),
    ("GET", "/link-token?environment_id={environment}", ""),
    (
        "POST",
        "/link-token",
        r#"{"environment_id":"{environment}","tenant_id":"more","integration":"shop"}"#,
    ),
    (
        "POST",
        "/link-token",
        r#"{"environment_id":"{environment}","integrated_account_id":"{account}"}"#,
    ),
    (
        "DELETE",
        "/link-token/{link}?environment_id={environment}",
        "",
    ),
    ("GET", "/webhook?environment_id={environment}", ""),
    (
        "POST",
        "/webhook",
        r#"{"environment_id":"{environment}","target_url":"https://more.example/in"}"#,
    ),
    ("GET", "/webhook/{webhook}?environment_id={environment}", ""),
    (
        "PATCH",
        "/webhook/{webhook}?environment_id={environment}",
        r#"{"is_active":false}"#,
    ),
    (
        "DELETE",
        "/webhook/{webhook}?environment_id={environment}",
        "",
    ),
    (
        "POST",
        "/webhook/{webhook}/rotate-secret?environment_id={environment}",
        "{}",
    ),
    (
        "POST",
        "/webhook/test",
        r#"{"environment_id":"{environment}","id":"{webhook}"}"#,
    ),
    ("GET", "/event?integrated_account_id={account}", ""),
    ("GET", "/event?environment_id={environment}", ""),
    ("GET", "/event/{event}", ""),
    ("POST", "/event/{event}/replay", "{}"),
    (
        "POST",
        "/event/replay",
        r#"{"integrated_account_id":"{account}","from":"2020-01-01T00:00:00Z","to":"2030-01-01T00:00:00Z"}"#,
    ),
    (
        "POST",
        "/event/replay",
        r#"{"environment_id":"{environment}","from":"2020-01-01T00:00:00Z","to":"2030-01-01T00:00:00Z"}"#,
    ),
    ("GET", "/log?integrated_account_id={account}", ""),
    ("GET", "/sync?integrated_account_id={account}", ""),
    (
        "POST",
        "/sync/orders/run",
        r#"{"integrated_account_id":"{account}"}"#,
    ),
    (
        "PATCH",
        "/sync/orders",
        r#"{"integrated_account_id":"{account}","is_paused":true}"#,
    ),
    (
        "POST",
        "/sync/orders/stop",
        r#"{"integrated_account_id":"{account}"}"#,
    ),
    (
        "POST",
        "/sync/orders/reset",
        r#"{"integrated_account_id":"{account}"}"#,
    ),
    ("GET", "/sync-run?integrated_account_id={account}", ""),
    (
        "GET",
        "/record?sync=orders&integrated_account_id={account}",
        "",
    ),
    (
        "GET",
        "/record/canary-of-a?sync=orders&integrated_account_id={account}",
        "",
    ),
    ("GET", "/sealing", ""),
    ("POST", "/sealing/rotate", "{}"),
    ("GET", "/proxy/orders?integrated_account_id={account}", ""),
    (
        "POST",
        "/proxy/orders?integrated_account_id={account}",
        "{}",
    ),
    ("GET", "/proxy/orders/7?integrated_account_id={account}", ""),
    (
        "PATCH",
        "/proxy/orders/7?integrated_account_id={account}",
        "{}",
    ),
    (
        "PUT",
        "/proxy/orders/7?integrated_account_id={account}",
        "{}",
    ),
    (
        "DELETE",
        "/proxy/orders/7?integrated_account_id={account}",
        "",
    ),
    (
        "POST",
        "/proxy/orders/search?integrated_account_id={account}",
        "{}",
    ),
    (
        "POST",
        "/batch-request",
        r#"{"integrated_account_id":"{account}","resources":[{"resource":"orders","method":"list"}]}"#,
    ),
    (
        "POST",
        "/proxy/_/greet?integrated_account_id={account}",
        "{}",
    ),
    (
        "GET",
        "/custom/any/path?integrated_account_id={account}",
        "",
    ),
    (
        "DELETE",
        "/custom/any/path?integrated_account_id={account}",
        "",
    ),
    ("GET", "/connect", ""),
    ("GET", "/connect/shop", ""),
    ("POST", "/connect/shop", ""),
    ("GET", "/connect/shop/callback", ""),
    ("POST", "/connect/shop/callback", ""),
    ("GET", "/integrated-account-webhook/{account}", ""),
    ("POST", "/integrated-account-webhook/{account}", "{}"),
    ("GET", "/environment-integration-webhook/{install}", ""),
    ("POST", "/environment-integration-webhook/{install}", "{}"),
];
