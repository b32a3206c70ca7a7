//! Arguments from each place where a caller can write them.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use url::Url;

use super::{CallerInput, announced, arguments, arguments_in, with_arguments};
use crate::config::files::FileOperation as F;
use crate::files::FilesError;

fn asked(
    operation: F,
    id: Option<&str>,
    query: &Value,
    body: Option<&Value>,
    headers: &[(&'static str, &'static str)],
) -> Result<Value, FilesError> {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        })
        .collect();
    let input = CallerInput {
        id,
        query,
        headers: &headers,
        body,
        announced: announced(&headers),
    };
    let address = Url::parse("https://files.example.com:22").unwrap();
    let address = with_arguments(address, operation, &arguments(operation, &input)?);
    assert_eq!(address.path(), format!("/{}", operation.name()));
    Ok(Value::Object(arguments_in(&address, operation)))
}

#[test]
fn arguments_come_from_where_the_method_has_them() {
    let none = json!({});
    for (operation, id, query, body, headers, expected) in [
        (
            F::List,
            None,
            json!({}),
            None,
            vec![],
            json!({ "path": "/", "limit": 100 }),
        ),
        (
            F::List,
            None,
            json!({ "path": "a//b" }),
            None,
            vec![],
            json!({ "path": "/a/b", "limit": 100 }),
        ),
        (
            F::Read,
            Some("a b/ü&c=d"),
            none.clone(),
            None,
            vec![],
            json!({ "path": "/a b/ü&c=d" }),
        ),
        (
            F::Read,
            Some("a"),
            none.clone(),
            None,
            vec![("range", "bytes=3-7")],
            json!({ "path": "/a", "offset": 3, "length": 5 }),
        ),
        (
            F::Read,
            Some("12"),
            none.clone(),
            None,
            vec![("range", "bytes=3-")],
            json!({ "path": "/12", "offset": 3 }),
        ),
        (
            F::Write,
            Some("a"),
            none.clone(),
            None,
            vec![("range", "bytes=3-"), ("content-length", "1")],
            json!({ "path": "/a", "size": 1 }),
        ),
        (
            F::Write,
            Some("a"),
            none.clone(),
            None,
            vec![("content-length", "700000")],
            json!({ "path": "/a", "size": 700_000 }),
        ),
        (
            F::Stat,
            None,
            none.clone(),
            Some(json!({ "path": "/" })),
            vec![],
            json!({ "path": "/" }),
        ),
        (
            F::Rename,
            None,
            none.clone(),
            Some(json!({ "from": "a", "to": "/b/c" })),
            vec![],
            json!({ "from": "/a", "to": "/b/c" }),
        ),
    ] {
        let found = asked(operation, id, &query, body.as_ref(), &headers);
        assert_eq!(found, Ok(expected), "{operation:?}");
    }
}

#[test]
fn what_a_method_does_not_have_is_refused() {
    let none = json!({});
    let message = |found: Result<Value, FilesError>| found.unwrap_err().to_string();
    for (found, words) in [
        (
            asked(F::List, None, &json!({ "paht": "/a" }), None, &[]),
            "no parameter `paht`",
        ),
        (
            asked(F::List, None, &json!({ "path": ["/a", "/b"] }), None, &[]),
            "`path` is missing",
        ),
        (
            asked(F::List, None, &json!({ "path": "../x" }), None, &[]),
            "`..` segment",
        ),
        (asked(F::Read, None, &none, None, &[]), "is missing"),
        (asked(F::Read, Some("/"), &none, None, &[]), "is the root"),
        (
            asked(F::Read, Some("a"), &json!({ "path": "b" }), None, &[]),
            "no parameter `path`",
        ),
        (
            asked(F::Write, Some("a"), &none, None, &[("if-none-match", "*")]),
            "`if-none-match` is not supported",
        ),
        (
            asked(
                F::Write,
                Some("a"),
                &none,
                None,
                &[("content-range", "bytes 0-1/2")],
            ),
            "written as a whole",
        ),
        (
            asked(F::Mkdir, None, &none, None, &[]),
            "JSON object with: path",
        ),
        (
            asked(F::Mkdir, None, &none, Some(&json!(["a"])), &[]),
            "JSON object with: path",
        ),
        (
            asked(
                F::Mkdir,
                None,
                &none,
                Some(&json!({ "path": "a", "mode": 1 })),
                &[],
            ),
            "no parameter `mode`",
        ),
        (
            asked(F::Rmdir, None, &none, Some(&json!({ "path": "//" })), &[]),
            "is the root",
        ),
        (
            asked(F::Rename, None, &none, Some(&json!({ "from": "a" })), &[]),
            "`to` is missing",
        ),
    ] {
        let found = message(found);
        assert!(found.contains(words), "{found}: {words}");
    }
}
