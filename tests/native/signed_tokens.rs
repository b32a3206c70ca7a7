//! `jwt`: tokens that the gateway signs, sent as they are, as the assertion of a grant, and as the client's proof.

use std::collections::BTreeMap;

use causeway::config::read;
use causeway::crypto::{Hash, PublicKey};
use causeway::ports::Body;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::outside::{Sent, World, reply};

const TOKEN_URL: &str = "https://signed-provider.example/token";
const NOW: i64 = 1_700_000_000;

fn keys() -> Value {
    serde_json::from_str(include_str!("../../src/crypto/private_key/keys.json")).unwrap()
}

fn private(kind: &str) -> String {
    keys()[kind]["pkcs8"].as_str().unwrap().to_owned()
}

/// What a verified token says: its header and its claims.
fn verified(token: &str, kind: &str) -> (Value, Value) {
    let public = PublicKey::parse(keys()[kind]["public"].as_str().unwrap()).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    assert!(
        public.verifies(Hash::Sha256, signed.as_bytes(), &signature),
        "{token}"
    );
    let (header, claims) = signed.split_once('.').unwrap();
    let read = |part: &str| {
        let bytes = BASE64URL_NOPAD.decode(part.as_bytes()).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    };
    (read(header), read(claims))
}

fn file(format: &str, config: &Value) -> Value {
    json!({
        "name": "signed-provider",
        "config": {
            "base_url": "https://signed-provider.example",
            "credentials": { format: { "config": config } },
            "authorization": { "format": "bearer" },
            "resources": { "items": { "get": { "path": "/items/{{id}}" } } },
        },
    })
}

fn jwt() -> Value {
    json!({ "algorithm": "RS256", "key": "{{private_key}}", "key_id": "{{key_id}}", "claims": { "iss": "{{account}}", "sub": "{{account}}" } })
}

fn fields() -> Value {
    json!([
        { "name": "account" }, { "name": "key_id" },
        { "name": "private_key", "type": "password", "required": true },
    ])
}

fn context() -> Value {
    json!({ "account": "robot@signed-provider.example", "key_id": "k-1", "private_key": private("rsa") })
}

/// A provider that grants `granted` and repeats what it was sent where it refuses.
fn scene(format: &str, config: &Value, context: &Value) -> Scene {
    let world = World::new();
    world.provides(|sent| {
        let body = match sent.url.as_str() {
            TOKEN_URL => r#"{"access_token":"granted","expires_in":600}"#,
            _ => "{}",
        };
        reply(200, &JSON, Body::from_bytes(body))
    });
    Scene::new(world, &file(format, config), format, context)
}

fn call(scene: &Scene) -> Vec<Sent> {
    let answer = scene.call_passing("GET", "/proxy/items/1", &[], Body::Empty);
    assert_eq!(answer.status, 200, "{}", answer.text());
    scene.world.sent()
}

fn pairs(sent: &Sent) -> BTreeMap<String, String> {
    form_urlencoded::parse(&sent.body).into_owned().collect()
}

#[test]
fn a_self_signed_token_is_sent_and_signed_again_before_it_expires() {
    let config = json!({ "fields": fields(), "jwt": jwt() });
    let scene = scene("jwt", &config, &context());
    let token = |sent: &Sent| sent.header("authorization").unwrap().replace("Bearer ", "");
    let first = token(&call(&scene)[0]);
    let (header, claims) = verified(&first, "rsa");
    assert_eq!(
        header,
        json!({ "alg": "RS256", "typ": "JWT", "kid": "k-1" })
    );
    assert_eq!(claims["iss"], "robot@signed-provider.example");
    assert_eq!(claims["iat"], NOW - 30);
    assert_eq!(claims["nbf"], NOW - 30);
    assert_eq!(claims["exp"], NOW - 30 + 300);
    assert_eq!(claims["jti"].as_str().unwrap().len(), 32);
    assert_eq!(token(&call(&scene)[0]), first);
    scene.world.pass(std::time::Duration::from_secs(260));
    let second = token(&call(&scene)[0]);
    assert_ne!(second, first);
    assert_eq!(verified(&second, "rsa").1["iat"], NOW + 260 - 30);
    assert!(!scene.world.at_rest().contains("PRIVATE KEY"));
}

#[test]
fn an_assertion_gets_a_token_as_rfc_7523_says() {
    let mut signed = jwt();
    signed["claims"]["scope"] = json!("read");
    signed["lifetime"] = json!(3600);
    let config = json!({ "fields": fields(), "auth": { "tokenUrl": TOKEN_URL }, "jwt": signed });
    let scene = scene("jwt_bearer", &config, &context());
    let sent = call(&scene);
    let asked = pairs(&sent[0]);
    assert_eq!(
        asked["grant_type"],
        "urn:ietf:params:oauth:grant-type:jwt-bearer"
    );
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert_eq!(sent[0].header("authorization"), None);
    let claims = verified(&asked["assertion"], "rsa").1;
    assert_eq!(claims["aud"], TOKEN_URL);
    assert_eq!(claims["scope"], "read");
    assert_eq!(
        claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
        3600
    );
    assert_eq!(sent[1].header("authorization"), Some("Bearer granted"));
}

#[test]
fn a_client_proves_itself_by_a_token_in_place_of_a_secret() {
    let config = json!({
        "fields": [{ "name": "client_id" }, { "name": "private_key", "type": "password" }],
        "auth": { "tokenUrl": TOKEN_URL },
        "options": { "authorizationMethod": "private_key_jwt" },
        "jwt": { "algorithm": "ES256", "key": "{{private_key}}" },
    });
    let context = json!({ "client_id": "c-1", "private_key": private("ec") });
    let scene = scene("oauth2_client_credentials", &config, &context);
    let sent = call(&scene);
    let asked = pairs(&sent[0]);
    assert_eq!(asked["grant_type"], "client_credentials");
    assert_eq!(asked["client_id"], "c-1");
    assert_eq!(
        asked["client_assertion_type"],
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    );
    assert!(!asked.contains_key("client_secret"));
    let claims = verified(&asked["client_assertion"], "ec").1;
    assert_eq!(
        (&claims["iss"], &claims["sub"]),
        (&json!("c-1"), &json!("c-1"))
    );
    assert_eq!(claims["aud"], TOKEN_URL);
}

/// A GitHub App: a token of the app gets one of its installation.
#[test]
fn a_step_sends_the_signed_token_and_it_is_stored_nowhere() {
    let config = json!({
        "fields": fields(),
        "jwt": jwt(),
        "steps": [{ "type": "request", "config": {
            "method": "post", "path": "/app/installations/7/access_tokens",
            "authorization": { "format": "bearer", "config": { "token": "{{jwt}}" } },
        } }],
        "token": { "access_token": "token" },
    });
    let world = World::new();
    world.provides(|sent| {
        let token = sent.header("authorization").unwrap().replace("Bearer ", "");
        if sent.url.ends_with("/access_tokens") {
            verified(&token, "rsa");
            return reply(
                201,
                &JSON,
                Body::from_bytes(r#"{"token":"of-the-installation"}"#),
            );
        }
        assert_eq!(token, "of-the-installation");
        reply(200, &JSON, Body::from_bytes("{}"))
    });
    let scene = Scene::new(
        world,
        &file("custom_token", &config),
        "custom_token",
        &context(),
    );
    call(&scene);
    let account = scene
        .setting
        .client
        .get(&format!("/integrated-account/{}", scene.account));
    assert!(account.expect(200)["context"].get("jwt").is_none());
}

#[test]
fn a_provider_that_repeats_the_assertion_gives_it_to_no_caller() {
    let config = json!({ "fields": fields(), "auth": { "tokenUrl": TOKEN_URL }, "jwt": jwt() });
    let scene = scene("jwt_bearer", &config, &context());
    scene.world.provides(|sent| {
        let assertion = pairs(sent).remove("assertion").unwrap_or_default();
        let body = json!({ "error": "invalid_request", "error_description": assertion });
        reply(400, &JSON, Body::from_bytes(body.to_string()))
    });
    let answer = scene.call_passing("GET", "/proxy/items/1", &[], Body::Empty);
    assert!(
        answer.status >= 400 && !answer.text().contains("eyJ"),
        "{}",
        answer.text()
    );
}

#[test]
fn a_key_that_does_not_fit_is_said_and_not_shown() {
    let cases = [private("ec"), "no-key-at-all".to_owned()];
    each_case(cases, |key| {
        let config = json!({ "fields": fields(), "jwt": jwt() });
        let mut context = context();
        context["private_key"] = json!(key);
        let scene = scene("jwt", &config, &context);
        let answer = scene.call_passing("GET", "/proxy/items/1", &[], Body::Empty);
        assert!(answer.status >= 400, "{}", answer.text());
        assert!(!answer.text().contains(&key));
    });
}

#[test]
fn what_the_gateway_sets_and_keys_that_cannot_fit_are_errors_of_the_file() {
    let cases = [
        (json!({ "claims": { "exp": 1 } }), "jwt.claims.exp"),
        (json!({ "header": { "alg": "none" } }), "jwt.header.alg"),
        (json!({ "algorithm": "HS256" }), "jwt.key_format"),
        (json!({ "key_format": "utf8" }), "jwt.key_format"),
        (json!({ "algorithm": "none" }), "jwt.algorithm"),
        (json!({ "lifetime": 59 }), "jwt.lifetime"),
        (json!({ "lifetime": 86_401 }), "jwt.lifetime"),
    ];
    each_case(cases, |(change, place)| {
        let mut signed = jwt();
        causeway::json::merge(&mut signed, &change);
        let found = read(&file("jwt", &json!({ "fields": fields(), "jwt": signed })));
        let expected = format!("config.credentials.jwt.config.{place}");
        let paths: Vec<_> = found.findings.iter().map(|one| one.path.clone()).collect();
        assert!(
            found.integration.is_none() && paths.contains(&expected),
            "{paths:?}"
        );
    });
    for lifetime in [60, 86_400] {
        let mut signed = jwt();
        signed["lifetime"] = json!(lifetime);
        let found = read(&file("jwt", &json!({ "fields": fields(), "jwt": signed })));
        assert_eq!(found.findings, []);
    }
    let bare = json!({ "auth": { "tokenUrl": TOKEN_URL } });
    assert!(read(&file("jwt_bearer", &bare)).integration.is_none());
}

#[test]
fn the_operators_key_signs_for_no_subject_that_the_customer_types() {
    for format in ["jwt", "jwt_bearer"] {
        let mut config = json!({ "fields": [{ "name": "account" }], "jwt": {
            "algorithm": "RS256", "key": "{{environment_variables.private_key}}", "claims": { "sub": "{{account}}" },
        } });
        if format == "jwt_bearer" {
            config["auth"] = json!({ "tokenUrl": TOKEN_URL });
        }
        let found = read(&file(format, &config));
        let expected = format!("config.credentials.{format}.config.jwt.claims.sub");
        let paths: Vec<_> = found.findings.iter().map(|one| one.path.clone()).collect();
        assert!(paths.contains(&expected), "{paths:?}");
        assert!(found.integration.is_none());
    }
}
