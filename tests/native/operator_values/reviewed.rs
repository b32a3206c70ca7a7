//! Ways round the rules that a review of the files found: each as its whole kind.

use serde_json::{Value, json};

use super::{KEY, LOOKUP, action, base, errors, fixed, keeps, looked_up, open, pointed_at, with};

fn asks(config: &Value) -> Value {
    json!({ "type": "request", "config": with(&json!({ "path": "/me" }), config) })
}

/// A request that names what a customer typed.
fn named() -> Value {
    asks(&json!({ "path": "/accounts/{{directory}}/all" }))
}

fn signed_in_by(value: &str) -> Value {
    with(
        &base(),
        &json!({ "authorization": { "config": { "value": value } } }),
    )
}

#[test]
fn an_expression_signs_in_for_the_customer_only_by_their_own_secret() {
    let by = |source: &str| {
        let change = json!({ "headers": { "X-Api-Key": "{{environment_variables.key}}" },
            "authorization": { "config": { "name": null, "value": null, "expression": source } } });
        with(&with(&base(), &change), &action("go", &[named()]))
    };
    for source in [
        r#"{ "x-context": "a" }"#,
        r#"{ "x-account": context.directory }"#,
        r#"{ "x-account": $string(context) }"#,
        r#"{ "x-account": context.api_key & context.directory }"#,
        r#"{ "x-account": $lookup(context, "api_key") }"#,
        r#"context.api_key ? { "x-account": "a" }"#,
        r#"{ "x-account": $exists(context.api_key) }"#,
        r#"{ "x-account": requestOptions.context.api_key }"#,
        r#"{ "x-account": "context" & url }"#,
    ] {
        assert_ne!(errors(&by(source)), Vec::<String>::new(), "{source}");
    }
    for source in [
        r#"{ "x-key": context.api_key }"#,
        r#"{ "x-key": "Key " & $base64encode(context.api_key & ":") }"#,
        r#"( $key := context.api_key; { "x-key": $key } )"#,
        r#"{ "authorization": "Bearer " & context.oauth.token.access_token }"#,
    ] {
        assert_eq!(errors(&by(source)), Vec::<String>::new(), "{source}");
    }
}

fn of_operator() -> Value {
    asks(
        &json!({ "method": "post", "path": "/token", "no_auth": true, "body": { "client_secret": "{{environment_variables.client_secret}}" } }),
    )
}

fn of_customer() -> Value {
    asks(
        &json!({ "authorization": { "format": "header", "config": { "name": "x-key", "value": "{{api_key}}" } } }),
    )
}

fn writes(key: &str, value: &str) -> Value {
    json!({ "type": "update_context", "config": { key: value } })
}

fn computes(source: &str) -> Value {
    json!({ "type": "update_context", "config": source })
}

/// By what requests are signed in, and how that was filled.
fn laundered() -> Vec<(&'static str, Vec<Value>)> {
    vec![
        (
            "{{api_token}}",
            vec![of_operator(), writes("api_token", "{{body.access_token}}")],
        ),
        (
            "{{api_token}}",
            vec![of_operator(), computes(r#"{ "api_token": access_token }"#)],
        ),
        (
            "{{api_token}}",
            vec![of_operator(), computes("$merge([$])")],
        ),
        (
            "{{api_token}}",
            vec![
                of_operator(),
                json!({ "type": "transform", "config": "{ \"x\": access_token }" }),
                writes("api_token", "{{body.x}}"),
            ],
        ),
        (
            "{{api_token}}",
            vec![
                of_customer(),
                writes("api_token", "{{environment_variables.key}}"),
            ],
        ),
        (
            "{{api_key}}",
            vec![
                of_customer(),
                writes("api_key", "{{environment_variables.key}}"),
            ],
        ),
        (
            "{{api_token}}",
            vec![
                of_operator(),
                writes("secret", "{{body.x}}"),
                writes("api_token", "{{secret}}"),
            ],
        ),
        (
            "{{api_token}}",
            vec![
                of_operator(),
                writes("secret", "{{body.x}}"),
                asks(&json!({ "no_auth": true, "headers": { "x-secret": "{{secret}}" } })),
                writes("api_token", "{{body.x}}"),
            ],
        ),
        (
            "{{api_token}}",
            vec![
                of_operator(),
                with(&of_customer(), &json!({ "run_if": "x" })),
                writes("api_token", "{{body.x}}"),
            ],
        ),
    ]
}

#[test]
fn what_the_operators_credential_was_answered_is_no_secret_of_the_customer() {
    for (value, steps) in laundered() {
        let file = with(
            &signed_in_by(value),
            &json!({ "actions": { "post_install": { "steps": steps }, "go": { "steps": [named()] } } }),
        );
        let found = errors(&file);
        assert!(
            found
                .iter()
                .any(|path| path.starts_with("config.actions.go")),
            "{steps:?}: {found:?}"
        );
    }
    // The answer of `refresh_token` is the account's token.
    for authorization in [
        json!({ "format": "header", "config": { "name": "authorization", "value": "Bearer {{access_token}}" } }),
        json!({ "format": "header", "config": { "name": "authorization", "value": "Bearer {{oauth.token.access_token}}" } }),
    ] {
        let file = with(
            &with(&base(), &json!({ "authorization": authorization })),
            &json!({ "actions": { "refresh_token": { "steps": [of_operator()] }, "go": { "steps": [named()] } } }),
        );
        assert_ne!(errors(&file), Vec::<String>::new(), "{authorization}");
    }
}

#[test]
fn what_the_customers_own_secret_was_answered_stays_theirs() {
    for (value, steps) in [
        (
            "{{api_token}}",
            vec![of_customer(), writes("api_token", "{{body.session}}")],
        ),
        (
            "{{api_key}}",
            vec![of_operator(), writes("region", "{{body.region}}")],
        ),
        (
            "{{api_key}}",
            vec![of_operator(), computes(r#"{ "region": region }"#)],
        ),
    ] {
        let file = with(
            &signed_in_by(value),
            &json!({ "actions": { "post_install": { "steps": steps }, "go": { "steps": [named()] } } }),
        );
        assert_eq!(errors(&file), Vec::<String>::new(), "{steps:?}");
    }
}

#[test]
fn a_step_between_hides_no_word_of_the_customer() {
    let operators = json!({ "headers": { "X-Api-Key": "{{environment_variables.key}}" }, "authorization": { "format": "none", "config": null } });
    let by_body = asks(&json!({ "path": "/a/{{body.id}}" }));
    for name in ["go", "post_install", "validation"] {
        for before in [
            json!({ "type": "get_context" }),
            json!({ "type": "get_context", "config": { "path": "directory" } }),
            json!({ "type": "transform", "config": "{ \"id\": $context.directory }" }),
            json!({ "type": "transform", "config": "$merge([$, $context])" }),
            json!({ "type": "transform", "config": "$context" }),
        ] {
            for request in [
                by_body.clone(),
                asks(&json!({ "path": "/a", "query": { "of": "{{body:any}}" } })),
                asks(&json!({ "method": "post", "path": "/a" })),
            ] {
                let steps = [before.clone(), request.clone()];
                let file = with(&with(&base(), &operators), &action(name, &steps));
                assert_ne!(
                    errors(&file),
                    Vec::<String>::new(),
                    "{name} {before} {request}"
                );
            }
        }
        let answered = asks(&json!({ "no_auth": true, "headers": { "X-Api-Key": null } }));
        for between in [
            json!({ "type": "transform", "config": "{ \"id\": id }" }),
            json!({ "type": "transform", "config": "{ \"id\": id, \"site\": $context.site & \".example.com\" }" }),
            json!({ "type": "transform", "config": "{ \"id\": $context.place }" }),
        ] {
            let steps = [answered.clone(), between.clone(), by_body.clone()];
            let file = with(&with(&base(), &operators), &action(name, &steps));
            assert_eq!(errors(&file), Vec::<String>::new(), "{name} {between}");
        }
    }
}

#[test]
fn a_callers_word_beside_a_copied_one_is_still_the_callers() {
    let asks = asks(&json!({}));
    let sure = json!({ "type": "update_context", "config": r#"{ "team": $previous.team }"# });
    for source in [
        r#"{ "team": $context.place & team }"#,
        r#"{ "team": team ? team : $context.place }"#,
    ] {
        let more = action(
            "sync",
            &[json!({ "type": "update_context", "config": source })],
        );
        let file = with(&looked_up(&[asks.clone(), sure.clone()]), &more);
        assert_eq!(errors(&file), [LOOKUP], "{source}");
    }
}

#[test]
fn a_copied_entry_leaves_the_other_entries_whose_they_are() {
    let asks = json!({ "type": "request", "config": { "path": "/me" } });
    let transform = |source: &str| json!({ "type": "transform", "config": source });
    let mixed =
        transform(r#"{ "account": { "id": id }, "team": team, "note": $context.note & "." }"#);
    for last in [
        json!({ "type": "update_context", "config": r#"{ "team": team }"# }),
        json!({ "type": "update_context", "config": r#"{ "team": $previous.team, "other": note }"# }),
        json!({ "type": "update_context", "config": r#"{ "team": $string(account.id) & "-" & team }"# }),
        json!({ "type": "set_context", "config": { "team": "{{body.team}}", "other": "{{body.note}}" } }),
        json!({ "type": "update_context", "config": r#"{ "team": $exists(team) ? team : "none" }"# }),
    ] {
        let file = looked_up(&[asks.clone(), mixed.clone(), last.clone()]);
        assert_eq!(errors(&file), Vec::<String>::new(), "{last}");
        let twice = looked_up(&[
            asks.clone(),
            mixed.clone(),
            transform(r#"{ "team": team, "note": note, "account": account }"#),
            last.clone(),
        ]);
        assert_eq!(errors(&twice), Vec::<String>::new(), "{last}");
    }
    for last in [
        json!({ "type": "update_context", "config": r#"{ "team": note }"# }),
        json!({ "type": "update_context", "config": r#"{ "team": $previous.note }"# }),
        json!({ "type": "update_context", "config": r#"{ "team": $.note }"# }),
        json!({ "type": "update_context", "config": r#"{ "team": $$.note }"# }),
        json!({ "type": "update_context", "config": r#"{ "team": $lookup($, "note") }"# }),
        json!({ "type": "update_context", "config": r#"{ "team": *[0] }"# }),
        json!({ "type": "update_context", "config": r#"{ "team": team.$$.note }"# }),
        json!({ "type": "update_context", "config": r#"{ "team": team[$previous.note] }"# }),
        json!({ "type": "update_context", "config": r#"{ "team": team.($previous.note) }"# }),
        json!({ "type": "update_context", "config": r#"( $team := note; { "team": $team } )"# }),
        json!({ "type": "update_context", "config": r#"{ "team": $string() }"# }),
        json!({ "type": "update_context", "config": r#"{ "team": (function() { note })() }"# }),
        json!({ "type": "update_context", "config": r#"{ "team": team ? note }"# }),
        json!({ "type": "update_context", "config": r#"{ "team": [team, note][1] }"# }),
        json!({ "type": "update_context", "config": r#"{ "team": { "a": note }.a }"# }),
        json!({ "type": "update_context", "config": r#"{ "team": note ~> $uppercase() }"# }),
        json!({ "type": "update_context", "config": "$" }),
        json!({ "type": "set_context", "config": { "team": "{{body.note}}" } }),
        json!({ "type": "set_context", "config": { "team": "{{body:any}}" } }),
        json!({ "type": "set_context", "config": { "team": ["{{body.team|body.note}}"] } }),
    ] {
        let file = looked_up(&[asks.clone(), mixed.clone(), last.clone()]);
        assert_eq!(errors(&file), [LOOKUP], "{last}");
    }
    // What a step may have done instead counts, too.
    let maybe = with(
        &transform(r#"{ "team": $context.note }"#),
        &json!({ "run_if": "x" }),
    );
    let last = json!({ "type": "update_context", "config": r#"{ "team": team }"# });
    assert_eq!(errors(&looked_up(&[asks, mixed, maybe, last])), [LOOKUP]);
}

#[test]
fn the_schemes_of_a_list_are_looked_at_one_by_one() {
    let hmac = |config: &Value| {
        let own = json!({ "secret": "{{environment_variables.s}}", "compare_with": "$header.x" });
        json!({ "format": "hmac", "config": with(&own, config) })
    };
    let list = |second: &Value| {
        let schemes = [hmac(&json!({})), hmac(second)];
        with(
            &with(&base(), &fixed()),
            &json!({ "webhook": { "signature_verification": schemes } }),
        )
    };
    assert_eq!(pointed_at(&list(&json!({}))), Vec::<String>::new());
    for (key, config) in [
        ("parts[0]", json!({ "parts": [KEY, "$body"] })),
        (
            "verification_content",
            json!({ "verification_content": format!("{KEY}{{{{body}}}}") }),
        ),
        ("username", json!({ "username": KEY })),
    ] {
        let at = format!("config.webhook.signature_verification[1].config.{key}");
        let found = pointed_at(&list(&config));
        assert!(found.contains(&at), "{config}: {found:?}");
    }
    for key in ["secret", "previous_secret", "token", "password"] {
        for text in [
            "{{environment_variables.s?:hunter2}}".to_owned(),
            format!("{{{{environment_variables.s?:{KEY}}}}}"),
            format!("{KEY}{{{{environment_variables.s}}}}"),
            format!("{{{{a}}}} {{{{b}}}}{KEY}"),
        ] {
            let config = json!({ key: text });
            let at = format!("config.webhook.signature_verification[1].config.{key}");
            let found = errors(&list(&config));
            assert!(
                found.iter().any(|path| at.starts_with(path.as_str())),
                "{config}: {found:?}"
            );
        }
    }
}

#[test]
fn a_sample_is_looked_at_under_any_name() {
    for place in [
        json!({ "examples": [{ "headers": { "x-api-key": KEY } }] }),
        json!({ "examples": [{ "x-request": { "token": KEY } }] }),
        json!({ "examples": [{ "name": { "token": KEY } }] }),
        json!({ "body_schema": { "properties": { "x-token": { "default": KEY } } } }),
        json!({ "response_schema": { "x-examples": { "api_key": KEY } } }),
    ] {
        let file = with(
            &with(&base(), &fixed()),
            &json!({ "resources": { "x": { "list": place } } }),
        );
        assert_ne!(pointed_at(&file), Vec::<String>::new(), "{place}");
    }
    for place in [
        json!({ "x-note": KEY }),
        json!({ "resources": { "x": { "list": { "x-note": { "token": KEY } } } } }),
        json!({ "resources": { "x": { "list": { "examples": [{ "x-id": KEY, "name": KEY }] } } } }),
    ] {
        let file = with(&with(&base(), &fixed()), &place);
        assert_eq!(pointed_at(&file), Vec::<String>::new(), "{place}");
    }
}

#[test]
fn a_default_of_a_password_or_under_the_name_of_a_secret_is_a_key_however_it_looks() {
    for field in [
        json!({ "name": "x", "type": "password", "default": "hunter2" }),
        json!({ "name": "auth_realm", "type": "password", "default": "hunter2" }),
        json!({ "name": "api_key", "type": "text", "default": "hunter2" }),
        json!({ "name": "client_secret", "default": "hunter2" }),
        json!({ "name": "auth_scheme", "type": "text", "default": KEY }),
        json!({ "name": "x", "type": "single_select", "default": KEY, "options": [{ "label": "a", "value": "b" }] }),
    ] {
        let change = json!({ "credentials": { "api_key": { "config": { "fields": [{ "name": "site" }, field] } } } });
        let file = with(&with(&base(), &open()), &change);
        assert_ne!(errors(&file), Vec::<String>::new(), "{field}");
    }
}

#[test]
fn the_variable_of_a_credential_is_one_wherever_it_is_sent() {
    let customers = json!({ "authorization": { "format": "none", "config": null } });
    for place in [
        json!({ "path": "/bot{{environment_variables.bot_token}}/x/{{directory}}" }),
        json!({ "headers": { "x-app": "{{environment_variables.api_key}}" }, "path": "/x/{{directory}}" }),
        json!({ "method": "post", "body": { "a": { "b": "{{environment_variables.shared_secret}}", "c": "{{directory}}" } } }),
        json!({ "headers": { "x-app-key": "{{environment_variables.x}}" }, "path": "/{{api_key}}/x/{{directory}}" }),
        json!({ "path": "/{{api_key}}/x/{{directory}}", "query": { "token": "{{environment_variables.x}}" } }),
        json!({ "base_url": "https://{{api_key}}.probe.example", "path": "/x/{{directory}}", "headers": { "x": "{{environment_variables.secret}}" } }),
        json!({ "method": "post", "body": { "client_secret": "{{environment_variables.x}}", "password": "{{directory}}" } }),
        json!({ "method": "post", "path": "/{{directory}}", "headers": { "password": "{{api_key}}" }, "body": { "client_secret": "{{environment_variables.x}}" } }),
    ] {
        let steps = [asks(&place), keeps()];
        let file = with(&with(&base(), &customers), &action("post_install", &steps));
        assert_ne!(errors(&file), Vec::<String>::new(), "{place}");
    }
}
