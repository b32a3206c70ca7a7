//! Pictures of times: literals and markers such as `[Y0001]`.

use super::super::super::failure::{BAD_PICTURE, BAD_TEXT};
use super::super::super::limits::{PICTURE_BYTES, PICTURE_DIGITS};
use super::super::price;
use super::picture::{FailureCode, few, integer, is_letters, primary, require, short};

/// Digits in a row that are read as days of a year, hours or an offset, with
/// which the engine goes on to compute.
const COMPUTED_DIGITS: usize = 9;
/// Letters beyond ASCII that are the same as an ASCII letter where case makes
/// no difference: the engine cuts texts by bytes.
const SAME_LETTERS: [char; 2] = ['\u{17f}', '\u{212a}'];

/// What a sound picture is made of.
#[derive(Debug, Default)]
pub(super) struct Markers {
    count: usize,
    /// The parts of a picture in words, each with its own pattern.
    words: usize,
    /// Days of the year, hours up to twelve.
    computes: bool,
    has_zone: bool,
    /// Numbers as letters, or what is computed with in anything but digits.
    is_for_writing: bool,
}

/// Finds the markers as the engine does: `[[` is a bracket.
pub(super) fn check(picture: &str) -> Result<Markers, FailureCode> {
    require(picture.len() <= PICTURE_BYTES, BAD_PICTURE)?;
    let mut markers = Markers::default();
    let mut rest = picture;
    while let Some((_, from)) = rest.split_once('[') {
        rest = match (from.strip_prefix('['), from.split_once(']')) {
            (Some(literal), _) => literal,
            (None, Some((marker, after))) => {
                markers.add(marker)?;
                after
            }
            (None, None) => break, // the engine says so
        };
    }
    few(markers.count)?;
    Ok(markers)
}

impl Markers {
    /// A letter, then its presentation, then its widths. A width is after
    /// the last comma; digits before it are a pattern, as long as it is wide.
    fn add(&mut self, marker: &str) -> Result<(), FailureCode> {
        let marker: String = marker.split_whitespace().collect();
        let (pattern, widths) = marker.rsplit_once(',').unwrap_or((&marker, ""));
        let mut widths = widths.split('-').filter_map(|width| width.parse().ok());
        let is_named_fraction = marker.starts_with("fn") || marker.starts_with("fN");
        let is_sound = marker.is_ascii()
            && !is_named_fraction
            && !marker.contains('[')
            && marker.starts_with(|c: char| c.is_ascii_alphabetic())
            && widths.all(|width: usize| width <= PICTURE_DIGITS);
        require(is_sound, BAD_PICTURE)?;
        let (component, presentation) = pattern.split_at_checked(1).unwrap_or_default();
        integer(presentation)?;
        self.note(component, presentation);
        Ok(())
    }

    fn note(&mut self, component: &str, presentation: &str) {
        // The last letter may say how it is to be read.
        let format = match presentation.strip_suffix(['a', 't', 'c', 'o']) {
            Some(format) if !format.is_empty() => format,
            _ => presentation,
        };
        let is_words = matches!(primary(format), "w" | "W" | "Ww");
        let computes = matches!(component, "d" | "h");
        self.count += 1;
        self.words += usize::from(is_words);
        self.computes |= computes;
        self.has_zone |= matches!(component, "Z" | "z");
        let has_letters = format.contains(|c: char| c.is_ascii_alphabetic());
        self.is_for_writing |= is_letters(format) || (computes && has_letters);
    }

    /// Whether the engine can read a text by this picture.
    pub(super) fn check_text(&self, text: &str) -> Result<(), FailureCode> {
        require(!self.is_for_writing, BAD_PICTURE)?;
        short(text)?;
        require(!text.contains(SAME_LETTERS), BAD_TEXT)?;
        let runs = text.split(|c: char| !c.is_ascii_digit());
        let is_sound = runs.enumerate().all(|(index, run)| {
            // An offset has a sign, so a text does not begin with its digits.
            let is_computed = self.computes || (self.has_zone && index > 0);
            let most = if is_computed {
                COMPUTED_DIGITS
            } else {
                PICTURE_DIGITS
            };
            run.len() <= most
        });
        require(is_sound, BAD_TEXT)
    }

    /// Steps of making a pattern of them and of searching a text with it.
    pub(super) fn reading(&self, bytes: usize) -> u64 {
        let parts = self.count as u64 + price::WORDS * self.words as u64;
        parts.saturating_mul(price::MARKER + bytes as u64)
    }
}
