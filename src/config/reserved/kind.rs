//! Entries that are reserved by more than their place: fields, and expressions by what they look at.

use serde_json::Value;

use crate::config::binding::FilePlace;
use crate::config::reads::password_fields;
use crate::expression::{Expression, Template};

/// A field may not become public, nor bring dots into a host; nor may one that decides a host change.
pub(super) fn changes_fields(below_all: &Value, place: &FilePlace, value: &Value) -> bool {
    let below = place.find(below_all).unwrap_or(&Value::Null);
    let (was, is) = (password_fields(below), password_fields(value));
    let hosts = host_names(below_all);
    let changes_host = hosts.iter().any(|name| {
        field(below, name) != field(value, name) || set(below, name) != set(value, name)
    });
    !was.is_subset(&is) || changes_host
}

/// Whether an expression of the webhook may look at where the secret itself comes with each request: that of `basic` and
/// `bearer`.
pub(super) fn webhook_token_is_seen(
    trusted_config: &Value,
    place: &FilePlace,
    value: &Value,
) -> bool {
    let key = place.part(1);
    if place.part(0) != "webhook" || !matches!(key, "payload_transform" | "event_id") {
        return false;
    }
    let schemes: Vec<&Value> = match trusted_config.pointer("/webhook/signature_verification") {
        Some(Value::Array(schemes)) => schemes.iter().collect(),
        only => only.into_iter().collect(),
    };
    let mut schemes = schemes.into_iter();
    schemes.any(|scheme| is_token_seen(scheme, value))
}

fn is_token_seen(scheme: &Value, value: &Value) -> bool {
    let format = scheme.get("format").and_then(Value::as_str);
    let format = format.unwrap_or_default().to_ascii_lowercase();
    if format != "basic" && format != "bearer" {
        return false;
    }
    let places = scheme.pointer("/config/compare_with");
    let places = places.map(Value::to_string).unwrap_or_default();
    let roots = [
        ("$body", "body"),
        ("$query", "query"),
        ("$header", "headers"),
    ];
    let named = roots
        .into_iter()
        .filter(|(place, _)| places.contains(place));
    let mut roots: Vec<&str> = named.map(|(_, root)| root).collect();
    if roots.is_empty() {
        roots.push("headers");
    }
    sees(value, &roots)
}

/// Keys below which texts are addresses.
const ADDRESSES: [&str; 6] = [
    "base_url",
    "auth",
    "jwks_url",
    "requestTokenUrl",
    "authorizeUrl",
    "tokenUrl",
];

/// The names that the texts of addresses read.
fn host_names(config: &Value) -> Vec<String> {
    let mut names = Vec::new();
    collect_names(config, false, &mut names);
    names
}

fn collect_names(value: &Value, is_address: bool, names: &mut Vec<String>) {
    match value {
        Value::String(text) if is_address => {
            let template = Template::parse(text);
            for placeholder in template.iter().flat_map(Template::placeholders) {
                let parts = placeholder.paths().flat_map(|path| path.parts().iter());
                names.extend(parts.cloned());
            }
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect_names(item, is_address, names)),
        Value::Object(entries) => {
            for (key, item) in entries {
                let is_address = is_address || ADDRESSES.contains(&key.as_str());
                collect_names(item, is_address, names);
            }
        }
        _ => {}
    }
}

fn field<'v>(fields: &'v Value, name: &str) -> Option<&'v Value> {
    let fields = fields.as_array()?.iter();
    fields
        .rev()
        .find(|field| field.get("name").is_some_and(|own| own == name))
}

/// What the choices of fields fill a name with.
fn set<'v>(fields: &'v Value, name: &str) -> Vec<Option<&'v Value>> {
    let fields = fields.as_array().into_iter().flatten();
    let options = fields.filter_map(|field| field.get("options")?.as_array());
    let sets = options.flatten().filter_map(|option| option.get("set"));
    sets.map(|set| set.get(name)).collect()
}

/// Whether an expression may look at one of these; one that cannot be read may.
pub(super) fn sees(value: &Value, roots: &[&str]) -> bool {
    let source = value.as_str().unwrap_or_default();
    Expression::parse(source).map_or(true, |expression| expression.may_see(roots))
}
