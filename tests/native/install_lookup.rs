//! By which values an install's webhooks find an account: the provider's and the operator's, while it is active.

use std::time::Duration;

use causeway::json::merge;
use serde_json::{Value, json};

use crate::cases::each_case;
use crate::client::{Answer, Client, Setting};
use crate::connect::Browser;
use crate::inbound_webhooks::{SECRET, signed, signing_file};
use crate::outside::{SILENT, World};

/// What the check of a file wants where customers type what finds an account; the provider's answer says nothing.
pub fn never_proving(key: &str) -> Value {
    let expression = format!("{{ '{key}': $previous.never }}");
    json!({ "steps": [
        { "type": "request", "config": { "path": SILENT } },
        { "type": "update_context", "config": { "expression": expression } },
    ] })
}

/// The shop of `received`, found by a field that customers type; `actions` run before it is active.
pub fn typed_shop(actions: &Value) -> Value {
    let mut all = json!({ "post_install": never_proving("shop") });
    merge(&mut all, actions);
    let actions = all;
    let mut file = signing_file(&json!({ "event_id": null }));
    let fields = json!([
        { "name": "shop", "label": "Shop", "required": true },
        { "name": "note", "label": "Note" },
        { "name": "api_key", "label": "Key", "type": "password", "required": true },
    ]);
    let more = json!({ "config": { "actions": actions, "credentials": { "api_key": { "config": { "fields": fields } } } } });
    merge(&mut file, &more);
    file
}

pub fn validation() -> Value {
    json!({ "validation": { "type": "request", "config": { "path": "/me" } } })
}

/// The provider says which shop it is.
pub fn proving() -> Value {
    json!({
        "post_install": { "steps": [
            { "type": "request", "config": { "path": "/shop" } },
            { "type": "update_context", "config": { "shop": "{{body.shop}}" } },
        ] },
        "validation": { "type": "request", "config": { "path": "/me" } },
    })
}

/// An install of it, and who connects to it.
pub struct LookupStory {
    pub world: World,
    pub setting: Setting,
}

impl LookupStory {
    pub fn new(actions: &Value) -> Self {
        let world = World::new();
        let setting = Setting::new(&world, &typed_shop(actions));
        give_webhook_secret(&setting);
        Self { world, setting }
    }

    /// The file is another; the install's secret is given for it.
    pub fn puts(&self, file: &Value) {
        let admin = &self.setting.admin;
        admin.send("PUT", "/integration/shop", file).expect(200);
        give_webhook_secret(&self.setting);
        self.world.pass(std::time::Duration::from_secs(61));
    }

    /// A customer with a link of this tenant.
    pub fn customer(&self, link: &Value) -> Customer {
        let made = self.setting.client.post("/link-token", link).expect(201);
        Customer {
            browser: Browser::of(&self.world),
            token: made["link_token"].as_str().unwrap().to_owned(),
        }
    }

    /// One who has connected, the provider answering so.
    pub fn connected(&self, tenant: &str, shop: &str, answers: &[(u16, &str)]) -> Customer {
        let mut customer = self.customer(&json!({ "tenant_id": tenant, "integration": "shop" }));
        for (status, body) in answers {
            self.world.answers(*status, &[], body);
        }
        customer.submit(shop, "a-key-of-them");
        customer
    }

    /// How many accounts a genuine webhook of this shop is stored in.
    pub fn matched(&self, shop: &str) -> u64 {
        let body = json!({ "topic": "paid", "shop": shop }).to_string();
        let provider = Client {
            world: self.world.clone(),
            token: String::new(),
        };
        let path = format!("/environment-integration-webhook/{}", self.setting.install);
        let signature = signed(SECRET, &body);
        let headers = [
            ("content-type", "application/json"),
            ("x-signature", signature.as_str()),
        ];
        let answer = provider.request(
            "POST",
            &path,
            &headers,
            causeway::ports::Body::from_bytes(body),
        );
        let answer = answer.expect(200);
        let stored = answer["ids"].as_array().unwrap().len() as u64;
        assert_eq!(answer["matched"], json!(stored), "matched is stored");
        stored
    }

    /// The only account of a tenant.
    pub fn account(&self, tenant: &str) -> Value {
        let list = format!("/integrated-account?tenant_id={tenant}");
        let list = self.setting.client.get(&list).expect(200);
        assert_eq!(list["result"].as_array().unwrap().len(), 1, "{list}");
        list["result"][0].clone()
    }

    pub fn import(&self, shop: &str) -> String {
        let context = json!({ "api_key": "k-of-the-account", "shop": shop });
        self.setting.account("api_key", &context)
    }

    /// A change by the application's own token.
    pub fn patch(&self, account: &str, body: &Value) -> Value {
        let path = format!("/integrated-account/{account}");
        self.setting.client.send("PATCH", &path, body).expect(200)
    }
}

/// Somebody with a link.
pub struct Customer {
    pub browser: Browser,
    pub token: String,
}

impl Customer {
    pub fn submit(&mut self, shop: &str, key: &str) -> Answer {
        let pairs = [
            ("link_token", self.token.as_str()),
            ("credential", "api_key"),
            ("shop", shop),
            ("api_key", key),
        ];
        self.browser.post("/connect/shop", &pairs)
    }
}

#[test]
fn an_account_that_failed_its_validation_gets_no_webhooks() {
    let story = LookupStory::new(&validation());
    story.import("one");
    story.connected("mallory", "one", &[(403, "{}")]);
    assert_eq!(story.account("mallory")["status"], "validation_error");
    assert_eq!(story.matched("one"), 1, "only the one it belongs to");
}

#[test]
fn a_value_that_a_customer_types_finds_no_account_though_its_credential_is_good() {
    let story = LookupStory::new(&validation());
    story.import("one");
    story.connected("mallory", "one", &[(200, "{}")]);
    assert_eq!(story.account("mallory")["status"], "active");
    assert_eq!(story.matched("one"), 1);
    story.world.restart();
    assert_eq!(story.matched("one"), 1);
    // The application may say that it is so.
    let id = story.account("mallory")["id"].as_str().unwrap().to_owned();
    let before = story.account("mallory");
    story.patch(&id, &json!({ "context": { "shop": "one" } }));
    assert_eq!(story.matched("one"), 2);
    assert_eq!(story.account("mallory")["context"], before["context"]);
}

#[test]
fn what_the_provider_says_in_post_install_finds_the_account_once_it_is_active() {
    let story = LookupStory::new(&proving());
    story.world.answers(200, &[], r#"{"shop":"mine"}"#);
    story.world.answers_at(1_700_000_900_000, 200, "{}");
    let customer = story.customer(&json!({ "tenant_id": "acme", "integration": "shop" }));
    let body = format!(
        "link_token={}&credential=api_key&shop=mine&api_key=a-key-of-them",
        customer.token
    );
    customer.browser.post_and_leave("/connect/shop", &body);
    assert_eq!(story.account("acme")["status"], "connecting");
    assert_eq!(story.matched("mine"), 0, "not before it is active");
    story.world.restart();
    assert_eq!(story.matched("mine"), 0);
    story.world.unscript();
    story.world.answers(200, &[], r#"{"shop":"mine"}"#);
    story.world.answers(200, &[], "{}");
    story.world.settle();
    assert_eq!(story.account("acme")["status"], "active");
    assert_eq!(
        story.matched("mine"),
        1,
        "typed, and said by the provider, too"
    );
}

#[test]
fn the_same_link_again_reaches_no_others_webhooks_and_the_old_value_counts_until_the_stages_passed()
{
    let story = LookupStory::new(&proving());
    story.import("one");
    let passes = [(200, r#"{"shop":"mine"}"#), (200, "{}")];
    let mut customer = story.connected("mallory", "mine", &passes);
    assert_eq!((story.matched("mine"), story.matched("one")), (1, 1));
    // While the provider looks at the second form the first still counts.
    story.world.answers_at(1_700_000_900_000, 403, "{}");
    let body = format!(
        "link_token={}&credential=api_key&shop=one&api_key=garbage-garbage",
        customer.token
    );
    customer.browser.post_and_leave("/connect/shop", &body);
    assert_eq!((story.matched("mine"), story.matched("one")), (1, 1));
    story.world.restart();
    assert_eq!((story.matched("mine"), story.matched("one")), (1, 1));
    story.world.unscript();
    story.world.answers(403, &[], "{}");
    story.world.settle();
    assert_eq!(story.account("mallory")["status"], "post_install_error");
    assert_eq!((story.matched("mine"), story.matched("one")), (0, 1));
    for (status, body) in passes {
        story.world.answers(status, &[], body);
    }
    customer.submit("one", "a-key-of-them");
    assert_eq!(story.account("mallory")["status"], "active");
    assert_eq!(
        (story.matched("mine"), story.matched("one")),
        (1, 1),
        "the provider's value replaces the customer's"
    );
}

#[test]
fn connecting_again_lowers_no_value_that_was_said_before_and_proves_no_other() {
    each_case([("mine", 1, 0), ("other", 0, 0)], |(typed, mine, other)| {
        let story = LookupStory::new(&validation());
        let id = story.import("mine");
        let mut customer =
            story.customer(&json!({ "integrated_account_id": id, "integration": "shop" }));
        story.world.answers(200, &[], "{}");
        assert_eq!(customer.submit(typed, "another-key").status, 200);
        assert_eq!(
            (story.matched("mine"), story.matched("other")),
            (mine, other),
            "{typed}"
        );
        story.patch(&id, &json!({ "tenant_id": "renamed" }));
        story.world.restart();
        assert_eq!(
            (story.matched("mine"), story.matched("other")),
            (mine, other),
            "{typed}"
        );
    });
}

#[test]
fn a_link_brings_the_applications_value_unless_the_customer_changes_it() {
    each_case([("one", 1), ("two", 0)], |(typed, found)| {
        let story = LookupStory::new(&validation());
        let link =
            json!({ "tenant_id": "acme", "integration": "shop", "context": { "shop": "one" } });
        let mut customer = story.customer(&link);
        story.world.answers(200, &[], "{}");
        assert_eq!(customer.submit(typed, "a-key-of-them").status, 200);
        assert_eq!(story.matched(typed), found, "{typed}");
    });
}

#[test]
fn an_account_that_is_erased_or_whose_index_did_not_answer_is_found_by_what_counts() {
    let story = LookupStory::new(&json!({}));
    let id = story.import("one");
    let fault = (
        "index_account".to_owned(),
        crate::outside::Fault::AnswerLost,
    );
    story.world.0.faults.borrow_mut().push_back(fault);
    let path = format!("/integrated-account/{id}");
    let change = json!({ "context": { "shop": "two" } });
    let client = &story.setting.client;
    assert_eq!(
        client.send("PATCH", &path, &change).code(503),
        "internal.storage"
    );
    story.world.pass(Duration::from_secs(61));
    futures::executor::block_on(story.world.ring_alarms());
    assert_eq!((story.matched("one"), story.matched("two")), (1, 0));
    client.delete(&path).expect(200);
    assert_eq!((story.matched("one"), story.matched("two")), (0, 0));
}

/// A secret of an install is bound to the file it was given for.
pub fn give_webhook_secret(setting: &Setting) {
    let body =
        json!({ "override": { "secret_environment_variables": { "webhook_secret": SECRET } } });
    let install = format!("/environment-integration/{}", setting.install);
    setting.client.send("PATCH", &install, &body).expect(200);
}
