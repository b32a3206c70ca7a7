//! JSON to XML.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use serde_json::Value;

use super::names::{is_name, is_text};
use super::{ATTRIBUTE, TEXT};
use crate::expression::RenderRoom;
use crate::proxy::body::BodyError;
use crate::proxy::fields;

/// What escaping makes of one byte at most: `&quot;`.
const ESCAPED: usize = 6;

/// The document of an object with one key, its root. It has the room of a body.
pub fn write(value: &Value) -> Result<Vec<u8>, BodyError> {
    let root = value.as_object().filter(|object| object.len() == 1);
    let root = root.and_then(|object| object.iter().next());
    let shape = "an object with one key is needed, the root element";
    let (name, root) = root
        .filter(|(_, root)| !root.is_array())
        .ok_or(BodyError::Shape(shape))?;
    let mut document = XmlWriter {
        out: Writer::new(Vec::new()),
        room: RenderRoom::body(),
    };
    document.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    document.element(name, root)?;
    Ok(document.out.into_inner())
}

struct XmlWriter {
    out: Writer<Vec<u8>>,
    room: RenderRoom,
}

impl XmlWriter {
    fn element(&mut self, name: &str, value: &Value) -> Result<(), BodyError> {
        if let Value::Array(items) = value {
            return items.iter().try_for_each(|item| self.element(name, item));
        }
        if !is_name(name) {
            return Err(BodyError::xml_name(name));
        }
        self.room.take(2 * name.len() + "<></>".len(), "body")?;
        let mut start = BytesStart::new(name);
        let content = match value {
            Value::Object(content) => content,
            scalar => return self.leaf(start, scalar),
        };
        for (key, value) in content {
            if let Some(attribute) = key.strip_prefix(ATTRIBUTE) {
                self.attribute(&mut start, key, attribute, value)?;
            }
        }
        let mut inner = content
            .iter()
            .filter(|(key, _)| !key.starts_with(ATTRIBUTE));
        if inner.clone().all(|(_, value)| is_nothing(value)) {
            return self.event(Event::Empty(start));
        }
        let end = BytesEnd::new(name);
        self.event(Event::Start(start))?;
        inner.try_for_each(|(key, value)| self.inner(key, value))?;
        self.event(Event::End(end))
    }

    fn inner(&mut self, key: &str, value: &Value) -> Result<(), BodyError> {
        if key == TEXT {
            self.text(key, value)
        } else {
            self.element(key, value)
        }
    }

    fn leaf(&mut self, start: BytesStart<'_>, value: &Value) -> Result<(), BodyError> {
        if value.is_null() || value.as_str() == Some("") {
            return self.event(Event::Empty(start));
        }
        let name = start.name().0.to_owned();
        self.event(Event::Start(start))?;
        self.text(&name, value)?;
        self.event(Event::End(BytesEnd::new(name)))
    }

    fn attribute(
        &mut self,
        start: &mut BytesStart<'_>,
        key: &str,
        name: &str,
        value: &Value,
    ) -> Result<(), BodyError> {
        if !is_name(name) {
            return Err(BodyError::xml_name(key));
        }
        if let Some(text) = self.scalar(key, value)? {
            self.room.take(name.len() + " =\"\"".len(), "body")?;
            start.push_attribute((name, text.as_str()));
        }
        Ok(())
    }

    fn text(&mut self, key: &str, value: &Value) -> Result<(), BodyError> {
        let Some(text) = self.scalar(key, value)? else {
            return Ok(());
        };
        // Spaces alone would be read as layout.
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_whitespace()) {
            let meant: Vec<String> = text.bytes().map(|byte| format!("&#{byte};")).collect();
            return self.event(Event::Text(BytesText::from_escaped(meant.concat())));
        }
        self.event(Event::Text(BytesText::new(&text)))
    }

    /// A value's text, for which there is room even where all of it is escaped.
    fn scalar(&self, key: &str, value: &Value) -> Result<Option<String>, BodyError> {
        let is_scalar = !matches!(value, Value::Array(_) | Value::Object(_));
        let Some(text) = fields::text(value).filter(|_| is_scalar) else {
            return is_scalar
                .then_some(None)
                .ok_or_else(|| BodyError::xml_value(key));
        };
        if !is_text(&text) {
            return Err(BodyError::xml_value(key));
        }
        let escaped = text.bytes().filter(|byte| !byte.is_ascii_alphanumeric());
        let written = text.len() + escaped.count() * (ESCAPED - 1);
        self.room.take(written, "body")?;
        Ok(Some(text))
    }

    /// Writing to memory does not fail.
    fn event(&mut self, event: Event<'_>) -> Result<(), BodyError> {
        let written: io::Result<()> = self.out.write_event(event);
        written.map_err(|_| BodyError::Shape("it cannot be written"))
    }
}

/// What an array or a text of nothing leaves of an element.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(is_nothing_at_all),
        _ => false,
    }
}

fn is_nothing_at_all(value: &Value) -> bool {
    matches!(value, Value::Array(items) if items.iter().all(is_nothing_at_all))
}
