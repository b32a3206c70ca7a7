//! Pictures, options, numbers and texts at which the engine panics or never
//! ends: each is refused, and those a file may need are not.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Value, json};

use super::super::super::{Expression, Moment};
use crate::expression::ExpressionScope;

const MOMENT: Moment = Moment {
    now_ms: 0,
    random: [7; 32],
};

/// What comes of an expression: its result, or the code of its failure.
fn outcome(source: &str, input: &Value) -> Result<Option<Value>, String> {
    let context = json!({});
    let run = || {
        let expression = Expression::parse(source).map_err(|error| error.code().to_owned())?;
        let scope = ExpressionScope::step(input, &context);
        let result = expression.evaluate(&scope, &MOMENT);
        result.map_err(|error| error.code().to_owned())
    };
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err("panic".to_owned()))
}

fn refused(cases: &[(&str, Value)], codes: &[&str]) {
    let mut wrong = String::new();
    for (source, input) in cases {
        let outcome = outcome(source, input);
        if !outcome
            .as_ref()
            .is_err_and(|code| codes.contains(&code.as_str()))
        {
            let shown = format!("{outcome:?}");
            let _ = writeln!(wrong, "{source}: {}", shown.get(..60).unwrap_or(&shown));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_picture_at_which_the_engine_panics_is_refused() {
    let zeros = "0".repeat(70_000);
    refused(
        &[
            ("$formatNumber(n, \"0,E,Ee0\")", json!({"n": 1})),
            (
                "$formatNumber(12.5, '#,##0٫00', {'decimal-separator': '٫'})",
                json!({}),
            ),
            (
                "$formatNumber(12.5, p, o)",
                json!({"p": "#,##0٫00", "o": {"decimal-separator": "٫"}}),
            ),
            ("$formatNumber(1.5, p)", json!({"p": format!("0.{zeros}")})),
            (
                "$formatNumber(1.5, p)",
                json!({"p": format!("0.0e{zeros}")}),
            ),
            (
                "(1.5).$formatNumber($$.p)",
                json!({"p": format!("0.0e{zeros}")}),
            ),
            ("$formatNumber(1, p)", json!({"p": "0".repeat(19)})),
            ("$formatNumber(1, p)", json!({"p": "0,".repeat(19) + "0"})),
            ("$formatNumber(1, '0', {'zero-digit': '٠'})", json!({})),
            (
                "$formatNumber(1, '0', {'percent': t})",
                json!({"t": "xy".repeat(400_000)}),
            ),
            (
                "$map([1], function($n) { $formatNumber($n, $$.p) })",
                json!({"p": "0,E,Ee0"}),
            ),
            ("$map([1], $formatNumber(?, $$.p))", json!({"p": "0,E,Ee0"})),
            ("$parseInteger(\"abc\", '٠')", json!({})),
            ("$parseInteger(s, p)", json!({"s": "abc", "p": "٠"})),
            ("s.$parseInteger('٠')", json!({"s": "abc"})),
            ("$map([s], $parseInteger(?, '٠'))", json!({"s": "abc"})),
            ("$parseInteger('1', p)", json!({"p": "0,.".repeat(10)})),
            (
                "$formatInteger(1, p)",
                json!({"p": "0,".repeat(50_000) + "0"}),
            ),
            ("$formatInteger(1, p)", json!({"p": "0".repeat(19)})),
            ("$fromMillis(0, p)", json!({"p": "[Y]".repeat(33)})),
            ("$fromMillis(0, p)", json!({"p": "x".repeat(257)})),
            (
                "$fromMillis(0, '[H]', z)",
                json!({"z": "+9223372036854775807"}),
            ),
            (
                "$fromMillis(0, missing, z)",
                json!({"z": "+9223372036854775807"}),
            ),
            ("$now('[H]', z)", json!({"z": "+9223372036854775807"})),
            (
                "$toMillis(s, p)",
                json!({"s": "ab".repeat(10_000), "p": "[FNn]".repeat(10_000)}),
            ),
            (
                "$toMillis(s, p)",
                json!({"s": "1st".repeat(40), "p": "[D1o]".repeat(40)}),
            ),
            ("$toMillis(s, '[YA]')", json!({"s": "z".repeat(40)})),
            (
                "$toMillis(s, '[Y]-[dw]')",
                json!({"s": "2020-trillion trillion"}),
            ),
            (
                "$toMillis(s, '[hw][Pn]')",
                json!({"s": "trillion trillionpm"}),
            ),
        ],
        &["bad_picture"],
    );
}

#[test]
fn a_text_at_which_the_engine_panics_is_refused() {
    refused(
        &[
            ("$parseInteger(\"1€\", '0;o')", json!({})),
            ("$parseInteger(s, '0')", json!({"s": "9".repeat(400)})),
            ("$parseInteger(s, 'A')", json!({"s": "Z".repeat(40)})),
            (
                "$toMillis(s, '[D1o] [MNn] [Y]')",
                json!({"s": "1\u{17f}t January 2020"}),
            ),
            ("$toMillis(s, '[Yw]')", json!({"s": "\u{212a}"})),
            (
                "$toMillis(s, '[Y]-[d]')",
                json!({"s": "2020-99999999999999"}),
            ),
            ("$toMillis(s, '[d]')", json!({"s": "999999999999999999"})),
            (
                "$toMillis(s, '[h][P]')",
                json!({"s": "9223372036854775807pm"}),
            ),
            (
                "$toMillis(s, '[Y][Z]')",
                json!({"s": "2020+999999999999999999"}),
            ),
            (
                "$toMillis(s, '[Y][Z01:01]')",
                json!({"s": "2020+999999999999999999:01"}),
            ),
            ("$toMillis(s)", json!({"s": "٢٠٢٠"})),
            ("s.$toMillis()", json!({"s": "٢٠٢٠"})),
            ("$map([s], $toMillis)", json!({"s": "٢٠٢٠"})),
            ("$toMillis(s)", json!({"s": "2020-01-01T00:00:00.٣٣٣٣Z"})),
            ("$toMillis(s)", json!({"s": "1".repeat(129)})),
        ],
        &["bad_text"],
    );
}

#[test]
fn a_number_at_which_the_engine_panics_or_never_ends_is_refused() {
    let nines = || json!({"s": "9".repeat(100)});
    refused(
        &[
            ("$formatInteger($parseInteger('abc', '0'), 'w')", json!({})),
            ("$parseInteger('abc', '0')", json!({})),
            ("$formatInteger(0/0, 'w')", json!({})),
            ("$formatInteger(n, 'w')", json!({"n": 1e300})),
            ("$formatNumber(1/0, '0.0e0')", json!({})),
            ("$formatNumber(0/0, '0')", json!({})),
            ("$formatNumber(n, '0%;0e0')", json!({"n": -1.7e308})),
            ("(1/0).$formatNumber('0.0e0')", json!({})),
            ("$formatBase(1/0, 2)", json!({})),
            ("$formatBase($parseInteger(s, '0'), 2)", nines()),
            (
                "$fromMillis(n, '[X]-[W01]')",
                json!({"n": 8.210_266_876_7e15}),
            ),
            (
                "$fromMillis(n, '[X]-[W01]')",
                json!({"n": -8.334_601_228_799e15}),
            ),
            ("$fromMillis(n, '[w]')", json!({"n": 8.210_266_876_7e15})),
            ("n.$fromMillis('[w]')", json!({"n": 8.210_266_876_7e15})),
            ("n.$fromMillis()", json!({"n": 8.210_266_876_7e15})),
            ("$fromMillis(n)", json!({"n": 1e300})),
            ("$substring('abc', n)", json!({"n": 1e300})),
            ("$substring('abc', 1e18, 9e18)", json!({})),
            ("$substring('abc', 1, 0/0)", json!({})),
            ("$count([n..m])", json!({"n": -9e18, "m": 9e18})),
            ("$count([0..4294967295])", json!({})),
            ("$count([1..100].($ % 2 = 0 ? 0/0 : $)^($))", json!({})),
            (
                "l^(a / b)",
                json!({"l": (0..40).map(|n| json!({"a": n % 3, "b": n % 2})).collect::<Vec<_>>()}),
            ),
            ("$sort([1..100].($ % 2 = 0 ? 0/0 : $))", json!({})),
            (
                "$count($sort([1..100].{'k': $ % 2 = 0 ? 0/0 : $}, function($a, $b) { $a.k > $b.k }))",
                json!({}),
            ),
        ],
        &["bad_number"],
    );
    for source in [
        "1/0",
        "{'a': 0/0}",
        "$sum([1e308, 1e308])",
        "$round(1.5, 400)",
    ] {
        let refused = outcome(source, &json!({}));
        assert_eq!(refused, Err("result".to_owned()), "{source}");
    }
}

#[test]
fn a_picture_that_a_file_may_need_is_taken() {
    for (source, result) in [
        ("$formatNumber(1234.5, '#,##0.00')", json!("1,234.50")),
        ("$formatNumber(1234.5, '€ #,##0.00')", json!("€ 1,234.50")),
        ("$formatNumber(0.14, '01%')", json!("14%")),
        ("$formatNumber(0.014, '01‰')", json!("14‰")),
        ("$formatNumber(1234.5678, '00.000e0')", json!("12.346e2")),
        ("$formatNumber(-5, '0;(0)')", json!("(5)")),
        (
            "$formatNumber(1234.5, '#.##0,00', {'decimal-separator': ',', 'grouping-separator': '.'})",
            json!("1.234,50"),
        ),
        (
            "$formatNumber(1234.5, '#\u{a0}##0,00', {'decimal-separator': ',', 'grouping-separator': '\u{a0}'})",
            json!("1\u{a0}234,50"),
        ),
        (
            "$formatNumber(1, '000000000000000000')",
            json!("000000000000000001"),
        ),
        ("$formatInteger(8.5e9, '#,##0')", json!("8,500,000,000")),
        ("$formatInteger(1764352800000, '0')", json!("1764352800000")),
        ("$formatInteger(1e10, 'w')", json!("ten billion")),
        ("$formatInteger(2024, 'I')", json!("MMXXIV")),
        ("$formatInteger(21, '0;o')", json!("21st")),
        ("$formatInteger(12, '٠')", json!("١٢")),
        (
            "$formatInteger(9007199254740991, '0')",
            json!("9007199254740991"),
        ),
        ("$formatBase(255, 16)", json!("ff")),
        ("(255).$formatBase()", json!("255")),
        ("$parseInteger('1,234', '#,##0')", json!(1234)),
        ("$parseInteger('twelve', 'w')", json!(12)),
        ("$parseInteger('MMXXIV', 'I')", json!(2024)),
        ("$parseInteger('ZZ', 'A')", json!(702)),
        ("$fromMillis(0)", json!("1970-01-01T00:00:00.000Z")),
        ("(0).$fromMillis()", json!("1970-01-01T00:00:00.000Z")),
        ("$fromMillis(0, '[Y]年[M]月[D]日')", json!("1970年1月1日")),
        (
            "$fromMillis(0, '[H01]:[m01] [Z01:01t]', '+0530')",
            json!("05:30 +05:30"),
        ),
        (
            "$fromMillis(0, undefined, '-0500')",
            json!("1969-12-31T19:00:00.000-05:00"),
        ),
        ("$fromMillis(253402300799999, '[Y]')", json!("9999")),
        (
            "$toMillis('1970-01-01T00:00:01.5+01:00')",
            json!(-3_598_500),
        ),
        (
            "$toMillis('19700101000001', '[Y0001][M01][D01][H01][m01][s01]')",
            json!(1000),
        ),
        (
            "$toMillis('19700101000001123', '[Y0001][M01][D01][H01][m01][s01][f001]')",
            json!(1123),
        ),
        (
            "$toMillis('19700101010001+0100', '[Y0001][M01][D01][H01][m01][s01][Z0101]')",
            json!(1000),
        ),
        ("$toMillis('1970年1月1日', '[Y]年[M]月[D]日')", json!(0)),
        ("$toMillis('1st January 1970', '[D1o] [MNn] [Y]')", json!(0)),
        (
            "$toMillis('one thousand, nine hundred and seventy', '[Yw]')",
            json!(0),
        ),
        ("$substring('abcdef', -3, 2)", json!("de")),
        ("$count([1764352800..1764352810])", json!(11)),
    ] {
        assert_eq!(outcome(source, &json!({})), Ok(Some(result)), "{source}");
    }
}
