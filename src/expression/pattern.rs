//! Regular expressions that a file brings: how large each is when compiled, and
//! what searching with it may take. The `regex` crate never backtracks, but its
//! time is bounded only by the product of pattern, text and matches.
mod compiling;
mod folding;
mod searching;
mod whole;

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::Hir;

use super::effort;

pub use self::whole::WholePattern;

/// Bytes of the source of a pattern. The longest we ship has 48.
pub const SOURCE_BYTES: usize = 1024;

/// Bytes of a compiled pattern. A `\w` has 16 KiB, as it knows every alphabet;
/// `[A-Za-z0-9_]` has less than 1.
pub const COMPILED_BYTES: usize = 256 * 1024;

/// Steps (of some 5 ns) that one text may take to be looked at; one that would
/// take more does not match.
pub const MATCHING_STEPS: u64 = 20_000_000;

/// Sizes that are tried, smallest first, to know how large a pattern is.
const SIZES: [usize; 5] = [1 << 10, 4 << 10, 16 << 10, 64 << 10, COMPILED_BYTES];

/// Steps that one byte of a text takes for each position of the pattern.
const SEARCHING: u64 = 4;

/// A pattern that is small enough.
#[derive(Debug, Clone)]
pub struct Pattern {
    regex: Regex,
    bytes: usize,
    folding: u64,
    positions: u64,
    reaches_far: bool,
}

/// Why a pattern is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternProblem {
    /// It is not a regular expression.
    #[error("not a regular expression: {0}")]
    Syntax(String),
    /// It is too long as it is written.
    #[error("the regular expression is longer than {SOURCE_BYTES} bytes")]
    TooLong,
    /// It is too large when it is compiled.
    #[error("the regular expression has more than {COMPILED_BYTES} bytes when compiled")]
    TooLarge,
    /// What is read may take no more time.
    #[error("{}", effort::SPENT)]
    Spent,
}

impl Pattern {
    /// Compiles a pattern; `flags` are JSONata's `i`, `m` and `s`.
    pub fn read(source: &str, flags: &str) -> Result<Self, PatternProblem> {
        if source.len() > SOURCE_BYTES {
            return Err(PatternProblem::TooLong);
        }
        let folding = compiling::folding(source, flags);
        take(compiling::reading(source, flags).saturating_add(folding))?;
        let shape = shape(source, flags)?;
        let mut positions = 0;
        searching::count(&shape, 1, &mut positions);
        // No position is compiled to less than this.
        let least = usize::try_from(positions.saturating_mul(16)).unwrap_or(usize::MAX);
        for bytes in SIZES.into_iter().filter(|bytes| *bytes >= least) {
            take(compiling::steps(bytes, folding))?;
            match compile(source, flags, bytes) {
                Ok(regex) => {
                    return Ok(Self {
                        regex,
                        bytes,
                        folding,
                        positions: positions.max(1),
                        reaches_far: searching::reaches_far(&shape),
                    });
                }
                Err(regex::Error::CompiledTooBig(_)) => {}
                Err(error) => return Err(PatternProblem::Syntax(last_line(&error.to_string()))),
            }
        }
        Err(PatternProblem::TooLarge)
    }

    /// As compiled.
    pub fn regex(&self) -> &Regex {
        &self.regex
    }

    /// Its size, rounded up to a power of four.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Steps of compiling it once more.
    pub fn compiling(&self) -> u64 {
        compiling::steps(self.bytes, self.folding)
    }

    /// Steps of one search through so many bytes.
    pub fn searching(&self, bytes: usize) -> u64 {
        let bytes = bytes as u64;
        bytes.saturating_mul(self.positions.saturating_mul(SEARCHING))
    }

    /// Steps of going on after a match, where `rest` bytes are left. Groups
    /// are found by a second search, of the match.
    pub fn going_on(&self, rest: usize) -> u64 {
        let groups = match self.regex.captures_len() {
            1 => 0,
            _ => self.bytes as u64 / 8,
        };
        let rest = if self.reaches_far {
            self.searching(rest)
        } else {
            0
        };
        12 + groups + rest
    }
}

fn take(steps: u64) -> Result<(), PatternProblem> {
    effort::take(steps).map_err(|_| PatternProblem::Spent)
}

fn shape(source: &str, flags: &str) -> Result<Hir, PatternProblem> {
    let has = |flag| flags.contains(flag);
    regex_syntax::ParserBuilder::new()
        .case_insensitive(has('i'))
        .multi_line(has('m'))
        .dot_matches_new_line(has('s'))
        .build()
        .parse(source)
        .map_err(|error| PatternProblem::Syntax(last_line(&error.to_string())))
}

fn compile(source: &str, flags: &str, bytes: usize) -> Result<Regex, regex::Error> {
    let has = |flag| flags.contains(flag);
    RegexBuilder::new(source)
        .case_insensitive(has('i'))
        .multi_line(has('m'))
        .dot_matches_new_line(has('s'))
        .size_limit(bytes)
        .build()
}

/// The crate draws the pattern; the reason is its last line.
fn last_line(text: &str) -> String {
    let line = text.lines().last().unwrap_or_default();
    line.trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests;
