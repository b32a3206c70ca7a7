//! JSON that a reader of UTF-8 refuses, made readable: what an answer's `error_expression` sees must not depend on a
//! character elsewhere in it. Numbers are made readable where they are read ([`super::read`]).

use super::scan;

/// The text with every lone surrogate as U+FFFD.
///
/// Only for looking: what goes on to a caller is cut from the text as it came.
pub fn mend(text: &str) -> String {
    let mut mended = String::with_capacity(text.len());
    let mut kept = 0;
    let part = |range| text.get(range).unwrap_or_default();
    while let Some(string) = scan::next(text.as_bytes(), kept, |byte| byte == b'"') {
        mended.push_str(part(kept..string.start));
        kept = string.end;
        copy_string(part(string), &mut mended);
    }
    mended.push_str(part(kept..text.len()));
    mended
}

fn copy_string(string: &str, mended: &mut String) {
    let mut rest = string;
    while let Some(begin) = rest.find('\\') {
        let (before, escape) = rest.split_at(begin);
        mended.push_str(before);
        rest = copy_escape(escape, mended);
    }
    mended.push_str(rest);
}

fn copy_escape<'t>(text: &'t str, mended: &mut String) -> &'t str {
    let (length, whole) = match (unit(text), text.get(6..).and_then(unit)) {
        (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (12, None),
        (Some(0xd800..=0xdfff), _) => (6, Some("\\ufffd")),
        (Some(_), _) => (6, None),
        // A backslash and the character after it.
        (None, _) => (1 + text.chars().nth(1).map_or(0, char::len_utf8), None),
    };
    let (escape, rest) = text.split_at_checked(length).unwrap_or((text, ""));
    mended.push_str(whole.unwrap_or(escape));
    rest
}

/// The UTF-16 unit that `\uXXXX` at the beginning of a text represents.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let are_digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u16::from_str_radix(digits, 16).ok().filter(|_| are_digits)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::mend;

    #[test]
    fn what_cannot_be_read_is_replaced_and_nothing_else() {
        for (text, expected) in [
            ("[-1E+999,1e-999]", "[-1E+999,1e-999]"),
            (r#"{"a":"1e400"}"#, r#"{"a":"1e400"}"#),
            (r#""\ud800""#, r#""\ufffd""#),
            (r#""\udc00\ud800x""#, r#""\ufffd\ufffdx""#),
            (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#),
            (r#""\\ud800\"1e400""#, r#""\\ud800\"1e400""#),
            (r#""\uD83D\n\uDE00""#, r#""\ufffd\n\ufffd""#),
            (
                "[12345678901234567890123, true, null]",
                "[12345678901234567890123, true, null]",
            ),
        ] {
            let mended = mend(text);
            assert_eq!(mended, expected, "{text}");
            assert!(crate::json::read(mended.as_bytes()).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_not_json_stays_what_it_is() {
        for text in [
            "",
            "\"",
            "\"\\",
            "\"\\u",
            "\"\\ué",
            "<a b=\"1\">",
            "-",
            "1e400x",
            "é\"é\\é",
        ] {
            assert!(
                serde_json::from_str::<Value>(&mend(text)).is_err(),
                "{text}"
            );
        }
    }
}
