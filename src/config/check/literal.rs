//! Literals of a file that are keys: by the name they go under, or by how they look. A key in the file is
//! there in clear, for every token that may read the integration.

use crate::expression::{Placeholder, Template};

/// Parts of names under which a credential goes.
const CREDENTIAL_PARTS: [&str; 13] = [
    "apikey",
    "assertion",
    "authorization",
    "authorisation",
    "cookie",
    "credential",
    "passphrase",
    "passwd",
    "password",
    "secret",
    "signature",
    "token",
    "accesskey",
];

/// Words of names under which a credential goes.
const CREDENTIAL_WORDS: [&str; 7] = ["auth", "jwt", "key", "keys", "pass", "pwd", "sig"];

/// Last words of names that say something about a credential, or about what is sorted by it.
const ABOUT_WORDS: [&str; 17] = [
    "by", "count", "expand", "field", "fields", "format", "hint", "limit", "method", "mode",
    "name", "order", "type", "uri", "url", "version", "tokens",
];

/// Headers whose values are words of HTTP: never a key, however they look.
const DESCRIBING: [&str; 8] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "content-type",
    "origin",
    "referer",
    "user-agent",
];

/// The fewest characters of a text that looks like a key.
const KEY_LENGTH: usize = 20;
/// The fewest different characters in it: `00000000000000000000` is none.
const KEY_VARIETY: usize = 8;

/// What a name says of the value under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::config) enum Name {
    /// A word of HTTP.
    Describing,
    /// A credential.
    Credential,
    /// Nothing, or there is none.
    Other,
}

/// The characters of a name that are looked at.
const NAME_CHARACTERS: usize = 128;

impl Name {
    pub(in crate::config) fn of(name: &str) -> Self {
        let end = name.char_indices().nth(NAME_CHARACTERS);
        let end = end.map_or(name.len(), |(at, _)| at);
        let name = name.get(..end).unwrap_or_default();
        match name {
            name if describes(name) => Self::Describing,
            name if names_credential(name) => Self::Credential,
            _ => Self::Other,
        }
    }
}

/// Whether a literal of a template, which goes under such a name, is a key.
///
/// Text beside a placeholder that has to be filled (`Bearer {{api_key}}`) is one only where it looks like one.
pub(super) fn holds_key(name: Name, template: &Template) -> bool {
    let is_alone = template.placeholders().all(Placeholder::has_fallback);
    let beside = match name {
        Name::Credential if !is_alone => Name::Other,
        name => name,
    };
    let mut defaults = template
        .placeholders()
        .filter_map(Placeholder::default_text);
    template.literals().any(|text| is_key(beside, text)) || defaults.any(|text| is_key(name, text))
}

/// Whether a literal under such a name is a key.
pub(super) fn is_key(name: Name, text: &str) -> bool {
    match name {
        Name::Describing => false,
        Name::Credential => !is_plain(text),
        Name::Other => looks_like_key(text),
    }
}

/// Words of names beside which nothing is a secret of a token answer: when it ends, what it is for.
const OF_TIMES: [&str; 9] = [
    "at", "created", "expires", "expiry", "in", "issued", "scope", "scopes", "status",
];

/// Whether what a token answer gives under this name is a secret.
pub(in crate::config) fn names_secret(name: &str) -> bool {
    let words = words(name);
    let is_of_time = words.iter().any(|word| OF_TIMES.contains(&word.as_str()));
    let is_session = words.iter().any(|word| word.starts_with("session"));
    !is_of_time && (is_session || Name::of(name) == Name::Credential)
}

fn describes(name: &str) -> bool {
    DESCRIBING.iter().any(|own| own.eq_ignore_ascii_case(name))
}

fn names_credential(name: &str) -> bool {
    let words = words(name);
    let is_about = words
        .last()
        .is_some_and(|last| ABOUT_WORDS.contains(&last.as_str()));
    let whole = words.concat();
    !is_about
        && (CREDENTIAL_PARTS.iter().any(|part| whole.contains(part))
            || words
                .iter()
                .any(|word| CREDENTIAL_WORDS.contains(&word.as_str())))
}

/// The words of a name in lower case, however they are put together: `X-Api-Key`, `api_key`, `apiKey`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        let starts = c.is_ascii_uppercase() && was_lower;
        if starts || !c.is_ascii_alphanumeric() {
            words.push(String::new());
        }
        if c.is_ascii_alphanumeric()
            && let Some(last) = words.last_mut()
        {
            last.push(c.to_ascii_lowercase());
        }
        was_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    words.retain(|word| !word.is_empty());
    words
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
mod tests {
    use super::*;

    fn holds(name: &str, text: &str) -> bool {
        holds_key(Name::of(name), &Template::parse(text).unwrap())
    }

    #[test]
    fn a_name_says_that_a_key_goes_under_it() {
        for name in [
            "Authorization",
            "X-Api-Key",
            "api_key",
            "apiKey",
            "APIKEY",
            "X-Auth",
            "X-App-Token",
            "access_token",
            "client_secret",
            "clientSecret",
            "Cookie",
            "client_assertion",
            "key",
            "password",
            "X-Signature",
            "pwd",
        ] {
            assert!(holds(name, "hunter2"), "{name}");
            assert!(holds(name, "{{api_key?:hunter2}}"), "{name}");
            assert!(holds(name, "{{api_key:undefined}}hunter2"), "{name}");
            assert!(!holds(name, "{{api_key}}"), "{name}");
            assert!(!holds(name, "Bearer {{api_key}}"), "{name}");
            assert!(!holds(name, "true"), "{name}");
        }
        for name in [
            "X-Api-Version",
            "Accept",
            "token_type",
            "client_assertion_type",
            "sort_key_order",
            "include_tokens",
            "monkey",
            "keyword",
            "author",
            "page",
            "authentication_method",
        ] {
            assert!(!holds(name, "hunter2"), "{name}");
        }
    }

    #[test]
    fn a_text_looks_like_a_key_by_itself() {
        for text in [
            "k9f2Zq81LmX04tTbR7wY",
            "Bearer k9f2Zq81LmX04tTbR7wY",
            "0123456789abcdef0123456789abcdef",
            "123e4567-e89b-12d3-a456-426614174000",
            "eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4In0.",
            "xx-live-51HqLyjWDarjtT1zdp7dcKf8",
            "QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        ] {
            assert!(looks_like_key(text), "{text}");
            assert!(holds("x", text), "{text}");
        }
        for text in [
            "application/vnd.probe+json;version=2",
            "application/vnd.probe.v20260115+json",
            "2026-10-28.endive",
            "id,name,created_at,updated_at,owner_id",
            "email,firstname,lastname,phone,company,lifecyclestage,lastmodifieddate",
            "ProbeBot (causeway, 1)",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "https://graph.example.com/.default",
            "00000000000000000000",
            "a rather long sentence with 2 or 3 digits",
            "/organizations/contacts/2026",
        ] {
            assert!(!looks_like_key(text), "{text}");
        }
    }
}
