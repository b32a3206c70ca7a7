//! The body of a request.

use super::*;

#[test]
fn a_body_template_is_rendered_and_described_whatever_the_caller_says_of_its_own() {
    let method = json!({ "method": "post", "path": "/", "body": { "name": "{{body.name}}", "n": "{{body.n:any}}", "x": "{{body.x:undefined}}" } });
    let mut story = Story::new(&config(&method));
    story.body = json!({ "name": "N", "n": 9_007_199_254_740_993_u64 });
    story.headers = vec![("content-type", "text/plain")];
    let draft = story.draft("get").unwrap();
    assert_eq!(
        draft.body,
        Payload::Ours(br#"{"name":"N","n":9007199254740993}"#.to_vec())
    );
    assert_eq!(header(&draft, "content-type"), Some("application/json"));
}

#[test]
fn a_form_and_a_raw_body_are_written_in_their_format() {
    let form = json!({ "method": "post", "path": "/", "body": { "a": "x y", "b": { "c": 1 } }, "body_format": "form" });
    let draft = Story::new(&config(&form)).draft("get").unwrap();
    assert_eq!(draft.body, Payload::Ours(b"a=x%20y&b%5Bc%5D=1".to_vec()));
    assert_eq!(
        header(&draft, "content-type"),
        Some("application/x-www-form-urlencoded")
    );
    let raw =
        json!({ "method": "post", "path": "/", "body": "just {{sub}}", "body_format": "raw" });
    assert_eq!(
        Story::new(&config(&raw)).draft("get").unwrap().body,
        Payload::Ours(b"just eu1".to_vec())
    );
    let xml = json!({ "method": "post", "path": "/", "body": { "a": 1 }, "body_format": "xml", "headers": { "Content-Type": "text/xml" } });
    let draft = Story::new(&config(&xml)).draft("get").unwrap();
    let document = br#"<?xml version="1.0" encoding="UTF-8"?><a>1</a>"#;
    assert_eq!(draft.body, Payload::Ours(document.to_vec()));
    assert_eq!(header(&draft, "content-type"), Some("text/xml"));
}

#[test]
fn the_boundary_of_parts_is_the_same_in_the_body_and_its_type() {
    let method = json!({ "method": "post", "path": "/", "body": { "a": "{{sub}}" }, "body_format": "multipart" });
    let draft = Story::new(&config(&method)).draft("get").unwrap();
    let boundary = boundary(&[7; 32]);
    let content_type = format!("multipart/form-data; boundary={boundary}");
    assert_eq!(header(&draft, "content-type"), Some(content_type.as_str()));
    let body = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\neu1\r\n--{boundary}--\r\n"
    );
    assert_eq!(draft.body, Payload::Ours(body.into_bytes()));
}

#[test]
fn arrays_of_a_form_follow_the_method_then_the_integration() {
    let mut method =
        json!({ "method": "post", "path": "/", "body": { "a": [1, 2] }, "body_format": "form" });
    let form = |config: &Value| {
        let draft = Story::new(config).draft("get").unwrap();
        let Payload::Ours(bytes) = draft.body else {
            panic!("no body")
        };
        String::from_utf8(bytes).unwrap()
    };
    assert_eq!(form(&config(&method)), "a=1&a=2");
    let mut whole = config(&method);
    whole["query_array_format"] = json!("brackets");
    assert_eq!(form(&whole), "a%5B%5D=1&a%5B%5D=2");
    method["query_array_format"] = json!("comma");
    whole["resources"]["things"]["get"] = method;
    assert_eq!(form(&whole), "a=1,2");
}

#[test]
fn a_body_that_is_passed_through_leaves_the_template_unused() {
    let method = json!({ "method": "post", "path": "/", "body": { "a": "{{query.x}}" }, "body_format": "xml" });
    let mut story = Story::new(&config(&method));
    story.source = BodySource::Caller;
    story.query = "x=1";
    story.headers = vec![("content-type", "text/csv")];
    let draft = story.draft("get").unwrap();
    assert_eq!(draft.body, Payload::Callers);
    assert_eq!(header(&draft, "content-type"), Some("text/csv"));
    assert!(draft.url.as_str().ends_with("&x=1"), "{}", draft.url);
    let ignored = json!({ "method": "post", "path": "/", "ignore_body": true });
    let mut story = Story::new(&config(&ignored));
    story.source = BodySource::Caller;
    assert_eq!(story.draft("get").unwrap().body, Payload::Nothing);
}

#[test]
fn without_a_template_the_callers_body_goes_on() {
    let draft = |method: &str| {
        Story::new(&config(&json!({ "method": method, "path": "/" })))
            .draft("get")
            .unwrap()
            .body
    };
    assert_eq!(draft("post"), Payload::Callers);
    assert_eq!(draft("get"), Payload::Nothing);
    let ignored = json!({ "method": "post", "path": "/", "ignore_body": true });
    assert_eq!(
        Story::new(&config(&ignored)).draft("get").unwrap().body,
        Payload::Nothing
    );
}
