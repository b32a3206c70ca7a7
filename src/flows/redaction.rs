//! Secrets that a provider repeats are made unreadable before they are shown or stored.

use serde_json::Value;

use crate::flows::effective::Compiled;

/// Shorter secrets are not looked for: they could be anything.
const MIN_SECRET_CHARS: usize = 8;
const REDACTED: &str = "[redacted]";

/// The texts of a context that rest sealed.
pub fn secrets_of(compiled: &Compiled, context: &Value) -> Vec<String> {
    texts_of(&compiled.split_context(context).1)
}

/// The texts in a value that are long enough to be looked for.
pub fn texts_of(value: &Value) -> Vec<String> {
    let mut texts = Vec::new();
    collect(value, &mut texts);
    texts
}

fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() >= MIN_SECRET_CHARS => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(entries) => entries.values().for_each(|item| collect(item, texts)),
        _ => {}
    }
}

/// A text with those secrets in it that it repeats made unreadable.
pub fn redacted(text: &str, secrets: &[String]) -> String {
    let hidden = |text: String, secret: &String| text.replace(secret.as_str(), REDACTED);
    secrets.iter().fold(text.to_owned(), hidden)
}

/// A result cannot come to hold a secret by itself; a provider may have sent one that the action stored, or may
/// repeat one.
pub fn redact(value: &mut Value, secrets: &[String]) {
    match value {
        Value::String(text) if secrets.iter().any(|secret| text.contains(secret.as_str())) => {
            REDACTED.clone_into(text);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, secrets)),
        Value::Object(entries) => entries.values_mut().for_each(|item| redact(item, secrets)),
        _ => {}
    }
}
