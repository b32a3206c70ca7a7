//! The operator's values in a file, in every place a text can be: which of them open another's data by a customer's
//! choice, which go to a host that the file does not fix, and which are in clear. And the provenance of what an action writes.

use crate::cases::each_case;

use causeway::config::{Finding, Level, read};
use serde_json::{Value, json};

mod honest;
mod reviewed;

/// A literal that looks like a key, short of any provider's own form.
const KEY: &str = "k9f2Zq81LmX04tTbR7wY";

fn findings(config: &Value) -> Vec<Finding> {
    read(&json!({ "name": "probe", "config": config })).findings
}

fn of_level(config: &Value, level: Level) -> Vec<String> {
    let all = findings(config).into_iter();
    let those = all.filter(|finding| finding.level == level);
    those.map(|finding| finding.path).collect()
}

fn errors(config: &Value) -> Vec<String> {
    of_level(config, Level::Error)
}

/// Warnings and errors, but for those that say that no field declares a key.
fn pointed_at(config: &Value) -> Vec<String> {
    let all = findings(config).into_iter();
    let those = all.filter(|finding| !finding.message.starts_with("nothing fills"));
    those.map(|finding| finding.path).collect()
}

fn with(base: &Value, change: &Value) -> Value {
    let mut whole = base.clone();
    causeway::json::merge(&mut whole, change);
    whole
}

fn fields() -> Value {
    json!([
        { "name": "directory", "type": "text" },
        { "name": "client_id", "type": "text" },
        { "name": "client_secret", "type": "password" },
        { "name": "api_key", "type": "password" },
        { "name": "site", "type": "text" },
    ])
}

fn base() -> Value {
    json!({
        "base_url": "https://api.probe.example", "custom": false,
        "credentials": { "api_key": { "format": "api_key", "config": { "fields": fields() } } },
        "authorization": { "format": "header", "config": { "name": "x-token", "value": "{{session:undefined}}" } },
        "resources": { "x": { "list": { "path": "/x" }, "create": { "method": "post", "path": "/x" } } }
    })
}

fn action(name: &str, steps: &[Value]) -> Value {
    json!({ "actions": { name: { "steps": steps } } })
}

// R1b in actions.

const OPERATORS: &str = "{{environment_variables.client_secret}}";

fn grant(change: &Value) -> Value {
    let own = json!({ "method": "post", "path": "/token", "no_auth": true, "body_format": "form",
        "body": { "client_id": "{{environment_variables.client_id}}", "client_secret": OPERATORS } });
    json!({ "type": "request", "config": with(&own, change) })
}

fn keeps() -> Value {
    json!({ "type": "update_context", "config": { "expression": "{ \"session\": $previous.access_token }" } })
}

#[test]
fn a_request_of_an_action_that_reads_the_operators_variable_takes_no_word_of_the_customer() {
    let steps_before: [&[Value]; 4] = [
        &[],
        &[json!({ "type": "get_context" })],
        &[json!({ "type": "transform", "config": "{ \"directory\": $context.directory }" })],
        &[
            json!({ "type": "request", "run_if": "false", "config": { "path": "/x" } }),
            json!({ "type": "transform", "config": "$merge([$, $context])" }),
        ],
    ];
    let places = |word: &str| {
        vec![
            json!({ "path": format!("/{word}/token") }),
            json!({ "base_url": format!("https://{word}.probe.example") }),
            json!({ "base_url": format!("https://login.probe.example/{word}") }),
            json!({ "query": { "tenant": word } }),
            json!({ "headers": { "x-tenant": word } }),
            json!({ "body": { "deep": [{ "audience": word }] } }),
            json!({ "body": { "client_secret": format!("{{{{client_secret:undefined}}}}{OPERATORS}") } }),
            json!({ "body": { "client_id": "{{client_id|environment_variables.client_id}}" } }),
            json!({ "pagination_path": format!("/{word}/token"), "pagination": { "format": "page", "config": { "page_key": "p" } } }),
            json!({ "pagination": { "format": "cursor", "config": { "cursor_path": "n", "cursor_key": "c", "headers": { "x-tenant": word } } } }),
            json!({ "pagination": { "format": "range", "config": { "range_unit": word } } }),
        ]
    };
    let words = [
        "{{directory}}",
        "{{context.directory}}",
        "{{directory|environment_variables.directory}}",
        "{{directory?:common}}",
    ];
    let oauth2 = json!({ "credentials": { "oauth2": { "format": "oauth2", "config": { "client": { "id": "{{client_id}}", "secret": "{{client_secret}}" },
        "auth": { "tokenHost": "https://login.probe.example", "tokenPath": "/t", "authorizePath": "/a" } } } } });
    each_case(
        ["refresh_token", "post_install", "validation", "sync"],
        |name| {
            each_case(words, |word| {
                each_case(places(word), |place| {
                    each_case([base(), with(&base(), &oauth2)], |file| {
                        let file = with(&file, &action(name, &[grant(&place), keeps()]));
                        let found = errors(&file);
                        let at = format!("config.actions.{name}.steps[0].config");
                        assert!(
                            found.iter().any(|path| path.starts_with(&at)),
                            "{name} {place}: {found:?}"
                        );
                    });
                });
            });
            // By way of a step before it.
            each_case(steps_before, |before| {
                if before.is_empty() {
                    return;
                }
                let mut steps = before.to_vec();
                steps.push(grant(&json!({ "path": "/{{body.directory}}/token" })));
                steps.push(keeps());
                let file = with(&base(), &action(name, &steps));
                assert_ne!(errors(&file), Vec::<String>::new(), "{name} {before:?}");
            });
            // By way of another key of the context.
            let copies = [
                json!({ "type": "set_context", "config": { "realm": "{{directory}}" } }),
                json!({ "type": "update_context", "config": "{ \"realm\": $context.directory }" }),
                json!({ "type": "update_context", "config": "$merge([{ \"realm\": $context.directory }])" }),
            ];
            each_case(copies, |copy| {
                let steps = [
                    copy.clone(),
                    grant(&json!({ "path": "/{{realm}}/token" })),
                    keeps(),
                ];
                let file = with(&base(), &action(name, &steps));
                assert_ne!(errors(&file), Vec::<String>::new(), "{name} {copy}");
            });
        },
    );
    // A caller's input counts as the customer's where a token is kept.
    each_case(["{{body.directory}}", "{{body:any}}"], |word| {
        let steps = [grant(&json!({ "query": { "tenant": word } })), keeps()];
        let file = with(&base(), &action("sync", &steps));
        assert_ne!(errors(&file), Vec::<String>::new(), "{word}");
    });
    // Of a method that the step calls, too.
    let called = with(
        &base(),
        &json!({ "resources": { "x": { "create": { "no_auth": true, "body": { "client_secret": OPERATORS, "audience": "{{body.audience}}" } } } } }),
    );
    let call = json!({ "type": "request", "config": { "resource": "x", "method": "create", "body": { "audience": "{{directory}}" } } });
    assert_ne!(
        errors(&with(&called, &action("post_install", &[call, keeps()]))),
        Vec::<String>::new()
    );
}

#[test]
fn what_an_action_may_send_beside_the_operators_variable_stays_possible() {
    let own_key = json!({ "authorization": { "format": "header", "config": { "name": "x-key", "value": "{{api_key}}" } } });
    let right = [
        // The operator's alone.
        vec![grant(&json!({})), keeps()],
        // The customer's alone.
        vec![
            grant(
                &json!({ "path": "/{{directory}}/token", "body": { "client_id": "{{client_id}}", "client_secret": "{{client_secret}}" } }),
            ),
            keeps(),
        ],
        // The operator's version next to the customer's own secret.
        vec![
            grant(
                &json!({ "path": "/{{directory}}/token", "headers": { "x-version": "{{environment_variables.version}}" }, "body": { "client_id": "{{client_id}}", "client_secret": "{{client_secret}}" } }),
            ),
            keeps(),
        ],
        // The operator's app key next to the customer's own credential.
        vec![
            json!({ "type": "request", "config": with(&own_key, &json!({ "path": "/x/{{directory}}", "headers": { "x-app-key": "{{environment_variables.app}}" } })) }),
        ],
        // What the provider said before.
        vec![
            json!({ "type": "request", "config": with(&own_key, &json!({ "path": "/me" })) }),
            grant(&json!({ "path": "/{{body.directory}}/token" })),
            keeps(),
        ],
    ];
    each_case(right, |steps| {
        let file = with(&base(), &action("post_install", &steps));
        assert_eq!(errors(&file), Vec::<String>::new(), "{steps:?}");
    });
    let oauth2 = json!({ "credentials": { "api_key": null, "oauth2": { "format": "oauth2", "config": { "client": { "id": "{{client_id|environment_variables.client_id}}", "secret": "{{client_secret|environment_variables.client_secret}}" },
        "auth": { "tokenHost": "https://login.probe.example", "tokenPath": "/t", "authorizePath": "/a" }, "fields": fields() } } } });
    let refresh = grant(
        &json!({ "body": { "client_id": "{{client_id|environment_variables.client_id}}", "client_secret": "{{client_secret|environment_variables.client_secret}}", "refresh_token": "{{oauth.token.refresh_token}}" } }),
    );
    let file = with(
        &with(&base(), &oauth2),
        &action("refresh_token", &[refresh]),
    );
    assert_eq!(errors(&file), Vec::<String>::new(), "a user's own grant");
}

#[test]
fn a_method_that_the_operators_key_opens_by_a_customers_word_is_pointed_at() {
    let operators = [
        json!({ "authorization": { "format": "header", "config": { "name": "x-key", "value": "{{environment_variables.k}}" } } }),
        json!({ "authorization": { "format": "bearer", "config": { "token": "{{api_key|environment_variables.k}}", "name": null, "value": null } } }),
        json!({ "authorization": null, "headers": { "x-api-key": "{{environment_variables.k}}" } }),
        json!({ "authorization": null, "query": { "api_key": "{{environment_variables.k}}" } }),
        json!({ "authorization": { "format": "bearer", "config": { "name": null, "value": null } }, "credentials": { "api_key": null, "oauth2_client_credentials": { "format": "oauth2_client_credentials", "config": {
            "client": { "id": "{{environment_variables.i}}", "secret": "{{environment_variables.k}}" }, "auth": { "tokenHost": "https://login.probe.example", "tokenPath": "/t" }, "fields": fields() } } } }),
    ];
    let places = [
        json!({ "headers": { "x-tenant": "{{directory}}" } }),
        json!({ "query": { "tenant": "{{directory}}" } }),
        json!({ "base_url": "https://{{directory}}.probe.example" }),
        json!({ "resources": { "x": { "list": { "path": "/x/{{directory}}" } } } }),
        json!({ "resources": { "x": { "create": { "body": { "tenant": "{{context.directory}}" } } } } }),
    ];
    let customers = [
        json!({ "authorization": { "format": "header", "config": { "name": "x-key", "value": "{{api_key}}" } }, "headers": { "x-app-key": "{{environment_variables.k}}" } }),
        json!({ "authorization": { "format": "basic", "config": { "name": null, "value": null, "username": "{{environment_variables.app}}", "password": "{{api_key}}" } } }),
    ];
    let reported = json!({ "actions": { "post_install": { "steps": [
        { "type": "request", "config": { "path": "/me", "no_auth": true } },
        { "type": "update_context", "config": "{ \"directory\": $previous.directory }" }] } } });
    each_case(&places, |place| {
        each_case(&operators, |key| {
            let file = with(&with(&base(), key), place);
            assert_ne!(pointed_at(&file), Vec::<String>::new(), "{key} {place}");
            assert_eq!(errors(&file), Vec::<String>::new(), "{key} {place}");
            let mut found = pointed_at(&with(&file, &reported));
            found.retain(|path| path.starts_with("config.resources"));
            assert_eq!(
                found,
                Vec::<String>::new(),
                "{key} {place}: the provider says it"
            );
        });
        each_case(&customers, |key| {
            let file = with(&with(&base(), key), place);
            assert_eq!(pointed_at(&file), Vec::<String>::new(), "{key} {place}");
        });
    });
}

// R3: a copied value is whose it was.

fn looked_up(steps: &[Value]) -> Value {
    let more = json!({
        "credentials": { "api_key": { "config": { "fields": [{ "name": "team" }, { "name": "note" }, { "name": "api_key", "type": "password" }] } } },
        "authorization": { "config": { "value": "{{api_key}}" } },
        "webhook": { "signature_verification": { "format": "hmac", "config": {
            "algorithm": "sha256", "secret": "{{environment_variables.webhook_secret}}", "compare_with": "$header.x-sig",
            "context_lookup_field_name": "team", "context_lookup_field_value": "body.team" } } },
        "actions": { "post_install": { "steps": steps } }
    });
    with(&base(), &more)
}

const LOOKUP: &str = "config.webhook.signature_verification.config.context_lookup_field_name";

#[test]
fn a_value_that_an_expression_copies_from_the_context_is_no_word_of_the_provider() {
    let asks = json!({ "type": "request", "config": { "path": "/me" } });
    let writes = |source: &str| json!({ "type": "update_context", "config": source });
    let copies = [
        r#"{ "team": $context.team }"#,
        r#"{ "team": team ? team : $context.team }"#,
        r#"{ "team": $context.note }"#,
        r#"{ "team": $lookup($context, "team") }"#,
        r#"{ "team": $lookup($context, "te" & "am") }"#,
        r#"{ "team": $context.*[0] }"#,
        r#"{ "team": $string($context.team) & "" }"#,
        r#"( $c := $context; { "team": $c.team } )"#,
        r#"( $c := [team, $context.note]; { "team": $c[1] } )"#,
        r#"( $f := function($x) { $context.note }; { "team": $f(team) } )"#,
        r#"{ "team": (function($x) { $x.note })($context) }"#,
        r#"{ "team": $context ~> $lookup("note") }"#,
        r#"{ "team": $map([$context], function($x) { $x.note })[0] }"#,
        r#"{ "team": $reduce([team, $context.note], function($a, $b) { $b }) }"#,
        r#"{ "team": $context.(note) }"#,
        r#"{ "team": team ?: $context.note }"#,
        r#"{ "team": team ?? $context.note }"#,
        r#"{ "te" & "am": $context.note }"#,
        r#"team ? { "team": team } : { "team": $context.team }"#,
        r#"$merge([$context, { "name": name }])"#,
        r#"$context ~> |$|{"x": 1}|"#,
        "$context",
        r#"{ "name": "team", "x": 1 }"#,
        r#"{ "other": team }"#,
    ];
    each_case(copies, |source| {
        let file = looked_up(&[asks.clone(), writes(source)]);
        assert_eq!(errors(&file), [LOOKUP], "{source}");
    });
    // By way of the steps between.
    let cases = [
        json!({ "type": "get_context" }),
        json!({ "type": "transform", "config": "$context" }),
        json!({ "type": "transform", "config": "{ \"team\": $context.note }" }),
    ];
    each_case(cases, |between| {
        let cases = [
            writes(r#"{ "team": team }"#),
            json!({ "type": "set_context", "config": { "team": "{{body.team}}" } }),
        ];
        each_case(cases, |last| {
            let file = looked_up(&[asks.clone(), between.clone(), last]);
            assert_eq!(errors(&file), [LOOKUP], "{between}");
        });
    });
    // A step behind the sure one undoes it, in any action.
    let sure = writes(r#"{ "team": $previous.team }"#);
    let undone = looked_up(&[
        asks.clone(),
        sure.clone(),
        writes(r#"{ "team": $context.note }"#),
    ]);
    assert_eq!(errors(&undone), [LOOKUP]);
    each_case(["validation", "sync"], |name| {
        let more = action(
            name,
            &[asks.clone(), writes(r#"{ "team": $context.note }"#)],
        );
        assert_eq!(
            errors(&with(&looked_up(&[asks.clone(), sure.clone()]), &more)),
            [LOOKUP],
            "{name}"
        );
    });
    let cases = [
        r#"{ "team": $previous.team }"#,
        r#"{ "team": team, "note": $context.note }"#,
        r#"( $own := $previous.teams[id = $context.note]; { "team": $own[0].id } )"#,
        r#"{ "team": $exists($context.note) ? teams[name = $context.note].id : team }"#,
        r#"( $id := team; $exists($id) ? { "team": $id } : { "team": null } )"#,
        r#"{ "team": $filter(teams, function($t) { $t.name = $context.note })[0].id }"#,
    ];
    each_case(cases, |source| {
        let file = looked_up(&[asks.clone(), writes(source)]);
        assert_eq!(errors(&file), Vec::<String>::new(), "{source}");
    });
}

#[test]
fn a_step_that_may_not_run_makes_no_word_sure() {
    let asks = json!({ "type": "request", "config": { "path": "/me" } });
    let writes = json!({ "type": "update_context", "config": r#"{ "team": $previous.team }"# });
    let maybe = |step: &Value| with(step, &json!({ "run_if": "$exists($context.note)" }));
    assert_eq!(
        errors(&looked_up(&[asks.clone(), writes.clone()])),
        Vec::<String>::new()
    );
    let cases = [
        [maybe(&asks), writes.clone()],
        [asks.clone(), maybe(&writes)],
        [maybe(&asks), maybe(&writes)],
    ];
    each_case(cases, |steps| {
        assert_eq!(errors(&looked_up(&steps)), [LOOKUP], "{steps:?}");
    });
    // Its answer would not have been used.
    let skipped = [
        asks.clone(),
        json!({ "type": "get_context" }),
        maybe(&asks),
        writes.clone(),
    ];
    assert_eq!(errors(&looked_up(&skipped)), [LOOKUP]);
}

// R1c, N11: every text of the file.

fn open() -> Value {
    json!({ "base_url": "{{site}}", "allowed_hosts": ["*"], "authorization": { "config": { "value": "{{api_key}}" } } })
}

fn fixed() -> Value {
    json!({ "authorization": { "config": { "value": "{{api_key}}" } } })
}

/// Places from which a value gets into requests, apart from those that are requests themselves.
fn on_their_way(word: &str) -> Vec<Value> {
    let field = |field: Value| json!({ "credentials": { "api_key": { "config": { "fields": [field, { "name": "site" }] } } } });
    let dynamic = |key: &str, source: String| {
        let base = json!({ "pagination": { "format": "dynamic", "config": { "get_pagination_values_expression": "null" } }, "headers": { "x-k": "{{pagination.k:undefined}}" } });
        with(
            &base,
            &json!({ "pagination": { "config": { key: source } } }),
        )
    };
    vec![
        field(json!({ "name": "api_key", "type": "password", "default": word })),
        field(
            json!({ "name": "api_key", "type": "single_select", "options": [{ "label": "Shared", "value": word }] }),
        ),
        field(
            json!({ "name": "api_key", "type": "single_select", "options": [{ "label": "Own" , "value": "own" }, { "label": "Shared", "value": word }] }),
        ),
        dynamic(
            "get_initial_pagination_values_expression",
            format!(r#"{{ "k": "{word}" }}"#),
        ),
        dynamic(
            "get_pagination_values_expression",
            format!(r#"{{ "k": "{word}" }}"#),
        ),
        dynamic(
            "get_cursor_from_response_expression",
            format!(r#""{word}""#),
        ),
        json!({ "pagination": { "format": "range", "config": { "range_unit": word } } }),
        json!({ "pagination": { "format": "page", "config": { "page_key": word } } }),
        json!({ "resources": { "x": { "list": { "pagination": { "format": "range", "config": { "range_unit": word } } } } } }),
        action(
            "post_install",
            &[
                json!({ "type": "update_context", "config": format!(r#"{{ "api_key": "{word}" }}"#) }),
            ],
        ),
        action(
            "sync",
            &[
                json!({ "type": "transform", "config": format!(r#"{{ "k": "{word}" }}"#) }),
                json!({ "type": "request", "config": { "path": "/x", "method": "post" } }),
            ],
        ),
        action(
            "sync",
            &[
                json!({ "type": "form", "config": { "fields": [{ "name": "k", "type": "password", "default": word }] } }),
            ],
        ),
        json!({ "authorization": { "format": "header", "config": { "name": null, "value": null, "expression": format!(r#"{{ "x": "{word}" & context.a }}"#) } } }),
    ]
}

#[test]
fn no_key_of_the_file_comes_to_an_open_host_by_any_way() {
    each_case(on_their_way(KEY), |place| {
        assert_ne!(
            errors(&with(&with(&base(), &open()), &place)),
            Vec::<String>::new(),
            "{place}"
        );
        let at_fixed = with(&with(&base(), &fixed()), &place);
        assert_eq!(errors(&at_fixed), Vec::<String>::new(), "{place}");
        assert_ne!(pointed_at(&at_fixed), Vec::<String>::new(), "{place}");
    });
    each_case(on_their_way("items"), |place| {
        let found = pointed_at(&with(&with(&base(), &fixed()), &place));
        let is_default = place.to_string().contains("default");
        assert_eq!(found.is_empty(), !is_default, "{place}: {found:?}");
    });
    let cases = [
        "{{environment_variables.k}}",
        "{{directory|environment_variables.k}}",
        "x{{public_variables.k:undefined}}",
    ];
    each_case(cases, |unit| {
        let place =
            json!({ "pagination": { "format": "range", "config": { "range_unit": unit } } });
        assert_ne!(
            errors(&with(&with(&base(), &open()), &place)),
            Vec::<String>::new(),
            "{unit}"
        );
        assert_eq!(
            errors(&with(&with(&base(), &fixed()), &place)),
            Vec::<String>::new(),
            "{unit}"
        );
    });
    // A key in pieces.
    let cases = [
        r#"{ "x": $join(["k9f2Zq81L", "mX04tTbR7wY"]) & context.a }"#,
        r#"{ "x": "k9f2Zq81L" & "mX04tTbR7wY" & context.a }"#,
        r#"{ "x": ("k9f2Zq" & ("81LmX0" & "4tTbR7wY")) & context.a }"#,
        r#"{ "x": "\u006b9f2Zq81LmX04tTbR7wY" & context.a }"#,
        r#"( $a := "k9f2Zq81L"; $b := "mX04tTbR7wY"; { "x": $a & $b & context.a } )"#,
    ];
    each_case(cases, |source| {
        let place = json!({ "authorization": { "format": "header", "config": { "name": null, "value": null, "expression": source } } });
        assert_ne!(
            errors(&with(&with(&base(), &open()), &place)),
            Vec::<String>::new(),
            "{source}"
        );
    });
}

#[test]
fn a_key_that_stands_in_clear_anywhere_in_a_file_is_pointed_at() {
    let hmac = |config: Value| {
        let base = json!({ "webhook": { "signature_verification": { "format": "hmac", "config": { "algorithm": "sha256", "secret": "{{environment_variables.s}}", "compare_with": "$header.x" } } } });
        with(
            &base,
            &json!({ "webhook": { "signature_verification": { "config": config } } }),
        )
    };
    let client = |secret: &str| {
        json!({ "credentials": { "oauth2": { "format": "oauth2", "config": { "client": { "id": "our-own", "secret": secret },
            "auth": { "tokenHost": "https://l.probe.example", "tokenPath": "/t", "authorizePath": "/a" } } } } })
    };
    let places = vec![
        client(&format!("{{{{environment_variables.s?:{KEY}}}}}")),
        client(&format!("{KEY}{{{{environment_variables.s:undefined}}}}")),
        client("{{environment_variables.s?:hunter2}}"),
        hmac(json!({ "secret": format!("{{{{webhook_secret?:{KEY}}}}}") })),
        hmac(json!({ "secret": format!("{KEY}{{{{webhook_secret:undefined}}}}") })),
        hmac(json!({ "previous_secret": "{{environment_variables.old?:hunter2}}" })),
        hmac(json!({ "parts": [KEY, "$body"] })),
        json!({ "webhook": { "signature_verification": { "format": "basic", "config": { "username": KEY, "password": "{{environment_variables.s}}" } } } }),
        json!({ "webhook": { "signature_verification": { "format": "none" }, "handle_verification": format!(r#"$lookup(query, "verify_token") = "{KEY}" ? query.challenge"#) } }),
        json!({ "webhook": { "signature_verification": { "format": "none" }, "payload_transform": format!(r#"{{ "event_type": "record:x", "payload": "{KEY}" }}"#) } }),
        json!({ "error_expression": format!(r#"body.key = "{KEY}""#) }),
        json!({ "resources": { "x": { "list": { "error_expression": format!(r#"body.key = "{KEY}""#) } } } }),
        json!({ "rate_limit": { "is_rate_limited": format!(r#"body.key = "{KEY}""#) } }),
        action(
            "sync",
            &[
                json!({ "type": "transform", "run_if": format!(r#"$context.a = "{KEY}""#), "config": "1" }),
            ],
        ),
        json!({ "resources": { "x": { "list": { "examples": [{ "deep": { "api_key": KEY } }] } } } }),
        json!({ "resources": { "x": { "create": { "body_schema": { "properties": { "api_key": { "type": "string", "default": KEY } } } } } } }),
    ];
    each_case(places, |place| {
        let file = with(&with(&base(), &fixed()), &place);
        assert_eq!(errors(&file), Vec::<String>::new(), "{place}");
        let found = findings(&file);
        let hints = found.iter().filter(|one| {
            one.hint
                .as_deref()
                .is_some_and(|hint| hint.contains("secret_environment_variables"))
        });
        assert!(hints.count() > 0, "{place}: {found:?}");
        assert!(!json!(found).to_string().contains(KEY), "{place}");
    });
    // Prose, and what is sealed.
    let cases = [
        json!({ "label": KEY }),
        json!({ "resources": { "x": { "list": { "description": KEY, "examples": [{ "id": "123e4567-e89b-12d3-a456-426614174000" }] } } } }),
        client("{{environment_variables.s}}"),
        hmac(json!({ "secret": "{{webhook_secret|environment_variables.s}}" })),
        hmac(json!({ "secret": KEY })),
        client(KEY),
    ];
    each_case(cases, |place| {
        assert_eq!(
            pointed_at(&with(&with(&base(), &fixed()), &place)),
            Vec::<String>::new(),
            "{place}"
        );
    });
}
