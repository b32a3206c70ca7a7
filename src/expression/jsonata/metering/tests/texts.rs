//! Texts and keys are paid for by their length wherever they are looked
//! through: compared, looked for, split at, padded with, hashed.

use std::fmt::Write as _;

use jsonata_core::value::JValue;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::super::limits::STEPS;
use super::super::super::{Expression, Moment};

const BYTES: usize = 400_000;

fn input() -> Value {
    let text = "xy".repeat(BYTES / 2);
    let number = |prefix: usize, n: usize| format!("{}{n:05}", "k".repeat(prefix));
    let keyed = |n: usize, prefix: usize| -> Vec<Value> {
        (0..n).map(|n| json!({number(prefix, n): 1})).collect()
    };
    json!({
        "s": text, "u": text, "short": "a", "list": [text], "o": {&text: 1}, "p": {&text: 1},
        "objects": [{&text: 1}], "keys": keyed(300, 95), "long_keys": keyed(100, 600),
        "texts": (0..500).map(|n| number(58, n)).collect::<Vec<_>>(),
        "long": (0..100).map(|n| number(2_000, n)).collect::<Vec<_>>(),
    })
}

#[test]
fn a_text_is_paid_for_by_its_length_wherever_it_is_looked_through() {
    let input = JValue::deserialize(input()).unwrap();
    let moment = Moment {
        now_ms: 0,
        random: [7; 32],
    };
    let bytes = BYTES as u64;
    let mut cheap = String::new();
    for (source, least) in [
        ("$pad(\"a\", 1, s)", 2 * bytes),
        ("$split(\"a\", s)", 2 * bytes),
        ("$replace(\"a\", s, \"b\")", 2 * bytes),
        ("$contains(\"a\", s)", 2 * bytes),
        ("short.$contains($$.s)", 2 * bytes),
        ("$map([\"a\"], $contains(?, $$.s))", 2 * bytes),
        ("$substringBefore(\"a\", s)", bytes),
        ("$join([\"a\"], s)", bytes),
        ("$lookup(o, s)", bytes / 4),
        ("s = u", bytes / 8),
        ("s != u", bytes / 8),
        ("s < u", bytes / 8),
        ("s in list", bytes / 8),
        ("list[$ = $$.s]", bytes / 8),
        ("o = p", bytes / 4),
        ("objects[$ = $$.o]", bytes / 4),
        ("$distinct([objects, o])", bytes / 4),
        ("$keys(keys)", 300 * 299 / 2 * 12),
        ("$distinct(texts)", 500 * 499 / 2 * 7),
        ("$distinct(long_keys)", 100 * 99 / 2 * 150),
        ("$sort(long)", 100 * 17 * 2_000 / 8),
        ("long^($)", 100 * 17 * 2_000 / 8),
    ] {
        let expression = Expression::parse(source).unwrap();
        let (taken, failed) = expression.steps(&input, &moment, STEPS);
        if taken < least {
            let _ = writeln!(cheap, "{source}: {taken} steps of {least}, {failed:?}");
        }
    }
    assert!(cheap.is_empty(), "{cheap}");
}
