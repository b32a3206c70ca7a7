//! What an account token may see and change of its own account.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cases::each_case;
use crate::client::{Answer, Client, Setting};
use crate::install_lookup::never_proving;
use crate::outside::World;

/// A file with every kind of key that steers something.
fn file() -> Value {
    json!({ "name": "tenant-hosts", "config": {
        "base_url": "https://{{subdomain}}.tenant-hosts.example",
        "headers": { "x-tenant": "{{tenant?:none}}" },
        "credentials": {
            "oauth2_client_credentials": { "format": "oauth2_client_credentials", "config": {
                "client": { "id": "{{client_id}}", "secret": "{{client_secret}}" },
                "auth": { "tokenHost": "https://login.tenant-hosts.example", "tokenPath": "/{{directory}}/token" },
                "tokenParams": { "audience": "{{audience?:a}}" },
                "contextFromToken": { "team_name": "team.name" },
                "fields": [
                    { "name": "subdomain" }, { "name": "tenant" }, { "name": "client_id" }, { "name": "client_secret", "type": "password" },
                    { "name": "directory" }, { "name": "audience" }, { "name": "team" }, { "name": "team_name" },
                    { "name": "memo", "pattern": "[a-z ]{0,40}" }, { "name": "size", "format": "number" },
                    { "name": "plan", "type": "single_select", "options": [{ "label": "S", "value": "s" }, { "label": "L", "value": 2 }] },
                    { "name": "pin", "type": "password" }, { "name": "written" },
                ],
            } },
            "api_key": { "format": "api_key", "config": { "fields": [{ "name": "api_key", "type": "password" }, { "name": "of_another" }] } },
        },
        "resources": { "fish": { "list": { "path": "/fish" } } },
        "actions": { "post_install": never_proving("team"), "writes": { "type": "update_context", "config": { "written": "by the action" } } },
        "webhook": { "signature_verification": { "format": "hmac", "config": {
            "secret": "s-of-the-webhook", "compare_with": "$header.x-s",
            "context_lookup_field_name": "team", "context_lookup_field_value": "body.team",
        } } },
    } })
}

pub struct TenantStory {
    pub world: World,
    pub setting: Setting,
    pub account: String,
    own: Client,
}

impl TenantStory {
    pub fn new() -> Self {
        let world = World::new();
        let setting = Setting::new(&world, &file());
        let context = json!({
            "subdomain": "acme", "tenant": "t1", "client_id": "mine", "client_secret": "mine-secret", "directory": "d1", "audience": "a1",
            "team": "red", "team_name": "Red", "memo": "first", "pin": "a-long-pin", "written": "w", "plan": "s", "size": "7", "host_note": "of the application",
            "oauth": { "token": { "access_token": "a-token-of-them" } },
        });
        let account = setting.account("oauth2_client_credentials", &context);
        let body = json!({ "integrated_account_id": account });
        let made = setting.client.post("/integrated-account/token", &body);
        let token = made.expect(201)["integrated_account_token"].clone();
        let own = setting.client.with_token(token.as_str().unwrap());
        Self {
            world,
            setting,
            account,
            own,
        }
    }

    fn me(&self, context: &Value) -> Answer {
        let body = json!({ "context": context });
        self.own.send("PATCH", "/integrated-account/me", &body)
    }

    pub fn path(&self, rest: &str) -> String {
        format!("/integrated-account/{}{rest}", self.account)
    }

    fn events(&self) -> usize {
        let path = format!("/event?integrated_account_id={}", self.account);
        self.setting.client.get(&path).expect(200)["result"]
            .as_array()
            .unwrap()
            .len()
    }

    /// The next call, as the provider gets it.
    pub fn called(&self) -> crate::outside::Sent {
        self.world.answers(200, &[], "[]");
        let path = format!("/proxy/fish?integrated_account_id={}", self.account);
        self.setting.client.get(&path).expect(200);
        self.world.sent().pop().unwrap()
    }
}

#[test]
fn an_account_token_changes_the_plain_fields_of_its_own_credential() {
    let story = TenantStory::new();
    let cases = [
        (json!({ "memo": "second" }), json!("second")),
        (json!({ "size": "12.5" }), json!("12.5")),
        (json!({ "size": 12 }), json!("12")),
        (json!({ "plan": 2 }), json!(2)),
        (json!({ "plan": "s" }), json!("s")),
    ];
    each_case(cases, |(context, shown)| {
        let key = context.as_object().unwrap().keys().next().unwrap().clone();
        let me = story.me(&context).expect(200);
        assert_eq!(me["context"][&key], shown);
    });
    story.world.restart();
    assert_eq!(
        story.own.get("/integrated-account/me").expect(200)["context"]["memo"],
        "second"
    );
}

#[test]
fn an_account_token_changes_nothing_that_steers_a_request_a_token_or_a_webhook() {
    let steering = [
        "subdomain",
        "tenant",
        "client_id",
        "directory",
        "audience",
        "team",
        "team_name",
        "written",
        "of_another",
        "host_note",
        "unknown",
        "oauth",
        "context",
        "id",
        "integration_override",
    ];
    each_case(steering, |key| {
        let story = TenantStory::new();
        let before = (story.world.at_rest(), story.events());
        let cases = [
            json!("x"),
            json!(null),
            json!({}),
            json!({ "token": {} }),
            json!([]),
        ];
        each_case(cases, |value| {
            assert_eq!(
                story.me(&json!({ key: value })).status,
                422,
                "{key}: {value}"
            );
        });
        assert_eq!((story.world.at_rest(), story.events()), before, "{key}");
    });
}

#[test]
fn an_account_token_takes_no_credential_away() {
    let patches = [
        json!({ "client_id": null, "client_secret": null, "oauth": null }),
        json!({ "client_secret": null }),
        json!({ "client_secret": {} }),
        json!({ "client_secret": "x" }),
        json!({ "pin": null }),
        json!({ "pin": {} }),
        json!({ "pin": [] }),
        json!({ "oauth": null }),
        json!({ "oauth": { "token": null } }),
        json!({ "oauth": { "token": { "access_token": null } } }),
        json!({ "oauth": { "token": {} } }),
        json!({ "memo": null }),
        json!({ "memo": { "api_key": "x" } }),
        json!({ "memo": [{ "token": "x" }] }),
        json!({ "memo": "good", "pin": null }),
        json!({ "list": [{ "token": "x" }] }),
        json!(null),
        json!([]),
        json!("memo"),
    ];
    each_case(patches.chunks(9), |chunk| {
        let story = TenantStory::new();
        let before = (story.world.at_rest(), story.events());
        each_case(chunk, |patch| {
            assert_eq!(story.me(patch).status, 422, "{patch}");
        });
        assert_eq!((story.world.at_rest(), story.events()), before);
        let token = story.called();
        assert_eq!(token.header("x-tenant"), Some("t1"));
    });
}

#[test]
fn what_an_account_token_brings_is_checked_like_the_form() {
    let story = TenantStory::new();
    let cases = [
        json!({ "memo": "Capital" }),
        json!({ "memo": "two\nlines" }),
        json!({ "memo": "a".repeat(41) }),
        json!({ "memo": "" }),
        json!({ "size": "many" }),
        json!({ "size": true }),
        json!({ "plan": "xl" }),
    ];
    each_case(cases, |context| {
        let refused = story.me(&context).expect(422);
        let path = refused["details"]["failures"][0]["path"].as_str().unwrap();
        assert!(path.starts_with("context."), "{refused}");
    });
}

#[test]
fn a_change_that_changes_nothing_is_no_write_and_no_event() {
    let story = TenantStory::new();
    let before = (story.world.at_rest(), story.events());
    story.me(&json!({ "memo": "first" })).expect(200);
    story.me(&json!({})).expect(200);
    let client = &story.setting.client;
    let cases = [
        json!({}),
        json!({ "context": {} }),
        json!({ "context": { "memo": "first", "pin": "a-long-pin", "absent": null } }),
        json!({ "tenant_id": "acme", "is_sandbox": false, "context": { "oauth": { "token": { "access_token": "a-token-of-them" } } } }),
        json!({ "integration_override": null }),
    ];
    each_case(cases, |body| {
        client.send("PATCH", &story.path(""), &body).expect(200);
    });
    let same = json!({ "context": { "pin": "a-long-pin" } });
    let credentials = story.path("/credentials");
    client.send("PATCH", &credentials, &same).expect(200);
    assert_eq!((story.world.at_rest(), story.events()), before);
    story.me(&json!({ "memo": "second" })).expect(200);
    assert_eq!(story.events(), before.1 + 1);
}

#[test]
fn an_account_token_changes_its_account_ten_times_a_minute() {
    let story = TenantStory::new();
    for n in 0..10 {
        let memo = "a".repeat(n % 3);
        assert_ne!(story.me(&json!({ "memo": memo })).status, 429);
    }
    let over = story.me(&json!({ "memo": "b" }));
    let wait: u64 = over.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));
    assert_eq!(over.code(429), "caller.rate_limited");
    story.own.get("/integrated-account/me").expect(200);
    let path = story.path("");
    let by_the_application = json!({ "context": { "memo": "c" } });
    let client = &story.setting.client;
    client.send("PATCH", &path, &by_the_application).expect(200);
    story.world.pass(Duration::from_secs(wait));
    story.me(&json!({ "memo": "b" })).expect(200);
}

#[test]
fn a_change_by_an_account_token_has_at_most_16_kib() {
    let story = TenantStory::new();
    let body = |bytes: usize| {
        let rest = r#"{"context":{"memo":""}}"#.len();
        format!(r#"{{"context":{{"memo":"{}"}}}}"#, "a".repeat(bytes - rest))
    };
    let send = |bytes: usize| {
        let headers = [("content-type", "application/json")];
        let body = causeway::ports::Body::from_bytes(body(bytes));
        story
            .own
            .request("PATCH", "/integrated-account/me", &headers, body)
    };
    assert_eq!(send(16 * 1024).code(422), "caller.invalid", "its pattern");
    assert_eq!(send(16 * 1024 + 1).code(413), "caller.body_too_large");
}

#[test]
fn an_account_token_sees_of_its_account_what_a_customer_needs() {
    let story = TenantStory::new();
    let change = json!({ "integration_override": { "headers": { "x-partner": "PARTNER-KEY" } } });
    let client = &story.setting.client;
    client.send("PATCH", &story.path(""), &change).expect(200);
    let cases = [
        story.own.get("/integrated-account/me"),
        story.me(&json!({ "memo": "x" })),
    ];
    each_case(cases, |answer| {
        let me = answer.expect(200);
        let keys: Vec<&str> = me.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            [
                "id",
                "status",
                "authentication_method",
                "integration",
                "context",
                "created_at",
                "updated_at"
            ]
        );
        assert!(!me.to_string().contains("PARTNER-KEY"));
    });
}
