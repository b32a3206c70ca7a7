//! What is left of the bounds of one evaluation, and the host functions that
//! take from it. On wasm32 memory that runs out is an abort of the isolate and
//! time that runs out stops everything else in it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use jsonata_core::evaluator::{Evaluator, EvaluatorError, HostFnResult};
use jsonata_core::value::JValue;

use super::super::failure::{BAD_NUMBER, NOT_A_VALUE, TOO_DEEP, TOO_LARGE, TOO_MUCH_WORK, refuse};
use super::super::limits::{
    FRAMES, PRODUCED_BYTES, PRODUCED_VALUES, RANGE_BOUND, STEPS, VALUE_DEPTH,
};
use super::body::{Charge, Read, Table};
use super::estimate::{self, Estimate};
use super::nesting::Nesting;
use super::plan::Visit;
use super::price::{CALL, COMPARED, HASHED, HOOK, ITEM, JOINED, MADE, TUPLE};
use super::regular::Regular;
use super::scan::Scan;
use super::{builtin, compare, hook, picture};

/// JSONata's own code for a stack that overflows.
const STACK_OVERFLOW: &str = "D1011";

pub(super) type Failure = EvaluatorError;
pub(super) type Done = Result<(), Failure>;
type Counter = fn(&Meter, &[JValue]) -> HostFnResult;

/// One evaluation's account.
pub(in crate::expression::jsonata) struct Meter {
    steps: Cell<u64>,
    bytes: Cell<usize>,
    values: Cell<usize>,
    /// Shared by every function that runs, as often as it counts.
    frame: Rc<str>,
    nesting: RefCell<Nesting>,
    /// Arguments of the calls whose last argument is not evaluated yet. Calls
    /// nest, so this is a stack; an error ends the evaluation.
    noted: RefCell<Vec<JValue>>,
    /// Tuples that each grouping has met so far: the engine copies a group for
    /// each that joins it.
    grouped: RefCell<HashMap<usize, u64>>,
    /// The longest text a pattern was used on, which its `next()` searches on.
    longest: Cell<usize>,
    table: Rc<Table>,
}

const COUNTERS: [(&str, Counter); 22] = [
    (hook::PAY, Meter::body),
    (hook::THEN, |_, args| Ok(last(args))),
    (hook::RESULT, Meter::result),
    (hook::SCAN, Meter::scan),
    (hook::SEARCH, |meter, args| {
        let list = nth(args, 0);
        estimate::applied(meter, &list, &nth(args, 1)).map(|()| list)
    }),
    (hook::EQUAL, |meter, args| {
        compare::equal(meter, &nth(args, 0), &nth(args, 1)).map(JValue::Bool)
    }),
    (hook::UNEQUAL, Meter::unequal),
    (hook::LOCATE, |meter, args| {
        let targets = nth(args, 0);
        compare::locate(meter, &targets, &nth(args, 1)).map(|()| targets)
    }),
    (hook::REMOVE, Meter::remove),
    (hook::BOUND, Meter::bound),
    (hook::TEXT, |meter, args| {
        given(args, |value| meter.written(value, 0, 0))
    }),
    (hook::PRETTY, |meter, args| {
        given(args, |value| meter.written(value, 2, 0))
    }),
    (hook::MADE, |meter, args| {
        given(args, |value| meter.made(value))
    }),
    (hook::ITEMS, |meter, args| {
        given(args, |value| meter.items(value))
    }),
    (hook::ENTRIES, |meter, args| {
        given(args, |value| meter.entries(value))
    }),
    (hook::WHOLE, |meter, args| {
        given(args, |value| meter.whole(value, VALUE_DEPTH))
    }),
    (hook::FINITE, |meter, args| {
        given(args, |value| meter.finite(value))
    }),
    (hook::COST, Meter::cost),
    (hook::NOTE, |meter, args| {
        meter.noted.borrow_mut().push(nth(args, 0));
        Ok(nth(args, 0))
    }),
    (hook::CHECK, Meter::check),
    (hook::VALUE, |_, args| match nth(args, 0) {
        JValue::Builtin { name } if builtin::is_counted(&name) => Err(refuse(NOT_A_VALUE)),
        value => Ok(value),
    }),
    (hook::IS_FUNCTION, |_, args| {
        let value = nth(args, 0);
        Ok(JValue::Bool(value.is_lambda() || value.is_builtin()))
    }),
];

fn nth(args: &[JValue], index: usize) -> JValue {
    args.get(index).cloned().unwrap_or(JValue::Undefined)
}

fn last(args: &[JValue]) -> JValue {
    args.last().cloned().unwrap_or(JValue::Undefined)
}

/// A number the compiler wrote into the tree.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn number_at(args: &[JValue], index: usize) -> usize {
    args.get(index).and_then(JValue::as_f64).unwrap_or(0.0) as usize
}

impl Meter {
    /// A full account for one evaluation of a tree that `table` belongs to.
    pub(in crate::expression::jsonata) fn new(table: &Rc<Table>) -> Rc<Self> {
        Self::with_steps(table, STEPS)
    }

    /// One of so many steps.
    pub(in crate::expression::jsonata) fn with_steps(table: &Rc<Table>, steps: u64) -> Rc<Self> {
        Rc::new(Self {
            steps: Cell::new(steps),
            bytes: Cell::new(PRODUCED_BYTES),
            values: Cell::new(PRODUCED_VALUES),
            frame: "frame".into(),
            nesting: RefCell::default(),
            noted: RefCell::default(),
            grouped: RefCell::default(),
            longest: Cell::new(0),
            table: Rc::clone(table),
        })
    }

    /// Gives an evaluator that is used once the host functions of the tree.
    pub(in crate::expression::jsonata) fn register(
        self: &Rc<Self>,
        evaluator: &mut Evaluator,
    ) -> Done {
        for (name, counter) in COUNTERS {
            let meter = Rc::clone(self);
            evaluator.register_fn(name, move |args: &[JValue]| {
                meter.work(HOOK)?;
                counter(&meter, args)
            })?;
        }
        Ok(())
    }

    /// Steps that are left.
    #[cfg(test)]
    pub(in crate::expression::jsonata) fn left(&self) -> u64 {
        self.steps.get()
    }

    /// Takes steps.
    pub(super) fn work(&self, steps: u64) -> Done {
        let left = self.steps.get().checked_sub(steps);
        self.steps.set(left.unwrap_or(0));
        left.map(drop).ok_or_else(|| refuse(TOO_MUCH_WORK))
    }

    pub(super) fn table(&self) -> &Table {
        &self.table
    }

    /// The pattern that a value is.
    pub(super) fn pattern(&self, value: &JValue) -> Option<&Regular> {
        self.table.patterns.iter().find(|pattern| pattern.is(value))
    }

    /// Pays again, `times` over in all, for what `once` pays.
    pub(super) fn repeat(&self, times: u64, once: impl FnOnce() -> Done) -> Done {
        let before = self.steps.get();
        once()?;
        let steps = before.saturating_sub(self.steps.get());
        self.work(steps.saturating_mul(times.saturating_sub(1)))
    }

    /// Remembers a text that a pattern is used on.
    pub(super) fn searches(&self, bytes: usize) {
        self.longest.set(self.longest.get().max(bytes));
    }

    pub(super) fn longest(&self) -> usize {
        self.longest.get()
    }

    /// Steps that comparing the whole of a value takes.
    pub(super) fn measure(&self, value: &JValue) -> Result<u64, Failure> {
        self.work(1)?;
        match value {
            JValue::String(text) => Ok(1 + (text.len() / COMPARED) as u64),
            JValue::Array(items) => self.measure_all(items.iter()),
            JValue::Object(entries) => {
                let values = self.measure_all(entries.values())?;
                let keys: usize = entries.keys().map(|key| key.len() / HASHED).sum();
                Ok(ITEM * values + keys as u64)
            }
            _ => Ok(1),
        }
    }

    fn measure_all<'v>(&self, items: impl Iterator<Item = &'v JValue>) -> Result<u64, Failure> {
        let mut sum: u64 = 1;
        for item in items {
            sum = sum.saturating_add(self.measure(item)?);
        }
        Ok(sum)
    }

    fn charge(&self, args: &[JValue]) -> Rc<Charge> {
        self.table.charge(number_at(args, 0))
    }

    /// Pays for a body: its nodes, then what its paths will visit.
    fn body(&self, args: &[JValue]) -> HostFnResult {
        let charge = self.charge(args);
        self.work(charge.steps)?;
        if charge.groups_tuples {
            let met = self.met(number_at(args, 0));
            self.work(met.saturating_mul(2))?;
        }
        let args = args.get(1..).unwrap_or_default();
        self.read(&charge, args, 1)?;
        match charge.frames {
            0 => Ok(JValue::Undefined),
            frames => self.call(
                frames,
                args.get(charge.starts.len()..).unwrap_or_default(),
                charge.is_checked,
            ),
        }
    }

    /// How many tuples a grouping has met, with this one.
    fn met(&self, grouping: usize) -> u64 {
        let mut grouped = self.grouped.borrow_mut();
        let met = grouped.entry(grouping).or_default();
        *met += 1;
        *met
    }

    /// One call of a function: what it is given, and what stands for it.
    fn call(&self, frames: usize, given: &[JValue], is_checked: bool) -> HostFnResult {
        self.work(CALL)?;
        if Rc::strong_count(&self.frame) - 1 + frames > FRAMES {
            return Err(refuse(STACK_OVERFLOW));
        }
        let mut nesting = self.nesting.borrow_mut();
        for value in given {
            nesting.check(self, value)?;
            if is_checked {
                Scan::Numbers.pay(self, value)?;
            }
        }
        let hold = || JValue::String(Rc::clone(&self.frame));
        Ok(match frames {
            1 => hold(),
            more => JValue::array((0..more).map(|_| hold()).collect()),
        })
    }

    fn read(&self, charge: &Charge, args: &[JValue], times: u64) -> Done {
        let mut sizes = vec![0; charge.slots];
        for (start, value) in charge.starts.iter().zip(args) {
            for read in start {
                if let Read::Size { slot, name } = read
                    && let Some(size) = sizes.get_mut(*slot)
                {
                    *size = self.size_of(value, name.as_deref())?;
                }
            }
        }
        for (start, value) in charge.starts.iter().zip(args) {
            for read in start {
                match read {
                    Read::Text => Scan::Text.pay(self, value)?,
                    Read::Names(names) if value.is_array() => {
                        self.repeat(names.saturating_mul(times), || {
                            Scan::Lookup.pay(self, value)
                        })?;
                    }
                    Read::Size { .. } | Read::Names(_) => {}
                    Read::Walk(plan) => Visit {
                        meter: self,
                        sizes: &sizes,
                        found: 0,
                    }
                    .walk(value, plan, times)?,
                }
            }
        }
        Ok(())
    }

    /// The size of a variable, or of a field of it.
    fn size_of(&self, value: &JValue, name: Option<&str>) -> Result<u64, Failure> {
        match (value, name) {
            (JValue::Object(entries), Some(name)) => {
                entries.get(name).map_or(Ok(1), |field| self.measure(field))
            }
            (JValue::Array(items), Some(_)) => items
                .iter()
                .try_fold(1, |sum, item| Ok(sum + self.size_of(item, name)?)),
            _ => self.measure(value),
        }
    }

    /// Pays for what follows on a computed value, and gives it. What follows
    /// begins at the first value: behind `@` that is the context.
    fn result(&self, args: &[JValue]) -> HostFnResult {
        let charge = self.charge(args);
        let value = last(args);
        let count = match &value {
            JValue::Array(items) => items.len() as u64,
            _ => 1,
        };
        self.work(count.saturating_mul(if charge.is_tuple { TUPLE } else { JOINED }))?;
        let times = if charge.times_result { count } else { 1 };
        self.read(&charge, args.get(1..).unwrap_or_default(), times)?;
        Ok(value)
    }

    fn scan(&self, args: &[JValue]) -> HostFnResult {
        let value = nth(args, 1);
        if let Some(scan) = args.first().and_then(JValue::as_f64).and_then(Scan::of) {
            scan.pay(self, &value)?;
        }
        Ok(value)
    }

    fn unequal(&self, args: &[JValue]) -> HostFnResult {
        let (left, right) = (nth(args, 0), nth(args, 1));
        let is_there = !left.is_undefined() && !right.is_undefined();
        Ok(JValue::Bool(
            is_there && !compare::equal(self, &left, &right)?,
        ))
    }

    /// Each key removed moves those behind it.
    fn remove(&self, args: &[JValue]) -> HostFnResult {
        let (names, object) = (nth(args, 0), nth(args, 1));
        if let (JValue::Array(names), JValue::Object(entries)) = (&names, &object) {
            self.work((names.len() as u64).saturating_mul(1 + entries.len() as u64))?;
        }
        Ok(names)
    }

    /// The bound of a range, counted by the items it may stand for.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss
    )] // clamped
    fn bound(&self, args: &[JValue]) -> HostFnResult {
        let value = nth(args, 0);
        let most = super::super::limits::SEQUENCE_LENGTH as f64;
        let bound = value.as_f64().unwrap_or(0.0);
        if !(-RANGE_BOUND..=RANGE_BOUND).contains(&bound) {
            return Err(refuse(BAD_NUMBER));
        }
        let items = bound.abs().clamp(0.0, most);
        self.work(items as u64 * ITEM)?;
        Ok(value)
    }

    fn spend(&self, cost: Estimate) -> Done {
        let bytes = self.bytes.get().checked_sub(cost.bytes);
        let values = self.values.get().checked_sub(cost.values);
        let (Some(bytes), Some(values)) = (bytes, values) else {
            return Err(refuse(TOO_LARGE));
        };
        self.bytes.set(bytes);
        self.values.set(values);
        self.work(cost.values as u64 * ITEM + (cost.bytes / MADE) as u64)
    }

    fn made(&self, value: &JValue) -> Done {
        self.spend(Estimate::bytes(value.as_str().map_or(0, str::len)))
    }

    fn items(&self, value: &JValue) -> Done {
        match value {
            JValue::Array(items) => self.spend(Estimate::values(1 + items.len())),
            JValue::Object(entries) => {
                self.work(entries.len() as u64 * ITEM * 3)?; // hashed and inserted
                let bytes = entries.keys().map(String::len).sum();
                self.spend(Estimate {
                    values: 1 + entries.len(),
                    bytes,
                })
            }
            _ => Ok(()),
        }
    }

    /// Numbers, those of a list and the fields of its objects must be finite.
    fn finite(&self, value: &JValue) -> Done {
        self.work(1)?;
        match value {
            JValue::Number(number) if !number.is_finite() => Err(refuse(BAD_NUMBER)),
            JValue::Array(items) => items.iter().try_for_each(|item| match item {
                JValue::Object(fields) => {
                    fields.values().try_for_each(|field| self.finite_one(field))
                }
                item => self.finite_one(item),
            }),
            _ => Ok(()),
        }
    }

    fn finite_one(&self, value: &JValue) -> Done {
        match value {
            JValue::Array(_) => self.work(1),
            value => self.finite(value),
        }
    }

    pub(super) fn entries(&self, value: &JValue) -> Done {
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
            // `**` collects each value once for every level above it.
            _ => self.work((VALUE_DEPTH - depth) as u64),
        }
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
        self.work(ITEM)?;
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
            values: number_at(args, 0),
            bytes: number_at(args, 1),
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
            .saturating_sub(number_at(args, 1).saturating_sub(1));
        let mut given = noted.split_off(start);
        given.push(last.clone());
        let name = name.as_str().unwrap_or_default();
        picture::check(name, &context, &given).map_err(refuse)?;
        self.spend(estimate::call(self, name, &context, &given)?)?;
        Ok(last)
    }
}

fn given(args: &[JValue], pay: impl FnOnce(&JValue) -> Done) -> HostFnResult {
    let value = nth(args, 0);
    pay(&value).map(|()| value)
}
