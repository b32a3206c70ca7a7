//! How deep the values are that functions are given. A value that an
//! expression builds up from step to step passes through the arguments of its functions.

use std::collections::HashMap;
use std::rc::Rc;

use jsonata_core::evaluator::EvaluatorError;
use jsonata_core::evaluator::StoredLambda;
use jsonata_core::value::JValue;

use super::super::super::failure::{TOO_DEEP, refuse};
use super::super::super::limits::ARGUMENT_DEPTH;
use super::{Meter, Paid};

/// Values of more parts than this are looked through once only.
const SMALL: usize = 16;

/// How deep values nest.
#[derive(Default)]
pub(super) struct Nesting {
    /// By the address of what is shared, which stays its own while it is held here.
    known: HashMap<usize, (JValue, usize)>,
    /// Partial applications among them, into which we cannot look.
    partial: usize,
}

/// What is known of a value.
#[derive(Clone, Copy)]
struct Extent {
    depth: usize,
    /// Its parts, as far as they were looked through now.
    parts: usize,
}

impl Nesting {
    pub(super) fn check(&mut self, meter: &Meter, value: &JValue) -> Paid {
        let extent = self.extent(value, ARGUMENT_DEPTH)?;
        meter.work(extent.parts as u64)
    }

    fn extent(&mut self, value: &JValue, left: usize) -> Result<Extent, EvaluatorError> {
        let address = match value {
            JValue::Array(items) if !items.is_empty() => items.as_ptr() as usize,
            JValue::Object(entries) => Rc::as_ptr(entries) as usize,
            JValue::Lambda(lambda) => Rc::as_ptr(lambda) as usize,
            _ => return Ok(Extent { depth: 0, parts: 1 }),
        };
        let too_deep = || refuse(TOO_DEEP);
        let inner = left.checked_sub(1).ok_or_else(too_deep)?;
        if let Some((_, depth)) = self.known.get(&address) {
            let depth = *depth;
            return (depth <= left)
                .then_some(Extent { depth, parts: 1 })
                .ok_or_else(too_deep);
        }
        let within = match value {
            JValue::Array(items) => self.deepest(items.iter(), inner),
            JValue::Object(entries) => self.deepest(entries.values(), inner),
            JValue::Lambda(lambda) => self.function(lambda, inner),
            _ => Ok(Extent { depth: 0, parts: 1 }),
        }?;
        let depth = within.depth + 1;
        if within.parts > SMALL || value.is_lambda() {
            self.known.insert(address, (value.clone(), depth));
        }
        Ok(Extent {
            depth,
            parts: within.parts,
        })
    }

    fn deepest<'v>(
        &mut self,
        values: impl Iterator<Item = &'v JValue>,
        left: usize,
    ) -> Result<Extent, EvaluatorError> {
        let mut all = Extent { depth: 0, parts: 1 };
        for value in values {
            let one = self.extent(value, left)?;
            all.depth = all.depth.max(one.depth);
            all.parts += one.parts;
        }
        Ok(all)
    }

    /// What a function remembers. A partial application hides it: each may
    /// hold the one before.
    fn function(&mut self, lambda: &StoredLambda, left: usize) -> Result<Extent, EvaluatorError> {
        let remembered = lambda.captured_env.values().chain(&lambda.captured_data);
        let mut extent = self.deepest(remembered, left)?;
        let is_partial = |name: &String| name.starts_with("__p");
        if lambda.params.first().is_some_and(is_partial) {
            self.partial += 1;
            extent.depth = extent.depth.max(self.partial);
        }
        if extent.depth > left {
            return Err(refuse(TOO_DEEP));
        }
        Ok(extent)
    }
}
