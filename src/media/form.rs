//! Reading a form body (`application/x-www-form-urlencoded`, WHATWG URL §5.1) in its charset.

use std::borrow::Cow;

use http::HeaderMap;
use percent_encoding::percent_decode;

use super::charset::{self, Charset, CharsetError};

/// Fields by which a form says its charset: HTML §4.10.21.5, and what payment services send.
const CHARSET_FIELDS: [&[u8]; 2] = [b"_charset_", b"charset"];

/// Names and values in the order of the form. Its charset is what a field of it says, else its `content-type`, else UTF-8;
/// a name that no encoding has counts as none where the bytes are UTF-8.
pub fn pairs(headers: &HeaderMap, body: &[u8]) -> Result<Vec<(String, String)>, CharsetError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let fields: Vec<_> = body.split(|byte| *byte == b'&').filter_map(field).collect();
    let (charset, unknown) = charset_of(headers, &fields);
    let text = |bytes: &[u8]| charset.decode_whole(bytes).map(Cow::into_owned);
    let pairs = fields
        .iter()
        .map(|(name, value)| Ok((text(name)?, text(value)?)));
    let pairs: Result<_, CharsetError> = pairs.collect();
    pairs.map_err(|error| unknown.map_or(error, CharsetError::Unknown))
}

type FormField<'b> = (Cow<'b, [u8]>, Cow<'b, [u8]>);

fn field(text: &[u8]) -> Option<FormField<'_>> {
    if text.is_empty() {
        return None;
    }
    let equals = text.iter().position(|byte| *byte == b'=');
    let (name, value) = equals
        .and_then(|at| text.split_at_checked(at))
        .map_or((text, &b""[..]), |(name, value)| {
            (name, value.get(1..).unwrap_or_default())
        });
    Some((decoded(name), decoded(value)))
}

fn decoded(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'+') {
        return percent_decode(text).into();
    }
    let spaced: Vec<u8> = text
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    Cow::Owned(percent_decode(&spaced).collect())
}

/// The charset, and the first name that is none which is read here.
fn charset_of(headers: &HeaderMap, fields: &[FormField]) -> (Charset, Option<String>) {
    let of_field = |wanted: &&[u8]| {
        let found = fields.iter().find(|(name, _)| **name == **wanted)?;
        Some(
            String::from_utf8_lossy(&found.1)
                .trim()
                .to_ascii_lowercase(),
        )
    };
    let labels = CHARSET_FIELDS.iter().filter_map(of_field);
    let labels: Vec<String> = labels.chain(charset::said(headers)).collect();
    // The text of a form is ASCII: its escapes are of bytes.
    let is_of_bytes = |charset: &Charset| matches!(charset, Charset::Utf8 | Charset::Latin1);
    let named = |label: &String| charset::named(label).filter(is_of_bytes);
    let known = labels.iter().find_map(named);
    match known {
        Some(known) => (known, None),
        None => (
            Charset::Utf8,
            labels.first().map(|label| charset::quoted(label)),
        ),
    }
}
