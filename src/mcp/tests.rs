use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::answer::{RpcCode, RpcError, ToolOutcome, answer, tool_result};
use super::head::{HeadError, check, check_origin};
use super::message::RpcMessage;
use super::page::{RecordPlace, document};
use super::{VERSIONS, negotiated, takes_arrays};
use crate::json::Exact;
use crate::json::exact;

type Field = (&'static str, &'static str);

fn headers(fields: &[Field]) -> HeaderMap {
    let fields = fields.iter().map(|(name, value)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    });
    fields.collect()
}

fn message(text: &str) -> Exact {
    Exact::of_marked(&exact::marked(text.as_bytes())).unwrap()
}

#[test]
fn a_known_version_is_kept_and_another_becomes_the_newest() {
    for version in VERSIONS {
        assert_eq!(negotiated(version), version);
    }
    for unknown in ["", "2024-10-07", "2099-01-01", "latest"] {
        assert_eq!(negotiated(unknown), "2025-11-25", "{unknown}");
    }
    let batches: Vec<_> = VERSIONS
        .into_iter()
        .filter(|own| takes_arrays(own))
        .collect();
    assert_eq!(batches, ["2025-03-26", "2024-11-05"]);
}

#[test]
fn the_header_fields_are_checked() {
    let json = ("content-type", "application/json");
    let version = || HeadError::Version(VERSIONS.join(", "));
    let table: [(&[Field], Result<&str, HeadError>); 12] = [
        (&[json], Ok("2025-03-26")),
        (
            &[("content-type", "Application/JSON; charset=utf-8")],
            Ok("2025-03-26"),
        ),
        (
            &[json, ("accept", "application/json, text/event-stream")],
            Ok("2025-03-26"),
        ),
        (&[json, ("accept", "*/*;q=0.1")], Ok("2025-03-26")),
        (&[json, ("accept", "application/*")], Ok("2025-03-26")),
        (
            &[json, ("accept", "text/event-stream")],
            Err(HeadError::Accept),
        ),
        (&[json, ("accept", "text/html")], Err(HeadError::Accept)),
        (&[], Err(HeadError::ContentType)),
        (
            &[("content-type", "text/plain")],
            Err(HeadError::ContentType),
        ),
        (
            &[json, ("mcp-protocol-version", "2025-11-25")],
            Ok("2025-11-25"),
        ),
        (
            &[json, ("mcp-protocol-version", "2024-11-05")],
            Ok("2024-11-05"),
        ),
        (
            &[json, ("mcp-protocol-version", "2024-11-06")],
            Err(version()),
        ),
    ];
    for (fields, expected) in table {
        assert_eq!(check(&headers(fields)), expected, "{fields:?}");
    }
}

#[test]
fn a_page_of_another_origin_is_refused() {
    let allowed = ["https://app.example"];
    for (fields, expected) in [
        (&[][..], true),
        (&[("origin", "https://gateway.example")], false),
        (&[("origin", "https://app.example")], true),
        (&[("origin", "https://app.example.evil.example")], false),
        (&[("origin", "http://app.example")], false),
        (&[("origin", "null")], false),
        (&[("origin", "")], false),
    ] {
        let found = check_origin(&headers(fields), &allowed);
        assert_eq!(found.is_ok(), expected, "{fields:?}");
    }
    let mut two = headers(&[("origin", "https://app.example")]);
    two.append("origin", HeaderValue::from_static("https://evil.example"));
    assert!(check_origin(&two, &allowed).is_err());
}

#[test]
fn a_message_is_a_request_or_silent_or_invalid() {
    let kind = |text: &str| match RpcMessage::read(message(text).inside()) {
        RpcMessage::Request { id, method, params } => format!("{id} {method} {params}"),
        RpcMessage::Silent => "silent".to_owned(),
        RpcMessage::Invalid => "invalid".to_owned(),
    };
    for (text, expected) in [
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, "1 ping null"),
        (
            r#"{"jsonrpc":"2.0","id":"a\"b","method":"ping","params":{}}"#,
            r#""a\"b" ping {}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":12345678901234567890123,"method":"ping"}"#,
            "12345678901234567890123 ping null",
        ),
        (
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            "silent",
        ),
        (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, "silent"),
        (r#"{"jsonrpc":"2.0","id":1,"error":{}}"#, "silent"),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, "invalid"),
        (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, "invalid"),
        (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, "invalid"),
        (r#"{"id":1,"method":"ping"}"#, "invalid"),
        (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, "invalid"),
        (r#"{"jsonrpc":"2.0","id":1}"#, "invalid"),
        ("[]", "invalid"),
        ("1", "invalid"),
    ] {
        assert_eq!(kind(text), expected, "{text}");
    }
}

#[test]
fn answers_are_json_with_what_the_provider_sent_as_it_came() {
    let done = tool_result(r#"{"id":1e400}"#, "a \"text\"\n", ToolOutcome::Done);
    assert_eq!(
        answer("\"x\"", Ok(done)),
        r#"{"jsonrpc":"2.0","id":"x","result":{"content":[{"type":"text","text":"a \"text\"\n"}],"structuredContent":{"id":1e400},"isError":false}}"#
    );
    let error = RpcError {
        data: Some(json!({ "path": "a" })),
        ..RpcError::new(RpcCode::Params, "no \"a\"")
    };
    let read: Value = serde_json::from_str(&answer("7", Err(error))).unwrap();
    assert_eq!(
        read,
        json!({ "jsonrpc": "2.0", "id": 7, "error": { "code": -32602, "message": "no \"a\"", "data": { "path": "a" } } })
    );
}

fn page(records: &[usize]) -> String {
    let records: Vec<String> = records
        .iter()
        .map(|bytes| format!("\"{}\"", "r".repeat(bytes - 2)))
        .collect();
    format!(
        r#"{{"result":[{}],"next_cursor":"k1.next","prev_cursor":null,"result_count":9}}"#,
        records.join(",")
    )
}

/// All records of a page by results of at most `most` bytes, and the last cursor.
fn read_all(page: &str, most: usize) -> (Vec<usize>, String) {
    let mut place = RecordPlace {
        limit: Some("9".to_owned()),
        ..RecordPlace::default()
    };
    let (mut lengths, mut rounds) = (Vec::new(), 0);
    loop {
        let text = document(page, &place, most).unwrap();
        assert!(text.len() <= most, "{} of {most}", text.len());
        let read: Value = serde_json::from_str(&text).unwrap();
        let records = read["result"].as_array().unwrap().iter();
        lengths.extend(records.map(|own| own.as_str().unwrap().len() + 2));
        let next = read["next_cursor"].as_str().unwrap().to_owned();
        if !next.starts_with("cut.") {
            return (lengths, next);
        }
        place = RecordPlace::read(Some(next), Some("1".to_owned())).unwrap();
        assert_eq!(place.limit.as_deref(), Some("9"));
        rounds += 1;
        assert!(rounds < 20);
    }
}

#[test]
fn a_page_is_cut_between_records_and_goes_on_with_the_next() {
    let sizes = [100, 200, 50, 400, 10];
    let whole = page(&sizes);
    assert_eq!(
        read_all(&whole, 2_000),
        (sizes.to_vec(), "k1.next".to_owned())
    );
    assert_eq!(
        read_all(&whole, 600),
        (sizes.to_vec(), "k1.next".to_owned())
    );
    let place = RecordPlace::default();
    assert_eq!(document("{}", &place, 600), None);
    assert_eq!(
        document(r#"{"result":[],"next_cursor":null}"#, &place, 600).unwrap(),
        r#"{"result":[],"next_cursor":null}"#
    );
}

#[test]
fn a_record_that_is_too_large_is_said_and_the_list_goes_on_behind_it() {
    let whole = page(&[50, 700, 60, 800]);
    let (mut place, mut read) = (RecordPlace::default(), Vec::new());
    let last = loop {
        let text = document(&whole, &place, 600).unwrap();
        assert!(text.len() <= 600, "{}", text.len());
        let found: Value = serde_json::from_str(&text).unwrap();
        let records = found["result"].as_array().unwrap().iter();
        read.extend(records.map(|own| match own.as_str() {
            Some(text) => json!(text.len() + 2),
            None => own["too_large"].clone(),
        }));
        let next = found["next_cursor"].as_str().unwrap().to_owned();
        if !next.starts_with("cut.") {
            break next;
        }
        place = RecordPlace::read(Some(next), None).unwrap();
    };
    let too_large = |bytes: usize| json!({ "bytes": bytes, "limit": 600 });
    let expected = [json!(50), too_large(700), json!(60), too_large(800)];
    assert_eq!(
        (read.as_slice(), last.as_str()),
        (expected.as_slice(), "k1.next")
    );
    // Also where the cursor alone takes all room, each result goes on by a record.
    let text = document(&whole, &place, 10).unwrap();
    assert!(text.contains("too_large"), "{text}");
}

#[test]
fn a_cursor_that_was_changed_names_no_place() {
    for (cursor, expected) in [
        (None, Some(("", None, 0))),
        (Some("k1.abc"), Some(("k1.abc", None, 0))),
        (Some("cut.3.."), Some(("", None, 3))),
        (Some("cut.3.50.k1.a"), Some(("k1.a", Some("50"), 3))),
        (Some("cut.x.50.k1.a"), None),
        (Some("cut.-1.50.k1.a"), None),
        (Some("cut.3.5&a=b.k1.a"), None),
        (Some("cut.3"), None),
    ] {
        let found = RecordPlace::read(cursor.map(str::to_owned), None);
        let found = found
            .as_ref()
            .map(|own| (own.cursor.as_str(), own.limit.as_deref(), own.given));
        assert_eq!(found, expected, "{cursor:?}");
    }
}
