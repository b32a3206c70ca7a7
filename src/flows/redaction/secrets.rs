//! Which texts are secret.

use std::borrow::Cow;

use serde_json::Value;

use crate::flows::effective::Compiled;
use crate::settings::REDACTED_SECRET_BYTES;

/// A secret, and each line of one that has several, such as a key in PEM: a provider may repeat one of them.
pub(super) fn pieces(secret: &str) -> impl Iterator<Item = &str> {
    let lines = secret
        .lines()
        .map(str::trim)
        .filter(move |line| *line != secret && !line.starts_with("-----"));
    std::iter::once(secret).chain(lines)
}

/// The secrets of a context. Of what a provider said beside its OAuth token only the tokens are: the rest are ids and
/// names that its answers and webhooks are full of.
pub(super) fn secrets_of(compiled: &Compiled, context: &Value, sealed: &Value) -> Vec<String> {
    let (_, mut secret) = compiled.split_context(context, sealed);
    let token = secret
        .pointer_mut("/oauth/token")
        .map(Value::take)
        .unwrap_or_default();
    let mut texts = texts_of(&secret);
    collect_tokens(&token, false, &mut texts);
    texts
}

/// The texts under keys that speak of a token or a secret.
fn collect_tokens(value: &Value, is_token: bool, texts: &mut Vec<String>) {
    let speaks_of_it =
        |key: &str| key != "token_type" && (key.ends_with("token") || key.contains("secret"));
    match value {
        Value::String(text) if is_token && text.len() >= REDACTED_SECRET_BYTES => {
            texts.push(text.clone());
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect_tokens(item, is_token, texts)),
        Value::Object(entries) => {
            for (key, value) in entries {
                collect_tokens(value, speaks_of_it(key), texts);
            }
        }
        _ => {}
    }
}

/// The texts in a value that are long enough to be looked for, numbers too.
pub fn texts_of(value: &Value) -> Vec<String> {
    let mut texts = Vec::new();
    collect(value, &mut texts);
    texts
}

fn collect(value: &Value, texts: &mut Vec<String>) {
    let text = match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Number(number) => Cow::Owned(number.to_string()),
        Value::Array(items) => return items.iter().for_each(|item| collect(item, texts)),
        Value::Object(entries) => return entries.values().for_each(|item| collect(item, texts)),
        _ => return,
    };
    if text.len() >= REDACTED_SECRET_BYTES {
        texts.push(text.into_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_token_only_the_tokens_are_secret() {
        let mut texts = Vec::new();
        let token = serde_json::json!({
            "access_token": "access-1", "id_token": "identity", "token_type": "bearer-token", "provider_user_id": "acct_12345",
            "team": { "id": "T12345678" }, "authed_user": { "access_token": "access-2" },
        });
        collect_tokens(&token, false, &mut texts);
        assert_eq!(texts, ["access-1", "identity", "access-2"]);
    }
}
