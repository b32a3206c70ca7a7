//! What a provider says again of a secret, where the places and encodings are its own choice; and for whom and how
//! long the gateway remembers it.

use std::time::Duration;

use causeway::ports::Body;
use data_encoding::{BASE64, HEXLOWER};
use serde_json::{Value, json};

use crate::account::Scene;
use crate::cases::each_case;
use crate::client::Answer;
use crate::connect::{Browser, parameter};
use crate::files;
use crate::outside::{Pieces, World, reply, streamed};

const OWN: &str = "https://api.echo.example";
const KEY: &str = "CUSTOMER-KEY-123456789";

fn file() -> Value {
    files::with_key(
        "echo",
        &json!({ "custom": true,
            "authorization": { "format": "header", "config": { "name": "x-key", "value": "{{api_key}}" } },
            "resources": {
                "r": { "get": { "path": "/r/{{id}}" }, "abroad": { "base_url": "https://files.echo.example", "path": "/f" } },
            },
        }),
    )
}

fn scene(file: &Value) -> Scene {
    Scene::new(World::new(), file, "api_key", &json!({ "api_key": KEY }))
}

fn refused(scene: &Scene, headers: &[(&'static str, &'static str)], body: Body<Pieces>) -> Answer {
    let headers = headers.to_vec();
    let body = std::cell::RefCell::new(Some(body));
    scene.world.provides(move |_| {
        let body = body.borrow_mut().take().unwrap_or(Body::Empty);
        reply(400, &headers, body)
    });
    scene.call_passing("GET", "/custom/x", &[], Body::Empty)
}

/// Whether some of the secret can be read out of these bytes: as text, with gaps, or in hex.
fn tells(body: &[u8]) -> bool {
    let letters: Vec<u8> = body
        .iter()
        .copied()
        .filter(u8::is_ascii_alphanumeric)
        .collect();
    let text = String::from_utf8_lossy(&letters).into_owned();
    let core = ["CUSTOMER", "KEY", "123456789"];
    let hex: Vec<String> = core
        .iter()
        .map(|part| HEXLOWER.encode(part.as_bytes()))
        .collect();
    let base64 = BASE64.encode(KEY.as_bytes());
    let twice = BASE64.encode(base64.as_bytes());
    core.iter().any(|part| text.contains(part))
        || hex.iter().any(|part| text.to_lowercase().contains(part))
        || [&base64[..12], &base64[8..20], &twice[..12], &twice[12..24]]
            .iter()
            .any(|part| text.contains(part))
}

fn wide(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

#[test]
fn a_refusal_on_a_callers_path_that_cannot_be_read_is_left_out() {
    let html = format!("<p>{KEY}</p>");
    let cases = [
        (
            &[
                ("content-type", "application/json"),
                ("content-encoding", "deflate"),
            ][..],
            KEY.as_bytes().to_vec(),
        ),
        (
            &[
                ("content-type", "application/json"),
                ("content-encoding", "zstd"),
            ],
            KEY.as_bytes().to_vec(),
        ),
        (
            &[
                ("content-type", "application/json"),
                ("content-encoding", "x-identity"),
            ],
            KEY.as_bytes().to_vec(),
        ),
        (
            &[
                ("content-type", "application/json"),
                ("content-encoding", "gzip, br"),
            ],
            KEY.as_bytes().to_vec(),
        ),
        (
            &[("content-type", "application/json; charset=utf-16le")],
            wide(KEY, u16::to_le_bytes),
        ),
        (
            &[("content-type", "text/html; charset=UTF-16BE")],
            wide(&html, u16::to_be_bytes),
        ),
        (
            &[("content-type", "text/html; charset=utf-16le")],
            html.clone().into_bytes(),
        ),
        (
            &[("content-type", "text/plain")],
            wide(KEY, u16::to_le_bytes),
        ),
        (
            &[("content-type", "text/plain; charset=utf-8")],
            wide(KEY, u16::to_be_bytes),
        ),
        (
            &[("content-type", "text/plain; charset=iso-8859-1")],
            wide(KEY, u16::to_le_bytes),
        ),
        (
            &[("content-type", "text/plain; charset=utf-7")],
            KEY.replace('-', "+AC0-").into_bytes(),
        ),
        (
            &[("content-type", "text/plain; charset=shift_jis")],
            KEY.as_bytes().to_vec(),
        ),
        (
            &[("content-type", "text/plain")],
            [b"\xe9 ", KEY.as_bytes()].concat(),
        ),
        (
            &[("content-type", "application/octet-stream")],
            [b"\x00\x01", KEY.as_bytes()].concat(),
        ),
        (
            &[("content-type", "text/xml")],
            wide(
                &format!("<?xml version='1.0'?><a>{KEY}</a>"),
                u16::to_le_bytes,
            ),
        ),
        (&[], [KEY.as_bytes(), &vec![b'x'; 300 * 1024]].concat()),
    ];
    each_case(cases, |(headers, body)| {
        let answer = refused(&scene(&file()), headers, Body::from_bytes(body.clone()));
        assert_eq!(answer.status, 400);
        assert!(
            !tells(&answer.body),
            "{headers:?}: {:?}",
            String::from_utf8_lossy(&answer.body[..answer.body.len().min(300)])
        );
        assert!(!answer.body.is_empty(), "{headers:?}: it says why");
        assert_eq!(answer.header("content-encoding"), None, "{headers:?}");
    });
}

#[test]
fn a_refusal_on_a_callers_path_is_read_up_to_256_kib() {
    let long: &'static [u8] = Box::leak(vec![b'x'; 200 * 1024].into_boxed_slice());
    let answer = refused(
        &scene(&file()),
        &[("retry-after", "7")],
        streamed(&[KEY.as_bytes(), long, long], None),
    );
    assert!(!tells(&answer.body) && answer.header("retry-after") == Some("7"));
    assert!(
        answer.json()["message"]
            .as_str()
            .unwrap()
            .contains("left out"),
        "{}",
        answer.text()
    );
    let mut body = vec![b'x'; 256 * 1024 - KEY.len()];
    body.extend(KEY.as_bytes());
    let answer = refused(&scene(&file()), &[], Body::from_bytes(body));
    assert!(answer.text().ends_with("[redacted]"));
}

/// RFC 9530, RFC 9110 section 8: what describes the provider's bytes does not describe ours.
#[test]
fn a_refusal_without_its_secrets_keeps_no_field_of_the_bytes_before() {
    let headers = [
        ("content-type", "text/plain; charset=iso-8859-1"),
        ("content-digest", "sha-256=:AAAA:"),
        ("content-md5", "AAAA"),
        ("repr-digest", "sha-256=:AAAA:"),
        ("etag", "\"a\""),
        ("x-trace", "t-1"),
    ];
    let body = Body::from_bytes(format!("no: {KEY}"));
    let answer = refused(&scene(&file()), &headers, body);
    assert!(!tells(&answer.body));
    for gone in ["content-digest", "content-md5", "repr-digest", "etag"] {
        assert_eq!(answer.header(gone), None, "{gone}");
    }
    assert_eq!(answer.header("x-trace"), Some("t-1"));
    let kind = answer.header("content-type");
    assert_eq!(kind, Some("text/plain; charset=utf-8"));
}

#[test]
fn a_refusal_that_can_be_read_goes_on_as_it_came() {
    let cases = [
        (
            &[("content-type", "application/json")][..],
            br#"{"a": 1e400}"#.to_vec(),
        ),
        (
            &[("content-type", "text/html; charset=iso-8859-1")],
            b"<p>caf\xe9</p>".to_vec(),
        ),
        (
            &[("content-type", "text/html; charset=utf-16le")],
            wide("<p>no</p>", u16::to_le_bytes),
        ),
        (
            &[("content-type", "text/plain")],
            b"caf\xe9\r\n\tno".to_vec(),
        ),
        (&[], Vec::new()),
    ];
    each_case(cases, |(headers, body)| {
        let answer = refused(&scene(&file()), headers, Body::from_bytes(body.clone()));
        assert_eq!(answer.body, body, "{headers:?}");
    });
    let latin = refused(
        &scene(&file()),
        &[("content-type", "text/html; charset=iso-8859-1")],
        Body::from_bytes([b"caf\xe9 ", KEY.as_bytes()].concat()),
    );
    assert_eq!(
        (latin.text(), latin.header("content-type")),
        ("café [redacted]", Some("text/html; charset=utf-8"))
    );
}

#[test]
fn cheap_ways_to_write_a_secret_are_known() {
    let long = BASE64.encode(format!("{}{KEY}{}", "x".repeat(50), "y".repeat(50)).as_bytes());
    let wrapped = |width: usize, with: &str| -> String {
        let lines: Vec<&str> = long
            .as_bytes()
            .chunks(width)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        lines.join(with)
    };
    let hex = HEXLOWER.encode(KEY.as_bytes());
    let pairs = |with: &str| -> String {
        let pairs: Vec<&str> = hex
            .as_bytes()
            .chunks(2)
            .map(|pair| std::str::from_utf8(pair).unwrap())
            .collect();
        pairs.join(with)
    };
    let mut forms = vec![
        wrapped(76, "\r\n"),
        wrapped(64, "\n"),
        wrapped(10, "\n "),
        wrapped(76, "\\r\\n"),
        wrapped(7, "=\r\n"),
        KEY.replace('-', "=2D"),
        KEY.replace('-', "\\055"),
        KEY.replace('-', "\\u{2d}"),
        KEY.replace('-', "\\u{00002D}"),
        format!("{}=\r\n{}", &KEY[..9], &KEY[9..]),
        pairs(":"),
        pairs(" "),
        pairs("\n"),
        pairs(":").to_uppercase(),
    ];
    for at in 0..3 {
        for outer in 0..3 {
            let inner = BASE64.encode(format!("{}{KEY}", "x".repeat(at)).as_bytes());
            forms.push(BASE64.encode(format!("{}{inner}", "y".repeat(outer)).as_bytes()));
        }
    }
    each_case(forms, |form| {
        let mut wrong = Vec::new();
        let cases = [
            ("text/plain", format!("bad: {form} !")),
            ("application/json", json!({ "a": form }).to_string()),
        ];
        each_case(cases, |(kind, body)| {
            let scene = scene(&file());
            let kind: &'static str = kind;
            let answer = refused(&scene, &[("content-type", kind)], Body::from_bytes(body));
            if !answer.text().contains("redacted]") || tells(&answer.body) {
                wrong.push(answer.text().to_owned());
            }
        });
        assert!(wrong.is_empty(), "{form}: {wrong:?}");
    });
}

// R10: what of a token answer is secret.

fn by_token(authorization: &Value, more: &Value) -> Value {
    let mut file = json!({ "name": "echo", "config": {
        "base_url": OWN, "custom": true,
        "credentials": { "oauth2": { "format": "oauth2", "config": { "client": { "id": "our-id", "secret": "our-secret" },
            "auth": { "tokenHost": OWN, "tokenPath": "/t", "authorizePath": "/a" } } } },
        "authorization": authorization,
        "resources": { "r": { "get": { "path": "/r/{{id}}" } } },
    } });
    causeway::json::merge(&mut file["config"], more);
    file
}

#[test]
fn the_secrets_of_a_token_answer_are_known_by_name_and_by_use() {
    let names = [
        "api_key",
        "apiKey",
        "jwt",
        "accessToken",
        "session",
        "sessionId",
        "password",
        "private_key",
        "clientSecret",
        "APIKEY",
        "X-Auth-Token",
        "webhook_secret",
        "idToken",
        "passphrase",
    ];
    let bearer =
        json!({ "format": "bearer", "config": { "token": "{{oauth.token.access_token}}" } });
    let reported = |file: &Value, token: &Value, secret: &str| {
        let scene = Scene::with_token(&[], file, token);
        scene.world.answers(
            403,
            &[("content-type", "application/json")],
            &json!({ "said": secret }).to_string(),
        );
        scene.get("/proxy/r/1").text().to_owned()
    };
    each_case(names, |name| {
        let secret = format!("Of.{name}-0123456789");
        let cases = [
            json!({ "access_token": "a-token-of-theirs", name: secret }),
            json!({ "access_token": "a-token-of-theirs", "user": { "deep": [{ name: secret }] } }),
        ];
        each_case(cases, |token| {
            let text = reported(&by_token(&bearer, &json!({})), &token, &secret);
            assert!(!text.contains("0123456789"), "{name}: {text}");
        });
    });
    let token = json!({ "access_token": "a-token-of-theirs", "ticket": "Ticket-0123456789", "deep": { "pass-port": "Passport-0123456789" } });
    let cases = [
        (
            json!({ "format": "header", "config": { "name": "x-key", "value": "{{oauth.token.ticket}}" } }),
            json!({}),
        ),
        (
            json!({ "format": "header", "config": { "name": "x-key", "value": "{{ context.oauth.token.ticket ?:none}}" } }),
            json!({}),
        ),
        (
            json!({ "format": "header", "config": { "expression": "{ 'x-key': context.oauth.token.ticket }" } }),
            json!({}),
        ),
        (
            json!({ "format": "header", "config": { "expression": "{ 'x-key': $string(context.oauth.token) }" } }),
            json!({}),
        ),
        (
            json!({ "format": "bearer", "config": { "token": "{{oauth.token:json}}" } }),
            json!({}),
        ),
        (
            bearer.clone(),
            json!({ "headers": { "x-api-key": "{{oauth.token.ticket}}" } }),
        ),
        (
            bearer.clone(),
            json!({ "query": { "auth": "{{oauth.token.ticket}}" } }),
        ),
        (
            bearer.clone(),
            json!({ "resources": { "r": { "get": { "authorization": { "format": "bearer", "config": { "token": "{{oauth.token.ticket}}" } } } } } }),
        ),
    ];
    each_case(cases, |(authorization, more)| {
        let text = reported(
            &by_token(&authorization, &more),
            &token,
            "Ticket-0123456789",
        );
        assert!(
            !text.contains("0123456789"),
            "{authorization} {more}: {text}"
        );
    });
    // Ids and names are what its answers are full of.
    let token = json!({ "access_token": "a-token-of-theirs", "token_type": "bearer-token", "team": { "id": "T0123456789" }, "provider_user_id": "acct_0123456789", "expires_in": 123_456_789, "refresh_token_expires_at": "20300101000000", "instance_url": "https://api0123456789.echo.example" });
    let cases = [
        "bearer-token",
        "T0123456789",
        "acct_0123456789",
        "20300101000000",
        "https://api0123456789.echo.example",
    ];
    each_case(cases, |secret| {
        let file = by_token(
            &bearer,
            &json!({ "query": { "team": "{{oauth.token.team.id}}" } }),
        );
        assert!(reported(&file, &token, secret).contains(secret), "{secret}");
    });
}

#[test]
fn what_a_provider_says_of_a_sign_in_on_the_way_back_is_shown_without_secrets() {
    let mut file = by_token(&json!({ "format": "bearer" }), &json!({}));
    file["config"]["credentials"]["oauth2"]["config"]["fields"] =
        json!([{ "name": "pin", "type": "password" }]);
    let world = World::new();
    let setting = crate::client::Setting::new(&world, &file);
    let cases = [
        (
            "error=server_error&error_description=the%20pin%20CUSTOMER-KEY-123456789%20is%20off",
            "the pin",
        ),
        ("error=CUSTOMER-KEY-123456789", ""),
    ];
    each_case(cases, |(reported, is_in)| {
        let link = setting
            .client
            .post(
                "/link-token",
                &json!({ "tenant_id": "acme", "integration": "echo" }),
            )
            .expect(201);
        let mut browser = Browser::of(&world);
        let form = [
            ("link_token", link["link_token"].as_str().unwrap()),
            ("credential", "oauth2"),
            ("pin", KEY),
        ];
        let there = browser.post("/connect/echo", &form);
        let there: url::Url = there.header("location").unwrap().parse().unwrap();
        let page = browser.get(&format!(
            "/connect/echo/callback?{reported}&state={}",
            parameter(&there, "state")
        ));
        assert!(page.text().contains(is_in), "{}", page.text());
        assert!(!page.text().contains("123456789"), "{}", page.text());
    });
}

// R9: how long a refusal is remembered, and of whom.

fn status(scene: &Scene) -> String {
    let path = format!("/integrated-account/{}", scene.account);
    scene.setting.client.get(&path).expect(200)["status"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn a_refusal_is_remembered_while_the_object_sleeps() {
    let cases = [
        (false, 61, true),
        (true, 61, true),
        (true, 30, false),
        (true, 3_601, false),
    ];
    each_case(cases, |(sleeps, apart, is_off)| {
        let scene = scene(&file());
        scene.world.provides(|_| reply(401, &[], Body::Empty));
        let call = || {
            scene
                .call_passing("GET", "/proxy/r/1", &[], Body::Empty)
                .status
        };
        assert_eq!((call(), status(&scene).as_str()), (401, "active"));
        if sleeps {
            scene.world.restart();
        }
        scene.world.pass(Duration::from_secs(apart));
        assert_eq!(call(), 401);
        assert_eq!(status(&scene) == "needs_reauth", is_off, "{sleeps} {apart}");
    });
    // What was taken since ends it, also behind a sleep.
    let scene = scene(&file());
    let takes = std::rc::Rc::new(std::cell::Cell::new(false));
    let seen = std::rc::Rc::clone(&takes);
    scene
        .world
        .provides(move |_| reply(if seen.get() { 200 } else { 401 }, &[], Body::Empty));
    let call = || {
        scene
            .call_passing("GET", "/proxy/r/1", &[], Body::Empty)
            .status
    };
    assert_eq!(call(), 401);
    scene.world.restart();
    takes.set(true);
    assert_eq!(call(), 200);
    scene.world.restart();
    takes.set(false);
    scene.world.pass(Duration::from_secs(61));
    assert_eq!((call(), status(&scene).as_str()), (401, "active"));
}

#[test]
fn a_401_of_another_origin_that_the_file_names_is_not_the_accounts_own() {
    let mut with_validation = file();
    with_validation["config"]["actions"] = json!({ "validation": { "type": "request", "config": { "base_url": "https://files.echo.example", "path": "/me" } } });
    each_case([file(), with_validation], |file| {
        let scene = scene(&file);
        scene.world.provides(|_| reply(401, &[], Body::Empty));
        for _ in 0..3 {
            let answer = scene.call_passing("GET", "/proxy/r/x/abroad", &[], Body::Empty);
            assert!(
                matches!(answer.status, 401 | 404 | 405),
                "{}",
                answer.text()
            );
            let answer = scene.call_passing("POST", "/proxy/r/abroad", &[], Body::Empty);
            assert_eq!(answer.status, 401, "{}", answer.text());
            scene.world.pass(Duration::from_secs(61));
        }
        assert_eq!(status(&scene), "active");
    });
    // A 200 of it says nothing of the credential, either.
    let scene = scene(&file());
    scene.world.provides(|sent| {
        reply(
            if sent.url.starts_with(OWN) { 401 } else { 200 },
            &[],
            Body::Empty,
        )
    });
    let own = || {
        scene
            .call_passing("GET", "/proxy/r/1", &[], Body::Empty)
            .status
    };
    assert_eq!(own(), 401);
    assert_eq!(
        scene
            .call_passing("POST", "/proxy/r/abroad", &[], Body::Empty)
            .status,
        200
    );
    scene.world.pass(Duration::from_secs(61));
    assert_eq!(own(), 401);
    assert_eq!(status(&scene), "needs_reauth");
}
