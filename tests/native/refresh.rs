//! Tokens are kept fresh: one request to the provider however many calls wait, whoever of them goes away,
//! and what it answers is stored before it is used.

use std::time::Duration;

use causeway::ids::AccountId;
use causeway::ports::{Body, ObjectName};
use futures::FutureExt;
use futures::executor::block_on;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::client::{Answer, Setting};
use crate::connect::events;
use crate::outside::{World, streamed};

pub fn file() -> Value {
    json!({
        "name": "mill",
        "config": {
            "base_url": "https://api.mill.example",
            "credentials": {
                "oauth2": { "format": "oauth2", "config": {
                    "client": { "id": "our-id", "secret": "our-secret" },
                    "auth": { "tokenHost": "https://api.mill.example", "authorizePath": "/authorize", "tokenPath": "/token" },
                } },
                "oauth2_client_credentials": { "format": "oauth2_client_credentials", "config": {
                    "auth": { "tokenHost": "https://api.mill.example", "tokenPath": "/token" },
                    "fields": [{ "name": "client_id" }, { "name": "client_secret", "type": "password" }],
                } },
                "api_key": { "format": "api_key", "config": { "fields": [{ "name": "api_key", "type": "password" }] } },
            },
            "authorization": { "format": "bearer", "config": { "token": "{{oauth.token.access_token|api_key}}" } },
            "resources": { "sacks": { "get": { "path": "/sacks/{{id}}" }, "create": { "method": "post", "path": "/sacks" } } },
        },
    })
}

pub struct Mill {
    pub world: World,
    pub setting: Setting,
    pub account: String,
}

impl Mill {
    /// With a token that ends in an hour.
    pub fn new() -> Self {
        Self::with(&file(), "oauth2", &token("old", "refresh-1", 3600))
    }

    pub fn with(file: &Value, method: &str, context: &Value) -> Self {
        let world = World::new();
        let setting = Setting::new(&world, file);
        let account = setting.account(method, context);
        Self {
            world,
            setting,
            account,
        }
    }

    fn path(&self) -> String {
        format!("/proxy/sacks/1?integrated_account_id={}", self.account)
    }

    pub fn call(&self) -> Answer {
        let path = self.path();
        let asked = self
            .setting
            .client
            .request_async("GET", &path, &[], Body::Empty);
        block_on(self.world.run_passing(asked))
    }

    pub fn grants(&self, access: &str, refresh: Option<&str>) {
        let mut body = json!({ "access_token": access, "expires_in": 3600 });
        if let Some(refresh) = refresh {
            body["refresh_token"] = refresh.into();
        }
        self.world.answers(200, &[], &body.to_string());
    }

    pub fn answers(&self, count: usize) {
        for _ in 0..count {
            self.world.answers(200, &[], "{}");
        }
    }

    /// `token refresh-1`, `call old`: what the provider was sent.
    pub fn seen(&self) -> Vec<String> {
        let told = |sent: crate::outside::Sent| {
            if sent.url.ends_with("/token") {
                let body = String::from_utf8(sent.body).unwrap();
                let pairs: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes())
                    .into_owned()
                    .collect();
                let refresh = pairs.iter().find(|(name, _)| name == "refresh_token");
                return format!("token {}", refresh.map_or("", |(_, value)| value));
            }
            let token = sent.header("authorization").unwrap().replace("Bearer ", "");
            format!("call {token}")
        };
        self.world.sent().into_iter().map(told).collect()
    }

    pub fn shown(&self) -> Value {
        let path = format!("/integrated-account/{}", self.account);
        self.setting.client.get(&path).expect(200)
    }

    pub fn events(&self) -> Vec<String> {
        events(&self.world, &json!({ "id": self.account }))
    }

    pub fn expire(&self) {
        self.world.pass(Duration::from_secs(3601));
    }

    fn writes(&self) -> usize {
        let id: AccountId = self.account.parse().unwrap();
        self.world.writes(ObjectName::Account(id))
    }
}

pub fn token(access: &str, refresh: &str, seconds: i64) -> Value {
    let ends = 1_700_000_000 + seconds;
    json!({ "oauth": { "token": { "access_token": access, "refresh_token": refresh, "expires_in": seconds, "expires_at": ends } } })
}

#[test]
fn a_token_is_refreshed_when_a_tenth_or_five_minutes_of_it_are_left() {
    let mill = Mill::new();
    mill.world.pass(Duration::from_secs(3299));
    mill.answers(1);
    mill.call().expect(200);
    assert_eq!(mill.seen(), ["call old"]);
    mill.world.pass(Duration::from_secs(1));
    mill.grants("new", Some("refresh-2"));
    mill.answers(1);
    mill.call().expect(200);
    assert_eq!(mill.seen(), ["token refresh-1", "call new"]);
    mill.expire();
    mill.grants("newer", None);
    mill.answers(1);
    mill.call().expect(200);
    assert_eq!(mill.seen(), ["token refresh-2", "call newer"]);
    mill.expire();
    mill.grants("newest", None);
    mill.answers(1);
    mill.call().expect(200);
    assert_eq!(
        mill.seen(),
        ["token refresh-2", "call newest"],
        "kept when none came"
    );
    for secret in ["newest", "refresh-2"] {
        assert!(!mill.world.at_rest().contains(secret));
    }
}

#[test]
fn two_hundred_calls_cause_one_refresh() {
    let mill = Mill::new();
    mill.expire();
    mill.world.answers_at(
        1_700_003_603_000,
        200,
        r#"{"access_token":"new","refresh_token":"refresh-2","expires_in":3600}"#,
    );
    mill.answers(200);
    let path = mill.path();
    let calls = (0..200).map(|_| {
        mill.setting
            .client
            .request_async("GET", &path, &[], Body::Empty)
    });
    let answers = block_on(mill.world.run_passing(join_all(calls)));
    assert!(answers.iter().all(|answer| answer.status == 200));
    let seen = mill.seen();
    assert_eq!(
        seen.iter().filter(|one| one.starts_with("token")).count(),
        1
    );
    assert_eq!(seen.iter().filter(|one| *one == "call new").count(), 200);
}

#[test]
fn a_refresh_goes_on_when_the_call_that_began_it_is_gone() {
    let mill = Mill::new();
    mill.expire();
    mill.world.answers_at(
        1_700_003_603_000,
        200,
        r#"{"access_token":"new","refresh_token":"refresh-2","expires_in":3600}"#,
    );
    let path = mill.path();
    let first = mill
        .setting
        .client
        .request_async("GET", &path, &[], Body::Empty);
    assert!(block_on(mill.world.run(async { first.now_or_never() })).is_none());
    mill.answers(1);
    mill.call().expect(200);
    assert_eq!(mill.seen(), ["token refresh-1", "call new"]);
}

#[test]
fn a_token_endpoint_that_fails_is_asked_three_times_and_the_old_token_serves_while_it_lives() {
    let mill = Mill::new();
    mill.world.pass(Duration::from_secs(3400));
    for _ in 0..3 {
        mill.world.answers(503, &[], "");
    }
    mill.answers(2);
    mill.call().expect(200);
    mill.call().expect(200);
    assert_eq!(
        mill.seen(),
        [
            "token refresh-1",
            "token refresh-1",
            "token refresh-1",
            "call old",
            "call old"
        ],
        "and the next call does not ask again at once"
    );
    mill.expire();
    mill.world.answers(429, &[("retry-after", "60")], "");
    let refused = mill.call();
    assert_eq!(refused.header("retry-after"), Some("60"));
    assert_eq!(refused.code(503), "provider.token_endpoint");
    assert_eq!(mill.seen().len(), 1, "who asks to wait is not asked again");
    assert_eq!(mill.call().code(503), "provider.token_endpoint");
    assert_eq!(mill.seen().len(), 0, "nor by the next call");
    mill.world.pass(Duration::from_mins(1));
    assert_eq!(mill.shown()["status"], "active");
    mill.world.answers(502, &[], "");
    mill.grants("new", None);
    mill.answers(1);
    mill.call().expect(200);
    assert_eq!(mill.shown()["last_error"], Value::Null);
}

#[test]
fn a_dead_grant_is_said_once_and_the_account_waits_for_its_customer() {
    let mill = Mill::new();
    mill.expire();
    mill.world.answers(
        400,
        &[],
        r#"{"error":"invalid_grant","error_description":"revoked"}"#,
    );
    assert_eq!(mill.call().code(401), "account.needs_reauth");
    assert_eq!(mill.call().code(401), "account.needs_reauth");
    assert_eq!(mill.seen().len(), 1);
    let shown = mill.shown();
    assert_eq!(shown["status"], "needs_reauth");
    assert!(
        shown["last_error"]
            .as_str()
            .unwrap()
            .contains("invalid_grant")
    );
    assert_eq!(mill.events(), ["created", "active", "authentication_error"]);
    let list = mill
        .setting
        .client
        .get("/integrated-account?status=needs_reauth")
        .expect(200);
    assert_eq!(list["result"][0]["id"], mill.account.as_str());
    // An operator's mistake is not the customer's.
    let mill = Mill::new();
    mill.expire();
    mill.world
        .answers(401, &[], r#"{"error":"invalid_client"}"#);
    assert_eq!(mill.call().code(503), "provider.token_endpoint");
    assert_eq!(mill.shown()["status"], "active");
}

#[test]
fn a_refusal_by_the_provider_refreshes_once_and_retries_once() {
    let mill = Mill::new();
    mill.world.answers(401, &[], "");
    mill.grants("new", Some("refresh-2"));
    mill.answers(1);
    mill.call().expect(200);
    assert_eq!(mill.seen(), ["call old", "token refresh-1", "call new"]);
    for (code, status) in [
        ("provider.rejected", "active"),
        ("account.needs_reauth", "needs_reauth"),
    ] {
        mill.world.pass(Duration::from_secs(181));
        mill.world.answers(401, &[], "");
        mill.grants("newer", None);
        mill.world.answers(401, &[], r#"{"why":"seat"}"#);
        let refused = mill.call().expect(401);
        assert_eq!(refused["code"], code);
        assert_eq!(refused["raw_response"], json!({ "why": "seat" }));
        assert_eq!(mill.seen()[1..], ["token refresh-2", "call newer"]);
        assert_eq!(
            mill.shown()["status"],
            status,
            "the second of its kind counts"
        );
    }
}

#[test]
fn a_key_that_is_refused_needs_the_customer() {
    let mill = Mill::with(&file(), "api_key", &json!({ "api_key": "the-key" }));
    for code in ["provider.rejected", "account.needs_reauth"] {
        mill.world.answers(401, &[], "");
        assert_eq!(mill.call().code(401), code);
        assert_eq!(mill.seen(), ["call the-key"]);
        mill.world.pass(Duration::from_mins(1));
    }
    assert_eq!(mill.events(), ["created", "active", "authentication_error"]);
    let path = format!("/integrated-account/{}/credentials", mill.account);
    let body = json!({ "context": { "api_key": "another" } });
    mill.setting.client.send("PATCH", &path, &body).expect(200);
    assert_eq!(mill.shown()["status"], "active");
    assert_eq!(mill.events()[3..], ["updated", "reactivated"]);
}

#[test]
fn a_refused_stream_is_not_sent_again_and_the_next_call_has_a_new_token() {
    let mill = Mill::new();
    mill.world.answers(401, &[], "");
    mill.grants("new", None);
    let body = streamed(&[b"a", b"b"], None);
    let path = format!("/proxy/sacks?integrated_account_id={}", mill.account);
    let asked = mill.setting.client.request_async("POST", &path, &[], body);
    let answer = block_on(mill.world.run_passing(asked));
    assert_eq!(answer.expect(401)["is_remote_error"], true);
    mill.answers(1);
    mill.call().expect(200);
    assert_eq!(mill.seen().last().unwrap(), "call new");
    assert_eq!(mill.shown()["status"], "active");
}

#[test]
fn client_credentials_are_granted_on_first_use_and_again_at_the_end() {
    let context = json!({ "client_id": "id", "client_secret": "secret" });
    let mill = Mill::with(&file(), "oauth2_client_credentials", &context);
    mill.grants("one", None);
    mill.answers(2);
    mill.call().expect(200);
    mill.call().expect(200);
    assert_eq!(mill.seen(), ["token ", "call one", "call one"]);
    mill.expire();
    mill.grants("two", None);
    mill.answers(1);
    mill.call().expect(200);
    assert_eq!(mill.seen(), ["token ", "call two"]);
}

#[test]
fn the_alarm_refreshes_an_account_in_use_before_its_token_ends_and_an_idle_one_weekly() {
    let mill = Mill::new();
    mill.answers(1);
    mill.call().expect(200);
    mill.world.pass(Duration::from_secs(3301));
    mill.grants("new", Some("refresh-2"));
    block_on(mill.world.run_passing(mill.world.ring_alarms()));
    assert_eq!(mill.seen(), ["call old", "token refresh-1"]);
    // Nobody calls for a day: then it rests for a week.
    let (mut rings, mut refreshed) = (0, 0);
    for _ in 0..24 * 9 {
        mill.world.pass(Duration::from_hours(1));
        mill.grants(&format!("t{rings}"), None);
        rings += block_on(mill.world.run_passing(mill.world.ring_alarms()));
        let seen = mill.seen().len();
        if seen == 0 {
            mill.world.unscript();
        }
        refreshed += seen;
    }
    assert!(
        (24..28).contains(&refreshed),
        "a day's, and one of the week: {refreshed}"
    );
}

#[test]
fn an_answer_that_comes_after_the_deletion_or_new_credentials_is_dropped() {
    let mill = Mill::new();
    mill.expire();
    let late = r#"{"access_token":"late","refresh_token":"late-refresh","expires_in":3600}"#;
    mill.world.answers_at(1_700_003_603_000, 200, late);
    let path = mill.path();
    let call = mill
        .setting
        .client
        .request_async("GET", &path, &[], Body::Empty);
    let change = async {
        mill.world.sleep_turn().await;
        let path = format!("/integrated-account/{}/credentials", mill.account);
        let context = json!({ "context": token("imported", "refresh-9", 99_999) });
        let body = Body::from_bytes(context.to_string());
        mill.setting
            .client
            .request_async("PATCH", &path, &[], body)
            .await
            .expect(200);
    };
    mill.answers(1);
    let (answer, ()) = block_on(mill.world.run_passing(futures::future::join(call, change)));
    answer.expect(200);
    assert_eq!(mill.seen().last().unwrap(), "call imported");
}

#[test]
fn a_restart_in_the_middle_of_a_refresh_asks_again_with_what_is_stored() {
    let mill = Mill::new();
    mill.expire();
    mill.world.answers_at(1_700_009_999_000, 200, "{}");
    let path = mill.path();
    let first = mill
        .setting
        .client
        .request_async("GET", &path, &[], Body::Empty);
    assert!(block_on(mill.world.run(async { first.now_or_never() })).is_none());
    mill.world.restart();
    mill.grants("new", None);
    mill.answers(1);
    mill.call().expect(200);
    assert_eq!(
        mill.seen(),
        ["token refresh-1", "token refresh-1", "call new"]
    );
}

#[test]
fn a_call_with_a_fresh_token_writes_nothing_and_notes_its_use_once_an_hour() {
    let mill = Mill::new();
    let before = mill.writes();
    for _ in 0..3 {
        mill.answers(1);
        mill.call().expect(200);
    }
    assert_eq!(mill.writes(), before);
}

#[test]
fn refresh_credentials_refreshes_now() {
    let mill = Mill::new();
    mill.grants("new", None);
    let body = json!({ "id": mill.account });
    let path = "/integrated-account/refresh-credentials";
    let answer = mill.setting.client.post(path, &body).expect(200);
    assert_eq!(answer, json!({ "success": true }));
    assert_eq!(mill.seen(), ["token refresh-1"]);
}

#[test]
fn a_file_may_refresh_in_its_own_way() {
    let mut file = file();
    file["config"]["actions"] = json!({ "refresh_token": { "steps": [
        { "type": "request", "config": { "method": "post", "path": "/renew", "body": { "with": "{{oauth.token.refresh_token}}" } } },
        { "type": "transform", "config": "{ 'access_token': ticket, 'expires_in': 60 }" },
    ] } });
    let mill = Mill::with(&file, "oauth2", &token("old", "refresh-1", 3600));
    mill.expire();
    mill.world.answers(
        200,
        &[("content-type", "application/json")],
        r#"{"ticket":"new"}"#,
    );
    mill.answers(1);
    mill.call().expect(200);
    let sent = mill.world.sent();
    assert_eq!(sent[0].url, "https://api.mill.example/renew");
    assert_eq!(sent[0].body, br#"{"with":"refresh-1"}"#);
    assert_eq!(sent[1].header("authorization"), Some("Bearer new"));
}

#[test]
fn a_maintenance_page_is_no_refusal() {
    let mill = Mill::new();
    mill.expire();
    for _ in 0..20 {
        mill.world
            .answers(200, &[("content-type", "text/html")], "<h1>Back soon</h1>");
        assert_eq!(mill.call().code(503), "provider.token_endpoint");
        assert_eq!(mill.seen().len(), 1);
        mill.world.pass(Duration::from_secs(10));
    }
    assert_eq!(mill.shown()["status"], "active");
    mill.world.pass(Duration::from_hours(1));
    mill.world
        .answers(200, &[("content-type", "text/html")], "<h1>Back soon</h1>");
    assert_eq!(
        mill.call().code(401),
        "account.needs_reauth",
        "after an hour of it"
    );
}

#[test]
fn a_token_whose_end_nobody_knows_is_refreshed_weekly() {
    let context =
        json!({ "oauth": { "token": { "access_token": "old", "refresh_token": "refresh-1" } } });
    let mill = Mill::with(&file(), "oauth2", &context);
    mill.world.pass(Duration::from_secs(7 * 24 * 3600 + 1));
    mill.world
        .answers(200, &[], r#"{"access_token":"new","id_token":null}"#);
    block_on(mill.world.run_passing(mill.world.ring_alarms()));
    assert_eq!(mill.seen(), ["token refresh-1"]);
    mill.answers(1);
    mill.call().expect(200);
    assert_eq!(mill.seen(), ["call new"]);
}

#[test]
fn a_token_endpoint_that_hangs_does_not_hold_up_calls_whose_token_is_still_good() {
    let mill = Mill::new();
    mill.world.pass(Duration::from_secs(3400));
    mill.world.answers_at(1_800_000_000_000, 200, "{}");
    mill.answers(1);
    mill.call().expect(200);
    assert_eq!(mill.seen(), ["token refresh-1", "call old"]);
}

#[test]
fn a_refusal_of_another_step_of_an_own_way_to_refresh_is_not_the_customers() {
    let mut file = file();
    file["config"]["actions"] = json!({ "refresh_token": { "type": "request", "config": { "method": "post", "path": "/renew" } } });
    let mill = Mill::with(&file, "oauth2", &token("old", "refresh-1", 3600));
    mill.expire();
    mill.world.answers(403, &[], "<h1>Firewall</h1>");
    assert_eq!(mill.call().code(503), "provider.token_endpoint");
    assert_eq!(mill.shown()["status"], "active");
    mill.world.pass(Duration::from_secs(11));
    mill.world.answers(400, &[], r#"{"error":"invalid_grant"}"#);
    assert_eq!(mill.call().code(401), "account.needs_reauth");
}

#[test]
fn two_maintenance_pages_with_a_token_in_between_are_no_refusal() {
    let mill = Mill::new();
    mill.expire();
    let page = || {
        mill.world
            .answers(200, &[("content-type", "text/html")], "<h1>Back soon</h1>");
    };
    page();
    assert_eq!(mill.call().code(503), "provider.token_endpoint");
    mill.world.pass(Duration::from_secs(11));
    mill.grants("new", None);
    mill.answers(1);
    mill.call().expect(200);
    mill.world.pass(Duration::from_hours(2));
    page();
    assert_eq!(mill.call().code(503), "provider.token_endpoint");
    assert_eq!(mill.shown()["status"], "active");
}
