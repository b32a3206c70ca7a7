//! A 401 that the file finds is a 401: a fresh token and one repetition, and then the rules of any refused credential.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use causeway::ports::{Body, Reply};
use serde_json::{Value, json};

use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::client::Answer;
use crate::outside::{Pieces, Sent, World, reply, streamed};

const OWN: &str = "https://api.errors-in-body.example";
const DEAD: &str = r#"{"ok":false,"code":"token_expired"}"#;

/// A provider that says in its bodies what is wrong, under any status.
fn file() -> Value {
    json!({ "name": "errors-in-body", "config": {
        "base_url": OWN,
        "credentials": {
            "oauth2": { "format": "oauth2", "config": {
                "client": { "id": "our-id", "secret": "our-secret" },
                "auth": { "tokenHost": OWN, "authorizePath": "/authorize", "tokenPath": "/token" } } },
            "api_key": { "format": "api_key", "config": { "fields": [{ "name": "api_key", "type": "password" }] } },
        },
        "authorization": { "format": "bearer", "config": { "token": "{{oauth.token.access_token|api_key}}" } },
        "error_expression": "response.ok = false ? { \"status\": response.code = \"token_expired\" ? 401 : response.code = \"closed\" ? 403 : response.code = \"slow\" ? 429 : 422, \"message\": response.code }",
        "resources": { "carts": {
            "list": { "path": "/carts", "response_path": "data", "pagination": { "format": "cursor", "config": { "cursor_path": "next", "cursor_key": "cursor" } } },
            "get": { "path": "/carts/{{id}}" },
            "create": { "method": "post", "path": "/carts" },
            "open": { "path": "/open", "no_auth": true },
        } },
        "actions": {
            "validation": { "type": "request", "config": { "path": "/me" } },
            "look": { "type": "request", "config": { "path": "/carts/1" } },
        },
    } })
}

/// What the provider has seen, and which tokens it takes.
#[derive(Default)]
struct ProviderState {
    /// The answer to a dead token: its status and words.
    refusal: (u16, &'static str),
    /// Also new tokens are refused.
    refuses_all: bool,
    /// The path that refuses alone.
    only: Option<&'static str>,
    grants: usize,
    validations: usize,
    asked: usize,
}

struct Story {
    scene: Scene,
    provider: Rc<RefCell<ProviderState>>,
}

fn answer(sent: &Sent, provider: &mut ProviderState) -> Reply<Pieces> {
    let ok = |body: &str| reply(200, &JSON, Body::from_bytes(body.to_owned()));
    let path = sent.url.strip_prefix(OWN).unwrap_or(&sent.url);
    if path == "/token" {
        provider.grants += 1;
        return ok(r#"{"access_token":"new","refresh_token":"r2","expires_in":3600}"#);
    }
    provider.asked += 1;
    if path == "/me" {
        provider.validations += 1;
    }
    let is_old = sent.header("authorization") != Some("Bearer new");
    let is_here = provider.only.is_none_or(|only| path.starts_with(only));
    if is_here && (is_old || provider.refuses_all) {
        let (status, words) = provider.refusal;
        return reply(status, &JSON, Body::from_bytes(words.to_owned()));
    }
    ok(if path == "/carts" {
        r#"{"data":[1],"next":"2"}"#
    } else if path.starts_with("/carts?") {
        r#"{"data":[2]}"#
    } else {
        r#"{"ok":true}"#
    })
}

impl Story {
    fn new(file: &Value, method: &str, status: u16, words: &'static str) -> Self {
        let token = json!({ "access_token": "old", "refresh_token": "r1", "expires_at": "2030-01-01T00:00:00.000Z" });
        let context = match method {
            "oauth2" => json!({ "oauth": { "token": token } }),
            _ => json!({ "api_key": "the-key" }),
        };
        let scene = Scene::new(World::new(), file, method, &context);
        let provider = Rc::new(RefCell::new(ProviderState {
            refusal: (status, words),
            ..ProviderState::default()
        }));
        let seen = Rc::clone(&provider);
        scene
            .world
            .provides(move |sent| answer(sent, &mut seen.borrow_mut()));
        Self { scene, provider }
    }

    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.scene.ask_passing(method, path, headers)
    }

    fn status(&self) -> String {
        self.scene.status()
    }

    fn granted_tokens(&self) -> usize {
        self.provider.borrow().grants
    }

    fn api_requests(&self) -> usize {
        self.provider.borrow().asked
    }
}

#[test]
fn a_401_that_the_file_finds_under_any_status_is_refreshed_once_and_repeated_once() {
    each_case([200, 201, 400, 403, 498, 500], |status| {
        let cases = [
            ("GET", "/proxy/carts/1"),
            ("GET", "/proxy/carts"),
            ("POST", "/proxy/carts"),
        ];
        each_case(cases, |(method, path)| {
            let story = Story::new(&file(), "oauth2", status, DEAD);
            let once = [("x-max-retries", "0")];
            let answer = story.ask(method, path, &once);
            assert_eq!(answer.status, 200, "{status} {path}: {}", answer.text());
            assert_eq!(
                (story.granted_tokens(), story.api_requests()),
                (1, 2),
                "{status} {path}"
            );
            assert_eq!(story.status(), "active");
        });
    });
}

#[test]
fn a_401_that_the_file_finds_again_with_the_fresh_token_is_told_and_not_repeated() {
    each_case([200, 403], |status| {
        let story = Story::new(&file(), "oauth2", status, DEAD);
        story.provider.borrow_mut().refuses_all = true;
        story.provider.borrow_mut().only = Some("/carts");
        let refused = story.ask("GET", "/proxy/carts/1", &[]).expect(401);
        assert_eq!(refused["code"], "provider.rejected");
        assert_eq!(refused["raw_response"]["code"], "token_expired");
        assert_eq!(
            (story.granted_tokens(), story.api_requests()),
            (1, 3),
            "with a validation"
        );
        assert_eq!(story.status(), "active", "the validation was answered well");
        story.ask("GET", "/proxy/carts/1", &[]).expect(401);
        assert_eq!(
            story.granted_tokens(),
            1,
            "refreshes for a 401 are a minute apart"
        );
    });
}

#[test]
fn a_401_that_the_file_finds_and_the_validation_confirms_needs_the_customer() {
    each_case(["api_key", "oauth2"], |method| {
        let story = Story::new(&file(), method, 200, DEAD);
        story.provider.borrow_mut().refuses_all = true;
        let code = story.ask("GET", "/proxy/carts/1", &[]).code(401);
        assert_eq!(code, "account.needs_reauth", "{method}");
        assert_eq!(story.status(), "needs_reauth", "{method}");
    });
}

#[test]
fn a_200_that_holds_a_401_is_no_good_answer_between_two_refusals() {
    let mut file = file();
    file["config"]["actions"]
        .as_object_mut()
        .unwrap()
        .remove("validation");
    let story = Story::new(&file, "api_key", 200, DEAD);
    story.provider.borrow_mut().only = Some("/carts/1");
    let refused = || story.ask("GET", "/proxy/carts/1", &[]).code(401);
    assert_eq!(refused(), "provider.rejected");
    story.scene.world.pass(Duration::from_secs(61));
    story.ask("GET", "/proxy/carts/2", &[]).expect(200);
    assert_eq!(refused(), "provider.rejected", "a good answer lay between");
    story.scene.world.pass(Duration::from_secs(61));
    assert_eq!(refused(), "account.needs_reauth");
}

#[test]
fn what_the_file_calls_something_else_confirms_no_refusal_though_a_raw_401_is_refreshed() {
    let cases = [
        (r#"{"ok":false,"code":"closed"}"#, 403),
        (r#"{"ok":false,"code":"slow"}"#, 429),
    ];
    each_case(cases, |(words, reported)| {
        let story = Story::new(&file(), "oauth2", 401, words);
        let answer = story.ask("GET", "/proxy/carts/1", &[("x-max-retries", "0")]);
        assert_eq!(
            answer.status, 200,
            "it was the token, even if the text says otherwise"
        );
        assert_eq!((story.granted_tokens(), story.api_requests()), (1, 2));
        let story = Story::new(&file(), "api_key", 401, words);
        for _ in 0..3 {
            assert_eq!(story.ask("GET", "/proxy/carts/1", &[]).status, reported);
            story.scene.world.pass(Duration::from_secs(61));
        }
        assert_eq!(story.status(), "active", "{reported}");
        assert_eq!(story.provider.borrow().validations, 0, "{reported}");
        // The same under its own status is no refusal at all.
        let story = Story::new(&file(), "oauth2", 200, words);
        let answer = story.ask("GET", "/proxy/carts/1", &[("x-max-retries", "0")]);
        assert_eq!((answer.status, story.granted_tokens()), (reported, 0));
    });
}

#[test]
fn a_walk_goes_on_with_a_fresh_token_where_the_file_finds_a_401_in_the_middle() {
    let story = Story::new(&file(), "oauth2", 200, DEAD);
    story.provider.borrow_mut().only = Some("/carts?");
    let pages = story.ask("GET", "/proxy/carts", &[("x-all-pages", "true")]);
    assert_eq!((pages.status, pages.text()), (200, "1\n2\n"));
    assert_eq!((story.granted_tokens(), story.api_requests()), (1, 3));
}

#[test]
fn a_keyed_write_is_repeated_with_the_fresh_token_and_kept_as_one() {
    let story = Story::new(&file(), "oauth2", 200, DEAD);
    let key = [("idempotency-key", "a")];
    each_case([None, Some("true")], |replayed| {
        let answer = story.ask("POST", "/proxy/carts", &key);
        assert_eq!(answer.header("idempotency-replayed"), replayed);
        assert_eq!((answer.status, story.api_requests()), (200, 2));
    });
    let story = Story::new(&file(), "api_key", 200, DEAD);
    story.provider.borrow_mut().only = Some("/carts");
    each_case([1, 2], |sent| {
        assert_eq!(story.ask("POST", "/proxy/carts", &key).status, 401);
        story.scene.world.pass(Duration::from_secs(61));
        let seen = story.api_requests() - story.provider.borrow().validations;
        assert_eq!(seen, sent, "the key of what was refused is released");
    });
}

#[test]
fn a_streamed_body_is_not_sent_again_and_the_fresh_token_is_for_the_next_call() {
    let story = Story::new(&file(), "oauth2", 200, DEAD);
    let body = streamed(&[b"{", b"}"], None);
    let first = story.scene.call_passing("POST", "/proxy/carts", &[], body);
    assert_eq!(first.code(401), "provider.rejected");
    story.scene.world.pass(Duration::from_secs(5));
    assert_eq!(story.ask("POST", "/proxy/carts", &[]).status, 200);
    assert_eq!((story.granted_tokens(), story.api_requests()), (1, 2));
}

#[test]
fn no_other_path_makes_a_refusal_of_what_the_file_finds() {
    // A step of an action, a request that is not signed in, a path of the caller's own.
    let cases = [
        ("POST", "/proxy/_/look", 401),
        ("POST", "/proxy/carts/open", 401),
        ("GET", "/custom/carts/1", 200),
    ];
    each_case(cases, |(method, path, reported)| {
        let story = Story::new(&file(), "oauth2", 200, DEAD);
        assert_eq!(story.ask(method, path, &[]).status, reported, "{path}");
        assert_eq!(story.granted_tokens(), 0, "{path}");
        assert_eq!(story.status(), "active", "{path}");
    });
}
