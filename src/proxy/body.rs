//! A body in the format that a method names: JSON made of its template, written.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};

use super::{form, multipart, xml};
use crate::config::resource::{BodyFormat, Method};
use crate::config::{Config, QueryArrayFormat};
use crate::expression::{Moment, RenderError};
use crate::header_text;
use crate::json::exact::{self, Exact};

/// Where the body of a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodySource {
    /// The method's `body`; the caller's where it has none.
    Method,
    /// The caller's as it is, also where the method has a template (`truto_body_passthrough=true`).
    Caller,
}

/// Why a body cannot be written. Names fields and elements, never their values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It would be too large.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// A form needs an object, raw a text, XML an object with one key.
    #[error("the method's body does not fit its body_format: {0}")]
    Shape(&'static str),
    /// A file of a multipart body is not valid.
    #[error(
        "the file `{0}` of the body is not of the form {{filename, content_type, data (base64) or text}}"
    )]
    File(String),
    /// A key cannot name an element or an attribute.
    #[error("`{0}` in the body cannot be the name of an XML element or attribute")]
    XmlName(String),
    /// A value has no place in XML.
    #[error("`{0}` in the body has a value that XML cannot carry")]
    XmlValue(String),
}

/// Characters of a key that an error quotes.
const QUOTED: usize = 80;

impl BodyError {
    /// The name of a field whose file is not valid.
    pub(super) fn file(name: &str) -> Self {
        Self::File(quoted(name))
    }

    /// A key that XML cannot have.
    pub(super) fn xml_name(name: &str) -> Self {
        Self::XmlName(quoted(name))
    }

    /// A value that XML cannot have, by its key.
    pub(super) fn xml_value(name: &str) -> Self {
        Self::XmlValue(quoted(name))
    }
}

fn quoted(name: &str) -> String {
    name.chars().take(QUOTED).collect()
}

/// How a method's bodies are written.
pub struct Writing {
    pub format: BodyFormat,
    /// How it writes arrays, where it has no own way.
    pub arrays: QueryArrayFormat,
    /// That of its parts; empty where there are none.
    boundary: String,
}

impl Writing {
    /// Of the moment it takes the boundary, the same each time it is asked.
    pub fn of(config: &Config, method: &Method, moment: &Moment) -> Self {
        let format = method.body_format.unwrap_or_default();
        let arrays = method.query_array_format.or(config.query_array_format);
        Self {
            format,
            arrays: arrays.unwrap_or(QueryArrayFormat::Repeat),
            boundary: match format {
                BodyFormat::Multipart => multipart::boundary(&moment.random),
                _ => String::new(),
            },
        }
    }

    /// The bytes of a body.
    pub fn write(&self, value: &Exact) -> Result<Vec<u8>, BodyError> {
        write(value, self.format, self.arrays, &self.boundary)
    }

    /// Says in the header fields what such a body is.
    pub fn describe(&self, headers: &mut HeaderMap) {
        let said = headers.get(CONTENT_TYPE);
        if let Some(described) = content_type(self.format, said, &self.boundary) {
            headers.insert(CONTENT_TYPE, described);
        }
    }
}

/// A body of this format; `boundary` is that of its parts.
fn write(
    value: &Exact,
    format: BodyFormat,
    arrays: QueryArrayFormat,
    boundary: &str,
) -> Result<Vec<u8>, BodyError> {
    let object = "an object is needed";
    match format {
        BodyFormat::Json => Ok(value.to_string().into_bytes()),
        BodyFormat::Form => form::encode(value, arrays)?
            .map(String::into_bytes)
            .ok_or(BodyError::Shape(object)),
        BodyFormat::Multipart => {
            multipart::encode(value.inside(), arrays, boundary)?.ok_or(BodyError::Shape(object))
        }
        BodyFormat::Raw => exact::as_text(value.inside())
            .map(|text| text.as_bytes().to_vec())
            .ok_or(BodyError::Shape("a text is needed")),
        BodyFormat::Xml => xml::write(value.inside()),
    }
}

/// The `content-type` of such a body, when `said` is what the file says; `None` leaves it as it is. A file that
/// says JSON for all its methods does not mean those of another format.
fn content_type(
    format: BodyFormat,
    said: Option<&HeaderValue>,
    boundary: &str,
) -> Option<HeaderValue> {
    let said = said.map(header_text::text);
    let said = said.as_deref();
    let said = said.map(|text| text.split(';').next().unwrap_or_default().trim());
    let is_json = said.is_some_and(|text| text.eq_ignore_ascii_case("application/json"));
    match format {
        BodyFormat::Json if said.is_none() => Some("application/json"),
        BodyFormat::Form if said.is_none() || is_json => Some("application/x-www-form-urlencoded"),
        BodyFormat::Xml if said.is_none() || is_json => Some("application/xml"),
        BodyFormat::Multipart => return of_parts(said, boundary),
        _ => None,
    }
    .map(HeaderValue::from_static)
}

/// A file may name another subtype, such as `multipart/mixed`; the boundary is always ours.
fn of_parts(said: Option<&str>, boundary: &str) -> Option<HeaderValue> {
    let is_own = |text: &&str| text.to_ascii_lowercase().starts_with("multipart/");
    let essence = said.filter(is_own).unwrap_or("multipart/form-data");
    HeaderValue::from_str(&format!("{essence}; boundary={boundary}")).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn each_format_has_its_shape() {
        use BodyFormat as F;
        let write = |format, value: &Value| {
            write(&value.clone().into(), format, QueryArrayFormat::Repeat, "B")
                .map(|bytes| String::from_utf8(bytes).unwrap())
        };
        let object = json!({ "a": { "b": 1 } });
        for (format, expected) in [
            (F::Json, r#"{"a":{"b":1}}"#),
            (F::Form, "a%5Bb%5D=1"),
            (
                F::Xml,
                r#"<?xml version="1.0" encoding="UTF-8"?><a><b>1</b></a>"#,
            ),
            (
                F::Multipart,
                "--B\r\ncontent-disposition: form-data; name=\"a[b]\"\r\n\r\n1\r\n--B--\r\n",
            ),
        ] {
            assert_eq!(write(format, &object).unwrap(), expected);
            let text = write(format, &json!("text"));
            assert_eq!(text.is_ok(), format == F::Json, "{format:?}");
        }
        assert_eq!(write(F::Raw, &json!("text")).unwrap(), "text");
        assert!(write(F::Raw, &object).is_err());
    }

    #[test]
    fn the_type_is_that_of_the_format_unless_the_file_says_better() {
        use BodyFormat as F;
        for (format, said, expected) in [
            (F::Json, None, Some("application/json")),
            (F::Json, Some("application/vnd.api+json"), None),
            (F::Form, None, Some("application/x-www-form-urlencoded")),
            (
                F::Form,
                Some("Application/JSON; charset=utf-8"),
                Some("application/x-www-form-urlencoded"),
            ),
            (
                F::Form,
                Some("application/x-www-form-urlencoded; charset=utf-8"),
                None,
            ),
            (F::Xml, Some("application/json"), Some("application/xml")),
            (F::Xml, Some("text/xml"), None),
            (F::Raw, None, None),
            (F::Raw, Some("text/csv"), None),
            (F::Multipart, None, Some("multipart/form-data; boundary=B")),
            (
                F::Multipart,
                Some("multipart/form-data"),
                Some("multipart/form-data; boundary=B"),
            ),
            (
                F::Multipart,
                Some("multipart/related; boundary=x"),
                Some("multipart/related; boundary=B"),
            ),
            (
                F::Multipart,
                Some("application/json"),
                Some("multipart/form-data; boundary=B"),
            ),
        ] {
            let said_value = said.map(HeaderValue::from_static);
            let found = content_type(format, said_value.as_ref(), "B");
            assert_eq!(
                found.as_ref().map(|value| value.to_str().unwrap()),
                expected,
                "{format:?} {said:?}"
            );
        }
    }
}
