//! What the functions of pictures are given. The engine panics at many
//! pictures, options, numbers and texts, and never ends at some, so only what
//! it was seen to take goes on: few digits, separators and markers, numbers
//! within bounds, short texts.

use jsonata_core::value::JValue;

use super::super::super::failure::{BAD_NUMBER, BAD_PICTURE, BAD_TEXT};
use super::super::super::limits::{PARSED_BYTES, PICTURE_BYTES, PICTURE_DIGITS, PICTURE_MARKERS};
use super::marker;

/// Why a call is refused: a code of [`super::super::super::failure`].
pub(super) type FailureCode = &'static str;
type PictureCheck = Result<(), FailureCode>;

/// Integers beyond are not exact in an f64.
const EXACT: f64 = 9_007_199_254_740_992.0;
/// Times a thousand, for per mille, a number must still be finite.
const LARGEST: f64 = 1e300;
/// Milliseconds of the first and the last moment of the years -9999 to 9999.
const YEARS: (f64, f64) = (-377_705_116_800_000.0, 253_402_300_799_999.0);
/// Letters of a number such as `AB`: 26 to the power of more is no i64.
const LETTERS: usize = 12;
/// Digits of the offset of a time zone.
const ZONE_DIGITS: usize = 4;
const ZONE_BYTES: usize = 16;

/// Checks the arguments of a call of such a function; others pass. What is
/// left out at the front is the context.
pub(in crate::expression::jsonata) fn check(
    name: &str,
    context: &JValue,
    args: &[JValue],
) -> PictureCheck {
    let leads_with_text = args.first().is_some_and(JValue::is_string);
    let (first, rest) = match (name, args) {
        ("now", _) => (&JValue::Undefined, args),
        ("formatNumber" | "formatInteger" | "fromMillis", _) if leads_with_text => (context, args),
        ("parseInteger", [_]) | (_, []) => (context, args),
        (_, [first, rest @ ..]) => (first, rest),
    };
    let text_at = |index: usize| rest.get(index).and_then(JValue::as_str);
    match name {
        "formatNumber" => {
            within(first, LARGEST)?;
            let separators = options(rest.get(1))?;
            text_at(0).map_or(Ok(()), |picture| number(picture, separators))
        }
        "formatInteger" => {
            within(first, EXACT)?;
            text_at(0).map_or(Ok(()), integer)
        }
        "formatBase" => {
            within(first, EXACT)?;
            rest.first().map_or(Ok(()), |radix| within(radix, EXACT))
        }
        "parseInteger" => {
            let picture = text_at(0).unwrap_or_default();
            integer(picture)?;
            require(picture.is_ascii(), BAD_PICTURE)?;
            first
                .as_str()
                .map_or(Ok(()), |text| integer_text(text, picture))
        }
        "fromMillis" | "now" => {
            moment(first)?;
            text_at(0).map_or(Ok(()), |picture| marker::check(picture).map(drop))?;
            text_at(1).map_or(Ok(()), zone)
        }
        "toMillis" => match (first.as_str(), text_at(0)) {
            (Some(text), Some(picture)) => marker::check(picture)?.check_text(text),
            (Some(text), None) => short(text).and(require(text.is_ascii(), BAD_TEXT)),
            (None, Some(picture)) => marker::check(picture).map(drop),
            (None, None) => Ok(()),
        },
        _ => Ok(()),
    }
}

pub(super) fn require(holds: bool, refusal: FailureCode) -> PictureCheck {
    holds.then_some(()).ok_or(refusal)
}

pub(super) fn short(text: &str) -> PictureCheck {
    require(text.len() <= PARSED_BYTES, BAD_TEXT)
}

fn within(number: &JValue, most: f64) -> PictureCheck {
    let is_within = |number: f64| number.is_finite() && number.abs() <= most;
    require(number.as_f64().is_none_or(is_within), BAD_NUMBER)
}

fn moment(ms: &JValue) -> PictureCheck {
    let is_within = |ms: f64| ms >= YEARS.0 && ms <= YEARS.1;
    require(ms.as_f64().is_none_or(is_within), BAD_NUMBER)
}

/// The engine reads an offset such as `+0530`.
fn zone(zone: &str) -> PictureCheck {
    let digits = zone.bytes().filter(u8::is_ascii_digit).count();
    require(
        zone.len() <= ZONE_BYTES && digits <= ZONE_DIGITS,
        BAD_PICTURE,
    )
}

/// What separates in a picture of a number: the decimals, the groups.
type Separators = [char; 2];

/// The engine cuts the text after the first byte of the decimal separator.
fn options(options: Option<&JValue>) -> Result<Separators, FailureCode> {
    let Some(JValue::Object(options)) = options else {
        return Ok(['.', ',']);
    };
    let option = |name: &str, default: char, fits: fn(char) -> bool| {
        let Some(JValue::String(text)) = options.get(name) else {
            return Ok(default);
        };
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(only), None) if only == default || fits(only) => Ok(only),
            _ => Err(BAD_PICTURE),
        }
    };
    let is_mark = |mark: char| (mark.is_ascii_punctuation() || mark == ' ') && !";#".contains(mark);
    let decimal = option("decimal-separator", '.', is_mark)?;
    let grouping = option("grouping-separator", ',', |mark| {
        !mark.is_alphanumeric() && !mark.is_control() && !";#".contains(mark)
    })?;
    option("zero-digit", '0', |_| false)?;
    option("percent", '%', is_mark)?;
    option("per-mille", '\u{2030}', is_mark)?;
    Ok([decimal, grouping])
}

/// A picture of `$formatNumber`: what is between its first and its last digit
/// or separator, in each of its two parts.
fn number(picture: &str, separators: Separators) -> PictureCheck {
    require(picture.len() <= PICTURE_BYTES, BAD_PICTURE)?;
    let is_digit = |c: &char| c.is_ascii_digit() || *c == '#';
    let is_separator = |c: &char| separators.contains(c);
    picture.split(';').try_for_each(|part| {
        let chars: Vec<char> = part.chars().collect();
        let is_active = |c: &char| is_digit(c) || is_separator(c);
        let first = chars.iter().position(is_active).unwrap_or(0);
        let last = chars.iter().rposition(is_active).unwrap_or(0);
        let active = chars.get(first..=last).unwrap_or_default();
        let count = |is: &dyn Fn(&char) -> bool| active.iter().filter(|c| is(c)).count();
        // A second exponent lets a group be of no digits, by which it divides.
        let is_sound = count(&is_digit) <= PICTURE_DIGITS
            && count(&is_separator) <= PICTURE_DIGITS
            && count(&|c| matches!(c, 'e' | 'E')) <= 1;
        require(is_sound, BAD_PICTURE)
    })
}

/// A picture of an integer: digits, of which any other sign separates groups.
pub(super) fn integer(picture: &str) -> PictureCheck {
    require(picture.len() <= PICTURE_BYTES, BAD_PICTURE)?;
    let primary = primary(picture);
    let count = primary.chars().count();
    let digits = primary
        .chars()
        .filter(|c| c.is_numeric() || *c == '#')
        .count();
    let is_sound = digits <= PICTURE_DIGITS && count - digits <= PICTURE_DIGITS;
    require(is_sound, BAD_PICTURE)
}

/// The picture without its modifier.
pub(super) fn primary(picture: &str) -> &str {
    picture
        .rsplit_once(';')
        .map_or(picture, |(primary, _)| primary)
}

/// Whether it counts as spreadsheets do: A, B, … Z, AA.
pub(super) fn is_letters(picture: &str) -> bool {
    matches!(primary(picture), "A" | "a")
}

/// The engine cuts the last two bytes off, and subtracts a digit's code.
fn integer_text(text: &str, picture: &str) -> PictureCheck {
    short(text)?;
    let most = if is_letters(picture) {
        LETTERS
    } else {
        PARSED_BYTES
    };
    require(text.is_ascii() && text.len() <= most, BAD_TEXT)
}

/// The markers there may be in a picture of a time.
pub(super) fn few(markers: usize) -> PictureCheck {
    require(markers <= PICTURE_MARKERS, BAD_PICTURE)
}
