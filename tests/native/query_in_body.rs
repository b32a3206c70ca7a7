//! `add_query_to_body`: the caller's query in the body of the request, however much there is of both, and on every
//! page.

use causeway::ports::Body;
use serde_json::{Value, json};

use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::client::Answer;
use crate::files;

fn open() -> Scene {
    let letters = |format: &str| {
        json!({ "list": {
            "method": "post", "path": "/r", "body_format": format, "body": { "kind": "letter" },
            "add_query_to_body": true, "ignore_body_in_pagination": true,
            "pagination": { "format": "page", "config": { "page_key": "page", "add_to_body": true } } } })
    };
    let file = files::with_key(
        "search-by-post",
        &json!({
            "authorization": { "format": "bearer", "config": { "token": "{{api_key}}" } },
            "resources": {
                "r": { "create": { "method": "post", "path": "/r", "add_query_to_body": true } },
                "letters": letters("json"),
                "forms": letters("form"),
            },
        }),
    );
    Scene::with_key(&[], &file)
}

fn call(scene: &Scene, method: &str, path: &str, query: &str, body: &str) -> Answer {
    let path = scene.path(path) + query;
    let body = Body::from_bytes(body.to_owned());
    scene.setting.client.request(method, &path, &JSON, body)
}

/// The body that the provider got.
fn sent(scene: &Scene) -> String {
    let sent = scene.world.sent().remove(0);
    assert_eq!(
        sent.url, "https://api.search-by-post.example/r",
        "and no query"
    );
    String::from_utf8(sent.body).unwrap()
}

/// `&x0=0&x1=1…`, and the entries that become of it.
fn parameters(count: usize) -> (String, String) {
    let query: Vec<String> = (0..count).map(|n| format!("&x{n:x}={n}")).collect();
    let entries: Vec<String> = (0..count).map(|n| format!("\"x{n:x}\":\"{n}\"")).collect();
    (query.concat(), entries.join(","))
}

#[test]
fn two_thousand_parameters_go_into_half_a_megabyte() {
    let scene = open();
    let (query, entries) = parameters(2_000);
    let numbers = format!("[{}1e400]", "1,".repeat(250_000));
    scene.world.answers(200, &JSON, "{}");
    let body = format!(r#"{{"x0":"ours","a":{numbers}}}"#);
    call(&scene, "POST", "/proxy/r", &query, &body).expect(200);
    let sent = sent(&scene);
    assert!(
        sent == format!(r#"{{"a":{numbers},{entries}}}"#),
        "{sent:.200}"
    );
}

#[test]
fn a_few_parameters_go_into_an_object_of_fifty_thousand_entries() {
    let scene = open();
    let (query, entries) = parameters(40);
    let own: Vec<String> = (0..50_000).map(|n| format!("\"{n}\":0")).collect();
    let own = own.join(",");
    scene.world.answers(200, &JSON, "{}");
    let body = format!("{{{own}}}");
    call(&scene, "POST", "/proxy/r", &query, &body).expect(200);
    let sent = sent(&scene);
    assert!(sent == format!("{{{own},{entries}}}"), "{sent:.200}");
}

#[test]
fn filters_stand_in_the_body_of_every_page_though_the_methods_own_does_not() {
    let scene = open();
    let cases = [
        (
            "/proxy/letters",
            r#"{"kind":"letter","status":"open","page":1}"#,
            r#"{"status":"open","page":2}"#,
        ),
        (
            "/proxy/forms",
            "kind=letter&status=open&page=1",
            "status=open&page=2",
        ),
    ];
    each_case(cases, |(path, first, second)| {
        scene.world.answers(200, &JSON, "[1,2]");
        let page = call(&scene, "GET", path, "&status=open", "").expect(200);
        assert_eq!(sent(&scene), first);
        scene.world.answers(200, &JSON, "[3]");
        let cursor = page["next_cursor"].as_str().unwrap();
        let query = format!("&status=open&next_cursor={cursor}");
        let page: Value = call(&scene, "GET", path, &query, "").expect(200);
        assert_eq!(page["result"], json!([3]));
        assert_eq!(sent(&scene), second);
    });
}
