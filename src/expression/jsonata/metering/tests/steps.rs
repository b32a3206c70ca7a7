//! That every kind of work is paid for: by the functions, operators and paths
//! there are, over inputs of every shape. What is not paid for would show here
//! as an evaluation that took few steps although its input is large, or one
//! that did not end with the failure.

mod functions;

use std::fmt::Write as _;

use jsonata_core::evaluator::Evaluator;
use jsonata_core::value::JValue;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::super::limits::STEPS;
use super::super::super::{Expression, ExpressionError, Moment};
use super::super::rewrite::builtin::{self, Pricing};

const MOMENT: Moment = Moment {
    now_ms: 0,
    random: [7; 32],
};

/// So many are enough to show that work is paid for.
const MOST: u64 = 3_000_000;

thread_local! {
    /// A list of numbers, texts, a list of objects, a deep value, lists of lists.
    static INPUT: JValue = JValue::deserialize(input(20_000)).unwrap();
    static SMALL: JValue = JValue::deserialize(input(5_000)).unwrap();
}

fn input(records: u32) -> Value {
    let numbers: Vec<u32> = (0..100_000).collect();
    let records: Vec<Value> = (0..records)
        .map(|n| json!({"id": n, "name": format!("n{n}"), "tags": ["a", "b"], "o": {"x": n}}))
        .collect();
    let deep = (0..50).fold(json!(1), |value, _| json!({"d": [value]}));
    json!({
        "n": numbers, "s": "x".repeat(1 << 20), "t": "a".repeat(50_000), "r": records, "deep": deep,
        "few": numbers[..20_000], "lists": vec![vec![0; 1_000]; 20], "zeros": vec![0; 20_000],
        "k": {"text": "k".repeat(1 << 20)},
    })
}

fn steps_of(source: &str, most: u64) -> (u64, Option<String>) {
    match Expression::parse(source) {
        Ok(expression) => INPUT.with(|input| expression.steps(input, &MOMENT, most)),
        Err(error) => (0, Some(error.to_string())),
    }
}

fn steps(source: &str) -> (u64, Option<String>) {
    steps_of(source, MOST)
}

/// Runs `call` a hundred thousand times, or so often until it is too much.
fn repeated(call: &str) -> (u64, Option<String>) {
    steps(&format!("$count([1..100000].({call}))"))
}

fn ends(failed: Option<&String>) -> bool {
    failed.is_some_and(|code| code == "too_much_work" || code == "too_large")
}

#[test]
fn every_operator_and_path_pays_by_the_size_of_what_it_looks_at() {
    let each = [
        "$$.r = $$.r",
        "$$.r != $$.r",
        "$$.s = $$.k.text",
        "$$.s < $$.k.text",
        "$$.s >= $$.k.text",
        "$ in $$.n",
        "\"z\" in $$.r.name",
        "$$.s & \"\"",
        "[1..1000]",
        "$$.zeros ? 1 : 2",
        "$$.zeros and true",
        "$$.zeros or false",
        "$$.zeros ?: 1",
        "$$.r.id",
        "$$.r.o.x",
        "$$.r.tags",
        "$$.r.*",
        "$$.*",
        "$$.deep.**",
        "$$.r[0].**",
        "$$.r.(id)",
        "$$.r.(tags)",
        "$$.r.[id]",
        "$$.r.{\"a\": id}",
        "$$.r[id = 5]",
        "$$.r[id = 5 and name = \"x\"]",
        "$$.r[id in [1, 2]]",
        "$$.r[$length(name) = 9]",
        "$$.r[tags]",
        "$$.n[[0, 1]]",
        "$$.n[$ = 1]",
        "$$.n.$",
        "$$.n.{}",
        "$$.n.(1)",
        "$$.n.\"a\"",
        "$$.n.[]",
        "$$.r^(id)",
        "$$.r^(<name, >id)",
        "$$.r{name: id}",
        "$$.r{\"a\": id}",
        "$$.r.tags{$: 1}",
        "$$.lists.$",
        "$$.lists[0].$",
        "$$.lists.*",
        "$$.r@$x.tags",
        "$$.r#$i.id",
        "$$.r.o.(%.id)",
        "($x := $$.r; $x.id)",
        "($x := $$.r; $x[id = 1])",
        "($f := function($a)<a<n>:n> { 1 }; $f($$.n))",
        "{\"r\": $$.r} ~> |r|{\"z\": 1}|",
        "$$.r[0] ~> |$|{\"z\": 1}, [\"id\"]|",
    ];
    let mut cheap = String::new();
    for source in each {
        let (taken, failed) = repeated(source);
        if !ends(failed.as_ref()) && failed.as_deref() != Some("D2015") {
            let _ = writeln!(cheap, "{source}: {taken} steps, {failed:?}");
        }
    }
    assert!(cheap.is_empty(), "{cheap}");
}

/// What a review found, each in its own words.
#[test]
fn what_was_found_to_run_for_minutes_ends_with_the_failure() {
    let fields = (0..120)
        .map(|_| "/\\w{400}/")
        .collect::<Vec<_>>()
        .join(", ");
    for source in [
        "($v := few; $v.($x := $; $v[$ = $x]))",
        "$count($distinct([1..30000]))",
        "($a := n[[0..39999]]; $a[$ in $a])",
        "($a := few; $count($a[$ in $a]))",
        "$count([1..1000].$contains($$.s, \"xyx\"))",
        "$count([1..1000].$match($$.t, /a{1000}b/))",
        "$count(few@$x.few@$y.$x)",
        "($a := few; $count($a.$a))",
        "($a := n; $o := $map([1..1000], function($i) { {\"a\": $a} }); $count($o.a))",
        "$count($keys([$merge(few.{$string($): 1})]))",
        "{\"r\": r} ~> |r|{\"z\": 1}|",
        "$count(few#$i{\"x\": $i})",
        "n[[0..9999]]",
        "($r := /b/; $count([1..1000].$r($$.t)))",
        "($m := /a/(t); $count([1..100000].($m.next())))",
        "$count([1..1000].($$.t ~> /b/))",
        "($r := /b/; $count($map([1..1000].($$.t), $r)))",
        "$count([1..100000].(function($x) { $x + $x + $x + $x + $x + $x + $x + $x + $x + $x }))",
        "($f := function($n) { $f($n) + $f($n) }; $f(1))",
        "($f := function() { $f() }; $f())",
    ] {
        let (taken, failed) = steps(source);
        let is_depth = failed.as_deref() == Some("D1011");
        assert!(
            ends(failed.as_ref()) || is_depth,
            "{source}: {taken} steps, {failed:?}"
        );
    }
    assert!(matches!(
        Expression::parse(&format!("[{fields}]")),
        Err(ExpressionError::Syntax(_))
    ));
}

#[test]
fn steps_are_bounded_just_so() {
    let source = "$count([1..1000].($ + 1))";
    let (taken, failed) = steps(source);
    assert_eq!(failed, None);
    assert_eq!(steps_of(source, taken), (taken, None));
    let (_, failed) = steps_of(source, taken - 1);
    assert_eq!(failed.as_deref(), Some("too_much_work"));
}

/// On 5,000 records; so many times that would still be allowed.
#[test]
fn ordinary_work_is_far_below_the_bound() {
    for (source, times) in [
        (
            "r.{\"id\": id, \"name\": name, \"x\": o.x, \"tag\": tags[0]}",
            12,
        ),
        (
            "$map(r, function($v) { {\"id\": $v.id, \"name\": $uppercase($v.name)} })",
            8,
        ),
        ("r[id > 5 and name != \"n7\"].name", 60),
        ("$sum(r.o.x)", 100),
        ("r^(>id).name", 30),
        ("$join(r.name, \",\")", 60),
        ("$count(r[$contains(name, \"9\")])", 20),
        ("$count(r[$contains(name, /9$/)])", 1),
        (
            "($a := r[id < 1000]; $count($a.($x := id; $a[id = $x])))",
            1,
        ),
        ("$distinct(r.tags)", 60),
        ("$merge(r.{name: id})", 10),
        ("$string(r)", 10),
    ] {
        let expression = Expression::parse(source).unwrap();
        let (taken, failed) = SMALL.with(|input| expression.steps(input, &MOMENT, STEPS));
        assert_eq!(failed, None, "{source}: {taken}");
        assert!(
            taken * times <= STEPS,
            "{source}: {taken}, {}",
            STEPS / taken
        );
    }
}
