//! `alsoFor`: further tokens from an account's grant. Each is obtained once for all requests that carry it, is sealed with
//! the account's token, and ends with it; that one cannot be obtained concerns no other request.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use causeway::config::read;
use causeway::ports::{Body, Reply};
use futures::executor::block_on;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::client::{Answer, Client};
use crate::leased_calls::{object_calls, switch};
use crate::outside::{Pieces, Sent, World, reply};

thread_local! {
    /// What the last call was authenticated with.
    static CARRIED: RefCell<String> = const { RefCell::new(String::new()) };
}

const TOKEN: &str = "https://login.two-tokens.example/token";

fn file(also: &Value) -> Value {
    let bearer = json!({ "format": "bearer", "config": { "token": "{{oauth.token.also.crm.access_token}}" } });
    let mut file = json!({ "name": "two-tokens", "config": {
        "base_url": "https://api.two-tokens.example",
        "credentials": {
            "oauth2": { "config": {
                "client": { "id": "our-id", "secret": "our-secret" },
                "auth": { "authorizeUrl": "https://login.two-tokens.example/authorize", "tokenUrl": TOKEN },
                "scope": ["mail"], "refreshParams": { "audience": "main" }, "alsoFor": also,
            } },
            "oauth2_client_credentials": { "config": {
                "client": { "id": "{{app}}", "secret": "{{app_secret}}" },
                "fields": [{ "name": "app" }, { "name": "app_secret", "type": "password" }],
                "auth": { "tokenUrl": TOKEN }, "scope": ["mail"], "alsoFor": also,
            } },
        },
        "authorization": { "format": "bearer" },
        "resources": {
            "mail": { "get": { "path": "/mail/{{id}}" } },
            "crm": { "get": { "path": "/crm/{{id}}", "authorization": bearer } },
            "both": { "get": { "path": "/both/{{id}}", "authorization": [
                { "format": "bearer" },
                { "format": "header", "config": { "name": "x-crm", "value": "{{oauth.token.also.crm.access_token}}" } },
            ] } },
        },
        "actions": { "look": { "steps": [
            { "type": "request", "config": { "resource": "crm", "method": "get", "id": "1" } },
            { "type": "transform", "config": "$context" },
        ] } },
    } });
    if also == &json!({}) {
        let config = file["config"].as_object_mut().unwrap();
        config.remove("actions");
        config.insert(
            "resources".to_owned(),
            json!({ "mail": { "get": { "path": "/mail/{{id}}" } } }),
        );
    }
    file
}

fn crm() -> Value {
    json!({ "crm": { "scope": ["contacts", "deals"], "params": { "audience": "crm" } } })
}

fn stored() -> Value {
    json!({ "oauth": { "token": {
        "access_token": "mail-token-0", "refresh_token": "refresh-token-0", "expires_in": 3600, "expires_at": 1_700_003_600 } } })
}

/// A provider with one grant. It answers 401 to what it did not issue last.
#[derive(Default)]
struct Issuer {
    count: Cell<u32>,
    asked: RefCell<Vec<String>>,
    /// What the endpoint answers to requests for the further token, instead.
    refuses: RefCell<Option<(u16, String)>>,
    rotates: Cell<bool>,
    is_silent: Cell<bool>,
}

impl Issuer {
    fn answer(&self, sent: &Sent) -> Reply<Pieces> {
        if !sent.url.starts_with("https://login.") {
            CARRIED.set(sent.header("authorization").unwrap_or_default().to_owned());
            let status = if self.is_silent.get() { 401 } else { 200 };
            return reply(status, &JSON, Body::from_bytes("{}"));
        }
        let pairs: Vec<(String, String)> =
            form_urlencoded::parse(&sent.body).into_owned().collect();
        let get = |name: &str| {
            pairs
                .iter()
                .find(|(own, _)| own == name)
                .map_or("", |(_, text)| text.as_str())
        };
        let is_crm = get("scope") == "contacts deals";
        self.asked.borrow_mut().push(format!(
            "{} {} {}",
            get("grant_type"),
            get("refresh_token"),
            get("scope")
        ));
        if is_crm && let Some((status, body)) = &*self.refuses.borrow() {
            return reply(*status, &JSON, Body::from_bytes(body.clone()));
        }
        let n = self.count.get() + 1;
        self.count.set(n);
        let kind = if is_crm { "crm" } else { "mail" };
        let mut body = json!({ "access_token": format!("{kind}-token-{n}"), "expires_in": if is_crm { 600 } else { 3600 } });
        if self.rotates.get() {
            body["refresh_token"] = format!("refresh-token-{n}").into();
        }
        reply(200, &JSON, Body::from_bytes(body.to_string()))
    }

    fn asked(&self) -> Vec<String> {
        self.asked.take()
    }
}

fn scene_of(world: World, also: &Value, method: &str, context: &Value) -> (Scene, Rc<Issuer>) {
    let file = file(also);
    assert!(
        read(&file).integration.is_some(),
        "{:?}",
        read(&file).findings
    );
    let issuer = Rc::new(Issuer::default());
    let own = Rc::clone(&issuer);
    world.provides(move |sent| own.answer(sent));
    (Scene::new(world, &file, method, context), issuer)
}

fn scene() -> (Scene, Rc<Issuer>) {
    scene_of(World::new(), &crm(), "oauth2", &stored())
}

fn get(scene: &Scene, resource: &str) -> Answer {
    scene.call_passing("GET", &format!("/proxy/{resource}/1"), &[], Body::Empty)
}

fn seen(scene: &Scene, resource: &str) -> String {
    get(scene, resource).expect(200);
    CARRIED.take()
}

#[test]
fn the_first_request_that_carries_it_obtains_it_and_the_next_use_it() {
    let (scene, issuer) = scene();
    assert_eq!(seen(&scene, "mail"), "Bearer mail-token-0");
    assert_eq!(issuer.asked(), [""; 0]);
    for _ in 0..2 {
        assert_eq!(seen(&scene, "crm"), "Bearer crm-token-1");
    }
    assert_eq!(
        issuer.asked(),
        ["refresh_token refresh-token-0 contacts deals"]
    );
    let sent = scene.world.sent();
    let body = sent.iter().find(|sent| sent.url == TOKEN).unwrap();
    assert!(String::from_utf8_lossy(&body.body).contains("audience=crm"));
    get(&scene, "both").expect(200);
    let both = scene.world.sent().remove(0);
    assert_eq!(both.header("authorization"), Some("Bearer mail-token-0"));
    assert_eq!(both.header("x-crm"), Some("crm-token-1"));
    assert_eq!(issuer.asked(), [""; 0]);
    scene.world.restart();
    assert_eq!(seen(&scene, "crm"), "Bearer crm-token-1");
}

#[test]
fn calls_at_the_same_time_share_one_request() {
    let (scene, issuer) = scene();
    let path = scene.path("/proxy/crm/1");
    let client = &scene.setting.client;
    let calls = (0..6).map(|_| client.request_async("GET", &path, &[], Body::Empty));
    for answer in block_on(scene.world.run_passing(join_all(calls))) {
        answer.expect(200);
        assert_eq!(CARRIED.with_borrow(String::clone), "Bearer crm-token-1");
    }
    assert_eq!(issuer.asked().len(), 1);
}

#[test]
fn it_is_replaced_before_it_ends_and_the_accounts_token_is_not() {
    let (scene, issuer) = scene();
    seen(&scene, "crm");
    scene.world.pass(Duration::from_secs(539));
    assert_eq!(seen(&scene, "crm"), "Bearer crm-token-1");
    scene.world.pass(Duration::from_secs(2));
    assert_eq!(seen(&scene, "crm"), "Bearer crm-token-2");
    assert_eq!(seen(&scene, "mail"), "Bearer mail-token-0");
    assert_eq!(issuer.asked().len(), 2);
}

#[test]
fn a_new_token_of_the_account_ends_it() {
    let (scene, issuer) = scene();
    seen(&scene, "crm");
    let path = format!("/integrated-account/{}", scene.account);
    scene
        .setting
        .client
        .post(
            "/integrated-account/refresh-credentials",
            &json!({ "id": scene.account }),
        )
        .expect(200);
    assert_eq!(seen(&scene, "crm"), "Bearer crm-token-3");
    let asked = issuer.asked();
    assert_eq!(asked.len(), 3, "{asked:?}");
    let another = json!({ "oauth": { "token": { "access_token": "mail-token-of-another", "refresh_token": "refresh-token-of-another" } } });
    scene
        .setting
        .client
        .send(
            "PATCH",
            &format!("{path}/credentials"),
            &json!({ "context": another }),
        )
        .expect(200);
    assert_eq!(seen(&scene, "crm"), "Bearer crm-token-4");
    assert_eq!(
        issuer.asked(),
        ["refresh_token refresh-token-of-another contacts deals"]
    );
}

#[test]
fn a_refresh_token_that_comes_with_it_is_the_accounts() {
    let (scene, issuer) = scene();
    issuer.rotates.set(true);
    seen(&scene, "crm");
    scene.world.pass(Duration::from_secs(3601));
    assert_eq!(seen(&scene, "mail"), "Bearer mail-token-2");
    assert_eq!(seen(&scene, "crm"), "Bearer crm-token-3");
    assert_eq!(
        issuer.asked(),
        [
            "refresh_token refresh-token-0 contacts deals",
            "refresh_token refresh-token-1 ",
            "refresh_token refresh-token-2 contacts deals",
        ]
    );
}

#[test]
fn a_failure_concerns_the_requests_that_carry_it() {
    let cases = [
        (
            400,
            r#"{"error":"invalid_scope","error_description":"no refresh-token-0 for our-secret"}"#,
        ),
        (400, r#"{"error":"invalid_grant"}"#),
        (200, r#"{"error":"invalid_grant"}"#),
        (503, "{}"),
        (200, "{}"),
    ];
    each_case(cases, |(status, body)| {
        let (scene, issuer) = scene();
        issuer.refuses.replace(Some((status, body.to_owned())));
        for _ in 0..3 {
            let answer = get(&scene, "crm");
            assert!(answer.header("retry-after").is_some());
            let text = answer.text().to_owned();
            assert!(
                !text.contains("refresh-token") && !text.contains("our-secret"),
                "{text}"
            );
            assert_eq!(answer.code(503), "provider.token_endpoint");
        }
        assert_eq!(issuer.asked().len(), 1, "it is asked again after a pause");
        assert_eq!(seen(&scene, "mail"), "Bearer mail-token-0");
        assert_eq!(scene.status(), "active");
        issuer.refuses.take();
        scene.world.pass(Duration::from_secs(11));
        assert_eq!(seen(&scene, "crm"), "Bearer crm-token-1");
    });
}

/// One that can still be used is used.
#[test]
fn a_failure_ahead_of_its_end_is_none_for_the_call() {
    let (scene, issuer) = scene();
    seen(&scene, "crm");
    issuer.refuses.replace(Some((503, "{}".to_owned())));
    scene.world.pass(Duration::from_secs(560));
    for _ in 0..2 {
        assert_eq!(seen(&scene, "crm"), "Bearer crm-token-1");
    }
    assert_eq!(issuer.asked().len(), 2);
}

#[test]
fn a_401_renews_the_accounts_token_and_with_it_the_further_one() {
    let (scene, issuer) = scene();
    seen(&scene, "crm");
    issuer.is_silent.set(true);
    let answer = get(&scene, "crm");
    assert_eq!(answer.status, 401);
    let calls = scene
        .world
        .sent()
        .into_iter()
        .filter(|sent| sent.url != TOKEN);
    let carried: Vec<String> = calls
        .map(|sent| sent.header("authorization").unwrap().to_owned())
        .collect();
    assert_eq!(
        carried,
        [
            "Bearer crm-token-1",
            "Bearer crm-token-1",
            "Bearer crm-token-3"
        ]
    );
    assert_eq!(issuer.asked().len(), 3);
}

#[test]
fn a_grant_without_a_customer_gives_it_too() {
    let context = json!({ "app": "app-1", "app_secret": "secret-of-the-app" });
    let (scene, issuer) = scene_of(World::new(), &crm(), "oauth2_client_credentials", &context);
    assert_eq!(seen(&scene, "crm"), "Bearer crm-token-2");
    assert_eq!(
        issuer.asked(),
        [
            "client_credentials  mail",
            "client_credentials  contacts deals"
        ]
    );
}

#[test]
fn it_may_have_an_endpoint_of_its_own() {
    let other = "https://login.other-tokens.example/token";
    let (scene, _) = scene_of(
        World::new(),
        &json!({ "crm": { "scope": ["contacts", "deals"], "tokenUrl": other } }),
        "oauth2",
        &stored(),
    );
    seen(&scene, "crm");
    let sent = scene.world.sent();
    assert!(sent.iter().any(|sent| sent.url == other));
}

#[test]
fn without_a_refresh_token_the_customer_has_to_connect_again() {
    let context = json!({ "oauth": { "token": { "access_token": "mail-token-0" } } });
    let (scene, issuer) = scene_of(World::new(), &crm(), "oauth2", &context);
    let answer = get(&scene, "crm");
    assert!(
        answer.text().contains("no refresh token"),
        "{}",
        answer.text()
    );
    assert_eq!(answer.code(422), "account.not_refreshable");
    assert_eq!(issuer.asked(), [""; 0]);
    assert_eq!(seen(&scene, "mail"), "Bearer mail-token-0");
}

#[test]
fn steps_carry_it_and_see_nothing_of_it() {
    let (scene, _) = scene();
    let answer = scene.run_action("look", &json!({})).expect(200);
    assert!(!answer.to_string().contains("crm-token"), "{answer}");
    let sent = scene.world.sent();
    let carried = sent
        .iter()
        .find(|sent| sent.url.ends_with("/crm/1"))
        .unwrap();
    assert_eq!(carried.header("authorization"), Some("Bearer crm-token-1"));
}

#[test]
fn it_is_sealed_shown_to_no_one_and_deleted_with_the_account() {
    let (scene, _) = scene();
    seen(&scene, "crm");
    let record = scene.record().to_string();
    let stored = scene.world.at_rest();
    for secret in ["crm-token-1", "refresh-token-0"] {
        assert!(
            !record.contains(secret) && !stored.contains(secret),
            "{secret}"
        );
    }
    // A provider that repeats it is not passed on.
    scene.world.provides(|sent| {
        let body = json!({ "error": sent.header("authorization") }).to_string();
        reply(400, &JSON, Body::from_bytes(body))
    });
    let answer = get(&scene, "crm");
    assert_eq!(answer.status, 400);
    assert!(!answer.text().contains("crm-token-1"), "{}", answer.text());
    let path = format!("/integrated-account/{}", scene.account);
    scene.setting.client.delete(&path).expect(200);
    assert_eq!(scene.setting.client.get(&path).status, 404);
}

#[test]
fn another_sealing_key_opens_it() {
    const OLD: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const NEW: &str = "k2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
    let world = World::with(&[("SEALING_KEYS", OLD)]);
    let (scene, issuer) = scene_of(world, &crm(), "oauth2", &stored());
    seen(&scene, "crm");
    issuer.asked();
    let keys = format!("{NEW},{OLD}");
    let rotated = scene.world.deployed_with(&[("SEALING_KEYS", &keys)]);
    let own = Rc::clone(&issuer);
    rotated.provides(move |sent| own.answer(sent));
    Client::admin(&rotated)
        .post("/sealing/rotate", &json!({}))
        .expect(200);
    rotated.settle();
    let keys = Client::admin(&rotated).get("/sealing").expect(200)["keys"].clone();
    assert_eq!(keys[0]["count"], 0, "{keys}");
    let client = Client {
        world: rotated,
        ..scene.setting.client.clone()
    };
    let path = scene.path("/proxy/crm/1");
    client.request("GET", &path, &[], Body::Empty).expect(200);
    assert_eq!(CARRIED.take(), "Bearer crm-token-1");
    assert_eq!(issuer.asked(), [""; 0]);
}

#[test]
fn its_account_is_not_leased() {
    each_case([(json!({}), 0), (crm(), 2)], |(also, by_object)| {
        let (scene, _) = scene_of(World::new(), &also, "oauth2", &stored());
        switch(&scene, true);
        seen(&scene, "mail");
        let calls = object_calls(&scene, || {
            for _ in 0..2 {
                seen(&scene, "mail");
            }
        });
        assert_eq!(calls, by_object);
    });
}
