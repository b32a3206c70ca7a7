//! Which ways a value comes into a context, and whether it then finds an account: one row each.

use causeway::json::merge;
use causeway::ports::Body;
use serde_json::{Value, json};

use crate::cases::each_case;
use crate::client::Setting;
use crate::connect::{Browser, parameter};
use crate::inbound_webhooks::SECRET;
use crate::install_lookup::{LookupStory, typed_shop};
use crate::outside::World;

/// A shop that signs in at a provider, or by a key; the provider, the way back and actions name shops.
pub fn file() -> Value {
    let mut file = typed_shop(&json!({
        "takes": { "steps": [
            { "type": "request", "config": { "path": "/never" }, "run_if": "$exists($context.never)" },
            { "type": "update_context", "config": { "note": "{{body.note}}" } },
        ] },
        "asks": { "steps": [
            { "type": "request", "config": { "path": "/shop" } },
            { "type": "update_context", "config": { "shop": "{{body.shop}}" } },
        ] },
    }));
    let oauth = json!({
        "client": { "id": "our-id", "secret": "our-secret" },
        "auth": { "tokenHost": "https://login.shop.example", "authorizePath": "/authorize", "tokenPath": "/token" },
        "contextFromToken": { "shop": "shop.id" },
        "contextFromCallback": { "site": "site", "shop": "shop" },
    });
    let more = json!({ "config": { "credentials": { "oauth2": { "format": "oauth2", "config": oauth } } } });
    merge(&mut file, &more);
    file
}

fn story() -> LookupStory {
    let world = World::new();
    let setting = Setting::new(&world, &file());
    let body =
        json!({ "override": { "secret_environment_variables": { "webhook_secret": SECRET } } });
    let install = format!("/environment-integration/{}", setting.install);
    setting.client.send("PATCH", &install, &body).expect(200);
    LookupStory { world, setting }
}

/// Signs in at the provider, whose token answer this is; the way back has this query.
fn signs_in(story: &LookupStory, link: &Value, token: &str, back: &str) {
    let made = story.setting.client.post("/link-token", link).expect(201);
    let mut browser = Browser::of(&story.world);
    let pairs = [
        ("link_token", made["link_token"].as_str().unwrap()),
        ("credential", "oauth2"),
    ];
    let left = browser.post("/connect/shop", &pairs);
    let there = left.header("location").unwrap().parse().unwrap();
    let state = parameter(&there, "state");
    story.world.answers(200, &[], token);
    let path = format!("/connect/shop/callback?code=c&state={state}{back}");
    assert_eq!(browser.get(&path).status, 200);
}

const ACME: &str = r#"{"access_token":"a-token-of-them","shop":{"id":"one"}}"#;
const SILENT: &str = r#"{"access_token":"a-token-of-them"}"#;

#[test]
fn a_token_answer_finds_an_account_and_the_query_of_the_way_back_does_not() {
    let cases = [
        (ACME, "", 1),
        (SILENT, "&shop=one", 0),
        (ACME, "&shop=two", 1),
        (ACME, "&shop=one", 1),
    ];
    each_case(cases, |(token, back, found)| {
        let story = story();
        let link = json!({ "tenant_id": "acme", "integration": "shop" });
        signs_in(&story, &link, token, back);
        assert_eq!(story.matched("one"), found, "{token} {back}");
        assert_eq!(story.matched("two"), 0, "{token} {back}");
    });
}

#[test]
fn what_the_provider_said_once_is_proved_no_more_when_a_new_sign_in_does_not_say_it() {
    each_case([(ACME, 1), (SILENT, 0)], |(token, found)| {
        let story = story();
        let link = json!({ "tenant_id": "acme", "integration": "shop" });
        signs_in(&story, &link, ACME, "");
        let again = json!({ "integrated_account_id": story.account("acme")["id"] });
        signs_in(&story, &again, token, "");
        assert_eq!(story.account("acme")["context"]["shop"], "one");
        assert_eq!(story.matched("one"), found, "{token}");
    });
}

#[test]
fn another_kind_of_credential_proves_nothing_of_what_the_old_one_said() {
    let story = story();
    let link = json!({ "tenant_id": "acme", "integration": "shop" });
    signs_in(&story, &link, ACME, "");
    let again = json!({ "integrated_account_id": story.account("acme")["id"] });
    let mut customer = story.customer(&again);
    assert_eq!(customer.submit("one", "a-key-of-them").status, 200);
    assert_eq!(story.matched("one"), 0);
}

/// Who runs an action, with what, and whether what it wrote finds the account.
#[test]
fn an_action_writes_the_providers_word_unless_a_customer_gave_it_one() {
    let rows = [
        ("asks", true, json!({}), 1),
        ("asks", false, json!(null), 1),
        ("asks", false, json!({ "shop": "two" }), 0),
    ];
    each_case(rows, |(action, is_application, input, found)| {
        let story = story();
        let account = story.import("one");
        let client = &story.setting.client;
        let own = story.setting.customer(&account);
        let caller = if is_application { client } else { &own };
        story.world.answers(200, &[], r#"{"shop":"two"}"#);
        let path = format!("/proxy/_/{action}?integrated_account_id={account}");
        let body = match &input {
            Value::Null => Body::Empty,
            input => Body::from_bytes(input.to_string()),
        };
        let headers = [("content-type", "application/json")];
        let ran = caller.request("POST", &path, &headers, body);
        assert_eq!(ran.status, 200, "{}", ran.text());
        let context = story.account("acme")["context"].clone();
        assert_eq!(context["shop"], "two");
        let row = format!("{action} {is_application} {input}");
        assert_eq!(
            (story.matched("one"), story.matched("two")),
            (0, found),
            "{row}"
        );
        // An account token does not change it in any case.
        let change = json!({ "context": { "shop": "one" } });
        let changed = own.send("PATCH", "/integrated-account/me", &change);
        assert_eq!(changed.status, 422);
    });
}

/// The file of `file`, where an account is found by its note.
fn by_note() -> Value {
    let mut file = file();
    let lookup =
        json!({ "context_lookup_field_name": "note", "context_lookup_field_value": "body.shop" });
    let lookup =
        json!({ "config": { "webhook": { "signature_verification": { "config": lookup } } } });
    merge(&mut file, &lookup);
    file["config"]["actions"] =
        json!({ "post_install": crate::install_lookup::never_proving("note") });
    file
}

#[test]
fn what_an_action_takes_from_its_caller_is_that_callers_word() {
    each_case([(true, 1), (false, 0)], |(is_application, found)| {
        let story = story();
        let account = story.import("one");
        let client = &story.setting.client;
        let own = story.setting.customer(&account);
        let caller = if is_application { client } else { &own };
        let path = format!("/proxy/_/takes?integrated_account_id={account}");
        caller.post(&path, &json!({ "note": "noted" })).expect(200);
        assert_eq!(story.account("acme")["context"]["note"], "noted");
        story.puts(&by_note());
        assert_eq!(story.matched("noted"), found, "{is_application}");
    });
}

#[test]
fn an_account_that_needs_its_customer_gets_no_webhooks_until_it_is_back() {
    let story = story();
    let token = json!({ "access_token": "a-token-of-them", "refresh_token": "r-of-them" });
    let context = json!({ "shop": "one", "oauth": { "token": token } });
    let account = story.setting.account("oauth2", &context);
    assert_eq!(story.matched("one"), 1);
    let client = &story.setting.client;
    story
        .world
        .answers(400, &[], r#"{"error":"invalid_grant"}"#);
    client.post(
        "/integrated-account/refresh-credentials",
        &json!({ "id": account }),
    );
    assert_eq!(story.account("acme")["status"], "needs_reauth");
    assert_eq!(story.matched("one"), 0);
    story.world.restart();
    assert_eq!(story.matched("one"), 0);
    let path = format!("/integrated-account/{account}/credentials");
    let new = json!({ "context": { "oauth": { "token": { "access_token": "a-newer-token" } } } });
    client.send("PATCH", &path, &new).expect(200);
    assert_eq!(story.matched("one"), 1);
}

#[test]
fn the_index_asks_by_the_same_rule_when_the_file_names_another_key() {
    let story = story();
    let typed = story.customer(&json!({ "tenant_id": "mallory", "integration": "shop" }));
    let body = format!(
        "link_token={}&credential=api_key&shop=mine&api_key=a-key&note=noted",
        typed.token
    );
    typed.browser.raw(
        "/connect/shop",
        &[("content-type", "application/x-www-form-urlencoded")],
        body,
    );
    let account = story.import("one");
    story.patch(&account, &json!({ "context": { "note": "noted" } }));
    let by_note = by_note();
    story
        .setting
        .admin
        .send("PUT", "/integration/shop", &by_note)
        .expect(200);
    assert_eq!(
        story.matched("noted"),
        1,
        "the application's, and not the customer's"
    );
}

#[test]
fn a_restart_before_a_new_value_counts_leaves_neither_account_nor_index_behind() {
    let story = LookupStory::new(&crate::install_lookup::proving());
    let passes = [(200, r#"{"shop":"mine"}"#), (200, "{}")];
    let mut customer = story.connected("acme", "mine", &passes);
    // The stages pass, and the index is silent when it is to learn the new value.
    story.world.answers(200, &[], r#"{"shop":"other"}"#);
    story.world.answers(200, &[], "{}");
    story
        .world
        .0
        .hangs
        .borrow_mut()
        .push("\"value\":\"other\"".into());
    let body = format!(
        "link_token={}&credential=api_key&shop=mine&api_key=a-new-key",
        customer.token
    );
    customer.browser.post_and_leave("/connect/shop", &body);
    story.world.restart();
    story.world.settle();
    assert_eq!(story.account("acme")["context"]["shop"], "other");
    assert_eq!((story.matched("mine"), story.matched("other")), (0, 1));
    story.world.answers(403, &[], "{}");
    customer.submit("mine", "garbage-garbage");
    assert_eq!((story.matched("mine"), story.matched("other")), (0, 0));
}

/// Where the customer names the server, the server's value counts as the customer's.
#[test]
fn a_server_that_a_customer_names_proves_nothing() {
    let cases = [
        (json!(["*"]), false, 0),
        (json!(["*"]), true, 1),
        (json!(["*.shop.example"]), false, 1),
    ];
    each_case(cases, |(hosts, by_the_application, found)| {
        let story = LookupStory::new(&json!({}));
        let mut file = typed_shop(&crate::install_lookup::proving());
        let fields = json!([{ "name": "server" }, { "name": "api_key", "type": "password" }]);
        let more = json!({ "config": {
            "base_url": "{{server}}", "allowed_hosts": hosts,
            "credentials": { "api_key": { "config": { "fields": fields } } },
        } });
        merge(&mut file, &more);
        story.puts(&file);
        let server = "https://a.shop.example";
        let mut link = json!({ "tenant_id": "acme", "integration": "shop" });
        if by_the_application {
            link["context"] = json!({ "server": server });
        }
        let mut customer = story.customer(&link);
        story.world.answers(200, &[], r#"{"shop":"one"}"#);
        story.world.answers(200, &[], "{}");
        let pairs = [
            ("link_token", customer.token.as_str()),
            ("credential", "api_key"),
            ("server", server),
            ("api_key", "a-key-of-them"),
        ];
        assert_eq!(customer.browser.post("/connect/shop", &pairs).status, 200);
        assert_eq!(story.account("acme")["context"]["shop"], "one");
        assert_eq!(story.matched("one"), found, "{hosts} {by_the_application}");
    });
}
