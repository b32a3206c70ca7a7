//! Honest files that a rule once refused, each as its whole kind.

use serde_json::{Value, json};

use super::{KEY, action, base, errors, fixed, of_level, open, pointed_at, with};
use causeway::config::Level;

/// Places that use names of an answer, at an open host.
fn paths(path: &str) -> Vec<Value> {
    let source = format!(r#"{{ "to": {path} }}"#);
    let asks = json!({ "type": "request", "config": { "path": "/me" } });
    let step = |step: Value| action("go", &[asks.clone(), step]);
    vec![
        json!({ "resources": { "x": { "list": { "response_path": path } } } }),
        json!({ "pagination": { "format": "cursor", "config": { "cursor_path": path, "cursor_key": "after" } } }),
        json!({ "resources": { "x": { "list": { "pagination": { "format": "cursor", "config": { "cursor_path": path, "cursor_key": "after" } } } } } }),
        json!({ "pagination": { "format": "dynamic", "config": { "get_pagination_values_expression": format!(r#"{{ "x": body.{path} }}"#) } } }),
        json!({ "pagination": { "format": "dynamic", "config": { "get_pagination_values_expression": "null", "get_cursor_from_response_expression": format!("body.{path}") } } }),
        step(json!({ "type": "transform", "config": source })),
        step(json!({ "type": "transform", "config": { "expression": source } })),
        step(json!({ "type": "transform", "config": path })),
        step(json!({ "type": "update_context", "config": source })),
        step(json!({ "type": "set_context", "config": { "expression": source } })),
        step(json!({ "type": "set_context", "config": { "to": format!("{{{{body.{path}}}}}") } })),
        step(json!({ "type": "get_context", "config": { "path": path } })),
        step(json!({ "type": "get_context", "run_if": format!(r#"$previous.{path} != """#) })),
        step(
            json!({ "type": "request", "config": { "resource": "x", "method": "list", "id": format!("{{{{body.{path}}}}}"), "query": { "q": format!("{{{{body.{path}}}}}") } } }),
        ),
        json!({ "error_expression": format!("body.{path}") }),
        json!({ "rate_limit": { "is_rate_limited": format!("body.{path} = 1") } }),
        json!({ "webhook": { "signature_verification": { "format": "hmac", "config": { "secret": "{{environment_variables.s}}", "compare_with": "$header.x", "context_lookup_field_name": "site_id", "context_lookup_field_value": format!("body.{path}") } },
            "handle_verification": format!("body.{path} ? body.{path}"), "event_id": format!("body.{path}"), "payload_transform": source } }),
    ]
}

#[test]
fn the_names_of_an_answer_are_no_key() {
    for path in [
        "SalesOrder.ShipAddr.Line1",
        "Response.PageInfoV2.NextCursor",
        "Invoice.BillAddr.Line1",
        "d.results.BillToAddress.AddressLine1",
        "customer.shippingAddress.addressLine1",
    ] {
        for place in paths(path) {
            for host in [open(), fixed()] {
                let file = with(&with(&base(), &host), &place);
                assert_eq!(errors(&file), Vec::<String>::new(), "{place}");
                let mut found = pointed_at(&file);
                found.retain(|path| path != "config.pagination");
                assert_eq!(found, Vec::<String>::new(), "{place}");
            }
        }
    }
    // What is a key by one of its parts, or is put into a text, is still one.
    for path in [KEY.to_owned(), format!("body.{KEY}")] {
        for place in paths(&path) {
            let file = with(&with(&base(), &open()), &place);
            let is_looked_at = !errors(&file).is_empty() || !pointed_at(&file).is_empty();
            let is_in_request = place.to_string().contains("\"resource\"")
                || place.to_string().contains("\"to\":\"{{");
            assert!(is_looked_at || is_in_request, "{place}");
        }
    }
    for source in [
        r#"{ "k": "eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4In0." }"#,
        r#"{ "k": 'Ab1Cd2Ef3.Gh4Ij5Kl6.Mn7Op8Qr9' }"#,
        r#"{ "k": $match(a, /k9f2Zq81LmX04tTbR7wY/) }"#,
        r#"/* " */ { "k": "Ab1Cd2Ef3.Gh4Ij5Kl6.Mn7Op8Qr9" }"#,
        r#"{ "k": $replace(a, /"/, "Ab1Cd2Ef3.Gh4Ij5Kl6.Mn7Op8Qr9") }"#,
    ] {
        let step = json!({ "type": "transform", "config": source });
        let file = with(&with(&base(), &open()), &action("go", &[step]));
        assert_ne!(errors(&file), Vec::<String>::new(), "{source}");
    }
}

#[test]
fn a_default_that_says_how_to_sign_in_is_no_key() {
    for field in [
        json!({ "name": "auth_realm", "type": "text", "default": "master" }),
        json!({ "name": "token_path", "type": "text", "default": "/oauth/token" }),
        json!({ "name": "api_key_header", "type": "text", "default": "X-Api-Key" }),
        json!({ "name": "auth_scheme", "type": "single_select", "default": "Token", "options": [{ "label": "Token", "value": "Token" }] }),
        json!({ "name": "auth_domain", "default": "eu" }),
        json!({ "name": "token_endpoint", "type": "text", "default": "token" }),
        json!({ "name": "auth_server", "type": "text", "default": "default" }),
        json!({ "name": "token_prefix", "type": "text", "default": "Token" }),
        json!({ "name": "auth_kind", "type": "single_select", "default": "basic-auth", "options": [{ "label": "B", "value": "basic-auth" }] }),
    ] {
        let change = json!({ "credentials": { "api_key": { "config": { "fields": [{ "name": "site" }, field, { "name": "api_key", "type": "password" }] } } } });
        for host in [open(), fixed()] {
            let file = with(&with(&base(), &host), &change);
            assert_eq!(pointed_at(&file), Vec::<String>::new(), "{field}");
        }
    }
}

fn action_file(step: &Value, more: &Value) -> Value {
    let change = json!({ "authorization": { "config": { "value": "{{api_key}}" } } });
    let file = with(&with(&base(), &change), more);
    with(&file, &action("refresh_token", std::slice::from_ref(step)))
}

#[test]
fn the_customers_own_password_opens_their_own() {
    let grant = |body: Value| {
        json!({ "type": "request", "config": { "method": "post", "path": "/oauth/token", "no_auth": true, "body_format": "form",
        "body": with(&json!({ "grant_type": "password", "client_id": "{{environment_variables.client_id}}", "client_secret": "{{environment_variables.client_secret}}", "username": "{{directory}}" }), &body) } })
    };
    let fields = json!({ "credentials": { "api_key": { "config": { "fields": [{ "name": "directory" }, { "name": "api_key", "type": "password" }, { "name": "password", "type": "password" }, { "name": "pin" }] } } } });
    for password in ["{{password}}", "{{api_key}}", "{{context.password}}"] {
        let file = action_file(&grant(json!({ "password": password })), &fields);
        assert_eq!(errors(&file), Vec::<String>::new(), "{password}");
    }
    for body in [
        json!({}),
        json!({ "password": "{{pin}}" }),
        json!({ "password": "{{environment_variables.password}}" }),
        json!({ "password": "{{password|environment_variables.password}}" }),
        json!({ "password": "{{password:undefined}}" }),
        json!({ "other": "{{password}}" }),
    ] {
        let file = action_file(&grant(body.clone()), &fields);
        assert_ne!(errors(&file), Vec::<String>::new(), "{body}");
    }
}

#[test]
fn the_customers_own_token_in_the_path_opens_their_own() {
    for config in [
        json!({ "path": "/bot{{api_key}}/setWebhook" }),
        json!({ "base_url": "https://api.probe.example/bot{{api_key}}", "path": "/setWebhook" }),
        json!({ "path": "/setWebhook?token={{api_key}}" }),
    ] {
        let own = json!({ "method": "post", "body": { "secret_token": "{{environment_variables.webhook_secret}}", "chat_id": "{{directory}}" } });
        let step = json!({ "type": "request", "config": with(&own, &config) });
        let file = with(
            &with(
                &base(),
                &json!({ "authorization": { "format": "none", "config": null } }),
            ),
            &action("post_install", &[step]),
        );
        assert_eq!(errors(&file), Vec::<String>::new(), "{config}");
    }
}

#[test]
fn a_variable_that_signs_nothing_in_is_a_warning_beside_the_customers_word() {
    let step = json!({ "type": "request", "config": { "no_auth": true, "path": "/discovery/{{directory}}" } });
    let shared = json!({ "authorization": { "config": { "value": "{{api_key}}" } }, "headers": { "Example-Version": "{{environment_variables.example_version?:2026-01-15}}" } });
    let file = with(&with(&base(), &shared), &action("post_install", &[step]));
    assert_eq!(errors(&file), Vec::<String>::new());
    let at = "config.actions.post_install.steps[0].config";
    assert_eq!(of_level(&file, Level::Warning), [at]);
    // Signed in by the customer it is none.
    let step = json!({ "type": "request", "config": { "path": "/discovery/{{directory}}" } });
    let file = with(&with(&base(), &shared), &action("post_install", &[step]));
    assert_eq!(pointed_at(&file), Vec::<String>::new());
}
