//! `error_expression` and answers that are no JSON: only JSON, XML and forms are held for it. What else there is streams,
//! after its status and header fields were looked at.

use causeway::ports::Body;
use serde_json::{Value, json};

use crate::account::Scene;
use crate::cases::each_case;
use crate::client::Answer;
use crate::files;
use crate::outside::{reply, streamed};

fn file(expression: &str) -> Value {
    files::with_key(
        "streaming",
        &json!({
            "authorization": { "format": "header", "config": { "name": "X-Key", "value": "{{api_key}}" } },
            "error_expression": expression,
            "resources": { "tapes": {
                "get": { "path": "/tapes/{{id}}" },
                "cut": { "path": "/cut", "response_path": "data" },
                "create": { "method": "post", "path": "/tapes" },
                "asjson": { "path": "/asjson", "api_response_format": "json" },
            } },
        }),
    )
}

const FOUND: &str = "response.error ? { \"status\": 422, \"message\": response.error } : headers.`x-error` ? { \"status\": 409, \"message\": headers.`x-error` }";

fn open(expression: &str) -> Scene {
    Scene::with_key(&[], &file(expression))
}

/// An answer of two pieces, of which more is said than fits into memory: it cannot be held.
fn larger_than_memory(scene: &Scene, kind: &str) -> Answer {
    let body = streamed(&[b"a piece, ", b"another"], Some(1 << 30));
    scene
        .world
        .answers_with(reply(200, &[("content-type", kind)], body));
    scene.get("/proxy/tapes/1")
}

#[test]
fn what_is_neither_json_nor_xml_nor_a_form_streams_through() {
    let scene = open(FOUND);
    let cases = [
        "text/plain",
        "text/csv",
        "text/html; charset=utf-8",
        "application/pdf",
        "application/octet-stream",
        "image/png",
        "application/x-ndjson",
        "",
    ];
    each_case(cases, |kind| {
        let answer = larger_than_memory(&scene, kind);
        assert_eq!(answer.status, 200, "{kind}: {}", answer.text());
        assert_eq!(answer.text(), "a piece, another", "{kind}");
    });
    let cases = [
        "application/json",
        "application/problem+json",
        "text/xml",
        "application/atom+xml",
        "application/x-www-form-urlencoded",
    ];
    each_case(cases, |kind| {
        let code = larger_than_memory(&scene, kind).code(502);
        assert_eq!(code, "provider.answer_too_large", "{kind} is held");
    });
}

#[test]
fn an_error_in_a_form_is_found() {
    let scene = open(FOUND);
    let form = [(
        "content-type",
        "application/x-www-form-urlencoded; charset=utf-8",
    )];
    scene.world.answers(200, &form, "error=no+such+tape&x=1");
    let error = scene.get("/proxy/tapes/1").expect(422);
    assert_eq!(error["message"], "no such tape");
    assert_eq!(error["raw_response"], "error=no+such+tape&x=1");
    scene.world.answers(200, &form, "a=1&b=2");
    assert_eq!(scene.get("/proxy/tapes/1").text(), "a=1&b=2");
    scene.world.answers(404, &form, "error=gone");
    let error = scene.get("/proxy/tapes/1").expect(422);
    assert_eq!(error["message"], "gone");
}

#[test]
fn status_and_header_fields_of_what_streams_are_looked_at() {
    let scene = open(FOUND);
    each_case(["text/csv", "application/pdf"], |kind| {
        let headers = [("content-type", kind), ("x-error", "worn out")];
        scene.world.answers(200, &headers, "some words");
        let error = scene.get("/proxy/tapes/1").expect(409);
        assert_eq!(error["message"], "worn out", "{kind}");
    });
    let scene = open("status = 202 ? { \"status\": 503, \"message\": \"not yet\" }");
    let kind = [("content-type", "text/plain")];
    scene.world.answers(202, &kind, "soon");
    let once = [("x-max-retries", "0")];
    let error = scene
        .call("GET", "/proxy/tapes/1", &once, Body::Empty)
        .expect(503);
    assert_eq!(
        (&error["message"], &error["raw_response"]),
        (&json!("not yet"), &json!("soon"))
    );
}

#[test]
fn the_body_of_what_streams_is_absent_and_no_null() {
    let cases = [
        "$contains(response, \"ERROR\")",
        "$exists(response) or $exists(body) or $exists(data)",
        "response = null and status = 200",
        "($exists(response) or $exists(body) or $exists(data)) and $exists(headers)",
        "$contains(response, \"ERROR\") and status = 200",
        "$not(response.ok)",
        "response.ok = false",
    ];
    each_case(cases, |expression| {
        let scene = open(expression);
        let kind = [("content-type", "text/plain")];
        scene.world.answers(200, &kind, "ERROR all the same");
        let answer = scene.get("/proxy/tapes/1");
        assert_eq!(answer.text(), "ERROR all the same", "{expression}");
    });
}

#[test]
fn text_that_is_read_anyway_is_looked_into() {
    let scene = open("response.ok = false ? { \"status\": 422 }");
    let kind = [("content-type", "text/plain")];
    each_case(["/proxy/tapes/cut", "/proxy/tapes/asjson"], |path| {
        scene.world.answers(200, &kind, r#"{"ok":false}"#);
        assert_eq!(
            scene.call("POST", path, &[], Body::Empty).status,
            422,
            "{path}"
        );
    });
    scene.world.answers(400, &kind, r#"{"ok":false}"#);
    assert_eq!(
        scene.get("/proxy/tapes/1").status,
        422,
        "words of a refusal"
    );
}
