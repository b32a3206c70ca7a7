//! The texts of `webhook`.

use serde_json::{Map, Value};

use super::place::TextPlace;
use super::{TextCheck, entries};

/// What is sealed where it is nothing but a literal.
const SEALED: [&str; 4] = ["secret", "previous_secret", "token", "password"];

impl TextCheck<'_> {
    pub(super) fn webhook(&mut self, webhook: &Value) {
        for (key, value) in entries(webhook) {
            let at = format!("config.webhook.{key}");
            match value {
                Value::Array(schemes) if key == "signature_verification" => {
                    for (index, scheme) in schemes.iter().enumerate() {
                        self.scheme(scheme, &format!("{at}[{index}]"));
                    }
                }
                scheme if key == "signature_verification" => self.scheme(scheme, &at),
                value => self.value(value, &at, &TextPlace::at(key)),
            }
        }
    }

    fn scheme(&mut self, scheme: &Value, at: &str) {
        for (key, value) in entries(scheme).filter(|(key, _)| *key != "config") {
            self.value(value, &format!("{at}.{key}"), &TextPlace::at(key));
        }
        let at = format!("{at}.config");
        for (key, value) in scheme.get("config").into_iter().flat_map(entries) {
            match key.as_str() {
                key if SEALED.contains(&key) => {
                    let alone = Map::from_iter([(key.to_owned(), value.clone())]);
                    self.sealed(&Value::Object(alone), &at, key);
                }
                "jwks_url" => {}
                _ => self.value(value, &format!("{at}.{key}"), &TextPlace::at(key)),
            }
        }
    }
}
