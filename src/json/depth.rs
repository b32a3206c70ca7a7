//! How deep a value nests.

use serde_json::Value;

use super::scan;

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

/// The same of JSON that is still a text.
pub fn is_text_deeper(text: &str, levels: usize) -> bool {
    let (mut depth, mut at) = (0_usize, 0);
    let is_bracket = |byte| matches!(byte, b'[' | b'{' | b']' | b'}');
    while let Some(bracket) = scan::next(text.as_bytes(), at, is_bracket) {
        at = bracket.end;
        if text
            .get(bracket)
            .is_some_and(|bracket| matches!(bracket, "[" | "{"))
        {
            depth += 1;
        } else {
            depth = depth.saturating_sub(1);
        }
        if depth > levels {
            return true;
        }
    }
    false
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
        for text in [
            value.to_string(),
            r#"["[[[\"{{", [{"]": 1}], []]"#.to_owned(),
        ] {
            assert!(!is_text_deeper(&text, 3), "{text}");
            assert!(is_text_deeper(&text, 2), "{text}");
        }
    }
}
