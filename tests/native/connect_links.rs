//! A link says for whom it connects, ends when it should, and stops where it was revoked.

use std::time::Duration;

use causeway::ports::Body;
use serde_json::{Value, json};

use crate::cases::each_case;
use crate::client::{Answer, Client, Setting, id_of};
use crate::connect::{Browser, TOKEN, Visit, file, parameter, way_on};
use crate::outside::World;

const BACK: &str = "https://app.example/back";

fn link() -> Value {
    json!({ "tenant_id": "acme", "integration": "oauth-shop", "redirect_uri": BACK })
}

/// A visit by a link whose environment names its application.
fn named(link: &Value) -> Visit {
    let world = World::new();
    let setting = Setting::new(&world, &file());
    let path = format!("/environment/{}", setting.environment);
    let names = json!({ "display_name": "Harbour <Works>", "logo_url": "https://cdn.app.example/logo.svg" });
    setting.admin.send("PATCH", &path, &names).expect(200);
    Visit::with(world, setting, link)
}

/// Opens an address with these headers, and without a browser's memory.
fn open(world: &World, path: &str, headers: &[(&str, &str)]) -> Answer {
    let stranger = Client {
        token: String::new(),
        ..Client::admin(world)
    };
    stranger.request("GET", path, headers, Body::Empty)
}

fn is_question(page: &Answer) -> bool {
    page.text().contains("Is this you?")
}

#[test]
fn a_link_ends_after_a_day_or_when_it_is_told_to() {
    let world = World::new();
    let setting = Setting::new(&world, &file());
    let made = |expires_in: Value| {
        let mut body = json!({ "tenant_id": "acme" });
        if !expires_in.is_null() {
            body["expires_in"] = expires_in;
        }
        setting.client.post("/link-token", &body)
    };
    let ends = |expires_in: Value| made(expires_in).expect(201)["expires_at"].clone();
    assert_eq!(ends(Value::Null), "2023-11-15T22:13:20.000Z");
    assert_eq!(ends(json!(60)), "2023-11-14T22:14:20.000Z");
    assert_eq!(ends(json!(604_800)), "2023-11-21T22:13:20.000Z");
    let cases = [
        json!(59),
        json!(604_801),
        json!(0),
        json!(-60),
        json!("60"),
        json!(60.5),
    ];
    each_case(cases, |wrong| {
        assert_eq!(made(wrong.clone()).code(422), "caller.invalid", "{wrong}");
    });
}

#[test]
fn a_link_works_until_its_last_second_and_a_form_that_was_sent_in_time_may_be_finished() {
    let mut body = link();
    body["expires_in"] = json!(60);
    let mut visit = Visit::new(&body);
    let path = format!("/connect/oauth-shop?link_token={}", visit.token);
    visit.world.pass(Duration::from_millis(59_999));
    let there = visit.leave();
    visit.world.pass(Duration::from_mins(5));
    let page = open(&visit.world, &path, &[]);
    assert_eq!(page.status, 401, "another browser comes too late");
    visit.world.answers(200, &[], TOKEN);
    visit.world.answers(200, &[], "{}");
    visit.handle_callback(&there);
    assert_eq!(visit.account()["status"], "active");
    let mut late = Visit::new(&body);
    late.world.pass(Duration::from_mins(1));
    assert_eq!(late.submit("oauth2", &[("shop", "berlin")]).status, 401);
}

#[test]
fn every_page_names_the_application_and_where_the_result_goes() {
    let mut visit = named(&link());
    let page = format!("/connect/oauth-shop?link_token={}", visit.token);
    let all = json!({ "tenant_id": "acme", "redirect_uri": BACK });
    let made = visit.setting.client.post("/link-token", &all).expect(201);
    let choice = format!(
        "/connect?link_token={}",
        made["link_token"].as_str().unwrap()
    );
    let from = [("referer", "https://app.example/")];
    let mut pages = vec![
        open(&visit.world, &page, &[]),
        open(&visit.world, &page, &from),
        open(&visit.world, &choice, &[]),
        open(&visit.world, &choice, &from),
        visit.submit("oauth2", &[("shop", "evil.example/")]),
    ];
    let made = visit
        .setting
        .client
        .post(
            "/link-token",
            &json!({ "tenant_id": "acme", "integration": "oauth-shop" }),
        )
        .expect(201);
    let mut alone = Visit {
        browser: Browser::of(&visit.world),
        token: made["link_token"].as_str().unwrap().to_owned(),
        world: visit.world.clone(),
        setting: visit.setting,
    };
    alone.world.answers(200, &[], "{}");
    let ended = alone.submit("api_key", &[("shop", "berlin"), ("api_key", "k")]);
    assert_eq!(ended.status, 200);
    each_case(&pages, |page| {
        assert!(
            page.text().contains("app.example"),
            "where it goes: {}",
            page.text()
        );
    });
    pages.push(ended);
    each_case(&pages, |page| {
        let text = page.text();
        assert!(text.contains("Harbour &lt;Works&gt;"), "{text}");
        assert!(
            text.contains("src=\"https://cdn.app.example/logo.svg\""),
            "{text}"
        );
        let policy = page.header("content-security-policy").unwrap();
        assert!(
            policy.contains("img-src") && policy.contains("https://cdn.app.example"),
            "{policy}"
        );
    });
}

#[test]
fn a_link_that_does_not_come_from_the_application_asks_is_this_you() {
    let visit = named(&link());
    let page = format!("/connect/oauth-shop?link_token={}", visit.token);
    let cases = [
        (vec![], true),
        (vec![("referer", "https://app.example/settings?x=1")], false),
        (vec![("referer", "https://app.example/")], false),
        (vec![("referer", "https://app.example.evil.example/")], true),
        (
            vec![("referer", "https://evil.example/https://app.example/")],
            true,
        ),
        (vec![("referer", "http://app.example/")], true),
        (vec![("referer", "https://app.example:8443/")], true),
        (vec![("referer", "https://app.example@evil.example/")], true),
        (vec![("referer", "app.example")], true),
        (vec![("referer", "")], true),
        (vec![("sec-fetch-site", "none")], true),
        (vec![("sec-fetch-site", "same-origin")], true),
        (vec![("referer", "https://causeway.example/")], true),
        (
            vec![
                ("referer", "https://app.example/"),
                ("sec-fetch-dest", "iframe"),
            ],
            false,
        ),
    ];
    each_case(cases, |(headers, asks)| {
        let shown = open(&visit.world, &page, &headers);
        assert_eq!(shown.status, 200);
        assert_eq!(is_question(&shown), asks, "{headers:?}");
        assert_eq!(shown.text().contains("<form"), !asks, "{headers:?}");
    });
    let mut alone = link();
    alone.as_object_mut().unwrap().remove("redirect_uri");
    let visit = Visit::new(&alone);
    let page = format!("/connect/oauth-shop?link_token={}", visit.token);
    each_case(
        [vec![], vec![("referer", "https://app.example/")]],
        |headers| {
            assert!(
                is_question(&open(&visit.world, &page, &headers)),
                "it has no such origin"
            );
        },
    );
}

#[test]
fn the_answer_to_is_this_you_counts_in_the_browser_that_gave_it() {
    let visit = named(&json!({ "tenant_id": "acme", "redirect_uri": BACK }));
    let mut browser = Browser::of(&visit.world);
    let start = format!("/connect?link_token={}&display=popup", visit.token);
    let asked = browser.open(&start);
    assert!(is_question(&asked));
    let on = way_on(&asked);
    let choice = browser.open(&on);
    assert!(!is_question(&choice) && choice.text().contains("What would you like to connect?"));
    let form = way_on(&choice);
    assert!(form.contains("/connect/oauth-shop?") && form.contains("display=popup"));
    assert!(browser.open(&form).text().contains("<form"));
    each_case([&on, &form], |address| {
        let elsewhere = open(&visit.world, address, &[]);
        assert!(
            is_question(&elsewhere),
            "a link that was passed on asks again"
        );
        let other = Browser::of(&visit.world).open(address);
        assert!(is_question(&other));
    });
}

#[test]
fn a_revoked_link_stops_before_the_code_is_exchanged() {
    let mut visit = Visit::new(&link());
    let there = visit.leave();
    let links = visit.setting.client.get("/link-token").expect(200);
    let path = format!("/link-token/{}", id_of(&links["result"][0]));
    visit.setting.client.delete(&path).expect(200);
    let answer = visit.handle_callback(&there);
    let location = answer.header("location").unwrap();
    assert!(location.contains("error_type=invalid_token"), "{location}");
    assert_eq!(
        visit.world.sent().len(),
        0,
        "nothing was sent to the provider"
    );
}

#[test]
fn a_link_whose_account_was_deleted_stops_before_the_code_is_exchanged() {
    let (visit, account) = Visit::connected(&link());
    let again = json!({ "integrated_account_id": account["id"], "redirect_uri": BACK });
    let mut again = Visit::with(visit.world, visit.setting, &again);
    let there = again.leave();
    let path = format!("/integrated-account/{}", id_of(&account));
    again.world.answers(200, &[], "");
    again.setting.client.delete(&path).expect(200);
    assert_eq!(again.world.sent().len(), 3, "token, check, revocation");
    again.handle_callback(&there);
    assert_eq!(again.world.sent().len(), 0);
}

#[test]
fn a_deleted_account_does_not_come_back_by_its_link() {
    let mut visit = Visit::new(&link());
    let form = [("shop", "berlin"), ("api_key", "k")];
    visit.world.answers(200, &[], "{}");
    assert_eq!(visit.submit("api_key", &form).status, 303);
    let account = visit.account();
    let path = format!("/integrated-account/{}", id_of(&account));
    visit.setting.client.delete(&path).expect(200);
    visit.world.settle();
    let again = visit.submit("api_key", &form);
    assert_eq!(again.status, 401, "{:?}", again.header("location"));
    assert_eq!(visit.setting.client.get(&path).status, 404);
    let list = visit.setting.client.get("/integrated-account").expect(200);
    assert_eq!(list["result"], json!([]));
}

#[test]
fn an_allowed_origin_is_stored_as_browsers_write_it() {
    let world = World::new();
    let setting = Setting::new(&world, &file());
    let path = format!("/environment/{}", setting.environment);
    let cases = [
        ("https://App.example/", "https://app.example"),
        ("https://app.example:443", "https://app.example"),
        ("HTTPS://APP.EXAMPLE:8443/", "https://app.example:8443"),
        (
            "https://b\u{fc}cher.example",
            "https://xn--bcher-kva.example",
        ),
    ];
    each_case(cases, |(written, stored)| {
        let allowed = json!({ "allowed_redirect_origins": [written] });
        let shown = setting.admin.send("PATCH", &path, &allowed).expect(200);
        assert_eq!(shown["allowed_redirect_origins"], json!([stored]));
        let uri = json!({ "tenant_id": "a", "redirect_uri": format!("{stored}/done") });
        setting.client.post("/link-token", &uri).expect(201);
    });
    let cases = [
        "https://app.example/path",
        "https://app.example?x",
        "https://u@app.example",
        "https://app.example/#x",
        "app.example",
    ];
    each_case(cases, |wrong| {
        let allowed = json!({ "allowed_redirect_origins": [wrong] });
        let refused = setting.admin.send("PATCH", &path, &allowed);
        assert_eq!(refused.code(422), "caller.invalid", "{wrong}");
    });
}

#[test]
fn a_callback_without_iss_is_refused_where_the_file_names_its_issuer() {
    let there_and_back = |word: Option<Value>, iss: &str| {
        let mut file = file();
        let auth = &mut file["config"]["credentials"]["oauth2"]["config"]["auth"];
        auth["issuer"] = json!("https://login.oauth-shop.example");
        if let Some(word) = word {
            auth["issuerOptional"] = word;
        }
        let world = World::new();
        let setting = Setting::new(&world, &file);
        let mut visit = Visit::with(world, setting, &link());
        let there = visit.leave();
        visit.world.answers(200, &[], TOKEN);
        visit.world.answers(200, &[], "{}");
        let state = parameter(&there, "state");
        let path = format!("/connect/oauth-shop/callback?code=the-code&state={state}{iss}");
        let location = visit
            .browser
            .get(&path)
            .header("location")
            .unwrap()
            .to_owned();
        (
            location.contains("result=success"),
            visit.world.sent().len(),
        )
    };
    let right = "&iss=https%3A%2F%2Flogin.oauth-shop.example";
    let wrong = "&iss=https%3A%2F%2Fevil.example";
    assert_eq!(there_and_back(None, right), (true, 2));
    assert_eq!(there_and_back(None, ""), (false, 0));
    assert_eq!(there_and_back(None, wrong), (false, 0));
    assert_eq!(there_and_back(Some(json!(true)), ""), (true, 2));
    assert_eq!(there_and_back(Some(json!(true)), wrong), (false, 0));
    assert_eq!(there_and_back(Some(json!(false)), ""), (false, 0));
}
