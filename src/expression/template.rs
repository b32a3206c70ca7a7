//! A string with placeholders, compiled while it is read. Rendering copies
//! values in; it never computes, and it never sends a placeholder unfilled.
//!
//! Where the rendered value lands decides what it may be: [`Template::header`],
//! [`Template::query`], [`Template::text`]. URLs have their own module.

use serde_json::Value;

use crate::json::Path;

use super::placeholder::{Placeholder, PlaceholderError};

mod error;
mod public;
mod read;
mod render;
mod tokens;

pub use error::RenderError;
pub use tokens::has_stray_braces;

/// A compiled template. Equal when their sources are.
#[derive(Debug, Clone)]
pub struct Template {
    source: String,
    pieces: Vec<TemplatePiece>,
}

#[derive(Debug, Clone)]
pub(super) enum TemplatePiece {
    Literal(String),
    Placeholder(Placeholder),
}

/// What a template becomes.
#[derive(Debug, Clone, PartialEq)]
pub enum Rendered {
    /// The value to put in.
    Value(Value),
    /// `:undefined` applied: leave the key out.
    Dropped,
}

impl Template {
    /// Compiles `source`. Text between braces that does not fit the grammar
    /// is literal; a token that fits it but cannot be filled is an error.
    pub fn parse(source: &str) -> Result<Self, PlaceholderError> {
        Ok(Self {
            pieces: tokens::pieces(source)?,
            source: source.to_owned(),
        })
    }

    /// The text with its placeholders reading the public half of the context and the variables that are not secret.
    /// What is no template stays as it is.
    pub fn of_public(source: &str) -> String {
        public::of(source).unwrap_or_else(|_| source.to_owned())
    }

    /// The template of no text at all.
    pub(super) fn empty() -> Self {
        Self {
            source: String::new(),
            pieces: Vec::new(),
        }
    }

    /// The text as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The whole text, when there is no placeholder in it.
    pub fn literal(&self) -> Option<&str> {
        let has_none = self.placeholders().next().is_none();
        has_none.then_some(self.source.as_str())
    }

    /// The path, when the whole text is one placeholder without alternatives
    /// and default.
    pub(super) fn whole_path(&self) -> Option<&Path> {
        self.whole().and_then(Placeholder::only_path)
    }

    /// The placeholder that is the whole text.
    pub fn whole(&self) -> Option<&Placeholder> {
        match self.pieces.as_slice() {
            [TemplatePiece::Placeholder(whole)] => Some(whole),
            _ => None,
        }
    }

    /// Its placeholders, in order.
    pub fn placeholders(&self) -> impl Iterator<Item = &Placeholder> {
        self.pieces.iter().filter_map(|piece| match piece {
            TemplatePiece::Placeholder(placeholder) => Some(placeholder),
            TemplatePiece::Literal(_) => None,
        })
    }

    /// Its literal texts, in order: what is around the placeholders.
    pub fn literals(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            TemplatePiece::Literal(text) => Some(text.as_str()),
            TemplatePiece::Placeholder(_) => None,
        })
    }

    /// The text with `mark` in the place of each placeholder.
    pub fn marked(&self, mark: &str) -> String {
        let pieces = self.pieces.iter().map(|piece| match piece {
            TemplatePiece::Literal(text) => text.as_str(),
            TemplatePiece::Placeholder(_) => mark,
        });
        pieces.collect()
    }

    pub(super) fn pieces(&self) -> &[TemplatePiece] {
        &self.pieces
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

#[cfg(test)]
mod tests;
