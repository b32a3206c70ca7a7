//! Collects the secret texts.

use std::borrow::Cow;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::config::secrets::is_secret_of_token;
use crate::flows::config::resolved_config::Compiled;
use crate::settings::REDACTED_SECRET_BYTES;

/// A secret, and each of its lines if it has several, such as a key in PEM: a provider may repeat one of them.
pub(in crate::flows) fn pieces(secret: &str) -> impl Iterator<Item = &str> {
    let lines = secret
        .lines()
        .map(str::trim)
        .filter(move |line| *line != secret && !line.starts_with("-----"));
    std::iter::once(secret).chain(lines)
}

/// The secrets of a context. Of a token response only the tokens are secret: the rest are ids and names that responses
/// and webhooks are full of.
pub(in crate::flows) fn secrets_of(
    compiled: &Compiled,
    context: &Value,
    sealed: &Value,
) -> Vec<String> {
    let (_, mut secret) = compiled.split_context(context, sealed);
    let token = secret
        .pointer_mut("/oauth/token")
        .map(Value::take)
        .unwrap_or_default();
    let mut texts = texts_of(&secret);
    let mut scan = TokenScan {
        sent: &compiled.token_secrets,
        texts: &mut texts,
    };
    scan.tokens(&token, false, &mut Vec::new());
    texts
}

/// A scan of a token response.
struct TokenScan<'a> {
    /// The places of the token response that the file sends as a credential.
    sent: &'a BTreeSet<Vec<String>>,
    texts: &'a mut Vec<String>,
}

impl TokenScan<'_> {
    /// Collects the texts under keys that name a secret, and those that are sent as one. The recursion is as deep as
    /// the context, which is parsed JSON.
    fn tokens(&mut self, value: &Value, is_secret: bool, at: &mut Vec<String>) {
        let is_secret = is_secret || self.sent.contains(at);
        match value {
            Value::Array(items) => {
                for item in items {
                    self.tokens(item, is_secret, at);
                }
            }
            Value::Object(entries) => {
                for (key, value) in entries {
                    at.push(key.clone());
                    self.tokens(value, is_secret || is_secret_of_token(key), at);
                    at.pop();
                }
            }
            text if is_secret => collect(text, self.texts),
            _ => {}
        }
    }
}

/// The texts and numbers in a value that are long enough to be redacted.
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
    fn only_the_tokens_of_a_token_response_are_secret() {
        let token = serde_json::json!({
            "access_token": "access-1", "id_token": "identity", "token_type": "bearer-token", "provider_user_id": "acct_12345",
            "team": { "id": "T12345678" }, "authed_user": { "access_token": "access-2" }, "ticket": "ticket-1", "expires_in": 12_345_678,
            "keys": { "apiKey": [87_654_321] },
        });
        let sent = [vec!["ticket".to_owned()]].into();
        let mut texts = Vec::new();
        let mut scan = TokenScan {
            sent: &sent,
            texts: &mut texts,
        };
        scan.tokens(&token, false, &mut Vec::new());
        assert_eq!(
            texts,
            ["access-1", "identity", "access-2", "ticket-1", "87654321"]
        );
    }
}
