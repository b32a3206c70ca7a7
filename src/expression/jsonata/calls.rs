//! The calls of one evaluation: how many there were, how many run at once, and
//! how deep the values are that they are given. Whatever an expression builds
//! up from step to step goes through the arguments of its functions.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use jsonata_core::evaluator::{Evaluator, EvaluatorError, HostFnResult, StoredLambda};
use jsonata_core::value::JValue;

use super::failure::{TOO_DEEP, TOO_MANY_CALLS, refuse};
use super::limits::{ARGUMENT_DEPTH, CALLS, FRAMES, RANGE_ITEMS_PER_CALL, SEQUENCE_LENGTH};
use super::steps::{BOUND, CALL};

/// JSONata's own code for a stack that overflows.
const STACK_OVERFLOW: &str = "D1011";
/// Values of more parts than this are looked through once only.
const SMALL: usize = 16;

type Done = Result<(), EvaluatorError>;

struct Calls {
    left: Cell<u32>,
    /// Shared by every function that runs, as often as it counts.
    frame: Rc<str>,
    nesting: RefCell<Nesting>,
}

/// Registers what counts calls on an evaluator that is used once.
pub(super) fn register(evaluator: &mut Evaluator) -> Done {
    let calls = Rc::new(Calls {
        left: Cell::new(CALLS),
        frame: "frame".into(),
        nesting: RefCell::default(),
    });
    let shared = Rc::clone(&calls);
    evaluator.register_fn(CALL, move |args: &[JValue]| shared.call(args))?;
    evaluator.register_fn(BOUND, move |args: &[JValue]| calls.bound(args))
}

impl Calls {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // the compiler wrote it
    fn call(&self, args: &[JValue]) -> HostFnResult {
        self.count(1)?;
        let (frames, given) = args.split_first().unwrap_or((&JValue::Undefined, &[]));
        let frames = frames.as_f64().unwrap_or(1.0) as usize;
        if Rc::strong_count(&self.frame) - 1 + frames > FRAMES {
            return Err(refuse(STACK_OVERFLOW));
        }
        let mut nesting = self.nesting.borrow_mut();
        given.iter().try_for_each(|value| nesting.check(value))?;
        let hold = || JValue::String(Rc::clone(&self.frame));
        Ok(match frames {
            1 => hold(),
            more => JValue::array((0..more).map(|_| hold()).collect()),
        })
    }

    fn count(&self, calls: u32) -> Done {
        let rest = self.left.get().checked_sub(calls);
        self.left.set(rest.ok_or_else(|| refuse(TOO_MANY_CALLS))?);
        Ok(())
    }

    /// The bound of a range, counted by the items it may stand for.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss
    )] // clamped
    fn bound(&self, args: &[JValue]) -> HostFnResult {
        let value = args.first().cloned().unwrap_or(JValue::Undefined);
        let items = value
            .as_f64()
            .unwrap_or(0.0)
            .abs()
            .clamp(0.0, SEQUENCE_LENGTH as f64);
        self.count(1 + items as u32 / RANGE_ITEMS_PER_CALL)?;
        Ok(value)
    }
}

/// How deep values nest.
#[derive(Default)]
struct Nesting {
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
    fn check(&mut self, value: &JValue) -> Done {
        self.extent(value, ARGUMENT_DEPTH).map(drop)
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
