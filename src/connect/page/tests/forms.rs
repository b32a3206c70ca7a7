use serde_json::{Value, json};

use super::{HOSTILE, assert_sound, brand, credential, fresh, nonce};
use crate::config::Credential;
use crate::connect::form::Problems;
use crate::connect::page::{ConnectForm, ConnectPurpose, CredentialLink, form, way_label};

fn api_key(fields: &Value) -> Credential {
    credential(json!({"format": "api_key", "config": {"fields": fields}}))
}

fn shown<'a>(credential: &'a Credential, change: impl FnOnce(&mut ConnectForm<'a>)) -> String {
    // A test may forget it: the form borrows it for as long as the rest.
    let problems: &Problems = Box::leak(Box::default());
    let mut page = fresh(credential, problems);
    change(&mut page);
    form(&page, &nonce())
}

#[test]
fn hostile_words_of_the_file_and_of_the_customer_stay_text() {
    for text in HOSTILE {
        let fields = json!([
            {"name": text, "label": text, "help_text": text, "placeholder": text, "default": text, "required": true, "prefix": text, "suffix": text,
                "docs_url": text, "visible_when": {"field": "s", "is": [text]}},
            {"name": "s", "type": "single_select", "default": {"a": text}, "options": [{"label": text, "value": text}, {"label": "x", "value": {"a": text}}]}
        ]);
        let credential = api_key(&fields);
        let mut problems = Problems::default();
        problems.add(text, text);
        let posted = [(text.to_owned(), text.to_owned())];
        let page = ConnectForm {
            brand: brand(text, Some(text)),
            ways: vec![
                CredentialLink {
                    label: text.to_owned(),
                    href: "?credential=a".to_owned(),
                    is_current: true,
                },
                CredentialLink {
                    label: text.to_owned(),
                    href: "?credential=b".to_owned(),
                    is_current: false,
                },
            ],
            hidden: vec![(text, text)],
            posted: Some(&posted),
            refusal: Some(text),
            ..fresh(&credential, &problems)
        };
        let html = form(&page, &nonce());
        assert_sound(&html);
        assert!(html.contains("value=\"") && !html.contains("value=\"\"><script"));
    }
}

#[test]
fn a_password_is_in_no_page() {
    let fields = json!([
        {"name": "p", "type": "password", "required": true, "default": "hunter2"}, {"name": "client_secret"},
        {"name": "hash", "transform": "sha256"}, {"name": "pin", "type": "password", "format": "number"}
    ]);
    let credential = api_key(&fields);
    let names = ["p", "client_secret", "hash", "pin"];
    let posted = names.map(|name| (name.to_owned(), "hunter2".to_owned()));
    let kept =
        json!({"p": "hunter2", "client_secret": "hunter2", "hash": "hunter2", "pin": "hunter2"});
    for (posted, kept) in [
        (None, None),
        (None, Some(&kept)),
        (Some(&posted[..]), None),
        (Some(&posted[..]), Some(&kept)),
    ] {
        let html = shown(&credential, |page| {
            (page.posted, page.kept) = (posted, kept);
        });
        assert!(!html.contains("hunter2"), "{html}");
        assert_eq!(html.contains("type it again"), posted.is_some());
        assert_eq!(html.contains("Already stored"), kept.is_some());
    }
}

#[test]
fn of_a_kept_context_only_what_was_typed_is_shown() {
    let credential = api_key(&json!([{"name": "a"}, {"name": "b"}, {"name": "c"}]));
    let kept = json!({"a": {"token": "hunter2"}, "b": ["hunter2"], "c": 7, "d": "hunter2"});
    let html = shown(&credential, |page| page.kept = Some(&kept));
    assert!(!html.contains("hunter2") && html.contains("value=\"7\""));
}

#[test]
fn an_input_is_named_described_and_keeps_what_was_typed() {
    let fields = json!([
        {"name": "email", "label": "E-mail", "format": "email", "required": true, "help_text": "Yours.", "placeholder": "a@b"},
        {"name": "site", "format": "url"}, {"name": "n", "format": "number", "default": 5}, {"name": "secret", "type": "password"}
    ]);
    let credential = api_key(&fields);
    let posted = [("email".to_owned(), "a b".to_owned())];
    let mut problems = Problems::default();
    problems.add("email", "“E-mail” is wrong.");
    let page = ConnectForm {
        posted: Some(&posted),
        ..fresh(&credential, &problems)
    };
    let html = form(&page, &nonce());
    for part in [
        "<title>Error: Connect Acme</title>",
        "role=\"alert\" tabindex=\"-1\" autofocus",
        "<a href=\"#field-0\" dir=\"auto\">“E-mail” is wrong.</a>",
        "<label for=\"field-0\" dir=\"auto\">E-mail</label><span class=\"mark\">Required</span>",
        "<p class=\"help\" id=\"field-0-help\" dir=\"auto\">Yours.</p>",
        "<p class=\"problem\" id=\"field-0-problem\" dir=\"auto\"><span class=\"unseen\">Error: </span>",
        "name=\"email\" type=\"email\" value=\"a b\" inputmode=\"email\" placeholder=\"a@b\"",
        "required aria-invalid=\"true\" aria-describedby=\"field-0-help field-0-problem\"",
        "type=\"url\" value=\"\" inputmode=\"url\"",
        "type=\"text\" value=\"5\" inputmode=\"decimal\"",
        "type=\"password\" value=\"\" autocomplete=\"off\"",
        "<input type=\"hidden\" name=\"link_token\" value=\"lt_1\">",
    ] {
        assert!(html.contains(part), "{part}\n{html}");
    }
    assert!(html.find("type=\"hidden\"") < html.find("id=\"field-0\""));
}

#[test]
fn a_select_shows_what_was_chosen_and_a_blank_until_then() {
    let select = |extra: Value| {
        let mut field = json!({"name": "s", "type": "single_select", "options": [{"label": "One", "value": 1}, {"label": "Two", "value": "2"}]});
        field
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        shown(&api_key(&json!([field])), |_| {})
    };
    let blank = "<option value=\"\">Choose…</option>";
    assert!(select(json!({})).contains(blank) && select(json!({"required": true})).contains(blank));
    let preset = select(json!({"required": true, "default": 1}));
    assert!(
        !preset.contains(blank) && preset.contains("<option value=\"1\" selected dir=\"auto\">One")
    );
    assert!(select(json!({"default": "2"})).contains(blank));
}

#[test]
fn a_choice_of_credentials_is_links() {
    let credential = api_key(&json!([{"name": "k", "type": "password", "label": "Access key"}]));
    let way = |label: String, is_current| CredentialLink {
        label,
        href: "/connect/acme?credential=x&a=b".to_owned(),
        is_current,
    };
    let html = shown(&credential, |page| {
        page.ways = vec![
            way(way_label(&credential), true),
            way("Sign in".to_owned(), false),
        ];
    });
    assert!(html.contains("aria-current=\"true\" dir=\"auto\">Access key</a>"));
    assert!(
        html.contains("<a href=\"/connect/acme?credential=x&amp;a=b\" dir=\"auto\">Sign in</a>")
    );
    let alone = shown(&credential, |page| {
        page.ways = vec![way("x".to_owned(), true)];
    });
    assert!(!alone.contains("<nav"));
}

#[test]
fn the_words_say_what_happens_next() {
    let oauth = credential(json!({"format": "oauth2", "config": {}}));
    let html = shown(&oauth, |_| {});
    assert!(
        html.contains("You will sign in at Acme") && html.contains(">Continue to Acme</button>")
    );
    let again = shown(&oauth, |page| page.purpose = ConnectPurpose::Reconnect);
    assert!(again.contains("<h1 dir=\"auto\">Reconnect Acme</h1>") && again.contains("renewed"));
    let key = api_key(&json!([{"name": "k", "type": "password"}]));
    assert!(shown(&key, |_| {}).contains(">Connect</button>"));
    let again = shown(&key, |page| page.purpose = ConnectPurpose::Reconnect);
    assert!(again.contains(">Reconnect</button>"));
    let refused = shown(&key, |page| page.refusal = Some("Unknown <key>"));
    assert!(
        refused.contains("Acme did not accept this") && refused.contains("Unknown &lt;key&gt;")
    );
}

#[test]
fn ten_thousand_characters_are_cut_where_they_are_ours_to_cut() {
    let long = "x".repeat(10_000);
    let credential = api_key(&json!([{"name": "a"}]));
    let posted = [("a".to_owned(), long.clone())];
    let html = shown(&credential, |page| {
        (page.posted, page.refusal) = (Some(&posted[..]), Some(&long[..]));
    });
    assert!(html.contains(&"x".repeat(4_000)) && !html.contains(&"x".repeat(4_001)));
}

#[test]
fn a_field_is_shown_by_its_choice_without_a_script() {
    let fields = json!([
        {"name": "edition", "type": "single_select", "options": [{"label": "Cloud", "value": "cloud"}, {"label": "Server", "value": 7}]},
        {"name": "server", "visible_when": {"field": "edition", "is": [7]}, "docs_url": "https://acme.example/docs?a=\"b"},
        {"name": "other", "prefix": "https://", "suffix": ".acme.example", "docs_url": "http://acme.example"},
    ]);
    let page = shown(&api_key(&fields), |_| {});
    assert_sound(&page);
    assert!(page.contains(
        "form:not(:has(#field-0 > :nth-last-child(1):checked)) #field-1-row { display: none }"
    ));
    assert!(page.contains(r#"id="field-1-row""#) && !page.contains("field-2-row"));
    assert!(
        page.contains(r#"href="https://acme.example/docs?a=%22b""#),
        "{page}"
    );
    assert_eq!(
        page.matches("How to find it").count(),
        1,
        "http is not linked"
    );
    assert!(page.contains(r#"aria-describedby="field-2-prefix field-2-suffix""#));
    assert!(!page.contains("<script"));
}
