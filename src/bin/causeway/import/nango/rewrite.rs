//! `A || B` where B is A without one label of the host: `https://api.${region}.example.com || https://api.example.com`.
//! The listed values of the field take a neighbouring label in, so that one text says both.

use std::collections::BTreeMap;

use serde_json::Value;

use super::definition::Definition;
use super::hosts::{config_key, urls};
use super::interpolation::{Interpolation, Piece};
use super::template::between;

/// How the values of a field are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite {
    pub before: String,
    pub after: String,
    /// The value where the customer chooses none.
    pub default: String,
}

impl Rewrite {
    pub fn value(&self, value: &str) -> String {
        format!("{}{value}{}", self.before, self.after)
    }
}

/// A URL in which a rewritten value takes more than its own place.
#[derive(Debug, PartialEq, Eq)]
pub struct RewrittenUrl {
    pub key: String,
    pub start: String,
    pub end: String,
    pub rewrite: Rewrite,
}

/// The fields whose URLs agree on how their values are written.
pub fn of(definition: &Definition) -> BTreeMap<String, Rewrite> {
    let mut found: BTreeMap<String, Option<Rewrite>> = BTreeMap::new();
    for url in urls(definition) {
        let Some(url) = rewritten(url).filter(|url| has_list(definition, &url.key)) else {
            continue;
        };
        let own = Some(url.rewrite);
        let entry = found.entry(url.key).or_insert_with(|| own.clone());
        if *entry != own {
            *entry = None;
        }
    }
    let agreed = found.into_iter();
    agreed
        .filter_map(|(key, rewrite)| Some((key, rewrite?)))
        .filter(|(key, _)| is_only_there(definition, key))
        .collect()
}

fn has_list(definition: &Definition, key: &str) -> bool {
    let config = definition.object("connection_config");
    let declared = config.and_then(|config| config.get(key));
    declared.is_some_and(|one| one.get("enum").is_some())
}

/// Whether every text that reads a field is a URL of this form.
fn is_only_there(definition: &Definition, key: &str) -> bool {
    let texts = definition.texts().into_iter();
    texts
        .filter(|text| {
            let text = Interpolation::parse(text);
            text.paths()
                .into_iter()
                .any(|path| config_key(path) == Some(key))
        })
        .all(|text| rewritten(text).is_some_and(|url| url.key == key))
}

/// A URL of this form at its parts.
pub fn rewritten(text: &str) -> Option<RewrittenUrl> {
    let text = Interpolation::parse(text);
    let [left, right] = text.alternatives.as_slice() else {
        return None;
    };
    if between(left, right).is_some() {
        return None;
    }
    let ([Piece::Text(front), Piece::Value(path), Piece::Text(back)], [Piece::Text(literal)]) =
        (left.as_slice(), right.as_slice())
    else {
        return None;
    };
    let start = common_start(front, literal);
    let rest = literal.get(start.len()..)?;
    let end = common_end(back, rest);
    let default = rest.strip_suffix(end.as_str())?;
    let is_label = !default.is_empty() && !default.contains('/');
    is_label.then_some(())?;
    Some(RewrittenUrl {
        key: config_key(path)?.to_owned(),
        rewrite: Rewrite {
            before: front.get(start.len()..)?.to_owned(),
            after: back.strip_suffix(end.as_str())?.to_owned(),
            default: default.to_owned(),
        },
        start,
        end,
    })
}

/// What two texts begin with, to the end of a label.
fn common_start(one: &str, other: &str) -> String {
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b);
    let same: String = same.map(|(c, _)| c).collect();
    let end = same.rfind(['.', '/']).map_or(0, |at| at + 1);
    same.get(..end).unwrap_or_default().to_owned()
}

/// What two texts end with, from a dot, and leaving a label in front of it.
fn common_end(back: &str, rest: &str) -> String {
    let starts = back.match_indices('.').map(|(at, _)| at);
    let ends = starts.filter_map(|at| back.get(at..));
    let mut ends = ends.filter(|end| rest.len() > end.len() && rest.ends_with(end));
    ends.next().unwrap_or_default().to_owned()
}

/// A list of values with the rewritten ones in place.
pub fn options(declared: &Value, rewrite: &Rewrite) -> Vec<(String, String)> {
    let values = declared.get("enum").and_then(Value::as_array);
    let values = values.into_iter().flatten().filter_map(Value::as_str);
    let mut options: Vec<(String, String)> = values
        .map(|value| (value.to_owned(), rewrite.value(value)))
        .collect();
    options.push(("default".to_owned(), rewrite.default.clone()));
    options
}
