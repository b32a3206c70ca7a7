//! One thing that is wrong, or looks wrong, in an integration file.

use schemars::JsonSchema;
use serde::Serialize;

/// Whether the file can be used in spite of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The file is refused.
    Error,
    /// The file is taken; something in it will not do what it seems to.
    Warning,
}

/// What is wrong, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// Whether it stops the file.
    pub level: Level,
    /// Where: `config.resources.users.list.path`, arrays as `[0]`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Bytes of a path or message. They quote keys and texts of the file, which have no limit.
const LONGEST: usize = 2_000;

fn shortened(mut text: String) -> String {
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push('…');
    }
    text
}

impl Finding {
    /// Something that stops the file.
    pub fn error(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            level: Level::Error,
            path: shortened(path.into()),
            message: shortened(message.into()),
            hint: None,
        }
    }

    /// Something to look at.
    pub fn warning(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            level: Level::Warning,
            path: shortened(path.into()),
            message: shortened(message.into()),
            hint: None,
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(shortened(hint.into())),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Finding, LONGEST};

    #[test]
    fn what_is_quoted_is_bounded() {
        let long = |bytes: usize| Finding::error("a".repeat(bytes), "é".repeat(bytes));
        assert_eq!(long(LONGEST).path.len(), LONGEST);
        assert!(long(LONGEST + 1).path.ends_with("a…"));
        assert!(long(LONGEST).message.len() <= LONGEST + '…'.len_utf8());
    }
}
