//! The entries of an object in a JSON text, without building them: all of it stays byte for byte.

use serde::de::Error as _;
use serde_json::value::RawValue;

use super::scan;

/// The entries of an object, in order: each key and value as it is written.
#[derive(Debug, Clone)]
pub struct ObjectEntries<'t> {
    /// From the first brace to the last.
    object: &'t str,
    at: usize,
}

impl<'t> ObjectEntries<'t> {
    /// Those of a text, which is checked first: only in JSON the scanner finds what a provider reads. Fails where it is no
    /// JSON, or no object.
    pub fn of(text: &'t str) -> Result<Self, serde_json::Error> {
        let value: &RawValue = serde_json::from_str(text)?;
        let object = value.get();
        if object.starts_with('{') {
            Ok(Self { object, at: 1 })
        } else {
            Err(serde_json::Error::custom("it is no object"))
        }
    }

    /// Where the value that begins at `from` ends: at the next comma, or at the brace of the object.
    fn end_of_value(&self, from: usize) -> Option<usize> {
        let text = self.object.as_bytes();
        let separates = |byte| matches!(byte, b',' | b'[' | b']' | b'{' | b'}');
        let (mut depth, mut at) = (0_usize, from);
        loop {
            let sign = scan::next(text, at, separates)?;
            match text.get(sign.start)? {
                b'[' | b'{' => depth += 1,
                b',' if depth > 0 => {}
                _ if depth > 0 => depth -= 1,
                _ => return Some(sign.start),
            }
            at = sign.end;
        }
    }
}

impl<'t> Iterator for ObjectEntries<'t> {
    type Item = (&'t str, &'t str);

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.object.as_bytes();
        let key = scan::next(text, self.at, |byte| byte == b'"')?;
        let colon = scan::next(text, key.end, |byte| byte == b':')?;
        let end = self.end_of_value(colon.end)?;
        self.at = end;
        let value = self.object.get(colon.end..end)?;
        Some((self.object.get(key)?, value.trim()))
    }
}

#[cfg(test)]
mod tests {
    use super::ObjectEntries;

    #[test]
    fn each_entry_is_as_it_is_written() {
        let table: [(&str, &[(&str, &str)]); 7] = [
            ("{}", &[]),
            (" { } ", &[]),
            (r#"{"a":1}"#, &[(r#""a""#, "1")]),
            (
                "{ \"a\" :\n1e400 , \"a\":\t[ 1 , {\"b\":2} ] } ",
                &[(r#""a""#, "1e400"), (r#""a""#, r#"[ 1 , {"b":2} ]"#)],
            ),
            (
                r#"{"a":"},\"b\":[","c":{"d":["]","e"]},"f":{}}"#,
                &[
                    (r#""a""#, r#""},\"b\":[""#),
                    (r#""c""#, r#"{"d":["]","e"]}"#),
                    (r#""f""#, "{}"),
                ],
            ),
            (
                r#"{"{\":,":null,"\u0061":"\\"}"#,
                &[(r#""{\":,""#, "null"), (r#""\u0061""#, r#""\\""#)],
            ),
            (r#"{"é":"é"}"#, &[(r#""é""#, r#""é""#)]),
        ];
        for (text, expected) in table {
            let found: Vec<_> = ObjectEntries::of(text).unwrap().collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_object_has_none() {
        for text in [
            "",
            "[1]",
            "null",
            "\"{}\"",
            "{",
            "{} {}",
            r#"{"a":1,}"#,
            r#"{"a" 1}"#,
            r#"{"a":}"#,
            "{a:1}",
            "\u{feff}{}",
            "{\"a\":\"\n\"}",
        ] {
            assert!(ObjectEntries::of(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_hundred_thousand_levels_do_not_overflow_the_stack() {
        let value = "[".repeat(100_000) + &"]".repeat(100_000);
        let text = format!(r#"{{"a":{value},"b":1}}"#);
        let entries: Vec<_> = ObjectEntries::of(&text).unwrap().collect();
        assert_eq!(entries, [(r#""a""#, value.as_str()), (r#""b""#, "1")]);
    }
}
