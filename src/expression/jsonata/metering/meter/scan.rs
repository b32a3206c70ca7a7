//! How a function or an operator looks through a value it is given.

use jsonata_core::value::JValue;

use super::super::super::failure::{BAD_NUMBER, refuse};
use super::super::price::{APPLY, COMPARED, HALVINGS, HASHED, ITEM, REMADE, VISIT, WORKED};
use super::compare::{self, SeenTexts};
use super::{Meter, Paid};

/// The ways of looking, by their number in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scan {
    /// Works through a text, or the texts of a list.
    Text,
    /// Looks for what is true in lists within lists.
    Truth,
    /// Adds up the numbers of lists within lists.
    Numbers,
    /// Compares a value with the items of a list.
    Member,
    /// Compares two texts.
    Order,
    /// Sorts by itself.
    Sort,
    /// Sorts by a function that is not written here.
    SortBy,
    /// A value by which is sorted.
    Key,
    /// Applies a function to each item.
    Apply,
    /// Looks one name up in an object, or in each of a list.
    Lookup,
    /// Compares the keys of all objects of a list.
    Keys,
    /// Compares the items of a list with each other.
    Distinct,
    /// Puts the entries of an object into another.
    Entries,
    /// Makes something of each item or entry.
    Remade,
    /// Works through a text to a position.
    Position,
}

const ALL: [Scan; 15] = [
    Scan::Text,
    Scan::Truth,
    Scan::Numbers,
    Scan::Member,
    Scan::Order,
    Scan::Sort,
    Scan::SortBy,
    Scan::Key,
    Scan::Apply,
    Scan::Lookup,
    Scan::Keys,
    Scan::Distinct,
    Scan::Entries,
    Scan::Remade,
    Scan::Position,
];

impl Scan {
    pub fn number(self) -> f64 {
        f64::from(self as u8)
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // the compiler wrote it
    pub(super) fn of(number: f64) -> Option<Self> {
        ALL.get(number as usize).copied()
    }

    /// Pays for looking through `value`.
    pub(super) fn pay(self, meter: &Meter, value: &JValue) -> Paid {
        match self {
            Self::Text => texts(meter, value, 1, |bytes| (bytes / WORKED) as u64),
            Self::Order => texts(meter, value, 0, |bytes| (bytes / COMPARED) as u64),
            Self::Sort => texts(meter, value, HALVINGS * 2, sorting),
            Self::Key => match value.as_f64() {
                Some(key) if !key.is_finite() => Err(refuse(BAD_NUMBER)),
                _ => texts(meter, value, HALVINGS * 2, sorting),
            },
            Self::SortBy => meter.work(count(value).saturating_mul(HALVINGS * APPLY)),
            Self::Apply => meter.work(count(value).saturating_mul(APPLY)),
            Self::Truth | Self::Numbers => numbers(meter, value),
            Self::Member => member(meter, value),
            Self::Lookup => lookup(meter, value),
            Self::Keys => keys(meter, value),
            Self::Distinct => match value {
                JValue::Array(items) => compare::distinct(meter, items),
                _ => Ok(()),
            },
            Self::Entries => meter.entries(value),
            Self::Remade => remade(meter, value),
            Self::Position => match value.as_f64() {
                Some(position) if !is_position(position) => Err(refuse(BAD_NUMBER)),
                _ => texts(meter, value, 1, |bytes| (bytes / WORKED) as u64),
            },
        }
    }
}

/// The engine adds positions up as integers of 64 bits.
pub fn is_position(number: f64) -> bool {
    number.abs() <= 9_007_199_254_740_992.0
}

/// Items of a list, or entries of an object.
fn count(value: &JValue) -> u64 {
    match value {
        JValue::Array(items) => items.len() as u64,
        JValue::Object(entries) => entries.len() as u64,
        _ => 1,
    }
}

fn remade(meter: &Meter, value: &JValue) -> Paid {
    meter.work(count(value).saturating_mul(REMADE))?;
    match value {
        JValue::Array(items) => items.iter().try_for_each(|item| match item {
            JValue::Object(entries) => meter.work(entries.len() as u64 * REMADE),
            _ => Ok(()),
        }),
        _ => Ok(()),
    }
}

fn texts(meter: &Meter, value: &JValue, each: u64, steps: fn(usize) -> u64) -> Paid {
    match value {
        JValue::String(text) => meter.work(each + steps(text.len())),
        JValue::Array(items) => items.iter().try_for_each(|item| match item {
            JValue::String(text) => meter.work(ITEM + each + steps(text.len())),
            _ => meter.work(ITEM + each),
        }),
        _ => meter.work(each),
    }
}

/// Each text is compared once for every halving.
fn sorting(bytes: usize) -> u64 {
    (bytes as u64).saturating_mul(HALVINGS) / COMPARED as u64
}

fn numbers(meter: &Meter, value: &JValue) -> Paid {
    match value {
        JValue::Array(items) => items.iter().try_for_each(|item| {
            meter.work(3)?;
            numbers(meter, item)
        }),
        _ => Ok(()),
    }
}

/// `in` compares texts only where they are as long; two others are a step.
fn member(meter: &Meter, value: &JValue) -> Paid {
    let JValue::Array(items) = value else {
        return Ok(());
    };
    meter.work(items.len() as u64 / 2 + 1)?;
    let lengths = items.iter().filter_map(JValue::as_str).map(str::len);
    let steps: usize = lengths.map(|length| length / COMPARED).sum();
    meter.work(steps as u64)
}

fn lookup(meter: &Meter, value: &JValue) -> Paid {
    match value {
        JValue::Array(items) => items.iter().try_for_each(|item| {
            meter.work(2)?;
            lookup(meter, item)
        }),
        _ => meter.work(VISIT),
    }
}

/// The engine looks for each key of each object in the list of those it has.
fn keys(meter: &Meter, value: &JValue) -> Paid {
    let JValue::Array(items) = value else {
        return Ok(());
    };
    let mut known = SeenTexts::default();
    for item in &**items {
        if let JValue::Object(entries) = item {
            for key in entries.keys() {
                meter.work(ITEM + (key.len() / HASHED) as u64 + known.comparing(key, 1))?;
                known.add(key);
            }
        }
    }
    Ok(())
}
