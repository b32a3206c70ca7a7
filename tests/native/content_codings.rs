//! `content-encoding` in any spelling (RFC 9110 section 8.4.1): what the platform leaves as it came is undone here where
//! an answer is looked into, within the bytes that one may have.

use std::io::Write;

use causeway::ports::{Body, Reply};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use serde_json::{Value, json};

use crate::account::Scene;
use crate::cases::each_case;
use crate::files;
use crate::memory::held;
use crate::outside::{Pieces, reply};

const PAGE: &str = r#"{"data":[{"id":1}],"id":1}"#;
const COMPRESSED: &str = "provider.unexpected_answer";

fn file() -> Value {
    files::with_key(
        "codings",
        &json!({
            "authorization": { "format": "bearer", "config": { "token": "{{api_key}}" } },
            "resources": {
                "items": {
                    "list": { "path": "/items", "response_path": "data" },
                    "get": { "path": "/items/{{id}}", "response_path": "data" },
                },
                "whole": { "get": { "path": "/whole/{{id}}" } },
                "checked": { "get": { "path": "/checked/{{id}}", "error_expression": "body.id = 2 ? { 'status': 409 }" } },
            },
        }),
    )
}

fn open() -> Scene {
    Scene::with_key(&[], &file())
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn raw(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn plain(bytes: &[u8]) -> Vec<u8> {
    bytes.to_vec()
}

type Coding = (&'static str, fn(&[u8]) -> Vec<u8>);

/// What the platform does not undo, and how it is made.
const UNDONE: &[Coding] = &[
    ("GZIP", gzip),
    ("Gzip", gzip),
    ("x-gzip", gzip),
    ("X-GZip", gzip),
    ("gzip,", gzip),
    (", gzip ,", gzip),
    ("identity, gzip", gzip),
    ("gzip, Identity", gzip),
    ("deflate", zlib),
    ("Deflate", zlib),
    ("deflate", raw),
    ("gzip, gzip", |bytes| gzip(&gzip(bytes))),
    ("deflate, x-gzip", |bytes| gzip(&zlib(bytes))),
    ("utf-8, gzip", gzip),
    // No coding of the registry: they say nothing.
    ("Identity", plain),
    ("identity, identity", plain),
    ("none", plain),
    ("utf-8", plain),
    ("UTF-8", plain),
    ("8bit", plain),
    ("binary", plain),
    ("application/json", plain),
    ("charset=utf-8", plain),
    (",", plain),
];

/// Registered, and not undone here.
const LEFT: &[&str] = &[
    "compress",
    "x-compress",
    "zstd",
    "ZSTD",
    "gzip, zstd",
    "exi",
    "dcb",
    "dcz",
    "aes128gcm",
];

fn says(encoding: &str, status: u16, body: Vec<u8>) -> Reply<Pieces> {
    let headers = [
        ("content-type", "application/json"),
        ("content-encoding", encoding),
    ];
    reply(status, &headers, Body::from_bytes(body))
}

#[test]
fn an_answer_is_read_however_its_coding_is_spelt() {
    each_case(UNDONE, |(encoding, make)| {
        let scene = open();
        let answers = || {
            scene
                .world
                .answers_with(says(encoding, 200, make(PAGE.as_bytes())));
        };
        answers();
        let list = scene.get("/proxy/items").expect(200);
        assert_eq!(list["result"], json!([{ "id": 1 }]), "{encoding}");
        answers();
        assert_eq!(
            scene.get("/proxy/items/1").expect(200),
            json!([{ "id": 1 }]),
            "{encoding}"
        );
        answers();
        let checked = scene.get("/proxy/checked/1");
        assert_eq!(checked.header("content-encoding"), None, "{encoding}");
        assert_eq!(checked.header("content-length"), None);
        assert_eq!(checked.text(), PAGE, "{encoding}");
        scene
            .world
            .answers_with(says(encoding, 200, make(br#"{"id":2}"#)));
        assert_eq!(
            scene.get("/proxy/checked/1").code(409),
            "provider.rejected",
            "{encoding}"
        );
        scene
            .world
            .answers_with(says(encoding, 422, make(br#"{"why":"too small"}"#)));
        let refused = scene.get("/proxy/items/1").expect(422);
        assert!(
            refused.to_string().contains("too small"),
            "{encoding} {refused}"
        );
    });
}

#[test]
fn an_answer_that_goes_on_unread_keeps_its_bytes_and_its_field() {
    each_case(UNDONE, |(encoding, make)| {
        each_case(["/custom/x", "/proxy/whole/1"], |path| {
            let scene = open();
            let body = make(PAGE.as_bytes());
            scene.world.answers_with(says(encoding, 200, body.clone()));
            let answer = scene.get(path);
            assert_eq!(answer.header("content-encoding"), Some(*encoding), "{path}");
            assert_eq!(answer.body, body, "{path} {encoding}");
        });
    });
}

#[test]
fn a_coding_that_is_not_undone_is_named() {
    each_case(LEFT, |encoding| {
        let scene = open();
        scene
            .world
            .answers_with(says(encoding, 200, gzip(PAGE.as_bytes())));
        assert_eq!(
            scene.get("/proxy/items").code(502),
            COMPRESSED,
            "{encoding}"
        );
    });
}

#[test]
fn a_body_that_is_not_what_its_coding_says_is_an_error() {
    let cases = [
        ("GZIP", PAGE.as_bytes().to_vec()),
        ("x-gzip", gzip(PAGE.as_bytes())[..20].to_vec()),
        ("deflate", PAGE.as_bytes().to_vec()),
        ("none", gzip(PAGE.as_bytes())),
        ("gzip,gzip,gzip,gzip,gzip,gzip,gzip", gzip(PAGE.as_bytes())),
    ];
    each_case(cases, |(encoding, body)| {
        let scene = open();
        scene.world.answers_with(says(encoding, 200, body));
        assert_eq!(
            scene.get("/proxy/items").code(502),
            COMPRESSED,
            "{encoding}"
        );
    });
}

#[test]
fn a_bomb_is_no_larger_than_any_answer() {
    const MOST: usize = 256 * 1024;
    let page = |bytes: usize| format!("{{\"data\":[{{\"id\":\"{}\"}}]}}", "0".repeat(bytes));
    let around = page(0).len();
    let makes: [Coding; 3] = [
        ("x-gzip", gzip),
        ("deflate", zlib),
        ("gzip, gzip", |bytes| gzip(&gzip(bytes))),
    ];
    each_case(makes, |(encoding, make)| {
        let scene = Scene::with_key(&[("BUFFERED_ANSWER_BYTES", "262144")], &file());
        scene
            .world
            .answers_with(says(encoding, 200, make(page(MOST - around).as_bytes())));
        assert_eq!(scene.get("/proxy/items").status, 200, "{encoding}");
        each_case([1, 8 * MOST], |more| {
            let scene = Scene::with_key(&[("BUFFERED_ANSWER_BYTES", "262144")], &file());
            scene.world.answers_with(says(
                encoding,
                200,
                make(page(MOST - around + more).as_bytes()),
            ));
            assert_eq!(
                scene.get("/proxy/items").code(502),
                "provider.answer_too_large",
                "{encoding}"
            );
            assert_eq!(held(&scene.world), 0, "{encoding}");
        });
    });
}

#[test]
fn a_secret_in_a_compressed_refusal_is_not_shown() {
    each_case(UNDONE, |(encoding, make)| {
        let context = json!({ "api_key": "a-long-secret-of-the-account" });
        let scene = Scene::new(crate::outside::World::new(), &file(), "api_key", &context);
        let body = make(br#"{"why":"a-long-secret-of-the-account is no key"}"#);
        scene.world.answers_with(says(encoding, 403, body));
        let answer = scene.get("/custom/x");
        assert_eq!(answer.status, 403);
        assert_eq!(answer.header("content-encoding"), None, "{encoding}");
        assert!(answer.text().contains("is no key") && !answer.text().contains("a-long-secret"));
    });
}

#[test]
fn a_token_endpoint_may_spell_it_so_too() {
    let mut file = file();
    file["config"]["credentials"] = json!({ "oauth2": { "format": "oauth2", "config": {
        "client": { "id": "cid", "secret": "csecret-of-the-client" },
        "auth": { "authorizeHost": "https://login.codings.example", "authorizePath": "/a", "tokenHost": "https://login.codings.example", "tokenPath": "/token" } } } });
    file["config"]["authorization"] =
        json!({ "format": "bearer", "config": { "token": "{{oauth.token.access_token}}" } });
    each_case(UNDONE, |(encoding, make)| {
        let token = json!({ "access_token": "old-token-of-codings", "refresh_token": "r1-of-codings", "token_type": "Bearer", "expires_in": 3600, "expires_at": "2020-01-01T00:00:00Z" });
        let scene = Scene::with_token(&[], &file, &token);
        let fresh =
            br#"{"access_token":"new-token-of-codings","token_type":"Bearer","expires_in":3600}"#;
        scene.world.answers_with(says(encoding, 200, make(fresh)));
        scene.world.answers(200, &[], "{}");
        assert_eq!(scene.get("/custom/x").status, 200, "{encoding}");
        assert_eq!(
            scene.world.sent()[1].header("authorization"),
            Some("Bearer new-token-of-codings")
        );
    });
}
