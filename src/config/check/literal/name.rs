//! What the name of a value says of it.

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
    let words = words_of_name(name);
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
    let words = words_of_name(name);
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
    let words = words_of_name(name);
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
pub fn words_of_name(name: &str) -> Vec<String> {
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
