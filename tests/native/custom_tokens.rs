//! `custom_token`: steps get a token when an account is connected or imported, ahead of its expiry and after a 401.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use causeway::config::read;
use causeway::ports::{Body, Reply};
use serde_json::{Value, json};

use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::client::Setting;
use crate::connect::Visit;
use crate::outside::{Pieces, Sent, World, reply};

/// A provider with a login endpoint. It is named as the connect stories post to it.
fn file(credential: &Value) -> Value {
    json!({
        "name": "oauth-shop",
        "config": {
            "base_url": "https://session-provider.example",
            "credentials": { "custom_token": { "config": credential } },
            "authorization": { "format": "header", "config": { "name": "x-session", "value": "{{access_token}}" } },
            "resources": { "items": { "get": { "path": "/items/{{id}}" } } },
        },
    })
}

fn credential() -> Value {
    json!({
        "fields": [
            { "name": "login", "label": "User name", "required": true },
            { "name": "password", "label": "Password", "type": "password", "required": true },
        ],
        "steps": [{ "type": "request", "config": {
            "method": "post", "path": "/login", "body": { "user": "{{login}}", "password": "{{password}}" },
        } }],
        "token": { "access_token": "data.session", "expires_in": "data.minutes * 60", "scope": "$headers.\"x-rights\"" },
        "contextFromToken": { "site": "data.site" },
    })
}

/// Logs in with the password `right`; a session is `session-1`, `session-2` and so on. `dead` is a session that is refused.
#[derive(Clone, Default)]
struct Sessions {
    logins: Rc<Cell<u32>>,
    dead: Rc<Cell<u32>>,
}

impl Sessions {
    fn serve(&self, world: &World) {
        let own = self.clone();
        world.provides(move |sent| own.answer(sent));
    }

    fn answer(&self, sent: &Sent) -> Reply<Pieces> {
        let body: Value = serde_json::from_slice(&sent.body).unwrap_or_default();
        let json = |status, body: &Value| {
            let headers = [JSON[0], ("x-rights", "read")];
            reply(status, &headers, Body::from_bytes(body.to_string()))
        };
        if sent.url.ends_with("/login") {
            assert_eq!(sent.header("x-session"), None, "a login has no session");
            if body["password"] != "right" {
                return json(401, &json!({ "message": "Wrong password right-or-wrong." }));
            }
            let count = self.logins.get() + 1;
            self.logins.set(count);
            let session = format!("session-{count}");
            return json(
                200,
                &json!({ "data": { "session": session, "minutes": 10, "site": "north" } }),
            );
        }
        let session = sent.header("x-session").unwrap_or_default();
        if session == format!("session-{}", self.dead.get()) {
            return json(401, &json!({ "message": "No session." }));
        }
        json(200, &json!({ "session": session }))
    }
}

fn scene(sessions: &Sessions, credential: &Value, context: &Value) -> Scene {
    let world = World::new();
    sessions.serve(&world);
    Scene::new(world, &file(credential), "custom_token", context)
}

fn typed() -> Value {
    json!({ "login": "ada", "password": "right" })
}

/// The session of a call, which must succeed.
fn session(scene: &Scene) -> Value {
    let answer = scene.call_passing("GET", "/proxy/items/1", &[], Body::Empty);
    answer.expect(200)["session"].clone()
}

#[test]
fn a_customer_connects_by_a_form_and_a_refusal_asks_for_it_again() {
    let world = World::new();
    let sessions = Sessions::default();
    sessions.serve(&world);
    let setting = Setting::new(&world, &file(&credential()));
    let mut visit = Visit::with(world, setting, &json!({ "tenant_id": "acme" }));
    let page = visit
        .browser
        .get(&format!("/connect/oauth-shop?link_token={}", visit.token));
    assert!(page.text().contains("name=\"login\"") && page.text().contains("name=\"password\""));
    let refused = visit.submit(
        "custom_token",
        &[("login", "ada"), ("password", "wrong-one")],
    );
    assert_eq!(refused.status, 422, "{}", refused.text());
    assert!(!refused.text().contains("wrong-one"));
    let list = visit.setting.client.get("/integrated-account").expect(200);
    assert_eq!(list["result"], json!([]), "nothing is stored");
    let connected = visit.submit("custom_token", &[("login", "ada"), ("password", "right")]);
    assert_eq!(connected.status, 200, "{}", connected.text());
    let account = visit.account();
    assert_eq!(account["status"], "active");
    assert_eq!(account["context"]["login"], "ada");
    assert_eq!(account["context"]["site"], "north");
    assert!(account["context"].get("password").is_none());
    assert!(!visit.world.at_rest().contains("session-1"));
}

#[test]
fn an_import_without_a_token_gets_one_and_one_with_a_token_does_not() {
    let sessions = Sessions::default();
    let scene = scene(&sessions, &credential(), &typed());
    assert_eq!(sessions.logins.get(), 1);
    assert_eq!(session(&scene), "session-1");
    assert_eq!(sessions.logins.get(), 1);
    let with_token = json!({ "login": "ada", "password": "right", "oauth": { "token": { "access_token": "mine" } } });
    scene.setting.account("custom_token", &with_token);
    assert_eq!(sessions.logins.get(), 1);
}

#[test]
fn an_import_that_the_provider_refuses_stores_nothing() {
    let sessions = Sessions::default();
    let scene = scene(&sessions, &credential(), &typed());
    let body = |password: &str| {
        json!({ "tenant_id": "acme", "environment_integration_id": scene.setting.install,
            "authentication_method": "custom_token", "context": { "login": "ada", "password": password } })
    };
    let refused = scene
        .setting
        .client
        .post("/integrated-account", &body("wrong-one"));
    assert!(!refused.text().contains("wrong-one"), "{}", refused.text());
    assert_eq!(refused.code(422), "account.connection_error");
    scene
        .world
        .provides(|_| reply(503, &JSON, Body::from_bytes("{}")));
    let unclear = scene
        .setting
        .client
        .post("/integrated-account", &body("right"));
    assert_eq!(unclear.code(503), "provider.token_endpoint");
    scene
        .world
        .provides(|_| reply(200, &JSON, Body::from_bytes(r#"{"data":{}}"#)));
    let empty = scene
        .setting
        .client
        .post("/integrated-account", &body("right"));
    assert_eq!(empty.code(422), "account.connection_error");
    let list = scene.setting.client.get("/integrated-account").expect(200);
    assert_eq!(list["result"].as_array().unwrap().len(), 1);
    let missing = json!({ "tenant_id": "acme", "environment_integration_id": scene.setting.install,
        "authentication_method": "custom_token", "context": { "login": "ada" } });
    let missing = scene.setting.client.post("/integrated-account", &missing);
    assert_eq!(missing.code(422), "caller.invalid");
}

#[test]
fn a_token_is_got_again_ahead_of_its_expiry_after_it_and_after_a_401() {
    let sessions = Sessions::default();
    let scene = scene(&sessions, &credential(), &typed());
    assert_eq!(session(&scene), "session-1");
    // Ten minutes; a minute ahead it is due.
    scene.world.pass(Duration::from_secs(539));
    assert_eq!(session(&scene), "session-1");
    scene.world.pass(Duration::from_secs(2));
    assert_eq!(session(&scene), "session-2");
    scene.world.pass(Duration::from_secs(700));
    let after_expiry = session(&scene);
    assert_ne!(after_expiry, "session-2");
    scene.world.pass(Duration::from_mins(2));
    sessions.dead.set(sessions.logins.get());
    let logins = sessions.logins.get();
    assert_eq!(session(&scene), format!("session-{}", logins + 1));
    assert_eq!(sessions.logins.get(), logins + 1);
}

#[test]
fn new_credentials_get_a_new_token() {
    let sessions = Sessions::default();
    let scene = scene(&sessions, &credential(), &typed());
    let path = format!("/integrated-account/{}/credentials", scene.account);
    let new = json!({ "context": { "password": "right" } });
    scene.setting.client.send("PATCH", &path, &new).expect(200);
    assert_eq!(session(&scene), "session-2");
}

#[test]
fn refresh_steps_see_the_token_before_and_where_they_are_refused_the_steps_run() {
    let mut with_refresh = credential();
    with_refresh["token"]["refresh_token"] = json!("data.again ? data.again : \"again-1\"");
    with_refresh["refresh_steps"] = json!([{ "type": "request", "config": {
        "method": "post", "path": "/renew", "body": { "again": "{{oauth.token.refresh_token}}", "old": "{{oauth.token.access_token}}" },
    } }]);
    let sessions = Sessions::default();
    let scene = scene(&sessions, &with_refresh, &typed());
    let renewals = Rc::new(Cell::new(0));
    let (own, counted) = (sessions.clone(), Rc::clone(&renewals));
    scene.world.provides(move |sent| {
        if !sent.url.ends_with("/renew") {
            return own.answer(sent);
        }
        let body: Value = serde_json::from_slice(&sent.body).unwrap();
        counted.set(counted.get() + 1);
        if counted.get() > 1 {
            assert_eq!(body, json!({ "again": "again-2", "old": "renewed" }));
            return reply(401, &JSON, Body::from_bytes("{}"));
        }
        assert_eq!(body, json!({ "again": "again-1", "old": "session-1" }));
        let answer = r#"{"data":{"session":"renewed","minutes":10,"again":"again-2"}}"#;
        reply(200, &JSON, Body::from_bytes(answer))
    });
    scene.world.pass(Duration::from_secs(601));
    assert_eq!(session(&scene), "renewed");
    assert_eq!(sessions.logins.get(), 1);
    scene.world.pass(Duration::from_secs(601));
    assert_eq!(session(&scene), "session-2");
    assert_eq!((renewals.get(), sessions.logins.get()), (2, 2));
}

#[test]
fn the_names_of_rfc_6749_count_where_the_file_names_nothing() {
    let mut plain = credential();
    for key in ["token", "contextFromToken"] {
        plain.as_object_mut().unwrap().shift_remove(key);
    }
    plain["tokenExpiryDuration"] = json!(600);
    plain["steps"] = json!([
        { "type": "request", "config": { "path": "/nonce" } },
        { "type": "transform", "config": "{ \"nonce\": $headers.\"x-nonce\" }" },
        { "type": "request", "config": { "method": "post", "path": "/login", "headers": { "x-user": "{{login}}" } } },
    ]);
    let world = World::new();
    world.provides(|sent| {
        if sent.url.ends_with("/nonce") {
            let headers = [JSON[0], ("x-nonce", "n-1")];
            return reply(200, &headers, Body::from_bytes("{}"));
        }
        if sent.url.ends_with("/login") {
            assert_eq!(sent.body, br#"{"nonce":"n-1"}"#);
            assert_eq!(sent.header("x-user"), Some("ada"));
            return reply(200, &JSON, Body::from_bytes(r#"{"access_token":"plain"}"#));
        }
        let session = sent.header("x-session").unwrap();
        reply(
            200,
            &JSON,
            Body::from_bytes(format!(r#"{{"session":"{session}"}}"#)),
        )
    });
    let scene = Scene::new(world, &file(&plain), "custom_token", &typed());
    assert_eq!(session(&scene), "plain");
}

#[test]
fn what_cannot_get_a_token_is_an_error_of_the_file() {
    let step = |kind: &str, config: Value| json!([{ "type": kind, "config": config }]);
    let cases = [
        (json!([]), "none of the steps sends a request"),
        (
            step("transform", json!("1")),
            "none of the steps sends a request",
        ),
        (
            step("form", json!([{ "name": "code" }])),
            "ask the customer nothing",
        ),
        (
            step("request", json!({ "resource": "none", "method": "get" })),
            "there is no resource",
        ),
        (
            step("request", json!({ "base_url": "{{host}}", "path": "/" })),
            "allowed_hosts",
        ),
    ];
    each_case(cases, |(steps, expected)| {
        let mut wrong = credential();
        wrong["steps"] = steps;
        let found = read(&file(&wrong));
        let text = format!("{:?}", found.findings);
        assert!(
            found.integration.is_none() && text.contains(expected),
            "{text}"
        );
    });
    assert_eq!(read(&file(&credential())).findings, []);
}

#[test]
fn a_value_that_the_operators_key_opens_is_not_the_customers_to_choose() {
    let mut wrong = credential();
    wrong["fields"] = json!([{ "name": "tenant" }]);
    wrong["steps"] = json!([{ "type": "request", "config": {
        "method": "post", "path": "/tokens/{{tenant}}",
        "authorization": { "format": "bearer", "config": { "token": "{{environment_variables.partner_token}}" } },
    } }]);
    let found = read(&file(&wrong));
    let paths: Vec<_> = found.findings.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(
        paths,
        ["config.credentials.custom_token.config.steps[0].config"]
    );
    assert!(found.integration.is_none());
}

#[test]
fn a_change_of_the_context_names_no_other_user() {
    let sessions = Sessions::default();
    let scene = scene(&sessions, &credential(), &typed());
    let path = format!("/integrated-account/{}", scene.account);
    let other = json!({ "context": { "login": "bob" } });
    let refused = scene.setting.client.send("PATCH", &path, &other);
    assert_eq!(refused.code(422), "caller.host_key");
}
