//! The patch between two values, by the one merge rule.

use serde_json::{Map, Value};

/// The patch that makes `new` of `old` when it is merged ([`super::merge`]); `None` when there is nothing to
/// change. What the rule cannot say is left out: a `null` inside an object becomes a removed key.
///
/// The recursion is as deep as both values are alike.
pub fn diff(old: &Value, new: &Value) -> Option<Value> {
    let (Value::Object(before), Value::Object(after)) = (old, new) else {
        return (old != new).then(|| new.clone());
    };
    let gone = before
        .keys()
        .filter(|key| !after.contains_key(*key))
        .map(|key| (key.clone(), Value::Null));
    let changed = after.iter().filter_map(|(key, new)| match before.get(key) {
        None => Some((key.clone(), new.clone())),
        Some(old) => Some((key.clone(), diff(old, new)?)),
    });
    let patch: Map<String, Value> = gone.chain(changed).collect();
    (!patch.is_empty()).then_some(Value::Object(patch))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::json::merge;

    #[test]
    fn merging_the_patch_gives_the_new_value() {
        for (old, new, patch) in [
            (json!({ "a": 1 }), json!({ "a": 1 }), None),
            (
                json!({ "a": 1, "b": 2 }),
                json!({ "b": 3 }),
                Some(json!({ "a": null, "b": 3 })),
            ),
            (
                json!({ "a": { "x": 1, "y": { "z": 1 } } }),
                json!({ "a": { "y": { "z": 2 } }, "n": [1] }),
                Some(json!({ "a": { "x": null, "y": { "z": 2 } }, "n": [1] })),
            ),
            (
                json!({ "a": [1, 2] }),
                json!({ "a": [2] }),
                Some(json!({ "a": [2] })),
            ),
            (
                json!({ "a": {} }),
                json!({ "a": 1 }),
                Some(json!({ "a": 1 })),
            ),
            (
                json!({ "a": 1 }),
                json!({ "a": {} }),
                Some(json!({ "a": {} })),
            ),
            (json!(1), json!(2), Some(json!(2))),
        ] {
            assert_eq!(diff(&old, &new), patch, "{old} {new}");
            let mut merged = old;
            if let Some(patch) = &patch {
                merge(&mut merged, patch);
            }
            assert_eq!(merged, new);
        }
    }

    #[test]
    fn it_changes_nothing_else() {
        let patch = diff(&json!({ "a": { "x": 1 } }), &json!({ "a": { "x": 2 } })).unwrap();
        let mut changed = json!({ "a": { "x": 1, "theirs": true }, "b": 1 });
        merge(&mut changed, &patch);
        assert_eq!(changed, json!({ "a": { "x": 2, "theirs": true }, "b": 1 }));
    }
}
