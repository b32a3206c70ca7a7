//! The size of values: what is copied, written as text or compared whole.

use jsonata_core::evaluator::EvaluatorError;
use jsonata_core::value::JValue;

use super::super::super::failure::{BAD_NUMBER, TOO_DEEP, refuse};
use super::super::super::limits::VALUE_DEPTH;
use super::super::price::{COMPARED, HASHED, ITEM};
use super::estimate::{self, Estimate};
use super::{Meter, Paid};

impl Meter {
    pub(super) fn made(&self, value: &JValue) -> Paid {
        self.spend(Estimate::bytes(value.as_str().map_or(0, str::len)))
    }

    pub(super) fn items(&self, value: &JValue) -> Paid {
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

    pub(super) fn entries(&self, value: &JValue) -> Paid {
        self.items(value)?;
        let JValue::Array(items) = value else {
            return Ok(());
        };
        items.iter().try_for_each(|item| self.items(item))
    }

    /// A copy of everything. Shared parts count each time, as they are copied.
    pub(super) fn whole(&self, value: &JValue, depth: usize) -> Paid {
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
    pub(super) fn written(&self, value: &JValue, indent: usize, depth: usize) -> Paid {
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

    /// Numbers, those of a list and the fields of its objects must be finite.
    pub(super) fn finite(&self, value: &JValue) -> Paid {
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

    fn finite_one(&self, value: &JValue) -> Paid {
        match value {
            JValue::Array(_) => self.work(1),
            value => self.finite(value),
        }
    }

    /// Steps that comparing the whole of a value takes.
    pub(super) fn measure(&self, value: &JValue) -> Result<u64, EvaluatorError> {
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

    fn measure_all<'v>(
        &self,
        items: impl Iterator<Item = &'v JValue>,
    ) -> Result<u64, EvaluatorError> {
        let mut sum: u64 = 1;
        for item in items {
            sum = sum.saturating_add(self.measure(item)?);
        }
        Ok(sum)
    }
}
