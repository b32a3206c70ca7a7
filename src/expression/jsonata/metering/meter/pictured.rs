//! What the functions of pictures produce and take, of arguments that are sound.

use jsonata_core::evaluator::EvaluatorError;
use jsonata_core::value::JValue;

use super::super::super::limits::PARSED_BYTES;
use super::super::price::PICTURE;
use super::estimate::Estimate;
use super::picture::primary;
use super::{Meter, marker};

/// What a picture says, which is sound and short.
pub(super) fn pictured(
    meter: &Meter,
    name: &str,
    context: &JValue,
    args: &[JValue],
) -> Result<Estimate, EvaluatorError> {
    let texts = || args.iter().chain([context]).filter_map(JValue::as_str);
    let widths = widths(meter, args)?;
    if name == "toMillis" {
        let bytes = texts().map(str::len).max().unwrap_or(0);
        let pictures = args.iter().filter_map(JValue::as_str);
        let markers = pictures.filter_map(|picture| marker::check(picture).ok());
        meter.work(
            markers
                .map(|markers| markers.reading(bytes.min(PARSED_BYTES)))
                .sum(),
        )?;
    }
    let is_roman = texts().any(|picture| matches!(primary(picture), "I" | "i"));
    Ok(Estimate::bytes(match name {
        "formatInteger" if is_roman => numeral(context).max(numerals(args)),
        "fromMillis" => widths,
        _ => 0,
    }))
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

/// The numbers in a picture are widths that the engine pads to.
fn widths(meter: &Meter, args: &[JValue]) -> Result<usize, EvaluatorError> {
    let pictures = args.iter().filter_map(JValue::as_str);
    let bytes: usize = pictures.clone().map(str::len).sum();
    meter.work((bytes as u64).saturating_mul(PICTURE))?;
    let widths = pictures
        .flat_map(|picture| picture.split(|c: char| !c.is_ascii_digit()))
        .filter(|digits| !digits.is_empty())
        .map(|digits| digits.parse().unwrap_or(usize::MAX))
        .fold(0, usize::saturating_add);
    Ok(widths)
}
