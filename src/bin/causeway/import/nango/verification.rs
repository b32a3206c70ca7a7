//! `verification`: the request that proves new credentials, as `actions.validation`.

use serde_json::{Map, Value, json};

use super::super::words::Word;
use super::definition::{entries, text};
use super::draft::{Draft, Impossible, Stage};
use super::interpolation::Interpolation;
use super::template::Place;

/// The action, where the definition verifies credentials by a request.
pub fn action(draft: &mut Draft) -> Option<Value> {
    let own = draft.definition.proxy("verification")?;
    let endpoints = own.get("endpoints").and_then(Value::as_array);
    let endpoints: Vec<&str> = endpoints
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let has_base = draft.config.contains_key("base_url");
    if !has_base && own.get("base_url_override").is_none() {
        return None;
    }
    let mut steps = Vec::new();
    for endpoint in endpoints {
        match request(draft, own, endpoint) {
            Ok(step) => steps.push(step),
            Err(reason) => {
                draft.lose(format!("verification: {reason}"));
                return None;
            }
        }
    }
    match steps.len() {
        0 => None,
        1 => steps.pop(),
        _ if draft.words.knows(Word::AnyOf) => Some(json!({ "steps": [{ "any_of": steps }] })),
        _ => {
            draft.lack(Word::AnyOf, "one of several requests verifies");
            None
        }
    }
}

fn request(draft: &mut Draft, own: &Value, endpoint: &str) -> Result<Value, Impossible> {
    let mut config = Map::new();
    let method = text(own.get("method"))
        .unwrap_or("GET")
        .to_ascii_lowercase();
    config.insert("method".to_owned(), json!(method));
    if let Some(base) = text(own.get("base_url_override")) {
        let base = draft.url(base, Stage::Call)?;
        config.insert("base_url".to_owned(), json!(base));
    }
    let path = draft.template(endpoint, Place::Needed, Stage::Call);
    let path = path.map_err(|unsaid| unsaid.reason())?;
    if path.contains("://") {
        return Err("an endpoint on another host".to_owned());
    }
    config.insert(
        "path".to_owned(),
        json!(format!("/{}", path.trim_start_matches('/'))),
    );
    let mut headers = Map::new();
    for (name, value) in entries(own.get("headers")) {
        let is_computed = Interpolation::parse(&value).has_call();
        if is_computed && name.eq_ignore_ascii_case("authorization") {
            // The file's own authorization sends the same.
            continue;
        }
        let value = draft.template(&value, Place::Entry, Stage::Call);
        headers.insert(
            name.to_owned(),
            json!(value.map_err(|unsaid| unsaid.reason())?),
        );
    }
    if !headers.is_empty() {
        config.insert("headers".to_owned(), Value::Object(headers));
    }
    if let Some(data) = own
        .get("data")
        .filter(|data| !data.is_null() && method != "get")
    {
        let body = draft
            .tree(data, Stage::Call)
            .map_err(|unsaid| unsaid.reason())?;
        config.insert("body".to_owned(), body);
    }
    Ok(json!({ "type": "request", "config": config }))
}
