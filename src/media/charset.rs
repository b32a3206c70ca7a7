//! The character encoding of a text that is looked into: UTF-8, UTF-16, and Latin-1, which as everywhere on the web
//! means windows-1252 (WHATWG Encoding). The tables of all others would weigh more than the whole of this folder.

use std::borrow::Cow;

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use super::MediaKind;
use crate::header_text;

/// An encoding that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8, with or without a byte order mark.
    Utf8,
    /// UTF-16, the lower byte first.
    Utf16Le,
    /// UTF-16, the higher byte first.
    Utf16Be,
    /// windows-1252, and what is called ISO 8859-1 or ASCII.
    Latin1,
}

/// Why a text cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CharsetError {
    /// It names an encoding that is not read here.
    #[error("it is in the charset `{0}`, of which this gateway only passes texts on")]
    Unknown(String),
    /// Its bytes are not in the encoding it names, or in UTF-8 where it names none.
    #[error("it is not {0}")]
    Broken(&'static str),
}

/// Bytes of an XML document in which its encoding must be declared.
const PROLOG: usize = 200;
/// Characters of a name that an error quotes.
const QUOTED: usize = 40;

/// The encoding of a body: by its first bytes, its `content-type`, or the prolog of an XML document.
///
/// JSON is UTF-8, also if its content type says otherwise (RFC 8259 §8.1), unless its bytes cannot be.
pub fn of(headers: &HeaderMap, kind: MediaKind, bytes: &[u8]) -> Result<Charset, CharsetError> {
    match bytes {
        [0xef, 0xbb, 0xbf, ..] => return Ok(Charset::Utf8),
        [0xff, 0xfe, ..] => return Ok(Charset::Utf16Le),
        [0xfe, 0xff, ..] => return Ok(Charset::Utf16Be),
        // JSON begins with ASCII: a zero byte next to it is half of a UTF-16 unit (RFC 4627 §3).
        [0, 1..=255, ..] if kind == MediaKind::Json => return Ok(Charset::Utf16Be),
        [1..=255, 0, ..] if kind == MediaKind::Json => return Ok(Charset::Utf16Le),
        _ => {}
    }
    let said = said(headers).or_else(|| in_prolog(bytes).filter(|_| kind == MediaKind::Xml));
    let Some(label) = said else {
        return Ok(Charset::Utf8);
    };
    let charset = named(&label);
    let is_json = !matches!(kind, MediaKind::Text | MediaKind::Xml);
    if is_json && charset != Some(Charset::Utf8) && std::str::from_utf8(bytes).is_ok() {
        return Ok(Charset::Utf8);
    }
    charset.ok_or_else(|| CharsetError::Unknown(quoted(&label)))
}

/// So much of a name as an error quotes.
pub(super) fn quoted(label: &str) -> String {
    label.chars().take(QUOTED).collect()
}

impl Charset {
    /// The text of `bytes`, without the mark at its beginning.
    pub fn decode(self, bytes: &[u8]) -> Result<Cow<'_, str>, CharsetError> {
        let text = self.decode_whole(bytes)?;
        Ok(match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim_start_matches('\u{feff}')),
            Cow::Owned(text) => Cow::Owned(text),
        })
    }

    /// The same of bytes that are a part of a text, which has no mark.
    pub(super) fn decode_whole(self, bytes: &[u8]) -> Result<Cow<'_, str>, CharsetError> {
        match self {
            Self::Utf8 => std::str::from_utf8(bytes)
                .map(Cow::Borrowed)
                .map_err(|_| CharsetError::Broken("UTF-8")),
            Self::Utf16Le => utf16(bytes, u16::from_le_bytes).map(Cow::Owned),
            Self::Utf16Be => utf16(bytes, u16::from_be_bytes).map(Cow::Owned),
            Self::Latin1 => Ok(Cow::Owned(bytes.iter().copied().map(latin1).collect())),
        }
    }
}

/// The `charset` of the `content-type` (RFC 9110 §8.3.2).
pub(super) fn said(headers: &HeaderMap) -> Option<String> {
    let value = header_text::text(headers.get(CONTENT_TYPE)?);
    value.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is_charset = name.trim().eq_ignore_ascii_case("charset");
        let value = value.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
        (is_charset && !value.is_empty()).then_some(value)
    })
}

/// The `encoding` of an XML declaration, which is in ASCII or looks like UTF-16.
fn in_prolog(bytes: &[u8]) -> Option<String> {
    match bytes {
        [b'<', 0, ..] => return Some("utf-16le".to_owned()),
        [0, b'<', ..] => return Some("utf-16be".to_owned()),
        _ => {}
    }
    let start = bytes.get(..bytes.len().min(PROLOG))?;
    let prolog: String = start.iter().map(|byte| char::from(*byte)).collect();
    let (declaration, _) = prolog.strip_prefix("<?xml")?.split_once("?>")?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let value = value.split(quote).nth(1)?;
    Some(value.to_ascii_lowercase())
}

/// The encodings by the names that are in use for them.
pub(super) fn named(label: &str) -> Option<Charset> {
    match label {
        "utf-8" | "utf8" => Some(Charset::Utf8),
        "utf-16le" | "utf-16" => Some(Charset::Utf16Le),
        "utf-16be" => Some(Charset::Utf16Be),
        "iso-8859-1" | "iso8859-1" | "iso_8859-1" | "latin1" | "latin-1" | "l1" | "us-ascii"
        | "ascii" | "windows-1252" | "cp1252" | "x-cp1252" => Some(Charset::Latin1),
        _ => None,
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, CharsetError> {
    let broken = CharsetError::Broken("UTF-16");
    let (pairs, []) = bytes.as_chunks::<2>() else {
        return Err(broken);
    };
    let units = pairs.iter().map(|pair| unit(*pair));
    let text: Result<String, _> = char::decode_utf16(units).collect();
    let text = text.map_err(|_| broken)?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// A byte of windows-1252; those it has nothing for are the control characters of their number.
fn latin1(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    let high = byte.checked_sub(0x80).map(usize::from);
    high.and_then(|index| HIGH.get(index).copied())
        .unwrap_or_else(|| char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(content_type: &str, kind: MediaKind, bytes: &[u8]) -> Result<String, CharsetError> {
        let headers = [(CONTENT_TYPE, content_type.parse().unwrap())]
            .into_iter()
            .collect();
        let charset = of(&headers, kind, bytes)?;
        charset.decode(bytes).map(Cow::into_owned)
    }

    #[test]
    fn the_encoding_is_known_by_mark_type_or_prolog() {
        for (content_type, kind, bytes, expected) in [
            ("text/csv", MediaKind::Text, "é".as_bytes(), "é"),
            (
                "text/csv; charset=ISO-8859-1",
                MediaKind::Text,
                b"caf\xe9 \x80\x41",
                "café €A",
            ),
            (
                "text/csv; header=present; Charset=\"latin1\"",
                MediaKind::Text,
                b"\xe9",
                "é",
            ),
            (
                "text/csv; charset=iso-8859-1",
                MediaKind::Text,
                b"\xef\xbb\xbf\xc3\xa9",
                "é",
            ),
            ("text/plain", MediaKind::Text, b"\xff\xfea\0\xe9\0", "aé"),
            (
                "text/plain",
                MediaKind::Text,
                b"\xfe\xff\0a\xd8\x3d\xde\x00",
                "a😀",
            ),
            ("text/plain; charset=utf-16be", MediaKind::Text, b"\0a", "a"),
            (
                "text/xml",
                MediaKind::Xml,
                b"<?xml version='1.0' encoding = 'ISO-8859-1' ?><a>\xe9</a>",
                "<?xml version='1.0' encoding = 'ISO-8859-1' ?><a>é</a>",
            ),
            (
                "text/xml; charset=utf-8",
                MediaKind::Xml,
                "<?xml version=\"1.0\" encoding=\"latin1\"?><a>é</a>".as_bytes(),
                "<?xml version=\"1.0\" encoding=\"latin1\"?><a>é</a>",
            ),
            ("text/xml", MediaKind::Xml, b"<\0a\0/\0>\0", "<a/>"),
            (
                "text/xml",
                MediaKind::Xml,
                "<a>é</a>".as_bytes(),
                "<a>é</a>",
            ),
            (
                "application/json; charset=iso-8859-1",
                MediaKind::Json,
                "\"é\"".as_bytes(),
                "\"é\"",
            ),
            (
                "application/json; charset=iso-8859-1",
                MediaKind::Json,
                b"\"\xe9\"",
                "\"é\"",
            ),
            (
                "application/json; charset=shift_jis",
                MediaKind::Json,
                b"{}",
                "{}",
            ),
        ] {
            assert_eq!(text(content_type, kind, bytes).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        use CharsetError as E;
        let unknown = |name: &str| E::Unknown(name.to_owned());
        for (content_type, kind, bytes, expected) in [
            (
                "text/csv",
                MediaKind::Text,
                b"\xe9".as_slice(),
                E::Broken("UTF-8"),
            ),
            (
                "application/json",
                MediaKind::Json,
                b"\"\xe9\"",
                E::Broken("UTF-8"),
            ),
            (
                "text/csv; charset=Shift_JIS",
                MediaKind::Text,
                b"a",
                unknown("shift_jis"),
            ),
            (
                "text/xml",
                MediaKind::Xml,
                b"<?xml version='1.0' encoding='EUC-KR'?><a/>",
                unknown("euc-kr"),
            ),
            (
                "text/plain",
                MediaKind::Text,
                b"\xff\xfea",
                E::Broken("UTF-16"),
            ),
            (
                "text/plain",
                MediaKind::Text,
                b"\xff\xfe\x3d\xd8",
                E::Broken("UTF-16"),
            ),
        ] {
            assert_eq!(text(content_type, kind, bytes), Err(expected));
        }
    }
}
