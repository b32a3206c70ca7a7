//! All pages as files, to be looked at:
//! `PAGES=/tmp/pages cargo test --lib gallery -- --ignored`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use url::Url;

use super::{APPLICATION, brand, credential, fresh, nonce};
use crate::config::Credential;
use crate::connect::form::Problems;
use crate::connect::outcome::{ConnectFailure, ConnectOutcome};
use crate::connect::page::{
    Card, Choose, ConnectForm, ConnectPurpose, ConnectedPage, CredentialLink, FailedPage, Popup,
    Question, choose, connected, failed, form, popup, question,
};

const LOGO: &str = "https://logo.example/acme.svg";
const GONE: &str = "https://logo.example/gone.svg";

fn key() -> Credential {
    credential(json!({"format": "api_key", "config": {"fields": [
        {"name": "subdomain", "label": "Subdomain", "required": true, "placeholder": "mycompany", "help_text": "The part before .acme.example in the address you sign in at."},
        {"name": "region", "label": "Data region", "type": "single_select", "required": true, "options": [{"label": "United States", "value": "us"}, {"label": "European Union", "value": "eu"}]},
        {"name": "email", "label": "E-mail of the key's owner", "required": true, "format": "email"},
        {"name": "api_key", "label": "API key", "type": "password", "required": true, "placeholder": "ak_…", "help_text": "Settings, API keys, New key."},
        {"name": "note", "label": "Note"}
    ]}}))
}

/// Every word that shows something around or of an input.
fn words() -> Credential {
    credential(json!({"format": "api_key", "config": {"fields": [
        {"name": "edition", "label": "Edition", "type": "single_select", "required": true, "default": "server", "options": [
            {"label": "Cloud", "value": "cloud", "set": {"zone": "eu"}}, {"label": "Your own server", "value": "server"}]},
        {"name": "subdomain", "label": "Subdomain", "required": true, "prefix": "https://", "suffix": ".acme.example", "placeholder": "mycompany",
            "visible_when": {"field": "edition", "is": ["cloud"]}},
        {"name": "server", "label": "Server", "required": true, "format": "hostname", "placeholder": "tickets.example.com", "docs_url": "https://acme.example/docs/servers",
            "visible_when": {"field": "edition", "is": ["server"]}},
        {"name": "api_key", "label": "API key", "type": "password", "required": true, "prefix": "ak_", "not_pattern": "test.*", "help_text": "Settings, API keys, New key."}
    ]}}))
}

fn ways(current: usize) -> Vec<CredentialLink> {
    let labels = ["Sign in", "API key", "Client credentials"]
        .into_iter()
        .enumerate();
    let way = |(at, label): (usize, &str)| CredentialLink {
        label: label.to_owned(),
        href: format!("?credential={at}"),
        is_current: at == current,
    };
    labels.map(way).collect()
}

fn chooser(count: usize) -> String {
    let labels = [
        "Acme",
        "Zenith Helpdesk",
        "Contoso Calendar for Enterprises",
        "northwind",
        "Ünïcode 日本語",
        "Tailspin Toys",
        "شركة",
    ];
    let card = |(at, label): (usize, &&'static str)| Card {
        brand: brand(label, [Some(LOGO), None, Some(GONE)][at % 3]),
        href: "#".to_owned(),
    };
    let cards = labels.iter().take(count).enumerate().map(card).collect();
    let application = APPLICATION;
    choose(&Choose { cards, application }, &nonce())
}

fn forms(write: &dyn Fn(&str, String)) {
    let (none, key) = (Problems::default(), key());
    let oauth = credential(json!({"format": "oauth2", "config": {}}));
    let oauth_fields = credential(
        json!({"format": "oauth2", "config": {"fields": [{"name": "shop", "label": "Shop", "required": true, "placeholder": "my-shop"}]}}),
    );
    let known = brand("Acme", Some(LOGO));
    let mut problems = Problems::default();
    problems.add("subdomain", "“Subdomain” must be only your own part of the address, such as “mycompany”: letters, digits and hyphens. Leave out “https://”, dots and slashes.");
    problems.add("region", "Choose an option for “Data region”.");
    problems.add(
        "api_key",
        "“API key” does not have the form that is expected, such as “ak_…”. Please check it.",
    );
    let posted = [
        ("subdomain", "https://acme.example.com/"),
        ("region", ""),
        ("email", "ana@example.com"),
        ("api_key", "hunter2"),
        ("note", ""),
    ];
    let posted = posted.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let kept: Value = json!({"subdomain": "acme", "region": "eu", "email": "ana@example.com", "api_key": "hunter2"});
    let words = words();
    let shown: [(&str, ConnectForm); 9] = [
        (
            "form-words",
            ConnectForm {
                brand: known,
                ..fresh(&words, &none)
            },
        ),
        (
            "form",
            ConnectForm {
                brand: known,
                application: APPLICATION,
                ways: ways(1),
                ..fresh(&key, &none)
            },
        ),
        (
            "form-errors",
            ConnectForm {
                brand: known,
                ways: ways(1),
                posted: Some(&posted),
                ..fresh(&key, &problems)
            },
        ),
        (
            "form-refused",
            ConnectForm {
                posted: Some(&posted),
                refusal: Some("401 Unauthorized: the API key <ak_1> is not known."),
                ..fresh(&key, &none)
            },
        ),
        (
            "form-again",
            ConnectForm {
                brand: known,
                purpose: ConnectPurpose::Reconnect,
                kept: Some(&kept),
                ..fresh(&key, &none)
            },
        ),
        (
            "oauth",
            ConnectForm {
                brand: known,
                ..fresh(&oauth, &none)
            },
        ),
        (
            "oauth-ways",
            ConnectForm {
                brand: brand("Zenith Helpdesk", None),
                ways: ways(0),
                ..fresh(&oauth, &none)
            },
        ),
        (
            "oauth-fields",
            ConnectForm {
                brand: brand("Contoso Calendar for Enterprises", Some(GONE)),
                ..fresh(&oauth_fields, &none)
            },
        ),
        (
            "oauth-again",
            ConnectForm {
                brand: known,
                purpose: ConnectPurpose::Reconnect,
                ..fresh(&oauth, &none)
            },
        ),
    ];
    for (name, page) in &shown {
        write(name, form(page, &nonce()));
    }
}

#[test]
#[ignore = "writes files for people to look at"]
fn gallery() {
    let folder = std::env::var("PAGES").unwrap();
    fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, html: String| {
        fs::write(Path::new(&folder).join(format!("{name}.html")), html).unwrap();
    };
    write("choose", chooser(7));
    write("choose-empty", chooser(0));
    forms(&write);
    let success = ConnectedPage {
        brand: brand("Acme", None),
        application: APPLICATION,
        purpose: ConnectPurpose::Connect,
    };
    for (name, brand) in [
        ("question", Some(brand("Acme", Some(LOGO)))),
        ("question-choice", None),
    ] {
        let page = Question {
            brand,
            application: APPLICATION,
            href: "#",
        };
        write(name, question(&page, &nonce()));
    }
    write("connected", connected(&success, &nonce()));
    for failure in ConnectFailure::ALL {
        let words = (failure == ConnectFailure::AccessDenied).then_some(
            "access_denied: The resource owner <b>denied</b> the request.\nAsk an administrator.",
        );
        let page = FailedPage {
            brand: Some(brand("Acme", None)),
            application: Some(APPLICATION),
            failure,
            provider_words: words,
            again: Some("#"),
            reference: "0199f2c4-7d1e-8a30-b6f1-2c9d4e5f6a7b",
        };
        write(&format!("failed-{failure:?}"), failed(&page, &nonce()));
    }
    let outcome = ConnectOutcome::Connected {
        integration: "acme",
        integrated_account_id: "0199",
    };
    let uri = Url::parse("https://app.example/").unwrap();
    write(
        "popup",
        popup(&Popup::Connected(success), &outcome, &uri, &nonce()),
    );
}
