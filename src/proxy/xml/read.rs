//! XML to JSON.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesCData, BytesRef, BytesStart, BytesText};

use super::tree::{Tree, is_space};
use super::{ATTRIBUTES, TEXT, XmlError};
use crate::json::Path;

/// The JSON of a document without a byte order mark, of at most `limit` bytes. What is at `list`, where that is given, is an array
/// for one element, several, or an empty one (no entries).
pub fn to_json(text: &str, list: Option<&Path>, limit: usize) -> Result<String, XmlError> {
    let tree = Tree::read(text)?;
    let mut json = Json {
        tree: &tree,
        out: Vec::new(),
        limit,
    };
    json.object(0, list.map(Path::parts).unwrap_or_default())?;
    String::from_utf8(json.out).map_err(|_| XmlError::NotXml)
}

struct Json<'x> {
    tree: &'x Tree<'x>,
    out: Vec<u8>,
    limit: usize,
}

impl<'x> Json<'x> {
    /// `list` is what is left of the way to the list; empty is nowhere.
    fn element(&mut self, place: usize, list: &[String]) -> Result<(), XmlError> {
        if !self.is_text(place) {
            return self.object(place, list);
        }
        let text = self.text(place)?;
        self.string(&text)
    }

    fn object(&mut self, place: usize, list: &[String]) -> Result<(), XmlError> {
        self.sign("{")?;
        let empty = self.out.len();
        self.attributes(place, empty)?;
        let elements = self.tree.elements(place);
        let mut children: Vec<(&str, usize)> = elements
            .map(|child| (self.tree.name(child), child))
            .collect();
        let text = self.text(place)?;
        let text = if children.is_empty() {
            &text
        } else {
            text.trim_ascii()
        };
        if !text.is_empty() {
            self.key("", TEXT, empty)?;
            self.string(text)?;
        }
        children.sort_by_key(|(name, _)| *name);
        let mut groups: Vec<&[(&str, usize)]> = children.chunk_by(|a, b| a.0 == b.0).collect();
        groups.sort_by_key(|group| group.first().map(|(_, place)| *place));
        for group in groups {
            let name = group.first().map_or("", |(name, _)| name);
            self.key("", name, empty)?;
            self.group(group, &way(list, name))?;
        }
        self.sign("}")
    }

    /// The elements of one name.
    fn group(&mut self, group: &[(&str, usize)], way: &ListPath<'_>) -> Result<(), XmlError> {
        let (is_list, list) = match way {
            ListPath::Here => (true, [].as_slice()),
            ListPath::Further(list) => (false, *list),
            ListPath::Elsewhere => (false, [].as_slice()),
        };
        match group {
            [(_, only)] if is_list && self.is_empty(*only)? => return self.sign("[]"),
            [(_, only)] if !is_list => return self.element(*only, list),
            _ => {}
        }
        self.sign("[")?;
        for (position, (_, place)) in group.iter().enumerate() {
            if position > 0 {
                self.sign(",")?;
            }
            self.element(*place, list)?;
        }
        self.sign("]")
    }

    fn is_empty(&self, place: usize) -> Result<bool, XmlError> {
        Ok(self.is_text(place) && self.text(place)?.is_empty())
    }

    /// Whether an element is its text and nothing else.
    fn is_text(&self, place: usize) -> bool {
        let has_attributes = !is_space(self.tree.attributes(place));
        !has_attributes && self.tree.elements(place).next().is_none()
    }

    fn attributes(&mut self, place: usize, empty: usize) -> Result<(), XmlError> {
        let tag = BytesStart::from_content(self.tree.attributes(place), 0);
        // Each is compared with those before it.
        for (count, attribute) in tag.attributes().enumerate() {
            if count == ATTRIBUTES {
                return Err(XmlError::TooMany);
            }
            let attribute = attribute.map_err(|_| XmlError::NotXml)?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            let value = value.map_err(|_| XmlError::Entity)?;
            self.key("@", attribute.key.0, empty)?;
            self.string(&value)?;
        }
        Ok(())
    }

    /// All the text in an element but outside of those in it; nothing where that is only layout.
    fn text(&self, place: usize) -> Result<Cow<'x, str>, XmlError> {
        let mut whole = Cow::Borrowed("");
        if self.tree.pieces(place).all(is_space) {
            return Ok(whole);
        }
        for piece in self.tree.pieces(place) {
            let piece = read(piece)?;
            if whole.is_empty() {
                whole = piece;
            } else {
                whole.to_mut().push_str(&piece);
            }
        }
        Ok(whole)
    }

    fn key(&mut self, sign: &str, name: &str, empty: usize) -> Result<(), XmlError> {
        if self.out.len() > empty {
            self.sign(",")?;
        }
        if sign.is_empty() {
            self.string(name)?;
        } else {
            self.string(&format!("{sign}{name}"))?;
        }
        self.sign(":")
    }

    fn string(&mut self, text: &str) -> Result<(), XmlError> {
        serde_json::to_writer(&mut self.out, text).map_err(|_| XmlError::NotXml)?;
        self.sign("")
    }

    fn sign(&mut self, sign: &str) -> Result<(), XmlError> {
        self.out.extend_from_slice(sign.as_bytes());
        let fits = self.out.len() <= self.limit;
        fits.then_some(()).ok_or(XmlError::TooLarge)
    }
}

/// Where the list is, seen from elements of one name.
enum ListPath<'p> {
    Here,
    Further(&'p [String]),
    Elsewhere,
}

/// A name with dots in it is several parts of the path.
fn way<'p>(list: &'p [String], name: &str) -> ListPath<'p> {
    let taken = name.split('.').count();
    match list.split_at_checked(taken) {
        Some((parts, rest)) if parts.join(".") == name => match rest {
            [] => ListPath::Here,
            rest => ListPath::Further(rest),
        },
        _ => ListPath::Elsewhere,
    }
}

/// A piece of text, read: XML's own entities, CDATA, line ends as one line feed.
fn read(piece: &str) -> Result<Cow<'_, str>, XmlError> {
    let data = piece
        .strip_prefix("<![CDATA[")
        .and_then(|data| data.strip_suffix("]]>"));
    if let Some(data) = data {
        return Ok(BytesCData::new(data).xml10_content());
    }
    let reference = piece
        .strip_prefix('&')
        .and_then(|name| name.strip_suffix(';'));
    let Some(name) = reference else {
        return Ok(BytesText::from_escaped(piece).xml10_content());
    };
    let character = BytesRef::new(name).resolve_char_ref();
    match character.map_err(|_| XmlError::Entity)? {
        Some(character) => Ok(Cow::Owned(character.to_string())),
        None => quick_xml::escape::resolve_predefined_entity(name)
            .map(Cow::Borrowed)
            .ok_or(XmlError::Entity),
    }
}
