//! What one evaluation has produced so far: bytes of text and values. The
//! engine bounds neither, and on wasm32 memory that runs out is an abort of
//! the isolate. [`super::steps`] puts the calls in that count here, each
//! before the engine allocates, or after one step that can at most triple.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use jsonata_core::evaluator::{Evaluator, EvaluatorError, HostFnResult};
use jsonata_core::value::JValue;

use super::estimate::{self, Estimate};
use super::failure::{BAD_PICTURE, NOT_A_VALUE, TOO_DEEP, TOO_LARGE, refuse};
use super::limits::{PRODUCED_BYTES, PRODUCED_VALUES, VALUE_DEPTH};
use super::picture;

/// Counts a value as the text it will be written as, and gives it.
pub(super) const TEXT: &str = "causeway text";
/// As [`TEXT`], written with line breaks and indentation.
pub(super) const PRETTY: &str = "causeway pretty";
/// Counts a text that a function has made, and gives it.
pub(super) const MADE: &str = "causeway made";
/// Counts the items of an array or entries of an object, and gives it.
pub(super) const ITEMS: &str = "causeway items";
/// As [`ITEMS`], with the entries of the objects in an array.
pub(super) const ENTRIES: &str = "causeway entries";
/// Counts everything in a value, and gives it.
pub(super) const WHOLE: &str = "causeway whole";
/// `(values, bytes, value)`: counts what a constructor makes, and `value`'s items.
pub(super) const COST: &str = "causeway cost";
/// Remembers an argument for [`CHECK`], and gives it.
pub(super) const NOTE: &str = "causeway note";
/// `(name, count, context, last)`: what the function will produce from the
/// `count` arguments that end with `last`; counts it, and gives `last`.
pub(super) const CHECK: &str = "causeway check";
/// Gives a value unless it is a built-in function that has to be counted.
pub(super) const VALUE: &str = "causeway value";

/// Whether a value is a function that the expression or the engine defines.
pub(super) const IS_FUNCTION: &str = "causeway is function";

/// What is left of the bounds of one evaluation.
pub(super) struct Produced {
    bytes: Cell<usize>,
    values: Cell<usize>,
    /// Arguments of the calls whose last argument is not evaluated yet. Calls
    /// nest, so this is a stack; an error ends the evaluation.
    noted: RefCell<Vec<JValue>>,
}

type Done = Result<(), EvaluatorError>;
type Counter = fn(&Produced, &JValue) -> Done;

/// Registers the counting functions on an evaluator that is used once.
pub(super) fn register(evaluator: &mut Evaluator) -> Done {
    let produced = Rc::new(Produced {
        bytes: Cell::new(PRODUCED_BYTES),
        values: Cell::new(PRODUCED_VALUES),
        noted: RefCell::default(),
    });
    let counters: [(&str, Counter); 7] = [
        (TEXT, |produced, value| produced.text(value, 0)),
        (PRETTY, |produced, value| produced.text(value, 2)),
        (MADE, Produced::made),
        (ITEMS, Produced::items),
        (ENTRIES, Produced::entries),
        (WHOLE, |produced, value| produced.whole(value, VALUE_DEPTH)),
        (NOTE, |produced, value| {
            produced.noted.borrow_mut().push(value.clone());
            Ok(())
        }),
    ];
    for (name, counter) in counters {
        let produced = Rc::clone(&produced);
        evaluator.register_fn(name, move |args: &[JValue]| {
            let value = nth(args, 0);
            counter(&produced, &value).map(|()| value)
        })?;
    }
    let shared = Rc::clone(&produced);
    evaluator.register_fn(COST, move |args: &[JValue]| shared.cost(args))?;
    evaluator.register_fn(CHECK, move |args: &[JValue]| produced.check(args))?;
    evaluator.register_fn(VALUE, |args: &[JValue]| value(args))?;
    evaluator.register_fn(IS_FUNCTION, |args: &[JValue]| {
        let value = nth(args, 0);
        Ok(JValue::Bool(value.is_lambda() || value.is_builtin()))
    })
}

fn nth(args: &[JValue], index: usize) -> JValue {
    args.get(index).cloned().unwrap_or(JValue::Undefined)
}

/// A count the compiler wrote into the source.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn count_at(args: &[JValue], index: usize) -> usize {
    args.get(index).and_then(JValue::as_f64).unwrap_or(0.0) as usize
}

fn value(args: &[JValue]) -> HostFnResult {
    match nth(args, 0) {
        JValue::Builtin { name } if super::steps::is_counted(&name) => Err(refuse(NOT_A_VALUE)),
        value => Ok(value),
    }
}

impl Produced {
    fn spend(&self, cost: Estimate) -> Done {
        let bytes = self.bytes.get().checked_sub(cost.bytes);
        let values = self.values.get().checked_sub(cost.values);
        let (Some(bytes), Some(values)) = (bytes, values) else {
            return Err(refuse(TOO_LARGE));
        };
        self.bytes.set(bytes);
        self.values.set(values);
        Ok(())
    }

    fn made(&self, value: &JValue) -> Done {
        self.spend(Estimate::bytes(value.as_str().map_or(0, str::len)))
    }

    fn items(&self, value: &JValue) -> Done {
        match value {
            JValue::Array(items) => self.spend(Estimate::values(1 + items.len())),
            JValue::Object(entries) => {
                let bytes = entries.keys().map(String::len).sum();
                self.spend(Estimate {
                    values: 1 + entries.len(),
                    bytes,
                })
            }
            _ => Ok(()),
        }
    }

    fn entries(&self, value: &JValue) -> Done {
        self.items(value)?;
        let JValue::Array(items) = value else {
            return Ok(());
        };
        items.iter().try_for_each(|item| self.items(item))
    }

    /// A copy of everything. Shared parts count each time, as they are copied.
    fn whole(&self, value: &JValue, depth: usize) -> Done {
        self.items(value)?;
        let deeper = || depth.checked_sub(1).ok_or_else(|| refuse(TOO_DEEP));
        match value {
            JValue::Array(items) => {
                let depth = deeper()?;
                items.iter().try_for_each(|item| self.whole(item, depth))
            }
            JValue::Object(entries) => {
                let depth = deeper()?;
                entries
                    .values()
                    .try_for_each(|item| self.whole(item, depth))
            }
            _ => Ok(()),
        }
    }

    fn text(&self, value: &JValue, indent: usize) -> Done {
        self.written(value, indent, 0)
    }

    /// A value as JSON: quotes, commas and escapes are counted generously.
    fn written(&self, value: &JValue, indent: usize, depth: usize) -> Done {
        if depth > VALUE_DEPTH {
            return Err(refuse(TOO_DEEP));
        }
        let around = if depth == 0 { 0 } else { 3 + indent * depth };
        let own = match value {
            JValue::String(text) if depth == 0 => text.len(),
            JValue::String(text) => estimate::as_json(text),
            JValue::Number(_) if depth > 0 => 24,
            JValue::Array(_) | JValue::Object(_) => 2 + indent * depth,
            _ => 5,
        };
        self.spend(Estimate::bytes(own + around))?;
        match value {
            JValue::Array(items) => items
                .iter()
                .try_for_each(|item| self.written(item, indent, depth + 1)),
            JValue::Object(entries) => entries.iter().try_for_each(|(key, item)| {
                self.spend(Estimate::bytes(estimate::as_json(key) + 4))?;
                self.written(item, indent, depth + 1)
            }),
            _ => Ok(()),
        }
    }

    fn cost(&self, args: &[JValue]) -> HostFnResult {
        self.spend(Estimate {
            values: count_at(args, 0),
            bytes: count_at(args, 1),
        })?;
        let value = nth(args, 2);
        if value.is_array() {
            self.items(&value)?;
        }
        Ok(value)
    }

    fn check(&self, args: &[JValue]) -> HostFnResult {
        let (name, context, last) = (nth(args, 0), nth(args, 2), nth(args, 3));
        let mut noted = self.noted.borrow_mut();
        let start = noted
            .len()
            .saturating_sub(count_at(args, 1).saturating_sub(1));
        let mut given = noted.split_off(start);
        given.push(last.clone());
        let name = name.as_str().unwrap_or_default();
        if !picture::are_sound(name, &given) {
            return Err(refuse(BAD_PICTURE));
        }
        self.spend(estimate::call(name, &context, &given))?;
        Ok(last)
    }
}
