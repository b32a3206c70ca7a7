//! What the text of a refusal says of the token, and of the client. Providers that follow RFC 6749 say it by a code; the
//! others write it in another field, in a sentence, or as plain text.

use serde_json::Value;

use super::plain;
use crate::json::read_at_most;
use crate::settings::SMALL_ANSWER_VALUES;

/// So much of an answer is looked at.
const LONGEST: usize = 16 * 1024;

/// What is said of a dead token.
const DEAD: [&str; 15] = [
    "invalid",
    "expired",
    "revoked",
    "not_found",
    "no_longer",
    "already_used",
    "already_been_used",
    "not_valid",
    "not_exist",
    "not_recognized",
    "unknown",
    "inactive",
    "not_active",
    "incorrect",
    "deleted",
];

/// What is said of a request that lacks the token.
const LACK: [&str; 6] = [
    "required",
    "is_missing",
    "missing_parameter",
    "missing_required",
    "must_be",
    "not_provided",
];

/// What other tokens and settings are called.
const OTHERS: [&str; 7] = [
    "client",
    "endpoint",
    "secret",
    "scope",
    "csrf",
    "token_type",
    "grant_type",
];

/// Whether a text of the answer, with the key it has, says that the token is dead.
pub(super) fn is_named(body: &[u8]) -> bool {
    is_said(body, says_token)
}

/// Whether one says that the gateway's client is wrong, which only the operator can mend.
pub(super) fn names_the_client(body: &[u8]) -> bool {
    is_said(body, says_client)
}

fn is_said(body: &[u8], says: fn(&str) -> bool) -> bool {
    let body = body.get(..LONGEST).unwrap_or(body);
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if let Some(json) = read_at_most(body, SMALL_ANSWER_VALUES) {
        return in_json("", &json, says);
    }
    let text = String::from_utf8_lossy(body);
    // A page for browsers is no answer of a token endpoint.
    if text.trim_start().starts_with('<') {
        return false;
    }
    let mut pairs = form_urlencoded::parse(text.as_bytes());
    says(&text) || pairs.any(|(name, value)| says(&format!("{name} {value}")))
}

fn in_json(key: &str, value: &Value, says: fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => says(text) || says(&format!("{key} {text}")),
        Value::Array(items) => items.iter().any(|item| in_json(key, item, says)),
        Value::Object(fields) => fields.iter().any(|(key, value)| in_json(key, value, says)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn says_token(text: &str) -> bool {
    let words = plain(text).replace("invalid_request", "");
    let is_refresh_token = words.contains("refresh_token") || words.contains("refreshtoken");
    let is_a_token = words.contains("token") && !has(&words, &OTHERS);
    (is_refresh_token || is_a_token) && has(&words, &DEAD) && !has(&words, &LACK)
}

fn says_client(text: &str) -> bool {
    let words = plain(text);
    words.contains("client") && !words.contains("token") && has(&words, &DEAD)
}

fn has(words: &str, list: &[&str]) -> bool {
    list.iter().any(|word| words.contains(word))
}
