//! A dotted path such as `data.items.0.id`. Wildcards and filters are
//! JSONata's business, not a path's.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// Why a text is not a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// `a..b`, `.a` or `a.`
    #[error("the path `{0}` has an empty part between its dots")]
    EmptyPart(String),
}

/// A dotted path, parsed once. Numbers index arrays; on an object they are
/// ordinary keys. The empty path is the root.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Path {
    parts: Vec<String>,
}

impl Path {
    /// The parts between the dots, in order.
    pub fn parts(&self) -> &[String] {
        &self.parts
    }

    /// The first part, absent for the root.
    pub fn first(&self) -> Option<&str> {
        self.parts.first().map(String::as_str)
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.parts.is_empty()
    }

    /// The value at this path. A `null` in between, a missing key and an index
    /// past the end are all `None`.
    pub fn lookup<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        lookup(&self.parts, value)
    }

    /// As [`Path::lookup`], starting below the first part.
    pub fn lookup_rest<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        lookup(self.parts.get(1..).unwrap_or_default(), value)
    }
}

fn lookup<'v>(parts: &[String], value: &'v Value) -> Option<&'v Value> {
    parts.iter().try_fold(value, |value, part| match value {
        Value::Object(map) => map.get(part),
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        _ => None,
    })
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Self::default());
        }
        let parts: Vec<String> = text.split('.').map(|part| part.trim().to_owned()).collect();
        if parts.iter().any(String::is_empty) {
            return Err(PathError::EmptyPart(text.to_owned()));
        }
        Ok(Self { parts })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.parts.join("."))
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl Serialize for Path {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        output.collect_str(self)
    }
}

impl JsonSchema for Path {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Path".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A dotted path into JSON, such as `data.items.0.id`; the empty string is the root.",
            "examples": ["data.items", "paging.next.after"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Path;
    use serde_json::json;

    #[test]
    fn a_path_walks_objects_and_arrays() {
        let value = json!({"a": {"b": [{"c": 1}, null]}, "0": "zero"});
        let table = [
            ("", Some(value.clone())),
            ("a.b.0.c", Some(json!(1))),
            (" a . b ", Some(json!([{"c": 1}, null]))),
            ("a.b.1", Some(json!(null))),
            ("a.b.1.c", None),
            ("a.b.9", None),
            ("a.b.-1", None),
            ("0", Some(json!("zero"))),
            ("a.x", None),
        ];
        for (text, expected) in table {
            let path: Path = text.parse().unwrap();
            assert_eq!(path.lookup(&value).cloned(), expected, "{text}");
        }
    }

    #[test]
    fn an_empty_part_is_refused() {
        for text in [".a", "a.", "a..b", "."] {
            assert!(text.parse::<Path>().is_err(), "{text}");
        }
    }
}
