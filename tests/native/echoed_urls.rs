//! A credential that goes in the URL, at a provider that writes that URL into its header fields: we find redirects and
//! pages by them, and the caller does not see it.

use std::collections::BTreeMap;

use causeway::ports::{Body, Reply};
use serde_json::{Value, json};
use url::Url;

use crate::account::Scene;
use crate::cases::each_case;
use crate::client::Answer;
use crate::files;
use crate::outside::{Pieces, Sent, World, reply};

const SECRET: &str = "k/secret 123";

fn open() -> Scene {
    let file = files::with_key(
        "echoing",
        &json!({
            "authorization": { "format": "query", "config": { "name": "key", "value": "{{api_key}}" } },
            "resources": { "r": {
                "list": { "path": "/r", "pagination": { "format": "link_header", "config": {} } },
                "get": { "path": "/r/{{id}}" } } },
        }),
    );
    let context = json!({ "api_key": SECRET });
    let scene = Scene::new(World::new(), &file, "api_key", &context);
    scene.world.provides(echo);
    scene
}

fn call(scene: &Scene, path: &str, headers: &[(&str, &str)]) -> Answer {
    let answer = scene.call("GET", path, headers, Body::Empty);
    let reported = format!("{:?} {}", answer.headers, answer.text());
    assert!(!reported.contains("secret"), "{reported}");
    assert_eq!(answer.header("content-location"), None);
    answer
}

/// Three pages, a redirect from `/old`, nothing at `/r/none`; and the request's own URL in each answer.
fn echo(sent: &Sent) -> Reply<Pieces> {
    let url: Url = sent.url.parse().unwrap();
    let query: BTreeMap<_, _> = url.query_pairs().collect();
    assert_eq!(query["key"], SECRET, "each request is signed in");
    let page: u64 = query.get("page").map_or(1, |page| page.parse().unwrap());
    let key = url.query_pairs().find(|(name, _)| name == "key").unwrap().1;
    let key: String = form_urlencoded::byte_serialize(key.as_bytes()).collect();
    let next = format!("</r?key={key}&page={}>; rel=\"next\"", page + 1);
    let there = format!("/r/1?key={key}");
    let mut headers = vec![
        ("content-type", "application/json"),
        ("content-location", url.as_str()),
        ("etag", "\"e\""),
    ];
    let (status, body) = match url.path() {
        "/old" => {
            headers.push(("location", &there));
            (301, String::new())
        }
        "/r" if page < 3 => {
            headers.push(("link", &next));
            (200, format!("[{page}]"))
        }
        "/r" => (200, format!("[{page}]")),
        "/r/none" => {
            headers.push(("link", &next));
            (404, "{}".to_owned())
        }
        _ => {
            headers.push(("link", "</docs>; rel=\"help\""));
            (200, r#"{"a":{"id":1}}"#.to_owned())
        }
    };
    reply(status, &headers, Body::from_bytes(body))
}

#[test]
fn every_page_is_found_by_a_link_that_no_caller_sees() {
    let scene = open();
    let (mut ids, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let cursor_in = cursor.map(|cursor| format!("?next_cursor={cursor}"));
        let path = format!("/proxy/r{}", cursor_in.unwrap_or_default());
        let answer = call(&scene, &path, &[]);
        assert_eq!(answer.header("link"), None);
        let page = answer.expect(200);
        ids.extend(page["result"].as_array().unwrap().clone());
        match &page["next_cursor"] {
            Value::Null => break,
            next => cursor = Some(next.as_str().unwrap().to_owned()),
        }
    }
    assert_eq!(ids, [1, 2, 3]);
    let all = call(&scene, "/proxy/r", &[("x-all-pages", "true")]);
    assert_eq!(all.text(), "1\n2\n3\n");
    assert_eq!(scene.world.sent().len(), 6);
}

#[test]
fn a_redirect_that_tells_the_secret_is_followed() {
    let scene = open();
    let answer = call(&scene, "/custom/old", &[]);
    assert_eq!(answer.text(), r#"{"a":{"id":1}}"#);
    assert_eq!(scene.world.sent().len(), 2);
}

#[test]
fn other_fields_are_passed_on_streamed_cut_and_refused() {
    let scene = open();
    each_case(["/custom/r/1", "/proxy/r/1"], |path| {
        let answer = call(&scene, path, &[]);
        assert_eq!(
            (answer.header("link"), answer.header("etag")),
            (Some("</docs>; rel=\"help\""), Some("\"e\"")),
            "{path}"
        );
        assert_eq!(answer.header("content-type"), Some("application/json"));
    });
    let refused = call(&scene, "/proxy/r/none", &[]);
    assert_eq!(refused.header("link"), None);
    assert_eq!(refused.code(404), "provider.rejected");
}
