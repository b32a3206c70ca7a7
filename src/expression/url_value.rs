//! What a value may be in each place of a URL, and how it is written there.
//! Every function takes one value and either gives the text for its place or
//! nothing; the caller names the place.

use percent_encoding::percent_decode_str;
use url::Url;

use crate::media::{percent_encoded, segment_encoded};

/// A value within a path segment: what RFC 3986 allows there stays as it is.
pub(super) fn in_segment(value: &str) -> String {
    segment_encoded(value.as_bytes())
}

/// A value within a query.
pub(super) fn encoded(value: &str) -> String {
    percent_encoded(value.as_bytes())
}

/// The length of [`encoded`], without making it; no value is longer in a segment.
pub(super) fn encoded_length(value: &str) -> usize {
    let kept = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    value.bytes().map(|b| if kept(b) { 1 } else { 3 }).sum()
}

/// Host characters of one label, or of several where dots are allowed
/// (RFC 1123, section 2.1); lower-cased, as hosts compare.
pub(super) fn host_labels(value: &str, dots: Dots) -> Option<String> {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let fits = match dots {
        Dots::Refused => is_label(value),
        Dots::Allowed => value.split('.').all(is_label),
    };
    fits.then(|| value.to_ascii_lowercase())
}

/// Whether a value in the host may be more than one label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dots {
    Refused,
    Allowed,
}

/// A port number, as it is.
pub(super) fn port(value: &str) -> Option<String> {
    let digits = value.bytes().all(|b| b.is_ascii_digit());
    let number: u16 = value.parse().ok().filter(|_| digits)?;
    (number != 0).then(|| number.to_string())
}

/// A value that is a whole origin, perhaps with a path: `https://host/base`.
/// Refuses user, query, fragment, a dot segment in the path, and everything that a
/// URL parser would silently repair.
pub(super) fn whole_origin(value: &str) -> Option<Url> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/[]%+,;=!$&'()*".contains(&b);
    let rest = value
        .strip_prefix("https://")
        .or_else(|| value.strip_prefix("http://"))?;
    let has_dot_segment = rest.split('/').skip(1).any(is_dot_segment);
    if rest.starts_with('/') || has_dot_segment || !value.bytes().all(plain) {
        return None;
    }
    let url = Url::parse(value).ok()?;
    let has_host = url.host_str().is_some_and(|host| !host.is_empty());
    has_host.then_some(url)
}

/// Whether a segment, decoded as often as a server might, is or contains a
/// `.` or `..` step. Some servers read a step up to its `;`.
pub(super) fn is_dot_segment(segment: &str) -> bool {
    let is_step = |step: &str| matches!(step.split(';').next(), Some("." | ".."));
    let mut text = segment.to_owned();
    for _ in 0..4 {
        if text.split(['/', '\\']).any(is_step) {
            return true;
        }
        let decoded = percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if decoded == text {
            return false;
        }
        text = decoded;
    }
    // Encoded more than four times over: nothing honest looks like this.
    true
}

#[cfg(test)]
mod tests {
    use super::{
        Dots, encoded, encoded_length, host_labels, in_segment, is_dot_segment, port, whole_origin,
    };

    #[test]
    fn a_segment_that_walks_is_seen_through_its_encodings() {
        for text in [
            ".",
            "..",
            "%2e",
            "%2E%2e",
            ".%2e",
            "%252e%252e",
            "a/../b",
            "..\\x",
            "%2e%2e%2fx",
            "..;",
            "..;a=b",
            "%2e%2e%3bx",
            "a/.;/b",
        ] {
            assert!(is_dot_segment(text), "{text}");
        }
        for text in [
            "", "...", ".a", "a..b", "a.b", "%2ea", "a/b", "100%", ";..", "a;..",
        ] {
            assert!(!is_dot_segment(text), "{text}");
        }
    }

    #[test]
    fn a_host_value_is_one_label_of_host_characters() {
        assert_eq!(
            host_labels("Acme-1", Dots::Refused).as_deref(),
            Some("acme-1")
        );
        assert_eq!(host_labels("a.b", Dots::Allowed).as_deref(), Some("a.b"));
        for text in [
            "",
            "a.b",
            "evil.com/",
            "a@b",
            "a#",
            "a?",
            "a\\b",
            "a\tb",
            "a\n",
            "-a",
            "a-",
            "a_b",
            "ａ",
            "a:1",
            "%61",
            "a b",
        ] {
            assert_eq!(host_labels(text, Dots::Refused), None, "{text}");
        }
        for text in ["a..b", ".a", "a.", "a.-b", "a/b.c"] {
            assert_eq!(host_labels(text, Dots::Allowed), None, "{text}");
        }
    }

    #[test]
    fn an_origin_value_is_scheme_host_port_and_path_only() {
        for text in [
            "https://x.com",
            "https://x.com/",
            "http://localhost:80/base",
            "https://[::1]:8/a",
        ] {
            assert!(whole_origin(text).is_some(), "{text}");
        }
        for text in [
            "x.com",
            "https://",
            "https:///x",
            "https://u@x.com",
            "https://x.com?a",
            "https://x.com#a",
            "ftp://x.com",
            "https://x.com\\@y.com",
            "https://x.com/\n",
            " https://x.com",
            "https://x.com/../a",
            "https://x.com/%2e%2e/",
            "https://ex\u{e4}mple.com",
            "HTTPS://x.com",
            "https://x.com:99999",
        ] {
            assert!(whole_origin(text).is_none(), "{text}");
        }
    }

    #[test]
    fn ports_and_encoding() {
        assert_eq!(port("8443").as_deref(), Some("8443"));
        for text in ["", "0", "+1", "65536", "80/"] {
            assert_eq!(port(text), None, "{text}");
        }
        let text = "a b/ü?&=~._-";
        assert_eq!(encoded(text), "a%20b%2F%C3%BC%3F%26%3D~._-");
        assert_eq!(encoded_length(text), encoded(text).len());
        assert_eq!(in_segment(text), "a%20b%2F%C3%BC%3F&=~._-");
        assert_eq!(in_segment(":@!$&'()*+,;="), ":@!$&'()*+,;=");
        assert_eq!(
            in_segment("/?#[]%\"<>\\^`{|}"),
            "%2F%3F%23%5B%5D%25%22%3C%3E%5C%5E%60%7B%7C%7D"
        );
    }
}
