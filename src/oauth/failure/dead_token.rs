//! Whether the words of a refusal say that the token is dead. Providers that follow RFC 6749 say so by a code; the others
//! write it in a field of their own, in any of its words, or as plain text.

use serde_json::Value;

use super::plain;

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
    let body = body.get(..LONGEST).unwrap_or(body);
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    match serde_json::from_slice::<Value>(body) {
        Ok(json) => in_json("", &json),
        Err(_) => {
            let text = String::from_utf8_lossy(body);
            // A page of somebody's is no answer of a token endpoint.
            if text.trim_start().starts_with('<') {
                return false;
            }
            let mut pairs = form_urlencoded::parse(text.as_bytes());
            says_so(&text) || pairs.any(|(name, value)| says_so(&format!("{name} {value}")))
        }
    }
}

fn in_json(key: &str, value: &Value) -> bool {
    match value {
        Value::String(text) => says_so(text) || says_so(&format!("{key} {text}")),
        Value::Array(items) => items.iter().any(|item| in_json(key, item)),
        Value::Object(fields) => fields.iter().any(|(key, value)| in_json(key, value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn says_so(text: &str) -> bool {
    let words = plain(text).replace("invalid_request", "");
    let has = |list: &[&str]| list.iter().any(|word| words.contains(word));
    let is_refresh_token = words.contains("refresh_token") || words.contains("refreshtoken");
    let is_a_token = words.contains("token") && !has(&OTHERS);
    (is_refresh_token || is_a_token) && has(&DEAD) && !has(&LACK)
}
