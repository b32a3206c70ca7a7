//! Finding the tokens in a text: `{{`, then word characters, `-./|:?` and
//! spaces, then `}}`. Anything else is literal.

use crate::expression::placeholder::{Placeholder, PlaceholderError};

use super::TemplatePiece;

/// Splits a text at its tokens. Each part of it is looked at once.
pub(super) fn pieces(source: &str) -> Result<Vec<TemplatePiece>, PlaceholderError> {
    let (mut pieces, mut literal, mut rest) = (Vec::new(), String::new(), source);
    while let Some((before, after)) = rest.split_once("}}") {
        match token(before) {
            Some((text, inner)) => {
                literal.push_str(text);
                if !literal.is_empty() {
                    pieces.push(TemplatePiece::Literal(std::mem::take(&mut literal)));
                }
                pieces.push(TemplatePiece::Placeholder(Placeholder::parse(inner)?));
            }
            None => literal.extend([before, "}}"]),
        }
        rest = after;
    }
    literal.push_str(rest);
    if !literal.is_empty() || pieces.is_empty() {
        pieces.push(TemplatePiece::Literal(literal));
    }
    Ok(pieces)
}

/// What is before the token that ends where `text` ends, and the inside of
/// the token. A token begins at the last `{{` before its `}}`.
pub(super) fn token(text: &str) -> Option<(&str, &str)> {
    let (before, inner) = text.rsplit_once("{{")?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-./|:? ".contains(c);
    (!inner.is_empty() && inner.chars().all(fits)).then_some((before, inner))
}

/// Whether the text has `{{` that is not the start of a token: a mistake
/// that would be sent as it is.
pub fn has_stray_braces(source: &str) -> bool {
    let mut rest = source;
    while let Some((before, after)) = rest.split_once("}}") {
        let start = token(before).map(|(text, _)| text.len());
        if before.find("{{") != start {
            return true;
        }
        rest = after;
    }
    rest.contains("{{")
}
