//! What asks for a page apart from the caller's parameters, and which parts of its answer do no harm.

use crate::cases::each_case;

use serde_json::{Value, json};

use super::list_provider::{ListProvider, TOTAL};
use super::{assert_all, in_one_stream, lines};

#[test]
fn a_body_that_is_passed_through_asks_for_no_page() {
    let provider = ListProvider::open();
    let cases = [
        ("form", "application/x-www-form-urlencoded"),
        ("header", "application/json"),
        ("folder", "application/json"),
    ];
    each_case(cases, |(resource, kind)| {
        each_case(["truto_body_passthrough", "body_passthrough"], |name| {
            let path = format!("/proxy/{resource}/list?{name}=true&limit=5");
            let headers = [("content-type", kind)];
            let answer = provider.call("POST", &path, &headers, r#"{"a":1}"#);
            assert_eq!(answer.code(400), "caller.malformed", "{resource}");
        });
    });
    assert!(provider.world.sent().is_empty());
    let path = "/proxy/folder/list?body_passthrough=true";
    let page = provider.call("POST", path, &[], r#"{"a":1}"#).expect(200);
    let sent = provider.world.sent().remove(0);
    assert_eq!(sent.body, br#"{"a":1}"#, "nothing asks for the first page");
    let next = page["next_cursor"].as_str().unwrap();
    let path = format!("{path}&next_cursor={next}");
    let answer = provider.call("POST", &path, &[], r#"{"a":1}"#);
    assert_eq!(answer.code(400), "caller.malformed");
    let page = provider.list("folder", None, Some(next)).expect(200);
    assert_eq!(page["result"][0]["id"], 100);
    let path = "/proxy/cursor/list?body_passthrough=true&limit=5";
    let in_query = provider.call("POST", path, &[], r#"{"a":1}"#);
    assert_eq!(in_query.status, 200, "{}", in_query.text());
}

#[test]
fn a_form_says_each_of_its_parameters_once() {
    let provider = ListProvider::open();
    let cases = [
        ("limit=100", "kind=book&page%5Bsize%5D=100"),
        ("", "page%5Bsize%5D=5&kind=book"),
    ];
    each_case(cases, |(query, sent)| {
        let first = provider.ask("form_sized", query, "", None).expect(200);
        assert_eq!(provider.world.sent().remove(0).body, sent.as_bytes());
        assert_eq!(
            first["result_count"],
            if query.is_empty() { 5 } else { 100 }
        );
    });
    let all = in_one_stream(&provider, "form_sized", Some(100));
    assert_all(&all, "form_sized", Some(100));
}

#[test]
fn a_way_back_that_is_none_spoils_no_page() {
    let provider = ListProvider::open();
    let cases = [
        "<https://other.example/r?page=1>; rel=\"prev\"",
        "<http://[>; rel=\"previous\"",
    ];
    each_case(cases, |prev| {
        let next = "</v1/link_header?from=1>; rel=\"next\"";
        let headers = [("link", prev), ("link", next)];
        provider.world.answers(200, &headers, r#"[{"id":1}]"#);
        let page = provider.list("link_header", None, None).expect(200);
        assert_eq!(page["result"], json!([{ "id": 1 }]));
        assert_eq!(page["prev_cursor"], Value::Null, "{prev}");
    });
    let prev = "<https://other.example/>; rel=\"prev\", </v1/link_header?from=0>; rel=\"previous\"";
    provider.world.answers(200, &[("link", prev)], "[]");
    let page = provider.list("link_header", None, None).expect(200);
    assert!(page["prev_cursor"].is_string(), "the other word is good");
    each_case(
        [json!({ "at": 1 }), json!("x".repeat(9_000)), json!([[]])],
        |prev| {
            let body = json!({ "items": [{ "id": 1 }], "next": "a", "prev": prev });
            provider.world.answers(200, &[], &body.to_string());
            let page = provider.list("back", None, None).expect(200);
            assert_eq!(page["prev_cursor"], Value::Null, "{prev:.20}");
            assert!(page["next_cursor"].is_string());
        },
    );
}

#[test]
fn the_link_of_a_list_is_our_cursor() {
    let provider = ListProvider::open();
    let answer = provider.list("link_header", Some(100), None);
    assert_eq!(answer.header("link"), None, "it would lead around us");
    assert!(answer.expect(200)["next_cursor"].is_string());
    let own = provider.get("/custom/link_header?size=100");
    assert!(own.header("link").unwrap().ends_with("rel=\"next\""));
}

#[test]
fn a_range_of_nothing_asks_for_one_record_at_a_time() {
    let provider = ListProvider::open();
    let all = in_one_stream(&provider, "range_of_nothing", None);
    assert_all(&all, "range_of_nothing", None);
    let sent = provider.world.sent();
    assert_eq!(sent[0].header("range"), Some("items=0-0"));
    assert!(sent.len() as u64 >= TOTAL);
}

#[test]
fn a_first_range_is_refused_but_where_nothing_is_there_at_all() {
    let provider = ListProvider::open();
    each_case(["items */5", "items */10", "items */*"], |whole| {
        provider.world.answers(416, &[("content-range", whole)], "");
        let answer = provider.list("range", Some(10), None);
        assert_eq!(answer.code(416), "provider.rejected", "{whole}");
    });
    let packed = [
        ("content-range", "items */0"),
        ("content-encoding", "deflate"),
    ];
    each_case([&packed[..1], &packed[..], &[]], |headers| {
        provider.world.answers(416, headers, "x");
        let page = provider.list("range", Some(10), None).expect(200);
        assert_eq!(page["result"], json!([]), "{headers:?}");
        assert_eq!(page["next_cursor"], Value::Null);
    });
}

#[test]
fn a_later_range_that_is_refused_is_the_end() {
    let provider = ListProvider::open();
    let part = [("content-range", "items 0-1/*")];
    provider.world.answers(206, &part, r#"[{"id":0},{"id":1}]"#);
    let behind = [("content-range", "items */2")];
    provider.world.answers(416, &behind, "no");
    let all = provider.all_pages("range", Some(2), None);
    assert_eq!(lines(all.text()), (vec![0, 1], None));
    assert_eq!(provider.world.sent().len(), 2);
}
