//! Where a record has its id.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde_json::Value;

use crate::json::Path;

/// One path, or several that make one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordId(Vec<Path>);

/// Paths of one key.
const MOST_PATHS: usize = 8;
/// Bytes of an id.
const LONGEST: usize = 512;

impl RecordId {
    /// The id of the record that has these values at its paths: texts and numbers, joined by `:`; `%` and `:` in one of
    /// several are `%25` and `%3A`. `None` where one is missing, or is neither, or the id is longer than 512 bytes.
    pub fn of<'v>(&self, at: &dyn Fn(&Path) -> Option<Cow<'v, Value>>) -> Option<String> {
        let parts = self.0.iter().map(|path| match &*at(path)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        });
        let parts: Vec<String> = parts.collect::<Option<_>>()?;
        let id = match parts.as_slice() {
            [only] => only.clone(),
            several => {
                let escaped = several.iter();
                let escaped = escaped.map(|part| part.replace('%', "%25").replace(':', "%3A"));
                escaped.collect::<Vec<_>>().join(":")
            }
        };
        (id.len() <= LONGEST).then_some(id)
    }

    fn read<E: Error>(paths: Vec<Path>) -> Result<Self, E> {
        if paths.is_empty() || paths.len() > MOST_PATHS || paths.iter().any(Path::is_root) {
            let text = format!("the path of an id, or a list of 1 to {MOST_PATHS} paths");
            return Err(E::custom(text));
        }
        Ok(Self(paths))
    }
}

impl<'de> Deserialize<'de> for RecordId {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(RecordIdVisitor)
    }
}

struct RecordIdVisitor;

impl<'de> Visitor<'de> for RecordIdVisitor {
    type Value = RecordId;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("a path, or a list of paths")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<RecordId, E> {
        RecordId::read(vec![text.parse().map_err(E::custom)?])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<RecordId, A::Error> {
        let mut paths = Vec::new();
        while let Some(path) = items.next_element::<Path>()? {
            paths.push(path);
        }
        RecordId::read(paths)
    }
}

impl JsonSchema for RecordId {
    fn schema_name() -> Cow<'static, str> {
        "RecordId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let path = json_schema!({"type": "string", "minLength": 1});
        json_schema!({"anyOf": [path, {"type": "array", "items": path, "minItems": 1, "maxItems": MOST_PATHS}]})
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, RecordId};
    use serde_json::{Value, json};
    use std::borrow::Cow;

    fn id(paths: &Value, record: &Value) -> Option<String> {
        crate::json::typed::read::<RecordId>(paths)
            .unwrap()
            .of(&|path| path.lookup(record).map(Cow::Borrowed))
    }

    #[test]
    fn texts_and_numbers_make_an_id() {
        for (paths, record, expected) in [
            (json!("id"), json!({"id": "a:b%"}), Some("a:b%")),
            (json!("a.id"), json!({"a": {"id": 7}}), Some("7")),
            (
                json!(["a", "b"]),
                json!({"a": "x:y", "b": 1}),
                Some("x%3Ay:1"),
            ),
            (
                json!(["a", "b"]),
                json!({"a": "x", "b": "y:1"}),
                Some("x:y%3A1"),
            ),
            (
                json!(["a", "b"]),
                json!({"a": "x%3A", "b": "1"}),
                Some("x%253A:1"),
            ),
            (json!(["a", "b"]), json!({"a": "x"}), None),
            (json!("id"), json!({"id": null}), None),
            (json!("id"), json!({"id": ""}), None),
            (json!("id"), json!({"id": {}}), None),
            (json!("id"), json!("id"), None),
        ] {
            assert_eq!(id(&paths, &record).as_deref(), expected, "{paths} {record}");
        }
        let long = |bytes: usize| id(&json!("id"), &json!({ "id": "x".repeat(bytes) }));
        assert!(long(LONGEST).is_some() && long(LONGEST + 1).is_none());
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for paths in [
            json!(""),
            json!([]),
            json!([""]),
            json!(1),
            json!(["a", 1]),
            json!("a..b"),
            json!(vec!["a"; 9]),
        ] {
            assert!(
                serde_json::from_value::<RecordId>(paths.clone()).is_err(),
                "{paths}"
            );
        }
    }
}
