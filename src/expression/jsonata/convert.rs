//! Between `serde_json` values and the engine's. Results are bounded in size
//! and depth: an expression can nest and share values beyond any memory.

use std::borrow::Cow;

use jsonata_core::value::JValue;
use serde::Deserialize;
use serde_json::{Map, Number, Value};

use super::ExpressionError;
use super::limits::{RESULT_BYTES, RESULT_VALUES, VALUE_DEPTH};

/// A value for the engine. Numbers become f64, as JSONata has no others.
pub(super) fn from_value(value: &Value) -> Result<JValue, ExpressionError> {
    JValue::deserialize(value).map_err(|_| ExpressionError::Result("no JSON the engine can read"))
}

/// An object of named roots; the same reference twice is converted once.
pub(super) fn from_roots(roots: &[(&'static str, Cow<Value>)]) -> Result<JValue, ExpressionError> {
    let mut done: Vec<(*const Value, JValue)> = Vec::with_capacity(roots.len());
    let mut entries = Vec::with_capacity(roots.len());
    for (name, value) in roots {
        let address: *const Value = &raw const **value;
        let known = done.iter().find(|(seen, _)| *seen == address);
        let converted = match known {
            Some((_, converted)) => converted.clone(),
            None => from_value(value)?,
        };
        done.push((address, converted.clone()));
        entries.push(((*name).to_owned(), converted));
    }
    Ok(JValue::object(entries.into_iter().collect()))
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

/// The result as JSON; `None` is undefined.
pub(super) fn to_value(result: &JValue) -> Result<Option<Value>, ExpressionError> {
    if result.is_undefined() {
        return Ok(None);
    }
    let mut budget = Budget {
        values: RESULT_VALUES,
        bytes: RESULT_BYTES,
    };
    budget.convert(result, VALUE_DEPTH).map(Some)
}

struct Budget {
    values: usize,
    bytes: usize,
}

const TOO_LARGE: ExpressionError = ExpressionError::Result("too large");

impl Budget {
    fn convert(&mut self, value: &JValue, depth: usize) -> Result<Value, ExpressionError> {
        self.values = self.values.checked_sub(1).ok_or(TOO_LARGE)?;
        match value {
            // Inside an array or object undefined is null, as JSON.stringify has it.
            JValue::Null | JValue::Undefined => Ok(Value::Null),
            JValue::Bool(flag) => Ok(Value::Bool(*flag)),
            JValue::Number(number) => number_value(*number),
            JValue::String(text) => self.text(text).map(Value::String),
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

/// Whole numbers as integers, so that `1` is written `1`.
#[allow(clippy::cast_possible_truncation)] // below 2^53, where f64 is exact
fn number_value(number: f64) -> Result<Value, ExpressionError> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        return Ok(Value::from(number as i64));
    }
    let number = Number::from_f64(number).map(Value::Number);
    number.ok_or(ExpressionError::Result("a number that is not finite"))
}
