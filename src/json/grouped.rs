//! Pairs of texts as JSON: a form, a query, header fields.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// Names that come once have a text, others a list of texts.
pub fn grouped<'t>(pairs: impl Iterator<Item = (Cow<'t, str>, Cow<'t, str>)>) -> Value {
    let mut entries = Map::new();
    for (name, text) in pairs {
        let text = Value::String(text.into_owned());
        match entries.get_mut(&*name) {
            None => {
                entries.insert(name.into_owned(), text);
            }
            Some(Value::Array(texts)) => texts.push(text),
            Some(only) => *only = Value::Array(vec![only.take(), text]),
        }
    }
    Value::Object(entries)
}
