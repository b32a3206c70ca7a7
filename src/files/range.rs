//! The range of a file that is read (RFC 9110, section 14): one range with a first byte. Others are ignored, as the
//! standard allows, and the whole file is the answer.

use http::HeaderMap;
use http::header::{IF_RANGE, RANGE};

/// A range of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    /// The first byte.
    pub first: u64,
    /// How many; all to the end when absent.
    pub length: Option<u64>,
}

/// The range that a caller asks for. `If-Range` needs a strong validator, and a time of change in whole seconds is none
/// (RFC 9110, section 13.1.5): with it the whole file is sent.
pub fn wanted(headers: &HeaderMap) -> Option<ByteRange> {
    if headers.contains_key(IF_RANGE) {
        return None;
    }
    let text = headers.get(RANGE)?.to_str().ok()?;
    let (unit, range) = text.split_once('=')?;
    let (first, last) = range.trim().split_once('-')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let first = number(first)?;
    let length = match last {
        "" => None,
        last => {
            let last = number(last)?;
            Some(last.checked_sub(first)?.checked_add(1)?)
        }
    };
    Some(ByteRange { first, length })
}

fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::{ByteRange, wanted};

    #[test]
    fn one_range_with_a_first_byte_is_read() {
        let range = |first, length| Some(ByteRange { first, length });
        for (text, expected) in [
            ("bytes=0-", range(0, None)),
            ("bytes=5-9", range(5, Some(5))),
            ("Bytes=7-7", range(7, Some(1))),
            ("bytes=18446744073709551615-", range(u64::MAX, None)),
            ("bytes=-5", None),
            ("bytes=9-5", None),
            ("bytes=0-1,3-4", None),
            ("bytes=a-", None),
            ("bytes=+1-", None),
            ("bytes=0-18446744073709551615", None),
            ("items=0-", None),
            ("bytes", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("range", HeaderValue::from_static(text));
            assert_eq!(wanted(&headers), expected, "{text}");
            headers.insert(
                HeaderName::from_static("if-range"),
                HeaderValue::from_static("x"),
            );
            assert_eq!(wanted(&headers), None, "{text}");
        }
    }
}
