//! Names with brackets, as `qs` writes nested values: `created_at[gt]=…`, `filter[ids][0]=…`. Placeholders read
//! `query.created_at.gt`; on the wire the names stay as the caller wrote them.

use serde_json::{Map, Value};

/// More brackets are part of the name (the default of `qs`).
const MOST_KEYS: usize = 5;

/// The keys of `a[b][0]`: `a`, `b`, `0`. Empty where the name is not written so.
pub(super) fn keys(name: &str) -> Vec<&str> {
    let Some((root, rest)) = name.split_once('[') else {
        return Vec::new();
    };
    let Some(rest) = rest.strip_suffix(']').filter(|_| !root.is_empty()) else {
        return Vec::new();
    };
    let keys: Vec<&str> = [root].into_iter().chain(rest.split("][")).collect();
    let is_plain = |key: &&str| !key.contains(['[', ']']);
    if keys.len() > MOST_KEYS + 1 || !keys.iter().all(is_plain) {
        return Vec::new();
    }
    keys
}

/// Puts the value at its place, unless another parameter has it → whether it was put.
pub(super) fn insert(object: &mut Map<String, Value>, keys: &[&str], value: &str) -> bool {
    let Some((root, keys)) = keys.split_first() else {
        return false;
    };
    if !object.contains_key(*root) {
        object.insert((*root).to_owned(), Value::Null);
    }
    let root = object.get_mut(*root);
    root.is_some_and(|root| insert_into(root, keys, value))
}

fn insert_into(at: &mut Value, keys: &[&str], value: &str) -> bool {
    let Some((key, keys)) = keys.split_first() else {
        let is_free = at.is_null();
        if is_free {
            *at = Value::String(value.to_owned());
        }
        return is_free;
    };
    if at.is_null() {
        *at = if is_index(key) {
            Value::Array(Vec::new())
        } else {
            Value::Object(Map::new())
        };
    }
    match at {
        Value::Array(items) if is_index(key) => {
            let known = key.parse::<usize>().ok().filter(|n| *n < items.len());
            if known.is_none() {
                items.push(Value::Null);
            }
            let last = items.len() - 1;
            let item = items.get_mut(known.unwrap_or(last));
            item.is_some_and(|item| insert_into(item, keys, value))
        }
        Value::Object(object) => {
            let item = object.entry((*key).to_owned()).or_insert(Value::Null);
            insert_into(item, keys, value)
        }
        _ => false,
    }
}

fn is_index(key: &str) -> bool {
    key.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_whole_brackets_nest() {
        for (name, expected) in [
            ("a", &[][..]),
            ("a[b]", &["a", "b"]),
            ("a[b][0]", &["a", "b", "0"]),
            ("a[]", &["a", ""]),
            ("[b]", &[]),
            ("a[b", &[]),
            ("a]b[", &[]),
            ("a[b]c[d]", &[]),
            ("a[[b]]", &[]),
            ("a[1][2][3][4][5]", &["a", "1", "2", "3", "4", "5"]),
            ("a[1][2][3][4][5][6]", &[]),
        ] {
            assert_eq!(keys(name), expected, "{name}");
        }
    }

    #[test]
    fn values_are_put_where_the_brackets_say() {
        let mut object = Map::new();
        for (name, value) in [
            ("f[ids][0]", "1"),
            ("f[ids][1]", "2"),
            ("f[ids][]", "3"),
            ("f[by]", "x"),
            ("rows[0][a]", "4"),
            ("rows[0][b]", "5"),
            ("rows[1][a]", "6"),
        ] {
            assert!(insert(&mut object, &keys(name), value), "{name}");
        }
        let expected = json!({
            "f": { "ids": ["1", "2", "3"], "by": "x" },
            "rows": [{ "a": "4", "b": "5" }, { "a": "6" }],
        });
        assert_eq!(Value::Object(object), expected);
    }

    #[test]
    fn a_place_that_has_a_value_keeps_it() {
        let mut object = Map::new();
        for (name, is_put) in [
            ("a[b]", true),
            ("a[b]", false),
            ("a[b][c]", false),
            ("a[0]", true),
            ("c[0]", true),
            ("c[d]", false),
        ] {
            assert_eq!(insert(&mut object, &keys(name), "1"), is_put, "{name}");
        }
        let expected = json!({ "a": { "b": "1", "0": "1" }, "c": ["1"] });
        assert_eq!(Value::Object(object), expected);
    }
}
