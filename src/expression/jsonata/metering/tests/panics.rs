//! The functions of the engine with arguments that are odd, put together by
//! chance: none panics on any input. The same seed makes the same
//! calls. On wasm32 a panic ends everything in the isolate.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use jsonata_core::value::JValue;

use super::super::super::{Expression, Moment};
use super::Xorshift;

mod arguments;

use arguments::{FUNCTIONS, WORDS};

const CALLS: usize = 12_000;
/// Little enough that each call ends in milliseconds where it is paid for.
const STEPS: u64 = 400_000;

thread_local! {
    static COMPILED: RefCell<BTreeMap<String, Expression>> = const { RefCell::new(BTreeMap::new()) };
}

fn compiled(source: &str) -> Expression {
    COMPILED.with_borrow_mut(|known| {
        let place = known.entry(source.to_owned());
        place
            .or_insert_with(|| Expression::parse(source).unwrap())
            .clone()
    })
}

fn listed(names: &[&str], before: &str) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("{before}{name}")).collect();
    names.join(", ")
}

/// Whether a call runs to its end, with a result or a failure.
fn ends(source: &str, input: &JValue) -> bool {
    let moment = Moment {
        now_ms: 0,
        random: [7; 32],
    };
    let expression = compiled(source);
    let run = || drop(expression.value(input, &moment, STEPS));
    catch_unwind(AssertUnwindSafe(run)).is_ok()
}

#[test]
fn no_function_panics_whatever_it_is_given() {
    let mut chance = Xorshift(88_172_645_463_325_252);
    let mut panicked = Vec::new();
    for _ in 0..CALLS {
        let (name, most) = FUNCTIONS[chance.below(FUNCTIONS.len())];
        let count = match chance.below(5) {
            0 => chance.below(most + 1),
            _ => most,
        };
        let names = ["a", "b", "c", "d"];
        let source = match chance.below(6) {
            0 => format!("e.${name}({})", listed(&names[..count], "$$.")),
            1 if count == 1 => format!("$map([a], ${name})"),
            _ => format!("${name}({})", listed(&names[..count], "")),
        };
        let mut input = vec![("e".to_owned(), chance.argument(name, 0))];
        for (index, key) in names.into_iter().enumerate() {
            input.push((key.to_owned(), chance.argument(name, index)));
        }
        let input = JValue::object(input.into_iter().collect());
        if !ends(&source, &input) {
            panicked.push(format!("{source} {input:?}"));
        }
    }
    panicked.truncate(20);
    assert!(panicked.is_empty(), "{}", panicked.join("\n"));
}

#[test]
fn no_pattern_limit_or_replacement_panics() {
    let mut chance = Xorshift(1_234_567_890_123_457);
    let calls = [
        "$replace(a, /(\\d)|(a)?/, b, c)",
        "$replace(a, /./, b)",
        "$replace(a, /1|€/i, function($m) { $m.match & b })",
        "$match(a, /\\w*/, c)",
        "$match(a, /./, c)",
        "$split(a, /,|😀/, c)",
        "$contains(a, /[^a]/i)",
        "($m := /./(a); $m.next())",
        "a ~> /€/",
        "[c..d]",
        "a[c]",
        "$sort(l, function($a, $b) { $a > $b })",
        "$sort(o, function($a, $b) { $a.k > $b.k })",
        "l^($)",
        "o^(k)",
        "l.$string()",
        "$string(a, true)",
        "a & b & c",
        "$pad(a, c, b)",
        "-c + d * c / d % c",
        "(function($x)<s-n?:s> { $x })(c)",
    ];
    let mut panicked = Vec::new();
    for round in 0..CALLS / 4 {
        let source = calls[round % calls.len()];
        let list = JValue::array((0..60).map(|_| chance.number()).collect());
        let objects = (0..60).map(|_| {
            let field = ("k".to_owned(), chance.number());
            JValue::object([field].into_iter().collect())
        });
        let objects = JValue::array(objects.collect());
        let input = [
            ("a", JValue::string(chance.text(WORDS))),
            ("b", JValue::string(chance.text(WORDS))),
            ("c", chance.number()),
            ("d", chance.number()),
            ("l", list),
            ("o", objects),
        ];
        let input = input.map(|(key, value)| (key.to_owned(), value));
        if !ends(source, &JValue::object(input.into_iter().collect())) {
            panicked.push(source);
        }
    }
    panicked.truncate(20);
    assert!(panicked.is_empty(), "{panicked:#?}");
}
