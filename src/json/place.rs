//! A place in a JSON value, and its text for messages.

use std::fmt::{self, Display, Write};

/// Bytes of a place that a message names. A key can be as long as the whole value.
const PLACE_BYTES: usize = 200;

/// Where in a value its reader is. It costs nothing until it is written, as `filter.ids[2]`.
#[derive(Clone, Copy)]
pub enum Place<'p> {
    /// The whole value, by the name that a message has for it; empty for none.
    Root(&'p str),
    Key(&'p Place<'p>, &'p str),
    Index(&'p Place<'p>, usize),
}

impl Display for Place<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(name) => out.write_str(name),
            Self::Key(Self::Root(""), key) => out.write_str(key),
            Self::Key(parent, key) => write!(out, "{parent}.{key}"),
            Self::Index(parent, index) => write!(out, "{parent}[{index}]"),
        }
    }
}

/// The text of a place; a longer one than 200 bytes is cut.
pub fn place_text(place: impl Display) -> String {
    let mut beginning = Beginning(String::new());
    // It is cut where it does not end in time.
    let _ = write!(beginning, "{place}");
    beginning.0
}

/// The beginning of a text: what is longer is not written.
struct Beginning(String);

impl Write for Beginning {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let left = text.floor_char_boundary(PLACE_BYTES - self.0.len());
        self.0.push_str(text.get(..left).unwrap_or_default());
        if left < text.len() {
            return Err(fmt::Error);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_at_most_200_bytes_and_ends_between_characters() {
        let place = |key: &str| {
            let root = Place::Root("body");
            place_text(Place::Index(&Place::Key(&root, key), 7))
        };
        assert_eq!(place("id"), "body.id[7]");
        let just = "k".repeat(PLACE_BYTES - "body.[7]".len());
        assert_eq!(place(&just), format!("body.{just}[7]"));
        assert_eq!(place(&format!("{just}k")).len(), PLACE_BYTES);
        assert_eq!(place(&"k".repeat(400_000)).len(), PLACE_BYTES);
        assert_eq!(place(&"é".repeat(200)).len(), PLACE_BYTES - 1);
        assert_eq!(place_text(Place::Key(&Place::Root(""), "id")), "id");
    }
}
