//! Changing connected accounts: what may change how, and what never leads a secret elsewhere.

use causeway::ports::Body;
use serde_json::{Value, json};

use crate::cases::each_case;
use crate::client::{Client, Setting, id_of};
use crate::outside::{Fault, World};

fn file() -> Value {
    json!({
        "name": "key-and-pin",
        "config": {
            "base_url": "https://{{subdomain}}.key-and-pin.example",
            "credentials": { "api_key": { "format": "api_key", "config": { "fields": [
                { "name": "subdomain", "required": true }, { "name": "pin", "type": "password", "required": true }, { "name": "memo" } ] } } },
            "authorization": { "format": "header", "config": { "name": "x-pin", "value": "{{pin}}" } },
            "resources": { "tickets": { "list": { "path": "/tickets" }, "create": { "method": "post", "path": "/tickets" } } },
        },
    })
}

struct Story {
    world: World,
    setting: Setting,
    id: String,
}

impl Story {
    fn new() -> Self {
        let world = World::new();
        let setting = Setting::new(&world, &file());
        let id = setting.account(
            "api_key",
            &json!({ "subdomain": "acme", "pin": "old-pin", "note": { "a": 1, "b": 2 } }),
        );
        Self { world, setting, id }
    }

    fn path(&self) -> String {
        format!("/integrated-account/{}", self.id)
    }

    fn patch(&self, client: &Client, body: &Value) -> crate::client::Answer {
        client.send("PATCH", &self.path(), body)
    }

    /// Where a call goes, and with which pin.
    fn called(&self) -> (String, String) {
        self.world.answers(200, &[], "[]");
        self.setting
            .client
            .get(&format!("/proxy/tickets?integrated_account_id={}", self.id))
            .expect(200);
        let sent = self.world.sent().remove(0);
        (sent.url.clone(), sent.header("x-pin").unwrap().to_owned())
    }
}

#[test]
fn a_patch_merges_the_context_and_keeps_the_secrets_it_leaves_out() {
    let story = Story::new();
    let client = &story.setting.client;
    let changed = story.patch(client, &json!({ "tenant_id": "other", "is_sandbox": true, "context": { "note": { "a": null, "c": 3 } } })).expect(200);
    assert_eq!(
        (
            changed["tenant_id"].as_str(),
            changed["is_sandbox"].as_bool()
        ),
        (Some("other"), Some(true))
    );
    assert_eq!(
        changed["context"],
        json!({ "subdomain": "acme", "note": { "b": 2, "c": 3 } })
    );
    assert_eq!(story.called().1, "old-pin");
    assert_eq!(
        client
            .get("/integrated-account?tenant_id=other")
            .expect(200)["result"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        client.get("/integrated-account?tenant_id=acme").expect(200)["result"],
        json!([])
    );
    let call = format!("/proxy/tickets?integrated_account_id={}", story.id);
    assert_eq!(
        client.post(&call, &json!({})).code(405),
        "caller.method_not_allowed",
        "a sandbox refuses writes"
    );
    story.world.restart();
    assert_eq!(client.get(&story.path()).expect(200), changed);
    assert_eq!(
        story.patch(client, &json!({ "tenent_id": "x" })).code(422),
        "caller.invalid"
    );
    assert_eq!(
        story.patch(client, &json!({ "tenant_id": "" })).code(422),
        "caller.invalid"
    );
}

#[test]
fn a_value_that_decides_the_host_changes_only_with_new_credentials() {
    let story = Story::new();
    let client = &story.setting.client;
    let refused = story
        .patch(client, &json!({ "context": { "subdomain": "evil" } }))
        .expect(422);
    assert_eq!(
        (
            refused["code"].as_str(),
            refused["details"]["failures"][0]["path"].as_str()
        ),
        (Some("caller.host_key"), Some("context.subdomain"))
    );
    assert_eq!(
        story
            .patch(client, &json!({ "context": { "subdomain": null } }))
            .code(422),
        "caller.host_key"
    );
    assert_eq!(
        story.called(),
        (
            "https://acme.key-and-pin.example/tickets".into(),
            "old-pin".into()
        )
    );
    let credentials = format!("{}/credentials", story.path());
    let half = client
        .send(
            "PATCH",
            &credentials,
            &json!({ "context": { "subdomain": "evil" } }),
        )
        .expect(422);
    assert_eq!(
        half["details"]["failures"][0]["path"], "context.pin",
        "the old pin does not go along"
    );
    client
        .send(
            "PATCH",
            &credentials,
            &json!({ "context": { "subdomain": "fresh", "pin": "new-pin" } }),
        )
        .expect(200);
    assert_eq!(
        story.called(),
        (
            "https://fresh.key-and-pin.example/tickets".into(),
            "new-pin".into()
        )
    );
    client
        .send(
            "PATCH",
            &credentials,
            &json!({ "context": { "pin": "newer-pin" } }),
        )
        .expect(200);
    assert_eq!(story.called().1, "newer-pin");
}

#[test]
fn an_override_of_one_account_needs_the_scope_admin() {
    let story = Story::new();
    let connect = story
        .setting
        .admin
        .token_of(&story.setting.environment, Some(&["connect"]));
    let elsewhere = json!({ "integration_override": { "base_url": "https://evil.example" } });
    assert_eq!(
        story.patch(&connect, &elsewhere).code(403),
        "caller.forbidden"
    );
    assert_eq!(
        story
            .patch(
                &connect,
                &json!({ "integration_override": { "label": "x" } })
            )
            .code(403),
        "caller.forbidden"
    );
    story
        .patch(&connect, &json!({ "context": { "note": 1 } }))
        .expect(200);
    let owner = &story.setting.client;
    let changed = story
        .patch(
            owner,
            &json!({ "integration_override": { "query": { "team": "7" } } }),
        )
        .expect(200);
    assert_eq!(
        changed["integration_override"],
        json!({ "query": { "team": "7" } })
    );
    assert_eq!(
        story.called().0,
        "https://acme.key-and-pin.example/tickets?team=7"
    );
    let wrong = story
        .patch(
            owner,
            &json!({ "integration_override": { "headers": { "Host": "x" } } }),
        )
        .expect(422);
    assert_eq!(
        wrong["details"]["failures"][0]["path"],
        "integration_override"
    );
    let secret = json!({ "integration_override": { "credentials": { "oauth2": { "format": "oauth2", "config": { "client": { "secret": "s" } } } } } });
    assert_eq!(story.patch(owner, &secret).code(422), "caller.invalid");
    assert_eq!(
        story
            .patch(owner, &json!({ "integration_override": null }))
            .expect(200)["integration_override"],
        Value::Null
    );
    assert_eq!(story.called().0, "https://acme.key-and-pin.example/tickets");
}

#[test]
fn a_change_whose_index_entry_fails_does_not_count_and_the_index_learns_so() {
    each_case([Fault::Lost, Fault::AnswerLost], |fault| {
        let story = Story::new();
        story
            .world
            .0
            .faults
            .borrow_mut()
            .push_back(("index_account".into(), fault));
        let client = &story.setting.client;
        assert_eq!(
            story
                .patch(client, &json!({ "tenant_id": "other" }))
                .code(503),
            "internal.storage"
        );
        assert_eq!(client.get(&story.path()).expect(200)["tenant_id"], "acme");
        story.world.pass(std::time::Duration::from_secs(61));
        futures::executor::block_on(story.world.ring_alarms());
        assert_eq!(
            client.get("/integrated-account?tenant_id=acme").expect(200)["result"]
                .as_array()
                .unwrap()
                .len(),
            1,
            "{fault:?}"
        );
        assert_eq!(
            client
                .get("/integrated-account?tenant_id=other")
                .expect(200)["result"],
            json!([])
        );
        assert_eq!(story.called().1, "old-pin");
    });
}

#[test]
fn a_restart_in_the_middle_of_a_change_finishes_it() {
    let story = Story::new();
    let client = &story.setting.client;
    let (path, body) = (
        story.path(),
        r#"{"tenant_id":"other","context":{"pin":"new-pin"}}"#,
    );
    story
        .world
        .0
        .hangs
        .borrow_mut()
        .push("index_account".into());
    futures::executor::block_on(async {
        let mut change =
            Box::pin(client.request_async("PATCH", &path, &[], Body::from_bytes(body)));
        assert!(futures::poll!(&mut change).is_pending());
    });
    story.world.restart();
    assert_eq!(client.get(&path).expect(200)["tenant_id"], "other");
    assert_eq!(story.called().1, "new-pin");
}

#[test]
fn a_list_that_finishes_a_change_gives_only_what_still_fits_its_filters() {
    let cases = [
        ("tenant_id=acme", r#"{"tenant_id":"other"}"#),
        ("is_sandbox=false", r#"{"is_sandbox":true}"#),
    ];
    each_case(cases, |(query, body)| {
        let story = Story::new();
        let client = &story.setting.client;
        let list = || {
            let answer = client.get(&format!("/integrated-account?{query}"));
            answer.expect(200)["result"].as_array().unwrap().len()
        };
        assert_eq!(list(), 1, "{query}");
        let hangs = &story.world.0.hangs;
        hangs.borrow_mut().push("index_account".into());
        let path = story.path();
        futures::executor::block_on(async {
            let mut change =
                Box::pin(client.request_async("PATCH", &path, &[], Body::from_bytes(body)));
            assert!(futures::poll!(&mut change).is_pending());
        });
        story.world.restart();
        assert_eq!(list(), 0, "{query}: its own look finished the change");
        let active = client.get("/integrated-account?status=active").expect(200);
        assert_eq!(active["result"][0]["id"], json!(story.id));
    });
}

#[test]
fn racing_patches_lose_nothing() {
    let story = Story::new();
    let path = story.path();
    let client = &story.setting.client;
    let patches = (0..20).map(|n| {
        let body = json!({ "context": { "many": { format!("k{n}"): n } } }).to_string();
        let path = &path;
        async move {
            client
                .request_async("PATCH", path, &[], Body::from_bytes(body))
                .await
                .status
        }
    });
    let statuses = futures::executor::block_on(futures::future::join_all(patches));
    assert!(statuses.iter().all(|status| *status == 200));
    assert_eq!(
        client.get(&path).expect(200)["context"]["many"]
            .as_object()
            .unwrap()
            .len(),
        20
    );
}

#[test]
fn an_account_token_may_call_its_account_and_little_else_for_a_quarter_of_an_hour() {
    let story = Story::new();
    let client = &story.setting.client;
    let made = client
        .post(
            "/integrated-account/token",
            &json!({ "integrated_account_id": story.id }),
        )
        .expect(201);
    let token = made["integrated_account_token"].as_str().unwrap();
    assert!(token.starts_with("at_") && !story.world.at_rest().contains(token));
    assert_eq!(made["expires_at"], "2023-11-14T22:28:20.000Z");
    let own = client.with_token(token);
    story.world.answers(200, &[], "[]");
    own.get("/proxy/tickets").expect(200);
    assert_eq!(
        own.get("/integrated-account/me").expect(200)["id"],
        json!(story.id)
    );
    let other = story
        .setting
        .account("api_key", &json!({ "subdomain": "b", "pin": "p" }));
    assert_eq!(
        own.get(&format!("/proxy/tickets?integrated_account_id={other}"))
            .code(404),
        "caller.not_found"
    );
    let cases = [
        own.get("/integrated-account"),
        own.get(&story.path()),
        own.delete(&story.path()),
        own.post(
            "/integrated-account/token",
            &json!({ "integrated_account_id": story.id }),
        ),
    ];
    each_case(cases, |answer| {
        assert_eq!(answer.code(403), "caller.forbidden");
    });
    assert_eq!(
        client.get("/integrated-account/me").code(403),
        "caller.forbidden"
    );
    let me = |context: Value| {
        own.send(
            "PATCH",
            "/integrated-account/me",
            &json!({ "context": context }),
        )
    };
    assert_eq!(
        me(json!({ "memo": "mine" })).expect(200)["context"]["memo"],
        "mine"
    );
    each_case(["note", "subdomain"], |key| {
        assert_eq!(me(json!({ key: "evil" })).code(422), "caller.invalid");
    });
    each_case(
        [json!({ "pin": "x" }), json!({ "deep": { "api_key": "x" } })],
        |secret| {
            assert_eq!(me(secret).code(422), "caller.invalid");
        },
    );
    story.world.restart();
    story.world.answers(200, &[], "[]");
    own.get("/proxy/tickets").expect(200);
    story.world.pass(std::time::Duration::from_mins(15));
    assert_eq!(
        own.get("/proxy/tickets").code(401),
        "caller.unauthenticated"
    );
    let forged = format!("at_{}_{}", story.id.replace('-', ""), "A".repeat(43));
    assert_eq!(
        client
            .with_token(&forged)
            .get("/integrated-account/me")
            .code(401),
        "caller.unauthenticated"
    );
}

#[test]
fn what_cannot_be_refreshed_says_so() {
    let story = Story::new();
    let refreshed = story.setting.client.post(
        "/integrated-account/refresh-credentials",
        &json!({ "id": story.id }),
    );
    assert_eq!(refreshed.code(422), "account.not_refreshable");
}

#[test]
fn many_are_deleted_at_once_and_each_says_how_it_went() {
    let story = Story::new();
    let other = story
        .setting
        .account("api_key", &json!({ "subdomain": "b", "pin": "p" }));
    let forged = "018bcfe5-6800-8000-8000-000000000000";
    let body = json!({ "ids": [story.id, forged, other, "nonsense"] });
    let result = story
        .setting
        .client
        .post("/integrated-account/bulk-delete", &body)
        .expect(200)["result"]
        .clone();
    assert_eq!(result[0], json!({ "id": story.id }));
    assert_eq!(
        (result[1]["error"]["code"].as_str(), &result[2]),
        (Some("caller.not_found"), &json!({ "id": other }))
    );
    assert_eq!(result[3]["error"]["code"], "caller.not_found");
    assert_eq!(
        story.setting.client.get("/integrated-account").expect(200)["result"],
        json!([])
    );
    assert!(
        id_of(
            &story
                .setting
                .admin
                .get("/integration/key-and-pin")
                .expect(200)
        )
        .len()
            == 36
    );
}
