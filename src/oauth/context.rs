//! What of a provider's answers goes into the account's context.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::config::credentials::OAuth2;
use crate::json::Path;

/// The key under which tokens are stored; no answer writes it.
const TOKENS: &str = "oauth";

/// `contextFromToken`: values of the whole token answer. What is missing or null is left out, so that a
/// later, shorter answer removes nothing.
pub fn context_from_token(wanted: &BTreeMap<String, Path>, reply: &Value) -> Map<String, Value> {
    let wanted = wanted.iter();
    wanted
        .filter(|(key, _)| *key != TOKENS)
        .filter_map(|(key, path)| Some((key.clone(), path.lookup(reply)?.clone())))
        .filter(|(_, value)| !value.is_null())
        .collect()
}

/// `contextFromCallback`: texts of the callback's parameters. What is missing, empty or is given twice is
/// left out.
pub fn context_from_callback(config: &OAuth2, pairs: &[(String, String)]) -> Map<String, Value> {
    let wanted = config.context_from_callback.iter();
    wanted
        .filter(|(key, _)| *key != TOKENS)
        .filter_map(|(key, name)| {
            let mut values = pairs.iter().filter(|(own, _)| own == name);
            let (_, value) = values.next().filter(|(_, value)| !value.is_empty())?;
            let is_only = values.next().is_none();
            is_only.then(|| (key.clone(), Value::String(value.clone())))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config() -> OAuth2 {
        serde_json::from_value(json!({
            "contextFromToken": { "origin": "instance_url", "space": "space.id", "none": "x.y", "oauth": "space" },
            "contextFromCallback": { "region": "location", "oauth": "location", "shop": "shop" }
        }))
        .unwrap()
    }

    #[test]
    fn values_of_the_whole_answer_are_copied() {
        let reply =
            json!({ "instance_url": "https://a.x.com", "space": { "id": 7 }, "x": { "y": null } });
        assert_eq!(
            Value::Object(context_from_token(&config().context_from_token, &reply)),
            json!({ "origin": "https://a.x.com", "space": 7 })
        );
        assert!(context_from_token(&config().context_from_token, &json!([])).is_empty());
    }

    #[test]
    fn a_parameter_of_the_callback_counts_when_it_stands_once() {
        let read = |query: &str| {
            let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect();
            Value::Object(context_from_callback(&config(), &pairs))
        };
        assert_eq!(read("location=eu&shop=&code=c"), json!({ "region": "eu" }));
        assert_eq!(
            read("location=eu&location=us&shop=s"),
            json!({ "shop": "s" })
        );
    }
}
