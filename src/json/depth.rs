//! How deep a value nests.

use serde_json::Value;

/// Whether `value` nests deeper than `levels`. Looks no deeper than that itself.
pub fn is_deeper(value: &Value, levels: usize) -> bool {
    let Some(left) = levels.checked_sub(1) else {
        return matches!(value, Value::Array(_) | Value::Object(_));
    };
    match value {
        Value::Array(items) => items.iter().any(|item| is_deeper(item, left)),
        Value::Object(fields) => fields.values().any(|field| is_deeper(field, left)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_limit_itself_is_not_deeper() {
        let value = json!({ "a": [{ "b": 1 }] });
        assert!(!is_deeper(&value, 3));
        assert!(is_deeper(&value, 2));
        assert!(!is_deeper(&json!(1), 0));
    }
}
