//! Paying for bodies, calls of functions, and what paths will visit.

use std::rc::Rc;

use jsonata_core::evaluator::EvaluatorError;
use jsonata_core::evaluator::HostFnResult;
use jsonata_core::value::JValue;

use super::super::super::failure::refuse;
use super::super::super::limits::FRAMES;
use super::super::price::{CALL, JOINED, TUPLE};
use super::super::table::{Charge, ValueRead};
use super::hooks::{last, number_at};
use super::visit::PathVisitor;
use super::{Meter, Paid, Scan};

/// JSONata's own code for a stack that overflows.
const STACK_OVERFLOW: &str = "D1011";

impl Meter {
    pub(super) fn charge(&self, args: &[JValue]) -> Rc<Charge> {
        self.table.charge(number_at(args, 0))
    }

    /// Pays for a body: its nodes, then what its paths will visit.
    pub(super) fn body(&self, args: &[JValue]) -> HostFnResult {
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

    /// One call of a function: what it is given, and what represents it.
    pub(super) fn call(&self, frames: usize, given: &[JValue], is_checked: bool) -> HostFnResult {
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

    pub(super) fn read(&self, charge: &Charge, args: &[JValue], times: u64) -> Paid {
        let mut sizes = vec![0; charge.slots];
        for (start, value) in charge.starts.iter().zip(args) {
            for read in start {
                if let ValueRead::Size { slot, name } = read
                    && let Some(size) = sizes.get_mut(*slot)
                {
                    *size = self.size_of(value, name.as_deref())?;
                }
            }
        }
        for (start, value) in charge.starts.iter().zip(args) {
            for read in start {
                match read {
                    ValueRead::Text => Scan::Text.pay(self, value)?,
                    ValueRead::Names(names) if value.is_array() => {
                        self.repeat(names.saturating_mul(times), || {
                            Scan::Lookup.pay(self, value)
                        })?;
                    }
                    ValueRead::Size { .. } | ValueRead::Names(_) => {}
                    ValueRead::Path(plan) => PathVisitor {
                        meter: self,
                        sizes: &sizes,
                        found: 0,
                    }
                    .charge_path(value, plan, times)?,
                }
            }
        }
        Ok(())
    }

    /// The size of a variable, or of a field of it.
    fn size_of(&self, value: &JValue, name: Option<&str>) -> Result<u64, EvaluatorError> {
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
    /// begins at the first value: after `@` that is the context.
    pub(super) fn result(&self, args: &[JValue]) -> HostFnResult {
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
}
