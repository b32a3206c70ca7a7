//! The bounds of an expression, just below and just above.

use super::*;

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
