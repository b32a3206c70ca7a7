//! Batches: order, parallel calls, loops, conditions and errors.

mod limits;
mod work;

use std::time::Duration;

use causeway::ports::{Body, Reply, System};
use futures::executor::block_on;
use serde_json::{Value, json};

use super::{context, crm};
use crate::account::JSON;
use crate::cases::each_case;
use crate::client::{Client, Setting};
use crate::outside::{Pieces, Sent, World, reply};

struct Scene {
    setting: Setting,
    account: String,
}

impl Scene {
    fn new(world: &World) -> Self {
        let setting = Setting::new(world, &crm());
        let account = setting.account("oauth2", &context(&Value::Null));
        Self { setting, account }
    }

    fn world(&self) -> &World {
        &self.setting.client.world
    }

    fn body(&self, resources: &Value) -> Value {
        json!({ "integrated_account_id": self.account, "resources": resources, "args": { "city": "Köln", "ids": [1, 2, 3] } })
    }

    /// The answer to a batch, while the clock goes on.
    fn run(&self, resources: &Value) -> Value {
        let body = self.body(resources);
        let request = self
            .setting
            .client
            .send_async("POST", "/batch-request", &body);
        block_on(self.world().run_passing(request)).expect(200)
    }

    fn provides(&self, answer: impl Fn(&str, &Sent) -> (u16, String) + 'static) {
        self.world().provides(move |sent| {
            let path = sent.url.strip_prefix("https://api.acme.example").unwrap();
            let (status, body) = answer(path, sent);
            reply(status, &JSON, Body::from_bytes(body)) as Reply<Pieces>
        });
    }

    fn sent(&self) -> Vec<String> {
        let sent = self.world().sent().into_iter();
        sent.map(|sent| {
            let path = sent
                .url
                .strip_prefix("https://api.acme.example")
                .unwrap()
                .to_owned();
            let body = String::from_utf8(sent.body).unwrap();
            format!("{} {path} {body}", sent.method)
                .trim_end()
                .to_owned()
        })
        .collect()
    }
}

fn codes(answer: &Value, name: &str) -> Vec<String> {
    let errors = answer["errors"][name]
        .as_array()
        .cloned()
        .unwrap_or_default();
    errors
        .iter()
        .map(|own| own["code"].as_str().unwrap().to_owned())
        .collect()
}
#[test]
fn later_nodes_use_what_earlier_ones_gave() {
    let scene = Scene::new(&World::new());
    scene.provides(|path, _| match path {
        "/contacts?city=K%C3%B6ln" => (
            200,
            r#"{"items":[{"id":12345678901234567890}],"next":"p2"}"#.to_owned(),
        ),
        "/contacts?city=K%C3%B6ln&after=p2" => (200, r#"{"items":[{"id":2}]}"#.to_owned()),
        "/contacts/12345678901234567890" => (200, r#"{"name":"Ada","n":1e400}"#.to_owned()),
        _ => (200, "{}".to_owned()),
    });
    let answer = scene.setting.client.post("/batch-request", &scene.body(&json!([
        { "resource": "contacts", "method": "list", "query": { "city": "{{args.city}}" } },
        { "name": "first", "resource": "contacts", "method": "get", "id": "{{resources.contacts.0.id}}" },
        { "name": "made", "resource": "contacts", "method": "create", "body": { "name": "{{resources.first.0.name}} II", "age": 3 } },
        { "name": "quiet", "resource": "contacts", "method": "delete", "id": "9", "persist": false, "depends_on": ["made"] },
    ])));
    assert_eq!(
        answer.text(),
        r#"{"result":{"contacts":[{"id":12345678901234567890},{"id":2}],"first":[{"name":"Ada","n":1e400}],"made":[{}]},"errors":{}}"#
    );
    assert_eq!(
        scene.sent(),
        [
            "GET /contacts?city=K%C3%B6ln",
            "GET /contacts?city=K%C3%B6ln&after=p2",
            "GET /contacts/12345678901234567890",
            r#"POST /contacts {"name":"Ada II","age":3}"#,
            "DELETE /contacts/9?pin=4711",
        ]
    );
}

#[test]
fn a_node_is_called_for_each_item_and_left_out_where_its_condition_says_so() {
    let scene = Scene::new(&World::new());
    scene.provides(|path, _| match path {
        "/contacts/2" => (404, r#"{"error":"gone"}"#.to_owned()),
        path => (200, format!(r#"{{"path":"{path}"}}"#)),
    });
    let answer = scene.run(&json!([
        { "name": "each", "resource": "contacts", "method": "get", "loop_on": "args.ids", "id": "{{item}}" },
        { "name": "none", "resource": "contacts", "method": "get", "loop_on": "args.none", "id": "{{item}}" },
        { "name": "left_out", "resource": "contacts", "method": "get", "run_if": "$count(args.ids) > 3", "id": "8" },
        { "name": "behind", "resource": "contacts", "method": "get", "id": "7", "depends_on": ["none", "left_out"] },
        { "name": "unmet", "resource": "contacts", "method": "get", "id": "6", "depends_on": ["each"] },
        { "name": "further", "resource": "contacts", "method": "get", "id": "5", "depends_on": ["unmet"] },
    ]));
    let mut each: Vec<_> = answer["result"]["each"].as_array().unwrap().clone();
    each.sort_by_key(Value::to_string);
    assert_eq!(
        each,
        [
            json!({ "path": "/contacts/1" }),
            json!({ "path": "/contacts/3" })
        ]
    );
    assert_eq!(answer["errors"]["each"][0]["statusCode"], 404);
    assert_eq!(
        answer["errors"]["each"][0]["raw_response"],
        json!({ "error": "gone" })
    );
    assert_eq!(codes(&answer, "each"), ["provider.rejected"]);
    assert_eq!(answer["result"]["none"], json!([]));
    assert_eq!(answer["result"].get("left_out"), None);
    assert_eq!(
        answer["result"]["behind"],
        json!([{ "path": "/contacts/7" }])
    );
    assert_eq!(
        (codes(&answer, "unmet"), codes(&answer, "further")),
        (
            vec!["caller.not_reached".to_owned()],
            vec!["caller.not_reached".to_owned()]
        )
    );
    assert_eq!(scene.sent().len(), 4);
}

#[test]
fn independent_nodes_run_in_parallel_within_four_connections() {
    let scene = Scene::new(&World::new());
    scene.provides(|_, _| (200, "{}".to_owned()));
    scene.world().answers_late(|_| Duration::from_secs(1));
    let began = scene.world().now();
    let answer = scene.run(&json!((0..8).map(|n| json!({ "name": format!("n{n}"), "resource": "contacts", "method": "get", "id": n.to_string() })).collect::<Vec<_>>()));
    assert_eq!(answer["errors"], json!({}));
    let took = scene.world().now().since(began);
    assert!((2..4).contains(&took.as_secs()), "{took:?}");
}

#[test]
fn what_is_wrong_is_refused_before_anything_is_sent() {
    let scene = Scene::new(&World::new());
    let client = &scene.setting.client;
    let node = |more: Value| {
        let mut own = json!({ "resource": "contacts", "method": "get" });
        causeway::json::merge(&mut own, &more);
        own
    };
    let cases = [
        (json!([]), "resources"),
        (
            json!([node(json!({ "method": "burn" }))]),
            "resources[0].method",
        ),
        (
            json!([node(json!({ "resource": "none" }))]),
            "resources[0].method",
        ),
        (
            json!([node(json!({ "id": "{{resources.x.id}}" }))]),
            "resources[0].id",
        ),
        (
            json!([node(json!({ "depends_on": ["contacts"] }))]),
            "resources",
        ),
        (
            json!([node(json!({ "loop_on": "resources.x[id = 1]" }))]),
            "resources[0].loop_on",
        ),
        (
            json!([node(json!({ "run_if": "$count(resources.x) > 0" }))]),
            "resources[0].run_if",
        ),
        (
            json!([node(json!({ "loop_on": "((" }))]),
            "resources[0].loop_on",
        ),
        (
            json!([node(json!({ "id": "{{a:wrong}}" }))]),
            "resources[0].id",
        ),
        (
            json!([node(json!({ "unknown": 1 }))]),
            "resources[0].unknown",
        ),
    ];
    each_case(cases, |(resources, path)| {
        let answer = client
            .post("/batch-request", &scene.body(&resources))
            .expect(422);
        assert_eq!(answer["details"]["failures"][0]["path"], path, "{answer}");
    });
    for (text, status) in [("{", 400), ("", 400), ("[]", 422), ("{}", 422)] {
        let answer = client.request(
            "POST",
            "/batch-request",
            &JSON,
            Body::from_bytes(text.to_owned()),
        );
        assert_eq!(answer.status, status, "{text}");
    }
    assert_eq!(scene.world().sent().len(), 0);
}

#[test]
fn letters_of_several_bytes_survive_a_long_page() {
    let scene = Scene::new(&World::new());
    let texts: Vec<String> = (0..400)
        .map(|n| format!("{}{}", "a".repeat(n % 3), "\u{1f6a2}".repeat(120)))
        .collect();
    let page = json!({ "items": texts }).to_string();
    scene.provides(move |_, _| (200, page.clone()));
    let answer = scene.run(&json!([{ "resource": "contacts", "method": "list" }]));
    assert_eq!(answer["result"]["contacts"], json!(texts));
}

#[test]
fn a_batch_is_of_the_callers_account() {
    let scene = Scene::new(&World::new());
    let other = scene.setting.account("oauth2", &context(&Value::Null));
    let customer = scene.setting.customer(&scene.account);
    let stranger: Client = scene
        .setting
        .admin
        .token_of(&scene.setting.admin.environment("o"), None);
    let nodes = json!([{ "resource": "contacts", "method": "get", "id": "1" }]);
    let of = |account: Value| json!({ "integrated_account_id": account, "resources": nodes });
    let cases = [
        (&customer, json!(other), 404),
        (&customer, json!("x"), 404),
        (&stranger, json!(scene.account), 404),
        (&scene.setting.client, Value::Null, 422),
        (&scene.setting.client, json!(7), 404),
    ];
    each_case(cases, |(client, account, status)| {
        let answer = client.post("/batch-request", &of(account.clone()));
        assert_eq!(answer.status, status, "{account}");
    });
    assert_eq!(scene.world().sent().len(), 0);
    for body in [of(json!(scene.account)), json!({ "resources": nodes })] {
        scene.world().answers(200, &JSON, "{}");
        customer.post("/batch-request", &body).expect(200);
    }
}

#[test]
fn templates_read_nothing_of_the_account() {
    let scene = Scene::new(&World::new());
    scene.provides(|_, _| (200, r#"{"name":"{{pin}}"}"#.to_owned()));
    let answer = scene.run(&json!([
        { "name": "pin", "resource": "contacts", "method": "get", "id": "{{pin}}" },
        { "name": "token", "resource": "contacts", "method": "get", "id": "{{oauth.token.access_token|context.pin}}" },
        { "name": "variable", "resource": "contacts", "method": "get", "id": "{{environment_variables.x}}" },
        { "name": "loop", "resource": "contacts", "method": "get", "loop_on": "$context", "id": "{{item}}" },
        { "name": "answer", "resource": "contacts", "method": "get", "id": "1" },
        { "name": "behind", "resource": "contacts", "method": "get", "id": "{{resources.answer.0.name}}" },
    ]));
    for name in ["pin", "token", "variable"] {
        assert_eq!(codes(&answer, name), ["caller.missing_value"], "{answer}");
    }
    let mut sent = scene.sent();
    sent.sort();
    assert_eq!(sent, ["GET /contacts/%7B%7Bpin%7D%7D", "GET /contacts/1"]);
}
