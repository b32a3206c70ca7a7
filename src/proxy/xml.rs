//! XML as JSON and back, by one convention. An element is
//!
//! - its text, where it has neither attributes nor elements in it: `<a>x</a>` is `{"a": "x"}`, `<a/>` is `{"a": ""}`;
//! - else an object: `@name` is an attribute, `#text` the text between the elements, any other key an element.
//!
//! Elements of the same name in one element are an array. All values are texts. Names are kept as they are written,
//! prefixes and `xmlns` attributes too. A document is an object with one key, its root.
//!
//! Written, the same JSON gives the same document: a number or a boolean is its text, null an empty element (an
//! attribute that is null is left out). Comments and processing instructions are not read, and neither is where among
//! the elements a text stood.

mod names;
mod read;
mod tree;
mod write;

pub use read::to_json;
pub use write::write;

/// The deepest nesting of elements: as JSON, an array and an object each, it stays below what a JSON reader takes.
pub const DEPTH: usize = 60;
/// The most attributes of one element.
pub const ATTRIBUTES: usize = 256;
/// The most elements and pieces of text in a document.
pub const NODES: usize = 300_000;
/// The memory that one of them needs while the document is read.
pub const NODE_BYTES: usize = tree::NODE_BYTES;

const ATTRIBUTE: char = '@';
const TEXT: &str = "#text";

/// Why a text cannot be read as XML.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// It is not well-formed (XML 1.0).
    #[error("it is not well-formed")]
    NotXml,
    /// It has declarations. A DTD is never expanded or fetched.
    #[error("it has a document type with its own declarations")]
    Declarations,
    /// It uses an entity that XML itself does not define.
    #[error("it uses an entity that XML does not define")]
    Entity,
    /// Its elements nest too deeply.
    #[error("its elements nest deeper than {DEPTH} levels")]
    TooDeep,
    /// It has too many elements, or one of them too many attributes.
    #[error("it has more than {NODES} elements, or {ATTRIBUTES} attributes in one")]
    TooMany,
    /// As JSON it would be too large.
    #[error("as JSON it would be larger than an answer may be")]
    TooLarge,
}

/// How many nodes a text makes at most, the one above its root included.
pub fn nodes_at_most(text: &str) -> usize {
    let marks = text.bytes().filter(|byte| matches!(byte, b'<' | b'&'));
    (2 * marks.count()).min(NODES) + 1
}

#[cfg(test)]
mod tests;
