//! The text of a place in a JSON value, for messages.

use std::fmt::{self, Display, Write};

/// Bytes of a place that a message names. A key can be as long as the whole value.
const PLACE_BYTES: usize = 200;

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
        let place = |key: &str| place_text(format_args!("body.{key}[{}]", 7));
        assert_eq!(place("id"), "body.id[7]");
        let just = "k".repeat(PLACE_BYTES - "body.[7]".len());
        assert_eq!(place(&just), format!("body.{just}[7]"));
        assert_eq!(place(&format!("{just}k")).len(), PLACE_BYTES);
        assert_eq!(place(&"k".repeat(400_000)).len(), PLACE_BYTES);
        assert_eq!(place(&"é".repeat(200)).len(), PLACE_BYTES - 1);
    }
}
