//! What reading and compiling a pattern takes, in steps.
use super::folding::characters;

/// Steps that every compilation costs, and steps for each byte.
const COMPILING: u64 = 6_000;

const COMPILING_A_BYTE: u64 = 2;

/// Steps of reading a byte of the source, and a class of an alphabet.
const READING_A_BYTE: u64 = 60;

const READING_A_CLASS: u64 = 20_000;

/// Steps of looking up a character of a class where case makes no difference.
const FOLDING: u64 = 2;

/// A class is read out of the tables of Unicode, and so is the other case of
/// anything where case makes no difference.
pub(super) fn reading(source: &str, flags: &str) -> u64 {
    let classes = |marks: &[&str]| {
        let count = marks.iter().map(|mark| source.matches(mark).count() as u64);
        READING_A_CLASS * count.sum::<u64>()
    };
    let ignores_case = flags.contains('i') || source.contains("(?");
    let folded = if ignores_case {
        classes(&["[", "\\", "."])
    } else {
        0
    };
    let tables = classes(&[
        "\\p", "\\P", "\\w", "\\W", "\\d", "\\D", "\\s", "\\S", "\\b", "\\B", "&&", "--", "~~",
    ]);
    READING_A_BYTE * source.len() as u64 + tables + folded
}

/// Steps that the other case of classes adds each time the pattern is parsed.
pub(super) fn folding(source: &str, flags: &str) -> u64 {
    FOLDING.saturating_mul(characters(source, flags.contains('i')))
}

pub(super) fn steps(bytes: usize, folding: u64) -> u64 {
    (COMPILING + COMPILING_A_BYTE * bytes as u64).saturating_add(folding)
}
