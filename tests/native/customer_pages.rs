//! A customer's page answers 200 or 4xx with a text for every failure of a provider: a proxy in between replaces pages of
//! 5xx by its own. A table of all that a provider may do, over the pages that ask one.

use std::time::Duration;

use causeway::ports::{Body, SendError};
use serde_json::{Value, json};

use crate::cases::each_case;
use crate::client::{Answer, Setting};
use crate::connect::{TOKEN, Visit, file, parameter};
use crate::outside::{Scripted, World, reply, stalled};

/// What a provider may do in place of a good answer.
const FAILURES: [&str; 16] = [
    "500",
    "502",
    "503",
    "504",
    "429",
    "400",
    "401",
    "403",
    "404",
    "302",
    "300",
    "garbage",
    "empty",
    "stalls",
    "unreachable",
    "timeout",
];

fn fails(world: &World, failure: &str) {
    let outcome = match failure {
        "unreachable" => Err(SendError::Unreachable),
        "timeout" => Err(SendError::Timeout),
        "stalls" => Ok(reply(200, &[], stalled(3, None))),
        "empty" => Ok(reply(200, &[], Body::Empty)),
        "garbage" => Ok(reply(200, &[], Body::from_bytes("<html>\u{0}oops"))),
        status => {
            let headers = [("location", "https://elsewhere.example/")];
            let body = Body::from_bytes(r#"{"error":"server_error"}"#);
            Ok(reply(status.parse().unwrap(), &headers, body))
        }
    };
    world.scripts(Scripted {
        outcome,
        not_before: 0,
    });
}

/// What is asked of the provider in the course of connecting, and fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Page {
    /// The code is exchanged.
    Exchange,
    /// The same, where the provider posts the customer back.
    ExchangePosted,
    /// The validation behind it.
    Validation,
    /// A typed key's validation.
    KeyValidation,
    /// A grant of client credentials, at the form.
    Grant,
}

const PAGES: [Page; 5] = [
    Page::Exchange,
    Page::ExchangePosted,
    Page::Validation,
    Page::KeyValidation,
    Page::Grant,
];

fn exchanging_file() -> Value {
    let mut file = file();
    file["config"]["credentials"]["oauth2_client_credentials"] = json!({ "format": "oauth2_client_credentials", "config": {
        "auth": { "tokenHost": "https://api.oauth-shop.example", "tokenPath": "/token" },
        "fields": [{ "name": "client_id" }, { "name": "client_secret", "type": "password" }] } });
    file
}

fn visit() -> Visit {
    let world = World::new();
    let setting = Setting::new(&world, &exchanging_file());
    Visit::with(world, setting, &json!({ "tenant_id": "acme" }))
}

fn page_after(page: Page, failure: &str) -> Answer {
    let mut visit = visit();
    let form = |token: &str, credential: &str, more: &str| {
        format!("link_token={token}&credential={credential}&shop=north&{more}")
    };
    let (method, path, body) = match page {
        Page::Exchange | Page::ExchangePosted | Page::Validation => {
            let there = visit.leave();
            if page == Page::Validation {
                visit.world.answers(200, &[], TOKEN);
            }
            let query = format!("code=the-code&state={}", parameter(&there, "state"));
            match page {
                Page::ExchangePosted => ("POST", "/connect/oauth-shop/callback".to_owned(), query),
                _ => (
                    "GET",
                    format!("/connect/oauth-shop/callback?{query}"),
                    String::new(),
                ),
            }
        }
        Page::KeyValidation | Page::Grant => {
            let address = format!("/connect/oauth-shop?link_token={}", visit.token);
            assert_eq!(visit.browser.get(&address).status, 200);
            let body = match page {
                Page::Grant => form(
                    &visit.token,
                    "oauth2_client_credentials",
                    "client_id=c&client_secret=s",
                ),
                _ => form(&visit.token, "api_key", "api_key=k"),
            };
            ("POST", "/connect/oauth-shop".to_owned(), body)
        }
    };
    // A read is tried three times, and there are two actions.
    for _ in 0..8 {
        fails(&visit.world, failure);
    }
    let answer = visit
        .browser
        .ask_passing(method, &path, Body::from_bytes(body));
    visit.world.unscript();
    answer
}

#[test]
fn a_customers_page_never_answers_5xx_for_what_a_provider_did() {
    each_case(PAGES, |page| {
        each_case(FAILURES, |failure| {
            let answer = page_after(page, failure);
            let text = answer.text();
            let is_page =
                text.starts_with("<!doctype html>") || text.starts_with("<!DOCTYPE html>");
            let is_fine =
                (200..500).contains(&answer.status) && !(300..400).contains(&answer.status);
            assert!(is_fine && is_page, "{}", answer.status);
        });
    });
}

#[test]
fn what_a_provider_says_on_the_way_back_is_no_5xx_either() {
    let cases = [
        "server_error",
        "temporarily_unavailable",
        "access_denied",
        "invalid_scope",
        "anything",
    ];
    each_case(cases, |error| {
        let mut visit = visit();
        let there = visit.leave();
        let state = parameter(&there, "state");
        let path = format!(
            "/connect/oauth-shop/callback?error={error}&error_description=Down%20for%20now&state={state}"
        );
        let page = visit.browser.get(&path);
        assert!(
            (400..500).contains(&page.status),
            "{error}: {}",
            page.status
        );
        assert!(page.text().contains("Down for now"), "{error}");
    });
    each_case(["", "code=", "error="], |query| {
        let mut visit = visit();
        let there = visit.leave();
        let state = parameter(&there, "state");
        let path = format!("/connect/oauth-shop/callback?{query}&state={state}");
        let page = visit.browser.get(&path);
        assert!(
            (400..500).contains(&page.status),
            "{query}: {}",
            page.status
        );
    });
}

#[test]
fn a_provider_that_is_slow_at_every_step_gives_a_page_before_the_object_is_given_up() {
    let mut visit = visit();
    let there = visit.leave();
    visit.world.provides(|sent| {
        let token = sent.url.ends_with("/token");
        let body = if token { TOKEN } else { "{}" };
        reply(
            200,
            &[("content-type", "application/json")],
            Body::from_bytes(body),
        )
    });
    visit.world.answers_late(|_| Duration::from_secs(19));
    let state = parameter(&there, "state");
    let path = format!("/connect/oauth-shop/callback?code=c&state={state}");
    let page = visit.browser.ask_passing("GET", &path, Body::Empty);
    assert!(page.status < 500, "{}", page.status);
}
