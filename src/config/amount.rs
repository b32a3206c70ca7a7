//! What a file may be before it is read: its nesting, and how much there is
//! to compile. A placeholder of five bytes takes some hundred when compiled.

use serde_json::Value;

use super::Finding;

/// Levels of nesting a file may have.
pub(super) const MAX_DEPTH: usize = 64;
/// Placeholders and their alternatives a file may have: `}}` and `|` in all
/// of its texts. The largest we ship has a hundred.
pub(super) const MAX_PLACEHOLDERS: usize = 10_000;

/// Values a file may have, objects and lists counted. The largest we ship has
/// less than a thousand.
pub(super) const MAX_VALUES: usize = 80_000;
/// Bytes of a key. Findings name keys, and there may be many below one.
pub(super) const LONGEST_KEY: usize = 1_000;

/// What is wrong with the amount of what is at `at`.
pub(super) fn too_much(value: &Value, at: &str) -> Option<Finding> {
    if is_too_deep(value, MAX_DEPTH) {
        let text = format!("nested deeper than {MAX_DEPTH} levels");
        return Some(Finding::error(at, text));
    }
    if values(value) > MAX_VALUES {
        let text = format!("more than {MAX_VALUES} values, objects and lists counted");
        return Some(Finding::error(at, text));
    }
    if has_long_key(value) {
        let text = format!("a key is longer than {LONGEST_KEY} bytes");
        return Some(Finding::error(at, text));
    }
    (placeholders(value) > MAX_PLACEHOLDERS).then(|| {
        let text = format!(
            "more than {MAX_PLACEHOLDERS} placeholders, alternatives counted (`}}}}`, `|`)"
        );
        Finding::error(at, text)
    })
}

/// Whether anything lies deeper than `levels`; looks no deeper itself.
pub(super) fn is_too_deep(value: &Value, levels: usize) -> bool {
    let Some(levels) = levels.checked_sub(1) else {
        return true;
    };
    match value {
        Value::Array(items) => items.iter().any(|item| is_too_deep(item, levels)),
        Value::Object(entries) => entries.values().any(|item| is_too_deep(item, levels)),
        _ => false,
    }
}

fn values(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(values).sum(),
        Value::Object(entries) => entries.values().map(values).sum(),
        _ => 0,
    }
}

fn has_long_key(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_long_key),
        Value::Object(entries) => entries
            .iter()
            .any(|(key, item)| key.len() > LONGEST_KEY || has_long_key(item)),
        _ => false,
    }
}

fn placeholders(value: &Value) -> usize {
    match value {
        Value::String(text) => text.matches("}}").count() + text.matches('|').count(),
        Value::Array(items) => items.iter().map(placeholders).sum(),
        Value::Object(entries) => entries.values().map(placeholders).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{LONGEST_KEY, MAX_PLACEHOLDERS, MAX_VALUES, too_much};

    #[test]
    fn values_are_bounded() {
        let file = |values: usize| json!({"a": vec![1; values - 2]});
        assert_eq!(too_much(&file(MAX_VALUES), ""), None);
        assert!(too_much(&file(MAX_VALUES + 1), "").is_some());
    }

    #[test]
    fn keys_are_bounded() {
        let file = |bytes: usize| json!({"a": [{"k".repeat(bytes): 1}]});
        assert_eq!(too_much(&file(LONGEST_KEY), ""), None);
        assert!(too_much(&file(LONGEST_KEY + 1), "").is_some());
    }

    #[test]
    fn placeholders_and_their_alternatives_are_bounded() {
        for unit in ["{{a}}", "|a"] {
            let half = unit.repeat(MAX_PLACEHOLDERS / 2);
            let file = json!({ "a": [half], "b": half });
            assert_eq!(too_much(&file, ""), None, "{unit}");
            let more = json!({ "a": file, "b": unit });
            assert!(too_much(&more, "").is_some(), "{unit}");
        }
    }
}
