//! What a definition says of the hosts that a value can name.

use serde_json::Value;

use super::definition::{Definition, text};
use super::domain;
use super::hosts::{config_key, urls};
use super::interpolation::{Interpolation, Piece};
use super::names::constant;
use super::patterns;
use super::url_pieces::UrlPieces;

/// All values of a field, where they are listed.
pub fn listed_values(path: &str, definition: &Definition) -> Option<Vec<String>> {
    let declared = declared(path, definition)?;
    if let Some(text) = constant(Some(declared)) {
        return Some(vec![text.to_owned()]);
    }
    if let Some(values) = declared.get("enum").and_then(Value::as_array) {
        let values = values.iter().filter_map(Value::as_str);
        return Some(values.map(str::to_owned).collect());
    }
    let ends = patterns::ends_of(text(declared.get("pattern"))?)?;
    ends.suffixes.is_empty().then_some(ends.exact)
}

fn declared<'d>(path: &str, definition: &'d Definition) -> Option<&'d Value> {
    let key = config_key(path)?;
    definition.object("connection_config")?.get(key)
}

/// Patterns of the hosts that a value can be; none where the customer owns the server.
pub fn host_patterns(path: &str, definition: &Definition) -> Vec<String> {
    let declared = declared(path, definition);
    let is_automated = declared.is_none_or(|one| one.get("automated") == Some(&Value::Bool(true)));
    if is_automated {
        return below(&literal_domains(definition));
    }
    let Some(declared) = declared else {
        return Vec::new();
    };
    if let Some(values) = declared.get("enum").and_then(Value::as_array) {
        let values = values.iter().filter_map(Value::as_str);
        return values
            .map(|value| domain::host_of(value).to_owned())
            .collect();
    }
    let of_pattern = text(declared.get("pattern")).map(of_pattern);
    if let Some(hosts) = of_pattern.filter(|hosts| !hosts.is_empty()) {
        return hosts;
    }
    if is_self_hosted(definition, declared) {
        return Vec::new();
    }
    let shown = ["example", "suffix", "default_value", "prefix"];
    let shown = shown.iter().filter_map(|key| text(declared.get(*key)));
    let words = shown.flat_map(|text| text.split([' ', ',']));
    let (mut domains, mut hosts) = (Vec::new(), Vec::new());
    for word in words {
        let host = domain::host_of(word);
        let domain = domain::registrable(host).filter(|domain| domain::is_vendors(domain));
        let Some(domain) = domain else { continue };
        // With a path the host is the vendor's for all customers.
        if has_path(word) {
            hosts.push(host.to_ascii_lowercase());
        } else {
            domains.push(domain);
        }
    }
    domains.sort();
    domains.dedup();
    hosts.extend(below(&domains));
    hosts
}

fn has_path(text: &str) -> bool {
    let behind = text.split_once("://").map_or(text, |(_, rest)| rest);
    behind
        .split_once('/')
        .is_some_and(|(_, path)| !path.is_empty())
}

/// The domains themselves and all hosts below them.
fn below(domains: &[String]) -> Vec<String> {
    let patterns = domains.iter();
    patterns
        .flat_map(|domain| [domain.clone(), format!("*.{domain}")])
        .collect()
}

/// Hosts that every value of a pattern is at.
fn of_pattern(pattern: &str) -> Vec<String> {
    let Some(ends) = patterns::ends_of(pattern) else {
        return Vec::new();
    };
    let mut hosts: Vec<String> = ends
        .exact
        .iter()
        .map(|value| domain::host_of(value).to_owned())
        .collect();
    for suffix in &ends.suffixes {
        // A part of a label in front of the first dot fixes no label.
        let labels = suffix.split_once('.').map(|(_, labels)| labels);
        let Some(labels) = labels.filter(|labels| domain::registrable(labels).is_some()) else {
            return Vec::new();
        };
        hosts.push(format!("*.{labels}"));
        if !suffix.starts_with('.') {
            hosts.push(suffix.clone());
        }
    }
    hosts
}

/// The vendor's domains in the literal hosts of a definition.
fn literal_domains(definition: &Definition) -> Vec<String> {
    let mut domains = Vec::new();
    for url in urls(definition) {
        for alternative in &Interpolation::parse(url).alternatives {
            let host = UrlPieces::of(alternative).host;
            let Some(Piece::Text(last)) = host.last() else {
                continue;
            };
            let last = if host.len() > 1 {
                last.split_once('.').map_or("", |(_, labels)| labels)
            } else {
                last
            };
            let domain = domain::registrable(last);
            domains.extend(domain.filter(|domain| !domain::is_platform(domain)));
        }
    }
    domains.sort();
    domains.dedup();
    domains
}

/// What definitions and descriptions call a server of the customer's own.
const SELF_HOSTED: [&str; 9] = [
    "data center",
    "data-center",
    "datacenter",
    "hosted in your",
    "on-prem",
    "on prem",
    "self host",
    "self-host",
    "your own server",
];

fn is_self_hosted(definition: &Definition, declared: &Value) -> bool {
    let texts = [
        Some(definition.name.as_str()),
        definition.text("display_name"),
        text(declared.get("description")),
        text(declared.get("title")),
    ];
    texts.into_iter().flatten().any(|text| {
        let text = text.to_lowercase();
        SELF_HOSTED.iter().any(|words| text.contains(words))
    })
}
