//! How much a built-in function will produce from its arguments: an upper
//! bound that is near the truth, without producing it.

use jsonata_core::value::JValue;
use regex::Regex;

/// Bytes of text and values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Estimate {
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
pub(super) fn call(name: &str, context: &JValue, args: &[JValue]) -> Estimate {
    match name {
        "join" => return join(args),
        "formatInteger" => return Estimate::bytes(numeral(context).max(numerals(args))),
        _ => {}
    }
    let given = args.split_first();
    let implied = context.is_string().then_some((context, args));
    let readings = [given, implied].into_iter().flatten();
    readings.fold(Estimate::default(), |largest, (text, rest)| {
        let reading = of_text(name, text.as_str().unwrap_or_default(), rest);
        Estimate {
            bytes: largest.bytes.max(reading.bytes),
            values: largest.values.max(reading.values),
        }
    })
}

fn of_text(name: &str, text: &str, rest: &[JValue]) -> Estimate {
    match name {
        "pad" => Estimate::bytes(text.len().saturating_add(padding(rest))),
        "split" => Estimate {
            bytes: text.len(),
            values: 2 * (1 + matches(text, rest.first())),
        },
        "match" => Estimate {
            bytes: text.len(),
            values: matched(text, rest),
        },
        "replace" => Estimate::bytes(replace(text, rest)),
        "fromMillis" => Estimate::bytes(widths(rest)),
        _ => Estimate::default(),
    }
}

fn join(args: &[JValue]) -> Estimate {
    let separator = args.get(1).and_then(JValue::as_str).map_or(0, str::len);
    let bytes = match args.first() {
        Some(JValue::Array(items)) => items
            .iter()
            .map(|item| item.as_str().map_or(24, str::len) + separator)
            .fold(0, usize::saturating_add),
        _ => 0,
    };
    Estimate::bytes(bytes)
}

/// A Roman numeral has one letter for each thousand.
fn numerals(args: &[JValue]) -> usize {
    args.iter().map(numeral).max().unwrap_or(0)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
fn numeral(value: &JValue) -> usize {
    value
        .as_f64()
        .map_or(0, |number| (number.abs() / 1000.0) as usize)
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

fn matched(text: &str, rest: &[JValue]) -> usize {
    let groups = regex_of(rest.first()).map_or(1, |regex| regex.captures_len());
    let count = limited(matches(text, rest.first()), rest.get(1));
    count.saturating_mul(MATCH_VALUES + 2 * groups)
}

/// Each match is replaced by at most the replacement's text; a `$1` in it is
/// two bytes long and gives at most what was matched.
fn replace(text: &str, rest: &[JValue]) -> usize {
    let replacement = rest.get(1).and_then(JValue::as_str).unwrap_or_default();
    let count = limited(matches(text, rest.first()), rest.get(2));
    let references = match rest.first() {
        Some(JValue::String(_)) => 0,
        _ => replacement.matches('$').count(),
    };
    let copied = references.saturating_mul(text.len());
    count
        .saturating_mul(replacement.len())
        .saturating_add(copied)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
fn limited(count: usize, limit: Option<&JValue>) -> usize {
    let limit = limit.and_then(JValue::as_f64).filter(|limit| *limit >= 0.0);
    limit.map_or(count, |limit| count.min(limit as usize))
}

/// How often a pattern is found: by a function of the expression, at most
/// once at every byte.
fn matches(text: &str, pattern: Option<&JValue>) -> usize {
    match pattern {
        Some(JValue::String(pattern)) => text.matches(&**pattern).count(),
        other => match regex_of(other) {
            Some(regex) => regex.find_iter(text).count(),
            None => text.len() + 1,
        },
    }
}

fn regex_of(pattern: Option<&JValue>) -> Option<Regex> {
    let Some(JValue::Regex { pattern, flags }) = pattern else {
        return None;
    };
    compile(pattern, flags).ok()
}

/// A pattern as the engine compiles it.
pub(super) fn compile(pattern: &str, flags: &str) -> Result<Regex, regex::Error> {
    let has = |flag| flags.contains(flag);
    regex::RegexBuilder::new(pattern)
        .case_insensitive(has('i'))
        .multi_line(has('m'))
        .dot_matches_new_line(has('s'))
        .size_limit(super::limits::REGEX_BYTES)
        .build()
}

/// The numbers in a picture are widths that the engine pads to.
fn widths(args: &[JValue]) -> usize {
    let pictures = args.iter().filter_map(JValue::as_str);
    pictures
        .flat_map(|picture| picture.split(|c: char| !c.is_ascii_digit()))
        .filter(|digits| !digits.is_empty())
        .map(|digits| digits.parse().unwrap_or(usize::MAX))
        .fold(0, usize::saturating_add)
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
