//! `Idempotency-Key`: what was answered is answered again, and no write is made twice unknowingly. The twin fails when
//! the provider is asked once more than scripted.

use std::time::Duration;

use causeway::ids::AccountId;
use causeway::ports::{Body, ObjectName, SendError};
use futures::executor::block_on;
use futures::future::join_all;
use futures::{FutureExt, join};
use serde_json::{Value, json};

use crate::client::{Answer, Client, Setting};
use crate::outside::{Pieces, Scripted, World, reply, streamed};

const KIB: usize = 1024;
const OLD: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const NEW: &str = "k2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

fn file() -> Value {
    json!({ "name": "yard", "config": {
        "base_url": "https://api.yard.example",
        "credentials": { "api_key": { "format": "api_key", "config": { "fields": [{ "name": "api_key", "type": "password" }] } } },
        "authorization": { "format": "header", "config": { "name": "X-Key", "value": "{{api_key}}" } },
        "resources": { "ships": {
            "list": { "path": "/ships" },
            "get": { "path": "/ships/{{id}}" },
            "create": { "method": "post", "path": "/ships" },
            "update": { "method": "patch", "path": "/ships/{{id}}" },
            "delete": { "method": "delete", "path": "/ships/{{id}}" },
            "parse": { "method": "post", "path": "/parse", "response_path": "data" },
        } },
    } })
}

struct Yard {
    world: World,
    setting: Setting,
    account: String,
}

impl Yard {
    fn open() -> Self {
        let world = World::new();
        let setting = Setting::new(&world, &file());
        let account = setting.account("api_key", &json!({ "api_key": "k-secret" }));
        Self {
            world,
            setting,
            account,
        }
    }

    fn path(&self, path: &str) -> String {
        let mark = if path.contains('?') { '&' } else { '?' };
        format!("{path}{mark}integrated_account_id={}", self.account)
    }

    fn call(&self, method: &str, path: &str, key: &str, body: Body<Pieces>) -> Answer {
        let headers = [("idempotency-key", key)];
        let client = &self.setting.client;
        client.request(method, &self.path(path), &headers, body)
    }

    fn create(&self, key: &str, body: &'static str) -> Answer {
        self.call("POST", "/proxy/ships", key, Body::from_bytes(body))
    }

    fn answers(&self, status: u16, body: &str) {
        let headers = [
            ("content-type", "application/json"),
            ("location", "/ships/1"),
        ];
        self.world.answers(status, &headers, body);
    }

    fn object(&self) -> ObjectName {
        ObjectName::Account(self.account.parse::<AccountId>().unwrap())
    }

    fn kept(&self) -> usize {
        self.world
            .select(self.object(), "SELECT place FROM kept_answer")
            .len()
    }

    fn sent(&self) -> usize {
        self.world.sent().len()
    }
}

#[test]
fn the_stored_answer_is_given_again_word_for_word() {
    let yard = Yard::open();
    yard.answers(201, r#"{"id":12345678901234567890}"#);
    let first = yard.create("a", "{}");
    assert_eq!(yard.world.sent()[0].header("idempotency-key"), Some("a"));
    for _ in 0..2 {
        let again = yard.create("a", "{}");
        assert_eq!((again.status, again.text()), (201, first.text()));
        assert_eq!(again.header("location"), Some("/ships/1"));
        assert_eq!(again.header("content-type"), Some("application/json"));
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_ne!(again.header("x-request-id"), first.header("x-request-id"));
        yard.world.restart();
    }
    assert_eq!(first.header("idempotency-replayed"), None);
    assert_eq!(yard.sent(), 0);
}

#[test]
fn every_write_heeds_its_key_and_no_read_does() {
    let yard = Yard::open();
    for (method, path) in [
        ("POST", "/custom/ships"),
        ("PATCH", "/proxy/ships/1"),
        ("PUT", "/proxy/ships/1"),
        ("DELETE", "/proxy/ships/1"),
        ("POST", "/proxy/ships?mode=fast"),
    ] {
        yard.world.answers(204, &[], "");
        for _ in 0..2 {
            assert_eq!(yard.call(method, path, "a", Body::Empty).status, 204);
        }
        assert_eq!(yard.sent(), 1, "{method} {path}");
    }
    for path in ["/proxy/ships/1", "/custom/ships"] {
        for _ in 0..2 {
            yard.answers(200, "{}");
            yard.call("GET", path, "a", Body::Empty).expect(200);
        }
        assert_eq!(yard.sent(), 2);
    }
    for _ in 0..2 {
        yard.answers(200, "[]");
        yard.call("POST", "/proxy/ships/list", "a", Body::Empty)
            .expect(200);
    }
}

#[test]
fn a_refusal_is_an_answer_with_a_request_id_of_its_own() {
    let yard = Yard::open();
    yard.answers(422, r#"{"why":"no such name"}"#);
    let first = yard.create("a", "{}");
    let again = yard.create("a", "{}");
    let id = again.header("x-request-id").unwrap().to_owned();
    assert_eq!(again.header("location"), Some("/ships/1"));
    let (first, again) = (first.expect(422), again.expect(422));
    assert_eq!(again["code"], "provider.rejected");
    assert_eq!(again["raw_response"], first["raw_response"]);
    assert_eq!(again["request_id"], id);
    assert_eq!(yard.sent(), 1);
}

#[test]
fn what_says_try_again_lets_the_key_go() {
    let yard = Yard::open();
    for path in ["/proxy/ships", "/custom/ships"] {
        for status in [500, 503, 429] {
            yard.answers(status, "{}");
            let first = yard.call("POST", path, "a", Body::Empty);
            assert_eq!(first.status, status);
        }
    }
    yard.world.scripts(Scripted {
        outcome: Err(SendError::Unreachable),
        not_before: 0,
    });
    assert_eq!(yard.create("a", "{}").status, 502);
    assert_eq!(yard.kept(), 0);
    yard.answers(201, "{}");
    yard.create("a", "{}").expect(201);
    assert_eq!(yard.sent(), 8);
}

#[test]
fn a_call_that_was_never_sent_keeps_no_key() {
    let yard = Yard::open();
    let call = |path| yard.call("POST", path, "a", Body::Empty).status;
    assert_eq!(call("/proxy/boats"), 404);
    assert_eq!(call("/proxy/ships/sink"), 405);
    assert_eq!(yard.kept(), 0);
}

#[test]
fn what_the_provider_did_is_not_done_twice_for_an_answer_we_could_not_use() {
    let yard = Yard::open();
    yard.answers(200, "no json");
    let call = || yard.call("POST", "/proxy/ships/parse", "a", Body::Empty);
    assert_eq!(call().code(502), "provider.unexpected_answer");
    let error = call().expect(409);
    assert_eq!(error["code"], "caller.idempotency_not_replayable");
    assert_eq!(error["details"]["status"], 200);
}

#[test]
fn another_body_is_refused() {
    let yard = Yard::open();
    yard.answers(201, "{}");
    yard.create("a", "{}").expect(201);
    let other = yard.create("a", r#"{"x":1}"#);
    assert_eq!(other.code(422), "caller.idempotency_mismatch");
    assert_eq!(yard.sent(), 1);
}

#[test]
fn of_many_at_once_one_is_sent() {
    let yard = Yard::open();
    let wake = 1_700_000_001_000;
    yard.world.answers_at(wake, 201, "{}");
    let (client, path) = (&yard.setting.client, yard.path("/proxy/ships"));
    let one = || async {
        let headers = [("idempotency-key", "a")];
        let answer = client.request_async("POST", &path, &headers, Body::Empty);
        answer.await.status
    };
    let clock = async {
        yard.world.pass(Duration::from_secs(2));
    };
    let all = async { join!(join_all((0..20).map(|_| one())), clock).0 };
    let mut statuses = block_on(yard.world.run(all));
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201);
    assert!(
        statuses[1..].iter().all(|status| *status == 409),
        "{statuses:?}"
    );
    assert_eq!(yard.sent(), 1);
}

#[test]
fn a_write_that_was_cut_off_stays_under_way_for_a_day() {
    let yard = Yard::open();
    yard.world.answers_at(1_800_000_000_000, 201, "{}");
    let (client, path) = (&yard.setting.client, yard.path("/proxy/ships"));
    let headers = [("idempotency-key", "a")];
    let lost = client.request_async("POST", &path, &headers, Body::from_bytes("{}"));
    assert!(block_on(yard.world.run(async { lost.now_or_never() })).is_none());
    assert_eq!(yard.sent(), 1);
    yard.world.restart();
    yard.world.unscript();
    for _ in 0..2 {
        let again = yard.create("a", "{}");
        assert_eq!(again.code(409), "caller.idempotency_in_progress");
        yard.world.restart();
    }
    assert_eq!(yard.create("a", "[]").status, 422);
    yard.world.pass(Duration::from_hours(24));
    yard.answers(201, "{}");
    yard.create("a", "{}").expect(201);
}

#[test]
fn a_key_ends_after_a_day_by_alarm() {
    let yard = Yard::open();
    yard.answers(201, "{}");
    yard.create("a", "{}").expect(201);
    yard.world.pass(Duration::from_hours(23));
    yard.create("a", "{}").expect(201);
    assert_eq!(yard.kept(), 1);
    yard.world.restart();
    yard.world.pass(Duration::from_hours(1));
    yard.world.settle();
    assert_eq!(yard.kept(), 0);
}

#[test]
fn a_large_answer_is_given_once_and_then_only_its_status() {
    let yard = Yard::open();
    let body: &'static [u8] = vec![b'x'; 256 * KIB + 1].leak();
    let whole = Some(body.len() as u64);
    for (key, size, length) in [
        ("small", 256 * KIB, None),
        ("large", body.len(), None),
        ("large and said", body.len(), whole),
    ] {
        let (one, other) = body[..size].split_at(1000);
        let stream = streamed(&[one, other], length);
        yard.world.answers_with(reply(201, &[], stream));
        let first = yard.call("POST", "/custom/ships", key, Body::Empty);
        assert_eq!((first.status, first.body.len()), (201, size), "{key}");
        let again = yard.call("POST", "/custom/ships", key, Body::Empty);
        if size == 256 * KIB {
            assert_eq!((again.status, again.body.len()), (201, size));
            continue;
        }
        let error = again.expect(409);
        assert_eq!(error["code"], "caller.idempotency_not_replayable");
        assert_eq!(error["details"]["status"], 201);
    }
    assert_eq!(yard.sent(), 3);
}

#[test]
fn a_body_over_one_mebibyte_has_no_room_under_a_key() {
    let yard = Yard::open();
    let body: &'static [u8] = vec![b'x'; 1024 * KIB + 1].leak();
    for length in [None, Some(body.len() as u64)] {
        let call = yard.call("POST", "/proxy/ships", "a", streamed(&[body], length));
        assert_eq!(call.code(413), "caller.body_too_large");
    }
    let fits = streamed(&[&body[1..]], None);
    yard.answers(201, "{}");
    yard.call("POST", "/proxy/ships", "a", fits).expect(201);
    assert_eq!(yard.world.sent()[0].body.len(), 1024 * KIB);
    yard.answers(201, "{}");
    let client = &yard.setting.client;
    let path = yard.path("/proxy/ships");
    client
        .request("POST", &path, &[], streamed(&[body], None))
        .expect(201);
}

#[test]
fn a_key_that_is_none() {
    let yard = Yard::open();
    for _ in 0..2 {
        yard.answers(201, "{}");
        yard.create("", "{}").expect(201);
    }
    assert_eq!(
        yard.create(&"k".repeat(256), "{}").code(422),
        "caller.invalid"
    );
    yard.answers(201, "{}");
    yard.create(&"k".repeat(255), "{}").expect(201);
}

#[test]
fn it_rests_sealed_and_goes_with_the_account() {
    let yard = Yard::open();
    yard.answers(201, r#"{"said":"in confidence"}"#);
    yard.create("key-of-a-customer", r#"{"asked":"in confidence"}"#)
        .expect(201);
    let at_rest = yard.world.at_rest();
    for word in ["in confidence", "key-of-a-customer"] {
        assert!(!at_rest.contains(word), "{word}");
    }
    let path = format!("/integrated-account/{}", yard.account);
    yard.setting.client.delete(&path).expect(200);
    let tables = "SELECT name FROM sqlite_master WHERE name = 'kept_answer'";
    assert!(yard.world.rows(yard.object(), tables) == 0 || yard.kept() == 0);
    let again = yard.create("key-of-a-customer", r#"{"asked":"in confidence"}"#);
    assert_eq!(again.code(404), "caller.not_found");
}

#[test]
fn an_account_of_others_keeps_no_key() {
    let yard = Yard::open();
    let writes = yard.world.writes(yard.object());
    let other = yard.setting.admin.environment("other");
    let stranger = yard.setting.admin.token_of(&other, None);
    let headers = [("idempotency-key", "a")];
    let answer = stranger.request("POST", &yard.path("/proxy/ships"), &headers, Body::Empty);
    assert_eq!(answer.code(404), "caller.not_found");
    assert_eq!(yard.world.writes(yard.object()), writes);
}

#[test]
fn a_rotated_key_gives_the_answer_again_and_a_lost_one_its_status() {
    let world = World::with(&[("SEALING_KEYS", OLD)]);
    let setting = Setting::new(&world, &file());
    let account = setting.account("api_key", &json!({ "api_key": "k-secret" }));
    let path = format!("/proxy/ships?integrated_account_id={account}");
    let call = |world: &World, client: &Client| {
        let client = Client {
            world: world.clone(),
            ..client.clone()
        };
        client.request("POST", &path, &[("idempotency-key", "a")], Body::Empty)
    };
    world.answers(201, &[], r#"{"id":1}"#);
    call(&world, &setting.client).expect(201);
    let both = world.deployed_with(&[("SEALING_KEYS", &format!("{NEW},{OLD}"))]);
    let admin = Client::admin(&both);
    admin.post("/sealing/rotate", &json!({})).expect(200);
    both.settle();
    let new = both.deployed_with(&[("SEALING_KEYS", NEW)]);
    assert_eq!(call(&new, &setting.client).expect(201)["id"], 1);
    let lost = new.deployed_with(&[(
        "SEALING_KEYS",
        "k2:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    )]);
    let status = call(&lost, &setting.client).status;
    assert!(status >= 409, "{status}: nothing is sent");
}
