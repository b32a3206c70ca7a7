//! Regular expressions that a file brings: how large each is when compiled, and
//! what searching with it may take. The `regex` crate never backtracks, but its
//! time is bounded only by the product of pattern, text and matches.

mod folding;

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Class, Hir, HirKind};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::effort;

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
/// Steps that compiling takes in any case, and for each byte.
const COMPILING: u64 = 6_000;
const COMPILING_A_BYTE: u64 = 2;
/// Steps of reading a byte of the source, and a class of an alphabet.
const READING_A_BYTE: u64 = 60;
const READING_A_CLASS: u64 = 20_000;
/// Steps of looking up a character of a class where case makes no difference.
const FOLDING: u64 = 2;
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
    /// It is none.
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
        let folding = folding(source, flags);
        take(reading(source, flags).saturating_add(folding))?;
        let shape = shape(source, flags)?;
        let mut positions = 0;
        count(&shape, 1, &mut positions);
        // No position is compiled to less than this.
        let least = usize::try_from(positions.saturating_mul(16)).unwrap_or(usize::MAX);
        for bytes in SIZES.into_iter().filter(|bytes| *bytes >= least) {
            take(compiling(bytes, folding))?;
            match compile(source, flags, bytes) {
                Ok(regex) => {
                    return Ok(Self {
                        regex,
                        bytes,
                        folding,
                        positions: positions.max(1),
                        reaches_far: reaches_far(&shape),
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
        compiling(self.bytes, self.folding)
    }

    /// Steps of one search through so many bytes.
    pub fn searching(&self, bytes: usize) -> u64 {
        let bytes = bytes as u64;
        bytes.saturating_mul(self.positions.saturating_mul(SEARCHING))
    }

    /// Steps of going on behind a match, where `rest` bytes are left. Groups
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

/// A pattern of the file that a whole text must match. It is compiled when the
/// file is read.
#[derive(Debug, Clone)]
pub struct WholePattern {
    source: String,
    whole: Pattern,
}

impl WholePattern {
    /// Compiles a pattern, alone too: `a)|(?:b` does not become valid by what
    /// is put around it.
    pub fn read(source: &str) -> Result<Self, PatternProblem> {
        take(reading(source, "").saturating_add(folding(source, "")))?;
        shape(source, "")?;
        Ok(Self {
            source: source.to_owned(),
            whole: Pattern::read(&format!(r"\A(?:{source})\z"), "")?,
        })
    }

    /// Whether the whole text matches.
    pub fn matches(&self, text: &str) -> bool {
        let steps = self.whole.searching(text.len());
        steps <= MATCHING_STEPS && effort::take(steps).is_ok() && self.whole.regex.is_match(text)
    }
}

impl Serialize for WholePattern {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        output.serialize_str(&self.source)
    }
}

impl<'de> Deserialize<'de> for WholePattern {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Self::read(&String::deserialize(input)?).map_err(serde::de::Error::custom)
    }
}

fn take(steps: u64) -> Result<(), PatternProblem> {
    effort::take(steps).map_err(|_| PatternProblem::Spent)
}

/// A class is read out of the tables of Unicode, and so is the other case of
/// anything where case makes no difference.
fn reading(source: &str, flags: &str) -> u64 {
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
fn folding(source: &str, flags: &str) -> u64 {
    FOLDING.saturating_mul(folding::characters(source, flags.contains('i')))
}

fn compiling(bytes: usize, folding: u64) -> u64 {
    (COMPILING + COMPILING_A_BYTE * bytes as u64).saturating_add(folding)
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

/// Adds the places of a pattern at which a search may be at once.
fn count(shape: &Hir, times: u64, positions: &mut u64) {
    match shape.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => add(positions, times, literal.0.len() as u64),
        HirKind::Class(class) => add(positions, times, width(class)),
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(repetition.min.saturating_add(1));
            count(
                &repetition.sub,
                times.saturating_mul(u64::from(most)),
                positions,
            );
        }
        HirKind::Capture(capture) => count(&capture.sub, times, positions),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            for part in parts {
                count(part, times, positions);
            }
        }
    }
}

fn add(positions: &mut u64, times: u64, more: u64) {
    *positions = positions.saturating_add(times.saturating_mul(more));
}

/// A character beyond ASCII is several bytes, with some ways to begin.
fn width(class: &Class) -> u64 {
    match class {
        Class::Unicode(class) if class.is_ascii() => 1,
        Class::Unicode(_) => 3,
        Class::Bytes(_) => 1,
    }
}

/// Whether a search may look far beyond a match before it knows it: where one
/// way to match goes on without end before it must come upon something, and
/// there is another way beside it.
fn reaches_far(shape: &Hir) -> bool {
    has_choice(shape) && has_run(shape, false)
}

/// Whether parts of it may be left out or replaced by others.
fn has_choice(shape: &Hir) -> bool {
    match shape.kind() {
        HirKind::Alternation(_) => true,
        HirKind::Repetition(repetition) => {
            let is_single = matches!(
                repetition.sub.kind(),
                HirKind::Class(_) | HirKind::Literal(_)
            );
            (!is_single && repetition.min == 0) || has_choice(&repetition.sub)
        }
        HirKind::Capture(capture) => has_choice(&capture.sub),
        HirKind::Concat(parts) => parts.iter().any(has_choice),
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) | HirKind::Class(_) => false,
    }
}

/// Whether something is repeated without end before something that must follow.
fn has_run(shape: &Hir, must_follow: bool) -> bool {
    match shape.kind() {
        HirKind::Repetition(repetition) => {
            let is_endless = repetition.max.is_none() || repetition.max > Some(16);
            (is_endless && must_follow) || has_run(&repetition.sub, must_follow || is_endless)
        }
        HirKind::Capture(capture) => has_run(&capture.sub, must_follow),
        HirKind::Alternation(parts) => parts.iter().any(|part| has_run(part, must_follow)),
        HirKind::Concat(parts) => {
            let mut must_follow = must_follow;
            parts.iter().rev().any(|part| {
                let found = has_run(part, must_follow);
                must_follow |= part.properties().minimum_len() != Some(0)
                    || matches!(part.kind(), HirKind::Look(_));
                found
            })
        }
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) | HirKind::Class(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::expression::effort::within;

    use super::{COMPILED_BYTES, Pattern, PatternProblem, SOURCE_BYTES, WholePattern};

    /// What reading a file may take.
    const READING_STEPS: u64 = 20_000_000;

    #[test]
    fn the_whole_of_a_text_must_match_within_its_steps() {
        let pattern = |source: &str| WholePattern::read(source).unwrap();
        for (source, text, matches) in [
            ("a|b", "a", true),
            ("a|b", "ab", false),
            ("^[a-z]+$", "abc", true),
            ("^[a-z]+$", "abc\n", false),
        ] {
            assert_eq!(pattern(source).matches(text), matches, "{source} {text}");
        }
        for broken in [
            "(",
            "a)|(?:b",
            "\\p{Nothing}",
            "(?:.{900}){900}{900}",
            "(?x) a # comment",
        ] {
            assert!(WholePattern::read(broken).is_err(), "{broken}");
        }
        // 402 places at 4 steps a byte.
        let dear = pattern("[ab]{400}b[ab]*");
        assert!(dear.matches(&"b".repeat(12_000)));
        assert!(!dear.matches(&"b".repeat(13_000)));
    }

    #[test]
    fn a_pattern_is_bounded_as_it_is_written_and_as_it_is_compiled() {
        let long = |bytes: usize| Pattern::read(&"a".repeat(bytes), "");
        assert!(long(SOURCE_BYTES).is_ok());
        assert_eq!(long(SOURCE_BYTES + 1).unwrap_err(), PatternProblem::TooLong);
        for (source, fits) in [
            (r"^[\w.-]+@[\w.-]+\.\w+$", true),
            (r"^ak_[A-Za-z0-9]{32}$", true),
            (r"a{1000}b", true),
            (r"\w{400}", false),
            (r"a{100000}", false),
            (r"((a{100}){100}){100}", false),
        ] {
            let read = Pattern::read(source, "");
            assert_eq!(read.is_ok(), fits, "{source}");
            match read {
                Ok(pattern) => assert!(pattern.bytes() <= COMPILED_BYTES),
                Err(problem) => assert_eq!(problem, PatternProblem::TooLarge),
            }
        }
    }

    #[test]
    fn classes_without_case_are_paid_for_before_they_are_parsed() {
        let all = r"(?i)[\x{0}-\x{10ffff}]";
        for (source, flags) in [
            (all.repeat(10), ""),
            (r"[\x{0}-\x{10ffff}]".repeat(10), "i"),
            (r"[^[^a]]".repeat(10), "i"),
            (r"[\W]".repeat(10), "i"),
            (r"[\P{L}]".repeat(10), "i"),
        ] {
            let (read, _) = within(READING_STEPS, || Pattern::read(&source, flags));
            assert_eq!(read.unwrap_err(), PatternProblem::Spent, "{source}");
        }
        for source in [r"[\w.-]+@[\w.-]+", "[^a]", "[a-z0-9]+", r"\W"] {
            let (read, _) = within(READING_STEPS, || Pattern::read(source, "i"));
            assert!(read.is_ok(), "{source}");
        }
        // An expression compiles it at each use, and pays again.
        let pattern = Pattern::read(r"[\x{0}-\x{10ffff}]", "i").unwrap();
        assert!(pattern.compiling() > 2_000_000);
    }

    #[test]
    fn searching_costs_by_the_places_of_a_pattern() {
        let costs = |source: &str| Pattern::read(source, "").unwrap().searching(1);
        assert_eq!(costs("[ab]*a[ab]{400}c"), 4 * 403);
        assert_eq!(costs(r"\d+"), 4 * 6);
        assert_eq!(costs("a"), 4);
        assert_eq!(costs("(?i)a|b{2,5}"), 4 * 6);
    }

    #[test]
    fn what_may_look_far_beyond_a_match_pays_for_it_at_each() {
        for (source, far) in [
            ("a.*z|a", true),
            ("(a.*z)|(a)", true),
            ("[^x]*x|[ab]", true),
            ("(a.*z)?[ab]", true),
            (r"(\w+\s+)*z|\w", true),
            (r"\s+", false),
            (r"\r?\n", false),
            (r",\s*", false),
            ("<[^>]*>", false),
            (r"(\d+)-(\d+)", false),
            ("cat|dog", false),
            ("(cat|dog)+", false),
        ] {
            assert_eq!(
                Pattern::read(source, "").unwrap().reaches_far,
                far,
                "{source}"
            );
        }
    }
}
