//! The keys of a context. They have no dots: what a value steers is judged by the top-level key it is under, and a
//! path such as `server.url` reads `url` inside `server`. A key `server.url` next to it would be judged as another.

use serde_json::Value;

/// A key with a dot in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the key `{0}` has a dot in it, which a path takes for two keys: write it as an object in another, or without the dot"
)]
pub struct Dotted(String);

/// Refuses a key with a dot at the top level. A null takes one out that an older version let in.
pub fn check_top(patch: &Value) -> Result<(), Dotted> {
    let entries = patch.as_object().into_iter().flatten();
    let mut dotted = entries.filter(|(key, value)| key.contains('.') && !value.is_null());
    dotted
        .next()
        .map_or(Ok(()), |(key, _)| Err(Dotted(key.clone())))
}

/// Refuses a key with a dot at any level.
pub fn check_all(patch: &Value) -> Result<(), Dotted> {
    match patch {
        Value::Object(entries) => {
            check_top(patch)?;
            entries.values().try_for_each(check_all)
        }
        Value::Array(items) => items.iter().try_for_each(check_all),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{check_all, check_top};
    use serde_json::json;

    #[test]
    fn a_key_with_a_dot_is_refused_at_its_level() {
        for (patch, is_top, is_any) in [
            (json!({ "a": { "b": ["c.d"] } }), false, false),
            (json!({ "a.b": null }), false, false),
            (json!({ "a.b": 1 }), true, true),
            (json!({ ".": {} }), true, true),
            (json!({ "a": { "b.c": 1 } }), false, true),
            (json!({ "a": [[{ "b.c": 1 }]] }), false, true),
            (json!("a.b"), false, false),
        ] {
            assert_eq!(check_top(&patch).is_err(), is_top, "{patch}");
            assert_eq!(check_all(&patch).is_err(), is_any, "{patch}");
        }
    }
}
