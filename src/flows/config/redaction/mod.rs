//! Redacts secrets that a provider repeats, before they are returned, logged or stored: in plain text, and in the forms
//! that requests, JSON and error pages give them. A successful response that is passed on unread is not searched.

pub(in crate::flows) mod escapes;
pub(in crate::flows) mod forms;
pub(in crate::flows) mod search;
pub mod secrets;
#[cfg(test)]
mod tests;

use crate::flows::messages::webhook::NewEvent;
use http::HeaderMap;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::Failure;
use crate::flows::config::redaction::search::Search;
use crate::flows::config::redaction::secrets::{pieces, secrets_of};
use crate::flows::config::resolved_config::Compiled;
use crate::header_text;
use crate::json::map_tokens;
use crate::oauth::TokenFailure;
use crate::proxy::headers::describes_body;

const REDACTED: &str = "[redacted]";
/// A replacement that is not longer than the shortest secret, so that no text grows.
const HIDDEN: &str = "[hidden]";

/// Redacts the secrets of an account and of its install.
pub struct Redactor(Option<Search>);

impl Redactor {
    /// A redactor for the secrets of a configuration and of a whole context. `sealed` is the sealed part of the
    /// context, as in [`Compiled::split_context`].
    pub fn new(compiled: &Compiled, context: &Value, sealed: &Value) -> Self {
        let own = secrets_of(compiled, context, sealed);
        let all = own.iter().chain(&compiled.secret_texts);
        Self::of(all.map(String::as_str))
    }

    /// A redactor for the secrets of a whole context alone: those of the configuration are redacted already.
    pub fn of_context(compiled: &Compiled, context: &Value, sealed: &Value) -> Self {
        let own = secrets_of(compiled, context, sealed);
        Self::of(own.iter().map(String::as_str))
    }

    fn of<'s>(secrets: impl Iterator<Item = &'s str>) -> Self {
        let pieces = secrets.flat_map(pieces).collect();
        Self(Search::new(
            crate::flows::config::redaction::forms::needles(pieces),
        ))
    }

    pub fn text(&self, text: &str) -> String {
        self.changed(text).unwrap_or_else(|| text.to_owned())
    }

    /// Redacts the strings and keys of a JSON text; a number that is a secret becomes null. Everything else stays byte
    /// for byte.
    pub fn json(&self, text: String) -> String {
        if self.is_clean(&text) {
            return text;
        }
        map_tokens(
            &text,
            |string| self.changed(string),
            |number| self.is_whole(number).then(|| "null".to_owned()),
        )
    }

    /// Redacts a provider's response, which may be JSON.
    pub fn answer(&self, text: String) -> String {
        if self.is_clean(&text) {
            return text;
        }
        if serde_json::from_str::<&RawValue>(&text).is_ok() {
            self.json(text)
        } else {
            self.text(&text)
        }
    }

    /// Redacts a value: a string with a secret in it is replaced as a whole.
    pub fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) if !self.is_clean(text) => REDACTED.clone_into(text),
            Value::Number(number) if self.is_whole(&number.to_string()) => *value = Value::Null,
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(entries) => {
                let keys: Vec<String> = entries
                    .keys()
                    .filter(|key| !self.is_clean(key))
                    .cloned()
                    .collect();
                for key in keys {
                    entries.shift_remove(&key);
                }
                entries.values_mut().for_each(|item| self.value(item));
            }
            _ => {}
        }
    }

    /// Redacts the provider's texts in a failure.
    pub fn failure(&self, mut failure: Failure) -> Failure {
        failure.message = self.text(&failure.message);
        if let Some(details) = &mut failure.details {
            self.value(details);
        }
        if let Some(remote) = &mut failure.remote {
            remote.raw_response = self.answer(std::mem::take(&mut remote.raw_response));
            self.headers(&mut remote.headers);
        }
        failure
    }

    /// Redacts the texts of a token endpoint.
    pub fn token_failure(&self, failure: TokenFailure) -> TokenFailure {
        match failure {
            TokenFailure::Refused {
                error,
                description,
                blame,
            } => TokenFailure::Refused {
                error: self.text(&error),
                description: description.map(|text| self.text(&text)),
                blame,
            },
            TokenFailure::Unreadable(why) => TokenFailure::Unreadable(self.text(&why)),
            TokenFailure::Transient { .. } => failure,
        }
    }

    /// Removes the header fields whose value holds a secret.
    pub fn headers(&self, headers: &mut HeaderMap) {
        let holds = |value: &http::HeaderValue| !self.is_clean(&header_text::text(value));
        let fields = headers
            .iter()
            .filter(|(name, value)| !describes_body(name) && holds(value));
        let names: Vec<_> = fields.map(|(name, _)| name.clone()).collect();
        for name in names {
            headers.remove(name);
        }
    }

    fn is_clean(&self, text: &str) -> bool {
        self.0
            .as_ref()
            .is_none_or(|search| search.spans(text).is_empty())
    }

    fn is_whole(&self, number: &str) -> bool {
        let spans = self.0.as_ref().map(|search| search.spans(number));
        let whole = 0..number.len();
        spans.is_some_and(|spans| spans.first() == Some(&whole))
    }

    fn changed(&self, text: &str) -> Option<String> {
        let spans = self.0.as_ref()?.spans(text);
        if spans.is_empty() {
            return None;
        }
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for span in spans {
            out.push_str(text.get(at..span.start).unwrap_or_default());
            out.push_str(if span.len() < REDACTED.len() {
                HIDDEN
            } else {
                REDACTED
            });
            at = span.end;
        }
        out.push_str(text.get(at..).unwrap_or_default());
        Some(out)
    }
}

impl Redactor {
    /// Redacts the secrets that its sender repeats in an event.
    pub fn redact_event(&self, event: &mut NewEvent) {
        let texts = [
            Some(&mut event.event),
            event.resource_type.as_mut(),
            event.resource_id.as_mut(),
        ];
        for text in texts.into_iter().flatten() {
            *text = self.text(text);
        }
        event.payload = self.json(std::mem::take(&mut event.payload));
    }
}
