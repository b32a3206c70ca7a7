//! An array as lines (`application/x-ndjson`): each element as it is in the text.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The elements of an array, each on its own line, and how many they are; `None` when the text is no array.
///
/// Line breaks within an element become spaces: they can only be between its tokens (RFC 8259 §7). Nothing
/// else changes.
pub fn lines(text: &str) -> Result<Option<(String, usize)>, serde_json::Error> {
    if !text.trim_start().starts_with('[') {
        serde_json::from_str::<&RawValue>(text)?;
        return Ok(None);
    }
    let mut input = serde_json::Deserializer::from_str(text);
    let lines = input.deserialize_seq(LineJoiner(text.len()))?;
    input.end()?;
    Ok(Some(lines))
}

/// JSON text on one line.
pub fn on_one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

/// Holds how long the whole text is.
struct LineJoiner(usize);

impl<'t> Visitor<'t> for LineJoiner {
    type Value = (String, usize);

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let (mut lines, mut count) = (String::with_capacity(self.0), 0);
        while let Some(item) = items.next_element::<&RawValue>()? {
            if item.get().contains(['\n', '\r']) {
                lines.push_str(&on_one_line(item.get()));
            } else {
                lines.push_str(item.get());
            }
            lines.push('\n');
            count += 1;
        }
        Ok((lines, count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_element_is_a_line_as_it_was_written() {
        let text =
            " [12345678901234567890123, {\"x\":1e400,\"x\":\"\\ud800\"},[ 1 ,\t2 ],\"a\\nb\"] ";
        let expected =
            "12345678901234567890123\n{\"x\":1e400,\"x\":\"\\ud800\"}\n[ 1 ,\t2 ]\n\"a\\nb\"\n";
        assert_eq!(lines(text).unwrap(), Some((expected.to_owned(), 4)));
        assert_eq!(lines("[]").unwrap(), Some((String::new(), 0)));
    }

    #[test]
    fn an_element_over_several_lines_becomes_one() {
        let text = "[\n  {\r\n    \"a\": 1\n  }\n]";
        let expected = "{      \"a\": 1   }\n";
        assert_eq!(lines(text).unwrap(), Some((expected.to_owned(), 1)));
    }

    #[test]
    fn anything_else_has_no_lines() {
        assert_eq!(lines("{}").unwrap(), None);
        for text in ["", "[1,", "[1] 2", "[\"a\nb\"]", "nope"] {
            assert!(lines(text).is_err(), "{text}");
        }
    }
}
