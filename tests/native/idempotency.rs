//! `Idempotency-Key`: what was answered is answered again, and no write is made twice unknowingly. The twin fails when
//! the provider is asked once more than scripted.

use std::time::Duration;

use causeway::ports::{Body, SendError};
use causeway::settings::KEPT_ANSWERS_BYTES;
use futures::executor::block_on;
use futures::future::join_all;
use futures::{FutureExt, join};
use http::HeaderValue;
use serde_json::{Value, json};

use crate::account::Scene;
use crate::cases::each_case;
use crate::client::{Answer, Client};
use crate::files;
use crate::outside::{Pieces, World, reply, streamed};

const KIB: usize = 1024;
const OLD: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const NEW: &str = "k2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

fn file() -> Value {
    files::with_key(
        "keyed-writes",
        &json!({
            "authorization": { "format": "header", "config": { "name": "X-Key", "value": "{{api_key}}" } },
            "resources": { "ships": {
                "list": { "path": "/ships" },
                "get": { "path": "/ships/{{id}}" },
                "create": { "method": "post", "path": "/ships" },
                "update": { "method": "patch", "path": "/ships/{{id}}" },
                "delete": { "method": "delete", "path": "/ships/{{id}}" },
                "parse": { "method": "post", "path": "/parse", "response_path": "data" },
            } },
        }),
    )
}

fn open() -> Scene {
    with(World::new())
}

fn with(world: World) -> Scene {
    let context = json!({ "api_key": "k-secret" });
    Scene::new(world, &file(), "api_key", &context)
}

fn call(scene: &Scene, method: &str, path: &str, key: &str, body: Body<Pieces>) -> Answer {
    scene.call(method, path, &[("idempotency-key", key)], body)
}

fn create(scene: &Scene, key: &str, body: &'static str) -> Answer {
    call(scene, "POST", "/proxy/ships", key, Body::from_bytes(body))
}

fn answers(scene: &Scene, status: u16, body: &str) {
    let headers = [
        ("content-type", "application/json"),
        ("location", "/ships/1"),
    ];
    scene.world.answers(status, &headers, body);
}

fn kept(scene: &Scene) -> usize {
    scene
        .world
        .select(scene.object(), "SELECT place FROM kept_answer")
        .len()
}

#[test]
fn the_stored_answer_is_given_again_word_for_word() {
    let scene = open();
    answers(&scene, 201, r#"{"id":12345678901234567890}"#);
    let first = create(&scene, "a", "{}");
    assert_eq!(scene.world.sent()[0].header("idempotency-key"), Some("a"));
    for _ in 0..2 {
        let again = create(&scene, "a", "{}");
        assert_eq!((again.status, again.text()), (201, first.text()));
        assert_eq!(again.header("location"), Some("/ships/1"));
        assert_eq!(again.header("content-type"), Some("application/json"));
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_ne!(again.header("x-request-id"), first.header("x-request-id"));
        scene.world.restart();
    }
    assert_eq!(first.header("idempotency-replayed"), None);
    assert_eq!(scene.sent(), 0);
}

#[test]
fn every_write_heeds_its_key_and_no_read_does() {
    let scene = open();
    let cases = [
        ("POST", "/custom/ships"),
        ("PATCH", "/proxy/ships/1"),
        ("PUT", "/proxy/ships/1"),
        ("DELETE", "/proxy/ships/1"),
        ("POST", "/proxy/ships?mode=fast"),
    ];
    each_case(cases, |(method, path)| {
        scene.world.answers(204, &[], "");
        for _ in 0..2 {
            assert_eq!(call(&scene, method, path, "a", Body::Empty).status, 204);
        }
        assert_eq!(scene.sent(), 1, "{method} {path}");
    });
    each_case(["/proxy/ships/1", "/custom/ships"], |path| {
        for _ in 0..2 {
            answers(&scene, 200, "{}");
            call(&scene, "GET", path, "a", Body::Empty).expect(200);
        }
        assert_eq!(scene.sent(), 2);
    });
    for _ in 0..2 {
        answers(&scene, 200, "[]");
        call(&scene, "POST", "/proxy/ships/list", "a", Body::Empty).expect(200);
    }
}

#[test]
fn a_refusal_is_an_answer_with_a_request_id_of_its_own() {
    let scene = open();
    answers(&scene, 422, r#"{"why":"no such name"}"#);
    let first = create(&scene, "a", "{}");
    let again = create(&scene, "a", "{}");
    let id = again.header("x-request-id").unwrap().to_owned();
    assert_eq!(again.header("location"), Some("/ships/1"));
    let (first, again) = (first.expect(422), again.expect(422));
    assert_eq!(again["code"], "provider.rejected");
    assert_eq!(again["raw_response"], first["raw_response"]);
    assert_eq!(again["request_id"], id);
    assert_eq!(scene.sent(), 1);
}

#[test]
fn what_says_try_again_lets_the_key_go() {
    let scene = open();
    each_case(["/proxy/ships", "/custom/ships"], |path| {
        each_case([500, 503, 429], |status| {
            answers(&scene, status, "{}");
            let first = call(&scene, "POST", path, "a", Body::Empty);
            assert_eq!(first.status, status);
        });
    });
    scene.fails(SendError::Unreachable);
    assert_eq!(create(&scene, "a", "{}").status, 502);
    assert_eq!(kept(&scene), 0);
    answers(&scene, 201, "{}");
    create(&scene, "a", "{}").expect(201);
    assert_eq!(scene.sent(), 8);
}

#[test]
fn a_call_that_was_never_sent_keeps_no_key() {
    let scene = open();
    let call = |path| call(&scene, "POST", path, "a", Body::Empty).status;
    assert_eq!(call("/proxy/boats"), 404);
    assert_eq!(call("/proxy/ships/sink"), 405);
    assert_eq!(kept(&scene), 0);
}

#[test]
fn what_the_provider_did_is_not_done_twice_for_an_answer_we_could_not_use() {
    let scene = open();
    answers(&scene, 200, "no json");
    let call = || call(&scene, "POST", "/proxy/ships/parse", "a", Body::Empty);
    assert_eq!(call().code(200), "provider.unexpected_answer");
    let error = call().expect(409);
    assert_eq!(error["code"], "caller.idempotency_not_replayable");
    assert_eq!(error["details"]["status"], 200);
}

#[test]
fn another_body_is_refused() {
    let scene = open();
    answers(&scene, 201, "{}");
    create(&scene, "a", "{}").expect(201);
    let other = create(&scene, "a", r#"{"x":1}"#);
    assert_eq!(other.code(422), "caller.idempotency_mismatch");
    assert_eq!(scene.sent(), 1);
}

#[test]
fn of_many_at_once_one_is_sent() {
    let scene = open();
    let wake = 1_700_000_001_000;
    scene.world.answers_at(wake, 201, "{}");
    let (client, path) = (&scene.setting.client, scene.path("/proxy/ships"));
    let one = || async {
        let headers = [("idempotency-key", "a")];
        let answer = client.request_async("POST", &path, &headers, Body::Empty);
        answer.await.status
    };
    let clock = async {
        scene.world.pass(Duration::from_secs(2));
    };
    let all = async { join!(join_all((0..20).map(|_| one())), clock).0 };
    let mut statuses = block_on(scene.world.run(all));
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201);
    assert!(
        statuses[1..].iter().all(|status| *status == 503),
        "{statuses:?}"
    );
    assert_eq!(scene.sent(), 1);
}

#[test]
fn a_write_that_was_cut_off_stays_under_way_for_a_day() {
    let scene = open();
    scene.world.answers_at(1_800_000_000_000, 201, "{}");
    let (client, path) = (&scene.setting.client, scene.path("/proxy/ships"));
    let headers = [("idempotency-key", "a")];
    let lost = client.request_async("POST", &path, &headers, Body::from_bytes("{}"));
    assert!(block_on(scene.world.run(async { lost.now_or_never() })).is_none());
    assert_eq!(scene.sent(), 1);
    scene.world.restart();
    scene.world.unscript();
    for _ in 0..2 {
        let again = create(&scene, "a", "{}");
        assert_eq!(again.code(409), "caller.idempotency_in_progress");
        scene.world.restart();
    }
    assert_eq!(create(&scene, "a", "[]").status, 422);
    scene.world.pass(Duration::from_hours(24));
    answers(&scene, 201, "{}");
    create(&scene, "a", "{}").expect(201);
}

#[test]
fn a_key_ends_after_a_day_by_alarm() {
    let scene = open();
    answers(&scene, 201, "{}");
    create(&scene, "a", "{}").expect(201);
    scene.world.pass(Duration::from_hours(23));
    create(&scene, "a", "{}").expect(201);
    assert_eq!(kept(&scene), 1);
    scene.world.restart();
    scene.world.pass(Duration::from_hours(1));
    scene.world.settle();
    assert_eq!(kept(&scene), 0);
}

#[test]
fn a_large_answer_is_given_once_and_then_only_its_status() {
    let scene = open();
    let body: &'static [u8] = vec![b'x'; 256 * KIB + 1].leak();
    let whole = Some(body.len() as u64);
    let cases = [
        ("small", 256 * KIB, None),
        ("large", body.len(), None),
        ("large and said", body.len(), whole),
    ];
    each_case(cases, |(key, size, length)| {
        let (one, other) = body[..size].split_at(1000);
        let stream = streamed(&[one, other], length);
        scene.world.answers_with(reply(201, &[], stream));
        let first = call(&scene, "POST", "/custom/ships", key, Body::Empty);
        assert_eq!((first.status, first.body.len()), (201, size), "{key}");
        let again = call(&scene, "POST", "/custom/ships", key, Body::Empty);
        if size == 256 * KIB {
            assert_eq!((again.status, again.body.len()), (201, size));
            return;
        }
        let error = again.expect(409);
        assert_eq!(error["code"], "caller.idempotency_not_replayable");
        assert_eq!(error["details"]["status"], 201);
    });
    assert_eq!(scene.sent(), 3);
}

#[test]
fn a_body_over_one_mebibyte_has_no_room_under_a_key() {
    let scene = open();
    let body: &'static [u8] = vec![b'x'; 1024 * KIB + 1].leak();
    each_case([None, Some(body.len() as u64)], |length| {
        let call = call(
            &scene,
            "POST",
            "/proxy/ships",
            "a",
            streamed(&[body], length),
        );
        assert_eq!(call.code(413), "caller.body_too_large");
    });
    let fits = streamed(&[&body[1..]], None);
    answers(&scene, 201, "{}");
    call(&scene, "POST", "/proxy/ships", "a", fits).expect(201);
    assert_eq!(scene.world.sent()[0].body.len(), 1024 * KIB);
    answers(&scene, 201, "{}");
    let client = &scene.setting.client;
    let path = scene.path("/proxy/ships");
    client
        .request("POST", &path, &[], streamed(&[body], None))
        .expect(201);
}

#[test]
fn a_key_that_is_none() {
    let scene = open();
    assert_eq!(create(&scene, "", "{}").code(422), "caller.invalid");
    assert_eq!(
        create(&scene, &"k".repeat(256), "{}").code(422),
        "caller.invalid"
    );
    answers(&scene, 201, "{}");
    create(&scene, &"k".repeat(255), "{}").expect(201);
    assert_eq!(scene.sent(), 1);
}

#[test]
fn a_time_out_leaves_a_write_under_way_unless_its_verb_may_be_sent_twice() {
    let cases = [
        ("POST", "/proxy/ships", false),
        ("PATCH", "/proxy/ships/1", false),
        ("POST", "/custom/ships", false),
        ("PUT", "/proxy/ships/1", true),
        ("DELETE", "/proxy/ships/1", true),
    ];
    each_case(cases, |(method, path, may_be_sent_twice)| {
        let scene = open();
        scene.fails(SendError::Timeout);
        let call = || call(&scene, method, path, "a", Body::from_bytes("{}"));
        assert_eq!(call().code(504), "provider.timeout", "{method} {path}");
        if may_be_sent_twice {
            answers(&scene, 200, "{}");
            call().expect(200);
            return;
        }
        for _ in 0..2 {
            let again = call().code(409);
            assert_eq!(again, "caller.idempotency_in_progress", "{method} {path}");
        }
        assert_eq!(scene.sent(), 1, "{method} {path}");
    });
}

#[test]
fn a_redirect_that_answered_the_write_counts_whatever_becomes_of_the_page_behind_it() {
    let cases = [
        (303, "/proxy/ships", Ok(503)),
        (302, "/custom/ships", Ok(429)),
        (302, "/custom/ships", Err(SendError::Timeout)),
        (301, "/proxy/ships", Err(SendError::Unreachable)),
    ];
    each_case(cases, |(redirect, path, behind)| {
        let scene = open();
        answers(&scene, redirect, "");
        match behind {
            Ok(status) => answers(&scene, status, "down"),
            Err(error) => scene.fails(error),
        }
        let call = || call(&scene, "POST", path, "a", Body::from_bytes("{}"));
        let first = call().expect(redirect);
        assert_eq!(first["details"]["write"], "done", "{redirect} {behind:?}");
        let again = call().expect(409);
        assert_eq!(again["code"], "caller.idempotency_not_replayable");
        assert_eq!(again["details"]["status"], redirect, "{behind:?}");
        let sent = scene.world.sent();
        let methods: Vec<&str> = sent.iter().map(|sent| sent.method.as_str()).collect();
        assert_eq!(methods, ["POST", "GET"], "{redirect} {behind:?}");
    });
}

#[test]
fn the_page_behind_a_redirect_is_the_answer_that_is_given_again() {
    let scene = open();
    answers(&scene, 303, "");
    answers(&scene, 200, r#"{"id":1}"#);
    for _ in 0..2 {
        assert_eq!(create(&scene, "a", "{}").expect(200)["id"], 1);
    }
    assert_eq!(scene.sent(), 2);
}

#[test]
fn a_401_lets_the_key_go_on_either_path() {
    each_case(["/proxy/ships", "/custom/ships"], |path| {
        let scene = open();
        let call = || call(&scene, "POST", path, "a", Body::from_bytes("{}"));
        answers(&scene, 401, "{}");
        assert_eq!(call().status, 401, "{path}");
        let account = format!("/integrated-account/{}", scene.account);
        let client = &scene.setting.client;
        assert_eq!(client.get(&account).expect(200)["status"], "active");
        let body = json!({ "context": { "api_key": "new" } });
        let credentials = format!("{account}/credentials");
        client.send("PATCH", &credentials, &body).expect(200);
        answers(&scene, 201, "{}");
        let again = call();
        assert_eq!((again.status, scene.sent()), (201, 2), "{path}");
        assert_eq!(again.header("idempotency-replayed"), None);
    });
}

#[test]
fn an_encoding_that_is_not_undone_stays_named() {
    let scene = open();
    let headers = [
        ("content-encoding", "deflate"),
        ("content-type", "text/plain"),
    ];
    let body = streamed(&[b"\x78\x9c..."], None);
    scene.world.answers_with(reply(200, &headers, body));
    for _ in 0..2 {
        let answer = call(&scene, "POST", "/custom/ships", "a", Body::Empty);
        assert_eq!(answer.header("content-encoding"), Some("deflate"));
        assert_eq!(answer.body, b"\x78\x9c...");
    }
    assert_eq!(scene.sent(), 1);
}

#[test]
fn header_fields_come_again_byte_for_byte_and_replayed_is_our_own_word() {
    let scene = open();
    let headers = [("idempotency-replayed", "true")];
    let mut given = reply(201, &headers, Body::from_bytes("x"));
    let name = HeaderValue::from_str("attachment; filename=\"Über łódź.pdf\"").unwrap();
    given.headers.insert("content-disposition", name.clone());
    scene.world.answers_with(given);
    let (first, again) = (create(&scene, "a", ""), create(&scene, "a", ""));
    assert_eq!(first.headers["content-disposition"], name);
    assert_eq!(again.headers["content-disposition"], name);
    assert_eq!(first.header("idempotency-replayed"), None);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let client = &scene.setting.client;
    each_case(["/proxy/ships/1", "/custom/ships"], |path| {
        scene.world.answers(200, &headers, "{}");
        let read = client.get(&scene.path(path));
        assert_eq!(read.header("idempotency-replayed"), None, "{path}");
    });
    let log = client.get(&scene.path("/log")).expect(200);
    let lines = log["result"].as_array().unwrap().iter();
    let reported: Vec<Value> = lines
        .map(|line| json!([line["replayed"], line["resource"], line["resource_method"]]))
        .collect();
    let expected = json!([
        [false, null, null],
        [false, "ships", "get"],
        [true, "ships", "create"],
        [false, "ships", "create"]
    ]);
    assert_eq!(json!(reported), expected);
}

#[test]
fn with_its_account_named_or_not_an_account_token_makes_one_write() {
    let scene = open();
    let client = &scene.setting.client;
    let body = json!({ "integrated_account_id": scene.account });
    let made = client.post("/integrated-account/token", &body).expect(201);
    let me = client.with_token(made["integrated_account_token"].as_str().unwrap());
    let headers = [("idempotency-key", "a")];
    answers(&scene, 201, "{}");
    let cases = [
        "/proxy/ships?mode=fast".to_owned(),
        scene.path("/proxy/ships?mode=fast"),
        scene.path("/proxy/ships") + "&mode=fast",
    ];
    each_case(cases, |path| {
        me.request("POST", &path, &headers, Body::Empty).expect(201);
    });
    assert_eq!(scene.sent(), 1);
    answers(&scene, 201, "{}");
    me.request("POST", "/proxy/ships?mode=slow", &headers, Body::Empty)
        .expect(201);
    assert_eq!(scene.sent(), 1, "another query is another write");
}

fn customer_of(scene: &Scene) -> Client {
    let client = &scene.setting.client;
    let body = json!({ "integrated_account_id": scene.account });
    let made = client.post("/integrated-account/token", &body).expect(201);
    client.with_token(made["integrated_account_token"].as_str().unwrap())
}

#[test]
fn a_key_belongs_to_its_callers_kind() {
    let scene = open();
    let path = scene.path("/custom/invoices");
    let post = |client: &Client, body: &'static str| {
        let headers = [("idempotency-key", "invoice-1")];
        client.request("POST", &path, &headers, Body::from_bytes(body))
    };
    let (backend, operator) = (&scene.setting.client, &scene.setting.admin);
    let customer = customer_of(&scene);
    answers(&scene, 201, r#"{"of":"customer"}"#);
    assert_eq!(
        post(&customer, r#"{"amount":0}"#).text(),
        r#"{"of":"customer"}"#
    );
    answers(&scene, 201, r#"{"of":"backend"}"#);
    let own = post(backend, r#"{"amount":7}"#);
    assert_eq!(
        (own.status, own.text()),
        (201, r#"{"of":"backend"}"#),
        "its key is free"
    );
    let cases = [
        (&customer, r#"{"amount":0}"#, r#"{"of":"customer"}"#),
        (
            &customer_of(&scene),
            r#"{"amount":0}"#,
            r#"{"of":"customer"}"#,
        ),
        (backend, r#"{"amount":7}"#, r#"{"of":"backend"}"#),
        (operator, r#"{"amount":7}"#, r#"{"of":"backend"}"#),
    ];
    each_case(cases, |(client, body, kept)| {
        let again = post(client, body);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(again.text(), kept);
    });
    assert_eq!(
        post(&customer, r#"{"amount":7}"#).code(422),
        "caller.idempotency_mismatch"
    );
    assert_eq!(scene.sent(), 2);
}

#[test]
fn a_customers_claim_that_never_ends_blocks_no_key_of_the_backend() {
    let scene = open();
    let path = scene.path("/custom/invoices");
    let headers = [("idempotency-key", "invoice-1"), ("x-timeout-ms", "1000")];
    let customer = customer_of(&scene);
    scene.fails(SendError::Timeout);
    customer
        .request("POST", &path, &headers, Body::from_bytes("{}"))
        .expect(504);
    let again = customer.request("POST", &path, &headers, Body::from_bytes("{}"));
    assert_eq!(again.code(409), "caller.idempotency_in_progress");
    answers(&scene, 201, "{}");
    let own = scene
        .setting
        .client
        .request("POST", &path, &headers, Body::from_bytes("{}"));
    assert_eq!(own.status, 201);
}

#[test]
fn a_customers_kept_answers_push_out_none_of_the_backends() {
    let scene = open();
    let customer = customer_of(&scene);
    let path = scene.path("/proxy/ships");
    let post = |client: &Client, key: &str| {
        client.request("POST", &path, &[("idempotency-key", key)], Body::Empty)
    };
    answers(&scene, 201, "{}");
    post(&scene.setting.client, "own").expect(201);
    let large = "x".repeat(250 * KIB);
    let kept = usize::try_from(KEPT_ANSWERS_BYTES).unwrap() / (250 * KIB);
    for key in 0..=kept {
        answers(&scene, 201, &large);
        assert_eq!(post(&customer, &key.to_string()).status, 201);
    }
    assert_eq!(
        post(&customer, "0").code(409),
        "caller.idempotency_not_replayable"
    );
    assert_eq!(
        post(&scene.setting.client, "own").header("idempotency-replayed"),
        Some("true")
    );
}

#[test]
fn a_key_that_was_kept_before_kinds_were_is_the_backends() {
    let scene = open();
    let place = causeway_place(&scene);
    answers(&scene, 201, "{}");
    create(&scene, "a", "{}");
    assert_eq!(kept_places(&scene), [place]);
}

/// What the first release wrote: SHA-256 of HTTP method, path, query and key.
fn causeway_place(_: &Scene) -> String {
    use sha2::Digest;
    let place = json!(["POST", ["ships", "create", null], "", "a"]);
    data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(place.to_string()))
}

fn kept_places(scene: &Scene) -> Vec<String> {
    let rows = scene
        .world
        .select(scene.object(), "SELECT place FROM kept_answer");
    rows.iter()
        .map(|row| row[0].as_text().unwrap().to_owned())
        .collect()
}

#[test]
fn with_a_key_a_request_is_not_handed_over_a_second_time() {
    let scene = open();
    let (client, path) = (&scene.setting.client, scene.path("/proxy/ships/1"));
    let call = |headers: &[(&str, &str)]| {
        scene.world.0.call_faults.set(1);
        client.request("PUT", &path, headers, Body::from_bytes("{}"))
    };
    let refused = call(&[("idempotency-key", "a")]);
    assert_eq!(refused.code(503), "internal.storage");
    assert_eq!((scene.sent(), scene.world.0.call_faults.get()), (0, 0));
    answers(&scene, 200, "{}");
    call(&[]).expect(200);
    assert_eq!(scene.sent(), 1);
}

/// Two answers and so much between them as the room takes, and a byte more.
#[test]
fn beyond_the_room_for_kept_answers_the_oldest_is_known_by_its_status_alone() {
    each_case([(0, 201), (1, 409)], |(more, first_status)| {
        let scene = open();
        answers(&scene, 201, "{}");
        create(&scene, "first", "{}").expect(201);
        let size = "SELECT LENGTH(sealed) FROM kept_answer";
        let size = scene.world.select(scene.object(), size)[0][0].as_integer();
        let between = KEPT_ANSWERS_BYTES - 2 * size.unwrap() + more;
        let fill = format!(
            "INSERT INTO kept_answer SELECT 'between', '', at + 1, 201, substr(hex(zeroblob({between})), 1, {between}) FROM kept_answer"
        );
        scene.world.select(scene.object(), &fill);
        scene.world.restart();
        scene.world.pass(Duration::from_secs(1));
        answers(&scene, 201, "{}");
        create(&scene, "newest", "{}").expect(201);
        create(&scene, "newest", "{}").expect(201);
        let first = create(&scene, "first", "{}").expect(first_status);
        if first_status == 409 {
            assert_eq!(first["code"], "caller.idempotency_not_replayable");
            assert_eq!(first["details"]["status"], 201);
        }
        let held = "SELECT place FROM kept_answer WHERE sealed IS NOT NULL";
        let held = scene.world.rows(scene.object(), held);
        assert_eq!(held, if more == 0 { 3 } else { 2 });
        assert_eq!(scene.sent(), 2);
    });
}

#[test]
fn it_rests_sealed_and_goes_with_the_account() {
    let scene = open();
    answers(&scene, 201, r#"{"said":"in confidence"}"#);
    create(&scene, "key-of-a-customer", r#"{"asked":"in confidence"}"#).expect(201);
    let at_rest = scene.world.at_rest();
    each_case(["in confidence", "key-of-a-customer"], |word| {
        assert!(!at_rest.contains(word), "{word}");
    });
    let path = format!("/integrated-account/{}", scene.account);
    scene.setting.client.delete(&path).expect(200);
    let tables = "SELECT name FROM sqlite_master WHERE name = 'kept_answer'";
    assert!(scene.world.rows(scene.object(), tables) == 0 || kept(&scene) == 0);
    let again = create(&scene, "key-of-a-customer", r#"{"asked":"in confidence"}"#);
    assert_eq!(again.code(404), "caller.not_found");
}

#[test]
fn an_account_of_others_keeps_no_key() {
    let scene = open();
    let writes = scene.world.writes(scene.object());
    let other = scene.setting.admin.environment("other");
    let stranger = scene.setting.admin.token_of(&other, None);
    let headers = [("idempotency-key", "a")];
    let answer = stranger.request("POST", &scene.path("/proxy/ships"), &headers, Body::Empty);
    assert_eq!(answer.code(404), "caller.not_found");
    assert_eq!(scene.world.writes(scene.object()), writes);
}

#[test]
fn a_rotated_key_gives_the_answer_again_and_a_lost_one_its_status() {
    let scene = with(World::with(&[("SEALING_KEYS", OLD)]));
    let path = scene.path("/proxy/ships");
    let call = |world: &World| {
        // A token would end with the key that signed it.
        let client = Client::admin(world);
        client.request("POST", &path, &[("idempotency-key", "a")], Body::Empty)
    };
    scene.world.answers(201, &[], r#"{"id":1}"#);
    call(&scene.world).expect(201);
    let both = scene
        .world
        .deployed_with(&[("SEALING_KEYS", &format!("{NEW},{OLD}"))]);
    let admin = Client::admin(&both);
    admin.post("/sealing/rotate", &json!({})).expect(200);
    both.settle();
    let new = both.deployed_with(&[("SEALING_KEYS", NEW)]);
    assert_eq!(call(&new).expect(201)["id"], 1);
    let lost = new.deployed_with(&[(
        "SEALING_KEYS",
        "k2:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    )]);
    let status = call(&lost).status;
    assert!(status >= 409, "{status}: nothing is sent");
}
