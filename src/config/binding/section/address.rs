//! What in a part says where it goes: its addresses, and the variables those read.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::config::reads::Variables;

use super::each;

/// Keys below which texts decide where something goes, and in whose name.
const URLS: [&str; 7] = [
    "base_url",
    "auth",
    "client",
    "jwks_url",
    "public_key_url",
    "path",
    "pagination_path",
];
/// The key that holds the secret itself.
const SECRET: &str = "secret";

/// Every address that something may be sent to.
pub(super) fn base_urls(config: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect_bases(config, &mut found);
    found
}

fn collect_bases(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => {
            for (key, item) in entries {
                match item {
                    Value::String(text) if key == "base_url" => drop(found.insert(text.clone())),
                    item => collect_bases(item, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_bases(item, found)),
        _ => {}
    }
}

/// The fields that may bring dots into a host.
pub(super) fn dotted(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect_dotted(value, &mut found);
    found
}

fn collect_dotted(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => {
            let allows = entries.get("allow_dots") == Some(&Value::Bool(true));
            let name = entries.get("name").and_then(Value::as_str);
            found.extend(name.filter(|_| allows).map(str::to_owned));
            entries
                .values()
                .for_each(|item| collect_dotted(item, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_dotted(item, found)),
        _ => {}
    }
}

/// Adds the variables that the addresses of a value read.
pub(super) fn add_urls(value: &Value, aimed_by: &mut Variables) {
    match value {
        Value::Object(entries) => {
            for (key, item) in entries {
                if key == "client" {
                    each(item, |key, item| {
                        if key != SECRET {
                            aimed_by.add(item);
                        }
                    });
                } else if URLS.contains(&key.as_str()) {
                    aimed_by.add(item);
                } else {
                    add_urls(item, aimed_by);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| add_urls(item, aimed_by)),
        _ => {}
    }
}
