//! Putting a value into JSON text. Everything around it stays as it was written, so that numbers of any
//! size go out as they came in.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::cut::names;

/// `text` with `value` (JSON text) at the place that `parts` name. Objects that are missing on the way are
/// made; what is in the way and is no object is replaced. Empty text counts as missing.
pub fn set(text: &str, parts: &[String], value: &str) -> Result<String, serde_json::Error> {
    let [first, rest @ ..] = parts else {
        return Ok(value.to_owned());
    };
    let entries = match text.trim_start().as_bytes().first() {
        Some(b'{') => serde_json::from_str::<ObjectEntries>(text)?.0,
        _ => Vec::new(),
    };
    let own = entries.iter().rev().find(|(key, _)| names(key, first));
    let inner = set(own.map_or("", |(_, value)| value), rest, value)?;
    let others = entries.iter().filter(|(key, _)| !names(key, first));
    let mut written: Vec<String> = others
        .map(|(key, value)| format!("{key}:{value}"))
        .collect();
    written.push(format!("{}:{inner}", serde_json::to_string(first)?));
    Ok(format!("{{{}}}", written.join(",")))
}

/// The object `text` with these entries in place of any of the same name, read and written once however many they are.
/// Empty text is an object without entries; anything but an object is an error.
pub fn put(text: &str, more: &[(&str, String)]) -> Result<String, serde_json::Error> {
    let text = match text.trim_start() {
        "" => "{}",
        text => text,
    };
    let entries = serde_json::from_str::<ObjectEntries>(text)?.0;
    let replaced: BTreeSet<&str> = more.iter().map(|(name, _)| *name).collect();
    let is_kept = |key: &str| {
        serde_json::from_str::<Cow<str>>(key).map_or(true, |name| !replaced.contains(&*name))
    };
    let kept = entries.iter().filter(|(key, _)| is_kept(key));
    let mut written: Vec<String> = kept.map(|(key, value)| format!("{key}:{value}")).collect();
    for (name, value) in more {
        written.push(format!("{}:{value}", serde_json::to_string(name)?));
    }
    Ok(format!("{{{}}}", written.join(",")))
}

/// The names of an object's entries, in their order; none for an empty text.
pub fn entry_names(text: &str) -> Result<Vec<String>, serde_json::Error> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let entries = serde_json::from_str::<ObjectEntries>(text)?.0;
    let names = entries.iter().map(|(key, _)| serde_json::from_str(key));
    names.collect()
}

/// The object without the entries of these names; what is left keeps every byte.
pub fn without(text: &str, is_dropped: impl Fn(&str) -> bool) -> Result<String, serde_json::Error> {
    let entries = serde_json::from_str::<ObjectEntries>(text)?.0;
    let is_left =
        |key: &str| serde_json::from_str::<Cow<str>>(key).map_or(true, |name| !is_dropped(&name));
    let left = entries.iter().filter(|(key, _)| is_left(key));
    let written: Vec<String> = left.map(|(key, value)| format!("{key}:{value}")).collect();
    Ok(format!("{{{}}}", written.join(",")))
}

/// The entries of an object: keys and values as they are written.
struct ObjectEntries<'t>(Vec<(&'t str, &'t str)>);

impl<'t> Deserialize<'t> for ObjectEntries<'t> {
    fn deserialize<D: Deserializer<'t>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'t> Visitor<'t> for EntriesVisitor {
    type Value = ObjectEntries<'t>;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<ObjectEntries<'t>, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<&RawValue>()? {
            entries.push((key.get(), map.next_value::<&RawValue>()?.get()));
        }
        Ok(ObjectEntries(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::{put, set};
    use crate::json::Path;

    fn with(text: &str, path: &str, value: &str) -> String {
        set(text, path.parse::<Path>().unwrap().parts(), value).unwrap()
    }

    #[test]
    fn what_stands_around_it_keeps_every_byte() {
        let table = [
            (
                r#"{"n":1e400,"id":12345678901234567890123}"#,
                "a",
                r#"{"n":1e400,"id":12345678901234567890123,"a":7}"#,
            ),
            (r#"{"a":1,"b":2,"a":3}"#, "a", r#"{"b":2,"a":7}"#),
            (r#"{"p":{"x":[ 1 ]}}"#, "p.q", r#"{"p":{"x":[ 1 ],"q":7}}"#),
            ("", "p.q.r", r#"{"p":{"q":{"r":7}}}"#),
            (r#" {"p":"text"}"#, "p.q", r#"{"p":{"q":7}}"#),
            ("null", "a", r#"{"a":7}"#),
        ];
        for (text, path, expected) in table {
            assert_eq!(with(text, path, "7"), expected, "{text} {path}");
        }
    }

    #[test]
    fn an_object_that_is_cut_off_is_an_error() {
        assert!(set(r#"{"a":"#, &["b".to_owned()], "1").is_err());
    }

    #[test]
    fn entries_are_put_in_place_of_those_of_their_name() {
        let more = [("a", "7".to_owned()), ("q\"\n", r#"["x"]"#.to_owned())];
        let table = [
            (r#"{"b":1e400}"#, r#"{"b":1e400,"a":7,"q\"\n":["x"]}"#),
            (
                r#"{"a":1,"b":[ 2 ],"a":{}}"#,
                r#"{"b":[ 2 ],"a":7,"q\"\n":["x"]}"#,
            ),
            (
                r#"{"\u0061":1,"q\u0022\u000a":2,"A":3}"#,
                r#"{"A":3,"a":7,"q\"\n":["x"]}"#,
            ),
            (
                r#"{"b":1,"b":2,"\ud800":3}"#,
                r#"{"b":1,"b":2,"\ud800":3,"a":7,"q\"\n":["x"]}"#,
            ),
            ("", r#"{"a":7,"q\"\n":["x"]}"#),
            (" \n", r#"{"a":7,"q\"\n":["x"]}"#),
            (" { } ", r#"{"a":7,"q\"\n":["x"]}"#),
        ];
        for (text, expected) in table {
            assert_eq!(put(text, &more).unwrap(), expected, "{text}");
        }
        assert_eq!(put(r#"{"a":1,"a":2}"#, &[]).unwrap(), r#"{"a":1,"a":2}"#);
    }

    #[test]
    fn nothing_is_put_into_what_is_no_object() {
        for text in [
            "[1]",
            "null",
            "7",
            "\"a\"",
            "{\"a\":",
            "{} {}",
            "{\"a\":1,}",
        ] {
            assert!(put(text, &[("a", "7".to_owned())]).is_err(), "{text}");
        }
    }
}
