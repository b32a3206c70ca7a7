//! What in a part says where it goes: its addresses, and the variables those read.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::config::binding::digest_of;
use crate::config::reads::VariableReads;
use crate::expression::{Placeholder, Template};

use super::each;

/// Keys below which texts decide where something goes, and in whose name.
const URLS: [&str; 10] = [
    "base_url",
    "auth",
    "client",
    "requestTokenUrl",
    "authorizeUrl",
    "tokenUrl",
    "jwks_url",
    "public_key_url",
    "path",
    "pagination_path",
];
/// Keys of URLs of their own, with a host in front.
const HOSTS: [&str; 10] = [
    "base_url",
    "requestTokenUrl",
    "jwks_url",
    "authorizeHost",
    "tokenHost",
    "authorizeUrl",
    "tokenUrl",
    "refreshUrl",
    "discover",
    "registrationUrl",
];
/// The key that holds the secret itself.
const SECRET: &str = "secret";

/// The origins that something may be sent to: where in them a path begins does not count.
pub(super) fn base_origins(config: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(config, &["base_url"], &mut found);
    found
}

fn collect(value: &Value, keys: &[&str], found: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => {
            for (key, item) in entries {
                match item {
                    Value::String(text) if keys.contains(&key.as_str()) => {
                        found.insert(origin(text));
                    }
                    item => collect(item, keys, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, keys, found)),
        _ => {}
    }
}

/// Scheme, host and port of a URL's text. A placeholder in braces counts as one word.
fn origin(text: &str) -> String {
    let start = match text.split_once("://") {
        Some((scheme, _)) if !scheme.contains('{') => scheme.len() + "://".len(),
        _ => 0,
    };
    let mut is_inside = false;
    let mut end = text.len();
    for (at, c) in text.char_indices().filter(|(at, _)| *at >= start) {
        let rest = text.get(at..).unwrap_or_default();
        is_inside = (is_inside || rest.starts_with("{{")) && !rest.starts_with("}}");
        if !is_inside && matches!(c, '/' | '?' | '#') {
            end = at;
            break;
        }
    }
    let origin = text.get(..end).unwrap_or_default();
    if origin.contains("{{") {
        origin.to_owned()
    } else {
        plain(origin)
    }
}

/// A literal origin, or a pattern of hosts, in the one way that it is written here.
fn plain(origin: &str) -> String {
    let lower = origin.to_ascii_lowercase();
    let lower = lower.trim_end_matches('/');
    let host = lower.strip_prefix("https://").unwrap_or(lower);
    match host.strip_prefix("http://") {
        Some(http) => format!("http://{}", http.strip_suffix(":80").unwrap_or(http)),
        None => host.strip_suffix(":443").unwrap_or(host).to_owned(),
    }
}

/// What decides which hosts requests go to, apart from the texts of their addresses: `allowed_hosts`, and the fields that may
/// bring dots into one. Where all addresses are literal, a host of theirs is allowed with or without being listed.
pub(super) fn hosts(config: &Value) -> String {
    let mut addresses = BTreeSet::new();
    collect(config, &HOSTS, &mut addresses);
    addresses.extend(servers(config));
    let listed = config.get("allowed_hosts").and_then(Value::as_array);
    let listed = listed.into_iter().flatten().filter_map(Value::as_str);
    let mut allowed: BTreeSet<String> = listed.map(plain).collect();
    if addresses.iter().all(|address| !address.contains("{{")) {
        allowed.retain(|pattern| !addresses.contains(pattern));
    }
    let read: BTreeSet<String> = addresses.iter().flat_map(|text| names(text)).collect();
    let mut dotted = BTreeSet::new();
    collect_dotted(config, &mut dotted);
    dotted.retain(|name| read.contains(name));
    digest_of(&json!([allowed, dotted]))
}

/// The hosts of servers of files, with their ports.
fn servers(config: &Value) -> Vec<String> {
    let of_sftp = |own: &Value| {
        let host = own.get("host").and_then(Value::as_str)?;
        let port = own.get("port").map(|port| match port {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        Some(format!("{host}:{}", port.as_deref().unwrap_or("22")))
    };
    let sftp = config.pointer("/credentials/sftp/config");
    sftp.and_then(of_sftp).into_iter().collect()
}

/// The keys that the placeholders of a text name.
fn names(text: &str) -> Vec<String> {
    let template = Template::parse(text);
    let placeholders = template.iter().flat_map(Template::placeholders);
    let paths = placeholders.flat_map(Placeholder::paths);
    paths.flat_map(|path| path.parts().to_vec()).collect()
}

fn collect_dotted(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => {
            let allows = entries.get("allow_dots") == Some(&Value::Bool(true));
            let name = entries.get("name").and_then(Value::as_str);
            found.extend(name.filter(|_| allows).map(str::to_owned));
            let options = entries.get("options").and_then(Value::as_array);
            let sets = options
                .into_iter()
                .flatten()
                .filter_map(|option| option.get("set"));
            let keys = sets
                .filter_map(Value::as_object)
                .flat_map(serde_json::Map::keys);
            found.extend(keys.filter(|_| allows).cloned());
            entries
                .values()
                .for_each(|item| collect_dotted(item, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_dotted(item, found)),
        _ => {}
    }
}

/// Adds the variables that the addresses of a value read.
pub(super) fn add_urls(value: &Value, aimed_by: &mut VariableReads) {
    match value {
        Value::Object(entries) => {
            for (key, item) in entries {
                if matches!(key.as_str(), "client" | "consumer") {
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

#[cfg(test)]
mod tests {
    use super::{hosts, origin};
    use serde_json::json;

    #[test]
    fn an_origin_is_what_stands_in_front_of_the_path() {
        for (text, expected) in [
            ("https://API.x.com:443/v1", "api.x.com"),
            ("https://api.x.com:8443/v1", "api.x.com:8443"),
            ("http://api.x.com:80?x", "http://api.x.com"),
            ("https://{{a?:b/c}}.x.com/{{d}}", "https://{{a?:b/c}}.x.com"),
            ("{{a?:https://b.com}}/v1", "{{a?:https://b.com}}"),
            ("https://{{Aa}}.X.com", "https://{{Aa}}.X.com"),
            ("", ""),
        ] {
            assert_eq!(origin(text), expected, "{text}");
        }
    }

    #[test]
    fn a_listed_host_counts_unless_all_addresses_are_literal_and_have_it() {
        let of = |base: &str, allowed: serde_json::Value| {
            hosts(&json!({ "base_url": base, "allowed_hosts": allowed }))
        };
        let literal = of("https://a.x.com", json!(null));
        assert_eq!(
            literal,
            of("https://a.x.com", json!(["A.x.com", "https://a.x.com"]))
        );
        assert_ne!(literal, of("https://a.x.com", json!(["b.x.com"])));
        assert_ne!(literal, of("https://a.x.com", json!(["http://a.x.com"])));
        let open = of("https://{{s}}.x.com", json!(null));
        assert_ne!(open, of("https://{{s}}.x.com", json!(["a.x.com"])));
    }
}
