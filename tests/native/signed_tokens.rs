//! `jwt`: tokens that the gateway signs, sent as they are, as the assertion of a grant, and to authenticate a client.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use causeway::config::read;
use causeway::crypto::{Hash, PublicKey, hmac};
use causeway::ports::{Body, System};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::client::Answer;
use crate::connect_shipped::form_of;
use crate::outside::{Sent, World, reply};

const TOKEN_URL: &str = "https://signed-provider.example/token";
const NOW: i64 = 1_700_000_000;

fn keys() -> Value {
    serde_json::from_str(include_str!("../../src/crypto/private_key/keys.json")).unwrap()
}

pub fn private(kind: &str) -> String {
    keys()[kind]["pkcs8"].as_str().unwrap().to_owned()
}

/// What a verified token says: its header and its claims.
pub fn verified(token: &str, kind: &str) -> (Value, Value) {
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
    let asked = form_of(&sent[0]);
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
fn a_client_is_authenticated_by_a_token_in_place_of_a_secret() {
    let config = json!({
        "fields": [{ "name": "client_id" }, { "name": "private_key", "type": "password" }],
        "auth": { "tokenUrl": TOKEN_URL },
        "options": { "authorizationMethod": "private_key_jwt" },
        "jwt": { "algorithm": "ES256", "key": "{{private_key}}" },
    });
    let context = json!({ "client_id": "c-1", "private_key": private("ec") });
    let scene = scene("oauth2_client_credentials", &config, &context);
    let sent = call(&scene);
    let asked = form_of(&sent[0]);
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

/// The claims that Google documents for a service account
/// (<https://developers.google.com/identity/protocols/oauth2/service-account#authorizingrequests>).
#[test]
fn a_service_account_asserts_what_google_documents() {
    let documented = json!({
        "iss": "761326798069-r5mljlln1rd4lrbhg75efgigp36m78j5@developer.gserviceaccount.com",
        "scope": "https://www.googleapis.com/auth/devstorage.read_only",
        "aud": "https://oauth2.googleapis.com/token",
    });
    let config = json!({
        "fields": [
            { "name": "client_email" }, { "name": "private_key_id" },
            { "name": "private_key", "type": "password", "required": true },
        ],
        "auth": { "tokenUrl": documented["aud"] },
        "jwt": {
            "algorithm": "RS256", "key": "{{private_key}}", "key_id": "{{private_key_id}}",
            "claims": { "iss": "{{client_email}}", "scope": documented["scope"] },
            "lifetime": 3600,
        },
    });
    let context = json!({
        "client_email": documented["iss"], "private_key": private("rsa"),
        "private_key_id": "370ab79b4513eb9bad7c9bd16a95cb76b5b2a56a",
    });
    let world = World::new();
    world.answers(
        200,
        &JSON,
        r#"{"access_token":"1/8xbJqaOZXSUZbHLl5EOtu1pxz3fmmetKx9W8CV4t79M","token_type":"Bearer","expires_in":3600}"#,
    );
    let scene = Scene::new(world, &file("jwt_bearer", &config), "jwt_bearer", &context);
    let sent = scene.world.sent();
    assert_eq!(
        (sent.len(), sent[0].url.as_str()),
        (1, "https://oauth2.googleapis.com/token")
    );
    let form = String::from_utf8(sent[0].body.clone()).unwrap();
    let documented_start =
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=ey";
    assert!(form.starts_with(documented_start), "{form}");
    let (header, mut claims) = verified(&form_of(&sent[0])["assertion"], "rsa");
    let kid = "370ab79b4513eb9bad7c9bd16a95cb76b5b2a56a";
    assert_eq!(header, json!({ "alg": "RS256", "typ": "JWT", "kid": kid }));
    let claims = claims.as_object_mut().unwrap();
    let mut time = |name| claims.shift_remove(name).unwrap().as_i64().unwrap();
    let (issued, expires) = (time("iat"), time("exp"));
    assert!(issued <= NOW && expires - issued <= 3600);
    assert_eq!(time("nbf"), issued);
    claims.shift_remove("jti").unwrap();
    assert_eq!(&documented, &json!(claims));
}

/// A GitHub App: a token of the app gets one of its installation
/// (<https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app>).
fn app() -> Value {
    json!({
        "fields": [
            { "name": "client_id" }, { "name": "installation" },
            { "name": "private_key", "type": "password", "required": true },
        ],
        "jwt": { "algorithm": "RS256", "key": "{{private_key}}", "claims": { "iss": "{{client_id}}" } },
        "steps": [{ "type": "request", "config": {
            "method": "post", "path": "/app/installations/{{installation}}/access_tokens",
            "authorization": { "format": "bearer", "config": { "token": "{{jwt}}" } },
        } }],
        "token": { "access_token": "token", "expires_at": "expires_at" },
    })
}

/// GitHub's answer has these members, and the time of the token's end. `dead` is a token that is refused.
fn serve_app(world: &World, dead: &Rc<RefCell<String>>) {
    let (issued, dead, own) = (Rc::new(Cell::new(0)), Rc::clone(dead), world.clone());
    world.provides(move |sent| {
        let token = sent.header("authorization").unwrap().replace("Bearer ", "");
        if !sent.url.ends_with("/access_tokens") {
            let status = if token == *dead.borrow() { 401 } else { 200 };
            return reply(
                status,
                &JSON,
                Body::from_bytes(json!({ "token": token }).to_string()),
            );
        }
        assert!(sent.url.ends_with("/app/installations/7/access_tokens"));
        let (header, claims) = verified(&token, "rsa");
        assert_eq!(header, json!({ "alg": "RS256", "typ": "JWT" }));
        let now = own.now().as_millis() / 1000;
        let time = |name: &str| claims[name].as_i64().unwrap();
        assert!(time("iat") < now && time("exp") > now && time("exp") <= now + 600);
        assert_eq!(claims["iss"], "Iv1.8a61f9b3a7aba766");
        issued.set(issued.get() + 1);
        let answer = json!({
            "token": format!("ghs_16C7e42F292c6912E7710c838347Ae178B4{}", issued.get()),
            "expires_at": own.now().plus(Duration::from_hours(1)).to_string(),
            "permissions": { "issues": "write", "contents": "read" },
            "repository_selection": "selected",
        });
        reply(201, &JSON, Body::from_bytes(answer.to_string()))
    });
}

#[test]
fn a_step_sends_the_signed_token_at_each_refresh_and_it_is_stored_nowhere() {
    let (world, dead) = (World::new(), Rc::default());
    serve_app(&world, &dead);
    let context = json!({ "client_id": "Iv1.8a61f9b3a7aba766", "installation": "7", "private_key": private("rsa") });
    let scene = Scene::new(
        world,
        &file("custom_token", &app()),
        "custom_token",
        &context,
    );
    let token = || {
        let answer = scene.call_passing("GET", "/proxy/items/1", &[], Body::Empty);
        answer.expect(200)["token"].as_str().unwrap().to_owned()
    };
    let first = token();
    assert_eq!(token(), first);
    dead.replace(first.clone());
    let second = token();
    assert_ne!(second, first, "after a 401");
    scene.world.pass(Duration::from_hours(2));
    assert_ne!(token(), second, "after it expired");
    let account = scene
        .setting
        .client
        .get(&format!("/integrated-account/{}", scene.account));
    assert!(account.expect(200)["context"].get("jwt").is_none());
    assert!(!scene.world.at_rest().contains("eyJ"));
}

/// What the gateway signs is not what a provider may show in an answer.
#[test]
fn a_provider_that_repeats_the_assertion_gives_it_to_no_caller() {
    let repeating = |world: &World| {
        world.provides(|sent| {
            let assertion = form_of(sent).remove("assertion").unwrap_or_default();
            let bearer = sent.header("authorization").unwrap_or_default();
            let body = json!({ "error": "invalid_request", "error_description": format!("{assertion}{bearer}") });
            reply(400, &JSON, Body::from_bytes(body.to_string()))
        });
    };
    let no_token = |answer: &Answer| {
        let text = answer.text();
        assert!(answer.status >= 400 && !text.contains("eyJ"), "{text}");
    };
    let config = json!({ "fields": fields(), "auth": { "tokenUrl": TOKEN_URL }, "jwt": jwt() });
    let granted = scene("jwt_bearer", &config, &context());
    repeating(&granted.world);
    granted.world.pass(Duration::from_hours(1));
    no_token(&granted.call_passing("GET", "/proxy/items/1", &[], Body::Empty));
    no_token(&imported(&granted, &context()));
    let (world, dead) = (World::new(), Rc::default());
    serve_app(&world, &dead);
    let context = json!({ "client_id": "Iv1.8a61f9b3a7aba766", "installation": "7", "private_key": private("rsa") });
    let app = Scene::new(
        world,
        &file("custom_token", &app()),
        "custom_token",
        &context,
    );
    repeating(&app.world);
    app.world.pass(Duration::from_hours(2));
    no_token(&app.call_passing("GET", "/proxy/items/1", &[], Body::Empty));
    no_token(&imported(&app, &context));
}

/// The answer to an import of another account of the scene's install.
fn imported(scene: &Scene, context: &Value) -> Answer {
    let account = format!("/integrated-account/{}", scene.account);
    let method = scene.setting.client.get(&account).expect(200)["authentication_method"].clone();
    let body = json!({
        "tenant_id": "another", "environment_integration_id": scene.setting.install,
        "authentication_method": method, "context": context,
    });
    scene.setting.client.post("/integrated-account", &body)
}

#[test]
fn a_key_that_does_not_fit_is_said_and_not_shown() {
    let config = json!({ "fields": fields(), "auth": { "tokenUrl": TOKEN_URL }, "jwt": jwt() });
    let with_steps = json!({ "fields": fields(), "jwt": jwt(), "steps": app()["steps"] });
    let cases = [
        ("jwt", json!({ "fields": fields(), "jwt": jwt() })),
        ("jwt_bearer", config),
        ("custom_token", with_steps),
    ];
    each_case(cases, |(format, config)| {
        let world = World::new();
        world.answers(200, &JSON, r#"{"access_token":"granted"}"#);
        let mut context = context();
        context["installation"] = json!("7");
        let scene = Scene::new(world, &file(format, &config), format, &context);
        for key in [private("ec"), "no-key-at-all".to_owned(), String::new()] {
            let mut wrong = context.clone();
            wrong["private_key"] = json!(key);
            let answer = imported(&scene, &wrong);
            // An import of an OAuth credential may have no fields of the form.
            let expected = if key.is_empty() && format != "jwt_bearer" {
                "caller.invalid"
            } else {
                "account.context_value"
            };
            assert!(key.is_empty() || !answer.text().contains(&key));
            assert_eq!(answer.code(422), expected);
        }
        let list = scene.setting.client.get("/integrated-account").expect(200);
        assert_eq!(
            list["result"].as_array().unwrap().len(),
            1,
            "nothing is stored"
        );
    });
}

/// With another key the old token says nothing any more.
#[test]
fn another_key_signs_the_next_token() {
    let mut signed = jwt();
    signed["algorithm"] = json!("HS256");
    signed["key_format"] = json!("utf8");
    let config = json!({ "fields": fields(), "jwt": signed });
    let mut context = context();
    context["private_key"] = json!("the-first-shared-secret");
    let scene = scene("jwt", &config, &context);
    let first = call(&scene)[0].header("authorization").unwrap().to_owned();
    let path = format!("/integrated-account/{}/credentials", scene.account);
    let new = json!({ "context": { "private_key": "another-shared-secret" } });
    scene.setting.client.send("PATCH", &path, &new).expect(200);
    assert_ne!(
        call(&scene)[0].header("authorization"),
        Some(first.as_str())
    );
}

/// What the operator's key opens by way of a step is not the customer's to choose either.
#[test]
fn a_step_that_the_operators_key_signs_for_names_no_subject_of_the_customer() {
    let mut config = app();
    config["jwt"]["key"] = json!("{{environment_variables.private_key}}");
    config["jwt"]["claims"]["iss"] = json!("{{environment_variables.client_id}}");
    let found = read(&file("custom_token", &config));
    let paths: Vec<_> = found.findings.iter().map(|one| one.path.as_str()).collect();
    let expected = "config.credentials.custom_token.config.steps[0].config";
    assert!(paths.contains(&expected), "{:?}", found.findings);
    assert!(found.integration.is_none());
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

#[test]
fn a_literal_key_of_the_file_signs_and_is_not_shown() {
    let key = "a-literal-key-of-the-file-0123456789";
    let signed = json!({ "algorithm": "HS256", "key": key, "key_format": "utf8", "claims": { "iss": "robot" } });
    let config = json!({ "fields": [{ "name": "account" }], "jwt": signed });
    let context = json!({ "account": "robot@signed-provider.example" });
    let scene = scene("jwt", &config, &context);
    let sent = call(&scene);
    let token = sent[0].header("authorization").unwrap().to_owned();
    let (text, signature) = token
        .trim_start_matches("Bearer ")
        .rsplit_once('.')
        .unwrap();
    let expected = hmac(Hash::Sha256, key.as_bytes(), text.as_bytes());
    assert_eq!(BASE64URL_NOPAD.encode(&expected), signature);
    let shown = scene.setting.admin.get("/integration/signed-provider");
    assert!(!shown.text().contains(key), "{}", shown.text());
}

#[test]
fn an_import_keeps_the_claims_of_the_token_that_it_obtains() {
    let world = World::new();
    let claims = BASE64URL_NOPAD.encode(br#"{"org":{"id":"o-7"}}"#);
    let body = json!({ "access_token": format!("e30.{claims}.x"), "expires_in": 600 }).to_string();
    world.provides(move |_| reply(200, &JSON, Body::from_bytes(body.clone())));
    let config = json!({
        "fields": fields(), "auth": { "tokenUrl": TOKEN_URL }, "jwt": jwt(),
        "contextFromClaims": { "team": "org.id" },
    });
    let scene = Scene::new(
        world,
        &file("jwt_bearer", &config),
        "jwt_bearer",
        &context(),
    );
    let account = format!("/integrated-account/{}", scene.account);
    let account = scene.setting.client.get(&account).expect(200);
    assert_eq!(account["context"]["team"], "o-7");
}
