//! Destructive tools that need a confirmation: a dry run first, then the request.

use std::time::Duration;

use causeway::ports::Body;
use futures::executor::block_on;
use futures::future::{join, join_all};
use serde_json::{Value, json};

use super::{Agent, context, crm};
use crate::account::JSON;
use crate::client::Setting;
use crate::outside::{World, reply};
use crate::planted_secrets::{self, Place};

const DELETE: &str = "delete_a_acme_crm_contacts_by_id";

fn confirming_agent() -> Agent {
    Agent::new(&World::new(), &json!({ "require_confirmation": true }))
}

fn confirmation(agent: &Agent, arguments: &Value) -> String {
    let shown = agent.done(DELETE, arguments);
    shown["confirmation"].as_str().unwrap().to_owned()
}

fn with(arguments: &Value, confirmation: &str) -> Value {
    let mut own = arguments.clone();
    own["confirmation"] = json!(confirmation);
    own
}

#[test]
fn a_destructive_tool_is_shown_with_its_secrets_masked_and_then_sent_once() {
    let agent = confirming_agent();
    let arguments = json!({ "id": "7" });
    let shown = agent.done(DELETE, &arguments);
    assert_eq!(
        shown["request"],
        json!({ "method": "DELETE", "url": "https://api.acme.example/contacts/7?pin=%5Bsecret%5D", "body": null })
    );
    assert!(!shown.to_string().contains("4711") && !shown.to_string().contains("token-of-the-crm"));
    assert_eq!(agent.world().sent().len(), 0);
    let confirmed = with(&arguments, shown["confirmation"].as_str().unwrap());
    agent.world().answers(204, &JSON, "");
    agent.done(DELETE, &confirmed);
    let sent = agent.world().sent();
    assert_eq!(
        (sent.len(), sent[0].url.as_str()),
        (1, "https://api.acme.example/contacts/7?pin=4711")
    );
    let (code, text) = agent.failed(DELETE, &confirmed);
    assert!(
        code == "caller.invalid" && text.contains("confirmation"),
        "{text}"
    );
    assert_eq!(agent.world().sent().len(), 0, "it counts once");
}

#[test]
fn the_body_that_would_be_sent_is_shown() {
    let agent = confirming_agent();
    let update = "update_a_acme_crm_contacts_by_id";
    let shown = agent.done(update, &json!({ "id": "7", "name": "Ada" }));
    assert_eq!(shown["request"]["body"], r#"{"name":"Ada"}"#);
    assert_eq!(agent.world().sent().len(), 0);
}

#[test]
fn what_reads_or_only_adds_is_not_confirming_agent() {
    let agent = confirming_agent();
    agent.world().answers(200, &JSON, "{}");
    agent.done("create_a_acme_crm_contacts", &json!({ "name": "Ada" }));
    agent.world().answers(200, &JSON, "{}");
    agent.done("get_single_acme_crm_contacts_by_id", &json!({ "id": "7" }));
    assert_eq!(agent.world().sent().len(), 2);
    assert_eq!(
        agent.refused(
            "create_a_acme_crm_contacts",
            &json!({ "name": "a", "confirmation": "b" })
        ),
        "confirmation"
    );
}

#[test]
fn a_confirmation_is_for_its_arguments_its_tool_and_its_token() {
    let agent = confirming_agent();
    let seven = json!({ "id": "7" });
    let own = confirmation(&agent, &seven);
    assert_eq!(
        agent.failed(DELETE, &with(&json!({ "id": "8" }), &own)).0,
        "caller.invalid"
    );
    assert_eq!(
        agent.failed(DELETE, &with(&seven, &own)).0,
        "caller.invalid",
        "the attempt used it up"
    );
    let own = confirmation(&agent, &seven);
    let update = "update_a_acme_crm_contacts_by_id";
    assert_eq!(
        agent.failed(update, &with(&seven, &own)).0,
        "caller.invalid"
    );
    let own = confirmation(&agent, &seven);
    let made = super::token(
        &agent.setting.client,
        &agent.account,
        &json!({ "require_confirmation": true }),
    );
    let other = Agent {
        path: format!("/mcp/{}", made["token"].as_str().unwrap()),
        ..agent
    };
    assert_eq!(
        other.failed(DELETE, &with(&seven, &own)).0,
        "caller.invalid"
    );
    for forged in ["", "x", "Zm9yZ2Vk"] {
        assert_eq!(
            other.failed(DELETE, &with(&seven, forged)).0,
            "caller.invalid",
            "{forged}"
        );
    }
    assert_eq!(other.world().sent().len(), 0);
}

#[test]
fn a_confirmation_ends_after_ten_minutes_and_with_the_memory_of_its_object() {
    let agent = confirming_agent();
    let seven = json!({ "id": "7" });
    let own = confirmation(&agent, &seven);
    agent.world().pass(Duration::from_secs(599));
    agent.world().answers(204, &JSON, "");
    agent.done(DELETE, &with(&seven, &own));
    let own = confirmation(&agent, &seven);
    agent.world().pass(Duration::from_mins(10));
    assert_eq!(
        agent.failed(DELETE, &with(&seven, &own)).0,
        "caller.invalid"
    );
    let own = confirmation(&agent, &seven);
    agent.world().restart();
    assert_eq!(
        agent.failed(DELETE, &with(&seven, &own)).0,
        "caller.invalid"
    );
    assert_eq!(agent.world().sent().len(), 1);
}

#[test]
fn the_oldest_of_a_hundred_dry_runs_is_forgotten_for_a_further_one() {
    let agent = confirming_agent();
    let first = confirmation(&agent, &json!({ "id": "0" }));
    let second = confirmation(&agent, &json!({ "id": "1" }));
    for id in 2..101 {
        confirmation(&agent, &json!({ "id": id.to_string() }));
    }
    assert_eq!(
        agent.failed(DELETE, &with(&json!({ "id": "0" }), &first)).0,
        "caller.invalid"
    );
    agent.world().answers(204, &JSON, "");
    agent.done(DELETE, &with(&json!({ "id": "1" }), &second));
}

#[test]
fn a_confirmation_is_for_the_request_that_was_shown() {
    let agent = confirming_agent();
    let seven = json!({ "id": "7" });
    let own = confirmation(&agent, &seven);
    let change = |path: &str| {
        let change = json!({ "resources": { "contacts": { "delete": { "path": path } } } });
        let setting = &agent.setting;
        setting
            .override_install_as(&setting.admin, &change)
            .expect(200);
        agent.world().pass(Duration::from_mins(3));
    };
    change("/everyone/{{id}}");
    assert_eq!(
        agent.failed(DELETE, &with(&seven, &own)).0,
        "caller.invalid"
    );
    assert_eq!(agent.world().sent().len(), 0);
    let own = confirmation(&agent, &seven);
    agent.world().answers(204, &JSON, "");
    agent.done(DELETE, &with(&seven, &own));
    assert_eq!(
        agent.world().sent()[0].url,
        "https://api.acme.example/everyone/7?pin=4711"
    );
}

#[test]
fn a_body_whose_boundary_is_drawn_each_time_can_be_confirmed() {
    let mut file = crm();
    file["config"]["resources"]["contacts"]["update"]["body_format"] = json!("multipart");
    let setting = Setting::new(&World::new(), &file);
    let agent = Agent::with(
        setting,
        &context(&Value::Null),
        &json!({ "require_confirmation": true }),
    );
    let (update, arguments) = (
        "update_a_acme_crm_contacts_by_id",
        json!({ "id": "7", "name": "Ada" }),
    );
    let shown = agent.done(update, &arguments);
    assert!(
        shown["request"]["body"].as_str().unwrap().contains("Ada"),
        "{shown}"
    );
    agent.world().answers(200, &JSON, "{}");
    let own = shown["confirmation"].as_str().unwrap();
    agent.done(update, &with(&arguments, own));
    assert_eq!(agent.world().sent().len(), 1);
}

#[test]
fn a_short_secret_of_the_install_is_masked_by_its_place() {
    let mut file = crm();
    file["config"]["resources"]["contacts"]["delete"]["query"] =
        json!({ "key": "{{environment_variables.key}}", "shop": "{{environment_variables.shop}}" });
    let setting = Setting::new(&World::new(), &file);
    let variables = json!({ "secret_environment_variables": { "key": "a7z" }, "environment_variables": { "shop": "s1" } });
    setting
        .override_install_as(&setting.admin, &variables)
        .expect(200);
    let agent = Agent::with(
        setting,
        &context(&Value::Null),
        &json!({ "require_confirmation": true }),
    );
    let seven = json!({ "id": "7" });
    let shown = agent.done(DELETE, &seven);
    assert_eq!(
        shown["request"]["url"],
        "https://api.acme.example/contacts/7?key=%5Bsecret%5D&shop=s1"
    );
    agent.world().answers(204, &JSON, "");
    agent.done(
        DELETE,
        &with(&seven, shown["confirmation"].as_str().unwrap()),
    );
    assert_eq!(
        agent.world().sent()[0].url,
        "https://api.acme.example/contacts/7?key=a7z&shop=s1"
    );
}

#[test]
fn a_confirmation_ends_with_a_change_of_what_is_not_shown() {
    let agent = confirming_agent();
    let seven = json!({ "id": "7" });
    let own = confirmation(&agent, &seven);
    let account = format!("/integrated-account/{}", agent.account);
    let change = json!({ "context": { "pin": "4712" } });
    agent
        .setting
        .client
        .send("PATCH", &account, &change)
        .expect(200);
    let (code, text) = agent.failed(DELETE, &with(&seven, &own));
    assert!(
        code == "caller.invalid" && text.contains("another request"),
        "{text}"
    );
    assert_eq!(agent.world().sent().len(), 0);
    let own = confirmation(&agent, &seven);
    agent.world().answers(204, &JSON, "");
    agent.done(DELETE, &with(&seven, &own));
}

#[test]
fn a_confirmed_request_that_changes_while_it_waits_is_not_sent() {
    let agent = confirming_agent();
    let seven = json!({ "id": "7" });
    let own = confirmation(&agent, &seven);
    agent
        .world()
        .provides(|_| reply(200, &JSON, Body::from_bytes("{}")));
    agent.world().answers_late(|_| Duration::from_secs(5));
    let (anonymous, path) = (&agent.anonymous, agent.path.as_str());
    let call = |tool: &str, arguments: Value| {
        let params = json!({ "name": tool, "arguments": arguments });
        let message =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        async move {
            let answer = anonymous.send_async("POST", path, &message).await;
            answer.expect(200)
        }
    };
    let four = join_all((0..4).map(|_| call("get_single_acme_crm_contacts_by_id", seven.clone())));
    let confirmed = call(DELETE, with(&seven, &own));
    let account = format!("/integrated-account/{}", agent.account);
    let change = json!({ "context": { "pin": "4712" } });
    let answer = block_on(async {
        let mut both = Box::pin(join(four, confirmed));
        assert!(futures::poll!(&mut both).is_pending());
        let changed = agent.setting.client.send_async("PATCH", &account, &change);
        changed.await.expect(200);
        agent.world().run_passing(both).await.1
    });
    let error = &answer["result"]["structuredContent"]["error"];
    assert_eq!(error["code"], "caller.invalid", "{answer}");
    assert_eq!(agent.world().sent().len(), 4);
}

#[test]
fn a_request_of_which_nothing_can_be_shown_is_confirmed_as_it_is() {
    let mut file = crm();
    file["config"]["resources"]["contacts"]["delete"]["base_url"] =
        json!("https://{{environment_variables.shop}}.acme.example");
    let setting = Setting::new(&World::new(), &file);
    let shop = |setting: &Setting, name: &str| {
        let secret = json!({ "secret_environment_variables": { "shop": name } });
        let changed = setting.override_install_as(&setting.admin, &secret);
        changed.expect(200);
        setting.client.world.pass(Duration::from_mins(3));
    };
    shop(&setting, "first");
    let config = json!({ "require_confirmation": true });
    let agent = Agent::with(setting, &context(&Value::Null), &config);
    let seven = json!({ "id": "7" });
    let shown = agent.done(DELETE, &seven);
    assert_eq!(shown["request"]["url"], Value::Null);
    let own = shown["confirmation"].as_str().unwrap().to_owned();
    shop(&agent.setting, "second");
    assert_eq!(
        agent.failed(DELETE, &with(&seven, &own)).0,
        "caller.invalid"
    );
    let own = confirmation(&agent, &seven);
    agent.world().answers(204, &JSON, "");
    agent.done(DELETE, &with(&seven, &own));
    let sent = agent.world().sent();
    assert_eq!(
        sent[0].url,
        "https://second.acme.example/contacts/7?pin=4711"
    );
}

#[test]
fn a_dry_run_does_not_say_whether_a_guess_is_a_secret() {
    let agent = confirming_agent();
    let update = "update_a_acme_crm_contacts_by_id";
    planted_secrets::may_be("token-of-the-crm", Place::Answered);
    for guess in ["token-of-the-crm", "token-of-the-crx"] {
        let shown = agent.done(update, &json!({ "id": guess, "name": guess }));
        assert_eq!(
            (&shown["request"]["url"], &shown["request"]["body"]),
            (
                &json!(format!("https://api.acme.example/contacts/{guess}")),
                &json!(json!({ "name": guess }).to_string())
            )
        );
    }
}
