//! `authorization` as a list: every secret of a request is the file's, is applied in order, and goes where one alone goes.

use causeway::config::read;
use causeway::ports::{Body, Reply};
use serde_json::{Value, json};

use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::client::Client;
use crate::outside::{Pieces, Sent, World, reply};

const BASE: &str = "https://api.two-secrets.example";

fn file(authorization: &Value) -> Value {
    json!({ "name": "two-secrets", "config": {
        "base_url": BASE,
        "credentials": { "api_key": { "config": { "fields": [
            { "name": "user_key", "type": "password" }, { "name": "app_key", "type": "password" },
            { "name": "header_name" },
        ] } } },
        "authorization": authorization,
        "resources": { "items": {
            "get": { "path": "/items/{{id}}" },
            "open": { "path": "/open", "no_auth": true },
            "other": { "path": "/other", "authorization": [query("k", "user_key"), header("x-other", "app_key")] },
        } },
    } })
}

fn header(name: &str, key: &str) -> Value {
    json!({ "format": "header", "config": { "name": name, "value": format!("{{{{{key}}}}}") } })
}

fn query(name: &str, key: &str) -> Value {
    json!({ "format": "query", "config": { "name": name, "value": format!("{{{{{key}}}}}") } })
}

fn three() -> Value {
    json!([
        { "format": "bearer", "config": { "token": "{{user_key}}" } },
        header("x-app-key", "app_key"),
        query("key", "app_key"),
    ])
}

fn scene(authorization: &Value, answers: impl Fn(&Sent) -> Reply<Pieces> + 'static) -> Scene {
    let file = file(authorization);
    assert!(
        read(&file).integration.is_some(),
        "{:?}",
        read(&file).findings
    );
    let world = World::new();
    world.provides(answers);
    let context = json!({ "user_key": "key-of-the-user", "app_key": "key-of-the-app", "header_name": "x-named" });
    Scene::new(world, &file, "api_key", &context)
}

fn accepting(authorization: &Value) -> Scene {
    scene(authorization, |_| reply(200, &JSON, Body::from_bytes("{}")))
}

#[test]
fn each_is_in_the_request_and_no_caller_replaces_one() {
    let scene = accepting(&three());
    let theirs = [
        ("x-app-key", "theirs"),
        ("x-forward-x-app-key", "theirs"),
        ("x-forward-x_app_key", "theirs"),
    ];
    for path in ["/proxy/items/1", "/custom/items/1"] {
        let path = format!("{}&key=theirs&%6bey=theirs", scene.path(path));
        let answer = scene
            .setting
            .client
            .request("GET", &path, &theirs, Body::Empty);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let sent = scene.world.sent().remove(0);
        assert_eq!(sent.header("authorization"), Some("Bearer key-of-the-user"));
        assert_eq!(sent.header("x-app-key"), Some("key-of-the-app"));
        assert_eq!(sent.header("x_app_key"), None);
        assert_eq!(sent.url, format!("{BASE}/items/1?key=key-of-the-app"));
    }
    assert!(!scene.world.at_rest().contains("key-of-the-"));
}

#[test]
fn a_method_has_its_own_list_or_none() {
    let scene = accepting(&three());
    scene
        .call_passing("POST", "/proxy/items/other", &[], Body::Empty)
        .expect(200);
    scene
        .call_passing("POST", "/proxy/items/open", &[], Body::Empty)
        .expect(200);
    let sent = scene.world.sent();
    assert_eq!(sent[0].url, format!("{BASE}/other?k=key-of-the-user"));
    assert_eq!(sent[0].header("x-other"), Some("key-of-the-app"));
    assert_eq!(sent[1].url, format!("{BASE}/open"));
    for one in &sent {
        assert_eq!(one.header("authorization"), None);
        assert_eq!(one.header("x-app-key"), None);
    }
}

#[test]
fn a_redirect_beyond_the_origin_gets_none_of_them() {
    let cases = [("/moved", true), ("https://other.example/moved", false)];
    each_case(cases, |(location, has_all)| {
        let scene = scene(&three(), move |sent| {
            if sent.url.contains("moved") {
                reply(200, &JSON, Body::from_bytes("{}"))
            } else {
                reply(307, &[("location", location)], Body::Empty)
            }
        });
        scene
            .call_passing("GET", "/proxy/items/1", &[], Body::Empty)
            .expect(200);
        let sent = scene.world.sent().remove(1);
        assert_eq!(sent.header("authorization").is_some(), has_all);
        assert_eq!(sent.header("x-app-key").is_some(), has_all);
        assert_eq!(sent.url.contains("key-of-the-app"), has_all, "{}", sent.url);
    });
}

/// A signature is last, so it covers what the others wrote.
#[test]
fn a_signature_covers_what_is_before_it() {
    let signature = json!({ "format": "header", "config": { "expression":
        "{ 'x-signature': $hmac('sha256', context.user_key, requestOptions.canonicalQuery & requestOptions.headers.'x-app-key') }" } });
    let scene = accepting(&json!([
        query("key", "app_key"),
        header("x-app-key", "app_key"),
        signature
    ]));
    scene
        .call_passing("GET", "/proxy/items/1", &[], Body::Empty)
        .expect(200);
    let sent = scene.world.sent().remove(0);
    let of = "key=key-of-the-appkey-of-the-app";
    let expected = causeway::crypto::hmac(
        causeway::crypto::Hash::Sha256,
        b"key-of-the-user",
        of.as_bytes(),
    );
    let expected = data_encoding::HEXLOWER.encode(&expected);
    assert_eq!(sent.header("x-signature"), Some(expected.as_str()));

    let sigv4 = json!({ "format": "aws_sigv4", "config": {
        "access_key_id": "AKIDEXAMPLE", "secret_access_key": "{{user_key}}", "region": "eu-central-1", "service": "s3" } });
    let scene = accepting(&json!([
        query("key", "app_key"),
        header("x-amz-app", "app_key"),
        sigv4
    ]));
    scene
        .call_passing("GET", "/proxy/items/1", &[], Body::Empty)
        .expect(200);
    let sent = scene.world.sent().remove(0);
    assert!(sent.url.ends_with("?key=key-of-the-app"), "{}", sent.url);
    let signed = sent.header("authorization").unwrap();
    assert!(
        signed.contains("SignedHeaders=host;x-amz-app;x-amz-content-sha256;x-amz-date"),
        "{signed}"
    );
}

#[test]
fn two_that_write_the_same_are_refused_when_that_shows() {
    let named = header("{{header_name}}", "user_key");
    let cases = [
        (json!([header("x-named", "app_key"), named]), "x-named"),
        (
            json!([header("x-a", "app_key"), { "format": "header", "config": { "expression": "{ 'X-A': context.user_key }" } }]),
            "x-a",
        ),
    ];
    each_case(cases, |(list, name)| {
        let scene = accepting(&list);
        let answer = scene.call_passing("GET", "/proxy/items/1", &[], Body::Empty);
        assert!(!answer.text().contains("key-of-the-"), "{name}");
        assert_eq!(answer.code(500), "integration.invalid");
        assert!(scene.world.sent().is_empty());
    });
}

#[test]
fn an_override_replaces_the_whole_list() {
    let scene = accepting(&three());
    let admin = Client::admin(&scene.world);
    let one = json!({ "authorization": [header("x-only", "user_key")] });
    scene.override_install_as(&admin, &one).expect(200);
    scene
        .call_passing("GET", "/proxy/items/1", &[], Body::Empty)
        .expect(200);
    let single = json!({ "authorization": header("x-single", "app_key") });
    scene.override_account_as(&admin, &single).expect(200);
    scene
        .call_passing("GET", "/proxy/items/1", &[], Body::Empty)
        .expect(200);
    let sent = scene.world.sent();
    assert_eq!(sent[0].header("x-only"), Some("key-of-the-user"));
    assert_eq!(sent[1].header("x-single"), Some("key-of-the-app"));
    assert_eq!(sent[1].header("x-only"), None);
    for one in &sent {
        assert_eq!(one.header("authorization"), None);
        assert_eq!(one.url, format!("{BASE}/items/1"));
    }
}

/// What is sent in a URL comes back in headers of the answer; the caller sees neither.
#[test]
fn no_parameter_of_the_list_comes_back() {
    let list = json!([query("a", "user_key"), query("b", "app_key")]);
    let scene = scene(&list, |sent| {
        let headers = [JSON[0], ("x-link", sent.url.as_str())];
        let body = format!("{{\"self\":\"{}\"}}", sent.url);
        reply(400, &headers, Body::from_bytes(body))
    });
    let answer = scene.call_passing("GET", "/proxy/items/1", &[], Body::Empty);
    let shown = format!("{:?} {}", answer.headers, answer.text());
    assert!(!shown.contains("key-of-the-"), "{shown}");
}
