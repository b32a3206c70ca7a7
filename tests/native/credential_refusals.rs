//! Who can change an account's status: only the account's own origin, on a method of the file, and confirmed. A table over
//! who answered, what was asked for, how the account signs in, and how often it was refused.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use causeway::ports::{Body, Reply};
use serde_json::{Value, json};

use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::client::Answer;
use crate::outside::{Pieces, Sent, World, reply, streamed};

const OWN: &str = "https://api.refusing.example";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Own,
    OtherOrigin,
    OtherPort,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Method,
    Custom,
    ActionStep,
    WalkPage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refuses {
    /// The first request.
    Once,
    /// This path, for every credential.
    Path,
    /// Every path: the credential is dead.
    All,
}

const KEYS: [&str; 3] = ["api_key", "oauth2", "oauth2_client_credentials"];

fn file() -> Value {
    let auth = json!({ "tokenHost": OWN, "authorizePath": "/authorize", "tokenPath": "/token" });
    json!({ "name": "refusing", "config": {
        "base_url": OWN,
        "credentials": {
            "oauth2": { "format": "oauth2", "config": { "client": { "id": "our-id", "secret": "our-secret" }, "auth": auth } },
            "oauth2_client_credentials": { "format": "oauth2_client_credentials", "config": {
                "auth": { "tokenHost": OWN, "tokenPath": "/token" },
                "fields": [{ "name": "client_id" }, { "name": "client_secret", "type": "password" }],
            } },
            "api_key": { "format": "api_key", "config": { "fields": [{ "name": "api_key", "type": "password" }] } },
        },
        "authorization": { "format": "bearer", "config": { "token": "{{oauth.token.access_token|api_key}}" } },
        "resources": { "items": {
            "list": { "path": "/items", "pagination": { "format": "link_header", "config": {} } },
            "get": { "path": "/items/{{id}}" },
            "create": { "method": "post", "path": "/items" },
        } },
        "actions": {
            "validation": { "type": "request", "config": { "method": "get", "path": "/me" } },
            "look": { "type": "request", "config": { "method": "get", "path": "/items/1" } },
        },
    } })
}

fn without_validation() -> Value {
    let mut file = file();
    file["config"]["actions"]
        .as_object_mut()
        .unwrap()
        .remove("validation");
    file
}

fn context(method: &str) -> Value {
    match method {
        "api_key" => json!({ "api_key": "the-key" }),
        "oauth2" => {
            let token = json!({ "access_token": "old", "refresh_token": "refresh-1", "expires_at": 1_900_000_000 });
            json!({ "oauth": { "token": token } })
        }
        _ => json!({ "client_id": "id", "client_secret": "secret" }),
    }
}

/// What the provider does, and what it saw.
#[derive(Default)]
struct Script {
    refuses: Option<(Place, Refuses)>,
    refused: usize,
    grants: usize,
    validations: usize,
}

struct Story {
    scene: Scene,
    script: Rc<RefCell<Script>>,
}

impl Story {
    fn new(file: &Value, method: &str) -> Self {
        let scene = Scene::new(World::new(), file, method, &context(method));
        let script: Rc<RefCell<Script>> = Rc::default();
        let seen = Rc::clone(&script);
        scene
            .world
            .provides(move |sent| answer(sent, &mut seen.borrow_mut()));
        let story = Self { scene, script };
        // Client credentials are granted at the first use.
        assert_eq!(story.get("/proxy/items/7").status, 200);
        story.script.borrow_mut().grants = 0;
        story.scene.world.pass(Duration::from_secs(61));
        story
    }

    fn refuses(&self, place: Place, refuses: Refuses) {
        self.script.borrow_mut().refuses = Some((place, refuses));
    }

    fn get(&self, path: &str) -> Answer {
        self.scene.call_passing("GET", path, &[], Body::Empty)
    }

    fn ask(&self, asked: Asked) -> Answer {
        match asked {
            Asked::Method => self.get("/proxy/items/1"),
            Asked::Custom => self.get("/custom/items/1"),
            Asked::ActionStep => self
                .scene
                .call_passing("POST", "/proxy/_/look", &[], Body::Empty),
            Asked::WalkPage => {
                let all = [("x-all-pages", "true")];
                self.scene
                    .call_passing("GET", "/proxy/items", &all, Body::Empty)
            }
        }
    }

    fn status(&self) -> String {
        self.scene.status()
    }

    fn granted_tokens(&self) -> usize {
        self.script.borrow().grants
    }

    fn validations(&self) -> usize {
        self.script.borrow().validations
    }
}

fn answer(sent: &Sent, script: &mut Script) -> Reply<Pieces> {
    let json = [("content-type", "application/json")];
    let ok = |body: &str| reply(200, &json, Body::from_bytes(body.to_owned()));
    let refused = || reply(401, &json, Body::from_bytes(r#"{"why":"refused"}"#));
    let path = sent.url.strip_prefix(OWN).unwrap_or(&sent.url);
    let is_dead = matches!(script.refuses, Some((_, Refuses::All)));
    match path {
        "/token" => {
            script.grants += 1;
            let token = format!("new-{}", script.grants);
            let body =
                json!({ "access_token": token, "refresh_token": "r", "expires_in": 100_000 });
            return ok(&body.to_string());
        }
        "/me" => {
            script.validations += 1;
            return if is_dead { refused() } else { ok("{}") };
        }
        "/items" if sent.method == "GET" => {
            let next = [json[0], ("link", "</items?page=2>; rel=\"next\"")];
            return reply(200, &next, Body::from_bytes("[1]"));
        }
        "/items/7" if !is_dead => return ok("{}"),
        _ => {}
    }
    let Some((place, how_often)) = script.refuses else {
        return ok(if path.contains('?') { "[2]" } else { "{}" });
    };
    let is_abroad = !sent.url.starts_with(&format!("{OWN}/"));
    let is_to_refuse = how_often != Refuses::Once || script.refused == 0;
    match (place, is_abroad) {
        (Place::OtherOrigin, false) if is_to_refuse => {
            reply(302, &[("location", "https://cdn.example/x")], Body::Empty)
        }
        (Place::OtherPort, false) if is_to_refuse => reply(
            302,
            &[("location", "https://api.refusing.example:8443/x")],
            Body::Empty,
        ),
        _ if is_to_refuse => {
            script.refused += 1;
            refused()
        }
        _ => ok(if path.contains('?') { "[2]" } else { "{}" }),
    }
}

/// What the rule says: the status, the number of refreshes, and the caller's code; an empty one is a good answer, `raw` the
/// provider's own.
fn expected(
    place: Place,
    asked: Asked,
    key: &str,
    refuses: Refuses,
) -> (&'static str, usize, &'static str) {
    let is_own = place == Place::Own;
    let refreshes = is_own && key != "api_key" && asked != Asked::ActionStep;
    let is_helped = refreshes && refuses == Refuses::Once;
    let is_of_file = matches!(asked, Asked::Method | Asked::WalkPage);
    let is_off = is_own && is_of_file && refuses == Refuses::All;
    let code = match asked {
        _ if is_helped => "",
        Asked::Custom => "raw",
        _ if is_off => "account.needs_reauth",
        _ => "provider.rejected",
    };
    (
        if is_off { "needs_reauth" } else { "active" },
        usize::from(refreshes),
        code,
    )
}

fn code_of(answer: &Answer) -> String {
    let text = answer.text();
    if text == r#"{"why":"refused"}"# {
        assert_eq!(answer.status, 401);
        return "raw".to_owned();
    }
    let last: Value =
        serde_json::from_str(text.lines().last().unwrap_or_default()).unwrap_or_default();
    let error = last
        .get("error")
        .filter(|error| error.is_object())
        .unwrap_or(&last);
    error["code"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn only_the_own_origin_on_a_method_of_the_file_switches_an_account_off_and_only_when_confirmed() {
    each_case(
        [Place::Own, Place::OtherOrigin, Place::OtherPort],
        |place| {
            let cases = [
                Asked::Method,
                Asked::Custom,
                Asked::ActionStep,
                Asked::WalkPage,
            ];
            each_case(cases, |asked| {
                each_case(KEYS, |key| {
                    each_case([Refuses::Once, Refuses::Path, Refuses::All], |refuses| {
                        let story = Story::new(&file(), key);
                        story.refuses(place, refuses);
                        let code = code_of(&story.ask(asked));
                        let got = (story.status(), story.granted_tokens(), code);
                        let (status, grants, code) = expected(place, asked, key, refuses);
                        let expected = (status.to_owned(), grants, code.to_owned());
                        assert_eq!(got, expected);
                    });
                });
            });
        },
    );
}

#[test]
fn a_401_of_a_stranger_behind_a_redirect_changes_no_account() {
    each_case(KEYS, |key| {
        let story = Story::new(&file(), key);
        story.refuses(Place::OtherOrigin, Refuses::Path);
        assert_eq!(story.ask(Asked::Custom).status, 401);
        assert_eq!(
            (story.status().as_str(), story.granted_tokens()),
            ("active", 0),
            "{key}"
        );
    });
}

#[test]
fn a_401_of_a_path_of_the_callers_own_changes_no_account() {
    let story = Story::new(&file(), "api_key");
    story.refuses(Place::Own, Refuses::Path);
    for _ in 0..3 {
        assert_eq!(story.ask(Asked::Custom).text(), r#"{"why":"refused"}"#);
    }
    assert_eq!(story.status(), "active");
    assert_eq!(story.get("/proxy/items/7").status, 200);
    assert_eq!(story.validations(), 0, "it is no method of the file");
}

#[test]
fn a_path_that_always_answers_401_neither_switches_a_refreshable_account_off_nor_costs_a_refresh_each_call()
 {
    for key in ["oauth2", "oauth2_client_credentials"] {
        for asked in [Asked::Method, Asked::Custom] {
            let story = Story::new(&file(), key);
            story.refuses(Place::Own, Refuses::Path);
            for _ in 0..20 {
                assert_eq!(story.ask(asked).status, 401);
                assert_eq!(story.get("/proxy/items/7").status, 200);
                story.scene.world.pass(Duration::from_secs(30));
            }
            assert_eq!(story.status(), "active");
            assert!(
                (1..=4).contains(&story.granted_tokens()),
                "{key} {asked:?}: {} refreshes in ten minutes",
                story.granted_tokens()
            );
            assert!(
                story.validations() <= 5,
                "{} validations",
                story.validations()
            );
        }
    }
}

#[test]
fn bodies_that_cannot_be_sent_again_cost_no_refresh_each() {
    let story = Story::new(&file(), "oauth2");
    story.refuses(Place::Own, Refuses::Path);
    for _ in 0..5 {
        let body = streamed(&[b"x", b"y"], None);
        assert_eq!(
            story
                .scene
                .call_passing("POST", "/proxy/items", &[], body)
                .status,
            401
        );
    }
    assert_eq!(
        (story.status().as_str(), story.granted_tokens()),
        ("active", 1)
    );
}

#[test]
fn a_401_that_the_validation_does_not_confirm_is_the_providers_answer_as_it_is() {
    let story = Story::new(&file(), "api_key");
    story.refuses(Place::Own, Refuses::Path);
    for _ in 0..5 {
        let refused = story.ask(Asked::Method).expect(401);
        assert_eq!(refused["code"], "provider.rejected");
        assert_eq!(refused["raw_response"], json!({ "why": "refused" }));
    }
    assert_eq!(story.validations(), 1, "not more often than once a minute");
    story.scene.world.pass(Duration::from_secs(61));
    story.ask(Asked::Method);
    assert_eq!(
        (story.validations(), story.status().as_str()),
        (2, "active")
    );
    story.refuses(Place::Own, Refuses::All);
    story.scene.world.pass(Duration::from_secs(61));
    assert_eq!(story.ask(Asked::Method).code(401), "account.needs_reauth");
    assert_eq!(story.status(), "needs_reauth");
}

#[test]
fn without_a_validation_a_second_401_of_a_method_a_minute_later_with_no_success_between_counts() {
    let minute = Duration::from_secs(61);
    each_case(KEYS, |key| {
        let story = Story::new(&without_validation(), key);
        story.refuses(Place::Own, Refuses::All);
        let refused = || {
            story.ask(Asked::Method).expect(401)["code"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(
            (refused(), refused()),
            (
                "provider.rejected".to_owned(),
                "provider.rejected".to_owned()
            ),
            "{key}"
        );
        assert_eq!(story.status(), "active", "two in a row are one");
        story.scene.world.pass(minute);
        story.ask(Asked::Custom);
        assert_eq!(
            story.status(),
            "active",
            "not on a path of the caller's own"
        );
        story.refuses(Place::Own, Refuses::Path);
        assert_eq!(story.get("/proxy/items/7").status, 200);
        story.refuses(Place::Own, Refuses::All);
        story.scene.world.pass(minute);
        assert_eq!(
            refused(),
            "provider.rejected",
            "{key}: a success lay between"
        );
        story.scene.world.pass(Duration::from_secs(3601));
        assert_eq!(
            refused(),
            "provider.rejected",
            "{key}: the one before is too long ago"
        );
        story.scene.world.pass(minute);
        let codes: Vec<_> = (0..4)
            .map(|_| {
                story.scene.world.pass(minute * 5);
                story.ask(Asked::Method).code(401)
            })
            .collect();
        assert_eq!(
            codes.last().unwrap(),
            "account.needs_reauth",
            "{key}: {codes:?}"
        );
        assert_eq!(story.status(), "needs_reauth", "{key}");
    });
}

#[test]
fn a_validation_that_fails_otherwise_confirms_nothing() {
    let cases = [
        (500, ""),
        (403, ""),
        (404, ""),
        (302, "https://cdn.example/x"),
    ];
    each_case(cases, |(status, location)| {
        let story = Story::new(&file(), "api_key");
        story
            .scene
            .world
            .provides(move |sent| match sent.url.as_str() {
                "https://api.refusing.example/me" => {
                    reply(status, &[("location", location)], Body::Empty)
                }
                _ => reply(401, &[], Body::Empty),
            });
        assert_eq!(
            story.ask(Asked::Method).code(401),
            "provider.rejected",
            "{status}"
        );
        assert_eq!(story.status(), "active", "{status}");
    });
}

#[test]
fn of_many_calls_that_are_refused_at_once_one_asks_the_validation() {
    let story = Story::new(&file(), "api_key");
    story.refuses(Place::Own, Refuses::All);
    let path = story.scene.path("/proxy/items/1");
    let client = &story.scene.setting.client;
    let calls = (0..20).map(|_| client.request_async("GET", &path, &[], Body::Empty));
    let answers = futures::executor::block_on(
        story
            .scene
            .world
            .run_passing(futures::future::join_all(calls)),
    );
    assert!(answers.iter().all(|answer| answer.status == 401));
    assert_eq!(
        (story.validations(), story.status().as_str()),
        (1, "needs_reauth")
    );
    let events = crate::connect::events(&story.scene.world, &json!({ "id": story.scene.account }));
    assert_eq!(
        events
            .iter()
            .filter(|event| *event == "authentication_error")
            .count(),
        1
    );
}

#[test]
fn new_credentials_are_not_switched_off_for_the_old_ones() {
    let story = Story::new(&file(), "api_key");
    let (world, account) = (story.scene.world.clone(), story.scene.account.clone());
    story.refuses(Place::Own, Refuses::All);
    let path = story.scene.path("/proxy/items/1");
    let client = story.scene.setting.client.clone();
    let change = async {
        // Between the refusal and the word of the validation.
        for _ in 0..100 {
            if story.validations() == 0 {
                world.sleep_turn().await;
            }
        }
        // The provider takes the new ones.
        story.script.borrow_mut().refuses = None;
        let body = Body::from_bytes(json!({ "context": { "api_key": "another-key" } }).to_string());
        client
            .request_async(
                "PATCH",
                &format!("/integrated-account/{account}/credentials"),
                &[],
                body,
            )
            .await
            .expect(200);
    };
    let slow = Rc::clone(&story.script);
    let calls = futures::future::join(client.request_async("GET", &path, &[], Body::Empty), change);
    let _ = futures::executor::block_on(story.scene.world.run_passing(calls));
    drop(slow);
    assert_eq!(story.status(), "active");
}

#[test]
fn a_403_is_noted_only_of_the_own_origin_and_a_method_of_the_file() {
    for (place, path, is_noted) in [
        (Place::Own, "/proxy/items/1", true),
        (Place::OtherOrigin, "/proxy/items/1", false),
        (Place::OtherPort, "/proxy/items/1", false),
        (Place::Own, "/custom/items/1", false),
        (Place::OtherOrigin, "/custom/items/1", false),
        (Place::Own, "/proxy/_/look", true),
        (Place::OtherOrigin, "/proxy/_/look", false),
    ] {
        let story = Story::new(&file(), "api_key");
        story.scene.world.provides(move |sent| {
            match (place, sent.url.starts_with("https://api.refusing.example/")) {
                (Place::OtherOrigin, true) => {
                    reply(302, &[("location", "https://cdn.example/x")], Body::Empty)
                }
                (Place::OtherPort, true) => reply(
                    302,
                    &[("location", "https://api.refusing.example:8443/x")],
                    Body::Empty,
                ),
                _ => reply(403, &[], Body::Empty),
            }
        });
        let method = if path.contains('_') { "POST" } else { "GET" };
        assert_eq!(
            story
                .scene
                .call_passing(method, path, &[], Body::Empty)
                .status,
            403
        );
        futures::executor::block_on(
            story
                .scene
                .world
                .run_passing(async { story.scene.world.sleep_turn().await }),
        );
        story.scene.world.pass(Duration::from_secs(10));
        futures::executor::block_on(
            story
                .scene
                .world
                .run_passing(story.scene.world.sleep_turn()),
        );
        assert_eq!(
            story.scene.record()["last_forbidden_error"].is_object(),
            is_noted,
            "{place:?} {path}"
        );
    }
}

#[test]
fn a_stranger_behind_a_redirect_of_an_own_way_to_refresh_ends_no_grant() {
    let mut file = file();
    file["config"]["actions"]["refresh_token"] =
        json!({ "type": "request", "config": { "method": "get", "path": "/renew" } });
    let story = Scene::new(World::new(), &file, "oauth2", &context("oauth2"));
    story.world.provides(|sent| match sent.url.as_str() {
        "https://api.refusing.example/renew" => {
            reply(302, &[("location", "https://cdn.example/x")], Body::Empty)
        }
        "https://cdn.example/x" => {
            reply(400, &[], Body::from_bytes(r#"{"error":"invalid_grant"}"#))
        }
        _ => reply(200, &[], Body::Empty),
    });
    let body = json!({ "id": story.account });
    let client = &story.setting.client;
    let path = "/integrated-account/refresh-credentials";
    let asked = client.request_async("POST", path, &JSON, Body::from_bytes(body.to_string()));
    let answer = futures::executor::block_on(story.world.run_passing(asked));
    assert_eq!(answer.code(503), "provider.token_endpoint");
    assert_eq!(story.status(), "active");
}
