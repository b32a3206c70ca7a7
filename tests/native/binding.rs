//! A secret is bound to where it goes and how it is used: if any layer changes that, the secret does not follow.

use std::collections::BTreeSet;

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::client::{Answer, Client, Setting, id_of};
use crate::inbound_webhooks::signed;
use crate::integration_files::root;
use crate::outside::{Sent, World, reply};
use causeway::ports::Body;

const SECRET: &str = "operator-client-secret-4711";
const SIGNING: &str = "operator-signing-secret-4711";
const VARIABLE: &str = "secret-variable-of-the-install-4711";
const HOME: &str = "login.bound-secrets.example";

/// A file with a literal client secret, a literal signing secret, and a place for a secret variable of an install.
fn bound_file() -> Value {
    json!({ "name": "bound-secrets", "config": {
        "base_url": "https://api.bound-secrets.example",
        "allowed_hosts": ["*.bound-secrets.example"],
        "headers": { "x-app-key": "{{environment_variables.app_key:undefined}}" },
        "credentials": { "oauth2_client_credentials": { "format": "oauth2_client_credentials", "config": {
            "client": { "id": "op-id", "secret": SECRET },
            "auth": { "tokenHost": format!("https://{HOME}"), "tokenPath": "/token" },
            "fields": [],
        } } },
        "authorization": { "format": "bearer" },
        "resources": { "x": { "list": { "path": "/x" } } },
        "webhook": {
            "signature_verification": { "format": "hmac", "config": { "algorithm": "sha256", "secret": SIGNING, "compare_with": "$header.x-signature" } },
            "payload_transform": "{ \"event_type\": \"record:created\", \"payload\": body }",
        },
    } })
}

/// The same, with nothing secret in it.
fn bare() -> Value {
    let mut file = bound_file();
    for place in [
        "/config/credentials/oauth2_client_credentials/config/client",
        "/config/webhook/signature_verification/config",
    ] {
        file.pointer_mut(place)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .remove("secret");
    }
    file
}

/// What a request carries, decoded where it is a basic credential.
fn text_of(sent: &Sent) -> String {
    let basic = sent
        .header("authorization")
        .and_then(|value| value.strip_prefix("Basic "));
    let basic = basic
        .and_then(|text| BASE64.decode(text.as_bytes()).ok())
        .unwrap_or_default();
    let headers = format!("{:?}", sent.headers);
    format!(
        "{} {headers} {} {}",
        sent.url,
        String::from_utf8_lossy(&sent.body),
        String::from_utf8_lossy(&basic)
    )
}

/// Where a change is written.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Layer {
    Put,
    Patch,
    Install,
    Account,
    PlantedInstall,
    PlantedAccount,
}

const LAYERS: [Layer; 6] = [
    Layer::Put,
    Layer::Patch,
    Layer::Install,
    Layer::Account,
    Layer::PlantedInstall,
    Layer::PlantedAccount,
];

fn open(file: &Value) -> Scene {
    let token = json!({ "oauth": { "token": { "access_token": "t" } } });
    let scene = Scene::new(World::new(), file, "oauth2_client_credentials", &token);
    scene.world.provides(|sent| {
        let body = match sent.method.as_str() {
            "POST" => r#"{"access_token":"t","expires_in":3600}"#,
            _ => "[]",
        };
        reply(200, &JSON, Body::from_bytes(body))
    });
    scene
}

/// Changes the install's override by the admin token.
fn override_install(scene: &Scene, change: &Value) -> Answer {
    scene.override_install_as(&scene.setting.admin, change)
}

/// Changes the account's override by the admin token.
fn override_account(scene: &Scene, change: &Value) -> Answer {
    scene.override_account_as(&scene.setting.admin, change)
}

fn put(scene: &Scene, file: &Value) -> Answer {
    let admin = &scene.setting.admin;
    admin.send("PUT", "/integration/bound-secrets", file)
}

fn patch(scene: &Scene, change: &Value) -> Answer {
    let admin = &scene.setting.admin;
    let version = admin.get("/integration/bound-secrets").expect(200)["version"].clone();
    let body = json!({ "version": version, "config": change });
    admin.send("PATCH", "/integration/bound-secrets", &body)
}

/// Writes the change there, the operator's secrets being in the file before or after.
fn write(layer: Layer, change: &Value) -> (Scene, Answer) {
    let is_planted = matches!(layer, Layer::PlantedInstall | Layer::PlantedAccount);
    let scene = open(&if is_planted { bare() } else { bound_file() });
    let answer = match layer {
        Layer::Put => {
            let mut file = bare();
            causeway::json::merge(&mut file["config"], change);
            put(&scene, &file)
        }
        Layer::Patch => patch(&scene, change),
        Layer::Install => override_install(&scene, change),
        Layer::Account => override_account(&scene, change),
        Layer::PlantedInstall => {
            override_install(&scene, change);
            put(&scene, &bound_file())
        }
        Layer::PlantedAccount => {
            override_account(&scene, change);
            put(&scene, &bound_file())
        }
    };
    (scene, answer)
}

fn refresh(scene: &Scene) -> Answer {
    let body = json!({ "id": scene.account });
    scene
        .setting
        .client
        .send("POST", "/integrated-account/refresh-credentials", &body)
}

/// The requests that carry a text.
fn requests_carrying(scene: &Scene, secret: &str) -> Vec<String> {
    let all = scene.world.sent();
    all.iter()
        .filter(|sent| text_of(sent).contains(secret))
        .map(|sent| sent.url.clone())
        .collect()
}

/// What the gateway answers to requests that look like a handshake or an event.
fn answers_to_forged_webhooks(scene: &Scene) -> String {
    let anonymous = scene.setting.client.with_token("");
    let mut answers = String::new();
    for path in [
        format!("/environment-integration-webhook/{}", scene.setting.install),
        format!("/integrated-account-webhook/{}", scene.account),
    ] {
        for (method, query, body) in [
            ("POST", "", r#"{"m":"forged"}"#),
            ("POST", "?m=forged", ""),
            ("GET", "?m=forged", ""),
            ("POST", "", r#"{"m":"e30.e30"}"#),
        ] {
            let body = if body.is_empty() {
                Body::Empty
            } else {
                Body::from_bytes(body.to_owned())
            };
            let answer = anonymous.request(
                method,
                &format!("{path}{query}"),
                &[("content-type", "application/json"), ("x-m", "forged")],
                body,
            );
            answers.push_str(answer.text());
        }
    }
    answers
}

fn nested(path: &str, value: &Value) -> Value {
    path.rsplit('/')
        .fold(value.clone(), |value, key| json!({ key: value }))
}

const CREDENTIAL: &str = "credentials/oauth2_client_credentials/config";
const SIGNATURE: &str = "webhook/signature_verification/config";

/// Keys of the authorization code grant alone: an override that gives one to another credential is refused.
const FOR_CODES: [&str; 3] = [
    "auth/discover",
    "auth/registrationUrl",
    "client/metadataDocument",
];

/// Every key that aims a client secret or says how it is sent, with another value.
fn aims() -> Vec<(String, Value)> {
    let evil = "https://evil.example";
    let table = [
        ("auth/tokenHost", json!(evil)),
        ("auth/tokenPath", json!("/elsewhere")),
        ("auth/tokenUrl", json!("https://evil.example/token")),
        ("auth/refreshPath", json!("/elsewhere")),
        ("auth/refreshUrl", json!("https://evil.example/token")),
        ("auth/revokePath", json!("/elsewhere")),
        ("auth/introspectPath", json!("/elsewhere")),
        ("auth/authorizeHost", json!(evil)),
        ("auth/authorizePath", json!("/elsewhere")),
        ("auth/authorizeUrl", json!("https://evil.example/authorize")),
        ("auth/issuer", json!(evil)),
        ("auth/issuerOptional", json!(true)),
        ("auth/discover", json!("https://evil.example/mcp")),
        (
            "auth/registrationUrl",
            json!("https://evil.example/register"),
        ),
        ("registration", json!({ "client_name": "another" })),
        ("client/metadataDocument", json!(true)),
        ("client/id", json!("another")),
        ("client/idParamName", json!("app")),
        ("client/secretParamName", json!("key")),
        ("options/scopeSeparator", json!(",")),
        ("options/bodyFormat", json!("json")),
        ("options/authorizationMethod", json!("body")),
        (
            "jwt",
            json!({ "algorithm": "RS256", "key": "{{environment_variables.signing_key}}" }),
        ),
        ("options/credentialsEncoding", json!("raw")),
        ("tokenParams", json!({ "mirror": "on" })),
        ("refreshParams", json!({ "mirror": "on" })),
        ("tokenHeaders", json!({ "x-mirror": "on" })),
        ("tokenParamNames", json!({ "scope": "mirror" })),
        ("callbackGrant", json!("client_credentials")),
        (
            "alsoFor",
            json!({ "other": { "scope": ["all"], "tokenUrl": "https://evil.example/token" } }),
        ),
    ];
    let mut all: Vec<_> = table
        .into_iter()
        .map(|(key, value)| (format!("{CREDENTIAL}/{key}"), value))
        .collect();
    all.push(("allowed_hosts".to_owned(), json!(["*"])));
    all
}

/// Every key that uses a signing secret, with another value.
fn signings() -> Vec<(String, Value)> {
    let table = [
        ("algorithm", json!("sha1")),
        ("secret_encoding", json!("base64")),
        ("parts", json!(["v0:", "$body"])),
        ("verification_content", json!("{{body}}")),
        ("string_type", json!("base64")),
        ("signed_body", json!("sent")),
        ("compare_with", json!("$query.signature")),
        ("signature", json!({ "header": "x-signatures" })),
        ("timestamp", json!({ "from": "$header.x-time" })),
        ("body_hash", json!({ "from": "$header.x-hash" })),
        ("public_key", json!("MCowBQYDK2VwAyEA")),
        ("jwks_url", json!("https://evil.example/keys")),
        ("public_key_url", json!("{{body.url}}")),
        ("public_key_url_pattern", json!("https://evil\\.example/.*")),
        ("issuer", json!("https://evil.example")),
        ("audience", json!("another")),
        ("claim_hash", json!({ "claim": "qsh" })),
        ("username", json!("another")),
    ];
    let mut all: Vec<_> = table
        .into_iter()
        .map(|(key, value)| (format!("{SIGNATURE}/{key}"), value))
        .collect();
    all.push((
        "webhook/signature_verification/format".to_owned(),
        json!("jwt"),
    ));
    all.push((
        "webhook/challenge".to_owned(),
        json!({ "from": "$query.m" }),
    ));
    all.push((
        "webhook/handle_verification".to_owned(),
        json!("{ \"body\": query.m }"),
    ));
    all.push(("webhook/allow_unsigned_handshake".to_owned(), json!(true)));
    all.push((
        "webhook/confirm_url_pattern".to_owned(),
        json!("https://evil\\.example/.*"),
    ));
    all
}

/// The keys that the schema of integration files has in this type.
fn keys_of(definition: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join("integration.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let keys = &schema["$defs"][definition]["properties"];
    keys.as_object()
        .unwrap_or_else(|| panic!("{definition}"))
        .keys()
        .cloned()
        .collect()
}

#[test]
fn the_tables_of_this_test_have_every_key_of_the_schema() {
    let has = |table: &[(String, Value)], place: &str, definition: &str, others: &[&str]| {
        for key in keys_of(definition)
            .iter()
            .filter(|key| !others.contains(&key.as_str()))
        {
            let path = if place.is_empty() {
                key.clone()
            } else {
                format!("{place}/{key}")
            };
            let is_there = table
                .iter()
                .any(|(own, _)| *own == path || own.starts_with(&format!("{path}/")));
            assert!(
                is_there,
                "{definition}: `{path}` is new: does it aim or use a secret?"
            );
        }
    };
    has(
        &aims(),
        &format!("{CREDENTIAL}/auth"),
        "OAuthEndpoints",
        &[],
    );
    has(
        &aims(),
        &format!("{CREDENTIAL}/client"),
        "OAuthClient",
        &["secret"],
    );
    has(
        &aims(),
        &format!("{CREDENTIAL}/options"),
        "OAuthOptions",
        &[],
    );
    let harmless = [
        "scope",
        "params",
        "tokenExpiryDuration",
        "pkce",
        "tokenResponsePath",
        "contextFromToken",
        "contextFromCallback",
        "contextFromClaims",
        "tokenNames",
        "expires_in_unit",
        "refreshKeepsToken",
        "authorizeParamNames",
        "authorizeFragment",
        "codeParam",
        "fields",
    ];
    has(&aims(), CREDENTIAL, "OAuth2", &harmless);
    // The secrets themselves, and what only says whose the events are.
    let others = [
        "secret",
        "previous_secret",
        "token",
        "password",
        "context_lookup_field_name",
        "context_lookup_field_value",
    ];
    has(&signings(), SIGNATURE, "SignatureConfig", &others);
    has(
        &signings(),
        "webhook",
        "Webhook",
        &["payload_transform", "event_id"],
    );
}

#[test]
fn a_client_secret_goes_nowhere_else_whatever_key_of_whatever_layer_is_changed_and_when() {
    each_case(LAYERS, |layer| {
        each_case(aims(), |(path, value)| {
            let (scene, answer) = write(layer, &nested(&path, &value));
            let refreshed = refresh(&scene);
            let carried = requests_carrying(&scene, SECRET);
            let planted = matches!(layer, Layer::PlantedInstall | Layer::PlantedAccount);
            if answer.status == 422 {
                assert!(
                    !planted,
                    "{layer:?} {path}: the operator's own file is good: {}",
                    answer.text()
                );
                // It is as it was.
                assert_eq!(
                    refreshed.status,
                    200,
                    "{layer:?} {path}: {}",
                    refreshed.text()
                );
                assert!(
                    carried
                        .iter()
                        .all(|url| url == &format!("https://{HOME}/token")),
                    "{layer:?} {path}: {carried:?}"
                );
            } else {
                assert!(planted, "{layer:?} {path} was taken: {}", answer.text());
                let text = refreshed.text().to_owned();
                if FOR_CODES.iter().any(|key| path.ends_with(key)) {
                    // The override was refused: it is as it was.
                    assert_eq!(refreshed.status, 200, "{layer:?} {path}: {text}");
                    let home = format!("https://{HOME}/token");
                    assert!(carried.iter().all(|url| *url == home), "{carried:?}");
                    return;
                }
                assert_eq!(
                    refreshed.code(409),
                    "integration.secret_unbound",
                    "{layer:?} {path}"
                );
                assert!(text.contains("client.secret"), "{text}");
                assert!(carried.is_empty(), "{layer:?} {path}: {carried:?}");
            }
        });
    });
}

#[test]
fn a_refused_write_names_the_secret_and_is_taken_with_it() {
    each_case([Layer::Put, Layer::Patch, Layer::Install], |layer| {
        let change = nested(&format!("{CREDENTIAL}/auth/tokenPath"), &json!("/token/v2"));
        let (scene, answer) = write(layer, &change);
        let refused = answer.expect(422);
        assert_eq!(refused["code"], "caller.host_key");
        let place = &refused["details"]["failures"][0];
        let start = if layer == Layer::Install {
            "override"
        } else {
            "config"
        };
        assert_eq!(
            place["path"],
            format!("{start}.credentials.oauth2_client_credentials.config.client.secret")
        );
        assert!(
            place["message"]
                .as_str()
                .unwrap()
                .contains("send the secret again"),
            "{place}"
        );
        let mut change = change;
        causeway::json::merge(
            &mut change,
            &nested(
                &format!("{CREDENTIAL}/client/secret"),
                &json!("brought-again-0815"),
            ),
        );
        let mut file = bound_file();
        causeway::json::merge(&mut file["config"], &change);
        let taken = match layer {
            Layer::Put => put(&scene, &file),
            Layer::Patch => patch(&scene, &change),
            _ => override_install(&scene, &change),
        };
        taken.expect(200);
        refresh(&scene).expect(200);
        let went = requests_carrying(&scene, "brought-again-0815");
        assert_eq!(went, [format!("https://{HOME}/token/v2")], "{layer:?}");
    });
}

#[test]
fn an_account_may_bring_its_own_client_by_its_context() {
    let scene = open(&bound_file());
    let own = nested(
        CREDENTIAL,
        &json!({ "client": { "id": "{{client_id}}", "secret": "{{client_secret}}" }, "auth": { "tokenPath": "/own" } }),
    );
    override_account(&scene, &own).expect(200);
    let path = format!("/integrated-account/{}/credentials", scene.account);
    let context =
        json!({ "context": { "client_id": "own", "client_secret": "customers-own-secret" } });
    scene
        .setting
        .client
        .send("PATCH", &path, &context)
        .expect(200);
    refresh(&scene).expect(200);
    assert_eq!(
        requests_carrying(&scene, "customers-own-secret"),
        [format!("https://{HOME}/own")]
    );
    assert!(requests_carrying(&scene, SECRET).is_empty());
}

#[test]
fn no_layer_makes_the_gateway_sign_with_the_operators_webhook_secret() {
    let oracle = json!({
        "signature_verification": { "format": "none" },
        "challenge": { "from": "$body.m" },
        "handle_verification": "{ \"status\": 200, \"body\": challenge_hmac }",
        "allow_unsigned_handshake": true,
    });
    let signatures =
        ["forged", "e30.e30", r#"{"m":"forged"}"#].map(|message| signed(SIGNING, message));
    each_case(LAYERS, |layer| {
        let mut changes: Vec<Value> = signings()
            .iter()
            .map(|(path, value)| nested(path, value))
            .collect();
        for from in ["$body.m", "$query.m", "$header.x-m"] {
            for format in ["none", "hmac", "jwt"] {
                let mut change = json!({ "webhook": oracle });
                change["webhook"]["challenge"]["from"] = json!(from);
                change["webhook"]["signature_verification"]["format"] = json!(format);
                changes.push(change);
            }
        }
        each_case(changes, |change| {
            let (scene, answer) = write(layer, &change);
            let answers = answers_to_forged_webhooks(&scene);
            assert!(
                !signatures
                    .iter()
                    .any(|signature| answers.contains(signature)),
                "{layer:?} {change} {}: {answers}",
                answer.status
            );
        });
    });
}

#[test]
fn a_challenge_needs_a_proof_beside_it() {
    let mut file = bound_file();
    file["config"]["webhook"]["signature_verification"]["format"] = json!("none");
    file["config"]["webhook"]["challenge"] = json!({ "from": "$body.m" });
    file["config"]["webhook"]["handle_verification"] =
        json!("{ \"status\": 200, \"body\": challenge_hmac }");
    let refused = Client::admin(&World::new())
        .send("PUT", "/integration/bound-secrets", &file)
        .expect(422);
    assert_eq!(
        refused["details"]["failures"][0]["path"],
        "config.webhook.challenge"
    );
}

/// A place of the file that reads the variable `app_key`, or where what reads it goes.
fn variable_moves() -> Vec<(&'static str, Value)> {
    vec![
        (
            "the host of everything",
            json!({ "base_url": "https://other.bound-secrets.example" }),
        ),
        (
            "a method with its own host",
            json!({ "resources": { "y": { "list": { "path": "/y", "base_url": "https://y.bound-secrets.example" } } } }),
        ),
        (
            "an action with its own host",
            json!({ "actions": { "a": { "type": "request", "config": { "path": "/y", "base_url": "https://y.bound-secrets.example" } } } }),
        ),
        (
            "the hosts that are allowed",
            json!({ "allowed_hosts": ["*"] }),
        ),
        (
            "another header",
            json!({ "headers": { "x-copy": "{{environment_variables.app_key}}" } }),
        ),
        (
            "a query",
            json!({ "query": { "copy": "{{environment_variables.app_key}}" } }),
        ),
        (
            "all variables",
            json!({ "query": { "copy": "{{environment_variables:json}}" } }),
        ),
        (
            "a method",
            json!({ "resources": { "x": { "list": { "headers": { "description": "{{environment_variables.app_key}}" } } } } }),
        ),
        (
            "the body of a method",
            json!({ "resources": { "y": { "create": { "method": "post", "path": "/y", "body": { "deep": [{ "x-copy": "{{a|environment_variables.app_key:str}}" }] } } } } }),
        ),
        (
            "a step of an action",
            json!({ "actions": { "a": { "steps": [{ "type": "request", "config": { "resource": "x", "method": "list", "query": { "q": "{{ environment_variables.app_key }}" } } }] } } }),
        ),
        (
            "the token request",
            nested(
                &format!("{CREDENTIAL}/tokenParams"),
                &json!({ "copy": "{{environment_variables.app_key}}" }),
            ),
        ),
        (
            "the authorization request",
            nested(
                &format!("{CREDENTIAL}/params"),
                &json!({ "copy": "{{environment_variables.app_key}}" }),
            ),
        ),
        (
            "a scope",
            nested(
                &format!("{CREDENTIAL}/scope"),
                &json!(["{{environment_variables.app_key}}"]),
            ),
        ),
        (
            "signing in",
            json!({ "authorization": { "format": "bearer", "config": { "token": "{{environment_variables.app_key}}" } } }),
        ),
        (
            "a webhook",
            nested(
                &format!("{SIGNATURE}/audience"),
                &json!("{{environment_variables.app_key}}"),
            ),
        ),
    ]
}

#[test]
fn a_secret_variable_stays_where_it_was_given_for() {
    each_case(variable_moves(), |(name, change)| {
        each_case([Layer::Patch, Layer::Install, Layer::Account], |layer| {
            let scene = open(&bare());
            override_install(
                &scene,
                &json!({ "secret_environment_variables": { "app_key": VARIABLE } }),
            )
            .expect(200);
            let call = || {
                scene
                    .setting
                    .client
                    .get(&format!("/proxy/x?integrated_account_id={}", scene.account))
            };
            call().expect(200);
            assert_eq!(requests_carrying(&scene, VARIABLE).len(), 1, "{name}");
            let answer = match layer {
                Layer::Patch => patch(&scene, &change),
                Layer::Install => override_install(&scene, &change),
                _ => override_account(&scene, &change),
            };
            if layer == Layer::Patch {
                // The operator's file may change; what an install gave for another one does not follow.
                answer.expect(200);
                assert_eq!(call().code(409), "integration.secret_unbound", "{name}");
                override_install(
                    &scene,
                    &json!({ "secret_environment_variables": { "app_key": "brought-again-0815" } }),
                )
                .expect(200);
                assert_ne!(call().status, 409, "{name}");
            } else {
                let refused = answer.expect(422);
                assert_eq!(refused["code"], "caller.host_key", "{name} {layer:?}");
                assert!(
                    refused
                        .to_string()
                        .contains("secret_environment_variables.app_key"),
                    "{refused}"
                );
                call().expect(200);
            }
            assert!(
                requests_carrying(&scene, VARIABLE)
                    .iter()
                    .all(|url| url.starts_with("https://api.bound-secrets.example/x")),
                "{name} {layer:?}"
            );
        });
    });
}

#[test]
fn what_does_not_touch_a_secret_is_free_to_change() {
    let changes = [
        json!({ "label": "Vault" }),
        json!({ "resources": { "z": { "list": { "path": "/z" } } } }),
        json!({ "resources": { "x": { "list": { "description": "all of them" } } } }),
        json!({ "rate_limit": { "is_rate_limited": "status = 420" } }),
        json!({ "webhook": { "payload_transform": "[]" } }),
        json!({ "pagination": { "format": "link_header" } }),
        nested(&format!("{CREDENTIAL}/scope"), &json!(["read"])),
        nested(
            &format!("{CREDENTIAL}/fields"),
            &json!([{ "name": "team" }]),
        ),
    ];
    each_case(changes, |change| {
        each_case(
            [Layer::Put, Layer::Patch, Layer::Install, Layer::Account],
            |layer| {
                let (scene, answer) = write(layer, &change);
                answer.expect(200);
                override_install(
                    &scene,
                    &json!({ "secret_environment_variables": { "app_key": VARIABLE } }),
                )
                .expect(200);
                patch(&scene, &json!({ "label": "once more" })).expect(200);
                refresh(&scene).expect(200);
                scene
                    .setting
                    .client
                    .get(&format!("/proxy/x?integrated_account_id={}", scene.account))
                    .expect(200);
                assert_eq!(
                    requests_carrying(&scene, SECRET).len(),
                    1,
                    "{layer:?} {change}"
                );
            },
        );
    });
}

#[test]
fn a_variable_that_aims_the_operators_secret_takes_it_away() {
    let mut file = bound_file();
    *file
        .pointer_mut(&format!("/config/{CREDENTIAL}/auth/tokenHost"))
        .unwrap() = json!("https://{{environment_variables.region?:login}}.bound-secrets.example");
    each_case(
        ["environment_variables", "secret_environment_variables"],
        |kind| {
            let scene = open(&file);
            refresh(&scene).expect(200);
            each_case([&scene.setting.admin, &scene.setting.client], |client| {
                let refused =
                    scene.override_install_as(client, &json!({ kind: { "region": "evil" } }));
                assert_eq!(refused.code(422), "caller.host_key", "{kind}");
            });
            let own = nested(
                &format!("{CREDENTIAL}/client/secret"),
                &json!("brought-again-0815"),
            );
            let mut change = json!({ kind: { "region": "evil" } });
            causeway::json::merge(&mut change, &own);
            override_install(&scene, &change).expect(200);
            scene.world.sent();
            refresh(&scene).expect(200);
            assert_eq!(
                requests_carrying(&scene, SECRET),
                Vec::<String>::new(),
                "{kind}"
            );
        },
    );
}

#[test]
fn an_account_whose_secret_is_unbound_can_still_be_seen_and_mended() {
    let scene = open(&bare());
    let planted = nested(
        &format!("{CREDENTIAL}/auth/tokenHost"),
        &json!("https://evil.bound-secrets.example"),
    );
    override_account(&scene, &planted).expect(200);
    put(&scene, &bound_file()).expect(200);
    assert_eq!(refresh(&scene).code(409), "integration.secret_unbound");
    let path = format!("/integrated-account/{}", scene.account);
    let seen = scene.setting.client.get(&path).expect(200);
    assert_eq!(seen["status"], "active");
    // What it did not cause does not block another change.
    override_account(&scene, &json!({ "label": "x" })).expect(200);
    override_account(&scene, &Value::Null).expect(200);
    refresh(&scene).expect(200);
}

#[test]
fn rotating_the_sealing_key_keeps_what_a_secret_is_bound_to() {
    let scene = open(&bound_file());
    scene
        .setting
        .admin
        .post("/sealing/rotate", &json!({}))
        .expect(200);
    scene.world.settle();
    refresh(&scene).expect(200);
    let refused = override_install(
        &scene,
        &nested(&format!("{CREDENTIAL}/auth/tokenPath"), &json!("/x")),
    );
    assert_eq!(refused.code(422), "caller.host_key");
}

#[test]
fn an_install_that_is_made_with_another_aim_brings_the_secret() {
    let world = World::new();
    let setting = Setting::new(&world, &bound_file());
    let environment = setting.admin.environment("second");
    let change = nested(
        &format!("{CREDENTIAL}/auth/tokenHost"),
        &json!("https://evil.bound-secrets.example"),
    );
    let body = |change: &Value| json!({ "environment_id": environment, "integration_name": "bound-secrets", "override": change });
    let refused = setting
        .admin
        .post("/environment-integration", &body(&change));
    assert_eq!(refused.code(422), "caller.host_key");
    let mut change = change;
    causeway::json::merge(
        &mut change,
        &nested(&format!("{CREDENTIAL}/client/secret"), &json!("own")),
    );
    id_of(
        &setting
            .admin
            .post("/environment-integration", &body(&change))
            .expect(201),
    );
}
