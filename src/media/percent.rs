//! Percent-encoding (RFC 3986, section 2.1) of values that go into a path, a query or a form.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

/// All but the unreserved characters of RFC 3986, section 2.3. Form and URL parsers read `%20` alike, but not `+`.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// All but the characters of a path segment (RFC 3986, section 3.3).
const NOT_OF_SEGMENT: &AsciiSet = &RESERVED
    .remove(b':')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=');

/// The value as a part of a path segment.
pub fn segment_encoded(value: &[u8]) -> String {
    percent_encode(value, NOT_OF_SEGMENT).to_string()
}

/// The value with everything encoded that is not unreserved.
pub fn percent_encoded(value: &[u8]) -> String {
    percent_encode(value, RESERVED).to_string()
}
