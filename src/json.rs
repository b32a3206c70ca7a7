//! Dotted paths into JSON, and the one merge rule of the product.
//!
//! Values are never changed on the way: what is only cut out of a text is cut
//! as text ([`cut()`]). Nothing here knows about placeholders or integrations.

mod count;
mod cut;
mod depth;
mod diff;
mod entries;
pub mod exact;
mod grouped;
mod lines;
mod literals;
mod mend;
mod path;
mod place;
mod scan;
mod set;
mod strings;
mod text_type;
pub mod typed;

pub use count::{count_elements, count_fields, count_values, is_more, length, read, read_at_most};
pub use cut::{cut, elements, key_name, outline};
pub use depth::{is_deeper, is_text_deeper};
pub use diff::diff;
pub use entries::ObjectEntries;
pub use exact::Exact;
pub use grouped::grouped;
pub use lines::{lines, on_one_line};
pub use literals::{inexact_as_texts, large_as_texts, number_text};
pub use mend::mend;
pub use path::{Path, PathError};
pub use place::{Place, place_text};
pub use set::{put, set};
pub use strings::{map_tokens, quoted};
pub(crate) use text_type::text_type;

use serde_json::{Map, Value};

/// Merges `patch` into `base` by the rule of RFC 7396: objects merge deeply,
/// arrays and scalars replace, `null` removes.
///
/// A `null` inside an array is data and stays. The recursion is as deep as
/// the patch, which `serde_json` bounds at 128 levels when it was parsed.
pub fn merge(base: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *base = patch.clone();
        return;
    };
    if !base.is_object() {
        *base = Value::Object(Map::new());
    }
    let Value::Object(target) = base else { return };
    for (key, change) in changes {
        if change.is_null() {
            target.shift_remove(key);
        } else {
            merge(target.entry(key).or_insert(Value::Null), change);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::merge;
    use serde_json::json;

    #[test]
    fn objects_merge_deeply_arrays_replace_and_null_removes() {
        let table = [
            (
                json!({"a": {"b": 1, "c": 2}}),
                json!({"a": {"b": 3}}),
                json!({"a": {"b": 3, "c": 2}}),
            ),
            (json!({"a": [1, 2]}), json!({"a": [3]}), json!({"a": [3]})),
            (json!({"a": 1, "b": 2}), json!({"a": null}), json!({"b": 2})),
            (
                json!({"a": 1}),
                json!({"a": {"x": null, "y": 1}}),
                json!({"a": {"y": 1}}),
            ),
            (
                json!({}),
                json!({"a": {"b": {"c": null}}}),
                json!({"a": {"b": {}}}),
            ),
            (json!({"a": 1}), json!({"a": [null]}), json!({"a": [null]})),
            (json!([1]), json!({"a": 1}), json!({"a": 1})),
            (json!({"a": 1}), json!(5), json!(5)),
        ];
        for (mut base, patch, expected) in table {
            merge(&mut base, &patch);
            assert_eq!(base, expected, "{patch}");
        }
    }

    #[test]
    fn a_removed_key_leaves_the_others_in_their_order() {
        let mut base = json!({"a": 1, "b": 2, "c": 3});
        merge(&mut base, &json!({"a": null}));
        assert_eq!(base.to_string(), r#"{"b":2,"c":3}"#);
    }
}
