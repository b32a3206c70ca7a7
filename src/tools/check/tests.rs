use serde_json::{Value, json};

use super::check;
use crate::json::Exact;
use crate::json::exact;

fn read(text: &str) -> Exact {
    Exact::of_marked(&exact::marked(text.as_bytes())).unwrap()
}

/// The place of the first misfit of a JSON text; `None` where it fits.
fn misfit(schema: &Value, text: &str) -> Option<String> {
    let value = read(text);
    check(schema, value.inside(), "x").err().map(|own| own.path)
}

#[test]
fn a_value_fits_or_the_first_place_that_does_not_is_named() {
    let object = json!({ "type": "object", "required": ["a"], "additionalProperties": false,
        "properties": { "a": { "type": "array", "items": { "type": "integer" } }, "b": { "type": ["string", "null"] } } });
    let table = [
        (json!({}), "1", None),
        (json!(true), "1", None),
        (json!(false), "1", Some("x")),
        (json!({ "type": "string" }), "\"1\"", None),
        (json!({ "type": "string" }), "1", Some("x")),
        (
            json!({ "type": "string" }),
            "12345678901234567890123",
            Some("x"),
        ),
        (
            json!({ "type": "integer" }),
            "12345678901234567890123",
            None,
        ),
        (json!({ "type": "integer" }), "1.0", None),
        (json!({ "type": "integer" }), "1.5", Some("x")),
        (json!({ "type": "number" }), "1e3", None),
        (json!({ "type": "boolean" }), "\"true\"", Some("x")),
        (json!({ "type": "unknown" }), "1", None),
        (object.clone(), "{\"a\":[1,2],\"b\":null}", None),
        (object.clone(), "{\"b\":null}", Some("x.a")),
        (object.clone(), "{\"a\":[1,\"2\"]}", Some("x.a[1]")),
        (object.clone(), "{\"a\":[],\"c\":1}", Some("x.c")),
        (object, "{\"a\":[],\"b\":1}", Some("x.b")),
        (json!({ "enum": ["a", 1] }), "1", None),
        (json!({ "enum": ["a", 1] }), "\"b\"", Some("x")),
        (json!({ "const": "a" }), "\"a\"", None),
        (json!({ "const": "a" }), "\"b\"", Some("x")),
        (
            json!({ "additionalProperties": { "type": "string" } }),
            "{\"a\":1}",
            Some("x.a"),
        ),
        (
            json!({ "anyOf": [{ "type": "string" }, { "type": "integer" }] }),
            "1",
            None,
        ),
        (
            json!({ "anyOf": [{ "type": "string" }, { "type": "integer" }] }),
            "[]",
            Some("x"),
        ),
        (
            json!({ "oneOf": [{ "minimum": 1 }, { "minimum": 2 }] }),
            "1",
            None,
        ),
        (
            json!({ "oneOf": [{ "minimum": 1 }, { "minimum": 2 }] }),
            "2",
            Some("x"),
        ),
        (
            json!({ "allOf": [{ "minimum": 1 }, { "maximum": 2 }] }),
            "3",
            Some("x"),
        ),
    ];
    let failed: Vec<_> = table
        .iter()
        .filter(|(schema, text, expected)| misfit(schema, text).as_deref() != *expected)
        .collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn each_bound_holds_just_inside_and_refuses_just_outside() {
    let table = [
        (json!({ "minimum": 2 }), "2", "1.9"),
        (json!({ "maximum": 2 }), "2", "2.1"),
        (json!({ "exclusiveMinimum": 2 }), "2.1", "2"),
        (json!({ "exclusiveMaximum": 2 }), "1.9", "2"),
        (json!({ "minLength": 2 }), "\"äö\"", "\"ä\""),
        (json!({ "maxLength": 2 }), "\"äö\"", "\"äöü\""),
        (json!({ "minItems": 1 }), "[1]", "[]"),
        (json!({ "maxItems": 1 }), "[1]", "[1,2]"),
    ];
    for (schema, inside, outside) in table {
        assert_eq!(misfit(&schema, inside), None, "{schema}");
        assert_eq!(misfit(&schema, outside).as_deref(), Some("x"), "{schema}");
    }
}

#[test]
fn a_place_is_written_up_to_its_bound() {
    let inner = json!({ "type": "array", "items": { "type": "string" } });
    let schema = json!({ "properties": { "a": inner.clone() }, "additionalProperties": inner });
    let place = |key: &str| {
        let value = json!({ key: ["a", 1] });
        check(&schema, &value, "").unwrap_err().path
    };
    assert_eq!(place("a"), "a[1]");
    assert_eq!(place(&"k".repeat(197)), format!("{}[1]", "k".repeat(197)));
    assert_eq!(place(&"k".repeat(198)), format!("{}[1", "k".repeat(198)));
    assert_eq!(place(&"ä".repeat(100_000)), "ä".repeat(100));
}
