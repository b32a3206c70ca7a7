//! The functions of the engine with arguments that are odd, put together by
//! chance: none panics, whatever it is given. The same seed makes the same
//! calls. On wasm32 a panic ends everything in the isolate.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use jsonata_core::value::JValue;
use serde::Deserialize;
use serde_json::json;

use super::super::super::{Expression, Moment};

const CALLS: usize = 12_000;
/// Little enough that each call ends in milliseconds where it is paid for.
const STEPS: u64 = 400_000;

/// Functions, as often as they are to be called, with their arguments at most.
const FUNCTIONS: &[(&str, usize)] = &[
    ("formatNumber", 3),
    ("formatNumber", 3),
    ("formatNumber", 3),
    ("formatInteger", 2),
    ("formatInteger", 2),
    ("formatBase", 2),
    ("parseInteger", 2),
    ("parseInteger", 2),
    ("fromMillis", 3),
    ("fromMillis", 3),
    ("toMillis", 2),
    ("toMillis", 2),
    ("toMillis", 2),
    ("now", 2),
    ("substring", 3),
    ("substringBefore", 2),
    ("substringAfter", 2),
    ("pad", 3),
    ("split", 3),
    ("join", 2),
    ("contains", 2),
    ("replace", 4),
    ("match", 3),
    ("number", 1),
    ("round", 2),
    ("power", 2),
    ("sqrt", 1),
    ("base64decode", 1),
    ("base64encode", 1),
    ("decodeUrl", 1),
    ("decodeUrlComponent", 1),
    ("encodeUrl", 1),
    ("encodeUrlComponent", 1),
    ("string", 2),
    ("length", 1),
    ("trim", 1),
    ("uppercase", 1),
    ("sort", 1),
    ("distinct", 1),
    ("zip", 4),
    ("append", 2),
    ("reverse", 1),
    ("shuffle", 1),
    ("keys", 1),
    ("lookup", 2),
    ("spread", 1),
    ("merge", 1),
    ("sum", 1),
    ("max", 1),
    ("average", 1),
    ("boolean", 1),
    ("not", 1),
    ("exists", 1),
    ("type", 1),
    ("error", 1),
    ("assert", 2),
];
/// Parts of pictures.
const SIGNS: &[&str] = &[
    "0",
    "0",
    "#",
    ",",
    ".",
    "e",
    "E",
    "%",
    "\u{2030}",
    ";",
    ";o",
    "-",
    "٠",
    "é",
    "€",
    "[",
    "]",
    "[[",
    "[Y]",
    "[M]",
    "[D]",
    "[d]",
    "[F]",
    "[W]",
    "[w]",
    "[X]",
    "[x]",
    "[H]",
    "[h]",
    "[P]",
    "[m]",
    "[s]",
    "[f]",
    "[Z]",
    "[z]",
    "[C]",
    "[E]",
    "[Q]",
    "[MNn]",
    "[FN,3-3]",
    "[D1o]",
    "[Yw]",
    "[Dwo]",
    "[YI]",
    "[YA]",
    "[dw]",
    "[hw]",
    "[Z01:01t]",
    "[Z0101]",
    "[z0]",
    "[Y0001]",
    "[Y,2-2]",
    "[f001]",
    "[fN]",
    "[M01]",
    "[Y,*-4]",
    "[Y9,999,*]",
    "[PN]",
    "[Y٠]",
    "w",
    "W",
    "Ww",
    "I",
    "i",
    "A",
    "a",
    "000",
    "#,##0",
    "0.0",
    "0e0",
    " ",
    "]]",
    "x",
];
/// Parts of texts.
const WORDS: &[&str] = &[
    "2020",
    "-",
    "1",
    "01",
    "st",
    "th",
    "\u{17f}",
    "\u{212a}",
    "January",
    "Mon",
    "am",
    "pm",
    "12",
    ":",
    "+0100",
    "+",
    "GMT",
    "one",
    " and ",
    "trillion",
    " ",
    "twenty",
    "٣",
    "9999999999",
    "9223372036854775807",
    "IV",
    "zz",
    "T",
    "Z",
    ".",
    "😀",
    "€",
    "%E0%A4",
    "0x",
    "a",
    ",",
    "$1",
    "$$",
    "=",
    "undefined",
    "[Y]",
    "0",
];
const NUMBERS: &[f64] = &[
    0.0,
    -0.0,
    1.0,
    -1.0,
    1.5,
    12.5,
    -3.25,
    2_147_483_647.0,
    -2_147_483_648.0,
    4_294_967_296.0,
    9_007_199_254_740_993.0,
    9.3e18,
    -9.3e18,
    1e21,
    1e300,
    1.7e308,
    -1.7e308,
    5e-324,
    8.210_266_876_7e15,
    -8.334_601_228_799e15,
    1_764_352_800_000.0,
    253_402_300_799_999.0,
    -377_705_116_800_000.0,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    999.0,
    1000.0,
    36.0,
    37.0,
];

/// xorshift64
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }

    fn text(&mut self, parts: &[&str]) -> String {
        let count = match self.below(12) {
            0 => 0,
            1 => 60,
            few => few / 2,
        };
        (0..count).map(|_| parts[self.below(parts.len())]).collect()
    }

    fn number(&mut self) -> JValue {
        JValue::Number(NUMBERS[self.below(NUMBERS.len())])
    }

    fn options(&mut self) -> JValue {
        let names = [
            "decimal-separator",
            "grouping-separator",
            "zero-digit",
            "percent",
            "per-mille",
        ];
        let marks = [
            ".", ",", "٫", "'", "\u{a0}", "e", "0", "٠", "", "ab", "#", "%", "\u{2030}",
        ];
        let entries = (0..=self.below(3)).map(|_| {
            let name = names[self.below(names.len())].to_owned();
            (name, JValue::string(marks[self.below(marks.len())]))
        });
        JValue::object(entries.collect())
    }

    fn value(&mut self) -> JValue {
        match self.below(16) {
            0..=3 => JValue::string(self.text(SIGNS)),
            4..=7 => JValue::string(self.text(WORDS)),
            8..=11 => self.number(),
            12 => self.options(),
            13 => JValue::array((0..self.below(60)).map(|_| self.number()).collect()),
            14 => JValue::array((0..self.below(5)).map(|_| self.value()).collect()),
            _ => JValue::deserialize(&json!([null, true, {"k": 1}])[self.below(3)]).unwrap(),
        }
    }

    /// What a function is called with: likely what it is for.
    fn argument(&mut self, name: &str, index: usize) -> JValue {
        let is_fit = self.below(4) > 0;
        match (name, index) {
            _ if !is_fit => self.value(),
            ("formatNumber" | "formatInteger" | "formatBase" | "fromMillis", 0)
            | ("substring", 1 | 2)
            | ("pad", 1)
            | ("round" | "power" | "sqrt", _)
            | ("split", 2) => self.number(),
            ("formatNumber", 2) => self.options(),
            ("formatNumber" | "formatInteger" | "parseInteger" | "fromMillis" | "toMillis", 1)
            | ("now", 0) => JValue::string(self.text(SIGNS)),
            ("sort" | "distinct", 0) => {
                JValue::array((0..self.below(60)).map(|_| self.number()).collect())
            }
            _ => JValue::string(self.text(WORDS)),
        }
    }
}

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
    let mut chance = Chance(88_172_645_463_325_252);
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
    let mut chance = Chance(1_234_567_890_123_457);
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
