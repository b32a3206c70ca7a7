//! Texts that are not trusted, reading public values only.
use serde_json::Value;

use super::position::EntryPosition;
use crate::config::binding::FilePlace;
use crate::expression::Template;

/// The same value, its placeholders reading public values only.
pub(super) fn public_texts(value: &Value, place: &FilePlace) -> Value {
    let inner = |key: String| {
        let mut inner = place.clone();
        inner.0.push(key);
        inner
    };
    match value {
        Value::String(text) if EntryPosition::of(place).holds_templates() => {
            Value::String(Template::of_public(text))
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            Value::Array(
                items
                    .map(|(index, item)| public_texts(item, &inner(index.to_string())))
                    .collect(),
            )
        }
        Value::Object(entries) => {
            let entries = entries.iter();
            let public =
                entries.map(|(key, item)| (key.clone(), public_texts(item, &inner(key.clone()))));
            Value::Object(public.collect())
        }
        other => other.clone(),
    }
}

pub(super) fn put(value: &mut Value, place: &FilePlace, new: Value) {
    let target = place
        .0
        .iter()
        .try_fold(value, |value, key| value.get_mut(key));
    if let Some(target) = target {
        *target = new;
    }
}
