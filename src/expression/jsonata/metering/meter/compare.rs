//! Comparing values as the engine does, paid for on the way.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use jsonata_core::evaluator::EvaluatorError;
use jsonata_core::value::JValue;

use super::super::price::{COMPARED, HASHED, ITEM};
use super::Meter;

/// The engine's `values_equal`: numbers and texts by value, functions never.
pub(super) fn equal(meter: &Meter, left: &JValue, right: &JValue) -> Result<bool, EvaluatorError> {
    meter.work(3)?;
    match (left, right) {
        (JValue::Null, JValue::Null) => Ok(true),
        (JValue::Bool(left), JValue::Bool(right)) => Ok(left == right),
        #[allow(clippy::float_cmp)] // as the language does
        (JValue::Number(left), JValue::Number(right)) => Ok(left == right),
        (JValue::String(left), JValue::String(right)) => texts(meter, left, right),
        (JValue::Array(left), JValue::Array(right)) => lists(meter, left, right),
        (JValue::Object(left), JValue::Object(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            for (key, left) in left.iter() {
                meter.work(2 * ITEM + (key.len() / HASHED) as u64)?;
                match right.get(key) {
                    Some(right) if equal(meter, left, right)? => {}
                    _ => return Ok(false),
                }
            }
            Ok(true)
        }
        _ => Ok(false),
    }
}

fn texts(meter: &Meter, left: &Rc<str>, right: &Rc<str>) -> Result<bool, EvaluatorError> {
    if left.len() != right.len() {
        return Ok(false);
    }
    meter.work((left.len() / COMPARED) as u64)?;
    Ok(left == right)
}

fn lists(meter: &Meter, left: &[JValue], right: &[JValue]) -> Result<bool, EvaluatorError> {
    if left.len() != right.len() {
        return Ok(false);
    }
    for (left, right) in left.iter().zip(right) {
        if !equal(meter, left, right)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Texts that were met, each with which another is compared. Only texts as long
/// as one another are looked through.
#[derive(Default)]
pub(super) struct SeenTexts<'t> {
    texts: HashSet<&'t str>,
    by_length: HashMap<usize, u64>,
}

impl<'t> SeenTexts<'t> {
    /// Steps of comparing a text with all of them, `each` for what is no byte.
    pub(super) fn comparing(&self, text: &str, each: u64) -> u64 {
        let alike = self.by_length.get(&text.len()).copied().unwrap_or(0);
        let bytes = alike.saturating_mul((text.len() / COMPARED) as u64);
        (self.texts.len() as u64)
            .saturating_mul(each)
            .saturating_add(bytes)
    }

    pub(super) fn add(&mut self, text: &'t str) {
        if self.texts.insert(text) {
            *self.by_length.entry(text.len()).or_default() += 1;
        }
    }
}

/// What `$distinct` compares: each item with those that are kept.
pub(super) fn distinct(meter: &Meter, items: &[JValue]) -> Result<(), EvaluatorError> {
    if items.iter().all(JValue::is_string) {
        return distinct_texts(meter, items);
    }
    let mut kept: Vec<&JValue> = Vec::new();
    for item in items {
        let mut is_new = true;
        for earlier in &kept {
            if equal(meter, item, earlier)? {
                is_new = false;
                break;
            }
        }
        if is_new {
            kept.push(item);
        }
    }
    Ok(())
}

fn distinct_texts(meter: &Meter, items: &[JValue]) -> Result<(), EvaluatorError> {
    let mut kept = SeenTexts::default();
    for text in items.iter().filter_map(JValue::as_str) {
        let hashing = (text.len() / HASHED) as u64;
        meter.work(ITEM + hashing + kept.comparing(text, 2))?;
        kept.add(text);
    }
    Ok(())
}

/// What a transform compares: each value of its input with each target, until
/// one is the same; what is below a target is not looked at.
pub(super) fn locate(
    meter: &Meter,
    targets: &JValue,
    input: &JValue,
) -> Result<(), EvaluatorError> {
    let single = std::slice::from_ref(targets);
    let targets = match targets {
        JValue::Array(items) => items.as_slice(),
        JValue::Null => &[],
        _ => single,
    };
    search(meter, targets, input)
}

fn search(meter: &Meter, targets: &[JValue], value: &JValue) -> Result<(), EvaluatorError> {
    for target in targets {
        if equal(meter, target, value)? {
            return Ok(());
        }
    }
    match value {
        JValue::Array(items) => items
            .iter()
            .try_for_each(|item| search(meter, targets, item)),
        JValue::Object(entries) => entries
            .values()
            .try_for_each(|item| search(meter, targets, item)),
        _ => Ok(()),
    }
}
