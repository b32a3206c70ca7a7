//! A document as a flat list of nodes. Each has its place in the document's own text; nothing is copied.

use std::ops::Range;

use quick_xml::Reader;
use quick_xml::errors::Error;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::{DEPTH, NODES, XmlError};

/// The memory that a node needs.
pub(super) const NODE_BYTES: usize = std::mem::size_of::<Node>();

/// An element, or a further piece of its text.
#[derive(Debug, Default)]
struct Node {
    /// Empty for a piece of text.
    name: Span,
    /// Where its tag ends: the attributes are before that.
    tag_end: u32,
    /// The first piece of its text.
    text: Span,
    /// The place of its first child in the list; 0 is none.
    first: u32,
    last: u32,
    /// The place of the next child of its parent; 0 is none.
    next: u32,
}

/// A part of the document's text.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Span {
    begin: u32,
    end: u32,
}

/// A document; the first node, at 0, is above its root.
#[derive(Debug)]
pub(super) struct Tree<'x> {
    source: &'x str,
    nodes: Vec<Node>,
}

impl<'x> Tree<'x> {
    /// Reads a whole document.
    pub(super) fn read(source: &'x str) -> Result<Self, XmlError> {
        let mut nodes = Vec::with_capacity(super::nodes_at_most(source));
        nodes.push(Node::default());
        let mut growing = Growing {
            tree: Self { source, nodes },
            open: vec![0],
        };
        let (mut reader, mut begin) = (Reader::from_str(source), 0);
        loop {
            let event = reader.read_event().map_err(|error| reason(&error))?;
            let end = u32::try_from(reader.buffer_position()).map_err(|_| XmlError::TooMany)?;
            let written = Span { begin, end };
            begin = end;
            match event {
                Event::Start(start) => growing.open(&start, written, ">")?,
                Event::Empty(start) => {
                    growing.open(&start, written, "/>")?;
                    growing.open.pop();
                }
                Event::End(_) => drop(growing.open.pop()),
                Event::Text(_) | Event::CData(_) => growing.text(written)?,
                Event::GeneralRef(reference) if is_known(&reference) => growing.text(written)?,
                Event::GeneralRef(_) => return Err(XmlError::Entity),
                Event::DocType(doctype) if doctype.contains('[') => {
                    return Err(XmlError::Declarations);
                }
                Event::DocType(_) | Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
                Event::Eof => return growing.whole(),
            }
        }
    }

    /// The name of an element.
    pub(super) fn name(&self, place: usize) -> &'x str {
        let name = self.nodes.get(place).map(|node| node.name);
        self.written(name.unwrap_or_default())
    }

    /// What is in the tag of an element after its name.
    pub(super) fn attributes(&self, place: usize) -> &'x str {
        let behind = self.nodes.get(place).map(|node| Span {
            begin: node.name.end,
            end: node.tag_end,
        });
        self.written(behind.unwrap_or_default())
    }

    /// The elements in an element, in order.
    pub(super) fn elements(&self, place: usize) -> impl Iterator<Item = usize> + '_ {
        self.children(place)
            .filter(|(_, node)| !node.is_text())
            .map(|(place, _)| place)
    }

    /// The pieces of an element's own text as they are written: plain, `<![CDATA[…]]>` or a reference `&…;`.
    pub(super) fn pieces(&self, place: usize) -> impl Iterator<Item = &'x str> + '_ {
        let first = self.nodes.get(place).map(|node| node.text);
        let further = self
            .children(place)
            .filter(|(_, node)| node.is_text())
            .map(|(_, node)| node.text);
        let pieces = first
            .into_iter()
            .chain(further)
            .map(|text| self.written(text));
        pieces.filter(|piece| !piece.is_empty())
    }

    fn children(&self, place: usize) -> impl Iterator<Item = (usize, &Node)> + '_ {
        let first = self.nodes.get(place).map_or(0, |node| node.first);
        let at = |place: u32| Some((place as usize, self.nodes.get(place as usize)?));
        std::iter::successors(at(first), move |(_, node)| at(node.next))
            .take_while(|(place, _)| *place != 0)
    }

    fn written(&self, span: Span) -> &'x str {
        self.source.get(span.range()).unwrap_or_default()
    }
}

impl Node {
    fn is_text(&self) -> bool {
        self.name == Span::default()
    }
}

impl Span {
    fn range(self) -> Range<usize> {
        self.begin as usize..self.end as usize
    }
}

struct Growing<'x> {
    tree: Tree<'x>,
    /// The elements around the place that is read, with the node above the root.
    open: Vec<usize>,
}

impl Growing<'_> {
    fn open(&mut self, start: &BytesStart<'_>, tag: Span, end: &str) -> Result<(), XmlError> {
        let is_second_root = self.open.len() == 1 && self.tree.nodes.len() > 1;
        if self.open.is_empty() || is_second_root {
            return Err(XmlError::NotXml);
        }
        if self.open.len() > DEPTH {
            return Err(XmlError::TooDeep);
        }
        let behind = |length: usize| u32::try_from(length).map_err(|_| XmlError::TooMany);
        let begin = tag.begin + 1;
        let place = self.add(Node {
            name: Span {
                begin,
                end: begin + behind(start.name().0.len())?,
            },
            tag_end: tag.end.saturating_sub(behind(end.len())?),
            ..Node::default()
        })?;
        self.open.push(place);
        Ok(())
    }

    fn text(&mut self, text: Span) -> Result<(), XmlError> {
        let is_layout = is_space(self.tree.written(text));
        let place = self.open.last().copied().unwrap_or_default();
        if place == 0 {
            return is_layout.then_some(()).ok_or(XmlError::NotXml);
        }
        let last = self.tree.nodes.get(place).map_or(0, |node| node.last);
        let before = self.tree.nodes.get(last as usize);
        let is_behind_element = last != 0 && before.is_some_and(|node| !node.is_text());
        match self.tree.nodes.get_mut(place) {
            _ if is_layout && is_behind_element => Ok(()),
            Some(node) if last == 0 && node.text == Span::default() => {
                node.text = text;
                Ok(())
            }
            _ => self
                .add(Node {
                    text,
                    ..Node::default()
                })
                .map(drop),
        }
    }

    fn add(&mut self, node: Node) -> Result<usize, XmlError> {
        let place = self.tree.nodes.len();
        let index = u32::try_from(place).map_err(|_| XmlError::TooMany)?;
        if place > NODES {
            return Err(XmlError::TooMany);
        }
        let parent = self.open.last().copied().unwrap_or_default();
        let before = self.tree.nodes.get_mut(parent).map_or(0, |parent| {
            if parent.first == 0 {
                parent.first = index;
            }
            std::mem::replace(&mut parent.last, index)
        });
        if before != 0
            && let Some(before) = self.tree.nodes.get_mut(before as usize)
        {
            before.next = index;
        }
        self.tree.nodes.push(node);
        Ok(place)
    }
}

impl<'x> Growing<'x> {
    fn whole(self) -> Result<Tree<'x>, XmlError> {
        let is_whole = self.open.len() == 1 && self.tree.nodes.len() > 1;
        is_whole.then_some(self.tree).ok_or(XmlError::NotXml)
    }
}

/// Whether a piece of text is layout: spaces that are written as such.
pub(super) fn is_space(piece: &str) -> bool {
    piece.bytes().all(|byte| byte.is_ascii_whitespace())
}

fn is_known(reference: &BytesRef<'_>) -> bool {
    reference.is_char_ref() || resolve_predefined_entity(reference).is_some()
}

fn reason(error: &Error) -> XmlError {
    match error {
        Error::Escape(_) => XmlError::Entity,
        _ => XmlError::NotXml,
    }
}
