//! How much a built-in function will produce from its arguments: an upper
//! bound that is near the truth, without producing it. Looking for it is paid
//! for, and so is the work of the function itself.

use jsonata_core::evaluator::EvaluatorError;
use jsonata_core::value::JValue;

use super::super::hook::{CALLED, PIPED};
use super::super::price::{DIGEST, HASHED, HASHINGS, ITEM, NEEDLE, SIGNATURE, WORKED};
use super::super::rewrite;
use super::pictured::pictured;
use super::{CompiledPattern, Meter, Scan};

/// Bytes of text and values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Estimate {
    /// Bytes of strings and keys.
    pub bytes: usize,
    /// Items, entries and containers.
    pub values: usize,
}

impl Estimate {
    pub(super) fn bytes(bytes: usize) -> Self {
        Self { bytes, values: 0 }
    }

    pub(super) fn values(values: usize) -> Self {
        Self { bytes: 0, values }
    }
}

/// What one match of `$match` is made of: an object of three with its groups.
const MATCH_VALUES: usize = 6;

/// Of a call. A text left out at the front is the context's, but whether it
/// was is the signature's matter: the larger of both readings counts.
pub(super) fn call(
    meter: &Meter,
    name: &str,
    context: &JValue,
    args: &[JValue],
) -> Result<Estimate, EvaluatorError> {
    match name {
        CALLED => return called(meter, context, args),
        PIPED => {
            let (function, text) = args.split_last().unwrap_or((&JValue::Undefined, &[]));
            return called(meter, function, text);
        }
        "join" => return join(meter, args),
        "hash" | "hmac" | "sign" => return signed(meter, name, args),
        "lookup" => return lookup(meter, context, args).map(|()| Estimate::default()),
        "formatBase" | "formatInteger" | "formatNumber" | "fromMillis" | "parseInteger"
        | "toMillis" => return pictured(meter, name, context, args),
        _ => {}
    }
    let given = args.split_first();
    let implied = context.is_string().then_some((context, args));
    let mut largest = Estimate::default();
    for (text, rest) in [given, implied].into_iter().flatten() {
        let text = text.as_str().unwrap_or_default();
        meter.work((text.len() / WORKED) as u64)?;
        let others = rest.iter().filter_map(JValue::as_str).map(str::len);
        meter.work((others.sum::<usize>() as u64).saturating_mul(NEEDLE))?;
        let reading = of_text(meter, name, text, rest)?;
        largest.bytes = largest.bytes.max(reading.bytes);
        largest.values = largest.values.max(reading.values);
    }
    Ok(largest)
}

fn of_text(
    meter: &Meter,
    name: &str,
    text: &str,
    rest: &[JValue],
) -> Result<Estimate, EvaluatorError> {
    Ok(match name {
        "pad" => Estimate::bytes(text.len().saturating_add(padding(rest))),
        "contains" => {
            search(meter, text, rest.first())?;
            Estimate::default()
        }
        "split" => Estimate {
            bytes: text.len(),
            values: 2 * (1 + matches(meter, text, rest.first(), usize::MAX)?),
        },
        "match" => Estimate {
            bytes: text.len(),
            values: matched(meter, text, rest)?,
        },
        "replace" => Estimate::bytes(replace(meter, text, rest)?),
        _ => Estimate::default(),
    })
}

/// One search for a pattern or a text.
fn search(meter: &Meter, text: &str, pattern: Option<&JValue>) -> Result<(), EvaluatorError> {
    match pattern.and_then(|pattern| meter.pattern(pattern)) {
        Some(pattern) => pattern.search(meter, text.len()),
        None => Ok(()),
    }
}

/// A value that is called: a pattern searches, and so may what the engine made
/// of one, such as the `next` of a match.
fn called(meter: &Meter, callee: &JValue, args: &[JValue]) -> Result<Estimate, EvaluatorError> {
    let given = args.iter().map(length).max().unwrap_or(0);
    let bytes = given.max(meter.longest());
    match callee {
        JValue::Regex { .. } => {
            meter.searches(given);
            if let Some(pattern) = meter.pattern(callee) {
                pattern.search(meter, given)?;
            }
        }
        JValue::Lambda(lambda) if rewrite::counts_its_calls(&lambda.body) => {}
        _ => {
            for pattern in &meter.table().patterns {
                pattern.search(meter, bytes)?;
            }
        }
    }
    Ok(Estimate::bytes(given))
}

/// A digest or a signature, paid by the key and the text. Their encoded result is counted when it is made.
fn signed(meter: &Meter, name: &str, args: &[JValue]) -> Result<Estimate, EvaluatorError> {
    let bytes = args.iter().map(signed_bytes).sum::<usize>() as u64;
    meter.work(bytes.saturating_mul(HASHINGS))?;
    meter.work(if name == "sign" { SIGNATURE } else { DIGEST })?;
    Ok(Estimate::default())
}

/// A text, or the text of `{"hex": …}`.
fn signed_bytes(value: &JValue) -> usize {
    match value {
        JValue::Object(entries) => entries
            .values()
            .filter_map(JValue::as_str)
            .map(str::len)
            .sum(),
        value => value.as_str().map_or(0, str::len),
    }
}

/// Bytes of what a pattern is used on; a list is joined.
fn length(value: &JValue) -> usize {
    match value {
        JValue::String(text) => text.len(),
        JValue::Array(items) => items.iter().map(length).fold(0, usize::saturating_add),
        _ => 24,
    }
}

/// What applying a value to each item of a list costs, where it may search.
pub(super) fn applied(
    meter: &Meter,
    list: &JValue,
    function: &JValue,
) -> Result<(), EvaluatorError> {
    match list {
        JValue::Array(items) => items
            .iter()
            .try_for_each(|item| called(meter, function, std::slice::from_ref(item)).map(drop)),
        JValue::Object(entries) => entries
            .values()
            .try_for_each(|item| called(meter, function, std::slice::from_ref(item)).map(drop)),
        _ => called(meter, function, std::slice::from_ref(list)).map(drop),
    }
}

fn join(meter: &Meter, args: &[JValue]) -> Result<Estimate, EvaluatorError> {
    let separator = args.get(1).and_then(JValue::as_str).map_or(0, str::len);
    meter.work(separator as u64)?;
    let Some(JValue::Array(items)) = args.first() else {
        return Ok(Estimate::default());
    };
    meter.work(items.len() as u64 * ITEM)?;
    let bytes = items
        .iter()
        .map(|item| item.as_str().map_or(24, str::len) + separator);
    Ok(Estimate::bytes(bytes.fold(0, usize::saturating_add)))
}

/// The key is hashed for each object.
fn lookup(meter: &Meter, context: &JValue, args: &[JValue]) -> Result<(), EvaluatorError> {
    let key = args.iter().filter_map(JValue::as_str).map(str::len).max();
    let hashing = 1 + (key.unwrap_or(0) / HASHED) as u64;
    let scan = |value| meter.repeat(hashing, || Scan::Lookup.pay(meter, value));
    args.iter().try_for_each(scan)?;
    match args.len() {
        1 => scan(context),
        _ => Ok(()),
    }
}

/// The engine makes as many characters as the width says, then copies them.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
fn padding(rest: &[JValue]) -> usize {
    let width = rest.first().and_then(JValue::as_f64).unwrap_or(0.0).abs() as usize;
    let widest = rest
        .get(1)
        .and_then(JValue::as_str)
        .and_then(|text| text.chars().map(char::len_utf8).max());
    width.saturating_mul(widest.unwrap_or(1))
}

fn matched(meter: &Meter, text: &str, rest: &[JValue]) -> Result<usize, EvaluatorError> {
    let pattern = rest.first().and_then(|pattern| meter.pattern(pattern));
    let groups = pattern.map_or(1, CompiledPattern::groups);
    let count = matches(meter, text, rest.first(), limit(rest.get(1)))?;
    Ok(count.saturating_mul(MATCH_VALUES + 2 * groups))
}

/// Each match is replaced by at most the replacement's text; a `$1` in it is
/// two bytes long and gives at most what was matched.
fn replace(meter: &Meter, text: &str, rest: &[JValue]) -> Result<usize, EvaluatorError> {
    let replacement = rest.get(1).and_then(JValue::as_str).unwrap_or_default();
    let count = matches(meter, text, rest.first(), limit(rest.get(2)))?;
    let references = match rest.first() {
        Some(JValue::String(_)) => 0,
        _ => replacement.matches('$').count(),
    };
    meter.work((count as u64).saturating_mul(2 + replacement.len() as u64 / 2))?;
    let copied = references.saturating_mul(text.len());
    Ok(count
        .saturating_mul(replacement.len())
        .saturating_add(copied))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
fn limit(limit: Option<&JValue>) -> usize {
    let limit = limit.and_then(JValue::as_f64).filter(|limit| *limit >= 0.0);
    limit.map_or(usize::MAX, |limit| limit as usize)
}

/// How often a pattern is found: by a function of the expression, at most
/// once at every byte.
fn matches(
    meter: &Meter,
    text: &str,
    pattern: Option<&JValue>,
    limit: usize,
) -> Result<usize, EvaluatorError> {
    match pattern {
        Some(JValue::String(pattern)) => {
            meter.work((text.len() / WORKED) as u64)?;
            let count = text.matches(&**pattern).count();
            meter.work(count as u64 * ITEM)?;
            Ok(count.min(limit))
        }
        Some(value) => match meter.pattern(value) {
            Some(pattern) => {
                meter.searches(text.len());
                pattern.matches(meter, text, limit)
            }
            None => by_function(meter, text, limit),
        },
        None => by_function(meter, text, limit),
    }
}

/// A function gives one match after the other; those of a pattern search on.
fn by_function(meter: &Meter, text: &str, limit: usize) -> Result<usize, EvaluatorError> {
    let count = (text.len() + 1).min(limit);
    meter.work((count as u64).saturating_mul(ITEM))?;
    for pattern in &meter.table().patterns {
        for _ in 0..count {
            pattern.search(meter, text.len())?;
        }
    }
    Ok(count)
}

/// Bytes of a string in JSON, without its quotes.
pub(super) fn as_json(text: &str) -> usize {
    let bytes = text.bytes().map(|byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 2,
        0..0x20 => 6,
        _ => 1,
    });
    bytes.sum()
}
