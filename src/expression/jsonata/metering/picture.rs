//! Pictures of times that the engine can read. It panics at some others: it
//! cuts a marker behind its first byte, raises ten to any width, and takes it
//! that a fraction has a number format.

use jsonata_core::value::JValue;

/// Digits of the largest number that is exact in an i64.
const WIDEST: usize = 18;

/// Whether the pictures among the arguments of a call are sound.
pub(in crate::expression::jsonata) fn are_sound(name: &str, args: &[JValue]) -> bool {
    let first = match name {
        "fromMillis" | "now" => 0,
        "toMillis" => 1, // behind the time itself
        _ => return true,
    };
    let texts = args.iter().skip(first).filter_map(JValue::as_str);
    texts.into_iter().all(is_sound)
}

/// Finds the markers as the engine does: `[[` is a bracket.
fn is_sound(picture: &str) -> bool {
    let mut rest = picture;
    while let Some((_, from)) = rest.split_once('[') {
        rest = match (from.strip_prefix('['), from.split_once(']')) {
            (Some(literal), _) => literal,
            (None, Some((marker, after))) if is_sound_marker(marker) => after,
            (None, None) => return true, // the engine says so
            _ => return false,
        };
    }
    true
}

/// A letter, then its presentation, then its widths. A width stands behind
/// the last comma; digits before it are a pattern, as long as it is wide.
fn is_sound_marker(marker: &str) -> bool {
    let marker: String = marker.split_whitespace().collect();
    let is_digit = |c: &char| c.is_ascii_digit() || *c == '#';
    let (pattern, widths) = marker.rsplit_once(',').unwrap_or((&marker, ""));
    let mut widths = widths.split('-').filter_map(|width| width.parse().ok());
    let is_named_fraction = marker.starts_with("fn") || marker.starts_with("fN");
    marker.is_ascii()
        && !is_named_fraction
        && !marker.contains('[')
        && marker.starts_with(|c: char| c.is_ascii_alphabetic())
        && pattern.chars().filter(is_digit).count() <= WIDEST
        && widths.all(|width: usize| width <= WIDEST)
}
