//! The query of an outgoing request: the file's defaults, then the caller's own, which win by name.
//!
//! What the caller wrote goes on as it was written, unless the file names a `query_array_format`: then
//! the caller's arrays (`a=1&a=2`, `a[]=1`, `a[0]=1`) are written in that format.

mod nesting;

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::body::BodySource;
use crate::config::QueryArrayFormat;
use crate::media::percent_encoded;

/// The parameters that say whether the caller's body goes as it is. They are ours and not forwarded.
pub const PASSTHROUGH: [&str; 2] = ["truto_body_passthrough", "body_passthrough"];

/// Which body a raw query asks for: `None` where it says neither true nor false.
pub fn body_source(raw: &str) -> Option<BodySource> {
    let mut source = BodySource::Method;
    for pair in raw.split('&').map(read_pair) {
        let is_own = PASSTHROUGH.contains(&pair.name.as_str()) && !pair.is_bracketed;
        match pair.value.as_str() {
            _ if !is_own => {}
            "true" => source = BodySource::Caller,
            "false" => {}
            _ => return None,
        }
    }
    Some(source)
}

/// The query a caller sent, without the parameters that are ours.
#[derive(Debug, Default)]
pub struct CallerQuery {
    pairs: Vec<Pair>,
}

#[derive(Debug, Clone)]
struct Pair {
    /// Decoded, without brackets.
    name: String,
    is_bracketed: bool,
    value: String,
    /// As it was written.
    raw: String,
}

impl Pair {
    /// The name before the brackets of a nested value.
    fn root(&self) -> Option<&str> {
        let keys = nesting::keys(&self.name);
        keys.first().copied()
    }
}

impl CallerQuery {
    /// Reads a raw query, leaving out the names in `ours`.
    pub fn read(raw: &str, ours: &[&str]) -> Self {
        let pairs = raw
            .split('&')
            .filter(|piece| !piece.is_empty())
            .map(read_pair);
        Self {
            pairs: pairs
                .filter(|pair| pair.is_bracketed || !ours.contains(&pair.name.as_str()))
                .collect(),
        }
    }

    /// The root `query` of placeholders: strings, and arrays and objects of them.
    pub fn to_value(&self) -> Value {
        let is_nested = |pair: &&Pair| pair.root().is_some();
        let (nested, plain): (Vec<&Pair>, Vec<&Pair>) = self.pairs.iter().partition(is_nested);
        let mut object = grouped(plain);
        for pair in nested {
            let (name, _) = decoded(&pair.raw);
            if !nesting::insert(&mut object, &nesting::keys(&name), &pair.value) {
                object.insert(pair.name.clone(), Value::String(pair.value.clone()));
            }
        }
        Value::Object(object)
    }

    /// The values by name, as they are written: strings and arrays of strings.
    pub fn by_name(&self) -> Map<String, Value> {
        grouped(&self.pairs)
    }

    /// The same without the parameters of these names.
    #[must_use]
    pub fn without(&self, names: &BTreeSet<String>) -> Self {
        let is_out = |name: &str| names.contains(name);
        let kept = self.pairs.iter();
        let kept = kept.filter(|pair| !is_out(&pair.name) && !pair.root().is_some_and(is_out));
        Self {
            pairs: kept.cloned().collect(),
        }
    }

    /// The same without the parameters whose name, decoded and with its brackets, `is_out` names.
    #[must_use]
    pub fn leaving_out(&self, is_out: &dyn Fn(&str) -> bool) -> Self {
        let kept = self
            .pairs
            .iter()
            .filter(|pair| !is_any(&pair.raw, &|name, _| is_out(name)));
        Self {
            pairs: kept.cloned().collect(),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.pairs.iter().any(|pair| pair.name == name)
    }

    fn write(&self, format: Option<QueryArrayFormat>) -> Vec<String> {
        let Some(format) = format else {
            return self.pairs.iter().map(|pair| pair.raw.clone()).collect();
        };
        self.by_name()
            .iter()
            .flat_map(|(name, value)| write_value(name, value, format))
            .collect()
    }
}

/// The values of parameters of one name together.
fn grouped<'a>(pairs: impl IntoIterator<Item = &'a Pair>) -> Map<String, Value> {
    let mut object = Map::new();
    for pair in pairs {
        let value = Value::String(pair.value.clone());
        match object.get_mut(&pair.name) {
            None if pair.is_bracketed => {
                drop(object.insert(pair.name.clone(), Value::Array(vec![value])));
            }
            None => drop(object.insert(pair.name.clone(), value)),
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    object
}

/// A raw query without the parameters that `is_out` says by name, decoded and with its brackets, and value.
pub fn without_pairs(query: &str, is_out: &dyn Fn(&str, &str) -> bool) -> String {
    let kept = query.split('&').filter(|pair| !is_any(pair, is_out));
    kept.collect::<Vec<_>>().join("&")
}

/// Some servers part parameters at semicolons, too (HTML 4.01, B.2.2).
fn is_any(raw: &str, is_out: &dyn Fn(&str, &str) -> bool) -> bool {
    let mut pieces = raw.split(';');
    pieces.any(|piece| {
        let pair = form_urlencoded::parse(piece.as_bytes()).next();
        pair.is_some_and(|(name, value)| is_out(&name, &value))
    })
}

/// The whole query: `defaults` (name → value, rendered), then the caller's.
pub fn compose(
    defaults: &[(String, Value)],
    caller: &CallerQuery,
    format: Option<QueryArrayFormat>,
) -> String {
    let kept = defaults.iter().filter(|(name, _)| !caller.has(name));
    let ours = kept.flat_map(|(name, value)| {
        write_value(name, value, format.unwrap_or(QueryArrayFormat::Repeat))
    });
    ours.chain(caller.write(format))
        .collect::<Vec<_>>()
        .join("&")
}

/// One parameter in the format for arrays. An object is written as JSON; null and an empty array as nothing.
pub fn write_value(name: &str, value: &Value, format: QueryArrayFormat) -> Vec<String> {
    let Value::Array(items) = value else {
        return scalar(value)
            .map(|text| pair(name, &text))
            .into_iter()
            .collect();
    };
    let items: Vec<String> = items.iter().filter_map(scalar).collect();
    match format {
        _ if items.is_empty() => Vec::new(),
        QueryArrayFormat::Comma => {
            let encoded: Vec<String> = items.iter().map(|item| encode(item)).collect();
            vec![format!("{}={}", encode(name), encoded.join(","))]
        }
        QueryArrayFormat::Brackets => items
            .iter()
            .map(|item| format!("{}[]={}", encode(name), encode(item)))
            .collect(),
        QueryArrayFormat::Indices => items
            .iter()
            .enumerate()
            .map(|(index, item)| format!("{}[{index}]={}", encode(name), encode(item)))
            .collect(),
        QueryArrayFormat::Repeat => items.iter().map(|item| pair(name, item)).collect(),
    }
}

fn pair(name: &str, value: &str) -> String {
    format!("{}={}", encode(name), encode(value))
}

fn encode(text: &str) -> String {
    percent_encoded(text.as_bytes())
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// The name with its brackets, and the value.
fn decoded(raw: &str) -> (Cow<'_, str>, Cow<'_, str>) {
    let mut pairs = form_urlencoded::parse(raw.as_bytes());
    pairs.next().unwrap_or_default()
}

fn read_pair(raw: &str) -> Pair {
    let (name, value) = decoded(raw);
    let bare = name
        .strip_suffix(']')
        .and_then(|name| name.rsplit_once('['));
    let bare =
        bare.filter(|(bare, index)| !bare.is_empty() && index.bytes().all(|b| b.is_ascii_digit()));
    Pair {
        name: bare.map_or(name.as_ref(), |(bare, _)| bare).to_owned(),
        is_bracketed: bare.is_some(),
        value: value.into_owned(),
        raw: raw.to_owned(),
    }
}

#[cfg(test)]
mod tests;
