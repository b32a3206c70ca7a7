//! Paying for what a path will visit, by following its names through the value it starts at.

use jsonata_core::evaluator::EvaluatorError;
use jsonata_core::value::JValue;

use super::super::super::failure::{TOO_LARGE, refuse};
use super::super::super::limits::SEQUENCE_LENGTH;
use super::super::plan::{Axis, PlanStep, name_steps};
use super::super::price::{FOUND as FOUND_ITEM, HALVINGS, ITEM, OPENED, TUPLE, VISIT};
use super::{Meter, Paid, Scan};

/// What follows one plan through a value, and pays.
pub(super) struct PathVisitor<'a> {
    pub meter: &'a Meter,
    /// Sizes of the variables that are compared.
    pub sizes: &'a [u64],
    /// Values that came of steps so far.
    pub found: u64,
}

/// Values that one path may come upon. The engine bounds a sequence when it is
/// complete, and lists whose items are shared can be put together to any length.
const FOUND: u64 = 10 * SEQUENCE_LENGTH as u64;

impl PathVisitor<'_> {
    /// Pays for what `plan` visits from `value` on, `times` over.
    pub(super) fn charge_path(&mut self, value: &JValue, plan: &[PlanStep], times: u64) -> Paid {
        let mut value = value.clone();
        let mut plan = plan;
        let mut times = times;
        while let Some((hop, rest)) = plan.split_first() {
            let found = match (&hop.axis, &value) {
                // A step maps over a list.
                (Axis::Name(_), JValue::Array(items)) => {
                    return self.all(items, plan, times);
                }
                (Axis::Name(name), JValue::Object(entries)) => {
                    entries.get(name).cloned().unwrap_or(JValue::Undefined)
                }
                (Axis::Name(_), _) => JValue::Undefined,
                (Axis::Children, _) => return self.children(&value, hop, rest, times),
                (Axis::Descendants, _) => return self.below(&value, hop, rest, times, 0),
                (Axis::Itself | Axis::Sort(_), _) => value.clone(),
            };
            let count = self.arrive(hop, &found, times)?;
            if count == 0 || rest.is_empty() {
                return Ok(());
            }
            if hop.focus {
                times = times.saturating_mul(count);
            } else {
                match (&found, hop.only) {
                    (JValue::Array(items), Some(position)) => {
                        value = nth(items, position);
                    }
                    (JValue::Array(items), None) => return self.all(items, rest, times),
                    _ => value = found,
                }
            }
            plan = rest;
        }
        Ok(())
    }

    fn all(&mut self, items: &[JValue], plan: &[PlanStep], times: u64) -> Paid {
        items
            .iter()
            .try_for_each(|item| self.charge_path(item, plan, times))
    }

    /// Pays for what came of a step; how many values it is.
    fn arrive(
        &mut self,
        hop: &PlanStep,
        found: &JValue,
        times: u64,
    ) -> Result<u64, EvaluatorError> {
        let single = std::slice::from_ref(found);
        let items = match found {
            JValue::Undefined => &[],
            JValue::Array(items) => items.as_slice(),
            _ => single,
        };
        let count = items.len() as u64;
        let compared: u64 = hop
            .with
            .iter()
            .filter_map(|slot| self.sizes.get(*slot))
            .sum();
        self.found = self.found.saturating_add(count);
        if self.found > FOUND {
            return Err(refuse(TOO_LARGE));
        }
        let each = hop.each + compared + if hop.tuple { TUPLE } else { 0 };
        let terms = match hop.axis {
            Axis::Sort(terms) => HALVINGS * ITEM * terms,
            _ => 0,
        };
        self.pay(
            VISIT * name_steps(&hop.axis).max(1) + count.saturating_mul(each + terms + FOUND_ITEM),
            times,
        )?;
        if hop.looks > 0 || hop.compares {
            items
                .iter()
                .try_for_each(|item| self.look(hop, item, times))?;
        }
        Ok(count)
    }

    fn look(&mut self, hop: &PlanStep, item: &JValue, times: u64) -> Paid {
        if item.is_array() {
            let looks = hop.looks.saturating_mul(times);
            self.meter
                .repeat(looks, || Scan::Lookup.pay(self.meter, item))?;
        }
        if hop.compares {
            let size = self.meter.measure(item)?;
            self.pay(size, times)?;
        }
        Ok(())
    }

    /// `*`: what is in the entries of an object, lists in them opened. Of a
    /// list it gives the items or what is in each of them, by its place.
    fn children(&mut self, value: &JValue, hop: &PlanStep, rest: &[PlanStep], times: u64) -> Paid {
        self.pay(OPENED, times)?;
        match value {
            JValue::Array(items) => items.iter().try_for_each(|item| {
                self.opened(item, hop, rest, times)?;
                match item {
                    JValue::Object(_) => self.children(item, hop, rest, times),
                    _ => Ok(()),
                }
            }),
            JValue::Object(entries) => entries
                .values()
                .try_for_each(|item| self.opened(item, hop, rest, times)),
            _ => Ok(()),
        }
    }

    fn opened(&mut self, value: &JValue, hop: &PlanStep, rest: &[PlanStep], times: u64) -> Paid {
        if let JValue::Array(items) = value {
            return items
                .iter()
                .try_for_each(|item| self.opened(item, hop, rest, times));
        }
        self.onward(value, hop, rest, times)
    }

    fn onward(&mut self, value: &JValue, hop: &PlanStep, rest: &[PlanStep], times: u64) -> Paid {
        self.arrive(hop, value, times)?;
        if rest.is_empty() {
            return Ok(());
        }
        self.charge_path(value, rest, times)
    }

    /// `**`: each value is copied once for every level above it.
    fn below(
        &mut self,
        value: &JValue,
        hop: &PlanStep,
        rest: &[PlanStep],
        times: u64,
        depth: u64,
    ) -> Paid {
        self.pay(VISIT + depth, times)?;
        let deeper = depth + 1;
        match value {
            JValue::Array(items) => items
                .iter()
                .try_for_each(|item| self.below(item, hop, rest, times, deeper)),
            JValue::Object(entries) => {
                self.onward(value, hop, rest, times)?;
                entries
                    .values()
                    .try_for_each(|item| self.below(item, hop, rest, times, deeper))
            }
            _ => self.onward(value, hop, rest, times),
        }
    }

    fn pay(&self, steps: u64, times: u64) -> Paid {
        self.meter.work(steps.saturating_mul(times))
    }
}

/// The item at a position, from the end when it is negative.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss
)] // outside the list is nothing
fn nth(items: &[JValue], position: f64) -> JValue {
    let floor = position.floor();
    let index = if floor < 0.0 {
        floor + items.len() as f64
    } else {
        floor
    };
    let item = (index >= 0.0).then(|| items.get(index as usize)).flatten();
    item.cloned().unwrap_or(JValue::Undefined)
}
