//! What a provider repeats of a secret goes no further: every place its text can reach, every form the secret may have there.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use causeway::ports::{Body, Reply};
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use futures::executor::block_on;
use serde_json::{Value, json};

use crate::account::Scene;
use crate::cases::each_case;
use crate::client::Answer;
use crate::connect::Browser;
use crate::outside::{Pieces, World, reply};

const OWN: &str = "https://api.echoing.example";
/// The account's own, a key as most are; one with everything that some encoding writes otherwise; the install's.
const KEY: &str = "sk_live_51Habcd-EFgh";
const ODD: &str = "p+a/s's \"w\\o<r>d&é=%";
const INSTALLS: &str = "whsec-Of.The~Install";

fn file() -> Value {
    json!({ "name": "echoing", "config": {
        "base_url": OWN,
        "credentials": { "oauth2": { "format": "oauth2", "config": {
            "client": { "id": "client", "secret": "{{environment_variables.client_secret}}" },
            "auth": { "tokenHost": OWN, "authorizePath": "/authorize", "tokenPath": "/token" },
            "fields": [{ "name": "passphrase", "type": "password" }],
        } },
        "api_key": { "format": "api_key", "config": { "fields": [{ "name": "passphrase", "label": "p", "type": "password" }] } },
        "oauth2_client_credentials": { "format": "oauth2_client_credentials", "config": {
            "auth": { "tokenHost": OWN, "tokenPath": "/token" },
            "fields": [{ "name": "client_id", "label": "i" }, { "name": "client_secret", "label": "s", "type": "password" }],
        } } },
        "authorization": { "format": "bearer", "config": { "token": "{{oauth.token.access_token?:none}}" } },
        "error_expression": "$exists(response.error) ? { 'status': status < 400 ? 400 : status, 'message': response.error }",
        "resources": { "coins": {
            "list": { "path": "/coins", "pagination": { "format": "link_header", "config": {} } },
            "get": { "path": "/coins/{{id}}" },
            "create": { "method": "post", "path": "/coins" },
        } },
        "actions": {
            "look": { "type": "request", "config": { "method": "get", "path": "/coins/1" } },
            "validation": { "type": "request", "config": { "method": "get", "path": "/coins/1" } },
        },
        "webhook": {
            "signature_verification": { "format": "none" },
            "payload_transform": "body.break ? $error(body.text) : { 'event_type': 'record:seen', 'resource_id': body.text, 'payload': { 'said': body.text } }",
        },
    } })
}

/// What the provider's next answer is: status, content type, body.
type Said = Rc<RefCell<(u16, &'static str, String)>>;

struct Story {
    scene: Scene,
    reported: Said,
}

impl Story {
    fn new() -> Self {
        let token = json!({ "access_token": KEY, "refresh_token": "refresh-token-1", "expires_at": 1_900_000_000 });
        let context = json!({ "oauth": { "token": token }, "passphrase": ODD });
        let scene = Scene::new(World::new(), &file(), "oauth2", &context);
        let path = format!("/environment-integration/{}", scene.setting.install);
        let secret = json!({ "override": { "secret_environment_variables": { "client_secret": INSTALLS } } });
        scene
            .setting
            .client
            .send("PATCH", &path, &secret)
            .expect(200);
        let reported: Said = Rc::new(RefCell::new((200, "", "{}".to_owned())));
        let provider_answers = Rc::clone(&reported);
        scene.world.provides(move |sent| {
            let (status, kind, body) = provider_answers.borrow().clone();
            if sent.url.ends_with("/coins") && sent.method == "GET" && status == 401 {
                let next = [
                    ("content-type", "application/json"),
                    ("link", "</coins?page=2>; rel=\"next\""),
                ];
                return reply(200, &next, Body::from_bytes("[1]"));
            }
            answer(status, kind, body)
        });
        Self { scene, reported }
    }

    fn provider_answers(&self, status: u16, kind: &'static str, body: &str) {
        *self.reported.borrow_mut() = (status, kind, body.to_owned());
    }

    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.scene.ask_passing(method, path, headers)
    }

    fn account(&self) -> String {
        block_on(self.scene.world.run_passing(self.scene.world.sleep_turn()));
        self.scene.world.pass(Duration::from_secs(10));
        block_on(self.scene.world.run_passing(self.scene.world.sleep_turn()));
        let client = &self.scene.setting.client;
        client
            .get(&format!("/integrated-account/{}", self.scene.account))
            .text()
            .to_owned()
    }

    fn events(&self) -> String {
        let list = self.scene.get("/event").text().to_owned();
        let first = serde_json::from_str::<Value>(&list).unwrap();
        let ids = first["result"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| event["id"].as_str().unwrap().to_owned());
        let client = &self.scene.setting.client;
        ids.fold(list, |all, id| {
            all + client.get(&format!("/event/{id}")).text()
        })
    }
}

fn answer(status: u16, kind: &str, body: String) -> Reply<Pieces> {
    let echo: String = body.chars().filter(|c| (' '..='~').contains(c)).collect();
    let headers = [("content-type", kind), ("x-debug", echo.as_str())];
    reply(status, &headers, Body::from_bytes(body))
}

fn percent(secret: &str, upper: bool) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    let hex = |b: u8| {
        if upper {
            format!("%{b:02X}")
        } else {
            format!("%{b:02x}")
        }
    };
    secret
        .bytes()
        .map(|b| {
            if is_plain(b) {
                char::from(b).to_string()
            } else {
                hex(b)
            }
        })
        .collect()
}

fn unicode(secret: &str) -> String {
    let escape = |all: String, unit| all + &format!("\\u{unit:04x}");
    secret.encode_utf16().fold(String::new(), escape)
}

fn escaped(text: &str) -> String {
    let text = Value::from(text).to_string();
    text[1..text.len() - 1].to_owned()
}

fn html(secret: &str) -> String {
    secret
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
        .replace('/', "&#x2F;")
}

/// Every form, and whether JSON has it unchanged: a form of JSON's own is not escaped once more.
fn forms(secret: &str) -> Vec<(String, String, bool)> {
    let mut forms = vec![
        ("plain".to_owned(), secret.to_owned(), false),
        ("percent".to_owned(), percent(secret, true), false),
        (
            "percent in small letters".to_owned(),
            percent(secret, false),
            false,
        ),
        (
            "every byte percent".to_owned(),
            secret
                .bytes()
                .fold(String::new(), |all, b| all + &format!("%{b:02X}")),
            false,
        ),
        (
            "form".to_owned(),
            form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
            false,
        ),
        ("JSON".to_owned(), escaped(secret), true),
        (
            "JSON, the slash too".to_owned(),
            escaped(secret).replace('/', "\\/"),
            true,
        ),
        ("JSON, every character".to_owned(), unicode(secret), true),
        ("JSON in JSON".to_owned(), escaped(&escaped(secret)), true),
        ("hex".to_owned(), HEXLOWER.encode(secret.as_bytes()), false),
        (
            "hex in capitals".to_owned(),
            HEXUPPER.encode(secret.as_bytes()),
            false,
        ),
        ("HTML".to_owned(), html(secret), false),
        (
            "percent twice".to_owned(),
            percent(&percent(secret, true), true),
            false,
        ),
        (
            "Basic with encoded halves".to_owned(),
            BASE64.encode(format!("client:{}", percent(secret, true)).as_bytes()),
            false,
        ),
        (
            "base64 of JSON".to_owned(),
            BASE64.encode(json!({ "k": secret }).to_string().as_bytes()),
            false,
        ),
    ];
    for (user, at) in [("", 0), ("a:", 2), ("ab:", 0), ("abc:", 1)] {
        let pair = format!("{user}{secret}");
        forms.push((
            format!("base64 at {at}"),
            BASE64.encode(pair.as_bytes()),
            false,
        ));
        forms.push((
            format!("base64 in JSON at {at}"),
            BASE64.encode(pair.as_bytes()).replace('/', "\\/"),
            true,
        ));
        forms.push((
            format!("base64 with more at {at}"),
            BASE64.encode(format!("{pair}:more").as_bytes()),
            false,
        ));
        forms.push((
            format!("base64url at {at}"),
            BASE64URL_NOPAD.encode(pair.as_bytes()),
            false,
        ));
        forms.push((
            format!("base64, percent at {at}"),
            percent(&BASE64.encode(pair.as_bytes()), true),
            false,
        ));
    }
    forms
}

/// What must not be in a text: for base64, most of it.
fn core(name: &str, form: &str) -> String {
    if !name.starts_with("base64") && !name.starts_with("Basic") {
        return form.to_owned();
    }
    let (from, to) = (form.len() / 2, form.len() / 2 + 9);
    form.get(from..to).unwrap_or(form).to_owned()
}

fn in_json(form: &str, is_json: bool) -> String {
    if is_json {
        form.to_owned()
    } else {
        escaped(form)
    }
}

const JSON: &str = "application/json";

/// A place that a provider's text can reach, and how it comes there: all text that came out.
type Place = (&'static str, fn(&Story, &str) -> String);

fn text_of(answer: &Answer) -> String {
    format!(
        "{:?} {}",
        answer.headers,
        String::from_utf8_lossy(&answer.body)
    )
}

const PLACES: [Place; 15] = [
    ("the message and raw_response of a get", |story, text| {
        story.provider_answers(400, JSON, &format!(r#"{{"error":"no: {text}."}}"#));
        text_of(&story.ask("GET", "/proxy/coins/1", &[]))
    }),
    ("a key of raw_response", |story, text| {
        story.provider_answers(
            400,
            JSON,
            &format!(r#"{{"errors":{{"x {text}":"is unknown"}}}}"#),
        );
        text_of(&story.ask("GET", "/proxy/coins/1", &[]))
    }),
    ("raw_response that is text", |story, text| {
        story.provider_answers(500, "text/plain", &format!("Bearer {text}\n"));
        text_of(&story.ask("GET", "/proxy/coins/1", &[("x-max-retries", "0")]))
    }),
    ("raw_response of a list", |story, text| {
        story.provider_answers(403, JSON, &format!(r#"[["{text}"]]"#));
        text_of(&story.ask("GET", "/proxy/coins", &[]))
    }),
    ("an error in a good answer", |story, text| {
        story.provider_answers(200, JSON, &format!(r#"{{"error":"{text}"}}"#));
        text_of(&story.ask("GET", "/proxy/coins/1", &[]))
    }),
    ("a rate limit", |story, text| {
        story.provider_answers(429, JSON, &format!(r#"{{"error":"{text}"}}"#));
        text_of(&story.ask("GET", "/proxy/coins/1", &[("x-max-retries", "0")]))
    }),
    ("the last line of all pages", |story, text| {
        story.provider_answers(401, JSON, &format!(r#"{{"error":"{text}"}}"#));
        text_of(&story.ask("GET", "/proxy/coins", &[("x-all-pages", "true")]))
    }),
    ("a step of an action", |story, text| {
        story.provider_answers(422, JSON, &format!(r#"{{"error":"{text}"}}"#));
        text_of(&story.ask("POST", "/proxy/_/look", &[]))
    }),
    ("a refusal on a path of the caller's own", |story, text| {
        story.provider_answers(403, JSON, &format!(r#"{{"error":"{text}"}}"#));
        text_of(&story.ask("GET", "/custom/coins/1", &[]))
    }),
    ("the result of an action", |story, text| {
        story.provider_answers(200, JSON, &format!(r#"{{"said":["{text}"]}}"#));
        text_of(&story.ask("POST", "/proxy/_/look", &[]))
    }),
    ("last_forbidden_error", |story, text| {
        story.provider_answers(403, JSON, &format!(r#"{{"error":"{text}"}}"#));
        let answer = text_of(&story.ask("GET", "/proxy/coins/1", &[]));
        assert!(story.account().contains("\"last_forbidden_error\":{"));
        answer + &story.account()
    }),
    ("the kept answer of a keyed write", |story, text| {
        story.provider_answers(422, JSON, &format!(r#"{{"error":"{text}"}}"#));
        story.ask("POST", "/proxy/coins", &[("idempotency-key", "1")]);
        let again = story.ask("POST", "/proxy/coins", &[("idempotency-key", "1")]);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        text_of(&again)
    }),
    ("last_error of a refused refresh", |story, text| {
        story.provider_answers(
            400,
            JSON,
            &format!(r#"{{"error":"invalid_grant","error_description":"{text}"}}"#),
        );
        let body = json!({ "id": story.scene.account });
        let client = &story.scene.setting.client;
        let answer = client.post("/integrated-account/refresh-credentials", &body);
        text_of(&answer) + &story.account()
    }),
    (
        "an error of ours that repeats the token endpoint",
        |story, text| {
            story.provider_answers(
                400,
                JSON,
                &format!(r#"{{"error":"invalid_client","error_description":"{text}"}}"#),
            );
            let body = json!({ "id": story.scene.account });
            let client = &story.scene.setting.client;
            text_of(&client.post("/integrated-account/refresh-credentials", &body))
        },
    ),
    (
        "the events of a webhook, and what cannot be read",
        |story, text| {
            let path = format!("/integrated-account-webhook/{}", story.scene.account);
            for tail in ["", r#","break":true"#] {
                let body = Body::from_bytes(format!(r#"{{"text":"{text}"{tail}}}"#));
                let anonymous = story.scene.setting.client.with_token("");
                anonymous.request("POST", &path, &[("content-type", JSON)], body);
            }
            story.events()
        },
    ),
];

#[test]
fn no_secret_comes_out_in_any_form_by_any_place_that_a_providers_text_can_reach() {
    let mut leaks = Vec::new();
    each_case(PLACES, |(place, reach)| {
        // What stays there would be found again with the next form.
        let is_kept = ["kept", "refused refresh", "events"]
            .iter()
            .any(|word| place.contains(word));
        let mut story = Story::new();
        each_case([KEY, ODD, INSTALLS], |secret| {
            each_case(forms(secret), |(name, form, is_json)| {
                if is_kept {
                    story = Story::new();
                }
                let is_text = place.contains("is text");
                let text = if is_text {
                    form.clone()
                } else {
                    in_json(&form, is_json)
                };
                story.scene.world.0.logs.borrow_mut().clear();
                let out = reach(&story, &text);
                let console = format!("{:?}", story.scene.world.0.logs.borrow());
                let core = core(&name, &form);
                let hides = |all: &str| {
                    let cores = [core.clone(), escaped(&core), escaped(&escaped(&core))];
                    !cores.iter().any(|core| all.contains(core.as_str()))
                };
                if !hides(&out) {
                    leaks.push(format!("{place}: {name} of {secret}: {out}"));
                }
                if !hides(&console) {
                    leaks.push(format!(
                        "{place}, on the console: {name} of {secret}: {console}"
                    ));
                }
            });
        });
    });
    let shown: Vec<_> = leaks
        .iter()
        .map(|leak| leak.chars().take(700).collect::<String>())
        .take(40)
        .collect();
    assert!(
        leaks.is_empty(),
        "{} leaks:\n{}",
        leaks.len(),
        shown.join("\n")
    );
}

/// An account that a customer connects: the whole page, and what is reported of the account afterwards.
fn connected(story: &Story, credential: &str) -> String {
    let (world, setting) = (&story.scene.world, &story.scene.setting);
    let body = json!({ "tenant_id": "customer", "integration": "echoing" });
    let link = setting.client.post("/link-token", &body).expect(201)["link_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let form = [
        ("link_token", link.as_str()),
        ("credential", credential),
        ("passphrase", ODD),
        ("client_id", "client"),
        ("client_secret", ODD),
    ];
    let page = Browser::of(world).post("/connect/echoing", &form);
    let accounts = setting.client.get("/integrated-account?tenant_id=customer");
    text_of(&page) + accounts.text()
}

#[test]
fn what_fails_while_an_account_is_connected_is_told_without_its_secrets() {
    let mut leaks = Vec::new();
    each_case(["api_key", "oauth2_client_credentials"], |credential| {
        each_case(forms(ODD), |(name, form, is_json)| {
            let story = Story::new();
            let text = in_json(&form, is_json);
            story.provider_answers(
                400,
                JSON,
                &format!(r#"{{"error":"no {text}","error_description":"{text}"}}"#),
            );
            let out = connected(&story, credential);
            assert!(
                credential != "api_key" || out.contains("validation_error"),
                "{out}"
            );
            let core = core(&name, &form);
            if [core.clone(), escaped(&core), html(&core)]
                .iter()
                .any(|core| out.contains(core.as_str()))
            {
                leaks.push(format!("{credential}: {name}: {out}"));
            }
        });
    });
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

#[test]
fn an_answer_without_a_secret_comes_byte_for_byte() {
    let story = Story::new();
    let body = "{\"a\": 1e400, \"b\":\"x\\u0041\\/\", \"c\":\"%41 &amp; c2tfbGl2ZV81MQ==\"}";
    story.provider_answers(404, JSON, body);
    let answer = story.ask("GET", "/proxy/coins/1", &[]);
    assert!(answer.text().contains(body), "{}", answer.text());
    assert_eq!(answer.header("x-debug"), Some(body));
}

#[test]
fn a_short_secret_is_not_looked_for() {
    let file = file();
    let context = json!({ "oauth": { "token": { "access_token": "abcdefg", "expires_at": 1_900_000_000 } }, "passphrase": "12345678" });
    let scene = Scene::new(World::new(), &file, "oauth2", &context);
    scene.world.answers(
        404,
        &[("content-type", JSON)],
        r#"{"a":"abcdefg","b":12345678,"c":"12345678"}"#,
    );
    let answer = scene.get("/proxy/coins/1").expect(404);
    assert_eq!(
        answer["raw_response"],
        json!({ "a": "abcdefg", "b": null, "c": "[hidden]" }),
        "7 characters and 8"
    );
}
