//! JSON as a `multipart/form-data` body (RFC 7578): each field is a part. A file is an object with its `filename`,
//! its `content_type` or both, and its content: `data` in base64, or `text`, which may be any JSON.

use std::borrow::Cow;

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD};
use http::HeaderValue;
use serde_json::{Map, Value};

use super::body::BodyError;
use super::fields::{Fields, text};
use crate::config::QueryArrayFormat;
use crate::crypto;
use crate::expression::RenderRoom;
use crate::json::exact;

const KEYS: [&str; 4] = ["filename", "content_type", "data", "text"];

/// What every boundary begins with.
const BOUNDARY: &str = "causeway-";
/// Digits behind it.
const BOUNDARY_DIGITS: usize = 32;

/// A boundary that is in no body: made of random bytes, which it does not give away.
pub fn boundary(random: &[u8; 32]) -> String {
    let hash = crypto::sha256_hex(&[b"multipart boundary".as_slice(), random].concat());
    format!("{BOUNDARY}{}", hash.get(..BOUNDARY_DIGITS).unwrap_or(&hash))
}

/// A text without the digits of the first boundary in it, which differ each time that a body is written.
pub fn without_boundary(text: &str) -> Cow<'_, str> {
    let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    let begin = text.find(&format!("--{BOUNDARY}"));
    let digits = begin.and_then(|begin| {
        text.get(begin + 2 + BOUNDARY.len()..)?
            .get(..BOUNDARY_DIGITS)
    });
    match digits.filter(|digits| digits.bytes().all(is_digit)) {
        Some(digits) => Cow::Owned(text.replace(digits, "")),
        None => Cow::Borrowed(text),
    }
}

/// The parts of an object; `None` for anything else. They have the room of a body.
pub fn encode(
    value: &Value,
    arrays: QueryArrayFormat,
    boundary: &str,
) -> Result<Option<Vec<u8>>, BodyError> {
    let Some(object) = value.as_object() else {
        return Ok(None);
    };
    let room = RenderRoom::body();
    let fields = Fields {
        arrays,
        is_whole: is_file,
        room: &room,
    };
    let mut body = Vec::new();
    let mut take = |name: &str, value: &Value| -> Result<(), BodyError> {
        let part = part(name, value)?;
        let signs = boundary.len() + "--\r\n\r\n\r\n".len();
        room.take(part.head.len() + part.content.len() + signs, "body")?;
        for piece in [
            b"--",
            boundary.as_bytes(),
            b"\r\n",
            part.head.as_bytes(),
            b"\r\n",
            &part.content,
            b"\r\n",
        ] {
            body.extend_from_slice(piece);
        }
        Ok(())
    };
    for (name, value) in object {
        fields.each(name, value, &mut take)?;
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok(Some(body))
}

struct BodyPart<'v> {
    /// Header fields, each with its line end.
    head: String,
    content: Cow<'v, [u8]>,
}

fn part<'v>(name: &str, value: &'v Value) -> Result<BodyPart<'v>, BodyError> {
    let mut head = format!("content-disposition: form-data; name=\"{}\"", quoted(name));
    let file = value.as_object().filter(|_| is_file(value));
    let Some(file) = file else {
        head.push_str("\r\n");
        return Ok(BodyPart {
            head,
            content: field(value),
        });
    };
    if let Some(filename) = said(file, "filename", name)? {
        head.push_str("; filename=\"");
        head.push_str(&quoted(filename));
        head.push('"');
    }
    head.push_str("\r\ncontent-type: ");
    head.push_str(content_type(file, name)?);
    head.push_str("\r\n");
    Ok(BodyPart {
        head,
        content: content(file, name)?,
    })
}

/// A field that is no file: text, which needs no content type (RFC 7578 §4.4).
fn field(value: &Value) -> Cow<'_, [u8]> {
    match value {
        Value::Array(items) if items.iter().all(|item| !item.is_object()) => {
            let items: Vec<String> = items.iter().filter_map(text).collect();
            Cow::Owned(items.join(",").into_bytes())
        }
        other => bytes(other),
    }
}

/// Whether an object is a file rather than nested fields.
fn is_file(value: &Value) -> bool {
    let Some(object) = value.as_object() else {
        return false;
    };
    let has = |key: &str| object.get(key).is_some_and(|value| !value.is_null());
    has("data") != has("text")
        && (has("filename") || has("content_type"))
        && object.keys().all(|key| KEYS.contains(&key.as_str()))
}

fn said<'v>(
    file: &'v Map<String, Value>,
    key: &str,
    name: &str,
) -> Result<Option<&'v str>, BodyError> {
    match file.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(other) => exact::as_text(other)
            .map(Some)
            .ok_or_else(|| BodyError::file(name)),
    }
}

fn content_type<'v>(file: &'v Map<String, Value>, name: &str) -> Result<&'v str, BodyError> {
    let Some(said) = said(file, "content_type", name)? else {
        return Ok(match file.get("text") {
            None | Some(Value::Null) => "application/octet-stream",
            Some(text) if exact::as_text(text).is_some() => "text/plain; charset=utf-8",
            Some(_) => "application/json",
        });
    };
    let fits = said.contains('/') && HeaderValue::from_str(said).is_ok();
    fits.then_some(said).ok_or_else(|| BodyError::file(name))
}

fn content<'v>(file: &'v Map<String, Value>, name: &str) -> Result<Cow<'v, [u8]>, BodyError> {
    match (file.get("text"), said(file, "data", name)?) {
        (_, Some(data)) => decoded(data)
            .map(Cow::Owned)
            .ok_or_else(|| BodyError::file(name)),
        (Some(text), None) => Ok(bytes(text)),
        (None, None) => Ok(Cow::Borrowed(b"")),
    }
}

/// A text as it is, anything else as JSON.
fn bytes(inside: &Value) -> Cow<'_, [u8]> {
    match exact::text(inside) {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

/// Base64 of either alphabet, padded or not, in lines or not.
fn decoded(data: &str) -> Option<Vec<u8>> {
    let bare: Vec<u8> = data
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let padding = bare.iter().rev().take_while(|byte| **byte == b'=').count();
    let bare = bare.get(..bare.len() - padding.min(2))?;
    let url = bare.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let alphabet = if url { &BASE64URL_NOPAD } else { &BASE64_NOPAD };
    alphabet.decode(bare).ok()
}

/// A name within quotes, as browsers write it (WHATWG HTML, "multipart form data").
fn quoted(name: &str) -> String {
    name.replace('"', "%22")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

#[cfg(test)]
mod tests;
