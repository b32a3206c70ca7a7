//! What decides the records of a sync, in one digest: of the sync itself, of the lists that it reads, and of what their
//! requests and pages are made of. When it runs and what it reports is not part of it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::config::binding::digest_of;
use crate::config::prose;
use crate::config::steering::for_each_text;
use crate::expression::{Placeholder, Template};
use crate::json::Path;

/// Keys of a sync that do not decide what its records are.
const OTHERS: [&str; 10] = [
    "auto_start",
    "cron",
    "empty_when_missing",
    "events",
    "every",
    "full_every",
    "max_deletions",
    "mode",
    "on_events",
    "overlap",
];
/// The same of a method, next to what people read.
const METHOD_OTHERS: [&str; 3] = ["authorization", "error_expression", "rate_limit"];
/// Keys of a file that its requests and pages are made of.
const OF_FILE: [&str; 6] = [
    "base_url",
    "body",
    "headers",
    "pagination",
    "query",
    "query_array_format",
];

/// What decides the records of a sync.
#[derive(Debug)]
pub struct Definition {
    /// SHA-256 of what the file says, hex.
    pub digest: String,
    /// What its placeholders read.
    pub reads: Vec<Path>,
}

/// What decides the records of each sync of a configuration, by its name. `config` is its JSON, all layers merged.
pub fn definitions(config: &Value) -> BTreeMap<String, Definition> {
    let syncs = config.get("syncs").and_then(Value::as_object);
    let syncs = syncs.into_iter().flatten();
    syncs
        .map(|(name, sync)| (name.clone(), definition(config, sync)))
        .collect()
}

fn definition(config: &Value, sync: &Value) -> Definition {
    let lists = [Some(sync), sync.get("incremental"), sync.get("deletions")];
    let methods = lists.into_iter().flatten().filter_map(|list| {
        let resource = list.get("resource")?.as_str()?;
        let method = list.get("method").and_then(Value::as_str);
        let methods = config.get("resources")?.get(resource)?;
        methods.get(method.unwrap_or("list"))
    });
    let is_other = |key: &str| METHOD_OTHERS.contains(&key) || prose::is_of_method(key);
    let methods: Vec<Value> = methods.map(|method| without(method, is_other)).collect();
    let of_file: Map<String, Value> = OF_FILE
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), config.get(key)?.clone())))
        .collect();
    let whole = json!([without(sync, |key| OTHERS.contains(&key)), methods, of_file]);
    let mut reads = Vec::new();
    for_each_text(&whole, &mut |text| {
        if let Ok(template) = Template::parse(text) {
            let paths = template.placeholders().flat_map(Placeholder::paths);
            reads.extend(paths.cloned());
        }
    });
    Definition {
        digest: digest_of(&whole),
        reads,
    }
}

fn without(object: &Value, is_other: impl Fn(&str) -> bool) -> Value {
    let entries = object.as_object().into_iter().flatten();
    let entries = entries.filter(|(key, _)| !is_other(key));
    entries
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::definitions;
    use crate::json;
    use serde_json::{Value, json};

    fn file() -> Value {
        json!({
            "base_url": "https://{{context.site}}.example",
            "label": "One",
            "resources": { "items": {
                "list": { "path": "/items", "description": "All items.", "query": { "team": "{{team|public_variables.team}}" } },
                "gone": { "path": "/gone" },
                "get": { "path": "/items/{{id}}" },
            } },
            "syncs": { "items": { "resource": "items", "record_id": "id", "every": "1h",
                "deletions": { "resource": "items", "method": "gone", "record_id": "id" } } },
        })
    }

    fn digest(change: &Value) -> String {
        let mut file = file();
        json::merge(&mut file, change);
        definitions(&file)["items"].digest.clone()
    }

    #[test]
    fn what_decides_the_records_changes_the_digest() {
        let before = digest(&json!({}));
        let sync = |keys: Value| json!({ "syncs": { "items": keys } });
        let method = |name: &str, keys: Value| json!({ "resources": { "items": { name: keys } } });
        for change in [
            sync(json!({ "record_id": "key" })),
            sync(json!({ "query": { "state": "all" } })),
            sync(json!({ "map": "{ \"id\": id }" })),
            sync(json!({ "keep": "hashes" })),
            sync(json!({ "method": "gone" })),
            sync(json!({ "deletions": { "record_id": "key" } })),
            sync(json!({ "modified_at": "at" })),
            method("list", json!({ "path": "/all" })),
            method("list", json!({ "response_path": "data" })),
            method("gone", json!({ "path": "/removed" })),
            json!({ "query": { "locale": "en" } }),
            json!({ "pagination": { "format": "page", "config": {} } }),
        ] {
            assert_ne!(digest(&change), before, "{change}");
        }
        for change in [
            sync(json!({ "every": "2h", "events": "records", "max_deletions": 7 })),
            sync(
                json!({ "mode": "incremental", "full_every": "1d", "on_events": ["x"], "auto_start": false }),
            ),
            method(
                "list",
                json!({ "description": "Items.", "rate_limit": null }),
            ),
            method("get", json!({ "path": "/item/{{id}}" })),
            json!({ "label": "Two", "authorization": { "format": "none" } }),
        ] {
            assert_eq!(digest(&change), before, "{change}");
        }
    }

    #[test]
    fn what_its_placeholders_read_is_named() {
        let reads = &definitions(&file())["items"].reads;
        let reads: Vec<String> = reads.iter().map(ToString::to_string).collect();
        assert_eq!(reads, ["team", "public_variables.team", "context.site"]);
        assert!(definitions(&json!({})).is_empty());
    }
}
