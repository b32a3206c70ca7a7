//! What a file may not say, because another's values would then steer the operator's secrets: one client
//! for a grant without a user, no operator's value for a host that the file does not fix, no account found by
//! what its customer typed. Each rule is tried on every place and every spelling of its class.

use causeway::config::{Finding, Level, read};
use serde_json::{Value, json};

use crate::cases::each_case;
use crate::client::{Client, Setting};
use crate::integration_files::{files_of, load};
use crate::outside::World;

/// A literal that looks like a key, short of any provider's own form.
const KEY: &str = "k9f2Zq81LmX04tTbR7wY";

fn findings(config: &Value) -> Vec<Finding> {
    read(&json!({ "name": "probe", "config": config })).findings
}

/// The places of the errors of a configuration.
fn errors(config: &Value) -> Vec<String> {
    let all = findings(config).into_iter();
    let errors = all.filter(|finding| finding.level == Level::Error);
    errors.map(|finding| finding.path).collect()
}

fn warnings(config: &Value) -> Vec<String> {
    let all = findings(config).into_iter();
    let warnings = all.filter(|finding| finding.level == Level::Warning);
    warnings.map(|finding| finding.path).collect()
}

/// Merges by the one rule of the product.
fn with(base: &Value, change: &Value) -> Value {
    let mut whole = base.clone();
    causeway::json::merge(&mut whole, change);
    whole
}

fn field(name: &str) -> Value {
    json!({ "name": name, "label": name, "type": "text" })
}

fn fields(names: &[&str]) -> Value {
    names.iter().map(|name| field(name)).collect()
}

// R1b: one client, one source.

/// A file whose only credential is a grant without a user, by this client.
fn by_client(format: &str, client: &Value) -> Value {
    json!({
        "base_url": "https://api.probe.example",
        "credentials": { format: { "format": format, "config": {
            "client": client,
            "auth": { "tokenHost": "https://login.probe.example", "tokenPath": "/token" },
            "fields": fields(&["client_id", "client_secret", "own_id", "own_secret", "api_key"])
        } } },
        "custom": true,
        "resources": { "x": { "list": { "path": "/x" } } }
    })
}

const GRANTS: [&str; 2] = ["oauth2_client_credentials", "keka_oauth"];

#[test]
fn a_client_of_a_grant_without_a_user_has_one_source() {
    let mixed = [
        "{{client_id|environment_variables.client_id}}",
        "{{environment_variables.client_id|client_id}}",
        "{{context.client_id|environment_variables.client_id}}",
        "{{credentials.client_id | environment_variables.client_id}}",
        "{{client_id:ignore-empty-str|environment_variables.client_id}}",
        "{{client_id?:our-own}}",
        "{{environment_variables.client_id?:our-own}}",
        "{{client_id:undefined}}{{environment_variables.client_id:undefined}}",
        "{{client_id:undefined}}our-own",
        "{{a|b|context.c|environment_variables.d}}",
        "{{context:any|environment_variables.d}}",
    ];
    each_case(GRANTS, |format| {
        each_case([("id", "secret"), ("secret", "id")], |(key, other)| {
            let at = format!("config.credentials.{format}.config.client");
            each_case(mixed, |text| {
                let client = json!({ key: text, other: "{{own_id}}" });
                let found = errors(&by_client(format, &client));
                assert!(
                    found.iter().any(|path| path.starts_with(&at)),
                    "{format} {key} {text}: {found:?}"
                );
            });
            let apart = [
                ("{{own_id}}", "{{environment_variables.client_secret}}"),
                ("{{own_id}}", KEY),
                (
                    "{{context.own_id}}",
                    "{{environment_variables.client_secret}}",
                ),
                (
                    "{{credentials.own_id}}",
                    "{{environment_variables.client_secret}}",
                ),
            ];
            each_case(apart, |(own, operators)| {
                let client = json!({ key: own, other: operators });
                let found = errors(&by_client(format, &client));
                assert!(
                    found.iter().any(|path| path.starts_with(&at)),
                    "{format} {key} {own} {operators}: {found:?}"
                );
            });
        });
        // The id is the customer's `client_id` where the file does not say.
        let client = json!({ "secret": "{{environment_variables.client_secret}}" });
        assert!(!errors(&by_client(format, &client)).is_empty(), "{format}");
        let cases = [
            json!({}),
            json!({ "id": "{{client_id}}", "secret": "{{client_secret}}" }),
            json!({ "id": "{{own_id|client_id}}", "secret": "{{context.own_secret|credentials.client_secret}}" }),
            json!({ "id": "{{environment_variables.a|environment_variables.b}}", "secret": "{{environment_variables.c}}" }),
            json!({ "id": "our-own", "secret": "{{environment_variables.c}}" }),
            json!({ "id": "our-own", "secret": KEY }),
            json!({ "id": "our-own" }),
        ];
        each_case(cases, |client| {
            assert_eq!(
                errors(&by_client(format, &client)),
                Vec::<String>::new(),
                "{format} {client}"
            );
        });
    });
}

#[test]
fn an_action_that_gets_tokens_without_a_user_has_one_client_too() {
    let mixed = "{{client_id|environment_variables.client_id}}";
    let own = "{{client_id}}";
    let request = |text: &str| {
        vec![
            json!({ "path": "/t", "method": "post", "body": { "deep": [{ "client_id": text }] } }),
            json!({ "path": "/t", "headers": { "X-Client": text } }),
            json!({ "path": "/t", "query": { "client": text } }),
            json!({ "path": format!("/t/{text}") }),
            json!({ "path": "/t", "authorization": { "format": "basic", "config": { "username": text, "password": own } } }),
            json!({ "path": "/t", "authorization": { "format": "bearer", "config": { "token": text } } }),
        ]
    };
    let file = |config: &Value| {
        json!({
            "base_url": "https://api.probe.example", "custom": true,
            "credentials": { "api_key": { "format": "api_key", "config": { "fields": fields(&["client_id"]) } } },
            "actions": { "refresh_token": { "steps": [{ "type": "request", "config": config }] } }
        })
    };
    each_case(request(mixed), |config| {
        assert_eq!(
            errors(&file(&config)),
            ["config.actions.refresh_token.steps[0].config"],
            "{config}"
        );
    });
    each_case(request(own), |config| {
        assert_eq!(errors(&file(&config)), Vec::<String>::new(), "{config}");
    });
}

#[test]
fn a_grant_by_the_operators_client_takes_no_word_of_the_customer() {
    let places = [
        ("auth", json!({ "tokenPath": "/{{TYPED}}/token" })),
        (
            "auth",
            json!({ "tokenHost": "https://{{TYPED}}.probe.example" }),
        ),
        (
            "auth",
            json!({ "tokenUrl": "https://login.probe.example/{{TYPED}}/token" }),
        ),
        (
            "auth",
            json!({ "refreshUrl": "https://login.probe.example/{{TYPED}}/token" }),
        ),
        ("auth", json!({ "refreshPath": "/{{TYPED}}/token" })),
        ("auth", json!({ "revokePath": "/{{TYPED}}/revoke" })),
        ("auth", json!({ "introspectPath": "/{{TYPED}}/introspect" })),
        ("tokenParams", json!({ "tenant": "{{TYPED}}" })),
        ("tokenParams", json!({ "tenant": "x-{{TYPED?:none}}" })),
        (
            "refreshParams",
            json!({ "tenant": "{{environment_variables.tenant|TYPED}}" }),
        ),
        ("scope", json!(["read", "org:{{TYPED}}"])),
    ];
    let clients = [
        json!({ "id": "{{environment_variables.client_id}}", "secret": "{{environment_variables.client_secret}}" }),
        json!({ "id": "our-own", "secret": KEY }),
        json!({ "id": "our-own", "secret": "{{environment_variables.client_secret}}" }),
        // A sealed secret is not in the file that is read.
        json!({ "id": "our-own" }),
    ];
    let own = json!({ "id": "{{client_id}}", "secret": "{{client_secret}}" });
    each_case(GRANTS, |format| {
        each_case(&places, |(key, value)| {
            // `own_id` is a field of this credential, `elsewhere` one of another, `asked` one of a form's step,
            // `reported` is what the way back from a sign-in says; a whole context holds all of them.
            let cases = [
                "own_id",
                "context.own_id",
                "credentials.own_id",
                "elsewhere",
                "asked",
                "reported",
                "context",
            ];
            each_case(cases, |typed| {
                let value: Value =
                    serde_json::from_str(&value.to_string().replace("TYPED", typed)).unwrap();
                let file = |client: &Value| {
                    let base = by_client(format, client);
                    let more = json!({
                        "credentials": {
                            "api_key": { "format": "api_key", "config": { "fields": fields(&["elsewhere"]) } },
                            "oauth2": { "format": "oauth2", "config": {
                                "auth": { "tokenHost": "https://login.probe.example", "tokenPath": "/t", "authorizePath": "/a" },
                                "contextFromCallback": { "reported": "reported" }
                            } },
                            format: { "config": { *key: value } }
                        },
                        "actions": { "post_connect_user_form": { "type": "form", "config": { "fields": fields(&["asked"]) } } }
                    });
                    with(&base, &more)
                };
                let at = format!("config.credentials.{format}.config.{key}");
                each_case(&clients, |client| {
                    let found = errors(&file(client));
                    assert!(
                        found.iter().any(|path| path.starts_with(&at)),
                        "{format} {key} {value} {client}: {found:?}"
                    );
                });
                if typed != "context" {
                    assert_eq!(
                        errors(&file(&own)),
                        Vec::<String>::new(),
                        "{format} {key} {value}"
                    );
                }
            });
        });
    });
}

// R1c: no operator's value to a host that the file does not fix.

/// URLs whose host the file leaves to the account, each with the `allowed_hosts` that lets it pass so far.
fn open_urls() -> Vec<(&'static str, Value)> {
    vec![
        ("{{site}}", json!(["*"])),
        ("{{site}}/v1", json!(["*.probe.example", "*"])),
        ("https://{{site}}", json!(["*"])),
        ("https://{{site}}.example", json!(["*"])),
        ("https://api.{{site}}", json!("*")),
        ("https://api.probe.example:{{port}}", json!(["*"])),
        ("{{scheme}}://api.probe.example", json!(["*"])),
        ("https://{{environment_variables.site}}", json!(["*"])),
    ]
}

fn fixed_urls() -> Vec<(&'static str, Value)> {
    vec![
        ("https://api.probe.example", json!(null)),
        ("https://{{site}}.probe.example", json!(null)),
        ("https://{{site}}.probe.example", json!(["*"])),
        ("{{site}}", json!(["*.probe.example"])),
        ("https://{{site}}", json!(["a.example", "*.b.example"])),
    ]
}

/// The spellings of an operator's value.
const WORDS: [&str; 5] = [
    "{{environment_variables.word}}",
    "{{own_id|environment_variables.word}}",
    "x{{environment_variables.word:undefined}}",
    KEY,
    "{{own_id?:k9f2Zq81LmX04tTbR7wY}}",
];

/// What a request may carry it in; each is a change of a file with a method and the places of its errors.
fn carriers_of_requests(word: &str) -> Vec<Value> {
    let method = |change: Value| json!({ "resources": { "x": { "create": change } } });
    vec![
        json!({ "headers": { "X-App-Key": word } }),
        json!({ "query": { "app_key": word } }),
        json!({ "authorization": { "format": "bearer", "config": { "token": word } } }),
        json!({ "authorization": { "format": "basic", "config": { "username": "{{own_id}}", "password": word } } }),
        json!({ "authorization": { "format": "basic", "config": { "username": word } } }),
        json!({ "authorization": { "format": "header", "config": { "name": "X-Key", "value": word } } }),
        json!({ "authorization": { "format": "query", "config": { "name": "key", "value": word } } }),
        json!({ "pagination": { "format": "cursor", "config": { "cursor_path": "next", "cursor_key": "c", "headers": { "X-Secret": word } } } }),
        method(json!({ "headers": { "X-App-Token": word } })),
        method(json!({ "query": { "client_secret": word } })),
        method(json!({ "body": { "deep": [{ "password": word }] } })),
        method(json!({ "path": format!("/x/{word}") })),
        method(json!({ "path": format!("/x?key={word}") })),
        method(
            json!({ "pagination_path": format!("/x/{word}"), "pagination": { "format": "page", "config": { "page_key": "p" } } }),
        ),
        method(json!({ "authorization": { "format": "bearer", "config": { "token": word } } })),
        method(
            json!({ "pagination": { "format": "cursor", "config": { "cursor_path": "next", "cursor_key": "c", "headers": { "X-Secret": word } } } }),
        ),
    ]
}

fn file_of_requests() -> Value {
    json!({
        "custom": true,
        "credentials": { "api_key": { "format": "api_key", "config": { "fields": fields(&["site", "port", "scheme", "own_id"]) } } },
        "resources": { "x": { "create": { "method": "post", "path": "/x" } } }
    })
}

#[test]
fn no_operators_word_goes_to_a_host_that_the_file_does_not_fix() {
    each_case(WORDS, |word| {
        each_case(carriers_of_requests(word), |carrier| {
            let file = |base: &Value| with(&with(&file_of_requests(), base), &carrier);
            each_case(open_urls(), |(url, hosts)| {
                let cases = [
                    json!({ "base_url": url, "allowed_hosts": hosts }),
                    json!({ "allowed_hosts": hosts, "resources": { "x": { "create": { "base_url": url } } } }),
                ];
                each_case(cases, |base| {
                    assert_ne!(
                        errors(&file(&base)),
                        Vec::<String>::new(),
                        "{base} {carrier}"
                    );
                });
            });
            each_case(fixed_urls(), |(url, hosts)| {
                let base = json!({ "base_url": url, "allowed_hosts": hosts });
                let found = errors(&file(&base));
                assert_eq!(found, Vec::<String>::new(), "{base} {carrier}");
            });
        });
        // The account's own words go where the account says.
        each_case(carriers_of_requests("{{own_id}}"), |carrier| {
            let base = json!({ "base_url": "{{site}}", "allowed_hosts": ["*"] });
            let found = errors(&with(&with(&file_of_requests(), &base), &carrier));
            assert_eq!(found, Vec::<String>::new(), "{carrier}");
        });
    });
}

#[test]
fn requests_of_actions_are_held_to_the_same() {
    each_case(WORDS, |word| {
        let requests = [
            json!({ "type": "request", "config": { "base_url": "{{site}}", "path": "/x", "headers": { "X-Key": word } } }),
            json!({ "type": "request", "config": { "base_url": "{{site}}", "path": "/x", "method": "post", "body": { "secret": word } } }),
            json!({ "type": "request", "config": { "resource": "x", "method": "create", "query": { "key": word } } }),
            json!({ "type": "request", "config": { "resource": "x", "method": "create", "id": word } }),
            json!({ "type": "request", "config": { "resource": "x", "method": "create", "body": { "token": word } } }),
        ];
        each_case(requests, |request| {
            let file = |url: &str, hosts: &Value| {
                let text = request.to_string().replace("{{site}}", url);
                let request: Value = serde_json::from_str(&text).unwrap();
                // The account's own secret authenticates them; the operator's value is an addition.
                let own = json!({ "format": "bearer", "config": { "token": "{{api_key}}" } });
                let base = json!({ "base_url": url, "allowed_hosts": hosts, "authorization": own, "actions": { "a": { "steps": [request] } } });
                with(&file_of_requests(), &base)
            };
            each_case(open_urls(), |(url, hosts)| {
                assert_ne!(
                    errors(&file(url, &hosts)),
                    Vec::<String>::new(),
                    "{url} {request}"
                );
            });
            each_case(fixed_urls(), |(url, hosts)| {
                assert_eq!(
                    errors(&file(url, &hosts)),
                    Vec::<String>::new(),
                    "{url} {request}"
                );
            });
        });
    });
    // What an action copies into the context is the account's from then on.
    let copies = json!({ "base_url": "{{site}}", "allowed_hosts": ["*"], "headers": { "X-Key": "{{own_id}}" },
        "actions": { "a": { "type": "set_context", "config": { "own_id": "{{environment_variables.word}}" } } } });
    assert_ne!(
        errors(&with(&file_of_requests(), &copies)),
        Vec::<String>::new()
    );
}

#[test]
fn the_operators_client_goes_to_no_token_endpoint_that_the_file_does_not_fix() {
    let carriers = |word: &str| {
        vec![
            json!({ "client": { "id": "{{client_id}}", "secret": word } }),
            json!({ "client": { "id": "our-own", "secret": null } }),
            json!({ "tokenParams": { "client_assertion": word } }),
            json!({ "refreshParams": { "api_key": word } }),
            json!({ "scope": [format!("x:{word}")] }),
        ]
    };
    let endpoints = |url: &str| {
        vec![
            json!({ "tokenHost": url, "tokenPath": "/token" }),
            json!({ "tokenUrl": format!("{url}/token") }),
            json!({ "tokenUrl": "https://login.probe.example/token", "refreshUrl": format!("{url}/token") }),
            json!({ "tokenUrl": "https://login.probe.example/token", "tokenHost": url, "revokePath": "/revoke" }),
            json!({ "tokenUrl": "https://login.probe.example/token", "tokenHost": url, "introspectPath": "/look" }),
        ]
    };
    let file = |auth: &Value, carrier: &Value, hosts: &Value| {
        let more = json!({ "allowed_hosts": hosts, "base_url": "https://api.probe.example", "credentials": { "oauth2": { "format": "oauth2", "config": {
            "client": { "id": "{{client_id}}", "secret": "{{client_secret}}" },
            "auth": auth, "fields": fields(&["site", "port", "scheme", "own_id", "client_id", "client_secret"])
        } }, "api_key": null } });
        with(
            &with(&file_of_requests(), &more),
            &json!({ "credentials": { "oauth2": { "config": carrier } } }),
        )
    };
    each_case(WORDS, |word| {
        each_case(carriers(word), |carrier| {
            each_case(open_urls(), |(url, hosts)| {
                each_case(endpoints(url), |auth| {
                    assert_ne!(
                        errors(&file(&auth, &carrier, &hosts)),
                        Vec::<String>::new(),
                        "{auth} {carrier}"
                    );
                });
            });
            each_case(fixed_urls(), |(url, hosts)| {
                each_case(endpoints(url), |auth| {
                    assert_eq!(
                        errors(&file(&auth, &carrier, &hosts)),
                        Vec::<String>::new(),
                        "{auth} {carrier}"
                    );
                });
            });
        });
    });
    // Also: the sign-in page's own parameters, and keys that are fetched.
    each_case(open_urls(), |(url, hosts)| {
        let auth = json!({ "authorizeHost": url, "authorizePath": "/a", "tokenUrl": "https://login.probe.example/token" });
        let params = json!({ "params": { "key": "{{environment_variables.word}}" } });
        assert_ne!(
            errors(&file(&auth, &params, &hosts)),
            Vec::<String>::new(),
            "{url}"
        );
        let keys = json!({ "base_url": "https://api.probe.example", "allowed_hosts": hosts, "webhook": { "signature_verification": { "format": "jwt", "config": {
            "compare_with": "$header.authorization", "jwks_url": format!("{url}/keys?k={{{{environment_variables.word}}}}") } } } });
        assert_ne!(
            errors(&with(&file_of_requests(), &keys)),
            Vec::<String>::new(),
            "{url}"
        );
    });
}

#[test]
fn an_expression_that_signs_in_holds_no_key_for_an_open_host() {
    let cases = [
        (
            "{ \"Authorization\": \"Bearer k9f2Zq81LmX04tTbR7wY\" }",
            true,
        ),
        (
            "{ \"Authorization\": $exists(context.own_id) ? context.own_id : 'k9f2Zq81LmX04tTbR7wY' }",
            true,
        ),
        ("{ \"Authorization\": \"short\" }", true),
        (
            "{ \"Authorization\": \"Token token=\" & context.own_id }",
            false,
        ),
    ];
    each_case(cases, |(source, is_wrong)| {
        let more = json!({ "base_url": "{{site}}", "allowed_hosts": ["*"], "authorization": { "format": "header", "config": { "expression": source } } });
        let found = errors(&with(&file_of_requests(), &more));
        assert_eq!(!found.is_empty(), is_wrong, "{source}: {found:?}");
    });
}

#[test]
fn what_is_plainly_no_key_may_go_anywhere() {
    let more = json!({
        "base_url": "{{site}}", "allowed_hosts": ["*"],
        "headers": { "Accept": "application/vnd.probe.v20260115+json; charset=utf-8", "X-Api-Version": "2026-01-15", "X-Include-Tokens": "true", "User-Agent": "probe/1.0 (causeway 20260115)" },
        "query": { "fields": "id,name,created_at,updated_at,owner_id", "expand": "data.customer", "limit": "100", "key_type": "any" },
        "authorization": { "format": "basic", "config": { "username": "{{own_id}}", "password": "X" } },
        "resources": { "x": { "create": { "body": { "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "kind": "note" } } } }
    });
    assert_eq!(findings(&with(&file_of_requests(), &more)), Vec::new());
}

#[test]
fn an_override_that_opens_the_hosts_is_refused_while_the_operators_word_goes_there() {
    let file = json!({ "name": "probe", "config": {
        "base_url": "{{site}}", "allowed_hosts": ["*.probe.example"], "custom": true,
        "headers": { "X-App-Key": "{{environment_variables.app_key}}" },
        "credentials": { "api_key": { "format": "api_key", "config": { "fields": fields(&["site"]) } } },
        "resources": { "x": { "list": { "path": "/x" } } }
    } });
    let world = World::new();
    let setting = Setting::new(&world, &file);
    let account = setting.account("api_key", &json!({ "site": "https://a.probe.example" }));
    let opens = json!({ "allowed_hosts": ["*"] });
    let admin = Client::admin(&world);
    let path = format!("/environment-integration/{}", setting.install);
    each_case([&setting.client, &admin], |client| {
        let refused = client.send("PATCH", &path, &json!({ "override": opens }));
        assert_eq!(refused.status, 422, "{}", refused.text());
        let path = format!("/integrated-account/{account}");
        let refused = client.send("PATCH", &path, &json!({ "integration_override": opens }));
        assert_eq!(refused.status, 422, "{}", refused.text());
    });
}

// N11: keys that are in clear.

#[test]
fn a_literal_that_looks_like_a_key_is_pointed_at() {
    let base = json!({ "base_url": "https://api.probe.example" });
    each_case(carriers_of_requests(KEY), |carrier| {
        let found = findings(&with(&with(&file_of_requests(), &base), &carrier));
        assert!(
            found.iter().any(|one| one
                .hint
                .as_deref()
                .is_some_and(|hint| hint.contains("secret_environment_variables"))),
            "{carrier}: {found:?}"
        );
        assert!(!json!(found).to_string().contains(KEY), "{carrier}");
    });
    each_case(["tokenParams", "refreshParams", "params"], |key| {
        let more = json!({ "base_url": "https://api.probe.example", "credentials": { "oauth2": { "format": "oauth2", "config": {
            "auth": { "tokenHost": "https://login.probe.example", "tokenPath": "/t", "authorizePath": "/a" }, key: { "client_assertion": "eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4In0.", "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" } } } } });
        let at = format!("config.credentials.oauth2.config.{key}.client_assertion");
        assert_eq!(warnings(&with(&file_of_requests(), &more)), [at]);
    });
    let short =
        json!({ "base_url": "https://api.probe.example", "headers": { "X-Api-Key": "hunter2" } });
    assert_eq!(
        warnings(&with(&file_of_requests(), &short)),
        ["config.headers.X-Api-Key"]
    );
}

// R5: the way around the file's own entries.

#[test]
fn a_file_that_sends_an_operators_variable_says_whether_every_path_may_have_it() {
    let open = with(
        &file_of_requests(),
        &json!({ "custom": null, "base_url": "https://api.probe.example" }),
    );
    let cases = [
        (
            json!({ "headers": { "X-Key": "{{environment_variables.word}}" } }),
            "config.headers.X-Key",
        ),
        (
            json!({ "query": { "key": "{{own_id|environment_variables.word}}" } }),
            "config.query.key",
        ),
        (
            json!({ "authorization": { "format": "bearer", "config": { "token": "{{environment_variables.word}}" } } }),
            "config.authorization",
        ),
    ];
    each_case(cases, |(carrier, at)| {
        let file = with(&open, &carrier);
        let found = findings(&file);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].level == Level::Warning && found[0].path.starts_with(at),
            "{found:?}"
        );
        each_case([true, false], |custom| {
            assert_eq!(
                findings(&with(&file, &json!({ "custom": custom }))),
                Vec::new()
            );
        });
    });
    assert_eq!(findings(&open), Vec::new());
}

// R3: whose word finds an account.

fn looked_up_by(key: &str, more: &Value) -> Value {
    let base = json!({
        "base_url": "https://api.probe.example",
        "credentials": { "api_key": { "format": "api_key", "config": { "fields": fields(&["site", "team"]) } } },
        "webhook": { "signature_verification": { "format": "hmac", "config": {
            "secret": "{{environment_variables.webhook_secret}}", "compare_with": "$header.x-sig",
            "context_lookup_field_name": key, "context_lookup_field_value": "body.team"
        } } }
    });
    with(&with(&file_of_requests(), &base), more)
}

#[test]
fn an_account_is_not_found_by_what_its_customer_typed() {
    let at = "config.webhook.signature_verification.config.context_lookup_field_name";
    let asks = json!({ "type": "request", "config": { "path": "/me" } });
    let steps = |steps: &[Value]| json!({ "actions": { "post_install": { "steps": steps } } });
    let other = |name: &str| json!({ "actions": { name: { "steps": [asks, { "type": "update_context", "config": { "expression": "{ \"team\": $previous.team }" } }] } } });
    let wrong = [
        json!({}),
        other("by_hand"),
        other("validation"),
        // It repeats what was typed.
        steps(&[json!({ "type": "update_context", "config": { "team": "{{team}}" } })]),
        steps(&[
            asks.clone(),
            json!({ "type": "update_context", "config": { "team": "{{context.team}}" } }),
        ]),
        // Nothing was asked before.
        steps(&[
            json!({ "type": "update_context", "config": { "expression": "{ \"team\": $context.team }" } }),
            asks.clone(),
        ]),
        steps(&[
            asks.clone(),
            json!({ "type": "update_context", "config": { "expression": "{ \"other\": team }" } }),
        ]),
        // The way back from the sign-in is in the customer's hands, and the token's answer is another credential's.
        json!({ "credentials": { "oauth2": { "format": "oauth2", "config": { "auth": { "tokenHost": "https://l.probe.example", "tokenPath": "/t", "authorizePath": "/a" }, "contextFromToken": { "team": "team" } } } } }),
    ];
    each_case(&wrong, |more| {
        assert_eq!(errors(&looked_up_by("team", more)), [at], "{more}");
    });
    let by_callback = json!({ "credentials": { "oauth2": { "format": "oauth2", "config": { "auth": { "tokenHost": "https://l.probe.example", "tokenPath": "/t", "authorizePath": "/a" }, "contextFromCallback": { "group": "team" } } } } });
    assert_eq!(errors(&looked_up_by("group", &by_callback)), [at]);
    let right = [
        steps(&[
            asks.clone(),
            json!({ "type": "update_context", "config": { "expression": "{ \"team\": $previous.team }" } }),
        ]),
        steps(&[
            asks.clone(),
            json!({ "type": "set_context", "config": { "team": "{{body.team}}" } }),
        ]),
        json!({ "credentials": { "api_key": null, "oauth2": { "format": "oauth2", "config": { "auth": { "tokenHost": "https://l.probe.example", "tokenPath": "/t", "authorizePath": "/a" }, "contextFromToken": { "team": "team" }, "fields": fields(&["site", "team", "own_id"]) } } } }),
    ];
    each_case(&right, |more| {
        assert_eq!(
            errors(&looked_up_by("team", more)),
            Vec::<String>::new(),
            "{more}"
        );
    });
    // A caller's input is no answer, whether or not a form declares the key.
    let cases = [
        json!({ "organisation": "{{body.organisation}}" }),
        json!({ "expression": "{ \"organisation\": $previous.organisation }" }),
        json!({ "expression": "$" }),
        json!({ "expression": "$merge([$, {}])" }),
    ];
    each_case(cases, |change| {
        each_case(["set_context", "update_context"], |kind| {
            let more =
                json!({ "actions": { "save": { "steps": [{ "type": kind, "config": change }] } } });
            assert_eq!(errors(&looked_up_by("organisation", &more)), [at], "{more}");
        });
    });
    // It is in no form: it is the operator's or the provider's.
    assert_eq!(
        errors(&looked_up_by("organisation", &json!({}))),
        Vec::<String>::new()
    );
}

#[test]
fn no_file_we_ship_breaks_these_rules() {
    let files = files_of("integrations");
    assert!(files.len() > 30);
    each_case(files, |path| {
        let found = read(&load(&path)).findings;
        assert_eq!(found, Vec::new(), "{}", path.display());
    });
}
