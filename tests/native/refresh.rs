//! Tokens are kept fresh: one request to the provider for all waiting calls, also if some of them go away,
//! and what it answers is stored before it is used.

use std::time::Duration;

use causeway::ports::Body;
use futures::FutureExt;
use futures::executor::block_on;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::account::Scene;
use crate::cases::each_case;
use crate::client::Answer;
use crate::outside::{Sent, World, streamed};

pub fn file() -> Value {
    json!({
        "name": "rotating-oauth",
        "config": {
            "base_url": "https://api.rotating-oauth.example",
            "credentials": {
                "oauth2": { "format": "oauth2", "config": {
                    "client": { "id": "our-id", "secret": "our-secret" },
                    "auth": { "tokenHost": "https://api.rotating-oauth.example", "authorizePath": "/authorize", "tokenPath": "/token" },
                } },
                "oauth2_client_credentials": { "format": "oauth2_client_credentials", "config": {
                    "auth": { "tokenHost": "https://api.rotating-oauth.example", "tokenPath": "/token" },
                    "fields": [{ "name": "client_id" }, { "name": "client_secret", "type": "password" }],
                } },
                "api_key": { "format": "api_key", "config": { "fields": [{ "name": "api_key", "type": "password" }] } },
            },
            "authorization": { "format": "bearer", "config": { "token": "{{oauth.token.access_token|api_key}}" } },
            "resources": { "items": { "get": { "path": "/items/{{id}}" }, "create": { "method": "post", "path": "/items" } } },
        },
    })
}

/// An account of the provider above, whose refresh tokens may rotate.
impl Scene {
    /// With a token that ends in an hour.
    pub fn rotating_oauth() -> Self {
        Self::rotating_oauth_with("oauth2", &token("old", "refresh-1", 3600))
    }

    pub fn rotating_oauth_with(method: &str, context: &Value) -> Self {
        Self::new(World::new(), &file(), method, context)
    }

    /// One call that needs the token.
    pub fn get_item(&self) -> Answer {
        self.call_passing("GET", "/proxy/items/1", &[], Body::Empty)
    }

    /// The same while others are under way.
    pub async fn get_item_async(&self) -> Answer {
        let path = self.path("/proxy/items/1");
        let client = &self.setting.client;
        client.request_async("GET", &path, &[], Body::Empty).await
    }

    /// The token endpoint's next answer is a token for an hour.
    pub fn provider_grants(&self, access: &str, refresh: Option<&str>) {
        let mut body = json!({ "access_token": access, "expires_in": 3600 });
        if let Some(refresh) = refresh {
            body["refresh_token"] = refresh.into();
        }
        self.world.answers(200, &[], &body.to_string());
    }

    /// The same, two seconds after [`Scene::expire_token`] of the first token.
    fn provider_grants_late(&self, access: &str, refresh: &str) {
        let body = json!({ "access_token": access, "refresh_token": refresh, "expires_in": 3600 });
        let late = 1_700_003_603_000;
        self.world.answers_at(late, 200, &body.to_string());
    }

    /// The provider's next answers are so many times `{}`.
    pub fn provider_answers(&self, count: usize) {
        for _ in 0..count {
            self.world.answers(200, &[], "{}");
        }
    }

    /// What the provider was sent since the last look, as `token refresh-1` or `call old`.
    pub fn provider_requests(&self) -> Vec<String> {
        self.world.sent().iter().map(described).collect()
    }

    pub fn expire_token(&self) {
        self.world.pass(Duration::from_secs(3601));
    }
}

fn described(sent: &Sent) -> String {
    if sent.url.ends_with("/token") {
        let mut pairs = form_urlencoded::parse(&sent.body);
        let refresh = pairs.find(|(name, _)| name == "refresh_token");
        return format!("token {}", refresh.map_or("".into(), |(_, value)| value));
    }
    let token = sent.header("authorization").unwrap().replace("Bearer ", "");
    format!("call {token}")
}

pub fn token(access: &str, refresh: &str, seconds: i64) -> Value {
    let ends = 1_700_000_000 + seconds;
    json!({ "oauth": { "token": { "access_token": access, "refresh_token": refresh, "expires_in": seconds, "expires_at": ends } } })
}

#[test]
fn a_token_is_refreshed_when_a_tenth_or_five_minutes_of_it_are_left() {
    let scene = Scene::rotating_oauth();
    scene.world.pass(Duration::from_secs(3299));
    scene.provider_answers(1);
    scene.get_item().expect(200);
    assert_eq!(scene.provider_requests(), ["call old"]);
    scene.world.pass(Duration::from_secs(1));
    scene.provider_grants("new", Some("refresh-2"));
    scene.provider_answers(1);
    scene.get_item().expect(200);
    assert_eq!(scene.provider_requests(), ["token refresh-1", "call new"]);
    scene.expire_token();
    scene.provider_grants("newer", None);
    scene.provider_answers(1);
    scene.get_item().expect(200);
    assert_eq!(scene.provider_requests(), ["token refresh-2", "call newer"]);
    scene.expire_token();
    scene.provider_grants("newest", None);
    scene.provider_answers(1);
    scene.get_item().expect(200);
    assert_eq!(
        scene.provider_requests(),
        ["token refresh-2", "call newest"],
        "kept when none came"
    );
    each_case(["newest", "refresh-2"], |secret| {
        assert!(!scene.world.at_rest().contains(secret));
    });
}

#[test]
fn two_hundred_calls_cause_one_refresh() {
    let scene = Scene::rotating_oauth();
    scene.expire_token();
    scene.provider_grants_late("new", "refresh-2");
    scene.provider_answers(200);
    let calls = (0..200).map(|_| scene.get_item_async());
    let answers = block_on(scene.world.run_passing(join_all(calls)));
    assert!(answers.iter().all(|answer| answer.status == 200));
    let requests = scene.provider_requests();
    assert_eq!(
        requests
            .iter()
            .filter(|one| one.starts_with("token"))
            .count(),
        1
    );
    assert_eq!(
        requests.iter().filter(|one| *one == "call new").count(),
        200
    );
}

#[test]
fn a_refresh_goes_on_when_the_call_that_began_it_is_gone() {
    let scene = Scene::rotating_oauth();
    scene.expire_token();
    scene.provider_grants_late("new", "refresh-2");
    let first = scene.get_item_async();
    assert!(block_on(scene.world.run(async { first.now_or_never() })).is_none());
    scene.provider_answers(1);
    scene.get_item().expect(200);
    assert_eq!(scene.provider_requests(), ["token refresh-1", "call new"]);
}

#[test]
fn a_token_endpoint_that_fails_is_asked_three_times_and_the_old_token_serves_while_it_lives() {
    let scene = Scene::rotating_oauth();
    scene.world.pass(Duration::from_secs(3400));
    for _ in 0..3 {
        scene.world.answers(503, &[], "");
    }
    scene.provider_answers(2);
    scene.get_item().expect(200);
    scene.get_item().expect(200);
    assert_eq!(
        scene.provider_requests(),
        [
            "token refresh-1",
            "token refresh-1",
            "token refresh-1",
            "call old",
            "call old"
        ],
        "and the next call does not ask again at once"
    );
    scene.expire_token();
    scene.world.answers(429, &[("retry-after", "60")], "");
    let refused = scene.get_item();
    assert_eq!(refused.header("retry-after"), Some("60"));
    assert_eq!(refused.code(503), "provider.token_endpoint");
    assert_eq!(
        scene.provider_requests().len(),
        1,
        "who asks to wait is not asked again"
    );
    assert_eq!(scene.get_item().code(503), "provider.token_endpoint");
    assert_eq!(scene.provider_requests().len(), 0, "nor by the next call");
    scene.world.pass(Duration::from_mins(1));
    assert_eq!(scene.status(), "active");
    scene.world.answers(502, &[], "");
    scene.provider_grants("new", None);
    scene.provider_answers(1);
    scene.get_item().expect(200);
    assert_eq!(scene.record()["last_error"], Value::Null);
}

#[test]
fn a_dead_grant_is_said_once_and_the_account_waits_for_its_customer() {
    let scene = Scene::rotating_oauth();
    scene.expire_token();
    scene.world.answers(
        400,
        &[],
        r#"{"error":"invalid_grant","error_description":"revoked"}"#,
    );
    assert_eq!(scene.get_item().code(401), "account.needs_reauth");
    assert_eq!(scene.get_item().code(401), "account.needs_reauth");
    assert_eq!(scene.provider_requests().len(), 1);
    let record = scene.record();
    assert_eq!(record["status"], "needs_reauth");
    assert!(
        record["last_error"]
            .as_str()
            .unwrap()
            .contains("invalid_grant")
    );
    assert_eq!(
        scene.events(),
        ["created", "active", "authentication_error"]
    );
    let list = scene
        .setting
        .client
        .get("/integrated-account?status=needs_reauth")
        .expect(200);
    assert_eq!(list["result"][0]["id"], scene.account.as_str());
    // An operator's mistake is not the customer's.
    let scene = Scene::rotating_oauth();
    scene.expire_token();
    scene
        .world
        .answers(401, &[], r#"{"error":"invalid_client"}"#);
    assert_eq!(scene.get_item().code(503), "provider.token_endpoint");
    assert_eq!(scene.status(), "active");
}

#[test]
fn a_refusal_by_the_provider_refreshes_once_and_retries_once() {
    let scene = Scene::rotating_oauth();
    scene.world.answers(401, &[], "");
    scene.provider_grants("new", Some("refresh-2"));
    scene.provider_answers(1);
    scene.get_item().expect(200);
    assert_eq!(
        scene.provider_requests(),
        ["call old", "token refresh-1", "call new"]
    );
    let cases = [
        ("provider.rejected", "active"),
        ("account.needs_reauth", "needs_reauth"),
    ];
    each_case(cases, |(code, status)| {
        scene.world.pass(Duration::from_secs(181));
        scene.world.answers(401, &[], "");
        scene.provider_grants("newer", None);
        scene.world.answers(401, &[], r#"{"why":"seat"}"#);
        let refused = scene.get_item().expect(401);
        assert_eq!(refused["code"], code);
        assert_eq!(refused["raw_response"], json!({ "why": "seat" }));
        assert_eq!(
            scene.provider_requests()[1..],
            ["token refresh-2", "call newer"]
        );
        assert_eq!(scene.status(), status, "the second of its kind counts");
    });
}

#[test]
fn a_key_that_is_refused_needs_the_customer() {
    let scene = Scene::rotating_oauth_with("api_key", &json!({ "api_key": "the-key" }));
    each_case(["provider.rejected", "account.needs_reauth"], |code| {
        scene.world.answers(401, &[], "");
        assert_eq!(scene.get_item().code(401), code);
        assert_eq!(scene.provider_requests(), ["call the-key"]);
        scene.world.pass(Duration::from_mins(1));
    });
    assert_eq!(
        scene.events(),
        ["created", "active", "authentication_error"]
    );
    let another = json!({ "api_key": "another" });
    scene.change_context("/credentials", &another).expect(200);
    assert_eq!(scene.status(), "active");
    assert_eq!(scene.events()[3..], ["updated", "reactivated"]);
}

#[test]
fn a_refused_stream_is_not_sent_again_and_the_next_call_has_a_new_token() {
    let scene = Scene::rotating_oauth();
    scene.world.answers(401, &[], "");
    scene.provider_grants("new", None);
    let body = streamed(&[b"a", b"b"], None);
    let answer = scene.call_passing("POST", "/proxy/items", &[], body);
    assert_eq!(answer.expect(401)["is_remote_error"], true);
    scene.provider_answers(1);
    scene.get_item().expect(200);
    assert_eq!(scene.provider_requests().last().unwrap(), "call new");
    assert_eq!(scene.status(), "active");
}

#[test]
fn client_credentials_are_granted_on_first_use_and_again_at_the_end() {
    let context = json!({ "client_id": "id", "client_secret": "secret" });
    let scene = Scene::rotating_oauth_with("oauth2_client_credentials", &context);
    scene.provider_grants("one", None);
    scene.provider_answers(2);
    scene.get_item().expect(200);
    scene.get_item().expect(200);
    assert_eq!(
        scene.provider_requests(),
        ["token ", "call one", "call one"]
    );
    scene.expire_token();
    scene.provider_grants("two", None);
    scene.provider_answers(1);
    scene.get_item().expect(200);
    assert_eq!(scene.provider_requests(), ["token ", "call two"]);
}

#[test]
fn the_alarm_refreshes_an_account_in_use_before_its_token_ends_and_an_idle_one_weekly() {
    let scene = Scene::rotating_oauth();
    scene.provider_answers(1);
    scene.get_item().expect(200);
    scene.world.pass(Duration::from_secs(3301));
    scene.provider_grants("new", Some("refresh-2"));
    block_on(scene.world.run_passing(scene.world.ring_alarms()));
    assert_eq!(scene.provider_requests(), ["call old", "token refresh-1"]);
    // After a day without calls it is not refreshed for a week.
    let (mut rings, mut refreshed) = (0, 0);
    for _ in 0..24 * 9 {
        scene.world.pass(Duration::from_hours(1));
        scene.provider_grants(&format!("t{rings}"), None);
        rings += block_on(scene.world.run_passing(scene.world.ring_alarms()));
        let seen = scene.provider_requests().len();
        if seen == 0 {
            scene.world.unscript();
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
    let scene = Scene::rotating_oauth();
    scene.expire_token();
    scene.provider_grants_late("late", "late-refresh");
    let call = scene.get_item_async();
    let change = async {
        scene.world.sleep_turn().await;
        let path = format!("/integrated-account/{}/credentials", scene.account);
        let context = json!({ "context": token("imported", "refresh-9", 99_999) });
        let body = Body::from_bytes(context.to_string());
        scene
            .setting
            .client
            .request_async("PATCH", &path, &[], body)
            .await
            .expect(200);
    };
    scene.provider_answers(1);
    let (answer, ()) = block_on(scene.world.run_passing(futures::future::join(call, change)));
    answer.expect(200);
    assert_eq!(scene.provider_requests().last().unwrap(), "call imported");
}

#[test]
fn a_restart_in_the_middle_of_a_refresh_asks_again_with_what_is_stored() {
    let scene = Scene::rotating_oauth();
    scene.expire_token();
    scene.world.answers_at(1_700_009_999_000, 200, "{}");
    let first = scene.get_item_async();
    assert!(block_on(scene.world.run(async { first.now_or_never() })).is_none());
    scene.world.restart();
    scene.provider_grants("new", None);
    scene.provider_answers(1);
    scene.get_item().expect(200);
    assert_eq!(
        scene.provider_requests(),
        ["token refresh-1", "token refresh-1", "call new"]
    );
}

#[test]
fn a_call_with_a_fresh_token_writes_nothing_and_notes_its_use_once_an_hour() {
    let scene = Scene::rotating_oauth();
    let before = scene.writes();
    for _ in 0..3 {
        scene.provider_answers(1);
        scene.get_item().expect(200);
    }
    assert_eq!(scene.writes(), before);
}

#[test]
fn refresh_credentials_refreshes_now() {
    let scene = Scene::rotating_oauth();
    scene.provider_grants("new", None);
    let body = json!({ "id": scene.account });
    let path = "/integrated-account/refresh-credentials";
    let answer = scene.setting.client.post(path, &body).expect(200);
    assert_eq!(answer, json!({ "success": true }));
    assert_eq!(scene.provider_requests(), ["token refresh-1"]);
}

#[test]
fn a_file_may_refresh_in_its_own_way() {
    let mut file = file();
    file["config"]["actions"] = json!({ "refresh_token": { "steps": [
        { "type": "request", "config": { "method": "post", "path": "/renew", "body": { "with": "{{oauth.token.refresh_token}}" } } },
        { "type": "transform", "config": "{ 'access_token': ticket, 'expires_in': 60 }" },
    ] } });
    let scene = Scene::new(
        World::new(),
        &file,
        "oauth2",
        &token("old", "refresh-1", 3600),
    );
    scene.expire_token();
    scene.world.answers(
        200,
        &[("content-type", "application/json")],
        r#"{"ticket":"new"}"#,
    );
    scene.provider_answers(1);
    scene.get_item().expect(200);
    let sent = scene.world.sent();
    assert_eq!(sent[0].url, "https://api.rotating-oauth.example/renew");
    assert_eq!(sent[0].body, br#"{"with":"refresh-1"}"#);
    assert_eq!(sent[1].header("authorization"), Some("Bearer new"));
}

#[test]
fn a_maintenance_page_is_no_refusal() {
    let scene = Scene::rotating_oauth();
    scene.expire_token();
    for _ in 0..20 {
        scene
            .world
            .answers(200, &[("content-type", "text/html")], "<h1>Back soon</h1>");
        assert_eq!(scene.get_item().code(503), "provider.token_endpoint");
        assert_eq!(scene.provider_requests().len(), 1);
        scene.world.pass(Duration::from_secs(10));
    }
    assert_eq!(scene.status(), "active");
    scene.world.pass(Duration::from_hours(1));
    scene
        .world
        .answers(200, &[("content-type", "text/html")], "<h1>Back soon</h1>");
    assert_eq!(
        scene.get_item().code(401),
        "account.needs_reauth",
        "after an hour of it"
    );
}

#[test]
fn a_token_whose_end_nobody_knows_is_refreshed_weekly() {
    let context =
        json!({ "oauth": { "token": { "access_token": "old", "refresh_token": "refresh-1" } } });
    let scene = Scene::rotating_oauth_with("oauth2", &context);
    scene.world.pass(Duration::from_secs(7 * 24 * 3600 + 1));
    scene
        .world
        .answers(200, &[], r#"{"access_token":"new","id_token":null}"#);
    block_on(scene.world.run_passing(scene.world.ring_alarms()));
    assert_eq!(scene.provider_requests(), ["token refresh-1"]);
    scene.provider_answers(1);
    scene.get_item().expect(200);
    assert_eq!(scene.provider_requests(), ["call new"]);
}

#[test]
fn a_token_endpoint_that_hangs_does_not_hold_up_calls_whose_token_is_still_good() {
    let scene = Scene::rotating_oauth();
    scene.world.pass(Duration::from_secs(3400));
    scene.world.answers_at(1_800_000_000_000, 200, "{}");
    scene.provider_answers(1);
    scene.get_item().expect(200);
    assert_eq!(scene.provider_requests(), ["token refresh-1", "call old"]);
}

#[test]
fn a_refusal_of_another_step_of_an_own_way_to_refresh_is_not_the_customers() {
    let mut file = file();
    file["config"]["actions"] = json!({ "refresh_token": { "type": "request", "config": { "method": "post", "path": "/renew" } } });
    let scene = Scene::new(
        World::new(),
        &file,
        "oauth2",
        &token("old", "refresh-1", 3600),
    );
    scene.expire_token();
    scene.world.answers(403, &[], "<h1>Firewall</h1>");
    assert_eq!(scene.get_item().code(503), "provider.token_endpoint");
    assert_eq!(scene.status(), "active");
    scene.world.pass(Duration::from_secs(11));
    scene
        .world
        .answers(400, &[], r#"{"error":"invalid_grant"}"#);
    assert_eq!(scene.get_item().code(401), "account.needs_reauth");
}

/// RFC 6749, section 5.2, asks for status 400; some answer 200.
#[test]
fn an_error_in_a_success_of_an_own_way_to_refresh_is_an_error_as_in_the_standard_one() {
    let renew = json!({ "type": "request", "config": { "method": "post", "path": "/renew" } });
    let mut found = renew.clone();
    found["ok_when"] = "$not($exists(error))".into();
    let refused = r#"{"error":"invalid_grant","error_description":"refresh-1 is revoked"}"#;
    let cases = [
        (&renew, refused, 401, "account.needs_reauth"),
        (&found, refused, 401, "account.needs_reauth"),
        (
            &renew,
            r#"{"error":"slow_down"}"#,
            503,
            "provider.token_endpoint",
        ),
        (
            &found,
            r#"{"error":"slow_down"}"#,
            503,
            "provider.token_endpoint",
        ),
        (
            &renew,
            r#"{"error":"invalid_client"}"#,
            503,
            "provider.token_endpoint",
        ),
        (
            &found,
            r#"{"error":"invalid_client"}"#,
            503,
            "provider.token_endpoint",
        ),
    ];
    each_case(cases, |(step, body, status, code)| {
        let mut file = file();
        file["config"]["actions"] = json!({ "refresh_token": step });
        let context = token("old", "refresh-1", 3600);
        let scene = Scene::new(World::new(), &file, "oauth2", &context);
        scene.expire_token();
        for _ in 0..3 {
            let headers = [("content-type", "application/json")];
            scene.world.answers(200, &headers, body);
        }
        let answer = scene.get_item();
        assert!(!answer.text().contains("refresh-1"), "{}", answer.text());
        assert_eq!(answer.code(status), code);
        let is_dead = status == 401;
        assert_eq!(scene.status() == "needs_reauth", is_dead);
    });
}

#[test]
fn two_maintenance_pages_with_a_token_in_between_are_no_refusal() {
    let scene = Scene::rotating_oauth();
    scene.expire_token();
    let page = || {
        scene
            .world
            .answers(200, &[("content-type", "text/html")], "<h1>Back soon</h1>");
    };
    page();
    assert_eq!(scene.get_item().code(503), "provider.token_endpoint");
    scene.world.pass(Duration::from_secs(11));
    scene.provider_grants("new", None);
    scene.provider_answers(1);
    scene.get_item().expect(200);
    scene.world.pass(Duration::from_hours(2));
    page();
    assert_eq!(scene.get_item().code(503), "provider.token_endpoint");
    assert_eq!(scene.status(), "active");
}
