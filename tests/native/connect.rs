//! Connecting: link token, page, form, provider, callback, account. The provider is scripted; the real one
//! is in the Worker tests.

use std::collections::BTreeMap;

use causeway::ids::AccountId;
use causeway::ports::{Body, ObjectName};
use futures::FutureExt;
use serde_json::{Value, json};
use url::Url;

use crate::cases::each_case;
use crate::client::{Answer, Client, Setting};
use crate::outside::{Fault, Pieces, World};

/// A file with every way to connect.
pub fn file() -> Value {
    json!({
        "name": "oauth-shop",
        "config": {
            "label": "OAuth shop",
            "base_url": "https://{{shop}}.oauth-shop.example",
            "credentials": {
                "oauth2": { "format": "oauth2", "config": {
                    "client": { "id": "our-id", "secret": "our-secret" },
                    "auth": { "tokenHost": "https://{{shop}}.oauth-shop.example", "authorizePath": "/authorize", "tokenPath": "/token", "revokePath": "/revoke" },
                    "scope": ["read", "write"],
                    "contextFromToken": { "user": "user.name" },
                    "contextFromCallback": { "site": "site" },
                    "fields": [{ "name": "shop", "label": "Shop", "required": true, "transform": "lowercase" }],
                } },
                "api_key": { "format": "api_key", "config": { "fields": [
                    { "name": "shop", "label": "Shop", "required": true },
                    { "name": "api_key", "label": "Key", "type": "password", "required": true },
                ] } },
            },
            "authorization": { "format": "bearer", "config": { "token": "{{oauth.token.access_token|api_key}}" } },
            "resources": { "ships": { "get": { "path": "/ships/{{id}}" }, "create": { "method": "post", "path": "/ships" } } },
            "actions": {
                "post_install": { "steps": [
                    { "type": "get_context" },
                    { "type": "transform", "config": "{ 'label': 'OAuth shop ' & shop }" },
                    { "type": "update_context", "config": "$previous" },
                ] },
                "validation": { "type": "request", "config": { "path": "/me" } },
            },
        },
    })
}

pub const TOKEN: &str = r#"{"access_token":"first-token","refresh_token":"refresh-1","expires_in":3600,"user":{"name":"Ada"}}"#;

/// Somebody with a browser.
pub struct Browser {
    client: Client,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    pub fn of(world: &World) -> Self {
        let client = Client {
            world: world.clone(),
            token: String::new(),
        };
        Self {
            client,
            cookies: BTreeMap::new(),
        }
    }

    /// The page at an address; where that asks "Is this you?" first, it was.
    pub fn get(&mut self, address: &str) -> Answer {
        let page = self.open(address);
        if page.status == 200 && page.text().contains("Is this you?") {
            return self.open(&way_on(&page));
        }
        page
    }

    /// The page at an address, with any question that it asks.
    pub fn open(&mut self, address: &str) -> Answer {
        self.ask("GET", address, Body::Empty)
    }

    pub fn post(&mut self, address: &str, pairs: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish();
        self.ask("POST", address, Body::from_bytes(body))
    }

    /// Asks, and is gone before the answer.
    pub fn cut_off(&self, address: &str) {
        let cookies = self.cookie_field();
        let headers = [("cookie", cookies.as_str())];
        let asked = self
            .client
            .request_async("GET", address, &headers, Body::Empty);
        if let Some(answer) = asked.now_or_never() {
            panic!("it was answered: {} {}", answer.status, answer.text());
        }
    }

    fn cookie_field(&self) -> String {
        let pairs = self.cookies.iter();
        let cookies: Vec<String> = pairs
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        cookies.join("; ")
    }

    /// Posts a form, and is gone before the answer.
    pub fn post_and_leave(&self, path: &str, body: &str) {
        let cookies = self.cookie_field();
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("cookie", cookies.as_str()),
        ];
        let body = Body::from_bytes(body.to_owned());
        let asked = self.client.request_async("POST", path, &headers, body);
        if let Some(answer) = asked.now_or_never() {
            panic!("it was answered: {} {}", answer.status, answer.text());
        }
    }

    /// Posts a form with these headers.
    pub fn raw(&self, path: &str, headers: &[(&str, &str)], body: String) -> Answer {
        self.client
            .request("POST", path, headers, Body::from_bytes(body))
    }

    /// Asks while the clock goes on.
    pub fn ask_passing(&self, method: &str, address: &str, body: Body<Pieces>) -> Answer {
        let cookies = self.cookie_field();
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("cookie", cookies.as_str()),
        ];
        let asked = self.client.request_async(method, address, &headers, body);
        futures::executor::block_on(self.client.world.run_passing(asked))
    }

    fn ask(&mut self, method: &str, address: &str, body: Body<Pieces>) -> Answer {
        let path = address
            .strip_prefix("https://causeway.example")
            .unwrap_or(address);
        let cookies = self.cookie_field();
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("cookie", cookies.as_str()),
        ];
        let answer = self.client.request(method, path, &headers, body);
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(
                cookie.starts_with("__Host-causeway-")
                    && cookie.contains("HttpOnly")
                    && cookie.contains("Secure")
                    && cookie.contains("Path=/"),
                "{cookie}"
            );
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }
}

/// The address of a page's link that has an answer to "Is this you?" in it.
pub fn way_on(page: &Answer) -> String {
    let text = page.text();
    let at = text.find("confirmed=").expect("a link that goes on");
    let start = text[..at].rfind("href=\"").unwrap() + 6;
    let end = start + text[start..].find('"').unwrap();
    text[start..end].replace("&amp;", "&")
}

/// A link, and a browser on its way.
pub struct Visit {
    pub world: World,
    pub setting: Setting,
    pub browser: Browser,
    pub token: String,
}

impl Visit {
    pub fn new(link: &Value) -> Self {
        let world = World::new();
        let setting = Setting::new(&world, &file());
        Self::with(world, setting, link)
    }

    pub fn with(world: World, setting: Setting, link: &Value) -> Self {
        let made = setting.client.post("/link-token", link).expect(201);
        Self {
            browser: Browser::of(&world),
            token: made["link_token"].as_str().unwrap().to_owned(),
            world,
            setting,
        }
    }

    /// Sends the form of this credential.
    pub fn submit(&mut self, credential: &str, fields: &[(&str, &str)]) -> Answer {
        let mut pairs = vec![
            ("link_token", self.token.as_str()),
            ("credential", credential),
        ];
        pairs.extend(fields);
        self.browser.post("/connect/oauth-shop", &pairs)
    }

    /// Sends the form, and is at the provider: the address there.
    pub fn leave(&mut self) -> Url {
        let answer = self.submit("oauth2", &[("shop", "Berlin")]);
        assert_eq!(answer.status, 303, "{}", answer.text());
        answer.header("location").unwrap().parse().unwrap()
    }

    /// Comes back from there.
    pub fn handle_callback(&mut self, there: &Url) -> Answer {
        let state = parameter(there, "state");
        let path = format!("/connect/oauth-shop/callback?code=the-code&site=x&state={state}");
        self.browser.get(&path)
    }

    /// The only account there is.
    pub fn account(&self) -> Value {
        let list = self.setting.client.get("/integrated-account").expect(200);
        assert_eq!(list["result"].as_array().unwrap().len(), 1, "{list}");
        list["result"][0].clone()
    }

    pub fn events(&self, account: &Value) -> Vec<String> {
        events(&self.world, account)
    }

    /// All the way to an active account.
    pub fn connected(link: &Value) -> (Self, Value) {
        let mut visit = Self::new(link);
        let there = visit.leave();
        visit.world.answers(200, &[], TOKEN);
        visit.world.answers(200, &[], "{}");
        visit.handle_callback(&there);
        let account = visit.account();
        assert_eq!(account["status"], "active");
        (visit, account)
    }
}

pub fn events(world: &World, account: &Value) -> Vec<String> {
    let id: AccountId = account["id"].as_str().unwrap().parse().unwrap();
    let rows = world.select(
        ObjectName::Account(id),
        "SELECT event FROM event ORDER BY created_at, rowid",
    );
    let name = |text: &str| text.replace("integrated_account:", "");
    rows.iter()
        .map(|row| name(row[0].as_text().unwrap()))
        .collect()
}

pub fn parameter(url: &Url, name: &str) -> String {
    url.query_pairs()
        .find(|(key, _)| key == name)
        .unwrap_or_else(|| panic!("no {name} in {url}"))
        .1
        .into_owned()
}

#[test]
fn a_customer_connects_by_oauth_and_the_account_can_be_called() {
    let mut visit = Visit::new(
        &json!({ "tenant_id": "acme", "redirect_uri": "https://app.example/back?x=1", "region": "eu", "context": { "team": "north" } }),
    );
    let at_rest = visit.world.at_rest();
    let page = visit
        .browser
        .get(&format!("/connect/oauth-shop?link_token={}", visit.token));
    assert_eq!(page.status, 200);
    assert!(page.text().contains("OAuth shop") && page.text().contains("name=\"shop\""));
    assert_eq!(visit.world.at_rest(), at_rest, "opening writes nothing");
    let wrong = visit.submit("oauth2", &[("shop", "evil.example/")]);
    assert_eq!(wrong.status, 422);
    assert_eq!(visit.world.at_rest(), at_rest, "nor does a wrong form");

    let there = visit.leave();
    assert_eq!(there.host_str(), Some("berlin.oauth-shop.example"));
    assert_eq!(there.path(), "/authorize");
    let cases = [
        ("response_type", "code"),
        ("client_id", "our-id"),
        ("scope", "read write"),
        ("code_challenge_method", "S256"),
        (
            "redirect_uri",
            "https://causeway.example/connect/oauth-shop/callback",
        ),
    ];
    each_case(cases, |(name, value)| {
        assert_eq!(parameter(&there, name), value);
    });
    assert_eq!(
        visit.setting.client.get("/integrated-account").expect(200)["result"],
        json!([])
    );
    visit.world.answers(200, &[], TOKEN);
    visit.world.answers(200, &[], "{}");
    let back = visit.handle_callback(&there);
    let back: Url = back.header("location").unwrap().parse().unwrap();
    let account = visit.account();
    assert_eq!(back.host_str(), Some("app.example"));
    assert_eq!(parameter(&back, "x"), "1");
    assert_eq!(parameter(&back, "result"), "success");
    assert_eq!(parameter(&back, "integration"), "oauth-shop");
    assert_eq!(parameter(&back, "integrated_account_id"), account["id"]);
    assert_eq!(account["status"], "active");
    assert_eq!(account["region"], "eu");
    assert_eq!(
        account["context"],
        json!({ "team": "north", "shop": "berlin", "site": "x", "user": "Ada", "label": "OAuth shop berlin" })
    );
    assert_eq!(account["last_action_run_result"]["action"], "validation");
    assert_eq!(visit.events(&account), ["created", "active"]);

    let sent = visit.world.sent();
    assert_eq!(sent[0].url, "https://berlin.oauth-shop.example/token");
    assert_eq!(
        sent[0].header("authorization"),
        Some("Basic b3VyLWlkOm91ci1zZWNyZXQ=")
    );
    let asked: BTreeMap<String, String> =
        form_urlencoded::parse(&sent[0].body).into_owned().collect();
    assert_eq!(asked["code"], "the-code");
    assert!(asked["code_verifier"].len() >= 43);
    assert_eq!(sent[1].header("authorization"), Some("Bearer first-token"));

    visit.world.answers(200, &[], "{}");
    let path = format!(
        "/proxy/ships/1?integrated_account_id={}",
        account["id"].as_str().unwrap()
    );
    visit.setting.client.get(&path).expect(200);
    let at_rest = visit.world.at_rest();
    each_case(
        ["first-token", "refresh-1", "the-code", &visit.token],
        |secret| {
            assert!(!at_rest.contains(secret), "{secret}");
        },
    );
}

#[test]
fn an_api_key_goes_straight_to_an_active_account_and_the_link_is_spent() {
    let mut visit = Visit::new(&json!({ "tenant_id": "acme", "integration": "oauth-shop" }));
    visit.world.answers(200, &[], "{}");
    let done = visit.submit(
        "api_key",
        &[("shop", "berlin"), ("api_key", "hunter2-hunter2")],
    );
    assert_eq!(done.status, 200, "{}", done.text());
    let account = visit.account();
    assert_eq!(account["authentication_method"], "api_key");
    assert_eq!(account["status"], "active");
    assert!(!visit.world.at_rest().contains("hunter2-hunter2"));
    // The same browser may try again for ten minutes; it is the same account.
    visit.world.answers(200, &[], "{}");
    let again = visit.submit(
        "api_key",
        &[("shop", "berlin"), ("api_key", "hunter3-hunter3")],
    );
    assert_eq!(again.status, 200);
    assert_eq!(visit.account()["id"], account["id"]);
    // Another one may not.
    let mut other = Browser::of(&visit.world);
    let path = format!("/connect/oauth-shop?link_token={}", visit.token);
    assert_eq!(other.get(&path).status, 401);
    visit.world.pass(std::time::Duration::from_secs(601));
    assert_eq!(visit.browser.get(&path).status, 401);
}

#[test]
fn a_state_is_good_once_for_its_browser_and_its_integration() {
    let mut visit = Visit::new(&json!({ "tenant_id": "acme" }));
    let there = visit.leave();
    let state = parameter(&there, "state");
    let path = format!("/connect/oauth-shop/callback?code=c&state={state}");
    let mut other = Browser::of(&visit.world);
    assert_eq!(other.get(&path).status, 401, "a foreign browser");
    let foreign = format!("/connect/other/callback?code=c&state={state}");
    assert_eq!(
        visit.browser.get(&foreign).status,
        401,
        "a foreign integration"
    );
    let forged = format!(
        "/connect/oauth-shop/callback?code=c&state={}x",
        &state[..state.len() - 1]
    );
    assert_eq!(visit.browser.get(&forged).status, 401, "a forged state");
    assert_eq!(visit.world.sent().len(), 0);
    visit.world.answers(200, &[], TOKEN);
    visit.world.answers(200, &[], "{}");
    assert_eq!(
        visit.handle_callback(&there).status,
        200,
        "the right one still works"
    );
    assert_eq!(visit.handle_callback(&there).status, 401, "and once only");
    assert_eq!(visit.world.sent().len(), 2);
}

#[test]
fn a_login_is_over_after_ten_minutes_and_leaves_nothing() {
    let mut visit = Visit::new(&json!({ "tenant_id": "acme" }));
    let there = visit.leave();
    visit.world.pass(std::time::Duration::from_secs(601));
    assert_eq!(visit.handle_callback(&there).status, 401);
    let objects = visit.world.objects_with_data();
    visit.world.settle();
    assert_eq!(
        visit.world.objects_with_data(),
        objects - 1,
        "the object is empty again"
    );
}

#[test]
fn a_refusal_of_the_provider_is_shown_plainly() {
    each_case(
        [("access_denied", 403), ("server_error", 422)],
        |(error, status)| {
            let mut visit = Visit::new(&json!({ "tenant_id": "acme" }));
            let there = visit.leave();
            let state = parameter(&there, "state");
            let path = format!(
                "/connect/oauth-shop/callback?error={error}&error_description=No%20%3Cb%3Eway&state={state}"
            );
            let page = visit.browser.get(&path);
            assert_eq!(page.status, status);
            assert!(page.text().contains("No &lt;b&gt;way"), "{}", page.text());
            let again = format!("/connect/oauth-shop?link_token={}", visit.token);
            assert!(page.text().contains(&again), "{}", page.text());
            assert!(!visit.world.at_rest().contains(&visit.token));
        },
    );
}

#[test]
fn a_failed_validation_keeps_the_account_and_can_be_tried_again() {
    let link = json!({ "tenant_id": "acme", "redirect_uri": "https://app.example/back" });
    let mut visit = Visit::new(&link);
    let there = visit.leave();
    visit.world.answers(200, &[], TOKEN);
    visit.world.answers(403, &[], r#"{"why":"no seat"}"#);
    let back = visit.handle_callback(&there);
    let back: Url = back.header("location").unwrap().parse().unwrap();
    assert_eq!(parameter(&back, "result"), "error");
    assert_eq!(parameter(&back, "error_type"), "validation_error");
    let account = visit.account();
    assert_eq!(account["status"], "validation_error");
    assert_eq!(account["last_action_run_result"]["success"], false);
    assert_eq!(visit.events(&account), ["created", "validation_error"]);
    let path = format!(
        "/proxy/ships/1?integrated_account_id={}",
        account["id"].as_str().unwrap()
    );
    assert_eq!(
        visit.setting.client.get(&path).code(409),
        "account.not_ready"
    );
    let there = visit.leave();
    visit.world.answers(200, &[], TOKEN);
    visit.world.answers(200, &[], "{}");
    visit.handle_callback(&there);
    assert_eq!(visit.account()["status"], "active");
    assert_eq!(visit.account()["id"], account["id"]);
}

#[test]
fn connecting_again_keeps_the_id_and_unless_told_otherwise_the_context() {
    each_case([true, false], |keeps| {
        let (visit, account) =
            Visit::connected(&json!({ "tenant_id": "acme", "context": { "team": "north" } }));
        let id = account["id"].clone();
        let link = json!({ "integrated_account_id": id, "persist_previous_context": keeps });
        let Visit { world, setting, .. } = visit;
        let mut visit = Visit::with(world, setting, &link);
        let there = visit.leave();
        let second = TOKEN.replace("first-token", "second-token");
        visit.world.answers(200, &[], &second);
        visit.world.answers(200, &[], "{}");
        assert_eq!(visit.handle_callback(&there).status, 200);
        let after = visit.account();
        assert_eq!((&after["id"], &after["status"]), (&id, &json!("active")));
        assert_eq!(after["context"].get("team").is_some(), keeps);
        let last = visit.world.sent().pop().unwrap();
        assert_eq!(last.header("authorization"), Some("Bearer second-token"));
    });
}

#[test]
fn a_restart_at_any_step_leaves_the_account_as_before_or_done() {
    let cases = [
        ("index_account", Fault::Lost),
        ("index_account", Fault::AnswerLost),
    ];
    each_case(cases, |(word, fault)| {
        let mut visit = Visit::new(&json!({ "tenant_id": "acme" }));
        let there = visit.leave();
        visit.world.restart();
        visit.world.answers(200, &[], TOKEN);
        visit
            .world
            .0
            .faults
            .borrow_mut()
            .push_back((word.into(), fault));
        assert_eq!(visit.handle_callback(&there).status, 502);
        visit.world.restart();
        visit.world.settle();
        let list = visit.setting.client.get("/integrated-account").expect(200);
        assert_eq!(list["result"], json!([]), "it never counted");
    });
}

#[test]
fn actions_that_a_restart_cut_off_are_run_by_the_alarm() {
    let mut visit = Visit::new(&json!({ "tenant_id": "acme" }));
    let there = visit.leave();
    visit.world.answers(200, &[], TOKEN);
    // The validation waits for its answer when the power goes.
    visit.world.answers_at(1_700_000_900_000, 200, "{}");
    let state = parameter(&there, "state");
    let path = format!("/connect/oauth-shop/callback?code=the-code&site=x&state={state}");
    visit.browser.cut_off(&path);
    visit.world.restart();
    assert_eq!(visit.account()["status"], "connecting");
    visit.world.answers(200, &[], "{}");
    visit.world.settle();
    let account = visit.account();
    assert_eq!(account["status"], "active");
    assert_eq!(visit.events(&account), ["created", "active"]);
}

#[test]
fn a_deleted_account_is_revoked_at_the_provider_and_keeps_its_outbox_only() {
    let (visit, account) = Visit::connected(&json!({ "tenant_id": "acme" }));
    visit.world.answers(200, &[], "");
    let path = format!("/integrated-account/{}", account["id"].as_str().unwrap());
    visit.setting.client.delete(&path).expect(200);
    let last = visit.world.sent().pop().unwrap();
    assert_eq!(last.url, "https://berlin.oauth-shop.example/revoke");
    assert!(String::from_utf8_lossy(&last.body).contains("token=refresh-1"));
    assert_eq!(
        visit.setting.client.get(&path).code(404),
        "caller.not_found"
    );
    assert_eq!(visit.events(&account), ["created", "active", "deleted"]);
    let objects = visit.world.objects_with_data();
    visit.world.pass(std::time::Duration::from_hours(31 * 24));
    visit.world.settle();
    assert_eq!(
        visit.world.objects_with_data(),
        objects - 1,
        "after 30 days it is gone"
    );
}

/// The provider of another file in the same environment.
fn second_file() -> Value {
    let mut file = file();
    file["name"] = json!("second-shop");
    file["config"]["credentials"]["oauth2"]["config"]["auth"] = json!({ "tokenHost": "https://{{shop}}.second-shop.example", "authorizePath": "/authorize", "tokenPath": "/token" });
    file["config"]["base_url"] = json!("https://{{shop}}.second-shop.example");
    file
}

#[test]
fn who_changes_his_mind_mixes_no_two_integrations_up() {
    let mut visit = Visit::new(&json!({ "tenant_id": "acme" }));
    let admin = &visit.setting.admin;
    admin
        .send("PUT", "/integration/second-shop", &second_file())
        .expect(201);
    let body = json!({ "integration_name": "second-shop" });
    visit
        .setting
        .client
        .post("/environment-integration", &body)
        .expect(201);
    let there = visit.leave();
    visit.world.answers(200, &[], "{}");
    let pairs = [
        ("link_token", visit.token.as_str()),
        ("credential", "api_key"),
        ("shop", "berlin"),
        ("api_key", "the-key-of-the-second-shop"),
    ];
    assert_eq!(
        visit.browser.post("/connect/second-shop", &pairs).status,
        200
    );
    assert_eq!(visit.world.sent().len(), 1);
    // Back at the first provider: its code goes to it and to no other, and the link is spent.
    visit.world.answers(200, &[], TOKEN);
    let late = visit.handle_callback(&there);
    assert_eq!(late.status, 401, "{}", late.text());
    each_case(visit.world.sent(), |sent| {
        assert!(
            sent.url
                .starts_with("https://berlin.oauth-shop.example/token"),
            "{}",
            sent.url
        );
    });
    assert_eq!(visit.account()["integration"]["name"], "second-shop");
}

#[test]
fn a_secret_that_the_link_brings_goes_to_no_host_of_the_customers_choice() {
    let mut visit = Visit::new(
        &json!({ "tenant_id": "acme", "context": { "shop": "acme", "api_key": "developers-secret" } }),
    );
    let moved = visit.submit("api_key", &[("shop", "evil"), ("api_key", "")]);
    assert_eq!(moved.status, 422, "it has to be typed");
    assert!(visit.world.sent().is_empty());
    visit.world.answers(200, &[], "{}");
    let own = visit.submit("api_key", &[("shop", "acme"), ("api_key", "")]);
    assert_eq!(own.status, 200, "{}", own.text());
    let sent = visit.world.sent();
    assert_eq!(sent[0].url, "https://acme.oauth-shop.example/me");
    assert_eq!(
        sent[0].header("authorization"),
        Some("Bearer developers-secret")
    );
}

#[test]
fn the_way_back_moves_no_stored_secret_to_another_host() {
    let mut file = file();
    file["config"]["credentials"]["oauth2"]["config"]["auth"]["introspectPath"] =
        json!("/introspect");
    file["config"]["credentials"]["oauth2"]["config"]["contextFromCallback"] =
        json!({ "shop": "site" });
    file["config"]["headers"] = json!({ "x-secret": "{{secret?:none}}" });
    let world = World::new();
    let setting = Setting::new(&world, &file);
    let link = json!({ "tenant_id": "acme", "context": { "secret": "developers-secret" } });
    let mut visit = Visit::with(world, setting, &link);
    let there = visit.leave();
    let without_end = r#"{"access_token":"first-token"}"#;
    visit.world.answers(200, &[], without_end);
    visit.world.answers(200, &[], r#"{"active":true}"#);
    visit.world.answers(200, &[], "{}");
    let state = parameter(&there, "state");
    visit.browser.get(&format!(
        "/connect/oauth-shop/callback?code=c&site=evil&state={state}"
    ));
    each_case(visit.world.sent(), |sent| {
        let is_elsewhere = sent.url.contains("evil.oauth-shop.example");
        assert!(
            !(is_elsewhere && sent.url.ends_with("/introspect")),
            "{}",
            sent.url
        );
        assert!(
            !is_elsewhere || sent.header("x-secret") == Some("none"),
            "{}",
            sent.url
        );
    });
}

#[test]
fn another_sites_page_cannot_send_our_form() {
    let visit = Visit::new(&json!({ "tenant_id": "acme" }));
    let body = format!("link_token={}&credential=oauth2&shop=berlin", visit.token);
    let cases = [
        ("cross-site", 403),
        ("same-site", 403),
        ("same-origin", 303),
        ("none", 303),
    ];
    each_case(cases, |(site, status)| {
        let headers = [("sec-fetch-site", site), ("cookie", "")];
        let visitor = Visit::new(&json!({ "tenant_id": "acme" }));
        let body = body.replace(&visit.token, &visitor.token);
        let answer = visitor.browser.raw("/connect/oauth-shop", &headers, body);
        assert_eq!(answer.status, status, "{site}");
    });
}

#[test]
fn connecting_again_does_not_ask_for_a_stored_secret_again() {
    let mut visit = Visit::new(&json!({ "tenant_id": "acme" }));
    visit.world.answers(200, &[], "{}");
    visit.submit(
        "api_key",
        &[("shop", "berlin"), ("api_key", "the-first-key")],
    );
    let account = visit.account();
    visit.world.sent();
    let link = json!({ "integrated_account_id": account["id"] });
    let mut again = Visit::with(visit.world, visit.setting, &link);
    let page = again.browser.get(&format!(
        "/connect/oauth-shop?credential=api_key&link_token={}",
        again.token
    ));
    assert!(!page.text().contains("the-first-key"));
    again.world.answers(200, &[], "{}");
    let done = again.submit("api_key", &[("shop", "berlin"), ("api_key", "")]);
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(
        again.world.sent()[0].header("authorization"),
        Some("Bearer the-first-key")
    );
}

#[test]
fn a_link_revoked_while_the_index_was_silent_bricks_no_account() {
    let (visit, account) = Visit::connected(&json!({ "tenant_id": "acme" }));
    let link = json!({ "integrated_account_id": account["id"] });
    let mut again = Visit::with(visit.world, visit.setting, &link);
    let there = again.leave();
    again.world.answers(200, &[], TOKEN);
    let never = ("index_account".to_owned(), Fault::Silence);
    again.world.0.faults.borrow_mut().push_back(never);
    let state = parameter(&there, "state");
    again.browser.cut_off(&format!(
        "/connect/oauth-shop/callback?code=c&site=x&state={state}"
    ));
    again.world.restart();
    let links = again.setting.client.get("/link-token").expect(200);
    each_case(links["result"].as_array().unwrap(), |made| {
        let path = format!("/link-token/{}", made["id"].as_str().unwrap());
        again.setting.client.delete(&path).expect(200);
    });
    again.world.settle();
    assert_eq!(again.account()["status"], "active");
}

#[test]
fn an_origin_that_was_taken_away_gets_no_results_any_more() {
    let mut visit =
        Visit::new(&json!({ "tenant_id": "acme", "redirect_uri": "https://app.example/back" }));
    let path = format!("/environment/{}", visit.setting.environment);
    let others = json!({ "allowed_redirect_origins": ["https://other.example"] });
    visit
        .setting
        .admin
        .send("PATCH", &path, &others)
        .expect(200);
    let page = visit.submit("oauth2", &[("shop", "berlin")]);
    assert_eq!(page.status, 401);
}
