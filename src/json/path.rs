//! A dotted path such as `data.items.-1.id`. Wildcards and filters are
//! JSONata's business, not a path's.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use super::text_type;

/// Parts of a path. Keys may have dots, so a look-up joins the parts in every
/// way that begins with the first: it takes the square of their number.
pub const MOST_PARTS: usize = 64;

/// Why a text is not a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// `a..b`, `.a` or `a.`
    #[error("the path `{0}` has an empty part between its dots")]
    EmptyPart(String),
    /// More than `MOST_PARTS`.
    #[error("a path has at most {MOST_PARTS} parts")]
    TooLong,
}

/// A dotted path, parsed once. Numbers index arrays, negative ones from their
/// end (`-1` is the last); on an object they are ordinary keys. Where an
/// object has a key with dots in it, such as `@odata.nextLink`, the longest
/// key that is there wins over its parts. The empty path is the root.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Path {
    parts: Vec<String>,
}

impl Path {
    /// The path of one key, which may have any characters.
    pub fn of_one(key: &str) -> Self {
        Self {
            parts: vec![key.to_owned()],
        }
    }

    /// The parts between the dots, in order.
    pub fn parts(&self) -> &[String] {
        &self.parts
    }

    /// The first part, absent for the root.
    pub fn first(&self) -> Option<&str> {
        self.parts.first().map(String::as_str)
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.parts.is_empty()
    }

    /// The value at this path. A `null` in between, a missing key and an index
    /// past the end are all `None`.
    pub fn lookup<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        lookup(&self.parts, value)
    }

    /// The value that its parts lead to one by one: no key with a dot in it represents several of them. `below` parts are
    /// left out in front.
    pub fn lookup_by_parts<'v>(&self, value: &'v Value, below: usize) -> Option<&'v Value> {
        let mut parts = self.parts.get(below..)?.iter();
        parts.try_fold(value, |value, part| match value {
            Value::Object(entries) => entries.get(part),
            Value::Array(items) => items.get(Index::read(part)?.within(items.len())?),
            _ => None,
        })
    }

    /// As [`Path::lookup`], starting below the first part.
    pub fn lookup_rest<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        lookup(self.parts.get(1..).unwrap_or_default(), value)
    }
}

fn lookup<'v>(mut parts: &[String], mut value: &'v Value) -> Option<&'v Value> {
    while let [first, behind @ ..] = parts {
        (value, parts) = match value {
            Value::Object(map) => {
                keys(parts).find_map(|(key, rest)| Some((map.get(&*key)?, rest)))?
            }
            Value::Array(items) => (items.get(Index::read(first)?.within(items.len())?)?, behind),
            _ => return None,
        };
    }
    Some(value)
}

/// The keys that the parts may mean, longest first, each with the parts
/// that are left after it.
pub(super) fn keys(parts: &[String]) -> impl Iterator<Item = (Cow<'_, str>, &[String])> {
    (1..=parts.len()).rev().filter_map(|taken| {
        let key = match parts.split_at_checked(taken)? {
            ([only], _) => Cow::Borrowed(only.as_str()),
            (several, _) => Cow::Owned(several.join(".")),
        };
        Some((key, parts.get(taken..)?))
    })
}

/// The place of an element in an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Index {
    /// Counted from the front, 0 is the first.
    Front(usize),
    /// Counted from the end, 1 is the last.
    Back(usize),
}

impl Index {
    pub(super) fn read(part: &str) -> Option<Self> {
        let back = part.strip_prefix('-');
        let digits = back.unwrap_or(part);
        // `parse` alone would take a sign.
        let number = digits.parse().ok().filter(|_| !digits.starts_with('+'))?;
        match back {
            Some(_) => (number > 0).then_some(Self::Back(number)),
            None => Some(Self::Front(number)),
        }
    }

    fn within(self, length: usize) -> Option<usize> {
        match self {
            Self::Front(index) => Some(index),
            Self::Back(back) => length.checked_sub(back),
        }
    }
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Self::default());
        }
        let parts: Vec<String> = text.split('.').map(|part| part.trim().to_owned()).collect();
        if parts.len() > MOST_PARTS {
            return Err(PathError::TooLong);
        }
        if parts.iter().any(String::is_empty) {
            return Err(PathError::EmptyPart(text.to_owned()));
        }
        Ok(Self { parts })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.parts.join("."))
    }
}

text_type!(
    Path,
    read: |text| text.parse(),
    show: |own| own,
    inline: false,
    schema: {
        "type": "string",
        "description": "A dotted path into JSON, such as `data.items.0.id`; `-1` is the last element of an array; a key with dots in it, such as `@odata.nextLink`, is found too; the empty string is the root.",
        "examples": ["data.items", "paging.next.after", "data.-1.id"]
    }
);

#[cfg(test)]
mod tests {
    use super::{MOST_PARTS, Path, PathError};
    use serde_json::json;

    #[test]
    fn parts_are_bounded() {
        let path = |parts: usize| vec!["a"; parts].join(".").parse::<Path>();
        assert_eq!(path(MOST_PARTS).unwrap().parts().len(), MOST_PARTS);
        assert_eq!(path(MOST_PARTS + 1), Err(PathError::TooLong));
    }

    #[test]
    fn a_path_walks_objects_and_arrays() {
        let value = json!({"a": {"b": [{"c": 1}, null]}, "0": "zero"});
        let table = [
            ("", Some(value.clone())),
            ("a.b.0.c", Some(json!(1))),
            (" a . b ", Some(json!([{"c": 1}, null]))),
            ("a.b.1", Some(json!(null))),
            ("a.b.1.c", None),
            ("a.b.9", None),
            ("a.b.-1", Some(json!(null))),
            ("a.b.-2.c", Some(json!(1))),
            ("a.b.-3", None),
            ("a.b.-0", None),
            ("a.b.+1", None),
            ("0", Some(json!("zero"))),
            ("a.x", None),
        ];
        for (text, expected) in table {
            let path: Path = text.parse().unwrap();
            assert_eq!(path.lookup(&value).cloned(), expected, "{text}");
        }
    }

    #[test]
    fn a_key_with_dots_wins_over_its_parts() {
        let value = json!({
            "@odata.nextLink": "n", "@odata": {"nextLink": "parts", "count": 2},
            "a": {"b.c": {"d.e": 1}, "b": {"c": {"x": 2}}}, "-1": "minus one"
        });
        let table = [
            ("@odata.nextLink", Some(json!("n"))),
            ("@odata.count", Some(json!(2))),
            ("a.b.c.d.e", Some(json!(1))),
            ("a.b.c.x", None),
            ("-1", Some(json!("minus one"))),
        ];
        for (text, expected) in table {
            let path: Path = text.parse().unwrap();
            assert_eq!(path.lookup(&value).cloned(), expected, "{text}");
        }
    }

    #[test]
    fn by_its_parts_a_path_finds_no_key_with_dots() {
        let value = json!({ "a.b": 1, "a": { "b": [2, { "c.d": 3, "c": { "d": 4 } }] }, "x.y": 5 });
        for (text, below, expected) in [
            ("a.b.0", 0, Some(json!(2))),
            ("a.b.-1.c.d", 0, Some(json!(4))),
            ("x.y", 0, None),
            ("root.a.b.0", 1, Some(json!(2))),
            ("root.x.y", 1, None),
            ("root", 1, Some(value.clone())),
        ] {
            let path: Path = text.parse().unwrap();
            assert_eq!(
                path.lookup_by_parts(&value, below).cloned(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn an_empty_part_is_refused() {
        for text in [".a", "a.", "a..b", "."] {
            assert!(text.parse::<Path>().is_err(), "{text}");
        }
    }
}
