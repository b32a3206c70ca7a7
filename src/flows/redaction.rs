//! Secrets that a provider repeats are made unreadable before they are shown or stored.

use serde_json::Value;

use crate::flows::effective::Compiled;
use crate::json::map_strings;

/// Shorter secrets are not looked for: they could be anything.
const MIN_SECRET_CHARS: usize = 8;
const REDACTED: &str = "[redacted]";
/// The same, no longer than the shortest secret.
const HIDDEN: &str = "[hidden]";

/// The secrets of a context. Of what a provider said beside its OAuth token only the tokens are: the rest are ids and
/// names that its answers and webhooks are full of.
///
/// `sealed` is what is sealed of it, as in [`Compiled::split_context`].
pub fn secrets_of(compiled: &Compiled, context: &Value, sealed: &Value) -> Vec<String> {
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
        Value::String(text) if is_token && text.len() >= MIN_SECRET_CHARS => {
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
    let hidden = |text: String, secret: &String| text.replace(secret.as_str(), word_for(secret));
    secrets.iter().fold(text.to_owned(), hidden)
}

/// JSON text with those secrets in its strings made unreadable; numbers and keys stand as they are. It grows no longer.
pub fn redacted_json(text: String, secrets: &[String]) -> String {
    let may_hold = |secret: &String| text.contains(secret.as_str()) || text.contains('\\');
    if !secrets.iter().any(may_hold) {
        return text;
    }
    let hidden = |string: &str| {
        let holds = secrets
            .iter()
            .any(|secret| string.contains(secret.as_str()));
        holds.then(|| redacted(string, secrets))
    };
    map_strings(&text, hidden)
}

fn word_for(secret: &str) -> &'static str {
    if secret.len() < REDACTED.len() {
        HIDDEN
    } else {
        REDACTED
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_goes_out_of_strings_and_nothing_else_changes() {
        let secrets = [
            "12345678".to_owned(),
            "a/long+secret".to_owned(),
            "customer".to_owned(),
        ];
        let hidden = |text: &str| redacted_json(text.to_owned(), &secrets);
        for same in [
            r#"{"id":123456789012,"customer":1e400}"#,
            r#"["\\", "a\/short"]"#,
            "7",
        ] {
            assert_eq!(hidden(same), same);
        }
        assert_eq!(
            hidden(r#"{"customer":"12345678"}"#),
            r#"{"customer":"[hidden]"}"#
        );
        assert_eq!(
            hidden(r#"[ "x a\/long+secret\" y" ]"#),
            r#"[ "x [redacted]\" y" ]"#
        );
    }

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
