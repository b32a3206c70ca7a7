//! Who may write which entry.

use serde_json::{Value, json};

use super::{OverrideLayer, Trusted};
use crate::config::reads::SecretNames;

fn reserved(below: &Value, changes: &Value, trusted: &Trusted) -> Vec<String> {
    let secrets = SecretNames {
        variables: ["hidden".to_owned()].into(),
        password_fields: ["pin".to_owned()].into(),
    };
    let layer = OverrideLayer {
        below,
        changes,
        trusted,
        secrets: &secrets,
    };
    layer
        .reserved()
        .iter()
        .map(|entry| entry.place.key())
        .collect()
}

#[test]
fn an_entry_is_reserved_by_its_place_or_by_what_it_reads() {
    let below = json!({ "base_url": "https://a.example", "resources": { "s": { "create": { "path": "/s", "body": { "p": "{{pin}}" } } } } });
    let table = [
        (
            json!({ "label": "{{team}}", "query": { "base_url": "x", "authorization": "y" } }),
            vec![],
        ),
        (json!({ "base_url": "https://a.example" }), vec![]),
        (
            json!({ "base_url": "https://b.example" }),
            vec!["/base_url"],
        ),
        (
            json!({ "environment_variables": { "base_url": "{{pin}}" } }),
            vec![],
        ),
        (
            json!({ "query": { "a": "{{pin}}", "b": "{{environment_variables.hidden}}", "c": "{{environment_variables.clear}}" } }),
            vec!["/query/a", "/query/b"],
        ),
        (
            json!({ "resources": { "s": { "create": { "path": "/t", "description": "d" } } } }),
            vec!["/resources/s/create/path"],
        ),
        (
            json!({ "resources": { "t": { "list": { "no_auth": true, "path": "/t" } } } }),
            vec![],
        ),
        (
            json!({ "resources": { "t": { "list": { "no_auth": false } } } }),
            vec!["/resources/t/list/no_auth"],
        ),
        (
            json!({ "actions": { "a": { "steps": [{ "config": { "base_url": "https://b.example" } }] } } }),
            vec!["/actions/a/steps"],
        ),
        (
            json!({ "credentials": { "api_key": { "format": "api_key", "config": { "fields": [{ "name": "a" }] } } } }),
            vec![],
        ),
        (
            json!({ "credentials": { "oauth2": { "format": "custom_token" } } }),
            vec!["/credentials/oauth2/format"],
        ),
        (
            json!({ "credentials": { "oauth2": { "config": { "contextFromToken": { "x": "access_token" } } } } }),
            vec!["/credentials/oauth2/config/contextFromToken/x"],
        ),
    ];
    for (changes, expected) in table {
        assert_eq!(
            reserved(&below, &changes, &Trusted::new()),
            expected,
            "{changes}"
        );
    }
}

#[test]
fn what_the_admin_token_wrote_is_trusted_as_long_as_it_is_the_same() {
    let (below, secrets) = (json!({}), SecretNames::default());
    let changes =
        json!({ "base_url": "https://b.example", "label": "x", "query": { "k": "{{api_key}}" } });
    let layer = |changes, trusted| OverrideLayer {
        below: &below,
        changes,
        trusted,
        secrets: &secrets,
    };
    let none = Trusted::new();
    let trusted = layer(&changes, &none).trusted_with(&changes);
    assert_eq!(
        trusted.keys().collect::<Vec<_>>(),
        ["/base_url", "/query/k"]
    );
    assert!(reserved(&below, &changes, &trusted).is_empty());
    assert_eq!(layer(&changes, &trusted).guarded(), changes);
    let other = json!({ "base_url": "https://c.example", "query": { "k": "{{api_key}}" } });
    assert_eq!(reserved(&below, &other, &trusted), ["/base_url"]);
    let kept = layer(&other, &trusted).trusted_with(&Value::Null);
    assert_eq!(kept.keys().collect::<Vec<_>>(), ["/query/k"]);
}

#[test]
fn texts_that_are_not_trusted_read_public_values_wherever_they_stand() {
    let (below, secrets, trusted) = (json!({}), SecretNames::default(), Trusted::new());
    let text = "{{pin}}";
    let changes = json!({
        "error_expression": "{{error}}",
        "rate_limit": { "is_rate_limited": "{{busy}}" },
        "headers": { "error_expression": text, "x_expression": text, "rate_limit": text },
        "resources": { "r": { "list": { "error_expression": "{{error}}", "body": { "error_expression": text, "deep": [{ "x_expression": text }] } } } },
        "actions": { "a": { "steps": [{ "type": "request", "config": { "error_expression": "{{error}}", "body": { "error_expression": text } } }] } },
        "webhook": { "signature_verification": { "config": { "verification_content": "{{body}}", "audience": text } } },
    });
    let layer = OverrideLayer {
        below: &below,
        changes: &changes,
        trusted: &trusted,
        secrets: &secrets,
    };
    let guarded = layer.guarded().to_string();
    assert!(!guarded.contains(text), "{guarded}");
    assert_eq!(
        guarded.matches("{{public_context.pin}}").count(),
        7,
        "{guarded}"
    );
    assert_eq!(guarded.matches("{{error}}").count(), 3);
    assert!(guarded.contains("{{busy}}") && guarded.contains("{{body}}"));
}
