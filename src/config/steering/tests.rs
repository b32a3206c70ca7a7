use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::config::{normalise, read_config};
use crate::json::merge;

/// Fields `f01` … are each read at one place of the file; `free` nowhere.
fn rich(authorization: &Value) -> Value {
    let names: Vec<String> = (1..=48).map(|n| format!("f{n:02}")).collect();
    let fields: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
    let mut all = fields;
    all.extend([
        json!({ "name": "free", "label": "{{free}}", "help_text": "of context.free" }),
        json!({ "name": "f1" }),
    ]);
    json!({
        "label": "{{free}} of context.free",
        "base_url": "https://{{f01}}.x.example/{{f02}}",
        "headers": { "x-tenant": "{{f03}}" },
        "query": { "tenant": "{{f04?:none}}" },
        "credentials": {
            "oauth2": { "format": "oauth2", "config": {
                "client": { "id": "{{f05}}", "secret": "{{f06}}" },
                "auth": {
                    "tokenHost": "https://{{f07}}.x.example", "tokenPath": "/{{f08}}", "authorizePath": "/{{f09}}", "refreshPath": "/{{f10}}",
                    "revokePath": "/{{f11}}", "introspectPath": "/{{f12}}", "authorizeUrl": "https://a.x.example/{{f13}}",
                    "tokenUrl": "https://a.x.example/{{f14}}", "refreshUrl": "https://a.x.example/{{f15}}", "issuer": "{{f16}}",
                },
                "scope": ["{{f17}}"], "params": { "a": "{{f18}}" }, "tokenParams": { "a": "{{f19}}" }, "refreshParams": { "a": "{{context.f20}}" },
                "contextFromToken": { "f21": "a" }, "contextFromCallback": { "f22": "b" }, "fields": all,
            } },
            "api_key": { "format": "api_key", "config": { "fields": [{ "name": "free" }] } },
        },
        "authorization": authorization,
        "pagination": { "format": "dynamic", "config": { "get_initial_pagination_values_expression": "{\"a\": $context.f24}", "get_pagination_values_expression": "null", "get_cursor_from_response_expression": "null" } },
        "error_expression": "context.f25",
        "resources": { "r": { "list": {
            "path": "/{{f26}}", "base_url": "https://a.x.example/{{f27}}", "body": { "a": ["{{f28}}"] }, "headers": { "a": "{{f29}}" },
            "query": { "a": "{{f30?:x}}" }, "authorization": { "format": "basic", "config": { "username": "{{f31}}" } },
            "description": "{{free}}", "examples": "context.free",
        } } },
        "actions": {
            "greets": { "steps": [{ "type": "get_context" }, { "type": "transform", "config": "{ 'free': $context.free }" }] },
            "tells": { "type": "transform", "config": "free" },
            "post_install": { "steps": [
                { "type": "get_context" }, { "type": "transform", "config": "{ 'f32': f33 }" }, { "type": "update_context", "config": "{ 'f32': $previous.f32 }" },
                { "type": "set_context", "config": { "f34": "{{f35}}" } }, { "type": "request", "config": { "path": "/{{f36}}", "headers": { "a": "{{f37}}" }, "no_auth": true }, "run_if": "$context.f38" },
            ] },
        },
        "webhook": {
            "signature_verification": { "format": "hmac", "config": { "secret": "{{f39}}", "compare_with": "$header.x", "context_lookup_field_name": "f40.id", "context_lookup_field_value": "body.x" } },
            "payload_transform": "{ 'payload': context.f41 }", "handle_verification": "context.`f42`", "event_id": "$lookup(context, 'f43')",
        },
        "x-note": "{{free}}",
    })
}

fn own() -> Value {
    json!({ "format": "header", "config": { "name": "x-key", "value": "{{f23}}" } })
}

fn steered(file: &Value) -> BTreeSet<String> {
    let mut file = file.clone();
    normalise(&mut file);
    let (config, findings) = read_config(&file);
    let config = config.unwrap_or_else(|| panic!("{findings:?}"));
    steered_fields(&config, &file)
}

fn numbered(numbers: impl IntoIterator<Item = usize>) -> BTreeSet<String> {
    numbers.into_iter().map(|n| format!("f{n:02}")).collect()
}

fn plain(all: &BTreeSet<String>) -> BTreeSet<String> {
    let is_numbered = |key: &&String| key.len() == 3 && key.starts_with('f');
    all.iter().filter(is_numbered).cloned().collect()
}

#[test]
fn every_place_of_a_file_that_reads_a_field_steers_by_it() {
    let shared = json!({ "format": "header", "config": { "name": "x-key", "value": "{{environment_variables.key}}-{{f23}}" } });
    let mut strict = rich(&own());
    merge(&mut strict, &json!({ "custom": false }));
    // What the caller of `/custom` may choose anyway: base path, path and body of methods.
    let callers = [2, 26, 27, 28];
    let all = numbered(1..=43);
    assert_eq!(plain(&steered(&rich(&shared))), all);
    let lenient: BTreeSet<String> = all.difference(&numbered(callers)).cloned().collect();
    assert_eq!(plain(&steered(&rich(&own()))), lenient);
    for file in [rich(&shared), rich(&own())] {
        assert!(!steered(&file).contains("free") && !steered(&file).contains("f1"));
    }
}

#[test]
fn a_key_of_the_operators_or_none_makes_every_path_and_body_steer() {
    let literal = json!({ "format": "bearer", "config": { "token": "a-literal-key" } });
    let none = json!(null);
    for authorization in [literal, none] {
        assert!(steered(&rich(&authorization)).contains("f26"));
    }
    for more in [
        json!({ "headers": { "x-app": "{{environment_variables.app}}" } }),
        json!({ "resources": { "r": { "list": { "query": { "key": "{{environment_variables.app}}" } } } } }),
        json!({ "resources": { "r": { "get": { "path": "/", "authorization": { "format": "bearer", "config": { "token": "a-literal-key" } } } } } }),
    ] {
        let mut file = rich(&own());
        merge(&mut file, &more);
        // A set-up that sends the operator's variables takes no value of the customer.
        let actions = json!({ "actions": { "post_install": null } });
        merge(&mut file, &actions);
        assert!(steered(&file).contains("f26"), "{more}");
    }
}

#[test]
fn the_whole_context_reads_every_field() {
    let mut file = rich(&own());
    merge(
        &mut file,
        &json!({ "headers": { "x-all": "{{context:json}}" } }),
    );
    assert!(steered(&file).contains("free"));
}

#[test]
fn what_a_token_is_asked_for_with_aims_it() {
    let mut file = rich(&own());
    normalise(&mut file);
    let config = read_config(&file).0.unwrap();
    let hosts = numbered([1, 7]);
    assert_eq!(
        config.aiming_keys("oauth2"),
        numbered([1].into_iter().chain(7..=16).chain([19, 20]))
    );
    assert_eq!(config.aiming_keys("api_key"), hosts);
    assert_eq!(config.aiming_keys("unknown"), hosts);
    assert!(config.typed_keys().contains("f22") && !config.typed_keys().contains("f21_other"));
}

#[test]
fn a_plain_field_is_shown_again() {
    for (field, is_it) in [
        (json!({ "name": "a" }), true),
        (json!({ "name": "a", "type": "single_select" }), true),
        (json!({ "name": "a", "type": "password" }), false),
        (json!({ "name": "api_key" }), false),
        (json!({ "name": "a", "transform": "sha256" }), false),
        (json!({ "name": "a", "transform": "lowercase" }), true),
    ] {
        let read: Field = serde_json::from_value(field.clone()).unwrap();
        assert_eq!(is_plain(&read), is_it, "{field}");
    }
}
