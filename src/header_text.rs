//! Header values as bytes and as text. On the wire they are bytes (RFC 9110 section 5.5). The platform decodes those of
//! requests and answers that come in as UTF-8, with U+FFFD for bytes that are none, and encodes those that go out as UTF-8:
//! so a value here has the bytes of the wire, unless U+FFFD is in it.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

/// What represents bytes that cannot be known.
const UNKNOWN: char = '\u{fffd}';

/// The value of a text that the platform shows. A control character, which no value may have, is not known either.
pub fn value_of(shown: &str) -> Option<HeaderValue> {
    let is_forbidden = |c: char| c.is_ascii_control() && c != '\t';
    if !shown.contains(is_forbidden) {
        return HeaderValue::from_str(shown).ok();
    }
    let replaced: String = shown
        .chars()
        .map(|c| if is_forbidden(c) { UNKNOWN } else { c })
        .collect();
    HeaderValue::from_str(&replaced).ok()
}

/// The text of a value, with U+FFFD for what is not known.
pub fn text(value: &HeaderValue) -> Cow<'_, str> {
    String::from_utf8_lossy(value.as_bytes())
}

/// Whether all of a text, or a part of it, was on the wire as it is here.
pub fn is_known(text: &str) -> bool {
    !text.contains(UNKNOWN)
}

/// The names of the fields whose values are not known, each once.
pub fn unknown(headers: &HeaderMap) -> impl Iterator<Item = &HeaderName> {
    let is_unknown = |name: &&HeaderName| {
        let mut values = headers.get_all(*name).iter();
        values.any(|value| !is_known(&text(value)))
    };
    headers.keys().filter(is_unknown)
}

/// The fields as expressions see them: lower-case names, several values joined by a comma (RFC 9110 section 5.3).
pub fn object_of(headers: &HeaderMap) -> Value {
    let joined = headers.keys().map(|name| {
        let values: Vec<_> = headers.get_all(name).iter().map(text).collect();
        (name.to_string(), Value::String(values.join(", ")))
    });
    Value::Object(joined.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_the_bytes_of_its_text() {
        for shown in [
            "",
            "plain",
            "a\tb",
            "café",
            "łąka",
            "日本",
            "a😀",
            "\u{85}\u{a0}",
        ] {
            let value = value_of(shown).unwrap();
            assert_eq!(value.as_bytes(), shown.as_bytes());
            assert_eq!(text(&value), shown);
            assert!(is_known(shown));
        }
    }

    #[test]
    fn what_is_not_known_is_marked_and_never_lost() {
        for (shown, expected) in [
            ("caf\u{fffd}", "caf\u{fffd}"),
            ("a\u{1}b\u{7f}", "a\u{fffd}b\u{fffd}"),
        ] {
            let value = value_of(shown).unwrap();
            assert_eq!(text(&value), expected);
            let headers: HeaderMap = [
                (http::header::LINK, value),
                (http::header::AGE, HeaderValue::from_static("1")),
            ]
            .into_iter()
            .collect();
            let names: Vec<_> = unknown(&headers).collect();
            assert_eq!(names, [http::header::LINK]);
        }
    }
}
