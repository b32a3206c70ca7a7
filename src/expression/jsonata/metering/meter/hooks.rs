//! The host functions of the rewritten tree.

use jsonata_core::evaluator::HostFnResult;
use jsonata_core::value::JValue;

use super::super::super::failure::{BAD_NUMBER, NOT_A_VALUE, refuse};
use super::super::super::limits::{RANGE_BOUND, SEQUENCE_LENGTH, VALUE_DEPTH};
use super::super::price::ITEM;
use super::super::{hook, rewrite};
use super::estimate::Estimate;
use super::{Meter, Paid, Scan, compare, estimate, picture};

type HostFunction = fn(&Meter, &[JValue]) -> HostFnResult;

pub(super) const HOST_FUNCTIONS: [(&str, HostFunction); 22] = [
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
        JValue::Builtin { name } if rewrite::builtin::is_counted(&name) => Err(refuse(NOT_A_VALUE)),
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

pub(super) fn last(args: &[JValue]) -> JValue {
    args.last().cloned().unwrap_or(JValue::Undefined)
}

/// A number the compiler wrote into the tree.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn number_at(args: &[JValue], index: usize) -> usize {
    args.get(index).and_then(JValue::as_f64).unwrap_or(0.0) as usize
}

fn given(args: &[JValue], pay: impl FnOnce(&JValue) -> Paid) -> HostFnResult {
    let value = nth(args, 0);
    pay(&value).map(|()| value)
}

impl Meter {
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

    /// Each key removed moves those after it.
    fn remove(&self, args: &[JValue]) -> HostFnResult {
        let (names, object) = (nth(args, 0), nth(args, 1));
        if let (JValue::Array(names), JValue::Object(entries)) = (&names, &object) {
            self.work((names.len() as u64).saturating_mul(1 + entries.len() as u64))?;
        }
        Ok(names)
    }

    /// The bound of a range, counted by the items that the range can have.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss
    )] // clamped
    fn bound(&self, args: &[JValue]) -> HostFnResult {
        let value = nth(args, 0);
        let most = SEQUENCE_LENGTH as f64;
        let bound = value.as_f64().unwrap_or(0.0);
        if !(-RANGE_BOUND..=RANGE_BOUND).contains(&bound) {
            return Err(refuse(BAD_NUMBER));
        }
        let items = bound.abs().clamp(0.0, most);
        self.work(items as u64 * ITEM)?;
        Ok(value)
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
