//! Cutting a value out of JSON text without decoding it, so that a 64-bit id,
//! `1e400` or a lone surrogate comes out as the very bytes that came in.
//!
//! Each step of the path reads one object or array and keeps its values as raw
//! text ([`RawValue`]); skipping a value does not recurse, so no nesting can
//! exhaust the stack. Where a key appears twice, the last one wins.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::Path;
use super::path::{Index, keys};

/// The text of the value at `path`, as it is in `text`.
///
/// `None` when the path leads nowhere. The error is that of text which is not
/// JSON, as far as it had to be read.
pub fn cut<'t>(text: &'t str, path: &Path) -> Result<Option<&'t str>, serde_json::Error> {
    let mut value: &'t RawValue = serde_json::from_str(text)?;
    let mut parts = path.parts();
    while !parts.is_empty() {
        let Some((child, rest)) = child(value, parts)? else {
            return Ok(None);
        };
        (value, parts) = (child, rest);
    }
    Ok(Some(value.get()))
}

/// The value at `path`, built as [`super::read`] does; an array or an object without what is in it. `None` when the path
/// leads nowhere, or the text is not JSON.
pub fn outline(text: &str, path: &Path) -> Option<Value> {
    let found = cut(text, path).ok()??;
    match found.as_bytes().first() {
        Some(b'[') => Some(Value::Array(Vec::new())),
        Some(b'{') => Some(Value::Object(Map::new())),
        _ => super::read(found.as_bytes()).ok(),
    }
}

/// The elements of a JSON array as raw text, or `None` when `text` is another
/// kind of value.
pub fn elements(text: &str) -> Result<Option<Vec<&RawValue>>, serde_json::Error> {
    let value: &RawValue = serde_json::from_str(text)?;
    if !value.get().starts_with('[') {
        return Ok(None);
    }
    serde_json::from_str(value.get()).map(Some)
}

/// A value on the way, and the parts that lead on from it.
type CutStep<'t, 'p> = Option<(&'t RawValue, &'p [String])>;

fn child<'t, 'p>(
    value: &'t RawValue,
    parts: &'p [String],
) -> Result<CutStep<'t, 'p>, serde_json::Error> {
    let mut input = serde_json::Deserializer::from_str(value.get());
    let [first, behind @ ..] = parts else {
        return Ok(None);
    };
    match (value.get().as_bytes().first(), Index::read(first)) {
        (Some(b'{'), _) => input.deserialize_map(Entry(keys(parts).collect())),
        (Some(b'['), Some(index)) => Ok(input
            .deserialize_seq(NthElement(index))?
            .map(|value| (value, behind))),
        _ => Ok(None),
    }
}

/// Reads an object and keeps the last value under the first of the wanted keys that is there.
struct Entry<'p>(Vec<(Cow<'p, str>, &'p [String])>);

impl<'t, 'p> Visitor<'t> for Entry<'p> {
    type Value = CutStep<'t, 'p>;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found: Vec<Option<&'t RawValue>> = vec![None; self.0.len()];
        while let Some(key) = map.next_key::<&RawValue>()? {
            let value = map.next_value::<&RawValue>()?;
            let wanted = self.0.iter().zip(&mut found);
            for (_, place) in wanted.filter(|((wanted, _), _)| names(key.get(), wanted)) {
                *place = Some(value);
            }
        }
        let first = found.into_iter().zip(&self.0);
        let mut there = first.filter_map(|(value, (_, rest))| Some((value?, *rest)));
        Ok(there.next())
    }
}

/// Reads an array and keeps one element.
struct NthElement(Index);

impl<'t> Visitor<'t> for NthElement {
    type Value = Option<&'t RawValue>;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        // What may be wanted: one element from the front, or the last few.
        let mut last = VecDeque::new();
        let (mut position, mut found) = (0, None);
        while let Some(value) = items.next_element::<&RawValue>()? {
            match self.0 {
                Index::Front(index) if index == position => found = Some(value),
                Index::Front(_) => {}
                Index::Back(back) => {
                    if last.len() == back {
                        last.pop_front();
                    }
                    last.push_back(value);
                    found = last.front().copied().filter(|_| last.len() == back);
                }
            }
            position += 1;
        }
        Ok(found)
    }
}

/// The name that a key as written, quotes and escapes included, spells; `None` where it is no text (a lone surrogate).
pub fn key_name(written: &str) -> Option<Cow<'_, str>> {
    if written.contains('\\') {
        return serde_json::from_str::<String>(written).ok().map(Cow::Owned);
    }
    let inner = written.strip_prefix('"')?.strip_suffix('"')?;
    Some(Cow::Borrowed(inner))
}

/// Whether such a key spells `wanted`.
pub(super) fn names(written: &str, wanted: &str) -> bool {
    key_name(written).is_some_and(|name| name == wanted)
}

#[cfg(test)]
mod tests {
    use super::{cut, elements, outline};
    use serde_json::json;

    #[test]
    fn what_is_cut_keeps_every_byte() {
        let table = [
            (
                r#"{"a": 12345678901234567890123 }"#,
                "a",
                "12345678901234567890123",
            ),
            (r#"{"a":{"b":[1e400,-0.0]}}"#, "a.b", "[1e400,-0.0]"),
            (r#"{"a":["x","\ud800"]}"#, "a.1", r#""\ud800""#),
            (r#"{"a":1,"a":2}"#, "a", "2"),
            (r#"{"\u0061":[ 1 ,  2 ]}"#, "a", "[ 1 ,  2 ]"),
            (r#"{"\ud800":1,"a":null}"#, "a", "null"),
            (" [7] ", "", "[7]"),
            ("[[1],[2,3]]", "1.0", "2"),
            (r#"{"0":"zero"}"#, "0", "\"zero\""),
            (
                r#"{"a":[{"b":1},{"b":18446744073709551616}]}"#,
                "a.-1.b",
                "18446744073709551616",
            ),
            ("[1,2,3]", "-3", "1"),
            (
                r#"{"@odata":{"next":1},"@odata.next":2}"#,
                "@odata.next",
                "2",
            ),
            (r#"{"a":{"b.c":[7],"b":{"c":8}}}"#, "a.b.c", "[7]"),
        ];
        for (text, path, expected) in table {
            let path = path.parse().unwrap();
            assert_eq!(cut(text, &path).unwrap(), Some(expected), "{text} {path}");
        }
    }

    #[test]
    fn a_path_that_leads_nowhere_is_none() {
        for (text, path) in [
            (r#"{"a":1}"#, "b"),
            (r#"{"a":1}"#, "a.b"),
            (r#"{"a":null}"#, "a.b"),
            ("[1]", "1"),
            ("[1]", "x"),
            ("[1]", "-2"),
            ("[]", "-1"),
        ] {
            assert_eq!(cut(text, &path.parse().unwrap()).unwrap(), None, "{text}");
        }
    }

    #[test]
    fn an_outline_is_a_value_without_what_is_in_it() {
        let text = r#"{"a":"x","b":[1,{}],"c":{"d":12345678901234567890123,"e":null},"f":1.5}"#;
        for (path, expected) in [
            ("a", Some(json!("x"))),
            ("b", Some(json!([]))),
            ("c", Some(json!({}))),
            ("c.d", Some(json!("12345678901234567890123"))),
            ("c.e", Some(json!(null))),
            ("f", Some(json!(1.5))),
            ("g", None),
        ] {
            assert_eq!(outline(text, &path.parse().unwrap()), expected, "{path}");
        }
        assert_eq!(outline("nope", &"a".parse().unwrap()), None);
    }

    #[test]
    fn text_that_is_not_json_is_an_error() {
        for text in ["", "{", "nope", r#"{"a":1}x"#, r#"{"a" 1}"#] {
            assert!(cut(text, &"a".parse().unwrap()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_hundred_thousand_levels_do_not_overflow_the_stack() {
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        let found = cut(&deep, &"a.0".parse().unwrap()).unwrap().unwrap();
        assert_eq!(found.len(), 2 * 99_999);
        assert_eq!(elements(found).unwrap().unwrap().len(), 1);
    }

    #[test]
    fn only_an_array_has_elements() {
        let items = elements(r#" [1, {"a": 1.0}, "x"] "#).unwrap().unwrap();
        let texts: Vec<&str> = items.iter().map(|item| item.get()).collect();
        assert_eq!(texts, ["1", r#"{"a": 1.0}"#, "\"x\""]);
        assert_eq!(elements("{}").unwrap().map(|items| items.len()), None);
        assert!(elements("[1,").is_err());
    }
}
