//! A JSON object as the fields of a form, for `form` and `multipart` alike: nested objects are named in brackets
//! (`a[b]`), arrays as `query_array_format` says. `comma` and `repeat` have no names for what an element is made of:
//! elements that are no scalars stay whole there.

use serde_json::Value;

use crate::config::QueryArrayFormat;
use crate::expression::{RenderError, RenderRoom};
use crate::json::exact;

/// What is done with each field: its name, and a value that is not flattened further.
pub type Take<'t, E> = dyn FnMut(&str, &Value) -> Result<(), E> + 't;

/// How an object becomes fields.
pub struct Fields<'f> {
    /// How arrays are named.
    pub arrays: QueryArrayFormat,
    /// Whether an object is one field as a whole.
    pub is_whole: fn(&Value) -> bool,
    /// What the names may take.
    pub room: &'f RenderRoom,
}

impl Fields<'_> {
    /// Takes each field of an object, in order. A null is no field.
    pub fn each<E: From<RenderError>>(
        &self,
        name: &str,
        value: &Value,
        take: &mut Take<'_, E>,
    ) -> Result<(), E> {
        match value {
            Value::Null => Ok(()),
            whole if (self.is_whole)(whole) => take(name, whole),
            Value::Object(fields) => fields
                .iter()
                .try_for_each(|(key, value)| self.within(name, key, value, take)),
            Value::Array(items) => self.items(name, value, items, take),
            scalar => take(name, scalar),
        }
    }

    fn items<E: From<RenderError>>(
        &self,
        name: &str,
        whole: &Value,
        items: &[Value],
        take: &mut Take<'_, E>,
    ) -> Result<(), E> {
        match self.arrays {
            _ if items.iter().all(Value::is_null) => Ok(()),
            QueryArrayFormat::Brackets => items
                .iter()
                .try_for_each(|item| self.within(name, "", item, take)),
            QueryArrayFormat::Indices => items
                .iter()
                .enumerate()
                .try_for_each(|(index, item)| self.within(name, &index.to_string(), item, take)),
            QueryArrayFormat::Comma if items.iter().all(is_scalar) => take(name, whole),
            QueryArrayFormat::Comma | QueryArrayFormat::Repeat => items
                .iter()
                .filter(|item| !item.is_null())
                .try_for_each(|item| take(name, item)),
        }
    }

    /// The name of the whole is written with each of its parts.
    fn within<E: From<RenderError>>(
        &self,
        name: &str,
        key: &str,
        value: &Value,
        take: &mut Take<'_, E>,
    ) -> Result<(), E> {
        self.room.take(name.len() + key.len(), "body")?;
        self.each(&format!("{name}[{key}]"), value, take)
    }
}

/// A value, a part of an [`exact::Exact`], as a form writes it; `None` for null.
pub fn text(value: &Value) -> Option<String> {
    (!value.is_null()).then(|| exact::text(value).into_owned())
}

fn is_scalar(value: &Value) -> bool {
    !matches!(value, Value::Array(_) | Value::Object(_))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn flat(value: &Value, arrays: QueryArrayFormat) -> Vec<String> {
        let room = RenderRoom::body();
        let fields = Fields {
            arrays,
            is_whole: |value| value.get("whole").is_some(),
            room: &room,
        };
        let mut all = Vec::new();
        let mut take = |name: &str, value: &Value| -> Result<(), RenderError> {
            all.push(format!("{name}={value}"));
            Ok(())
        };
        fields.each("f", value, &mut take).unwrap();
        all
    }

    #[test]
    fn arrays_are_named_as_the_format_says() {
        use QueryArrayFormat as F;
        let value = json!({ "a": [1, null, "x"], "b": [{ "c": 1, "d": [2] }] });
        for (format, expected) in [
            (
                F::Brackets,
                vec!["f[a][]=1", "f[a][]=\"x\"", "f[b][][c]=1", "f[b][][d][]=2"],
            ),
            (
                F::Indices,
                vec![
                    "f[a][0]=1",
                    "f[a][2]=\"x\"",
                    "f[b][0][c]=1",
                    "f[b][0][d][0]=2",
                ],
            ),
            (
                F::Repeat,
                vec!["f[a]=1", "f[a]=\"x\"", "f[b]={\"c\":1,\"d\":[2]}"],
            ),
            (
                F::Comma,
                vec!["f[a]=[1,null,\"x\"]", "f[b]={\"c\":1,\"d\":[2]}"],
            ),
        ] {
            assert_eq!(flat(&value, format), expected, "{format:?}");
        }
    }

    #[test]
    fn nulls_are_no_fields_and_what_is_whole_stays_so() {
        let value =
            json!({ "a": null, "b": {}, "c": [], "d": { "whole": 1 }, "e": [{ "whole": 2 }] });
        assert_eq!(
            flat(&value, QueryArrayFormat::Indices),
            ["f[d]={\"whole\":1}", "f[e][0]={\"whole\":2}"]
        );
    }
}
