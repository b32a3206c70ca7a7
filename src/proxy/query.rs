//! The query of an outgoing request: the file's defaults, then the caller's own, which win by name.
//!
//! What the caller wrote goes on as it was written, unless the file names a `query_array_format`: then
//! the caller's arrays (`a=1&a=2`, `a[]=1`, `a[0]=1`) are written in that format.

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

    /// The root `query` of placeholders: strings, and arrays of strings.
    pub fn to_value(&self) -> Value {
        let mut object = Map::new();
        for pair in &self.pairs {
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
        Value::Object(object)
    }

    /// The same without the parameters of these names.
    #[must_use]
    pub fn without(&self, names: &BTreeSet<String>) -> Self {
        let kept = self.pairs.iter().filter(|pair| !names.contains(&pair.name));
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
        let Value::Object(grouped) = self.to_value() else {
            return Vec::new();
        };
        grouped
            .iter()
            .flat_map(|(name, value)| write_value(name, value, format))
            .collect()
    }
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

fn read_pair(raw: &str) -> Pair {
    let (name, value) = form_urlencoded::parse(raw.as_bytes())
        .next()
        .unwrap_or_default();
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
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_callers_words_go_on_as_they_were_written() {
        let query = CallerQuery::read(
            "q=a+b%2Cc&integrated_account_id=1&limit=5&x[]=1&x[]=2&flag",
            &["integrated_account_id", "limit"],
        );
        assert_eq!(compose(&[], &query, None), "q=a+b%2Cc&x[]=1&x[]=2&flag");
        assert_eq!(
            query.to_value(),
            json!({ "q": "a b,c", "x": ["1", "2"], "flag": "" })
        );
    }

    #[test]
    fn a_query_says_whose_body_it_is() {
        use BodySource::{Caller, Method};
        for (raw, expected) in [
            ("", Some(Method)),
            ("a=true", Some(Method)),
            ("truto_body_passthrough=true", Some(Caller)),
            ("a=1&body_passthrough=true", Some(Caller)),
            ("body_passthrough=false", Some(Method)),
            (
                "body_passthrough=false&truto%5Fbody_passthrough=true",
                Some(Caller),
            ),
            ("body_passthrough", None),
            ("body_passthrough=1", None),
            ("body_passthrough[]=1", Some(Method)),
        ] {
            assert_eq!(body_source(raw), expected, "{raw}");
        }
    }

    #[test]
    fn arrays_are_written_in_the_format_of_the_file() {
        use QueryArrayFormat as F;
        for (format, expected) in [
            (F::Comma, "a=1,2&b=x"),
            (F::Brackets, "a[]=1&a[]=2&b=x"),
            (F::Indices, "a[0]=1&a[1]=2&b=x"),
            (F::Repeat, "a=1&a=2&b=x"),
        ] {
            for written in ["a=1&a=2&b=x", "a[]=1&a[]=2&b=x", "a[0]=1&a[1]=2&b=x"] {
                assert_eq!(
                    compose(&[], &CallerQuery::read(written, &[]), Some(format)),
                    expected,
                    "{written}"
                );
            }
        }
    }

    #[test]
    fn the_caller_wins_over_a_default_of_the_same_name() {
        let defaults = [
            ("per_page".to_owned(), json!(50)),
            ("sort".to_owned(), json!("a&b")),
            ("none".to_owned(), Value::Null),
        ];
        let query = CallerQuery::read("per_page=7", &[]);
        assert_eq!(compose(&defaults, &query, None), "sort=a%26b&per_page=7");
    }

    #[test]
    fn an_empty_query_is_empty() {
        assert_eq!(
            compose(
                &[],
                &CallerQuery::read("", &[]),
                Some(QueryArrayFormat::Comma)
            ),
            ""
        );
    }
}
