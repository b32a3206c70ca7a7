//! Finding the tokens in a text: `{{`, then word characters, `-./|:?` and
//! spaces, then `}}`. Anything else is literal.

use crate::expression::placeholder::{Placeholder, PlaceholderError};

use super::Piece;

/// Splits a text at its tokens.
pub(super) fn pieces(source: &str) -> Result<Vec<Piece>, PlaceholderError> {
    let (mut pieces, mut literal, mut rest) = (Vec::new(), String::new(), source);
    while let Some(start) = rest.find("{{") {
        let (before, from) = rest.split_at(start);
        literal.push_str(before);
        let Some((inner, after)) = token(from) else {
            literal.push('{');
            rest = from.get(1..).unwrap_or_default();
            continue;
        };
        if !literal.is_empty() {
            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
        }
        pieces.push(Piece::Placeholder(Placeholder::parse(inner)?));
        rest = after;
    }
    literal.push_str(rest);
    if !literal.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    Ok(pieces)
}

/// The inside of the token `text` starts with, and what follows it.
fn token(text: &str) -> Option<(&str, &str)> {
    let (inner, after) = text.strip_prefix("{{")?.split_once("}}")?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-./|:? ".contains(c);
    (!inner.is_empty() && inner.chars().all(fits)).then_some((inner, after))
}

/// Whether the text has `{{` that is not the start of a token: a slip of the
/// pen that would be sent as it is.
pub fn has_stray_braces(source: &str) -> bool {
    let mut rest = source;
    while let Some(start) = rest.find("{{") {
        match token(rest.get(start..).unwrap_or_default()) {
            Some((_, after)) => rest = after,
            None => return true,
        }
    }
    false
}
