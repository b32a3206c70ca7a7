//! Webhooks whose bytes are not plain UTF-8: compressed, with a mark in front, in another charset, or unreadable.

use std::io::Write;

use causeway::ports::Body;
use data_encoding::HEXLOWER;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::cases::each_case;
use crate::client::{Answer, Client, id_of};
use crate::inbound_webhooks::{ReceivingAccount, SECRET};
use crate::outside::World;

const PAID: &str = r#"{"topic":"paid","nr":"42","note":"naïve ☃","shop":"one"}"#;
const JSON: (&str, &str) = ("content-type", "application/json");

/// One member (RFC 1952).
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// RFC 1950.
fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// RFC 1951 alone.
fn bare_deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn signature(bytes: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(bytes);
    HEXLOWER.encode(&mac.finalize().into_bytes())
}

/// Sends these bytes to a path, with a signature over `signed`.
fn send(
    scene: &ReceivingAccount,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
    signed: &[u8],
) -> Answer {
    let provider = Client {
        world: scene.world.clone(),
        token: String::new(),
    };
    let signature = signature(signed);
    let mut all = vec![("x-signature", signature.as_str())];
    all.extend(headers);
    provider.request("POST", path, &all, Body::from_bytes(body.to_vec()))
}

fn to_account(
    scene: &ReceivingAccount,
    headers: &[(&str, &str)],
    body: &[u8],
    signed: &[u8],
) -> Answer {
    let path = format!("/integrated-account-webhook/{}", scene.account);
    send(scene, &path, headers, body, signed)
}

/// The event of a request that is signed as it is sent.
fn event(scene: &ReceivingAccount, headers: &[(&str, &str)], body: &[u8]) -> Value {
    let id = id_of(&to_account(scene, headers, body, body).expect(200));
    scene.event(&id)
}

fn stored(event: &Value) -> (Value, Value) {
    (event["event"].clone(), event["payload"].clone())
}

fn paid() -> (Value, Value) {
    (json!("shop:paid"), serde_json::from_str(PAID).unwrap())
}

/// Spellings of RFC 9110 §8.4.1 and what they wrap.
fn codings() -> Vec<(&'static str, Vec<u8>)> {
    let plain = PAID.as_bytes();
    let twice = [gzip(&plain[..9]), gzip(&plain[9..])].concat();
    vec![
        ("gzip", gzip(plain)),
        ("GZIP", gzip(plain)),
        ("x-gzip", gzip(plain)),
        ("gzip,", gzip(plain)),
        ("identity, Gzip", gzip(plain)),
        ("gzip", twice),
        ("deflate", zlib(plain)),
        ("Deflate", bare_deflate(plain)),
        ("deflate, gzip", gzip(&zlib(plain))),
        ("identity", plain.to_vec()),
        ("", plain.to_vec()),
        // No codings at all: they say nothing of the bytes.
        ("utf-8", plain.to_vec()),
        ("none", plain.to_vec()),
    ]
}

#[test]
fn a_compressed_webhook_is_read_after_its_signature_over_the_bytes_sent() {
    each_case(codings(), |(coding, body)| {
        let scene = ReceivingAccount::new(&json!({}));
        let headers = [JSON, ("content-encoding", coding)];
        let event = event(&scene, &headers, &body);
        assert_eq!(stored(&event), paid(), "{coding}");
        assert_eq!(event["resource_id"], "42", "{coding}");
        let path = format!("/environment-integration-webhook/{}", scene.setting.install);
        let of_install = send(&scene, &path, &headers, &body, &body).expect(200);
        assert_eq!(of_install["matched"], 1, "{coding}");
        let changed = [&body[..body.len() - 1], b"!"].concat();
        let refused = to_account(&scene, &headers, &changed, &body);
        assert_eq!(refused.code(401), "caller.bad_signature", "{coding}");
    });
}

#[test]
fn a_signature_over_the_decoded_body_is_taken_unless_the_file_forbids_it() {
    each_case(codings(), |(coding, body)| {
        let headers = [JSON, ("content-encoding", coding)];
        let scene = ReceivingAccount::new(&json!({}));
        let id = id_of(&to_account(&scene, &headers, &body, PAID.as_bytes()).expect(200));
        assert_eq!(stored(&scene.event(&id)), paid(), "{coding}");
        let sent = json!({ "signature_verification": { "config": { "signed_body": "sent" } } });
        let strict = ReceivingAccount::new(&sent);
        let answer = to_account(&strict, &headers, &body, PAID.as_bytes());
        let is_plain = body == PAID.as_bytes();
        assert_eq!(answer.status, if is_plain { 200 } else { 401 }, "{coding}");
        to_account(&strict, &headers, &body, &body).expect(200);
    });
}

#[test]
fn body_sha256_is_of_the_bytes_that_the_signature_covers() {
    let scene = ReceivingAccount::new(&json!({ "event_id": "body_sha256" }));
    let (body, plain) = (gzip(PAID.as_bytes()), PAID.as_bytes());
    let headers = [JSON, ("content-encoding", "gzip")];
    let first = id_of(&to_account(&scene, &headers, &body, plain).expect(200));
    let other = [&body[..9], &[3], &body[10..]].concat();
    let again = id_of(&to_account(&scene, &headers, &other, plain).expect(200));
    assert_eq!(first, again, "compressed once more it is the same event");
    let sent = id_of(&to_account(&scene, &headers, &body, &body).expect(200));
    let bare = id_of(&to_account(&scene, &[JSON], &body, &body).expect(200));
    assert_eq!(
        sent, bare,
        "a header that no signature covers makes no other event"
    );
}

#[test]
fn a_body_that_would_be_too_large_is_not_decoded() {
    let limit = 1024 * 1024;
    let padded = |bytes: usize| {
        format!(
            "{{\"topic\":\"paid\",\"nr\":\"{}\"}}",
            "a".repeat(bytes - 24)
        )
    };
    let scene = ReceivingAccount::new(
        &json!({ "payload_transform": "{ \"event_type\": \"shop:\" & body.topic, \"payload\": 1 }" }),
    );
    let headers = [JSON, ("content-encoding", "gzip")];
    let most = padded(limit);
    assert_eq!(most.len(), limit);
    let event_of = |body: &[u8]| event(&scene, &headers, body);
    assert_eq!(event_of(&gzip(most.as_bytes()))["event"], "shop:paid");
    let over = gzip(padded(limit + 1).as_bytes());
    let kept = event_of(&over);
    assert_eq!(kept["status"], "failed");
    assert!(
        kept["last_error"]["message"]
            .as_str()
            .unwrap()
            .contains("1048576 bytes"),
        "{kept}"
    );
    // 64 MB in a few KB, of a sender that has proved nothing.
    let bomb = gzip(&vec![b'0'; 64 * 1024 * 1024]);
    assert_eq!(
        to_account(&scene, &headers, &bomb, b"x").code(413),
        "caller.body_too_large"
    );
    let bomb = gzip(&bomb);
    let twice = [JSON, ("content-encoding", "gzip, gzip")];
    assert_eq!(
        to_account(&scene, &twice, &bomb, b"x").code(413),
        "caller.body_too_large"
    );
    let many = ["gzip"; 40].join(", ");
    let many = [JSON, ("content-encoding", many.as_str())];
    assert_eq!(
        to_account(&scene, &many, &bomb, b"x").code(401),
        "caller.bad_signature"
    );
}

#[test]
fn what_an_unproved_body_decodes_to_counts_in_the_unproved_budget() {
    let world = World::with(&[
        ("WEBHOOK_BODY_BYTES", "1048576"),
        ("UNPROVED_BYTES", "3097152"),
    ]);
    let scene = ReceivingAccount::in_world(world, &json!({}));
    let held = scene.world.isolate().memory.unproved_room();
    held.take(2_500_000).unwrap();
    let body = gzip(&vec![b'0'; 900_000]);
    let headers = [JSON, ("content-encoding", "gzip")];
    let answer = to_account(&scene, &headers, &body, b"x");
    assert_eq!(answer.code(503), "internal.busy");
    drop(held);
    assert_eq!(
        to_account(&scene, &headers, &body, b"x").code(401),
        "caller.bad_signature"
    );
}

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

#[test]
#[allow(clippy::too_many_lines)] // a table
fn a_body_is_read_in_its_charset() {
    let (le, be) = (u16::to_le_bytes, u16::to_be_bytes);
    let small = r#"{"topic":"é"}"#;
    let table: Vec<(&str, Vec<u8>, Value)> = vec![
        (
            "application/json",
            [b"\xef\xbb\xbf", small.as_bytes()].concat(),
            json!({ "topic": "é" }),
        ),
        (
            "application/json; charset=iso-8859-1",
            b"{\"topic\":\"\xe9\"}".to_vec(),
            json!({ "topic": "é" }),
        ),
        (
            "application/json; charset=iso-8859-1",
            small.into(),
            json!({ "topic": "é" }),
        ),
        (
            "application/json; charset=windows-1252",
            b"{\"topic\":\"\x80\"}".to_vec(),
            json!({ "topic": "€" }),
        ),
        (
            "application/json; charset=utf-16",
            utf16(small, le),
            json!({ "topic": "é" }),
        ),
        (
            "application/json; charset=utf-16",
            utf16(small, be),
            json!({ "topic": "é" }),
        ),
        (
            "application/json; charset=utf-16be",
            utf16(small, be),
            json!({ "topic": "é" }),
        ),
        (
            "application/json",
            utf16(&format!("\u{feff}{small}"), le),
            json!({ "topic": "é" }),
        ),
        (
            "application/json",
            utf16(&format!("\u{feff}{small}"), be),
            json!({ "topic": "é" }),
        ),
        (
            "application/json",
            utf16(small, le),
            json!({ "topic": "é" }),
        ),
        (
            "text/plain; charset=UTF-8",
            small.into(),
            json!({ "topic": "é" }),
        ),
        (
            "application/x-www-form-urlencoded; charset=windows-1252",
            b"topic=Jos%E9+x".to_vec(),
            json!({ "topic": "José x" }),
        ),
        (
            "application/x-www-form-urlencoded",
            b"topic=Jos%E9&charset=windows-1252".to_vec(),
            json!({ "topic": "José", "charset": "windows-1252" }),
        ),
        (
            "application/x-www-form-urlencoded; charset=utf-8",
            b"_charset_=ISO-8859-1&topic=%E9".to_vec(),
            json!({ "topic": "é", "_charset_": "ISO-8859-1" }),
        ),
        (
            "application/x-www-form-urlencoded",
            b"topic=%C3%A9&charset=of-a-phone".to_vec(),
            json!({ "topic": "é", "charset": "of-a-phone" }),
        ),
        (
            "application/x-www-form-urlencoded",
            b"topic=%EF%BF%BD".to_vec(),
            json!({ "topic": "\u{fffd}" }),
        ),
        (
            "text/plain; charset=iso-8859-1",
            b"caf\xe9".to_vec(),
            json!("café"),
        ),
        ("", b"caf\xc3\xa9".to_vec(), json!("café")),
    ];
    each_case(table, |(kind, body, payload)| {
        let scene = ReceivingAccount::new(&json!({}));
        let headers = [("content-type", kind)];
        let found = event(&scene, &headers, &body);
        let topic = payload["topic"].as_str().unwrap_or_default();
        let expected = (json!(format!("shop:{topic}")), payload.clone());
        assert_eq!(stored(&found), expected, "{kind} {body:?}");
        let bare = ReceivingAccount::new(&json!({ "payload_transform": null }));
        let found = event(&bare, &headers, &body);
        assert_eq!(found["payload"], payload, "{kind} {body:?}");
    });
}

#[test]
fn what_cannot_be_read_is_kept_marked_and_never_stored_as_text() {
    let packed = gzip(PAID.as_bytes());
    let broken = [&packed[..packed.len() - 8], &[0; 8]].concat();
    let json = "application/json";
    let form = "application/x-www-form-urlencoded";
    let table: Vec<(&str, &str, Vec<u8>, &str)> = vec![
        (json, "zstd", packed.clone(), "`zstd`"),
        (json, "br", packed.clone(), "`br`"),
        (json, "compress", packed.clone(), "`compress`"),
        (json, "gzip", packed[..20].to_vec(), "gzip"),
        (json, "gzip", broken, "gzip"),
        (json, "gzip", PAID.into(), "gzip"),
        (json, "deflate", PAID.into(), "deflate"),
        (json, "", packed.clone(), "not UTF-8"),
        (json, "", b"{\"topic\":\"\xe9\"}".to_vec(), "not UTF-8"),
        (json, "", b"\xff\xfe{".to_vec(), "not UTF-16"),
        (
            "application/json; charset=shift_jis",
            "",
            b"{\"topic\":\"\x83\"}".to_vec(),
            "shift_jis",
        ),
        ("text/plain; charset=euc-kr", "", b"abc".to_vec(), "euc-kr"),
        (form, "", b"topic=%E9".to_vec(), "not UTF-8"),
        (form, "", b"topic=%83%e9&charset=gb2312".to_vec(), "gb2312"),
        (
            "application/octet-stream",
            "",
            b"\x00\xff".to_vec(),
            "not UTF-8",
        ),
        (
            "multipart/form-data; boundary=x",
            "",
            b"--x\xff".to_vec(),
            "not UTF-8",
        ),
    ];
    let cases = [
        Value::Null,
        json!("{ \"event_type\": \"o\", \"payload\": body }"),
    ];
    each_case(cases, |transform| {
        each_case(&table, |(kind, coding, body, words)| {
            let scene = ReceivingAccount::new(
                &json!({ "payload_transform": transform, "event_id": "body.nr" }),
            );
            let headers = [("content-type", *kind), ("content-encoding", *coding)];
            let found = event(&scene, &headers, body);
            let at = format!("{kind} {coding} {words}");
            assert_eq!(
                (&found["status"], &found["payload"]),
                (&json!("failed"), &Value::Null),
                "{at}"
            );
            let error = &found["last_error"];
            assert_eq!(error["code"], "integration.transform_failed", "{at}");
            assert!(
                error["message"].as_str().unwrap().contains(words),
                "{at}: {error}"
            );
            assert!(!scene.world.at_rest().contains('\u{fffd}'), "{at}");
            let replay = format!("/event/{}/replay", found["id"].as_str().unwrap());
            let again = scene.setting.client.post(&replay, &json!({}));
            assert_eq!(again.code(422), "integration.transform_failed", "{at}");
        });
    });
}

#[test]
fn a_kept_body_is_read_byte_for_byte_when_it_can_be() {
    let world = World::with(&[("WEBHOOK_BODY_BYTES", "100")]);
    let scene = ReceivingAccount::in_world(world, &json!({}));
    let long = PAID.replace("☃", &"☃".repeat(50));
    let body = gzip(long.as_bytes());
    assert!(body.len() <= 100 && long.len() > 100, "{}", body.len());
    let kept = event(&scene, &[JSON, ("content-encoding", "gzip")], &body);
    assert_eq!(kept["status"], "failed");
    let world = scene.world.deployed_with(&[("WEBHOOK_BODY_BYTES", "1000")]);
    let client = Client {
        world,
        token: scene.setting.client.token.clone(),
    };
    let id = kept["id"].as_str().unwrap();
    client
        .post(&format!("/event/{id}/replay"), &json!({}))
        .expect(200);
    let event = client.get(&format!("/event/{id}")).expect(200);
    let expected: Value = serde_json::from_str(&long).unwrap();
    assert_eq!(event["payload"], expected);
}

#[test]
fn a_sender_that_proved_nothing_stores_nothing_unreadable() {
    let scene = ReceivingAccount::new(&json!({}));
    each_case(["gzip", "zstd", "br"], |coding| {
        let headers = [JSON, ("content-encoding", coding)];
        let answer = to_account(&scene, &headers, b"\x1f\x8b\xff", b"another");
        assert_eq!(answer.code(401), "caller.bad_signature", "{coding}");
    });
    assert!(scene.events().is_empty());
}

#[test]
fn a_form_that_is_signed_sorted_is_signed_in_its_charset() {
    let file = json!({ "signature_verification": { "config": { "parts": ["$form_sorted"] } } });
    let scene = ReceivingAccount::new(&file);
    let headers = [(
        "content-type",
        "application/x-www-form-urlencoded; charset=iso-8859-1",
    )];
    let signed = "nr1topiccafé".as_bytes();
    to_account(&scene, &headers, b"topic=caf%E9&nr=1", signed).expect(200);
    let other = to_account(&scene, &headers, b"topic=caf%EA&nr=1", signed);
    assert_eq!(other.code(401), "caller.bad_signature");
    let unread = [("content-type", "application/x-www-form-urlencoded")];
    let lossy = "nr1topiccaf\u{fffd}".as_bytes();
    let answer = to_account(&scene, &unread, b"topic=caf%EA&nr=1", lossy);
    assert_eq!(answer.code(401), "caller.bad_signature");
}
