//! Header values are bytes (RFC 9110 section 5.5): UTF-8 comes through as it is, in both directions and wherever it is
//! read. Bytes that the platform cannot show are never dropped in silence.

use causeway::ports::Body;
use data_encoding::HEXLOWER;
use futures::executor::block_on;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::client::{Answer, Client};
use crate::outside::{Sent, World, reply, with_bytes};

/// Within Latin-1, and beyond it.
const WORDS: [&str; 4] = ["café", "łąka", "日本", "a😀b"];
/// Bytes that are no UTF-8: the platform shows each as U+FFFD.
const BROKEN: [&[u8]; 3] = [b"caf\xe9", b"\xff\xfe", b"a\xc3"];

fn file() -> Value {
    json!({ "name": "words", "config": {
        "base_url": "https://api.words.example",
        "credentials": { "api_key": { "format": "api_key", "config": { "fields": [
            { "name": "api_key", "type": "password" }, { "name": "who", "type": "text" } ] } } },
        "authorization": { "format": "bearer", "config": { "token": "{{api_key}}" } },
        "headers": { "X-Who": "{{who}}" },
        "resources": {
            "items": { "list": { "path": "/items", "pagination": { "format": "link_header", "config": {} } } },
            "hdr": { "list": { "path": "/hdr", "pagination": { "format": "cursor", "config": {
                "cursor_path": "x-next", "cursor_path_object": "header", "cursor_key": "c" } } } },
            "announced": { "list": { "path": "/announced", "pagination": { "format": "cursor", "config": {
                "cursor_path": "next", "headers": { "X-Cursor": "{{pagination.cursor}}" } } }, "response_path": "data" } },
            "computed": { "list": { "path": "/computed", "pagination": { "format": "dynamic", "config": {
                "get_pagination_values_expression": "headers.`x-next` ? { 'c': headers.`x-next` }" } },
                "query": { "c": "{{pagination.c:undefined}}" } } },
            "files": { "get": { "path": "/files/{{id}}" }, "list": { "path": "/files", "response_path": "data" } },
            "o": { "create": { "method": "post", "path": "/o" }, "update": { "method": "put", "path": "/o/{{id}}" } },
        },
    } })
}

fn open() -> Scene {
    open_as("k", "W")
}

fn open_as(key: &str, who: &str) -> Scene {
    let context = json!({ "api_key": key, "who": who });
    Scene::new(World::new(), &file(), "api_key", &context)
}

fn answers(scene: &Scene, status: u16, name: &'static str, value: &[u8], body: &'static str) {
    let plain = reply(status, &JSON, Body::from_bytes(body));
    scene.world.answers_with(with_bytes(plain, name, value));
}

fn pages_of(scene: &Scene, path: &str) -> String {
    let answer = scene.call("GET", path, &[("x-all-pages", "true")], Body::Empty);
    answer.text().to_owned()
}

fn lines(text: &str) -> Vec<Value> {
    let lines = text.lines().filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The error that ends a stream of pages, in its last line, or that is given in place of the stream.
fn code_of_end(reported: &[Value]) -> &str {
    let last = reported.last().unwrap();
    let code = last["error"]["code"].as_str();
    code.or_else(|| last["code"].as_str()).unwrap()
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn calls(scene: &Scene, method: &str, path: &str, name: &str, value: &[u8], body: &str) -> Answer {
    let name: HeaderName = name.parse().unwrap();
    let fields = [(name, HeaderValue::from_bytes(value).unwrap())];
    let headers: HeaderMap = fields.into_iter().collect();
    let (client, path) = (&scene.setting.client, scene.path(path));
    let body = Body::from_bytes(body.to_owned());
    block_on(
        scene
            .world
            .run(client.request_bytes(method, &path, headers, body)),
    )
}

fn bytes<'s>(sent: &'s Sent, name: &str) -> Option<&'s [u8]> {
    sent.headers.get(name).map(HeaderValue::as_bytes)
}

fn logged(scene: &Scene, event: &str) -> bool {
    let mut lines = scene.world.0.logs.borrow().clone();
    lines.retain(|line| line["event"] == event);
    !lines.is_empty()
}

#[test]
fn a_link_is_followed_with_the_bytes_it_came_with() {
    each_case(WORDS, |word| {
        let scene = open();
        let link = format!("</items?q={word}&page=2>; rel=\"next\"");
        answers(&scene, 200, "link", link.as_bytes(), r#"[{"id":1}]"#);
        scene.world.answers(200, &JSON, r#"[{"id":2}]"#);
        let records = lines(&pages_of(&scene, "/proxy/items"));
        assert_eq!(records, [json!({ "id": 1 }), json!({ "id": 2 })], "{word}");
        let expected = format!("https://api.words.example/items?q={}&page=2", encoded(word));
        assert_eq!(scene.world.sent()[1].url, expected);
    });
}

#[test]
fn a_link_that_cannot_be_known_is_an_error_and_no_end() {
    each_case(BROKEN, |broken| {
        let scene = open();
        let link = [b"</items?q=", broken, b"&page=2>; rel=\"next\""].concat();
        answers(&scene, 200, "link", &link, r#"[{"id":1}]"#);
        let reported = lines(&pages_of(&scene, "/proxy/items"));
        assert_eq!(
            code_of_end(&reported),
            "provider.unexpected_answer",
            "{reported:?}"
        );
        assert_eq!(scene.sent(), 1);
    });
    // An unreadable part outside the target does no harm.
    let scene = open();
    answers(
        &scene,
        200,
        "link",
        b"</items?page=2>; title=\"\xe9\"; rel=\"next\"",
        "[1]",
    );
    scene.world.answers(200, &JSON, "[2]");
    assert_eq!(
        lines(&pages_of(&scene, "/proxy/items")),
        [json!(1), json!(2)]
    );
}

#[test]
fn a_cursor_in_a_header_is_the_text_of_its_bytes() {
    each_case(["hdr", "computed"], |path| {
        each_case(WORDS, |word| {
            let scene = open();
            answers(&scene, 200, "x-next", word.as_bytes(), "[1]");
            scene.world.answers(200, &JSON, "[2]");
            let records = lines(&pages_of(&scene, &format!("/proxy/{path}")));
            assert_eq!(records, [json!(1), json!(2)], "{path} {word}");
            let expected = format!("https://api.words.example/{path}?c={}", encoded(word));
            assert_eq!(scene.world.sent()[1].url, expected);
        });
    });
    each_case(BROKEN, |broken| {
        let scene = open();
        answers(&scene, 200, "x-next", broken, "[1]");
        let reported = lines(&pages_of(&scene, "/proxy/hdr"));
        assert_eq!(
            code_of_end(&reported),
            "provider.unexpected_answer",
            "{reported:?}"
        );
    });
}

#[test]
fn a_cursor_that_goes_out_in_a_header_is_utf8() {
    each_case(WORDS, |word| {
        let scene = open();
        let first = json!({ "data": [1], "next": word }).to_string();
        scene.world.answers(200, &JSON, &first);
        scene.world.answers(200, &JSON, r#"{"data":[2]}"#);
        assert_eq!(
            lines(&pages_of(&scene, "/proxy/announced")),
            [json!(1), json!(2)]
        );
        assert_eq!(
            bytes(&scene.world.sent()[1], "x-cursor"),
            Some(word.as_bytes())
        );
    });
}

#[test]
fn a_redirect_leads_where_its_bytes_say() {
    each_case(WORDS, |word| {
        let cases = [
            (
                format!("/to/{word}?p={word}"),
                format!("/to/{0}?p={0}", encoded(word)),
            ),
            (
                format!("next-{word}"),
                format!("/files/next-{}", encoded(word)),
            ),
            (
                format!("https://api.words.example/{word}"),
                format!("/{}", encoded(word)),
            ),
        ];
        each_case(cases, |(location, expected)| {
            each_case(["/proxy/files/7", "/custom/files/7"], |path| {
                let scene = open();
                answers(&scene, 302, "location", location.as_bytes(), "");
                scene.world.answers(200, &JSON, r#"{"data":[]}"#);
                assert_eq!(scene.get(path).status, 200, "{path} {location}");
                let to = format!("https://api.words.example{expected}");
                assert_eq!(scene.world.sent()[1].url, to, "{path} {location}");
            });
        });
        let scene = open();
        answers(&scene, 302, "location", format!("/{word}").as_bytes(), "");
        scene.world.answers(200, &JSON, r#"{"data":[1]}"#);
        scene.get("/proxy/files").expect(200);
    });
    each_case(BROKEN, |broken| {
        each_case(
            ["/proxy/files/7", "/proxy/files", "/custom/files/7"],
            |path| {
                let scene = open();
                let location = [b"/to/", broken].concat();
                answers(&scene, 302, "location", &location, "");
                assert_eq!(
                    scene.get(path).code(502),
                    "provider.redirect_refused",
                    "{path}"
                );
                assert_eq!(scene.sent(), 1);
            },
        );
    });
}

#[test]
fn a_field_of_an_answer_reaches_the_caller_with_its_bytes() {
    let cases = [
        "x-author",
        "content-disposition",
        "content-language",
        "etag",
    ];
    each_case(cases, |name| {
        each_case(WORDS, |word| {
            let scene = open();
            let value = format!("\"{word}\"");
            answers(&scene, 200, name, value.as_bytes(), "{}");
            let answer = scene.get("/custom/x");
            let given = answer.headers.get(name).map(HeaderValue::as_bytes);
            assert_eq!(given, Some(value.as_bytes()), "{name} {word}");
            assert!(!logged(&scene, "header_not_utf8"));
        });
        let scene = open();
        answers(&scene, 200, name, b"\"Andr\xe9\"", "{}");
        let answer = scene.get("/custom/x");
        let given = answer.headers.get(name).map(HeaderValue::as_bytes);
        assert_eq!(given, Some("\"Andr\u{fffd}\"".as_bytes()), "{name}");
        assert!(logged(&scene, "header_not_utf8"), "{name}");
    });
}

#[test]
fn a_field_of_a_call_reaches_the_provider_with_its_bytes() {
    let cases = [
        ("x-forward-x-name", "x-name"),
        ("if-match", "if-match"),
        ("if-none-match", "if-none-match"),
        ("accept", "accept"),
        ("prefer", "prefer"),
        ("content-disposition", "content-disposition"),
        ("content-type", "content-type"),
    ];
    each_case(cases, |(name, to)| {
        each_case(WORDS, |word| {
            each_case(["/custom/o/1", "/proxy/o/1"], |path| {
                let scene = open();
                let value = format!("\"{word}\"");
                scene.world.answers(200, &JSON, "{}");
                let answer = calls(&scene, "PUT", path, name, value.as_bytes(), "{}");
                assert_eq!(answer.status, 200, "{name} {word} {}", answer.text());
                let sent = scene.world.sent().remove(0);
                assert_eq!(bytes(&sent, to), Some(value.as_bytes()), "{name} {word}");
            });
        });
    });
}

#[test]
fn a_call_whose_fields_cannot_be_known_is_refused_and_names_them() {
    let cases = [
        "x-forward-x-name",
        "if-match",
        "if-unmodified-since",
        "idempotency-key",
        "accept",
        "content-type",
        "content-disposition",
    ];
    each_case(cases, |name| {
        each_case(BROKEN, |broken| {
            each_case(["/custom/o/1", "/proxy/o/1"], |path| {
                let scene = open();
                let answer = calls(&scene, "PUT", path, name, broken, "{}");
                let reported = answer.expect(400);
                assert_eq!(reported["code"], "caller.malformed");
                assert!(
                    reported["message"].as_str().unwrap().contains(name),
                    "{reported}"
                );
                assert_eq!(scene.sent(), 0, "{name}");
            });
        });
    });
    // What goes nowhere and is not read says nothing.
    let scene = open();
    scene.world.answers(200, &JSON, "{}");
    assert_eq!(
        calls(&scene, "GET", "/custom/x", "referer", b"\xe9", "").status,
        200
    );
}

#[test]
fn two_writes_with_one_key_beyond_ascii_are_never_two() {
    let cases = ["order-é", "order-ł", "日本"].map(str::as_bytes);
    each_case(cases.iter().chain(&BROKEN), |key| {
        for _ in 0..2 {
            let scene = open();
            let status = calls(&scene, "POST", "/proxy/o", "idempotency-key", key, "{}").status;
            assert!(matches!(status, 400 | 422), "{status}");
            assert_eq!(scene.sent(), 0);
        }
    });
}

#[test]
fn what_was_answered_is_answered_again_with_its_bytes() {
    each_case(WORDS, |word| {
        let scene = open();
        answers(&scene, 201, "x-note", word.as_bytes(), "{}");
        for _ in 0..2 {
            let answer = calls(&scene, "POST", "/proxy/o", "idempotency-key", b"a", "{}");
            assert_eq!(answer.status, 201);
            let note = answer.headers.get("x-note").map(HeaderValue::as_bytes);
            assert_eq!(note, Some(word.as_bytes()), "{word}");
        }
        assert_eq!(scene.sent(), 1);
    });
}

#[test]
fn what_a_file_puts_into_a_header_goes_out_as_utf8() {
    each_case(WORDS, |word| {
        let scene = open_as(&format!("s-{word}"), word);
        scene.world.answers(200, &JSON, "{}");
        scene.get("/custom/x").expect(200);
        let sent = scene.world.sent().remove(0);
        assert_eq!(bytes(&sent, "x-who"), Some(word.as_bytes()));
        let token = format!("Bearer s-{word}");
        assert_eq!(bytes(&sent, "authorization"), Some(token.as_bytes()));
    });
}

#[test]
fn a_pasted_character_that_cannot_be_seen_is_refused_in_a_credential() {
    let cases = [
        "\u{a0}", "\u{200b}", "\u{feff}", "\u{2060}", "\u{2028}", "\u{85}", "\u{3000}",
    ];
    each_case(cases, |invisible| {
        let scene = open_as(&format!("key{invisible}-1"), "W");
        assert_eq!(
            scene.get("/custom/x").code(422),
            "account.context_value",
            "{invisible:?}"
        );
        assert_eq!(scene.sent(), 0);
    });
}

fn signed(title: &[u8], body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(b"wh-secret-one").unwrap();
    mac.update(title);
    mac.update(b".");
    mac.update(body.as_bytes());
    HEXLOWER.encode(&mac.finalize().into_bytes())
}

#[test]
fn a_signature_over_a_header_is_over_its_bytes() {
    let mut file = file();
    file["config"]["webhook"] = json!({
        "signature_verification": { "format": "hmac", "config": { "algorithm": "sha256", "secret": "{{webhook_secret}}",
            "string_type": "hex", "compare_with": "$header.x-signature", "parts": ["$header.x-title", ".", "$body"] } },
        "payload_transform": "{ 'event_type': 'title:' & headers.`x-title`, 'payload': body }" });
    let fields = file["config"]["credentials"]["api_key"]["config"]["fields"].as_array_mut();
    fields
        .unwrap()
        .push(json!({ "name": "webhook_secret", "type": "password" }));
    let context = json!({ "api_key": "k", "who": "W", "webhook_secret": "wh-secret-one" });
    let scene = Scene::new(World::new(), &file, "api_key", &context);
    let provider = Client {
        world: scene.world.clone(),
        token: String::new(),
    };
    let path = format!("/integrated-account-webhook/{}", scene.account);
    let send = |title: &[u8], signature: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        headers.insert("x-title", HeaderValue::from_bytes(title).unwrap());
        headers.insert("x-signature", signature.parse().unwrap());
        let body = Body::from_bytes(r#"{"n":1}"#);
        block_on(
            scene
                .world
                .run(provider.request_bytes("POST", &path, headers, body)),
        )
    };
    each_case(["plain", "Grüße", "Łódź", "日本"], |title| {
        let id = send(title.as_bytes(), &signed(title.as_bytes(), r#"{"n":1}"#)).expect(200);
        let event = scene
            .setting
            .client
            .get(&format!("/event/{}", id["id"].as_str().unwrap()));
        assert_eq!(event.expect(200)["event"], format!("title:{title}"));
        let other = send(title.as_bytes(), &signed(b"other", r#"{"n":1}"#));
        assert_eq!(other.status, 401);
    });
    // Its bytes are gone before they can be verified: refused, and the log says why.
    assert_eq!(
        send(b"Andr\xe9", &signed(b"Andr\xe9", r#"{"n":1}"#)).status,
        401
    );
    assert!(logged(&scene, "header_not_utf8"));
}
