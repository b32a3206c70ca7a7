//! Literals of a file that are keys: by the name they go under, or by how they look. A key in the file is
//! there in clear, for every token that may read the integration.

use crate::expression::{Placeholder, Template};

mod name;

pub use name::words_of_name;
pub(in crate::config) use name::{Name, names_secret};

/// The fewest characters of a text that looks like a key.
const KEY_LENGTH: usize = 20;
/// The fewest different characters in it: `00000000000000000000` is none.
const KEY_VARIETY: usize = 8;

/// Whether a literal of a template, which goes under such a name, is a key.
///
/// Text next to a placeholder that has to be filled (`Bearer {{api_key}}`) is a key only where it looks like one.
pub(super) fn holds_key(name: Name, template: &Template) -> bool {
    let is_alone = template.placeholders().all(Placeholder::has_fallback);
    let neighbour = match name {
        Name::Credential if !is_alone => Name::Other,
        name => name,
    };
    let mut defaults = template
        .placeholders()
        .filter_map(Placeholder::default_text);
    template.literals().any(|text| is_key(neighbour, text))
        || defaults.any(|text| is_key(name, text))
}

/// Whether a literal under such a name is a key.
pub(super) fn is_key(name: Name, text: &str) -> bool {
    match name {
        Name::Describing => false,
        Name::Credential => !is_plain(text),
        Name::Other => looks_like_key(text),
    }
}

/// A switch, a small number, or a name that is public by its form.
fn is_plain(text: &str) -> bool {
    let text = text.trim();
    let is_word = [
        "true", "false", "null", "none", "yes", "no", "basic", "bearer",
    ];
    text.is_empty()
        || is_word.iter().any(|word| word.eq_ignore_ascii_case(text))
        || (text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit()))
        || text.starts_with("urn:")
        || text.contains("://")
}

/// Whether one of the words of a text is long, of many different characters, and mixes letters with digits as
/// words of a language do not.
pub(super) fn looks_like_key(text: &str) -> bool {
    text.split(|c: char| c.is_whitespace() || "\"'\\,;:&?<>(){}[]|".contains(c))
        .any(is_random)
}

/// Whether one of the names of a path is a key: a name by itself, however many are put together.
pub(super) fn path_looks_like_key(path: &str) -> bool {
    path.split('.').any(looks_like_key)
}

/// Whether a text, a pattern, a comment or a name of a JSONata source is a key.
pub(super) fn source_looks_like_key(source: &str) -> bool {
    let (mut rest, mut code) = (source, String::new());
    while let Some(c) = rest.chars().next() {
        let (start, end) = match c {
            '"' => (1, "\""),
            '\'' => (1, "'"),
            '/' if rest.starts_with("/*") => (2, "*/"),
            '/' if starts_pattern(&code) => (1, "/"),
            c => (c.len_utf8(), ""),
        };
        let after = rest.get(start..).unwrap_or_default();
        if end.is_empty() {
            // A name may be between backquotes.
            code.push(if c == '`' { ' ' } else { c });
            rest = after;
            continue;
        }
        let length = length_until(after, end);
        if looks_like_key(after.get(..length).unwrap_or_default()) {
            return true;
        }
        // Nothing is put together across it.
        code.push('"');
        rest = after.get(length + end.len()..).unwrap_or_default();
    }
    path_looks_like_key(&code)
}

/// Whether a `/` after this code begins a pattern, and divides nothing.
fn starts_pattern(code: &str) -> bool {
    let code = code.trim_end();
    let last = code.chars().next_back();
    last.is_none_or(|c| "(,=:[!&|?{;~<>+-*%^".contains(c))
        || code
            .rsplit(|c: char| !c.is_alphanumeric())
            .next()
            .is_some_and(|word| ["and", "or", "in"].contains(&word))
}

/// The bytes before an end that no backslash escapes; a comment has no escapes.
fn length_until(text: &str, end: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        if !is_escaped && text.get(at..).is_some_and(|rest| rest.starts_with(end)) {
            return at;
        }
        is_escaped = c == '\\' && !is_escaped && end.len() == 1;
    }
    text.len()
}

/// Whether a short text can be a piece of a key: a letter follows a digit, as in no word of a language.
pub(super) fn is_piece(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mixes = bytes.windows(2).any(|two| {
        matches!(two, [digit, letter] if digit.is_ascii_digit() && letter.is_ascii_alphabetic())
    });
    mixes && text.len() < KEY_LENGTH && text.bytes().all(fits) && !is_of_words(text)
}

/// Characters of a key.
fn fits(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-_.+/=~".contains(&b)
}

fn is_random(word: &str) -> bool {
    let count = |of: fn(&u8) -> bool| word.bytes().filter(of).count();
    let (digits, upper, lower) = (
        count(u8::is_ascii_digit),
        count(u8::is_ascii_uppercase),
        count(u8::is_ascii_lowercase),
    );
    let variety: std::collections::BTreeSet<u8> = word.bytes().collect();
    let is_mixed = (digits >= 2 && upper + lower >= 2) || (upper >= 3 && lower >= 3 && digits >= 1);
    word.len() >= KEY_LENGTH
        && variety.len() >= KEY_VARIETY
        && word.bytes().all(fits)
        && is_mixed
        && !is_of_words(word)
}

/// `v1.2.3-rc.1`, `application/vnd.example.v20260115+json`, `created_at-updated_at-2026`: short or plain words,
/// put together.
fn is_of_words(word: &str) -> bool {
    let parts = word.split(|c: char| !c.is_ascii_alphanumeric());
    let is_word = |part: &str| {
        let letters = part.trim_end_matches(|c: char| c.is_ascii_digit());
        let is_spelled = letters.bytes().all(|b| b.is_ascii_alphabetic());
        let is_short =
            letters.len() <= 1 || letters.bytes().skip(1).all(|b| b.is_ascii_lowercase());
        is_spelled && is_short
    };
    let separators = word.bytes().filter(|b| !b.is_ascii_alphanumeric()).count();
    separators > 0
        && parts.clone().all(is_word)
        && parts.map(str::len).max().unwrap_or_default() < 16
}

#[cfg(test)]
mod tests;
