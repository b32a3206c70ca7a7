//! Number literals of a JSON text that would not survive being built: `serde_json` holds 64 bits or a double.
//! They are replaced in the text, before it is built, by strings that hold them as they were written.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::Number;

use super::scan;

/// The text with each whole number that would lose a digit as a string of its digits, and each number beyond a double
/// as a string, too.
pub fn large_as_texts(text: &[u8]) -> Cow<'_, [u8]> {
    replaced(text, |token| match token {
        Token::Number(literal) => large_text(literal).map(|text| quoted("", &text)),
        Token::Text(_) => None,
    })
}

/// The text, in which each number that would lose a digit is a string of the same characters.
pub fn inexact_as_texts(text: &[u8]) -> Cow<'_, [u8]> {
    replaced(text, |token| match token {
        Token::Number(literal) if !keeps_value(literal) => Some(quoted("", literal)),
        _ => None,
    })
}

/// A number as an id is written: the same for the same number, without an exponent.
pub fn number_text(number: &Number) -> String {
    match number.as_f64() {
        Some(double) if number.is_f64() => double.to_string(),
        _ => number.to_string(),
    }
}

/// What may be replaced.
pub(super) enum Token<'t> {
    /// A number, as it is written.
    Number(&'t str),
    /// A string that is no key, its quotes included.
    Text(&'t [u8]),
}

/// A string of a text that needs no escapes.
pub(super) fn quoted(mark: &str, literal: &str) -> String {
    format!("\"{mark}{literal}\"")
}

/// Whether a whole number, written as one, is beyond 64 bits.
fn is_long_whole(literal: &str) -> bool {
    let is_whole = !literal
        .bytes()
        .any(|byte| matches!(byte, b'.' | b'e' | b'E'));
    is_whole && !is_held(literal)
}

/// Digits of the longest whole number that is written out where it came with a fraction or an exponent.
const WRITTEN_OUT: i64 = 64;
/// No shorter literal without an exponent loses a digit, nor is one whole beyond 64 bits.
const SHORT: usize = 16;

/// The digits of a whole number that would lose some, however it is written; a number beyond a double as it is.
pub(super) fn large_text(literal: &str) -> Option<String> {
    if is_short(literal) || is_held(literal) {
        return None;
    }
    if is_long_whole(literal) || literal.parse().is_ok_and(f64::is_infinite) {
        return Some(literal.to_owned());
    }
    let (is_negative, digits, exponent) = decimal(literal)?;
    let length = i64::try_from(digits.len()).ok()?.checked_add(exponent)?;
    if exponent < 0 || length > WRITTEN_OUT || keeps_value(literal) {
        return None;
    }
    let zeros = "0".repeat(usize::try_from(exponent).ok()?);
    Some(format!(
        "{}{digits}{zeros}",
        if is_negative { "-" } else { "" }
    ))
}

/// Whether a literal is too short to lose a digit.
fn is_short(literal: &str) -> bool {
    literal.len() < SHORT && !literal.contains(['e', 'E'])
}

/// Whether 64 bits hold it.
fn is_held(literal: &str) -> bool {
    literal.parse::<i64>().is_ok() || literal.parse::<u64>().is_ok()
}

/// Whether a literal is a number (RFC 8259, section 6).
pub(super) fn is_number(literal: &str) -> bool {
    let rest = literal.strip_prefix('-').unwrap_or(literal);
    let (whole, rest) = digits(rest);
    if whole.is_empty() || (whole.len() > 1 && whole.starts_with('0')) {
        return false;
    }
    let rest = match rest.strip_prefix('.').map(digits) {
        Some(("", _)) => return false,
        Some((_, rest)) => rest,
        None => rest,
    };
    match rest.strip_prefix(['e', 'E']) {
        Some(exponent) => {
            let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            !exponent.is_empty() && digits(exponent).1.is_empty()
        }
        None => rest.is_empty(),
    }
}

/// Digits at the start, and what follows.
fn digits(text: &str) -> (&str, &str) {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at(end)
}

/// Whether the number that is built has the value that was written. A whole one of more than 64 bits would get an
/// exponent.
pub(super) fn keeps_value(literal: &str) -> bool {
    if is_short(literal) || is_held(literal) {
        return true;
    }
    if is_long_whole(literal) {
        return false;
    }
    let built = literal
        .parse::<f64>()
        .ok()
        .filter(|built| built.is_finite());
    built.is_some_and(|built| decimal(&format!("{built:e}")) == decimal(literal))
}

/// Sign, digits and exponent: two literals of one value have the same.
fn decimal(literal: &str) -> Option<(bool, String, i64)> {
    let (number, exponent) = literal.split_once(['e', 'E']).unwrap_or((literal, "0"));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = [whole.trim_start_matches('-'), fraction].concat();
    let ended = digits.trim_end_matches('0');
    let exponent = exponent.parse::<i64>().ok()?;
    let exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    let exponent = exponent.checked_add(i64::try_from(digits.len() - ended.len()).ok()?)?;
    let digits = ended.trim_start_matches('0').to_owned();
    match digits.as_str() {
        "" => Some((false, digits, 0)),
        _ => Some((number.starts_with('-'), digits, exponent)),
    }
}

/// The text with what `replace` makes of its tokens; what is no JSON stays none.
pub(super) fn replaced(text: &[u8], replace: impl Fn(&Token) -> Option<String>) -> Cow<'_, [u8]> {
    let (mut out, mut kept, mut at) = (Vec::new(), 0, 0);
    while let Some(token) = scan::next(text, at, scan::begins_literal) {
        at = token.end;
        let new = read(text, &token).and_then(|token| replace(&token));
        // A key stays: a number in its place is no JSON, and is not to become it.
        let Some(new) = new.filter(|_| !is_key(text, at)) else {
            continue;
        };
        out.extend_from_slice(text.get(kept..token.start).unwrap_or_default());
        out.extend_from_slice(new.as_bytes());
        kept = token.end;
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    out.extend_from_slice(text.get(kept..).unwrap_or_default());
    Cow::Owned(out)
}

fn read<'t>(text: &'t [u8], place: &Range<usize>) -> Option<Token<'t>> {
    let token = text.get(place.clone())?;
    if token.starts_with(b"\"") {
        return Some(Token::Text(token));
    }
    let literal = str::from_utf8(token).ok()?;
    is_number(literal).then_some(Token::Number(literal))
}

fn is_key(text: &[u8], end: usize) -> bool {
    let rest = text.get(end..).unwrap_or_default();
    let next = rest.iter().find(|byte| !byte.is_ascii_whitespace());
    next == Some(&b':')
}

#[cfg(test)]
mod tests;
