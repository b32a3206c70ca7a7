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
