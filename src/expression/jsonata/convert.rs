//! Between `serde_json` values and the engine's. Results are bounded in size
//! and depth: an expression can nest and share values beyond any memory.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use jsonata_core::value::{JArray, JValue};
use serde_json::{Map, Number, Value};

use super::ExpressionError;
use super::limits::{CONVERTING_A_VALUE, RESULT_BYTES, RESULT_VALUES, VALUE_DEPTH};
use crate::expression::effort;

/// The largest whole number of which, and of all before it, a double is the number itself and no neighbour.
pub(super) const MOST_EXACT: f64 = 9_007_199_254_740_991.0;

/// What came in and must go out as it came. JSONata's numbers are doubles, so a whole number beyond
/// [`MOST_EXACT`] is carried through the engine as a text of its digits; where that very text comes out, the number does.
#[derive(Default)]
pub(super) struct InputNumbers {
    /// By the address of the text, which is held here, so that no other gets it.
    wholes: HashMap<*const u8, (Rc<str>, Number)>,
    /// Bits of doubles beyond [`MOST_EXACT`] that were written with a fraction or an exponent.
    measured: HashSet<u64>,
}

impl InputNumbers {
    /// A value for the engine.
    pub(super) fn value(&mut self, value: &Value) -> JValue {
        match value {
            Value::Null => JValue::Null,
            Value::Bool(flag) => JValue::Bool(*flag),
            Value::Number(number) => self.number(number),
            Value::String(text) => JValue::string(text.as_str()),
            Value::Array(items) => {
                let items: Vec<_> = items.iter().map(|item| self.value(item)).collect();
                let is_flat = !items.iter().any(|item| matches!(item, JValue::Array(_)));
                JValue::Array(JArray::new_flat(items, is_flat))
            }
            Value::Object(entries) => {
                let entries = entries.iter();
                let entries = entries.map(|(key, item)| (key.clone(), self.value(item)));
                JValue::object(entries.collect())
            }
        }
    }

    fn number(&mut self, number: &Number) -> JValue {
        let double = number.as_f64().unwrap_or_default();
        if double.abs() <= MOST_EXACT {
            return JValue::Number(double);
        }
        if number.is_f64() {
            self.measured.insert(double.to_bits());
            return JValue::Number(double);
        }
        let digits: Rc<str> = number.to_string().into();
        let address = digits.as_ptr();
        let known = (Rc::clone(&digits), number.clone());
        self.wholes.insert(address, known);
        JValue::String(digits)
    }

    /// An object of named roots; the same reference twice is converted once.
    pub(super) fn roots(&mut self, roots: &[(&'static str, Cow<Value>)]) -> JValue {
        let mut done: Vec<(*const Value, JValue)> = Vec::with_capacity(roots.len());
        let mut entries = Vec::with_capacity(roots.len());
        for (name, value) in roots {
            let address: *const Value = &raw const **value;
            let known = done.iter().find(|(seen, _)| *seen == address);
            let converted = match known {
                Some((_, converted)) => converted.clone(),
                None => self.value(value),
            };
            done.push((address, converted.clone()));
            entries.push(((*name).to_owned(), converted));
        }
        JValue::object(entries.into_iter().collect())
    }

    /// The number that was copied, found by its address: the result of a function has another address.
    fn copied(&self, text: &Rc<str>) -> Option<&Number> {
        self.wholes.get(&text.as_ptr()).map(|(_, number)| number)
    }

    /// A double as JSON: whole ones as integers, so that `1` is written `1`. JSON cannot write infinity. One beyond [`MOST_EXACT`] that did not come in was computed, and may be rounded.
    #[allow(clippy::cast_possible_truncation)] // below 2^53, where f64 is exact
    fn computed(&self, double: f64) -> Result<Value, ExpressionError> {
        if !double.is_finite() {
            return Err(ExpressionError::Result("a number that is not finite"));
        }
        if double.fract() == 0.0 && double.abs() <= MOST_EXACT {
            return Ok(Value::from(double as i64));
        }
        if double.abs() > MOST_EXACT && !self.measured.contains(&double.to_bits()) {
            return Err(INEXACT);
        }
        Ok(Value::from(double))
    }
}

/// Steps that are left of the count that an evaluation is in, its input paid; `None` outside of one.
pub(super) fn counted(size: u64) -> Option<u64> {
    effort::take(size.saturating_mul(CONVERTING_A_VALUE)).ok();
    effort::left()
}

/// How many values there are in these, long texts counted more than once; no
/// more than a bound beyond which it makes no difference.
pub(super) fn size<'v>(values: impl Iterator<Item = &'v JValue>) -> u64 {
    let mut left = MOST_SIZE;
    values.for_each(|value| add_size(value, &mut left));
    MOST_SIZE - left
}

const MOST_SIZE: u64 = super::limits::UNCOUNTED_STEPS;
/// Bytes of text that count as one value.
const BYTES_PER_VALUE: usize = 8;

fn add_size(value: &JValue, left: &mut u64) {
    let own = match value {
        JValue::String(text) => 1 + text.len() / BYTES_PER_VALUE,
        _ => 1,
    };
    *left = left.saturating_sub(own as u64);
    if *left == 0 {
        return;
    }
    match value {
        JValue::Array(items) => items.iter().for_each(|item| add_size(item, left)),
        JValue::Object(entries) => entries.values().for_each(|item| add_size(item, left)),
        _ => {}
    }
}

/// The result as JSON; `None` is undefined. `carried` is of the input.
pub(super) fn to_value(
    result: &JValue,
    carried: &InputNumbers,
) -> Result<Option<Value>, ExpressionError> {
    if result.is_undefined() {
        return Ok(None);
    }
    let mut budget = ResultBudget {
        carried,
        values: RESULT_VALUES,
        bytes: RESULT_BYTES,
    };
    let value = budget.convert(result, VALUE_DEPTH);
    let made = (RESULT_VALUES - budget.values) as u64;
    effort::take(made.saturating_mul(CONVERTING_A_VALUE)).ok();
    value.map(Some)
}

struct ResultBudget<'c> {
    carried: &'c InputNumbers,
    values: usize,
    bytes: usize,
}

const TOO_LARGE: ExpressionError = ExpressionError::Result("too large");
const INEXACT: ExpressionError = ExpressionError::Result(
    "a number beyond 2^53, of which the last digits may be lost: take the id as it came, or as a text",
);

impl ResultBudget<'_> {
    fn convert(&mut self, value: &JValue, depth: usize) -> Result<Value, ExpressionError> {
        self.values = self.values.checked_sub(1).ok_or(TOO_LARGE)?;
        match value {
            // Inside an array or object undefined is null, as JSON.stringify has it.
            JValue::Null | JValue::Undefined => Ok(Value::Null),
            JValue::Bool(flag) => Ok(Value::Bool(*flag)),
            JValue::Number(number) => self.carried.computed(*number),
            JValue::String(text) => match self.carried.copied(text) {
                Some(number) => Ok(Value::Number(number.clone())),
                None => self.text(text).map(Value::String),
            },
            JValue::Array(items) => {
                let depth = deeper(depth)?;
                items
                    .iter()
                    .map(|item| self.convert(item, depth))
                    .collect::<Result<_, _>>()
                    .map(Value::Array)
            }
            JValue::Object(entries) => {
                let depth = deeper(depth)?;
                let mut map = Map::new();
                for (key, item) in entries.iter().filter(|(_, item)| !item.is_undefined()) {
                    map.insert(self.text(key)?, self.convert(item, depth)?);
                }
                Ok(Value::Object(map))
            }
            JValue::Lambda(_) | JValue::Builtin { .. } | JValue::Regex { .. } => {
                Err(ExpressionError::Result("a function, not JSON"))
            }
        }
    }

    fn text(&mut self, text: &str) -> Result<String, ExpressionError> {
        self.bytes = self.bytes.checked_sub(text.len()).ok_or(TOO_LARGE)?;
        Ok(text.to_owned())
    }
}

fn deeper(depth: usize) -> Result<usize, ExpressionError> {
    depth
        .checked_sub(1)
        .ok_or(ExpressionError::Result("nested too deep"))
}
