//! The arguments that functions are called with.

use jsonata_core::value::JValue;
use serde::Deserialize;
use serde_json::json;

use super::super::Xorshift;

/// Functions, as often as they are to be called, with their arguments at most.
pub const FUNCTIONS: &[(&str, usize)] = &[
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
pub const WORDS: &[&str] = &[
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

impl Xorshift {
    pub fn text(&mut self, parts: &[&str]) -> String {
        let count = match self.below(12) {
            0 => 0,
            1 => 60,
            few => few / 2,
        };
        (0..count).map(|_| parts[self.below(parts.len())]).collect()
    }

    pub fn number(&mut self) -> JValue {
        JValue::Number(NUMBERS[self.below(NUMBERS.len())])
    }

    pub fn options(&mut self) -> JValue {
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

    pub fn value(&mut self) -> JValue {
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
    pub fn argument(&mut self, name: &str, index: usize) -> JValue {
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
