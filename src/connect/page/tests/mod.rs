//! The pages with every hostile value, and how they answer for it.

mod forms;
mod gallery;
mod results;

use serde_json::{Value, json};

use super::{
    Application, Brand, Card, Choose, ConnectForm, ConnectPurpose, Nonce, PageKind, Question,
    choose, content_security_policy, form, pictures, question,
};
use crate::config::Credential;
use crate::connect::form::Problems;
use crate::expression::PlainHttp;

/// Texts that have broken pages before.
const HOSTILE: [&str; 8] = [
    "\"><script>alert(1)</script>",
    "'><img src=x onerror=alert(1)>",
    "</style></script><!--<script>",
    "line\nline\r\n\u{2028}\u{2029}\0",
    "\u{202e}gnp.exe\u{2066}",
    "&lt;b&gt; &amp;#60; {{context}} ${x} `",
    "😀👩‍👩‍👧‍👦 é e\u{301}",
    "javascript:alert(1)",
];

fn nonce() -> Nonce {
    Nonce::new([7; 16])
}

fn credential(value: Value) -> Credential {
    serde_json::from_value(value).unwrap()
}

fn brand<'a>(label: &'a str, logo: Option<&'a str>) -> Brand<'a> {
    Brand { label, logo }
}

/// An application with a name, a logo and a place for the result.
const APPLICATION: Application = Application {
    name: Some("Harbour"),
    logo: Some("https://cdn.example/h.svg"),
    goes_to: Some("app.example"),
};

/// A form that is shown for the first time.
fn fresh<'a>(credential: &'a Credential, problems: &'a Problems) -> ConnectForm<'a> {
    ConnectForm {
        brand: brand("Acme", None),
        application: Application::default(),
        purpose: ConnectPurpose::Connect,
        credential,
        ways: Vec::new(),
        action: "/connect/acme",
        hidden: vec![("link_token", "lt_1")],
        posted: None,
        kept: None,
        problems,
        refusal: None,
    }
}

/// Every `<` of the page opens or closes an element that a template wrote.
fn assert_sound(html: &str) {
    assert!(html.starts_with("<!DOCTYPE html><html lang=\"en\">"));
    let scripts = html.matches("<script").count();
    let ours = html
        .matches("<script nonce=\"BwcHBwcHBwcHBwcHBwcHBw==\">")
        .count();
    assert_eq!(scripts, ours);
    assert!(scripts <= 1 && html.matches("</script>").count() == scripts);
    assert_eq!(html.matches("<style").count(), 1);
    assert_eq!(html.matches("<h1").count(), 1);
    assert_eq!(html.matches("<main").count(), 1);
    for never in [
        "<img src=x",
        "<!--",
        "<b>",
        "href=\"javascript:",
        " style=",
        " onerror=alert(1)>",
    ] {
        let at = html.find(never);
        assert!(at.is_none(), "{never}: {:?}", at.map(|at| &html[at..]));
    }
}

#[test]
fn an_integration_is_chosen_by_a_link() {
    let card = |label, logo| Card {
        brand: brand(label, logo),
        href: "/connect/acme?link_token=lt_1&display=popup".to_owned(),
    };
    let mut cards: Vec<Card> = HOSTILE.iter().map(|text| card(text, Some(text))).collect();
    cards.push(card("acme", Some("https://img.example/a\".png")));
    cards.push(card("Plain", Some("http://img.example/a.png")));
    let html = choose(
        &Choose {
            cards,
            application: Application::default(),
        },
        &nonce(),
    );
    assert_sound(&html);
    assert!(html.contains("href=\"/connect/acme?link_token=lt_1&amp;display=popup\""));
    assert_eq!(html.matches("<img").count(), 1);
    assert!(html.contains("src=\"https://img.example/a%22.png\""));
    assert!(html.contains("data-initial=\"A\"") && html.contains("aria-hidden=\"true\">P</span>"));
    let empty = choose(
        &Choose {
            cards: Vec::new(),
            application: Application::default(),
        },
        &nonce(),
    );
    assert_sound(&empty);
    assert!(empty.contains("Nothing to connect yet") && !empty.contains("<ul"));
}

#[test]
fn a_brand_has_a_label_and_a_picture_where_the_file_has_them() {
    let config = |value: Value| serde_json::from_value(value).unwrap();
    assert_eq!(Brand::of("acme", &config(json!({}))), brand("acme", None));
    let full = config(json!({"label": " Acme ", "icon": "https://i"}));
    assert_eq!(Brand::of("acme", &full), brand("Acme", Some("https://i")));
}

#[test]
fn the_policy_lets_in_what_the_page_needs_and_nothing_else() {
    let logos = [
        Some("https://Cdn.example/a b;c.svg?x=1"),
        Some("http://plain.example/x"),
        None,
    ];
    let plain = content_security_policy(
        &nonce(),
        PageKind::Plain,
        PlainHttp::Refused,
        &pictures(logos),
    );
    assert_eq!(
        plain,
        "default-src 'none'; style-src 'nonce-BwcHBwcHBwcHBwcHBwcHBw=='; img-src https://cdn.example data:; \
         form-action 'self' https:; base-uri 'none'; frame-ancestors 'none'"
    );
    let popup = content_security_policy(&nonce(), PageKind::Popup, PlainHttp::Allowed, &[]);
    assert!(popup.contains("; script-src 'nonce-BwcHBwcHBwcHBwcHBwcHBw=='; "));
    assert!(popup.contains("form-action 'self' https: http:;"));
    assert!(popup.contains("img-src data:;"));
}

#[test]
fn the_application_is_named_where_it_is_known_and_never_more_than_text() {
    let (none, credential) = (
        Problems::default(),
        credential(json!({"format": "oauth2", "config": {}})),
    );
    let mut all = vec![APPLICATION, Application::default()];
    all.extend(HOSTILE.map(|text| Application {
        name: Some(text),
        logo: Some(text),
        goes_to: Some(text),
    }));
    for application in all {
        let asked = question(
            &Question {
                brand: Some(brand("Acme", None)),
                application,
                href: "/connect/acme?confirmed=x",
            },
            &nonce(),
        );
        let shown = form(
            &ConnectForm {
                application,
                ..fresh(&credential, &none)
            },
            &nonce(),
        );
        for html in [&asked, &shown] {
            assert_sound(html);
        }
        assert!(
            asked.contains("Is this you?</h1>")
                && asked.contains("href=\"/connect/acme?confirmed=x\"")
        );
        if application == APPLICATION {
            for html in [&asked, &shown] {
                assert!(
                    html.contains("Connects your Acme account to <strong>Harbour</strong>")
                        && html.contains("app.example")
                );
                assert!(html.contains("src=\"https://cdn.example/h.svg\""));
            }
        }
    }
}

#[test]
fn the_style_loads_nothing_and_cannot_end_its_element() {
    let style = include_str!("../page.css");
    assert!(!style.contains("url(") && !style.contains("@import") && !style.contains('<'));
}
