//! One provider definition of the catalogue, with its alias resolved.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Aliases of aliases that are followed.
const MOST_ALIASES: usize = 16;

/// The keys of one definition.
pub struct Definition {
    pub name: String,
    keys: Map<String, Value>,
}

impl Definition {
    /// The definition of this name. An alias has the keys of the definition that it names under its own.
    pub fn resolve(catalogue: &Map<String, Value>, name: &str) -> Result<Self, String> {
        let (mut keys, mut next, mut seen) = (Map::new(), name.to_owned(), BTreeSet::new());
        loop {
            if !seen.insert(next.clone()) || seen.len() > MOST_ALIASES {
                return Err(format!("alias: `{next}` is an alias of itself"));
            }
            let entry = catalogue.get(&next);
            let Some(entry) = entry.and_then(Value::as_object) else {
                return Err(if next == name {
                    "definition: it is not an object".to_owned()
                } else {
                    format!("alias: the file has no `{next}`")
                });
            };
            for (key, value) in entry {
                if !keys.contains_key(key) {
                    keys.insert(key.clone(), value.clone());
                }
            }
            match keys.remove("alias") {
                Some(Value::String(alias)) => next = alias,
                Some(_) => return Err("alias: it is not a text".to_owned()),
                None => break,
            }
        }
        let name = name.to_owned();
        Ok(Self { name, keys })
    }

    pub fn value(&self, key: &str) -> Option<&Value> {
        self.keys.get(key).filter(|value| !value.is_null())
    }

    /// A text that is not empty.
    pub fn text(&self, key: &str) -> Option<&str> {
        text(self.value(key))
    }

    pub fn object(&self, key: &str) -> Option<&Map<String, Value>> {
        self.value(key)?.as_object()
    }

    /// The texts of a list.
    pub fn list(&self, key: &str) -> Vec<&str> {
        let items = self.value(key).and_then(Value::as_array);
        let items = items.into_iter().flatten();
        items.filter_map(Value::as_str).collect()
    }

    pub fn is_set(&self, key: &str) -> bool {
        self.value(key) == Some(&Value::Bool(true))
    }

    /// A key of `proxy`.
    pub fn proxy(&self, key: &str) -> Option<&Value> {
        let value = self.object("proxy")?.get(key);
        value.filter(|value| !value.is_null())
    }

    /// The entries of an object of `proxy`.
    pub fn proxy_entries(&self, key: &str) -> Vec<(&str, Cow<'_, str>)> {
        entries(self.proxy(key))
    }

    /// The entries of an object with scalar values.
    pub fn entries(&self, key: &str) -> Vec<(&str, Cow<'_, str>)> {
        entries(self.value(key))
    }

    /// Every text of the definition.
    pub fn texts(&self) -> Vec<&str> {
        let mut texts = Vec::new();
        for (key, value) in &self.keys {
            let proxy = value.as_object().filter(|_| key == "proxy");
            match proxy {
                // `proxy.connection_config` repeats the names of values and sends none.
                Some(proxy) => proxy
                    .iter()
                    .filter(|(key, _)| *key != "connection_config")
                    .for_each(|(_, value)| add_texts(value, &mut texts)),
                None => add_texts(value, &mut texts),
            }
        }
        texts
    }

    /// The token endpoint: a text, or one of several by mode.
    pub fn token_url(&self) -> Option<&str> {
        let value = self.value("token_url")?;
        let of_mode = |mode: &str| text(value.get(mode));
        text(Some(value))
            .or_else(|| of_mode("OAUTH2"))
            .or_else(|| of_mode("APP"))
            .or_else(|| of_mode("OAUTH2CC"))
    }
}

pub fn text(value: Option<&Value>) -> Option<&str> {
    value?.as_str().filter(|text| !text.trim().is_empty())
}

/// A text, number or switch as text.
pub fn scalar(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(flag) => Some(Cow::Owned(flag.to_string())),
        _ => None,
    }
}

/// The entries of an object whose values are scalars.
pub fn entries(value: Option<&Value>) -> Vec<(&str, Cow<'_, str>)> {
    let keys = value.and_then(Value::as_object).into_iter().flatten();
    keys.filter_map(|(key, value)| Some((key.as_str(), scalar(value)?)))
        .collect()
}

/// The recursion is as deep as the document, which is bounded.
fn add_texts<'v>(value: &'v Value, texts: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(items) => items.iter().for_each(|item| add_texts(item, texts)),
        Value::Object(keys) => keys.values().for_each(|value| add_texts(value, texts)),
        _ => {}
    }
}
