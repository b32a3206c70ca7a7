//! What a path will visit, known before it runs: the steps that are names, one
//! behind the other, followed through the value they start at.

use jsonata_core::value::JValue;

use super::super::failure::{TOO_LARGE, refuse};
use super::account::{Done, Failure, Meter};
use super::price::{FOUND as FOUND_ITEM, HALVINGS, HASHED, ITEM, OPENED, TUPLE, VISIT};

/// Steps of a path that follow one another without anything computed.
pub(super) type Plan = Vec<Hop>;

/// One step.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Hop {
    pub go: Go,
    /// Steps of work for each value that comes of it: its simple predicates.
    pub each: u64,
    /// How often such a predicate looks at the value itself or at a field of
    /// it, which is a list where the value is one.
    pub looks: u64,
    /// Whether the whole of the value is compared.
    pub compares: bool,
    /// Variables that are compared with each value, by their slots.
    pub with: Vec<usize>,
    /// The only item that goes on, where the predicate is a number.
    pub only: Option<f64>,
    /// `@`: the next step starts where this one did, once for each value.
    pub focus: bool,
    /// Part of a stream of tuples.
    pub tuple: bool,
}

/// Where a step goes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Go {
    /// `name`
    To(String),
    /// `*`
    Children,
    /// `**`
    Below,
    /// `$`, or the variable the path starts with.
    #[default]
    Stay,
    /// `^(…)`: so many terms.
    Sort(u64),
}

/// How much dearer than a short name looking one up is; 0 for what is none.
pub(super) fn name_steps(go: &Go) -> u64 {
    match go {
        Go::To(name) => 1 + (name.len() / HASHED) as u64 / VISIT,
        _ => 0,
    }
}

impl Hop {
    pub(super) fn of(go: Go) -> Self {
        Self {
            go,
            ..Self::default()
        }
    }

    /// Whether it costs nothing beyond its node, whatever the value is.
    pub(super) fn is_free(&self) -> bool {
        self.go == Go::Stay && !self.tuple && !self.focus && self.is_plain()
    }

    fn is_plain(&self) -> bool {
        self.each == 0 && self.looks == 0 && !self.compares && self.with.is_empty()
    }
}

/// One walk along a plan.
pub(super) struct Visit<'a> {
    pub meter: &'a Meter,
    /// Sizes of the variables that are compared.
    pub sizes: &'a [u64],
    /// Values that came of steps so far.
    pub found: u64,
}

/// Values that one path may come upon. The engine bounds a sequence when it is
/// complete, and lists whose items are shared can be put together to any length.
const FOUND: u64 = 10 * super::super::limits::SEQUENCE_LENGTH as u64;

impl Visit<'_> {
    /// Pays for what `plan` visits from `value` on, `times` over.
    pub(super) fn walk(&mut self, value: &JValue, plan: &[Hop], times: u64) -> Done {
        let mut value = value.clone();
        let mut plan = plan;
        let mut times = times;
        while let Some((hop, rest)) = plan.split_first() {
            let found = match (&hop.go, &value) {
                // A step maps over a list.
                (Go::To(_), JValue::Array(items)) => {
                    return self.all(items, plan, times);
                }
                (Go::To(name), JValue::Object(entries)) => {
                    entries.get(name).cloned().unwrap_or(JValue::Undefined)
                }
                (Go::To(_), _) => JValue::Undefined,
                (Go::Children, _) => return self.children(&value, hop, rest, times),
                (Go::Below, _) => return self.below(&value, hop, rest, times, 0),
                (Go::Stay | Go::Sort(_), _) => value.clone(),
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

    fn all(&mut self, items: &[JValue], plan: &[Hop], times: u64) -> Done {
        items
            .iter()
            .try_for_each(|item| self.walk(item, plan, times))
    }

    /// Pays for what came of a step; how many values it is.
    fn arrive(&mut self, hop: &Hop, found: &JValue, times: u64) -> Result<u64, Failure> {
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
        let terms = match hop.go {
            Go::Sort(terms) => HALVINGS * ITEM * terms,
            _ => 0,
        };
        self.pay(
            VISIT * name_steps(&hop.go).max(1) + count.saturating_mul(each + terms + FOUND_ITEM),
            times,
        )?;
        if hop.looks > 0 || hop.compares {
            items
                .iter()
                .try_for_each(|item| self.look(hop, item, times))?;
        }
        Ok(count)
    }

    fn look(&mut self, hop: &Hop, item: &JValue, times: u64) -> Done {
        if item.is_array() {
            let looks = hop.looks.saturating_mul(times);
            self.meter
                .repeat(looks, || super::scan::Scan::Lookup.pay(self.meter, item))?;
        }
        if hop.compares {
            let size = self.meter.measure(item)?;
            self.pay(size, times)?;
        }
        Ok(())
    }

    /// `*`: what is in the entries of an object, lists in them opened. Of a
    /// list it gives the items or what is in each of them, by where it stands.
    fn children(&mut self, value: &JValue, hop: &Hop, rest: &[Hop], times: u64) -> Done {
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

    fn opened(&mut self, value: &JValue, hop: &Hop, rest: &[Hop], times: u64) -> Done {
        if let JValue::Array(items) = value {
            return items
                .iter()
                .try_for_each(|item| self.opened(item, hop, rest, times));
        }
        self.onward(value, hop, rest, times)
    }

    fn onward(&mut self, value: &JValue, hop: &Hop, rest: &[Hop], times: u64) -> Done {
        self.arrive(hop, value, times)?;
        if rest.is_empty() {
            return Ok(());
        }
        self.walk(value, rest, times)
    }

    /// `**`: each value is copied once for every level above it.
    fn below(&mut self, value: &JValue, hop: &Hop, rest: &[Hop], times: u64, depth: u64) -> Done {
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

    fn pay(&self, steps: u64, times: u64) -> Done {
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
