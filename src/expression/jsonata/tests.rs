//! What an expression gives, and its bounds: each just under and just over.

mod bounds;

use super::limits::{
    ARGUMENT_DEPTH, FRAMES, SEQUENCE_LENGTH, SOURCE_BYTES, SOURCE_DEPTH, TAIL_STEPS_PER_FRAME,
};
use super::{Expression, ExpressionError, Moment};
use crate::expression::ExpressionScope;
use serde_json::{Value, json};

fn moment() -> Moment {
    Moment {
        now_ms: 1_700_000_000_123,
        random: [7; 32],
    }
}

fn evaluate(source: &str, input: &Value) -> Result<Option<Value>, ExpressionError> {
    let context = json!({"name": "context"});
    Expression::parse(source)?.evaluate(&ExpressionScope::step(input, &context), &moment())
}

fn value(source: &str) -> Option<Value> {
    evaluate(source, &json!({"a": {"b": [1, 2, 3]}, "s": "x", "n": null})).unwrap()
}

#[test]
fn undefined_is_none_and_null_is_null() {
    let table = [
        ("a.b", Some(json!([1, 2, 3]))),
        ("$sum(a.b)", Some(json!(6))),
        ("missing", None),
        ("n", Some(json!(null))),
        ("{\"x\": missing, \"y\": 1.5}", Some(json!({"y": 1.5}))),
        ("$previous.s & $context.name", Some(json!("xcontext"))),
        ("$map(a.b, function($v) { $v * 2 })", Some(json!([2, 4, 6]))),
        ("[1..3]", Some(json!([1, 2, 3]))),
        (
            "($f := function($n) { $n < 2 ? 1 : $n * $f($n - 1) }; $f(5))",
            Some(json!(120)),
        ),
        (
            "$ ~> |a|{\"c\": 1}|",
            Some(json!({"a": {"b": [1, 2, 3], "c": 1}, "s": "x", "n": null})),
        ),
    ];
    for (source, expected) in table {
        assert_eq!(value(source), expected, "{source}");
    }
}

#[test]
fn the_same_moment_gives_the_same_result() {
    let source = "{\"now\": $now(), \"ms\": $millis(), \"r\": $random(), \"u\": $uuid(), \"v\": $uuid(), \"s\": $shuffle([1..9])}";
    let result = value(source).unwrap();
    assert_eq!(result, value(source).unwrap());
    assert_eq!(result["now"], "2023-11-14T22:13:20.123Z");
    assert_eq!(result["ms"], 1_700_000_000_123_i64);
    assert!((0.0..1.0).contains(&result["r"].as_f64().unwrap()));
    assert_ne!(result["u"], result["v"]);
    assert_eq!(result["u"].as_str().unwrap().len(), 36);
    assert_eq!(value("$now(\"[Y0001]\")"), Some(json!("2023")));
    let scope_value = json!(null);
    let other = Moment {
        random: [8; 32],
        ..moment()
    };
    let uuid = Expression::parse("$uuid()").unwrap();
    let scope = ExpressionScope::step(&scope_value, &scope_value);
    assert_ne!(
        uuid.evaluate(&scope, &other).unwrap(),
        uuid.evaluate(&scope, &moment()).unwrap()
    );
}

#[test]
fn truth_is_that_of_boolean() {
    let (headers, body) = (
        json!({}),
        json!({"zero": 0, "empty": [], "list": [0, 1], "text": "x", "object": {}}),
    );
    let scope = ExpressionScope::response(&body, &headers, 429);
    let table = [
        ("status = 429", true),
        ("status_code >= 500", false),
        ("body.zero", false),
        ("data.text", true),
        ("response.list", true),
        ("response.empty", false),
        ("response.object", false),
        ("missing", false),
        ("null", false),
        ("$sum", false),
    ];
    for (source, expected) in table {
        let expression = Expression::parse(source).unwrap();
        assert_eq!(
            expression.is_true(&scope, &moment()),
            Ok(expected),
            "{source}"
        );
    }
}

#[test]
fn a_text_that_is_wholly_a_placeholder_is_read_as_its_path() {
    let (headers, body) = (
        json!({"retry-after": "5"}),
        json!({"error": {"0": "x"}, "list": ["a", "b"]}),
    );
    let scope = ExpressionScope::response(&body, &headers, 200);
    for (source, expected) in [
        ("{{response.error}}", Some(json!({"0": "x"}))),
        ("{{headers.retry-after}}", Some(json!("5"))),
        ("{{body.list.1}}", Some(json!("b"))),
        ("{{body.nothing}}", None),
        ("body.list[0]", Some(json!("a"))),
    ] {
        let expression = Expression::parse_path_or_source(source).unwrap();
        assert_eq!(expression.source(), source);
        assert_eq!(
            expression.evaluate(&scope, &moment()).unwrap(),
            expected,
            "{source}"
        );
    }
}

#[test]
fn what_is_not_jsonata_says_so_and_eval_is_not_available() {
    for source in ["a b", "", "(", "{{response.error}}", "'x"] {
        assert!(
            matches!(Expression::parse(source), Err(ExpressionError::Syntax(_))),
            "{source}"
        );
    }
    for source in [
        "$eval(\"1\")",
        "$map([\"1\"], $eval)",
        "a.($eval(b))",
        "function() { $eval(x) }",
    ] {
        assert_eq!(
            Expression::parse(source),
            Err(ExpressionError::Unavailable("eval".to_owned())),
            "{source}"
        );
    }
}
