//! Requests that are signed: AWS Signature Version 4, and signatures that expressions make.

use std::cell::Cell;
use std::rc::Rc;

use causeway::ports::{Body, Reply};
use causeway::settings::SIGNED_BODY_BYTES;
use serde_json::{Value, json};

use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::outside::{Pieces, Sent, World, reply, streamed};

const BASE: &str = "https://store.example";

fn sigv4(more: &Value) -> Value {
    let mut config = json!({
        "access_key_id": "{{key_id}}", "secret_access_key": "{{secret_key}}", "session_token": "{{session}}",
        "region": "eu-central-1", "service": "s3",
    });
    causeway::json::merge(&mut config, more);
    json!({ "format": "aws_sigv4", "config": config })
}

fn file(authorization: &Value) -> Value {
    json!({ "name": "store", "config": {
        "base_url": BASE,
        "credentials": { "api_key": { "config": { "fields": [
            { "name": "key_id" }, { "name": "secret_key", "type": "password", "required": true },
            { "name": "session", "type": "password" },
        ] } } },
        "authorization": authorization,
        "resources": { "objects": {
            "list": { "path": "/" }, "get": { "path": "/{{id}}" },
            "update": { "method": "put", "path": "/{{id}}", "body_format": "raw" },
        } },
    } })
}

fn scene(authorization: &Value, answers: impl Fn(&Sent) -> Reply<Pieces> + 'static) -> Scene {
    let world = World::new();
    world.provides(answers);
    let context = json!({ "key_id": "AKIDEXAMPLE", "secret_key": "secret-of-the-key" });
    Scene::new(world, &file(authorization), "api_key", &context)
}

fn signature(sent: &Sent) -> String {
    sent.header("authorization").unwrap().to_owned()
}

#[test]
fn each_retry_is_signed_at_its_own_time() {
    let count = Rc::new(Cell::new(0));
    let counted = Rc::clone(&count);
    let scene = scene(&sigv4(&json!({})), move |_| {
        counted.set(counted.get() + 1);
        let status = if counted.get() == 1 { 503 } else { 200 };
        let headers = [JSON[0], ("retry-after", "2")];
        reply(status, &headers, Body::from_bytes("{}"))
    });
    let answer = scene.call_passing("GET", "/proxy/objects/a%2Fb", &[], Body::Empty);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let sent = scene.world.sent();
    assert_eq!(sent.len(), 2);
    assert_ne!(sent[0].header("x-amz-date"), sent[1].header("x-amz-date"));
    assert_ne!(signature(&sent[0]), signature(&sent[1]));
    for one in &sent {
        assert!(signature(one).starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/2023111"));
        assert_eq!(one.header("x-amz-security-token"), None);
    }
    assert!(!scene.world.at_rest().contains("secret-of-the-key"));
}

#[test]
fn a_redirect_is_signed_for_its_target_and_not_beyond_the_origin() {
    for (location, is_signed) in [("/moved?x=1", true), ("https://other.example/moved", false)] {
        let scene = scene(&sigv4(&json!({})), move |sent| {
            if sent.url.contains("moved") {
                reply(200, &JSON, Body::from_bytes("{}"))
            } else {
                reply(307, &[("location", location)], Body::Empty)
            }
        });
        let answer = scene.call_passing("GET", "/proxy/objects/a", &[], Body::Empty);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let sent = scene.world.sent();
        let second = sent[1].header("authorization");
        assert_eq!(second.is_some(), is_signed, "{location}");
        assert_ne!(second, sent[0].header("authorization"));
        assert_eq!(sent[1].header("x-amz-content-sha256").is_some(), is_signed);
    }
}

#[test]
fn a_caller_cannot_replace_what_the_signature_sets() {
    let scene = scene(&sigv4(&json!({})), |_| {
        reply(200, &JSON, Body::from_bytes("{}"))
    });
    let theirs = [
        ("x-amz-security-token", "theirs"),
        ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
        ("x-amz-date", "20200101T000000Z"),
        ("x-forward-x-amz-security-token", "theirs"),
        ("x-amz-acl", "private"),
    ];
    let answer = scene.call_passing("GET", "/custom/a?b=c+d", &theirs, Body::Empty);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let sent = scene.world.sent().remove(0);
    assert_eq!(sent.header("x-amz-security-token"), None);
    assert!(sent.header("x-amz-date").unwrap().starts_with("2023"));
    let of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(sent.header("x-amz-content-sha256"), Some(of_nothing));
    assert!(sent.url.ends_with("/a?b=c%20d"), "{}", sent.url);
}

fn unannounced(bytes: usize) -> Body<Pieces> {
    streamed(&[vec![b'x'; bytes].leak()], None)
}

#[test]
fn a_body_is_held_up_to_its_limit_or_streamed_unsigned() {
    let streams = json!({ "unsigned_payload": true });
    let cases = [
        (json!({}), SIGNED_BODY_BYTES, 200, false),
        (json!({}), SIGNED_BODY_BYTES + 1, 413, false),
        (streams.clone(), SIGNED_BODY_BYTES + 1, 200, true),
        (streams, 3, 200, true),
    ];
    each_case(cases, |(more, bytes, status, is_unsigned)| {
        let scene = scene(&sigv4(&more), |_| reply(200, &JSON, Body::from_bytes("{}")));
        let answer = scene.call_passing("PUT", "/proxy/objects/a", &[], unannounced(bytes));
        assert_eq!(answer.status, status, "{}", answer.text());
        let sent = scene.world.sent();
        if status != 200 {
            assert!(sent.is_empty());
            assert_eq!(answer.json()["code"], "caller.body_too_large");
            return;
        }
        assert_eq!(sent[0].body.len(), bytes);
        let hash = sent[0].header("x-amz-content-sha256");
        assert_eq!(hash == Some("UNSIGNED-PAYLOAD"), is_unsigned);
    });
}

#[test]
fn a_role_is_assumed_by_a_custom_token() {
    let config = blocks_below("### AWS signatures").remove(1);
    let world = World::new();
    world.provides(|sent| {
        if sent.url == "https://sts.eu-central-1.amazonaws.com/" {
            let body = String::from_utf8(sent.body.clone()).unwrap();
            assert!(body.contains("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr"), "{body}");
            assert!(sent.header("authorization").unwrap().contains("Credential=AKIDOWN/20231114/eu-central-1/sts/aws4_request"));
            let answer = json!({ "AssumeRoleResponse": { "AssumeRoleResult": { "Credentials": {
                "AccessKeyId": "ASIATEMP", "SecretAccessKey": "temporary/secret+key", "SessionToken": "session/token+of==", "Expiration": 1_700_003_600_i64,
            } } } });
            return reply(200, &JSON, Body::from_bytes(answer.to_string()));
        }
        reply(200, &JSON, Body::from_bytes("{}"))
    });
    let file = json!({ "name": "queue", "config": config });
    let context = json!({ "role": "arn:aws:iam::1:role/r", "access_key_id": "AKIDOWN", "secret_access_key": "own-secret-key" });
    let scene = Scene::new(world, &file, "custom_token", &context);
    scene.world.sent();
    let answer = scene.call_passing("GET", "/custom/queue", &[], Body::Empty);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let sent = scene.world.sent().pop().unwrap();
    assert!(
        signature(&sent).contains("Credential=ASIATEMP/20231114/eu-central-1/sqs/aws4_request")
    );
    assert_eq!(
        sent.header("x-amz-security-token"),
        Some("session/token+of==")
    );
    assert!(!scene.world.at_rest().contains("temporary/secret+key"));
}

/// The blocks of the guide below this heading.
fn blocks_below(heading: &str) -> Vec<Value> {
    let path = crate::integration_files::root().join("docs/integration-file.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, rest) = text.split_once(heading).unwrap();
    let section = rest.split("\n### ").next().unwrap();
    let blocks = section.split("```json alone\n").skip(1);
    blocks
        .map(|block| serde_json::from_str(block.split_once("```").unwrap().0).unwrap())
        .collect()
}

#[test]
fn the_signatures_of_the_guide_are_those_that_their_vendors_document() {
    let blocks = blocks_below("### Signatures by an expression");
    let world = World::new();
    world.provides(|_| reply(200, &JSON, Body::from_bytes("{}")));
    let file = json!({ "name": "dated", "config": blocks[0] });
    let context = json!({ "host": "api-1.lantern.example", "integration_key": "IKEY", "secret_key": "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep" });
    let scene = Scene::new(world, &file, "api_key", &context);
    scene.call_passing(
        "GET",
        "/proxy/users?username=root&realname=First+Last",
        &[],
        Body::Empty,
    );
    let sent = scene.world.sent().remove(0);
    let date = sent.header("date").unwrap().to_owned();
    assert!(
        date.starts_with("Tue, 14 Nov 2023 22:1") && date.ends_with(" +0000"),
        "{date}"
    );
    let text = format!(
        "{date}\nGET\napi-1.lantern.example\n/admin/v1/users\nrealname=First%20Last&username=root"
    );
    let key = b"Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep";
    let code = causeway::crypto::hmac(causeway::crypto::Hash::Sha1, key, text.as_bytes());
    let expected = format!("IKEY:{}", data_encoding::HEXLOWER.encode(&code));
    let expected = data_encoding::BASE64.encode(expected.as_bytes());
    assert_eq!(signature(&sent), format!("Basic {expected}"));

    let world = World::new();
    world.provides(|_| reply(200, &JSON, Body::from_bytes("{}")));
    let file = json!({ "name": "digest", "config": blocks[1] });
    let context = json!({ "user": "bob", "password": "taadtaadpstcsm" });
    let scene = Scene::new(world, &file, "api_key", &context);
    let mut seen = Vec::new();
    for _ in 0..2 {
        scene.call_passing("GET", "/proxy/contacts", &[], Body::Empty);
        let sent = scene.world.sent().remove(0);
        let wsse = sent.header("x-wsse").unwrap().to_owned();
        let value = |name: &str| {
            let (_, rest) = wsse.split_once(&format!("{name}=\"")).unwrap();
            rest.split('"').next().unwrap().to_owned()
        };
        let nonce = data_encoding::BASE64
            .decode(value("Nonce").as_bytes())
            .unwrap();
        let text = [
            nonce,
            value("Created").into_bytes(),
            b"taadtaadpstcsm".to_vec(),
        ]
        .concat();
        let digest = causeway::crypto::digest(causeway::crypto::Hash::Sha1, &text);
        assert_eq!(
            value("PasswordDigest"),
            data_encoding::BASE64.encode(&digest)
        );
        assert_eq!(value("Username"), "bob");
        seen.push(wsse);
    }
    assert_ne!(seen[0], seen[1], "a nonce is used once");
}

#[test]
fn an_expression_without_its_key_sends_nothing() {
    let authorization = json!({ "format": "header", "config": { "expression": "{'x-sum': $hmac('sha256', context.missing, url)}" } });
    let scene = scene(&authorization, |_| {
        reply(200, &JSON, Body::from_bytes("{}"))
    });
    let answer = scene.call_passing("GET", "/proxy/objects/a", &[], Body::Empty);
    assert_eq!(answer.status, 500, "{}", answer.text());
    assert_eq!(answer.json()["code"], "integration.expression_failed");
    assert!(scene.world.sent().is_empty());
}
