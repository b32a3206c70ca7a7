//! JSON as a form body (`application/x-www-form-urlencoded`, WHATWG URL §5): nested objects in brackets.

use serde_json::Value;

use super::query::write_value;
use crate::config::QueryArrayFormat;

/// The form of an object; `None` for anything else.
pub fn encode(value: &Value, arrays: QueryArrayFormat) -> Option<String> {
    let mut pairs = Vec::new();
    for (name, value) in value.as_object()? {
        add(name, value, arrays, &mut pairs);
    }
    Some(pairs.join("&"))
}

fn add(name: &str, value: &Value, arrays: QueryArrayFormat, pairs: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                add(&format!("{name}[{key}]"), value, arrays, pairs);
            }
        }
        other => pairs.extend(write_value(name, other, arrays)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_nest_in_brackets() {
        let value =
            json!({ "a": "x y", "b": { "c": 1, "d": { "e": true } }, "f": [1, 2], "g": null });
        let form = encode(&value, QueryArrayFormat::Brackets).unwrap();
        assert_eq!(form, "a=x%20y&b%5Bc%5D=1&b%5Bd%5D%5Be%5D=true&f[]=1&f[]=2");
        assert_eq!(encode(&json!([1]), QueryArrayFormat::Comma), None);
    }
}
