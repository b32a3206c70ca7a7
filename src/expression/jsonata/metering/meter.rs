//! While an expression runs: what is left of its bounds, and the host functions that take from it. On wasm32 memory
//! that runs out is an abort of the isolate and time that runs out stops everything else in it.

mod charge;
mod compare;
mod estimate;
mod hooks;
mod marker;
mod nesting;
mod picture;
mod pictured;
mod regular;
mod scan;
mod visit;
mod weigh;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use jsonata_core::evaluator::{Evaluator, EvaluatorError};
use jsonata_core::value::JValue;

use super::super::failure::{TOO_LARGE, TOO_MUCH_WORK, refuse};
use super::super::limits::{PRODUCED_BYTES, PRODUCED_VALUES};
use super::price::{HOOK, ITEM, MADE};
use super::table::Table;

use self::estimate::Estimate;
use self::hooks::HOST_FUNCTIONS;
use self::nesting::Nesting;

pub(in crate::expression::jsonata) use self::picture::check as check_picture;
pub(super) use self::regular::CompiledPattern;
pub(super) use self::scan::{Scan, is_position};

pub(super) type Paid = Result<(), EvaluatorError>;

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

impl Meter {
    /// An account of so many steps for one evaluation of a tree that `table` belongs to.
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
    ) -> Paid {
        for (name, counter) in HOST_FUNCTIONS {
            let meter = Rc::clone(self);
            evaluator.register_fn(name, move |args: &[JValue]| {
                meter.work(HOOK)?;
                counter(&meter, args)
            })?;
        }
        Ok(())
    }

    /// Steps that are left.
    pub(in crate::expression::jsonata) fn left(&self) -> u64 {
        self.steps.get()
    }

    /// Takes steps.
    pub(super) fn work(&self, steps: u64) -> Paid {
        let left = self.steps.get().checked_sub(steps);
        self.steps.set(left.unwrap_or(0));
        left.map(drop).ok_or_else(|| refuse(TOO_MUCH_WORK))
    }

    pub(super) fn spend(&self, cost: Estimate) -> Paid {
        let bytes = self.bytes.get().checked_sub(cost.bytes);
        let values = self.values.get().checked_sub(cost.values);
        let (Some(bytes), Some(values)) = (bytes, values) else {
            return Err(refuse(TOO_LARGE));
        };
        self.bytes.set(bytes);
        self.values.set(values);
        self.work(cost.values as u64 * ITEM + (cost.bytes / MADE) as u64)
    }

    pub(super) fn table(&self) -> &Table {
        &self.table
    }

    /// The pattern that a value is.
    pub(super) fn pattern(&self, value: &JValue) -> Option<&CompiledPattern> {
        self.table.patterns.iter().find(|pattern| pattern.is(value))
    }

    /// Pays again, `times` over in all, for what `once` pays.
    pub(super) fn repeat(&self, times: u64, once: impl FnOnce() -> Paid) -> Paid {
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
}
