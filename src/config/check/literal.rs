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

/// Last words of names of settings: manuals publish their values.
const ABOUT_SETTINGS: [&str; 9] = [
    "domain", "endpoint", "header", "id", "path", "prefix", "realm", "scheme", "server",
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
        match start_of(name) {
            name if describes(name) => Self::Describing,
            name if is_setting(name) => Self::Other,
            name if names_credential(name) => Self::Credential,
            _ => Self::Other,
        }
    }
}

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

/// Last words of names in a token answer that are no secrets: when it ends, what it is for.
const OF_TIMES: [&str; 9] = [
    "at", "created", "expires", "expiry", "in", "issued", "scope", "scopes", "status",
];
/// Behind which a unit may follow.
const UNITS: [&str; 13] = [
    "date",
    "epoch",
    "hours",
    "millis",
    "milliseconds",
    "minutes",
    "ms",
    "sec",
    "seconds",
    "time",
    "timestamp",
    "unix",
    "utc",
];

/// Whether what a token answer gives under this name is a secret.
pub(in crate::config) fn names_secret(name: &str) -> bool {
    let name = start_of(name);
    let words = words(name);
    let is_session = words.iter().any(|word| word.starts_with("session"));
    let is_secret = !describes(name) && names_credential(name);
    !is_of_time(&words) && (is_session || is_secret)
}

fn is_of_time(words: &[String]) -> bool {
    let is_in = |all: &[&str], word: &String| all.contains(&word.as_str());
    match words {
        [.., time, unit] if is_in(&UNITS, unit) && is_in(&OF_TIMES, time) => true,
        [.., last] => is_in(&OF_TIMES, last),
        [] => false,
    }
}

fn is_setting(name: &str) -> bool {
    let words = words(name);
    let last = words.last();
    last.is_some_and(|last| ABOUT_SETTINGS.contains(&last.as_str()))
}

fn start_of(name: &str) -> &str {
    let end = name.char_indices().nth(NAME_CHARACTERS);
    let end = end.map_or(name.len(), |(at, _)| at);
    name.get(..end).unwrap_or_default()
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

/// Whether a `/` behind this code begins a pattern, and divides nothing.
fn starts_pattern(code: &str) -> bool {
    let code = code.trim_end();
    let last = code.chars().next_back();
    last.is_none_or(|c| "(,=:[!&|?{;~<>+-*%^".contains(c))
        || code
            .rsplit(|c: char| !c.is_alphanumeric())
            .next()
            .is_some_and(|word| ["and", "or", "in"].contains(&word))
}

/// The bytes in front of an end that no backslash escapes; a comment has no escapes.
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
    fn a_name_of_a_token_answer_is_judged_by_its_end() {
        for name in [
            "access_token",
            "sign_in_token",
            "logged_in_secret",
            "scope_token",
            "issued_token",
            "status_secret",
            "created_at_key",
            "token_created_by_secret",
            "session_in_use_token",
            "session",
            "sessionToken",
            "sessionIdAtLogin",
            "secret_id",
            "jwt",
        ] {
            assert!(names_secret(name), "{name}");
        }
        for name in [
            "expires_in",
            "token_expires_in",
            "tokenExpiresInSeconds",
            "access_token_expires_at",
            "access_token_expires_at_ms",
            "refresh_token_created_at",
            "token_status",
            "token_scope",
            "token_scopes",
            "token_issued",
            "token_type",
            "session_expiry",
            "session_expiry_date",
            "user",
            "",
        ] {
            assert!(!names_secret(name), "{name}");
        }
    }

    #[test]
    fn a_source_is_looked_at_text_by_text_and_name_by_name() {
        for source in [
            r#"{ "a": SalesOrder.ShipAddr.Line1 }"#,
            "d.results.BillToAddress.AddressLine1",
            "a / b.ShippingAddress.Line1 / c",
            r#"$match(a, /[A-Z]{3}\/"x/) & SalesOrder.ShipAddr.Line1"#,
            "headers.`x-ratelimit-reset-2`",
            "vendor / SalesOrder.ShipAddr.Line1 / 2",
        ] {
            assert!(!source_looks_like_key(source), "{source}");
        }
        for source in [
            "k9f2Zq81LmX04tTbR7wY",
            "a.k9f2Zq81LmX04tTbR7wY",
            "a.`k9f2Zq81LmX04tTbR7wY`.b",
            r#""eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4In0.""#,
            "a & 'Ab1Cd2Ef3.Gh4Ij5Kl6.Mn7Op8Qr9'",
            "$match(a, /k9f2Zq81LmX04tTbR7wY/)",
            r#"/* " */ "Ab1Cd2Ef3.Gh4Ij5Kl6.Mn7Op8Qr9""#,
            "/* Ab1Cd2Ef3.Gh4Ij5Kl6.Mn7Op8Qr9 */ 1",
            r#"$replace(a, /"/, "Ab1Cd2Ef3.Gh4Ij5Kl6.Mn7Op8Qr9")"#,
            r#""\"" & "Ab1Cd2Ef3.Gh4Ij5Kl6.Mn7Op8Qr9""#,
            r#"a / "Ab1Cd2Ef3.Gh4Ij5Kl6.Mn7Op8Qr9""#,
        ] {
            assert!(source_looks_like_key(source), "{source}");
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
