//! What an evaluation may produce on its way, just under and just over; and
//! that counting changes no result.

mod panics;
mod pictures;
mod random;
mod steps;
mod texts;

use super::super::limits::{PRODUCED_BYTES, PRODUCED_VALUES};
use super::super::{Expression, ExpressionError, Moment, convert, options};
use crate::expression::ExpressionScope;
use jsonata_core::evaluator::{Context, Evaluator};
use jsonata_core::parser;
use jsonata_core::value::JValue;
use serde::Deserialize;
use serde_json::{Value, json};

const MOMENT: Moment = Moment {
    now_ms: 0,
    random: [7; 32],
};

/// xorshift64
struct Xorshift(u64);

impl Xorshift {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

fn evaluate(source: &str, input: &Value) -> Result<Option<Value>, ExpressionError> {
    let context = json!({});
    Expression::parse(source)?.evaluate(&ExpressionScope::step(input, &context), &MOMENT)
}

fn input() -> Value {
    json!({
        "text": "x".repeat(1 << 20), "words": "a,b,c", "one": [{"id": 1}], "n": 5,
        "items": [{"id": 2, "name": "b", "tags": ["x", "y"]}, {"id": 1, "name": "a", "tags": ["z"]}],
        "o": {"k": 1, "l": [1, 2]}, "list": ["p", "q"], "nested": [[1, 2], [3]],
    })
}

/// What the engine gives by itself, through the same conversion.
fn by_the_engine(source: &str) -> Result<Option<Value>, ()> {
    let ast = parser::parse(source).map_err(|_| ())?;
    let mut evaluator = Evaluator::with_options(Context::new(), options());
    let result = evaluator.evaluate(&ast, &JValue::deserialize(input()).map_err(|_| ())?);
    convert::to_value(&result.map_err(|_| ())?, &convert::InputNumbers::default()).map_err(|_| ())
}

#[test]
fn counting_changes_no_result() {
    let differs =
        |source: &&str| evaluate(source, &input()).map_err(|_| ()) != by_the_engine(source);
    let sources = include_str!("tests/same_results.txt").lines();
    let different: Vec<&str> = sources.filter(differs).collect();
    assert!(different.is_empty(), "{different:#?}");
}

fn is_too_large(source: &str) -> bool {
    match evaluate(source, &input()) {
        Ok(_) => false,
        Err(error) => {
            let bounds = ["too_large", "too_much_work"];
            assert!(bounds.contains(&error.code()), "{source}: {error}");
            true
        }
    }
}

#[test]
fn what_would_fill_the_memory_ends_with_an_error() {
    let sources = include_str!("tests/too_large.txt").lines();
    let fits: Vec<&str> = sources.filter(|source| !is_too_large(source)).collect();
    assert!(fits.is_empty(), "{fits:#?}");
}

#[test]
fn text_is_bounded_just_so() {
    let pad = |width: usize| format!("$length($pad(\"\", {width}))");
    // Counted before it is made and when it is there.
    assert!(!is_too_large(&pad(PRODUCED_BYTES / 2)));
    assert!(is_too_large(&pad(PRODUCED_BYTES / 2 + 1)));
    let joined = |bytes: usize| evaluate("$length(s & \"\") > 0", &json!({"s": "x".repeat(bytes)}));
    assert_eq!(joined(PRODUCED_BYTES), Ok(Some(json!(true))));
    assert_eq!(joined(PRODUCED_BYTES + 1).unwrap_err().code(), "too_large");
}

#[test]
fn values_are_bounded_just_so() {
    // An array counts as one more than its items.
    let reversed = |items: usize| evaluate("$count($reverse(l))", &json!({"l": vec![0; items]}));
    let fits = PRODUCED_VALUES - 1;
    assert_eq!(reversed(fits), Ok(Some(json!(fits))));
    assert_eq!(reversed(fits + 1).unwrap_err().code(), "too_large");
}

#[test]
fn a_picture_the_engine_would_panic_at_is_refused() {
    for picture in [
        "[€]",
        "[,5]",
        "[Y,99]",
        "[Y#########################]",
        "[Yé]",
        "[]",
        "[Y,3-99]",
    ] {
        for call in [
            "$fromMillis(0, P)",
            "(0).$fromMillis(P)",
            "$toMillis(\"x\", P)",
            "$now(P)",
        ] {
            let source = call.replace('P', &format!("\"{picture}\""));
            let error = evaluate(&source, &json!({})).unwrap_err();
            assert_eq!(error.code(), "bad_picture", "{source}");
        }
    }
}

#[test]
fn a_regular_expression_is_bounded_when_it_is_read() {
    let pattern = |n: u32| Expression::parse(&format!("$match(text, /(ab?c){{{n}}}/)"));
    assert!(pattern(1000).is_ok());
    assert_eq!(pattern(100_000).unwrap_err().code(), "syntax");
    assert!(Expression::parse("$match(text, /\\w{5000}/)").is_err());
    // Linear in the text for every pattern.
    let nested = "$contains(text, /^(x+x+)+y$/)";
    assert_eq!(evaluate(nested, &input()), Ok(Some(json!(false))));
}

#[test]
fn an_error_quotes_no_data() {
    let secret = json!({"s": "hunter2", "o": {"hunter2": "hunter2"}});
    for (source, code) in [
        ("$number(s)", "D3030"),
        ("s + 1", "T2001"),
        ("$error(s)", "D3137"),
        ("$assert(false, s)", "D3141"),
        ("s()", "T1006"),
        ("$fromMillis(0, \"[Q]\" & s)", "D3132"),
        ("$decodeUrl(s & \"%E0%A4%A\")", "D3140"),
        ("o.*.$number()", "D3030"),
        ("[1..s]", "T2004"),
        ("$pad(s, 1e9)", "too_large"),
    ] {
        let error = evaluate(source, &secret).unwrap_err();
        assert_eq!(error.code(), code, "{source}");
        assert!(!error.to_string().contains("hunter2"), "{source}: {error}");
        assert!(!format!("{error:?}").contains("hunter2"), "{source}");
    }
}
