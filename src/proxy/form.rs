//! JSON as a form body (`application/x-www-form-urlencoded`, WHATWG URL §5).

use serde_json::Value;

use super::fields::{Fields, text};
use super::query::write_value;
use crate::config::QueryArrayFormat;
use crate::expression::{RenderError, RenderRoom};
use crate::json::Exact;

/// The form of an object; `None` for anything else. It has the room of a body.
pub fn encode(value: &Exact, arrays: QueryArrayFormat) -> Result<Option<String>, RenderError> {
    let Some(object) = value.inside().as_object() else {
        return Ok(None);
    };
    let (room, mut pairs) = (RenderRoom::body(), Vec::new());
    let fields = Fields {
        arrays,
        is_whole: |_| false,
        room: &room,
    };
    let mut take = |name: &str, value: &Value| -> Result<(), RenderError> {
        room.take_name(name, value)?;
        // An array that is still whole is one of scalars, to be written in one.
        let written = write_value(name, &texts(value), QueryArrayFormat::Comma);
        room.take(written.iter().map(String::len).sum(), "body")?;
        pairs.extend(written);
        Ok(())
    };
    for (name, value) in object {
        fields.each(name, value, &mut take)?;
    }
    Ok(Some(pairs.join("&")))
}

/// What is in a field, as texts.
fn texts(inside: &Value) -> Value {
    match inside {
        Value::Array(items) => items.iter().map(texts).collect(),
        other => text(other).map_or(Value::Null, Value::String),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_nest_in_brackets_and_arrays_follow_their_format() {
        use QueryArrayFormat as F;
        let value = json!({ "a": "x y", "b": { "c": 1, "d": { "e": true } }, "f": [1, "2,3"], "g": null, "h": [{ "i": 1 }] });
        for (format, rest) in [
            (F::Brackets, "f%5B%5D=1&f%5B%5D=2%2C3&h%5B%5D%5Bi%5D=1"),
            (F::Indices, "f%5B0%5D=1&f%5B1%5D=2%2C3&h%5B0%5D%5Bi%5D=1"),
            (F::Repeat, "f=1&f=2%2C3&h=%7B%22i%22%3A1%7D"),
            (F::Comma, "f=1,2%2C3&h=%7B%22i%22%3A1%7D"),
        ] {
            assert_eq!(
                encode(&value.clone().into(), format).unwrap().unwrap(),
                format!("a=x%20y&b%5Bc%5D=1&b%5Bd%5D%5Be%5D=true&{rest}"),
                "{format:?}"
            );
        }
        assert_eq!(
            encode(&json!([1]).into(), QueryArrayFormat::Comma),
            Ok(None)
        );
    }

    #[test]
    fn a_form_has_the_room_of_a_body_and_counts_each_name() {
        let flat = |bytes: usize| {
            encode(
                &json!({ "a": "x".repeat(bytes) }).into(),
                QueryArrayFormat::Comma,
            )
        };
        assert!(flat(8 * 1024 * 1024 - 6).is_ok());
        assert!(flat(8 * 1024 * 1024).is_err());
        assert!(flat(4 * 1024 * 1024).is_ok());
        let spaces = json!({ "a": " ".repeat(3 * 1024 * 1024) });
        assert!(encode(&spaces.into(), QueryArrayFormat::Comma).is_err());
        let long = "n".repeat(100_000);
        let empty: serde_json::Map<_, _> = (0..1000).map(|n| (n.to_string(), json!({}))).collect();
        for inner in [json!(vec![1; 1000]), serde_json::Value::Object(empty)] {
            let value = json!({ &long: inner });
            for format in [QueryArrayFormat::Repeat, QueryArrayFormat::Indices] {
                assert!(encode(&value.clone().into(), format).is_err());
            }
        }
    }
}
