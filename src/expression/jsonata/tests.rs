//! What an expression gives, and its bounds: each just under and just over.

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
fn an_endless_tail_recursion_ends_with_an_error() {
    for source in [
        "($f := function() { $f() }; $f())",
        "($f := function($n) { $n > 0 ? $f($n + 1) : 0 }; $f(1))",
        "($f := function() { $g() }; $g := function() { $f() }; $f())",
        "($f := function($n) { $f($n) + $f($n) }; $f(1))",
        "($f := function($x) { $map([1..9], $f) }; $f(1))",
        "[1..99999].$sum([1..99999].$sum([1..99999]))",
    ] {
        assert!(
            matches!(
                evaluate(source, &json!({})),
                Err(ExpressionError::Evaluation { .. })
            ),
            "{source}"
        );
    }
}

fn counted(calls: u32) -> Result<Option<Value>, ExpressionError> {
    let source = format!("($f := function($n) {{ $n > 1 ? $f($n - 1) : \"done\" }}; $f({calls}))");
    evaluate(&source, &json!({}))
}

#[test]
fn a_hundred_thousand_calls_are_no_endless_recursion() {
    assert_eq!(counted(100_000).unwrap(), Some(json!("done")));
    let endless = counted(u32::MAX).unwrap_err();
    assert_eq!(endless.code(), "too_much_work");
    assert!(endless.to_string().contains("more steps than it may"));
}

fn fails_with(source: &str, code: &str) {
    let failed = evaluate(source, &json!({})).map_err(|error| error.code().to_owned());
    assert_eq!(failed, Err(code.to_owned()), "{source}");
}

#[test]
fn depth_is_bounded_below_what_v8_can_take() {
    let recursion = |n: usize| {
        let source = format!("($f := function($n) {{ $n = 0 ? 0 : 1 + $f($n - 1) }}; $f({n}))");
        evaluate(&source, &json!({}))
    };
    assert_eq!(recursion(90).unwrap(), Some(json!(90)));
    assert!(recursion(120).unwrap_err().to_string().contains("D1011"));
    // One function, and many levels within it.
    let within = |n: usize| {
        format!(
            "($f := function($n) {{ $n = 0 ? 0 : {}$f($n - 1) }}; $f(20))",
            "-".repeat(n)
        )
    };
    assert_eq!(evaluate(&within(6), &json!({})).unwrap(), Some(json!(0)));
    fails_with(&within(24), "D1011");
}

#[test]
fn functions_that_run_within_each_other_are_bounded() {
    let nested =
        |call: &str, n: usize| format!("($f := function($n) {{ $n = 1 ? 1 : {call} }}; $f({n}))");
    for call in [
        "$map([$n - 1], $f)",
        "$single([$n - 1], function($v) { true }) ~> $f",
        "$reduce([$n - 1, 0], function($a, $b) { $f($a) })",
        "$sort([$n - 1, $n - 1], function($a, $b) { $f($a) > 1 })[0]",
    ] {
        let source = nested(call, 20);
        assert!(evaluate(&source, &json!({})).is_ok(), "{source}");
        fails_with(&nested(call, 101), "D1011");
    }
    let map = |n| nested("$map([$n - 1], $f)", n);
    assert!(evaluate(&map(FRAMES), &json!({})).is_ok());
    fails_with(&map(FRAMES + 1), "D1011");
}

#[test]
fn conditionals_around_the_last_step_take_frames() {
    let around = |steps: usize| {
        let tests = "$n = 1 ? 1 : ".repeat(steps);
        format!("($f := function($n) {{ {tests}$map([$n - 1], $f) }}; $f(20))")
    };
    assert!(evaluate(&around(4 * TAIL_STEPS_PER_FRAME - 1), &json!({})).is_ok());
    fails_with(&around(5 * TAIL_STEPS_PER_FRAME), "D1011");
    let chosen = "$x = 1 ? 1 : ".repeat(60) + "0";
    let once = format!("$count($map([1..5000], function($x) {{ {chosen} }}))");
    assert_eq!(evaluate(&once, &json!({})).unwrap(), Some(json!(5000)));
}

#[test]
fn functions_that_have_ended_do_not_count() {
    for (source, expected) in [
        (
            "$count($map([1..1000], function($x) { function($y) { $x + $y } }))",
            json!(1000),
        ),
        (
            "($made := $map([1..500], function($x) { function($y) { $x + $y } }); $sum($map($made, function($g) { $g(1) })))",
            json!(125_750),
        ),
        (
            "($f := function($n, $g) { $n = 0 ? $g(1) : $f($n - 1, function($x) { $x + $n }) }; $f(500, function($x) { $x }))",
            json!(2),
        ),
        (
            "$count($map([1..2000], function($x) { $map([$x], $string) }))",
            json!(2000),
        ),
    ] {
        assert_eq!(
            evaluate(source, &json!({})).unwrap(),
            Some(expected),
            "{source}"
        );
    }
}

#[test]
fn arguments_are_bounded_in_depth() {
    let grown = |n: usize, more: &str| {
        format!("($reduce([1..{n}], function($p, $x) {{ {more} }}, 1); \"done\")")
    };
    for more in [
        "[[$p]]",
        "{'a': $p}",
        "function() { $p }",
        "[1, {'a': [$p, 1]}][1]",
    ] {
        let levels = if more.len() > 18 { 2 } else { 1 };
        assert!(
            evaluate(&grown(ARGUMENT_DEPTH / levels, more), &json!({})).is_ok(),
            "{more}"
        );
        fails_with(&grown(ARGUMENT_DEPTH + 2, more), "too_deep");
        fails_with(&grown(90_000, more), "too_deep");
    }
    let partial = "($f := function($a) { $a }; $reduce([1..90000], function($p, $x) { $x = 1 ? $f(?) : $p(?) }, 1); 1)";
    fails_with(partial, "too_deep");
    fails_with(
        "($f := function($a) { $a }; $reduce([1..90000], function($p, $x) { $x = 1 ? $f : $p ~> $f }, 1); 1)",
        "too_deep",
    );
}

#[test]
fn a_sequence_is_bounded() {
    let range = |n: usize| evaluate(&format!("$count([1..{n}])"), &json!({}));
    assert_eq!(
        range(SEQUENCE_LENGTH).unwrap(),
        Some(json!(SEQUENCE_LENGTH))
    );
    assert!(
        range(SEQUENCE_LENGTH + 1)
            .unwrap_err()
            .to_string()
            .contains("D2015")
    );
}

#[test]
fn a_source_is_bounded_in_length_and_depth() {
    let padded = |length: usize| Expression::parse(&format!("1{}", " ".repeat(length - 1)));
    assert!(padded(SOURCE_BYTES).is_ok());
    assert_eq!(padded(SOURCE_BYTES + 1), Err(ExpressionError::TooLong));
    let nested = |n: usize| Expression::parse(&format!("{}1{}", "(".repeat(n), ")".repeat(n)));
    assert!(nested(SOURCE_DEPTH).is_ok());
    assert_eq!(nested(SOURCE_DEPTH + 1), Err(ExpressionError::TooDeep));
    for operator in ["1+", "-", "a?b:", "$a:=", "a&", "a~>"] {
        let source = format!("{}1", operator.repeat(SOURCE_DEPTH + 1));
        assert_eq!(
            Expression::parse(&source),
            Err(ExpressionError::TooDeep),
            "{operator}"
        );
    }
    let many = vec!["a.b.c.d = 1 and e.f"; 60].join(", ");
    assert!(Expression::parse(&format!("[{many}]")).is_ok());
}

#[test]
fn a_result_is_bounded_in_size_and_depth() {
    let doubled =
        |n: u32| format!("$reduce([1..{n}], function($a, $x) {{ {{\"l\": $a, \"r\": $a}} }}, 1)");
    assert!(evaluate(&doubled(17), &json!({})).is_ok());
    assert_eq!(
        evaluate(&doubled(40), &json!({})),
        Err(ExpressionError::Result("too large"))
    );
    let nested = |n: u32| format!("$reduce([1..{n}], function($a, $x) {{ {{\"l\": $a}} }}, 1)");
    assert!(evaluate(&nested(127), &json!({})).is_ok());
    assert_eq!(
        evaluate(&nested(129), &json!({})),
        Err(ExpressionError::Result("nested too deep"))
    );
    assert!(evaluate(&nested(50_000), &json!({})).is_err());
    let text =
        |n: u32| format!("$reduce([1..{n}], function($a, $x) {{ $a & $a }}, \"0123456789abcdef\")");
    assert!(evaluate(&text(18), &json!({})).is_ok());
    assert_eq!(
        evaluate(&text(19), &json!({})).unwrap_err().code(),
        "too_large"
    );
    assert!(matches!(
        evaluate("$sum", &json!({})),
        Err(ExpressionError::Result(_))
    ));
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
