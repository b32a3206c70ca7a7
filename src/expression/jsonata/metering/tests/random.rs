//! Expressions that are put together at random: counting
//! changes what none of them gives. The same seed makes the same ones.

use jsonata_core::evaluator::{Context, Evaluator};
use jsonata_core::parser;
use jsonata_core::value::JValue;
use serde::Deserialize;
use serde_json::json;

use super::super::super::limits::STEPS;
use super::super::super::{Expression, Moment, options};
use super::Xorshift;

const EXPRESSIONS: usize = 3_000;

/// What represents `_` is another expression.
const FORMS: &[&str] = &[
    "_._",
    "_.(_)",
    "_[_]",
    "_[_ = _]",
    "_[id = _]",
    "_^(_)",
    "_^(>id)",
    "_{$string(_): _}",
    "[_, _]",
    "{\"a\": _, \"b\": _}",
    "(_ = _)",
    "(_ != _)",
    "(_ in _)",
    "(_ & _)",
    "(_ ? _ : _)",
    "(_ ?: _)",
    "(_).*",
    "(_).**",
    "_@$x._",
    "_#$i._",
    "_.o.(%.id)",
    "(_).(_ and _)",
    "(_).[_]",
    "(_).{\"q\": _}",
    "($x := _; _)",
    "_[[0..3]]",
    "_[0]",
    "_[-1]",
    "_[]",
    "(_ ~> |_|{\"z\": _}|)",
    "(_ ~> $map(function($x) { _ }))",
    "$map(_, function($x) { _ })",
    "$filter(_, function($x) { _ })",
    "$reduce(_, function($x, $y) { _ }, _)",
    "$each(_, function($x, $k) { _ })",
    "$sift(_, function($x, $k) { _ })",
    "$single(_, function($x) { _ })",
    "$distinct(_)",
    "$count(_)",
    "$string(_)",
    "$keys(_)",
    "$sort(_)",
    "$sum(_)",
    "$append(_, _)",
    "$merge(_)",
    "$spread(_)",
    "$zip(_, _)",
    "$boolean(_)",
    "$exists(_)",
    "$not(_)",
    "$type(_)",
    "$reverse(_)",
    "$contains($string(_), /n\\d+/)",
    "$match($string(_), /[a-z]+/)",
    "$split($string(_), \"n\")",
    "$split($string(_), /\\d/)",
    "$replace($string(_), \"n\", \"yy\")",
    "$replace($string(_), /a*z|a/, \"yy\")",
    "$join(_.$string())",
    "$uppercase($string(_))",
    "$substring($string(_), 1, 3)",
    "$length($string(_))",
];
const ENDS: &[&str] = &[
    "$", "id", "name", "1", "\"n1\"", "$$.r", "$$.n", "$$.s", "$x", "tags", "o.x", "$$.lists",
    "$$", "$$.deep", "$i", "0", "true", "r", "n", "$$.words", "missing", "null",
];

impl Xorshift {
    fn expression(&mut self, depth: usize) -> String {
        if depth == 0 {
            return ENDS[self.below(ENDS.len())].to_owned();
        }
        let form = FORMS[self.below(FORMS.len())];
        let parts = form.split('_').map(str::to_owned);
        parts
            .reduce(|text, part| format!("{text}{}{part}", self.expression(depth - 1)))
            .unwrap_or_default()
    }
}

/// As text; what a function looks like inside does not count.
fn by_the_engine(source: &str, input: &JValue) -> Result<String, ()> {
    let ast = parser::parse(source).map_err(drop)?;
    let mut evaluator = Evaluator::with_options(Context::new(), options());
    let value = evaluator.evaluate(&ast, input).map_err(drop)?;
    Ok(format!("{value:?}"))
}

#[test]
fn counting_changes_no_result_of_expressions_made_by_chance() {
    let input = JValue::deserialize(json!({
        "r": [{"id": 0, "name": "n0", "tags": ["a", "b"], "o": {"x": 0}},
              {"id": 1, "name": "n1", "tags": ["c"], "o": {"x": 1, "y": [1, 2]}}, {"id": 2, "name": "n2"}],
        "n": [0, 1, 2, 3], "s": "xn1 n2 zz", "lists": [[1, 2], [3]], "words": ["word 1 x", "w"],
        "deep": {"d": [{"d": [1], "id": 5}]},
    }))
    .unwrap();
    let moment = Moment {
        now_ms: 0,
        random: [7; 32],
    };
    let mut chance = Xorshift(88_172_645_463_325_252);
    let (mut compared, mut different) = (0, Vec::new());
    while compared < EXPRESSIONS {
        let depth = 1 + chance.below(3);
        let source = chance.expression(depth);
        let Ok(expression) = Expression::parse(&source) else {
            continue;
        };
        let ours = expression.value(&input, &moment, STEPS);
        let is_bound = |code: &String| code.starts_with("too_");
        if ours.as_ref().is_err_and(is_bound) {
            continue;
        }
        let ours = ours.map(|value| format!("{value:?}")).map_err(drop);
        let theirs = by_the_engine(&source, &input);
        compared += 1;
        if ours != theirs && !format!("{ours:?}{theirs:?}").contains("Lambda") {
            different.push(format!("{source}\n    {ours:?}\n    {theirs:?}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}
