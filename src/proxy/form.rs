//! JSON as a form body (`application/x-www-form-urlencoded`, WHATWG URL §5): nested objects in brackets.

use serde_json::Value;

use super::query::write_value;
use crate::config::QueryArrayFormat;
use crate::expression::{RenderError, Room};

/// The form of an object; `None` for anything else. It has the room of a body.
pub fn encode(value: &Value, arrays: QueryArrayFormat) -> Result<Option<String>, RenderError> {
    let Some(fields) = value.as_object() else {
        return Ok(None);
    };
    let (room, mut pairs) = (Room::body(), Vec::new());
    for (name, value) in fields {
        add(name, value, arrays, &room, &mut pairs)?;
    }
    Ok(Some(pairs.join("&")))
}

fn add(
    name: &str,
    value: &Value,
    arrays: QueryArrayFormat,
    room: &Room,
    pairs: &mut Vec<String>,
) -> Result<(), RenderError> {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                // The name of the whole is written with each of its parts.
                room.take(name.len() + key.len(), "body")?;
                add(&format!("{name}[{key}]"), value, arrays, room, pairs)?;
            }
        }
        other => {
            room.take_name(name, other)?;
            let written = write_value(name, other, arrays);
            room.take(written.iter().map(String::len).sum(), "body")?;
            pairs.extend(written);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_nest_in_brackets() {
        let value =
            json!({ "a": "x y", "b": { "c": 1, "d": { "e": true } }, "f": [1, 2], "g": null });
        let form = encode(&value, QueryArrayFormat::Brackets).unwrap().unwrap();
        assert_eq!(form, "a=x%20y&b%5Bc%5D=1&b%5Bd%5D%5Be%5D=true&f[]=1&f[]=2");
        assert_eq!(encode(&json!([1]), QueryArrayFormat::Comma), Ok(None));
    }

    #[test]
    fn a_form_has_the_room_of_a_body_and_counts_each_name() {
        let flat =
            |bytes: usize| encode(&json!({ "a": "x".repeat(bytes) }), QueryArrayFormat::Comma);
        assert!(flat(8 * 1024 * 1024 - 6).is_ok());
        assert!(flat(8 * 1024 * 1024).is_err());
        assert!(flat(4 * 1024 * 1024).is_ok());
        let spaces = json!({ "a": " ".repeat(3 * 1024 * 1024) });
        assert!(encode(&spaces, QueryArrayFormat::Comma).is_err());
        let long = "n".repeat(100_000);
        let empty: serde_json::Map<_, _> = (0..1000).map(|n| (n.to_string(), json!({}))).collect();
        for inner in [json!(vec![1; 1000]), serde_json::Value::Object(empty)] {
            let value = json!({ &long: inner });
            assert!(encode(&value, QueryArrayFormat::Repeat).is_err());
        }
    }
}
