//! The search for secrets in every story: what a caller or a provider hands over in a secret's place must be found in no answer, no
//! log line and not in storage, neither as it is nor encoded. The twin calls `look` wherever something comes out or is stored.

use std::cell::RefCell;
use std::fmt;

use causeway::ports::System;
use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::client::{Answer, Setting};
use crate::inbound_webhooks::signing_file;
use crate::outside::World;

/// Where a secret must not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Answered,
    Logged,
    Stored,
}

struct Planted {
    name: String,
    value: String,
    forms: Vec<(&'static str, String)>,
    not: Vec<Place>,
}

thread_local! {
    /// Of this test: each has its own thread.
    static PLANTED: RefCell<Vec<Planted>> = const { RefCell::new(Vec::new()) };
}

/// The least that is searched for: what is shorter is in other words by chance.
const LEAST: usize = 8;

/// Keys under which a text is a secret, anywhere in a request or a provider's token answer.
const KEYS: [&str; 13] = [
    "api_key",
    "api_token",
    "token",
    "password",
    "secret",
    "client_secret",
    "access_token",
    "refresh_token",
    "id_token",
    "private_key",
    "webhook_secret",
    "previous_webhook_secret",
    "integrated_account_token",
];

/// A new world: the secrets of the one before are forgotten.
pub fn begin() {
    PLANTED.with_borrow_mut(Vec::clear);
}

/// From here on this text must be in none of these places.
pub fn plant(name: &str, value: &str, not: &[Place]) {
    let is_new = |planted: &Vec<Planted>| !planted.iter().any(|one| one.value == value);
    if value.len() < LEAST || value.contains("{{") || !PLANTED.with_borrow(is_new) {
        return;
    }
    let (name, forms, value) = (name.to_owned(), forms(value), value.to_owned());
    let not = not.to_vec();
    PLANTED.with_borrow_mut(|planted| {
        planted.push(Planted {
            name,
            value,
            forms,
            not,
        });
    });
}

/// The story itself shows this text, as a provider does that repeats what it got, in a document that is passed on unread.
pub fn may_be(value: &str, place: Place) {
    PLANTED.with_borrow_mut(|planted| {
        for one in planted.iter_mut().filter(|one| one.value == value) {
            one.not.retain(|own| *own != place);
        }
    });
}

/// Plants what is in a secret's place of a JSON document, and nowhere else in it.
pub fn plant_all(document: &Value, not: &[Place]) {
    let (mut secret, mut open) = (Vec::new(), Vec::new());
    sort(document, "", &mut secret, &mut open);
    for (name, value) in secret {
        if !open.iter().any(|text| text.contains(value)) {
            plant(name, value, not);
        }
    }
}

/// The texts of a document: those in a secret's place, with its name, and the others.
fn sort<'v>(
    value: &'v Value,
    key: &'v str,
    secret: &mut Vec<(&'v str, &'v str)>,
    open: &mut Vec<&'v str>,
) {
    match value {
        Value::Object(map) if key == "secret_environment_variables" => {
            let texts = map
                .iter()
                .filter_map(|(name, one)| Some((name.as_str(), one.as_str()?)));
            secret.extend(texts);
        }
        // What says where a token is has the token's names.
        Value::Object(map) if key == "custom_token" && map.contains_key("config") => {
            let config = map.get("config").and_then(Value::as_object);
            for (key, one) in config.into_iter().flatten() {
                match one {
                    Value::Object(expressions) if key == "token" => {
                        open.extend(expressions.values().filter_map(Value::as_str));
                    }
                    one => sort(one, key, secret, open),
                }
            }
        }
        Value::Object(map) => map
            .iter()
            .for_each(|(key, one)| sort(one, key, secret, open)),
        Value::Array(all) => all.iter().for_each(|one| sort(one, key, secret, open)),
        Value::String(text) if KEYS.contains(&key) => secret.push((key, text)),
        Value::String(text) => open.push(text),
        _ => {}
    }
}

/// The encodings that give a text away. Base64 has three: as the text starts at a multiple of three bytes, or one
/// or two behind it.
fn forms(value: &str) -> Vec<(&'static str, String)> {
    let mut forms = vec![
        ("plain", value.to_owned()),
        ("hex", HEXLOWER.encode(value.as_bytes())),
        ("HEX", HEXUPPER.encode(value.as_bytes())),
        (
            "percent",
            utf8_percent_encode(value, NON_ALPHANUMERIC).to_string(),
        ),
        (
            "form",
            form_urlencoded::byte_serialize(value.as_bytes()).collect(),
        ),
        (
            "JSON",
            Value::from(value).to_string().trim_matches('"').to_owned(),
        ),
    ];
    for (ahead, name) in ["base64, 0", "base64, 1", "base64, 2"]
        .into_iter()
        .enumerate()
    {
        let mut bytes = vec![0; ahead];
        bytes.extend(value.as_bytes());
        let inside = (ahead * 8).div_ceil(6)..bytes.len() * 8 / 6;
        forms.push((name, BASE64_NOPAD.encode(&bytes)[inside.clone()].to_owned()));
        forms.push((name, BASE64URL_NOPAD.encode(&bytes)[inside].to_owned()));
    }
    forms.sort_by(|one, other| one.1.cmp(&other.1));
    forms.dedup_by(|one, other| one.1 == other.1);
    forms
}

/// Fails when a planted text is in here.
#[track_caller]
pub fn look(place: Place, text: &str, whence: &dyn fmt::Display) {
    PLANTED.with_borrow(|planted| {
        for one in planted.iter().filter(|one| one.not.contains(&place)) {
            let form = one
                .forms
                .iter()
                .find(|(_, encoded)| text.contains(encoded.as_str()));
            assert!(
                form.is_none(),
                "the secret `{}` ({}) is {place:?} as {form:?}: {whence}: {text}",
                one.name,
                one.value
            );
        }
    });
}

/// The same for an answer; then plants what only this answer shows.
#[track_caller]
pub fn look_at(answer: &Answer, method: &str, path: &str) {
    let body = String::from_utf8_lossy(&answer.body);
    let whole = format!("{:?}\n{body}", answer.headers);
    look(
        Place::Answered,
        &whole,
        &format_args!("{method} {path} → {}", answer.status),
    );
    let route = path.split('?').next().unwrap_or_default();
    let shows_once = [
        "/api-token",
        "/integrated-account/token",
        "/webhook",
        "/link-token",
    ]
    .contains(&route)
        || route.ends_with("/rotate-secret");
    if method == "POST" && shows_once && (200..300).contains(&answer.status) {
        let document = answer.json();
        plant_all(&document, &[Place::Answered, Place::Logged, Place::Stored]);
        // The page of a link has the token in its form.
        let link = document["link_token"].as_str().unwrap_or_default();
        plant("link_token", link, &[Place::Logged, Place::Stored]);
    }
}

const SECRET: &str = "a secret/of+these tests";

/// A world in which an account's key is planted; the setting and the account's id.
fn world_with_secret() -> (World, Setting, String) {
    let world = World::new();
    let setting = Setting::new(&world, &signing_file(&json!({})));
    let account = setting.account("api_key", &json!({ "api_key": SECRET, "shop": "one" }));
    (world, setting, account)
}

#[test]
#[should_panic(expected = "is Answered")]
fn a_secret_in_an_answer_ends_the_story() {
    let (world, setting, account) = world_with_secret();
    world.answers(200, &[], &format!("your key is {SECRET}"));
    setting
        .client
        .get(&format!("/custom/x?integrated_account_id={account}"));
}

#[test]
#[should_panic(expected = "is Answered")]
fn so_does_one_in_a_header_in_the_middle_of_base64() {
    let (world, setting, account) = world_with_secret();
    let encoded = BASE64_NOPAD.encode(format!("me:{SECRET}:").as_bytes());
    world.answers(200, &[("x-echo", &encoded)], "[]");
    setting
        .client
        .get(&format!("/custom/x?integrated_account_id={account}"));
}

#[test]
#[should_panic(expected = "is Logged")]
fn so_does_one_in_the_log() {
    let (world, _, _) = world_with_secret();
    world.log(&json!({ "level": "error", "reason": HEXLOWER.encode(SECRET.as_bytes()) }));
}

#[test]
#[should_panic(expected = "is Stored")]
fn so_does_one_that_is_stored() {
    let (_, setting, account) = world_with_secret();
    let change = json!({ "tenant_id": SECRET });
    setting
        .client
        .send("PATCH", &format!("/integrated-account/{account}"), &change);
}
