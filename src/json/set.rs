//! Putting a value into JSON text. Everything around it stays as it was written, so that numbers of any
//! size go out as they came in.

use std::collections::BTreeSet;

use super::cut::{key_name, names};
use super::entries::ObjectEntries;

/// `text` with `value` (JSON text) at the place that `parts` name. Objects that are missing on the way are
/// made; what is in the way and is no object is replaced. Empty text counts as missing.
pub fn set(text: &str, parts: &[String], value: &str) -> Result<String, serde_json::Error> {
    let [first, rest @ ..] = parts else {
        return Ok(value.to_owned());
    };
    let entries: Vec<_> = match text.trim_start().as_bytes().first() {
        Some(b'{') => ObjectEntries::of(text)?.collect(),
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
    let replaced: BTreeSet<&str> = more.iter().map(|(name, _)| *name).collect();
    let is_kept = |key: &str| key_name(key).is_none_or(|name| !replaced.contains(&*name));
    let kept = ObjectEntries::of(text)?.filter(|(key, _)| is_kept(key));
    let mut written: Vec<String> = kept.map(|(key, value)| format!("{key}:{value}")).collect();
    for (name, value) in more {
        written.push(format!("{}:{value}", serde_json::to_string(name)?));
    }
    Ok(format!("{{{}}}", written.join(",")))
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
